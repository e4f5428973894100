using ChatGenius.Db.Connections;
using Npgsql;
using NpgsqlTypes;

namespace ChatGenius.Db.Migrations;

/// <content>The progress of statements in batches.</content>
internal sealed partial class History
{
    private const string OneBatch =
        "direction OPERATOR(pg_catalog.=) $2 AND statement OPERATOR(pg_catalog.=) $3 AND finished_at IS NULL";

    private static string FencedBatch(string fence) => $"version OPERATOR(pg_catalog.=) (SELECT {fence} OPERATOR(pg_catalog.+) $1) "
        + $"AND {OneBatch}";

    /// <summary>Reads how far the batches are: of one section, or all that are not finished.</summary>
    /// <param name="session">Where to read.</param>
    /// <param name="waitForWriters">Whether somebody who is just writing there is waited for: an earlier run whose last slice is on its
    /// way. Its fence fails as soon as we have looked.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    internal async Task<IReadOnlyList<BatchState>> ReadBatchesAsync(
        Session session, bool waitForWriters, CancellationToken cancellationToken)
    {
        if (!Place.Has("batches"))
        {
            return [];
        }

        return await ReadOursAsync(
            session,
            [$"LOCK TABLE {_schema}.batches IN {(waitForWriters ? "SHARE" : "ACCESS SHARE")} MODE"],
            needs: null,
            [
                $"""
                SELECT version, direction, statement, key::text[], last_key::text[], upper_key::text[], coalesce(size, 0), row_count,
                    changed_count, slice_count, pass, duration_ms, wal_bytes::int8, started_at, changed_at, finished_at IS NOT NULL,
                        control,
                    (SELECT CASE WHEN bool_and(c.reltuples >= 0) THEN sum(c.reltuples)::int8 END FROM pg_catalog.pg_class c
                     WHERE c.relkind = 'r' AND (c.oid = to_regclass((key::text[])[1])
                        OR c.oid IN (SELECT relid FROM pg_catalog.pg_partition_tree(to_regclass((key::text[])[1])) WHERE isleaf)))
                FROM {From("batches")} ORDER BY version, direction, statement
                """,
            ],
            (reader, _) => Session.ResultAsync(reader, ReadBatch, cancellationToken),
            cancellationToken);
    }

    private static BatchState ReadBatch(NpgsqlDataReader row) => new(
        row.GetInt64(0), row.GetString(1) == "up" ? MigrationDirection.Up : MigrationDirection.Down, row.GetInt32(2),
        row.GetFieldValue<string[]>(3))
    {
        LastKey = row.IsDBNull(4) ? null : row.GetFieldValue<string[]>(4),
        UpperKey = row.IsDBNull(5) ? null : row.GetFieldValue<string[]>(5),
        Size = row.GetInt64(6),
        Rows = row.GetInt64(7),
        Changed = row.GetInt64(8),
        Slices = row.GetInt64(9),
        Pass = row.GetInt32(10),
        Duration = TimeSpan.FromMilliseconds(row.GetDouble(11)),
        WalBytes = row.GetInt64(12),
        StartedAt = row.GetDateTime(13),
        ChangedAt = row.GetDateTime(14),
        Finished = row.GetBoolean(15),
        Control = row.IsDBNull(16) ? null : row.GetString(16),
        Total = row.IsDBNull(17) ? null : row.GetInt64(17),
    };

    /// <summary>The command that notes that a statement begins to go in batches, from the first key; fenced.</summary>
    internal NpgsqlBatchCommand BeginBatches(MigrationStep step, BatchState state, string fence) => new PreparableCommand(
        $"""
        INSERT INTO {_schema}.batches (version, direction, statement, name, checksum, key, upper_key, size)
        VALUES ({fence} OPERATOR(pg_catalog.+) $1, $2, $3, $4, $5, $6::pg_catalog.text, $7::pg_catalog.text, $8)
        ON CONFLICT (version, direction, statement) DO UPDATE SET name = EXCLUDED.name, checksum = EXCLUDED.checksum, key = EXCLUDED.key,
            last_key = NULL, upper_key = EXCLUDED.upper_key, size = EXCLUDED.size, row_count = 0, changed_count = 0, slice_count = 0,
                pass = 1,
            duration_ms = 0, wal_bytes = 0, started_at = EXCLUDED.started_at, changed_at = EXCLUDED.changed_at, finished_at = NULL,
            control = NULL
        """,
        NpgsqlDbType.Bigint, NpgsqlDbType.Text, NpgsqlDbType.Integer, NpgsqlDbType.Text, NpgsqlDbType.Text,
        NpgsqlDbType.Array | NpgsqlDbType.Text, NpgsqlDbType.Array | NpgsqlDbType.Text, NpgsqlDbType.Bigint)
        .With(state.Version, Word(state.Direction), state.Statement, step.Name, step.Section.Script.ChecksumOf(state.Statement),
            state.Key.ToArray(), state.UpperKey?.ToArray(), state.Size);

    /// <summary>The command that notes that a slice is done, in its transaction; fenced. Its result, one row where the note was there, is
    /// what somebody has asked of the run.</summary>
    internal NpgsqlBatchCommand AdvanceBatches(BatchState before, IReadOnlyList<string> last, int size, long rows, long changed, string wal,
        string fence, string marker) => new PreparableCommand(
        $"""
        UPDATE {_schema}.batches SET last_key = $4::pg_catalog.text, size = $5, row_count = row_count OPERATOR(pg_catalog.+) $6,
            changed_count = changed_count OPERATOR(pg_catalog.+) $7, slice_count = slice_count OPERATOR(pg_catalog.+) 1,
            duration_ms = duration_ms OPERATOR(pg_catalog.+) {SinceBegin}, changed_at = pg_catalog.clock_timestamp(),
            wal_bytes = wal_bytes OPERATOR(pg_catalog.+) pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(),
                $8::pg_catalog.pg_lsn)
        WHERE {FencedBatch(fence)}
        RETURNING coalesce(control, '') AS "{marker}", wal_bytes::pg_catalog.int8, duration_ms
        """,
        NpgsqlDbType.Bigint, NpgsqlDbType.Text, NpgsqlDbType.Integer, NpgsqlDbType.Array | NpgsqlDbType.Text, NpgsqlDbType.Bigint,
        NpgsqlDbType.Bigint, NpgsqlDbType.Bigint, NpgsqlDbType.Text)
        .With(before.Version, Word(before.Direction), before.Statement, last.ToArray(), (long)size, rows, changed, wal);

    /// <summary>The command that begins the next pass; fenced.</summary>
    internal NpgsqlBatchCommand BeginPass(BatchState before, IReadOnlyList<string>? upper, string fence) => new PreparableCommand(
        $"""
        UPDATE {_schema}.batches SET last_key = NULL, upper_key = $4::pg_catalog.text, row_count = 0, pass = pass OPERATOR(pg_catalog.+) 1,
            changed_at = pg_catalog.clock_timestamp()
        WHERE {FencedBatch(fence)}
        """,
        NpgsqlDbType.Bigint, NpgsqlDbType.Text, NpgsqlDbType.Integer, NpgsqlDbType.Array | NpgsqlDbType.Text)
        .With(before.Version, Word(before.Direction), before.Statement, upper?.ToArray());

    /// <summary>Asks something of batches that are not finished.</summary>
    internal Task<long> ControlBatchesAsync(Session session, BatchState state, BatchControl control, CancellationToken cancellationToken) =>
        WriteAsync(
            session,
            ["batches"],
            [
                new SqlQuery(
                    $"""
                    UPDATE {_schema}.batches SET control = nullif($4, '')
                    WHERE version = $1 AND direction = $2 AND statement = $3 AND finished_at IS NULL
                    """,
                    state.Version, Word(state.Direction), state.Statement, control.ToString()),
            ],
            cancellationToken);

    /// <summary>The command that notes that the last slice is done; fenced.</summary>
    internal NpgsqlBatchCommand FinishBatches(BatchState state, string fence) => new PreparableCommand(
        $"UPDATE {_schema}.batches SET finished_at = pg_catalog.clock_timestamp(), control = NULL WHERE {FencedBatch(fence)}",
        NpgsqlDbType.Bigint, NpgsqlDbType.Text, NpgsqlDbType.Integer).With(state.Version, Word(state.Direction), state.Statement);

    private static string Word(MigrationDirection direction) => direction == MigrationDirection.Up ? "up" : "down";
}
