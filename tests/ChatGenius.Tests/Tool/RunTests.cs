namespace ChatGenius.Tests.Tool;

/// <summary>The tool as its users run it: a process, a folder, a database.</summary>
public class RunTests
{
    [Fact]
    public async Task From_nothing_to_the_bundled_schema_and_back_and_there_again()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var sandbox = new Sandbox();

        var apply = await RunAsync(db, sandbox, "apply");
        apply.ExitCode.ShouldBe(0, apply.Error);
        apply.Output.ShouldMatch("^5 migrations applied in .*\n$");
        apply.Error.Split('\n').Count(line => line.StartsWith("applied 000", StringComparison.Ordinal)).ShouldBe(5);

        var again = await RunAsync(db, sandbox, "apply");
        (again.ExitCode, again.Output).ShouldBe((0, "Nothing to do: 5 migrations applied\n"));

        var rollback = await RunAsync(db, sandbox, "rollback", "--all", "--yes");
        rollback.ExitCode.ShouldBe(0, rollback.Error);
        (await db.ScalarAsync<long>("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")).ShouldBe(0);

        (await RunAsync(db, sandbox, "apply")).ExitCode.ShouldBe(0);
        (await db.ScalarAsync<long>("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")).ShouldBe(11);
    }

    [Fact]
    public async Task Status_says_in_json_where_each_migration_stands()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var sandbox = new Sandbox();
        await RunAsync(db, sandbox, "apply", "--to", "4");

        var status = await RunAsync(db, sandbox, "status", "--json", "--exit-code");

        status.ExitCode.ShouldBe(1);
        var migrations = JsonDocument.Parse(status.Output).RootElement.GetProperty("migrations").EnumerateArray().ToList();
        migrations.Select(m => m.GetProperty("version").GetInt64()).ShouldBe([1, 2, 3, 4, 5]);
        migrations.Select(m => m.GetProperty("state").GetString()).ShouldBe(["applied", "applied", "applied", "applied", "pending"]);
        migrations[0].GetProperty("name").GetString().ShouldBe("initial_schema");
        migrations[0].GetProperty("duration_ms").GetDouble().ShouldBeGreaterThan(0);
        migrations[4].TryGetProperty("applied_at", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task Plan_says_in_json_what_would_run_and_changes_nothing()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var sandbox = new Sandbox();
        sandbox.Write("migrations/0001_one.sql",
            "-- migrate:up\n  CREATE TABLE one (i int);\nINSERT INTO one VALUES (1);\n-- migrate:down\nDROP TABLE one;\n");

        var plan = await RunAsync(db, sandbox, "plan", "--json", "--no-bundle");

        plan.ExitCode.ShouldBe(0, plan.Error);
        var migration = JsonDocument.Parse(plan.Output).RootElement.GetProperty("migrations").EnumerateArray().ShouldHaveSingleItem();
        var statements = migration.GetProperty("statements").EnumerateArray().ToList();
        statements.Select(s => (s.GetProperty("line").GetInt32(), s.GetProperty("column").GetInt32(), s.GetProperty("text").GetString()))
            .ShouldBe([(2, 3, "CREATE TABLE one (i int)"), (3, 1, "INSERT INTO one VALUES (1)")]);
        (await db.ScalarAsync<long>("SELECT count(*) FROM pg_namespace WHERE nspname = 'chatgenius_db'")).ShouldBe(0);
    }

    [Fact]
    public async Task A_failed_statement_is_shown_in_its_file_and_exits_2()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var sandbox = new Sandbox();
        sandbox.Write("migrations/0001_bad.sql",
            "-- migrate:up\nCREATE TABLE one (i int);\nSELECT * FROM\tnope;\n-- migrate:down\nDROP TABLE one;\n");

        var apply = await RunAsync(db, sandbox, "apply", "--no-bundle");

        apply.ExitCode.ShouldBe(2);
        apply.Error.ShouldContain("42P01");
        apply.Error.ShouldContain("  --> migrations/0001_bad.sql:3:15\n   3 | SELECT * FROM   nope;\n     |                 ^^^^\n");
        (await db.ScalarAsync<bool>("SELECT to_regclass('one') IS NULL")).ShouldBeTrue();
    }

    [Fact]
    public async Task Another_run_that_holds_the_lock_is_exit_3()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var sandbox = new Sandbox();
        sandbox.Write("migrations/0001_slow.sql", "-- migrate:up\nSELECT pg_sleep(600);\n-- migrate:down\nSELECT 1;\n");
        await using var slow = ToolProcess.Start(["apply", "--no-bundle", "-d", db.Url.ConnectionString], sandbox.Path);
        await UntilAsync(db,
            "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND query ~ 'pg_sleep' "
                + "AND pid <> pg_backend_pid() AND state = 'active'");

        var other = await RunAsync(db, sandbox, "apply", "--no-bundle", "--wait-for-lock", "0");

        other.ExitCode.ShouldBe(3, other.Error);
        other.Error.ShouldContain("error CG0501: ");
    }

    [Theory]
    [Trait("Needs", "Unix")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_signal_cancels_the_statement_on_the_server_and_exits_130(bool interrupt)
    {
        await using var db = await TestDatabase.CreateAsync();
        using var sandbox = new Sandbox();
        sandbox.Write("migrations/0001_slow.sql",
            "-- migrate:up\nCREATE TABLE one (i int);\nSELECT pg_sleep(600);\n-- migrate:down\nDROP TABLE one;\n");
        await using var slow = ToolProcess.Start(["apply", "--no-bundle", "-d", db.Url.ConnectionString], sandbox.Path);
        const string Sleeping =
            "FROM pg_stat_activity WHERE datname = current_database() AND query ~ 'pg_sleep' "
                + "AND pid <> pg_backend_pid() AND state = 'active'";
        await UntilAsync(db, $"SELECT count(*) = 1 {Sleeping}");

        if (interrupt)
        {
            slow.Interrupt();
        }
        else
        {
            slow.Terminate();
        }

        var result = await slow.ExitAsync();
        result.ExitCode.ShouldBe(130, result.Error);
        result.Error.ShouldContain("Cancelled");
        await UntilAsync(db, $"SELECT count(*) = 0 {Sleeping}");
        (await db.ScalarAsync<bool>("SELECT to_regclass('one') IS NULL")).ShouldBeTrue();
    }

    [Fact]
    public async Task Create_and_drop_can_be_said_twice()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var sandbox = new Sandbox();
        await RunAsync(db, sandbox, "drop", "--yes");

        (await RunAsync(db, sandbox, "drop", "--yes")).Output.ShouldEndWith(" was not there\n");
        (await RunAsync(db, sandbox, "create")).Output.ShouldStartWith("Created ");
        (await RunAsync(db, sandbox, "create")).Output.ShouldEndWith(" is there already\n");
    }

    [Fact]
    public async Task Redo_runs_the_edited_file()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var sandbox = new Sandbox();
        sandbox.Write("migrations/0001_one.sql", "-- migrate:up\nCREATE TABLE one (i int);\n-- migrate:down\nDROP TABLE one;\n");
        await RunAsync(db, sandbox, "apply", "--no-bundle");
        sandbox.Write("migrations/0001_one.sql", "-- migrate:up\nCREATE TABLE one (i int, j int);\n-- migrate:down\nDROP TABLE one;\n");

        var redo = await RunAsync(db, sandbox, "redo", "--no-bundle", "--yes");

        redo.ExitCode.ShouldBe(0, redo.Error);
        (await db.ScalarAsync<long>("SELECT count(*) FROM pg_attribute WHERE attrelid = 'one'::regclass AND attnum > 0")).ShouldBe(2);
    }

    [Theory]
    [InlineData("CG0406", "baseline", "--to", "900")]
    [InlineData("CG0411", "repair", "1", "--done")]
    public async Task What_cannot_be_done_is_told_before_anything_is_asked(string code, params string[] command)
    {
        await using var db = await TestDatabase.CreateAsync();
        using var sandbox = new Sandbox();
        sandbox.Write("migrations/0001_one.sql", "-- migrate:up\nCREATE TABLE one (i int);\n-- migrate:down\nDROP TABLE one;\n");

        var result = await RunAsync(db, sandbox, [.. command, "--no-bundle"]);

        result.ExitCode.ShouldBe(2);
        result.Error.ShouldContain($"error {code}: ");
        result.Error.ShouldNotContain("CG1008");
    }

    [Fact]
    public async Task Baseline_takes_over_and_only_the_rest_is_applied()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var sandbox = new Sandbox();
        sandbox.Write("migrations/0001_one.sql", "-- migrate:up\nCREATE TABLE one (i int);\n-- migrate:down\nDROP TABLE one;\n");
        sandbox.Write("migrations/0002_two.sql", "-- migrate:up\nCREATE TABLE two (i int);\n-- migrate:down\nDROP TABLE two;\n");

        await db.ExecuteAsync("CREATE TABLE one (i int)");

        var baseline = await RunAsync(db, sandbox, "baseline", "--no-bundle", "--to", "1", "--yes");
        var apply = await RunAsync(db, sandbox, "apply", "--no-bundle");

        baseline.Output.ShouldBe("1 migration marked as applied\n");
        apply.Output.ShouldStartWith("1 migration applied");
        (await db.ScalarAsync<bool>("SELECT to_regclass('two') IS NOT NULL")).ShouldBeTrue();
    }

    [Fact]
    public async Task In_a_protected_environment_apply_shows_its_plan_and_needs_a_yes()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var sandbox = new Sandbox();
        sandbox.Write("chatgenius-db.json",
            """{ "bundle": false, "environments": { "production": { "protected": true, "database_url_variable": "PROD_URL" } } }""");
        sandbox.Write("migrations/0001_one.sql", "-- migrate:up\nCREATE TABLE one (i int);\n-- migrate:down\nDROP TABLE one;\n");
        var environment = new Dictionary<string, string?> { ["PROD_URL"] = db.Url.ConnectionString };

        var refused = await TheTool.RunAsync(["apply", "--env", "production"], sandbox.Path, environment);
        var done = await TheTool.RunAsync(["apply", "--env", "production", "--yes"], sandbox.Path, environment);

        refused.ExitCode.ShouldBe(2);
        refused.Error.ShouldContain("CREATE TABLE one (i int);");
        refused.Error.ShouldContain("error CG1008: ");
        done.ExitCode.ShouldBe(0, done.Error);
    }

    [Fact]
    public async Task A_script_gives_psql_what_apply_would_have_done()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var sandbox = new Sandbox();

        var written = await TheTool.RunAsync(["script", "--offline", "-o", "release.sql"], sandbox.Path);
        written.ExitCode.ShouldBe(0, written.Error);
        var refused = await TheTool.RunAsync(["script", "--offline", "-o", "no/such/folder/release.sql"], sandbox.Path);
        await Psql.RunAsync(db, sandbox.Combine("release.sql"));
        var apply = await RunAsync(db, sandbox, "apply");
        var nothing = await RunAsync(db, sandbox, "script");

        refused.Error.ShouldContain("error CG1105: ");
        apply.Output.ShouldBe("Nothing to do: 5 migrations applied\n");
        nothing.Error.ShouldContain("Nothing to do");
        (await db.ScalarAsync<long>("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")).ShouldBe(11);
    }

    [Fact]
    public async Task Verify_tells_what_is_wrong_with_migrations_and_templates_together_and_without_a_database()
    {
        using var sandbox = new Sandbox();
        sandbox.Write("migrations/0006_one.sql", "-- migrate:up\nSELECT 'open;\n-- migrate:down\n");
        sandbox.Write("migrations/0008_two.sql", "-- migrate:up transction:false\nSELECT 1;\n-- migrate:down\nSELECT 1;\n");
        sandbox.Write("migrations/templates/table.sbn", "{{ if }}");

        var wrong = await TheTool.RunAsync(["verify"], sandbox.Path);
        File.Delete(sandbox.Combine("migrations/0006_one.sql"));
        Directory.Delete(sandbox.Combine("migrations/templates"), recursive: true);
        sandbox.Write("migrations/0008_two.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 1;\n");
        var right = await TheTool.RunAsync(["verify"], sandbox.Path);

        wrong.ExitCode.ShouldBe(2);
        wrong.Error.ShouldContain("--> migrations/0006_one.sql:2:8");
        wrong.Error.ShouldContain("--> migrations/0008_two.sql:1:15");
        wrong.Error.ShouldContain("--> migrations/templates/table.sbn:1:");
        (right.ExitCode, right.Output, right.Error).ShouldBe((0, "6 migrations verified\n", "note: the numbers go from 0005 to 0008\n"));
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_a_problem()
    {
        using var sandbox = new Sandbox();

        var status = await TheTool.RunAsync(["status", "--json", "-d", "postgres://nobody@127.0.0.1:1/nothing"], sandbox.Path);

        status.ExitCode.ShouldBe(2);
        status.Error.ShouldContain("error CG0610: ");
        JsonDocument.Parse(status.Output).RootElement.GetProperty("problems")[0].GetProperty("code").GetString().ShouldBe("CG0610");
    }

    private static Task<ToolResult> RunAsync(TestDatabase db, Sandbox sandbox, params string[] arguments) =>
        TheTool.RunAsync([.. arguments, "-d", db.Url.ConnectionString], sandbox.Path);

    private static async Task UntilAsync(TestDatabase db, string condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!await db.ScalarAsync<bool>(condition))
        {
            await Task.Delay(20, patience.Token);
        }
    }

    /// <summary>Each kind of statement that passes over what is there, in a batch of several and outside a transaction.</summary>
    [Theory]
    [InlineData("CREATE TABLE IF NOT EXISTS there (i int)", "")]
    [InlineData("CREATE INDEX IF NOT EXISTS there_i ON there (i)", "")]
    [InlineData("CREATE INDEX CONCURRENTLY IF NOT EXISTS there_i ON there (i)", " transaction:false")]
    [InlineData("ALTER TABLE there ADD COLUMN IF NOT EXISTS i int", "")]
    [InlineData("CREATE SEQUENCE IF NOT EXISTS there_seq", "")]
    [InlineData("CREATE SCHEMA IF NOT EXISTS there_schema", "")]
    [InlineData("CREATE EXTENSION IF NOT EXISTS plpgsql", " transaction:false")]
    [InlineData("CREATE MATERIALIZED VIEW IF NOT EXISTS there_view AS SELECT 1", "")]
    [InlineData("CREATE TABLE IF NOT EXISTS there AS SELECT 1 AS i", "")]
    public async Task What_is_passed_over_because_it_is_there_is_said_with_its_place(string statement, string options)
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync("CREATE TABLE there (i int); CREATE INDEX there_i ON there (i); CREATE SEQUENCE there_seq; "
            + "CREATE SCHEMA there_schema; CREATE MATERIALIZED VIEW there_view AS SELECT 1");
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = database.Url.Display } };
        tool.Write("migrations/0001_a.sql", "-- migrate:up\nCREATE TABLE IF NOT EXISTS a (i int);\n-- migrate:down\nDROP TABLE a;\n");
        tool.Write("migrations/0002_b.sql", $"-- migrate:up{options}\nSELECT 1;\n{statement};\n-- migrate:down\nSELECT 1;\n");
        tool.Write("migrations/0003_c.sql", "-- migrate:up\nDROP TABLE IF EXISTS nothing;\n-- migrate:down\nSELECT 1;\n");

        var run = await tool.RunAsync("apply", "--no-bundle", "--fresh");

        run.ExitCode.ShouldBe(ChatGenius.Tool.ExitCode.Done, run.Error);
        run.Error.Split('\n').Where(line => line.Contains("note:", StringComparison.Ordinal)).ShouldHaveSingleItem()
            .ShouldMatch("^  note: FOLDER/migrations/0002_b.sql:3:1: .* already exists, skipping$");
        (await tool.RunAsync("redo", "--yes", "--no-bundle")).Error.ShouldNotContain("note:");
    }
}
