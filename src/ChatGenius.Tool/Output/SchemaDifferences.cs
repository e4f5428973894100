using ChatGenius.Db.Schema;

namespace ChatGenius.Tool.Output;

/// <summary>Prints in what two schemas differ.</summary>
internal static class SchemaDifferences
{
    /// <returns><see cref="ExitCode.Differs"/> where there is a difference.</returns>
    public static ExitCode Show(Report report, IReadOnlyList<SchemaDifference> differences, string same)
    {
        foreach (var line in differences.SelectMany(d => d.ToString().Split('\n')))
        {
            var sign = line.TrimStart(' ') is [var first, ..] ? first : ' ';
            var tame = Cells.Tame(line);
            report.Result(sign switch
            {
                '+' => report.Style.Green(tame),
                '-' => report.Style.Red(tame),
                '~' => report.Style.Yellow(tame),
                _ => tame,
            });
        }

        report.Result(SchemaDifferencesJson.Of(differences), JsonContext.Readable.SchemaDifferencesJson);
        report.Note(differences.Count switch { 0 => same, 1 => "1 difference", var count => $"{count} differences" });
        return differences.Count == 0 ? ExitCode.Done : ExitCode.Differs;
    }

    /// <summary>PostgreSQL writes some expressions and views in another way from version to version.</summary>
    public static void WarnOfVersions(Report report, int? one, int? other)
    {
        if (one is not null && other is not null && one != other)
        {
            report.Warn(new Problem(
                "CG1106",
                $"PostgreSQL {one} is compared with PostgreSQL {other}: they may write the same view or expression differently",
                Advice: "Compare servers of the same major version to be certain."));
        }
    }
}

/// <summary>What <c>schema diff --json</c> and <c>drift --json</c> print.</summary>
internal sealed record SchemaDifferencesJson(IReadOnlyList<SchemaDifferenceJson> Differences)
{
    public static SchemaDifferencesJson Of(IEnumerable<SchemaDifference> differences) =>
        new([.. differences.Select(d => new SchemaDifferenceJson(
            d.Change.ToString().ToLowerInvariant(), d.ObjectKind, d.ObjectName, d.Fact, d.Before, d.After))]);
}

/// <param name="Change"><c>added</c>, <c>removed</c> or <c>changed</c>.</param>
/// <param name="Fact">What of the object differs; absent where it is the whole object.</param>
internal sealed record SchemaDifferenceJson(string Change, string Kind, string Name, string? Fact, string? Before, string? After);
