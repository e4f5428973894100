using System.Globalization;
using System.Numerics;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Migrations;

/// <summary>The key by which a statement goes through a table in slices, as the catalog has it. Values are texts, one a column.</summary>
/// <param name="TableId">The table's oid.</param>
/// <param name="Table">The table, qualified and quoted.</param>
/// <param name="Columns">The columns, not quoted, in the order of the index.</param>
/// <param name="Types">Their types, as SQL.</param>
/// <param name="OperatorSchema">Where the operators are by which the index is ordered.</param>
internal sealed record BatchKey(
    uint TableId, string Table, IReadOnlyList<string> Columns, IReadOnlyList<string> Types, string OperatorSchema)
{
    /// <summary>What our own queries over keys set for their transaction. Texts of times and numbers are such as every session reads
    /// the same.</summary>
    internal static readonly (string Name, string Value)[] Settings =
    [
        ("search_path", "pg_catalog, pg_temp"), ("DateStyle", "'ISO, YMD'"), ("IntervalStyle", "iso_8601"), ("extra_float_digits", "1"),
        ("bytea_output", "hex"), ("enable_seqscan", "off"), ("enable_bitmapscan", "off"), ("enable_sort", "off"), ("jit", "off"),
    ];

    /// <summary>The key for the progress: the table and its columns.</summary>
    internal string[] Names => [Table, .. Columns];

    /// <summary>Finds the unique index that a section's batches can go by.</summary>
    /// <param name="session">Where to read.</param>
    /// <param name="table">The table's oid; 0 where no table has that name.</param>
    /// <param name="section">The section.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <exception cref="ProblemException">CG0521: the table has no such key.</exception>
    internal static async Task<BatchKey> ReadAsync(
        Session session, uint table, MigrationSection section, CancellationToken cancellationToken)
    {
        var options = section.Batch!;
        var (found, indexes) = await session.ReadAsync(
            [new SqlQuery(SelectTable, table), new SqlQuery(SelectIndexes, table)],
            async reader => (
                await Session.ResultAsync(reader, row => (Name: row.GetString(0), IsTable: row.GetBoolean(1), IsParent: row.GetBoolean(2),
                    PartitionKey: row.GetFieldValue<string[]>(3)), cancellationToken),
                await Session.ResultAsync(reader, row => new Index(row.GetBoolean(0), row.GetFieldValue<string[]>(1),
                    row.GetFieldValue<string[]>(2), row.GetFieldValue<string[]>(3), row.IsDBNull(4) ? null : row.GetString(4)),
                    cancellationToken)),
            cancellationToken);
        if (found is not [var named])
        {
            throw Unfit(section.Where, $"There is no table {options.Table}", "Look at batch: and at the search_path.");
        }

        if (!named.IsTable || named.IsParent)
        {
            throw Unfit(section.Where, $"{options.Table} {(named.IsParent ? "has tables that inherit from it" : "is not a table")}",
                "Batches go through one ordinary or partitioned table.");
        }

        var index = Choose(indexes, section);
        if (index.Columns.Take(named.PartitionKey.Length).Except(named.PartitionKey).Any() || named.PartitionKey.Contains(""))
        {
            throw Unfit(section.Where, $"{options.Table} is partitioned, and the key ({string.Join(", ", index.Columns)}) does not begin "
                + "with the columns that it is partitioned by", "Name a key that does with key:, so that a slice is in few partitions.");
        }

        var statement = section.Script.Statements[options.Statement];
        if (index.Columns.FirstOrDefault(column => Assigns(new StatementText(statement), named.Name, column)) is { } changed)
        {
            throw Unfit(statement.Location, $"The statement changes {SqlIdentifier.Quote(changed)}, by which it goes through the table",
                "Rows would move between slices. Go by another key, with key:.");
        }

        return new BatchKey(table, found[0].Name, index.Columns, index.Types, index.Schemas[0]);
    }

    /// <summary>The statement of a section with the whole table as its only slice; on an empty table, with a slice that has no
    /// row.</summary>
    /// <inheritdoc cref="ReadAsync"/>
    internal static async Task<SlicedStatement> WholeAsync(
        Session session, uint table, MigrationSection section, CancellationToken cancellationToken)
    {
        var key = await ReadAsync(session, table, section, cancellationToken);
        var texts = key.Columns.Select(column => $"t.{SqlIdentifier.Quote(column)}::pg_catalog.text").ToList();
        var order = key.Columns.Select(column => $"t.{SqlIdentifier.Quote(column)}").ToList();
        string End(string direction) => $"(SELECT ARRAY[{string.Join(", ", texts)}] FROM {key.Table} t "
            + $"ORDER BY {string.Join(", ", order.Select(column => column + direction))} LIMIT 1)";
        var ends = await session.ReadAsync(
            [.. Settings.Select(setting => (SqlQuery)$"SET LOCAL {setting.Name} = {setting.Value}"), $"SELECT {End("")}, {End(" DESC")}"],
            reader => Session.ResultAsync(reader, row => row.IsDBNull(0) ? ((string[], string[])?)null
                : (row.GetFieldValue<string[]>(0), row.GetFieldValue<string[]>(1)), cancellationToken),
            cancellationToken);
        var nothing = string.Join(", ", key.Types.Select(type => $"NULL::{type}"));
        nothing = key.Types.Count == 1 ? nothing : $"({nothing})";
        var statement = section.Script.Statements[section.Batch!.Statement];
        return ends[0] is var (first, last) ? new SlicedStatement(statement, key.Literal(first), key.Literal(last))
            : new SlicedStatement(statement, nothing, nothing);
    }

    /// <summary>Values of the key as SQL: a literal, or a row of them. An index is used with these, and not with a row as text.</summary>
    internal string Literal(IReadOnlyList<string> values)
    {
        var literals = values.Select((value, i) => $"{SqlLiteral.Quote(value)}::{Types[i]}").ToList();
        return literals.Count == 1 ? literals[0] : $"({string.Join(", ", literals)})";
    }

    /// <summary>What comes right after a key where that can be known: then a slice begins there, and nothing is between two
    /// slices.</summary>
    internal IReadOnlyList<string>? After(IReadOnlyList<string> values)
    {
        var next = Types[^1] switch
        {
            "smallint" => Number(short.MaxValue),
            "integer" => Number(int.MaxValue),
            "bigint" => Number(long.MaxValue),
            "uuid" when Guid.TryParse(values[^1], out var id) && new BigInteger(id.ToByteArray(true), true, true) is var number
                && number < (BigInteger.One << 128) - 1 => Uuid(number + 1),
            _ => null,
        };
        return next is null ? null : [.. values.SkipLast(1), next];

        string? Number(long most) => long.TryParse(values[^1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            && number < most ? (number + 1).ToString(CultureInfo.InvariantCulture) : null;

        static string Uuid(BigInteger number)
        {
            var bytes = number.ToByteArray(true, true);
            return new Guid([.. new byte[16 - bytes.Length], .. bytes], true).ToString();
        }
    }

    /// <summary>A query for the next slice: how many rows, the first key and the last. It goes along the index.</summary>
    /// <param name="mark">The name of its first column.</param>
    /// <param name="last">The last key of the slice before; <c>null</c> for the first.</param>
    /// <param name="upper">The last key of all.</param>
    /// <param name="size">How many rows at most.</param>
    internal string SelectSlice(string mark, IReadOnlyList<string>? last, IReadOnlyList<string> upper, int size)
    {
        var columns = Columns.Select(column => $"t.{SqlIdentifier.Quote(column)}").ToList();
        var key = columns.Count == 1 ? columns[0] : $"({string.Join(", ", columns)})";
        var after = last is null ? "" : $"{key} OPERATOR({OperatorSchema}.>) {Literal(last)} AND ";
        return string.Create(CultureInfo.InvariantCulture,
            $"""
            WITH slice AS MATERIALIZED (
                SELECT {string.Join(", ", columns.Select((column, i) => $"{column} AS c{i}"))} FROM {Table} t
                WHERE {after}{key} OPERATOR({OperatorSchema}.<=) {Literal(upper)} ORDER BY {string.Join(", ", columns)} LIMIT {size})
            SELECT pg_catalog.count(*) AS "{mark}", (SELECT {Texts} FROM slice ORDER BY {Order("")} LIMIT 1),
                (SELECT {Texts} FROM slice ORDER BY {Order(" DESC")} LIMIT 1), pg_catalog.pg_current_wal_insert_lsn()::pg_catalog.text
            FROM slice
            """);
    }

    /// <summary>A query for the last key of all; no row where the table is empty.</summary>
    internal string SelectUpper(string mark)
    {
        var columns = Columns.Select(column => $"t.{SqlIdentifier.Quote(column)}").ToList();
        return $"SELECT ARRAY[{string.Join(", ", columns.Select(column => $"{column}::pg_catalog.text"))}] AS \"{mark}\" "
            + $"FROM {Table} t ORDER BY {string.Join(", ", columns.Select(column => column + " DESC"))} LIMIT 1";
    }

    private string Texts => $"ARRAY[{string.Join(", ", Columns.Select((_, i) => $"c{i}::pg_catalog.text"))}]";

    private string Order(string direction) => string.Join(", ", Columns.Select((_, i) => $"c{i}{direction}"));

    /// <summary>A unique index, and what keeps it from being a key to go by.</summary>
    private sealed record Index(bool IsPrimary, string[] Columns, string[] Types, string[] Schemas, string? Wrong);

    private static Index Choose(List<Index> indexes, MigrationSection section)
    {
        var options = section.Batch!;
        var fitting = indexes.Where(index => options.Key.Count == 0 ? index.IsPrimary : index.Columns.SequenceEqual(options.Key)).ToList();
        if (fitting.Find(index => index.Wrong is null) is { } chosen)
        {
            return chosen;
        }

        var names = string.Join(", ", options.Key.Select(SqlIdentifier.Quote));
        throw fitting is [var wrong, ..]
            ? Unfit(section.Where, $"The index over ({string.Join(", ", wrong.Columns)}) of {options.Table} can't be gone by: "
                + $"{wrong.Wrong}",
                "Name another key with key:, or make an index that can.")
            : options.Key.Count == 0
            ? Unfit(section.Where, $"{options.Table} has no primary key", "Name the columns of a unique index with key:COLUMN.")
            : Unfit(section.Where, $"{options.Table} has no unique index over exactly ({names}), in this order",
                "Without one, rows could be left out. Name the columns of one with key:, or make one before.");
    }

    /// <summary>Whether an UPDATE, MERGE or upsert of a table sets a column.</summary>
    private static bool Assigns(StatementText text, string table, string column)
    {
        for (var set = 1; set < text.Tokens.Count; set++)
        {
            if (text.At(set, "SET"))
            {
                var before = text.At(set - 1, "UPDATE") ? "INTO" : "UPDATE";
                var target = text.Tokens.Take(set).ToList().FindLastIndex(token => token.Is(before));
                if (target >= 0 && text.NameAt(text.SkipGuards(target + 1)) is { } name
                    && table.EndsWith("." + SqlIdentifier.Quote(name.Name), StringComparison.Ordinal) && Sets(text, set, column))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static bool Sets(StatementText text, int set, string column)
    {
        var depth = text.Tokens[set].Depth;
        for (var i = set + 1; i < text.Tokens.Count && text.Tokens[i].Depth >= depth; i++)
        {
            if (text.Tokens[i].Depth > depth)
            {
                continue;
            }

            if (text.AtAny(i, "FROM", "WHERE", "RETURNING", "WHEN"))
            {
                return false;
            }

            // (a, b) = …
            var end = text.At(i, "(") ? text.Closing(i) : i;
            if (text.AtAny(i - 1, "SET", ",") && text.At(end + 1, "=")
                && text.Tokens.Take(end + 1).Skip(i).Any(token => token.Name == column))
            {
                return true;
            }
        }

        return false;
    }

    private static ProblemException Unfit(SourceLocation where, string message, string advice) =>
        new(new Problem("CG0521", message, where, advice));

    private const string SelectTable =
        """
        SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), c.relkind IN ('r', 'p'),
            c.relkind = 'r' AND EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE inhparent = c.oid),
            ARRAY(SELECT coalesce(a.attname::text, '') FROM pg_catalog.pg_partitioned_table p
                CROSS JOIN unnest(p.partattrs::int2[]) WITH ORDINALITY k (attnum, n)
                LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum WHERE p.partrelid = c.oid ORDER BY k.n)
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1
        """;

    private const string SelectIndexes =
        """
        SELECT i.indisprimary, k.columns, k.types, k.schemas, CASE WHEN NOT i.indisvalid OR NOT i.indisready THEN 'it is not valid'
            WHEN NOT i.indimmediate THEN 'it is deferrable' WHEN i.indpred IS NOT NULL THEN 'it has only a part of the rows'
            WHEN k.expressions THEN 'it has an expression' WHEN NOT k.required THEN 'a column of it may be null'
            WHEN NOT k.usual THEN 'its order is not the usual one of its types'
            WHEN cardinality(k.schemas) <> 1 THEN 'its types have operators in several schemas' END
        FROM pg_catalog.pg_index i CROSS JOIN LATERAL (
            SELECT array_agg(coalesce(a.attname::text, '') ORDER BY p.n) AS columns,
                array_agg(coalesce(format_type(a.atttypid, a.atttypmod), '') ORDER BY p.n) AS types, bool_or(a.attname IS NULL) AS
                    expressions,
                bool_and(coalesce(a.attnotnull, false)) AS required, array_agg(DISTINCT quote_ident(s.nspname)) AS schemas,
                bool_and(o.opcdefault AND (a.attcollation IS NULL OR i.indcollation[p.n] = a.attcollation))
                    AND count(DISTINCT i.indoption[p.n] & 1) = 1 AS usual
            FROM generate_series(0, i.indnkeyatts - 1) p (n)
            LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[p.n]
            JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[p.n]
            JOIN pg_catalog.pg_amop m ON m.amopfamily = o.opcfamily AND m.amoplefttype = o.opcintype AND m.amoprighttype = o.opcintype
                AND m.amopstrategy = 5
            JOIN pg_catalog.pg_operator r ON r.oid = m.amopopr JOIN pg_catalog.pg_namespace s ON s.oid = r.oprnamespace) k
        WHERE i.indrelid = $1 AND i.indisunique ORDER BY i.indexrelid
        """;
}
