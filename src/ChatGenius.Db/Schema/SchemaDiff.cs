namespace ChatGenius.Db.Schema;

/// <summary>How an object or a fact differs.</summary>
internal enum SchemaChange
{
    /// <summary>It is there only after.</summary>
    Added,

    /// <summary>It was there only before.</summary>
    Removed,

    /// <summary>It is there before and after, but not the same.</summary>
    Changed,
}

/// <summary>One difference between two schemas.</summary>
/// <param name="Change">Added, removed or changed.</param>
/// <param name="ObjectKind">The kind of the object, such as <c>table</c>.</param>
/// <param name="ObjectName">The name of the object, qualified and quoted where needed.</param>
/// <param name="Fact">What of the object differs, such as <c>column email</c>; null where it is the whole object.</param>
/// <param name="Before">The text before, or null where there was none.</param>
/// <param name="After">The text after, or null where there is none.</param>
internal sealed record SchemaDifference(
    SchemaChange Change, string ObjectKind, string ObjectName, string? Fact, string? Before, string? After)
{
    /// <summary>
    /// Whether it may come from the server and its platform, where migrations are replayed on another one: owners, tablespaces, versions,
    /// what belongs to the cluster, privileges on what PostgreSQL or an extension brings.
    /// </summary>
    public bool IsOfPlatform { get; init; }

    /// <summary>
    /// The difference in one line: <c>~ table public.users: column email: text -> citext</c>. A text of several lines follows
    /// in lines of its own; where it changed, with only the lines that differ and one before and after.
    /// </summary>
    public override string ToString()
    {
        var sign = Change switch { SchemaChange.Added => '+', SchemaChange.Removed => '-', _ => '~' };
        var subject = Fact is null ? $"{sign} {ObjectKind} {ObjectName}" : $"{sign} {ObjectKind} {ObjectName}: {Fact}";
        var isLong = Before?.Contains('\n') == true || After?.Contains('\n') == true;
        return (Fact, Change) switch
        {
            (null, _) => subject,
            (_, SchemaChange.Changed) when isLong => $"{subject}:{LineDiff.Between(Before!, After!)}",
            (_, SchemaChange.Changed) => $"{subject}: {Before} -> {After}",
            _ when isLong => $"{subject}:\n    {(Before ?? After)!.Replace("\n", "\n    ", StringComparison.Ordinal)}",
            _ => $"{subject}: {Before ?? After}",
        };
    }
}

/// <summary>Compares two snapshots without a database.</summary>
internal static class SchemaDiff
{
    /// <summary>What must happen to <paramref name="before"/> to make it <paramref name="after"/>; empty where they are equal.</summary>
    /// <returns>By object in the order of snapshots; a table that only one side has is one difference, not one a column.</returns>
    public static IReadOnlyList<SchemaDifference> Between(SchemaSnapshot before, SchemaSnapshot after)
    {
        var old = before.Objects.ToDictionary(o => (o.Kind, o.Name));
        var @new = after.Objects.ToDictionary(o => (o.Kind, o.Name));
        var differences = new List<SchemaDifference>();
        foreach (var key in old.Keys.Union(@new.Keys).OrderBy(k => Array.IndexOf(SchemaText.Kinds, k.Kind))
            .ThenBy(k => k.Name, StringComparer.Ordinal))
        {
            switch (old.GetValueOrDefault(key), @new.GetValueOrDefault(key))
            {
                // What comes with something else is there on both sides; where one side has nothing to say of it, it has what it came with.
                case var (one, other) when (one ?? other)!.PartOf is not null:
                    var isOfPlatform = IsOfPlatform((one ?? other)!);
                    var nothing = (one ?? other)! with { Facts = [] };
                    differences.AddRange(Between(one ?? nothing, other ?? nothing).Where(d => d.Fact != SchemaObject.PartOfKey)
                        .Select(d => d with { IsOfPlatform = isOfPlatform }));
                    break;
                case (null, { } added):
                    differences.Add(new SchemaDifference(SchemaChange.Added, key.Kind, key.Name, null, null, added.ToString()));
                    break;
                case ({ } removed, null):
                    differences.Add(new SchemaDifference(SchemaChange.Removed, key.Kind, key.Name, null, removed.ToString(), null));
                    break;
                case ({ } left, { } right):
                    differences.AddRange(Between(left, right));
                    break;
            }
        }

        return differences;
    }

    /// <inheritdoc cref="SchemaSnapshot.WithPlatformOf"/>
    internal static SchemaSnapshot WithPlatformOf(SchemaSnapshot snapshot, SchemaSnapshot other)
    {
        var others = other.Objects.ToDictionary(o => (o.Kind, o.Name));
        var objects = snapshot.Objects.Where(o => !IsOfPlatform(o)).ToDictionary(o => o, o =>
            others.GetValueOrDefault((o.Kind, o.Name)) is not { } twin ? o : o with
            {
                Facts =
                [
                    .. o.Facts.Where(f => !IsOfPlatform(f.Key) || twin[f.Key] is not null)
                        .Select(f => IsOfPlatform(f.Key) ? new SchemaFact(f.Key, twin[f.Key]!) : f),
                    .. twin.Facts.Where(f => IsOfPlatform(f.Key) && o[f.Key] is null),
                ],
            });
        return new SchemaSnapshot(
            [.. objects.Values.Concat(other.Objects.Where(IsOfPlatform)).OrderBy(o => Array.IndexOf(SchemaText.Kinds, o.Kind))
                .ThenBy(o => o.Name, StringComparer.Ordinal)],
            snapshot.Dependencies is null ? null
                : [.. snapshot.Dependencies.Where(d => objects.ContainsKey(d.Dependent) && objects.ContainsKey(d.Needed))
                    .Select(d => d with { Dependent = objects[d.Dependent], Needed = objects[d.Needed] })]);
    }

    private static bool IsOfPlatform(string key) => key is "owner" or "tablespace" or "version";

    private static bool IsOfPlatform(SchemaObject o) => o.PartOf is "PostgreSQL" or "the cluster"
        || o.PartOf?.StartsWith("extension ", StringComparison.Ordinal) == true;

    private static IEnumerable<SchemaDifference> Between(SchemaObject before, SchemaObject after)
    {
        var old = before.Facts.ToDictionary(f => f.Key, f => f.Text);
        var @new = after.Facts.ToDictionary(f => f.Key, f => f.Text);
        foreach (var key in before.Facts.Concat(after.Facts).Select(f => f.Key).Distinct())
        {
            var (was, becomes) = (old.GetValueOrDefault(key), @new.GetValueOrDefault(key));
            if (was != becomes)
            {
                var change = was is null ? SchemaChange.Added : becomes is null ? SchemaChange.Removed : SchemaChange.Changed;
                yield return new SchemaDifference(change, before.Kind, before.Name, key, was, becomes)
                {
                    IsOfPlatform = IsOfPlatform(key),
                };
            }
        }

        // A column in the middle that comes or goes does not change the order of the others.
        var wasOrder = Columns(before, @new);
        var order = Columns(after, old);
        if (wasOrder != order)
        {
            yield return new SchemaDifference(SchemaChange.Changed, before.Kind, before.Name, "order of columns", wasOrder, order);
        }
    }

    private static string Columns(SchemaObject o, Dictionary<string, string> inBoth) =>
        string.Join(", ", o.Of("column").Where(f => inBoth.ContainsKey(f.Key)).Select(f => f.Key["column ".Length..]));
}
