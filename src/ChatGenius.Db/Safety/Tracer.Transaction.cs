using System.Collections.Immutable;
using System.Diagnostics;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Safety;

internal sealed partial class Tracer
{
    /// <summary>A transaction of the subject, and what has been read in it so far.</summary>
    private sealed class TransactionRun
    {
        private readonly Tracer _tracer;
        private readonly int _number;

        // Null until something looks at the database: SET TRANSACTION is refused after that.
        private Reading? _last;

        private TransactionRun(Tracer tracer) => (_tracer, _number) = (tracer, ++tracer._transactions);

        internal static async Task<TransactionRun> BeginAsync(Tracer tracer, string begin, CancellationToken cancellationToken)
        {
            await tracer.CommandAsync(begin, cancellationToken);
            return new TransactionRun(tracer);
        }

        /// <summary>
        /// Reads the counters: at the start too, as a session's counters of an earlier transaction stay visible until the server has
        /// collected them, which takes up to a second. What was read by others than the next statement is not its own.
        /// </summary>
        internal async Task CountAgainAsync(CancellationToken cancellationToken) =>
            _last = await _tracer._reader.ReadCountersAsync(_tracer._catalog, cancellationToken);

        internal async Task<StatementTrace> TraceAsync(SqlStatement statement, int index, CancellationToken cancellationToken)
        {
            var isFirst = _last is null && statement.Is("SET", "TRANSACTION");
            if (_last is null && !isFirst)
            {
                await CountAgainAsync(cancellationToken);
            }

            await _tracer.PrepareForAsync(statement);
            var trace = new StatementTrace
            {
                Statement = statement,
                Index = index,
                Outcome = TraceOutcome.Ran,
                Before = _tracer._catalog,
                After = _tracer._catalog,
                Transaction = _number,
                LocksBefore = _last?.Locks ?? HeldLocks.None,
                Locks = _last?.Locks ?? HeldLocks.None,
                LockTimeout = _last?.LockTimeout ?? "0",
            };
            var guarded = _tracer._session.IsGuarded(statement);
            var clock = new Stopwatch();
            for (; ;)
            {
                try
                {
                    clock.Restart();
                    await _tracer._session.ExecuteAsync(statement, guarded, cancellationToken);
                    break;
                }
                catch (PostgresException e)
                {
                    var reason = guarded ? await _tracer._session.ForgiveAsync(statement, e, cancellationToken) : null;
                    if (reason is null)
                    {
                        return trace with { Outcome = TraceOutcome.Failed, Error = e, Notices = _tracer.Notices() };
                    }

                    await _tracer._session.UndoAsync(cancellationToken);
                    if (reason.Length > 0)
                    {
                        await CountAgainAsync(cancellationToken);
                        return trace with { Outcome = TraceOutcome.NotRun, Reason = reason, IsPassedOver = true };
                    }
                }
            }

            trace = trace with { Elapsed = clock.Elapsed };
            var notices = _tracer.Notices();
            if (isFirst)
            {
                return trace with { Notices = notices };
            }

            // What is rolled back leaves rows of the catalogs that are older than the transaction.
            var now = statement.Is("ROLLBACK") ? await _tracer._reader.ReadAllAsync(cancellationToken)
                : await _tracer._reader.ReadChangesAsync(_tracer._catalog, _last!, cancellationToken);
            var activity = now.Counters.ToImmutableDictionary(pair => pair.Key,
                pair => pair.Value - _last!.Counters.GetValueOrDefault(pair.Key));
            var rows = await _tracer.CountRowsBeforeAsync(now.Catalog, activity, cancellationToken);
            _last = rows.IsEmpty ? now : await _tracer._reader.ReadCountersAsync(now.Catalog, cancellationToken);
            _tracer._catalog = now.Catalog;
            return trace with { After = now.Catalog, Locks = now.Locks, Activity = activity, RowsBefore = rows, Notices = notices };
        }

        /// <summary>
        /// Traces statements that write rows, many at a time: each has the rows that it says it wrote, and its part of what else all of
        /// them did, and the first what is left over. One that is refused ends the list.
        /// </summary>
        /// <returns>Null where one was refused that may be passed over, or all are to be taken back: none of them has run.</returns>
        internal async Task<List<StatementTrace>?> TraceRowsAsync(
            List<RowWrite> writes, int index, bool takesBack, CancellationToken cancellationToken)
        {
            await (_last is null ? CountAgainAsync(cancellationToken) : Task.CompletedTask);
            var (before, first, refused, guarded) =
                (_tracer._catalog, _last!, (SqlPipelineException<int>?)null, _tracer._session.Missing.Count > 0);
            var rows = new long[writes.Count];
            var clock = Stopwatch.StartNew();
            _tracer._session.Notices.Clear();
            try
            {
                rows = await _tracer._session.ExecuteAsync([.. writes.Select(write => write.Statement)], guarded, cancellationToken);
            }
            catch (SqlPipelineException<int>) when (guarded)
            {
                await _tracer._session.UndoAsync(cancellationToken);
                await CountAgainAsync(cancellationToken);
                return null;
            }
            catch (SqlPipelineException<int>) when (takesBack)
            {
                return null;
            }
            catch (SqlPipelineException<int> e)
            {
                refused = e;
            }

            var elapsed = clock.Elapsed / writes.Count;
            _last = refused is null ? await _tracer._reader.ReadChangesAsync(before, first, cancellationToken) : first;
            _tracer._catalog = _last.Catalog;
            var shares = new Shares(writes[..(refused?.Owner + 1 ?? writes.Count)], rows, first, _last);
            return
            [
                .. Enumerable.Range(0, shares.Count).Select(i => new StatementTrace
                {
                    Statement = writes[i].Statement,
                    Index = index + i,
                    Outcome = refused?.Owner == i ? TraceOutcome.Failed : TraceOutcome.Ran,
                    Error = refused?.Owner == i ? refused.Error : null,
                    Before = i == 0 ? before : _tracer._catalog,
                    After = _tracer._catalog,
                    Elapsed = elapsed,
                    Transaction = _number,
                    LocksBefore = i == 0 ? first.Locks : _last.Locks,
                    Locks = _last.Locks,
                    LockTimeout = first.LockTimeout,
                    Activity = shares.Of(i),
                    Notices = i == 0 ? _tracer.Notices() : [],
                }),
            ];
        }
    }
}
