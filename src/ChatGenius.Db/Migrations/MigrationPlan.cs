using System.Globalization;
using ChatGenius.Db.Files;
using ChatGenius.Db.Migrations;

namespace ChatGenius.Db;

/// <summary>
/// What will run, decided before anything does, as a pure function of the files, the history and the request.
/// The plan that is shown is the object that runs.
/// </summary>
/// <param name="Steps">The sections, in the order they run.</param>
/// <param name="Statuses">All migrations, files and history together, by number.</param>
/// <param name="Remarks">What is worth a word but stops nothing, such as a gap between two numbers.</param>
public sealed partial record MigrationPlan(
    IReadOnlyList<MigrationStep> Steps,
    IReadOnlyList<MigrationStatus> Statuses,
    IReadOnlyList<string> Remarks)
{
    /// <summary>Whether all of it is one transaction, so that a failure changes nothing.</summary>
    public bool InOneTransaction { get; init; }

    /// <summary>The sections that apply a migration.</summary>
    internal IReadOnlyList<MigrationStep> Ups => [.. Steps.Where(step => step.Direction == MigrationDirection.Up && !step.IsRepeatable)];

    /// <summary>Number and description for a migration that has no file: four digits or more.</summary>
    internal static string FormatId(long version, string name) =>
        $"{version.ToString("D4", CultureInfo.InvariantCulture)}_{name}";

    /// <summary>Sets the files against the history. Never fails: this is what <c>status</c> shows.</summary>
    /// <param name="migrations">The files, numbers unique.</param>
    /// <param name="history">What was applied, and what was begun.</param>
    internal static IReadOnlyList<MigrationStatus> Compare(IReadOnlyList<Migration> migrations, HistorySnapshot history)
    {
        var rows = history.Rows.ToDictionary(row => row.Version);
        var interruptions = history.Interruptions.ToDictionary(interruption => interruption.Version);
        var newest = rows.Count > 0 ? rows.Keys.Max() : 0;
        var statuses = new List<MigrationStatus>(migrations.Count);
        foreach (var migration in migrations)
        {
            rows.Remove(migration.Version, out var row);
            interruptions.Remove(migration.Version, out var interruption);
            var state = (row, interruption) switch
            {
                (_, not null) => MigrationState.Interrupted,
                (null, _) => migration.Version < newest ? MigrationState.OutOfOrder : MigrationState.Pending,
                _ when row.Checksum.Length > 0 && row.Checksum != migration.Up.Checksum => MigrationState.Edited,
                _ => MigrationState.Applied,
            };
            statuses.Add(new MigrationStatus(migration.Version, migration.Name, state, migration, row, interruption));
        }

        // What is left has no file.
        statuses.AddRange(rows.Values.Select(row =>
        {
            interruptions.Remove(row.Version, out var interruption);
            return new MigrationStatus(row.Version, row.Name, MigrationState.Missing, null, row, interruption);
        }));
        statuses.AddRange(interruptions.Values.Select(interruption => new MigrationStatus(
            interruption.Version, interruption.Name, MigrationState.Interrupted, null, null, interruption)));
        statuses.Sort((a, b) => a.Version.CompareTo(b.Version));
        return statuses;
    }

    /// <summary>Plans an <c>apply</c>.</summary>
    /// <exception cref="ProblemException">
    /// All at once: CG0401 edited; CG0402 missing; CG0403 out of order; CG0404 edited after an interruption;
    /// CG0405 an interrupted rollback comes first, and its file has another down by now; CG0406 no migration has the number asked for;
    /// CG0430 the database has tables of others.
    /// </exception>
    internal static MigrationPlan Apply(
        IReadOnlyList<Migration> migrations, HistorySnapshot history, PlanRequest request, IReadOnlyList<Migration>? repeatables = null)
    {
        var statuses = Compare(migrations, history);
        var newestFile = migrations.Count > 0 ? migrations[^1].Version : 0;
        var problems = new List<Problem>();
        var remarks = new List<string>();
        var steps = new List<MigrationStep>();
        var mild = new Dictionary<MigrationState, List<string>> { [MigrationState.Edited] = [], [MigrationState.Missing] = [] };
        if (request.To is { } target && !statuses.Any(status => status.Version == target))
        {
            problems.Add(PlanProblem.NoSuchMigration(target, statuses));
        }

        foreach (var status in statuses)
        {
            switch (status.State)
            {
                case MigrationState.Edited when status.Row!.IsBaseline && !status.IsAnother:
                case MigrationState.Missing when status.Row!.IsBaseline && status.Version <= newestFile:
                    mild[status.State].Add(FormatId(status.Version, status.Name));
                    break;
                case MigrationState.Edited:
                    problems.Add(PlanProblem.Edited(status, statuses));
                    break;
                case MigrationState.Missing when status.Version > newestFile:
                    remarks.Add($"The database is ahead of these files: {FormatId(status.Version, status.Name)} is applied there");
                    break;
                case MigrationState.Missing when !request.AllowMissing:
                    problems.Add(PlanProblem.Missing(status, statuses));
                    break;
                case MigrationState.OutOfOrder when !request.AllowOutOfOrder && status.Version <= (request.To ?? long.MaxValue):
                    problems.Add(PlanProblem.OutOfOrder(status, statuses));
                    break;
                case MigrationState.Interrupted when status.Interruption!.Direction == MigrationDirection.Down:
                    if (!GoesOnInFile(status))
                    {
                        problems.Add(PlanProblem.InterruptedRollback(status));
                        break;
                    }

                    steps.Insert(0, RollbackStep(status) with { Command = "apply" });
                    remarks.Add($"The rollback of {status.Migration!.Id} was interrupted: it is finished first");
                    AddUp(status with { Interruption = null });
                    break;
                case MigrationState.Interrupted when status.Migration is null || !status.Interruption.ContinuesIn(status.Migration.Up):
                    problems.Add(PlanProblem.EditedAfterInterruption(status));
                    break;
                case MigrationState.Pending or MigrationState.OutOfOrder or MigrationState.Interrupted:
                    AddUp(status);
                    break;
            }
        }

        void AddUp(MigrationStatus status)
        {
            if (status.Version <= (request.To ?? long.MaxValue))
            {
                steps.Add(new MigrationStep(
                    status.Version, status.Migration!.Name, MigrationDirection.Up, status.Migration.Up, status.Migration,
                    status.Interruption));
            }
        }

        if (problems.Count > 0)
        {
            throw new ProblemException(problems);
        }

        // What another tool ran, it ran from its own files.
        remarks.AddRange(mild.Where(one => one.Value.Count > 0).Select(one =>
            $"A baseline marked {string.Join(", ", one.Value.Take(3))}{(one.Value.Count > 3 ? $" and {one.Value.Count - 3} more" : "")}, "
                + (one.Key == MigrationState.Edited ? "edited since then" : "and there is no such file")));
        steps = [.. steps.Take(request.Steps ?? int.MaxValue)];
        if (steps.Count > 0 && !request.Fresh && history.Found?.ReasonNotToApply(steps) is { } found)
        {
            throw new ProblemException(found);
        }

        var chosen = request.Batches == BatchChoice.All ? steps
            : steps.TakeWhile(step => (step.Section.Batch is not null) == (request.Batches == BatchChoice.Only)).ToList();
        if (chosen.Count < steps.Count)
        {
            remarks.Add($"{steps[chosen.Count].Id} and what follows it is left for another run: it "
                + $"{(request.Batches == BatchChoice.Only ? "does not go" : "goes")} in batches");
        }

        remarks.AddRange(Gaps(chosen, statuses));
        return new MigrationPlan(chosen, statuses, remarks).WithRepeatables(repeatables ?? [], history.Repeatables);
    }

    /// <summary>Plans a <c>rollback</c>: newest first. Of files that share a number, the one that was applied counts.</summary>
    /// <exception cref="ProblemException">
    /// All at once: CG0406 no migration has the number asked for; CG0407 one can't be undone; CG0404 edited after an interruption;
    /// CG0408 an interrupted apply comes first.
    /// </exception>
    internal static MigrationPlan Rollback(
        IReadOnlyList<Migration> migrations, HistorySnapshot history, RollbackRequest request, IReadOnlyList<Migration>? repeatables = null)
    {
        var rows = history.Rows.ToDictionary(row => row.Version);
        migrations = [.. migrations.GroupBy(migration => migration.Version).Select(files =>
            files.MaxBy(file => rows.GetValueOrDefault(file.Version) is not { } row || file.Name != row.Name ? 0
                : IsApplied(file, row) ? 2 : 1)!)];
        var statuses = Compare(migrations, history);
        var applied = statuses.Where(status => status.Row is not null).Reverse().ToList();
        if (request.To is > 0 and var target && !applied.Any(status => status.Version == target))
        {
            throw new ProblemException(PlanProblem.NoSuchMigration(target, [.. applied.AsEnumerable().Reverse()],
                none: "No migration is applied."));
        }

        var chosen = request switch
        {
            { All: true } => applied,
            { To: { } to } => applied.TakeWhile(status => status.Version > to).ToList(),
            _ => applied.Take(request.Steps ?? 1).ToList(),
        };
        var problems = new List<Problem>();
        problems.AddRange(statuses
            .Where(status => status.Interruption is { Direction: MigrationDirection.Up })
            .Select(PlanProblem.InterruptedApply));
        var steps = new List<MigrationStep>();
        foreach (var status in chosen)
        {
            var step = RollbackStep(status);
            if (step.Section.Irreversible)
            {
                problems.Add(PlanProblem.Irreversible(step));
            }
            else if (status.Interruption is { } interruption && !interruption.ContinuesIn(step.Section))
            {
                problems.Add(PlanProblem.EditedAfterInterruption(status));
            }
            else if (step.IsStored && history.LesserWriters.Count > 0 && !request.TrustStoredDown)
            {
                problems.Add(PlanProblem.UntrustedDown(step, history.LesserWriters));
            }

            steps.Add(step);
        }

        var plan = new MigrationPlan(steps, statuses, []);
        plan = steps.Count == 0 ? plan : plan.WithOlderTexts(repeatables ?? [], history, request, problems);
        return problems.Count == 0 ? plan : throw new ProblemException(problems);
    }

    /// <summary>
    /// Plans a <c>redo</c>: down sections newest first, then up sections. Both halves are decided before anything runs. Where an earlier
    /// one has undone migrations and not applied them again, it goes on with those.
    /// </summary>
    /// <exception cref="ProblemException">
    /// As <see cref="Rollback"/> and <see cref="Apply"/>; CG0415 one has no file; CG0416 one can't be in a transaction with what undoes it.
    /// </exception>
    internal static MigrationPlan Redo(
        IReadOnlyList<Migration> migrations, HistorySnapshot history, RedoRequest request, IReadOnlyList<Migration>? repeatables = null)
    {
        var goesOn = history.Undone.Count > 0;
        var undo = goesOn ? new MigrationPlan([], [], [])
            : Rollback(migrations, history, new RollbackRequest(request.Steps, TrustStoredDown: request.TrustStoredDown), repeatables);
        var downs = undo.Steps.Where(step => !step.IsRepeatable).ToList();
        var undone = goesOn ? history.Undone.ToHashSet() : downs.Select(step => step.Version).ToHashSet();
        if (undone.Count == 0)
        {
            return new MigrationPlan([], Compare(migrations, history), []);
        }

        var known = migrations.Select(migration => migration.Version).ToHashSet();
        if (downs.Where(step => !known.Contains(step.Version)).ToList() is { Count: > 0 } lost)
        {
            throw new ProblemException([.. lost.Select(step => PlanProblem.NoFile(step, undo.Statuses))]);
        }

        // What can't be applied again isn't undone first.
        undone.IntersectWith(known);
        var after = history with
        {
            Rows = [.. history.Rows.Where(row => !undone.Contains(row.Version))],
            Interruptions = [.. history.Interruptions.Where(interruption => interruption.Direction == MigrationDirection.Up)],
        };
        var ups = undone.Count == 0 ? []
            : Apply(migrations, after, new PlanRequest(undone.Max(), AllowOutOfOrder: true, AllowMissing: true)).Steps
            .Where(step => undone.Contains(step.Version)).ToList();
        var steps = downs.Concat(ups).Select(step => step with { Command = "redo" }).ToList();
        var single = downs.Count > 0 && !request.Separately && steps.TrueForAll(step => step.Section is { Transactional: true,
            Keep: false });
        return single && ups.Find(step => step.Section.Script.Statements is [var first, ..] && first.Is("SET", "TRANSACTION")) is { } first
            ? throw new ProblemException(PlanProblem.OwnTransaction(first))
            : (new MigrationPlan(steps, Compare(migrations, after), undo.Remarks) { Before = undo.Before, InTheWay = undo.InTheWay })
                .WithRepeatables(repeatables ?? [], history.Repeatables, again: undo.Since)
                with { Statuses = Compare(migrations, history), InOneTransaction = single };
    }

    /// <summary>
    /// The down section of the file, if the file is what was applied; otherwise the one that the history has kept, because the file's
    /// undoes something else. A rollback that was interrupted goes on with the one that it began.
    /// </summary>
    private static MigrationStep RollbackStep(MigrationStatus status)
    {
        var row = status.Row!;
        if (status.Migration is { } file && (status.Interruption is null ? IsApplied(file, row) : GoesOnInFile(status)))
        {
            return new MigrationStep(row.Version, row.Name, MigrationDirection.Down, file.Down, file, status.Interruption);
        }

        return new MigrationStep(row.Version, row.Name, MigrationDirection.Down, row.ParseDown(), null,
            status.Interruption) { IsStored = true };
    }

    private static bool IsApplied(Migration file, HistoryRow row) =>
        file.Name == row.Name && (row.Checksum.Length == 0 || file.Up.Checksum == row.Checksum);

    /// <summary>Whether a rollback that was interrupted goes on with the file's down.</summary>
    private static bool GoesOnInFile(MigrationStatus status) => status is
        { Migration: { } file, Row: { } row, Interruption: { } begun } && file.Name == row.Name && begun.ContinuesIn(file.Down);

    private static IEnumerable<string> Gaps(List<MigrationStep> steps, IReadOnlyList<MigrationStatus> statuses)
    {
        // A timestamp is a number too, and nobody expects those to be neighbours.
        const long SmallestTimestamp = 1_000_000_000;
        var planned = steps.Select(step => step.Version).ToHashSet();
        for (var i = 1; i < statuses.Count; i++)
        {
            var (before, after) = (statuses[i - 1].Version, statuses[i].Version);
            if (planned.Contains(after) && after < SmallestTimestamp && after > before + 1)
            {
                var missing = after == before + 2 ? $"{before + 1:D4} is" : $"{before + 1:D4} to {after - 1:D4} are";
                yield return $"{missing} not there: the numbers go from {before:D4} to {after:D4}";
            }
        }
    }
}
