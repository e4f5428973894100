using System.Diagnostics;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Migrations;
using Npgsql;

namespace ChatGenius.Db;

/// <summary>How a plan is run.</summary>
public sealed partial class Migrator
{
    private async Task<RunResult> RunAsync(
        MigrationSession session,
        AnswerLimit limit,
        Func<HistorySnapshot, MigrationPlan> decide,
        HistoryColumns columns,
        MigrationPlan? confirmed,
        bool looks,
        CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        // Most runs find nothing to do. They need no lock, and no second connection.
        var undoes = columns is HistoryColumns.Down or HistoryColumns.Redo;
        var plan = decide(await LookAsync(
            session, await session.ReadAsync(columns, quick: !undoes), fresh: !looks, cancellationToken, undoes));
        if (plan.Steps.Count == 0)
        {
            return new RunResult(plan, [], clock.Elapsed);
        }

        await session.LockAsync();
        // While we waited for the lock, another run may have done it all.
        plan = decide(await LookAsync(session, await session.PrepareAsync(columns), fresh: !looks, cancellationToken, undoes));
        RequireConfirmed(plan, confirmed);
        await BatchedStep.CheckAsync(session, plan.Steps, _options, cancellationToken);
        var kept = await KeptWork.BeginAsync(session, plan, _options, cancellationToken);
        await new UnusedGate(session, _database.Url, _options).RequireAsync(plan, _events, cancellationToken);
        if (plan.Steps is [var first, ..])
        {
            await WriteReasonAsync(session, first.Command);
        }

        var events = new StepEvents(plan.Steps, _events);
        limit.UnderWay = () => events.Current;
        await RunStepsAsync(session, plan, kept, events, cancellationToken);
        return new RunResult(plan, events.Finished, clock.Elapsed);
    }

    /// <summary>Runs the steps of a plan in order.</summary>
    /// <exception cref="ProblemException">CG0502 to CG0508, CG0534; the steps before the failed one are committed and durable.</exception>
    private async Task RunStepsAsync(
        MigrationSession session, MigrationPlan plan, KeptWork kept, StepEvents events, CancellationToken cancellationToken)
    {
        var steps = plan.Steps;
        session.Connection.Notice += (_, e) =>
        {
            if (e.Notice.SqlState == KeptRestoreSql.Said)
            {
                events.Report(new MigrationEvent.Remark(e.Notice.MessageText));
            }
            // Our own ROLLBACK after a failure doesn't ask first whether there is a transaction.
            else if (e.Notice.SqlState != PostgresErrorCodes.NoActiveSqlTransaction)
            {
                var at = session.Sent?.Current;
                events.Report(new MigrationEvent.Notice(at?.Owner ?? events.Current, e.Notice.InvariantSeverity, e.Notice.MessageText)
                {
                    Where = at?.Statement?.Location,
                    PassesOver = at?.Statement is not null && MigrationEvent.Notice.IsThere.Contains(e.Notice.SqlState),
                });
            }
        };
        await using var watch = new MigrationWatch(session.Lock, session.IsPooled ? null : session.Facts.BackendPid, _options, events);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, session.Lock.Lost);
        await using var cancelling = session.CancelWith(either.Token);
        var transactional = new TransactionalSteps(session, _options, _options.SingleTransaction || plan.InOneTransaction, kept);
        NonTransactionalStep? alone = null;
        BatchedStep? batched = null;
        var before = plan.Before;
        var attempts = new Dictionary<long, int>();
        var standbys = new StandbyWait(session, _options, events);
        try
        {
            await standbys.PrepareAsync(plan, either.Token);
            while (events.Finished.Count < steps.Count)
            {
                var next = steps[events.Finished.Count];
                StepsOutcome outcome;
                watch.BeginAttempt();
                if (before.Count > 0)
                {
                    // What doesn't get through yet may do so when something is undone.
                    outcome = await Repeatables(session, plan).RunAsync(before, either.Token, asFarAsPossible: true);
                    before = outcome is StepsOutcome.Ended ? [] : before;
                }
                else if (next.IsRepeatable)
                {
                    List<MigrationStep> all = [.. steps.Skip(events.Finished.Count)];
                    events.Send(all.Count);
                    outcome = await Repeatables(session, plan).RunAsync(all, either.Token);
                }
                else if (next.Section.Transactional)
                {
                    var batch = transactional.Next(steps, events.Finished.Count);
                    events.Send(batch.Count);
                    outcome = await transactional.RunAsync(batch, attempts, either.Token);
                }
                else if (next.Section.Batch is not null)
                {
                    RefuseSingle(next);
                    events.Send(1);
                    batched = batched?.Step == next ? batched : new BatchedStep(session, next, _options, watch, _events, kept);
                    outcome = await batched.RunAsync(attempts.GetValueOrDefault(next.Version), either.Token);
                }
                else
                {
                    RequireSession(session, next);
                    events.Send(1);
                    if (alone?.Step != next)
                    {
                        await session.Lock.HoldInSessionAsync();
                        alone = new NonTransactionalStep(session, next, _options, _events);
                    }

                    outcome = await alone.RunAsync(attempts.GetValueOrDefault(next.Version), either.Token);
                }

                events.Finish(outcome.Done);
                if (outcome is StepsOutcome.Cancelled { UnderWay: var underWay })
                {
                    events.Meet(before.Count > 0 ? next : underWay);
                    throw new OperationCanceledException(either.Token);
                }

                await standbys.AfterAsync(outcome.Done, either.Token);
                if (outcome is StepsOutcome.Refused refused)
                {
                    if (await TakeAwayAsync(session, plan, refused, either.Token))
                    {
                        continue;
                    }

                    events.Meet(before.Count > 0 ? next : refused.Failure.Owner);
                    attempts = refused.Advanced ? [] : attempts;
                    await RetryAsync(session, watch, plan, refused, attempts, either.Token);
                }
                else if (next.Section is { Transactional: false, Batch: null } && events.Finished.Count < steps.Count)
                {
                    await session.Lock.HoldInTransactionAsync();
                }
            }
        }
        catch (OperationCanceledException) when (session.Lock.Lost.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new ProblemException(StepProblem.LockLost(steps[events.Finished.Count]));
        }
        catch (OperationCanceledException)
        {
            events.Report(new MigrationEvent.Cancelled(standbys.IsWaiting ? null : events.Current, events.Finished.Count,
                plan.InOneTransaction));
            throw;
        }
        catch (NpgsqlException e) when (e is not PostgresException p || SessionProblem.EndsSession(p))
        {
            throw new ProblemException(StepProblem.ConnectionLost(events.Current ?? steps[0], e), e);
        }
    }

    /// <summary>Waits before the next attempt, or turns the error into a problem.</summary>
    private async Task RetryAsync(
        MigrationSession session,
        MigrationWatch watch,
        MigrationPlan plan,
        StepsOutcome.Refused refused,
        Dictionary<long, int> attempts,
        CancellationToken cancellationToken)
    {
        var (e, step) = (refused.Failure, refused.Failure.Owner);
        if (SessionProblem.EndsSession(e.Error))
        {
            throw new ProblemException(StepProblem.ConnectionLost(step, e.Error), e.Error);
        }

        if (MigrationLock.IsFence(e.Error))
        {
            throw new ProblemException(StepProblem.LockLost(step), e.Error);
        }

        if (History.IsChanged(e.Error))
        {
            throw new ProblemException(session.History.Changed(e.Error), e.Error);
        }

        if (e.Statement is null && _options.Guards.TryGetValue(step.Version, out var guard) && e.Error.SqlState == guard.SqlState)
        {
            throw new ProblemException(StepProblem.Guarded(step, e.Error), e.Error);
        }

        // Statements of ours don't fail for want of a lock, but a cancel for our victims' sake can hit any of them.
        var cancelledForVictims = e.Error.SqlState == PostgresErrorCodes.QueryCanceled && watch.Victims > 0;
        cancellationToken.ThrowIfCancellationRequested();
        var attempt = attempts.GetValueOrDefault(step.Version) + 1;
        var victims = cancelledForVictims
            ? $"{watch.Victims} {(watch.Victims == 1 ? "session" : "sessions")} waited behind it, the first for "
                + $"{watch.VictimsWait.TotalSeconds:0.0} s"
            : null;
        if ((victims is null && !StepProblem.IsLockConflict(e.Error)) || attempt > _options.LockRetries || refused.Afterwards is not null)
        {
            var afterwards = refused.Afterwards ?? await LogFailureAsync(session, e);
            throw new ProblemException(StepProblem.Failed(e, plan, watch.Blockers, victims, afterwards), e.Error);
        }

        attempts[step.Version] = attempt;
        var reason = victims ?? e.Error.MessageText + (watch.Blockers.Count > 0 ? $", held by {watch.Blockers[0]}" : "");
        // Doubling gives a busy table air; the cap keeps a long wait responsive; jitter keeps several tools out of step.
        var delay = TimeSpan.FromMilliseconds(Math.Min(250 * Math.Pow(2, attempt - 1), 15_000) * (0.75 + (Random.Shared.NextDouble() / 2)));
        _events?.Report(new MigrationEvent.Retrying(step, attempt, _options.LockRetries, delay, reason));
        await Task.Delay(delay, cancellationToken);
    }

    /// <summary>Writes into the log what has failed; what fails in doing so is said with it.</summary>
    private async Task<Exception?> LogFailureAsync(MigrationSession session, SqlPipelineException<MigrationStep> failure)
    {
        var step = failure.Owner;
        var entry = session.History.LogEntry(new LogEntry(
            "failed", step.Command, step.IsRepeatable ? null : step.Version, step.Name, Duration: null, _options.ToolVersion,
            $"{failure.Error.MessageText} (SQLSTATE {failure.Error.SqlState})",
            StepProblem.Shorten(failure.Statement?.Text ?? failure.Command)));
        try
        {
            if (entry is not null)
            {
                await session.WriteAsync([entry]);
            }

            return null;
        }
        catch (Exception e) when (e is ProblemException or NpgsqlException or OperationCanceledException)
        {
            return e;
        }
    }

    /// <summary>What runs outside a transaction needs one session from its begin to its end, and can't be part of something
    /// larger.</summary>
    private void RequireSession(MigrationSession session, MigrationStep step)
    {
        if (session.IsPooled)
        {
            throw new ProblemException(
                "CG0505",
                $"{step.Id} runs outside a transaction, which isn't safe through a connection pooler",
                step.Section.Where,
                "Connect to the server itself: settings and progress of such a migration belong to one session, and a pooler may change "
                    + "it between "
                + "two statements.");
        }

        RefuseSingle(step);
    }

    private void RefuseSingle(MigrationStep step)
    {
        if (_options.SingleTransaction)
        {
            throw new ProblemException(
                "CG0506",
                $"{step.Id} runs outside a transaction, so it can't be part of a single one",
                step.Section.Where,
                "Leave --single-transaction out, or apply up to the migration before it with --to.");
        }
    }

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
                "CG0410",
                $"The plan is another one than was shown: {other.Id} came in",
                advice: "Somebody else changed the database in between. Look at the plan again.");
        }
    }
}
