using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Replay;

/// <summary>Rows of a table that a migration names by a key.</summary>
/// <param name="Schema">As the migration says it; empty where it leaves it out.</param>
/// <param name="Table">The table.</param>
/// <param name="Key">The key's columns.</param>
/// <param name="Rows">The key's values, of each row as one text.</param>
internal sealed record NamedRows(string Schema, string Table, string[] Key, string[] Rows);

/// <summary>Looks for rows that a migration puts into tables, by those keys that its text says.</summary>
internal static class RowEvidence
{
    private const int Most = 10_000;
    private const char Separator = '\u0001';

    /// <summary>The rows of a replayed database whose keys the text says: for each table all keys that it has.</summary>
    internal static async Task<List<NamedRows>> NamedAsync(Migration migration, Session replayed, CancellationToken cancellationToken)
    {
        var texts = migration.Up.Script.Statements.Select(statement => new StatementText(statement)).ToList();
        var constants = texts.SelectMany(text => text.Tokens)
            .Where(token => token.Kind is SqlTokenKind.StringConstant or SqlTokenKind.Number).Select(token => token.Text).ToHashSet();
        bool IsSaid(string? value) =>
            value is { Length: > 0 } && (constants.Contains(SqlLiteral.Quote(value)) || constants.Contains(value));
        var named = new List<NamedRows>();
        foreach (var table in texts.SelectMany(Tables).Distinct())
        {
            if (await KeysAsync(replayed, table, cancellationToken) is not (var from, var keys))
            {
                continue;
            }

            foreach (var key in keys)
            {
                var rows = await replayed.RowsAsync(
                    $"SELECT ARRAY[{Columns(key)}] FROM ONLY {from} LIMIT {Most}", row => row.GetFieldValue<string?[]>(0),
                    cancellationToken);
                var said = rows.Where(row => Array.TrueForAll(row, IsSaid)).Select(row => string.Join(Separator, row)).Distinct();
                named.Add(new NamedRows(table.Schema ?? "", table.Name, key, [.. said]));
            }
        }

        return named;
    }

    /// <summary>Looks for such rows, in each table by the key by which most are found.</summary>
    /// <returns>How many rows were found, of how many whose keys the text says.</returns>
    internal static async Task<(int Found, int Named)> FindAsync(
        IReadOnlyList<NamedRows> all, Session actual, CancellationToken cancellationToken)
    {
        var (found, named) = (0, 0);
        foreach (var table in all.GroupBy(rows => (rows.Schema, rows.Table)))
        {
            var best = (Found: 0, Named: 0);
            var name = new StatementName(table.Key.Schema.Length == 0 ? null : table.Key.Schema, table.Key.Table, 0);
            if (await KeysAsync(actual, name, cancellationToken) is not (var here, var present))
            {
                continue;
            }

            foreach (var (_, _, key, said) in table.Where(rows => present.Exists(rows.Key.SequenceEqual)))
            {
                var count = said.Length == 0 ? 0 : (await OthersTables.RowsAsync(
                    actual, here, only: true,
                    new SqlQuery(
                        $"SELECT pg_catalog.count(*) FROM ONLY {here} "
                            + $"WHERE pg_catalog.array_to_string(ARRAY[{Columns(key)}], E'\\x01') = ANY ($1::text[])",
                        [said]),
                    row => row.GetInt64(0), cancellationToken))[0];
                best = (count, said.Length).CompareTo((best.Found, best.Named)) > 0 ? ((int)count, said.Length) : best;
            }

            (found, named) = (found + best.Found, named + best.Named);
        }

        return (found, named);
    }

    private static string Columns(string[] key) =>
        string.Join(", ", key.Select(column => SqlIdentifier.Quote(column) + "::pg_catalog.text"));

    private static IEnumerable<StatementName> Tables(StatementText text)
    {
        for (var i = 0; i < text.Tokens.Count; i++)
        {
            if (text.At(i, "INSERT", "INTO") && text.NameAt(i + 2) is { } table)
            {
                yield return table with { Next = 0 };
            }
        }
    }

    /// <summary>The table, and the columns of its unique keys, of PostgreSQL's own types only.</summary>
    /// <returns>Null where the name isn't that of one table.</returns>
    private static async Task<(string Table, List<string[]> Keys)?> KeysAsync(
        Session session, StatementName table, CancellationToken cancellationToken)
    {
        var rows = await session.RowsAsync(
            new SqlQuery(
                """
                SELECT format('%I.%I', n.nspname, c.relname),
                    ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) k (attnum)
                        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
                        JOIN pg_catalog.pg_type t ON t.oid = a.atttypid AND t.typnamespace = 'pg_catalog'::regnamespace ORDER BY a.attname),
                    coalesce(i.indnatts, 0)::int4
                FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL
                WHERE c.relname = $1 AND ($2 = '' OR n.nspname = $2) AND c.relkind IN ('r', 'p')
                """,
                table.Name, table.Schema ?? ""),
            row => (Table: row.GetString(0), Key: row.GetFieldValue<string[]>(1), Count: row.GetInt32(2)),
            cancellationToken);
        return rows.Select(row => row.Table).Distinct().ToList() is [var only]
            ? (only, [.. rows.Where(row => row.Count > 0 && row.Key.Length == row.Count).Select(row => row.Key)]) : null;
    }
}
