using System.Collections.Immutable;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Safety;

/// <summary>C1xx: what breaks code that still expects the schema of before. Start and end of the migration are compared, so what is made good on the way is silent.</summary>
internal static class CompatibilityRules
{
    internal static readonly Hazard RenameTable = new()
    {
        Id = "C101",
        Name = "rename-table",
        Severity = Severity.Error,
        Title = "A table or view is renamed",
        Effect = "Code that is running now names the old one and fails from the commit on.",
        Advice = "Leave a view with the old name, until no code uses it.",
        Documentation = "sql-altertable.html#SQL-ALTERTABLE-DESC-RENAME",
        Evidence = Evidence.Catalog,
        Traced = facts =>
            from old in facts.Before.Relations.Values
            where old.Kind is 'r' or 'p' or 'v' or 'm' or 'f' && facts.WasThere(old.Oid)
            let now = facts.After.Find(old.Oid)
            where now is not null && now.Name != old.Name && facts.After.Find(old.Schema, old.Name) is null
            let culprit = facts.Culprit(s => s.Kept.Any(pair => pair.After.Oid == old.Oid && pair.Before.Name != pair.After.Name))
            select new Hit(culprit, old.Display, $"{old.Display} is renamed to {now.Display}", $"CREATE VIEW {old.Display} AS SELECT * FROM {now.Display};") { Table = old.Oid },
        Recognise = (text, _) => (text.Is("ALTER", "TABLE") || text.Is("ALTER", "VIEW")) && text.NameAt(text.SkipGuards(2)) is { } table && text.At(table.Next, "RENAME", "TO")
            ? new Words(table.Display, $"{table.Display} is renamed")
            : null,
    };

    internal static readonly Hazard RenameColumn = new()
    {
        Id = "C102",
        Name = "rename-column",
        Severity = Severity.Error,
        Title = "A column is renamed",
        Effect = "Code that is running now names the old one and fails from the commit on.",
        Advice = "Add a new column, write both, and drop the old one when no code uses it; or put a view with the old names in front.",
        Documentation = "sql-altertable.html#SQL-ALTERTABLE-DESC-RENAME",
        Evidence = Evidence.Catalog,
        Traced = facts =>
            from old in facts.Before.Relations.Values
            where old.Kind is 'r' or 'p' or 'v' or 'm' or 'f' && old.Parent is null && facts.WasThere(old.Oid) && facts.After.Find(old.Oid) is not null
            from column in facts.Before.ColumnsOf(old.Oid)
            let now = facts.After.FindColumn(old.Oid, column.Number)
            where now is not null && now.Name != column.Name && !facts.After.ColumnsOf(old.Oid).Any(c => c.Name == column.Name)
            let culprit = facts.Culprit(s => s.ChangedColumns.Any(c => c.Table.Oid == old.Oid && c.After.Number == column.Number && c.Before.Name != c.After.Name))
            select new Hit(culprit, $"{old.Name}.{column.Name}", $"{old.Display}.{column.Name} is renamed to {now.Name}", AddInstead(old, column, now.Name)) { Table = old.Oid },
        Recognise = (text, _) => text.AlterTableActions().Where(a => text.At(a.Start, "RENAME") && !text.At(a.Start, "RENAME", "TO") && !text.At(a.Start, "RENAME", "CONSTRAINT"))
            .Select(a => new Words(a.Table, $"A column of {a.Table} is renamed")).FirstOrDefault(),
    };

    internal static readonly Hazard MoveSchema = new()
    {
        Id = "C103",
        Name = "move-schema",
        Severity = Severity.Error,
        Title = "A table or view moves to another schema",
        Effect = "Code that names it with its schema, or has not the new one in its search_path, fails from the commit on.",
        Advice = "Leave a view in the old place, until no code uses it.",
        Documentation = "sql-altertable.html#SQL-ALTERTABLE-DESC-SET-SCHEMA",
        Evidence = Evidence.Catalog,
        Traced = facts =>
            from old in facts.Before.Relations.Values
            where old.Kind is 'r' or 'p' or 'v' or 'm' or 'f' && facts.WasThere(old.Oid)
            let now = facts.After.Find(old.Oid)
            where now is not null && now.Schema != old.Schema && facts.After.Find(old.Schema, old.Name) is null
            let culprit = facts.Culprit(s => s.Kept.Any(pair => pair.After.Oid == old.Oid && pair.Before.Schema != pair.After.Schema))
            select new Hit(
                culprit, old.Display, $"{old.Display} moves to the schema {SqlIdentifier.Quote(now.Schema)}",
                $"CREATE VIEW {SqlIdentifier.Quote(old.Schema, old.Name)} AS SELECT * FROM {SqlIdentifier.Quote(now.Schema, now.Name)};") { Table = old.Oid },
    };

    internal static readonly Hazard RenameEnumValue = new()
    {
        Id = "C104",
        Name = "rename-enum-value",
        Severity = Severity.Error,
        Title = "An enum value is renamed",
        Effect = "Code that is running now writes the old value and gets an error, and reads one that it does not know.",
        Advice = "Add a new value, and change the rows when all code knows it.",
        Documentation = "sql-altertype.html",
        Evidence = Evidence.Catalog,
        Traced = facts =>
            from old in facts.Before.EnumValues.Values
            where facts.After.EnumValues.TryGetValue(old.Oid, out var now) && now.Label != old.Label
            let type = facts.After.Types.GetValueOrDefault(old.Type)
            where type is not null
            let culprit = facts.Culprit(s => s.Before.EnumValues.GetValueOrDefault(old.Oid)?.Label != s.After.EnumValues.GetValueOrDefault(old.Oid)?.Label)
            select new Hit(
                culprit, type.Display, $"The value {SqlLiteral.Quote(old.Label)} of {type.Display} is renamed to {SqlLiteral.Quote(facts.After.EnumValues[old.Oid].Label)}",
                $"ALTER TYPE {type.Display} ADD VALUE {SqlLiteral.Quote(facts.After.EnumValues[old.Oid].Label)} AFTER {SqlLiteral.Quote(old.Label)};"),
        Recognise = (text, _) => text.Is("ALTER", "TYPE") && text.Has("RENAME", "VALUE") && text.NameAt(2) is { } type ? new Words(type.Display, $"A value of {type.Display} is renamed") : null,
    };

    internal static readonly Hazard RequiredColumnAdded = new()
    {
        Id = "C105",
        Name = "required-column-added",
        Severity = Severity.Error,
        Title = "A new column demands a value that running code does not give",
        Effect = "Code that is running now inserts without the column, which is NOT NULL and has no default: every INSERT fails. On a table with rows the migration itself fails.",
        Advice = "Give it a default, or add it nullable and make it NOT NULL when all code writes it.",
        Documentation = "ddl-alter.html#DDL-ALTER-ADDING-A-COLUMN",
        Evidence = Evidence.Catalog,
        Traced = facts =>
            from table in facts.Before.Relations.Values
            where table.IsTable && table.Parent is null && facts.WasThere(table.Oid) && facts.After.Find(table.Oid) is not null
            from column in facts.After.ColumnsOf(table.Oid)
            where column is { NotNull: true, FillsItself: false } && facts.Before.FindColumn(table.Oid, column.Number) is null
                && !facts.After.ConstraintsOf(table.Oid).Any(c => c.Kind == 'p' && c.Keys.Contains(column.Number) && facts.Before.Constraints.ContainsKey(c.Oid))
            let culprit = facts.Culprit(s => (s.NewColumns.Any(c => c.Table.Oid == table.Oid && c.Column.Number == column.Number)
                || s.ChangedColumns.Any(c => c.Table.Oid == table.Oid && c.After.Number == column.Number)) && s.After.FindColumn(table.Oid, column.Number) is { NotNull: true, FillsItself: false })
            select new Hit(
                culprit, $"{table.Name}.{column.Name}", $"Code that does not know {table.Display}.{column.Name} can no longer insert",
                $"ALTER TABLE {table.Display} ADD COLUMN {SqlIdentifier.Quote(column.Name)} {column.Type};\n-- SET NOT NULL when all code writes it") { Table = table.Oid },
        Recognise = (text, _) => text.AlterTableActions()
            .Where(a => text.At(a.Start, "ADD") && !text.At(a.Start, "ADD", "CONSTRAINT") && text.Within(a.Start, a.End, "NOT", "NULL") && !text.Within(a.Start, a.End, "DEFAULT")
                && !text.Within(a.Start, a.End, "GENERATED") && !Enumerable.Range(a.Start, a.End - a.Start).Any(i => text.Tokens[i].Text.Contains("SERIAL", StringComparison.Ordinal)))
            .Select(a => new Words(a.Table, $"Code that does not know the new column of {a.Table} can no longer insert")).FirstOrDefault(),
    };

    internal static readonly Hazard DefaultChanged = new()
    {
        Id = "C106",
        Name = "default-changed",
        Severity = Severity.Info,
        Title = "A column's default changes",
        Effect = "Code that leaves the value to the database writes another one from the commit on.",
        Advice = "Have the application write the value itself first.",
        Documentation = "ddl-alter.html#DDL-ALTER-COLUMN-DEFAULT",
        Evidence = Evidence.Catalog,
        Traced = facts =>
            from changed in OldColumns(facts)
            where changed.Before.Default != changed.After.Default && changed.Before.Type == changed.After.Type && changed.After.Generated is null && changed.Before.Identity == changed.After.Identity
            select new Hit(
                Changer(facts, changed, (a, b) => a.Default != b.Default), $"{changed.Table.Name}.{changed.After.Name}",
                changed.After.Default is null ? $"{changed.Table.Display}.{changed.After.Name} loses its default" : $"The default of {changed.Table.Display}.{changed.After.Name} becomes {changed.After.Default}"),
    };

    internal static readonly Hazard DropNotNull = new()
    {
        Id = "C107",
        Name = "drop-not-null",
        Severity = Severity.Warning,
        Title = "A column may be NULL from now on",
        Effect = "Code that is running now was promised a value, and may meet NULL as soon as a newer one writes it.",
        Advice = "Deploy code that reads NULL first.",
        Documentation = "ddl-alter.html#DDL-ALTER-REMOVING-A-CONSTRAINT",
        Evidence = Evidence.Catalog,
        Traced = facts =>
            from changed in OldColumns(facts)
            where changed.Before.NotNull && !changed.After.NotNull
            select new Hit(Changer(facts, changed, (a, b) => a.NotNull != b.NotNull), $"{changed.Table.Name}.{changed.After.Name}", $"{changed.Table.Display}.{changed.After.Name} may be NULL from now on"),
    };

    internal static readonly Hazard DropViewOrFunction = new()
    {
        Id = "C108",
        Name = "drop-view-or-function",
        Severity = Severity.Error,
        Title = "A view, a view's column or a function is gone",
        Effect = "Code that is running now uses it and fails from the commit on.",
        Advice = "Keep it for a release: a view can show a constant, a function can call the new one.",
        Documentation = "sql-dropview.html",
        Evidence = Evidence.Catalog,
        Traced = facts => GoneViews(facts).Concat(
            from old in facts.Before.Functions.Values
            where !old.IsTrigger && !facts.After.Functions.Values.Any(now => now.Display == old.Display)
            let culprit = facts.Culprit(s => s.Before.Functions.Values.Any(f => f.Display == old.Display) && !s.After.Functions.Values.Any(f => f.Display == old.Display))
            select new Hit(culprit, Names.Qualified(old.Schema, old.Name), $"The {old.Word.ToLowerInvariant()} {old.Display} is gone")),
        Recognise = (text, _) => text.Is("DROP", "VIEW") || text.Is("DROP", "FUNCTION") || text.Is("DROP", "PROCEDURE")
            ? text.NameAt(text.SkipGuards(2)) is { } name ? new Words(name.Display, $"The {text.Tokens[1].Text.ToLowerInvariant()} {name.Display} is gone") : null
            : null,
    };

    internal static readonly Hazard UniqueRemoved = new()
    {
        Id = "C109",
        Name = "unique-removed",
        Severity = Severity.Warning,
        Title = "A unique or primary key is gone",
        Effect = "INSERT … ON CONFLICT on its columns fails from the commit on, and duplicates can come in.",
        Advice = "Build the unique index that is to replace it first.",
        Documentation = "sql-insert.html#SQL-ON-CONFLICT",
        Evidence = Evidence.Catalog,
        Traced = facts =>
            from old in facts.Before.Relations.Values
            where old.Index is { Unique: true, Valid: true } && old.Parent is null && facts.WasThere(old.Index.Table) && facts.After.Find(old.Index.Table) is { Kind: 'r' or 'p' }
                && !facts.After.IndexesOf(old.Index.Table).Any(now => now.Index!.Unique && now.Index.Predicate == old.Index.Predicate && SameKeys(now.Index, old.Index))
                && !old.Index.Keys.Any(key => key != 0 && facts.After.FindColumn(old.Index.Table, key) is null && old.Index.Keys.Length == 1)
            let table = facts.After.Find(old.Index!.Table)!
            select new Hit(
                facts.Culprit(s => s.Before.Find(old.Oid) is not null && s.After.Find(old.Oid) is null), old.Display,
                $"{table.Display} is no longer unique by {Names.List(old.Index!.Keys.Select(key => facts.Before.FindColumn(table.Oid, key)?.Name ?? "an expression"))}") { Table = table.Oid },
    };

    internal static readonly Hazard ForeignKeyRemoved = new()
    {
        Id = "C110",
        Name = "foreign-key-removed",
        Severity = Severity.Warning,
        Title = "A foreign key is gone, or no longer enforced",
        Effect = "Rows that refer to nothing can come in, and ON DELETE actions no longer happen.",
        Advice = "Keep it until what replaces it is there.",
        Documentation = "ddl-constraints.html#DDL-CONSTRAINTS-FK",
        Evidence = Evidence.Catalog,
        Traced = facts =>
            from old in facts.Before.Constraints.Values
            where old is { Kind: 'f', Parent: 0, Enforced: true } && facts.WasThere(old.Table) && facts.After.Find(old.Table) is not null && facts.After.Find(old.ReferencedTable) is not null
                && old.Keys.All(key => facts.After.FindColumn(old.Table, key) is not null)
                && !facts.After.ConstraintsOf(old.Table).Any(now => now is { Kind: 'f', Enforced: true } && now.ReferencedTable == old.ReferencedTable && now.Keys.SequenceEqual(old.Keys))
            let table = facts.After.Find(old.Table)!
            select new Hit(
                facts.Culprit(s => s.Before.Constraints.GetValueOrDefault(old.Oid) is { Enforced: true } && s.After.Constraints.GetValueOrDefault(old.Oid) is not { Enforced: true }), old.Name,
                $"{table.Display} no longer refers to {facts.After.Find(old.ReferencedTable)!.Display} by {Names.List(old.Keys.Select(key => facts.Before.FindColumn(old.Table, key)!.Name))}") { Table = table.Oid },
    };

    internal static readonly Hazard ReplicaIdentityLost = new()
    {
        Id = "C111",
        Name = "replica-identity-lost",
        Severity = Severity.Error,
        Title = "A published table can no longer be updated",
        Effect = "A publication needs to tell rows apart. Without a primary key or another replica identity every UPDATE and DELETE of the table fails.",
        Advice = "Set REPLICA IDENTITY USING INDEX to another unique index first.",
        Documentation = "logical-replication-publication.html",
        Evidence = Evidence.Catalog,
        Traced = facts =>
            from old in facts.Before.Relations.Values
            where old.Kind == 'r' && facts.WasThere(old.Oid) && HasIdentity(facts.Before, old) && facts.After.Find(old.Oid) is { } now && !HasIdentity(facts.After, now)
                && (facts.After.PublishesAllTables || facts.After.Published.Contains(old.Oid))
            select new Hit(
                facts.Culprit(s => s.Before.Find(old.Oid) is { } a && HasIdentity(s.Before, a) && s.After.Find(old.Oid) is { } b && !HasIdentity(s.After, b)), old.Display,
                $"{old.Display} is published and has no replica identity any more: UPDATE and DELETE fail", $"ALTER TABLE {old.Display} REPLICA IDENTITY USING INDEX …;") { Table = old.Oid },
    };

    internal static readonly Hazard ProtectionDisabled = new()
    {
        Id = "C112",
        Name = "protection-disabled",
        Severity = Severity.Error,
        Title = "A trigger or row-level security is switched off and stays so",
        Effect = "What the trigger kept in order, or the policies kept apart, is open from the commit on.",
        Advice = "Switch it on again in the same migration.",
        Documentation = "ddl-rowsecurity.html",
        Evidence = Evidence.Catalog,
        Traced = facts =>
            (from old in facts.Before.Triggers.Values
             where old.Enabled != 'D' && facts.After.Triggers.TryGetValue(old.Oid, out var now) && now.Enabled == 'D' && facts.WasThere(old.Table)
             let table = facts.After.Find(old.Table)!
             select new Hit(
                 facts.Culprit(s => s.Before.Triggers.GetValueOrDefault(old.Oid) is { Enabled: not 'D' } && s.After.Triggers.GetValueOrDefault(old.Oid) is { Enabled: 'D' }), table.Display,
                 $"The trigger {SqlIdentifier.Quote(old.Name)} of {table.Display} stays disabled", $"ALTER TABLE {table.Display} ENABLE TRIGGER {SqlIdentifier.Quote(old.Name)};") { Table = table.Oid }).Concat(
                from old in facts.Before.Relations.Values
                where old.RowSecurity && facts.WasThere(old.Oid) && facts.After.Find(old.Oid) is { RowSecurity: false }
                select new Hit(
                    facts.Culprit(s => s.Before.Find(old.Oid) is { RowSecurity: true } && s.After.Find(old.Oid) is { RowSecurity: false }), old.Display,
                    $"Row-level security of {old.Display} stays disabled", $"ALTER TABLE {old.Display} ENABLE ROW LEVEL SECURITY;") { Table = old.Oid }),
    };

    internal static readonly Hazard FunctionOverloadAdded = new()
    {
        Id = "C113",
        Name = "function-overload-added",
        Severity = Severity.Warning,
        Title = "CREATE OR REPLACE replaced nothing: there are two functions of the name now",
        Effect = "Other arguments make another function. The old one stays, and calls that fit both fail as ambiguous.",
        Advice = "Drop the old signature in the same migration, when no code calls it.",
        Documentation = "sql-createfunction.html#SQL-CREATEFUNCTION-OVERLOADING",
        Evidence = Evidence.Catalog,
        Traced = facts =>
            from s in facts.Statements
            where s.Text.Is("CREATE", "OR", "REPLACE")
            from added in s.After.Functions.Values
            where !s.Before.Functions.ContainsKey(added.Oid) && facts.After.Functions.ContainsKey(added.Oid)
            let old = facts.Before.Functions.Values.FirstOrDefault(f => f.Schema == added.Schema && f.Name == added.Name && facts.After.Functions.ContainsKey(f.Oid))
            where old is not null
            select s.Hit(Names.Qualified(added.Schema, added.Name), $"{added.Display} does not replace {old.Display}: both are there now", $"DROP {old.Word} {old.Display};"),
    };

    internal static readonly Hazard EnumValueOrder = new()
    {
        Id = "C114",
        Name = "enum-value-order",
        Severity = Severity.Info,
        Title = "A new enum value goes last",
        Effect = "Enum values compare in their order, so ORDER BY and < put the new one behind all others.",
        Advice = "Say BEFORE or AFTER which one.",
        Documentation = "sql-altertype.html",
        Evidence = Evidence.Text,
        WordsAlways = true,
        Recognise = (text, _) => text.Is("ALTER", "TYPE") && text.NameAt(2) is { } type && text.At(type.Next, "ADD", "VALUE") && !text.Has("BEFORE") && !text.Has("AFTER")
            ? new Words(type.Display, $"The new value of {type.Display} goes last")
            : null,
    };

    internal static readonly ImmutableArray<Hazard> All =
    [
        RenameTable, RenameColumn, MoveSchema, RenameEnumValue, RequiredColumnAdded, DefaultChanged, DropNotNull, DropViewOrFunction, UniqueRemoved, ForeignKeyRemoved, ReplicaIdentityLost,
        ProtectionDisabled, FunctionOverloadAdded, EnumValueOrder,
    ];

    private static string AddInstead(Relation table, Column column, string name) =>
        $"""
        ALTER TABLE {table.Display} ADD COLUMN {SqlIdentifier.Quote(name)} {column.Type};
        -- a trigger that keeps {SqlIdentifier.Quote(column.Name)} and {SqlIdentifier.Quote(name)} the same, and the old rows in batches;
        -- when no code uses the old one:
        ALTER TABLE {table.Display} DROP COLUMN {SqlIdentifier.Quote(column.Name)};
        """;

    private static bool SameKeys(IndexFacts one, IndexFacts other) =>
        one.Keys.Contains((short)0) || other.Keys.Contains((short)0) ? Tail(one.Definition) == Tail(other.Definition) : one.Keys.ToHashSet().SetEquals(other.Keys);

    private static string Tail(string definition) => definition[definition.IndexOf(" USING ", StringComparison.Ordinal)..];

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

    private static StatementTrace? Changer(MigrationFacts facts, (Relation Table, Column Before, Column After) changed, Func<Column, Column, bool> differ) =>
        facts.Culprit(s => s.ChangedColumns.Any(c => c.Table.Oid == changed.Table.Oid && c.After.Number == changed.After.Number && differ(c.Before, c.After)));

    private static IEnumerable<Hit> GoneViews(MigrationFacts facts)
    {
        foreach (var old in facts.Before.Relations.Values.Where(r => r.Kind is 'v' or 'm' && facts.WasThere(r.Oid) && facts.After.Find(r.Oid) is null))
        {
            var now = facts.After.Find(old.Schema, old.Name);
            var culprit = facts.Culprit(s => s.GoneRelations.Any(r => r.Oid == old.Oid));
            if (now is null)
            {
                yield return new Hit(culprit, old.Display, $"The view {old.Display} is gone");
                continue;
            }

            var missing = facts.Before.ColumnsOf(old.Oid).Select(c => c.Name).Except(facts.After.ColumnsOf(now.Oid).Select(c => c.Name)).ToList();
            if (missing.Count > 0)
            {
                yield return new Hit(culprit, old.Display, $"The view {old.Display} has no {Names.List(missing)} any more");
            }
        }
    }
}
