using System.Diagnostics;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Sql;
using Npgsql;
namespace ChatGenius.Db.Migrations;

/// <summary>What a run did.</summary>
/// <param name="Plan">What it was to do, as found under the lock.</param>
/// <param name="Finished">What it did, in order, with the time that each took on the server.</param>
/// <param name="Elapsed">How long the run took, connecting and waiting included.</param>
public sealed record RunResult(MigrationPlan Plan, IReadOnlyList<(MigrationStep Step, TimeSpan Duration)> Finished, TimeSpan Elapsed);

/// <summary>How <c>repair</c> settles a section that was interrupted.</summary>
public enum RepairAction
{
    /// <summary>The statement that was begun is done: go on behind it.</summary>
    Done,

    /// <summary>The statement that was begun is to run again.</summary>
    Again,

    /// <summary>Whatever the section did was undone by hand: forget that it was begun.</summary>
    Forget,
}

/// <summary>
/// The front door to everything that touches migrations in a database. Each method opens its own connections and closes
/// them; nothing is kept in between.
/// </summary>
public sealed class Migrator
{
    private readonly Database _database;
    private readonly IReadOnlyList<Migration> _migrations;
    private readonly MigratorOptions _options;
    private readonly IProgress<MigrationEvent>? _events;
    private readonly MigrationHistory _history;

    /// <summary>Prepares to work on a database.</summary>
    /// <param name="database">The database.</param>
    /// <param name="migrations">The files, by number, each number once; see <see cref="MigrationSource"/>.</param>
    /// <param name="options">Limits and names; the defaults when left out.</param>
    /// <param name="events">Told what a run does while it does it; never by two threads at once.</param>
    public Migrator(
        Database database, IReadOnlyList<Migration> migrations, MigratorOptions? options = null, IProgress<MigrationEvent>? events = null)
    {
        _database = database;
        _migrations = migrations;
        _options = options ?? new MigratorOptions();
        _events = events is null ? null : new OneAtATime(events);
        _history = new MigrationHistory(_options.HistorySchema);
    }

    /// <summary>Where every migration stands. Reads only; works on a hot standby and while another run holds the lock.</summary>
    public async Task<IReadOnlyList<MigrationStatus>> StatusAsync(CancellationToken cancellationToken = default)
    {
        var history = await ReadAsync(HistoryColumns.Details, cancellationToken);
        return MigrationPlan.Compare(_migrations, history);
    }

    /// <summary>What <see cref="ApplyAsync"/> would run.</summary>
    /// <exception cref="ProblemException">As <see cref="MigrationPlan.Apply"/>.</exception>
    public async Task<MigrationPlan> PlanAsync(PlanRequest request, CancellationToken cancellationToken = default)
    {
        var history = await ReadAsync(HistoryColumns.Plan, cancellationToken);
        return MigrationPlan.Apply(_migrations, history, request);
    }

    /// <summary>What <see cref="RollbackAsync"/> would run.</summary>
    /// <exception cref="ProblemException">As <see cref="MigrationPlan.Rollback"/>.</exception>
    public async Task<MigrationPlan> PlanRollbackAsync(RollbackRequest request, CancellationToken cancellationToken = default)
    {
        var history = await ReadAsync(HistoryColumns.Down, cancellationToken);
        return MigrationPlan.Rollback(_migrations, history, request);
    }

    /// <summary>Applies what is pending.</summary>
    /// <param name="request">What to apply.</param>
    /// <param name="confirmed">The plan that somebody has seen and agreed to; a run that would do more is refused.</param>
    /// <param name="cancellationToken">Cancels the running statement on the server; what isn't finished is rolled back.</param>
    /// <exception cref="ProblemException">
    /// As <see cref="MigrationPlan.Apply"/>; CG0410 the plan is another one by now; CG0501 another run holds the lock; CG0502 a statement failed;
    /// CG0503 or CG0504 a connection was lost; CG0505 to CG0508 what a non-transactional migration can't do; CG0509 a hot standby;
    /// CG0510 the history can't be created; CG0511 too old a server; CG0516 the server doesn't answer any more. What was finished before is kept.
    /// </exception>
    /// <exception cref="OperationCanceledException">The token was cancelled. What was finished before is kept.</exception>
    public Task<RunResult> ApplyAsync(PlanRequest request, MigrationPlan? confirmed = null, CancellationToken cancellationToken = default) =>
        RunAsync(history => MigrationPlan.Apply(_migrations, history, request), HistoryColumns.Plan, confirmed, cancellationToken);

    /// <summary>Rolls back, newest first. Down sections come from the files; where a file is gone, from the history.</summary>
    /// <inheritdoc cref="ApplyAsync"/>
    public Task<RunResult> RollbackAsync(RollbackRequest request, MigrationPlan? confirmed = null, CancellationToken cancellationToken = default) =>
        RunAsync(history => MigrationPlan.Rollback(_migrations, history, request), HistoryColumns.Down, confirmed, cancellationToken);

    /// <summary>Estimates what a rollback would destroy.</summary>
    /// <param name="plan">From <see cref="PlanRollbackAsync"/>.</param>
    /// <param name="cancellationToken">Cancels the counting.</param>
    public Task<IReadOnlyList<RollbackLoss>> EstimateLossAsync(MigrationPlan plan, CancellationToken cancellationToken = default) =>
        GuardAsync(
            async (_, stop) =>
            {
                await using var connection = await _database.ConnectAsync(stop);
                return await RollbackLoss.EstimateAsync(connection, plan, stop);
            },
            cancellationToken);

    /// <summary>Writes migrations into the history without running them: for a database that something else has built.</summary>
    /// <param name="to">The last version that the database has.</param>
    /// <param name="cancellationToken">Cancels the run.</param>
    /// <returns>The migrations that were not in the history before.</returns>
    /// <exception cref="ProblemException">CG0406 no migration has this number; CG0501, CG0509 to CG0511 as in <see cref="ApplyAsync"/>.</exception>
    public async Task<IReadOnlyList<Migration>> BaselineAsync(long to, CancellationToken cancellationToken = default)
    {
        RequireMigration(to);
        return await GuardAsync((patience, stop) => BaselineKnownAsync(to, patience, stop), cancellationToken);
    }

    /// <summary>Looks for a migration before a person is asked whether something is to be done up to it.</summary>
    /// <param name="version">Its number.</param>
    /// <exception cref="ProblemException">CG0406 no migration has this number.</exception>
    public void RequireMigration(long version)
    {
        if (!_migrations.Any(migration => migration.Version == version))
        {
            throw new ProblemException(MigrationPlan.NoSuchMigration(version, MigrationPlan.Compare(_migrations, HistorySnapshot.Empty)));
        }
    }

    private async Task<IReadOnlyList<Migration>> BaselineKnownAsync(long to, Patience patience, CancellationToken cancellationToken)
    {
        await using var connection = await MigrationRun.ConnectAsync(_database, _options, _events, cancellationToken);
        var (facts, before) = await patience.AnswerAsync(_history.ReadAsync(connection, HistoryColumns.Plan, before: [], cancellationToken));
        await using var run = await BeginAsync(connection, facts, patience, cancellationToken);
        var history = await patience.AnswerAsync(PrepareHistoryAsync(run, before.Exists, HistoryColumns.Plan, cancellationToken));
        var known = history.Rows.Select(row => row.Version).ToHashSet();
        var taken = _migrations.Where(migration => migration.Version <= to && !known.Contains(migration.Version)).ToList();
        if (taken.Count > 0)
        {
            var rows = taken.Select(migration => _history.Baseline(migration, run.Watch.Fence, _options.ToolVersion));
            await patience.AnswerAsync(WriteAsync(run, rows, cancellationToken));
        }

        return taken;
    }

    /// <summary>Settles an interrupted section by hand.</summary>
    /// <param name="version">The migration.</param>
    /// <param name="action">How.</param>
    /// <param name="confirmed">The interruption that somebody has seen and judged; another one is refused.</param>
    /// <param name="cancellationToken">Cancels the run.</param>
    /// <returns>What was settled.</returns>
    /// <exception cref="ProblemException">
    /// CG0410 another run has gone on meanwhile; CG0411 nothing of this migration was interrupted; CG0412 no statement of it had begun; CG0413 the
    /// statement still runs; CG0501, CG0509 as in <see cref="ApplyAsync"/>.
    /// </exception>
    public Task<Interruption> RepairAsync(long version, RepairAction action, Interruption? confirmed = null, CancellationToken cancellationToken = default) =>
        GuardAsync((patience, stop) => RepairLockedAsync(version, action, confirmed, patience, stop), cancellationToken);

    /// <summary>What there is to say of a migration that has nothing to settle.</summary>
    /// <param name="version">Its number.</param>
    public static Problem NotInterrupted(long version) => new(
        "CG0411", $"Nothing of migration {version:D4} was interrupted", Advice: "'chatgenius-db status' shows where every migration stands.");

    private async Task<Interruption> RepairLockedAsync(
        long version, RepairAction action, Interruption? confirmed, Patience patience, CancellationToken cancellationToken)
    {
        await using var connection = await MigrationRun.ConnectAsync(_database, _options, _events, cancellationToken);
        var (facts, _) = await patience.AnswerAsync(_history.ReadAsync(connection, HistoryColumns.Plan, before: [], cancellationToken));
        await using var run = await BeginAsync(connection, facts, patience, cancellationToken);
        var (_, history) = await patience.AnswerAsync(_history.ReadAsync(connection, HistoryColumns.Plan, before: [], cancellationToken));
        var interruption = history.Interruptions.FirstOrDefault(candidate => candidate.Version == version)
            ?? throw new ProblemException(NotInterrupted(version));
        if (action != RepairAction.Forget && !interruption.Started)
        {
            throw new ProblemException(
                "CG0412", $"Migration {version:D4} stands between two statements: nothing of the next one was begun",
                advice: "There is nothing to settle: 'chatgenius-db apply' or 'chatgenius-db rollback' goes on with it. --forget starts it from its beginning.");
        }

        RequireConfirmed(interruption, confirmed);
        await patience.AnswerAsync(RequireEndedAsync(connection, interruption, cancellationToken));
        await patience.AnswerAsync(WriteAsync(run, [_history.Repair(interruption, action)], cancellationToken));
        return interruption;
    }

    private static void RequireConfirmed(Interruption interruption, Interruption? confirmed)
    {
        if (confirmed is not null && interruption != confirmed)
        {
            throw new ProblemException(
                "CG0410", $"Migration {interruption.Version:D4} stands at another statement than was shown",
                advice: "Another run has gone on with it meanwhile. Look at it again with 'chatgenius-db repair'.");
        }
    }

    /// <summary>A server may still be at work for a tool that is gone, and nobody can say yet how that will end.</summary>
    private static async Task RequireEndedAsync(NpgsqlConnection connection, Interruption interruption, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "SELECT pid FROM pg_catalog.pg_stat_activity WHERE pid = $1 AND backend_start = $2 AND coalesce(state, '') NOT LIKE 'idle%'", connection)
        {
            Parameters = { new NpgsqlParameter<int> { TypedValue = interruption.Pid }, new NpgsqlParameter<DateTime> { TypedValue = interruption.BackendStart } },
        };
        if (interruption.Started && await command.ExecuteScalarAsync(cancellationToken) is int pid)
        {
            throw new ProblemException(
                "CG0413",
                $"Statement {interruption.Statement} of migration {interruption.Version:D4} still runs on the server, as pid {pid}",
                advice: $"Wait for its end, or end it with SELECT pg_terminate_backend({pid}), and look what it has done.");
        }
    }

    private Task<HistorySnapshot> ReadAsync(HistoryColumns columns, CancellationToken cancellationToken) => GuardAsync(
        async (patience, stop) =>
        {
            await using var connection = await _database.ConnectAsync(stop);
            var (_, history) = await patience.AnswerAsync(_history.ReadAsync(connection, columns, before: [], stop));
            return history;
        },
        cancellationToken);

    /// <summary>
    /// What the server refuses outside of migrations, such as reading the history, is a problem too; and so is a server that answers nothing.
    /// </summary>
    private async Task<T> GuardAsync<T>(Func<Patience, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        var patience = new Patience(_options.AnswerTimeout);
        // Npgsql's callbacks for a cancelled token may block; they have to do so elsewhere than in whoever cancels.
        var stop = new CancellationTokenSource();
        using var onCancel = cancellationToken.Register(() =>
        {
            _ = stop.CancelAsync();
            _ = patience.EndAfterAsync(_options.CancelTimeout);
        });
        try
        {
            return await patience.AwaitAsync(work(patience, stop.Token));
        }
        catch (PostgresException e) when (!RunProblem.EndsSession(e) && e.SqlState != PostgresErrorCodes.QueryCanceled)
        {
            throw new ProblemException(
                "CG0513",
                $"The history in schema {SqlIdentifier.Quote(_options.HistorySchema)} can't be read: {e.MessageText} (SQLSTATE {e.SqlState})",
                advice: DiskFull.Is(e) ? DiskFull.Advice
                        : e.SqlState == PostgresErrorCodes.UndefinedTable ? "A part of it is gone. Bring it back from a backup: without it nobody knows what was applied."
                        : "Connect as a role that may read it; --history-schema says where it is.",
                cause: e);
        }
        catch (NpgsqlException e)
        {
            throw new ProblemException(
                "CG0514",
                $"The connection was lost: {(e is PostgresException refused ? refused.MessageText : (e.InnerException ?? e).Message)}",
                advice: "No migration was under way. Run the same command again: it looks what is there.", cause: e);
        }
    }

    private Task<RunResult> RunAsync(
        Func<HistorySnapshot, MigrationPlan> decide, HistoryColumns columns, MigrationPlan? confirmed, CancellationToken cancellationToken) =>
        GuardAsync((patience, stop) => RunUnguardedAsync(decide, columns, confirmed, patience, stop), cancellationToken);

    private async Task<RunResult> RunUnguardedAsync(
        Func<HistorySnapshot, MigrationPlan> decide, HistoryColumns columns, MigrationPlan? confirmed, Patience patience, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        await using var connection = await MigrationRun.ConnectAsync(_database, _options, _events, cancellationToken);
        // Most runs find nothing to do. They need no lock, and no second connection.
        var (facts, history) = await patience.AnswerAsync(_history.ReadAsync(connection, columns, before: [], cancellationToken));
        var plan = decide(history);
        if (plan.Steps.Count == 0)
        {
            return new RunResult(plan, [], clock.Elapsed);
        }

        await using var run = await BeginAsync(connection, facts, patience, cancellationToken);
        // While we waited for the lock, another run may have done it all.
        plan = decide(await patience.AnswerAsync(PrepareHistoryAsync(run, history.Exists, columns, cancellationToken)));
        RequireConfirmed(plan, confirmed);
        await run.RunAsync(plan.Steps, cancellationToken);
        return new RunResult(plan, run.Finished, clock.Elapsed);
    }

    private async Task<MigrationRun> BeginAsync(NpgsqlConnection connection, ServerFacts facts, Patience patience, CancellationToken cancellationToken)
    {
        const int OldestServer = 120000;
        if (facts.IsInRecovery)
        {
            throw new ProblemException(
                "CG0509", $"The server of database {SqlIdentifier.Quote(facts.DatabaseName)} is a hot standby, which takes no writes",
                advice: "Connect to the primary; with several hosts in the URL, target_session_attrs=read-write finds it.");
        }

        if (facts.VersionNumber < OldestServer)
        {
            throw new ProblemException(
                "CG0511", $"The server is PostgreSQL {facts.VersionNumber / 10000}; version 12 is the oldest that is supported",
                advice: "Upgrade the server.");
        }

        return await MigrationRun.BeginAsync(connection, _database, facts, _options, patience, _events, cancellationToken);
    }

    /// <summary>Reads the history under the lock, and makes its tables where they are missing, in one round trip.</summary>
    /// <param name="run">The run.</param>
    /// <param name="exists">Whether its tables were there before we had the lock.</param>
    /// <param name="columns">How much of each row is read.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    private async Task<HistorySnapshot> PrepareHistoryAsync(MigrationRun run, bool exists, HistoryColumns columns, CancellationToken cancellationToken)
    {
        string[] commands = [.. exists ? [] : _history.CreateStatements(), .. _history.WaitForWriters()];
        try
        {
            return (await _history.ReadAsync(run.Connection, columns, InTransaction(run, commands), cancellationToken)).History;
        }
        catch (PostgresException e) when (!exists && e.SqlState is PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.UniqueViolation)
        {
            await run.RollbackAsync();
            var (_, history) = await _history.ReadAsync(run.Connection, columns, before: [], cancellationToken);
            if (history.Exists)
            {
                // The run that had the lock before us has made them; it may have been dead already when its commit came through.
                return await PrepareHistoryAsync(run, exists: true, columns, cancellationToken);
            }

            throw e.SqlState == PostgresErrorCodes.UniqueViolation ? Unwritable(e) : new ProblemException(
                "CG0510", $"The history's schema {SqlIdentifier.Quote(_options.HistorySchema)} can't be created: {e.MessageText}",
                advice: $"Let the database's owner run: GRANT CREATE ON DATABASE {SqlIdentifier.Quote(run.Facts.DatabaseName)} TO {SqlIdentifier.Quote(_database.Url.UserName)}",
                cause: e);
        }
        catch (PostgresException e)
        {
            throw Unwritable(e);
        }
    }

    private static IEnumerable<string> InTransaction(MigrationRun run, IEnumerable<string> commands) =>
        ["BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", $"SELECT {run.Settings(local: true)}", .. commands, "COMMIT"];

    /// <summary>Runs commands of our own in a transaction of their own.</summary>
    private static async Task WriteAsync(MigrationRun run, IEnumerable<NpgsqlBatchCommand> commands, CancellationToken cancellationToken)
    {
        var pipeline = new SqlPipeline<string>(run.Connection);
        pipeline.Add("", "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
        pipeline.Add("", $"SELECT {run.Settings(local: true)}");
        foreach (var command in commands)
        {
            pipeline.Add("", command);
        }

        pipeline.Add("", "COMMIT");
        try
        {
            await pipeline.RunAsync(run.Watch.Marker, static _ => { }, cancellationToken);
        }
        catch (SqlPipelineException<string> e)
        {
            throw Unwritable(e.Error);
        }
    }

    private static ProblemException Unwritable(PostgresException e) => new(
        MigrationWatch.IsFence(e) ? RunProblem.LockLost(null)
        : RunProblem.EndsSession(e) ? RunProblem.ConnectionLost(null, e)
        : new Problem(
            "CG0512",
            $"The history can't be written: {e.MessageText} (SQLSTATE {e.SqlState})",
            Advice: (DiskFull.Is(e) ? DiskFull.Advice + " " : e.SqlState == PostgresErrorCodes.InsufficientPrivilege ? "Connect as a role that may write it. " : "")
                + "Nothing was changed."),
        e);

    private static void RequireConfirmed(MigrationPlan plan, MigrationPlan? confirmed)
    {
        if (confirmed is null)
        {
            return;
        }

        var agreed = confirmed.Steps.Select(step => (step.Version, step.Direction, step.Section.Checksum)).ToHashSet();
        if (plan.Steps.FirstOrDefault(step => !agreed.Contains((step.Version, step.Direction, step.Section.Checksum))) is { } other)
        {
            throw new ProblemException(
                "CG0410", $"The plan is another one than was shown: {other.Id} came in",
                advice: "Somebody else changed the database meanwhile. Look at the plan again.");
        }
    }

    /// <summary>The run and its watch tell what they see from two flows.</summary>
    private sealed class OneAtATime(IProgress<MigrationEvent> inner) : IProgress<MigrationEvent>
    {
        private readonly Lock _gate = new();

        public void Report(MigrationEvent value)
        {
            lock (_gate)
            {
                inner.Report(value);
            }
        }
    }
}
