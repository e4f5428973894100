namespace ChatGenius.Tests.Replay;

/// <summary>Test databases, on the private server of a folder of the tests' own, as a user makes them.</summary>
[Trait("Needs", "Unix")]
public class TestDatabasesTests(ReplayServer server) : IClassFixture<ReplayServer>
{
    private const string Migration = "-- migrate:up\nCREATE TABLE a (id serial PRIMARY KEY);\nINSERT INTO a VALUES (DEFAULT);\n"
        + "-- migrate:down\nDROP TABLE a;\n";

    private readonly Dictionary<string, string?> _environment = new()
    {
        ["CHATGENIUS_DATA_DIR"] = server.DataFolder, ["CHATGENIUS_BUNDLE"] = "false",
    };

    [Fact]
    public async Task It_has_the_migrations_their_history_and_the_seeds()
    {
        using var sandbox = Project();
        sandbox.Write("migrations/seed/2_b.sql", "INSERT INTO a VALUES (11);");
        sandbox.Write("migrations/seed/1_a.sql", "INSERT INTO a VALUES (10);");
        sandbox.Write("migrations/seed/development/1_c.sql", "INSERT INTO a VALUES (12);");
        sandbox.Write("chatgenius-db.json", """{ "environments": { "development": {} } }""");

        var plain = (await MakeAsync(sandbox)).ShouldHaveSingleItem();
        var ofEnvironment = (await MakeAsync(sandbox, "--env", "development")).ShouldHaveSingleItem();

        (await ScalarAsync(plain, "SELECT string_agg(id::text, ' ' ORDER BY id) FROM a")).ShouldBe("1 10 11");
        (await ScalarAsync(ofEnvironment, "SELECT string_agg(id::text, ' ' ORDER BY id) FROM a")).ShouldBe("1 10 11 12");
        var applied = await RunAsync(sandbox, "apply", "--no-bundle", "-d", plain);
        applied.Output.ShouldStartWith("Nothing to do");
        (await RunAsync(sandbox, "rollback", "--no-bundle", "--yes", "-d", plain)).ExitCode.ShouldBe(0);
    }

    [Fact]
    public async Task A_changed_seed_makes_another_database()
    {
        using var sandbox = Project();
        sandbox.Write("migrations/seed/1.sql", "INSERT INTO a VALUES (10);");
        await MakeAsync(sandbox);
        sandbox.Write("migrations/seed/1.sql", "INSERT INTO a VALUES (20);");

        var url = (await MakeAsync(sandbox)).ShouldHaveSingleItem();

        (await ScalarAsync(url, "SELECT string_agg(id::text, ' ' ORDER BY id) FROM a")).ShouldBe("1 20");
    }

    [Fact]
    public async Task Empty_tables_have_no_rows_and_the_history_has()
    {
        using var sandbox = Project();
        sandbox.Write("migrations/0002_b.sql",
            """
            -- migrate:up
            CREATE MATERIALIZED VIEW m AS SELECT * FROM a;
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'never'; END $$;
            CREATE TRIGGER t BEFORE TRUNCATE ON a FOR EACH STATEMENT EXECUTE FUNCTION refuse();
            -- migrate:down irreversible:true

            """);
        sandbox.Write("migrations/seed/1.sql", "INSERT INTO a VALUES (10);");

        var url = (await MakeAsync(sandbox, "--empty-tables")).ShouldHaveSingleItem();

        (await ScalarAsync(url, "SELECT (SELECT count(*) FROM a) || ' ' || (SELECT count(*) FROM m) || ' ' || nextval('a_id_seq')"))
            .ShouldBe("0 0 1");
        (await ScalarAsync(url, "SELECT count(*)::text FROM chatgenius_db.history")).ShouldBe("2");
    }

    [Fact]
    public async Task It_ends_with_the_migration_that_is_named()
    {
        using var sandbox = Project();
        sandbox.Write("migrations/0002_b.sql", "-- migrate:up\nCREATE TABLE b ();\n-- migrate:down\nDROP TABLE b;\n");
        sandbox.Write("migrations/seed/1.sql", "INSERT INTO b DEFAULT VALUES;");

        var url = (await MakeAsync(sandbox, "--to", "1")).ShouldHaveSingleItem();

        (await ScalarAsync(url, "SELECT coalesce(to_regclass('a')::text, '') || coalesce(to_regclass('b')::text, '')")).ShouldBe("a");
    }

    [Fact]
    public async Task A_name_is_used_again_but_neither_while_somebody_uses_it_nor_where_it_is_another_database()
    {
        using var sandbox = Project();
        var name = $"named_{Guid.NewGuid():N}";
        var first = (await MakeAsync(sandbox, "--name", name)).ShouldHaveSingleItem();
        await ScalarAsync(first, "CREATE TABLE mine AS SELECT 1; SELECT 'x'");
        var second = (await MakeAsync(sandbox, "--name", name)).ShouldHaveSingleItem();

        first.ShouldBe(second);
        (await ScalarAsync(second, "SELECT coalesce(to_regclass('mine')::text, '')")).ShouldBe("");
        await using (await new Database(DatabaseUrl.Parse(second)).ConnectAsync())
        {
            (await RunAsync(sandbox, "test-database", "--name", name)).Error.ShouldContain("error CG1401: ");
        }

        (await RunAsync(sandbox, "test-database", "--name", "postgres")).Error.ShouldContain("error CG1401: ");
        (await RunAsync(sandbox, "test-database", "--name", new string('x', 62), "--count", "2")).Error.ShouldContain("error CG1402: ");
        (await MakeAsync(sandbox, "--name", name, "--count", "2")).Select(url => DatabaseUrl.Parse(url).DatabaseName)
            .ShouldBe([$"{name}_1", $"{name}_2"]);
    }

    [Fact]
    public async Task What_is_a_day_old_and_not_in_use_goes_with_the_next_call()
    {
        using var sandbox = Project();
        await MakeAsync(sandbox);
        var (old, used, young, named) = (
            TestName(TimeSpan.FromHours(25)), TestName(TimeSpan.FromHours(26)), TestName(TimeSpan.FromHours(23)), $"n_{Guid.NewGuid():N}");
        foreach (var name in (string[])[old, used, young, named])
        {
            await ExecuteAsync($"CREATE DATABASE {name}");
        }

        var dayBefore = DateTimeOffset.UtcNow.AddHours(-25).ToUnixTimeSeconds();
        await ExecuteAsync($"COMMENT ON DATABASE {named} IS 'Test database of chatgenius-db, made at {dayBefore}'");
        await using (await new Database((await MaintenanceAsync()).Url.WithDatabase(used)).ConnectAsync())
        {
            await MakeAsync(sandbox);
        }

        var left = await NamesAsync();
        left.ShouldNotContain(old);
        left.ShouldNotContain(named);
        left.ShouldContain(used);
        left.ShouldContain(young);
    }

    [Fact]
    public async Task It_is_listed_and_dropped_and_what_is_no_test_database_is_not()
    {
        using var sandbox = Project();
        var url = (await MakeAsync(sandbox)).ShouldHaveSingleItem();
        var other = (await MaintenanceAsync()).Url.Display;

        (await RunAsync(sandbox, "test-database", "list")).Output.ShouldContain(url);
        using var list = JsonDocument.Parse((await RunAsync(sandbox, "test-database", "list", "--json")).Output);
        list.RootElement.GetProperty("databases").EnumerateArray()
            .ShouldContain(one => one.GetProperty("url").GetString() == url && !one.GetProperty("in_use").GetBoolean());
        (await RunAsync(sandbox, "test-database", "drop", url)).Output.ShouldStartWith("Dropped 1");
        (await RunAsync(sandbox, "test-database", "drop", url)).Output.ShouldStartWith("There was nothing");
        (await RunAsync(sandbox, "test-database", "drop", other)).Error.ShouldContain("error CG1401: ");
    }

    [Fact]
    public async Task Many_at_once_from_several_processes_all_succeed()
    {
        using var sandbox = Project();

        var runs = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => ToolProcess.RunAsync(
            ["test-database", "--no-bundle", "-q", "--count", "4"], sandbox.Path, _environment)));

        runs.ShouldAllBe(run => run.ExitCode == 0, string.Join('\n', runs.Select(run => run.Error)));
        var urls = runs.SelectMany(run => run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)).ToList();
        urls.Distinct().Count().ShouldBe(24);
        foreach (var url in urls)
        {
            (await ScalarAsync(url, "SELECT count(*)::text FROM a")).ShouldBe("1");
            await RunAsync(sandbox, "test-database", "drop", url);
        }
    }

    [Fact]
    public async Task A_killed_call_leaves_only_what_a_later_one_knows()
    {
        using var sandbox = Project();
        await MakeAsync(sandbox);
        await using (var tool = ToolProcess.Start(["test-database", "--no-bundle", "--count", "200"], sandbox.Path, _environment))
        {
            for (var before = (await NamesAsync()).Count; (await NamesAsync()).Count < before + 3 && !tool.HasExited;)
            {
                await Task.Delay(20);
            }

            tool.Kill();
            await tool.ExitAsync();
        }

        (await RunAsync(sandbox, "test-database", "drop", "--all")).ExitCode.ShouldBe(0);
        (await NamesAsync()).Where(name => name is not ("postgres" or "template0" or "template1")
            && !name.StartsWith("chatgenius_replay_", StringComparison.Ordinal)
            && !name.StartsWith("chatgenius_spare_", StringComparison.Ordinal)
            && !name.StartsWith("chatgenius_copy_", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_command_gets_a_database_of_its_own_and_its_exit_code_is_passed_on()
    {
        using var sandbox = Project();
        var environment = new Dictionary<string, string?>(_environment)
        {
            ["PGHOST"] = "elsewhere", ["PGSERVICE"] = "none", ["CHATGENIUS_ENV"] = "production", ["DATABASE_URL"] = "postgres://there/x",
        };
        sandbox.Write("chatgenius-db.json", """{ "environments": { "production": { "database_url_variable": "THERE" } } }""");

        var run = await ToolProcess.RunAsync(
            ["with-database", "--no-bundle", "--", "sh", "-c",
                "echo \"$DATABASE_URL $CHATGENIUS_DATABASE_URL ${PGHOST-} ${PGSERVICE-} ${CHATGENIUS_ENV-}\"; exit 7"],
            sandbox.Path, environment);

        run.ExitCode.ShouldBe(7, run.Error);
        var words = run.Output.Trim().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        words.Length.ShouldBe(2);
        words[1].ShouldBe(words[0]);
        (await NamesAsync()).ShouldNotContain(DatabaseUrl.Parse(words[0]).DatabaseName);
        (await RunAsync(sandbox, "with-database", "--", "not-to-be-had")).Error.ShouldContain("error CG1012: ");
        (await RunAsync(sandbox, "with-database")).Error.ShouldContain("error CG1010: ");
    }

    [Fact]
    public async Task A_command_is_told_of_the_end_and_its_database_goes_even_where_all_was_killed()
    {
        using var sandbox = Project();
        string[] call = ["with-database", "--no-bundle", "--", "sh", "-c", "trap 'echo told; exit 9' TERM; echo \"$DATABASE_URL\"; "
            + "while :; do sleep 0.1; done"];
        await using (var told = ToolProcess.Start(call, sandbox.Path, _environment))
        {
            await told.WaitForOutputAsync("postgres://");
            told.Terminate();
            var result = await told.ExitAsync();
            result.ExitCode.ShouldBe(9, result.Error);
            result.Output.ShouldContain("told");
        }

        string name;
        await using (var killed = ToolProcess.Start(call, sandbox.Path, _environment))
        {
            await killed.WaitForOutputAsync("postgres://");
            name = DatabaseUrl.Parse(killed.Output.Trim()).DatabaseName;
        }

        (await NamesAsync()).ShouldContain(name);
        await MakeAsync(sandbox);
        (await NamesAsync()).ShouldNotContain(name);
    }

    private const string OthersMayConnect = "SELECT has_database_privilege('pg_monitor', current_database(), 'CONNECT')::text";

    [Fact]
    public async Task On_a_server_of_ones_own_it_is_the_same_and_nothing_else_stays()
    {
        using var sandbox = Project();
        sandbox.Write("migrations/seed/1.sql", "INSERT INTO a VALUES (10);");
        await using var there = await Support.TestDatabase.CreateAsync();

        var urls = await MakeAsync(sandbox, "--server", there.Url.Display, "--count", "2");
        var run = await RunAsync(sandbox, "with-database", "--no-bundle", "--server", there.Url.Display, "--", "sh", "-c",
            $"echo \"$DATABASE_URL\" > url; psql -At \"$DATABASE_URL\" -c \"{OthersMayConnect}\" > open");

        urls.Count.ShouldBe(2);
        foreach (var url in urls)
        {
            (await ScalarAsync(url, "SELECT string_agg(id::text, ' ' ORDER BY id) FROM a")).ShouldBe("1 10");
            (await ScalarAsync(url, OthersMayConnect)).ShouldBe("true");
            (await RunAsync(sandbox, "test-database", "drop", url)).ExitCode.ShouldBe(0);
        }

        run.ExitCode.ShouldBe(0, run.Error);
        sandbox.Read("open").Trim().ShouldBe("true");
        var name = DatabaseUrl.Parse(sandbox.Read("url").Trim()).DatabaseName;
        (await there.ScalarAsync<long>($"SELECT count(*) FROM pg_database WHERE datname = '{name}'")).ShouldBe(0);
    }

    [Theory]
    [InlineData("INSERT INTO nothing VALUES (1);", "CG1404")]
    [InlineData("BEGIN; INSERT INTO a VALUES (2); COMMIT;", "CG1403")]
    [InlineData("INSERT INTO a VALUES ('", "CG0201")]
    public async Task A_seed_that_fails_is_named_and_leaves_nothing(string sql, string code)
    {
        using var sandbox = Project();
        sandbox.Write("migrations/seed/1.sql", sql);

        var run = await RunAsync(sandbox, "test-database", "--no-bundle");

        run.ExitCode.ShouldBe(2);
        run.Error.ShouldContain($"error {code}: ");
        run.Error.ShouldContain("seed/1.sql");
    }

    private static Sandbox Project()
    {
        var sandbox = new Sandbox();
        sandbox.Write("migrations/0001_a.sql", Migration);
        return sandbox;
    }

    private static string TestName(TimeSpan age) => string.Create(
        CultureInfo.InvariantCulture, $"chatgenius_test_{(DateTimeOffset.UtcNow - age).ToUnixTimeSeconds()}_{Guid.NewGuid():N}");

    private Task<ToolResult> RunAsync(Sandbox sandbox, params string[] arguments) =>
        TheTool.RunAsync(arguments, sandbox.Path, _environment);

    private async Task<List<string>> MakeAsync(Sandbox sandbox, params string[] arguments)
    {
        var run = await RunAsync(sandbox, ["test-database", "--no-bundle", .. arguments]);
        run.ExitCode.ShouldBe(0, run.Error);
        return [.. run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }

    private async Task<List<string>> NamesAsync() =>
        [.. (await ScalarAsync((await MaintenanceAsync()).Url.Display, "SELECT string_agg(datname, ' ') FROM pg_database")).Split(' ')];

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = await (await MaintenanceAsync()).ConnectAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<Database> MaintenanceAsync() => new(await server.Server.StartAsync());

    private static async Task<string> ScalarAsync(string url, string sql)
    {
        await using var connection = await new Database(DatabaseUrl.Parse(url)).ConnectAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (string)(await command.ExecuteScalarAsync())!;
    }
}
