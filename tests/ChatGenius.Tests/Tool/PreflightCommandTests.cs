using System.Text.Json;
using ChatGenius.Tool;

namespace ChatGenius.Tests.Tool;

public class PreflightCommandTests
{
    private const string Create = "CREATE TABLE item (id int PRIMARY KEY, name text NOT NULL, n int)";
    private const string Fill = "INSERT INTO item SELECT g, 'name ' || g, g % 7 FROM generate_series(1, 20000) g; ANALYZE item";

    [Fact]
    public async Task It_says_which_tables_are_touched_what_is_locked_and_what_it_will_cost()
    {
        await using var stage = await Stage.CreateAsync("CREATE INDEX item_name ON item (name)");

        var run = await stage.RunAsync("preflight", "--json");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        var document = JsonDocument.Parse(run.Out).RootElement;
        var table = document.GetProperty("tables")[0];
        (table.GetProperty("name").GetString(), table.GetProperty("rows").GetInt64(), table.GetProperty("lock").GetString())
            .ShouldBe(("item", 20000, "SHARE"));
        var forecast = document.GetProperty("migrations")[0];
        forecast.GetProperty("unknown").GetArrayLength().ShouldBe(0);
        forecast.GetProperty("time_ms").GetProperty("high").GetDouble().ShouldBeGreaterThan(1);
        // An index of 20,000 texts of about ten letters.
        var disk = forecast.GetProperty("disk_bytes");
        var made = await stage.ScalarAsync("CREATE INDEX probe ON item (name)", "SELECT pg_relation_size('probe')");
        made.ShouldBeInRange((long)disk.GetProperty("low").GetDouble(), (long)disk.GetProperty("high").GetDouble());
    }

    [Fact]
    public async Task A_condition_that_made_up_rows_do_not_meet_is_said_to_be_unknown_and_counts_against_a_limit()
    {
        await using var stage = await Stage.CreateAsync("UPDATE item SET n = 0 WHERE name = 'no row that was made up has this name'");

        var run = await stage.RunAsync("preflight");
        var limited = await stage.RunAsync("preflight", "--max-time", "1h");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        run.Out.ShouldContain("not known: What 0002_next costs is not known: ");
        run.Out.ShouldContain("0002_next.sql:2: how many rows its condition meets there is not known");
        run.Out.ShouldContain("not known");
        limited.ExitCode.ShouldBe(ExitCode.Error);
        limited.Error.ShouldContain("error CG1601: Whether the plan keeps to the limit of 60 min is not known");
    }

    [Fact]
    public async Task A_table_that_nobody_has_counted_is_said_to_be_unknown()
    {
        await using var stage = await Stage.CreateAsync(
            "CREATE INDEX item_name ON item (name)", "INSERT INTO item SELECT g, 'x' FROM generate_series(1, 5000) g");

        var run = await stage.RunAsync("preflight");

        run.Out.ShouldContain("how many rows item has is not known there: ANALYZE counts them");
    }

    [Fact]
    public async Task A_foreign_key_is_rehearsed_on_rows_that_keep_to_it()
    {
        await using var stage = await Stage.CreateAsync("ALTER TABLE item ADD FOREIGN KEY (n) REFERENCES item (id)");

        var run = await stage.RunAsync("preflight");

        run.Out.ShouldNotContain("fails in the rehearsal");
        run.Out.ShouldNotContain("not known");
    }

    [Fact]
    public async Task A_session_that_holds_a_lock_in_the_way_is_named()
    {
        await using var stage = await Stage.CreateAsync("ALTER TABLE item ADD COLUMN more int");
        stage.Tool.Environment["CHATGENIUS_LOCK_TIMEOUT"] = "1ms";
        await using var other = await stage.Database.ConnectAsync();
        await using var transaction = await other.BeginTransactionAsync();
        await using (var read = new NpgsqlCommand("SELECT count(*) FROM item", other, transaction))
        {
            await read.ExecuteScalarAsync();
        }

        var run = await stage.RunAsync("preflight");

        run.ExitCode.ShouldBe(ExitCode.Differs, run.Error);
        run.Out.ShouldContain($"warning: item is locked (ACCESS SHARE) for");
        run.Out.ShouldContain($"SELECT pg_terminate_backend({other.ProcessID})");
        run.Error.ShouldContain("1 warning");
    }

    [Fact]
    public async Task A_lock_that_does_not_conflict_is_no_warning()
    {
        await using var stage = await Stage.CreateAsync("CREATE INDEX item_name ON item (name)");
        stage.Tool.Environment["CHATGENIUS_LOCK_TIMEOUT"] = "1ms";
        await using var other = await stage.Database.ConnectAsync();
        await using var transaction = await other.BeginTransactionAsync();
        await using (var read = new NpgsqlCommand("SELECT count(*) FROM item", other, transaction))
        {
            await read.ExecuteScalarAsync();
        }

        (await stage.RunAsync("preflight")).ExitCode.ShouldBe(ExitCode.Done);
    }

    [Fact]
    public async Task An_old_transaction_is_refused_where_a_limit_says_so()
    {
        await using var stage = await Stage.CreateAsync("ALTER TABLE item ADD COLUMN more int");
        await using var other = await stage.Database.ConnectAsync();
        await using var transaction = await other.BeginTransactionAsync();
        await using (var read = new NpgsqlCommand("SELECT pg_sleep(0.05)", other, transaction))
        {
            await read.ExecuteScalarAsync();
        }

        var run = await stage.RunAsync("preflight", "--max-transaction-age", "10ms");

        run.ExitCode.ShouldBe(ExitCode.Error);
        run.Error.ShouldContain("error CG1601: A transaction is ");
        run.Error.ShouldContain("Nothing was run.");
    }

    [Fact]
    public async Task Apply_refuses_what_passes_a_limit_and_remembers_what_it_took_otherwise()
    {
        await using var stage = await Stage.CreateAsync(
            "ALTER TABLE item ALTER COLUMN n TYPE bigint USING n * length(md5(repeat(name, 20)))");

        var refused = await stage.RunAsync("apply", "--max-wal", "1kB");
        var left = await stage.ScalarAsync("", "SELECT count(*) FROM chatgenius_db.history");
        var done = await stage.RunAsync("apply", "--max-time", "1h", "--max-wal", "100GB");
        stage.Write("0003_again", "ALTER TABLE item ALTER COLUMN n TYPE numeric");
        var next = await stage.RunAsync("preflight");

        (refused.ExitCode, left).ShouldBe((ExitCode.Error, 1));
        refused.Error.ShouldContain("error CG1601: The plan is expected to write ");
        done.ExitCode.ShouldBe(ExitCode.Done, done.Error);
        done.Error.ShouldContain("Expected: ");
        const string Kept = "SELECT count(*) FROM chatgenius_db.log WHERE action = 'forecast' AND duration_ms > 0 AND version = 2";
        (await stage.ScalarAsync("", Kept)).ShouldBe(1);
        next.Out.ShouldContain("1 earlier run");
    }

    [Fact]
    public async Task A_protected_environment_is_looked_at_before_it_asks()
    {
        await using var stage = await Stage.CreateAsync("ALTER TABLE item ADD COLUMN more int");
        stage.Tool.Environment["CHATGENIUS_LOCK_TIMEOUT"] = "1ms";
        stage.Tool.Environment["CHATGENIUS_RETRIES"] = "0";
        await using var other = await stage.Database.ConnectAsync();
        await using var transaction = await other.BeginTransactionAsync();
        await using (var read = new NpgsqlCommand("SELECT count(*) FROM item", other, transaction))
        {
            await read.ExecuteScalarAsync();
        }

        stage.Tool.Write("chatgenius-db.json", """{ "bundle": false, "environments": { "production": { "protected": true } } }""");
        var run = await stage.RunAsync("apply", "--env", "production", "--yes");

        run.Error.ShouldContain("warning: item is locked (ACCESS SHARE) for");
        run.ExitCode.ShouldBe(ExitCode.Error);
        run.Error.ShouldContain("'chatgenius-db preflight");
    }

    [Theory]
    [InlineData("--max-wal", "5 apples")]
    [InlineData("--max-wal", "-1MB")]
    [InlineData("--max-time", "soon")]
    public async Task A_limit_that_is_none_is_refused(string option, string value)
    {
        using var tool = new InProcess();

        var run = await tool.RunAsync("preflight", option, value, "-d", "postgres://nobody@localhost:1/nothing");

        run.ExitCode.ShouldBe(ExitCode.Error);
        run.Error.ShouldStartWith($"error CG1006: {option} can't be \"{value}\"");
    }

    /// <summary>A database with one table of rows, and a migration for it.</summary>
    private sealed class Stage(TestDatabase database) : IAsyncDisposable
    {
        private string _shadow = "";

        public TestDatabase Database => database;

        public InProcess Tool { get; } = new() { Width = 200 };

        public static async Task<Stage> CreateAsync(string next, string fill = Fill)
        {
            var stage = new Stage(await TestDatabase.CreateAsync()) { _shadow = (await TestServer.UrlAsync()).Display };
            stage.Write("0001_item", Create);
            (await stage.RunAsync("apply")).ExitCode.ShouldBe(ExitCode.Done);
            await stage.Database.ExecuteAsync(fill);
            stage.Write("0002_next", next);
            return stage;
        }

        public void Write(string id, string up) =>
            Tool.Write($"migrations/{id}.sql", $"-- migrate:up\n{up};\n-- migrate:down irreversible:true\n");

        public Task<ToolRun> RunAsync(string command, params string[] options) => Tool.RunAsync(
        [
            command, .. options, "--no-bundle", "-d", database.Url.Display,
            .. command == "preflight" ? ["--shadow", _shadow] : Array.Empty<string>(),
        ]);

        public async Task<long> ScalarAsync(string before, string query)
        {
            await (before.Length == 0 ? Task.CompletedTask : database.ExecuteAsync(before));
            return await database.ScalarAsync<long>(query);
        }

        public async ValueTask DisposeAsync()
        {
            Tool.Dispose();
            await database.DisposeAsync();
        }
    }
}
