using System.Collections.Frozen;
using System.Collections.Immutable;

namespace ChatGenius.Db.Safety;

/// <summary>All rules.</summary>
internal static class Hazards
{
    /// <summary>Sorted as the catalogue is: locks, data loss, compatibility, failure, hygiene, state.</summary>
    public static ImmutableArray<Hazard> All { get; } =
    [
        .. IndexRules.All, .. ScanRules.All, .. RewriteRules.All, .. LockRules.All, .. DataLossRules.All, .. CompatibilityRules.All,
            .. FailureRules.All,
        .. HygieneRules.All, .. StateRules.All,
    ];

    private static readonly FrozenDictionary<string, Hazard> ByName =
        All.SelectMany(hazard => (IEnumerable<KeyValuePair<string, Hazard>>)[new(hazard.Id, hazard), new(hazard.Name, hazard)])
            .ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>A rule by its id or its name, in any case; null when there is none.</summary>
    public static Hazard? Find(string idOrName) => ByName.GetValueOrDefault(idOrName);
}
