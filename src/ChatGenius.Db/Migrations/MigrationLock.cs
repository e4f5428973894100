using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ChatGenius.Db.Connections;
using Npgsql;

namespace ChatGenius.Db.Migrations;

/// <summary>The lock that keeps other runs out, and the connection that holds it.</summary>
/// <remarks>
/// It is an advisory lock of a transaction, taken without blocking and held in a transaction that stays open: it works through a pooler in
/// transaction mode, and it is gone with its connection.
/// <c>CREATE INDEX CONCURRENTLY</c> waits for every transaction that it finds with a snapshot, and it waits for the transaction's end, not
/// the snapshot's. So a transaction that stays open must not look at anything while such a statement runs, ours or another run's: each
/// attempt to take the lock is a transaction of its own, and while a non-transactional migration runs, the lock belongs to the session
/// instead (which no pooler stands in front of then). PostgreSQL: Explicit Locking, Advisory Locks; CREATE INDEX, Building Indexes
/// Concurrently. Every transaction of this connection looks for names in <c>pg_catalog</c> only, so that nothing of the database's runs in
/// it.
/// </remarks>
internal sealed class MigrationLock : IAsyncDisposable
{
    private const string FenceText = "chatgenius-db: the watch is gone from backend";

    private readonly NpgsqlConnection _connection;
    private readonly long _lockKey;
    private readonly long _runKey;
    private readonly SemaphoreSlim _gate = new(1);
    private readonly CancellationTokenSource _lost = new();

    private MigrationLock(NpgsqlConnection connection, string historySchema)
    {
        _connection = connection;
        _lockKey = Key(historySchema);
        // A run has two keys, this one and the next odd one (see Sign); neither is the key of the lock.
        var runKey = (BinaryPrimitives.ReadInt64LittleEndian(RandomNumberGenerator.GetBytes(8)) & ~3L) | 1;
        _runKey = (runKey | 2) == (_lockKey | 2) ? runKey ^ 4 : runKey;
    }

    /// <summary>
    /// An SQL expression that is 0 while we hold the lock and fails otherwise, so that the transaction around it rolls back.
    /// </summary>
    /// <remarks>
    /// Beside the lock, its transaction holds a second one under a random key that only this run knows. While it lives, nobody can share
    /// that key; once somebody can, it is gone and so is the lock. Looking into <c>pg_locks</c> would say the same at the price of reading
    /// the whole lock table at every commit.
    /// </remarks>
    internal string Fence =>
        $"(CASE WHEN pg_catalog.pg_try_advisory_xact_lock_shared({Text(_runKey)}) "
        + $"THEN pg_catalog.concat('{FenceText} ', pg_catalog.pg_backend_pid())::pg_catalog.int8 ELSE 0 END)";

    /// <summary>Whether an error is the fence's.</summary>
    internal static bool IsFence(PostgresException error) =>
        error.SqlState == PostgresErrorCodes.InvalidTextRepresentation && error.MessageText.Contains(FenceText, StringComparison.Ordinal);

    /// <summary>A name for result columns that no migration's own statement has.</summary>
    internal string Marker => "chatgenius_db_" + _runKey.ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>
    /// An SQL expression by which a transaction of the run shows where it runs. Behind a pooler only this tells: each transaction may have
    /// another backend, and the one before may be at work for somebody else by now.
    /// </summary>
    internal string Sign => $"pg_catalog.pg_try_advisory_xact_lock({Text(_runKey | 2)})";

    /// <summary>A query for the backend that has shown itself by <see cref="Sign"/>.</summary>
    internal string SelectSigned => SelectBackend(_runKey | 2);

    /// <summary>A query for the backend that holds the lock.</summary>
    internal string SelectHolder => SelectBackend(_runKey);

    private static string SelectBackend(long key) => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        SELECT pid FROM pg_catalog.pg_locks
        WHERE locktype = 'advisory' AND granted AND objsubid = 1
          AND classid::pg_catalog.int8 = {(long)((ulong)key >> 32)} AND objid::pg_catalog.int8 = {(uint)key}
          AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
        """);

    /// <summary>Cancelled when the connection is lost, and the lock with it.</summary>
    internal CancellationToken Lost => _lost.Token;

    /// <summary>The lock's key: the same for all runs over one history; advisory locks belong to one database already.</summary>
    internal static long Key(string historySchema) =>
        BinaryPrimitives.ReadInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes("chatgenius-db/" + historySchema)));

    /// <summary>Takes the lock, waiting for another run to end.</summary>
    /// <param name="connection">A connection of its own, which the lock disposes of.</param>
    /// <param name="options">The history's schema, and how long to wait.</param>
    /// <param name="answer">Waits for an answer of the server as long as the caller allows.</param>
    /// <param name="events">Told who holds the lock.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ProblemException">CG0501: another run held the lock all the time.</exception>
    internal static async Task<MigrationLock> AcquireAsync(
        NpgsqlConnection connection,
        MigratorOptions options,
        Func<Task, Task> answer,
        IProgress<MigrationEvent>? events,
        CancellationToken cancellationToken)
    {
        var taken = new MigrationLock(connection, options.HistorySchema);
        try
        {
            var waited = Stopwatch.StartNew();
            LockHolder? reported = null;
            for (var first = true; ; first = false)
            {
                var attempt = taken.TryAsync(cancellationToken);
                await answer(attempt);
                var (had, holder) = await attempt;
                if (had)
                {
                    return taken;
                }

                if (first || holder?.Pid != reported?.Pid)
                {
                    reported = holder;
                    events?.Report(new MigrationEvent.WaitingForLock(holder));
                }

                if (waited.Elapsed >= options.WaitForLock)
                {
                    throw new ProblemException(
                        "CG0501",
                        "Another run holds the lock of this database" + (holder is null ? "" : $"\n{holder}"),
                        advice: "Wait for it to end; --wait-for-lock says how long this run waits.", kind: ProblemKind.Locked);
                }

                // Jitter keeps many waiting runs from asking in step.
                await Task.Delay(Random.Shared.Next(40, 160), cancellationToken);
            }
        }
        catch
        {
            await taken.DisposeAsync();
            throw;
        }
    }

    /// <summary>Moves the lock from the transaction to the session, and ends the transaction: for the time of a non-transactional
    /// migration.</summary>
    internal Task HoldInSessionAsync() => ExecuteAsync(
        $"SELECT pg_catalog.pg_advisory_lock({Text(_lockKey)}), pg_catalog.pg_advisory_lock({Text(_runKey)})",
        "COMMIT",
        "SET search_path = pg_catalog, pg_temp",
        SelectNoTimeouts(local: false));

    /// <summary>Moves the lock back into a transaction.</summary>
    internal Task HoldInTransactionAsync() => ExecuteAsync(
        "BEGIN ISOLATION LEVEL READ COMMITTED",
        "SET LOCAL search_path = pg_catalog, pg_temp",
        SelectNoTimeouts(local: true),
        $"SELECT pg_catalog.pg_advisory_xact_lock({Text(_lockKey)}), pg_catalog.pg_advisory_xact_lock({Text(_runKey)})",
        $"SELECT pg_catalog.pg_advisory_unlock({Text(_lockKey)}), pg_catalog.pg_advisory_unlock({Text(_runKey)})");

    /// <summary>Runs commands on the connection, when nothing else does.</summary>
    /// <exception cref="NpgsqlException">It is lost.</exception>
    internal async Task ExecuteAsync(params string[] commands)
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
                await using var sent = new NpgsqlCommand(command, _connection);
                await sent.ExecuteNonQueryAsync();
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Does something with the connection, when nothing else does.</summary>
    /// <param name="use">What; its commands are not to be cancelled, which would abort the transaction that holds the lock.</param>
    /// <param name="cancellationToken">Ends the wait for the connection.</param>
    internal async Task UseAsync(Func<NpgsqlConnection, Task> use, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            await use(_connection);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Says that the connection was found to be gone.</summary>
    internal Task LoseAsync() => _lost.CancelAsync();

    /// <summary>Gives the lock back.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_gate.CurrentCount == 0)
        {
            // A look that gets no answer keeps its connection busy; both end with the network or with the process.
            return;
        }

        // Closing the connection ends its transaction, and with it both locks. Npgsql sends Terminate; nothing has to be awaited.
        await SilentServer.CloseAsync(_connection);
        _lost.Dispose();
        _gate.Dispose();
    }

    /// <summary>Opens the transaction that will hold the lock and tries to take it; where another run has it, says which.</summary>
    private async Task<(bool Had, LockHolder? Holder)> TryAsync(CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(_connection)
        {
            BatchCommands =
            {
                new("BEGIN ISOLATION LEVEL READ COMMITTED"),
                new("SET LOCAL search_path = pg_catalog, pg_temp"),
                new(SelectNoTimeouts(local: true)),
                // CASE keeps the second lock from being asked for unless the first one was had.
                new($"""
                    SELECT CASE WHEN pg_catalog.pg_try_advisory_xact_lock({Text(_lockKey)})
                        THEN pg_catalog.pg_try_advisory_xact_lock({Text(_runKey)}) ELSE false END
                    """),
            },
        };
        await using (var reader = await batch.ExecuteReaderAsync(cancellationToken))
        {
            await reader.NextResultAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            if (reader.GetBoolean(0))
            {
                return (true, null);
            }
        }

        return (false, await ReadHolderAsync(cancellationToken));
    }

    /// <summary>Finds who holds the lock, and ends the transaction.</summary>
    private async Task<LockHolder?> ReadHolderAsync(CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(_connection)
        {
            BatchCommands =
            {
                new("""
                    SELECT l.pid, a.application_name, a.usename::pg_catalog.text, a.xact_start,
                        -- The holder's own connection idles; what it runs for is its other one, with the same client.
                        coalesce((SELECT w.query FROM pg_catalog.pg_stat_activity w
                            WHERE w.pid <> l.pid AND w.application_name = a.application_name AND w.client_port IS DISTINCT FROM
                                a.client_port
                              AND w.client_addr IS NOT DISTINCT FROM a.client_addr
                              AND w.backend_start BETWEEN a.backend_start - interval '2 s' AND a.backend_start + interval '2 s'
                              AND w.state = 'active' AND w.query NOT LIKE '%advisory%' LIMIT 1), '')
                    FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
                    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
                      AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
                      AND l.classid::pg_catalog.int8 = $1 AND l.objid::pg_catalog.int8 = $2
                    LIMIT 1
                    """)
                {
                    Parameters =
                    {
                        new NpgsqlParameter<long> { TypedValue = (long)((ulong)_lockKey >> 32) },
                        new NpgsqlParameter<long> { TypedValue = (uint)_lockKey },
                    },
                },
                new("ROLLBACK"),
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var holder = await reader.ReadAsync(cancellationToken) ? LockHolder.Read(reader) : null;
        while (await reader.NextResultAsync(cancellationToken))
        {
            // The rollback is waited for.
        }

        return holder;
    }

    private static string Text(long key) => key.ToString(CultureInfo.InvariantCulture);

    /// <summary>
    /// The lock has to outlive the longest migration, whatever time limits the role or the database has; which there are depends on the
    /// version. One whose holder's machine is gone is free in a minute.
    /// </summary>
    private static string SelectNoTimeouts(bool local) =>
        "SELECT pg_catalog.set_config(name, CASE name WHEN 'tcp_keepalives_idle' THEN '30' WHEN 'tcp_keepalives_interval' THEN '10' "
        + $"WHEN 'tcp_keepalives_count' THEN '3' ELSE '0' END, {(local ? "true" : "false")}) FROM pg_catalog.pg_settings WHERE name = ANY "
        + "('{statement_timeout,idle_in_transaction_session_timeout,idle_session_timeout,transaction_timeout,lock_timeout,"
        + "tcp_keepalives_idle,tcp_keepalives_interval,tcp_keepalives_count}'::pg_catalog.text[])";
}
