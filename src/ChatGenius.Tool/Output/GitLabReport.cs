using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using ChatGenius.Db.Safety;

namespace ChatGenius.Tool.Output;

/// <summary>Findings as GitLab's code quality report, which a merge request shows beside the changed lines.</summary>
internal static class GitLabReport
{
    public static string Write(IEnumerable<Finding> findings, Shell shell) => JsonSerializer.Serialize(
        [.. findings.Where(finding => finding.Allowed is null).Select(finding => Of(finding, shell))],
            GitLabContext.Readable.IReadOnlyListGitLabFinding) + "\n";

    private static GitLabFinding Of(Finding finding, Shell shell)
    {
        var path = GitHubAnnotations.PathOf(finding.Where.Path, shell);
        var fingerprint = Convert.ToHexStringLower(
            SHA256.HashData(Encoding.UTF8.GetBytes($"{finding.Hazard.Id}\n{path}\n{finding.Subject}\n{finding.Message}")));
        return new GitLabFinding(
            $"{finding.Message}. {finding.Hazard.Advice}", finding.Hazard.ToString(), fingerprint,
            finding.Severity switch { Severity.Error => "critical", Severity.Warning => "minor", _ => "info" },
            new GitLabLocation(path, new GitLabLines(finding.Where.Line)));
    }
}

/// <param name="Severity"><c>critical</c>, <c>minor</c> or <c>info</c>.</param>
internal sealed record GitLabFinding(string Description, string CheckName, string Fingerprint, string Severity, GitLabLocation Location);

internal sealed record GitLabLocation(string Path, GitLabLines Lines);

internal sealed record GitLabLines(int Begin);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(IReadOnlyList<GitLabFinding>))]
internal sealed partial class GitLabContext : JsonSerializerContext
{
    /// <summary>With what is not ASCII as it is.</summary>
    public static GitLabContext Readable => field ??= new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
