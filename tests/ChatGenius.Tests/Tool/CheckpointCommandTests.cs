using ChatGenius.Tool;

namespace ChatGenius.Tests.Tool;

public class CheckpointCommandTests
{
    [Fact]
    public async Task Save_try_restore_and_drop()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = new InProcess();
        string[] on = ["-d", db.Url.ConnectionString];

        (await tool.RunAsync(["checkpoint", "list", .. on])).Error.ShouldBe("There are no checkpoints\n");
        var save = await tool.RunAsync(["checkpoint", "save", "empty", .. on]);
        (await tool.RunAsync(["apply", .. on])).ExitCode.ShouldBe(ExitCode.Done);
        var list = await tool.RunAsync(["checkpoint", "list", "--json", .. on]);
        var restore = await tool.RunAsync(["checkpoint", "restore", "empty", "--yes", .. on]);

        (save.ExitCode, restore.ExitCode).ShouldBe((ExitCode.Done, ExitCode.Done), save.Error + restore.Error);
        save.Out.ShouldMatch("^Saved checkpoint \"empty\", .* MB, in .*\n$");
        restore.Out.ShouldMatch("^Put postgres://.* back to checkpoint \"empty\" in .*\n$");
        var row = JsonDocument.Parse(list.Out).RootElement.GetProperty("checkpoints").EnumerateArray().ShouldHaveSingleItem();
        row.GetProperty("name").GetString().ShouldBe("empty");
        (await db.ScalarAsync<bool>("SELECT to_regnamespace('chatgenius_db') IS NULL")).ShouldBeTrue();

        (await tool.RunAsync(["checkpoint", "drop", "empty", "--yes", .. on])).Out.ShouldBe("Dropped checkpoint \"empty\"\n");
        (await tool.RunAsync(["checkpoint", "list", .. on])).Out.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("n\n", ExitCode.Cancelled)]
    [InlineData("y\n", ExitCode.Done)]
    public async Task Other_sessions_are_ended_after_a_yes_alone(string input, object exitCode)
    {
        await using var db = await TestDatabase.CreateAsync();
        await using var session = await db.ConnectAsync();
        using var tool = new InProcess { Input = input, Terminal = true, Width = 200 };

        var save = await tool.RunAsync("checkpoint", "save", "x", "-d", db.Url.ConnectionString);
        var drop = await tool.RunAsync("checkpoint", "drop", "x", "--yes", "-d", db.Url.ConnectionString);

        save.ExitCode.ShouldBe(exitCode);
        save.Error.ShouldContain($"End 1 session (pid {session.ProcessID}, ");
        drop.ExitCode.ShouldBe(save.ExitCode == ExitCode.Done ? ExitCode.Done : ExitCode.Error);
    }

    [Theory]
    [InlineData("save")]
    [InlineData("restore")]
    [InlineData("drop")]
    public async Task A_protected_environment_refuses_checkpoints_and_a_name_is_needed(string command)
    {
        using var tool = new InProcess();
        tool.Write("chatgenius-db.json", """{ "environments": { "production": { "protected": true } } }""");

        (await tool.RunAsync("checkpoint", command, "x", "--yes", "--env", "production", "-d",
            "postgres://nobody@localhost:1/nothing")).Error.ShouldStartWith("error CG1009: ");
        (await tool.RunAsync("checkpoint", command)).Error.ShouldStartWith("error CG1010: ");
    }
}
