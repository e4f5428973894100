using System.Diagnostics;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Migrations;

/// <summary>Runs transactional steps many at a time: a transaction each, or one for all of them, in one pipeline.</summary>
/// <param name="session">Where; it has the lock.</param>
/// <param name="options">What is recorded with them, and what their transactions are held to.</param>
/// <param name="single">Whether all of them are one transaction.</param>
/// <param name="kept">What is kept of rows; such a section goes alone.</param>
internal sealed class TransactionalSteps(MigrationSession session, MigratorOptions options, bool single, KeptWork kept)
{
    // What is done is reported when its batch is durable: a batch is about a second's worth, as the one before it went.
    private const int FirstSteps = 25;
    private const int MaxSteps = 1000;
    private const int MaxBytes = 4 * 1024 * 1024;
    private static readonly TimeSpan Aim = TimeSpan.FromSeconds(1);

    /// <summary>
    /// What the first half has deferred is checked before the second begins: many statements refuse a table that has such checks open.
    /// There is no way back to what each constraint says of itself, so all are deferred then; where there is none, nothing is changed.
    /// </summary>
    private const string CheckDeferred =
        """
        DO $$ BEGIN
            IF EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE condeferrable) THEN
                SET CONSTRAINTS ALL IMMEDIATE;
                SET CONSTRAINTS ALL DEFERRED;
            END IF;
        END $$
        """;

    private static readonly string[] Written = ["history", "log"];

    private int _size = FirstSteps;
    private int _prepared;

    // Whether the command that records a migration is prepared; behind a pooler each transaction may meet another session.
    private bool _prepares = !session.IsPooled;

    // Steps with results of types that have no binary form; each goes alone.
    private readonly HashSet<MigrationStep> _asText = new(ReferenceEqualityComparer.Instance);

    // What is sent with the statements of sections that keep something or put it back.
    private readonly Dictionary<MigrationStep, Func<int, SqlStatement?, IEnumerable<StepCommand>>> _around =
        new(ReferenceEqualityComparer.Instance);

    // Whether code of the database's may run with a DDL statement: then each may change the session.
    private bool _mayMeetTriggers = session.Facts.HasEventTriggers;

    /// <summary>The steps to run next: one at least, and no more than are worth a batch.</summary>
    /// <param name="steps">All steps.</param>
    /// <param name="first">The next one, which is transactional.</param>
    internal List<MigrationStep> Next(IReadOnlyList<MigrationStep> steps, int first)
    {
        var batch = new List<MigrationStep>();
        var bytes = 0L;
        for (var i = first; i < steps.Count && steps[i].Section.Transactional && !steps[i].IsRepeatable; i++)
        {
            bytes += steps[i].Section.Script.End - steps[i].Section.Script.Start;
            if (batch.Count > 0 && !single && (batch.Count >= _size || bytes > MaxBytes || IsAlone(steps[i])))
            {
                break;
            }

            batch.Add(steps[i]);
            if (!single && (IsAlone(steps[i]) || steps[i].Section.WaitsForStandbys))
            {
                break;
            }
        }

        return batch;
    }

    private bool IsAlone(MigrationStep step) => _asText.Contains(step) || kept.Has(step);

    /// <summary>Runs steps.</summary>
    /// <param name="steps">From <see cref="Next"/>.</param>
    /// <param name="attempts">How often each migration was tried before, by its number.</param>
    /// <param name="cancellationToken">Keeps what has not begun from beginning.</param>
    /// <exception cref="NpgsqlException">The connection was lost.</exception>
    internal async Task<StepsOutcome> RunAsync(
        IReadOnlyList<MigrationStep> steps, IReadOnlyDictionary<long, int> attempts, CancellationToken cancellationToken)
    {
        var done = new List<(MigrationStep Step, TimeSpan Duration)>();
        foreach (var step in steps)
        {
            if (await kept.PlanAsync(step, cancellationToken) is { } around)
            {
                _around[step] = around;
            }
        }

        var pipeline = Build(steps, attempts);
        var clock = Stopwatch.StartNew();
        try
        {
            await pipeline.RunAsync(
                session.Lock.Marker,
                reader => done.Add((steps[done.Count], TimeSpan.FromMilliseconds(reader.GetDouble(0)))),
                cancellationToken);
            _size = (int)Math.Clamp(steps.Count * (Aim / clock.Elapsed), 1, MaxSteps);
            return new StepsOutcome.Ended(done);
        }
        catch (SqlPipelineException<MigrationStep> e)
        {
            // Its history row was written, and was rolled back with the rest where COMMIT is what failed.
            done.RemoveAll(item => ReferenceEquals(item.Step, e.Owner));
            var afterwards = await SettleAsync(done);
            if (_prepares && e.Statement is null && e.Error.SqlState == PostgresErrorCodes.InvalidSqlStatementName)
            {
                // The migration has said DEALLOCATE ALL, which takes our statements too.
                _prepares = false;
                return new StepsOutcome.Ended(done);
            }

            return SqlPipeline<MigrationStep>.WantsText(e.Error) && afterwards is null && _asText.Add(e.Owner)
                ? new StepsOutcome.Ended(done)
                : new StepsOutcome.Refused(done, e, afterwards);
        }
        catch (OperationCanceledException)
        {
            var underWay = steps[done.Count];
            await SettleAsync(done);
            return new StepsOutcome.Cancelled(done, underWay);
        }
    }

    /// <summary>After a failure or a cancel: rolls back what is open, and makes what is committed durable before it is reported.</summary>
    /// <returns>What failed in doing so; then nothing counts as done.</returns>
    private async Task<Exception?> SettleAsync(List<(MigrationStep Step, TimeSpan Duration)> done)
    {
        try
        {
            if (!await session.RollbackAsync() || single)
            {
                done.Clear();
            }
            else if (done.Count > 0)
            {
                // A durable commit of anything flushes the write-ahead log up to itself, and the earlier commits with it. A message for
                // nobody touches no table, so no privilege, policy or publication stands in its way. PostgreSQL: Reliability and the
                // Write-Ahead Log, Asynchronous Commit.
                await session.ExecuteUndisturbedAsync(
                    "ROLLBACK", MigrationSession.Begin, "SELECT pg_catalog.pg_logical_emit_message(true, 'chatgenius-db', '')", "COMMIT");
            }

            return null;
        }
        catch (NpgsqlException e)
        {
            done.Clear();
            return e;
        }
    }

    private SqlPipeline<MigrationStep> Build(IReadOnlyList<MigrationStep> steps, IReadOnlyDictionary<long, int> attempts)
    {
        var pipeline = session.Sent = new SqlPipeline<MigrationStep>(session.Connection);
        var records = new Dictionary<MigrationDirection, Recording>();
        for (var i = 0; i < steps.Count; i++)
        {
            var step = steps[i];
            if (i == 0 || !single)
            {
                // The isolation level and the access mode are said outright: the role's defaults may be others.
                pipeline.Add(step, MigrationSession.Begin);
            }

            if (i == 0 || !_prepares)
            {
                // The settings are the session's: set at the start, and again by the command that records a migration, because the reset
                // before it took them away.
                // Where nothing is prepared, each transaction has its own. SET looks at nothing, so that the migration can still say SET
                // TRANSACTION.
                Add(pipeline, step, session.Settings(local: !_prepares));
            }

            if (single && i > 0 && step.Direction != steps[i - 1].Direction)
            {
                pipeline.Add(step, CheckDeferred);
            }

            AddStatements(pipeline, step);
            if (!records.TryGetValue(step.Direction, out var record))
            {
                records.Add(step.Direction, record = Prepare(pipeline, step));
            }

            Add(pipeline, step, record.Before);
            pipeline.Add(step, () => record.Of(Values(step, attempts)));
            if (i == steps.Count - 1)
            {
                pipeline.Add(step, "COMMIT");
            }
            else if (!single)
            {
                Add(pipeline, step, ["SET LOCAL synchronous_commit = off", "COMMIT"]);
            }
        }

        return pipeline;
    }

    /// <summary>How the steps of a batch are recorded: what goes before, and the command with its values.</summary>
    private sealed record Recording(string[] Before, Func<object?[], NpgsqlBatchCommand> Of);

    private Recording Prepare(SqlPipeline<MigrationStep> pipeline, MigrationStep step)
    {
        // One column for all settings: a description of each would come back with each step.
        var andThen = _prepares ? $", pg_catalog.num_nulls({session.SettingCalls(local: false)})" : "";
        var (locked, compare) = session.History.Hold(Written);
        var (fence, marker) = (session.Lock.Fence, session.Lock.Marker);
        var command = step.Direction == MigrationDirection.Up
            ? session.History.RecordApplied(fence, marker, andThen)
            : session.History.RecordRolledBack(fence, marker, andThen);
        if (!_prepares)
        {
            // COMMIT runs deferred checks, which may take longer than the role's limits allow.
            return new Recording([$"SELECT {session.SettingCalls(local: true)}", locked, compare], values => command.With(values));
        }

        var name = $"{marker}_{++_prepared}";
        // A rule would be in the record's plan already.
        Add(pipeline, step, [$"PREPARE {name}_held AS {compare}", locked, $"EXECUTE {name}_held"]);
        pipeline.Add(step, command.Prepare(name));
        return new Recording([locked, $"EXECUTE {name}_held"], values => PreparableCommand.Execute(name, values));
    }

    private object?[] Values(MigrationStep step, IReadOnlyDictionary<long, int> attempts) => step.Direction == MigrationDirection.Up
        ? History.AppliedValues(step, duration: null, attempts.GetValueOrDefault(step.Version), options)
        : History.RolledBackValues(step, duration: null, options);

    /// <summary>The migration's own statements. What they set for the session ends with them, and the history row is written as the role
    /// that began it.</summary>
    private void AddStatements(SqlPipeline<MigrationStep> pipeline, MigrationStep step)
    {
        var statements = step.Section.Script.Statements;
        if (statements is [var setting, ..] && setting.Is("SET"))
        {
            // The level may be one with a single snapshot. To lock looks at nothing.
            pipeline.Add(step, session.History.Hold(Written).Lock);
        }

        // SET TRANSACTION has to come before everything that looks at the database.
        var first = statements.TakeWhile(statement => statement.Is("SET", "TRANSACTION")).Count();
        for (var i = 0; i < first; i++)
        {
            pipeline.Add(step, statements[i]);
        }

        if (session.IsPooled)
        {
            pipeline.Add(step, $"SELECT {session.Lock.Sign}");
        }

        Ask(pipeline, step, isAfter: false);
        var guard = step.Direction == MigrationDirection.Up ? options.Guards.GetValueOrDefault(step.Version) : null;
        if (guard is not null)
        {
            pipeline.Add(step, guard.Begin);
        }

        var around = _around.GetValueOrDefault(step);
        for (var i = first; i <= statements.Count; i++)
        {
            var statement = i < statements.Count ? statements[i] : null;
            foreach (var command in around?.Invoke(i, statement) ?? (statement is null ? [] : [statement]))
            {
                command.AddTo(pipeline, step, _asText.Contains(step));
            }
        }

        if (guard is not null)
        {
            pipeline.Add(step, guard.End);
        }

        Ask(pipeline, step, isAfter: true);
        var harmless = around is null && !_mayMeetTriggers && guard is null && step.Section.Assertions.Count == 0
            && HarmlessStatements.AreAll(statements);
        _mayMeetTriggers |= !harmless && !statements.All(HarmlessStatements.MakesNoEventTrigger);
        if (!harmless || !_prepares)
        {
            Add(pipeline, step, MigrationSession.Reset);
            // The role's own limit counts again, until the record's settings do.
            pipeline.Add(step, "SET LOCAL statement_timeout = 0");
        }
    }

    private static void Ask(SqlPipeline<MigrationStep> pipeline, MigrationStep step, bool isAfter)
    {
        foreach (var assertion in step.Section.Assertions.Where(assertion => assertion.IsAfter == isAfter))
        {
            pipeline.Add(step, assertion.Statement, assertion.Command);
        }
    }

    private static void Add(SqlPipeline<MigrationStep> pipeline, MigrationStep step, IEnumerable<string> commands)
    {
        foreach (var command in commands)
        {
            pipeline.Add(step, command);
        }
    }
}
