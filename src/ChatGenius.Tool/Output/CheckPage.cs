using ChatGenius.Db.Safety;
using ChatGenius.Db.Text;
using Scriban.Runtime;

namespace ChatGenius.Tool.Output;

/// <summary>What <c>check</c> found as one page that needs nothing else: no script, no font, no picture from anywhere.</summary>
internal static class CheckPage
{
    private const int LongestStatement = 300;

    public static string Write(IReadOnlyList<CheckResult> results, TimeSpan elapsed) =>
        TextTemplate.RenderPage(typeof(CheckPage).Assembly, "CheckPage", new ScriptObject
        {
            ["migrations"] = Plural.Of(results.Count, "migration"),
            ["elapsed"] = Duration.Format(elapsed),
            ["counts"] = Counts(results),
            ["results"] = new ScriptArray(results.Select(result => new ScriptObject
            {
                ["version"] = result.Migration.Version,
                ["name"] = Path.GetFileNameWithoutExtension(result.Migration.Source.Path),
                ["counts"] = Counts([result]),
                ["findings"] = new ScriptArray(result.Findings.Select(Describe)),
                ["statements"] = new ScriptArray(Statements(result)),
            })),
        });

    private static string Counts(IEnumerable<CheckResult> results)
    {
        var standing = results.SelectMany(result => result.Findings).Where(finding => finding.Allowed is null)
            .GroupBy(finding => finding.Severity).OrderByDescending(level => level.Key)
            .Select(level => Plural.Of(level.Count(), CheckText.Word(level.Key))).ToList();
        return standing.Count == 0 ? "nothing found" : string.Join(", ", standing);
    }

    private static ScriptObject Describe(Finding finding) => new()
    {
        ["level"] = CheckText.Word(finding.Severity),
        ["id"] = finding.Hazard.Id,
        ["name"] = finding.Hazard.Name,
        ["message"] = finding.Message,
        ["where"] = finding.Where.ToString(),
        ["evidence"] = finding.Evidence.ToString().ToLowerInvariant(),
        ["allowed"] = finding.Allowed,
        ["facts"] = new ScriptArray(finding.Facts),
        ["effect"] = finding.Hazard.Effect,
        ["advice"] = finding.Hazard.Advice,
        ["documentation"] = finding.Hazard.Documentation,
        ["safe_way"] = finding.SafeWay.Length > 0 ? finding.SafeWay : null,
    };

    /// <summary>The statements that others notice.</summary>
    private static IEnumerable<ScriptObject> Statements(CheckResult result) =>
        from statement in result.Trace.Statements
        let effects = Effects(result, statement).ToList()
        where effects.Count > 0
        let text = statement.Statement.Text
        select new ScriptObject
        {
            ["line"] = statement.Statement.Location.Line,
            ["text"] = text.Length > LongestStatement ? $"{text[..LongestStatement]} …" : text,
            ["effects"] = new ScriptArray(effects),
        };

    private static IEnumerable<string> Effects(CheckResult result, StatementTrace statement)
    {
        if (statement.Outcome != TraceOutcome.Ran)
        {
            return [statement.Outcome == TraceOutcome.Failed ? "failed" : $"not run: {statement.Reason}"];
        }

        var locks = result.LocksOf(statement)!;
        return locks.Locks.Select(taken => $"{taken.Mode.ToSql()} on {taken.Table}: {taken.Mode.Blocks()}")
            .Concat(locks.Rewritten.Select(table => $"rewrites {table}"))
            .Concat(locks.Scanned.Except(locks.Rewritten).Select(table => $"reads {table} whole"));
    }
}
