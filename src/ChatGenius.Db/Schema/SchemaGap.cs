namespace ChatGenius.Db.Schema;

/// <summary>What a dump leaves out, by name, so that nothing is missing in silence.</summary>
internal static class SchemaGap
{
    /// <summary>What of the snapshot is not written.</summary>
    /// <param name="snapshot">What is written.</param>
    /// <param name="asSql">Whether as SQL, which has to build it; the text has more.</param>
    public static IEnumerable<Problem> Of(SchemaSnapshot snapshot, bool asSql)
    {
        foreach (var o in snapshot.Objects)
        {
            if (o.Kind == "subscription")
            {
                yield return Gap(o, "its connection is left out, for it may hold a password",
                    "Give it with ALTER SUBSCRIPTION … CONNECTION.");
            }
            else if (o.Kind == "user mapping")
            {
                yield return Gap(o, "its options are left out, for they may hold a password",
                    "Give them with ALTER USER MAPPING … OPTIONS.");
            }
            else if (asSql && IsOutside(o))
            {
                yield return Gap(o, $"it is left out, for it belongs to {o.PartOf}",
                    "pg_dumpall writes what belongs to the cluster, pg_dump the data.");
            }
            else if (asSql && o is { Kind: "extension" } && o["owner"] is not null)
            {
                yield return Gap(o, "its owner is left out, which no statement can change", "Load the file as that role.");
            }

            foreach (var index in asSql && o["partition by"] is null ? o.Of("index").Select(f => new IndexFact(f)).Where(i => i.IsInvalid)
                : [])
            {
                yield return Gap(o, $"its index {index.QuotedName} is left out, for it is invalid", "Drop it, or rebuild it with REINDEX.");
            }
        }
    }

    /// <summary>Where columns that several parents share can't be had in their order.</summary>
    internal static Problem Order(SchemaObject o) =>
        Gap(o, "the order of its columns is not kept: its inherited columns are between its own",
            "Its columns are all there, in the order that INHERITS gives them.");

    /// <summary>Whether the object belongs to the cluster or the data, and not to the schema of this database.</summary>
    internal static bool IsOutside(SchemaObject o) => o.Kind is "parameter" or "large object";

    private static Problem Gap(SchemaObject o, string what, string advice) =>
        new("CG1103", $"The {o.Kind} {o.Name}: {what}", Advice: advice);
}
