using System.Collections.Immutable;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Safety;

/// <summary>L3xx: what rewrites a whole table.</summary>
internal static class RewriteRules
{
    internal static readonly Hazard VolatileDefaultRewrite = new("L301")
    {
        Traced = facts => NewColumnRewrites(
            facts,
            (_, _, column) => column is { Identity: null, Generated: null, Default: not null } && !IsSerial(column),
            (table, column) => $"The default of the new column {table.Display}.{column.Name} differs from row to row: the table is "
                + "rewritten while it is locked out",
            (table, column) =>
                $"""
                ALTER TABLE {table.Display} ADD COLUMN {SqlIdentifier.Quote(column.Name)} {column.Type};
                ALTER TABLE {table.Display} ALTER COLUMN {SqlIdentifier.Quote(column.Name)} SET DEFAULT {column.Default};

                {Fill(facts, table, column)}
                """),
        InText = (text, _) => Safety.InText.Action(
            text, (start, end) => Safety.InText.AddsColumn(text, start) && text.Within(start, end, "DEFAULT")
                && text.Tokens.Skip(start).Take(end - start).Any(token => token.Name is { } name && Volatile.Contains(name)),
            table => $"The default of the new column differs from row to row: {table} is rewritten while it is locked out"),
    };

    internal static readonly Hazard StoredGeneratedRewrite = new("L302")
    {
        Traced = facts => NewColumnRewrites(
            facts,
            (_, _, column) => column.Generated == 's',
            (table, column) => $"The stored generated column {table.Display}.{column.Name} is computed for all rows: the table is "
                + "rewritten while it is locked out",
            (table, column) => facts.TargetVersion >= 180000
                ? $"ALTER TABLE {table.Display} ADD COLUMN {SqlIdentifier.Quote(column.Name)} {column.Type} GENERATED ALWAYS AS "
                    + $"({column.Default}) VIRTUAL;"
                : $"ALTER TABLE {table.Display} ADD COLUMN {SqlIdentifier.Quote(column.Name)} {column.Type};\n-- a trigger that sets it "
                    + $"to {column.Default}, and then\n"
                    + SafeWays.InBatches(facts, table, $"UPDATE {table.Display} SET {SqlIdentifier.Quote(column.Name)} = {column.Default}",
                        $"{SqlIdentifier.Quote(column.Name)} IS NULL"))
            .Concat(
                from s in facts.Statements
                from changed in s.ChangedColumns
                where changed.After.Generated == 's' && changed.Before.Default != changed.After.Default
                    && s.Rewritten.Any(table => table.Oid == changed.Table.Oid)
                select s.Finding(changed.Table, $"{changed.Table.Name}.{changed.After.Name}",
                    $"The new expression of {changed.Table.Display}.{changed.After.Name} is computed for all rows while the table is "
                    + "locked out")),
        InText = (text, _) => AddsColumn(text, (start, end) => text.Within(start, end, "STORED"),
            "The stored generated column rewrites the table"),
    };

    internal static readonly Hazard IdentityRewrite = new("L303")
    {
        Traced = facts => NewColumnRewrites(
            facts,
            (_, _, column) => column.Identity is not null || IsSerial(column),
            (table, column) => $"Numbering the new column {table.Display}.{column.Name} rewrites the table while it is locked out",
            (table, column) =>
                $"""
                CREATE SEQUENCE {Names.Made(table.Name, column.Name, "seq")};
                ALTER TABLE {table.Display} ADD COLUMN {SqlIdentifier.Quote(column.Name)} {column.Type};
                ALTER TABLE {table.Display} ALTER COLUMN {SqlIdentifier.Quote(column.Name)}
                    SET DEFAULT nextval('{Names.Made(table.Name, column.Name, "seq")}');

                {Fill(facts, table, column)}
                """),
        InText = (text, _) => AddsColumn(
            text,
            (start, end) => text.Within(start, end, "AS", "IDENTITY")
                || Enumerable.Range(start, end - start)
                .Any(i => text.Tokens[i].Text is "SERIAL" or "BIGSERIAL" or "SMALLSERIAL" or "SERIAL4" or "SERIAL8"),
            "Numbering a new column rewrites the table"),
    };

    internal static readonly Hazard ConstrainedDomainRewrite = new("L304")
    {
        Traced = facts => NewColumnRewrites(
            facts,
            (s, _, column) => column.Default is null && s.After.Types.GetValueOrDefault(column.TypeOid) is { Kind: 'd' },
            (table, column) => $"The domain {column.Type} of the new column {table.Display}.{column.Name} has constraints: the table is "
                + "rewritten while it is locked out",
            (table, column) =>
                $"ALTER TABLE {table.Display} ADD COLUMN {SqlIdentifier.Quote(column.Name)} {BaseOf(facts.After, column)};\n"
                    + SafeWays.AddChecks(table, column.Name,
                        SafeWays.ChecksOf(facts.After, facts.After.Types[column.TypeOid], column.Name))),
    };

    internal static readonly Hazard TypeChangeRewrite = new("L305")
    {
        Traced = facts =>
            (from s in facts.Statements
            from table in Roots(s, s.Rewritten)
            where table.Kind is 'r' or 'p' && s.NewColumns.All(added => added.Table.Oid != table.Oid)
            let changed = s.ChangedColumns.FirstOrDefault(c => c.Table.Oid == table.Oid
                && (c.Before.Type != c.After.Type || c.Before.Collation != c.After.Collation))
            where changed.Table is not null || s.Text.Has("TYPE")
            let column = changed.Table is null ? ColumnAfterAlter(s.Text) : changed.After.Name
            select s.Finding(
                table, $"{table.Name}.{column}",
                changed.Table is null
                    ? $"Changing the type of {table.Display}.{column} rewrites the table while it is locked out"
                    : $"Changing {table.Display}.{column} from {changed.Before.Type} to {changed.After.Type} rewrites the table while it "
                        + "is locked out",
                Swap(facts, table, column,
                    (changed.After ?? facts.After.ColumnsOf(table.Oid).FirstOrDefault(c => c.Name == column))?.Type)))
            .Concat(OnlyUnderUtc(facts)),
        InText = (text, _) => Safety.InText.Action(
            text, (start, _) => Safety.InText.AltersColumn(text, start, "TYPE")
                || Safety.InText.AltersColumn(text, start, "SET", "DATA", "TYPE"),
            table => $"A type change may rewrite {table} while it is locked out") is { } found
                ? found with { GivenSeverity = Severity.Warning } : null,
    };

    internal static readonly Hazard StorageRewrite = new("L306")
    {
        Traced = facts =>
            from s in facts.Statements
            from table in s.Rewritten
            where table.Kind == 'r'
            let before = s.Before.Find(table.Oid)!
            let what = before.Persistence != table.Persistence ? table.Persistence == 'u' ? "unlogged" : "logged"
                : before.Tablespace != table.Tablespace ? "of another tablespace"
                : before.AccessMethod != table.AccessMethod ? "of another access method" : null
            where what is not null
            select s.On(table, $"Making {table.Display} {what} copies it while it is locked out"),
        InText = (text, _) => text.AlterTableActions()
            .Where(a => text.At(a.Start, "SET", "LOGGED") || text.At(a.Start, "SET", "UNLOGGED") || text.At(a.Start, "SET", "TABLESPACE")
                || text.At(a.Start, "SET", "ACCESS", "METHOD"))
            .Select(a => new Finding(a.Table, $"Changing the storage of {a.Table} copies it while it is locked out")).FirstOrDefault(),
    };

    internal static readonly Hazard VacuumFullOrCluster = new("L307")
    {
        Traced = facts =>
            from s in facts.Statements
            where s.Text.Is("VACUUM") || s.Text.Is("CLUSTER")
            from table in s.Rewritten
            select s.On(table, $"{s.Text.Tokens[0].Text} copies {table.Display} while it is locked out",
                IndexRules.Alone($"VACUUM (ANALYZE) {table.Display};")),
        InText = (text, _) =>
        {
            var full = text.Is("VACUUM") && text.Tokens.Take(12).Any(token => token.Is("FULL"));
            var cluster = text.Is("CLUSTER");
            var table = cluster ? text.NameAt(text.At(1, "VERBOSE") ? 2 : 1) : text.NameAt(text.Tokens.Count - 1);
            return full || cluster ? new Finding(table?.Display ?? "",
                $"{text.Tokens[0].Text} copies {table?.Display ?? "tables"} while nothing else can read or write") : null;
        },
    };

    internal static readonly Hazard MatviewRefreshBlocks = new("L308")
    {
        Traced = facts =>
            from s in facts.Statements
            from view in s.Refiled
            where view.Kind == 'm' && !s.Text.Is("ALTER") && !s.Text.Is("CLUSTER")
            select s.On(view, $"Refreshing {view.Display} stops its readers", $"REFRESH MATERIALIZED VIEW CONCURRENTLY {view.Display};"),
        InText = (text, _) => text.Is("REFRESH", "MATERIALIZED", "VIEW") && !text.At(3, "CONCURRENTLY") && text.NameAt(3) is { } view
            && !text.Has("WITH", "NO", "DATA")
            ? new Finding(view.Display, $"Refreshing {view.Display} stops its readers",
                $"REFRESH MATERIALIZED VIEW CONCURRENTLY {view.Display};")
            : null,
    };

    internal static readonly ImmutableArray<Hazard> All =
    [
        VolatileDefaultRewrite, StoredGeneratedRewrite, IdentityRewrite, ConstrainedDomainRewrite, TypeChangeRewrite, StorageRewrite,
            VacuumFullOrCluster, MatviewRefreshBlocks,
    ];

    /// <summary>timestamp and timestamptz are stored alike under UTC only, and nobody says under which time zone production runs.</summary>
    private static IEnumerable<Finding> OnlyUnderUtc(MigrationFacts facts) =>
        from s in facts.Statements
        where facts.Sizes.TimeZone is null
        from changed in s.ChangedColumns
        where changed.Table is { IsTable: true, Parent: null } && facts.WasThere(changed.Table.Oid)
            && changed.Before.TypeOid != changed.After.TypeOid
            && changed.Before.Type.StartsWith("timestamp", StringComparison.Ordinal)
                && changed.After.Type.StartsWith("timestamp", StringComparison.Ordinal)
            && s.Rewritten.All(rewritten => s.After.Root(rewritten.Oid) != changed.Table.Oid)
            // Last, as it looks through all statements before this one.
            && !facts.Statements.TakeWhile(earlier => earlier != s).Any(earlier => earlier.Text.Is("SET") && earlier.Text.Mentions("zone"))
        select s.Finding(
            changed.Table, $"{changed.Table.Name}.{changed.After.Name}",
            $"Unless production's TimeZone is UTC, changing {changed.Table.Display}.{changed.After.Name} to {changed.After.Type} rewrites "
                + "the table",
            "SET LOCAL timezone = 'UTC';") with { GivenSeverity = Severity.Warning };

    private static readonly string[] Volatile =
        ["gen_random_uuid", "uuid_generate_v1", "uuid_generate_v4", "uuidv7", "random", "clock_timestamp", "timeofday", "nextval"];

    private static bool IsSerial(Column column) => column.Default?.StartsWith("nextval(", StringComparison.Ordinal) == true;

    private static IEnumerable<Finding> NewColumnRewrites(
        MigrationFacts facts, Func<StatementFacts, Relation, Column, bool> caused, Func<Relation, Column, string> message, Func<Relation,
            Column, string> safeWay) =>
        from s in facts.Statements
        from table in Roots(s, s.Rewritten)
        from added in s.NewColumns
        where added.Table.Oid == table.Oid && caused(s, table, added.Column)
        select s.Finding(table, $"{table.Name}.{added.Column.Name}", message(table, added.Column), safeWay(table, added.Column));

    /// <summary>A partitioned table stores nothing itself: what happens to its partitions happens to it.</summary>
    private static IEnumerable<Relation> Roots(StatementFacts s, IEnumerable<Relation> tables) =>
        tables.Select(table => s.After.Find(s.After.Root(table.Oid))!).Distinct();

    private static string Fill(MigrationFacts facts, Relation table, Column column) =>
        SafeWays.InBatches(facts, table, $"UPDATE {table.Display} SET {SqlIdentifier.Quote(column.Name)} = DEFAULT",
            $"{SqlIdentifier.Quote(column.Name)} IS NULL");

    /// <summary>The type that a column's domain comes down to.</summary>
    private static string BaseOf(Catalog catalog, Column column)
    {
        var type = column.Type;
        for (var oid = column.TypeOid; catalog.Types.GetValueOrDefault(oid) is { Kind: 'd' } domain; oid = domain.BaseType)
        {
            type = domain.BaseName;
        }

        return type;
    }

    private static string ColumnAfterAlter(StatementText text)
    {
        var type = text.Find(0, "TYPE");
        var at = type > 1 && text.At(type - 2, "SET", "DATA") ? type - 3 : type - 1;
        return at >= 0 ? text.Tokens[at].Name ?? "" : "";
    }

    private static string Swap(MigrationFacts facts, Relation table, string column, string? type)
    {
        var (old, added) = (SqlIdentifier.Quote(column), Names.Made(column, "new"));
        return type is null ? "" : $"""
            ALTER TABLE {table.Display} ADD COLUMN {added} {type};
            -- with a trigger that keeps both in step
            {SafeWays.InBatches(facts, table, $"UPDATE {table.Display} SET {added} = {old}", $"{added} IS DISTINCT FROM {old}")}
            -- in a later migration, when the application reads the new one
            ALTER TABLE {table.Display} RENAME COLUMN {old} TO {Names.Made(column, "old")};
            ALTER TABLE {table.Display} RENAME COLUMN {added} TO {old};
            """;
    }

    private static Finding? AddsColumn(StatementText text, Func<int, int, bool> rewrites, string message) =>
        text.AlterTableActions()
            .Where(a => text.At(a.Start, "ADD") && !text.At(a.Start, "ADD", "CONSTRAINT") && !text.At(a.Start, "ADD", "GENERATED")
                && rewrites(a.Start, a.End))
            .Select(a => new Finding(a.Table, $"{message} {a.Table} while it is locked out"))
            .FirstOrDefault();
}
