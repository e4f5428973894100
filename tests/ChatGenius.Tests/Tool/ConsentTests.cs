using ChatGenius.Tool;

namespace ChatGenius.Tests.Tool;

public class ConsentTests
{
    [Theory]
    [InlineData("y\n", true)]
    [InlineData("YES\n", true)]
    [InlineData("n\n", false)]
    [InlineData("\n", false)]
    [InlineData("", false)]
    public async Task On_a_terminal_dropping_asks_and_only_a_yes_is_one(string input, bool isYes)
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Input = input, Terminal = true };

        var run = await tool.RunAsync("drop", "-d", db.Url.ConnectionString);

        run.ExitCode.ShouldBe(isYes ? ExitCode.Done : ExitCode.Cancelled);
        run.Error.ShouldContain("with everything in it?");
        (await db.Database.ExistsAsync()).ShouldBe(!isYes);
    }

    [Fact]
    public async Task Without_a_terminal_yes_has_to_be_said()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Input = "y\n" };

        var refused = await tool.RunAsync("drop", "-d", db.Url.ConnectionString);
        var done = await tool.RunAsync("drop", "-d", db.Url.ConnectionString, "--yes");

        refused.ExitCode.ShouldBe(ExitCode.Error);
        refused.Error.ShouldStartWith("error CG1008: ");
        done.ExitCode.ShouldBe(ExitCode.Done);
        (await db.Database.ExistsAsync()).ShouldBeFalse();
    }

    [Theory]
    [InlineData("drop")]
    [InlineData("reset")]
    [InlineData("rollback")]
    [InlineData("redo")]
    [InlineData("rollback", "--protected-reason", " ")]
    [InlineData("server", "destroy")]
    public async Task A_protected_environment_refuses_what_destroys_even_with_a_yes(params string[] command)
    {
        using var tool = new InProcess();
        tool.Write("chatgenius-db.json", """{ "environments": { "production": { "protected": true } } }""");

        var run = await tool.RunAsync([.. command, "--env", "production", "--yes", "-d", "postgres://nobody@localhost:1/nothing"]);

        run.ExitCode.ShouldBe(ExitCode.Error);
        run.Error.ShouldStartWith("error CG1009: ");
    }

    [Fact]
    public async Task A_reason_lets_rollback_and_seeds_through_in_a_protected_environment_and_the_log_keeps_it()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Environment = { ["THERE"] = db.Url.Display } };
        tool.Write("chatgenius-db.json",
            """{ "bundle": false, "environments": { "production": { "protected": true, "database_url_variable": "THERE" } } }""");
        tool.Write("migrations/0001_a.sql", "-- migrate:up\nCREATE TABLE a (id int);\n-- migrate:down\nDROP TABLE a;\n");
        tool.Write("migrations/seed/1.sql", "INSERT INTO a VALUES (1);");
        tool.Write("migrations/seed/production/1.sql", "INSERT INTO a VALUES (2);");
        (await tool.RunAsync("apply", "--env", "production", "--yes")).ExitCode.ShouldBe(ExitCode.Done);

        (await tool.RunAsync("seed", "--env", "production")).Error.ShouldStartWith("error CG1009: ");
        var seeded = await tool.RunAsync("seed", "--env", "production", "--protected-reason", "first rows");
        var sum = await db.ScalarAsync<long>("SELECT sum(id) FROM a");
        var run = await tool.RunAsync("rollback", "--env", "production", "--yes", "--protected-reason", "ticket 7");

        seeded.ExitCode.ShouldBe(ExitCode.Done, seeded.Error);
        sum.ShouldBe(3);
        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        (await db.ScalarAsync<string>(
            "SELECT string_agg(command || ': ' || detail, ', ' ORDER BY id) FROM chatgenius_db.log WHERE action = 'allowed'"))
            .ShouldBe("seed: first rows, rollback: ticket 7");
        (await tool.RunAsync("log", "--env", "production")).Out.ShouldContain("ticket 7");
    }
}
