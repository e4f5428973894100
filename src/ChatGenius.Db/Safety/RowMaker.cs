using System.Globalization;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Safety;

/// <summary>What became of one table when rows were made up.</summary>
/// <param name="Table">The table.</param>
/// <param name="Rows">How many rows were added.</param>
/// <param name="Reason">Why there are none; null where there are, or where the target has none either.</param>
internal sealed record MadeRows(Relation Table, long Rows, string? Reason);

/// <summary>
/// Fills the tables of a throw-away database with made-up rows, so that scans, deferred constraints and losses show without anyone's data.
/// Every row goes through the table's own constraints: parents come first and foreign keys point to them, what is unique gets a value of
/// its own, and a CHECK chooses among the values that are made for its column. What the server still refuses is reported, and the other
/// tables are filled.
/// </summary>
internal static class RowMaker
{
    /// <summary>How many rows a table gets whose size is not known.</summary>
    public const int UsualRows = 1_000;

    /// <summary>No table gets more where nothing else is asked for: enough for every rule, and made in a moment.</summary>
    public const int MostRows = 10_000;

    /// <summary>What the migrations have made may need its names to be found; the database is nobody's.</summary>
    internal const string TheirNames = "SET LOCAL search_path TO DEFAULT";

    /// <summary>So many rows of a parent are referred to.</summary>
    private const int MostParents = 30_000;

    /// <inheritdoc cref="RunAsync(Tracer, TableSizes, int, IEnumerable{Constraint}, CancellationToken)"/>
    public static Task<IReadOnlyList<MadeRows>> RunAsync(Tracer tracer, TableSizes sizes, CancellationToken cancellationToken = default) =>
        RunAsync(tracer, sizes, MostRows, [], cancellationToken);

    /// <summary>Fills all tables that hold rows; the partitions of a partitioned one each get their share.</summary>
    /// <param name="tracer">The database; its catalog is read again.</param>
    /// <param name="sizes">The target's tables, whose number of rows counts where it is known.</param>
    /// <param name="most">How many rows a table gets at the most.</param>
    /// <param name="more">Constraints that the rows are to keep besides: those that will be added.</param>
    /// <param name="cancellationToken">Ends it; the tables that are done keep their rows.</param>
    /// <exception cref="ProblemException">CG0514: the connection was lost.</exception>
    public static async Task<IReadOnlyList<MadeRows>> RunAsync(
        Tracer tracer, TableSizes sizes, int most, IEnumerable<Constraint> more, CancellationToken cancellationToken = default)
    {
        await tracer.RefreshAsync(cancellationToken);
        var catalog = tracer.Catalog with
        {
            Constraints = tracer.Catalog.Constraints.SetItems(more.Select(added => KeyValuePair.Create(added.Oid, added))),
        };
        var made = await tracer.ReadAsync((session, token) => FillAsync(session, catalog, sizes, most, token), cancellationToken);
        tracer.HasMadeUpRows = true;
        return made;
    }

    private static async Task<IReadOnlyList<MadeRows>> FillAsync(Session session, Catalog catalog, TableSizes sizes, int most,
        CancellationToken cancellationToken)
    {
        var values = await MadeUpValues.ReadAsync(session, catalog, cancellationToken);
        var made = new List<MadeRows>();
        foreach (var table in ParentsFirst(catalog))
        {
            var wanted = Wanted(catalog, table, sizes, most);
            try
            {
                made.Add(wanted == 0 ? new MadeRows(table, 0, null)
                    : await FillAsync(session, catalog, values, table, wanted, cancellationToken));
            }
            catch (ProblemException e) when (session.IsOpen && e.InnerException is PostgresException refused)
            {
                made.Add(new MadeRows(table, 0, $"{refused.MessageText} ({refused.SqlState})"));
            }
        }

        await session.CommandAsync("ANALYZE", cancellationToken);
        return made;
    }

    private static long Wanted(Catalog catalog, Relation table, TableSizes sizes, int most)
    {
        var root = catalog.Find(catalog.Root(table.Oid))!;
        var partitions = catalog.Relations.Values.Count(relation => relation.Kind == 'r' && catalog.Root(relation.Oid) == root.Oid);
        return sizes[root.Schema, root.Name] is { } size ? Math.Min((size.Rows + partitions - 1) / partitions, most) : UsualRows;
    }

    /// <summary>
    /// A table after those that it refers to. In a circle the nullable references give way: they find no rows yet, and stay NULL.
    /// </summary>
    private static IEnumerable<Relation> ParentsFirst(Catalog catalog)
    {
        var left = catalog.Relations.Values.Where(relation => relation is { Kind: 'r', Persistence: not 't' })
            .OrderBy(relation => relation.Display, StringComparer.Ordinal).ToList();
        while (left.Count > 0)
        {
            var next = left.Find(table => IsReady(table, nullableToo: true)) ?? left.Find(table =>
                IsReady(table, nullableToo: false)) ?? left[0];
            left.Remove(next);
            yield return next;
        }

        bool IsReady(Relation table, bool nullableToo) => ForeignKeysOf(catalog, table).All(key =>
            key.ReferencedTable == table.Oid
                || !left.Exists(other => other.Oid == key.ReferencedTable || catalog.Root(other.Oid) == key.ReferencedTable)
            || (!nullableToo && key.Keys.Any(number => !catalog.FindColumn(table.Oid, number)!.NotNull)));
    }

    private static IEnumerable<Constraint> ForeignKeysOf(Catalog catalog, Relation table) =>
        catalog.ConstraintsOf(table.Oid).Where(constraint => constraint is { Kind: 'f', Enforced: true });

    private static async Task<MadeRows> FillAsync(
        Session session, Catalog catalog, MadeUpValues values, Relation table, long rows, CancellationToken cancellationToken)
    {
        var columns = new SortedDictionary<short, string>();
        var joins = new List<string>();
        if (await ReferAsync(session, catalog, table, columns, joins, cancellationToken) is { } empty)
        {
            return new MadeRows(table, 0, $"{empty.Display} has no row to refer to");
        }

        foreach (var column in catalog.ColumnsOf(table.Oid)
            .Where(column => column.Generated is null && column.Identity != 'a' && !columns.ContainsKey(column.Number)))
        {
            if (await values.ForAsync(session, table, column, rows, cancellationToken) is { } value)
            {
                columns.Add(column.Number, value);
            }
        }

        var names = string.Join(", ", columns.Keys.Select(number => SqlIdentifier.Quote(catalog.FindColumn(table.Oid, number)!.Name)));
        var insert = string.Create(
            CultureInfo.InvariantCulture,
            $"INSERT INTO {SqlIdentifier.Quote(table.Schema, table.Name)} {(columns.Count > 0 ? $"({names})" : "")} SELECT "
                + $"{string.Join(", ", columns.Values)} FROM generate_series(1, {rows}) AS g (n) {string.Join(' ', joins)} ON CONFLICT DO "
                + $"NOTHING");
        return new MadeRows(table, await session.WriteAsync([TheirNames, insert], cancellationToken), null);
    }

    /// <summary>
    /// Lets foreign keys point to rows of their tables. One whose columns another has taken already is left to the server.
    /// </summary>
    /// <returns>The table without rows that this one can't do without; null where there is none.</returns>
    private static async Task<Relation?> ReferAsync(
        Session session, Catalog catalog, Relation table, SortedDictionary<short, string> columns, List<string> joins,
            CancellationToken cancellationToken)
    {
        var stride = 1L;
        var toItself = ForeignKeysOf(catalog, table).ToLookup(key => key.ReferencedTable == table.Oid);
        foreach (var key in toItself[false].OrderByDescending(key => key.Keys.Length).ThenBy(key => key.Oid))
        {
            if (key.Keys.Any(columns.ContainsKey))
            {
                continue;
            }

            var (from, count) = await ParentsAsync(session, catalog, key, cancellationToken);
            if (count == 0)
            {
                // One NULL is enough for a key not to be looked up (MATCH SIMPLE).
                var nullable = key.Keys.Where(number => !catalog.FindColumn(table.Oid, number)!.NotNull).ToList();
                nullable.ForEach(number => columns.Add(number, "NULL"));
                if (nullable.Count == 0)
                {
                    return catalog.Find(key.ReferencedTable)!;
                }

                continue;
            }

            var alias = $"parent_{joins.Count}";
            for (var i = 0; i < key.Keys.Length; i++)
            {
                columns.Add(key.Keys[i], string.Create(CultureInfo.InvariantCulture, $"{alias}.key_{i}"));
            }

            // Each further key moves on when the one before has gone round, so that pairs differ as long as they can.
            joins.Add(string.Create(CultureInfo.InvariantCulture,
                $"JOIN ({from}) {alias} ON {alias}.place = (g.n / {stride} + {(joins.Count > 0 ? "g.n" : "0")}) % {count}"));
            stride = Math.Min(stride * count, int.MaxValue);
        }

        foreach (var number in toItself[true].SelectMany(key => key.Keys).Where(number => !catalog.FindColumn(table.Oid, number)!.NotNull))
        {
            columns.TryAdd(number, "NULL");
        }

        return null;
    }

    /// <summary>The keys of some rows that a foreign key can refer to, numbered from 0, and how many they are.</summary>
    private static async Task<(string Query, long Count)> ParentsAsync(Session session, Catalog catalog, Constraint key,
        CancellationToken cancellationToken)
    {
        var parent = catalog.Find(key.ReferencedTable)!;
        var names = key.ReferencedKeys.Select(number => SqlIdentifier.Quote(catalog.FindColumn(parent.Oid, number)!.Name)).ToList();
        var keys = string.Join(", ", names.Select((name, i) => string.Create(CultureInfo.InvariantCulture, $"{name} AS key_{i}")));
        // Rows refer to others in no order; in one, a check of the key would find them all in the caches.
        var query = $"SELECT {keys}, row_number() OVER (ORDER BY pg_catalog.md5(ROW({string.Join(", ", names)})::pg_catalog.text)) - 1 "
            + $"AS place FROM {SqlIdentifier.Quote(parent.Schema, parent.Name)} "
            + $"WHERE ({string.Join(", ", names)}) IS NOT NULL LIMIT {MostParents.ToString(CultureInfo.InvariantCulture)}";
        return (query, await session.ScalarAsync<long>($"SELECT pg_catalog.count(*) FROM ({query}) parents", cancellationToken));
    }
}
