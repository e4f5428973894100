namespace ChatGenius.Tests.Migrations;

/// <summary>A history that somebody else has made or changed: nothing of theirs runs, and nothing of it is believed.</summary>
public class HostileHistoryTests
{
    private const string Trap =
        """
        CREATE TABLE public.sprung (who text);
        CREATE FUNCTION public.trap() RETURNS int LANGUAGE plpgsql VOLATILE AS $$ BEGIN INSERT INTO public.sprung VALUES (current_user);
            RETURN 1; END $$;
        CREATE FUNCTION public.frozen_trap(anyelement) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM public.trap();
            RETURN 1; END $$;
        CREATE FUNCTION public.trigger_trap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.sprung VALUES (current_user);
            RETURN NEW; END $$;
        """;

    public static TheoryData<string, string> Changes => new()
    {
        { "a view as format", "DROP TABLE chatgenius_db.format; CREATE VIEW chatgenius_db.format AS SELECT public.trap() AS version" },
        { "a view as history",
            "ALTER TABLE chatgenius_db.history RENAME TO h; CREATE VIEW chatgenius_db.history AS SELECT *, public.trap() FROM "
                + "chatgenius_db.h" },
        { "a materialized view", "DROP TABLE chatgenius_db.format; CREATE MATERIALIZED VIEW chatgenius_db.format AS SELECT 2 AS version" },
        { "a partitioned table",
            "DROP TABLE chatgenius_db.format; CREATE TABLE chatgenius_db.format (version int NOT NULL) PARTITION BY RANGE (version)" },
        { "an unlogged table", "ALTER TABLE chatgenius_db.journal SET UNLOGGED" },
        { "a trigger", "CREATE TRIGGER t BEFORE INSERT ON chatgenius_db.history FOR EACH ROW EXECUTE FUNCTION public.trigger_trap()" },
        { "a trigger of the journal",
            "CREATE TRIGGER t AFTER INSERT ON chatgenius_db.journal FOR EACH STATEMENT EXECUTE FUNCTION public.trigger_trap()" },
        { "a rule", "CREATE RULE r AS ON INSERT TO chatgenius_db.history DO ALSO SELECT public.trap()" },
        { "a default", "ALTER TABLE chatgenius_db.history ALTER COLUMN retries SET DEFAULT public.trap()" },
        { "a generated column",
            "ALTER TABLE chatgenius_db.history ADD COLUMN g int GENERATED ALWAYS AS (public.frozen_trap(version)) STORED" },
        { "a check", "ALTER TABLE chatgenius_db.history ADD CHECK (public.trap() = 1) NOT VALID" },
        { "an index on an expression", "CREATE INDEX i ON chatgenius_db.history (public.frozen_trap(1))" },
        { "a partial index", "CREATE INDEX i ON chatgenius_db.history (version) WHERE public.frozen_trap(version) = 1" },
        { "statistics", "CREATE STATISTICS public.s ON (public.frozen_trap(name)), version FROM chatgenius_db.history" },
        { "row-level security",
            "ALTER TABLE chatgenius_db.history ENABLE ROW LEVEL SECURITY; ALTER TABLE chatgenius_db.history FORCE ROW LEVEL SECURITY" },
        { "a policy", "CREATE POLICY p ON chatgenius_db.history USING (public.trap() = 1)" },
        { "a child", "CREATE TABLE public.child () INHERITS (chatgenius_db.history)" },
        { "a domain",
            "CREATE DOMAIN public.d AS text CHECK (public.trap() = 1 OR VALUE = ''); ALTER TABLE chatgenius_db.history ALTER COLUMN "
                + "backup TYPE public.d" },
        { "a foreign key", "CREATE TABLE public.refers (v bigint REFERENCES chatgenius_db.history ON DELETE CASCADE)" },
        { "another column", "ALTER TABLE chatgenius_db.history ADD COLUMN more text" },
        { "another type", "ALTER TABLE chatgenius_db.history ALTER COLUMN name TYPE varchar(500)" },
        { "another collation", "ALTER TABLE chatgenius_db.history ALTER COLUMN name TYPE text COLLATE \"C\"" },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task Nothing_runs_and_nothing_is_believed(string what, string change)
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a").Write(2, "outside", "SELECT 1;", "SELECT 1;", " transaction:false",
            " transaction:false");
        await folder.ApplyAsync(database);
        await database.ExecuteAsync(Trap + change);
        await database.ExecuteAsync("DELETE FROM public.sprung");
        folder.WriteTable(3, "c");
        var migrator = folder.Migrator(database);

        foreach (var act in (Func<Task>[])[() => migrator.StatusAsync(), () => migrator.ApplyAsync(new PlanRequest()), () =>
            migrator.RollbackAsync(new RollbackRequest(All: true)),
            () => migrator.RedoAsync(new RedoRequest()), () => migrator.BaselineAsync(new BaselineRequest(3)), () => migrator.LogAsync()])
        {
            var problem = (await Should.ThrowAsync<ProblemException>(act, what)).Problems.ShouldHaveSingleItem();
            problem.Code.ShouldBe("CG0517", what);
            problem.Message.ShouldContain($"which belongs to {database.Url.UserName}");
        }

        (await database.ScalarAsync<long>("SELECT count(*) FROM public.sprung")).ShouldBe(0, what);
    }

    /// <summary>What the owner does while a run is at work, by a session of its own that the first migration starts.</summary>
    [Theory]
    [InlineData("CREATE TRIGGER t BEFORE INSERT ON chatgenius_db.history FOR EACH ROW EXECUTE FUNCTION public.trigger_trap()", "")]
    [InlineData("CREATE TRIGGER t BEFORE INSERT ON chatgenius_db.history EXECUTE FUNCTION public.trigger_trap()", "")]
    [InlineData("CREATE TRIGGER t BEFORE INSERT ON chatgenius_db.log EXECUTE FUNCTION public.trigger_trap()", "")]
    [InlineData("CREATE RULE r AS ON INSERT TO chatgenius_db.history DO ALSO SELECT public.trap()", "")]
    [InlineData("ALTER TABLE chatgenius_db.history ALTER COLUMN retries SET DEFAULT public.trap()", "")]
    [InlineData("CREATE INDEX i ON chatgenius_db.history (public.frozen_trap(1))", "")]
    [InlineData("ALTER TABLE chatgenius_db.history RENAME TO h; CREATE TABLE chatgenius_db.history (LIKE chatgenius_db.h INCLUDING ALL); "
        + "CREATE TRIGGER t BEFORE INSERT ON chatgenius_db.history FOR EACH ROW EXECUTE FUNCTION public.trigger_trap()", "")]
    [InlineData("CREATE TRIGGER t BEFORE INSERT ON chatgenius_db.journal EXECUTE FUNCTION public.trigger_trap()", " transaction:false")]
    [InlineData("CREATE TRIGGER t BEFORE INSERT ON chatgenius_db.history EXECUTE FUNCTION public.trigger_trap()", " transaction:false")]
    public async Task What_its_owner_adds_during_a_run_does_not_run(string change, string options)
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a");
        await folder.ApplyAsync(database);
        await database.ExecuteAsync(Trap);
        folder.Write(2, "slow", "CREATE TABLE slow (); SELECT pg_sleep(3);", "DROP TABLE slow;", options, options).WriteTable(3, "c");

        var run = folder.ApplyAsync(database);
        await SleepsAsync(database);
        await database.ExecuteAsync(change);
        await database.ExecuteAsync("DELETE FROM public.sprung");

        var problem = (await Should.ThrowAsync<ProblemException>(run)).Problems.ShouldHaveSingleItem();
        problem.Code.ShouldBe("CG0517");
        (await database.ScalarAsync<long>("SELECT count(*) FROM public.sprung")).ShouldBe(0);
        (await database.ScalarAsync<bool>("SELECT to_regclass('c') IS NULL")).ShouldBeTrue();
    }

    /// <summary>Who owns the schema swaps it with one of theirs as often as they can, while a superuser reads and writes.</summary>
    [Fact]
    public async Task What_the_schemas_owner_puts_under_its_name_between_two_looks_does_not_run()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a");
        await using var role = await TestRole.CreateAsync(database);
        await database.ExecuteAsync(
            $"""
            GRANT CREATE ON DATABASE {database.Url.DatabaseName} TO {role.Name};
            CREATE SCHEMA chatgenius_db AUTHORIZATION {role.Name};
            CREATE SCHEMA twin AUTHORIZATION {role.Name};
            """);
        await folder.ApplyAsync(database);
        await using var owner = await new Database(role.Url).ConnectAsync();
        await ExecuteAsync(owner,
            """
            CREATE FUNCTION twin.trap() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the trap was sprung'; END $$;
            CREATE FUNCTION twin.trigger_trap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the trap was sprung'; END $$;
            CREATE TABLE twin.format (version int);
            CREATE VIEW twin.history AS SELECT 1::int8 AS version, 'x'::text AS name, 'x'::text AS checksum, now() AS applied_at,
                'folder'::text AS origin, 'x'::text AS down_sql, 'x'::text AS down_checksum, 0::float8 AS duration_ms, 'x'::text AS
                applied_by, 'x'::text AS tool_version, 0 AS retries, NULL::text AS backup, NULL::text AS up_sql WHERE twin.trap() = 1;
            CREATE TRIGGER t INSTEAD OF INSERT OR DELETE ON twin.history FOR EACH ROW EXECUTE FUNCTION twin.trigger_trap();
            CREATE TABLE twin.journal (version int8, direction text, statement int, name text, count int, checksum text,
                started_at timestamptz, finished_at timestamptz, pid int, backend_start timestamptz);
            """);
        using var stop = new CancellationTokenSource();
        var swapping = SwapAsync(owner, stop.Token);

        var problems = new List<string>();
        foreach (var act in Enumerable.Range(0, 40).Select(i => i % 8 == 7
            ? (Func<Task>)(() => folder.Migrator(database).RedoAsync(new RedoRequest())) : () => folder.Migrator(database).StatusAsync()))
        {
            try
            {
                await act();
            }
            catch (ProblemException e)
            {
                problems.Add(e.Message);
            }
        }

        await stop.CancelAsync();
        (await swapping).ShouldBeGreaterThan(10);
        problems.Where(text => text.Contains("sprung", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    private static async Task<int> SwapAsync(NpgsqlConnection owner, CancellationToken stop)
    {
        var swaps = 0;
        for (; !stop.IsCancellationRequested; swaps++)
        {
            await ExecuteAsync(owner, "ALTER SCHEMA chatgenius_db RENAME TO ours; ALTER SCHEMA twin RENAME TO chatgenius_db");
            await ExecuteAsync(owner, "ALTER SCHEMA chatgenius_db RENAME TO twin; ALTER SCHEMA ours RENAME TO chatgenius_db");
        }

        return swaps;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>What somebody puts where there was nothing when it was looked at is not taken for what we make.</summary>
    [Theory]
    [InlineData("CREATE SCHEMA chatgenius_db; ")]
    [InlineData("")]
    public async Task What_is_made_between_the_look_and_the_making_is_not_believed(string schema)
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a");
        await database.ExecuteAsync(Trap + (schema.Length > 0 ? "" : "CREATE SCHEMA chatgenius_db;"));
        await using var other = await new Database(database.Url).ConnectAsync();
        await ExecuteAsync(other, $"BEGIN; {schema}CREATE TABLE chatgenius_db.format (version integer NOT NULL PRIMARY KEY); "
            + "CREATE TRIGGER t BEFORE INSERT ON chatgenius_db.format EXECUTE FUNCTION public.trigger_trap()");

        // It waits for the one who is making them.
        var run = folder.ApplyAsync(database);
        const string Waits =
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND locktype = 'transactionid')";
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!run.IsCompleted && !await database.ScalarAsync<bool>(Waits))
        {
            await Task.Delay(20, limit.Token);
        }

        await ExecuteAsync(other, "COMMIT");
        (await Should.ThrowAsync<ProblemException>(run)).Problems.ShouldHaveSingleItem().Code.ShouldBe("CG0517");
        (await database.ScalarAsync<long>("SELECT count(*) FROM public.sprung")).ShouldBe(0);
    }

    private static async Task SleepsAsync(TestDatabase database)
    {
        const string Sleeps =
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep')";
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!await database.ScalarAsync<bool>(Sleeps))
        {
            await Task.Delay(50, limit.Token);
        }
    }

    [Fact]
    public async Task A_snapshot_from_before_hides_no_trigger()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a");
        await folder.ApplyAsync(database);
        await database.ExecuteAsync(Trap);
        folder.Write(2, "slow", "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT pg_sleep(2);", "SELECT 1;");

        var run = folder.ApplyAsync(database);
        await SleepsAsync(database);
        await database.ExecuteAsync("CREATE TRIGGER t BEFORE INSERT ON chatgenius_db.history EXECUTE FUNCTION public.trigger_trap()");

        (await run).Finished.Count.ShouldBe(1);
        (await database.ScalarAsync<long>("SELECT count(*) FROM public.sprung")).ShouldBe(0);
    }

    [Fact]
    public async Task A_history_that_a_subscription_writes_is_not_believed()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a");
        await folder.ApplyAsync(database);
        await database.ExecuteAsync("CREATE SUBSCRIPTION copied CONNECTION 'host=nowhere.invalid' PUBLICATION p WITH (connect = false)");
        try
        {
            await database.ExecuteAsync(
                "SET allow_system_table_mods = on; "
                + "INSERT INTO pg_subscription_rel SELECT oid, 'chatgenius_db.history'::regclass, 'r', NULL "
                + "FROM pg_subscription WHERE subname = 'copied' AND subdbid = (SELECT oid FROM pg_database WHERE datname = "
                + "current_database())");

            foreach (var act in (Func<Task>[])[() => folder.Migrator(database).StatusAsync(), () => folder.ApplyAsync(database)])
            {
                (await Should.ThrowAsync<ProblemException>(act)).Problems.ShouldHaveSingleItem().Code.ShouldBe("CG0518");
            }
        }
        finally
        {
            await database.ExecuteAsync("ALTER SUBSCRIPTION copied SET (slot_name = NONE)");
            await database.ExecuteAsync("DROP SUBSCRIPTION copied");
        }
    }

    [Fact]
    public async Task A_log_that_is_something_else_is_not_written_and_the_run_says_so()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a");
        await folder.ApplyAsync(database);
        await database.ExecuteAsync(Trap
            + "CREATE TRIGGER t BEFORE INSERT ON chatgenius_db.log FOR EACH ROW EXECUTE FUNCTION public.trigger_trap()");
        folder.WriteTable(2, "b");

        (await folder.ApplyAsync(database)).Finished.Count.ShouldBe(1);

        folder.Told<MigrationEvent.Remark>().ShouldHaveSingleItem().Message.ShouldContain("log");
        (await database.ScalarAsync<long>("SELECT count(*) FROM public.sprung")).ShouldBe(0);
    }

    [Fact]
    public async Task A_stored_down_that_somebody_with_fewer_rights_may_have_written_is_shown_and_refused()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a");
        await using var role = await TestRole.CreateAsync(database);
        await database.ExecuteAsync($"CREATE SCHEMA chatgenius_db AUTHORIZATION {role.Name}; GRANT CREATE ON SCHEMA public TO {role.Name}");
        await role.Migrator(folder).ApplyAsync(new PlanRequest());
        await database.ExecuteAsync("UPDATE chatgenius_db.history SET down_sql = E'-- migrate:down\\nCREATE TABLE evil ();\\n', checksum "
            + "= 'x'");

        var problem = (await Should.ThrowAsync<ProblemException>(() => folder.RollbackAsync(database))).Problems.ShouldHaveSingleItem();
        problem.Code.ShouldBe("CG0414");
        problem.Message.ShouldContain("CREATE TABLE evil");
        problem.Message.ShouldContain(role.Name);

        (await folder.RollbackAsync(database, new RollbackRequest(TrustStoredDown: true))).Finished.Count.ShouldBe(1);
        (await database.ScalarAsync<bool>("SELECT to_regclass('evil') IS NOT NULL")).ShouldBeTrue();
    }

    [Theory]
    [InlineData("GRANT UPDATE ON chatgenius_db.history TO {0}")]
    [InlineData("GRANT INSERT ON chatgenius_db.history TO {0}")]
    [InlineData("GRANT UPDATE (down_sql) ON chatgenius_db.history TO {0}")]
    [InlineData("GRANT pg_write_all_data TO {0}")]
    [InlineData("GRANT ALL ON chatgenius_db.history TO PUBLIC", "everybody")]
    public async Task A_role_that_may_write_the_history_in_any_way_may_have_written_a_down(string grant, string? writer = null)
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a");
        await using var role = await TestRole.CreateAsync(database);
        await folder.ApplyAsync(database);
        await database.ExecuteAsync("UPDATE chatgenius_db.history SET down_sql = '-- migrate:down', checksum = 'x'");
        (await folder.Migrator(database).PlanRollbackAsync(new RollbackRequest())).Steps.Count.ShouldBe(1);

        await database.ExecuteAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, grant, role.Name));

        var problem = (await Should.ThrowAsync<ProblemException>(() => folder.RollbackAsync(database))).Problems.ShouldHaveSingleItem();
        problem.Code.ShouldBe("CG0414");
        problem.Message.ShouldContain(writer ?? role.Name);
    }

    [Fact]
    public async Task The_history_shares_a_schema_with_the_applications_tables()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a").Write(2, "outside", "SELECT 1;", "SELECT 1;", " transaction:false",
            " transaction:false");
        await database.ExecuteAsync("CREATE TABLE log (id int, message text); CREATE TABLE other (id int)");
        var options = new MigratorOptions { HistorySchema = "public" };

        (await folder.ApplyAsync(database, options)).Finished.Count.ShouldBe(2);
        (await folder.Migrator(database, options).StatusAsync()).Count.ShouldBe(2);
        (await folder.Migrator(database, options).RollbackAsync(new RollbackRequest(All: true))).Finished.Count.ShouldBe(2);
        (await database.ScalarAsync<long>("SELECT count(*) FROM log")).ShouldBe(0);
    }

    [Fact]
    public async Task A_role_with_SELECT_alone_reads_also_an_older_layout()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a");
        await using var role = await TestRole.CreateAsync(database);
        await database.ExecuteAsync(OlderHistoryTests.Of010(MigrationSource.Load(folder.Path, bundle: false)[0]));
        await database.ExecuteAsync($"GRANT USAGE ON SCHEMA chatgenius_db TO {role.Name}; GRANT SELECT ON ALL TABLES IN SCHEMA "
            + $"chatgenius_db TO {role.Name}");

        (await role.Migrator(folder).StatusAsync())[0].State.ShouldBe(MigrationState.Applied);
        await folder.ApplyAsync(database, request: new PlanRequest());
        await database.ExecuteAsync($"GRANT SELECT ON ALL TABLES IN SCHEMA chatgenius_db TO {role.Name}");
        (await role.Migrator(folder).PlanAsync(new PlanRequest())).Steps.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_publication_for_all_tables_hides_no_cause()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync("CREATE PUBLICATION everything FOR ALL TABLES");
        using var folder = new Folder().WriteTable(1, "a").Write(2, "b", "SELECT 1 / 0;");

        (await Should.ThrowAsync<ProblemException>(() =>
            folder.ApplyAsync(database))).Problems[0].Message.ShouldContain("division by zero");

        (await folder.StatusAsync(database)).ShouldBe("1:Applied 2:Pending");
        folder.Told<MigrationEvent.Finished>().Select(done => done.Step.Version).ShouldBe([1]);
    }
}
