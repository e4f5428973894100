using System.Text.RegularExpressions;
using ChatGenius.Tool;

namespace ChatGenius.Tests.Tool;

/// <summary>
/// Every problem whose advice names a command: brought about, the command run to the letter, and met no more. What the reader has to do
/// before it is done by the test.
/// </summary>
public partial class AdviceSituationTests
{
    /// <summary>A situation, and which of its ways is gone; calls joined by "and then" are one way.</summary>
    public static TheoryData<string, int> Ways
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (var (name, situation) in AdviceSituations.All)
            {
                var ways = situation.Calls.Replace("rollback apply", "both", StringComparison.Ordinal).Split(' ').Length;
                Enumerable.Range(0, ways).ToList().ForEach(way => data.Add(name, way));
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task What_an_advice_says_leads_out_of_the_situation(string name, int way)
    {
        var situation = AdviceSituations.All[name];
        await using var database = await TestDatabase.CreateAsync();
        using var stage = new AdviceStage(database);
        var call = await situation.Make(stage);
        var first = await stage.FirstAsync(call);
        first.Error.ShouldContain($" {situation.Code}: ");
        var advice = Help().Match(first.Error, first.Error.IndexOf($" {situation.Code}: ", StringComparison.Ordinal)).Groups[1].Value;
        var calls = AdviceTests.QuotedCall().Matches(advice).Select(match => match.Groups[1].Value).ToList();
        calls.Select(one => one.Split(' ')[0]).ShouldBe(situation.Calls.Split(' '), advice);
        advice.ShouldNotContain("***");
        var ways = AndThen().Replace(advice, "'chatgenius-db $1 && ");

        foreach (var advised in AdviceTests.QuotedCall().Matches(ways).ElementAt(way).Groups[1].Value.Split(" && "))
        {
            await (situation.Human?.Invoke(stage, advised) ?? Task.CompletedTask);
            var run = await stage.RunAsync(advised.Replace("FOLDER", stage.Tool.Folder, StringComparison.Ordinal), isFirst: false);
            run.ExitCode.ShouldBe(ExitCode.Done, $"{advised}\n{run.Error}");
            if (situation.Looks || Shows().IsMatch(advised))
            {
                return;
            }
        }

        (await stage.FirstAsync(call)).Error.ShouldNotContain($" {situation.Code}: ");
    }

    /// <summary>The source is read for calls in texts; the code that was named last before a call is the one that it belongs to.</summary>
    [Fact]
    public void No_problem_whose_advice_names_a_command_is_forgotten()
    {
        var inSource = Repository.Sources("src").SelectMany(file => CodeOrCall().Matches(File.ReadAllText(file))
            .Aggregate((Code: "", Found: new List<string>()), (so, match) => match.Groups["code"].Success
                ? (match.Groups["code"].Value, so.Found)
                : (so.Code, [.. so.Found, so.Code])).Found).Where(code => code.Length > 0).ToHashSet();
        var known = AdviceSituations.All.Values.Select(situation => situation.Code).Concat(AdviceSituations.Others.Keys).ToHashSet();

        inSource.Count.ShouldBeGreaterThan(25);
        inSource.Except(known).ShouldBeEmpty("A problem's advice names a command: add its situation to AdviceSituations.");
    }

    [GeneratedRegex(@"\n  help: ([^\n]+)")]
    private static partial Regex Help();

    [GeneratedRegex(@"'chatgenius-db ([^']*)' and then 'chatgenius-db ")]
    private static partial Regex AndThen();

    /// <summary>What only shows something settles nothing.</summary>
    [GeneratedRegex(@"^status|--rules|--help|^repair(?!.* --(done|again|forget|accept))")]
    private static partial Regex Shows();

    [GeneratedRegex("\"(?<code>CG[0-9]{4})\"|new ToolCall\\(|'chatgenius-db (?!NAME)[a-z]+")]
    private static partial Regex CodeOrCall();
}
