using ChatGenius.Tests.Files;
using ChatGenius.Tests.Support;
using ChatGenius.Tool;
namespace ChatGenius.Tests.Tool;

public class RenumberCommandTests
{
    private const string Nothing = "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 1;\n";

    [Fact]
    public async Task What_is_not_applied_moves_behind_what_is()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = database.Url.Display } };
        tool.Write("migrations/0006_theirs.sql", Nothing);
        (await tool.RunAsync("apply")).ExitCode.ShouldBe(ExitCode.Done);
        tool.Write("migrations/0006_mine.sql", Nothing);
        tool.Write("migrations/0007_mine_too.sql", Nothing);

        var plan = await tool.RunAsync("renumber", "--dry-run");
        var run = await tool.RunAsync("renumber");

        run.Out.ShouldBe(
            "FOLDER/migrations/0006_mine.sql -> FOLDER/migrations/0007_mine.sql\n"
            + "FOLDER/migrations/0007_mine_too.sql -> FOLDER/migrations/0008_mine_too.sql\n");
        plan.Out.ShouldBe(run.Out);
        run.Error.ShouldBe("2 migrations got a new number\n");
        (await tool.RunAsync("apply")).ExitCode.ShouldBe(ExitCode.Done);
        (await tool.RunAsync("renumber")).Error.ShouldBe("Nothing to renumber\n");
        (await tool.RunAsync("renumber", "migrations/0007_mine.sql")).Error.ShouldContain("CG0817");
    }

    [Fact]
    public async Task Without_a_database_two_of_one_number_ask_for_a_name()
    {
        using var tool = new InProcess();
        tool.Write("migrations/0006_theirs.sql", Nothing);
        tool.Write("migrations/0006_mine.sql", Nothing);

        (await tool.RunAsync("renumber")).Error.ShouldContain("CG0816");
        (await tool.RunAsync("renumber", "migrations/0006_mine.sql")).Out.ShouldEndWith("0007_mine.sql\n");
        (await tool.RunAsync("verify")).ExitCode.ShouldBe(ExitCode.Done);
    }

    [Fact]
    public async Task A_number_that_the_bundle_has_by_now_is_given_up()
    {
        using var tool = new InProcess();
        tool.Write("migrations/0005_mine.sql", Nothing);

        (await tool.RunAsync("renumber")).Out.ShouldEndWith("0006_mine.sql\n");
    }

    [Fact]
    public async Task Git_tells_what_this_branch_has_added()
    {
        using var tool = new InProcess();
        await GitAsync("init", "-q", "-b", "main");
        tool.Write("migrations/0006_old.sql", Nothing);
        await CommitAsync("old");
        await GitAsync("checkout", "-q", "-b", "mine");
        tool.Write("migrations/0007_mine.sql", Nothing);
        tool.Write("migrations/0008_mine_too.sql", Nothing);
        await CommitAsync("mine");
        await GitAsync("checkout", "-q", "main");
        tool.Write("migrations/0007_theirs.sql", Nothing);
        await CommitAsync("theirs");
        await GitAsync("checkout", "-q", "mine");
        await GitAsync("merge", "-q", "--no-edit", "main");
        tool.Write("migrations/0009_new.sql", Nothing);

        var run = await tool.RunAsync("renumber", "--since", "main");

        run.Out.Replace("FOLDER/migrations/", "").ShouldBe(
            "0007_mine.sql -> 0008_mine.sql\n0008_mine_too.sql -> 0009_mine_too.sql\n0009_new.sql -> 0010_new.sql\n", run.Error);
        (await tool.RunAsync("renumber", "--since", "no-such-revision")).Error.ShouldContain("CG0818");
        (await tool.RunAsync("renumber", "--since=--help")).Error.ShouldContain("CG0818");

        async Task CommitAsync(string message)
        {
            await GitAsync("add", "-A");
            await GitAsync("commit", "-q", "-m", message);
        }

        async Task GitAsync(params string[] arguments)
        {
            var identity = (string[])["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"];
            await using var git = ToolProcess.StartProcess("git", [.. identity, .. arguments], tool.Folder, null, null);
            var result = await git.ExitAsync();
            result.ExitCode.ShouldBe(0, result.Error);
        }
    }
}
