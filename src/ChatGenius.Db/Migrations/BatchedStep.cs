using System.Diagnostics;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Sql;
using Npgsql;
using Command = ChatGenius.Db.Migrations.StepCommand;

namespace ChatGenius.Db.Migrations;

/// <summary>
/// Runs one section in batches: its statements one by one, each in a transaction of its own together with its mark in the journal, and one
/// of them in slices along a key, each slice in a transaction of its own together with its progress. So that after a crash at any moment
/// the next run goes on where this one was, and no slice runs twice.
/// </summary>
/// <remarks>
/// Nothing is left in the session between two transactions, so a pooler may stand in front of the server. A slice is looked for in its own
/// transaction, right before the statement: it begins after the last key of the slice before, whatever has come in between.
/// </remarks>
/// <param name="session">Where; it has the lock.</param>
/// <param name="step">The section.</param>
/// <param name="options">What is recorded with it.</param>
/// <param name="watch">Sees who waits for us.</param>
/// <param name="events">Told of each statement and each slice.</param>
/// <param name="kept">What is kept of rows, and put back.</param>
internal sealed class BatchedStep(
    MigrationSession session, MigrationStep step, MigratorOptions options, MigrationWatch watch, IProgress<MigrationEvent>? events,
    KeptWork kept)
{
    private readonly IReadOnlyList<SqlStatement> _statements = step.Section.Script.Statements;
    private readonly BatchOptions _batch = step.Section.Batch!;
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    // The first statement that isn't known to be done, counted from 0, and whether it was begun.
    private int _next;
    private bool _begun, _asText;
    private Func<int, SqlStatement?, IEnumerable<Command>> _around = (_, statement) => statement is null ? [] : [statement];
    private BatchSize? _size;
    private BatchPace? _pace;
    private BatchVacuum? _vacuum;

    // Whether something was done since the last refusal, and whether this pass has changed a row or an earlier run may have.
    private bool _advanced;
    private bool? _changes;

    /// <summary>The section.</summary>
    internal MigrationStep Step => step;

    private string Fence => session.Lock.Fence;
    private string Marker => session.Lock.Marker;

    /// <summary>Looks, before a plan runs, at the keys of the batches in it whose tables nothing before them mentions.</summary>
    /// <exception cref="ProblemException">CG0323, CG0521.</exception>
    internal static async Task CheckAsync(MigrationSession session, IReadOnlyList<MigrationStep> steps, MigratorOptions options,
        CancellationToken cancellationToken)
    {
        var earlier = new List<SqlStatement>();
        foreach (var step in steps)
        {
            var statements = step.Section.Script.Statements;
            if (step.Section.Batch is { } batch)
            {
                var table = batch.Table[(batch.Table.LastIndexOf('.') + 1)..].Trim('"');
                earlier.AddRange(statements.Take(batch.Statement));
                RequireTransactions(step);
                if (step.Resume is null && !earlier.Exists(statement => statement.Text.Contains(table, StringComparison.OrdinalIgnoreCase)))
                {
                    var at = new BatchedStep(session, step, options, null!, null, null!) { _next = batch.Statement };
                    try
                    {
                        await at.FindKeyAsync(cancellationToken);
                    }
                    catch (SqlPipelineException<MigrationStep>)
                    {
                        // What a statement before it sets is refused; the run says so with its place.
                        await at.AbandonAsync();
                    }
                }
            }

            earlier.AddRange(statements);
        }
    }

    /// <summary>Runs what is left of the section. After it was refused it may be called again and goes on.</summary>
    /// <param name="attempts">How often it was tried before.</param>
    /// <param name="cancellationToken">Keeps the next slice from beginning.</param>
    /// <exception cref="ProblemException">CG0521 to CG0523.</exception>
    /// <exception cref="NpgsqlException">The connection was lost.</exception>
    internal async Task<StepsOutcome> RunAsync(int attempts, CancellationToken cancellationToken)
    {
        try
        {
            (_next, _begun) = await session.History.ReadProgressAsync(session.Connection, step.Version, cancellationToken);
            _around = await kept.PlanAsync(step, cancellationToken) ?? _around;
            await RunStatementsAsync(attempts, cancellationToken);
            return new StepsOutcome.Ended([(step, _clock.Elapsed)]);
        }
        catch (SqlPipelineException<MigrationStep> e)
        {
            var afterwards = await AbandonAsync();
            if (!_asText && afterwards is null && SqlPipeline<MigrationStep>.WantsText(e.Error))
            {
                _asText = true;
                return await RunAsync(attempts, cancellationToken);
            }

            _size?.Halve();
            (var advanced, _advanced) = (_advanced, false);
            return new StepsOutcome.Refused([], e, afterwards) { Advanced = advanced };
        }
        catch (OperationCanceledException)
        {
            await AbandonAsync();
            return new StepsOutcome.Cancelled([], step);
        }
    }

    private async Task RunStatementsAsync(int attempts, CancellationToken cancellationToken)
    {
        await (_next == 0 && !_begun ? AskAsync(isAfter: false, cancellationToken) : Task.CompletedTask);
        for (; _next < _statements.Count; (_next, _begun) = (_next + 1, false))
        {
            var statement = _statements[_next];
            events?.Report(new MigrationEvent.StatementStarted(step, _next + 1, _statements.Count, statement.Location));
            if (_next == _batch.Statement)
            {
                await RunBatchesAsync(cancellationToken);
            }
            else
            {
                IEnumerable<Command> commands = [.. Begin(), .. _around(_next, statement), .. AsOurselves()];
                await SendAsync([.. commands, Mark(_next, done: true), "COMMIT"], cancellationToken);
            }

            _advanced = true;
        }

        await AskAsync(isAfter: true, cancellationToken);
        var record = session.History.Record(step, _clock.Elapsed, attempts, options, Fence, Marker);
        IEnumerable<Command> last = [.. Begin(), .. _around(_statements.Count, null), .. AsOurselves()];
        await SendAsync([.. last, session.History.ClearJournal(step.Version), record, "COMMIT"], cancellationToken);
    }

    private Task AskAsync(bool isAfter, CancellationToken cancellationToken) => step.Section.Assertions.Count == 0 ? Task.CompletedTask
        : SendAsync([.. Begin(), .. Command.Asked(step, isAfter), "COMMIT"], cancellationToken);

    private async Task RunBatchesAsync(CancellationToken cancellationToken)
    {
        if (!session.History.Place.Has("batches"))
        {
            throw new ProblemException(
                "CG0523", $"The history in schema {session.History.Schema} is of an older layout, which keeps no progress of batches",
                step.Section.Where, "Let a role that may upgrade it run 'chatgenius-db apply' once.");
        }

        var key = await FindKeyAsync(cancellationToken);
        var state = _begun ? await ReadStateAsync(cancellationToken) : null;
        if (state is null)
        {
            if (step.Direction == MigrationDirection.Down && _around(_next, null).ToList() is { Count: > 0 } restores)
            {
                await SendAsync([.. Begin(), .. restores, .. AsOurselves(), "COMMIT"], cancellationToken);
            }

            state = await BeginAsync(key, cancellationToken);
        }
        else if (!state.Key.SequenceEqual(key.Names))
        {
            throw new ProblemException(
                "CG0522", $"{step.Id} went through {state.Key[0]} by {string.Join(", ", state.Key.Skip(1))} when it was interrupted, "
                    + $"and would go on through {key.Table} by {string.Join(", ", key.Columns)}", step.Section.Where,
                $"Go on as it began, or start from the first row: {new ToolCall("repair", $"{step.Version}", "--again")}.");
        }

        _changes ??= _begun;
        _begun = true;
        _size ??= new BatchSize(_batch.Size, _batch.Target, state.Size > 0 ? state.Size : null);
        _pace ??= new BatchPace(session, step, options.Batches, events);
        _vacuum ??= new BatchVacuum(session, key, step, events);
        while (!state.Finished)
        {
            state = await _pace.WaitAsync(key, state, cancellationToken);
            var clock = Stopwatch.StartNew();
            state = await SliceAsync(key, state, cancellationToken);
            var worked = clock.Elapsed;
            events?.Report(new MigrationEvent.Batches(step, state, Pause: null));
            if (!state.Finished)
            {
                if (await _vacuum.AfterAsync(state, cancellationToken))
                {
                    // VACUUM estimates again, from the pages that it has looked at.
                    var read = await ReadStateAsync(cancellationToken) ?? throw Lost();
                    state = read with { Total = Math.Max(read.Total ?? 0, state.Total ?? 0) is > 0 and var total ? total : null };
                }

                await _pace.RestAsync(state, worked, _batch.Pause, cancellationToken);
            }
        }
    }

    /// <summary>Takes the last key of all and notes that the statement is begun.</summary>
    private async Task<BatchState> BeginAsync(BatchKey key, CancellationToken cancellationToken)
    {
        string[]? upper = null;
        await SendAsync(
            [.. BeginForKeys(), key.SelectUpper(Marker)], cancellationToken, reader => upper = reader.GetFieldValue<string[]>(0));
        var state = new BatchState(step.Version, step.Direction, _next + 1, key.Names)
        {
            UpperKey = upper, Size = _batch.Size ?? 0, StartedAt = DateTime.UtcNow,
        };
        await SendAsync(
            [.. AsOurselves(), Mark(_next, done: false), session.History.BeginBatches(step, state, Fence), "COMMIT"], cancellationToken);
        return await ReadStateAsync(cancellationToken) ?? throw Lost();
    }

    /// <summary>Runs the statement for the next slice; where there is no row left, ends the pass.</summary>
    private async Task<BatchState> SliceAsync(BatchKey key, BatchState state, CancellationToken cancellationToken)
    {
        // Who cancels waits for its end.
        var ending = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        session.EndsFirst = ending.Task;
        try
        {
            if (state.UpperKey is not { } upper)
            {
                await SendAsync([.. BeginForKeys()], cancellationToken);
                return await EndPassAsync(key, state);
            }

            var (rows, first, last, wal) = (0L, Array.Empty<string>(), Array.Empty<string>(), "");
            await SendAsync(
                [.. BeginForKeys(), key.SelectSlice(Marker, state.LastKey, upper, Size(state))], cancellationToken, reader =>
                {
                    (rows, wal) = (reader.GetInt64(0), reader.GetString(3));
                    (first, last) = rows == 0 ? (first, last) : (reader.GetFieldValue<string[]>(1), reader.GetFieldValue<string[]>(2));
                });
            return rows == 0 ? await EndPassAsync(key, state)
                : await WriteAsync(key, state, (state.LastKey is null ? null : key.After(state.LastKey)) ?? first, last, rows, wal);
        }
        finally
        {
            ending.TrySetResult();
        }
    }

    private int Size(BatchState state) => Math.Min(_size!.Rows, BatchControl.Parse(state.Control).Size ?? int.MaxValue);

    private async Task<BatchState> WriteAsync(
        BatchKey key, BatchState state, IReadOnlyList<string> first, string[] last, long rows, string wal)
    {
        var clock = Stopwatch.StartNew();
        var statement = new SlicedStatement(_statements[_next], key.Literal(first), key.Literal(last));
        var commands = step.Direction == MigrationDirection.Up ? _around(_next, statement) : [statement];
        var changed = await SendAsync([.. BackFromKeys, .. SettingsBefore(), .. commands, .. AsOurselves()], CancellationToken.None);
        BatchState? after = null;
        await SendAsync(
            [session.History.AdvanceBatches(state, last, _size!.Rows, rows, changed, wal, Fence, Marker), "COMMIT"], CancellationToken.None,
            reader => after = state with
            {
                LastKey = last, Size = _size.Rows, Rows = state.Rows + rows, Changed = state.Changed + changed, Slices = state.Slices + 1,
                Control = reader.GetString(0), WalBytes = reader.GetInt64(1), Duration = TimeSpan.FromMilliseconds(reader.GetDouble(2)),
                ChangedAt = DateTime.UtcNow,
            });
        if (rows >= _size.Rows)
        {
            _size.Took(clock.Elapsed);
        }

        if (watch.TakeWaiting() > 0)
        {
            _size.Halve();
        }

        _advanced = true;
        _changes |= changed > 0;
        return after ?? throw Lost();
    }

    /// <summary>Begins another pass or ends the statement, in the transaction that found no row left.</summary>
    private async Task<BatchState> EndPassAsync(BatchKey key, BatchState state)
    {
        if (_batch.UntilNone && _changes != false)
        {
            string[]? upper = null;
            await SendAsync([key.SelectUpper(Marker)], CancellationToken.None, reader => upper = reader.GetFieldValue<string[]>(0));
            await SendAsync([.. AsOurselves(), session.History.BeginPass(state, upper, Fence), "COMMIT"], CancellationToken.None);
            _changes = false;
            return state with { LastKey = null, UpperKey = upper, Rows = 0, Pass = state.Pass + 1 };
        }

        var finished = state with { Finished = true };
        var entry = session.History.LogEntry(new LogEntry(
            "batched", step.Command, step.Version, step.Name, state.Duration, options.ToolVersion, Detail: finished.ToString()));
        await SendAsync(
            [
                .. AsOurselves(), session.History.FinishBatches(state, Fence), Mark(_next, done: true),
                .. entry is null ? Array.Empty<Command>() : [entry], "COMMIT",
            ],
            CancellationToken.None);
        return finished;
    }

    /// <summary>Brings the session back to where a new attempt can start.</summary>
    /// <returns>What failed in doing so.</returns>
    private async Task<Exception?> AbandonAsync()
    {
        try
        {
            await session.RollbackAsync();
            return null;
        }
        catch (NpgsqlException e)
        {
            return e;
        }
    }

    /// <summary>How far the batches are; a slice of an earlier run that is on its way is waited for.</summary>
    private async Task<BatchState?> ReadStateAsync(CancellationToken cancellationToken)
    {
        return (await session.History.ReadBatchesAsync(
            Session.Over(session.Connection, "reading how far the batches are"), waitForWriters: true, cancellationToken))
            .FirstOrDefault(new BatchState(step.Version, step.Direction, _next + 1, []).IsSame);
    }

    /// <exception cref="ProblemException">CG0323, CG0521.</exception>
    private async Task<BatchKey> FindKeyAsync(CancellationToken cancellationToken)
    {
        RequireTransactions(step);
        uint table = 0;
        await SendAsync(
            [
                .. Begin(),
                $"SELECT coalesce(pg_catalog.to_regclass({SqlLiteral.Quote(_batch.Table)})::pg_catalog.oid, 0::pg_catalog.oid) AS "
                    + $"\"{Marker}\"",
                "ROLLBACK",
            ],
            cancellationToken, reader => table = reader.GetFieldValue<uint>(0));
        return await BatchKey.ReadAsync(
            Session.Over(session.Connection, "looking for the key of the batches"), table, step.Section, cancellationToken);
    }

    private static void RequireTransactions(MigrationStep step)
    {
        if (step.Section.Script.Statements.FirstOrDefault(one => StatementKind.Of(one).Mode != StatementMode.InTransaction) is { } alone)
        {
            throw new ProblemException(
                "CG0323", $"{string.Join(' ', alone.Words(2))} can't be a statement of a section in batches", alone.Location,
                "Each of its statements runs in a transaction. Put this one into a migration of its own, with transaction:false.");
        }
    }

    private ProblemException Lost() => new(
        "CG0524", $"The progress of {step.Id} is not in the history any more", step.Section.Where,
        $"Somebody has changed {session.History.Schema}.batches. Find out how far the statement is before it runs again.");

    /// <summary>Begins a transaction as the section's own statements find it.</summary>
    private IEnumerable<Command> Begin() => [MigrationSession.Begin, .. OurSettings(), .. SettingsBefore()];

    private IEnumerable<Command> OurSettings() =>
        [$"SELECT {session.SettingCalls(local: true)}{(session.IsPooled ? $", {session.Lock.Sign}" : "")}"];

    /// <summary>What the statements before it have set holds for each transaction.</summary>
    private IEnumerable<Command> SettingsBefore() =>
        _statements.Take(_next).Where(NonTransactionalStep.IsSessionSetting).Select(statement => (Command)statement);

    /// <summary>Begins a transaction for queries of ours over keys.</summary>
    private IEnumerable<Command> BeginForKeys() =>
    [
        MigrationSession.Begin, .. OurSettings(),
        .. BatchKey.Settings.Select(setting => (Command)$"SET LOCAL {setting.Name} = {setting.Value}"),
    ];

    /// <summary>What the session began with holds again.</summary>
    private static readonly Command[] BackFromKeys =
        [.. BatchKey.Settings.Select(setting => (Command)$"SET LOCAL {setting.Name} TO DEFAULT")];

    /// <summary>The progress is written as the role that the session began with, and what COMMIT checks has our limits.</summary>
    private IEnumerable<Command> AsOurselves() => [.. MigrationSession.Reset.Select(sql => (Command)sql), .. OurSettings(), .. Held];

    private IEnumerable<Command> Held => session.History.HoldAll().Select(sql => (Command)sql);

    /// <summary>Nothing depends on which backend it was: what is not committed is undone, and what is committed has its progress.</summary>
    private NpgsqlBatchCommand Mark(int statement, bool done) => session.History.Mark(step, statement + 1, done, Fence, DateTime.UnixEpoch);

    /// <returns>How many rows the file's statements have written.</returns>
    private async Task<long> SendAsync(
        IEnumerable<Command> commands, CancellationToken cancellationToken, Action<NpgsqlDataReader>? onMarked = null)
    {
        var pipeline = new SqlPipeline<MigrationStep>(session.Connection);
        foreach (var command in commands)
        {
            command.AddTo(pipeline, step, _asText);
        }

        await pipeline.RunAsync(Marker, onMarked ?? (static _ => { }), cancellationToken);
        return pipeline.Rows;
    }
}
