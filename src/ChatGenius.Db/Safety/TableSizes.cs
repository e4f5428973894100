using ChatGenius.Db.Connections;
using Npgsql;
namespace ChatGenius.Db.Safety;

/// <summary>How large a table is where the migration will run.</summary>
/// <param name="Rows">The planner's estimate (<c>reltuples</c>), of a partitioned table all its partitions' together.</param>
/// <param name="Bytes">With indexes and TOAST (<c>pg_total_relation_size</c>).</param>
public readonly record struct TableSize(long Rows, long Bytes)
{
    /// <summary>Under ten thousand rows and ten megabytes: what a server reads before anyone notices.</summary>
    public bool IsSmall => Rows < 10_000 && Bytes < 10_000_000;

    /// <summary>As a message says it: <c>about 1,200,000 rows, 340 MB</c>.</summary>
    public override string ToString() => Bytes >= 1_000_000_000
        ? $"about {Names.Count(Rows, "row")}, {Bytes / 1e9:N1} GB"
        : Bytes >= 1_000_000 ? $"about {Names.Count(Rows, "row")}, {Bytes / 1e6:N0} MB" : $"about {Names.Count(Rows, "row")}, {Bytes / 1e3:N0} kB";
}

/// <summary>The sizes of a target's tables, by schema and name.</summary>
public sealed class TableSizes
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
    /// <exception cref="PostgresException">The role may not read the catalog.</exception>
    public static async Task<TableSizes> ReadAsync(Database target, CancellationToken cancellationToken = default)
    {
        // A partitioned table stores nothing itself. reltuples = -1: never analyzed, so its size is unknown.
        const string Query =
            """
            WITH RECURSIVE tree AS (
                SELECT c.oid AS root, c.oid FROM pg_class c WHERE c.relkind IN ('r', 'p', 'm')
                UNION ALL
                SELECT t.root, h.inhrelid FROM tree t JOIN pg_inherits h ON h.inhparent = t.oid JOIN pg_class p ON p.oid = t.root AND p.relkind = 'p'
            )
            SELECT n.nspname::text, r.relname::text, coalesce(sum(greatest(c.reltuples, 0)) FILTER (WHERE c.relkind <> 'p'), 0)::int8, sum(pg_total_relation_size(c.oid))::int8
            FROM tree t
            JOIN pg_class r ON r.oid = t.root
            JOIN pg_namespace n ON n.oid = r.relnamespace
            JOIN pg_class c ON c.oid = t.oid
            WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
            GROUP BY 1, 2
            HAVING bool_and(c.reltuples >= 0 OR c.relkind = 'p' OR pg_relation_size(c.oid) = 0)
            """;
        await using var connection = await target.ConnectAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand("SET default_transaction_read_only = on"),
                new NpgsqlBatchCommand("SELECT current_setting('TimeZone')"),
                new NpgsqlBatchCommand(Query),
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var timeZone = reader.GetString(0);
        await reader.NextResultAsync(cancellationToken);
        var sizes = new Dictionary<(string, string), TableSize>();
        while (await reader.ReadAsync(cancellationToken))
        {
            sizes[(reader.GetString(0), reader.GetString(1))] = new TableSize(reader.GetInt64(2), reader.GetInt64(3));
        }

        var version = connection.PostgreSqlVersion;
        return new TableSizes(sizes, version.Major * 10000 + version.Minor, timeZone);

    }

    /// <summary>Sizes that are known otherwise.</summary>
    public static TableSizes From(IReadOnlyDictionary<(string Schema, string Name), TableSize> sizes, int serverVersion = 0) => new(sizes, serverVersion, null);
}
