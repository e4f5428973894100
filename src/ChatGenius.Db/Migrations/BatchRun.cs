using System.Diagnostics;
using ChatGenius.Db.Connections;
namespace ChatGenius.Db.Migrations;

/// <summary>Runs transactional steps many at a time: a transaction each, in one pipeline.</summary>
internal sealed class BatchRun(MigrationRun run)
{
    // What is done is told when its batch is durable: a batch is about a second's worth, as the one before it went.
    private const int FirstSteps = 25;
    private const int MaxSteps = 1000;
    private const int MaxBytes = 4 * 1024 * 1024;
    private static readonly TimeSpan Aim = TimeSpan.FromSeconds(1);

    private int _size = FirstSteps;
    private int _prepared;
    private List<MigrationStep> _steps = [];

    /// <summary>Whether the command that records a migration is prepared; behind a pooler each transaction may meet another session.</summary>
    internal bool Prepares { get; set; } = !run.IsPooled;

    /// <summary>Runs some of the steps that are next, one at least; after a lock conflict, a later call goes on from the step that met it.</summary>
    internal async Task RunAsync(IReadOnlyList<MigrationStep> plan, CancellationToken cancellationToken)
    {
        var steps = Next(plan);
        var done = new List<(MigrationStep Step, TimeSpan Duration)>();
        var pipeline = Build(steps);
        var clock = Stopwatch.StartNew();
        run.Watch.BeginAttempt();
        _steps = steps;
        run.Start(steps[0]);
        try
        {
            await pipeline.RunAsync(
                run.Watch.Marker,
                reader => done.Add((steps[done.Count], TimeSpan.FromMilliseconds(reader.GetDouble(0)))),
                cancellationToken);
            run.Finish(done);
            _size = (int)Math.Clamp(steps.Count * (Aim / clock.Elapsed), 1, MaxSteps);
        }
        catch (SqlPipelineException<MigrationStep> e)
        {
            // Its history row was written, and was rolled back with the rest where COMMIT is what failed.
            done.RemoveAll(item => item.Step == e.Owner);
            await SettleAsync(done, e.Owner);
            await run.RetryOrThrowAsync(e, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            await SettleAsync(done, steps[done.Count]);
            throw;
        }
    }

    /// <summary>
    /// The steps that must have begun when the server is at a statement. The results can't tell: the server keeps those of a pipeline until its
    /// buffer is full or the pipeline ends.
    /// </summary>
    internal IEnumerable<MigrationStep> ReachedBy(string query)
    {
        const int Compared = 200;
        // Only forward, because the same statement may be in an earlier step as well; and from the step that is under way, because it may be in a later one.
        var steps = _steps;
        var reached = steps.Count(run.IsReached);
        var at = steps.FindIndex(Math.Max(0, reached - 1), step => step.Section.Script.Statements.Any(statement =>
            statement.Source.Substring(statement.Start, Math.Min(statement.End, statement.Start + (4 * Compared)))
                .AsSpan().StartsWith(query.AsSpan(0, Math.Min(query.Length, Compared)))));
        return steps.Take(at + 1).Skip(reached);
    }

    private List<MigrationStep> Next(IReadOnlyList<MigrationStep> plan)
    {
        var batch = new List<MigrationStep>();
        var bytes = 0L;
        for (var i = run.Finished.Count; i < plan.Count && plan[i].Section.Transactional; i++)
        {
            bytes += plan[i].Section.Script.End - plan[i].Section.Script.Start;
            if (batch.Count > 0 && !run.Options.SingleTransaction && (batch.Count >= _size || bytes > MaxBytes))
            {
                break;
            }

            batch.Add(plan[i]);
        }

        return batch;
    }

    private SqlPipeline<MigrationStep> Build(List<MigrationStep> steps)
    {
        var pipeline = new SqlPipeline<MigrationStep>(run.Connection);
        // The settings are the session's: set at the start, and again by the command that records a migration, because the reset before it took
        // them away. Where nothing is prepared, each transaction has its own.
        var settings = run.Settings(local: !Prepares);
        var record = run.RecordCommand(steps[0].Direction, Prepares ? settings : null);
        var prepared = Prepares ? $"{run.Watch.Marker}_{++_prepared}" : null;
        for (var i = 0; i < steps.Count; i++)
        {
            var step = steps[i];
            if (i == 0 || !run.Options.SingleTransaction)
            {
                // The isolation level and the access mode are said outright: the role's defaults may be others.
                pipeline.Add(step, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
            }

            if (i == 0 || prepared is null)
            {
                pipeline.Add(step, $"SELECT {settings}" + (run.IsPooled ? $", {run.Watch.Sign}" : ""));
            }

            if (i == 0 && prepared is not null)
            {
                pipeline.Add(step, record.Prepare(prepared));
            }

            AddStatements(pipeline, step);
            if (prepared is null)
            {
                // COMMIT runs deferred checks, which may take longer than the role's limits allow.
                pipeline.Add(step, $"SELECT {settings}");
                pipeline.Add(step, () => record.With(run.RecordValues(step, duration: null)));
            }
            else
            {
                pipeline.Add(step, () => PreparableCommand.Execute(prepared, run.RecordValues(step, duration: null)));
            }

            if (i == steps.Count - 1)
            {
                pipeline.Add(step, "COMMIT");
            }
            else if (!run.Options.SingleTransaction)
            {
                pipeline.Add(step, "SET LOCAL synchronous_commit = off");
                pipeline.Add(step, "COMMIT");
            }
        }

        return pipeline;
    }

    /// <summary>The migration's own statements. What they set for the session ends with them, and the history row is written as the role that connected.</summary>
    private void AddStatements(SqlPipeline<MigrationStep> pipeline, MigrationStep step)
    {
        var guard = step.Direction == MigrationDirection.Up ? run.Options.Guards.GetValueOrDefault(step.Version) : null;
        if (guard is not null)
        {
            pipeline.Add(step, guard.Begin);
        }

        foreach (var statement in step.Section.Script.Statements)
        {
            pipeline.Add(step, statement);
        }

        if (guard is not null)
        {
            pipeline.Add(step, guard.End);
        }

        MigrationRun.AddReset(pipeline, step);
        // The role's own limit counts again, until the record's settings do.
        pipeline.Add(step, "SET LOCAL statement_timeout = 0");
    }

    /// <summary>After a failure or a cancel: rolls back what is open, makes what is committed durable before it is reported, and tells what was under way.</summary>
    private async Task SettleAsync(List<(MigrationStep Step, TimeSpan Duration)> done, MigrationStep underWay)
    {
        if (await run.RollbackAsync() && done.Count > 0 && !run.Options.SingleTransaction)
        {
            // A durable commit of any write flushes the write-ahead log up to itself, and the earlier commits with it.
            // PostgreSQL: Reliability and the Write-Ahead Log, Asynchronous Commit.
            await run.ExecuteUndisturbedAsync("ROLLBACK", "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", run.History.Touch(), "COMMIT");
            run.Finish(done);
        }

        _steps.Take(_steps.IndexOf(underWay) + 1).ToList().ForEach(run.Start);
    }
}
