using System.Diagnostics;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Sql;
using Npgsql;
using Command = ChatGenius.Db.Migrations.StepCommand;

namespace ChatGenius.Db.Migrations;

/// <summary>
/// Runs one non-transactional section, statement by statement, each alone, and notes in the journal where it is, so that after a crash at
/// any moment the next run goes on there.
/// </summary>
/// <remarks>
/// What can run in a transaction does so together with its mark. What can't is noted as begun before and as done after; when only the first
/// note is there, the statement's effect in the catalog says whether it was done.
/// </remarks>
/// <param name="session">Where; it has the lock, and no pooler stands in front of it.</param>
/// <param name="step">The section, and where an earlier run stopped.</param>
/// <param name="options">What is recorded with it.</param>
/// <param name="events">Told of each statement.</param>
internal sealed class NonTransactionalStep(MigrationSession session, MigrationStep step, MigratorOptions options,
    IProgress<MigrationEvent>? events)
{
    private readonly IReadOnlyList<SqlStatement> _statements = step.Section.Script.Statements;
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    // The first statement that isn't known to be done, counted from 0, and whether it may have been begun.
    private int _next = step.Resume is { } resume ? resume.Statement - 1 : 0;
    private bool _begun = step.Resume is { Started: true };
    private bool _ownTransaction;

    // Whether a result has a type that has no binary form.
    private bool _asText;

    // With the pid it names our backend in the journal, for a later run.
    private DateTime _backendStart;

    /// <summary>The section.</summary>
    internal MigrationStep Step => step;

    /// <summary>Runs what is left of the section. After it was refused it may be called again and goes on.</summary>
    /// <param name="attempts">How often it was tried before.</param>
    /// <param name="cancellationToken">Keeps the next statement from beginning.</param>
    /// <exception cref="ProblemException">CG0507, CG0508.</exception>
    /// <exception cref="NpgsqlException">The connection was lost.</exception>
    internal async Task<StepsOutcome> RunAsync(int attempts, CancellationToken cancellationToken)
    {
        try
        {
            await RunStatementsAsync(attempts, cancellationToken);
            return new StepsOutcome.Ended([(step, _clock.Elapsed)]);
        }
        catch (SqlPipelineException<MigrationStep> e)
        {
            var afterwards = await AbandonAsync();
            if (_asText || afterwards is not null || !SqlPipeline<MigrationStep>.WantsText(e.Error))
            {
                return new StepsOutcome.Refused([], e, afterwards);
            }

            _asText = true;
            return await RunAsync(attempts, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            await AbandonAsync();
            return new StepsOutcome.Cancelled([], step);
        }
    }

    private async Task RunStatementsAsync(int attempts, CancellationToken cancellationToken)
    {
        _backendStart = (await ReadActivityAsync(
            "SELECT backend_start FROM pg_catalog.pg_stat_activity WHERE pid = pg_catalog.pg_backend_pid()", row => row.GetDateTime(0),
            cancellationToken))[0];
        await WaitForEarlierBackendAsync(cancellationToken);
        await RepeatSettingsAsync(cancellationToken);
        await (_next == 0 && !_begun ? SendAsync([.. Command.Asked(step, isAfter: false)], cancellationToken) : Task.CompletedTask);
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

        await SendAsync([.. Command.Asked(step, isAfter: true)], cancellationToken);
        var record = session.History.Record(step, _clock.Elapsed, attempts, options, session.Lock.Fence, session.Lock.Marker);
        await SendAsync(
            [.. MigrationSession.Reset, MigrationSession.Begin, .. AsOurselves, session.History.ClearJournal(step.Version), record,
                "COMMIT"], cancellationToken);
    }

    /// <summary>Brings the session back to where a new attempt can start.</summary>
    /// <returns>What failed in doing so.</returns>
    private async Task<Exception?> AbandonAsync()
    {
        _ownTransaction = false;
        try
        {
            // Outside a transaction ROLLBACK only warns.
            if (await session.RollbackAsync())
            {
                await session.ExecuteUndisturbedAsync(MigrationSession.Reset);
                // After a failure the journal knows better than we do what was committed.
                (_next, _begun) = await session.History.ReadProgressAsync(session.Connection, step.Version, CancellationToken.None);
            }

            return null;
        }
        catch (Exception e) when (e is NpgsqlException or ProblemException)
        {
            return e;
        }
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
            await SendAsync([MigrationSession.Begin, statement, .. Mark(done: true), "COMMIT"], cancellationToken);
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
            return await new StatementEffect(session.Connection, statement, kind, step)
                .PrepareAsync(_begun, cancellationToken);
        }
        catch (PostgresException e) when (!SessionProblem.EndsSession(e))
        {
            throw new SqlPipelineException<MigrationStep>(e, step, statement, statement.Text);
        }
    }

    private async Task RunAloneAsync(SqlStatement statement, StatementKind kind, CancellationToken cancellationToken)
    {
        // What runs CONCURRENTLY waits for old transactions without keeping anybody else waiting, and a timeout there would only
        // throw the finished part of its work away. A section that sets lock_timeout itself keeps its own value.
        var unhurried = kind.Mode is StatementMode.CreateIndex or StatementMode.DropIndex or StatementMode.Reindex && !SetsLockTimeout();
        if (unhurried)
        {
            await SendAsync(["SET lock_timeout = 0"], cancellationToken);
        }

        try
        {
            await SendAsync([statement], cancellationToken);
        }
        catch (SqlPipelineException<MigrationStep> e) when (IsRefusal(e.Error) && !MayCommitInside(statement))
        {
            // It surely did not do what its effect would be taken for: an index of that name may have been there all the time, or never.
            await ForgetAsync(cancellationToken);
            throw;
        }

        if (unhurried)
        {
            await SendAsync([$"SET lock_timeout = {(long)options.LockTimeout.TotalMilliseconds}"], cancellationToken);
        }
    }

    /// <summary>Whether a part of a statement's work may stay although it failed.</summary>
    private static bool MayCommitInside(SqlStatement statement) =>
        statement.Is("DO") || statement.Is("CALL") || StatementKind.Of(statement).Mode is StatementMode.Reindex or StatementMode.Repeatable;

    /// <summary>Whether the server itself found that a statement can't be done, rather than being told to stop or finding itself in
    /// another's way.</summary>
    /// <remarks>After a failure of the server's machine, such as a full disk, Npgsql closes the connection: then the effect has to
    /// tell.</remarks>
    private bool IsRefusal(PostgresException error) =>
        error.SqlState != PostgresErrorCodes.QueryCanceled && !StepProblem.IsLockConflict(error)
            && session.Connection.FullState == System.Data.ConnectionState.Open;

    /// <summary>
    /// In a transaction that the section itself has begun, the mark of its COMMIT goes with it: it is there after a crash exactly if the
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

        if (_ownTransaction && (control == SqlTransactionControl.Commit || TurnsReadOnly(statement)))
        {
            await MarkCommitAsync(cancellationToken);
        }

        await SendAsync([statement], cancellationToken);
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
    /// Notes the COMMIT that ends the section's own transaction as begun, in that transaction. One that only reads takes no mark and needs
    /// none: it may run again.
    /// </summary>
    private async Task MarkCommitAsync(CancellationToken cancellationToken)
    {
        var readsOnly = false;
        await SendAsync(
            [$"SELECT pg_catalog.current_setting('transaction_read_only') AS \"{session.Lock.Marker}\""], cancellationToken,
            reader => readsOnly = reader.GetString(0) == "on");
        if (readsOnly)
        {
            return;
        }

        var commit = _next;
        while (commit < _statements.Count - 1 && _statements[commit].TransactionControl != SqlTransactionControl.Commit)
        {
            commit++;
        }

        // What is deferred runs as the role that the section has set, as it would at its COMMIT.
        Command[] deferred = _statements[_next].TransactionControl == SqlTransactionControl.Commit && ChangesRole()
            ? ["SET CONSTRAINTS ALL IMMEDIATE"] : [];
        await SendAsync(
            [.. deferred, .. AsOurselves, session.History.Mark(step, commit + 1, done: false, session.Lock.Fence, _backendStart)],
            cancellationToken);
    }

    /// <summary>Whether a statement keeps the rest of a transaction, which may have written, from writing our mark.</summary>
    private bool TurnsReadOnly(SqlStatement statement) => statement.Is("SET") && new StatementText(statement) is var text
        && (text.Has("READ", "ONLY") || text.Mentions("transaction_read_only"))
        && _statements[_next - 1].TransactionControl != SqlTransactionControl.Begin;

    private bool ChangesRole() => _statements.Any(statement => statement.Is("SET") && new StatementText(statement) is var text
        && (text.Has("ROLE") || text.Has("AUTHORIZATION")));

    /// <summary>
    /// A server may still be at work for a tool that is gone; its statement must end before it is judged by its effect. A session that has
    /// nothing to do any more only waits for a client that lost the lock: it is ended, so that nothing can come from there.
    /// </summary>
    private async Task WaitForEarlierBackendAsync(CancellationToken cancellationToken)
    {
        if (!_begun || step.Resume is not { } resume)
        {
            return;
        }

        const string Find =
            """
            SELECT query, CASE WHEN state LIKE 'idle%' AND pg_catalog.pg_has_role(usesysid, 'USAGE')
                          THEN pg_catalog.pg_terminate_backend(pid) END
            FROM pg_catalog.pg_stat_activity WHERE pid = $1 AND backend_start = $2 AND pid <> pg_catalog.pg_backend_pid()
            """;
        for (var told = false; ; told = true)
        {
            var found = await ReadActivityAsync(
                new SqlQuery(Find, resume.Pid, resume.BackendStart), row => row.IsDBNull(0) ? "" : row.GetString(0), cancellationToken);
            if (found.Count == 0)
            {
                return;
            }

            if (!told)
            {
                events?.Report(new MigrationEvent.WaitingForBackend(resume.Pid, found[0]));
            }

            await Task.Delay(200, cancellationToken);
        }
    }

    /// <summary>A session that begins as another role sees its own login's backends only as that one.</summary>
    private Task<List<T>> ReadActivityAsync<T>(SqlQuery query, Func<NpgsqlDataReader, T> row, CancellationToken cancellationToken) =>
        Session.Over(session.Connection, "looking for an interrupted statement").ReadAsync(
            ["SET LOCAL ROLE NONE", query], reader => Session.ResultAsync(reader, row, cancellationToken), cancellationToken);

    /// <summary>Makes our own settings, and again those of the finished part of the section: settings of a session end with it.</summary>
    private Task RepeatSettingsAsync(CancellationToken cancellationToken) => SendAsync(
        [
            .. session.Settings(local: false).Select(sql => (Command)sql),
            // What runs outside a transaction block has the session's defaults, which the role may have set to others.
            "SET default_transaction_isolation = 'read committed'",
            "SET default_transaction_read_only = off",
            .. _statements.Take(_next).Where(IsSessionSetting).Select(statement => (Command)statement),
        ],
        cancellationToken);

    /// <summary>Whether a statement sets something for the session, which the statements after it may need.</summary>
    internal static bool IsSessionSetting(SqlStatement statement) =>
        statement.Is("RESET") || (statement.Is("SET") && !statement.Is("SET", "LOCAL")
            && !statement.Is("SET", "TRANSACTION") && !statement.Is("SET", "CONSTRAINTS"))
        || IsSetConfig(statement);

    /// <summary>pg_dump's way to set one is a SELECT.</summary>
    private static bool IsSetConfig(SqlStatement statement) =>
        new StatementText(statement) is var text && text.Is("SELECT") && text.NameAt(1)?.Name == "set_config";

    private bool SetsLockTimeout() => _statements.Any(statement =>
        statement.Is("SET", "LOCK_TIMEOUT") || statement.Is("SET", "SESSION", "LOCK_TIMEOUT"));

    private Task MarkAsync(bool done, CancellationToken cancellationToken) =>
        SendAsync([MigrationSession.Begin, .. Mark(done), "COMMIT"], cancellationToken);

    private Task ForgetAsync(CancellationToken cancellationToken) => SendAsync(
        [MigrationSession.Begin, .. AsOurselves, session.History.Unmark(step.Version, _next + 1), "COMMIT"], cancellationToken);

    private Command[] Mark(bool done) => [.. AsOurselves, session.History.Mark(step, _next + 1, done, session.Lock.Fence, _backendStart)];

    /// <summary>The journal is written as the role that the session began with; what the section has set comes back with COMMIT.</summary>
    private IEnumerable<Command> AsOurselves => ((string[])["SET LOCAL SESSION AUTHORIZATION DEFAULT", "SET LOCAL role TO DEFAULT",
        .. session.History.HoldAll()]).Select(sql => (Command)sql);

    private Task SendAsync(Command[] commands, CancellationToken cancellationToken, Action<NpgsqlDataReader>? onMarked = null)
    {
        var pipeline = session.Sent = new SqlPipeline<MigrationStep>(session.Connection);
        foreach (var command in commands)
        {
            command.AddTo(pipeline, step, _asText);
        }

        return pipeline.RunAsync(session.Lock.Marker, onMarked ?? (static _ => { }), cancellationToken);
    }
}
