using ChatGenius.Db.Connections;
using ChatGenius.Db.Migrations;

namespace ChatGenius.Db.Safety;

/// <summary>A table that a plan touches, where it will run.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Rows">The planner's estimate; null where nobody has counted.</param>
/// <param name="Bytes">Its rows, with TOAST.</param>
/// <param name="IndexBytes">Its indexes.</param>
/// <param name="Age">How many transactions old its oldest row may be, as a part of what autovacuum lets it get.</param>
/// <param name="Vacuum">The process of an autovacuum to prevent wraparound that works on it; null where none is seen.</param>
internal sealed record TouchedTable(TableName Name, long? Rows, long Bytes, long IndexBytes, double Age, int? Vacuum);

/// <summary>A lock on a table that the plan touches.</summary>
/// <param name="Table">The table.</param>
/// <param name="Mode">How strong it is.</param>
/// <param name="Holder">Who; of a prepared transaction only since when and who.</param>
/// <param name="Age">How old its transaction is; null where that can't be seen.</param>
/// <param name="Prepared">The name of the prepared transaction that holds it; null where a session does.</param>
internal sealed record HeldTable(TableName Table, LockMode Mode, LockHolder Holder, TimeSpan? Age, string? Prepared);

/// <summary>What a database and its server are like before a plan runs, as far as our role may see it.</summary>
internal sealed record PreflightFacts
{
    public required string Role { get; init; }

    /// <summary>Whether other sessions' transactions, and standbys, can be seen.</summary>
    public required bool SeesOthers { get; init; }

    /// <summary>How many more sessions there may be.</summary>
    public required long FreeConnections { get; init; }

    /// <summary>Whether each commit waits for a standby that is not connected; null where that can't be seen.</summary>
    public required bool? CommitWaits { get; init; }

    /// <summary>Since when the archive has taken no file; null where it takes them.</summary>
    public required DateTime? ArchiveFails { get; init; }

    public required IReadOnlyList<TouchedTable> Tables { get; init; }

    public required IReadOnlyList<HeldTable> Locks { get; init; }

    /// <summary>Transactions of other sessions with their age, and prepared ones, oldest first.</summary>
    public required IReadOnlyList<(string Who, TimeSpan Age, bool IsPrepared)> Transactions { get; init; }

    public required IReadOnlyList<StandbyState> Standbys { get; init; }

    public required IReadOnlyList<SlotState> Slots { get; init; }

    /// <summary>Reads them, without a lock on any table.</summary>
    /// <param name="database">The database.</param>
    /// <param name="tables">The tables that the plan touches; null to find them by <paramref name="names"/>.</param>
    /// <param name="names">Names of tables, indexes and sequences in the plan's statements.</param>
    /// <param name="patience">How long a standby is given to replay what was written by now.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ProblemException">CG06xx: no connection.</exception>
    public static async Task<PreflightFacts> ReadAsync(
        Database database, IReadOnlyCollection<TableName>? tables, IReadOnlyCollection<string> names, TimeSpan patience,
        CancellationToken cancellationToken = default)
    {
        await using var session = await Session.OpenAsync(database, "looking at the server before the run", cancellationToken);
        var (schemas, wanted) = tables is null ? (null, names.ToArray())
            : (tables.Select(table => table.Schema).ToArray(), tables.Select(table => table.Name).ToArray());
        var facts = await session.ReadAsync(
            [Server, new SqlQuery(Touched, wanted, schemas ?? []), new SqlQuery(Locked, wanted, schemas ?? []), OldTransactions,
                BatchEyes.Standbys, BatchEyes.Slots],
            async reader =>
            {
                var server = (await Session.ResultAsync(
                    reader, row => new PreflightFacts
                    {
                        Role = row.GetString(0),
                        SeesOthers = row.GetBoolean(1),
                        FreeConnections = row.GetInt64(2),
                        CommitWaits = row.IsDBNull(3) ? null : row.GetBoolean(3),
                        ArchiveFails = row.IsDBNull(4) ? null : row.GetDateTime(4),
                        Tables = [], Locks = [], Transactions = [], Standbys = [], Slots = [],
                    },
                    cancellationToken))[0];
                return server with
                {
                    Tables = await Session.ResultAsync(
                        reader, row => new TouchedTable(
                            new TableName(row.GetString(0), row.GetString(1)), row.IsDBNull(2) ? null : row.GetInt64(2), row.GetInt64(3),
                            row.GetInt64(4), row.GetDouble(5), row.IsDBNull(6) ? null : row.GetInt32(6)),
                        cancellationToken),
                    Locks = await Session.ResultAsync(
                        reader, row => new HeldTable(
                            new TableName(row.GetString(6), row.GetString(7)), LockModes.Parse(row.GetString(8)), LockHolder.Read(row),
                            row.IsDBNull(5) ? null : row.GetTimeSpan(5), row.IsDBNull(9) ? null : row.GetString(9)),
                        cancellationToken),
                    Transactions = await Session.ResultAsync(
                        reader, row => (row.IsDBNull(6) ? LockHolder.Read(row).ToString() : Prepared(row.GetString(6), row.GetString(2)),
                            row.GetTimeSpan(5), !row.IsDBNull(6)),
                        cancellationToken),
                    Standbys = await Session.ResultAsync(reader, BatchEyes.ReadStandby, cancellationToken),
                    Slots = await Session.ResultAsync(reader, BatchEyes.ReadSlot, cancellationToken),
                };
            },
            cancellationToken);
        return facts with { Standbys = await WatchAsync(session, facts.Standbys, patience, cancellationToken) };
    }

    internal static string Prepared(string name, string owner) => $"prepared transaction '{name}' of {owner}";

    /// <summary>
    /// How long a standby lags is only known of one that replays: the server's own figure stays as it was when replay stops. So each that
    /// lacks something is given time to replay up to where the log was when we first looked.
    /// </summary>
    private static async Task<IReadOnlyList<StandbyState>> WatchAsync(
        Session session, IReadOnlyList<StandbyState> first, TimeSpan patience, CancellationToken cancellationToken)
    {
        const long Unnoticed = 64 * 1024;
        var (clock, states) = (System.Diagnostics.Stopwatch.StartNew(), first);
        var lacking = first.Where(state => state.Bytes > Unnoticed).ToDictionary(state => state.Name, state => state.Bytes!.Value);
        var start = lacking.Count == 0 ? null : await session.ScalarAsync<string>("SELECT pg_current_wal_lsn()::text", cancellationToken);
        while (lacking.Count > 0 && clock.Elapsed < patience)
        {
            await Task.Delay(250, cancellationToken);
            var left = await session.RowsAsync(
                new SqlQuery(
                    """
                    SELECT coalesce(nullif(application_name, ''), host(client_addr), 'pid ' || pid) FROM pg_catalog.pg_stat_replication
                    WHERE replay_lsn < $1::pg_lsn
                    """, start), row => row.GetString(0), cancellationToken);
            foreach (var name in lacking.Keys.Except(left).ToList())
            {
                lacking.Remove(name);
            }
        }

        return [.. states.Select(state => lacking.ContainsKey(state.Name)
            ? state with { Lag = state.Lag > clock.Elapsed ? state.Lag : clock.Elapsed } : state)];
    }

    private const string Server =
        """
        SELECT quote_ident(current_user), pg_has_role(current_user, 'pg_read_all_stats', 'USAGE'),
            least(
                current_setting('max_connections')::int8
                    - CASE WHEN r.rolsuper THEN 0 ELSE current_setting('superuser_reserved_connections')::int8
                        + coalesce(current_setting('reserved_connections', true), '0')::int8 END
                    - (SELECT sum(numbackends) FROM pg_catalog.pg_stat_database),
                CASE WHEN d.datconnlimit < 0 OR r.rolsuper THEN 1000000 ELSE d.datconnlimit
                    - (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datid = d.oid) END,
                CASE WHEN r.rolconnlimit < 0 OR r.rolsuper THEN 1000000 ELSE r.rolconnlimit
                    - (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE usesysid = r.oid) END)::int8 + 1,
            CASE WHEN current_setting('synchronous_standby_names') = '' OR current_setting('synchronous_commit') IN ('off', 'local')
                    THEN false
                WHEN pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')
                    THEN NOT EXISTS (SELECT FROM pg_catalog.pg_stat_replication WHERE sync_state IN ('sync', 'quorum')) END,
            (SELECT a.last_failed_time FROM pg_catalog.pg_stat_archiver a
             WHERE a.last_failed_time > coalesce(a.last_archived_time, '-infinity'))
        FROM pg_catalog.pg_roles r, pg_catalog.pg_database d WHERE r.rolname = session_user AND d.datname = current_database()
        """;

    // The topmost tables of what is named, with all their partitions.
    private const string Tree =
        """
        WITH RECURSIVE named AS (
            SELECT DISTINCT coalesce(i.indrelid, dep.refobjid, c.oid) AS oid
            FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
            LEFT JOIN pg_catalog.pg_depend dep ON c.relkind = 'S' AND dep.classid = 1259 AND dep.objid = c.oid AND dep.refclassid = 1259
                AND dep.deptype IN ('a', 'i')
            WHERE c.relname = ANY ($1::text[]) AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
                AND (cardinality($2::text[]) = 0 OR EXISTS (SELECT FROM unnest($1::text[], $2::text[]) AS t (name, schema)
                    WHERE t.name = c.relname AND t.schema = n.nspname))
        ), root AS (
            SELECT DISTINCT coalesce((SELECT a.relid FROM pg_catalog.pg_partition_ancestors(named.oid) WITH ORDINALITY AS a (relid, place)
                ORDER BY place DESC LIMIT 1), named.oid::regclass) AS oid
            FROM named
        ), tree AS (
            SELECT oid::oid AS root, oid::oid AS oid FROM root
            UNION SELECT t.root, h.inhrelid FROM tree t JOIN pg_catalog.pg_inherits h ON h.inhparent = t.oid
        )
        """;

    private const string Touched = Tree +
        """
        SELECT n.nspname::text, r.relname::text,
            CASE WHEN bool_and(c.reltuples >= 0 OR c.relkind = 'p' OR pg_relation_size(c.oid) = 0)
                THEN coalesce(sum(greatest(c.reltuples, 0)) FILTER (WHERE c.relkind <> 'p'), 0)::int8 END,
            coalesce(sum(pg_table_size(c.oid)) FILTER (WHERE c.relkind <> 'p'), 0)::int8,
            coalesce(sum(pg_indexes_size(c.oid)) FILTER (WHERE c.relkind <> 'p'), 0)::int8,
            coalesce(max(age(c.relfrozenxid)) FILTER (WHERE c.relfrozenxid <> '0'), 0)::float8
                / current_setting('autovacuum_freeze_max_age')::float8,
            (SELECT min(v.pid) FROM pg_catalog.pg_stat_progress_vacuum v JOIN pg_catalog.pg_stat_activity a ON a.pid = v.pid
             WHERE v.relid = ANY (array_agg(c.oid)) AND a.query LIKE '%to prevent wraparound%')
        FROM tree t
        JOIN pg_catalog.pg_class c ON c.oid = t.oid
        JOIN pg_catalog.pg_class r ON r.oid = t.root
        JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
        WHERE r.relkind IN ('r', 'p', 'm')
        GROUP BY n.nspname, r.relname ORDER BY 1, 2
        """;

    private const string Locked = Tree +
        """
        SELECT coalesce(l.pid, 0), a.application_name, coalesce(a.usename, p.owner)::text, coalesce(a.xact_start, p.prepared), a.query,
            clock_timestamp() - coalesce(a.xact_start, p.prepared), n.nspname::text, r.relname::text, l.mode, p.gid
        FROM (SELECT root, oid FROM tree UNION SELECT t.root, i.indexrelid FROM tree t JOIN pg_catalog.pg_index i ON i.indrelid = t.oid) t
        JOIN pg_catalog.pg_locks l ON l.locktype = 'relation' AND l.relation = t.oid AND l.granted
            AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database())
        JOIN pg_catalog.pg_class r ON r.oid = t.root
        JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
        LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
        LEFT JOIN pg_catalog.pg_locks x ON l.pid IS NULL AND x.pid IS NULL AND x.locktype = 'transactionid'
            AND x.virtualtransaction = l.virtualtransaction
        LEFT JOIN pg_catalog.pg_prepared_xacts p ON p.transaction = x.transactionid
        WHERE l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid() AND coalesce(a.backend_type, '') <> 'autovacuum worker'
        ORDER BY 6 DESC NULLS LAST
        """;

    private const string OldTransactions =
        """
        SELECT a.pid, a.application_name, coalesce(a.usename::text, ''), a.xact_start, a.query, clock_timestamp() - a.xact_start, NULL
        FROM pg_catalog.pg_stat_activity a
        WHERE a.backend_type = 'client backend' AND a.pid <> pg_backend_pid() AND a.xact_start IS NOT NULL
        UNION ALL SELECT 0, '', p.owner::text, p.prepared, '', clock_timestamp() - p.prepared, p.gid
        FROM pg_catalog.pg_prepared_xacts p
        ORDER BY 6 DESC
        """;
}
