using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace ChatGenius.Tests;

/// <summary>What the house rules say about the source, checked on the source.</summary>
public partial class ArchitectureTests
{
    private static readonly string Root = FindRoot();

    private static readonly List<string> Folders =
        [.. Directory.GetDirectories(Path.Combine(Root, "src", "ChatGenius.Db")).Select(d => Path.GetFileName(d)).Except(["bin", "obj"])];

    public static TheoryData<string> Rooms => [.. Folders];

    /// <summary>The rooms by floors: a room uses those on lower floors, never one beside it or above it.</summary>
    private static readonly string[][] Floors =
        [["Text"], ["Sql"], ["Connections"], ["Files"], ["Migrations", "Schema", "Server", "Templates"], ["Replay"], ["Safety"]];

    [Theory]
    [MemberData(nameof(Rooms))]
    public void A_room_names_only_what_lies_under_it(string room)
    {
        var allowed = Floors.TakeWhile(floor => !floor.Contains(room)).SelectMany(floor => floor).ToList();
        var forbidden = Folders.Except(allowed).Except([room]).ToList();
        var named = Sources("src", "ChatGenius.Db", room)
            .SelectMany(f => RoomName().Matches(File.ReadAllText(f)).Select(m => (File: Path.GetFileName(f), Room: m.Groups["room"].Value)));

        forbidden.ShouldNotBeEmpty();
        named.Where(n => forbidden.Contains(n.Room)).Distinct().ShouldBeEmpty();
    }

    [Fact]
    public void The_engine_knows_neither_the_tool_nor_a_console() =>
        Sources("src", "ChatGenius.Db").Where(f => ToolOrConsole().IsMatch(File.ReadAllText(f))).Select(Path.GetFileName).ShouldBeEmpty();

    [Fact]
    public void Every_problem_is_documented_and_every_documented_problem_exists()
    {
        var used = Sources("src").SelectMany(f => Code().Matches(File.ReadAllText(f)).Select(m => m.Groups["code"].Value)).Distinct().Order().ToList();
        var lines = File.ReadAllLines(Path.Combine(Root, "PROBLEMS.md"));
        var documented = lines.Select(l => DocumentedCode().Match(l)).Where(m => m.Success).Select(m => m.Groups["code"].Value).ToList();

        used.ShouldNotBeEmpty();
        used.Except(documented).ShouldBeEmpty("Used in the source, missing in PROBLEMS.md.");
        documented.Except(used).ShouldBeEmpty("In PROBLEMS.md, used nowhere.");
        documented.ShouldBe([.. documented.Distinct().Order()], customMessage: "PROBLEMS.md is sorted and names each once.");
    }

    [Fact]
    public void Every_line_of_what_can_go_wrong_names_tests_that_exist()
    {
        var tests = typeof(ArchitectureTests).Assembly.GetTypes().SelectMany(type => type.GetMethods())
            .Where(method => method.IsDefined(typeof(FactAttribute), inherit: true)).Select(method => method.Name).ToHashSet();
        var rows = File.ReadAllLines(Path.Combine(Root, "docs", "faults.md")).Where(line => line.StartsWith('|')).Skip(2).Select(line => line.Split('|')[^2]).ToList();

        rows.Count.ShouldBeGreaterThan(10);
        foreach (var row in rows)
        {
            var named = row.Split(',', StringSplitOptions.TrimEntries).Select(name => name.Trim('`')).ToList();
            named.ShouldAllBe(name => tests.Contains(name), row);
        }
    }

    private static List<string> Sources(params string[] folder) =>
        [.. Directory.EnumerateFiles(Path.Combine([Root, .. folder]), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj"))];

    private static string FindRoot([CallerFilePath] string path = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, "..", ".."));

    [GeneratedRegex(@"ChatGenius\.Db\.(?<room>[A-Z][a-z]+)")]
    private static partial Regex RoomName();

    [GeneratedRegex(@"\bChatGenius\.Tool\b(?!"")|\bConsole\.|McMaster|Spectre|Microsoft\.Extensions")]
    private static partial Regex ToolOrConsole();

    [GeneratedRegex(@"""(?<code>CG\d{4})""")]
    private static partial Regex Code();

    [GeneratedRegex(@"^\|\s*`?(?<code>CG\d{4})`?\s*\|")]
    private static partial Regex DocumentedCode();
}
