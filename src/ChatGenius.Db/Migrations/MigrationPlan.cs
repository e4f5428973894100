using System.Globalization;
using ChatGenius.Db.Files;
namespace ChatGenius.Db.Migrations;

/// <summary>Which section of a migration runs.</summary>
public enum MigrationDirection
{
    /// <summary>The <c>-- migrate:up</c> section.</summary>
    Up,

    /// <summary>The <c>-- migrate:down</c> section.</summary>
    Down,
}

/// <summary>Where a migration stands.</summary>
public enum MigrationState
{
    /// <summary>In the history, and its file is unchanged.</summary>
    Applied,

    /// <summary>Not in the history.</summary>
    Pending,

    /// <summary>In the history, but its up section has changed since.</summary>
    Edited,

    /// <summary>In the history, but there is no such file.</summary>
    Missing,

    /// <summary>Not in the history, though a later one is.</summary>
    OutOfOrder,

    /// <summary>A non-transactional section was begun and not finished.</summary>
    Interrupted,
}

/// <summary>One migration as the files and the history together show it.</summary>
/// <param name="Version">Its number.</param>
/// <param name="Name">Its description, snake_case.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Migration">Its file, unless it is missing.</param>
/// <param name="Row">Its history row, if it was applied.</param>
/// <param name="Interruption">Where a non-transactional section stopped, if one did.</param>
public sealed record MigrationStatus(
    long Version,
    string Name,
    MigrationState State,
    Migration? Migration,
    HistoryRow? Row,
    Interruption? Interruption);

/// <summary>Where a non-transactional section stopped.</summary>
/// <param name="Version">The migration's number.</param>
/// <param name="Name">Its description.</param>
/// <param name="Direction">Which section.</param>
/// <param name="Statement">The first statement that isn't known to be done, counted from 1.</param>
/// <param name="Count">How many statements the section has.</param>
/// <param name="Started">Whether that statement had been begun, so that its work may be there.</param>
/// <param name="Checksum">The checksum of the statements up to the last that was begun.</param>
/// <param name="Pid">The backend that ran it.</param>
/// <param name="BackendStart">When that backend started: a pid alone may have been given to another since.</param>
/// <param name="Since">When the statement was begun.</param>
public sealed record Interruption(
    long Version,
    string Name,
    MigrationDirection Direction,
    int Statement,
    int Count,
    bool Started,
    string Checksum,
    int Pid,
    DateTime BackendStart,
    DateTime Since)
{
    /// <summary>True if the statements that the interrupted run has begun are unchanged in a section. Later statements may have been edited.</summary>
    internal bool ContinuesIn(MigrationSection section)
    {
        var count = Started ? Statement : Statement - 1;
        return !section.Transactional && count <= section.Script.Statements.Count && Checksum == section.Script.ChecksumOf(count);
    }
}

/// <summary>One section to run.</summary>
/// <param name="Version">The migration's number.</param>
/// <param name="Name">Its description.</param>
/// <param name="Direction">Up or down.</param>
/// <param name="Section">The statements.</param>
/// <param name="Migration">The file; <c>null</c> where only the history still has the down section.</param>
/// <param name="Resume">Where an interrupted run of this section stopped, if one did.</param>
public sealed record MigrationStep(
    long Version,
    string Name,
    MigrationDirection Direction,
    MigrationSection Section,
    Migration? Migration,
    Interruption? Resume)
{
    /// <summary>Number and description, as in the file's name: <c>0001_initial_schema</c>.</summary>
    public string Id => Migration?.Id ?? MigrationPlan.FormatId(Version, Name);

    /// <summary>The command that runs it, for the log.</summary>
    internal string Command { get => field ?? (Direction == MigrationDirection.Up ? "apply" : "rollback"); init; }

    /// <summary>Whether it applies again what was just rolled back.</summary>
    internal bool Redoes => Command == "redo" && Direction == MigrationDirection.Up;

    /// <summary>The file of an up section, which always has one.</summary>
    internal Migration File => Migration ?? throw new InvalidOperationException("Only a migration with a file is applied.");
}

/// <summary>What the caller wants of a plan to apply.</summary>
/// <param name="To">The last version to apply; <c>null</c> for all.</param>
/// <param name="AllowOutOfOrder">Also applies pending migrations that are older than the newest applied one.</param>
/// <param name="AllowMissing">Goes on although an applied migration's file is gone.</param>
public sealed record PlanRequest(long? To = null, bool AllowOutOfOrder = false, bool AllowMissing = false);

/// <summary>What the caller wants of a plan to roll back: exactly one of the three.</summary>
/// <param name="Steps">How many migrations, newest first; 1 or more.</param>
/// <param name="To">The version that is to be the newest afterwards; 0 for none.</param>
/// <param name="All">All of them.</param>
public sealed record RollbackRequest(int? Steps = null, long? To = null, bool All = false);

/// <summary>
/// What will run, decided before anything does, as a pure function of the files, the history and the request.
/// The plan that is shown is the object that runs.
/// </summary>
/// <param name="Steps">The sections, in the order they run.</param>
/// <param name="Statuses">All migrations, files and history together, by number.</param>
/// <param name="Remarks">What is worth a word but stops nothing, such as a gap between two numbers.</param>
public sealed record MigrationPlan(
    IReadOnlyList<MigrationStep> Steps,
    IReadOnlyList<MigrationStatus> Statuses,
    IReadOnlyList<string> Remarks)
{
    /// <summary>Number and description for a migration that has no file: four digits or more.</summary>
    internal static string FormatId(long version, string name) =>
        $"{version.ToString("D4", CultureInfo.InvariantCulture)}_{name}";

    /// <summary>Sets the files against the history. Never fails: this is what <c>status</c> shows.</summary>
    /// <param name="migrations">The files, numbers unique.</param>
    /// <param name="history">What was applied, and what was begun.</param>
    public static IReadOnlyList<MigrationStatus> Compare(IReadOnlyList<Migration> migrations, HistorySnapshot history)
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
    /// CG0405 an interrupted rollback comes first; CG0406 no migration has the number asked for.
    /// </exception>
    public static MigrationPlan Apply(IReadOnlyList<Migration> migrations, HistorySnapshot history, PlanRequest request)
    {
        var statuses = Compare(migrations, history);
        var newestFile = migrations.Count > 0 ? migrations[^1].Version : 0;
        var problems = new List<Problem>();
        var remarks = new List<string>();
        var steps = new List<MigrationStep>();
        if (request.To is { } target && !statuses.Any(status => status.Version == target))
        {
            problems.Add(NoSuchMigration(target, statuses));
        }

        foreach (var status in statuses)
        {
            switch (status.State)
            {
                case MigrationState.Edited:
                    problems.Add(Edited(status, statuses));
                    break;
                case MigrationState.Missing when status.Version > newestFile:
                    remarks.Add($"The database is ahead of these files: {FormatId(status.Version, status.Name)} is applied there");
                    break;
                case MigrationState.Missing when !request.AllowMissing:
                    problems.Add(Missing(status, statuses));
                    break;
                case MigrationState.OutOfOrder when !request.AllowOutOfOrder && status.Version <= (request.To ?? long.MaxValue):
                    problems.Add(OutOfOrder(status, statuses));
                    break;
                case MigrationState.Interrupted when status.Interruption!.Direction == MigrationDirection.Down:
                    problems.Add(InterruptedRollback(status));
                    break;
                case MigrationState.Interrupted when status.Migration is null || !status.Interruption.ContinuesIn(status.Migration.Up):
                    problems.Add(EditedAfterInterruption(status));
                    break;
                case MigrationState.Pending or MigrationState.OutOfOrder or MigrationState.Interrupted
                    when status.Version <= (request.To ?? long.MaxValue):
                    steps.Add(new MigrationStep(
                        status.Version, status.Name, MigrationDirection.Up, status.Migration!.Up, status.Migration, status.Interruption));
                    break;
            }
        }

        if (problems.Count > 0)
        {
            throw new ProblemException(problems);
        }

        remarks.AddRange(Gaps(steps, statuses));
        return new MigrationPlan(steps, statuses, remarks);
    }

    /// <summary>Plans a <c>rollback</c>: newest first.</summary>
    /// <exception cref="ProblemException">
    /// All at once: CG0406 no migration has the number asked for; CG0407 one can't be undone; CG0404 edited after an interruption;
    /// CG0408 an interrupted apply comes first.
    /// </exception>
    public static MigrationPlan Rollback(IReadOnlyList<Migration> migrations, HistorySnapshot history, RollbackRequest request)
    {
        var statuses = Compare(migrations, history);
        var applied = statuses.Where(status => status.Row is not null).Reverse().ToList();
        if (request.To is > 0 and var target && !applied.Any(status => status.Version == target))
        {
            throw new ProblemException(NoSuchMigration(target, [.. applied.AsEnumerable().Reverse()], none: "No migration is applied."));
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
            .Select(InterruptedApply));
        var steps = new List<MigrationStep>();
        foreach (var status in chosen)
        {
            var down = status.Migration?.Down ?? status.Row!.ParseDown();
            if (down.Irreversible)
            {
                problems.Add(Irreversible(status, down));
            }
            else if (status.Interruption is { } interruption && !interruption.ContinuesIn(down))
            {
                problems.Add(EditedAfterInterruption(status));
            }

            steps.Add(new MigrationStep(
                status.Version, status.Name, MigrationDirection.Down, down, status.Migration, status.Interruption));
        }

        return problems.Count == 0 ? new MigrationPlan(steps, statuses, []) : throw new ProblemException(problems);
    }

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

    internal static Problem NoSuchMigration(
        long target, IReadOnlyList<MigrationStatus> statuses, string none = "There are no migrations at all.") => new(
        "CG0406",
        $"There is no migration {target:D4}",
        Advice: statuses.Count == 0
            ? none
            : $"Choose one of {FormatId(statuses[0].Version, statuses[0].Name)} to {FormatId(statuses[^1].Version, statuses[^1].Name)}; "
                + $"{new ToolCall("status")} lists them.");

    /// <summary>The call that undoes a migration and all that came after it.</summary>
    private static ToolCall RollbackBefore(MigrationStatus status, IReadOnlyList<MigrationStatus> statuses)
    {
        var before = statuses.LastOrDefault(other => other.Row is not null && other.Version < status.Version)?.Version ?? 0;
        return new ToolCall("rollback", "--to", before.ToString(CultureInfo.InvariantCulture));
    }

    private static Problem Edited(MigrationStatus status, IReadOnlyList<MigrationStatus> statuses) =>
        status.Row!.Name != status.Migration!.Name ? Another(status, statuses) : new(
        "CG0401",
        $"{status.Migration.Id} was edited after it was applied on {status.Row.AppliedAt:yyyy-MM-dd HH:mm} UTC",
        status.Migration.Up.Where,
        "Take the edit back and put the change into a new migration. "
        + $"On a development database, {RollbackBefore(status, statuses)} and then {new ToolCall("apply")} run the edited file.");

    private static Problem Another(MigrationStatus status, IReadOnlyList<MigrationStatus> statuses) => new(
        "CG0401",
        $"{status.Migration!.Id} is not {FormatId(status.Version, status.Row!.Name)}, which was applied on {status.Row.AppliedAt:yyyy-MM-dd HH:mm} UTC",
        status.Migration.Up.Where,
        $"If both are wanted, bring the other's file back and run {new ToolCall("renumber", Path.GetFileName(status.Migration.Source.Path))}. "
        + $"If this one replaces it, {RollbackBefore(status, statuses)} and then {new ToolCall("apply")} do so on a development database.");

    private static Problem Missing(MigrationStatus status, IReadOnlyList<MigrationStatus> statuses) => new(
        "CG0402",
        $"{FormatId(status.Version, status.Name)} is applied in the database, but its file is missing",
        Advice: $"Bring the file back, roll it back with {RollbackBefore(status, statuses)} (the history has its down), "
            + "or go on without it with --allow-missing.");

    private static Problem OutOfOrder(MigrationStatus status, IReadOnlyList<MigrationStatus> statuses)
    {
        var newest = statuses.Last(other => other.Row is not null);
        return new Problem(
            "CG0403",
            $"{status.Migration!.Id} is not applied, but the newer {FormatId(newest.Version, newest.Name)} is",
            status.Migration.Up.Where,
            statuses.Where(other => other.Migration?.Origin == MigrationOrigin.Bundle).All(other => other.Row is null)
                && status.Migration.Origin == MigrationOrigin.Bundle
                ? "No bundled migration was ever applied here: leave them out with --no-bundle, or with \"bundle\": false in chatgenius-db.json."
                : $"Give it a number after the applied ones with {new ToolCall("renumber")}, or apply it where it is with --allow-out-of-order.");
    }

    private static Problem EditedAfterInterruption(MigrationStatus status) => new(
        "CG0404",
        $"{FormatId(status.Version, status.Name)} was interrupted at statement {status.Interruption!.Statement} of {status.Interruption.Count}"
        + (status.Migration is null ? ", and its file is missing" : ", and what had been begun was edited since"),
        status.Migration?.Up.Where,
        "Bring the file back and apply again (statements that were not begun may be edited), or undo by hand what was done and say so with "
        + $"{new ToolCall("repair", status.Version.ToString(CultureInfo.InvariantCulture), "--forget")}.");

    private static Problem InterruptedRollback(MigrationStatus status) => new(
        "CG0405",
        $"The rollback of {FormatId(status.Version, status.Name)} was interrupted at statement {status.Interruption!.Statement} of {status.Interruption.Count}",
        Advice: $"Finish it with {new ToolCall("rollback")}, then apply.");

    private static Problem InterruptedApply(MigrationStatus status) => new(
        "CG0408",
        $"{FormatId(status.Version, status.Name)} was interrupted at statement {status.Interruption!.Statement} of {status.Interruption.Count}",
        status.Migration?.Up.Where,
        $"Finish it with {new ToolCall("apply")}, then roll back; or look at it with {new ToolCall("repair")}.");

    private static Problem Irreversible(MigrationStatus status, MigrationSection down)
    {
        var reason = down.Comment;
        return new Problem(
            "CG0407",
            $"{FormatId(status.Version, status.Name)} can't be undone" + (reason.Length > 0 ? $": {reason}" : ""),
            down.Where,
            "Restore a backup, or write a migration that brings the database to where you want it.");
    }
}
