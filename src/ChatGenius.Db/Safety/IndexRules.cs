using System.Collections.Immutable;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Safety;

/// <summary>L1xx: what makes or takes away an index while others want the table.</summary>
internal static class IndexRules
{
    internal static readonly Hazard IndexBlocksWrites = new("L101")
    {
        Traced = facts =>
            from s in facts.Statements
            where !s.Trace.RanAlone
            from built in s.BuiltIndexes
            where facts.WasThere(built.Table.Oid) && built.Table.Kind == 'r' && built.Index.Kind == 'i' && !BacksConstraint(s, built.Index)
                && !(built.Index.Parent is { } parent && s.Before.Find(parent) is null)
            select s.Finding(
                built.Table, built.Index.Display, $"Building the index {built.Index.Display} stops writes to {built.Table.Display}",
                    Alone(Concurrently(built.Index))),
        InText = (text, _) =>
        {
            var index = text.Is("CREATE", "UNIQUE", "INDEX") ? 3 : text.Is("CREATE", "INDEX") ? 2 : -1;
            var on = text.Find(0, "ON");
            return index > 0 && on > 0 && !text.At(index, "CONCURRENTLY") && !text.At(on + 1, "ONLY") && text.NameAt(on + 1) is { } table
                ? new Finding(table.Display, $"Building an index stops writes to {table.Display}", Alone(Concurrently(text.Statement.Text)))
                : null;
        },
    };

    internal static readonly Hazard DropIndexBlocks = new("L102")
    {
        Traced = facts =>
            from s in facts.Statements
            where !s.Trace.RanAlone
            from gone in s.GoneIndexes
            where facts.WasThere(gone.Table.Oid) && facts.WasThere(gone.Index.Oid) && gone.Index.Parent is null
                && s.Trace.Locks.NewOn(gone.Table.Oid, s.Trace.LocksBefore) == LockMode.AccessExclusive
                && !s.Before.Constraints.Values.Any(constraint => constraint.Index == gone.Index.Oid && constraint.Kind != 'f')
                && !s.GoneColumns.Any(column => column.Table.Oid == gone.Table.Oid)
            select s.Finding(
                gone.Table, gone.Index.Display, $"Dropping the index {gone.Index.Display} locks {gone.Table.Display} out",
                gone.Index.Kind == 'i' ? Alone($"DROP INDEX CONCURRENTLY {gone.Index.Display};") : ""),
        InText = (text, _) => text.Is("DROP", "INDEX") && !text.At(2, "CONCURRENTLY") && text.NameAt(text.SkipGuards(2)) is { } index
            ? new Finding(index.Display, $"Dropping the index {index.Display} locks its table out",
                Alone($"DROP INDEX CONCURRENTLY {index.Display};"))
            : null,
    };

    internal static readonly Hazard ReindexBlocks = new("L103")
    {
        Traced = facts =>
            from s in facts.Statements
            from rebuilt in s.ReindexedIndexes
            where facts.WasThere(rebuilt.Table.Oid) && rebuilt.Table.Kind is 'r' or 'm'
            group rebuilt by (s, rebuilt.Table) into tables
            select tables.Key.s.On(
                tables.Key.Table,
                $"Rebuilding {Names.List(tables.Select(t => t.Index.Display))} stops reads and writes of {tables.Key.Table.Display}",
                Alone(string.Join('\n', tables.Select(t => $"REINDEX INDEX CONCURRENTLY {t.Index.Display};")))),
        InText = (text, _) => text.Is("REINDEX") && !text.Statement.Text.Contains("CONCURRENTLY", StringComparison.OrdinalIgnoreCase)
            && text.Find(0, "TABLE") is var table and > 0 && text.NameAt(table + 1) is { } name
            ? new Finding(name.Display, $"Rebuilding the indexes of {name.Display} stops its reads and writes",
                Alone($"REINDEX TABLE CONCURRENTLY {name.Display};"))
            : null,
    };

    internal static readonly Hazard UniqueBuildsIndex = new("L104")
    {
        Traced = facts => ConstraintBuilds(facts, 'u', "unique constraint", UsingIndex),
        InText = (text, _) => AddsConstraint(text, "UNIQUE", "unique constraint"),
    };

    internal static readonly Hazard PrimaryKeyBuildsIndex = new("L105")
    {
        Traced = facts => ConstraintBuilds(facts, 'p', "primary key", UsingIndex),
        InText = (text, _) => AddsConstraint(text, "PRIMARY", "primary key"),
    };

    internal static readonly Hazard ExclusionBuildsIndex = new("L106")
    {
        Traced = facts => ConstraintBuilds(
            facts,
            'x',
            "exclusion constraint",
            (_, table, _, constraint) =>
                $"""
                CREATE TABLE {Names.Qualified(table.Schema, $"{table.Name}_new")} (LIKE {table.Display} INCLUDING ALL);
                ALTER TABLE {Names.Qualified(table.Schema, $"{table.Name}_new")}
                    ADD CONSTRAINT {SqlIdentifier.Quote(constraint.Name)} {constraint.Definition};
                -- keep both in step with a trigger, copy the rows in batches, then swap the names
                """),
        InText = (text, _) => AddsConstraint(text, "EXCLUDE", "exclusion constraint"),
    };

    internal static readonly Hazard PartitionedIndexBlocksWrites = new("L107")
    {
        Traced = facts =>
            from s in facts.Statements
            from built in s.BuiltIndexes
            where built.Index is { Kind: 'I', Parent: null } && facts.WasThere(built.Table.Oid) && !BacksConstraint(s, built.Index)
            let parts = s.BuiltIndexes.Where(part => part.Index.Kind == 'i' && facts.WasThere(part.Table.Oid)
                && s.After.Root(part.Index.Oid) == built.Table.Oid).ToList()
            where parts.Count > 0
            select s.Finding(
                built.Table, built.Index.Display,
                $"Building the index {built.Index.Display} stops writes to {built.Table.Display} and its "
                    + $"{Names.Count(parts.Count, "partition")}",
                PartByPart(built.Index, parts)),
    };

    internal static readonly ImmutableArray<Hazard> All =
    [
        IndexBlocksWrites, DropIndexBlocks, ReindexBlocks, UniqueBuildsIndex, PrimaryKeyBuildsIndex, ExclusionBuildsIndex,
            PartitionedIndexBlocksWrites,
    ];

    /// <summary>SQL in a file of its own.</summary>
    internal static string Alone(string sql) => $"-- migrate:up transaction:false\n{sql}";

    /// <summary>The definition of an index, built concurrently.</summary>
    internal static string Concurrently(Relation index) => Concurrently(index.Index!.Definition);

    private static string Concurrently(string createIndex)
    {
        var after = createIndex.IndexOf("INDEX", StringComparison.OrdinalIgnoreCase) + "INDEX".Length;
        return $"{createIndex[..after]} CONCURRENTLY{createIndex[after..]};";
    }

    private static bool BacksConstraint(StatementFacts s, Relation index) =>
        s.NewConstraints.Any(constraint => constraint.Index == index.Oid && constraint.Kind is 'p' or 'u' or 'x');

    private static IEnumerable<Finding> ConstraintBuilds(
        MigrationFacts facts, char kind, string word, Func<MigrationFacts, Relation, Relation, Constraint, string> safeWay) =>
        from s in facts.Statements
        from constraint in s.NewConstraints
        where constraint.Kind == kind && constraint.Parent == 0 && facts.WasThere(constraint.Table)
        from built in s.BuiltIndexes
        where built.Index.Oid == constraint.Index
        select s.Finding(
            built.Table, constraint.Name,
                $"Adding the {word} {SqlIdentifier.Quote(constraint.Name)} builds its index while {built.Table.Display} is locked out",
            safeWay(facts, built.Table, built.Index, constraint));

    private static string UsingIndex(MigrationFacts facts, Relation table, Relation index, Constraint constraint)
    {
        var name = SqlIdentifier.Quote(constraint.Name);
        var isTaken = facts.Before.ConstraintsOf(table.Oid).Any(other => other.Name == constraint.Name);
        var built = isTaken ? Names.Made(constraint.Name, "new") : SqlIdentifier.Quote(index.Name);
        return Alone($"CREATE UNIQUE INDEX CONCURRENTLY {built} ON {table.Display}{index.Index!.Shape};\n\n"
            + $"-- then, in the next migration\nALTER TABLE {table.Display} {(isTaken ? $"DROP CONSTRAINT {name}, " : "")}ADD CONSTRAINT "
            + $"{name} {(constraint.Kind == 'p' ? "PRIMARY KEY" : "UNIQUE")} USING INDEX {built}{StatementFix.Deferred(constraint)};");
    }

    private static string PartByPart(Relation index, List<(Relation Index, Relation Table)> parts)
    {
        var definition = index.Index!.Definition.Replace(" ON ONLY ", " ON ", StringComparison.Ordinal)
            .Replace(" ON ", " ON ONLY ", StringComparison.Ordinal);
        var each = parts.Select(part => $"{Concurrently(part.Index)}\nALTER INDEX {index.Display} ATTACH PARTITION {part.Index.Display};");
        return $"{definition};\n\n-- then, in a migration with transaction:false\n{string.Join('\n', each)}";
    }

    /// <summary>ADD [CONSTRAINT name] UNIQUE … without USING INDEX.</summary>
    private static Finding? AddsConstraint(StatementText text, string word, string title)
    {
        foreach (var (table, start, end) in text.AlterTableActions())
        {
            var at = text.At(start, "ADD", "CONSTRAINT") ? start + 3 : start + 1;
            if (text.At(start, "ADD") && text.At(at, word) && !text.Within(start, end, "USING", "INDEX"))
            {
                return new Finding(table, $"Adding the {title} builds an index while {table} is locked out");
            }
        }

        return null;
    }
}
