using System.Collections.Immutable;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Safety;

/// <summary>D1xx: what takes data away, or lets it be lost.</summary>
internal static class DataLossRules
{
    internal static readonly Hazard DropTable = new("D101")
    {
        Traced = facts =>
            from s in facts.Statements
            where !facts.Before.Schemas.Values.Except(s.After.Schemas.Values).Any()
            from gone in s.GoneRelations
            where gone.Kind is 'r' or 'p' or 'f' && facts.WasThere(gone.Oid) && !(gone.Parent is { } parent && s.After.Find(parent) is null)
            select s.On(gone, $"The table {gone.Display} is dropped with its rows",
                $"ALTER TABLE {gone.Display} RENAME TO {Names.Made(gone.Name, "unused")};\n-- and when nobody has missed it, in a later "
                + $"release\nDROP TABLE {Names.Made(gone.Name, "unused")};"),
        InText = (text, _) => text.Is("DROP", "TABLE") && text.NameAt(text.SkipGuards(2)) is { } table
            ? new Finding(table.Display, $"The table {table.Display} is dropped with its rows")
            : null,
    };

    internal static readonly Hazard DropColumn = new("D102")
    {
        Traced = facts =>
            from s in facts.Statements
            from gone in s.GoneColumns
            where gone.Table.Kind is 'r' or 'p' or 'f' && gone.Table.Parent is null && facts.WasThere(gone.Table.Oid)
                && facts.Before.FindColumn(gone.Table.Oid, gone.Column.Number) is not null
            select s.Finding(gone.Table, $"{gone.Table.Name}.{gone.Column.Name}",
                $"The column {gone.Table.Display}.{gone.Column.Name} is dropped with its values"),
        InText = (text, _) =>
        {
            foreach (var (table, start, _) in text.AlterTableActions())
            {
                var name = text.SkipGuards(start + (text.At(start, "DROP", "COLUMN") ? 2 : 1));
                if (text.At(start, "DROP") && !text.At(start, "DROP", "CONSTRAINT") && name < text.Tokens.Count
                    && text.Tokens[name].Name is { } column)
                {
                    return new Finding($"{table}.{column}", $"The column {table}.{column} is dropped with its values");
                }
            }

            return null;
        },
    };

    internal static readonly Hazard DropSchema = new("D103")
    {
        Traced = facts =>
            from s in facts.Statements
            from schema in facts.Before.Schemas
            where s.Before.Schemas.ContainsKey(schema.Key) && !s.After.Schemas.ContainsKey(schema.Key)
            let tables = facts.Before.Relations.Values.Where(r => r.Schema == schema.Value && r.Kind is 'r' or 'p' or 'f'
                && s.Before.Find(r.Oid) is not null && s.After.Find(r.Oid) is null).ToList()
            where tables.Count > 0
            select s.Finding(schema.Value,
                $"The schema {SqlIdentifier.Quote(schema.Value)} is dropped with "
                + $"{Names.List(tables.Select(t => SqlIdentifier.Quote(t.Name)))}"),
        InText = (text, _) => (text.Is("DROP", "SCHEMA") && text.Has("CASCADE")) || text.Is("DROP", "DATABASE")
            ? new Finding(text.NameAt(text.SkipGuards(2))?.Name ?? "",
                $"The {text.Tokens[1].Text.ToLowerInvariant()} {text.NameAt(text.SkipGuards(2))?.Name} is dropped with all that is in it")
            : null,
    };

    internal static readonly Hazard Truncate = new("D104")
    {
        Traced = facts =>
            from s in facts.Statements
            from table in s.Truncated
            where !IsCollateral(s, table)
            select s.On(table, $"The table {table.Display} is emptied"),
        InText = (text, _) => text.Is("TRUNCATE") && text.NameAt(text.SkipGuards(text.At(1, "TABLE") ? 2 : 1)) is { } table
            ? new Finding(table.Display, $"The table {table.Display} is emptied")
            : null,
    };

    internal static readonly Hazard TruncateCascade = new("D105")
    {
        Traced = facts =>
            from s in facts.Statements
            let emptied = s.Truncated.Where(table => IsCollateral(s, table)).ToList()
            where emptied.Count > 0
            select s.On(
                emptied[0], $"{Names.List(emptied.Select(t => t.Display))} {(emptied.Count == 1 ? "is" : "are")} emptied by CASCADE",
                $"TRUNCATE {string.Join(", ", s.Truncated.Select(t => t.Display))};"),
        InText = (text, _) => text.Is("TRUNCATE") && text.Has("CASCADE")
            && text.NameAt(text.SkipGuards(text.At(1, "TABLE") ? 2 : 1)) is { } table
            ? new Finding(table.Display, $"Every table with a foreign key to {table.Display} is emptied too")
            : null,
    };

    internal static readonly Hazard WholeTableDelete = new("D106")
    {
        Traced = facts =>
            from s in facts.Statements
            from table in LockRules.WholeTables(s, activity => activity.Deleted)
            let isSaid = LockRules.DeletesWithoutWhere(s.Text) && s.Text.Mentions(table.Name)
            select s.On(table, $"All rows of {table.Display} are deleted{(isSaid ? "" : ", though no DELETE FROM it says so")}"),
        TextAlways = true,
        InText = (text, _) => LockRules.DeletesWithoutWhere(text) && text.NameAt(text.SkipGuards(2)) is { } table
            ? new Finding(table.Display, $"All rows of {table.Display} are deleted")
            : null,
    };

    internal static readonly Hazard CascadeDrop = new("D107")
    {
        Traced = facts =>
            from s in facts.Statements
            where s.Trace.Statement.Text.Contains("CASCADE", StringComparison.OrdinalIgnoreCase) && !s.Text.Is("TRUNCATE")
                && !s.Text.Is("CREATE") && !s.Text.Is("DROP", "SCHEMA")
            let gone = Collateral(facts, s).ToList()
            where gone.Count > 0
            select s.Finding(Names.List(gone.Select(g => g.Name)), $"CASCADE drops {Names.List(gone.Select(g => $"{g.Word} {g.Name}"))}",
                string.Join('\n', gone.Select(g => g.Drop))),
        InText = (text, _) => text.Has("CASCADE") && !text.Is("DROP", "SCHEMA")
            && (text.Is("DROP") || text.AlterTableActions().Any(action => text.At(action.Start, "DROP")))
            ? new Finding("", "CASCADE drops what depends on it, whatever that is on the database where it runs") : null,
    };

    internal static readonly Hazard LossyTypeChange = new("D108")
    {
        Traced = facts =>
            from s in facts.Statements
            from changed in s.ChangedColumns
            where changed.Table.Parent is null && changed.Table.Kind is 'r' or 'p'
                && facts.Before.FindColumn(changed.Table.Oid, changed.After.Number) is not null
                && TypeChange.IsLossy(changed.Before.Type, changed.After.Type)
            select s.Finding(
                changed.Table, $"{changed.Table.Name}.{changed.After.Name}",
                    $"{changed.Table.Display}.{changed.After.Name} goes from {changed.Before.Type} to {changed.After.Type}, which holds "
                    + "less",
                $"-- before: is there a value that does not fit?\nSELECT count(*) FROM {changed.Table.Display} WHERE "
                    + $"{SqlIdentifier.Quote(changed.After.Name)}::{changed.After.Type}::{changed.Before.Type} IS DISTINCT FROM "
                    + $"{SqlIdentifier.Quote(changed.After.Name)};"),
        InText = (text, _) => Safety.InText.Action(
            text, (start, end) => text.At(start, "ALTER") && text.Find(start, "TYPE") is var type && type > start && type + 1 < end
                && (Small.Contains(text.Tokens[type + 1].Text)
                    || (Limited.Contains(text.Tokens[type + 1].Text) && text.Tokens.Skip(type).Take(end - type).Any(t => t.Is("(")))),
            table => $"A column of {table} gets a type that may hold less") is { } found
                ? found with { GivenSeverity = Severity.Warning } : null,
    };

    /// <summary>Types that hold less than most others, and those that do where they have a limit.</summary>
    private static readonly string[] Small = ["SMALLINT", "INT2", "INTEGER", "INT", "INT4", "REAL", "FLOAT4", "DATE", "BOOLEAN"],
        Limited = ["VARCHAR", "CHAR", "CHARACTER", "NUMERIC", "DECIMAL", "BIT"];

    internal static readonly Hazard SetUnlogged = new("D109")
    {
        Traced = facts =>
            from s in facts.Statements
            from pair in s.Kept
            where pair is { Before.Persistence: 'p', After: { Persistence: 'u', Kind: 'r' } } && facts.WasThere(pair.After.Oid)
                && facts.After.Find(pair.After.Oid)?.Persistence == 'u'
            select s.On(pair.After, $"{pair.After.Display} becomes unlogged: a crash empties it"),
        InText = (text, _) => text.AlterTableActions().Where(a => text.At(a.Start, "SET", "UNLOGGED"))
            .Select(a => new Finding(a.Table, $"{a.Table} becomes unlogged: a crash empties it")).FirstOrDefault(),
    };

    internal static readonly Hazard ColumnDropCollateral = new("D110")
    {
        Traced = facts =>
            from s in facts.Statements
            from gone in s.GoneIndexes
            where facts.WasThere(gone.Table.Oid) && facts.WasThere(gone.Index.Oid) && gone.Index.Parent is null
                && !s.Text.Mentions(gone.Index.Name)
            let dropped = s.GoneColumns.Where(c => c.Table.Oid == gone.Table.Oid && gone.Index.Index!.Columns.Contains(c.Column.Number))
                .Select(c => c.Column.Name).ToList()
            let left = gone.Index.Index!.Keys.Where(key => key != 0 && s.After.FindColumn(gone.Table.Oid, key) is not null).ToList()
            where dropped.Count > 0 && left.Count > 0 && !StateRules.Leads(facts.After, gone.Table.Oid, left, gone.Index.Index!.Unique)
            select s.Finding(
                gone.Table, gone.Index.Display,
                    $"Dropping the column {Names.List(dropped)} also drops {gone.Index.Display} on "
                    + $"{Names.List(s.ColumnNames(gone.Table.Oid, left))}",
                IndexRules.Alone($"CREATE {(gone.Index.Index!.Unique ? "UNIQUE " : "")}INDEX CONCURRENTLY "
                    + $"{Names.Made(gone.Table.Name, string.Join('_', s.ColumnNames(gone.Table.Oid, left)), "idx")} ON "
                    + $"{gone.Table.Display} ({Names.Columns(s.ColumnNames(gone.Table.Oid, left))});")),
    };

    internal static readonly Hazard PrivilegesLost = new("D111")
    {
        Traced = facts =>
            (from old in facts.Before.Relations.Values
             where old.Privileges is not null && facts.After.Find(old.Oid) is null
             let now = facts.After.Find(old.Schema, old.Name)
             where now is not null && Lost(old.Privileges!, now.Privileges) is { Length: > 0 }
             select new Finding(facts.Culprit(s => s.NewRelations.Any(r => r.Oid == now.Oid)), now.Display,
                 $"{now.Display} is created again without its grants: {Lost(old.Privileges!, now.Privileges)}")).Concat(
                from old in facts.Before.Functions.Values
                where old.Privileges is not null && !facts.After.Functions.ContainsKey(old.Oid)
                let now = facts.After.Functions.Values.FirstOrDefault(f => f.Display == old.Display)
                where now is not null && Lost(old.Privileges!, now.Privileges) is { Length: > 0 }
                select new Finding(facts.Culprit(s => !s.Before.Functions.ContainsKey(now.Oid) && s.After.Functions.ContainsKey(now.Oid)),
                    now.Display, $"{now.Display} is created again without its grants: {Lost(old.Privileges!, now.Privileges)}")),
        InText = (text, context) => Made(text) is { } made
            && context.DefinitionsBefore(text).Any(earlier => earlier.Is("DROP") && Made(earlier)?.Name == made.Name)
            && !context.Section.Script.Statements.Any(other => other.Is("GRANT") && other.Start > text.Statement.Start
                && other.Text.Contains(made.Name, StringComparison.OrdinalIgnoreCase))
            ? new Finding(made.Display, $"{made.Display} is dropped and created again: what was granted on it is gone") : null,
    };

    internal static readonly ImmutableArray<Hazard> All =
    [
        DropTable, DropColumn, DropSchema, Truncate, TruncateCascade, WholeTableDelete, CascadeDrop, LossyTypeChange, SetUnlogged,
            ColumnDropCollateral, PrivilegesLost,
    ];

    /// <summary>The view or routine that a statement creates or drops.</summary>
    private static StatementName? Made(StatementText text)
    {
        var kind = text.At(1, "OR", "REPLACE") ? 3 : 1;
        return (text.Is("CREATE") || text.Is("DROP")) && text.AtAny(kind, "VIEW", "FUNCTION", "PROCEDURE", "MATERIALIZED")
            ? text.NameAt(text.SkipGuards(kind + (text.At(kind, "MATERIALIZED") ? 2 : 1))) : null;
    }

    private static bool IsCollateral(StatementFacts s, Relation table) => s.Text.Is("TRUNCATE") && s.Text.Has("CASCADE")
        && !s.Text.Tokens.Any(token => token.Name == table.Name);

    /// <summary>What went although the migration names neither it nor what it is a part of.</summary>
    private static IEnumerable<(string Word, string Name, string Drop)> Collateral(MigrationFacts facts, StatementFacts s)
    {
        foreach (var gone in s.GoneRelations.Where(r => r.Kind is 'v' or 'm' or 'r' or 'p' or 'f' && facts.WasThere(r.Oid)
            && !s.Text.Mentions(r.Name) && r.Parent is null))
        {
            var word = gone.Kind switch { 'v' => "view", 'm' => "materialized view", _ => "table" };
            yield return (word, gone.Display, $"DROP {word.ToUpperInvariant()} {gone.Display};");
        }

        foreach (var (table, column) in s.GoneColumns.Where(c => c.Table.IsTable && facts.WasThere(c.Table.Oid)
            && !s.Text.Mentions(c.Column.Name)))
        {
            yield return ("column", $"{table.Display}.{column.Name}",
                $"ALTER TABLE {table.Display} DROP COLUMN {SqlIdentifier.Quote(column.Name)};");
        }

        foreach (var constraint in s.GoneConstraints.Where(c => c is { Kind: 'f', Parent: 0 } && facts.WasThere(c.Table)
            && s.After.Find(c.Table) is not null && !s.Text.Mentions(c.Name)
            && !s.GoneColumns.Any(g => g.Table.Oid == c.Table && c.Keys.Contains(g.Column.Number))))
        {
            var table = s.After.Find(constraint.Table)!;
            yield return ("foreign key", $"{SqlIdentifier.Quote(constraint.Name)} on {table.Display}",
                $"ALTER TABLE {table.Display} DROP CONSTRAINT {SqlIdentifier.Quote(constraint.Name)};");
        }

        foreach (var function in facts.Before.Functions.Values.Where(f => s.Before.Functions.ContainsKey(f.Oid)
            && !s.After.Functions.ContainsKey(f.Oid) && !s.Text.Mentions(f.Name)))
        {
            yield return ("function", function.Display, $"DROP {function.Word} {function.Display};");
        }

        foreach (var trigger in facts.Before.Triggers.Values.Where(t => s.Before.Triggers.ContainsKey(t.Oid)
            && !s.After.Triggers.ContainsKey(t.Oid) && s.After.Find(t.Table) is not null && !s.Text.Mentions(t.Name)))
        {
            var table = s.After.Find(trigger.Table)!;
            yield return ("trigger", $"{SqlIdentifier.Quote(trigger.Name)} on {table.Display}",
                $"DROP TRIGGER {SqlIdentifier.Quote(trigger.Name)} ON {table.Display};");
        }
    }

    /// <summary>The entries of an access list whose grantee has fewer rights now: <c>{alice=r/owner,…}</c>.</summary>
    private static string Lost(string before, string? now)
    {
        var rights = Entries(now ?? "{}").ToDictionary(entry => entry.Grantee, entry => entry.Rights);
        return Names.List(Entries(before)
            .Where(entry => !entry.Rights.All(right =>
            rights.GetValueOrDefault(entry.Grantee, "").Contains(right, StringComparison.Ordinal))
                && entry.Grantee != entry.Grantor)
            .Select(entry => entry.Grantee.Length == 0 ? "PUBLIC" : entry.Grantee));

        static IEnumerable<(string Grantee, string Rights, string Grantor)> Entries(string list) =>
            from entry in list.Trim('{', '}').Split(',', StringSplitOptions.RemoveEmptyEntries)
            let text = entry.Trim('"')
            let sign = text.LastIndexOf('=')
            let slash = text.LastIndexOf('/')
            where sign >= 0 && slash > sign
            group (text, sign, slash) by text[..sign] into grantee
            select (grantee.Key, string.Concat(
                grantee.Select(g => g.text[(g.sign + 1)..g.slash].Replace("*", "", StringComparison.Ordinal))),
                grantee.First().text[(grantee.First().slash + 1)..]);
    }
}
