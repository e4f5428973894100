using System.Collections.Immutable;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Safety;

/// <summary>
/// C1xx: what breaks code that still expects the schema of before. Start and end of the migration are compared, so what is made good on the
/// way is silent.
/// </summary>
internal static class CompatibilityRules
{
    internal static readonly Hazard RenameTable = new("C101")
    {
        Traced = facts =>
            from old in facts.Before.Relations.Values
            where old.Kind is 'r' or 'p' or 'v' or 'm' or 'f' && facts.WasThere(old.Oid)
            let now = facts.After.Find(old.Oid)
            where now is not null && now.Name != old.Name
            let holder = facts.After.Find(old.Schema, old.Name)
            where holder is null || !Replaces(facts, old, holder)
            let culprit = facts.Culprit(s => s.Kept.Any(pair => pair.After.Oid == old.Oid && pair.Before.Name != pair.After.Name))
            select new Finding(
                culprit, old.Display, $"{old.Display} is renamed to {now.Display}{Instead(holder)}",
                holder is null ? $"CREATE VIEW {old.Display} AS SELECT * FROM {now.Display};" : "") { Table = old.Oid },
        InText = (text, _) => (text.Is("ALTER", "TABLE") || text.Is("ALTER", "VIEW")) && text.NameAt(text.SkipGuards(2)) is { } table
            && text.At(table.Next, "RENAME", "TO")
            ? new Finding(table.Display, $"{table.Display} is renamed")
            : null,
    };

    internal static readonly Hazard RenameColumn = new("C102")
    {
        Traced = facts =>
            from old in facts.Before.Relations.Values
            where old.Kind is 'r' or 'p' or 'v' or 'm' or 'f' && old.Parent is null && facts.WasThere(old.Oid)
                && facts.After.Find(old.Oid) is not null
            from column in facts.Before.ColumnsOf(old.Oid)
            let now = facts.After.FindColumn(old.Oid, column.Number)
            where now is not null && now.Name != column.Name
            let holder = facts.After.ColumnsOf(old.Oid).FirstOrDefault(c => c.Name == column.Name)
            where holder is null || !Replaces(facts, old, column, now, holder)
            let culprit = facts.Culprit(s =>
                s.ChangedColumns.Any(c => c.Table.Oid == old.Oid && c.After.Number == column.Number && c.Before.Name != c.After.Name))
            select new Finding(
                culprit, $"{old.Name}.{column.Name}",
                $"{old.Display}.{column.Name} is renamed to {now.Name}{(holder is null ? "" : ", and its name now means another column")}",
                facts.Before.ColumnsOf(old.Oid).Any(c => c.Name == now.Name) ? "" : AddInstead(old, column, now.Name)) { Table = old.Oid },
        InText = (text, _) => text.AlterTableActions()
            .Where(a => text.At(a.Start, "RENAME") && !text.At(a.Start, "RENAME", "TO") && !text.At(a.Start, "RENAME", "CONSTRAINT"))
            .Select(a => new Finding(a.Table, $"A column of {a.Table} is renamed")).FirstOrDefault(),
    };

    internal static readonly Hazard MoveSchema = new("C103")
    {
        Traced = facts =>
            from old in facts.Before.Relations.Values
            where old.Kind is 'r' or 'p' or 'v' or 'm' or 'f' && facts.WasThere(old.Oid)
            let now = facts.After.Find(old.Oid)
            where now is not null && now.Schema != old.Schema && facts.After.Find(old.Schema, old.Name) is null
            let culprit = facts.Culprit(s => s.Kept.Any(pair => pair.After.Oid == old.Oid && pair.Before.Schema != pair.After.Schema))
            select new Finding(
                culprit, old.Display, $"{old.Display} moves to the schema {SqlIdentifier.Quote(now.Schema)}",
                (facts.After.Schemas.ContainsValue(old.Schema) ? "" : $"CREATE SCHEMA {SqlIdentifier.Quote(old.Schema)};\n")
                    + $"CREATE VIEW {SqlIdentifier.Quote(old.Schema, old.Name)} AS SELECT * FROM "
                    + $"{SqlIdentifier.Quote(now.Schema, now.Name)};") { Table = old.Oid },
        InText = (text, _) => (text.Is("ALTER", "TABLE") || text.Is("ALTER", "VIEW")) && text.NameAt(text.SkipGuards(2)) is { } table
            && text.At(table.Next, "SET", "SCHEMA") ? new Finding(table.Display, $"{table.Display} moves to another schema") : null,
    };

    internal static readonly Hazard RenameEnumValue = new("C104")
    {
        Traced = facts =>
            from old in facts.Before.EnumValues.Values
            where facts.After.EnumValues.TryGetValue(old.Oid, out var now) && now.Label != old.Label
            let type = facts.After.Types.GetValueOrDefault(old.Type)
            where type is not null
            let culprit = facts.Culprit(s =>
                s.Before.EnumValues.GetValueOrDefault(old.Oid)?.Label != s.After.EnumValues.GetValueOrDefault(old.Oid)?.Label)
            select new Finding(
                culprit, type.Display, $"The value {SqlLiteral.Quote(old.Label)} of {type.Display} is renamed to "
                    + $"{SqlLiteral.Quote(facts.After.EnumValues[old.Oid].Label)}",
                $"ALTER TYPE {type.Display} ADD VALUE {SqlLiteral.Quote(facts.After.EnumValues[old.Oid].Label)} AFTER "
                    + $"{SqlLiteral.Quote(old.Label)};"),
        InText = (text, _) => text.Is("ALTER", "TYPE") && text.Has("RENAME", "VALUE") && text.NameAt(2) is { } type
            ? new Finding(type.Display, $"A value of {type.Display} is renamed") : null,
    };

    internal static readonly Hazard RequiredColumnAdded = new("C105")
    {
        Traced = facts =>
            from table in facts.Before.Relations.Values
            where table.IsTable && table.Parent is null && facts.WasThere(table.Oid) && facts.After.Find(table.Oid) is not null
            from column in facts.After.ColumnsOf(table.Oid)
            where column is { NotNull: true, FillsItself: false } && facts.Before.FindColumn(table.Oid, column.Number) is null
                && !facts.After.ConstraintsOf(table.Oid)
                    .Any(c => c.Kind == 'p' && c.Keys.Contains(column.Number) && facts.Before.Constraints.ContainsKey(c.Oid))
            let culprit = facts.Culprit(s => (s.NewColumns.Any(c => c.Table.Oid == table.Oid && c.Column.Number == column.Number)
                || s.ChangedColumns.Any(c => c.Table.Oid == table.Oid && c.After.Number == column.Number))
                    && s.After.FindColumn(table.Oid, column.Number) is { NotNull: true, FillsItself: false })
            select new Finding(
                culprit, $"{table.Name}.{column.Name}", $"Code that does not know {table.Display}.{column.Name} can no longer insert",
                $"ALTER TABLE {table.Display} ADD COLUMN {SqlIdentifier.Quote(column.Name)} {column.Type};\n-- SET NOT NULL when all code "
                    + "writes it") { Table = table.Oid },
        InText = (text, _) => Safety.InText.Action(
            text, (start, end) => RequiresValue(text, start, end),
                table => $"Code that does not know the new column of {table} can no longer insert"),
    };

    internal static readonly Hazard DefaultChanged = new("C106")
    {
        Traced = facts =>
            from changed in OldColumns(facts)
            where changed.Before.Default != changed.After.Default && changed.Before.Type == changed.After.Type
                && changed.After.Generated is null && changed.Before.Identity == changed.After.Identity
            select new Finding(
                Changer(facts, changed, (a, b) => a.Default != b.Default), $"{changed.Table.Name}.{changed.After.Name}",
                changed.After.Default is null ? $"{changed.Table.Display}.{changed.After.Name} loses its default"
                    : $"The default of {changed.Table.Display}.{changed.After.Name} becomes {changed.After.Default}"),
        InText = (text, _) => Safety.InText.Action(
            text, (start, _) => Safety.InText.AltersColumn(text, start, "SET", "DEFAULT")
                || Safety.InText.AltersColumn(text, start, "DROP", "DEFAULT"),
            table => $"A column of {table} gets another default"),
    };

    internal static readonly Hazard DropNotNull = new("C107")
    {
        Traced = facts =>
            from changed in OldColumns(facts)
            where changed.Before.NotNull && !changed.After.NotNull
            select new Finding(Changer(facts, changed, (a, b) => a.NotNull != b.NotNull), $"{changed.Table.Name}.{changed.After.Name}",
                $"{changed.Table.Display}.{changed.After.Name} may be NULL from now on"),
        InText = (text, _) => Safety.InText.Action(
            text, (start, _) => Safety.InText.AltersColumn(text, start, "DROP", "NOT", "NULL"),
                table => $"A column of {table} may be NULL from now on"),
    };

    internal static readonly Hazard DropViewOrFunction = new("C108")
    {
        Traced = facts => GoneViews(facts).Concat(
            from old in facts.Before.Functions.Values
            where !old.IsTrigger && !facts.After.Functions.ContainsKey(old.Oid)
                && !facts.After.Functions.Values.Any(now => now.Display == old.Display)
            let culprit = facts.Culprit(s => s.Before.Functions.Values.Any(f => f.Display == old.Display)
                && !s.After.Functions.Values.Any(f => f.Display == old.Display))
            select new Finding(culprit, Names.Qualified(old.Schema, old.Name), $"The {old.Word.ToLowerInvariant()} {old.Display} is gone")),
        InText = (text, _) => text.Is("DROP", "VIEW") || text.Is("DROP", "FUNCTION") || text.Is("DROP", "PROCEDURE")
            ? text.NameAt(text.SkipGuards(2)) is { } name
                ? new Finding(name.Display, $"The {text.Tokens[1].Text.ToLowerInvariant()} {name.Display} is gone") : null
            : null,
    };

    internal static readonly Hazard UniqueRemoved = new("C109")
    {
        Traced = facts =>
            from old in facts.Before.Relations.Values
            where old.Index is { Unique: true, Valid: true } && old.Parent is null && facts.WasThere(old.Index.Table)
                && facts.After.Find(old.Index.Table) is { Kind: 'r' or 'p' }
                && !facts.After.IndexesOf(old.Index.Table)
                    .Any(now => now.Index!.Unique && now.Index.Predicate == old.Index.Predicate && SameKeys(now.Index, old.Index))
                && !old.Index.Keys.Any(key => key != 0 && facts.After.FindColumn(old.Index.Table, key) is null
                    && old.Index.Keys.Length == 1)
            let table = facts.After.Find(old.Index!.Table)!
            let columns = old.Index!.Keys.Select(key => facts.Before.FindColumn(table.Oid, key)?.Name ?? "an expression")
            select new Finding(
                facts.Culprit(s => s.Before.Find(old.Oid) is not null && s.After.Find(old.Oid) is null), old.Display,
                $"{table.Display} is no longer unique by {Names.List(columns)}") { Table = table.Oid },
        InText = (text, _) => Safety.InText.DropsConstraint(text, "_key", "_pkey", "_unique") is (var table, var name)
            ? new Finding(table, $"{table} loses {SqlIdentifier.Quote(name)}, and is no longer unique by its columns") : null,
    };

    internal static readonly Hazard ForeignKeyRemoved = new("C110")
    {
        Traced = facts =>
            from old in facts.Before.Constraints.Values
            where old is { Kind: 'f', Parent: 0, Enforced: true } && facts.WasThere(old.Table) && facts.After.Find(old.Table) is not null
                && facts.After.Find(old.ReferencedTable) is not null
                && old.Keys.All(key => facts.After.FindColumn(old.Table, key) is not null)
                && !facts.After.ConstraintsOf(old.Table)
                    .Any(now => now is { Kind: 'f', Enforced: true } && now.ReferencedTable == old.ReferencedTable
                    && now.Keys.SequenceEqual(old.Keys))
            let table = facts.After.Find(old.Table)!
            select new Finding(
                facts.Culprit(s => s.Before.Constraints.GetValueOrDefault(old.Oid) is { Enforced: true }
                    && s.After.Constraints.GetValueOrDefault(old.Oid) is not { Enforced: true }), old.Name,
                $"{table.Display} no longer refers to {facts.After.Find(old.ReferencedTable)!.Display} by "
                    + $"{Names.List(old.Keys.Select(key => facts.Before.FindColumn(old.Table, key)!.Name))}") { Table = table.Oid },
        InText = (text, context) => Safety.InText.DropsConstraint(text, "_fkey", "_fk") is (var table, var name)
            && !context.Definitions.Any(other => other.AlterTableActions().Any(action => action.Table == table
                && other.At(action.Start, "ADD") && other.Within(action.Start, action.End, "FOREIGN", "KEY")))
            ? new Finding(table, $"{table} no longer refers to another table by {SqlIdentifier.Quote(name)}") : null,
    };

    internal static readonly Hazard ReplicaIdentityLost = new("C111")
    {
        Traced = facts =>
            from old in facts.Before.Relations.Values
            where old.Kind == 'r' && facts.WasThere(old.Oid) && HasIdentity(facts.Before, old) && facts.After.Find(old.Oid) is { } now
                && !HasIdentity(facts.After, now)
                && (facts.After.PublishesAllTables || facts.After.Published.Contains(old.Oid))
            select new Finding(
                facts.Culprit(s => s.Before.Find(old.Oid) is { } a && HasIdentity(s.Before, a) && s.After.Find(old.Oid) is { } b
                    && !HasIdentity(s.After, b)), old.Display,
                $"{old.Display} is published and has no replica identity any more: UPDATE and DELETE fail",
                    $"ALTER TABLE {old.Display} REPLICA IDENTITY FULL;") { Table = old.Oid },
    };

    internal static readonly Hazard ProtectionDisabled = new("C112")
    {
        Traced = facts =>
            (from old in facts.Before.Triggers.Values
             where old.Enabled != 'D' && facts.After.Triggers.TryGetValue(old.Oid, out var now) && now.Enabled == 'D'
                 && facts.WasThere(old.Table)
             let table = facts.After.Find(old.Table)!
             select new Finding(
                 facts.Culprit(s => s.Before.Triggers.GetValueOrDefault(old.Oid) is { Enabled: not 'D' }
                     && s.After.Triggers.GetValueOrDefault(old.Oid) is { Enabled: 'D' }), table.Display,
                 $"The trigger {SqlIdentifier.Quote(old.Name)} of {table.Display} stays disabled",
                     $"ALTER TABLE {table.Display} ENABLE TRIGGER {SqlIdentifier.Quote(old.Name)};") { Table = table.Oid }).Concat(
                from old in facts.Before.Relations.Values
                where old.RowSecurity && facts.WasThere(old.Oid) && facts.After.Find(old.Oid) is { RowSecurity: false }
                select new Finding(
                    facts.Culprit(s => s.Before.Find(old.Oid) is { RowSecurity: true } && s.After.Find(old.Oid) is { RowSecurity: false }),
                        old.Display,
                    $"Row-level security of {old.Display} stays disabled",
                        $"ALTER TABLE {old.Display} ENABLE ROW LEVEL SECURITY;") { Table = old.Oid }),
        InText = (text, context) => Safety.InText.Action(
            text, (start, _) => text.At(start, "DISABLE") && !context.Section.Script.Statements.SkipWhile(later => later != text.Statement)
                .Any(later => new StatementText(later).Has("ENABLE")),
            table => $"A trigger or the row-level security of {table} stays disabled"),
    };

    internal static readonly Hazard FunctionOverloadAdded = new("C113")
    {
        Traced = facts =>
            from s in facts.Statements
            where s.Text.Is("CREATE", "OR", "REPLACE")
            from added in s.After.Functions.Values
            where !s.Before.Functions.ContainsKey(added.Oid) && facts.After.Functions.ContainsKey(added.Oid)
            let old = facts.Before.Functions.Values.FirstOrDefault(f => f.Schema == added.Schema && f.Name == added.Name
                && facts.After.Functions.ContainsKey(f.Oid))
            where old is not null
            select s.Finding(Names.Qualified(added.Schema, added.Name),
                $"{added.Display} does not replace {old.Display}: both are there now", $"DROP {old.Word} {old.Display};"),
    };

    internal static readonly Hazard EnumValueOrder = new("C114")
    {
        TextAlways = true,
        InText = (text, _) => text.Is("ALTER", "TYPE") && text.NameAt(2) is { } type && text.At(type.Next, "ADD", "VALUE")
            && !text.Has("BEFORE") && !text.Has("AFTER")
            ? new Finding(type.Display, $"The new value of {type.Display} goes last")
            : null,
    };

    internal static readonly Hazard TypeChanged = new("C115")
    {
        Traced = facts =>
            from changed in OldColumns(facts)
            where changed.Before.TypeOid != changed.After.TypeOid && !(IsText(changed.Before) && IsText(changed.After))
            select new Finding(
                Changer(facts, changed, (a, b) => a.TypeOid != b.TypeOid), $"{changed.Table.Name}.{changed.After.Name}",
                $"Clients get {changed.After.Type} for {changed.Table.Display}.{changed.After.Name}, which was {changed.Before.Type}"),
    };

    internal static readonly Hazard RowSecurityWithoutPolicy = new("C116")
    {
        Traced = facts =>
            from table in facts.After.Relations.Values
            where table.RowSecurity && !facts.After.WithPolicy.Contains(table.Oid) && facts.WasThere(table.Oid)
                && facts.Before.Find(table.Oid) is { } old
                && (!old.RowSecurity || (table.ForcesRowSecurity && !old.ForcesRowSecurity) || facts.Before.WithPolicy.Contains(table.Oid))
            group table by facts.Culprit(s => s.Before.Find(table.Oid) != s.After.Find(table.Oid)
                || (s.Before.WithPolicy.Contains(table.Oid) && !s.After.WithPolicy.Contains(table.Oid))) into tables
            let names = Names.List(tables.Select(table => table.Display).Order(StringComparer.Ordinal))
            let who = tables.All(table => table.ForcesRowSecurity) ? "nobody sees rows" : "only the owner sees rows"
            select new Finding(
                tables.Key, names, $"Row security without a policy: {who} of {names}",
                "-- the condition says which rows a role sees\n" + string.Join('\n', tables.Select(table =>
                    $"-- CREATE POLICY {Names.Made(table.Name, "all")} ON {table.Display} USING (condition);")))
            {
                Table = tables.First().Oid,
            },
    };

    internal static readonly ImmutableArray<Hazard> All =
    [
        RenameTable, RenameColumn, MoveSchema, RenameEnumValue, RequiredColumnAdded, DefaultChanged, DropNotNull, DropViewOrFunction,
            UniqueRemoved, ForeignKeyRemoved, ReplicaIdentityLost,
        ProtectionDisabled, FunctionOverloadAdded, EnumValueOrder, TypeChanged, RowSecurityWithoutPolicy,
    ];

    /// <summary>Whether an action adds a column that is NOT NULL and gets no value by itself.</summary>
    internal static bool RequiresValue(StatementText text, int start, int end) =>
        Safety.InText.AddsColumn(text, start) && text.Within(start, end, "NOT", "NULL") && !text.Within(start, end, "DEFAULT")
        && !text.Within(start, end, "GENERATED")
        && !text.Tokens.Skip(start).Take(end - start).Any(token => token.Text.Contains("SERIAL", StringComparison.Ordinal));

    private static bool IsText(Column column) => column.Type == "text"
        || column.Type.StartsWith("character varying", StringComparison.Ordinal);

    private static string Instead(Relation? holder) => holder is null ? "" : $", and {holder.Display} now means another";

    /// <summary>
    /// Whether code that uses the old name finds there what it expects: every column, and the rows. They are there in a view, in a parent
    /// that the old table is a partition of now, in what was there before, and in what the migration filled.
    /// </summary>
    private static bool Replaces(MigrationFacts facts, Relation old, Relation holder) =>
        !facts.Before.ColumnsOf(old.Oid).Select(c => c.Name).Except(facts.After.ColumnsOf(holder.Oid).Select(c => c.Name)).Any()
        && (holder.Kind is 'v' or 'm' or 'f' || facts.Before.Find(holder.Oid) is not null || facts.After.Root(old.Oid) == holder.Oid
            || facts.Statements.Any(s => s.ActivityOn(holder.Oid).Inserted > 0 || s.Fills(holder.Oid)));

    /// <summary>
    /// Whether a column that took a name holds what the old one held. The migration computes it or copies it, or it is the second half of a
    /// swap: what steps aside or what takes its place says so by a name made of the old one. Otherwise two columns just change names.
    /// </summary>
    private static bool Replaces(MigrationFacts facts, Relation table, Column old, Column now, Column holder)
    {
        var former = facts.Before.FindColumn(table.Oid, holder.Number)?.Name;
        return former is null
            ? holder.Generated is not null
                || facts.Statements.Any(s => s.Fills(table.Oid) && s.Text.Mentions(now.Name) && s.Text.Mentions(old.Name))
            : now.Name.Contains(old.Name, StringComparison.Ordinal) || former.Contains(old.Name, StringComparison.Ordinal);
    }

    private static string AddInstead(Relation table, Column column, string name) =>
        $"""
        ALTER TABLE {table.Display} ADD COLUMN {SqlIdentifier.Quote(name)} {column.Type};
        -- a trigger that keeps {SqlIdentifier.Quote(column.Name)} and {SqlIdentifier.Quote(name)} the same, and the old rows in batches;
        -- when no code uses the old one:
        ALTER TABLE {table.Display} DROP COLUMN {SqlIdentifier.Quote(column.Name)};
        """;

    private static bool SameKeys(IndexInfo one, IndexInfo other) =>
        one.Keys.Contains((short)0) || other.Keys.Contains((short)0) ? one.Shape == other.Shape
            : one.Keys.ToHashSet().SetEquals(other.Keys);

    private static bool HasIdentity(Catalog catalog, Relation table) => table.ReplicaIdentity switch
    {
        'f' => true,
        'i' => catalog.IndexesOf(table.Oid).Any(index => index.Index!.ReplicaIdentity),
        'd' => catalog.IndexesOf(table.Oid).Any(index => index.Index!.Primary),
        _ => false,
    };

    private static IEnumerable<(Relation Table, Column Before, Column After)> OldColumns(MigrationFacts facts) =>
        from table in facts.Before.Relations.Values
        where table.IsTable && table.Parent is null && facts.WasThere(table.Oid) && facts.After.Find(table.Oid) is not null
        from before in facts.Before.ColumnsOf(table.Oid)
        let after = facts.After.FindColumn(table.Oid, before.Number)
        where after is not null && after != before
        select (table, before, after);

    private static StatementTrace? Changer(MigrationFacts facts, (Relation Table, Column Before, Column After) changed, Func<Column, Column,
        bool> differ) =>
        facts.Culprit(s => s.ChangedColumns.Any(c => c.Table.Oid == changed.Table.Oid && c.After.Number == changed.After.Number
            && differ(c.Before, c.After)));

    private static IEnumerable<Finding> GoneViews(MigrationFacts facts)
    {
        foreach (var old in facts.Before.Relations.Values.Where(r => r.Kind is 'v' or 'm' && facts.WasThere(r.Oid)
            && facts.After.Find(r.Oid) is null))
        {
            var now = facts.After.Find(old.Schema, old.Name);
            var culprit = facts.Culprit(s => s.GoneRelations.Any(r => r.Oid == old.Oid));
            if (now is null)
            {
                yield return new Finding(culprit, old.Display, $"The view {old.Display} is gone");
                continue;
            }

            var missing = facts.Before.ColumnsOf(old.Oid).Select(c => c.Name).Except(facts.After.ColumnsOf(now.Oid).Select(c => c.Name))
                .ToList();
            if (missing.Count > 0)
            {
                yield return new Finding(culprit, old.Display, $"The view {old.Display} has no {Names.List(missing)} any more");
            }
        }
    }
}
