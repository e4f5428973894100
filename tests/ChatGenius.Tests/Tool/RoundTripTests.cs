using ChatGenius.Tool;

namespace ChatGenius.Tests.Tool;

/// <summary>How often each command waits for the server. Between two regions, each time costs a tenth of a second.</summary>
public class RoundTripTests
{
    [Fact]
    public async Task Each_command_waits_for_the_server_as_often_as_it_must()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var proxy = new CountingProxy(db, "pg_stat_clear_snapshot"u8);
        using var tool = new InProcess();
        var counted = new List<string>();

        async Task CountAsync(string arguments)
        {
            var run = await tool.RunAsync([.. arguments.Split(' '), "--database", proxy.ConnectionString]);
            run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
            counted.Add($"{arguments}: {string.Join(" + ", proxy.Take())}");
        }

        await CountAsync("status");
        await CountAsync("plan");
        await CountAsync("apply --to 3");
        await CountAsync("apply");
        await CountAsync("apply");
        await CountAsync("status --json");
        await CountAsync("rollback --yes");
        await CountAsync("baseline --to 5 --yes");
        await CountAsync("redo --yes");
        await CountAsync("schema dump");
        await CountAsync("wait");

        // A number a connection. Where there is work, the first one reads the history, lifts its limit for idling while the second one
        // connects to take the lock, reads the history again (making it, or waiting for whoever still writes it), and then runs it all at
        // once. A rollback looks first (the plan, the loss, whether anything was kept), and then does that.
        // The first three meet a database without a history, where the reading fails and the next one says so (the run asks the
        // second time at once whether it is there by now); a redo reads the log too.
        // Where the history never held a row, what else is in the database is looked at once for each decision: of plan, and of apply
        // before the lock and under it. A baseline looks which tables are there.
        counted.ShouldBe(
        [
            "status: 3",
            "plan: 4",
            "apply --to 3: 10 + 1",
            "apply: 4 + 1",
            "apply: 1",
            "status --json: 1",
            "rollback --yes: 1 + 6 + 4 + 1",
            "baseline --to 5 --yes: 5 + 1",
            "redo --yes: 2 + 6 + 6 + 1",
            "schema dump: 1",
            "wait: 0",
        ]);
    }
}
