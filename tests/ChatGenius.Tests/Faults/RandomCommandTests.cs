using System.Text.RegularExpressions;
using ChatGenius.Tests.Files;
using ChatGenius.Tool;
using ChatGenius.Tool.Commands;

namespace ChatGenius.Tests.Faults;

/// <summary>
/// Commands of every kind, one or two at the same time, killed, signalled, with their sessions ended, or left alone, at random moments.
/// <c>CHATGENIUS_TEST_COMMAND_FAULTS</c> says how many.
/// </summary>
[Collection("Faults")]
[Trait("Needs", "Unix")]
public sealed partial class RandomCommandTests(FaultServer server, ITestOutputHelper output) : IDisposable
{
    private const int Tables = 3;

    /// <summary>Every command, a test says so; OUT is a new folder beside the migrations.</summary>
    private static readonly string[] Calls =
    [
        "apply", "apply --to 3", "apply --single-transaction --to 1", "apply --only-batches", "apply --certified", "apply --backup OUT",
        "rollback --yes", "rollback --yes --steps 4", "rollback --yes --all", "rollback --dry-run --all",
        "redo --yes", "redo --yes --steps 3", "redo --yes --separately", "status", "plan", "log", "script", "script --rollback", "verify",
        "wait", "config", "preflight --shadow SHADOW", "kept list", "kept prune --all --yes", "unused list", "unused watch t1",
        "batch status", "batch pause", "batch resume", "batch limit --load 50", "schema dump",
        "schema dump --format sql", "schema docs", "schema diff migrations --shadow SHADOW",
        "schema diff git:HEAD --sql --shadow SHADOW", "drift --shadow SHADOW", "drift --sql --shadow SHADOW", "check --shadow SHADOW",
        "check --all --shadow SHADOW", "check --shadow SHADOW --data --target URL", "check --shadow SHADOW --made-up",
        "check --certify --shadow SHADOW", "check --with HEAD --shadow SHADOW", "check --since HEAD --shadow SHADOW",
        "baseline --detect --yes --shadow SHADOW", "baseline --to 4 --yes", "repair", "repair 2 --again --yes", "repair 4 --accept --yes",
        "checkpoint save one --yes", "checkpoint list", "checkpoint restore one --yes", "checkpoint drop one --yes",
        "create", "drop --yes", "reset --yes", "seed", "test-database --server SHADOW", "test-database list --server SHADOW",
        "test-database drop --all --server SHADOW", "with-database --server SHADOW -- true", "renumber --dry-run --since HEAD",
        "new thing -m OUT", "new thing --from-diff --stdout --shadow SHADOW", "import goose others -m OUT",
        "import goose others -m OUT --write-downs --shadow SHADOW", "import typescript others --drafts -m OUT", "server status",
        "completion bash", "man",
    ];

    private readonly Folder _folder = Migrations();
    private int _outs;

    [Fact]
    public void No_command_is_forgotten() => CommandList.All().SelectMany(group => group.Commands).Select(command => command.Name)
        .Except(Calls.Select(call => call.Split(' ')[0])).ShouldBeEmpty();

    [Fact]
    public async Task What_is_killed_ended_or_run_in_pairs_heals_with_apply_or_with_the_commands_that_are_named()
    {
        var trials = Chance.Number("CHATGENIUS_TEST_COMMAND_FAULTS") ?? 3;
        output.WriteLine($"CHATGENIUS_TEST_SEED={Chance.Seed}, {trials} trials");
        var random = new Random(Chance.Seed);
        var database = await server.Cluster.CreateDatabaseAsync();
        await GitAsync("init", "--quiet");
        await GitAsync("add", ".");
        await GitAsync("-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", "all");
        var met = 0;
        for (var trial = 0; trial < trials; trial++)
        {
            var calls = Enumerable.Range(0, random.Next(1, 3)).Select(_ => Calls[random.Next(Calls.Length)]).ToList();
            var fault = random.Next(5);
            var tools = calls.Select(call => Start(call, database)).ToList();
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(random.Next(2) == 0 ? 300 : 2000)));
            met += tools[0].HasExited ? 0 : 1;
            await DisturbAsync(tools[0], fault);
            var ends = await Task.WhenAll(tools.Select(tool => tool.ExitAsync()));
            var said = string.Join('\n', calls.Zip(ends, (call, end) => $"{call}: {end.ExitCode} {end.Error}"));
            output.WriteLine($"{trial}: fault {fault}: {said}");
            ends.Skip(fault == 0 ? 1 : 0).ShouldAllBe(end => end.ExitCode <= (int)ExitCode.Locked
                || end.ExitCode == (int)ExitCode.Cancelled || (fault > 2 && end.ExitCode > 128), said);
            tools.ForEach(tool => tool.DisposeAsync().AsTask().GetAwaiter().GetResult());
            await HealAsync(database, said);
            if (calls.Exists(call => call.StartsWith("baseline", StringComparison.Ordinal)))
            {
                // It may have marked what only changes rows.
                (await RunAsync("reset --yes --force", database)).ExitCode.ShouldBe(0, said);
            }
        }

        output.WriteLine($"{met} of {trials} met a command at work");
    }

    public void Dispose() => _folder.Dispose();

    private async Task GitAsync(params string[] arguments)
    {
        await using var git = ToolProcess.StartProcess("git", arguments, _folder.Path, null, null);
        (await git.ExitAsync()).ExitCode.ShouldBe(0);
    }

    /// <summary>Each of them takes back all that it has done.</summary>
    private static Folder Migrations()
    {
        const string Alone = " transaction:false";
        var folder = new Folder();
        for (var i = 1; i <= Tables; i++)
        {
            folder.Write((2 * i) - 1, $"table_{i}", $"CREATE TABLE t{i} (id int PRIMARY KEY); SELECT pg_sleep(0.05);", $"DROP TABLE t{i};");
            folder.Write(
                2 * i, $"index_{i}", $"CREATE INDEX CONCURRENTLY i{i} ON t{i} (id);", $"DROP INDEX CONCURRENTLY i{i};", Alone, Alone);
        }

        folder.Write(7, "rows", "INSERT INTO t1 SELECT i FROM generate_series(1, 5000) i;", "DELETE FROM t1;")
            .Write(8, "keep", "DELETE FROM t1 WHERE id % 5 = 0;", "-- the rows come back\nSELECT 1;", " keep:true")
            .Write(9, "batch", "ALTER TABLE t1 ADD COLUMN m int;\nUPDATE t1 SET m = 1 WHERE id BETWEEN :batch_first AND :batch_last;",
                "ALTER TABLE t1 DROP COLUMN m;", " batch:t1")
            .Repeat("v", "CREATE OR REPLACE VIEW v AS SELECT 1 AS one;\n");
        var others = Directory.CreateDirectory($"{folder.Path}/others").FullName;
        File.WriteAllText($"{others}/00001_one.sql", "-- +goose Up\nCREATE TABLE one (id int);\n");
        File.WriteAllText($"{others}/20240101000000-two.ts",
            "export async function up(q) {\n  await q.query(`CREATE TABLE two (id int)`);\n}\n");
        return folder;
    }

    private async Task DisturbAsync(ToolProcess tool, int fault)
    {
        switch (fault)
        {
            case 0:
                tool.Kill();
                break;
            case 1:
                await server.Cluster.ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    + "WHERE application_name LIKE 'chatgenius-db%' AND pid <> pg_backend_pid()");
                break;
            case 2:
                break;
            case 3 when !tool.HasExited:
                tool.Terminate();
                break;
            case 4 when !tool.HasExited:
                tool.Interrupt();
                break;
        }
    }

    private async Task HealAsync(string database, string said)
    {
        var healed = await RunAsync("apply", database);
        for (var i = 0; i < 4 && healed.ExitCode != 0 && Advised().Match(healed.Error) is { Success: true } advised; i++)
        {
            await RunAsync(advised.Groups[1].Value + (advised.Groups[1].Value is "reset" or "rollback" ? " --yes" : ""), database);
            healed = await RunAsync("apply", database);
        }

        healed.ExitCode.ShouldBe(0, $"{said}\n{healed.Error}");
        var status = await RunAsync("status --exit-code", database);
        status.ExitCode.ShouldBe(0, $"{said}\n{status.Output}{status.Error}");
        (await server.Cluster.ScalarAsync<string>("SELECT concat(count(*), ' ', count(m), ' ', (SELECT one FROM v)) FROM t1", database))
            .ShouldBe("4000 4000 1", said);
    }

    private async Task<ToolResult> RunAsync(string call, string database)
    {
        await using var tool = Start(call, database);
        return await tool.ExitAsync();
    }

    private ToolProcess Start(string call, string database)
    {
        var words = call.Split(' ').Select(word => word switch
        {
            "SHADOW" => server.Cluster.Url("postgres").Display,
            "URL" => server.Cluster.Url(database).Display,
            "OUT" => $"{_folder.Path}.out/{++_outs}",
            _ => word,
        }).ToList();
        var own = words.IndexOf("--") is >= 0 and var at ? at : words.Count;
        words.InsertRange(own, ["--no-bundle", .. words.Contains("-m") ? (string[])[] : ["--migrations", _folder.Path]]);
        words.InsertRange(own, words.Contains("--server") ? [] : ["--database", server.Cluster.Url(database).Display]);

        // Nothing here uses the server of the user who runs the tests.
        var environment = new Dictionary<string, string?> { ["CHATGENIUS_DATA_DIR"] = $"{_folder.Path}.data" };
        return ToolProcess.Start([.. words], _folder.Path, environment);
    }

    [GeneratedRegex("'chatgenius-db (reset|create|rollback|repair [0-9]+ --[a-z]+|drop)")]
    private static partial Regex Advised();
}
