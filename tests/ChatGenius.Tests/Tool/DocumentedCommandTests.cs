using System.Text.RegularExpressions;

namespace ChatGenius.Tests.Tool;

/// <summary>
/// The documents: each block of shell with our commands is run as it is written, in a project and on a database of its own. A comment
/// <c>before: …</c> above a block says what is done first.
/// </summary>
[Trait("Needs", "Unix")]
public partial class DocumentedCommandTests
{
    private static readonly List<string> Documents =
    [
        .. Directory.GetFiles(Path.Combine(Repository.Root, "docs"), "*.md").Select(path => Path.GetRelativePath(Repository.Root, path))
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>The documents' names, and the number of the block in it.</summary>
    public static TheoryData<string, int> AllBlocks
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (var document in Documents)
            {
                for (var i = 0; i < Blocks(document).Count; i++)
                {
                    data.Add(document, i);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(AllBlocks))]
    public async Task A_block_of_commands_runs_as_it_is_written(string document, int block)
    {
        await using var database = await TestDatabase.CreateAsync();
        using var sandbox = new Sandbox();
        Directory.CreateDirectory(sandbox.Combine("project/migrations"));
        var data = Directory.CreateDirectory(Path.Combine(TestServer.FastFolder, $"chatgenius-docs-{Guid.NewGuid():N}")).FullName;
        var tool = ToolProcess.Executable ?? $"dotnet '{Path.Combine(AppContext.BaseDirectory, "chatgenius-db.dll")}'";
        UnixMode.Set(sandbox.Write("bin/chatgenius-db", $"#!/bin/sh\nexec {tool} \"$@\"\n"), (UnixFileMode)0b111_101_101);
        var (before, commands) = Blocks(document)[block];
        var environment = new Dictionary<string, string?>
        {
            ["PATH"] = $"{sandbox.Combine("bin")}:{Environment.GetEnvironmentVariable("PATH")}",
            ["DATABASE_URL"] = database.Url.Display,
            ["CHATGENIUS_DATA_DIR"] = data,
        };
        try
        {
            await using var shell = ToolProcess.StartProcess(
                "bash", ["-euo", "pipefail", "-c", $"{before}\n{commands}"], sandbox.Combine("project"), environment, null);
            var result = await shell.ExitAsync();

            result.ExitCode.ShouldBe(0, $"{commands}\n{result.Output}\n{result.Error}");
        }
        finally
        {
            await TheTool.RunAsync(["server", "destroy", "--yes"], environment: environment);
            if (Directory.Exists(data))
            {
                Directory.Delete(data, recursive: true);
            }
        }
    }

    [Fact]
    public void The_workflows_of_the_text_are_short()
    {
        var blocks = Fence().Matches(Read("docs/ci.md")).Where(match => match.Groups["language"].Value is "yaml" or "sh")
            .Select(match => match.Groups["text"].Value).Take(3).ToList();

        blocks.Count.ShouldBe(3);
        blocks.ShouldAllBe(block => block.TrimEnd().Split('\n').Length <= 15);
    }

    [Fact]
    public void Every_link_to_a_file_leads_to_one()
    {
        foreach (var document in Documents.Append("README.md").Append("CONTRIBUTING.md"))
        {
            var folder = Path.GetDirectoryName(Path.Combine(Repository.Root, document))!;
            var dead = Link().Matches(Read(document)).Select(match => match.Groups["path"].Value)
                .Where(path => !Path.Exists(Path.Combine(folder, path))).ToList();
            dead.ShouldBeEmpty(document);
        }
    }

    [Fact]
    public void Every_file_that_the_architecture_names_is_there()
    {
        var there = Repository.Sources("src").Select(Path.GetFileName).ToHashSet();

        SourceFile().Matches(Read("docs/architecture.md")).Select(match => match.Value)
            .Where(file => !there.Contains(file)).ShouldBeEmpty();
    }

    [Fact]
    public void Readme_is_read_in_a_few_minutes() => Read("README.md").Split('\n').Length.ShouldBeLessThanOrEqualTo(151);

    private static List<(string Before, string Commands)> Blocks(string document) =>
    [
        .. Fence().Matches(Read(document))
            .Where(match => match.Groups["language"].Value == "sh" && OurCommand().IsMatch(match.Groups["text"].Value))
            .Select(match => (match.Groups["before"].Value, match.Groups["text"].Value)),
    ];

    private static string Read(string document) => Repository.Read(document).ReplaceLineEndings("\n");

    [GeneratedRegex(@"(?<!…)\b[A-Z]\w+(\.[A-Z]\w+)?\.cs\b")]
    private static partial Regex SourceFile();

    [GeneratedRegex(
        @"(<!-- before: (?<before>[^\n]*) -->\n)?^```(?<language>[a-z]+)\n(?<text>.*?)^```$",
        RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex("^chatgenius-db ", RegexOptions.Multiline)]
    private static partial Regex OurCommand();

    [GeneratedRegex(@"\]\((?<path>(?!https?:)[^)#\s]+)(#[^)]*)?\)")]
    private static partial Regex Link();
}
