using System.Collections.Immutable;
using System.Diagnostics;
using ChatGenius.Db.Files;
using ChatGenius.Db.Sql;
using ChatGenius.Db.Replay;
using Npgsql;

namespace ChatGenius.Db.Safety;

internal sealed partial class Tracer
{
    /// <summary>The run of one section.</summary>
    private sealed class SectionRun(Tracer tracer, MigrationSection section)
    {
        private const string Savepoint = "chatgenius_db_asked";
        private readonly IReadOnlyList<SqlStatement> _statements = section.Script.Statements;

        internal List<(MigrationAssertion Assertion, PostgresException Error)> Unanswered { get; } = [];

        internal List<StatementTrace> Traces { get; } = new(section.Script.Statements.Count);

        /// <summary>All statements in one transaction.</summary>
        internal async Task TogetherAsync(CancellationToken cancellationToken)
        {
            var before = tracer._catalog;
            var transaction = await TransactionRun.BeginAsync(tracer, "BEGIN", cancellationToken);
            var settings = _statements.TakeWhile(first => first.Is("SET", "TRANSACTION")).Count();
            for (var (next, alone) = (0, 0); next < _statements.Count; next = Traces.Count)
            {
                var statement = _statements[next];
                if (next == settings && alone <= next)
                {
                    await AskAsync(isAfter: false, transaction, cancellationToken);
                }

                if (alone <= next && RowsFrom(next, before) is { Count: > 1 } rows)
                {
                    var traced = await transaction.TraceRowsAsync(rows, next, takesBack: false, cancellationToken);
                    Traces.AddRange(traced ?? []);
                    alone = traced is null ? next + rows.Count : 0;
                }
                else
                {
                    Traces.Add(await tracer._session.ReasonNotToRunAsync(statement, cancellationToken) is { } reason
                        ? PassedOver(statement, reason) : await transaction.TraceAsync(statement, next, cancellationToken));
                }

                if (Traces is [.., { Outcome: TraceOutcome.Failed } trace])
                {
                    await AbandonAsync(before, trace, cancellationToken);
                    return;
                }
            }

            await AskAsync(isAfter: true, transaction, cancellationToken);
            await CommitAsync(before, cancellationToken);
        }

        /// <summary>The statements from a place on that do no more than to write rows, up to a thousand.</summary>
        private List<RowWrite> RowsFrom(int first, Catalog before)
        {
            var rows = new List<RowWrite>();
            while (rows.Count < 1000 && first + rows.Count < _statements.Count
                && RowWrite.Of(_statements[first + rows.Count], tracer._catalog, before) is { } write)
            {
                rows.Add(write);
            }

            return rows;
        }

        /// <summary>Asks what the migration asks. The answer changes nothing here: there are other rows than where it will run.</summary>
        private async Task AskAsync(bool isAfter, TransactionRun? transaction, CancellationToken cancellationToken)
        {
            foreach (var assertion in section.Assertions.Where(assertion => assertion.IsAfter == isAfter))
            {
                await (transaction is null ? Task.CompletedTask : tracer.CommandAsync($"SAVEPOINT {Savepoint}", cancellationToken));
                try
                {
                    await tracer.CommandAsync(assertion.Command, cancellationToken);
                }
                catch (PostgresException e)
                {
                    await (transaction is null ? Task.CompletedTask
                        : tracer.CommandAsync($"ROLLBACK TO SAVEPOINT {Savepoint}", cancellationToken));
                    if (!tracer._session.MayFollowWhatIsMissing(e))
                    {
                        Unanswered.Add((assertion, e));
                    }
                }

                await (transaction is null ? Task.CompletedTask : transaction.CountAgainAsync(cancellationToken));
            }
        }

        /// <summary>
        /// Every statement in a transaction of its own where it can be, so that its locks can be read; alone where it can't.
        /// </summary>
        internal async Task OneByOneAsync(CancellationToken cancellationToken)
        {
            TransactionRun? ownTransaction = null;
            var (before, alone) = (tracer._catalog, 0);
            await AskAsync(isAfter: false, null, cancellationToken);
            while (Traces.Count < _statements.Count)
            {
                var (next, statement) = (Traces.Count, _statements[Traces.Count]);
                if (Traces is [.., { Outcome: TraceOutcome.Failed }])
                {
                    SkipRest();
                }
                else if (ownTransaction is null && section.Batch is null && alone <= next && RowsFrom(next, before) is { Count: > 1 } rows)
                {
                    // Together they are a transaction, if all of them can be run.
                    alone = await TryRowsAsync(rows, next, cancellationToken) ? 0 : next + rows.Count;
                }
                else if (await tracer._session.ReasonNotToRunAsync(statement, cancellationToken) is { } reason)
                {
                    Traces.Add(PassedOver(statement, reason));
                }
                else if (statement.TransactionControl == SqlTransactionControl.Begin && ownTransaction is null)
                {
                    ownTransaction = await TransactionRun.BeginAsync(tracer, statement.Text, cancellationToken);
                    Traces.Add(Unremarkable(statement));
                }
                else if (ownTransaction is not null)
                {
                    Traces.Add(await ownTransaction.TraceAsync(statement, Traces.Count, cancellationToken));
                    ownTransaction = statement.TransactionControl == SqlTransactionControl.None ? ownTransaction : null;
                }
                else
                {
                    var run = await tracer._session.SliceAsync(section, statement, cancellationToken);
                    Traces.Add(await OneAsync(run, cancellationToken) with { Statement = statement });
                }
            }

            if (Traces.TrueForAll(trace => trace.Outcome == TraceOutcome.Ran) && ownTransaction is null)
            {
                await AskAsync(isAfter: true, null, cancellationToken);
            }

            // What the file left open, the end of its session rolls back; after a failure there may be an aborted transaction.
            await tracer.CommandAsync("ROLLBACK", cancellationToken);
            tracer._session.Notices.Clear();
            if (Traces is [.., { Outcome: not TraceOutcome.Ran }] || ownTransaction is not null || Traces.Exists(trace => trace.RanAlone))
            {
                await tracer.RefreshAsync(cancellationToken);
            }
        }

        /// <summary>Whether all of some statements ran; if not, none of them did.</summary>
        private async Task<bool> TryRowsAsync(List<RowWrite> rows, int next, CancellationToken cancellationToken)
        {
            var before = tracer._catalog;
            var transaction = await TransactionRun.BeginAsync(tracer, "BEGIN", cancellationToken);
            if (await transaction.TraceRowsAsync(rows, next, takesBack: true, cancellationToken) is { } traced
                && await TryCommitAsync(cancellationToken) is null)
            {
                Traces.AddRange(traced);
                return true;
            }

            await tracer.CommandAsync("ROLLBACK", cancellationToken);
            tracer._catalog = before;
            return false;
        }

        private async Task<StatementTrace> OneAsync(SqlStatement statement, CancellationToken cancellationToken)
        {
            if (StatementPolicy.NeedsToRunAlone(statement))
            {
                return await AloneAsync(statement, cancellationToken);
            }

            var before = tracer._catalog;
            var transaction = await TransactionRun.BeginAsync(tracer, "BEGIN", cancellationToken);
            var trace = await transaction.TraceAsync(statement, Traces.Count, cancellationToken);
            if (trace.Error is { } error)
            {
                await tracer.CommandAsync("ROLLBACK", cancellationToken);
                tracer._catalog = before;
                return StatementPolicy.RefusesTransactions(error)
                    ? await AloneAsync(statement, cancellationToken)
                    : trace;
            }

            return await TryCommitAsync(cancellationToken) is { } late
                ? Undone(trace, before, late)
                : trace;
        }

        /// <summary>Outside a transaction block. Locks are gone when it returns, so the catalog before and after has to tell.</summary>
        private async Task<StatementTrace> AloneAsync(SqlStatement statement, CancellationToken cancellationToken)
        {
            var before = await tracer._reader.ReadAllAsync(cancellationToken);
            await tracer.PrepareForAsync(statement);
            PostgresException? error = null;
            var clock = Stopwatch.StartNew();
            try
            {
                await tracer._session.ExecuteAsync(statement, guarded: false, cancellationToken);
            }
            catch (PostgresException e)
            {
                error = e;
            }

            var (elapsed, notices) = (clock.Elapsed, tracer.Notices());
            await tracer.RefreshAsync(cancellationToken);
            if (error is not null && await tracer._session.ForgiveAsync(statement, error, cancellationToken) is { } reason)
            {
                return reason.Length == 0 ? await AloneAsync(statement, cancellationToken) : PassedOver(statement, reason);
            }

            return new StatementTrace
            {
                Statement = statement,
                Index = Traces.Count,
                Outcome = error is null ? TraceOutcome.Ran : TraceOutcome.Failed,
                Elapsed = elapsed,
                Before = before.Catalog,
                After = tracer._catalog,
                Error = error,
                Notices = notices,
                LockTimeout = before.LockTimeout,
            };
        }

        private async Task AbandonAsync(Catalog before, StatementTrace failed, CancellationToken cancellationToken)
        {
            await tracer.CommandAsync("ROLLBACK", cancellationToken);
            tracer._catalog = before;
            if (!StatementPolicy.RefusesTransactions(failed.Error!))
            {
                SkipRest();
                return;
            }

            // The mistake is known. Run one by one, the section brings the database to where the next migration starts.
            Traces.Clear();
            Unanswered.Clear();
            await OneByOneAsync(cancellationToken);
            Traces[failed.Index] = Traces[failed.Index] with { Error = failed.Error };
        }

        private async Task CommitAsync(Catalog before, CancellationToken cancellationToken)
        {
            if (await TryCommitAsync(cancellationToken) is not { } error)
            {
                return;
            }

            // A deferred constraint speaks at the end only; the last statement that wrote rows stands for it.
            var culprit = Traces.FindLastIndex(trace => trace.Activity.Values.Any(activity => activity.Written > 0));
            culprit = culprit < 0 ? Traces.Count - 1 : culprit;
            Traces[culprit] = Undone(Traces[culprit], before, error);
        }

        private StatementTrace Undone(StatementTrace trace, Catalog before, PostgresException error)
        {
            tracer._catalog = before;
            return trace with { Outcome = TraceOutcome.Failed, Error = error };
        }

        private async Task<PostgresException?> TryCommitAsync(CancellationToken cancellationToken)
        {
            try
            {
                await tracer.CommandAsync("COMMIT", cancellationToken);
                return null;
            }
            catch (PostgresException e)
            {
                return e;
            }
        }

        private void SkipRest()
        {
            for (var i = Traces.Count; i < _statements.Count; i++)
            {
                Traces.Add(NotRun(_statements[i], StatementPolicy.AnEarlierOneFailed));
            }
        }

        private StatementTrace NotRun(SqlStatement statement, string reason) =>
            Unremarkable(statement) with { Outcome = TraceOutcome.NotRun, Reason = reason };

        private StatementTrace PassedOver(SqlStatement statement, string reason) => NotRun(statement, reason) with { IsPassedOver = true };

        private StatementTrace Unremarkable(SqlStatement statement) => new()
        {
            Statement = statement,
            Index = Traces.Count,
            Outcome = TraceOutcome.Ran,
            Before = tracer._catalog,
            After = tracer._catalog,
            Transaction = tracer._transactions,
        };
    }
}
