using System.Globalization;
using ChatGenius.Db.Files;

namespace ChatGenius.Db.Migrations;

/// <summary>What keeps a plan from being made.</summary>
internal static class PlanProblem
{
    internal static Problem NoSuchMigration(
        long target, IReadOnlyList<MigrationStatus> statuses, string none = "There are no migrations at all.") => new(
        "CG0406",
        $"There is no migration {target:D4}",
        Advice: statuses.Count == 0
            ? none
            : $"Choose one of {MigrationPlan.FormatId(statuses[0].Version, statuses[0].Name)} to "
                + $"{MigrationPlan.FormatId(statuses[^1].Version, statuses[^1].Name)}; "
                + $"{new ToolCall("status")} lists them.");

    /// <summary>The call that undoes a migration and all that came after it.</summary>
    private static ToolCall RollbackBefore(MigrationStatus status, IReadOnlyList<MigrationStatus> statuses)
    {
        var before = statuses.LastOrDefault(other => other.Row is not null && other.Version < status.Version)?.Version ?? 0;
        return new ToolCall("rollback", "--to", before.ToString(CultureInfo.InvariantCulture));
    }

    internal static Problem Edited(MigrationStatus status, IReadOnlyList<MigrationStatus> statuses) =>
        status.IsAnother ? Another(status, statuses) : new(
        "CG0401",
        $"{status.Migration!.Id} was edited after it was applied on {status.Row!.AppliedAt:yyyy-MM-dd HH:mm} UTC",
        status.Migration.Up.Where,
        "Take the edit back and put the change into a new migration. "
        + $"On a development database, {RollbackBefore(status, statuses)} and then {new ToolCall("apply")} run the edited file. "
        + $"If the edit changes nothing that matters, {Accept(status)} takes it over.");

    private static Problem Another(MigrationStatus status, IReadOnlyList<MigrationStatus> statuses) => new(
        "CG0401",
        $"{status.Migration!.Id} is not {MigrationPlan.FormatId(status.Version, status.Row!.Name)}, which was applied on "
            + $"{status.Row.AppliedAt:yyyy-MM-dd HH:mm} UTC",
        status.Migration.Up.Where,
        IsOfUnusedBundle(status, statuses) ? LeaveBundleOut
            : "If both are wanted, bring the other's file back and run "
            + $"{new ToolCall("renumber", Path.GetFileName(status.Migration.Source.Path))}. "
            + $"If this one replaces it, {RollbackBefore(status, statuses)} and then {new ToolCall("apply")} do so on a development "
                + "database.");

    private const string LeaveBundleOut =
        "No bundled migration was ever applied here: leave them out with --no-bundle, or with \"bundle\": "
        + "false in chatgenius-db.json, and run in the folder that has the project's migrations.";

    /// <summary>Whether it is a bundled migration, and none of those was applied: others have their numbers, or nobody has.</summary>
    private static bool IsOfUnusedBundle(MigrationStatus status, IReadOnlyList<MigrationStatus> statuses) =>
        status.Migration is { Origin: MigrationOrigin.Bundle } && statuses.All(other =>
            other.Migration is not { Origin: MigrationOrigin.Bundle } || other.Row is null || other.IsAnother);

    internal static Problem Missing(MigrationStatus status, IReadOnlyList<MigrationStatus> statuses) => new(
        "CG0402",
        $"{MigrationPlan.FormatId(status.Version, status.Name)} is applied in the database, but its file is missing",
        Advice: $"Bring the file back, roll it back with {RollbackBefore(status, statuses)} (the history has its down), "
            + "or go on without it with --allow-missing.");

    internal static Problem OutOfOrder(MigrationStatus status, IReadOnlyList<MigrationStatus> statuses)
    {
        var newest = statuses.Last(other => other.Row is not null);
        return new Problem(
            "CG0403",
            $"{status.Migration!.Id} is not applied, but the newer {MigrationPlan.FormatId(newest.Version, newest.Name)} is",
            status.Migration.Up.Where,
            IsOfUnusedBundle(status, statuses) ? LeaveBundleOut
                : $"If it is yours, give it a number after the applied ones with "
                    + $"{new ToolCall("renumber", Path.GetFileName(status.Migration.Source.Path))}, or apply it where it is with "
                    + "--allow-out-of-order.")
        {
            Files =
            [
                .. statuses.Where(other => other == status || (other.Row is not null && other.Version > status.Version))
                    .Select(other => other.Migration).OfType<Migration>()
                    .Where(file => file.Origin == MigrationOrigin.Folder).Select(file => file.Source.Path),
            ],
        };
    }

    internal static Problem EditedAfterInterruption(MigrationStatus status) => new(
        "CG0404",
        $"{MigrationPlan.FormatId(status.Version, status.Name)} was interrupted {status.Interruption!.Place}"
        + (status.Migration is null ? ", and its file is missing" : ", and what had been begun was edited since"),
        status.Migration?.Up.Where,
        "Bring the file back as it was (statements that were not begun may be edited) and run "
        + $"{(status.Interruption.Direction == MigrationDirection.Up ? new ToolCall("apply") : new ToolCall("rollback"))}, or undo by hand "
        + $"what was done and say so with {Forget(status)}.");

    internal static Problem InterruptedRollback(MigrationStatus status) => new(
        "CG0405",
        $"The rollback of {MigrationPlan.FormatId(status.Version, status.Name)} was interrupted "
            + status.Interruption!.Place,
        Advice: $"Finish it with {new ToolCall("rollback")}, then apply.");

    internal static Problem InterruptedApply(MigrationStatus status) => new(
        "CG0408",
        $"{MigrationPlan.FormatId(status.Version, status.Name)} was interrupted {status.Interruption!.Place}",
        status.Migration?.Up.Where,
        status.Interruption.IsAtEnd
            ? $"What it asks after its statements is not so yet. Bring that about and run {new ToolCall("apply")}, then roll back; or undo "
                + $"by hand what was done and say so with {Forget(status)}."
            : $"Finish it with {new ToolCall("apply")}, then roll back; or look at it with {new ToolCall("repair")}.");

    internal static Problem Irreversible(MigrationStep step)
    {
        var reason = step.Section.Comment;
        return new Problem(
            "CG0407",
            $"{step.Id} can't be undone" + (reason.Length > 0 ? $": {reason}" : ""),
            step.Section.Where,
            "Restore a backup, or write a migration that brings the database to where you want it.");
    }

    private static ToolCall Forget(MigrationStatus status) =>
        new("repair", status.Version.ToString(CultureInfo.InvariantCulture), "--forget");

    private static ToolCall Accept(MigrationStatus status) =>
        new("repair", status.Version.ToString(CultureInfo.InvariantCulture), "--accept");

    internal static Problem UntrustedDown(MigrationStep step, IReadOnlyList<string> writers) => new(
        "CG0414",
        $"The {(step.IsRepeatable ? "older text" : "down")} of {step.Id} would be the one that the history has kept, which "
            + $"{string.Join(", ", writers)} may have written\n"
        + step.Section.Text.TrimEnd(),
        Advice: "They have fewer rights than you, and it would run with yours. Read it. If it is right, add --trust-stored-down; the "
            + "file as it was "
            + "applied, brought back, does as well.");

    internal static Problem NoFile(MigrationStep step, IReadOnlyList<MigrationStatus> statuses) => new(
        "CG0415",
        $"{step.Id} has no file, so it can't be applied again",
        Advice: "Bring the file back, or only undo it, and all that came after it, with "
            + $"{RollbackBefore(statuses.First(status => status.Version == step.Version), statuses)}.");

    internal static Problem OwnTransaction(MigrationStep step) => new(
        "CG0416",
        $"{step.Id} begins with SET TRANSACTION, so it can't be in one transaction with what undoes it",
        step.Section.Script.Statements[0].Location,
        "Add --separately: it commits in between, so that a failure after that leaves the migration undone.");
}
