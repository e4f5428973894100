using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;

namespace ChatGenius.Db.Migrations;

/// <summary>Waits after a migration that says <c>-- cgdb:wait-standbys</c>, until all standbys that are connected have replayed
/// it.</summary>
/// <param name="session">The run's; it has no transaction open.</param>
/// <param name="options">How long at the most.</param>
/// <param name="events">Told for whom it waits.</param>
internal sealed class StandbyWait(MigrationSession session, MigratorOptions options, StepEvents events)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    // What was applied longer ago is not waited for again: by then a standby has it, or lags for reasons of its own.
    private static readonly TimeSpan Recent = TimeSpan.FromDays(1);

    private readonly Session _session = Session.Over(session.Connection, "looking how far standbys are");

    /// <summary>Whether it is waiting: then no migration is under way.</summary>
    internal bool IsWaiting { get; private set; }

    /// <summary>Looks, before anything runs, whether standbys can be seen; and waits for what an earlier run has not waited for to its
    /// end.</summary>
    /// <param name="plan">What will run.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ProblemException">CG1602: our role may not see them; CG1603.</exception>
    internal async Task PrepareAsync(MigrationPlan plan, CancellationToken cancellationToken)
    {
        var last = plan.Statuses.Where(status => status.Row?.AppliedAt > DateTime.UtcNow - Recent)
            .MaxBy(status => status.Version)?.Migration;
        var resumes = last is not null && last.Up.WaitsForStandbys;
        if (!resumes && !plan.Steps.Any(Waits))
        {
            return;
        }

        const string Query =
            """
            SELECT quote_ident(current_user) FROM pg_catalog.pg_stat_replication
            WHERE NOT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') LIMIT 1
            """;
        if (await _session.ScalarAsync<string>(Query, cancellationToken) is { } role)
        {
            throw new ProblemException(
                "CG1602", "A migration waits for standbys, and our role may not see how far they are",
                (plan.Steps.FirstOrDefault(Waits)?.Section ?? last!.Up).Where, $"Let it see them: GRANT pg_monitor TO {role}");
        }

        await (resumes ? WaitAsync(last!.Id, last.Up, isSilent: true, cancellationToken) : Task.CompletedTask);
    }

    /// <summary>Waits for the last migration of some that says so; what came before it is replayed before it.</summary>
    /// <exception cref="ProblemException">CG1603: a standby did not get there in time.</exception>
    internal async Task AfterAsync(IReadOnlyList<(MigrationStep Step, TimeSpan Duration)> done, CancellationToken cancellationToken)
    {
        if (done.LastOrDefault(one => Waits(one.Step)).Step is { } step)
        {
            await WaitAsync(step.Id, step.Section, isSilent: false, cancellationToken);
        }
    }

    private static bool Waits(MigrationStep step) => step.Section.WaitsForStandbys;

    private async Task WaitAsync(string id, MigrationSection section, bool isSilent, CancellationToken cancellationToken)
    {
        IsWaiting = true;
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var position = await _session.ScalarAsync<string>("SELECT pg_current_wal_flush_lsn()::text", cancellationToken);
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        List<string> left;
        for (var isFirst = true; (left = await LackAsync(position!, seen, cancellationToken)).Count > 0; isFirst = false)
        {
            if (isFirst)
            {
                events.Report(new MigrationEvent.Remark($"{id} is done; waiting until it is replayed by {string.Join(", ", left)}"));
            }

            if (options.StandbyTimeout > TimeSpan.Zero && clock.Elapsed > options.StandbyTimeout)
            {
                throw new ProblemException(
                    "CG1603",
                    $"{id} is applied, and was not replayed within {options.StandbyTimeout.TotalSeconds:0.#} s by "
                        + string.Join(", ", left),
                    section.Where, "Look at the standby. The same command waits for it again, and then goes on.");
            }

            await Task.Delay(Pause, cancellationToken);
        }

        if (seen.Count == 0 && !isSilent)
        {
            events.Report(new MigrationEvent.Remark($"{id} is done; no standby is connected that could be waited for"));
        }

        IsWaiting = false;
    }

    /// <summary>The standbys that have not replayed up to a position. One that goes away meanwhile is waited for: many may have one
    /// name, so they are counted.</summary>
    private async Task<List<string>> LackAsync(string position, Dictionary<string, int> seen, CancellationToken cancellationToken)
    {
        // What only receives, as pg_receivewal does, replays nothing.
        var found = await _session.RowsAsync(
            new SqlQuery(
                """
                SELECT coalesce(nullif(application_name, ''), host(client_addr), 'pid ' || pid), count(*)::int4,
                    count(*) FILTER (WHERE replay_lsn >= $1::pg_lsn)::int4
                FROM pg_catalog.pg_stat_replication WHERE replay_lsn IS NOT NULL GROUP BY 1
                """,
                position),
            row => (Name: row.GetString(0), Count: row.GetInt32(1), Done: row.GetInt32(2)), cancellationToken);
        foreach (var one in found)
        {
            seen[one.Name] = Math.Max(one.Count, seen.GetValueOrDefault(one.Name));
        }

        return [.. seen.Where(one => found.FirstOrDefault(other => other.Name == one.Key).Done < one.Value).Select(one => one.Key).Order()];
    }
}
