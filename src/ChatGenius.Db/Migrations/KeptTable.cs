using ChatGenius.Db.Connections;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Migrations;

/// <summary>A column of a table of which something is to be kept.</summary>
/// <param name="Number">Its number, by which it is the same after it was renamed.</param>
/// <param name="Name">Its name.</param>
/// <param name="Computed">Whether it is computed from others.</param>
/// <param name="Numbered">Whether only the server numbers it: GENERATED ALWAYS AS IDENTITY.</param>
/// <param name="Cast">What makes its text the same under every search_path: nothing, <c>oid</c> or <c>oid[]</c>; null where nothing
/// does.</param>
internal sealed record KeptColumn(short Number, string Name, bool Computed, bool Numbered, string? Cast);

/// <summary>What has to be known of a table before something of it is kept.</summary>
/// <param name="Oid">Its oid.</param>
/// <param name="Wrong">Why nothing of it can be kept.</param>
/// <param name="Key">The numbers of the columns that tell its rows apart.</param>
/// <param name="Equality">For each of them the operator that compares, as SQL.</param>
/// <param name="Columns">All of its columns.</param>
internal sealed record KeptTable(uint Oid, string? Wrong, short[] Key, string[] Equality, IReadOnlyList<KeptColumn> Columns)
{
    /// <summary>Reads tables by their oids.</summary>
    internal static async Task<IReadOnlyDictionary<uint, KeptTable>> ReadAsync(
        Session session, IEnumerable<uint> tables, CancellationToken cancellationToken) => (await session.RowsAsync(
        new SqlQuery(Select, (object)tables.Distinct().ToArray()),
        row =>
        {
            var (numbers, names, flags) = (row.GetFieldValue<short[]>(4), row.GetFieldValue<string[]>(5), row.GetFieldValue<string[]>(6));
            var columns = numbers.Select((number, i) => new KeptColumn(
                number, names[i], flags[i].Contains('c', StringComparison.Ordinal), flags[i].Contains('n', StringComparison.Ordinal),
                flags[i].Contains('x', StringComparison.Ordinal) ? null : flags[i].Contains('a', StringComparison.Ordinal) ? "oid[]"
                    : flags[i].Contains('o', StringComparison.Ordinal) ? "oid" : ""));
            return new KeptTable(row.GetFieldValue<uint>(0), row.IsDBNull(1) ? null : row.GetString(1), row.GetFieldValue<short[]>(2),
                row.GetFieldValue<string[]>(3), [.. columns]);
        },
        cancellationToken)).ToDictionary(table => table.Oid);

    /// <summary>Names of objects (<c>regclass</c> and the like) are written as the search_path has it; their numbers are not.</summary>
    private const string Select =
        """
        SELECT c.oid, CASE WHEN c.relkind NOT IN ('r', 'p') THEN 'it is no table of this database'
                WHEN c.relkind = 'r' AND EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid)
                    OR NOT c.relispartition AND EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid)
                    THEN 'it inherits, or others inherit from it'
                WHEN row_security_active(c.oid) THEN 'row-level security may hide rows of it'
                WHEN k.numbers IS NULL THEN 'it has no key: a unique index over columns that are never null' END,
            coalesce(k.numbers, '{}'), coalesce(k.operators, '{}'), a.numbers, a.names, a.flags
        FROM pg_catalog.pg_class c
        CROSS JOIN LATERAL (SELECT coalesce(array_agg(a.attnum ORDER BY a.attnum), '{}') AS numbers,
                coalesce(array_agg(a.attname::text ORDER BY a.attnum), '{}') AS names,
                coalesce(array_agg(CASE WHEN a.attgenerated <> '' THEN 'c' ELSE '' END || CASE a.attidentity WHEN 'a' THEN 'n' ELSE '' END
                    || CASE WHEN NOT reg.named THEN '' WHEN a.atttypid = ANY (reg.types) THEN 'o'
                        WHEN t.typelem = ANY (reg.types) AND t.typlen = -1 THEN 'a' ELSE 'x' END
                    ORDER BY a.attnum), '{}') AS flags
            FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
            CROSS JOIN LATERAL (
                WITH RECURSIVE part (oid) AS (
                    SELECT a.atttypid UNION SELECT inner_type.oid FROM part JOIN pg_catalog.pg_type p ON p.oid = part.oid
                    CROSS JOIN LATERAL (SELECT p.typbasetype AS oid UNION ALL SELECT p.typelem
                        UNION ALL SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE r.rngtypid = p.oid
                        UNION ALL SELECT f.atttypid FROM pg_catalog.pg_attribute f
                            WHERE f.attrelid = p.typrelid AND f.attnum > 0 AND NOT f.attisdropped) inner_type
                    WHERE inner_type.oid <> 0)
                SELECT names.types, EXISTS (SELECT FROM part WHERE part.oid = ANY (names.types)) AS named
                FROM (SELECT ARRAY(SELECT n.oid FROM pg_catalog.pg_type n WHERE n.typname LIKE 'reg%'
                    AND n.typnamespace = 'pg_catalog'::regnamespace AND n.typtype = 'b') AS types) names) reg
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) a
        LEFT JOIN LATERAL (
            SELECT array_agg(x.attnum ORDER BY n) AS numbers, array_agg(format('OPERATOR(%I.%s)', s.nspname, r.oprname) ORDER BY n)
                AS operators
            FROM pg_catalog.pg_index i CROSS JOIN LATERAL generate_series(0, i.indnkeyatts - 1) n
            JOIN pg_catalog.pg_attribute x ON x.attrelid = i.indrelid AND x.attnum = i.indkey[n]
            JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[n]
            JOIN pg_catalog.pg_amop m ON m.amopfamily = o.opcfamily AND m.amoplefttype = o.opcintype AND m.amoprighttype = o.opcintype
                AND m.amopstrategy = 3
            JOIN pg_catalog.pg_operator r ON r.oid = m.amopopr JOIN pg_catalog.pg_namespace s ON s.oid = r.oprnamespace
            WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
            GROUP BY i.indexrelid, i.indisprimary, i.indnkeyatts HAVING bool_and(x.attnotnull) AND count(*) = i.indnkeyatts
            ORDER BY i.indisprimary DESC, i.indexrelid LIMIT 1) k ON true
        WHERE c.oid = ANY ($1)
        """;
}
