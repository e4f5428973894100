using ChatGenius.Tool;

namespace ChatGenius.Tests.Tool;

/// <summary>Which migrations a command takes: by options, and by settings of an environment.</summary>
public sealed class PlanChoiceTests : IDisposable
{
    private readonly InProcess _tool = new();

    public PlanChoiceTests()
    {
        foreach (var (number, name) in new[] { (1, "a"), (2, "b"), (3, "c") })
        {
            _tool.Write($"migrations/000{number}_{name}.sql",
                $"-- migrate:up\nCREATE TABLE {name} (id int);\n-- migrate:down\nDROP TABLE {name};\n");
        }

        _tool.Write("chatgenius-db.json",
            """
            { "bundle": false, "environments": {
                "loose": { "out_of_order": true, "allow_missing": true },
                "together": { "single_transaction": true },
                "making": { "create": true } } }
            """);
    }

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task Steps_are_applied_oldest_first()
    {
        await using var db = await TestDatabase.CreateAsync();

        await DoneAsync("apply", "--steps", "2", "-d", db.Url.Display);
        (await TablesAsync(db)).ShouldBe("a b");
        await DoneAsync("apply", "--steps", "2", "-d", db.Url.Display);

        (await TablesAsync(db)).ShouldBe("a b c");
        (await _tool.RunAsync("apply", "--steps", "1", "--to", "3", "-d", db.Url.Display)).Error.ShouldStartWith("error CG1007: ");
    }

    [Fact]
    public async Task The_database_is_created_where_it_is_not_there()
    {
        await using var db = await TestDatabase.CreateAsync();
        foreach (var (name, arguments) in new[] { ("one", new[] { "--create" }), ("two", ["--env", "making"]) })
        {
            var url = db.Url.WithDatabase($"{db.Url.DatabaseName}_{name}");
            (await _tool.RunAsync("apply", "-d", url.Display)).ExitCode.ShouldBe(ExitCode.Error);

            await DoneAsync(["apply", "-d", url.Display, .. arguments]);
            await DoneAsync(["apply", "-d", url.Display, .. arguments]);

            await new Database(url).DropAsync();
        }
    }

    [Fact]
    public async Task Flags_can_be_settings_of_an_environment()
    {
        await using var db = await TestDatabase.CreateAsync();
        var (first, aside) = (Path.Combine(_tool.Folder, "migrations/0001_a.sql"), Path.Combine(_tool.Folder, "a"));
        File.Move(first, aside);
        await DoneAsync("apply", "-d", db.Url.Display);
        File.Move(aside, first);
        (await _tool.RunAsync("apply", "-d", db.Url.Display)).Error.ShouldStartWith("error CG0403: ");
        await DoneAsync("apply", "--env", "loose", "-d", db.Url.Display);
        (await TablesAsync(db)).ShouldBe("a b c");

        File.Delete(first);
        _tool.Write("migrations/0004_d.sql", "-- migrate:up\nCREATE TABLE d (id int);\n-- migrate:down\nDROP TABLE d;\n");
        (await _tool.RunAsync("apply", "-d", db.Url.Display)).Error.ShouldStartWith("error CG0402: ");
        _tool.Write("migrations/0005_e.sql", "-- migrate:up\nSELECT 1/0;\n-- migrate:down\nSELECT 1;\n");
        (await _tool.RunAsync("apply", "--env", "together", "--allow-missing", "-d", db.Url.Display)).Error
            .ShouldStartWith("error CG0502: ");
        (await TablesAsync(db)).ShouldBe("a b c");
        (await _tool.RunAsync("apply", "--env", "loose", "-d", db.Url.Display)).Error.ShouldContain("error CG0502: ");
        (await TablesAsync(db)).ShouldBe("a b c d");
    }

    [Fact]
    public async Task A_script_undoes_what_rollback_would_and_runs_again()
    {
        await using var db = await TestDatabase.CreateAsync();
        await DoneAsync("apply", "-d", db.Url.Display);

        await DoneAsync("script", "--rollback", "--to", "1", "-d", db.Url.Display, "-o", Path.Combine(_tool.Folder, "down.sql"));
        await RunAsync(db, "down.sql");
        await RunAsync(db, "down.sql");

        (await TablesAsync(db)).ShouldBe("a");
        (await db.ScalarAsync<long>("SELECT max(version) FROM chatgenius_db.history")).ShouldBe(1);
        (await _tool.RunAsync("script", "--rollback", "-d", db.Url.Display)).Error.ShouldStartWith("error CG1010: ");
        (await _tool.RunAsync("script", "--rollback", "--to", "0", "--steps", "1", "-d", db.Url.Display)).Error
            .ShouldStartWith("error CG1010: ");
    }

    [Fact]
    public async Task A_script_has_a_range_without_a_database()
    {
        await using var db = await TestDatabase.CreateAsync();
        await DoneAsync("apply", "--to", "1", "-d", db.Url.Display);

        await DoneAsync("script", "--offline", "--from", "2", "--to", "2", "-o", Path.Combine(_tool.Folder, "up.sql"));
        await RunAsync(db, "up.sql");
        var after = await TablesAsync(db);
        await DoneAsync("script", "--offline", "--rollback", "--from", "2", "--to", "0", "-o", Path.Combine(_tool.Folder, "down.sql"));
        await RunAsync(db, "down.sql");

        after.ShouldBe("a b");
        (await TablesAsync(db)).ShouldBe("");
        (await _tool.RunAsync("script", "--offline", "--from", "9")).Error.ShouldStartWith("error CG0406: ");
        (await _tool.RunAsync("script", "--from", "2", "-d", db.Url.Display)).Error.ShouldStartWith("error CG1010: ");
    }

    private async Task DoneAsync(params string[] arguments)
    {
        var run = await _tool.RunAsync(arguments);
        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
    }

    private async Task RunAsync(TestDatabase db, string file)
    {
        var result = await Support.Psql.RunAsync(db, Path.Combine(_tool.Folder, file));
        result.ExitCode.ShouldBe(0, result.Error);
    }

    private static Task<string> TablesAsync(TestDatabase db) => db.ScalarAsync<string>(
        "SELECT coalesce(string_agg(tablename, ' ' ORDER BY tablename), '') FROM pg_tables WHERE schemaname = 'public'")!;
}
