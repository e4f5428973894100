using System.Text;
using ChatGenius.Db.Safety;

namespace ChatGenius.Tool.Output;

/// <summary>Findings as Markdown, for a comment on a pull request or the summary of a job.</summary>
internal static class CheckMarkdown
{
    public static string Write(IReadOnlyList<CheckResult> results, string summary)
    {
        var text = new StringBuilder($"### Migrations\n\n{Plain(summary)}\n");
        foreach (var result in results)
        {
            var stand = result.Findings.Where(finding => finding.Allowed is null && finding.Severity > Severity.Info).ToList();
            if (stand.Count == 0)
            {
                continue;
            }

            text.Append($"\n#### {Code(result.Migration.Id)}\n");
            foreach (var finding in stand)
            {
                text.Append($"\n- **{CheckText.Word(finding.Severity)}** [{finding.Hazard}]({finding.Hazard.Documentation}), line "
                    + $"{finding.Where.Line}: {Plain(finding.Message)}");
                text.Append($"\n  {Plain(finding.Hazard.Advice)}\n");
                if (finding.SafeWay.Length > 0)
                {
                    text.Append($"\n  ```sql\n  {finding.SafeWay.Replace("\n", "\n  ", StringComparison.Ordinal)}\n  ```\n");
                }
            }
        }

        return text.ToString();
    }

    private static string Code(string text) => $"`{text.Replace("`", "", StringComparison.Ordinal)}`";

    /// <summary>Names of tables may hold what Markdown or HTML takes for its own.</summary>
    private static string Plain(string text)
    {
        var plain = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            plain.Append(c is '\\' or '`' or '*' or '_' or '[' or ']' or '<' or '>' or '#' or '|' or '~' ? $"\\{c}" : c is '\n' ? " "
                : c.ToString());
        }

        return plain.ToString();
    }
}
