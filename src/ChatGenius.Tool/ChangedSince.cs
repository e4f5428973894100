using System.ComponentModel;
using System.Diagnostics;
using ChatGenius.Db;
using ChatGenius.Db.Files;
namespace ChatGenius.Tool;

/// <summary>Asks git which files of the project changed.</summary>
internal static class ChangedSince
{
    /// <summary>The migrations whose file differs from a revision, or is not in it.</summary>
    /// <exception cref="ProblemException">CG1212: git can't be run, or knows no such revision.</exception>
    public static async Task<IReadOnlyList<Migration>> SelectAsync(
        IReadOnlyList<Migration> migrations, string revision, Shell shell, CancellationToken cancellationToken)
    {
        // The merge base: what others did on the revision's branch meanwhile is not changed here.
        var root = (await GitAsync(["rev-parse", "--show-toplevel"], shell.WorkingDirectory, cancellationToken)).Trim();
        var start = (await GitAsync(["merge-base", "--", revision, "HEAD"], root, cancellationToken)).Trim();
        var changed = await GitAsync(["diff", "--name-only", "-z", start, "--"], root, cancellationToken);
        var added = await GitAsync(["ls-files", "--others", "--exclude-standard", "-z"], root, cancellationToken);
        var paths = $"{changed}\0{added}".Split('\0', StringSplitOptions.RemoveEmptyEntries).Select(path => RealPath(Path.Combine(root, path))).ToHashSet(StringComparer.Ordinal);
        return [.. migrations.Where(migration => migration.Origin == MigrationOrigin.Folder && paths.Contains(RealPath(shell.Absolute(migration.Source.Path))))];
    }

    /// <summary>git names the folder with every symbolic link resolved.</summary>
    private static string RealPath(string path)
    {
        var folder = new DirectoryInfo(Path.GetDirectoryName(path)!);
        for (var part = folder; part is not null; part = part.Parent)
        {
            if (part.Exists && part.LinkTarget is not null)
            {
                var target = part.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
                return RealPath(Path.Combine(target, Path.GetRelativePath(part.FullName, path)));
            }
        }

        return Path.GetFullPath(path);
    }

    private static async Task<string> GitAsync(string[] arguments, string folder, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("git", arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            using var process = Process.Start(start)!;
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var error = process.StandardError.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode == 0 ? await output : throw Failed((await error).Trim());
        }
        catch (Win32Exception e)
        {
            throw Failed(e.Message);
        }
    }

    private static ProblemException Failed(string reason) =>
        new(new Problem("CG1212", $"git can't say what changed: {reason}", Advice: "--since needs git, a repository and a revision that is in it."));
}
