using ChatGenius.Db.Replay;
using ChatGenius.Db.Safety;

namespace ChatGenius.Tool;

/// <summary>Says what the migrations here and those of a git revision do to each other, before the two are merged.</summary>
internal sealed class CheckWith(Workspace workspace, SchemaSources sources, TargetFinder targets, Shell shell, Report report)
{
    /// <param name="revision">The other side, such as <c>origin/main</c>.</param>
    /// <param name="shadow">The server for the copies; null for the private one.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ProblemException">CG1212: git knows no such revision; and those of <see cref="MergeChecker.RunAsync"/>.</exception>
    public async Task<ExitCode> RunAsync(string revision, string? shadow, CancellationToken cancellationToken)
    {
        using var progress = new RunProgress(report);
        progress.Show($"Comparing both orders with {revision}");
        IReadOnlyList<Migration> here = [.. await workspace.LoadAsync(cancellationToken), .. workspace.Repeatables];
        var there = await sources.OfRevisionAsync(revision, cancellationToken, withRepeatables: true);
        var parted = !here.Concat(there).Any(one => one.IsRepeatable) ? []
            : await sources.RepeatablesAsync(await Git.MergeBaseAsync(revision, sources.Folder, cancellationToken), cancellationToken);
        var checker = new MergeChecker(targets.Replayer(shadow, new ReplayOptions()), revision);
        var check = await checker.RunAsync(here, there, parted, cancellationToken);
        progress.Dispose();
        foreach (var conflict in check.Conflicts)
        {
            report.Result(Cells.Tame($"conflict: {conflict.Subject}: {conflict.Message}"));
            report.Result(Cells.Tame($"  {string.Join(", ", conflict.Files.Select(file => Named(file, check, revision)))}"));
        }

        foreach (var note in check.Notes)
        {
            report.Note(note, label: "note");
        }

        report.Result(MergeJson.Of(check, revision, file => Path(file)), JsonContext.Readable.MergeJson);
        var what = check.Here.Concat(check.There).Any(one => one.IsRepeatable) ? "file" : "migration";
        var sides = $"{Plural.Of(check.Here.Count, what)} here, {check.There.Count} on {revision}";
        report.Note(check.Conflicts.Count > 0 ? $"{Plural.Of(check.Conflicts.Count, "conflict")}: {sides}"
            : check.Here.Count == 0 || check.There.Count == 0 ? $"Nothing to compare: {sides} that the other side has not"
            : $"Both orders give the same database: {sides}");
        return check.Conflicts.Count > 0 ? ExitCode.Differs : ExitCode.Done;
    }

    private string Named(Migration file, MergeCheck check, string revision) =>
        check.There.Contains(file) ? $"{revision}:{Path(file)}" : Path(file);

    /// <summary>A file of the revision is read from a copy elsewhere: it is named as it would be here.</summary>
    private string Path(Migration file) => file.Origin == MigrationOrigin.Bundle ? file.Source.Path
        : shell.Shown(System.IO.Path.Combine(
            sources.Folder, file.IsRepeatable ? Repeatable.FolderName : "", System.IO.Path.GetFileName(file.Source.Path)));
}

/// <summary>What <c>check --with --json</c> prints.</summary>
/// <param name="With">The revision.</param>
/// <param name="Here">The files that only this side has.</param>
/// <param name="There">The files that only the revision has.</param>
internal sealed record MergeJson(
    string With, IReadOnlyList<string> Here, IReadOnlyList<string> There, IReadOnlyList<MergeConflictJson> Conflicts,
    IReadOnlyList<string> Notes)
{
    public static MergeJson Of(MergeCheck check, string revision, Func<Migration, string> path) => new(
        revision, [.. check.Here.Select(path)], [.. check.There.Select(path)],
        [.. check.Conflicts.Select(conflict =>
            new MergeConflictJson(conflict.Subject, conflict.Message, [.. conflict.Files.Select(path)]))],
        check.Notes);
}

/// <param name="Subject">The object, or the migration that fails.</param>
internal sealed record MergeConflictJson(string Subject, string Message, IReadOnlyList<string> Files);
