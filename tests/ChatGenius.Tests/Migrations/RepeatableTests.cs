namespace ChatGenius.Tests.Migrations;

public class RepeatableTests(ITestOutputHelper output)
{
    private const string Rows =
        "SELECT coalesce(string_agg(name || ':' || version, ' ' ORDER BY name, version), '') FROM chatgenius_db.repeatable";

    [Fact]
    public async Task They_run_after_the_migrations_and_again_only_when_their_text_changed()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a").Repeat("v", "CREATE OR REPLACE VIEW v AS SELECT id FROM a;");

        Names(await folder.ApplyAsync(database)).ShouldBe("create_a v");
        Names(await folder.ApplyAsync(database)).ShouldBe("");
        folder.Repeat("v", "-- another comment\r\nCREATE OR REPLACE VIEW v AS SELECT id FROM a;");
        Names(await folder.ApplyAsync(database)).ShouldBe("");
        folder.Repeat("v", "CREATE OR REPLACE VIEW v AS SELECT id, id + 1 AS next FROM a;");
        Names(await folder.ApplyAsync(database)).ShouldBe("v");

        (await database.ScalarAsync<string>(Rows)).ShouldBe("v:1");
        (await database.ScalarAsync<string>(
            "SELECT string_agg(action || ' ' || coalesce(version::text, '-') || ' ' || name, ', ' ORDER BY id) "
            + "FROM chatgenius_db.log")).ShouldBe("applied 1 create_a, repeated - v, repeated - v");
    }

    [Fact]
    public async Task They_wait_until_nothing_is_pending()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a").WriteTable(2, "b").Repeat("v", "CREATE OR REPLACE VIEW v AS SELECT id FROM b;");

        var first = await folder.ApplyAsync(database, request: new PlanRequest(To: 1));
        Names(first).ShouldBe("create_a");
        first.Plan.Remarks.ShouldContain("Repeatable objects wait until nothing is pending: v");
        Names(await folder.ApplyAsync(database, request: new PlanRequest(To: 2))).ShouldBe("create_b v");
    }

    [Fact]
    public async Task A_database_that_is_ahead_keeps_its_newer_texts()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a").WriteTable(2, "b").Repeat("v", "CREATE OR REPLACE VIEW v AS SELECT 2 AS n;");
        await folder.ApplyAsync(database);
        folder.Delete(2);
        folder.Repeat("v", "CREATE OR REPLACE VIEW v AS SELECT 1 AS n;");

        var result = await folder.ApplyAsync(database);

        result.Finished.ShouldBeEmpty();
        result.Plan.Remarks.ShouldContain("Repeatable objects are left as they are, because the database is ahead of these files: v");
        (await database.ScalarAsync<int>("SELECT n FROM v")).ShouldBe(2);
    }

    [Fact]
    public async Task What_failed_for_want_of_another_is_tried_again_in_whatever_order_the_names_are()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder()
            .Repeat("a", "CREATE OR REPLACE VIEW a AS SELECT n FROM b;")
            .Repeat("b", "CREATE OR REPLACE VIEW b AS SELECT f(c.n) AS n FROM c;")
            .Repeat("c", "CREATE OR REPLACE VIEW c AS SELECT 1 AS n;")
            .Repeat("d", "CREATE OR REPLACE FUNCTION f(n int) RETURNS int LANGUAGE sql AS 'SELECT max($1) FROM c';");

        Names(await folder.ApplyAsync(database)).ShouldBe("a b c d");

        (await database.ScalarAsync<int>("SELECT n FROM a")).ShouldBe(1);
    }

    [Fact]
    public async Task Where_nothing_more_gets_through_the_first_failure_is_named_with_its_place_and_nothing_is_kept()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "t")
            .Repeat("a", "CREATE OR REPLACE VIEW a AS SELECT n FROM b;")
            .Repeat("b", "CREATE OR REPLACE VIEW b AS\n    SELECT missing AS n FROM t;")
            .Repeat("c", "CREATE OR REPLACE VIEW c AS SELECT 1;");

        var problem = (await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database))).Problems.ShouldHaveSingleItem();

        problem.Code.ShouldBe("CG0502");
        problem.Message.ShouldStartWith("a: relation \"b\" does not exist");
        (problem.Where!.Line, problem.Where.Column).ShouldBe((1, 43));
        problem.Advice!.ShouldContain("None of the repeatable objects was changed");
        (await database.ScalarAsync<string>(Rows)).ShouldBe("");
        (await database.ScalarAsync<long>("SELECT count(*) FROM pg_views WHERE schemaname = 'public'")).ShouldBe(0);
        (await folder.StatusAsync(database)).ShouldBe("1:Applied");
    }

    [Fact]
    public async Task A_view_that_loses_a_column_keeps_owner_privileges_comments_and_what_is_on_it()
    {
        await using var database = await TestDatabase.CreateAsync();
        var role = $"reader_{Guid.NewGuid():N}";
        using var folder = new Folder().Write(1, "t", "CREATE TABLE t (a int, b int, c int);", "DROP TABLE t;")
            .Repeat("v", "CREATE OR REPLACE VIEW v AS SELECT a, b, c FROM t;");
        await folder.ApplyAsync(database);
        await database.ExecuteAsync($$"""
            CREATE ROLE {{role}};
            ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;
            CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
            CREATE VIEW w WITH (security_barrier = true) AS SELECT a FROM v WHERE a > 0 WITH LOCAL CHECK OPTION;
            CREATE VIEW x AS SELECT a AS z FROM w;
            GRANT SELECT ON v TO {{role}} WITH GRANT OPTION;
            GRANT UPDATE (a, b) ON v TO {{role}};
            GRANT DELETE ON w TO {{role}};
            GRANT {{role}} TO CURRENT_USER;
            GRANT CREATE ON SCHEMA public TO {{role}};
            ALTER VIEW x OWNER TO {{role}};
            COMMENT ON VIEW v IS 'it''s v';
            COMMENT ON COLUMN v.a IS 'a of v';
            COMMENT ON COLUMN v.b IS 'b of v';
            COMMENT ON VIEW x IS 'x';
            ALTER VIEW v ALTER COLUMN a SET DEFAULT 7;
            CREATE TRIGGER tr INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION nothing();
            COMMENT ON TRIGGER tr ON v IS 'tr';
            CREATE RULE r AS ON DELETE TO v DO INSTEAD NOTHING;
            """);
        var before = await FactsAsync(database);
        folder.Repeat("v", "CREATE OR REPLACE VIEW v AS SELECT c, a FROM t;");

        try
        {
            Names(await folder.ApplyAsync(database)).ShouldBe("v");

            (await FactsAsync(database)).ShouldBe(before.Replace("v.b b of v\n", "", StringComparison.Ordinal)
                .Replace($"column v b {role}=w\n", "", StringComparison.Ordinal));
            (await database.ScalarAsync<string>(
                "SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'v'::regclass")).ShouldBe("c a");
        }
        finally
        {
            await database.ExecuteAsync($"DROP OWNED BY {role}; DROP ROLE {role};");
        }
    }

    [Fact]
    public async Task A_function_of_another_type_keeps_its_privileges_and_takes_repeatable_policies_and_triggers_along()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(1, "t", "CREATE TABLE t (a int);", "DROP TABLE t;")
            .Repeat("f", "CREATE OR REPLACE FUNCTION f(a int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1';")
            .Repeat("p", "DROP POLICY IF EXISTS p ON t;\nCREATE POLICY p ON t FOR UPDATE USING (f(a) > 0) WITH CHECK (f(a) > 1);")
            .Repeat("tr", """
                CREATE OR REPLACE FUNCTION tr() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
                DROP TRIGGER IF EXISTS tr ON t;
                CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW WHEN (f(NEW.a) > 0) EXECUTE FUNCTION tr();
                """);
        await folder.ApplyAsync(database);
        await database.ExecuteAsync("REVOKE ALL ON FUNCTION f(int) FROM PUBLIC; COMMENT ON FUNCTION f(int) IS 'f'; "
            + "COMMENT ON POLICY p ON t IS 'p'; ALTER TABLE t DISABLE TRIGGER tr;");
        const string Facts = """
            SELECT concat_ws('|', proacl, obj_description(p.oid, 'pg_proc'), (SELECT concat(polcmd, pg_get_expr(polqual, polrelid),
                pg_get_expr(polwithcheck, polrelid), obj_description(oid, 'pg_policy')) FROM pg_policy),
                (SELECT concat(pg_get_triggerdef(oid), tgenabled) FROM pg_trigger)) FROM pg_proc p WHERE proname = 'f'
            """;
        var before = await database.ScalarAsync<string>(Facts);
        folder.Repeat("f", "CREATE OR REPLACE FUNCTION f(a int) RETURNS bigint IMMUTABLE LANGUAGE sql AS 'SELECT 1::bigint';");

        Names(await folder.ApplyAsync(database)).ShouldBe("f");

        // What compares with a bigint is written with its casts.
        (await database.ScalarAsync<string>(Facts)).ShouldBe(before);
        (await database.ScalarAsync<string>("SELECT f(1)::text || pg_typeof(f(1))::text")).ShouldBe("1bigint");
    }

    [Fact]
    public async Task A_view_that_can_not_be_made_again_is_made_by_its_own_file_and_keeps_its_privileges()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(1, "t", "CREATE TABLE t (a int, b int);", "DROP TABLE t;")
            .Repeat("a_user", "CREATE OR REPLACE VIEW u AS SELECT a, b FROM v;")
            .Repeat("v", "CREATE OR REPLACE VIEW v AS SELECT a, b FROM t;");
        await folder.ApplyAsync(database);
        await database.ExecuteAsync("GRANT SELECT ON u TO PUBLIC; COMMENT ON COLUMN u.a IS 'kept';");
        folder.Repeat("a_user", "CREATE OR REPLACE VIEW u AS SELECT a FROM v;\n"
                + "REVOKE SELECT ON u FROM PUBLIC;\nGRANT DELETE ON u TO PUBLIC;")
            .Repeat("v", "CREATE OR REPLACE VIEW v AS SELECT a FROM t;");

        Names(await folder.ApplyAsync(database)).ShouldBe("a_user v");

        (await database.ScalarAsync<string>("SELECT array_to_string(relacl, ' ') FROM pg_class WHERE relname = 'u'"))
            .ShouldEndWith(" =d/postgres");
        (await database.ScalarAsync<string>("SELECT col_description('u'::regclass, 1)")).ShouldBe("kept");

        folder.Repeat("v", "CREATE OR REPLACE VIEW v AS SELECT b FROM t;");
        var problem = (await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database))).Problems.ShouldHaveSingleItem();
        problem.Where!.Path.ShouldEndWith("a_user.sql");
        (await database.ScalarAsync<string>("SELECT pg_get_viewdef('u'::regclass)")).ShouldContain("v.a");
    }

    [Fact]
    public async Task A_view_of_nobody_that_can_not_be_made_again_is_named()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(1, "t", "CREATE TABLE t (a int, b int);", "DROP TABLE t;")
            .Repeat("v", "CREATE OR REPLACE VIEW v AS SELECT a, b FROM t;");
        await folder.ApplyAsync(database);
        await database.ExecuteAsync("CREATE VIEW u AS SELECT b FROM v");
        folder.Repeat("v", "CREATE OR REPLACE VIEW v AS SELECT a FROM t;");

        var problem = (await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database))).Problems.ShouldHaveSingleItem();

        problem.Code.ShouldBe("CG0528");
        problem.Message.ShouldContain("view public.u uses view public.v, and can't be made again: column v.b does not exist");
        (await database.ScalarAsync<string>("SELECT string_agg(viewname, ' ' ORDER BY viewname) FROM pg_views WHERE schemaname = 'public'"))
            .ShouldBe("u v");
    }

    public static TheoryData<string, string, string, bool> Dependents
    {
        get
        {
            const string View = "view", Function = "function";
            var data = new TheoryData<string, string, string, bool>
            {
                { View, "view", "CREATE VIEW d AS SELECT a FROM v", true },
                { View, "view on a view", "CREATE VIEW d1 AS SELECT a FROM v; CREATE VIEW d AS SELECT * FROM d1", true },
                { View, "materialized view", "CREATE MATERIALIZED VIEW d AS SELECT a FROM v", false },
                { View, "materialized view of a view",
                    "CREATE VIEW d1 AS SELECT a FROM v; CREATE MATERIALIZED VIEW d AS SELECT a FROM d1", false },
                { View, "function of its rows", "CREATE FUNCTION d(v) RETURNS int LANGUAGE sql AS 'SELECT 1'", false },
                { View, "function that gives its rows", "CREATE FUNCTION d() RETURNS SETOF v LANGUAGE sql AS 'SELECT * FROM v'", false },
                { View, "function of an array of its rows", "CREATE FUNCTION d(v[]) RETURNS int LANGUAGE sql AS 'SELECT 1'", false },
                { View, "function with a body", "CREATE FUNCTION d() RETURNS int LANGUAGE sql RETURN (SELECT a FROM v)", false },
                { View, "column of its type", "CREATE TABLE d (x v)", false },
                { View, "domain over its type", "CREATE DOMAIN d AS v", false },
                { View, "policy", "CREATE POLICY d ON t USING (EXISTS (SELECT FROM v))", false },
                { View, "rule on a table", "CREATE RULE d AS ON UPDATE TO t DO ALSO SELECT a FROM v", false },
                { View, "rule on a view that goes along", "CREATE VIEW d AS SELECT a FROM v; "
                    + "CREATE RULE d AS ON UPDATE TO d DO INSTEAD SELECT a FROM v",
                    true },
                { Function, "view", "CREATE VIEW d AS SELECT f(a) AS x FROM t", true },
                { Function, "index", "CREATE INDEX d ON t (f(a))", false },
                { Function, "CHECK", "ALTER TABLE t ADD CONSTRAINT d CHECK (f(a) > 0)", false },
                { Function, "generated column", "ALTER TABLE t ADD d int GENERATED ALWAYS AS (f(a)) STORED", false },
                { Function, "default", "ALTER TABLE t ALTER a SET DEFAULT f(1)", false },
                { Function, "materialized view", "CREATE MATERIALIZED VIEW d AS SELECT f(a) AS x FROM t", false },
                { Function, "policy", "CREATE POLICY d ON t USING (f(a) > 0)", false },
                { Function, "trigger", "CREATE FUNCTION d() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; "
                    + "CREATE TRIGGER d BEFORE INSERT ON t FOR EACH ROW WHEN (f(NEW.a) > 0) EXECUTE FUNCTION d()", false },
                { Function, "domain", "CREATE DOMAIN d AS int CHECK (f(VALUE) > 0)", false },
                { Function, "function with a body", "CREATE FUNCTION d() RETURNS int LANGUAGE sql RETURN f(1)", false },
                { Function, "aggregate", "CREATE FUNCTION d1(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + $2'; "
                    + "CREATE AGGREGATE d(int) (SFUNC = d1, STYPE = int, INITCOND = '0', FINALFUNC = f)", false },
                { Function, "operator", "CREATE OPERATOR !# (RIGHTARG = int, FUNCTION = f)", false },
                { Function, "function with a body of another type",
                    "CREATE TYPE d AS ENUM ('a'); CREATE FUNCTION d1(d) RETURNS int LANGUAGE sql RETURN f(1)", false },
                { Function, "partition key", "CREATE TABLE d (a int) PARTITION BY RANGE (f(a))", false },
                { Function, "statistics", "CREATE STATISTICS d ON f(a), a FROM t", false },
            };
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Dependents))]
    public async Task What_depends_on_a_replaced_object_is_kept_or_named_and_never_lost(
        string replaced, string what, string sql, bool isKept)
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(1, "t", "CREATE TABLE t (a int, b int);", "DROP TABLE t;")
            .Repeat("v", "CREATE OR REPLACE VIEW v AS SELECT a, b FROM t;")
            .Repeat("f", "CREATE OR REPLACE FUNCTION f(a int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT a';");
        await folder.ApplyAsync(database);
        await database.ExecuteAsync(sql);
        var before = await ObjectsAsync(database);
        _ = replaced == "view" ? folder.Repeat("v", "CREATE OR REPLACE VIEW v AS SELECT a FROM t;")
            : folder.Repeat("f", "CREATE OR REPLACE FUNCTION f(a int) RETURNS smallint IMMUTABLE LANGUAGE sql AS 'SELECT 1::smallint';");

        if (isKept)
        {
            await folder.ApplyAsync(database);
        }
        else
        {
            var problem = (await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database))).Problems.ShouldHaveSingleItem();
            problem.Code.ShouldBe("CG0528", what);
            problem.Where!.Path.ShouldEndWith(replaced == "view" ? "v.sql" : "f.sql");
            problem.Message.Split('\n').Skip(1).ShouldNotBeEmpty();
        }

        (await ObjectsAsync(database)).ShouldBe(before);
    }

    [Fact]
    public async Task Sets_that_depend_on_each_other_in_any_order_of_names_end_applied()
    {
        var chance = new Random(Chance.Seed);
        output.WriteLine($"seed {Chance.Seed}");
        for (var i = 0; i < Chance.Cases(6); i++)
        {
            await using var database = await TestDatabase.CreateAsync();
            using var folder = new Folder();
            for (var round = 0; round < 3; round++)
            {
                var names = Enumerable.Range(0, 12).Select(n => (Name: $"o{n}", File: $"{(char)('a' + chance.Next(26))}_{n}")).ToList();
                if (round == 0)
                {
                    _files = names.ConvertAll(one => one.File);
                }

                for (var n = 0; n < names.Count; n++)
                {
                    // Each uses some of those before it; the names of the files know nothing of that. Columns come and go.
                    var used = n == 0 ? [] : Enumerable.Range(0, n).OrderBy(_ => chance.Next()).Take(chance.Next(1, 3)).ToList();
                    var values = string.Concat(used.Select(one => one % 3 == 2 ? $" + o{one}()" : $" + (SELECT max(n) FROM o{one})"));
                    folder.Repeat(_files[n], n % 3 == 2
                        ? $"CREATE OR REPLACE FUNCTION o{n}() RETURNS {(chance.Next(2) == 0 ? "bigint" : "numeric")} LANGUAGE sql AS "
                            + $"'SELECT (1{values})::bigint';"
                        : $"CREATE OR REPLACE VIEW o{n} AS SELECT {(chance.Next(2) == 0 ? "'x' AS extra, " : "")}"
                            + $"(1{values})::bigint AS n;");
                }

                await folder.ApplyAsync(database);
                foreach (var (n, name) in names.Index())
                {
                    (await database.ScalarAsync<bool>(n % 3 == 2 ? $"SELECT o{n}() > 0" : $"SELECT n > 0 FROM {name.Name}")).ShouldBeTrue();
                }

                (await folder.Migrator(database).AllStatusAsync()).Repeatables.ShouldAllBe(one => one.State == RepeatableState.Current);
            }
        }
    }

    private List<string> _files = [];

    [Fact]
    public async Task Two_runs_together_run_each_once()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "t")
            .Repeat("v", "INSERT INTO t VALUES (1);\nCREATE OR REPLACE VIEW v AS SELECT id FROM t;\nSELECT pg_sleep(0.3);");

        var results = await Task.WhenAll(folder.ApplyAsync(database), folder.ApplyAsync(database));

        results.Sum(result => result.Finished.Count).ShouldBe(2);
        (await database.ScalarAsync<long>("SELECT count(*) FROM t")).ShouldBe(1);
    }

    [Fact]
    public async Task A_run_whose_session_is_ended_leaves_all_as_it_was_and_the_next_one_does_it()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "t").Repeat("a", "CREATE OR REPLACE VIEW a AS SELECT 1 AS n;");
        await folder.ApplyAsync(database);
        folder.Repeat("a", "CREATE OR REPLACE VIEW a AS SELECT 2 AS n;").Repeat("b", "SELECT pg_sleep(60);");
        var run = folder.ApplyAsync(database);
        await database.ScalarAsync<bool>("SELECT pg_sleep(0.1) IS NULL");
        for (var ended = 0L; ended == 0;)
        {
            await Task.Delay(50);
            ended = await database.ScalarAsync<long>("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = "
                + "current_database() AND query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()");
        }

        (await Should.ThrowAsync<ProblemException>(() => run)).Problems[0].Code.ShouldBe("CG0503");

        (await database.ScalarAsync<int>("SELECT n FROM a")).ShouldBe(1);
        folder.Repeat("b", "SELECT 1;");
        Names(await folder.ApplyAsync(database)).ShouldBe("a b");
        (await database.ScalarAsync<int>("SELECT n FROM a")).ShouldBe(2);
    }

    [Fact]
    public async Task A_table_that_others_hold_is_waited_for_and_tried_again()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "t");
        await folder.ApplyAsync(database);
        folder.Repeat("p", "DROP POLICY IF EXISTS p ON t;\nCREATE POLICY p ON t USING (true);");
        await using var other = await database.ConnectAsync();
        await new NpgsqlCommand("BEGIN; LOCK TABLE t IN ACCESS SHARE MODE", other).ExecuteNonQueryAsync();
        var run = folder.ApplyAsync(database, new MigratorOptions { LockTimeout = TimeSpan.FromMilliseconds(100) });
        await folder.WaitForAsync<MigrationEvent.Retrying>();
        await new NpgsqlCommand("COMMIT", other).ExecuteNonQueryAsync();

        Names(await run).ShouldBe("p");
    }

    [Fact]
    public async Task What_a_file_sets_ends_with_it()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(1, "s", "CREATE SCHEMA other;", "DROP SCHEMA other;")
            .Repeat("a", "SET search_path = other;\nSET ROLE pg_monitor;\nRESET ROLE;\nCREATE VIEW a AS SELECT 1 AS n;")
            .Repeat("b", "CREATE VIEW b AS SELECT 1 AS n;");

        await folder.ApplyAsync(database);

        (await database.ScalarAsync<string>("SELECT string_agg(schemaname || '.' || viewname, ' ' ORDER BY viewname) FROM pg_views "
            + "WHERE schemaname IN ('public', 'other')")).ShouldBe("other.a public.b");
    }

    [Fact]
    public async Task A_file_that_is_gone_is_said_once_and_what_it_made_stays()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Repeat("a", "CREATE OR REPLACE VIEW a AS SELECT 1 AS n;").Repeat("b", "SELECT 1;");
        await folder.ApplyAsync(database);
        File.Delete(Path.Combine(folder.Path, "repeatable", "a.sql"));
        (await StatesAsync(folder, database)).ShouldBe("a:Missing b:Current");
        folder.Repeat("b", "SELECT 2;").Repeat("c", "SELECT 3;");
        (await StatesAsync(folder, database)).ShouldBe("a:Missing b:Changed c:New");

        (await folder.ApplyAsync(database)).Plan.Remarks.ShouldContain(
            "repeatable/a.sql is gone: what it made stays in the database until a migration drops it");

        (await StatesAsync(folder, database)).ShouldBe("b:Current c:Current");
        (await database.ScalarAsync<int>("SELECT n FROM a")).ShouldBe(1);
    }

    [Theory]
    [InlineData("CREATE TRIGGER evil BEFORE INSERT ON chatgenius_db.repeatable FOR EACH ROW EXECUTE FUNCTION evil()")]
    [InlineData("ALTER TABLE chatgenius_db.repeatable ADD evil int GENERATED ALWAYS AS (1) STORED")]
    [InlineData("CREATE RULE evil AS ON DELETE TO chatgenius_db.repeatable DO ALSO NOTHING")]
    [InlineData("ALTER TABLE chatgenius_db.repeatable ENABLE ROW LEVEL SECURITY")]
    public async Task A_table_that_is_not_as_we_make_it_is_not_read(string sql)
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "t").Repeat("a", "SELECT 1;");
        await folder.ApplyAsync(database);
        await database.ExecuteAsync("CREATE FUNCTION evil() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'");
        await database.ExecuteAsync(sql);
        folder.Repeat("a", "SELECT 2;");

        (await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database))).Problems[0].Code.ShouldBe("CG0517");
        (await Should.ThrowAsync<ProblemException>(() => StatesAsync(folder, database))).Problems[0].Code.ShouldBe("CG0517");
    }

    internal static string Names(RunResult result) => string.Join(' ', result.Finished.Select(one => one.Step.Name));

    private static async Task<string> StatesAsync(Folder folder, TestDatabase database) => string.Join(
        ' ', (await folder.Migrator(database).AllStatusAsync()).Repeatables.Select(one => $"{one.Name}:{one.State}"));

    private static Task<string> FactsAsync(TestDatabase database) => database.ScalarAsync<string>("""
        SELECT string_agg(line, E'\n' ORDER BY line) || E'\n' FROM (
            SELECT concat_ws(' ', relname, pg_get_userbyid(relowner), a.privilege_type, a.grantee::regrole, a.is_grantable,
                reloptions) AS line
            FROM pg_class c, aclexplode(coalesce(relacl, acldefault('r', relowner))) a
            WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace
            UNION ALL SELECT concat_ws(' ', 'column', attrelid::regclass, attname, split_part(x::text, '/', 1))
                FROM pg_attribute, unnest(attacl) x
                WHERE attrelid IN ('v'::regclass, 'w'::regclass, 'x'::regclass)
            UNION ALL SELECT concat(d.objoid::regclass, '.' || attname, ' ', description) FROM pg_description d
                LEFT JOIN pg_attribute a ON attrelid = objoid AND attnum = objsubid AND attnum > 0
                WHERE classoid = 'pg_class'::regclass AND objoid IN ('v'::regclass, 'x'::regclass)
            UNION ALL SELECT concat(tgname, obj_description(oid, 'pg_trigger')) FROM pg_trigger
            UNION ALL SELECT rulename FROM pg_rewrite WHERE ev_class = 'v'::regclass
            UNION ALL SELECT 'default ' || pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'v'::regclass) lines
        """);

    private static Task<string> ObjectsAsync(TestDatabase database) => database.ScalarAsync<string>("""
        SELECT string_agg(line, E'\n' ORDER BY line) FROM (
            SELECT DISTINCT pg_describe_object(classid, objid, 0) AS line FROM pg_depend WHERE deptype <> 'p' AND objid >= 16384) lines
        """);
}
