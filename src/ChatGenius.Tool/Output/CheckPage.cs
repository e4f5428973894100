using System.Globalization;
using System.Net;
using System.Text;
using ChatGenius.Db.Files;
using ChatGenius.Db.Safety;
namespace ChatGenius.Tool.Output;

/// <summary>What <c>check</c> found as one page that needs nothing else: no script, no font, no picture from anywhere.</summary>
internal static class CheckPage
{
    private const string Css =
        """
        :root { color-scheme: light dark; --text: #1b1f24; --back: #fff; --quiet: #57606a; --line: #d0d7de; --code: #f6f8fa; --error: #b3261e; --warning: #8a5300; --info: #0b5cad; }
        @media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --back: #0d1117; --quiet: #9aa4af; --line: #30363d; --code: #161b22; --error: #ff8a80; --warning: #e3b341; --info: #79b8ff; } }
        body { margin: 2rem auto; padding: 0 1rem; max-width: 62rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); overflow-wrap: anywhere; }
        h1 { font-size: 1.5rem; } h2 { margin-top: 2.5rem; font-size: 1.2rem; border-bottom: 1px solid var(--line); } h3 { font-size: 1rem; margin: 0; }
        code, pre { font: .875rem/1.5 ui-monospace, monospace; } pre { overflow-x: auto; padding: .75rem; background: var(--code); border: 1px solid var(--line); border-radius: .375rem; }
        table { border-collapse: collapse; width: 100%; } caption { text-align: left; } th { overflow-wrap: normal; } th, td { padding: .25rem .5rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
        article { margin: 1rem 0; padding: .75rem 1rem; border: 1px solid var(--line); border-left: .375rem solid var(--info); border-radius: .375rem; }
        article.error { border-left-color: var(--error); } article.warning { border-left-color: var(--warning); }
        .level { font-weight: 600; } .error .level { color: var(--error); } .warning .level { color: var(--warning); } .info .level { color: var(--info); } .quiet { color: var(--quiet); }
        """;

    public static string Write(IReadOnlyList<CheckResult> results, TimeSpan elapsed)
    {
        var page = new StringBuilder();
        page.Append($"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Migration check</title>\n<style>\n{Css}\n</style>\n</head>\n<body>\n<main>\n<h1>Migration check</h1>\n");
        page.Append($"<p>{Plural.Of(results.Count, "migration")} run on a throw-away database in {Duration.Format(elapsed)}: {Counts(results)}.</p>\n<nav>\n<ul>\n");
        foreach (var result in results)
        {
            page.Append($"<li><a href=\"#{Anchor(result)}\">{Name(result)}</a>: {Counts([result])}</li>\n");
        }

        page.Append("</ul>\n</nav>\n");
        foreach (var result in results)
        {
            page.Append($"<section id=\"{Anchor(result)}\">\n<h2>{Name(result)}</h2>\n");
            foreach (var finding in result.Findings)
            {
                Finding(page, finding);
            }

            Statements(page, result);
            page.Append("</section>\n");
        }

        return page.Append("</main>\n</body>\n</html>\n").ToString();
    }

    private static string Anchor(CheckResult result) => string.Create(CultureInfo.InvariantCulture, $"m{result.Migration.Version}");

    private static string Name(CheckResult result) => Text(Path.GetFileNameWithoutExtension(result.Migration.Source.Path));

    private static string Counts(IEnumerable<CheckResult> results)
    {
        var standing = results.SelectMany(result => result.Findings).Where(finding => finding.Allowed is null).GroupBy(finding => finding.Severity).OrderByDescending(level => level.Key)
            .Select(level => Plural.Of(level.Count(), CheckText.Word(level.Key))).ToList();
        return standing.Count == 0 ? "nothing found" : string.Join(", ", standing);
    }

    private static void Statements(StringBuilder page, CheckResult result)
    {
        var rows = result.Trace.Statements.Select(statement => (statement.Statement, Effects: Effects(result, statement))).Where(row => row.Effects.Length > 0).ToList();
        if (rows.Count == 0)
        {
            page.Append("<p class=\"quiet\">No statement locks or reads what others use.</p>\n");
            return;
        }

        page.Append("<table>\n<caption class=\"quiet\">What statements ask of others</caption>\n<thead><tr><th scope=\"col\">Line</th><th scope=\"col\">Statement</th><th scope=\"col\">Locks and work</th></tr></thead>\n<tbody>\n");
        foreach (var (statement, effects) in rows)
        {
            page.Append($"<tr><td>{statement.Location.Line}</td><td><code>{Text(statement.Text.Length > 300 ? $"{statement.Text[..300]} …" : statement.Text)}</code></td><td>{effects}</td></tr>\n");
        }

        page.Append("</tbody>\n</table>\n");
    }

    private static string Effects(CheckResult result, StatementTrace statement)
    {
        if (statement.Outcome != TraceOutcome.Ran)
        {
            return statement.Outcome == TraceOutcome.Failed ? "failed" : Text($"not run: {statement.Reason}");
        }

        var locks = result.Locks.First(locks => locks.Index == statement.Index);
        var lines = locks.Locks.Select(taken => $"{taken.Mode.ToSql()} on {taken.Table}: {taken.Mode.Blocks()}")
            .Concat(locks.Rewritten.Select(table => $"writes {table} anew")).Concat(locks.Scanned.Except(locks.Rewritten).Select(table => $"reads {table} whole"));
        return string.Join("<br>", lines.Select(Text));
    }

    private static void Finding(StringBuilder page, Finding finding)
    {
        var level = CheckText.Word(finding.Severity);
        page.Append($"<article class=\"{level}\">\n<h3><span class=\"level\">{level} {finding.Hazard.Id}</span> {Text(finding.Message)}</h3>\n");
        page.Append($"<p class=\"quiet\"><code>{Text(finding.Where.ToString())}</code>, {Text(finding.Hazard.Name)}, {finding.Evidence.ToString().ToLowerInvariant()}</p>\n");
        if (finding.Allowed is not null)
        {
            page.Append($"<p>Allowed: {Text(finding.Allowed)}</p>\n");
        }

        if (finding.Facts.Length > 0)
        {
            page.Append($"<ul>{string.Concat(finding.Facts.Select(fact => $"<li>{Text(fact)}</li>"))}</ul>\n");
        }

        page.Append($"<p>{Text(finding.Hazard.Effect)}</p>\n<p>{Text(finding.Hazard.Advice)} <a href=\"{Text(finding.Hazard.Documentation)}\">PostgreSQL's documentation</a></p>\n");
        page.Append(finding.SafeWay.Length > 0 ? $"<pre tabindex=\"0\">{Text(finding.SafeWay)}</pre>\n</article>\n" : "</article>\n");
    }

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
