using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Npgsql;
using NpgsqlTypes;
namespace ChatGenius.Db.Migrations;

/// <summary>
/// The second connection of a run. It holds the lock that keeps other runs out, and looks at what the run's statements wait
/// for, whom they keep waiting and how far they are.
/// </summary>
/// <remarks>
/// The lock is an advisory lock of a transaction, taken without blocking and held in a transaction that stays open: it works
/// through a pooler in transaction mode, and it is gone with its connection.
/// <c>CREATE INDEX CONCURRENTLY</c> waits for every transaction that it finds with a snapshot, and it waits for the transaction's end, not the
/// snapshot's. So a transaction that stays open must not look at anything while such a statement runs, ours or another run's: each
/// attempt to take the lock is a transaction of its own, and while a non-transactional migration runs, the lock belongs to
/// the session instead (which no pooler stands in front of then). PostgreSQL: Explicit Locking, Advisory Locks; CREATE INDEX, Building
/// Indexes Concurrently.
/// </remarks>
internal sealed class MigrationWatch : IAsyncDisposable
{
    private const string FenceText = "chatgenius-db: the watch is gone from backend";

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(200);

    private readonly NpgsqlConnection _connection;
    private readonly long _lockKey;
    private readonly long _runKey;
    private readonly MigratorOptions _options;
    private int? _pid;
    private readonly SemaphoreSlim _gate = new(1);
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _lost = new();
    private Task _watching = Task.CompletedTask;
    private Task _look = Task.CompletedTask;

    private MigrationWatch(NpgsqlConnection connection, long lockKey, long runKey, MigratorOptions options)
    {
        _options = options;
        _connection = connection;
        _lockKey = lockKey;
        _runKey = runKey;
    }

    /// <summary>
    /// An SQL expression that is 0 while our watch holds the lock and fails otherwise, so that the transaction around it rolls back.
    /// </summary>
    /// <remarks>
    /// Beside the lock, the watch's transaction holds a second one under a random key that only this run knows. While the watch
    /// lives, nobody can share that key; once somebody can, the watch is gone and so is the lock. Looking into <c>pg_locks</c>
    /// would say the same at the price of reading the whole lock table at every commit.
    /// </remarks>
    internal string Fence =>
        "(CASE WHEN pg_catalog.pg_try_advisory_xact_lock_shared(" + Text(_runKey) + ") "
        + "THEN ('" + FenceText + " ' || pg_catalog.pg_backend_pid())::pg_catalog.int8 ELSE 0 END)";

    /// <summary>Whether an error is the fence's.</summary>
    internal static bool IsFence(PostgresException error) =>
        error.SqlState == PostgresErrorCodes.InvalidTextRepresentation && error.MessageText.Contains(FenceText, StringComparison.Ordinal);

    /// <summary>A name for result columns that no migration's own statement has.</summary>
    internal string Marker => "chatgenius_db_" + _runKey.ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>
    /// An SQL expression by which a transaction of the run shows the watch where it runs. Behind a pooler only this tells: each transaction may have
    /// another backend, and the one before may be at work for somebody else by now.
    /// </summary>
    internal string Sign => $"pg_catalog.pg_try_advisory_xact_lock({Text(_runKey | 2)})";

    /// <summary>Cancelled when the watch's connection is lost, and the lock with it.</summary>
    internal CancellationToken Lost => _lost.Token;

    /// <summary>Who kept our statement waiting when we last looked.</summary>
    internal IReadOnlyList<LockHolder> Blockers { get; private set; } = [];

    /// <summary>How many sessions waited behind our statement when it was cancelled for their sake; 0 when it wasn't.</summary>
    internal int Victims { get; private set; }

    /// <summary>How long the first of them had waited by then.</summary>
    internal TimeSpan VictimsWait { get; private set; }

    /// <summary>The lock's key: the same for all runs over one history; advisory locks belong to one database already.</summary>
    internal static long LockKey(string historySchema) =>
        BinaryPrimitives.ReadInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes("chatgenius-db/" + historySchema)));

    /// <summary>Takes the lock, waiting for another run to end.</summary>
    /// <param name="connection">A connection of its own, which the watch disposes of.</param>
    /// <param name="options">The history's schema, and how long to wait.</param>
    /// <param name="patience">How long the server may be silent.</param>
    /// <param name="events">Told who holds the lock.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ProblemException">CG0501: another run held the lock all the time.</exception>
    internal static async Task<MigrationWatch> AcquireAsync(
        NpgsqlConnection connection, MigratorOptions options, Patience patience, IProgress<MigrationEvent>? events, CancellationToken cancellationToken)
    {
        var key = LockKey(options.HistorySchema);
        // A run has two keys, this one and the next odd one (see Sign); neither is the key of the lock.
        var runKey = (BinaryPrimitives.ReadInt64LittleEndian(RandomNumberGenerator.GetBytes(8)) & ~3L) | 1;
        runKey = (runKey | 2) == (key | 2) ? runKey ^ 4 : runKey;
        var watch = new MigrationWatch(connection, key, runKey, options);
        try
        {
            await watch.WaitForLockAsync(patience, events, cancellationToken);
            return watch;
        }
        catch
        {
            await watch.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts to look at what the run's connection does, until the watch is disposed of.</summary>
    /// <param name="pid">The backend of the run's connection; <c>null</c> where it is to be found by <see cref="Sign"/>.</param>
    /// <param name="current">Given the statement that runs, says which step it belongs to.</param>
    /// <param name="events">Told about waiting and progress.</param>
    internal void Observe(int? pid, Func<string?, MigrationStep?> current, IProgress<MigrationEvent>? events)
    {
        _pid = pid;
        _watching = ObserveAsync(current, events);
    }

    /// <summary>Moves the lock from the transaction to the session, and ends the transaction: for the time of a non-transactional migration.</summary>
    internal Task HoldInSessionAsync() => GatedAsync(
        $"SELECT pg_catalog.pg_advisory_lock({Text(_lockKey)}), pg_catalog.pg_advisory_lock({Text(_runKey)})",
        "COMMIT",
        SelectNoTimeouts(local: false));

    /// <summary>Moves the lock back into a transaction.</summary>
    internal Task HoldInTransactionAsync() => GatedAsync(
        "BEGIN ISOLATION LEVEL READ COMMITTED",
        SelectNoTimeouts(local: true),
        $"SELECT pg_catalog.pg_advisory_xact_lock({Text(_lockKey)}), pg_catalog.pg_advisory_xact_lock({Text(_runKey)})",
        $"SELECT pg_catalog.pg_advisory_unlock({Text(_lockKey)}), pg_catalog.pg_advisory_unlock({Text(_runKey)})");

    /// <summary>Forgets what was seen of an earlier attempt.</summary>
    internal void BeginAttempt()
    {
        Victims = 0;
        Blockers = [];
    }

    /// <summary>Cancels what the run's connection runs.</summary>
    /// <exception cref="NpgsqlException">The watch's connection is lost.</exception>
    internal Task CancelAsync() => GatedAsync(CancelText);

    /// <summary>Cancels what the run's connection runs, over any connection of the same role.</summary>
    internal Task CancelAsync(NpgsqlConnection connection) => ExecuteAsync(connection, CancelText);

    /// <summary>Finding the backend and cancelling it is one statement: what is found behind a pooler is true for a moment only.</summary>
    private string CancelText => _pid is { } pid
        ? $"SELECT pg_catalog.pg_cancel_backend({Text(pid)})"
        : $"SELECT pg_catalog.pg_cancel_backend(pid) FROM ({SelectHolders(_runKey | 2)}) holder";

    private static string SelectHolders(long key) => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        SELECT pid FROM pg_catalog.pg_locks
        WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND classid::bigint = {(long)((ulong)key >> 32)} AND objid::bigint = {(uint)key}
          AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
        """);

    /// <summary>Gives the lock back.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        if (!_look.IsCompleted)
        {
            // A look that gets no answer keeps its connection busy; both end with the network or with the process.
            return;
        }

        // Closing the connection ends its transaction, and with it both locks. Npgsql sends Terminate; nothing has to be awaited.
        await _connection.DisposeAsync();
        _stop.Dispose();
        _lost.Dispose();
        _gate.Dispose();
    }

    private async Task WaitForLockAsync(Patience patience, IProgress<MigrationEvent>? events, CancellationToken cancellationToken)
    {
        var waited = Stopwatch.StartNew();
        LockHolder? told = null;
        for (var first = true; !await patience.AnswerAsync(BeginAsync(cancellationToken)); first = false)
        {
            await patience.AnswerAsync(ExecuteAsync(_connection, "ROLLBACK"));
            var holder = await patience.AnswerAsync(ReadHolderAsync(cancellationToken));
            if (first || holder?.Pid != told?.Pid)
            {
                told = holder;
                events?.Report(new MigrationEvent.WaitingForLock(holder));
            }

            if (waited.Elapsed >= _options.WaitForLock)
            {
                throw new ProblemException(
                    "CG0501", "Another run holds the lock of this database" + (holder is null ? "" : $"\n{holder}"),
                    advice: "Wait for it to end; --wait-for-lock says how long this run waits.", kind: ProblemKind.Locked);
            }

            // Jitter keeps many waiting runs from asking in step.
            await Task.Delay(Random.Shared.Next(40, 160), cancellationToken);
        }
    }

    /// <summary>Opens the transaction that will hold the lock and tries to take it, in one round trip.</summary>
    private async Task<bool> BeginAsync(CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(_connection)
        {
            BatchCommands =
            {
                new("BEGIN ISOLATION LEVEL READ COMMITTED"),
                new(SelectNoTimeouts(local: true)),
                new(TryLock()),
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return reader.GetBoolean(0);
    }

    private static string Text(long key) => key.ToString(CultureInfo.InvariantCulture);

    /// <summary>The watch has to outlive the longest migration, whatever time limits the role or the database has; which there are depends on the version.</summary>
    private static string SelectNoTimeouts(bool local) =>
        "SELECT pg_catalog.set_config(name, CASE name WHEN 'tcp_keepalives_idle' THEN '30' WHEN 'tcp_keepalives_interval' THEN '10' WHEN 'tcp_keepalives_count' THEN '3' ELSE '0' END, "
        + $"{(local ? "true" : "false")}) FROM pg_catalog.pg_settings WHERE name OPERATOR(pg_catalog.=) ANY "
        + "('{statement_timeout,idle_in_transaction_session_timeout,idle_session_timeout,transaction_timeout,lock_timeout,"
        // A lock whose holder's machine is gone is free in a minute.
        + "tcp_keepalives_idle,tcp_keepalives_interval,tcp_keepalives_count}'::pg_catalog.text[])";

    private async Task GatedAsync(params string[] commands)
    {
        // A look that got no answer keeps the gate.
        await _gate.WaitAsync(_lost.Token);
        try
        {
            if (_connection.FullState != System.Data.ConnectionState.Open)
            {
                throw new NpgsqlException("The connection that held the lock is closed");
            }

            foreach (var command in commands)
            {
                await ExecuteAsync(_connection, command);
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>CASE keeps the second lock from being asked for unless the first one was had.</summary>
    private string TryLock() => string.Create(
        CultureInfo.InvariantCulture,
        $"SELECT CASE WHEN pg_catalog.pg_try_advisory_xact_lock({_lockKey}) THEN pg_catalog.pg_try_advisory_xact_lock({_runKey}) ELSE false END");

    private async Task<LockHolder?> ReadHolderAsync(CancellationToken cancellationToken)
    {
        var batch = new NpgsqlBatch(_connection)
        {
            BatchCommands =
            {
                new("""
                    SELECT l.pid, a.application_name, a.usename::text, a.xact_start,
                        -- The holder's own connection idles; what it runs for is its other one, with the same client. Others that wait are none of it.
                        coalesce((SELECT w.query FROM pg_catalog.pg_stat_activity w
                            WHERE w.pid <> l.pid AND w.application_name = a.application_name AND w.client_port IS DISTINCT FROM a.client_port
                              AND w.client_addr IS NOT DISTINCT FROM a.client_addr AND w.backend_start BETWEEN a.backend_start - interval '2 s' AND a.backend_start + interval '2 s'
                              AND w.state = 'active' AND w.query NOT LIKE '%advisory%' LIMIT 1), '')
                    FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
                    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
                      AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
                      AND l.classid::bigint = $1 AND l.objid::bigint = $2
                    LIMIT 1
                    """)
                {
                    Parameters =
                    {
                        new NpgsqlParameter<long> { TypedValue = (long)((ulong)_lockKey >> 32) },
                        new NpgsqlParameter<long> { TypedValue = (uint)_lockKey },
                    },
                },
            },
        };
        await using (batch)
        {
            await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
            return await reader.ReadAsync(cancellationToken) ? ReadHolder(reader) : null;
        }
    }

    private static LockHolder ReadHolder(NpgsqlDataReader reader) => new(
        reader.GetInt32(0),
        reader.IsDBNull(1) ? "" : reader.GetString(1),
        reader.IsDBNull(2) ? "" : reader.GetString(2),
        reader.IsDBNull(3) ? null : new DateTimeOffset(reader.GetDateTime(3), TimeSpan.Zero),
        reader.IsDBNull(4) ? "" : reader.GetString(4));

    private async Task ObserveAsync(Func<string?, MigrationStep?> current, IProgress<MigrationEvent>? events)
    {
        try
        {
            using var timer = new PeriodicTimer(Tick);
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                _look = LookGatedAsync(current, events);
                await _look.WaitAsync(_options.AnswerTimeout);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The run is over.
        }
        catch (Exception e) when (e is NpgsqlException or InvalidOperationException or TimeoutException)
        {
            // Without this connection there is no lock: the run's statement is cancelled, and its transaction fails at the fence.
            await _lost.CancelAsync();
        }
    }

    private async Task LookGatedAsync(Func<string?, MigrationStep?> current, IProgress<MigrationEvent>? events)
    {
        await _gate.WaitAsync(_stop.Token);
        try
        {
            if ((_pid ?? await FindAsync()) is { } pid)
            {
                await LookAsync(pid, current, events);
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task<int?> FindAsync()
    {
        await using var command = new NpgsqlCommand(SelectHolders(_runKey | 2), _connection);
        return await command.ExecuteScalarAsync(CancellationToken.None) as int?;
    }

    private async Task LookAsync(int pid, Func<string?, MigrationStep?> current, IProgress<MigrationEvent>? events)
    {
        var batch = new NpgsqlBatch(_connection)
        {
            BatchCommands =
            {
                // A transaction keeps the first picture of pg_stat_activity that it saw, unless it is told to forget it.
                new("SELECT pg_catalog.pg_stat_clear_snapshot()"),
                new("SELECT query FROM pg_catalog.pg_stat_activity WHERE pid = $1 AND state = 'active'")
                {
                    Parameters = { new NpgsqlParameter<int> { TypedValue = pid } },
                },
                new("""
                    SELECT b.pid, b.application_name, b.usename::text, b.xact_start, b.query
                    FROM pg_catalog.pg_stat_activity b WHERE b.pid = ANY (pg_catalog.pg_blocking_pids($1))
                    """) { Parameters = { new NpgsqlParameter<int> { TypedValue = pid } } },
                // How long a session waits is known from 14 on; before, its statement's age stands in for it.
                new("""
                    SELECT count(*), coalesce(max(pg_catalog.clock_timestamp() - CASE
                        WHEN pg_catalog.current_setting('server_version_num')::int >= 140000 THEN (pg_catalog.to_jsonb(l) ->> 'waitstart')::timestamptz ELSE a.query_start END), '0')
                    FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
                    WHERE NOT l.granted AND l.pid <> $1 AND $1 = ANY (pg_catalog.pg_blocking_pids(l.pid))
                    """)
                { Parameters = { new NpgsqlParameter<int> { TypedValue = pid } } },
                new("""
                    SELECT phase, CASE WHEN tuples_total > 0 THEN tuples_done WHEN blocks_total > 0 THEN blocks_done ELSE lockers_done END,
                        CASE WHEN tuples_total > 0 THEN tuples_total WHEN blocks_total > 0 THEN blocks_total ELSE lockers_total END
                    FROM pg_catalog.pg_stat_progress_create_index WHERE pid = $1
                    """) { Parameters = { new NpgsqlParameter<int> { TypedValue = pid } } },
            },
        };
        await using (batch)
        {
            var blockers = new List<LockHolder>();
            MigrationStep? step;
            long victims;
            TimeSpan wait;
            // The token ends the wait between two looks, never a look: cancelling a statement here would abort the transaction
            // that holds the lock while the run may still be committing.
            var reader = await batch.ExecuteReaderAsync(CancellationToken.None);
            await using (reader)
            {
                await reader.NextResultAsync();
                step = current(await reader.ReadAsync() && !reader.IsDBNull(0) ? reader.GetString(0) : null);
                await reader.NextResultAsync();
                while (await reader.ReadAsync())
                {
                    blockers.Add(ReadHolder(reader));
                }

                await reader.NextResultAsync();
                await reader.ReadAsync();
                (victims, wait) = (reader.GetInt64(0), reader.GetTimeSpan(1));
                await reader.NextResultAsync();
                if (await reader.ReadAsync())
                {
                    events?.Report(new MigrationEvent.Progress(step, reader.GetString(0), reader.GetInt64(1), reader.GetInt64(2)));
                }
            }

            if (blockers.Count > 0)
            {
                if (!blockers.Select(blocker => blocker.Pid).SequenceEqual(Blockers.Select(blocker => blocker.Pid)))
                {
                    events?.Report(new MigrationEvent.WaitingForRelation(step, blockers));
                }

                Blockers = blockers;
            }

            // By the next look the first of them would have waited for too long.
            if (victims >= Math.Max(1, _options.MaxBlocked) && wait + Tick >= _options.MaxBlockedTime && Victims == 0)
            {
                (Victims, VictimsWait) = ((int)victims, wait);
                await ExecuteAsync(_connection, CancelText);
            }
        }
    }
}
