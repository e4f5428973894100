using ChatGenius.Db.Connections;
using Npgsql;

namespace ChatGenius.Db.Migrations;

/// <summary>Cleans up the dead rows that slices leave, where autovacuum does not keep up: after each tenth of the table.</summary>
/// <param name="session">Where.</param>
/// <param name="key">The table.</param>
/// <param name="step">Whose slices.</param>
/// <param name="events">Told what is left out, each reason once.</param>
internal sealed class BatchVacuum(MigrationSession session, BatchKey key, MigrationStep step, IProgress<MigrationEvent>? events)
{
    private const long FewestRows = 20_000;

    private readonly HashSet<string> _said = [];
    private long? _changed;
    private long _horizon;

    /// <summary>Runs VACUUM if it is due and of use.</summary>
    /// <param name="state">How far the slices are.</param>
    /// <param name="cancellationToken">Keeps it from beginning.</param>
    /// <returns>Whether it ran.</returns>
    internal async Task<bool> AfterAsync(BatchState state, CancellationToken cancellationToken)
    {
        if (_changed is null)
        {
            (_changed, _horizon) = (state.Changed, (await FindAsync(cancellationToken)).Horizon);
            return false;
        }

        var written = state.Changed - _changed.Value;
        if (written < Math.Max(FewestRows, (state.Total ?? 0) / 10))
        {
            return false;
        }

        var found = await FindAsync(cancellationToken);
        _changed = state.Changed;
        var runs = found.Dead >= written / 2 && !found.Autovacuum && Permits(found);
        if (runs)
        {
            await RunAsync(cancellationToken);
        }

        // What was dead before this may go on being kept; the next tenth is judged by itself.
        _horizon = found.Horizon;
        return runs;
    }

    private bool Permits(Found found)
    {
        var reason = !found.IsOwner ? "our role does not own it"
            : found.Older is { } older ? $"{older} still sees the rows that are dead for all others" : null;
        if (reason is not null && _said.Add(reason.Split('(')[0]))
        {
            events?.Report(new MigrationEvent.Remark($"{step.Id}: no VACUUM of {key.Table} between slices: {reason}"));
        }

        return reason is null;
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        var pipeline = new SqlPipeline<string>(session.Connection);
        pipeline.Add("", $"VACUUM (SKIP_LOCKED, TRUNCATE false) {key.Table}");
        try
        {
            await pipeline.RunAsync(session.Lock.Marker, static _ => { }, cancellationToken);
        }
        catch (SqlPipelineException<string> e) when (!SessionProblem.EndsSession(e.Error) && !cancellationToken.IsCancellationRequested)
        {
            events?.Report(new MigrationEvent.Remark($"{step.Id}: VACUUM of {key.Table} was given up: {e.Error.MessageText}"));
        }
    }

    private sealed record Found(bool IsOwner, long Dead, bool Autovacuum, string? Older, long Horizon);

    // A snapshot of another database holds back only what all databases share, and one of the run's own sessions is gone in a moment.
    // A standby's sender belongs to no database.
    private async Task<Found> FindAsync(CancellationToken cancellationToken) => (await Session
        .Over(session.Connection, "looking at the dead rows").RowsAsync(
            new SqlQuery(
                $"""
                WITH parts AS (SELECT $1 AS oid UNION SELECT relid FROM pg_catalog.pg_partition_tree($1))
                SELECT pg_has_role(c.relowner, 'USAGE'), coalesce((SELECT sum(pg_stat_get_dead_tuples(t.oid))::int8 FROM parts t), 0),
                    EXISTS (SELECT FROM pg_catalog.pg_stat_progress_vacuum v JOIN parts t ON t.oid = v.relid),
                    (SELECT who FROM (
                        SELECT 'a session (pid ' || pid || ', ' || coalesce(application_name, '') || ')' AS who, backend_xmin AS x
                        FROM pg_catalog.pg_stat_activity WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid()
                            AND pid NOT IN ({session.Lock.SelectHolder})
                            AND (datname = current_database() OR backend_type = 'walsender')
                        UNION ALL SELECT 'the slot ' || slot_name, xmin FROM pg_catalog.pg_replication_slots WHERE xmin IS NOT NULL
                        UNION ALL SELECT 'the prepared transaction ' || gid, transaction
                            FROM pg_catalog.pg_prepared_xacts WHERE database = current_database()) older
                     WHERE $2 > 0 AND age(x) >= age(($2 % 4294967296)::text::xid) ORDER BY age(x) DESC LIMIT 1),
                    txid_snapshot_xmin(txid_current_snapshot())
                FROM pg_catalog.pg_class c WHERE c.oid = $1
                """,
                key.TableId, _horizon),
            row => new Found(
                row.GetBoolean(0), row.GetInt64(1), row.GetBoolean(2), row.IsDBNull(3) ? null : row.GetString(3), row.GetInt64(4)),
            cancellationToken))[0];
}
