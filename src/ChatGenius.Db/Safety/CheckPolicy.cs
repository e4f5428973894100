namespace ChatGenius.Db.Safety;

/// <summary>What a project decided about a rule.</summary>
/// <param name="Severity">How much it matters there; null where it is off.</param>
/// <param name="Reason">Why.</param>
internal sealed record RulePolicy(Severity? Severity, string Reason);

/// <summary>What a project decided about <c>check</c>.</summary>
internal sealed record CheckPolicy
{
    /// <summary>Nothing.</summary>
    public static CheckPolicy None { get; } = new();

    /// <summary>Rules that matter more or less there than elsewhere, by id.</summary>
    public IReadOnlyDictionary<string, RulePolicy> Rules { get; init; } = new Dictionary<string, RulePolicy>();

    /// <summary>Schemas and tables whose hazards are nobody's concern: <c>audit</c>, <c>public.drafts</c>.</summary>
    public IReadOnlyCollection<string> LeftOut { get; init; } = [];

    /// <summary>Migrations up to this number count as reviewed.</summary>
    public long StartAfter { get; init; }

    /// <summary>The version of production's server, such as 150018; 0 where the target or the throw-away server says it.</summary>
    public int ServerVersion { get; init; }

    /// <summary>The finding as the project wants it: with its own severity, or allowed with its reason.</summary>
    internal Finding Apply(MigrationFacts facts, Finding finding)
    {
        if (finding.Allowed is null && IsLeftOut(facts, finding))
        {
            return finding with { Allowed = "left out by the settings" };
        }

        return !Rules.TryGetValue(finding.Hazard.Id, out var rule) ? finding
            : rule.Severity is { } severity ? finding with { Severity = severity }
            : finding with { Allowed = finding.Allowed ?? rule.Reason };
    }

    private bool IsLeftOut(MigrationFacts facts, Finding finding)
    {
        if (LeftOut.Count == 0)
        {
            return false;
        }

        var table = finding.Table == 0 ? null : facts.Before.Find(facts.Before.Root(finding.Table)) ?? facts.After.Find(finding.Table);
        return table is not null
            && (LeftOut.Contains(table.Schema) || LeftOut.Contains(table.Display) || LeftOut.Contains($"{table.Schema}.{table.Name}"));
    }
}
