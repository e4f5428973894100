using System.Diagnostics;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Migrations;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db;

/// <summary>What a run did.</summary>
/// <param name="Plan">What it was to do, as found under the lock.</param>
/// <param name="Finished">What it did, in order, with the time that each took on the server.</param>
/// <param name="Elapsed">How long the run took, connecting and waiting included.</param>
public sealed record RunResult(MigrationPlan Plan, IReadOnlyList<(MigrationStep Step, TimeSpan Duration)> Finished, TimeSpan Elapsed);

/// <summary>
/// The front door to everything that touches migrations in a database. Each method opens its own connections and closes
/// them; nothing is kept in between.
/// </summary>
public sealed partial class Migrator
{
    private readonly Database _database;
    private readonly IReadOnlyList<Migration> _migrations, _repeatables;
    private readonly MigratorOptions _options;
    private readonly OneAtATime? _events;

    /// <summary>Reads the migrations, and prepares to work on a database.</summary>
    /// <param name="url">A <c>postgres://</c> URL, libpq's <c>host=… dbname=…</c>, or a connection string of Npgsql.</param>
    /// <param name="source">Where the migrations are.</param>
    /// <param name="options">Limits and names; the defaults when left out.</param>
    /// <param name="events">Gets what a run does while it does it, one at a time; see
    /// <see cref="MigrationEvent.To(Action{MigrationEvent})"/>.</param>
    /// <exception cref="ProblemException">CG0601 to CG0604 the URL can't be read; CG03xx the migrations can't.</exception>
    public Migrator(
        string url, MigrationSource source, MigratorOptions? options = null, IProgress<MigrationEvent>? events = null)
        : this(new Database(DatabaseUrl.Parse(url, "url")), source.Load(out var repeatables), options, events, repeatables)
    {
    }

    /// <summary>Reads the migrations, and prepares to work on the database of an application's data source.</summary>
    /// <param name="dataSource">Gives servers, role, password and certificates. Runs have connections of their own, outside its pool, and
    /// take as long as they take, whatever its command timeout is.</param>
    /// <param name="source">Where the migrations are.</param>
    /// <param name="options">Limits and names; the defaults when left out.</param>
    /// <param name="events">As for the other constructor.</param>
    /// <inheritdoc cref="Migrator(string, MigrationSource, MigratorOptions, IProgress{MigrationEvent})" path="/exception"/>
    public Migrator(
        NpgsqlDataSource dataSource, MigrationSource source, MigratorOptions? options = null, IProgress<MigrationEvent>? events = null)
        : this(new Database(DatabaseUrl.Of(dataSource)), source.Load(out var repeatables), options, events, repeatables)
    {
    }

    /// <summary>Prepares to work on a database.</summary>
    /// <param name="database">The database.</param>
    /// <param name="migrations">The files, by number, each number once; see <see cref="MigrationSource"/>.</param>
    /// <param name="options">Limits and names; the defaults when left out.</param>
    /// <param name="events">Told what a run does while it does it; never by two threads at once.</param>
    /// <param name="repeatables">The repeatable objects, by name.</param>
    internal Migrator(
        Database database, IReadOnlyList<Migration> migrations, MigratorOptions? options = null, IProgress<MigrationEvent>? events = null,
        IReadOnlyList<Migration>? repeatables = null)
    {
        _database = database;
        _migrations = migrations;
        _repeatables = repeatables ?? [];
        _options = options ?? new MigratorOptions();
        _events = events is null ? null : new OneAtATime(events);
    }

    /// <summary>Creates the database where its server has none of this name; two calls at the same time create one.</summary>
    /// <returns>Whether it was created.</returns>
    /// <exception cref="ProblemException">CG0610 to CG0629 the server can't be reached; CG0630 it refuses.</exception>
    public Task<bool> CreateDatabaseAsync(CancellationToken cancellationToken = default) =>
        _database.CreateAsync(cancellationToken: cancellationToken);

    /// <summary>Where every migration stands. Reads only; works on a hot standby and while another run holds the lock.</summary>
    public async Task<IReadOnlyList<MigrationStatus>> StatusAsync(CancellationToken cancellationToken = default) =>
        await InSessionAsync(ReadStatusAsync, cancellationToken);

    /// <summary>What <see cref="ApplyAsync"/> would run.</summary>
    /// <exception cref="ProblemException">CG04xx: the history and the files do not fit together; CG0534: something of a section with
    /// <c>keep:true</c> can't be kept.</exception>
    public async Task<MigrationPlan> PlanAsync(PlanRequest? request = null, CancellationToken cancellationToken = default)
    {
        request ??= new PlanRequest();
        return await InSessionAsync(
            async (session, stop) =>
            {
                var plan = await KeptWork.ForecastAsync(session, MigrationPlan.Apply(
                    _migrations,
                    await LookAsync(session, await session.ReadAsync(HistoryColumns.Plan, quick: true), request.Fresh, stop),
                    request, _repeatables), stop);
                var usage = await new UnusedGate(session, _database.Url, _options).JudgeAsync(plan, stop);
                return usage.Count == 0 ? plan : plan with { Remarks = [.. plan.Remarks, .. usage.Select(one => one.Verdict.Message)] };
            },
            cancellationToken);
    }

    /// <summary>What <see cref="RollbackAsync"/> would run.</summary>
    /// <exception cref="ProblemException">As <see cref="MigrationPlan.Rollback"/>.</exception>
    public async Task<MigrationPlan> PlanRollbackAsync(RollbackRequest request, CancellationToken cancellationToken = default)
    {
        var history = await ReadAsync(HistoryColumns.Down, cancellationToken);
        return MigrationPlan.Rollback(_migrations, history, request, _repeatables);
    }

    /// <summary>Applies what is pending.</summary>
    /// <param name="request">What to apply; everything that is pending when left out.</param>
    /// <param name="confirmed">The plan that somebody has seen and agreed to; a run that would do more is refused.</param>
    /// <param name="cancellationToken">Cancels the running statement on the server; what isn't finished is rolled back.</param>
    /// <exception cref="ProblemException">
    /// As <see cref="MigrationPlan.Apply"/>; CG0410 the plan is another one by now; CG0501 another run holds the lock; CG0502 a statement
    /// failed;
    /// CG0503 or CG0504 a connection was lost; CG0505 to CG0508 what a non-transactional migration can't do; CG0509 a hot standby;
    /// CG0510 the history can't be created; CG0511 too old a server; CG0516 the server doesn't answer any more. What was finished before is
    /// kept.
    /// </exception>
    /// <exception cref="OperationCanceledException">The token was cancelled. What was finished before is kept.</exception>
    public Task<RunResult> ApplyAsync(PlanRequest? request = null, MigrationPlan? confirmed = null,
        CancellationToken cancellationToken = default)
    {
        var asked = request ?? new PlanRequest();
        return RunAsync(
            history => MigrationPlan.Apply(_migrations, history, asked, _repeatables), HistoryColumns.Plan, confirmed, cancellationToken,
            looks: !asked.Fresh);
    }

    /// <summary>Rolls back, newest first. Down sections come from the files; where a file is gone, from the history.</summary>
    /// <inheritdoc cref="ApplyAsync"/>
    public Task<RunResult> RollbackAsync(RollbackRequest request, MigrationPlan? confirmed = null,
        CancellationToken cancellationToken = default) =>
        RunAsync(
            history => MigrationPlan.Rollback(_migrations, history, request, _repeatables), HistoryColumns.Down, confirmed,
            cancellationToken);

    /// <summary>What <see cref="RedoAsync"/> would run.</summary>
    /// <exception cref="ProblemException">As <see cref="MigrationPlan.Redo"/>.</exception>
    internal async Task<MigrationPlan> PlanRedoAsync(RedoRequest request, CancellationToken cancellationToken = default)
    {
        var history = await ReadAsync(HistoryColumns.Redo, cancellationToken);
        return MigrationPlan.Redo(_migrations, history, request, _repeatables);
    }

    /// <summary>Undoes migrations and applies them again: in one transaction, where all of it can run in one.</summary>
    /// <inheritdoc cref="ApplyAsync"/>
    internal Task<RunResult> RedoAsync(
        RedoRequest request, MigrationPlan? confirmed = null, CancellationToken cancellationToken = default) =>
        RunAsync(
            history => MigrationPlan.Redo(_migrations, history, request, _repeatables), HistoryColumns.Redo, confirmed, cancellationToken);

    /// <summary>Everything that was done and tried, oldest first; nothing where the history is of an older layout.</summary>
    /// <exception cref="ProblemException">CG0519: only its owner may read it.</exception>
    internal Task<IReadOnlyList<LogEntry>> LogAsync(CancellationToken cancellationToken = default) =>
        InSessionAsync((session, stop) => session.History.ReadLogAsync(session.Connection, stop), cancellationToken);

    /// <summary>The statements in batches that were begun and not finished; and asks something of them, where something is to be
    /// asked.</summary>
    /// <param name="control">Makes what is asked of what was asked before; <c>null</c> to look only.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    internal Task<IReadOnlyList<BatchState>> BatchesAsync(
        Func<BatchControl, BatchControl>? control = null, CancellationToken cancellationToken = default) => InSessionAsync(
        async (session, stop) =>
        {
            var interrupted = (await session.ReadAsync(HistoryColumns.Plan)).Interruptions;
            var inner = Session.Over(session.Connection, "reading how far batches are");
            var states = (await session.History.ReadBatchesAsync(inner, waitForWriters: false, stop))
                .Where(state => !state.Finished && interrupted.Any(at => at.Started
                    && (at.Version, at.Direction, at.Statement) == (state.Version, state.Direction, state.Statement))).ToList();
            for (var i = 0; i < states.Count && control is not null; i++)
            {
                var asked = control(BatchControl.Parse(states[i].Control));
                await session.History.ControlBatchesAsync(inner, states[i], asked, stop);
                states[i] = states[i] with { Control = asked.ToString() };
            }

            return (IReadOnlyList<BatchState>)states;
        },
        cancellationToken);

    /// <summary>Reads what was applied in the place of a migration that was edited since.</summary>
    /// <param name="version">Its number.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <returns>The file, and the up section as applied with its passwords masked; <c>null</c> where the history has not kept it.</returns>
    /// <exception cref="ProblemException">CG0406 no migration has this number; CG0417 it was not edited, or is another one.</exception>
    internal Task<(Migration File, string? Applied)> ReadEditAsync(long version, CancellationToken cancellationToken = default)
    {
        RequireMigration(version);
        return InSessionAsync(
            async (session, stop) =>
            {
                var file = EditedFile(await session.ReadAsync(HistoryColumns.Plan), version);
                return (file, await session.History.ReadUpAsync(session.Connection, version, stop));
            },
            cancellationToken);
    }

    /// <summary>Takes an edited file over as what was applied, without running anything.</summary>
    /// <inheritdoc cref="ReadEditAsync"/>
    internal Task<Migration> AcceptAsync(long version, CancellationToken cancellationToken = default)
    {
        RequireMigration(version);
        return InSessionAsync(
            async (session, _) =>
            {
                await session.ReadAsync(HistoryColumns.Plan);
                await session.LockAsync();
                var history = await session.PrepareAsync(HistoryColumns.Plan);
                var file = EditedFile(history, version);
                var before = history.Rows.First(row => row.Version == version).Checksum;
                await session.WriteAsync(
                    session.History.Accept(file, session.Lock.Fence),
                    session.History.LogEntry(new LogEntry(
                        "accepted", "repair", version, file.Name, Duration: null, _options.ToolVersion,
                            Detail: $"checksum {before} to {file.Up.Checksum}")));
                return file;
            },
            cancellationToken);
    }

    private Migration EditedFile(HistorySnapshot history, long version)
    {
        var status = MigrationPlan.Compare(_migrations, history).First(candidate => candidate.Version == version);
        return status.State == MigrationState.Edited && status.Row!.Name == status.Migration!.Name ? status.Migration
            : throw new ProblemException(
            "CG0417",
            status.State == MigrationState.Edited
                ? $"{status.Migration!.Id} is not {MigrationPlan.FormatId(version, status.Row!.Name)}, which was applied"
                : $"{status.Migration?.Id ?? MigrationPlan.FormatId(version, status.Name)} was not edited after it was applied",
            advice: $"There is nothing to take over; {new ToolCall("status")} shows the state of every migration.");
    }

    /// <summary>Looks for a migration before a person is asked whether something is to be done up to it.</summary>
    /// <param name="version">Its number.</param>
    /// <exception cref="ProblemException">CG0406 no migration has this number.</exception>
    internal void RequireMigration(long version)
    {
        if (!_migrations.Any(migration => migration.Version == version))
        {
            throw new ProblemException(PlanProblem.NoSuchMigration(version, MigrationPlan.Compare(_migrations, HistorySnapshot.Empty)));
        }
    }

    /// <summary>Settles an interrupted section by hand.</summary>
    /// <param name="version">The migration.</param>
    /// <param name="action">How.</param>
    /// <param name="confirmed">The interruption that somebody has seen and judged; another one is refused.</param>
    /// <param name="cancellationToken">Cancels the run.</param>
    /// <returns>What was settled.</returns>
    /// <exception cref="ProblemException">
    /// CG0410 another run has gone on meanwhile; CG0411 nothing of this migration was interrupted; CG0412 no statement of it had begun;
    /// CG0413 the statement still runs; CG0501, CG0509 as in <see cref="ApplyAsync"/>.
    /// </exception>
    internal Task<Interruption> RepairAsync(long version, RepairAction action, Interruption? confirmed = null,
        CancellationToken cancellationToken = default) =>
        InSessionAsync((session, stop) => RepairAsync(session, version, action, confirmed, stop), cancellationToken);

    /// <summary>What there is to say of a migration that has nothing to settle.</summary>
    /// <param name="version">Its number.</param>
    internal static Problem NotInterrupted(long version) => new(
        "CG0411", $"Nothing of migration {version:D4} was interrupted",
            Advice: "'chatgenius-db status' shows the state of every migration.");

    private async Task<Interruption> RepairAsync(
        MigrationSession session, long version, RepairAction action, Interruption? confirmed, CancellationToken cancellationToken)
    {
        await session.ReadAsync(HistoryColumns.Plan);
        await session.LockAsync();
        var history = await session.PrepareAsync(HistoryColumns.Plan);
        var interruption = history.Interruptions.FirstOrDefault(candidate => candidate.Version == version)
            ?? throw new ProblemException(NotInterrupted(version));
        if (action != RepairAction.Forget && !interruption.Started)
        {
            throw new ProblemException(
                "CG0412", $"Migration {version:D4} is between two statements: nothing of the next one was begun",
                advice: "There is nothing to settle: "
                    + (interruption.Direction == MigrationDirection.Up ? new ToolCall("apply") : new ToolCall("rollback"))
                    + " continues it. --forget starts it from its beginning.");
        }

        RequireConfirmed(interruption, confirmed);
        await RequireEndedAsync(session.Connection, interruption, cancellationToken);
        var entry = session.History.LogEntry(new LogEntry(
            "repaired", "repair", version, interruption.Name, Duration: null, _options.ToolVersion,
            Detail: $"{action.ToString().ToLowerInvariant()}: statement {interruption.Statement} of {interruption.Count}, "
                + $"{interruption.Direction.ToString().ToLowerInvariant()}"));
        await session.WriteAsync(session.History.Repair(interruption, action), entry);
        return interruption;
    }

    private static void RequireConfirmed(Interruption interruption, Interruption? confirmed)
    {
        if (confirmed is not null && interruption != confirmed)
        {
            throw new ProblemException(
                "CG0410",
                $"Migration {interruption.Version:D4} is at another statement than was shown",
                advice: "Another run has continued it. Look at it again with 'chatgenius-db repair'.");
        }
    }

    /// <summary>A server may still be at work for a tool that is gone, and nobody can say yet how that will end.</summary>
    private static async Task RequireEndedAsync(NpgsqlConnection connection, Interruption interruption, CancellationToken cancellationToken)
    {
        // As the role that logged in, which the session may not begin as: another one doesn't see when its backends were started.
        var pid = await Session.Over(connection, "looking for the interrupted statement").ReadAsync(
            [
                "SET LOCAL ROLE NONE",
                new SqlQuery(
                    """
                    SELECT pid FROM pg_catalog.pg_stat_activity
                    WHERE pid = $1 AND backend_start = $2 AND coalesce(state, '') NOT LIKE 'idle%'
                    """,
                    interruption.Pid, interruption.BackendStart),
            ],
            async reader => await reader.ReadAsync(cancellationToken) ? reader.GetInt32(0) : 0,
            cancellationToken);
        if (interruption.Started && pid != 0)
        {
            throw new ProblemException(
                "CG0413",
                    $"Statement {interruption.Statement} of migration {interruption.Version:D4} still runs on the server, as pid {pid}",
                advice: $"Wait for its end, or end it with SELECT pg_terminate_backend({pid}), and look what it has done.");
        }
    }

    private Task<HistorySnapshot> ReadAsync(HistoryColumns columns, CancellationToken cancellationToken) =>
        InSessionAsync(
            async (session, stop) => await LookAsync(session, await session.ReadAsync(columns), fresh: true, stop, undoes: true),
            cancellationToken);

    private Task<RunResult> RunAsync(
        Func<HistorySnapshot, MigrationPlan> decide, HistoryColumns columns, MigrationPlan? confirmed,
            CancellationToken cancellationToken, bool looks = false) => GuardAsync(
        async (limit, stop) =>
        {
            await using var session = await MigrationSession.OpenAsync(_database, _options, limit, _events, stop);
            return await RunAsync(session, limit, decide, columns, confirmed, looks, stop);
        },
        cancellationToken);

    private Task<T> InSessionAsync<T>(Func<MigrationSession, CancellationToken, Task<T>> work, CancellationToken cancellationToken) =>
        GuardAsync(
        async (limit, stop) =>
        {
            await using var session = await MigrationSession.OpenAsync(_database, _options, limit, _events, stop);
            return await work(session, stop);
        },
        cancellationToken);

    /// <summary>
    /// What the server refuses outside of migrations, such as reading the history, is a problem too; and so is a server that answers
    /// nothing.
    /// </summary>
    private async Task<T> GuardAsync<T>(Func<AnswerLimit, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        var limit = new AnswerLimit(_options.AnswerTimeout);
        // Npgsql's callbacks for a cancelled token may block; they have to do so elsewhere than in the flow that cancels.
        var stop = new CancellationTokenSource();
        using var onCancel = cancellationToken.Register(() =>
        {
            _ = stop.CancelAsync();
            _ = limit.EndAfterAsync(_options.CancelTimeout);
        });
        try
        {
            return await limit.AwaitAsync(work(limit, stop.Token));
        }
        catch (PostgresException e) when (!SessionProblem.EndsSession(e)
            && SessionProblem.From("preparing the run", e, isOpen: true) is { } problem)
        {
            throw new ProblemException(problem, e);
        }
        catch (NpgsqlException e)
        {
            throw new ProblemException(
                "CG0514",
                    $"The connection was lost: {(e is PostgresException refused ? refused.MessageText : (e.InnerException ?? e).Message)}",
                advice: "No migration was running. Run the same command again: it looks what is there.", cause: e);
        }
    }

    /// <summary>The run and its watch report what they see from two flows.</summary>
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
