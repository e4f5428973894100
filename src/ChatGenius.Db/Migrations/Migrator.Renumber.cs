using ChatGenius.Db.Files;
using ChatGenius.Db.Migrations;

namespace ChatGenius.Db;

/// <summary>A row of the history that gets another number, as its file does.</summary>
/// <param name="From">The number that it has.</param>
/// <param name="Name">Its description, which stays.</param>
/// <param name="To">The number that its file has then.</param>
internal sealed record MovedRow(long From, string Name, long To);

public sealed partial class Migrator
{
    /// <summary>The same work with other files.</summary>
    internal Migrator With(IReadOnlyList<Migration> migrations) => new(_database, migrations, _options, _events);

    /// <summary>Gives applied migrations other numbers, under the lock; nothing of theirs runs.</summary>
    /// <param name="rows">Each from a number that the history has to one that it has not, or that moves as well.</param>
    /// <param name="cancellationToken">Cancels it; then all keep their numbers.</param>
    /// <exception cref="ProblemException">CG0408 one was interrupted; CG0410 the history is another one by now; CG0501, CG0509 as in
    /// <see cref="ApplyAsync"/>.</exception>
    internal Task MoveAsync(IReadOnlyList<MovedRow> rows, CancellationToken cancellationToken = default) => InSessionAsync(
        async (session, _) =>
        {
            await session.ReadAsync(HistoryColumns.Plan);
            await session.LockAsync();
            var history = await session.PrepareAsync(HistoryColumns.Plan);
            var statuses = MigrationPlan.Compare(_migrations, history);
            var interrupted = statuses.Where(status => status.Interruption is not null && rows.Any(row => row.From == status.Version));
            if (interrupted.ToList() is { Count: > 0 } begun)
            {
                throw new ProblemException([.. begun.Select(PlanProblem.InterruptedApply)]);
            }

            var (from, there) = (rows.Select(row => row.From).ToHashSet(), history.Rows.Select(row => row.Version).ToHashSet());
            if (rows.FirstOrDefault(row => !history.Rows.Any(old => (old.Version, old.Name) == (row.From, row.Name))
                || (there.Contains(row.To) && !from.Contains(row.To))) is { } other)
            {
                throw new ProblemException(
                    "CG0410", $"The history has changed: {MigrationPlan.FormatId(other.From, other.Name)} is not as it was",
                    advice: "Somebody else changed the database in between. Run the same command again.");
            }

            // Numbers only grow: from the last one down, each goes to one that is free.
            await session.WriteAsync([.. rows.OrderByDescending(row => row.From).Select(row =>
                session.History.Move(row, session.Lock.Fence, _options.ToolVersion))]);
            return true;
        },
        cancellationToken);
}
