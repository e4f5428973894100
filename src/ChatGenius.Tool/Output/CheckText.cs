using ChatGenius.Db.Safety;

namespace ChatGenius.Tool.Output;

/// <summary>What <c>check</c> found, for a person.</summary>
internal static class CheckText
{
    /// <summary>The word for a severity in every output.</summary>
    public static string Word(Severity severity) =>
        severity switch { Severity.Error => "error", Severity.Warning => "warning", _ => "info" };

    /// <summary>Writes migration by migration: the statements that ask something of others, then the findings; a summary goes to
    /// stderr.</summary>
    public static void Write(Report report, IReadOnlyList<CheckResult> results, TimeSpan elapsed)
    {
        bool IsShown(Finding finding) => finding.Allowed is null && (finding.Severity > Severity.Info || report.Verbose);
        foreach (var result in results)
        {
            WriteLocks(report, result);
            foreach (var finding in result.Findings.Where(IsShown))
            {
                if (!report.Json)
                {
                    report.Out.Write(ProblemText.Of(AsProblem(finding), report.OutWidth, report.Style, finding.Severity < Severity.Error,
                        Word(finding.Severity)));
                    report.Result();
                }
            }
        }

        report.Note(Summary(results, [.. results.SelectMany(result => result.Findings).Where(IsShown)], elapsed));
        if (results.Any(result => result.LacksRows))
        {
            report.Note("Tables were empty here: --made-up, --data or --target show how many rows change");
        }
    }

    /// <summary>The measured facts, why it matters, and the safe way, in the form in which problems are shown.</summary>
    internal static Problem AsProblem(Finding finding)
    {
        var evidence = finding.Evidence.ToString().ToLowerInvariant();
        var facts = finding.Facts.Length == 0 ? [] : finding.Facts.Select((fact, i) => i == 0 ? $"{evidence}: {fact}" : fact);
        var safeWay = finding.SafeWay.Length == 0 ? "" : "\n"
            + string.Join('\n', finding.SafeWay.Split('\n').Select(line => line.Length == 0 ? "" : $"    {line}"));
        return new Problem(
            finding.Hazard.ToString(), string.Join('\n', facts.Prepend(finding.Message)), finding.Where,
                $"{finding.Hazard.Advice}{safeWay}\n{finding.Hazard.Documentation}");
    }

    private static void WriteLocks(Report report, CheckResult result)
    {
        report.Result(report.Style.Bold($"{Path.GetFileNameWithoutExtension(result.Migration.Source.Path)}")
            + report.Style.Dim($"  {result.Migration.Source.Path}"));
        foreach (var statement in result.Trace.Statements)
        {
            var locks = result.LocksOf(statement);
            List<string> lines = statement.Outcome == TraceOutcome.NotRun
                ? [$"not run: {statement.Reason}{(statement.IsUnjudged ? "; judged by its words" : "")}"]
                : statement.Outcome == TraceOutcome.Failed ? ["failed"]
                : Lines(locks!).ToList();
            if (lines.Count == 0 && !report.Verbose)
            {
                continue;
            }

            var where = statement.Statement.Location;
            report.Result(
                $"  {where.Line,4}  {Cells.Tame(Cells.Cut(FirstLine(statement.Statement.Text), Math.Max(30, report.OutWidth - 10)))}");
            foreach (var line in lines)
            {
                report.Result(report.Style.Dim($"          {line}"));
            }
        }

        report.Result();
    }

    private static IEnumerable<string> Lines(StatementLocks locks)
    {
        foreach (var taken in locks.Locks.Where(taken => taken.Mode > LockMode.RowExclusive))
        {
            yield return $"{taken.Mode.ToSql()} on {taken.Table}: {taken.Mode.Blocks()}";
        }

        foreach (var table in locks.Rewritten)
        {
            yield return $"rewrites {table}";
        }

        foreach (var table in locks.Scanned.Except(locks.Rewritten))
        {
            yield return $"reads {table} whole";
        }

        if (locks.Alone)
        {
            yield return "runs outside a transaction, where locks can't be read";
        }
    }

    /// <summary>What was found, in one line.</summary>
    public static string Summary(IReadOnlyList<CheckResult> results, TimeSpan elapsed)
    {
        var shown = results.SelectMany(result => result.Findings).Where(finding => finding is { Allowed: null, Severity: > Severity.Info });
        return Summary(results, [.. shown], elapsed);
    }

    private static string Summary(IReadOnlyList<CheckResult> results, List<Finding> shown, TimeSpan elapsed)
    {
        if (results.Count == 0)
        {
            return "Nothing to check (--all checks every migration)";
        }

        var counts = new[] { (Severity.Error, "error"), (Severity.Warning, "warning"), (Severity.Info, "info") }
            .Select(level => (Count: shown.Count(finding => finding.Severity == level.Item1), level.Item2))
            .Where(level => level.Count > 0).Select(level => Plural.Of(level.Count, level.Item2)).ToList();
        var unjudged = results.Sum(result => result.Unjudged);
        if (unjudged > 0)
        {
            counts.Add($"{Plural.Of(unjudged, "statement")} could not be judged");
        }

        var all = results.SelectMany(result => result.Findings).ToList();
        var allowed = all.Count(finding => finding.Allowed is not null);
        var hidden = all.Count(finding => finding.Allowed is null) - shown.Count;
        var notes = new[] { allowed > 0 ? $"{allowed} allowed" : null, hidden > 0 ? $"{Plural.Of(hidden, "info")} with --verbose"
            : null }.OfType<string>().ToList();
        var found = counts.Count == 0 ? "nothing found" : string.Join(", ", counts);
        return $"{Plural.Of(results.Count, "migration")} checked in {Duration.Format(elapsed)}: {found}"
            + (notes.Count > 0 ? $" ({string.Join(", ", notes)})" : "");
    }

    private static string FirstLine(string text)
    {
        var end = text.AsSpan().IndexOfAny('\n', '\r');
        return end < 0 ? text : $"{text[..end].TrimEnd()} …";
    }
}

/// <summary>What <c>check --rules --json</c> prints.</summary>
internal sealed record RulesJson(IReadOnlyList<RuleJson> Rules)
{
    public static RulesJson Of(IEnumerable<Hazard> hazards) => new(
        [.. hazards.Select(h => new RuleJson(h.Id, h.Name, CheckText.Word(h.Severity), h.Evidence.ToString().ToLowerInvariant(), h.Title,
            h.Effect, h.Advice, h.Documentation, h.RefusedWith))]);
}

/// <param name="RefusedWith">The problem with which a file that does it is refused; absent for what is reported.</param>
internal sealed record RuleJson(string Id, string Rule, string Severity, string Evidence, string Title, string Effect, string Advice,
    string Documentation, string? RefusedWith);
