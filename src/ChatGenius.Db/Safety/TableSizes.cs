using System.Text.Json;
using System.Text.Json.Serialization;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Safety;

/// <summary>How large a table is where the migration will run.</summary>
/// <param name="Rows">The planner's estimate (<c>reltuples</c>), of a partitioned table all its partitions' together.</param>
/// <param name="Bytes">With indexes and TOAST (<c>pg_total_relation_size</c>).</param>
internal readonly record struct TableSize(long Rows, long Bytes)
{
    /// <summary>Under ten thousand rows and ten megabytes: what a server reads before anyone notices.</summary>
    public bool IsSmall => Rows < 10_000 && Bytes < 10_000_000;

    /// <summary>As a message says it: <c>about 1,200,000 rows, 340 MB</c>.</summary>
    public override string ToString() => Bytes >= 1_000_000_000
        ? $"about {Names.Count(Rows, "row")}, {Bytes / 1e9:N1} GB"
        : Bytes >= 1_000_000 ? $"about {Names.Count(Rows, "row")}, {Bytes / 1e6:N0} MB"
            : $"about {Names.Count(Rows, "row")}, {Bytes / 1e3:N0} kB";
}

/// <summary>The sizes of a target's tables, by schema and name.</summary>
internal sealed class TableSizes
{
    /// <summary>Nothing is known.</summary>
    public static readonly TableSizes Unknown = new(new Dictionary<(string, string), TableSize>(), 0, null);

    private readonly IReadOnlyDictionary<(string Schema, string Name), TableSize> _sizes;

    private TableSizes(IReadOnlyDictionary<(string Schema, string Name), TableSize> sizes, int serverVersion, string? timeZone)
    {
        _sizes = sizes;
        ServerVersion = serverVersion;
        TimeZone = timeZone;
    }

    /// <summary>The target's version, such as 150018; 0 if no target was asked.</summary>
    public int ServerVersion { get; }

    /// <summary>The target's <c>TimeZone</c>; null if no target was asked.</summary>
    public string? TimeZone { get; }

    /// <summary>A table's size; null when it is not known.</summary>
    public TableSize? this[string schema, string name] => _sizes.TryGetValue((schema, name), out var size) ? size : null;

    /// <summary>Asks a target, in a session that can't write.</summary>
    /// <exception cref="ProblemException">CG06xx: no connection.</exception>
    public static async Task<TableSizes> ReadAsync(Database target, CancellationToken cancellationToken = default)
    {
        // A partitioned table stores nothing itself. reltuples = -1: never analyzed, so its size is unknown.
        const string Query =
            """
            WITH RECURSIVE tree AS (
                SELECT c.oid AS root, c.oid FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'p', 'm')
                UNION ALL
                SELECT t.root, h.inhrelid
                FROM tree t JOIN pg_catalog.pg_inherits h ON h.inhparent = t.oid JOIN pg_catalog.pg_class p ON p.oid = t.root
                    AND p.relkind = 'p'
            )
            SELECT n.nspname::text, r.relname::text, coalesce(sum(greatest(c.reltuples, 0)) FILTER (WHERE c.relkind <> 'p'), 0)::int8,
                   sum(pg_total_relation_size(c.oid))::int8
            FROM tree t
            JOIN pg_catalog.pg_class r ON r.oid = t.root
            JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
            JOIN pg_catalog.pg_class c ON c.oid = t.oid
            WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
            GROUP BY 1, 2
            HAVING bool_and(c.reltuples >= 0 OR c.relkind = 'p' OR pg_relation_size(c.oid) = 0)
            """;
        await using var session = await Session.OpenAsync(target, "reading the target's table sizes", cancellationToken);
        var server = await ReadServerAsync(session, cancellationToken);
        var sizes = await session.RowsAsync(
            Query, row => (Name: (row.GetString(0), row.GetString(1)), Size: new TableSize(row.GetInt64(2), row.GetInt64(3))),
                cancellationToken);
        return new TableSizes(sizes.ToDictionary(table => table.Name, table => table.Size), server.ServerVersion, server.TimeZone);
    }

    /// <summary>Asks a database only for its version and time zone: how large its tables are says nothing of production.</summary>
    /// <exception cref="ProblemException">CG06xx: no connection.</exception>
    public static async Task<TableSizes> ReadServerAsync(Database database, CancellationToken cancellationToken = default)
    {
        await using var session = await Session.OpenAsync(database, "reading the database's time zone", cancellationToken);
        return await ReadServerAsync(session, cancellationToken);
    }

    /// <summary>Sizes that are known otherwise.</summary>
    public static TableSizes From(IReadOnlyDictionary<(string Schema, string Name), TableSize> sizes, int serverVersion = 0) =>
        new(sizes, serverVersion, null);

    /// <summary>The same of a server of another version.</summary>
    public TableSizes On(int serverVersion) => serverVersion == 0 ? this : new TableSizes(_sizes, serverVersion, TimeZone);

    /// <summary>The sizes as a file keeps them, sorted, with a line break at the end.</summary>
    public string ToJson() => JsonSerializer.Serialize(
        new SizesFile(ServerVersion, TimeZone, new SortedDictionary<string, SizeOfTable>(
            _sizes.ToDictionary(pair => $"{pair.Key.Schema}.{pair.Key.Name}", pair => new SizeOfTable(pair.Value.Rows, pair.Value.Bytes)),
                StringComparer.Ordinal)),
        SizesContext.Default.SizesFile) + "\n";

    /// <summary>Reads such a file.</summary>
    /// <exception cref="ProblemException">CG1214: it is not one.</exception>
    public static TableSizes Parse(string path, string json)
    {
        try
        {
            var file = JsonSerializer.Deserialize(json, SizesContext.Default.SizesFile) ?? throw new JsonException("It is empty.");
            return new TableSizes(
                file.Tables.Select(pair => (Name: pair.Key.Split('.', 2), pair.Value)).Where(table => table.Name.Length == 2)
                    .ToDictionary(table => (table.Name[0], table.Name[1]), table => new TableSize(table.Value.Rows, table.Value.Bytes)),
                file.ServerVersion, file.TimeZone);
        }
        catch (JsonException e)
        {
            throw new ProblemException(
                "CG1214", $"{path} is no file of table sizes: {e.Message}",
                advice: "Write it once more where production can be reached, with --target and "
                    + $"--save-sizes {ToolCall.Quote(path)}.", cause: e);
        }
    }

    private static async Task<TableSizes> ReadServerAsync(Session session, CancellationToken cancellationToken) => new(
        new Dictionary<(string, string), TableSize>(), session.ServerVersion,
        await session.ScalarAsync<string>("SELECT pg_catalog.current_setting('TimeZone')", cancellationToken));
}

/// <summary>What a file of table sizes holds.</summary>
internal sealed record SizesFile(
    [property: JsonRequired] int ServerVersion, string? TimeZone, [property: JsonRequired] IReadOnlyDictionary<string, SizeOfTable> Tables);

/// <summary>A table in such a file.</summary>
internal sealed record SizeOfTable([property: JsonRequired] long Rows, [property: JsonRequired] long Bytes);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(SizesFile))]
internal sealed partial class SizesContext : JsonSerializerContext;
