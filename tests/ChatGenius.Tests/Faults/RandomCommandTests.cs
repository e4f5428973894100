using System.Text.RegularExpressions;
using ChatGenius.Tests.Files;
using ChatGenius.Tool;

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

    private static readonly string[] Calls =
    [
        "apply", "apply --to 3", "apply --single-transaction --to 1", "rollback --yes", "rollback --yes --steps 4", "rollback --yes --all",
        "redo --yes", "status", "plan", "log", "script", "verify", "wait", "config", "schema dump", "schema docs",
        "schema diff migrations --shadow SHADOW", "drift --shadow SHADOW", "check --shadow SHADOW", "check --all --shadow SHADOW",
        "check --shadow SHADOW --data --target URL", "baseline --detect --yes --shadow SHADOW", "repair 2 --again --yes",
        "checkpoint save one --yes", "checkpoint restore one --yes", "checkpoint drop one --yes", "create", "drop --yes", "reset --yes",
        "seed", "test-database --server SHADOW", "with-database --server SHADOW -- true",
    ];

    private readonly Folder _folder = Migrations();

    [Fact]
    public async Task What_is_killed_ended_or_run_in_pairs_heals_with_apply_or_with_the_commands_that_are_named()
    {
        var trials = Chance.Number("CHATGENIUS_TEST_COMMAND_FAULTS") ?? 3;
        output.WriteLine($"CHATGENIUS_TEST_SEED={Chance.Seed}, {trials} trials");
        var random = new Random(Chance.Seed);
        var database = await server.Cluster.CreateDatabaseAsync();
        for (var trial = 0; trial < trials; trial++)
        {
            var calls = Enumerable.Range(0, random.Next(1, 3)).Select(_ => Calls[random.Next(Calls.Length)]).ToList();
            var fault = random.Next(5);
            var tools = calls.Select(call => Start(call, database)).ToList();
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(100, 2000)));
            await DisturbAsync(tools[0], fault);
            var ends = await Task.WhenAll(tools.Select(tool => tool.ExitAsync()));
            var said = string.Join('\n', calls.Zip(ends, (call, end) => $"{call}: {end.ExitCode} {end.Error}"));
            output.WriteLine($"{trial}: fault {fault}: {said}");
            ends.Skip(fault == 0 ? 1 : 0).ShouldAllBe(end => end.ExitCode <= (int)ExitCode.Locked
                || end.ExitCode == (int)ExitCode.Cancelled || (fault > 2 && end.ExitCode > 128), said);
            tools.ForEach(tool => tool.DisposeAsync().AsTask().GetAwaiter().GetResult());
            await HealAsync(database, said);
        }
    }

    public void Dispose() => _folder.Dispose();

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
            _ => word,
        }).ToList();
        var own = words.IndexOf("--") is >= 0 and var at ? at : words.Count;
        words.InsertRange(own, ["--no-bundle", "--migrations", _folder.Path]);
        words.InsertRange(own, words.Contains("--server") ? [] : ["--database", server.Cluster.Url(database).Display]);

        // Nothing here uses the server of the user who runs the tests.
        var environment = new Dictionary<string, string?> { ["CHATGENIUS_DATA_DIR"] = $"{_folder.Path}.data" };
        return ToolProcess.Start([.. words], _folder.Path, environment);
    }

    [GeneratedRegex("'chatgenius-db (reset|create|rollback|repair [0-9]+ --[a-z]+|drop)")]
    private static partial Regex Advised();
}
