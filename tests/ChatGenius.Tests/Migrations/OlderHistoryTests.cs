namespace ChatGenius.Tests.Migrations;

/// <summary>Histories as tool 0.1.0 has made them.</summary>
public class OlderHistoryTests
{
    private const string Tables = "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relnamespace = "
        + "'chatgenius_db'::regnamespace AND relkind = 'r'";

    /// <summary>The tables of 0.1.0 to the letter, with one migration applied.</summary>
    internal static string Of010(Migration applied) =>
        $"""
        CREATE SCHEMA IF NOT EXISTS chatgenius_db;
        CREATE TABLE IF NOT EXISTS chatgenius_db.format (version integer NOT NULL);
        INSERT INTO chatgenius_db.format SELECT 1 WHERE NOT EXISTS (SELECT FROM chatgenius_db.format);
        CREATE TABLE IF NOT EXISTS chatgenius_db.history (
            version bigint PRIMARY KEY,
            name text NOT NULL,
            checksum text NOT NULL,
            down_checksum text NOT NULL,
            down_sql text NOT NULL,
            applied_at timestamp with time zone NOT NULL DEFAULT pg_catalog.clock_timestamp(),
            duration_ms double precision NOT NULL,
            applied_by text NOT NULL DEFAULT SESSION_USER,
            tool_version text NOT NULL,
            origin text NOT NULL CHECK (origin IN ('bundle', 'folder', 'baseline')),
            retries integer NOT NULL DEFAULT 0,
            backup text
        );
        CREATE TABLE IF NOT EXISTS chatgenius_db.journal (
            version bigint NOT NULL,
            direction text NOT NULL CHECK (direction IN ('up', 'down')),
            statement integer NOT NULL,
            name text NOT NULL,
            count integer NOT NULL,
            checksum text NOT NULL,
            started_at timestamp with time zone NOT NULL DEFAULT pg_catalog.clock_timestamp(),
            finished_at timestamp with time zone,
            pid integer NOT NULL DEFAULT pg_catalog.pg_backend_pid(),
            backend_start timestamp with time zone NOT NULL,
            PRIMARY KEY (version, statement)
        );
        INSERT INTO chatgenius_db.history (version, name, checksum, down_checksum, down_sql, duration_ms, tool_version, origin)
        VALUES ({applied.Version}, '{applied.Name}', '{applied.Up.Checksum}', '{applied.Down.Checksum}', $down${applied.Down.Text}$down$,
            1.5, '0.1.0', 'folder');
        {applied.Up.Text}
        """;

    [Fact]
    public async Task The_first_apply_upgrades_it_and_reading_before_does_not()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a");
        await database.ExecuteAsync(Of010(MigrationSource.Load(folder.Path, bundle: false)[0]));
        folder.WriteTable(2, "b");

        (await folder.StatusAsync(database)).ShouldBe("1:Applied 2:Pending");
        (await database.ScalarAsync<string>(Tables)).ShouldBe("format history journal");

        (await folder.ApplyAsync(database)).Finished.Count.ShouldBe(1);

        (await database.ScalarAsync<string>(Tables)).ShouldBe("batches format history journal kept log repeatable watched");
        (await database.ScalarAsync<int>("SELECT version FROM chatgenius_db.format")).ShouldBe(2);
        (await database.ScalarAsync<string>("SELECT string_agg(version || coalesce(up_sql, '-'), ' ' ORDER BY version) FROM "
            + "chatgenius_db.history"))
            .ShouldBe("1- 2-- migrate:up\nCREATE TABLE b (id int);\n\n");
        (await database.ScalarAsync<string>("SELECT string_agg(action || version, ' ' ORDER BY id) FROM chatgenius_db.log"))
            .ShouldBe("applied2");
        (await folder.RollbackAsync(database, new RollbackRequest(All: true))).Finished.Count.ShouldBe(2);
        (await database.ScalarAsync<string>("SELECT string_agg(action || version, ' ' ORDER BY id) FROM chatgenius_db.log"))
            .ShouldBe("applied2 rolled_back2 rolled_back1");
    }

    [Fact]
    public async Task What_it_lays_out_is_what_a_new_one_has()
    {
        const string Shape =
            """
            SELECT string_agg(relname || '.' || attname || ' ' || format_type(atttypid, atttypmod) || attnotnull ||
                coalesce(pg_get_expr(adbin, adrelid), '')
                || coalesce((SELECT string_agg(pg_get_constraintdef(c.oid), ';' ORDER BY conname) FROM pg_constraint c WHERE conrelid =
                    attrelid AND contype <> 'n'), ''),
                E'\n' ORDER BY relname, attname)
            FROM pg_class JOIN pg_attribute a ON attrelid = pg_class.oid AND attnum > 0 LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum
                = attnum
            WHERE relnamespace = 'chatgenius_db'::regnamespace AND relkind = 'r'
            """;
        using var folder = new Folder().WriteTable(1, "a").WriteTable(2, "b");
        await using var upgraded = await TestDatabase.CreateAsync();
        await upgraded.ExecuteAsync(Of010(MigrationSource.Load(folder.Path, bundle: false)[0]));
        await folder.ApplyAsync(upgraded);
        await using var fresh = await TestDatabase.CreateAsync();
        await folder.ApplyAsync(fresh);

        (await upgraded.ScalarAsync<string>(Shape)).ShouldBe(await fresh.ScalarAsync<string>(Shape));
    }

    [Fact]
    public async Task A_role_that_may_write_but_not_alter_it_goes_on_without_the_new_tables_and_says_what_to_grant()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a");
        await using var role = await TestRole.CreateAsync(database);
        await database.ExecuteAsync(Of010(MigrationSource.Load(folder.Path, bundle: false)[0]));
        await database.ExecuteAsync(
            $"GRANT USAGE ON SCHEMA chatgenius_db TO {role.Name}; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "
                + $"chatgenius_db TO {role.Name}; "
            + $"GRANT CREATE ON SCHEMA public TO {role.Name}");
        folder.WriteTable(2, "b").Write(3, "outside", "INSERT INTO b VALUES (1);", "DELETE FROM b;", " transaction:false");

        (await role.Migrator(folder).ApplyAsync(new PlanRequest())).Finished.Count.ShouldBe(2);

        var remark = folder.Told<MigrationEvent.Remark>().ShouldHaveSingleItem().Message;
        remark.ShouldContain($"TO {role.Name}");
        (await database.ScalarAsync<string>(Tables)).ShouldBe("format history journal");
        (await role.Migrator(folder).RollbackAsync(new RollbackRequest(Steps: 2))).Finished.Count.ShouldBe(2);
        (await role.Migrator(folder).StatusAsync()).Select(status =>
            status.State).ShouldBe([MigrationState.Applied, MigrationState.Pending, MigrationState.Pending]);
    }

    [Fact]
    public async Task A_schema_that_was_prepared_is_enough_for_a_role_that_may_not_create_one()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a");
        await using var role = await TestRole.CreateAsync(database);
        await database.ExecuteAsync($"CREATE SCHEMA chatgenius_db AUTHORIZATION {role.Name}; GRANT CREATE ON SCHEMA public TO {role.Name}");

        (await role.Migrator(folder).ApplyAsync(new PlanRequest())).Finished.Count.ShouldBe(1);

        (await database.ScalarAsync<string>(Tables)).ShouldBe("batches format history journal kept log repeatable watched");
    }

    [Theory]
    [InlineData("log")]
    [InlineData("kept")]
    [InlineData("watched")]
    public async Task Only_its_owner_reads_what_may_be_secret_whatever_default_privileges_say(string table)
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a");
        await using var role = await TestRole.CreateAsync(database);
        await database.ExecuteAsync($"ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {role.Name}, PUBLIC");

        await folder.ApplyAsync(database);

        (await database.ScalarAsync<bool>($"SELECT has_table_privilege('{role.Name}', 'chatgenius_db.{table}', 'SELECT, INSERT, UPDATE, "
            + $"DELETE')")).ShouldBeFalse();
        (await database.ScalarAsync<bool>($"SELECT has_table_privilege('{role.Name}', 'chatgenius_db.history', 'SELECT')")).ShouldBeTrue();
    }

    [Fact]
    public async Task Tool_010_meets_the_new_one_with_its_own_clear_problem()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a");
        await folder.ApplyAsync(database);

        // What 0.1.0 asks for, and refuses where the answer is more than 1 (CG0409).
        (await database.ScalarAsync<int>("SELECT version FROM chatgenius_db.format")).ShouldBeGreaterThan(1);
        await database.ExecuteAsync("UPDATE chatgenius_db.format SET version = 99");
        (await Should.ThrowAsync<ProblemException>(() => folder.StatusAsync(database))).Problems[0].Code.ShouldBe("CG0409");
    }
}

/// <summary>A role without rights, which may log in to one database.</summary>
internal sealed class TestRole : IAsyncDisposable
{
    private readonly TestDatabase _database;

    private TestRole(TestDatabase database, string name)
    {
        (_database, Name) = (database, name);
        Url = DatabaseUrl.Parse(
            new Npgsql.NpgsqlConnectionStringBuilder(database.Url.ConnectionString) { Username = name,
                Password = "secret" }.ConnectionString, "test");
    }

    public string Name { get; }

    public DatabaseUrl Url { get; }

    public static async Task<TestRole> CreateAsync(TestDatabase database, string options = "")
    {
        var name = "cg_role_" + Guid.NewGuid().ToString("N")[..12];
        await database.ExecuteAsync($"CREATE ROLE {name} LOGIN PASSWORD 'secret' {options}");
        return new TestRole(database, name);
    }

    public Migrator Migrator(Folder folder, MigratorOptions? options = null) =>
        new(new Database(Url), MigrationSource.Load(folder.Path, bundle: false), options, folder.Recorder);

    public async ValueTask DisposeAsync() => await _database.ExecuteAsync($"DROP OWNED BY {Name} CASCADE; DROP ROLE {Name}");
}
