using System.Collections.Immutable;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Safety;

/// <summary>S1xx: what the migration leaves behind.</summary>
internal static class StateRules
{
    internal static readonly Hazard ForeignKeyWithoutIndex = new("S101")
    {
        Traced = facts =>
            from constraint in NewConstraints(facts, 'f')
            where constraint.Enforced && facts.After.Find(constraint.Table) is { } t
                && !facts.After.IndexesOf(t.Oid).Any(index => Serves(facts.After, index.Index!, constraint))
            let table = facts.After.Find(constraint.Table)!
            let columns = constraint.Keys.Select(key => facts.After.FindColumn(table.Oid, key)!.Name).ToList()
            let name = SafeWays.UnusedName(facts.After, table.Schema, table.Name, string.Join('_', columns), "idx")
            let index = $"INDEX {(facts.WasThere(table.Oid) ? "CONCURRENTLY " : "")}{name} ON {table.Display} ({Names.Columns(columns)});"
            select new Finding(
                Maker(facts, constraint), $"{table.Name}.{string.Join(',', columns)}",
                    $"No index serves the foreign key {SqlIdentifier.Quote(constraint.Name)} of {table.Display}",
                facts.WasThere(table.Oid) ? IndexRules.Alone($"CREATE {index}") : $"CREATE {index}"),
    };

    internal static readonly Hazard InvalidIndex = new("S102")
    {
        Traced = facts =>
            from index in facts.After.Relations.Values
            where index is { Kind: 'i', Index.Valid: false } && !(facts.Before.Find(index.Oid) is { Index.Valid: false })
            let culprit = facts.Trace.Statements.LastOrDefault(s => s.Before.Find(index.Oid) is not { Index.Valid: false }
                && s.After.Find(index.Oid) is { Index.Valid: false })
            select new Finding(culprit, index.Display, $"The index {index.Display} is left invalid",
                IndexRules.Alone($"DROP INDEX CONCURRENTLY {index.Display};\n{IndexRules.Concurrently(index)}")),
    };

    internal static readonly Hazard UnvalidatedConstraintLeft = new("S103")
    {
        Traced = facts =>
            from constraint in facts.After.Constraints.Values
            where constraint is { Validated: false, Enforced: true, Parent: 0, Table: > 0 }
                && !facts.Before.Constraints.ContainsKey(constraint.Oid)
            let table = facts.After.Find(constraint.Table)!
            select new Finding(
                Maker(facts, constraint), constraint.Name, $"{SqlIdentifier.Quote(constraint.Name)} of {table.Display} is left NOT VALID",
                $"-- in the next migration\nALTER TABLE {table.Display} VALIDATE CONSTRAINT {SqlIdentifier.Quote(constraint.Name)};"),
    };

    internal static readonly Hazard DuplicateIndex = new("S104")
    {
        Traced = facts =>
            from added in facts.After.Relations.Values
            where added is { Kind: 'i' or 'I', Index.Valid: true, Parent: null } && facts.Before.Find(added.Oid) is null
            let twin = facts.After.IndexesOf(added.Index!.Table)
                .FirstOrDefault(other => other.Oid != added.Oid && other.Index!.Valid && IsCoveredBy(added, other)
                && (facts.Before.Find(other.Oid) is not null || other.Oid < added.Oid || other.Index.Unique != added.Index.Unique))
            where twin is not null && facts.Culprit(s => s.BuiltIndexes.Any(b => b.Index.Oid == added.Oid)
                || s.NewRelations.Any(r => r.Oid == added.Oid)) is not null
                && facts.Before.Find(added.Schema, added.Name)?.Index?.Definition != added.Index!.Definition
            select new Finding(facts.Culprit(s => s.NewRelations.Any(r => r.Oid == added.Oid)), added.Display,
                $"The index {added.Display} is the same as {twin.Display}", $"DROP INDEX {added.Display};"),
    };

    internal static readonly Hazard NoPrimaryKey = new("S105")
    {
        Traced = facts =>
            from table in facts.After.Relations.Values
            where table is { IsTable: true, Parent: null, Persistence: 'p' } && !HasKey(facts.After, table.Oid)
                && (facts.Before.Find(table.Oid) is null || HasKey(facts.Before, table.Oid))
            select new Finding(
                facts.Culprit(s => s.NewRelations.Any(r => r.Oid == table.Oid)
                    || s.GoneConstraints.Any(c => c.Kind == 'p' && c.Table == table.Oid)), table.Display,
                $"The table {table.Display} has no primary key", KeyFor(facts, table)),
    };

    /// <summary>The key that the table had, or one of its own column <c>id</c>, or a new column.</summary>
    private static string KeyFor(MigrationFacts facts, Relation table)
    {
        var columns = facts.After.ColumnsOf(table.Oid);
        var before = facts.Before.Constraints.Values.FirstOrDefault(constraint => constraint.Kind == 'p' && constraint.Table == table.Oid);
        var key = columns.Where(column => before?.Keys.Contains(column.Number) ?? column.Name == "id")
            .Select(column => SqlIdentifier.Quote(column.Name)).ToList();
        return key.Count > 0 ? $"ALTER TABLE {table.Display} ADD PRIMARY KEY ({string.Join(", ", key)});"
            : $"ALTER TABLE {table.Display} ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;";
    }

    internal static readonly Hazard ForeignKeyTypeMismatch = new("S106")
    {
        Traced = facts =>
            from constraint in NewConstraints(facts, 'f')
            let table = facts.After.Find(constraint.Table)
            let referenced = facts.After.Find(constraint.ReferencedTable)
            where table is not null && referenced is not null
            from pair in constraint.Keys.Zip(constraint.ReferencedKeys)
            let own = facts.After.FindColumn(table.Oid, pair.First)!
            let other = facts.After.FindColumn(referenced.Oid, pair.Second)!
            where own.TypeOid != other.TypeOid
            select new Finding(
                Maker(facts, constraint), $"{table.Name}.{own.Name}",
                    $"{table.Display}.{own.Name} is {own.Type}, {referenced.Display}.{other.Name} is {other.Type}",
                $"{SqlIdentifier.Quote(own.Name)} {other.Type} REFERENCES {referenced.Display} ({SqlIdentifier.Quote(other.Name)})"),
    };

    internal static readonly Hazard NarrowKey = new("S107")
    {
        Traced = facts =>
            from table in facts.After.Relations.Values
            where table is { IsTable: true, Parent: null } && facts.Before.Find(table.Oid) is null
            let key = facts.After.ConstraintsOf(table.Oid).FirstOrDefault(c => c is { Kind: 'p', Keys.Length: 1 })
            where key is not null && facts.After.FindColumn(table.Oid, key.Keys[0])!.Type is "integer" or "smallint"
                && !facts.After.ConstraintsOf(table.Oid).Any(c => c.Kind == 'f' && c.Keys.SequenceEqual(key.Keys))
            let column = facts.After.FindColumn(table.Oid, key.Keys[0])!
            select new Finding(facts.Culprit(s => s.NewRelations.Any(r => r.Oid == table.Oid)), $"{table.Name}.{column.Name}",
                $"The primary key {table.Display}.{column.Name} is {column.Type}",
                $"{SqlIdentifier.Quote(column.Name)} bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
    };

    internal static readonly Hazard JsonColumn = new("S108")
    {
        Traced = facts =>
            from added in NewColumns(facts)
            where added.Column.Type is "json" or "json[]"
            select new Finding(added.Culprit, $"{added.Table.Name}.{added.Column.Name}",
                $"{added.Table.Display}.{added.Column.Name} is json", $"{SqlIdentifier.Quote(added.Column.Name)} jsonb"),
    };

    internal static readonly Hazard LegacyType = new("S109")
    {
        Traced = facts =>
            from added in NewColumns(facts)
            let serial = added.Column.Default?.StartsWith("nextval(", StringComparison.Ordinal) == true ? SerialIn(added.Culprit) : null
            let better = added.Column.Type.StartsWith("character(", StringComparison.Ordinal) ? "text"
                : added.Column.Type.StartsWith("timestamp", StringComparison.Ordinal)
                    && added.Column.Type.EndsWith("without time zone", StringComparison.Ordinal) ? "timestamptz"
                : added.Column.Type == "money" ? "numeric"
                : serial is not null ? $"{added.Column.Type} GENERATED ALWAYS AS IDENTITY" : null
            where better is not null
            select new Finding(added.Culprit, $"{added.Table.Name}.{added.Column.Name}",
                $"{added.Table.Display}.{added.Column.Name} is {serial ?? added.Column.Type}",
                $"{SqlIdentifier.Quote(added.Column.Name)} {better}"),
    };

    internal static readonly Hazard SecurityDefinerSearchPath = new("S110")
    {
        Traced = facts =>
            from function in facts.After.Functions.Values
            where function is { SecurityDefiner: true, HasSearchPath: false }
                && facts.Before.Functions.GetValueOrDefault(function.Oid) is not { SecurityDefiner: true, HasSearchPath: false }
            select new Finding(
                facts.Culprit(s => s.Before.Functions.GetValueOrDefault(function.Oid) != function
                    && s.After.Functions.GetValueOrDefault(function.Oid) == function),
                Names.Qualified(function.Schema, function.Name),
                    $"{function.Display} runs with its owner's rights and its caller's search_path",
                $"ALTER {function.Word} {function.Display} SET search_path = pg_catalog, {SqlIdentifier.Quote(function.Schema)}, pg_temp;"),
    };

    internal static readonly ImmutableArray<Hazard> All =
    [
        ForeignKeyWithoutIndex, InvalidIndex, UnvalidatedConstraintLeft, DuplicateIndex, NoPrimaryKey, ForeignKeyTypeMismatch, NarrowKey,
            JsonColumn, LegacyType, SecurityDefinerSearchPath,
    ];

    /// <summary>Whether a valid index begins with just these columns, in any order.</summary>
    internal static bool Leads(Catalog catalog, uint table, IReadOnlyCollection<short> columns, bool unique) =>
        catalog.IndexesOf(table)
            .Any(index => index.Index is { Valid: true, Predicate: null } facts
            && (!unique || (facts.Unique && facts.Keys.Length == columns.Count))
            && facts.Keys.Length >= columns.Count && facts.Keys.Take(columns.Count).ToHashSet().SetEquals(columns));

    /// <summary>A partial index serves only where its condition says no more than that the columns are not NULL.</summary>
    private static bool Serves(Catalog catalog, IndexInfo index, Constraint constraint)
    {
        if (!index.Valid || index.Keys.Length < constraint.Keys.Length
            || !index.Keys.Take(constraint.Keys.Length).ToHashSet().SetEquals(constraint.Keys))
        {
            return false;
        }

        var columns = constraint.Keys.Select(key => SqlIdentifier.Quote(catalog.FindColumn(constraint.Table, key)!.Name)).ToList();
        return index.Predicate is null
            || index.Predicate.Split(" AND ").All(part => columns.Any(column => part.Trim('(', ')', ' ') == $"{column} IS NOT NULL"));
    }

    /// <summary>The same but for the name; a plain one is covered by a unique one, not the other way round.</summary>
    private static bool IsCoveredBy(Relation index, Relation other)
    {
        return index.Index!.Shape == other.Index!.Shape && (index.Index.Unique == other.Index.Unique || other.Index.Unique);
    }

    private static bool HasKey(Catalog catalog, uint table) => catalog.ConstraintsOf(table).Any(constraint => constraint.Kind == 'p');

    private static IEnumerable<Constraint> NewConstraints(MigrationFacts facts, char kind) =>
        facts.After.Constraints.Values.Where(c => c.Kind == kind && c.Parent == 0
            && !facts.Before.Constraints.ContainsKey(c.Oid)
            && facts.Before.ConstraintsOf(c.Table).All(old => old.Name != c.Name || old.Kind != c.Kind || old.Definition != c.Definition));

    private static StatementTrace? Maker(MigrationFacts facts, Constraint constraint) =>
        facts.Culprit(s => s.After.Constraints.ContainsKey(constraint.Oid) && !s.Before.Constraints.ContainsKey(constraint.Oid));

    /// <summary>The serial type that a statement names; a default that takes numbers from a sequence may be meant as it stands.</summary>
    private static string? SerialIn(StatementTrace? culprit) =>
        culprit is null ? null : new StatementText(culprit.Statement).Tokens.Select(token => token.Text)
            .FirstOrDefault(word => word is "SERIAL" or "SERIAL2" or "SERIAL4" or "SERIAL8" or "SMALLSERIAL"
                or "BIGSERIAL")?.ToLowerInvariant();

    private static IEnumerable<(Relation Table, Column Column, StatementTrace? Culprit)> NewColumns(MigrationFacts facts) =>
        from table in facts.After.Relations.Values
        where table is { IsTable: true, Parent: null, Persistence: not 't' }
        from column in facts.After.ColumnsOf(table.Oid)
        where facts.Before.FindColumn(table.Oid, column.Number)?.Type != column.Type
        select (table, column, facts.Culprit(s =>
            s.Before.FindColumn(table.Oid, column.Number)?.Type != s.After.FindColumn(table.Oid, column.Number)?.Type));
}
