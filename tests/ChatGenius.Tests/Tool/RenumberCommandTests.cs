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

        (await tool.RunAsync("renumber")).Error.ShouldContain("CG0816", customMessage: "Without git, files are taken by name.");
        string[] own = ["migrations/0006_mine.sql", "migrations/0007_mine_too.sql"];
        var plan = await tool.RunAsync(["renumber", "--dry-run", .. own]);
        var run = await tool.RunAsync(["renumber", .. own]);

        run.Out.ShouldBe(
            "FOLDER/migrations/0006_mine.sql -> FOLDER/migrations/0007_mine.sql\n"
            + "FOLDER/migrations/0007_mine_too.sql -> FOLDER/migrations/0008_mine_too.sql\n");
        plan.Out.ShouldBe(run.Out);
        run.Error.ShouldBe("2 migrations got a new number\n");
        (await tool.RunAsync("apply")).ExitCode.ShouldBe(ExitCode.Done);
        (await tool.RunAsync("renumber")).Error.ShouldBe("Nothing to renumber\n");
        (await tool.RunAsync("renumber", "migrations/0007_mine.sql")).Error.ShouldContain("CG1008", customMessage: "Its row moves too.");
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

    /// <summary>The numbers of mine, and of what a colleague has published meanwhile; mine is applied on my database.</summary>
    [Theory]
    [InlineData("0007", "0007", "0008")]
    [InlineData("0007", "0008", "0009")]
    [InlineData("20260103000000", "20260103000000", "")]
    public async Task What_is_published_never_moves_and_what_is_mine_comes_after_it(string mine, string theirs, string becomes)
    {
        await using var dev = await TestDatabase.CreateAsync();
        await using var staging = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = dev.Url.Display } };
        await MergedAsync(tool, staging, mine, theirs);

        var published = await tool.RunAsync("renumber", $"migrations/{theirs}_g.sql");
        published.Error.ShouldContain("CG0817");
        published.Error.ShouldContain("is on origin/main");
        (await tool.RunAsync("rollback", "--yes")).ExitCode.ShouldBe(ExitCode.Done);
        var run = await tool.RunAsync("renumber");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        run.Out.ShouldStartWith($"FOLDER/migrations/{mine}_f.sql -> FOLDER/migrations/{becomes}");
        run.Out.ShouldNotContain("_g.sql");
        await InOrderAsync(tool, dev, staging);
    }

    /// <summary>The same, where mine stays applied: the one command that the advice of apply names settles it.</summary>
    [Theory]
    [InlineData("0007", "0007", "CG0305", "'chatgenius-db renumber'")]
    [InlineData("0008", "0007", "CG0403", "'chatgenius-db renumber --reapply'")]
    [InlineData("20260103000001", "20260103000000", "CG0403", "'chatgenius-db renumber --reapply'")]
    public async Task One_command_settles_what_is_applied_on_my_database(string mine, string theirs, string code, string command)
    {
        await using var dev = await TestDatabase.CreateAsync();
        await using var staging = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = dev.Url.Display } };
        await MergedAsync(tool, staging, mine, theirs);

        await dev.ExecuteAsync("INSERT INTO a VALUES (1, 2)");

        var apply = await tool.RunAsync("apply");
        apply.Error.ShouldContain($"error {code}: ");
        apply.Error.ShouldContain($"{mine}_f.sql is yours");
        apply.Error.ShouldContain(command);
        (await tool.RunAsync("renumber", "--reapply", "--dry-run")).Error.ShouldContain("will be lost: ");
        (await tool.RunAsync("renumber", "--reapply")).Error.ShouldContain("CG1008");
        var run = await tool.RunAsync("renumber", "--reapply", "--yes");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Out + run.Error);
        run.Out.ShouldNotContain("_g.sql ->");
        await InOrderAsync(tool, dev, staging);
        (await tool.RunAsync("renumber", "--reapply", "--yes")).Error.ShouldBe("Nothing to renumber\n");
    }

    [Theory]
    [InlineData("0007", "0007", "0008")]
    [InlineData("0007", "0008", "0009")]
    public async Task A_row_of_the_history_moves_with_its_file(string mine, string theirs, string becomes)
    {
        await using var dev = await TestDatabase.CreateAsync();
        await using var staging = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = dev.Url.Display } };
        await MergedAsync(tool, staging, mine, theirs);

        var unasked = await tool.RunAsync("renumber");
        unasked.Error.ShouldContain("CG1008");
        File.Exists(Path.Combine(tool.Folder, $"migrations/{mine}_f.sql")).ShouldBeTrue("Nothing moves before a yes.");
        var run = await tool.RunAsync("renumber", "--yes", "--json");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        using (var json = JsonDocument.Parse(run.Out))
        {
            json.RootElement.GetProperty("done").GetString().ShouldBe("renumbered");
            json.RootElement.GetProperty("migrations")[0].GetProperty("version").GetInt64().ShouldBe(long.Parse(becomes));
        }

        (await tool.RunAsync("log")).Out.ShouldContain("renumbered");
        (await tool.RunAsync("apply", "--allow-out-of-order")).ExitCode.ShouldBe(ExitCode.Done);
        await InOrderAsync(tool, dev, staging);
    }

    [Fact]
    public async Task A_row_whose_file_has_moved_follows_it()
    {
        await using var dev = await TestDatabase.CreateAsync();
        await using var staging = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = dev.Url.Display } };
        await MergedAsync(tool, staging, "0007", "0007");
        File.Move(Path.Combine(tool.Folder, "migrations/0007_f.sql"), Path.Combine(tool.Folder, "migrations/0009_f.sql"));

        var run = await tool.RunAsync("renumber", "--yes");

        run.Error.ShouldBe("0 migrations got a new number, and 1 in the history\n");
        (await dev.ScalarAsync<string>("SELECT string_agg(version || name, ' ') FROM chatgenius_db.history WHERE version > 6"))
            .ShouldBe("9f");
    }

    /// <summary>A database of mine that has mine, one of others that has theirs, and a merge of the two branches.</summary>
    private static async Task MergedAsync(InProcess tool, TestDatabase staging, string mine, string theirs)
    {
        Task GitAsync(params string[] arguments) => RunGitAsync(tool, arguments);
        await GitAsync("init", "-q", "-b", "main");
        tool.Write("migrations/0006_a.sql", "-- migrate:up\nCREATE TABLE a (i int);\n-- migrate:down\nDROP TABLE a;\n");
        await GitAsync("add", "-A");
        await GitAsync("commit", "-q", "-m", "a");
        await GitAsync("checkout", "-q", "-b", "mine");
        tool.Write($"migrations/{mine}_f.sql", "-- migrate:up\nALTER TABLE a ADD f int;\n-- migrate:down\nALTER TABLE a DROP f;\n");
        await GitAsync("add", "-A");
        await GitAsync("commit", "-q", "-m", "f");
        (await tool.RunAsync("apply")).ExitCode.ShouldBe(ExitCode.Done);
        await GitAsync("checkout", "-q", "main");
        tool.Write($"migrations/{theirs}_g.sql", "-- migrate:up\nALTER TABLE a ADD g int;\n-- migrate:down\nALTER TABLE a DROP g;\n");
        await GitAsync("add", "-A");
        await GitAsync("commit", "-q", "-m", "g");
        (await tool.RunAsync("apply", "-d", staging.Url.Display)).ExitCode.ShouldBe(ExitCode.Done);
        await GitAsync("update-ref", "refs/remotes/origin/main", "main");
        await GitAsync("checkout", "-q", "mine");
        await GitAsync("merge", "-q", "--no-edit", "main");
    }

    private static async Task InOrderAsync(InProcess tool, params TestDatabase[] databases)
    {
        foreach (var database in databases)
        {
            var apply = await tool.RunAsync("apply", "-d", database.Url.Display);
            apply.ExitCode.ShouldBe(ExitCode.Done, apply.Error);
            (await database.ScalarAsync<string>(
                "SELECT string_agg(name, ' ' ORDER BY version) FROM chatgenius_db.history WHERE version > 6")).ShouldBe("g f");
        }
    }

    [Fact]
    public async Task Where_there_is_no_remote_main_is_published_to_every_other_branch()
    {
        using var tool = new InProcess();
        await RunGitAsync(tool, "init", "-q", "-b", "main");
        tool.Write("migrations/0006_theirs.sql", Nothing);
        await RunGitAsync(tool, "add", "-A");
        await RunGitAsync(tool, "commit", "-q", "-m", "theirs");
        tool.Write("migrations/0006_mine.sql", Nothing);

        (await tool.RunAsync("renumber")).Error.ShouldContain("CG0816");
        await RunGitAsync(tool, "checkout", "-q", "-b", "mine");
        (await tool.RunAsync("renumber", "0006_theirs.sql")).Error.ShouldContain("0006_theirs.sql is on main");
        (await tool.RunAsync("renumber")).Out.ShouldEndWith("0006_mine.sql -> FOLDER/migrations/0007_mine.sql\n");
    }

    [Fact]
    public async Task The_setting_names_another_base()
    {
        using var tool = new InProcess();
        await RunGitAsync(tool, "init", "-q", "-b", "trunk");
        tool.Write("chatgenius-db.json", """{ "base": "trunk" }""");
        tool.Write("migrations/0006_theirs.sql", Nothing);
        await RunGitAsync(tool, "add", "-A");
        await RunGitAsync(tool, "commit", "-q", "-m", "theirs");
        tool.Write("migrations/0006_mine.sql", Nothing);

        (await tool.RunAsync("renumber")).Out.ShouldEndWith("0006_mine.sql -> FOLDER/migrations/0007_mine.sql\n");
        tool.Write("chatgenius-db.json", """{ "base": "no-such-revision" }""");
        (await tool.RunAsync("renumber")).Error.ShouldContain("CG0818");
    }

    internal static async Task RunGitAsync(InProcess tool, params string[] arguments)
    {
        var identity = (string[])["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"];
        await using var git = ToolProcess.StartProcess("git", [.. identity, .. arguments], tool.Folder, null, null);
        var result = await git.ExitAsync();
        result.ExitCode.ShouldBe(0, result.Error);
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

        Task GitAsync(params string[] arguments) => RunGitAsync(tool, arguments);
    }
}
