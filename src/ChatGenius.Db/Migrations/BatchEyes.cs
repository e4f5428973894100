using System.Globalization;
using ChatGenius.Db.Connections;
using Npgsql;

namespace ChatGenius.Db.Migrations;

/// <summary>Looks, over the connection that holds the lock, at what batches may harm: standbys, slots, the archive, other
/// transactions.</summary>
/// <param name="held">The lock.</param>
/// <param name="limits">What is too much.</param>
/// <param name="pid">The backend of the run's own connection; <c>null</c> behind a pooler.</param>
internal sealed class BatchEyes(MigrationLock held, BatchLimits limits, int? pid)
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(5);

    // Where the log was at which time, and how many checkpoints had been requested: a standby that stands still says nothing of time.
    private readonly List<(DateTime At, long Position, long Checkpoints)> _seen = [];
    private Rights? _rights;

    private sealed record Rights(bool Statistics, bool Archive, bool Archives);

    /// <summary>What can't be seen with the rights of our role, once it was looked; a line each.</summary>
    internal IReadOnlyList<string> Unseen { get; private set; } = [];

    /// <summary>Looks.</summary>
    /// <param name="table">The table that the batches go through.</param>
    /// <param name="cancellationToken">Ends the wait for the connection.</param>
    /// <returns>Why the batches should wait; empty where they need not.</returns>
    internal async Task<IReadOnlyList<string>> LookAsync(uint table, CancellationToken cancellationToken)
    {
        List<string> reasons = [];
        await held.UseAsync(
            async connection =>
            {
                // A cancel here would abort the transaction that holds the lock.
                var session = Session.Within(connection, "looking at standbys, slots and the archive");
                _rights ??= await ReadRightsAsync(session);
                reasons = await ReadAsync(session, _rights, table);
            },
            cancellationToken);
        return reasons;
    }

    /// <summary>The query of the standbys, for <see cref="ReadStandby"/>.</summary>
    internal const string Standbys =
        """
        SELECT coalesce(nullif(application_name, ''), host(client_addr), 'pid ' || pid), pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery()
            THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END, replay_lsn)::int8, replay_lag
        FROM pg_catalog.pg_stat_replication
        """;

    /// <summary>The query of the slots, for <see cref="ReadSlot"/>.</summary>
    internal const string Slots =
        """
        SELECT slot_name::text, active, to_jsonb(s) ->> 'wal_status', coalesce(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery()
                THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END, restart_lsn), 0)::int8,
            (to_jsonb(s) ->> 'safe_wal_size')::int8,
            coalesce((SELECT greatest(setting::int8, 0) * 1024 * 1024 FROM pg_catalog.pg_settings WHERE name = 'max_slot_wal_keep_size'), 0)
        FROM pg_catalog.pg_replication_slots s
        """;

    /// <summary>Reads a row of <see cref="Standbys"/>.</summary>
    internal static StandbyState ReadStandby(NpgsqlDataReader row) =>
        new(row.GetString(0), row.IsDBNull(1) ? null : row.GetInt64(1), row.IsDBNull(2) ? null : row.GetTimeSpan(2));

    /// <summary>Reads a row of <see cref="Slots"/>.</summary>
    internal static SlotState ReadSlot(NpgsqlDataReader row) => new(
        row.GetString(0), row.GetBoolean(1), row.IsDBNull(2) ? null : row.GetString(2), row.GetInt64(3),
        row.IsDBNull(4) ? null : row.GetInt64(4), row.GetInt64(5));

    private async Task<Rights> ReadRightsAsync(Session session)
    {
        const string Query =
            """
            SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE'), has_function_privilege('pg_ls_archive_statusdir()', 'EXECUTE'),
                current_setting('archive_mode') <> 'off', quote_ident(current_user)
            """;
        var (rights, role) = (await session.RowsAsync(
            Query, row => (new Rights(row.GetBoolean(0), row.GetBoolean(1), row.GetBoolean(2)), row.GetString(3)),
            CancellationToken.None))[0];
        var grant = $"GRANT pg_monitor TO {role}";
        Unseen =
        [
            .. rights.Statistics ? Array.Empty<string>()
                : [$"how far standbys are and how old other transactions are can't be seen without: {grant}"],
            .. rights.Archive || !rights.Archives ? Array.Empty<string>()
                : [$"what waits for the archive can't be seen without: {grant}"],
        ];
        return rights;
    }

    private async Task<List<string>> ReadAsync(Session session, Rights rights, uint table)
    {
        var reasons = new List<string>();
        await session.ReadAsync(
            [
                "SELECT pg_stat_clear_snapshot()",
                $"SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::int8, {(session.ServerVersion >= 170000
                    ? "(SELECT num_requested FROM pg_catalog.pg_stat_checkpointer)"
                    : "(SELECT checkpoints_req FROM pg_catalog.pg_stat_bgwriter)")}, "
                    + "pg_size_bytes(current_setting('max_wal_size'))",
                Standbys,
                Slots,
                new SqlQuery(
                    """
                    SELECT a.pid, a.application_name, a.usename::text, a.xact_start, a.query, clock_timestamp() - a.xact_start
                    FROM pg_catalog.pg_stat_activity a
                    WHERE a.backend_type = 'client backend' AND a.pid NOT IN (pg_backend_pid(), $1) AND a.xact_start IS NOT NULL
                    ORDER BY a.xact_start LIMIT 1
                    """,
                    pid ?? 0),
                new SqlQuery(
                    """
                    SELECT count(*) FROM pg_catalog.pg_stat_progress_vacuum v JOIN pg_catalog.pg_stat_activity a ON a.pid = v.pid
                    WHERE (v.relid = $1 OR v.relid IN (SELECT relid FROM pg_catalog.pg_partition_tree($1)))
                        AND a.query LIKE '%to prevent wraparound%'
                    """,
                    table),
                rights is { Archive: true, Archives: true }
                    ? "SELECT count(*) FROM pg_catalog.pg_ls_archive_statusdir() WHERE name LIKE '%.ready'" : "SELECT 0::int8",
            ],
            async reader =>
            {
                await Session.ResultAsync(reader, _ => 0, CancellationToken.None);
                var (position, checkpoints, planned) = (await Session.ResultAsync(
                    reader, row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2)), CancellationToken.None))[0];
                Remember(position, checkpoints);
                foreach (var standby in await Session.ResultAsync(reader, ReadStandby, CancellationToken.None))
                {
                    if (standby.Bytes is { } bytes)
                    {
                        JudgeStandby(reasons, standby.Name, bytes, Lag(position - bytes));
                    }
                }

                foreach (var slot in await Session.ResultAsync(reader, ReadSlot, CancellationToken.None))
                {
                    if (slot.Safe is { } safe && slot.IsNear(limits.MinSlotBytes))
                    {
                        var left = Math.Max(safe, 0) / BatchLimits.Megabyte;
                        reasons.Add(Invariant($"the slot {slot.Name} is lost after {left} MB more of write-ahead log"));
                    }
                }

                foreach (var (holder, age) in await Session.ResultAsync(
                    reader, row => (LockHolder.Read(row), row.GetTimeSpan(5)), CancellationToken.None))
                {
                    if (limits.MaxTransactionAge > TimeSpan.Zero && age > limits.MaxTransactionAge)
                    {
                        reasons.Add($"a transaction is {Seconds(age)} old ({holder})");
                    }
                }

                if ((await Session.ResultAsync(reader, row => row.GetInt64(0), CancellationToken.None))[0] > 0)
                {
                    reasons.Add("autovacuum works on the table to prevent wraparound");
                }

                var files = (await Session.ResultAsync(reader, row => row.GetInt64(0), CancellationToken.None))[0];
                if (limits.MaxArchiveFiles > 0 && files > limits.MaxArchiveFiles)
                {
                    reasons.Add(Invariant($"{files} files of write-ahead log wait for the archive"));
                }

                // CREATE DATABASE and others request checkpoints too. Those that the log asks for come at every max_wal_size of it, or at
                // about half of that (PostgreSQL: WAL Configuration).
                if (limits.MaxCheckpoints > 0 && checkpoints - _seen[0].Checkpoints > limits.MaxCheckpoints
                    && (position - _seen[0].Position) / limits.MaxCheckpoints >= planned / 2)
                {
                    reasons.Add(Invariant($"{checkpoints - _seen[0].Checkpoints} checkpoints were requested within five minutes"));
                }

                return true;
            },
            CancellationToken.None);
        return reasons;
    }

    private void JudgeStandby(List<string> reasons, string name, long bytes, TimeSpan time)
    {
        if (limits.MaxLagBytes > 0 && bytes > limits.MaxLagBytes)
        {
            reasons.Add(Invariant($"the standby {name} has {bytes / BatchLimits.Megabyte} MB to replay"));
        }
        else if (limits.MaxLag > TimeSpan.Zero && time > limits.MaxLag)
        {
            reasons.Add($"the standby {name} is {Seconds(time)} behind");
        }
    }

    private void Remember(long position, long checkpoints)
    {
        var now = DateTime.UtcNow;
        if (_seen.Count == 0 || position != _seen[^1].Position || checkpoints != _seen[^1].Checkpoints)
        {
            _seen.Add((now, position, checkpoints));
        }

        _seen.RemoveAll(one => one.At < now - Window && one != _seen[^1]);
    }

    /// <summary>How long ago the log was first seen further than a standby is.</summary>
    private TimeSpan Lag(long replayed) =>
        _seen.FindIndex(one => one.Position > replayed) is >= 0 and var first ? DateTime.UtcNow - _seen[first].At : TimeSpan.Zero;

    private static string Seconds(TimeSpan time) => Invariant($"{time.TotalSeconds:0} s");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A standby as the primary sees it.</summary>
/// <param name="Name">Its application_name, or its address.</param>
/// <param name="Bytes">What it has still to replay; null where that can't be seen, or it replays nothing.</param>
/// <param name="Lag">How long it was seen to lag.</param>
internal sealed record StandbyState(string Name, long? Bytes, TimeSpan? Lag);

/// <summary>A replication slot.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Active">Whether somebody reads from it.</param>
/// <param name="Status"><c>wal_status</c>: reserved, extended, unreserved, lost.</param>
/// <param name="Kept">The log that it keeps.</param>
/// <param name="Safe">How much more may be written before it is lost; null where the server keeps all of it.</param>
/// <param name="Limit"><c>max_slot_wal_keep_size</c> in bytes; 0 for none.</param>
internal sealed record SlotState(string Name, bool Active, string? Status, long Kept, long? Safe, long Limit)
{
    /// <summary>Whether it has less left than it should; at most half of what the server keeps is asked for.</summary>
    internal bool IsNear(long least) => Safe < (Limit > 0 ? Math.Min(least, Limit / 2) : least);
}
