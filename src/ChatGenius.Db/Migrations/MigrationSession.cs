using System.Diagnostics;
using System.Globalization;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Migrations;

/// <summary>
/// The session in which one call of the front door works: a connection for what it runs and, once it has the lock, a second one that holds
/// it. It knows settings, time limits, rolling back and cancelling, and nothing of steps.
/// </summary>
internal sealed partial class MigrationSession : IAsyncDisposable
{
    /// <summary>How our transactions begin, whatever the role's defaults are.</summary>
    internal const string Begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

    private Problem TooSmallPool => new(
        "CG0520",
        $"The connection pooler gave no second session to the server within {_options.PoolTimeout.TotalSeconds:0} s",
        Advice: "A run needs two at the same time, one of them for the lock. Let the pool have more (pool_size of PgBouncer), "
            + "start fewer runs together, or connect to the server itself.");

    /// <summary>Takes back what a migration may have changed in its session.</summary>
    internal static readonly string[] Reset = ["RESET SESSION AUTHORIZATION", "RESET ROLE", "RESET ALL"];

    /// <summary>What was sent last; it knows which statement a message of the server belongs to.</summary>
    internal SqlPipeline<MigrationStep>? Sent { get; set; }

    private readonly Database _database;
    private readonly MigratorOptions _options;
    private readonly AnswerLimit _limit;
    private readonly IProgress<MigrationEvent>? _events;
    private readonly CancellationToken _stop;
    private MigrationLock? _lock;
    private ServerFacts? _facts;
    private Task _cancelling = Task.CompletedTask;

    private MigrationSession(
        Database database,
        NpgsqlConnection connection,
        MigratorOptions options,
        AnswerLimit limit,
        IProgress<MigrationEvent>? events,
        CancellationToken stop)
    {
        (_database, Connection, _options, _limit, _events, _stop) = (database, connection, options, limit, events, stop);
        History = new History(options.HistorySchema);
    }

    internal NpgsqlConnection Connection { get; }

    internal History History { get; }

    /// <summary>The lock; only after <see cref="LockAsync"/>.</summary>
    internal MigrationLock Lock => _lock ?? throw new InvalidOperationException("The session has no lock.");

    /// <summary>What is known of the server; only after a reading.</summary>
    internal ServerFacts Facts => _facts ?? throw new InvalidOperationException("Nothing was read yet.");

    /// <summary>Whether a pooler stands between: the backend that answers is not the one that the connection was told of.</summary>
    internal bool IsPooled { get; private set; }

    /// <summary>Opens one, waiting for a server that is starting up or has no connection to spare.</summary>
    /// <exception cref="ProblemException">CG0610 to CG0629: it could not be had in time, or waiting doesn't help.</exception>
    internal static async Task<MigrationSession> OpenAsync(
        Database database, MigratorOptions options, AnswerLimit limit, IProgress<MigrationEvent>? events, CancellationToken stop) =>
        new(database, await ConnectAsync(database, options, events, stop), options, limit, events, stop);

    /// <summary>Reads the history.</summary>
    /// <exception cref="ProblemException">CG0409, CG0513.</exception>
    internal async Task<HistorySnapshot> ReadAsync(HistoryColumns columns, bool waitForWriters = false, bool quick = false)
    {
        var waitsForPool = _lock is not null && IsPooled;
        var reading = History.ReadAsync(Connection, columns, waitForWriters, _stop, quick);
        HistorySnapshot history;
        try
        {
            // The history's writers are waited for longer.
            (_facts, history) = await (waitsForPool && !waitForWriters
                ? _limit.AnswerAsync(reading, _options.PoolTimeout, TooSmallPool)
                : _limit.AnswerAsync(reading));
        }
        catch (ProblemException e) when (waitsForPool && e.Problems[0].Code == "CG0516")
        {
            throw new ProblemException(TooSmallPool, e);
        }

        // A connection that was lost no longer says it.
        IsPooled = Connection.FullState == System.Data.ConnectionState.Open ? Connection.ProcessID != _facts.BackendPid : IsPooled;
        return history;
    }

    /// <summary>Looks what else is in the database, unless the history has held a row once.</summary>
    internal async Task<HistorySnapshot> LookAsync(HistorySnapshot history, IReadOnlyList<Files.Migration> migrations)
    {
        for (var again = false; ; again = true)
        {
            if (history.Rows.Count > 0 || history.Interruptions.Count > 0)
            {
                return history;
            }

            var found = await _limit.AnswerAsync(History.LookAsync(Connection, migrations, _stop));
            if (again || found is null or { Tables.Count: 0, Tools.Count: 0 })
            {
                return history with { Found = found };
            }

            // Another run may have made what was found, after the history was read: then the history has it by now.
            history = await ReadAsync(HistoryColumns.Plan);
        }
    }

    /// <summary>Takes the lock, on a second connection, waiting for another run to end.</summary>
    /// <exception cref="ProblemException">CG0501, CG0509, CG0511.</exception>
    internal async Task LockAsync()
    {
        RequirePrimary();
        // While we wait for another run's end this connection idles. Behind a pooler its backend isn't ours to set up, and doesn't idle.
        var idling = !IsPooled && Facts.VersionNumber >= 140000
            ? _limit.AnswerAsync(ExecuteAsync("SET idle_session_timeout = 0"))
            : Task.CompletedTask;
        var connecting = ConnectAsync(_database, _options, _events, _stop);
        try
        {
            await idling;
        }
        catch
        {
            await (await connecting).DisposeAsync();
            throw;
        }

        _lock = await MigrationLock.AcquireAsync(
            await connecting, _options, answer => _limit.AnswerAsync(answer, IsPooled ? _options.PoolTimeout : null, TooSmallPool), _events,
                _stop);
    }

    /// <summary>Runs commands of our own in a transaction of their own; <c>null</c> is none.</summary>
    /// <exception cref="ProblemException">CG0503, CG0504, CG0512.</exception>
    internal async Task WriteAsync(params IReadOnlyList<NpgsqlBatchCommand?> commands)
    {
        if (Connection.FullState != System.Data.ConnectionState.Open)
        {
            throw new NpgsqlException("The connection is closed");
        }

        var pipeline = new SqlPipeline<string>(Connection);
        foreach (var sql in (string[])[Begin, "SET LOCAL search_path = pg_catalog, pg_temp", .. Settings(local: true)])
        {
            pipeline.Add("", sql);
        }

        foreach (var sql in History.HoldAll())
        {
            pipeline.Add("", sql);
        }

        foreach (var command in commands.OfType<NpgsqlBatchCommand>())
        {
            pipeline.Add("", command);
        }

        pipeline.Add("", "COMMIT");
        try
        {
            await _limit.AnswerAsync(pipeline.RunAsync(Lock.Marker, static _ => { }, _stop));
        }
        catch (SqlPipelineException<string> e)
        {
            await RollbackAsync();
            throw Unwritable(e.Error);
        }
    }

    /// <summary>Commands that set what our work needs, whatever the role, the database or an earlier migration has set. They look at
    /// nothing.</summary>
    /// <param name="local">Whether they hold for the transaction only, instead of the session.</param>
    internal IEnumerable<string> Settings(bool local) =>
        SettingValues().Select(setting => $"SET {(local ? "LOCAL " : "")}{setting.Name} = '{setting.Value}'")
            // Between two transactions as well, which may be a retry's pause apart; behind a pooler the session isn't ours.
            .Concat(Facts.VersionNumber >= 140000 && !IsPooled ? ["SET idle_session_timeout = 0"] : []);

    /// <summary>The same as calls: the list of a SELECT.</summary>
    internal string SettingCalls(bool local)
    {
        var calls = SettingValues().Select(setting =>
            $"pg_catalog.set_config('{setting.Name}', '{setting.Value}', {(local ? "true" : "false")})");
        return string.Join(", ", calls.Concat(
            Facts.VersionNumber >= 140000 && !IsPooled ? ["pg_catalog.set_config('idle_session_timeout', '0', false)"] : []));
    }

    /// <summary>What is to end before a running statement is cancelled; it is waited for as long as a third of the time that a cancel
    /// may take.</summary>
    internal Task EndsFirst { get; set; } = Task.CompletedTask;

    /// <summary>From now on, a statement that is running when one of the tokens is cancelled is cancelled on the server.</summary>
    /// <returns>Ends that; no cancel is under way any more when it has.</returns>
    internal IAsyncDisposable CancelWith(CancellationToken cancellationToken)
    {
        var onCancel = cancellationToken.Register(() => _cancelling = CancelAsync());
        // The statement is cancelled over a new connection; but its answer has to come over the old one, which may be as dead as the
        // lock's.
        var onLost = Lock.Lost.Register(() => _ = _limit.EndAfterAsync(_options.CancelTimeout));
        return new Cancelling(this, onCancel, onLost);
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
            await ExecuteAsync(commands);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.QueryCanceled)
        {
            await ExecuteAsync(commands);
        }
    }

    public async ValueTask DisposeAsync()
    {
        // This connection closes first: should it still be at work, the lock outlives it.
        await SilentServer.CloseAsync(Connection);
        if (_lock is not null)
        {
            await _lock.DisposeAsync();
        }
    }

    private static async Task<NpgsqlConnection> ConnectAsync(
        Database database, MigratorOptions options, IProgress<MigrationEvent>? events, CancellationToken cancellationToken)
    {
        var waited = Stopwatch.StartNew();
        for (var reported = false; ; reported = true)
        {
            try
            {
                return await database.ConnectAsync(cancellationToken);
            }
            catch (ProblemException e) when (e.Problems is [{ Kind: ProblemKind.Busy } problem] && waited.Elapsed < options.WaitForServer)
            {
                if (!reported)
                {
                    events?.Report(new MigrationEvent.WaitingForServer(problem.Message));
                }

                await Task.Delay(Random.Shared.Next(100, 300), cancellationToken);
            }
        }
    }

    private void RequirePrimary()
    {
        const int OldestServer = 120000;
        if (Facts.IsInRecovery)
        {
            throw new ProblemException(
                "CG0509",
                $"The server of database {SqlIdentifier.Quote(Facts.DatabaseName)} is a hot standby, which takes no writes",
                advice: "Connect to the primary; with several hosts in the URL, target_session_attrs=read-write finds it.");
        }

        if (Facts.VersionNumber < OldestServer)
        {
            throw new ProblemException(
                "CG0511",
                $"The server is PostgreSQL {Facts.VersionNumber / 10000}; version 12 is the oldest that is supported",
                advice: "Upgrade the server.");
        }
    }

    private ProblemException Unwritable(PostgresException e) => new(
        MigrationLock.IsFence(e) ? StepProblem.LockLost(null)
        : History.IsChanged(e) ? History.Changed(e)
        : SessionProblem.EndsSession(e) ? StepProblem.ConnectionLost(null, e)
        : new Problem(
            "CG0512",
            $"The history can't be written: {e.MessageText} (SQLSTATE {e.SqlState})",
            Advice: (DiskFull.Is(e) ? DiskFull.Advice + " " : e.SqlState == PostgresErrorCodes.InsufficientPrivilege
                ? "Connect as a role that may write it. " : "")
                + "Nothing was changed."),
        e);

    private IEnumerable<(string Name, string Value)> SettingValues()
    {
        static string Milliseconds(TimeSpan time) => ((long)time.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
        yield return ("lock_timeout", Milliseconds(_options.LockTimeout));
        yield return ("statement_timeout", Milliseconds(_options.StatementTimeout));
        yield return ("idle_in_transaction_session_timeout", "0");
        // A client whose machine is gone is found out in a minute, and its locks with it. Unix-domain sockets have no use for it and take
        // it.
        yield return ("tcp_keepalives_idle", "30");
        yield return ("tcp_keepalives_interval", "10");
        yield return ("tcp_keepalives_count", "3");
        // Files were split by these rules, so the server has to read them by the same.
        yield return ("standard_conforming_strings", "on");
        if (Facts.VersionNumber >= 170000)
        {
            yield return ("transaction_timeout", "0");
        }

        if (Facts.VersionNumber >= 140000 && Facts.ChecksConnections)
        {
            // The server looks for us while it works, so that what a killed run has left ends soon.
            yield return ("client_connection_check_interval", "1s");
        }
    }

    private async Task CancelAsync()
    {
        var ending = EndsFirst;
        if (ending.IsCompleted || Lock.Lost.IsCancellationRequested
            || await Task.WhenAny(ending, Task.Delay(_options.CancelTimeout / 3)) != ending)
        {
            await CancelRunningAsync();
        }
    }

    /// <summary>
    /// Cancels the running statement on the server: over the lock's connection, and if that is what was lost, over a new one. Where that
    /// fails too, the server rolls back when it finds us gone.
    /// </summary>
    private async Task CancelRunningAsync()
    {
        var command = MigrationWatch.CancelCommand(Lock, IsPooled ? null : Facts.BackendPid);
        try
        {
            await Lock.ExecuteAsync(command).WaitAsync(_options.CancelTimeout / 3);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or OperationCanceledException)
        {
            try
            {
                await using var connection = await _database.ConnectAsync(CancellationToken.None);
                await ExecuteAsync(connection, Begin, "SET LOCAL search_path = pg_catalog, pg_temp", command, "COMMIT");
            }
            catch (Exception again) when (again is NpgsqlException or ProblemException)
            {
                await _limit.EndAfterAsync(TimeSpan.Zero);
            }
        }
    }

    private Task ExecuteAsync(params string[] commands) => ExecuteAsync(Connection, commands);

    private static async Task ExecuteAsync(NpgsqlConnection connection, params string[] commands)
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (var command in commands)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(command));
        }

        await batch.ExecuteNonQueryAsync(CancellationToken.None);
    }

    private sealed class Cancelling(MigrationSession session, CancellationTokenRegistration onCancel, CancellationTokenRegistration onLost)
        : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            // From here on no cancel begins any more; one that has begun needs both connections.
            await onCancel.DisposeAsync();
            await session._cancelling;
            await onLost.DisposeAsync();
        }
    }
}
