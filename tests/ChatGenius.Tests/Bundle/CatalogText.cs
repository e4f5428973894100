namespace ChatGenius.Tests.Bundle;

/// <summary>
/// What PostgreSQL's catalog says of a database, as text for people: tables with their columns in order, constraints, indexes. It is read
/// here and not by the engine's own schema reader, so that the bundle has a witness of its own.
/// </summary>
internal static class CatalogText
{
    private const string Tables = """
        SELECT c.relname::text,
               string_agg(rtrim(format('    %s%s%s%s', rpad(a.attname, 16), rpad(format_type(a.atttypid, a.atttypmod), 25),
                                       CASE WHEN a.attnotnull THEN ' not null' ELSE ' null    ' END,
                                       ' default ' || pg_get_expr(d.adbin, d.adrelid))),
                          E'\n' ORDER BY a.attnum)
        FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
        GROUP BY c.relname
        ORDER BY c.relname::text COLLATE "C"
        """;

    private const string Constraints = """
        SELECT conrelid::regclass::text, format('    constraint %s %s', conname, pg_get_constraintdef(oid))
        FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'u', 'f', 'c', 'x')
        ORDER BY strpos('pucxf', contype::text), conname::text COLLATE "C"
        """;

    private const string Indexes = """
        SELECT indrelid::regclass::text, format('    index %s %s', indexrelid::regclass,
            regexp_replace(pg_get_indexdef(indexrelid), '^.* USING ', ''))
        FROM pg_index
        JOIN pg_class c ON c.oid = indexrelid AND c.relnamespace = 'public'::regnamespace
        WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))
        ORDER BY c.relname::text COLLATE "C"
        """;

    // Whatever is neither a table nor a part of one has no business in the bundle: it is named so that a test sees it.
    private const string Others = """
        SELECT 'relation ' || relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind NOT IN ('r', 'i')
        UNION ALL
        SELECT 'routine ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION ALL
        SELECT 'type ' || typname FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype IN ('d', 'e', 'r', 'm')
        UNION ALL
        SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL
        SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('public', 'information_schema')
        """;

    /// <summary>The catalog; the empty text where the database has nothing.</summary>
    public static async Task<string> ReadAsync(NpgsqlConnection connection)
    {
        var constraints = (await QueryAsync(connection, Constraints)).ToLookup(row => row[0], row => row[1]);
        var indexes = (await QueryAsync(connection, Indexes)).ToLookup(row => row[0], row => row[1]);
        var text = new StringBuilder();
        foreach (var table in await QueryAsync(connection, Tables))
        {
            text.Append(text.Length == 0 ? "" : "\n").Append("table ").Append(table[0]).Append('\n');
            text.AppendJoin('\n', [table[1], .. constraints[table[0]], .. indexes[table[0]]]).Append('\n');
        }

        foreach (var other in await QueryAsync(connection, Others))
        {
            text.Append(other[0]).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>The rows of a query all of whose columns are text.</summary>
    public static async Task<IReadOnlyList<string[]>> QueryAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<string[]>();
        while (await reader.ReadAsync())
        {
            rows.Add([.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetString)]);
        }

        return rows;
    }
}
