using System.Text.RegularExpressions;
using ChatGenius.Tool;

namespace ChatGenius.Tests.Tool;

/// <summary>What people let <c>check</c> do for them: the hook before a commit, and writing the safe way into files.</summary>
public partial class CheckHookTests
{
    private const string Good = "-- migrate:up\nCREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);\n"
        + "-- migrate:down\nDROP TABLE orders;\n";

    private const string Bad = "-- migrate:up\n-- for the list\nCREATE INDEX orders_note_idx ON orders (note);\n\n"
        + "-- migrate:down\nDROP INDEX orders_note_idx;\n";

    [Fact]
    public async Task The_hook_keeps_a_migration_with_errors_from_being_committed()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        using var tool = await ToolAsync();
        await GitAsync(tool, 0, "init", "-q");
        tool.Write("chatgenius-db.json", """{ "bundle": false }""");
        tool.Write("migrations/0002_index.sql", Bad);
        tool.Write("migrations/0003_worse.sql", Bad.Replace("orders_note_idx", "other_idx", StringComparison.Ordinal));
        await WriteHookAsync(tool);
        await GitAsync(tool, 0, "add", "chatgenius-db.json", "migrations/0001_orders.sql");
        (await GitAsync(tool, 0, "commit", "-qm", "first")).ShouldContain("1 migration checked");

        await GitAsync(tool, 0, "add", "migrations/0002_index.sql");
        var refused = await GitAsync(tool, 1, "commit", "-qm", "second");
        refused.ShouldContain("L101");
        refused.ShouldContain("1 migration checked");

        tool.Write("migrations/0002_index.sql", Bad.Replace("CREATE INDEX", "CREATE INDEX CONCURRENTLY", StringComparison.Ordinal)
            .Replace("-- migrate:up", "-- migrate:up transaction:false", StringComparison.Ordinal));
        await GitAsync(tool, 0, "add", "migrations/0002_index.sql");
        await File.AppendAllTextAsync(Path.Combine(tool.Folder, "migrations/0002_index.sql"), "-- later\n");
        (await GitAsync(tool, 0, "commit", "-qm", "second")).ShouldContain("0002_index.sql has changes that are not staged");

        tool.Write("README", "no migration");
        await GitAsync(tool, 0, "add", "README");
        (await GitAsync(tool, 0, "commit", "-qm", "third")).ShouldContain("none of them is a migration");
    }

    [Fact]
    public async Task Fix_shows_the_difference_and_writes_it_only_when_somebody_says_yes()
    {
        using var tool = await ToolAsync();
        tool.Write("migrations/0002_index.sql", Bad);
        string[] check = ["check", "--all", "--no-bundle", "--shadow", tool.Environment["SHADOW"], "--fix"];

        var asked = await tool.RunAsync(check);
        asked.ExitCode.ShouldBe(ExitCode.Error);
        asked.Error.ShouldContain("CG1008");
        asked.Error.ShouldContain("-CREATE INDEX orders_note_idx ON orders (note);");
        asked.Error.ShouldContain("+CREATE INDEX CONCURRENTLY orders_note_idx ON orders (note);");
        (await File.ReadAllTextAsync(Path.Combine(tool.Folder, "migrations/0002_index.sql"))).ShouldBe(Bad);

        (await tool.RunAsync([.. check, "--yes"])).ExitCode.ShouldBe(ExitCode.Differs);
        (await File.ReadAllTextAsync(Path.Combine(tool.Folder, "migrations/0002_index.sql"))).ShouldBe(
            "-- migrate:up transaction:false\n-- for the list\nCREATE INDEX CONCURRENTLY orders_note_idx ON orders (note);\n\n"
            + "-- migrate:down\nDROP INDEX orders_note_idx;\n");

        var again = await tool.RunAsync([.. check, "--yes"]);
        again.ExitCode.ShouldBe(ExitCode.Done, again.Error);
        again.Error.ShouldContain("No finding has a safe way");
    }

    [Fact]
    public async Task Fix_writes_new_files_where_it_takes_several_and_leaves_applied_ones_alone()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var tool = await ToolAsync();
        tool.Environment["CHATGENIUS_DATABASE_URL"] = database.Url.Display;
        tool.Write("migrations/0002_index.sql", Bad);
        (await tool.RunAsync("apply", "--no-bundle")).ExitCode.ShouldBe(ExitCode.Done);
        tool.Write("migrations/0003_more.sql", "-- migrate:up\nALTER TABLE orders ADD COLUMN colour text;\n"
            + "CREATE INDEX orders_colour_idx ON orders (colour);\n\n"
            + "-- migrate:down\nDROP INDEX orders_colour_idx;\nALTER TABLE orders DROP COLUMN colour;\n");

        var run = await tool.RunAsync("check", "--all", "--no-bundle", "--shadow", tool.Environment["SHADOW"], "--fix", "--yes");

        run.Error.ShouldNotContain("0002_index");
        (await File.ReadAllTextAsync(Path.Combine(tool.Folder, "migrations/0003_more.sql"))).ShouldBe(
            "-- migrate:up\nALTER TABLE orders ADD COLUMN colour text;\n\n-- migrate:down\nALTER TABLE orders DROP COLUMN colour;\n");
        (await File.ReadAllTextAsync(Path.Combine(tool.Folder, "migrations/0004_index_orders_colour_idx.sql"))).ShouldBe(
            "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY orders_colour_idx ON orders (colour);\n\n"
            + "-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY IF EXISTS orders_colour_idx;\n");
        (await tool.RunAsync("check", "--no-bundle", "--shadow", tool.Environment["SHADOW"])).ExitCode.ShouldBe(ExitCode.Done);
    }

    /// <summary>The hook as it is published, with a program of the published name that knows the tests' server.</summary>
    private static async Task WriteHookAsync(InProcess tool)
    {
        var entry = Entry().Match(await File.ReadAllTextAsync(Path.Combine(Repository.Root, ".pre-commit-hooks.yaml"))).Groups[1].Value;
        entry.ShouldStartWith("chatgenius-db ");
        var program = ToolProcess.Executable ?? $"dotnet '{Path.Combine(AppContext.BaseDirectory, "chatgenius-db.dll")}'";
        var shadow = tool.Environment["SHADOW"];
        await WriteProgramAsync(Path.Combine(tool.Folder, "bin"), "chatgenius-db", $"exec {program} \"$@\" --shadow '{shadow}'");
        await WriteProgramAsync(
            Path.Combine(tool.Folder, ".git/hooks"), "pre-commit", $"PATH='{Path.Combine(tool.Folder, "bin")}':$PATH\nexec {entry}");
    }

    private static async Task WriteProgramAsync(string folder, string name, string text)
    {
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, name), $"#!/bin/sh\n{text}\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(Path.Combine(folder, name), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    private static async Task<InProcess> ToolAsync()
    {
        var tool = new InProcess();
        tool.Environment["SHADOW"] = (await TestServer.UrlAsync()).Display;
        tool.Write("migrations/0001_orders.sql", Good);
        return tool;
    }

    private static async Task<string> GitAsync(InProcess tool, int exitCode, params string[] arguments)
    {
        string[] identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
        await using var git = ToolProcess.StartProcess("git", [.. identity, .. arguments], tool.Folder, null, null);
        var result = await git.ExitAsync();
        var said = result.Output + result.Error;
        result.ExitCode.ShouldBe(exitCode, said);
        return said;
    }

    [GeneratedRegex("(?m)^  entry: (.+)$")]
    private static partial Regex Entry();
}
