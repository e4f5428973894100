using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using ChatGenius.Db.Safety;

namespace ChatGenius.Tool.Output;

/// <summary>Findings as SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format"), for code scanning.</summary>
internal static class SarifLog
{
    public static string Write(IReadOnlyList<Finding> findings, Shell shell)
    {
        var rules = findings.Select(finding => finding.Hazard).Distinct().OrderBy(hazard => hazard.Id, StringComparer.Ordinal).ToList();
        var log = new SarifDocument(
            "https://json.schemastore.org/sarif-2.1.0.json", "2.1.0",
            [
                new SarifRun(
                    new SarifTool(new SarifDriver(Cli.Name, Cli.Version, [.. rules.Select(Rule)])),
                    "unicodeCodePoints",
                    [.. findings.Select(finding => Result(finding, rules, shell))]),
            ]);
        return JsonSerializer.Serialize(log, SarifContext.Readable.SarifDocument);
    }

    private static SarifRule Rule(Hazard hazard) => new(
        hazard.Id, hazard.Name, new SarifText(hazard.Title), new SarifText(hazard.Effect), new SarifText(hazard.Advice),
            hazard.Documentation, new SarifLevel(Level(hazard.Severity)));

    private static SarifResult Result(Finding finding, List<Hazard> rules, Shell shell)
    {
        var path = GitHubAnnotations.PathOf(finding.Where.Path, shell);
        var text = string.Join("\n", new[] { finding.Message }.Concat(finding.Facts)
            .Append(finding.SafeWay.Length > 0 ? $"\n{finding.SafeWay}" : ""));
        var fingerprint = Convert.ToHexStringLower(
            SHA256.HashData(Encoding.UTF8.GetBytes($"{finding.Hazard.Id}\n{path}\n{finding.Subject}")))[..32];
        return new SarifResult(
            finding.Hazard.Id, rules.IndexOf(finding.Hazard), Level(finding.Severity), new SarifText(text.TrimEnd()),
            [
                new SarifLocation(new SarifPhysicalLocation(
                    new SarifArtifact(Uri.EscapeDataString(path).Replace("%2F", "/", StringComparison.Ordinal)),
                    new SarifRegion(finding.Where.Line, finding.Where.Column, finding.Where.Column + finding.Where.Width))),
            ],
            new SarifFingerprints(fingerprint),
            finding.Allowed is null ? null : [new SarifSuppression("inSource", finding.Allowed)],
            new SarifProperties(finding.Evidence.ToString().ToLowerInvariant(), finding.Version));
    }

    private static string Level(Severity severity) =>
        severity switch { Severity.Error => "error", Severity.Warning => "warning", _ => "note" };
}

internal sealed record SarifDocument([property: JsonPropertyName("$schema")] string Schema, string Version, IReadOnlyList<SarifRun> Runs);

internal sealed record SarifRun(SarifTool Tool, string ColumnKind, IReadOnlyList<SarifResult> Results);

internal sealed record SarifTool(SarifDriver Driver);

internal sealed record SarifDriver(string Name, string Version, IReadOnlyList<SarifRule> Rules);

internal sealed record SarifRule(
    string Id, string Name, SarifText ShortDescription, SarifText FullDescription, SarifText Help, string HelpUri,
        SarifLevel DefaultConfiguration);

internal sealed record SarifLevel(string Level);

internal sealed record SarifText(string Text);

internal sealed record SarifResult(
    string RuleId, int RuleIndex, string Level, SarifText Message, IReadOnlyList<SarifLocation> Locations,
        SarifFingerprints PartialFingerprints,
    IReadOnlyList<SarifSuppression>? Suppressions, SarifProperties Properties);

internal sealed record SarifLocation(SarifPhysicalLocation PhysicalLocation);

internal sealed record SarifPhysicalLocation(SarifArtifact ArtifactLocation, SarifRegion Region);

internal sealed record SarifArtifact(string Uri);

/// <param name="EndColumn">One behind the last character.</param>
internal sealed record SarifRegion(int StartLine, int StartColumn, int EndColumn);

internal sealed record SarifFingerprints([property: JsonPropertyName("subject/v1")] string Subject);

internal sealed record SarifSuppression(string Kind, string Justification);

internal sealed record SarifProperties(string Evidence, long MigrationVersion);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, WriteIndented = true)]
[JsonSerializable(typeof(SarifDocument))]
internal sealed partial class SarifContext : JsonSerializerContext
{
    private static SarifContext? _readable;

    public static SarifContext Readable => _readable ??= new(
        new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
