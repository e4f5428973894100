using System.Collections.Immutable;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Safety;

/// <summary>L3xx: what rewrites a whole table.</summary>
internal static class RewriteRules
{
    internal static readonly Hazard VolatileDefaultRewrite = new()
    {
        Id = "L301",
        Name = "volatile-default-rewrite",
        Severity = Severity.Error,
        Title = "A new column with a volatile default rewrites the table",
        Effect = "Every row needs a value of its own, so table and indexes are rewritten under ACCESS EXCLUSIVE. A constant, immutable or stable default such as now() costs nothing (PostgreSQL 11).",
        Advice = "Add the column without a default, SET DEFAULT for new rows, and fill the old ones in batches.",
        Documentation = "sql-altertable.html#SQL-ALTERTABLE-NOTES",
        Traced = facts => NewColumnRewrites(
            facts,
            (_, _, column) => column is { Identity: null, Generated: null, Default: not null } && !IsSerial(column),
            (table, column) => $"The default of the new column {table.Display}.{column.Name} differs from row to row: the table is rewritten while it is locked out",
            (table, column) =>
                $"""
                ALTER TABLE {table.Display} ADD COLUMN {SqlIdentifier.Quote(column.Name)} {column.Type};
                ALTER TABLE {table.Display} ALTER COLUMN {SqlIdentifier.Quote(column.Name)} SET DEFAULT {column.Default};

                -- then, in batches, in a migration with transaction:false
                UPDATE {table.Display} SET {SqlIdentifier.Quote(column.Name)} = DEFAULT
                WHERE {SqlIdentifier.Quote(column.Name)} IS NULL AND {KeyOf(facts, table)} BETWEEN … AND …;
                """),
    };

    internal static readonly Hazard StoredGeneratedRewrite = new()
    {
        Id = "L302",
        Name = "stored-generated-rewrite",
        Severity = Severity.Error,
        Title = "A stored generated column rewrites the table",
        Effect = "The value is computed and stored for every row: table and indexes are rewritten under ACCESS EXCLUSIVE. SET EXPRESSION (PostgreSQL 17) does the same.",
        Advice = "Use a plain column, fill it by a trigger, and fill the old rows in batches. From PostgreSQL 18: a VIRTUAL generated column, which stores nothing.",
        Documentation = "ddl-generated-columns.html",
        Traced = facts => NewColumnRewrites(
            facts,
            (_, _, column) => column.Generated == 's',
            (table, column) => $"The stored generated column {table.Display}.{column.Name} is computed for all rows: the table is rewritten while it is locked out",
            (table, column) => facts.TargetVersion >= 180000
                ? $"ALTER TABLE {table.Display} ADD COLUMN {SqlIdentifier.Quote(column.Name)} {column.Type} GENERATED ALWAYS AS ({column.Default}) VIRTUAL;"
                : $"ALTER TABLE {table.Display} ADD COLUMN {SqlIdentifier.Quote(column.Name)} {column.Type};\n-- a trigger that sets it to {column.Default}, then fill it in batches in a migration with transaction:false")
            .Concat(
                from s in facts.Statements
                from changed in s.ChangedColumns
                where changed.After.Generated == 's' && changed.Before.Default != changed.After.Default && s.Rewritten.Any(table => table.Oid == changed.Table.Oid)
                select s.Hit(changed.Table, $"{changed.Table.Name}.{changed.After.Name}", $"The new expression of {changed.Table.Display}.{changed.After.Name} is computed for all rows while the table is locked out")),
        Recognise = (text, _) => AddsColumn(text, (start, end) => text.Within(start, end, "STORED"), "The stored generated column rewrites the table"),
    };

    internal static readonly Hazard IdentityRewrite = new()
    {
        Id = "L303",
        Name = "identity-rewrite",
        Severity = Severity.Error,
        Title = "A new serial or identity column rewrites the table",
        Effect = "Every row takes a number from the sequence: table and indexes are rewritten under ACCESS EXCLUSIVE.",
        Advice = "Add a plain column with a sequence as its default, fill the old rows in batches, then make it an identity column.",
        Documentation = "sql-altertable.html#SQL-ALTERTABLE-NOTES",
        Traced = facts => NewColumnRewrites(
            facts,
            (_, _, column) => column.Identity is not null || IsSerial(column),
            (table, column) => $"Numbering the new column {table.Display}.{column.Name} rewrites the table while it is locked out",
            (table, column) =>
                $"""
                CREATE SEQUENCE {Names.Made(table.Name, column.Name, "seq")};
                ALTER TABLE {table.Display} ADD COLUMN {SqlIdentifier.Quote(column.Name)} {column.Type};
                ALTER TABLE {table.Display} ALTER COLUMN {SqlIdentifier.Quote(column.Name)} SET DEFAULT nextval('{Names.Made(table.Name, column.Name, "seq")}');

                -- then, in batches, in a migration with transaction:false
                UPDATE {table.Display} SET {SqlIdentifier.Quote(column.Name)} = DEFAULT
                WHERE {SqlIdentifier.Quote(column.Name)} IS NULL AND {KeyOf(facts, table)} BETWEEN … AND …;
                """),
        Recognise = (text, _) => AddsColumn(
            text,
            (start, end) => text.Within(start, end, "AS", "IDENTITY") || Enumerable.Range(start, end - start).Any(i => text.Tokens[i].Text is "SERIAL" or "BIGSERIAL" or "SMALLSERIAL" or "SERIAL4" or "SERIAL8"),
            "Numbering a new column rewrites the table"),
    };

    internal static readonly Hazard ConstrainedDomainRewrite = new()
    {
        Id = "L304",
        Name = "constrained-domain-rewrite",
        Severity = Severity.Error,
        Title = "A new column of a domain with constraints rewrites the table",
        Effect = "PostgreSQL rewrites the table under ACCESS EXCLUSIVE to test the domain's constraints, even when the column has no default.",
        Advice = "Use the domain's base type and a CHECK … NOT VALID that says the same.",
        Documentation = "sql-createdomain.html",
        Traced = facts => NewColumnRewrites(
            facts,
            (s, _, column) => column.Default is null && s.After.Types.GetValueOrDefault(column.TypeOid) is { Kind: 'd' },
            (table, column) => $"The domain {column.Type} of the new column {table.Display}.{column.Name} has constraints: the table is rewritten while it is locked out",
            (table, column) =>
                $"""
                ALTER TABLE {table.Display} ADD COLUMN {SqlIdentifier.Quote(column.Name)} …the base type of {column.Type}…;
                ALTER TABLE {table.Display} ADD CONSTRAINT {Names.Made(table.Name, column.Name, "check")} CHECK (…) NOT VALID;
                """),
    };

    internal static readonly Hazard TypeChangeRewrite = new()
    {
        Id = "L305",
        Name = "type-change-rewrite",
        Severity = Severity.Error,
        Title = "A type change rewrites the table",
        Effect = "The stored form of the values changes, so table and indexes are rewritten under ACCESS EXCLUSIVE. Free are: varchar to a longer one or text, numeric with more precision at the same scale, cidr to inet, timestamp to timestamptz under UTC.",
        Advice = "Add a new column, write both, fill the old rows in batches, and swap the names.",
        Documentation = "sql-altertable.html#SQL-ALTERTABLE-NOTES",
        Traced = facts =>
            from s in facts.Statements
            from table in Roots(s, s.Rewritten)
            where table.Kind is 'r' or 'p' && s.NewColumns.All(added => added.Table.Oid != table.Oid)
            let changed = s.ChangedColumns.FirstOrDefault(c => c.Table.Oid == table.Oid && (c.Before.Type != c.After.Type || c.Before.Collation != c.After.Collation))
            where changed.Table is not null || s.Text.Has("TYPE")
            let column = changed.Table is null ? ColumnAfterAlter(s.Text) : changed.After.Name
            select s.Hit(
                table, $"{table.Name}.{column}",
                changed.Table is null
                    ? $"Changing the type of {table.Display}.{column} rewrites the table while it is locked out"
                    : $"Changing {table.Display}.{column} from {changed.Before.Type} to {changed.After.Type} rewrites the table while it is locked out",
                Swap(facts, table, column, changed.After?.Type ?? "…")),
    };

    internal static readonly Hazard StorageRewrite = new()
    {
        Id = "L306",
        Name = "storage-rewrite",
        Severity = Severity.Error,
        Title = "Another storage rewrites the table",
        Effect = "SET LOGGED, SET UNLOGGED, SET TABLESPACE and SET ACCESS METHOD (PostgreSQL 15) copy the whole table under ACCESS EXCLUSIVE.",
        Advice = "Copy to a new table in batches and swap the two, or do it in a maintenance window.",
        Documentation = "sql-altertable.html#SQL-ALTERTABLE-DESC-SET-LOGGED-UNLOGGED",
        Traced = facts =>
            from s in facts.Statements
            from table in s.Rewritten
            where table.Kind == 'r'
            let before = s.Before.Find(table.Oid)!
            let what = before.Persistence != table.Persistence ? table.Persistence == 'u' ? "unlogged" : "logged"
                : before.Tablespace != table.Tablespace ? "of another tablespace"
                : before.AccessMethod != table.AccessMethod ? "of another access method" : null
            where what is not null
            select s.HitOn(table, $"Making {table.Display} {what} copies it while it is locked out"),
        Recognise = (text, _) => text.AlterTableActions()
            .Where(a => text.At(a.Start, "SET", "LOGGED") || text.At(a.Start, "SET", "UNLOGGED") || text.At(a.Start, "SET", "TABLESPACE") || text.At(a.Start, "SET", "ACCESS", "METHOD"))
            .Select(a => new Words(a.Table, $"Changing the storage of {a.Table} copies it while it is locked out")).FirstOrDefault(),
    };

    internal static readonly Hazard VacuumFullOrCluster = new()
    {
        Id = "L307",
        Name = "vacuum-full-or-cluster",
        Severity = Severity.Error,
        Title = "VACUUM FULL or CLUSTER rewrites the table",
        Effect = "The table and its indexes are copied under ACCESS EXCLUSIVE: nothing else can read or write until it is done.",
        Advice = "Plain VACUUM makes room for new rows while others work. To give space back to the system, pg_repack and pg_squeeze copy the table on line.",
        Documentation = "sql-vacuum.html",
        Traced = facts =>
            from s in facts.Statements
            where s.Text.Is("VACUUM") || s.Text.Is("CLUSTER")
            from table in s.Rewritten
            select s.HitOn(table, $"{s.Text.Tokens[0].Text} copies {table.Display} while it is locked out", $"VACUUM (ANALYZE) {table.Display};"),
        Recognise = (text, _) =>
        {
            var full = text.Is("VACUUM") && text.Tokens.Take(12).Any(token => token.Is("FULL"));
            var cluster = text.Is("CLUSTER");
            var table = cluster ? text.NameAt(text.At(1, "VERBOSE") ? 2 : 1) : text.NameAt(text.Tokens.Count - 1);
            return full || cluster ? new Words(table?.Display ?? "", $"{text.Tokens[0].Text} copies {table?.Display ?? "tables"} while nothing else can read or write") : null;
        },
    };

    internal static readonly Hazard MatviewRefreshBlocks = new()
    {
        Id = "L308",
        Name = "matview-refresh-blocks",
        Severity = Severity.Warning,
        Title = "A materialized view is refreshed while its readers wait",
        Effect = "REFRESH MATERIALIZED VIEW holds ACCESS EXCLUSIVE on the view while its query runs.",
        Advice = "REFRESH … CONCURRENTLY, which needs a unique index on the view and lets reads go on.",
        Documentation = "sql-refreshmaterializedview.html",
        Traced = facts =>
            from s in facts.Statements
            from view in s.Refiled
            where view.Kind == 'm' && !s.Text.Is("ALTER") && !s.Text.Is("CLUSTER")
            select s.HitOn(view, $"Refreshing {view.Display} stops its readers", $"REFRESH MATERIALIZED VIEW CONCURRENTLY {view.Display};"),
        Recognise = (text, _) => text.Is("REFRESH", "MATERIALIZED", "VIEW") && !text.At(3, "CONCURRENTLY") && text.NameAt(3) is { } view && !text.Has("WITH", "NO", "DATA")
            ? new Words(view.Display, $"Refreshing {view.Display} stops its readers", $"REFRESH MATERIALIZED VIEW CONCURRENTLY {view.Display};")
            : null,
    };

    internal static readonly ImmutableArray<Hazard> All =
    [
        VolatileDefaultRewrite, StoredGeneratedRewrite, IdentityRewrite, ConstrainedDomainRewrite, TypeChangeRewrite, StorageRewrite, VacuumFullOrCluster, MatviewRefreshBlocks,
    ];

    private static bool IsSerial(Column column) => column.Default?.StartsWith("nextval(", StringComparison.Ordinal) == true;

    private static IEnumerable<Hit> NewColumnRewrites(
        MigrationFacts facts, Func<StatementFacts, Relation, Column, bool> caused, Func<Relation, Column, string> message, Func<Relation, Column, string> safeWay) =>
        from s in facts.Statements
        from table in Roots(s, s.Rewritten)
        from added in s.NewColumns
        where added.Table.Oid == table.Oid && caused(s, table, added.Column)
        select s.Hit(table, $"{table.Name}.{added.Column.Name}", message(table, added.Column), safeWay(table, added.Column));

    /// <summary>A partitioned table stores nothing itself: what happens to its partitions happens to it.</summary>
    private static IEnumerable<Relation> Roots(StatementFacts s, IEnumerable<Relation> tables) =>
        tables.Select(table => s.After.Find(s.After.Root(table.Oid))!).Distinct();

    private static string KeyOf(MigrationFacts facts, Relation table) =>
        facts.After.ConstraintsOf(table.Oid).FirstOrDefault(c => c.Kind == 'p') is { Keys: [var key, ..] } && facts.After.FindColumn(table.Oid, key) is { } column
            ? SqlIdentifier.Quote(column.Name)
            : "…key…";

    private static string ColumnAfterAlter(StatementText text)
    {
        var type = text.Find(0, "TYPE");
        var at = type > 1 && text.At(type - 2, "SET", "DATA") ? type - 3 : type - 1;
        return at >= 0 ? text.Tokens[at].Name ?? "" : "";
    }

    private static string Swap(MigrationFacts facts, Relation table, string column, string type)
    {
        var (old, added) = (SqlIdentifier.Quote(column), Names.Made(column, "new"));
        return $"""
            ALTER TABLE {table.Display} ADD COLUMN {added} {type};
            -- a trigger that keeps both in step, then in batches, in a migration with transaction:false
            UPDATE {table.Display} SET {added} = {old} WHERE {added} IS DISTINCT FROM {old} AND {KeyOf(facts, table)} BETWEEN … AND …;
            -- and when the application reads the new one
            ALTER TABLE {table.Display} RENAME COLUMN {old} TO {Names.Made(column, "old")};
            ALTER TABLE {table.Display} RENAME COLUMN {added} TO {old};
            """;
    }

    private static Words? AddsColumn(StatementText text, Func<int, int, bool> rewrites, string message) =>
        text.AlterTableActions()
            .Where(a => text.At(a.Start, "ADD") && !text.At(a.Start, "ADD", "CONSTRAINT") && !text.At(a.Start, "ADD", "GENERATED") && rewrites(a.Start, a.End))
            .Select(a => new Words(a.Table, $"{message} {a.Table} while it is locked out"))
            .FirstOrDefault();
}
