using System.Diagnostics;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Sql;
using Npgsql;
namespace ChatGenius.Db.Migrations;

/// <summary>
/// Runs one non-transactional section, statement by statement, each alone, and notes in the journal where it is, so that after a
/// crash at any moment the next run goes on there.
/// </summary>
/// <remarks>
/// What can run in a transaction does so together with its mark. What can't is noted as begun before and as done after; when
/// only the first note is there, the statement's effect in the catalog says whether it was done.
/// </remarks>
internal sealed class StatementRun(MigrationRun run, MigrationStep step, IProgress<MigrationEvent>? events)
{
    private readonly IReadOnlyList<SqlStatement> _statements = step.Section.Script.Statements;
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    // The first statement that isn't known to be done, counted from 0, and whether it may have been begun.
    private int _next = step.Resume is { } resume ? resume.Statement - 1 : 0;
    private bool _begun = step.Resume is { Started: true };
    private bool _ownTransaction;

    /// <summary>Runs what is left of the section. After an exception it may be called again and goes on.</summary>
    /// <returns>How long it took, over all attempts.</returns>
    internal async Task<TimeSpan> RunAsync(CancellationToken cancellationToken)
    {
        await WaitForEarlierBackendAsync(cancellationToken);
        await RepeatSettingsAsync(cancellationToken);
        while (_next < _statements.Count)
        {
            var statement = _statements[_next];
            events?.Report(new MigrationEvent.StatementStarted(step, _next + 1, _statements.Count, statement.Location));
            await RunStatementAsync(statement, StatementKind.Of(statement), cancellationToken);
            _next++;
            _begun = false;
        }

        if (_ownTransaction)
        {
            throw new ProblemException(
                "CG0508", $"{step.Id} begins a transaction and does not end it", step.Section.Where,
                "Write the COMMIT that belongs to its BEGIN.");
        }

        var pipeline = new SqlPipeline<MigrationStep>(run.Connection);
        MigrationRun.AddReset(pipeline, step);
        pipeline.Add(step, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
        pipeline.Add(step, run.History.ClearJournal(step.Version));
        pipeline.Add(step, run.Record(step, _clock.Elapsed));
        pipeline.Add(step, "COMMIT");
        await RunAsync(pipeline, cancellationToken);
        return _clock.Elapsed;
    }

    /// <summary>Brings the session back to where a new attempt can start.</summary>
    internal async Task AbandonAsync()
    {
        _ownTransaction = false;
        // Outside a transaction ROLLBACK only warns.
        if (!await run.RollbackAsync())
        {
            return;
        }

        await run.ExecuteUndisturbedAsync("RESET SESSION AUTHORIZATION", "RESET ROLE", "RESET ALL");
        await ReadProgressAsync();
    }

    private async Task RunStatementAsync(SqlStatement statement, StatementKind kind, CancellationToken cancellationToken)
    {
        if (_ownTransaction || kind.Mode == StatementMode.TransactionControl)
        {
            await RunInOwnTransactionAsync(statement, cancellationToken);
            return;
        }

        if (kind.Mode == StatementMode.InTransaction)
        {
            var pipeline = new SqlPipeline<MigrationStep>(run.Connection);
            pipeline.Add(step, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
            pipeline.Add(step, statement);
            AddJournal(pipeline, run.History.Mark(step, _next + 1, done: true, run.Watch.Fence));
            pipeline.Add(step, "COMMIT");
            await RunAsync(pipeline, cancellationToken);
            return;
        }

        if (await PrepareAsync(statement, kind, cancellationToken) is { } reason)
        {
            events?.Report(new MigrationEvent.StatementRecognised(step, _next + 1, reason));
        }
        else
        {
            await MarkAsync(done: false, cancellationToken);
            _begun = true;
            await RunAloneAsync(statement, kind, cancellationToken);
        }

        await MarkAsync(done: true, cancellationToken);
    }

    /// <summary>What the preparation is refused, the statement is: it is tried again, or told with the statement's place.</summary>
    private async Task<string?> PrepareAsync(SqlStatement statement, StatementKind kind, CancellationToken cancellationToken)
    {
        try
        {
            return await new StatementEffect(run.Connection, statement, kind, step.Section.Repeatable).PrepareAsync(_begun, cancellationToken);
        }
        catch (PostgresException e) when (!RunProblem.EndsSession(e))
        {
            throw new SqlPipelineException<MigrationStep>(e, step, statement, statement.Text);
        }
    }

    private async Task RunAloneAsync(SqlStatement statement, StatementKind kind, CancellationToken cancellationToken)
    {
        // What runs CONCURRENTLY waits for old transactions without keeping anybody else waiting, and a timeout there would only
        // throw the finished part of its work away. A section that sets lock_timeout itself keeps its own value.
        var patient = kind.Mode is StatementMode.CreateIndex or StatementMode.DropIndex or StatementMode.Reindex && !SetsLockTimeout();
        if (patient)
        {
            await SetAsync("SET lock_timeout = 0", cancellationToken);
        }

        var pipeline = new SqlPipeline<MigrationStep>(run.Connection);
        pipeline.Add(step, statement);
        try
        {
            await RunAsync(pipeline, cancellationToken);
        }
        catch (SqlPipelineException<MigrationStep> e) when (IsRefusal(e.Error) && !MayCommitInside(statement))
        {
            // It surely did not do what its effect would be taken for: an index of that name may have been there all the time, or never.
            await ForgetAsync(cancellationToken);
            throw;
        }

        if (patient)
        {
            await SetAsync($"SET lock_timeout = {(long)run.Options.LockTimeout.TotalMilliseconds}", cancellationToken);
        }
    }

    /// <summary>Whether a part of a statement's work may stay although it failed.</summary>
    private static bool MayCommitInside(SqlStatement statement) =>
        statement.Is("DO") || statement.Is("CALL") || StatementKind.Of(statement).Mode is StatementMode.Reindex or StatementMode.Repeatable;

    /// <summary>Whether the server itself found that a statement can't be done, rather than being told to stop or finding itself in another's way.</summary>
    /// <remarks>After a failure of the server's machine, such as a full disk, Npgsql closes the connection: then the effect has to tell.</remarks>
    private bool IsRefusal(PostgresException error) =>
        error.SqlState != PostgresErrorCodes.QueryCanceled && !RunProblem.IsLockConflict(error) && run.Connection.FullState == System.Data.ConnectionState.Open;

    /// <summary>
    /// In a transaction that the section itself has begun, the mark goes with it: it is there after a crash exactly if the
    /// transaction was committed. So a COMMIT that is noted as begun is done, and a BEGIN that is may be run again.
    /// </summary>
    private async Task RunInOwnTransactionAsync(SqlStatement statement, CancellationToken cancellationToken)
    {
        var control = statement.TransactionControl;
        if (control == SqlTransactionControl.Commit && _begun)
        {
            events?.Report(new MigrationEvent.StatementRecognised(step, _next + 1, "the transaction was committed"));
            await MarkAsync(done: true, cancellationToken);
            return;
        }

        var pipeline = new SqlPipeline<MigrationStep>(run.Connection);
        if (_ownTransaction)
        {
            pipeline.Add(step, run.History.Mark(step, _next + 1, done: control == SqlTransactionControl.None, run.Watch.Fence));
        }

        pipeline.Add(step, statement);
        await RunAsync(pipeline, cancellationToken);
        _ownTransaction = control switch
        {
            SqlTransactionControl.Begin => true,
            SqlTransactionControl.None => _ownTransaction,
            _ => false,
        };
        if (control is not (SqlTransactionControl.None or SqlTransactionControl.Begin))
        {
            await MarkAsync(done: true, cancellationToken);
        }
    }

    /// <summary>
    /// A server may still be at work for a tool that is gone; its statement must end before it is judged by its effect. A session that has nothing to do
    /// any more only waits for a client that lost the lock: it is ended, so that nothing can come from there.
    /// </summary>
    private async Task WaitForEarlierBackendAsync(CancellationToken cancellationToken)
    {
        if (!_begun || step.Resume is not { } resume)
        {
            return;
        }

        for (var told = false; ; told = true)
        {
            var command = new NpgsqlCommand(
                """
                SELECT query, CASE WHEN state LIKE 'idle%' AND pg_catalog.pg_has_role(usesysid, 'USAGE') THEN pg_catalog.pg_terminate_backend(pid) END
                FROM pg_catalog.pg_stat_activity WHERE pid = $1 AND backend_start = $2 AND pid <> pg_catalog.pg_backend_pid()
                """,
                run.Connection)
            {
                Parameters = { new NpgsqlParameter<int> { TypedValue = resume.Pid }, new NpgsqlParameter<DateTime> { TypedValue = resume.BackendStart } },
            };
            await using (command)
            {
                if (await command.ExecuteScalarAsync(cancellationToken) is not string query)
                {
                    return;
                }

                if (!told)
                {
                    events?.Report(new MigrationEvent.WaitingForBackend(resume.Pid, query));
                }
            }

            await Task.Delay(200, cancellationToken);
        }
    }

    /// <summary>Makes our own settings, and again those of the finished part of the section: settings of a session end with it.</summary>
    private Task RepeatSettingsAsync(CancellationToken cancellationToken)
    {
        var pipeline = new SqlPipeline<MigrationStep>(run.Connection);
        pipeline.Add(step, SessionSettings());
        foreach (var statement in _statements.Take(_next).Where(IsSessionSetting))
        {
            pipeline.Add(step, statement);
        }

        return RunAsync(pipeline, cancellationToken);
    }

    private Task SetAsync(string command, CancellationToken cancellationToken)
    {
        var pipeline = new SqlPipeline<MigrationStep>(run.Connection);
        pipeline.Add(step, command);
        return RunAsync(pipeline, cancellationToken);
    }

    private static bool IsSessionSetting(SqlStatement statement) =>
        statement.Is("RESET") || (statement.Is("SET") && !statement.Is("SET", "LOCAL")
            && !statement.Is("SET", "TRANSACTION") && !statement.Is("SET", "CONSTRAINTS"))
        || IsSetConfig(statement);

    /// <summary>pg_dump's way to set one is a SELECT.</summary>
    private static bool IsSetConfig(SqlStatement statement) =>
        new StatementText(statement) is var text && text.Is("SELECT") && text.NameAt(1)?.Name == "set_config";

    private bool SetsLockTimeout() => _statements.Any(statement =>
        statement.Is("SET", "LOCK_TIMEOUT") || statement.Is("SET", "SESSION", "LOCK_TIMEOUT"));

    /// <summary>What runs outside a transaction block has the session's defaults, which the role may have set to others.</summary>
    private string SessionSettings() => $"SELECT {run.Settings(local: false)}"
        + ", pg_catalog.set_config('default_transaction_isolation', 'read committed', false), pg_catalog.set_config('default_transaction_read_only', 'off', false)";

    private Task MarkAsync(bool done, CancellationToken cancellationToken) =>
        WriteJournalAsync(run.History.Mark(step, _next + 1, done, run.Watch.Fence), cancellationToken);

    private Task ForgetAsync(CancellationToken cancellationToken) => WriteJournalAsync(run.History.Unmark(step, _next + 1), cancellationToken);

    private Task WriteJournalAsync(NpgsqlBatchCommand command, CancellationToken cancellationToken)
    {
        var pipeline = new SqlPipeline<MigrationStep>(run.Connection);
        pipeline.Add(step, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
        AddJournal(pipeline, command);
        pipeline.Add(step, "COMMIT");
        return RunAsync(pipeline, cancellationToken);
    }

    private void AddJournal(SqlPipeline<MigrationStep> pipeline, NpgsqlBatchCommand command)
    {
        // The journal is written as the role that connected, and the role that the section has set comes back with COMMIT.
        pipeline.Add(step, "SET LOCAL SESSION AUTHORIZATION DEFAULT");
        pipeline.Add(step, "SET LOCAL ROLE NONE");
        pipeline.Add(step, command);
    }

    private Task RunAsync(SqlPipeline<MigrationStep> pipeline, CancellationToken cancellationToken) =>
        pipeline.RunAsync(run.Watch.Marker, static _ => { }, cancellationToken);

    /// <summary>After a failure the journal knows better than we do what was committed.</summary>
    private async Task ReadProgressAsync()
    {
        var (_, history) = await run.History.ReadAsync(run.Connection, HistoryColumns.Plan, before: [], CancellationToken.None);
        if (history.Interruptions.FirstOrDefault(interruption => interruption.Version == step.Version) is { } interruption)
        {
            (_next, _begun) = (interruption.Statement - 1, interruption.Started);
        }
        else
        {
            (_next, _begun) = (0, false);
        }
    }
}
