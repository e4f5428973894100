using System.Globalization;
using Npgsql;

namespace ChatGenius.Db.Migrations;

/// <summary>
/// Looks, over the connection that holds the lock, at what the run's statements wait for, whom they keep waiting and how far they are. It
/// cancels a statement that keeps too many sessions waiting for too long.
/// </summary>
internal sealed class MigrationWatch : IAsyncDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(200);

    private readonly MigrationLock _lock;
    private readonly int? _pid;
    private readonly MigratorOptions _options;
    private readonly StepEvents _events;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _watching;
    private Task _look = Task.CompletedTask;
    private long _waiting;

    /// <summary>Starts to look, until the watch is disposed of.</summary>
    /// <param name="held">The lock.</param>
    /// <param name="pid">The backend of the run's connection; <c>null</c> where it is to be found by
    /// <see cref="MigrationLock.Sign"/>.</param>
    /// <param name="options">Who may wait for how long.</param>
    /// <param name="events">Told what is seen.</param>
    internal MigrationWatch(MigrationLock held, int? pid, MigratorOptions options, StepEvents events)
    {
        (_lock, _pid, _options, _events) = (held, pid, options, events);
        _watching = ObserveAsync();
    }

    /// <summary>Who kept our statement waiting when we last looked.</summary>
    internal IReadOnlyList<LockHolder> Blockers { get; private set; } = [];

    /// <summary>How many sessions waited behind our statement when it was cancelled for their sake; 0 when it wasn't.</summary>
    internal int Victims { get; private set; }

    /// <summary>How long the first of them had waited by then.</summary>
    internal TimeSpan VictimsWait { get; private set; }

    /// <summary>How many sessions were seen to wait for ours since this was last asked.</summary>
    internal long TakeWaiting() => Interlocked.Exchange(ref _waiting, 0);

    /// <summary>Forgets what was seen of an earlier attempt.</summary>
    internal void BeginAttempt()
    {
        Victims = 0;
        Blockers = [];
    }

    /// <summary>
    /// The command that cancels what the run's connection runs. Finding the backend and cancelling it is one statement: what is found
    /// behind a pooler is true for a moment only.
    /// </summary>
    internal static string CancelCommand(MigrationLock held, int? pid) => pid is { } known
        ? string.Create(CultureInfo.InvariantCulture, $"SELECT pg_catalog.pg_cancel_backend({known})")
        : $"SELECT pg_catalog.pg_cancel_backend(pid) FROM ({held.SelectSigned}) holder";

    /// <summary>Stops to look.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        if (_look.IsCompleted)
        {
            _stop.Dispose();
        }

        // Otherwise a look that gets no answer keeps its connection busy; both end with the network or with the process.
    }

    private async Task ObserveAsync()
    {
        try
        {
            using var timer = new PeriodicTimer(Tick);
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                _look = _lock.UseAsync(LookAsync, _stop.Token);
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
            await _lock.LoseAsync();
        }
    }

    private async Task LookAsync(NpgsqlConnection connection)
    {
        if ((_pid ?? await FindAsync(connection)) is not { } pid)
        {
            return;
        }

        var seen = await ReadAsync(connection, pid);
        var step = _events.See(seen.Query);
        if (seen.Progress is { } progress)
        {
            _events.Report(new MigrationEvent.Progress(step, progress.Phase, progress.Done, progress.Total));
        }

        if (seen.Blockers.Count > 0)
        {
            if (!seen.Blockers.Select(blocker => blocker.Pid).SequenceEqual(Blockers.Select(blocker => blocker.Pid)))
            {
                _events.Report(new MigrationEvent.WaitingForRelation(step, seen.Blockers));
            }

            Blockers = seen.Blockers;
        }

        if (seen.Victims > 0)
        {
            Interlocked.Exchange(ref _waiting, seen.Victims);
        }

        // By the next look the first of them would have waited for too long.
        if (seen.Victims >= Math.Max(1, _options.MaxBlocked) && seen.Wait + Tick >= _options.MaxBlockedTime && Victims == 0)
        {
            (Victims, VictimsWait) = ((int)seen.Victims, seen.Wait);
            await using var cancel = new NpgsqlCommand(CancelCommand(_lock, _pid), connection);
            await cancel.ExecuteNonQueryAsync();
        }
    }

    private async Task<int?> FindAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand(_lock.SelectSigned, connection);
        return await command.ExecuteScalarAsync(CancellationToken.None) as int?;
    }

    private static async Task<Sight> ReadAsync(NpgsqlConnection connection, int pid)
    {
        await using var batch = new NpgsqlBatch(connection);
        // A transaction keeps the first picture of pg_stat_activity that it saw, unless it is told to forget it.
        batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT pg_catalog.pg_stat_clear_snapshot()"));
        foreach (var query in (string[])[SelectQuery, SelectBlockers, SelectVictims, SelectProgress])
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(query) { Parameters = { new NpgsqlParameter<int> { TypedValue = pid } } });
        }

        // The token ends the wait between two looks, never a look: cancelling a statement here would abort the transaction that holds the
        // lock while the run may still be committing.
        await using var reader = await batch.ExecuteReaderAsync(CancellationToken.None);
        await reader.NextResultAsync();
        var seen = new Sight { Query = await reader.ReadAsync() && !reader.IsDBNull(0) ? reader.GetString(0) : null };
        await reader.NextResultAsync();
        while (await reader.ReadAsync())
        {
            seen.Blockers.Add(LockHolder.Read(reader));
        }

        await reader.NextResultAsync();
        await reader.ReadAsync();
        (seen.Victims, seen.Wait) = (reader.GetInt64(0), reader.GetTimeSpan(1));
        await reader.NextResultAsync();
        if (await reader.ReadAsync())
        {
            seen.Progress = (reader.GetString(0), reader.GetInt64(1), reader.GetInt64(2));
        }

        return seen;
    }

    private const string SelectQuery = "SELECT query FROM pg_catalog.pg_stat_activity WHERE pid = $1 AND state = 'active'";

    private const string SelectBlockers =
        """
        SELECT b.pid, b.application_name, b.usename::pg_catalog.text, b.xact_start, b.query
        FROM pg_catalog.pg_stat_activity b WHERE b.pid = ANY (pg_catalog.pg_blocking_pids($1))
        """;

    // How long a session waits is known from 14 on; before, its statement's age stands in for it.
    private const string SelectVictims =
        """
        SELECT count(*), coalesce(max(pg_catalog.clock_timestamp() - CASE WHEN
            pg_catalog.current_setting('server_version_num')::pg_catalog.int4 >= 140000
            THEN (pg_catalog.to_jsonb(l) ->> 'waitstart')::pg_catalog.timestamptz ELSE a.query_start END), '0')
        FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
        WHERE NOT l.granted AND l.pid <> $1 AND $1 = ANY (pg_catalog.pg_blocking_pids(l.pid))
        """;

    private const string SelectProgress =
        """
        SELECT phase, CASE WHEN tuples_total > 0 THEN tuples_done WHEN blocks_total > 0 THEN blocks_done ELSE lockers_done END,
            CASE WHEN tuples_total > 0 THEN tuples_total WHEN blocks_total > 0 THEN blocks_total ELSE lockers_total END
        FROM pg_catalog.pg_stat_progress_create_index WHERE pid = $1
        """;

    private sealed class Sight
    {
        internal string? Query { get; init; }

        internal List<LockHolder> Blockers { get; } = [];

        internal long Victims { get; set; }

        internal TimeSpan Wait { get; set; }

        internal (string Phase, long Done, long Total)? Progress { get; set; }
    }
}
