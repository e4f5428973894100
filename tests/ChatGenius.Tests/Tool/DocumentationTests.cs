using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using ChatGenius.Db.Templates;
using ChatGenius.Db.Text;
using ChatGenius.Tests.Templates;
using ChatGenius.Tool;
using ChatGenius.Tool.Commands;

namespace ChatGenius.Tests.Tool;

/// <summary>What README, the templates' README and the help of <c>new</c> show, done as it stands there.</summary>
public partial class DocumentationTests
{
    private static readonly string Readme = Read("README.md");
    private static readonly string TemplatesReadme = Read("templates/README.md");

    private static readonly IEnumerable<string> OfHelp =
        NewCommand.Definition.Examples!.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(ShellWords.BeforeRemark);

    /// <summary>README names them by the migration's name only.</summary>
    private static readonly IEnumerable<string> OfReadme =
        InlineCode().Matches(Section(Readme, "The daily loop").Split("\n`new` chooses")[1].Split("A column is")[0])
            .Select(match => match.Groups[1].Value).Where(code => code.Contains('_', StringComparison.Ordinal))
                .Select(name => $"chatgenius-db new {name}");

    private static readonly IEnumerable<string> OfTemplates =
        InlineCode().Matches(Section(TemplatesReadme, "What a name says")).Select(match => match.Groups[1].Value)
            .Where(code => code.StartsWith("chatgenius-db ", StringComparison.Ordinal));

    /// <summary>All but what takes back an earlier one.</summary>
    public static TheoryData<string> NewCalls =>
        [.. OfHelp.Concat(OfReadme).Concat(OfTemplates).Where(call => !call.Contains(" --undo", StringComparison.Ordinal)).Distinct()];

    [Theory]
    [MemberData(nameof(NewCalls))]
    public async Task A_call_of_new_does_what_it_shows(string call)
    {
        using var tool = new InProcess();

        var run = await tool.RunAsync([.. ShellWords.Split(call).Skip(1)]);

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        run.Out.ShouldNotBeEmpty();
        run.Error.ShouldNotContain("CG");
        run.Error.Contains("Template blank ", StringComparison.Ordinal).ShouldBe(call.Contains(" tidy_up", StringComparison.Ordinal));
    }

    /// <summary>All that write a file, with the templates' own examples.</summary>
    public static TheoryData<string> Pasted =>
        [.. OfHelp.Concat(OfReadme).Concat(OfTemplates)
            .Concat(new TemplateCatalog().List().Select(info => info.Example).OfType<string>().Select(call => $"chatgenius-db {call}"))
            .Where(call => !ReadsOrPrints().IsMatch(call)).Distinct()];

    [GeneratedRegex("--(undo|list|show|eject|stdout)")]
    private static partial Regex ReadsOrPrints();

    /// <summary>Each line as a reader pastes it into a shell, on a database that has the bundle.</summary>
    [Theory]
    [MemberData(nameof(Pasted))]
    public async Task A_call_of_new_can_be_pasted_into_a_shell_and_what_it_writes_is_applied(string call)
    {
        foreach (var shell in (string[])["bash", "zsh"])
        {
            await using var process = ToolProcess.StartProcess(
                shell, ["-c", $"chatgenius-db() {{ for word in \"$@\"; do printf '%s\\n' \"$word\"; done; }}\n{call}"], ".",
                new Dictionary<string, string?>(), null);
            var words = await process.ExitAsync();
            words.ExitCode.ShouldBe(0, $"{shell}: {words.Error}");
            words.Output.TrimEnd('\n').Split('\n').ShouldBe(ShellWords.Split(call).Skip(1), shell);
        }

        await using var database = await TestDatabase.CopyOfAsync("bundle applied", async original =>
        {
            using var bundle = new InProcess { Environment = { ["DATABASE_URL"] = original.Url.Display } };
            (await bundle.RunAsync("apply")).ExitCode.ShouldBe(ExitCode.Done);
        });
        if (call.Contains(" add_fk_", StringComparison.Ordinal))
        {
            // Every column of the bundle that refers to something has its foreign key.
            await database.ExecuteAsync("ALTER TABLE messages DROP CONSTRAINT messages_reply_to_id_fkey");
        }

        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = database.Url.Display } };
        (await tool.RunAsync([.. ShellWords.Split(call).Skip(1)])).ExitCode.ShouldBe(ExitCode.Done);

        var run = await tool.RunAsync("apply");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        run.Error.ShouldNotContain("already exists");
    }

    [Fact]
    public void Every_template_has_a_call_in_the_templates_readme() =>
        new TemplateCatalog().List().Select(info => info.Name)
            .ShouldBeSubsetOf(OfTemplates.Select(call => TemplateCalls.Render([.. ShellWords.Split(call).Skip(2)]).Template.Name));

    /// <summary>All but git, and production, which is no test's.</summary>
    [Fact]
    public async Task The_daily_loop_runs_line_by_line()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Terminal = true, Input = "y\n", Environment = { ["DATABASE_URL"] = database.Url.Display } };
        var lines = Commands(Section(Readme, "The daily loop"));

        foreach (var line in lines.SkipLast(1))
        {
            string[] shadow = line.EndsWith(" check", StringComparison.Ordinal) ? ["--shadow", (await TestServer.UrlAsync()).Display] : [];
            var run = await tool.RunAsync([.. ShellWords.Split(line).Skip(1), .. shadow]);
            run.ExitCode.ShouldBe(ExitCode.Done, $"{line}\n{run.Error}");
        }

        lines.Count.ShouldBe(6);
        (await database.ScalarAsync<long>("SELECT max(version) FROM chatgenius_db.history")).ShouldBe(6);
        (await database.ScalarAsync<bool>("SELECT to_regclass('reactions') IS NOT NULL")).ShouldBeTrue();
    }

    public static TheoryData<string> AllCalls => [.. Commands(Readme).Distinct()];

    [Theory]
    [MemberData(nameof(AllCalls))]
    public void Every_command_line_has_a_command_and_options_that_are_there(string call)
    {
        var parsed = CommandLine.Parse([.. ShellWords.Split(call).Skip(1)], CommandList.All());

        (parsed.Handler is not null || parsed.Options.Help).ShouldBeTrue();
    }

    public static TheoryData<string> Columns =>
        [.. InlineCode().Matches(Section(TemplatesReadme, "Columns")).Select(match => match.Groups[1].Value)
            .Where(code => ColumnExample().IsMatch(code))];

    [Theory]
    [MemberData(nameof(Columns))]
    public void A_column_in_the_table_can_be_read(string column)
    {
        if (column != "name:type")
        {
            ColumnSpec.ParseAll([column]).ShouldHaveSingleItem().Type.ShouldNotBeNull();
        }
    }

    [Fact]
    public void The_header_in_the_text_can_be_read()
    {
        var header = Section(TemplatesReadme, "Writing one").Split("\n\n")
            .Single(paragraph => paragraph.StartsWith("    {{~ ##", StringComparison.Ordinal));

        var info = TemplateInfo.Read("example", SourceText.From("example.sbn",
            string.Join('\n', header.Split('\n').Select(line => line.TrimStart()))), isBuiltIn: false);

        info.Values.Select(value => value.Name).ShouldBe(["table", "index", "where"]);
        info.FollowUps.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task The_migration_in_the_text_goes_up_and_down()
    {
        var text = Blocks(Readme, "sql").ShouldHaveSingleItem();
        MigrationParser.Parse(SourceText.From("0006_pinned.sql", text), MigrationOrigin.Folder).Down.Irreversible.ShouldBeFalse();
        await using var database = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = database.Url.Display } };
        tool.Write("migrations/0006_pinned.sql", text);

        (await tool.RunAsync("apply")).ExitCode.ShouldBe(ExitCode.Done);
        (await tool.RunAsync("rollback", "--yes")).ExitCode.ShouldBe(ExitCode.Done);
    }

    [Fact]
    public async Task The_settings_in_the_text_are_understood()
    {
        using var tool = new InProcess { Environment = { ["PRODUCTION_DATABASE_URL"] = "postgres://there/chat" } };
        tool.Write("chatgenius-db.json", Blocks(Readme, "json").ShouldHaveSingleItem());

        var run = await tool.RunAsync("config", "--env", "production");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        run.Out.ShouldContain("db/migrations");
    }

    [GeneratedRegex("`([^`\n]+)`")]
    private static partial Regex InlineCode();

    [GeneratedRegex("^[a-z_]+:[a-z]")]
    private static partial Regex ColumnExample();

    private static string Read(string path, [CallerFilePath] string here = "") =>
        File.ReadAllText(Path.Combine(Path.GetDirectoryName(here)!, "../../..", path)).ReplaceLineEndings("\n");

    private static string Section(string text, string title) => text.Split($"\n## {title}\n")[1].Split("\n## ")[0];

    private static List<string> Blocks(string text, string language) =>
        [.. text.Split($"\n```{language}\n").Skip(1).Select(rest => rest.Split("\n```")[0] + "\n")];

    private static List<string> Commands(string text) =>
        [.. Blocks(text, "sh").SelectMany(block => block.Split('\n'))
            .Where(line => line.StartsWith("chatgenius-db ", StringComparison.Ordinal)).Select(line => line.Split(" #")[0].TrimEnd())];
}
