using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Migrations;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db;

/// <summary>What is read besides the history.</summary>
public sealed partial class Migrator
{
    /// <summary>Where every migration and every repeatable object stands.</summary>
    internal Task<(IReadOnlyList<MigrationStatus> Migrations, IReadOnlyList<RepeatableStatus> Repeatables)> AllStatusAsync(
        CancellationToken cancellationToken = default) => InSessionAsync(
        async (session, stop) =>
        {
            var migrations = await ReadStatusAsync(session, stop);
            return (migrations, RepeatableStatus.Compare(_repeatables, await ReadRepeatablesAsync(session, stop)));
        },
        cancellationToken);

    private async Task<IReadOnlyList<MigrationStatus>> ReadStatusAsync(MigrationSession session, CancellationToken stop)
    {
        var statuses = MigrationPlan.Compare(_migrations, await session.ReadAsync(HistoryColumns.Details, quick: true));
        if (!statuses.Any(status => status.Interruption is { Started: true }))
        {
            return statuses;
        }

        var batches = await session.History.ReadBatchesAsync(
            Session.Over(session.Connection, "reading how far batches are"), waitForWriters: false, stop);
        return [.. statuses.Select(status => status with
        {
            Batches = batches.FirstOrDefault(state => status.Interruption is { Started: true } at
                && (at.Version, at.Direction, at.Statement) == (state.Version, state.Direction, state.Statement)),
        })];
    }

    /// <summary>A project without repeatable objects may be run by a role that can read the history, and not their table.</summary>
    private async Task<IReadOnlyList<RepeatableRow>> ReadRepeatablesAsync(MigrationSession session, CancellationToken cancellationToken)
    {
        try
        {
            return await session.History.ReadRepeatablesAsync(session.Connection, cancellationToken);
        }
        catch (ProblemException e) when (_repeatables.Count == 0 && e.Problems is [{ Code: "CG0513" }])
        {
            return [];
        }
    }

    private RepeatableSteps Repeatables(MigrationSession session, MigrationPlan plan) => new(session, plan, _repeatables, _options);

    /// <summary>Drops the repeatable objects that keep something from being undone, by what the server says of it.</summary>
    /// <returns>Whether one was.</returns>
    private async Task<bool> TakeAwayAsync(
        MigrationSession session, MigrationPlan plan, StepsOutcome.Refused refused, CancellationToken cancellationToken)
    {
        if (refused.Failure is not
            { Error.SqlState: PostgresErrorCodes.DependentObjectsStillExist, Owner.Direction: MigrationDirection.Down }
            || refused.Afterwards is not null)
        {
            return false;
        }

        var words = Repeatable.WordsOf(refused.Failure.Error.Detail ?? "");
        var named = plan.InTheWay.Where(step => step.Section.Script.Statements.Any(drop =>
            new StatementText(drop).NameAt(4) is { } name && Repeatable.WordsOf(name.Name).IsSubsetOf(words))).ToList();
        if (named.Count == 0 || await Repeatables(session, plan).RunAsync(named, cancellationToken, asFarAsPossible: true)
            is not StepsOutcome.Ended { Dropped: { Count: > 0 } dropped })
        {
            return false;
        }

        _events?.Report(new MigrationEvent.Remark(
            $"Dropped, because it was in the way, until its file runs again: {string.Join(", ", dropped)}"));
        return true;
    }

    /// <summary>Before the first migration is applied, the database may be one that something else has built.</summary>
    private async Task<HistorySnapshot> LookAsync(
        MigrationSession session, HistorySnapshot history, bool fresh, CancellationToken cancellationToken, bool undoes = false)
    {
        var found = fresh || _migrations.Count == 0 ? history : await session.LookAsync(history, _migrations);
        return _repeatables.Count == 0 && !undoes ? found
            : found with { Repeatables = await ReadRepeatablesAsync(session, cancellationToken) };
    }
}
