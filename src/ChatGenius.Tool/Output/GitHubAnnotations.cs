using ChatGenius.Db.Safety;

namespace ChatGenius.Tool.Output;

/// <summary>Workflow commands that GitHub shows beside the changed lines of a pull request.</summary>
internal static class GitHubAnnotations
{
    /// <summary>Writes one a finding. They go to stderr, where GitHub reads them as well: stdout may carry a document.</summary>
    public static void Write(Report report, IEnumerable<Finding> findings, Shell shell)
    {
        foreach (var finding in findings.Where(finding => finding.Allowed is null))
        {
            report.Command(Line(finding, shell));
        }
    }

    internal static string Line(Finding finding, Shell shell)
    {
        var level = finding.Severity switch { Severity.Error => "error", Severity.Warning => "warning", _ => "notice" };
        var where = finding.Where;
        var safeWay = finding.SafeWay.Length > 0 ? $"\n\n{finding.SafeWay}" : "";
        var place = string.Create(
            CultureInfo.InvariantCulture, $"file={Property(PathOf(where.Path, shell))},line={where.Line},col={where.Column}");
        return $"::{level} {place},title={Property(finding.Hazard.ToString())}"
            + $"::{Data($"{finding.Message}\n{finding.Hazard.Advice}{safeWay}\n{finding.Hazard.Documentation}")}";
    }

    /// <summary>Relative to the checkout, which is how GitHub knows its files.</summary>
    internal static string PathOf(string path, Shell shell)
    {
        var root = shell.Variable("GITHUB_WORKSPACE") ?? shell.WorkingDirectory;
        var relative = Path.GetRelativePath(root, shell.Absolute(path));
        return (relative.StartsWith("..", StringComparison.Ordinal) ? path : relative).Replace('\\', '/');
    }

    private static string Data(string text) =>
        text.Replace("%", "%25", StringComparison.Ordinal).Replace("\r", "%0D", StringComparison.Ordinal)
            .Replace("\n", "%0A", StringComparison.Ordinal);

    private static string Property(string text) =>
        Data(text).Replace(":", "%3A", StringComparison.Ordinal).Replace(",", "%2C", StringComparison.Ordinal);
}
