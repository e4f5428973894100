using System.Globalization;
using ChatGenius.Db.Files;
using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Safety;

/// <summary>
/// <c>-- cgdb:allow rule(object), rule until=2026-12-31: reason</c> before a statement, <c>-- cgdb:allow-file …</c> before
/// <c>-- migrate:up</c>.
/// </summary>
internal static class Suppressions
{
    /// <summary>Marks allowed findings and reports allows that match nothing.</summary>
    /// <exception cref="ProblemException">CG1203: neither allow nor allow-file; CG1204: no such rule; CG1205: no reason, or a date that is
    /// none; CG1206: an allow-file below the first directive.</exception>
    internal static IEnumerable<Finding> Apply(Migration migration, IReadOnlyList<Finding> findings, DateOnly today)
    {
        var problems = new List<Problem>();
        var allows = Read(migration, problems);
        if (problems.Count > 0)
        {
            throw new ProblemException(problems);
        }

        var used = new HashSet<Allow>();
        var marked = new List<Finding>();
        foreach (var finding in findings)
        {
            var allow = allows.FirstOrDefault(allow => allow.Covers(finding, today));
            if (allow is not null)
            {
                used.Add(allow);
            }

            marked.Add(allow is null ? finding : finding with { Allowed = allow.Reason });
        }

        return WithTheirConsequences(marked)
            .Concat(allows.Where(allow => !used.Contains(allow)).Select(allow => Unused(migration, allow, today)));
    }

    /// <summary>Allowing DROP TABLE or DROP COLUMN also allows M102 for it: its data can't come back.</summary>
    private static IEnumerable<Finding> WithTheirConsequences(List<Finding> findings)
    {
        return findings.Select(finding => finding.Hazard == HygieneRules.DownDoesNotRestore && finding.Allowed is null
            && findings.Find(other => Takes(other, finding.Subject)) is { } cause
            ? finding with { Allowed = cause.Allowed }
            : finding);

        static bool Takes(Finding drop, string subject) =>
            drop.Allowed is not null
            && ((drop.Hazard == DataLossRules.DropTable && drop.Subject == subject)
                || (drop.Hazard == DataLossRules.DropColumn && Same(drop.Subject, subject)));
    }

    /// <summary>Whether a name that may lack its schema or table is that of a subject.</summary>
    private static bool Same(string written, string subject)
    {
        var plain = Plain(subject);
        return Plain(written) == plain || plain.EndsWith($".{Plain(written)}", StringComparison.Ordinal);

        static string Plain(string name) => name.Replace("\"", "", StringComparison.Ordinal);
    }

    private static Finding Unused(Migration migration, Allow allow, DateOnly today) =>
        new Finding(allow.Hazard.Name, allow.Until < today
                ? $"The allow of {allow.Hazard} was good until {allow.Until:yyyy-MM-dd}" : $"The allow of {allow.Hazard} covers nothing")
            .Of(HygieneRules.UnusedAllow, Evidence.Text, migration.Version, allow.Where);

    /// <summary>What is wrong with the comments of a migration.</summary>
    internal static List<Problem> Problems(Migration migration)
    {
        var problems = new List<Problem>();
        Read(migration, problems);
        return problems;
    }

    private static List<Allow> Read(Migration migration, List<Problem> problems) =>
    [
        .. MigrationComment.ReadAll(migration.Source, migration.Up.Script.Statements.Concat(migration.Down.Script.Statements))
            .SelectMany(comment => ReadLine(
                    migration, migration.Source.At(comment.Token.Start, comment.Token.Length), comment.Text, problems)
                .Select(allow => allow with { Statement = comment.Next is { } next ? migration.Source.At(next.Start) : null })),
    ];

    private static IEnumerable<Allow> ReadLine(Migration migration, SourceLocation where, string text, List<Problem> problems)
    {
        var wholeFile = text.StartsWith("cgdb:allow-file ", StringComparison.Ordinal);
        if (text.Split((char[]?)null, 2)[0] is "cgdb:require" or "cgdb:ensure" or "cgdb:restore"
            or "cgdb:wait-standbys" or "cgdb:unused-since")
        {
            yield break;
        }

        if (!wholeFile && !text.StartsWith("cgdb:allow ", StringComparison.Ordinal))
        {
            problems.Add(new Problem("CG1203",
                "It is not cgdb:allow, cgdb:allow-file, cgdb:require, cgdb:ensure, cgdb:restore, cgdb:unused-since or cgdb:wait-standbys",
                where,
                "Write -- cgdb:allow rule: reason."));
            yield break;
        }

        if (wholeFile && where.Line > migration.Up.Where.Line)
        {
            problems.Add(new Problem("CG1206", "cgdb:allow-file has to stand before -- migrate:up", where,
                "Move it there, or use cgdb:allow before the statement."));
            yield break;
        }

        var list = text[text.IndexOf(' ', StringComparison.Ordinal)..];
        var colon = list.IndexOf(':', StringComparison.Ordinal);
        var reason = colon < 0 ? "" : list[(colon + 1)..].Trim();
        list = colon < 0 ? list : list[..colon];
        var until = ReadUntil(ref list, where, problems);
        if (reason.Length == 0 || reason.StartsWith("todo", StringComparison.OrdinalIgnoreCase))
        {
            problems.Add(new Problem("CG1205", $"The allow gives no reason{(reason.Length == 0 ? "" : " yet")}", where,
                "Say why after a colon: -- cgdb:allow rule: reason."));
        }

        foreach (var item in SplitList(list))
        {
            var open = item.IndexOf('(', StringComparison.Ordinal);
            var rule = (open < 0 ? item : item[..open]).Trim();
            var subject = open < 0 ? null : item[(open + 1)..].TrimEnd(' ', ')').Trim();
            if (Hazards.Find(rule) is { } hazard)
            {
                yield return new Allow(hazard, subject, until, reason, wholeFile, where, null);
            }
            else
            {
                problems.Add(new Problem("CG1204", $"There is no rule \"{rule}\"", At(where, rule),
                    "'chatgenius-db check --rules' lists them; there is no allow for everything."));
            }
        }
    }

    private static DateOnly? ReadUntil(ref string list, SourceLocation where, List<Problem> problems)
    {
        var at = list.IndexOf("until=", StringComparison.Ordinal);
        if (at < 0)
        {
            return null;
        }

        var value = list[(at + 6)..].Trim();
        list = list[..at];
        if (DateOnly.TryParseExact(value, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date))
        {
            return date;
        }

        problems.Add(new Problem("CG1205", $"\"{value}\" is no date", At(where, value), "Write it as 2026-12-31."));
        return null;
    }

    /// <summary>Commas inside parentheses belong to the object.</summary>
    private static IEnumerable<string> SplitList(string list)
    {
        var (depth, start) = (0, 0);
        for (var i = 0; i <= list.Length; i++)
        {
            if (i == list.Length || (list[i] == ',' && depth == 0))
            {
                yield return list[start..i].Trim();
                start = i + 1;
            }
            else
            {
                depth += list[i] == '(' ? 1 : list[i] == ')' ? -1 : 0;
            }
        }
    }

    private static SourceLocation At(SourceLocation where, string word)
    {
        var at = word.Length == 0 ? -1 : where.LineText.IndexOf(word, where.Column - 1, StringComparison.Ordinal);
        return at < 0 ? where : where with { Column = at + 1, Width = word.Length };
    }

    /// <summary>One rule of one comment.</summary>
    private sealed record Allow(
        Hazard Hazard, string? Subject, DateOnly? Until, string Reason, bool WholeFile, SourceLocation Where, SourceLocation? Statement)
    {
        internal bool Covers(Finding finding, DateOnly today) =>
            finding.Hazard == Hazard && (Until is null || Until >= today)
            && (Subject is null || Same(Subject, finding.Subject))
            && (WholeFile || (Statement is { } statement && statement.Line == finding.Where.Line
                && statement.Column == finding.Where.Column));
    }
}
