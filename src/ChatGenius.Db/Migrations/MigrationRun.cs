using System.Diagnostics;
using ChatGenius.Db.Connections;
using Npgsql;
namespace ChatGenius.Db.Migrations;

/// <summary>
/// A run that has the lock: two connections, and what running steps takes: settings, retries, cancelling, telling. Transactional steps go through
/// <see cref="BatchRun"/>, the statements of non-transactional ones through <see cref="StatementRun"/>.
/// </summary>
internal sealed class MigrationRun : IAsyncDisposable
{
    private readonly List<(MigrationStep Step, TimeSpan Duration)> _finished = [];
    private readonly Dictionary<long, int> _attempts = [];
    private readonly IProgress<MigrationEvent>? _events;
    private readonly Database _database;
    private readonly HashSet<long> _reached = [];
    private readonly Lock _gate = new();
    private readonly BatchRun _batches;
    private readonly Patience _patience;
    private Task _cancelling = Task.CompletedTask;
    private MigrationStep? _current;

    private MigrationRun(
        Database database, NpgsqlConnection connection, MigrationWatch watch, ServerFacts facts, MigratorOptions options, Patience patience, IProgress<MigrationEvent>? events)
    {
        _database = database;
        _patience = patience;
        Connection = connection;
        Watch = watch;
        Facts = facts;
        Options = options;
        History = new MigrationHistory(options.HistorySchema);
        _events = events;
        IsPooled = connection.ProcessID != facts.BackendPid;
        _batches = new BatchRun(this);
        connection.Notice += (_, e) =>
        {
            // Our own ROLLBACK after a failure doesn't ask first whether there is a transaction.
            if (e.Notice.SqlState != PostgresErrorCodes.NoActiveSqlTransaction)
            {
                _events?.Report(new MigrationEvent.Notice(_current, e.Notice.InvariantSeverity, e.Notice.MessageText));
            }
        };
    }

    internal NpgsqlConnection Connection { get; }

    internal MigrationWatch Watch { get; }

    internal ServerFacts Facts { get; }

    internal MigratorOptions Options { get; }

    internal MigrationHistory History { get; }

    /// <summary>Whether a pooler stands between: the backend that answers is not the one that the connection was told of.</summary>
    internal bool IsPooled { get; }

    internal IReadOnlyList<(MigrationStep Step, TimeSpan Duration)> Finished => _finished;

    /// <summary>Connects, waiting for a server that is starting up or has no connection to spare.</summary>
    /// <exception cref="ProblemException">CG0610 to CG0629: it could not be had in time, or waiting doesn't help.</exception>
    internal static async Task<NpgsqlConnection> ConnectAsync(
        Database database, MigratorOptions options, IProgress<MigrationEvent>? events, CancellationToken cancellationToken)
    {
        var waited = Stopwatch.StartNew();
        for (var told = false; ; told = true)
        {
            try
            {
                return await database.ConnectAsync(cancellationToken);
            }
            catch (ProblemException e) when (e.Problems is [{ Kind: ProblemKind.Busy } problem] && waited.Elapsed < options.WaitForServer)
            {
                if (!told)
                {
                    events?.Report(new MigrationEvent.WaitingForServer(problem.Message));
                }

                await Task.Delay(Random.Shared.Next(100, 300), cancellationToken);
            }
        }
    }

    /// <summary>Takes the lock, on a second connection.</summary>
    internal static async Task<MigrationRun> BeginAsync(
        NpgsqlConnection connection,
        Database database,
        ServerFacts facts,
        MigratorOptions options,
        Patience patience,
        IProgress<MigrationEvent>? events,
        CancellationToken cancellationToken)
    {
        // While we wait for another run's end this connection idles. Behind a pooler its backend isn't ours to set up, and doesn't idle.
        var idling = connection.ProcessID == facts.BackendPid && facts.VersionNumber >= 140000
            ? patience.AnswerAsync(ExecuteAsync(connection, ["SET idle_session_timeout = 0"]))
            : Task.CompletedTask;
        var connecting = ConnectAsync(database, options, events, cancellationToken);
        try
        {
            await idling;
        }
        catch
        {
            await (await connecting).DisposeAsync();
            throw;
        }

        var watch = await MigrationWatch.AcquireAsync(await connecting, options, patience, events, cancellationToken);
        return new MigrationRun(database, connection, watch, facts, options, patience, events);
    }

    /// <summary>Runs the steps of a plan in order.</summary>
    /// <exception cref="ProblemException">CG0502 to CG0508; the steps before the failed one are committed and durable.</exception>
    internal async Task RunAsync(IReadOnlyList<MigrationStep> steps, CancellationToken cancellationToken)
    {
        Watch.Observe(IsPooled ? null : Facts.BackendPid, Follow, _events);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, Watch.Lost);
        var onCancel = either.Token.Register(() => _cancelling = CancelRunningAsync());
        // The statement is cancelled over a new connection; but its answer has to come over the old one, which may be as dead as the watch's.
        using var onLost = Watch.Lost.Register(() => _ = _patience.EndAfterAsync(Options.CancelTimeout));
        try
        {
            while (_finished.Count < steps.Count)
            {
                if (steps[_finished.Count].Section.Transactional)
                {
                    await _batches.RunAsync(steps, either.Token);
                }
                else
                {
                    await RunStatementsAsync(steps[_finished.Count], isLast: _finished.Count + 1 == steps.Count, either.Token);
                }
            }
        }
        catch (OperationCanceledException) when (Watch.Lost.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new ProblemException(RunProblem.LockLost(steps[_finished.Count]));
        }
        catch (OperationCanceledException)
        {
            _events?.Report(new MigrationEvent.Cancelled(_current, _finished.Count));
            throw;
        }
        catch (Exception e) when (e is NpgsqlException and not PostgresException || e is PostgresException p && RunProblem.EndsSession(p))
        {
            throw new ProblemException(RunProblem.ConnectionLost(steps[_finished.Count], e), e);
        }
        finally
        {
            // From here on no cancel begins any more; one that has begun needs both connections.
            await onCancel.DisposeAsync();
            await _cancelling;
        }
    }

    public async ValueTask DisposeAsync()
    {
        // The run's own connection closes first: should it still be at work, the lock outlives it.
        await Connection.DisposeAsync();
        await Watch.DisposeAsync();
    }

    /// <summary>Calls that set what our work needs, whatever the role, the database or an earlier migration has set: the list of a SELECT.</summary>
    /// <param name="local">Whether they hold for the transaction only, instead of the session.</param>
    internal string Settings(bool local)
    {
        static string Milliseconds(TimeSpan time) => ((long)time.TotalMilliseconds).ToString(System.Globalization.CultureInfo.InvariantCulture);
        var settings = new List<(string Name, string Value)>
        {
            ("lock_timeout", Milliseconds(Options.LockTimeout)),
            ("statement_timeout", Milliseconds(Options.StatementTimeout)),
            ("idle_in_transaction_session_timeout", "0"),
            // A client whose machine is gone is found out in a minute, and its locks with it. Unix-domain sockets have no use for it and take it.
            ("tcp_keepalives_idle", "30"),
            ("tcp_keepalives_interval", "10"),
            ("tcp_keepalives_count", "3"),
            // Files were split by these rules, so the server has to read them by the same.
            ("standard_conforming_strings", "on"),
        };
        if (Facts.VersionNumber >= 170000)
        {
            settings.Add(("transaction_timeout", "0"));
        }

        var scope = local ? "true" : "false";
        var calls = settings.Select(setting => $"pg_catalog.set_config('{setting.Name}', '{setting.Value}', {scope})").ToList();
        if (Facts.VersionNumber >= 140000)
        {
            // The server looks for us while it works, so that what a killed run has left ends soon. Not every system that it runs on can do that.
            calls.Add($"CASE WHEN pg_catalog.version() OPERATOR(pg_catalog.~) '-linux|-darwin|-freebsd' THEN pg_catalog.set_config('client_connection_check_interval', '1s', {scope}) END");
            if (!IsPooled)
            {
                // Between two transactions as well, which may be a retry's pause apart; behind a pooler the session isn't ours.
                calls.Add("pg_catalog.set_config('idle_session_timeout', '0', false)");
            }
        }

        return string.Join(", ", calls);
    }

    /// <summary>
    /// Cancels the running statement on the server: over the watch, and if that is what was lost, over a new connection. Where that fails too,
    /// the server rolls back when it finds us gone.
    /// </summary>
    private async Task CancelRunningAsync()
    {
        try
        {
            await Watch.CancelAsync().WaitAsync(Options.CancelTimeout / 3);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or OperationCanceledException)
        {
            try
            {
                await using var connection = await _database.ConnectAsync(CancellationToken.None);
                await Watch.CancelAsync(connection);
            }
            catch (Exception again) when (again is NpgsqlException or ProblemException)
            {
                await _patience.EndAfterAsync(TimeSpan.Zero);
            }
        }
    }

    internal static void AddReset(SqlPipeline<MigrationStep> pipeline, MigrationStep step)
    {
        pipeline.Add(step, "RESET SESSION AUTHORIZATION");
        pipeline.Add(step, "RESET ROLE");
        pipeline.Add(step, "RESET ALL");
    }

    /// <summary>The command that records a step whose time the server's transaction can't tell.</summary>
    internal NpgsqlBatchCommand Record(MigrationStep step, TimeSpan duration) =>
        RecordCommand(step.Direction, settings: null).With(RecordValues(step, duration));

    /// <summary>The command that records a step.</summary>
    /// <param name="direction">The step's.</param>
    /// <param name="settings">From <see cref="Settings"/>, to be made with it; <c>null</c> for none.</param>
    internal PreparableCommand RecordCommand(MigrationDirection direction, string? settings)
    {
        // One column for all of them: a description of each would come back with each step.
        var andThen = settings is null ? "" : $", pg_catalog.num_nulls({settings})";
        return direction == MigrationDirection.Up ? History.Insert(Watch.Fence, Watch.Marker, andThen) : History.Delete(Watch.Fence, Watch.Marker, andThen);
    }

    /// <summary>The values of <see cref="RecordCommand"/>.</summary>
    internal object?[] RecordValues(MigrationStep step, TimeSpan? duration) => step.Direction == MigrationDirection.Up
        ? MigrationHistory.InsertValues(step, duration, _attempts.GetValueOrDefault(step.Version), Options)
        : [step.Version];

    /// <summary>Waits before the next attempt, or turns the error into a problem.</summary>
    internal async Task RetryOrThrowAsync(SqlPipelineException<MigrationStep> e, CancellationToken cancellationToken)
    {
        var step = e.Owner;
        if (RunProblem.EndsSession(e.Error))
        {
            throw new ProblemException(RunProblem.ConnectionLost(step, e.Error), e.Error);
        }

        if (MigrationWatch.IsFence(e.Error))
        {
            throw new ProblemException(RunProblem.LockLost(step), e.Error);
        }

        if (e.Statement is null && Options.Guards.TryGetValue(step.Version, out var guard) && e.Error.SqlState == guard.SqlState)
        {
            throw new ProblemException(RunProblem.Guarded(step, e.Error), e.Error);
        }

        if (e.Statement is null && e.Error.SqlState == PostgresErrorCodes.InvalidSqlStatementName && _batches.Prepares)
        {
            // The migration has said DEALLOCATE ALL, which takes our statements too.
            _batches.Prepares = false;
            return;
        }

        // Statements of ours don't fail for want of a lock, but a cancel for our victims' sake can hit any of them.
        var cancelledForVictims = e.Error.SqlState == PostgresErrorCodes.QueryCanceled && Watch.Victims > 0;
        cancellationToken.ThrowIfCancellationRequested();
        var attempt = _attempts.GetValueOrDefault(step.Version) + 1;
        var victims = cancelledForVictims
            ? $"{(Watch.Victims == 1 ? "1 session" : $"{Watch.Victims} sessions")} waited behind it, the first for {Watch.VictimsWait.TotalSeconds:0.0} s"
            : null;
        if ((victims is null && !RunProblem.IsLockConflict(e.Error)) || attempt > Options.LockRetries)
        {
            throw new ProblemException(RunProblem.Failed(e, Watch.Blockers, victims), e.Error);
        }

        _attempts[step.Version] = attempt;
        var reason = victims ?? e.Error.MessageText + (Watch.Blockers.Count > 0 ? $", held by {Watch.Blockers[0]}" : "");
        // Doubling gives a busy table air; the cap keeps a long wait responsive; jitter keeps several tools out of step.
        var delay = TimeSpan.FromMilliseconds(Math.Min(250 * Math.Pow(2, attempt - 1), 15_000) * (0.75 + (Random.Shared.NextDouble() / 2)));
        _events?.Report(new MigrationEvent.Retrying(step, attempt, Options.LockRetries, delay, reason));
        await Task.Delay(delay, cancellationToken);
    }

    private async Task RunStatementsAsync(MigrationStep step, bool isLast, CancellationToken cancellationToken)
    {
        if (IsPooled)
        {
            throw new ProblemException(
                "CG0505", $"{step.Id} runs outside a transaction, which isn't safe through a connection pooler", step.Section.Where,
                "Connect to the server itself: settings and progress of such a migration belong to one session, and a pooler may change it between two statements.");
        }

        if (Options.SingleTransaction)
        {
            throw new ProblemException(
                "CG0506", $"{step.Id} runs outside a transaction, so it can't be part of a single one", step.Section.Where,
                "Leave --single-transaction out, or apply up to the migration before it with --to.");
        }

        Start(step);
        await Watch.HoldInSessionAsync();
        Finish([(step, await RunUntilDoneAsync(new StatementRun(this, step, _events), cancellationToken))]);
        if (!isLast)
        {
            await Watch.HoldInTransactionAsync();
        }
    }

    private async Task<TimeSpan> RunUntilDoneAsync(StatementRun run, CancellationToken cancellationToken)
    {
        while (true)
        {
            Watch.BeginAttempt();
            try
            {
                return await run.RunAsync(cancellationToken);
            }
            catch (SqlPipelineException<MigrationStep> e)
            {
                await run.AbandonAsync();
                await RetryOrThrowAsync(e, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                await run.AbandonAsync();
                throw;
            }
        }
    }

    /// <summary>The step that the server is at, by the statement that the watch sees there.</summary>
    private MigrationStep? Follow(string? query)
    {
        lock (_gate)
        {
            if (query is not null)
            {
                foreach (var step in _batches.ReachedBy(query))
                {
                    Start(step);
                }
            }

            return _current;
        }
    }

    /// <summary>Tells that a step was begun, once.</summary>
    internal void Start(MigrationStep step)
    {
        lock (_gate)
        {
            _current = step;
            _patience.Step = step;
            if (_reached.Add(step.Version))
            {
                _events?.Report(new MigrationEvent.Started(step));
            }
        }
    }

    /// <summary>Whether a step is known to have begun; asked only by what <see cref="Follow"/> calls, which has the gate.</summary>
    internal bool IsReached(MigrationStep step) => _reached.Contains(step.Version);

    /// <summary>Tells that steps are done and durable.</summary>
    internal void Finish(IEnumerable<(MigrationStep Step, TimeSpan Duration)> done)
    {
        foreach (var (step, duration) in done)
        {
            Start(step);
            _finished.Add((step, duration));
            _events?.Report(new MigrationEvent.Finished(step, duration));
        }
    }

    /// <summary>Ends whatever transaction is open.</summary>
    /// <returns>Whether the connection is there to go on with.</returns>
    internal async Task<bool> RollbackAsync()
    {
        // While a cancel is under way, whatever we send could be its victim.
        await _cancelling;
        if (Connection.FullState != System.Data.ConnectionState.Open)
        {
            return false;
        }

        await ExecuteUndisturbedAsync("ROLLBACK");
        return true;
    }

    /// <summary>Runs what has to run also when a cancel comes late and hits it instead of the statement that it was meant for.</summary>
    internal async Task ExecuteUndisturbedAsync(params string[] commands)
    {
        try
        {
            await ExecuteAsync(Connection, commands);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.QueryCanceled)
        {
            await ExecuteAsync(Connection, commands);
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string[] commands)
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (var command in commands)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(command));
        }

        await batch.ExecuteNonQueryAsync(CancellationToken.None);
    }
}
