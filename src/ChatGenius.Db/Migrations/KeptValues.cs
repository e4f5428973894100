using System.Globalization;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Migrations;

/// <summary>What one statement of a section destroys in one table, and how it is kept.</summary>
/// <param name="Statement">The statement, counted from 0.</param>
/// <param name="Target">What <see cref="LossReader"/> says of it, the first of several.</param>
/// <param name="Key">The columns that tell rows apart, under the names of that moment.</param>
/// <param name="Equality">The operators that compare them.</param>
/// <param name="Columns">The columns whose values are kept.</param>
/// <param name="IsRows">Whether whole rows go.</param>
/// <param name="IsExact">Whether the statement itself says which rows it has changed; otherwise all rows are looked at.</param>
/// <param name="Compares">Whether some of what is looked at may be there afterwards, or be there with other values.</param>
internal sealed record KeptPart(
    int Statement, LossTarget Target, IReadOnlyList<KeptColumn> Key, IReadOnlyList<string> Equality, IReadOnlyList<KeptColumn> Columns,
    bool IsRows, bool IsExact, bool Compares)
{
    /// <summary>As a plan says it: <c>rows of public.notes, those that it deletes</c>.</summary>
    public string Display
    {
        get
        {
            var what = IsRows ? $"rows of {Target.Table}"
                : $"values of {Target.Table} ({string.Join(", ", Columns.Select(column => SqlIdentifier.Quote(column.Name)))})";
            return IsExact ? $"{what}, those that it {(IsRows ? "deletes" : "overwrites")}"
                : Target.Relation is { Rows: >= 0 } relation
                ? string.Create(CultureInfo.InvariantCulture, $"{what}, after a look at all rows, about {relation.Rows:N0}")
                : $"{what}, after a look at all rows, which nobody has counted";
        }
    }
}

/// <summary>
/// Decides what a section with <c>keep:true</c> keeps, as a function of what <see cref="LossReader"/> reads and of the tables. What can't
/// be kept truthfully is a problem, never a gap.
/// </summary>
internal static class KeptValues
{
    /// <summary>Decides it for the last of some sections, on the catalog as it is before the first one.</summary>
    /// <param name="session">A session of the role that runs it, outside of a transaction.</param>
    /// <param name="steps">The section, after those that run before it.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <returns>What it keeps, and what of it can't be kept (CG0534).</returns>
    internal static async Task<(IReadOnlyList<KeptPart> Parts, IReadOnlyList<Problem> Problems)> DecideAsync(
        Session session, IReadOnlyList<MigrationStep> steps, CancellationToken cancellationToken)
    {
        var catalog = await LossCatalog.ReadAsync(session, LossReader.NamesIn(steps), cancellationToken);
        var (targets, unclear) = LossReader.ReadEach(steps, catalog);
        var tables = await KeptTable.ReadAsync(session, targets.Select(target => target.Relation?.Oid).OfType<uint>(), cancellationToken);
        return Plan(steps[^1], targets, unclear, tables, catalog.Inheritance,
            PassedOn(steps, catalog, targets.Select(target => target.Table).ToHashSet(StringComparer.Ordinal)));
    }

    /// <summary>Names that one table leaves and another takes: under such a name nobody knows later which of them is meant.</summary>
    private static HashSet<string> PassedOn(IReadOnlyList<MigrationStep> steps, LossCatalog catalog, HashSet<string> names)
    {
        var (holders, passedOn) = (new Dictionary<string, ModelRelation>(), new HashSet<string>());
        LossReader.Follow(steps, catalog, model =>
        {
            foreach (var relation in model.Relations)
            {
                var name = SqlIdentifier.Quote(relation.Schema.Name, relation.Name);
                if (names.Contains(name))
                {
                    _ = holders.GetValueOrDefault(name, relation) != relation && model.Relations.Contains(holders[name])
                        && passedOn.Add(name);
                    holders[name] = relation;
                }
            }

            return true;
        });
        return passedOn;
    }

    /// <summary>The same, without a database.</summary>
    internal static (IReadOnlyList<KeptPart> Parts, IReadOnlyList<Problem> Problems) Plan(
        MigrationStep step, IReadOnlyList<LossTarget> targets, IReadOnlyList<LossUnclear> unclear,
        IReadOnlyDictionary<uint, KeptTable> tables, IReadOnlyList<(uint Child, uint Parent)> inheritance, HashSet<string> passedOn)
    {
        var problems = unclear.Select(one => Unkept(one.Statement, $"what {one.What} destroys",
            one.Reason ?? "only the server knows it")).ToList();
        problems.AddRange(targets.Where(target => target.Relation is null)
            .Select(target => Unkept(target.Statement!, $"the {target.What}", "only rows and their values are")));
        var statements = step.Section.Script.Statements.ToList();
        var parts = new List<KeptPart>();
        foreach (var group in targets.Where(target => target.Relation is not null)
            .GroupBy(target => (Statement: target.Statement!, target.Relation!.Oid)))
        {
            // What a partitioned table says counts for its partitions too.
            if (targets.Any(other => other.Statement == group.Key.Statement && other.Relation?.Kind == 'p'
                && IsPart(group.Key.Oid, other.Relation.Oid)))
            {
                continue;
            }

            var (part, reason) = Decide(step, statements.IndexOf(group.Key.Statement), [.. group], tables.GetValueOrDefault(group.Key.Oid));
            reason ??= part is not null && passedOn.Contains(part.Target.Table)
                ? "another table takes its name here, and it could go back into the wrong one" : null;
            if (reason is not null)
            {
                problems.Add(Unkept(group.Key.Statement, $"the {group.First().What}", reason));
            }
            else if (part is not null)
            {
                parts.Add(part);
            }
        }

        return (parts, problems);

        bool IsPart(uint child, uint parent) =>
            inheritance.Any(pair => pair.Child == child && (pair.Parent == parent || IsPart(pair.Parent, parent)));
    }

    private static (KeptPart? Part, string? Reason) Decide(
        MigrationStep step, int statement, IReadOnlyList<LossTarget> targets, KeptTable? table)
    {
        if (table?.Wrong is not null || table is null)
        {
            return (null, table?.Wrong ?? "its table is not there any more");
        }

        var names = targets[0].Names;
        var columns = table.Columns.Where(column => names.ContainsKey(column.Number))
            .Select(column => column with { Name = names[column.Number] }).ToList();
        var key = table.Key.Select(number => columns.Find(column => column.Number == number)).OfType<KeptColumn>().ToList();
        var isRows = targets.Any(target => target.Column is null);
        var lost = targets.Select(target => table.Columns.FirstOrDefault(column => column.Name == target.Column)?.Number).ToHashSet();
        var kept = columns.FindAll(column => (isRows || lost.Contains(column.Number)) && !column.Computed);
        if (key.Count < table.Key.Length || (!isRows && key.Exists(column => lost.Contains(column.Number))))
        {
            return (null, "it takes or changes the key, by which values are put back");
        }

        if (kept.Count == 0)
        {
            // All of it is computed from what stays.
            return (null, null);
        }

        if (key.Concat(kept).FirstOrDefault(column => column.Cast is null) is { } strange)
        {
            return (null, $"{SqlIdentifier.Quote(strange.Name)} has names of objects in a type of somebody's own");
        }

        // After a change of its type, a column may have names in its text, or numbers in the place of names.
        if (targets.Any(target => target is { Stays: true, AtMost: false }) && (kept.Exists(column => column.Cast != "")
            || new StatementText(targets[0].Statement!).Tokens.Any(token => token.Name?.StartsWith("reg",
                StringComparison.Ordinal) == true)))
        {
            return (null, "it changes a type that names objects, and what comes out can't be compared");
        }

        if (!isRows && kept.Find(column => column.Numbered) is { } numbered)
        {
            return (null, $"{SqlIdentifier.Quote(numbered.Name)} is GENERATED ALWAYS AS IDENTITY, so nothing can be put back there");
        }

        var isExact = targets.All(target => target.Direct) && !new StatementText(targets[0].Statement!).Has("RETURNING");
        if (!isExact && step.Section.Batch is { } batch && batch.Statement == statement)
        {
            return (null, "in slices only what the statement itself changes in its table can be kept, not what goes by a foreign key");
        }

        var compares = !isExact && (isRows ? targets.Any(target => target.AtMost) || targets.Any(target => target.Stays)
            : targets.Any(target => target.Stays));
        return (new KeptPart(statement, targets[0], key, table.Equality, kept, isRows, isExact, compares), null);
    }

    private static Problem Unkept(SqlStatement statement, string what, string reason) => new(
        "CG0534", $"{char.ToUpperInvariant(what[0])}{what[1..]} can't be kept: {reason}", statement.Location,
        "Take keep:true out and save the values yourself, or split the migration, so that the part with keep:true has only statements "
            + "that say what they destroy.");
}
