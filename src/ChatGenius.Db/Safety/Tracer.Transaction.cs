using System.Collections.Immutable;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Safety;

public sealed partial class Tracer
{
    /// <summary>A transaction of the subject, and what has been read in it so far.</summary>
    private sealed class TransactionRun
    {
        private readonly Tracer _tracer;
        private readonly int _number;
        private HeldLocks _locks = HeldLocks.None;
        private Reading _last;

        private TransactionRun(Tracer tracer, Reading start)
        {
            _tracer = tracer;
            _number = ++tracer._transactions;
            _last = start;
        }

        /// <summary>
        /// The counters are read at the start too: a session's counters of an earlier transaction stay visible until the server has
        /// collected them, which takes up to a second.
        /// </summary>
        internal static async Task<TransactionRun> BeginAsync(Tracer tracer, string begin, CancellationToken cancellationToken)
        {
            await tracer.CommandAsync(begin, cancellationToken);
            return new TransactionRun(tracer, await tracer._reader.ReadCountersAsync(tracer._catalog, cancellationToken));
        }

        internal async Task<StatementTrace> TraceAsync(SqlStatement statement, int index, CancellationToken cancellationToken)
        {
            await _tracer.PrepareForAsync(statement);
            var trace = new StatementTrace
            {
                Statement = statement,
                Index = index,
                Outcome = TraceOutcome.Ran,
                Before = _last.Catalog,
                After = _last.Catalog,
                Transaction = _number,
                LocksBefore = _locks,
                Locks = _locks,
                LockTimeout = _last.LockTimeout,
            };
            var guarded = _tracer._session.IsGuarded(statement);
            for (; ;)
            {
                try
                {
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
                        _last = await _tracer._reader.ReadCountersAsync(_last.Catalog, cancellationToken);
                        return trace with { Outcome = TraceOutcome.NotRun, Reason = reason, IsPassedOver = true };
                    }
                }
            }

            var notices = _tracer.Notices();
            _locks = await _tracer.ReadLocksAsync(cancellationToken);
            var now = await _tracer._reader.ReadChangesAsync(_last.Catalog, cancellationToken);
            var activity = now.Counters.ToImmutableDictionary(pair => pair.Key,
                pair => pair.Value - _last.Counters.GetValueOrDefault(pair.Key));
            var rows = await _tracer.CountRowsBeforeAsync(now.Catalog, activity, cancellationToken);
            _last = rows.IsEmpty ? now : await _tracer._reader.ReadCountersAsync(now.Catalog, cancellationToken);
            _tracer._catalog = now.Catalog;
            return trace with { After = now.Catalog, Locks = _locks, Activity = activity, RowsBefore = rows, Notices = notices };
        }
    }
}
