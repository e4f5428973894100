namespace ChatGenius.Tests.Migrations;

public class AssertionRunTests
{
    private const string There = "SELECT coalesce(string_agg(relname, ' ' ORDER BY relname), '') FROM pg_class "
        + "WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'";

    [Theory]
    [InlineData("SELECT false", "CG0526", "cgdb:require is false", 2, 17)]
    [InlineData("SELECT NULL::boolean", "CG0526", "cgdb:require is null", 2, 17)]
    [InlineData("SELECT true WHERE false", "CG0526", "cgdb:require gives no row", 2, 17)]
    [InlineData("VALUES (true), (true), (true)", "CG0526", "cgdb:require gives 3 rows", 2, 17)]
    [InlineData("SELECT true, true", "CG0526", "cgdb:require gives 2 columns", 2, 17)]
    [InlineData("SELECT 1", "CG0526", "cgdb:require is no boolean: 1", 2, 17)]
    [InlineData("SELECT 'true'", "CG0526", "cgdb:require is no boolean: \"true\"", 2, 17)]
    [InlineData("SELECT count(*) = 0 FROM\n-- nowhere", "CG0527", "relation \"nowhere\" does not exist (SQLSTATE 42P01)", 3, 4)]
    [InlineData("SELECT 'ä' = ä", "CG0527", "column \"ä\" does not exist (SQLSTATE 42703)", 2, 30)]
    [InlineData("SELECT true tru e", "CG0527", "syntax error at or near \"e\" (SQLSTATE 42601)", 2, 33)]
    [InlineData("WITH x AS (DELETE FROM a RETURNING 1) SELECT true FROM x", "CG0527", "read-only transaction (SQLSTATE 25006)", 2, 17)]
    [InlineData("SELECT 1 / 0 = 0", "CG0527", "division by zero (SQLSTATE 22012)", 2, 17)]
    public async Task What_is_not_true_keeps_a_migration_from_running(string select, string code, string message, int line, int column)
    {
        foreach (var options in (string[])["", " transaction:false"])
        {
            await using var database = await TestDatabase.CreateAsync();
            using var folder = new Folder().WriteTable(1, "a")
                .Write(2, "asks", $"-- cgdb:require {select};\nCREATE TABLE b (id int);", "DROP TABLE b;", options).WriteTable(3, "c");

            var problem = (await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database))).Problems.ShouldHaveSingleItem();

            problem.Code.ShouldBe(code);
            problem.Message.ShouldContain(message);
            (problem.Where!.Line, problem.Where.Column).ShouldBe((line, column));
            problem.Advice!.ShouldContain(options.Length == 0 ? "Nothing of this migration is left" : "None of its statements has run");
            (await database.ScalarAsync<string>(There)).ShouldBe("a");
        }
    }

    [Fact]
    public async Task What_is_ensured_and_not_so_takes_a_transaction_back()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder()
            .Write(1, "asks", "-- cgdb:ensure SELECT count(*) = 2 FROM a;\nCREATE TABLE a (id int);\nINSERT INTO a VALUES (1);");

        var problem = (await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database))).Problems.ShouldHaveSingleItem();

        problem.Code.ShouldBe("CG0526");
        problem.Message.ShouldBe("0001_asks: cgdb:ensure is false\nasked: SELECT count(*) = 2 FROM a");
        (await database.ScalarAsync<string>(There)).ShouldBe("");
        (await database.ScalarAsync<string>("SELECT error FROM chatgenius_db.log WHERE error IS NOT NULL")).ShouldContain("is false");

        folder.Write(1, "asks", "-- cgdb:ensure SELECT count(*) = 1 FROM a;\nCREATE TABLE a (id int);\nINSERT INTO a VALUES (1);");
        await folder.ApplyAsync(database);
        (await folder.StatusAsync(database)).ShouldBe("1:Applied");
    }

    [Fact]
    public async Task Outside_a_transaction_only_what_is_ensured_is_asked_again()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync("CREATE TABLE ready (id int)");
        using var folder = new Folder().Write(
            1, "asks", "-- cgdb:require SELECT to_regclass('a') IS NULL;\nCREATE TABLE a (id int);\n"
                + "CREATE INDEX CONCURRENTLY a_idx ON a (id);\n"
                + "-- cgdb:ensure SELECT count(*) = 1 FROM ready;", "DROP TABLE a;", " transaction:false");

        var problem = (await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database))).Problems.ShouldHaveSingleItem();
        problem.Code.ShouldBe("CG0526");
        problem.Advice!.ShouldContain("only this is asked again");

        await database.ExecuteAsync("INSERT INTO ready VALUES (1)");
        (await folder.ApplyAsync(database)).Finished.Count.ShouldBe(1);
    }

    [Fact]
    public async Task In_batches_each_is_asked_once()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync("CREATE TABLE a (id int PRIMARY KEY, v int); INSERT INTO a SELECT generate_series(1, 30)");
        using var folder = new Folder().Write(
            1, "asks", "-- cgdb:require SELECT count(v) = 0 FROM a;\n-- cgdb:ensure SELECT count(v) = 31 FROM a;\n"
                + "UPDATE a SET v = 1 WHERE id BETWEEN :batch_first AND :batch_last;", "SELECT 1;", " batch:a size:10");

        var problem = (await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database))).Problems.ShouldHaveSingleItem();
        problem.Message.ShouldStartWith("0001_asks: cgdb:ensure is false");

        await database.ExecuteAsync("INSERT INTO a VALUES (31, 1)");
        (await folder.ApplyAsync(database)).Finished.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_question_leaves_nothing_and_sees_what_the_migration_sees()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(
            1, "asks",
            "-- cgdb:require SELECT current_setting('transaction_isolation') = 'serializable';\n"
            + "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\n"
            + "SET LOCAL search_path = other;\nCREATE SCHEMA other;\nCREATE TABLE a (id int);\n"
            + "-- cgdb:ensure SELECT set_config('search_path', 'public', true) = 'public';\n"
            + "-- cgdb:ensure SELECT count(*) = 0 FROM a;",
            "DROP SCHEMA other CASCADE;");

        await folder.ApplyAsync(database);

        (await database.ScalarAsync<bool>("SELECT to_regclass('other.a') IS NOT NULL")).ShouldBeTrue();
    }

    [Fact]
    public async Task A_hostile_schema_in_front_gets_none_of_our_words()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync(
            """
            CREATE SCHEMA trap;
            CREATE FUNCTION trap.set_config(text, text, boolean) RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE ''trapped''; END';
            CREATE FUNCTION trap.eq(bigint, integer) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE ''trapped''; END';
            CREATE OPERATOR trap.= (LEFTARG = bigint, RIGHTARG = integer, FUNCTION = trap.eq);
            """);
        using var folder = new Folder().Write(
            1, "asks", "SET LOCAL search_path = trap, pg_catalog, public;\nSELECT 1;\n-- cgdb:ensure SELECT true;\n");

        (await folder.ApplyAsync(database)).Finished.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("true", 0)]
    [InlineData("false", 3)]
    public async Task A_script_asks_as_well(string answer, int exitCode)
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(
            1, "asks", "-- cgdb:require SELECT 'a\\b' <> ':x';\nSET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nCREATE TABLE a (id int);\n"
                + $"-- cgdb:ensure SELECT {answer};", "DROP TABLE a;");
        using var sandbox = new Sandbox();
        var script = MigrationScript.Write(await folder.Migrator(database).PlanAsync(new PlanRequest()), new MigratorOptions());

        var psql = await Psql.RunAsync(database, sandbox.Write("plan.sql", script));

        psql.ExitCode.ShouldBe(exitCode, psql.Error);
        (await database.ScalarAsync<string>(There)).ShouldBe(answer == "true" ? "a" : "");
    }
}
