namespace ChatGenius.Tests.Tool;

/// <summary>A project of others, whose folder has more in it than migrations.</summary>
[Trait("Needs", "Unix")]
public sealed class ForeignFolderTests
{
    /// <summary>Programs that the tool starts, or that what it starts does.</summary>
    private static readonly string[] Programs =
        ["git", "psql", "npm", "node", "sh", "env", "pg_ctl", "initdb", "postgres", "pg_dump", "pg_restore", "vi"];

    [Theory]
    [InlineData("check --since main --shadow SHADOW", 0)]
    [InlineData("check --staged --shadow SHADOW", 0)]
    [InlineData("renumber --since main", 0)]
    [InlineData("renumber", 0)]
    [InlineData("schema diff git:main migrations --shadow SHADOW", 0)]
    [InlineData("apply --backup", 0)]
    [InlineData("with-database --server SHADOW -- git --version", 0)]
    [InlineData("new add_more", 0)]
    [InlineData("verify", 0)]
    public async Task No_program_of_the_folder_is_run_and_none_that_its_repository_names(string call, int exitCode)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        await using var database = await TestDatabase.CreateAsync();
        using var sandbox = new Sandbox();
        var mark = Path.Combine(sandbox.Path, "mark");
        foreach (var program in Programs)
        {
            var file = sandbox.Write(program, $"#!/bin/sh\necho \"$0 $@\" >> '{mark}'\nexit 0\n");
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.OtherRead
                | UnixFileMode.OtherExecute);
        }

        sandbox.Write("chatgenius-db.json", """{ "bundle": false }""");
        sandbox.Write("migrations/0001_a.sql", "-- migrate:up\nCREATE TABLE a (i int);\n-- migrate:down\nDROP TABLE a;\n");
        async Task GitAsync(params string[] arguments)
        {
            await using var git = ToolProcess.StartProcess(Needs.OnPath("git")!,
                ["-c", "user.name=t", "-c", "user.email=t@example.org", .. arguments], sandbox.Path, environment: null, input: null);
            (await git.ExitAsync()).ExitCode.ShouldBe(0);
        }

        await GitAsync("init", "-q", "-b", "main");
        await GitAsync("add", "migrations");
        await GitAsync("commit", "-q", "-m", "a");
        foreach (var key in (string[])["core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "diff.external", "pager.diff"])
        {
            await GitAsync("config", key, $"{sandbox.Path}/sh {key}");
        }

        foreach (var hook in (string[])["post-index-change", "reference-transaction", "post-checkout"])
        {
            File.Copy(Path.Combine(sandbox.Path, "sh"), Path.Combine(sandbox.Path, ".git", "hooks", hook));
        }

        File.Delete(mark);
        var words = call.Replace("SHADOW", (await TestServer.UrlAsync()).Display, StringComparison.Ordinal).Split(' ');

        var run = await ToolProcess.RunAsync(words, sandbox.Path, new Dictionary<string, string?>
        {
            ["CHATGENIUS_DATABASE_URL"] = database.Url.ConnectionString, ["CHATGENIUS_DATA_DIR"] = Path.Combine(sandbox.Path, "data"),
        });

        run.ExitCode.ShouldBe(exitCode, run.Output + run.Error);
        (File.Exists(mark) ? await File.ReadAllTextAsync(mark) : "").ShouldBe("");
    }

    /// <summary>A file of the project, or of the user, and commands that read it.</summary>
    [Theory]
    [InlineData("migrations/0002_b.sql", "verify", "plan", "status", "new more", "renumber --dry-run", "script", "config")]
    [InlineData("migrations/templates/mine.sbn", "new --list", "new more --template mine", "verify")]
    [InlineData("migrations/seed/0001_s.sql", "seed", "verify")]
    [InlineData("services", "status --database service=mine")]
    [InlineData("known.txt", "schema diff known.txt known.txt", "check --sizes known.txt --all --shadow SHADOW")]
    [InlineData("chatgenius-db.json", "status")]
    [InlineData(".env", "status")]
    public async Task A_device_in_the_place_of_a_file_is_no_wait(string name, params string[] calls)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        await using var database = await TestDatabase.CreateAsync();
        using var sandbox = new Sandbox();
        sandbox.Write("migrations/0001_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 1;\n");
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(sandbox.Path, name))!);
        File.CreateSymbolicLink(Path.Combine(sandbox.Path, name), "/dev/zero");
        var shadow = (await TestServer.UrlAsync()).Display;
        foreach (var call in calls)
        {
            await using var tool = ToolProcess.Start(
                [.. call.Replace("SHADOW", shadow, StringComparison.Ordinal).Split(' '), "--no-bundle"], sandbox.Path,
                new Dictionary<string, string?>
                {
                    ["CHATGENIUS_DATABASE_URL"] = database.Url.ConnectionString, ["PGSERVICEFILE"] = Path.Combine(sandbox.Path, "services"),
                });

            var run = await tool.ExitAsync();

            run.ExitCode.ShouldBeInRange(0, 2, $"{call}\n{run.Output}{run.Error}");
        }
    }
}
