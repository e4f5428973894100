using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text;
using ChatGenius.Db.Text;

namespace ChatGenius.Tool;

/// <summary>Asks git which files of the project changed or were added.</summary>
internal static class Git
{
    /// <summary>Linux alone tells two names apart that differ in case.</summary>
    private static readonly StringComparer Names = OperatingSystem.IsLinux() ? StringComparer.Ordinal : StringComparer.OrdinalIgnoreCase;

    /// <summary>The migrations whose file differs from a revision, or is not in it.</summary>
    /// <exception cref="ProblemException">CG1212: git can't be run, or knows no such revision.</exception>
    public static async Task<IReadOnlyList<Migration>> ChangedSinceAsync(
        string revision, IReadOnlyList<Migration> migrations, Shell shell, Report report, CancellationToken cancellationToken)
    {
        try
        {
            // The merge base: what others did on the revision's branch since then is not changed here.
            var root = await RootAsync(shell, cancellationToken);
            var start = await PartedAsync(root, await CommitAsync(root, revision, cancellationToken), cancellationToken);
            var changed = Files(await RunAsync(root, ["diff", "--name-only", "-z", start, "--"], cancellationToken));
            var added = Files(await RunAsync(root, ["ls-files", "--others", "--exclude-standard", "-z"], cancellationToken));
            var paths = RealPaths(root, changed.Concat(added));
            var chosen = Among(migrations, paths, shell);
            if (chosen.Count == 0)
            {
                report.Note(
                    $"git names {Plural.Of(paths.Count, "changed file")} since {revision}; none of them is a migration of this project");
            }

            return chosen;
        }
        catch (GitException e)
        {
            throw new ProblemException(
                "CG1212", $"git can't say what changed: {e.Message}",
                    advice: "--since needs git, a repository and a revision that is in it.", cause: e);
        }
    }

    /// <summary>The migrations whose file is staged for the next commit.</summary>
    /// <exception cref="ProblemException">CG1212: git can't be run here.</exception>
    public static async Task<IReadOnlyList<Migration>> StagedAsync(
        IReadOnlyList<Migration> migrations, Shell shell, Report report, CancellationToken cancellationToken)
    {
        try
        {
            var root = await RootAsync(shell, cancellationToken);
            var staged = Files(await RunAsync(root, ["diff", "--cached", "--name-only", "-z", "--diff-filter=d"], cancellationToken));
            var paths = RealPaths(root, staged);
            var chosen = Among(migrations, paths, shell);
            if (chosen.Count == 0)
            {
                report.Note($"git names {Plural.Of(paths.Count, "staged file")}; none of them is a migration of this project");
            }

            // What is read is the file as it is, which may not be what will be committed.
            var edited = Files(await RunAsync(root, ["diff", "--name-only", "-z"], cancellationToken));
            foreach (var migration in Among(chosen, RealPaths(root, edited), shell))
            {
                report.Note($"{migration.Source.Path} has changes that are not staged; it is checked with them", label: "note");
            }

            return chosen;
        }
        catch (GitException e)
        {
            throw new ProblemException("CG1212", $"git can't say what is staged: {e.Message}",
                advice: "--staged needs git and a repository.", cause: e);
        }
    }

    private static async Task<string> RootAsync(Shell shell, CancellationToken cancellationToken) =>
        (await RunAsync(shell.WorkingDirectory, ["rev-parse", "--show-toplevel"], cancellationToken)).TrimEnd('\n', '\r');

    private static HashSet<string> RealPaths(string root, IEnumerable<string> files) =>
        files.Select(path => RealPath(Path.Combine(root, path))).ToHashSet(Names);

    private static List<Migration> Among(IReadOnlyList<Migration> migrations, HashSet<string> paths, Shell shell) =>
    [
        .. migrations.Where(migration => migration.Origin == MigrationOrigin.Folder
            && paths.Contains(RealPath(shell.Absolute(migration.Source.Path)))),
    ];

    /// <summary>The revision whose files are published: the one that is named, else origin/HEAD, else origin/main, else main where another
    /// branch is checked out.</summary>
    /// <returns>Null where none is named, and there is no git, no repository or no such revision.</returns>
    public static async Task<string?> BaseAsync(string named, string folder, CancellationToken cancellationToken)
    {
        foreach (var revision in named.Length > 0 ? [] : (string[])["origin/HEAD", "origin/main", "main"])
        {
            try
            {
                await CommitAsync(folder, revision, cancellationToken);
                var isHere = revision == "main"
                    && (await RunAsync(folder, ["rev-parse", "--abbrev-ref", "HEAD"], cancellationToken)).Trim() == "main";
                return isHere ? null : revision;
            }
            catch (GitException)
            {
                // Then the next one; and without git, files are taken by name.
            }
        }

        return named.Length > 0 ? named : null;
    }

    /// <summary>Writes a folder's files of a revision into another folder.</summary>
    /// <exception cref="ProblemException">CG1212: git can't be run, or knows no such revision.</exception>
    public static async Task ExportAsync(
        string revision, string folder, string target, bool withRepeatables, CancellationToken cancellationToken)
    {
        try
        {
            var commit = await CommitAsync(folder, revision, cancellationToken);
            string[] folders = withRepeatables ? ["./", $"./{Repeatable.FolderName}/"] : ["./"];
            var tree = await RunAsync(folder, ["ls-tree", "--name-only", "-z", commit, .. folders], cancellationToken);
            foreach (var name in tree.Split('\0', StringSplitOptions.RemoveEmptyEntries)
                .Where(name => name.EndsWith(".sql", StringComparison.OrdinalIgnoreCase)))
            {
                // As bytes: a file that is no UTF-8 must stay one, so that it is refused as it would be here.
                var file = await RunBytesAsync(folder, ["show", $"{commit}:./{name}"], cancellationToken);
                Directory.CreateDirectory(Path.Combine(target, Path.GetDirectoryName(name)!));
                await File.WriteAllBytesAsync(Path.Combine(target, name), file, cancellationToken);
            }
        }
        catch (GitException e)
        {
            throw new ProblemException(
                "CG1212", $"git can't give the migrations of {revision}: {e.Message}",
                advice: "git:REVISION needs git, a repository and a revision that is in it.", cause: e);
        }
    }

    /// <summary>The files of a folder that were added since a revision and are not in it.</summary>
    /// <exception cref="ProblemException">CG0818: git can't be run, or doesn't know the revision.</exception>
    public static async Task<HashSet<string>> AddedSinceAsync(string revision, string folder, CancellationToken cancellationToken)
    {
        try
        {
            // What the other side has added since the two parted is not ours; after a merge the diff has its files too.
            var commit = await CommitAsync(folder, revision, cancellationToken);
            var start = await PartedAsync(folder, commit, cancellationToken);
            string[] diff = ["diff", "--name-only", "--relative", "--no-renames", "--diff-filter=A", "-z", start, "--", "."];
            var other = Files(await RunAsync(folder, ["ls-tree", "--name-only", "-z", commit, "."], cancellationToken));
            var added = Files(await RunAsync(folder, diff, cancellationToken));
            var untracked = Files(await RunAsync(folder, ["ls-files", "--others", "--exclude-standard", "-z", "--", "."],
                cancellationToken));
            return added.Concat(untracked).Except(other, Names).ToHashSet(Names);
        }
        catch (GitException e)
        {
            throw new ProblemException(
                "CG0818", $"git can't say what was added: {e.Message}", advice: "Check the revision, or name the files instead of --since.",
                    cause: e);
        }
    }

    /// <summary>The commit at which this branch and a revision parted.</summary>
    /// <exception cref="ProblemException">CG1212: git can't be run, or knows no such revision or commit.</exception>
    public static async Task<string> MergeBaseAsync(string revision, string folder, CancellationToken cancellationToken)
    {
        try
        {
            var commit = await CommitAsync(folder, revision, cancellationToken);
            return await PartedAsync(folder, commit, cancellationToken);
        }
        catch (GitException e)
        {
            throw new ProblemException(
                "CG1212", $"git can't say where this branch and {revision} parted: {e.Message}",
                advice: "It needs a repository with the commits of both: a shallow clone may lack them.", cause: e);
        }
    }

    /// <summary>The texts that a file has had, the newest first, as far as git can give them.</summary>
    public static async IAsyncEnumerable<byte[]> TextsAsync(
        string folder, string path, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var log = await SaidAsync("log", "--format=%H", "--diff-filter=AM", "-n", "100", "--", path);
        foreach (var commit in Encoding.UTF8.GetString(log ?? []).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            // A partial clone may lack a text.
            if (await SaidAsync("show", $"{commit}:./{path}") is { } text)
            {
                yield return text;
            }
        }

        async Task<byte[]?> SaidAsync(params string[] arguments)
        {
            try
            {
                return await RunBytesAsync(folder, arguments, cancellationToken);
            }
            catch (GitException)
            {
                return null;
            }
        }
    }

    private static async Task<string> CommitAsync(string folder, string revision, CancellationToken cancellationToken) =>
        (await RunAsync(folder, ["rev-parse", "--verify", "--end-of-options", $"{revision}^{{commit}}"], cancellationToken)).Trim();

    private static async Task<string> PartedAsync(string folder, string commit, CancellationToken cancellationToken) =>
        (await RunAsync(folder, ["merge-base", commit, "HEAD"], cancellationToken)).Trim();

    /// <summary>macOS gives names back with their accents taken apart.</summary>
    private static IEnumerable<string> Files(string output) =>
        output.Split('\0', StringSplitOptions.RemoveEmptyEntries).Select(name => name.Normalize(NormalizationForm.FormC));

    /// <summary>git names the folder with every symbolic link resolved.</summary>
    private static string RealPath(string path)
    {
        for (var part = new DirectoryInfo(Path.GetDirectoryName(path)!); part is not null; part = part.Parent)
        {
            if (part.Exists && part.LinkTarget is not null)
            {
                var target = part.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
                return RealPath(Path.Combine(target, Path.GetRelativePath(part.FullName, path)));
            }
        }

        return Path.GetFullPath(path).Normalize(NormalizationForm.FormC);
    }

    private static async Task<string> RunAsync(string folder, string[] arguments, CancellationToken cancellationToken) =>
        Encoding.UTF8.GetString(await RunBytesAsync(folder, arguments, cancellationToken));

    private static async Task<byte[]> RunBytesAsync(string folder, string[] arguments, CancellationToken cancellationToken)
    {
        // A repository names programs in its own settings, too: this one would be run to learn what changed.
        var program = ProgramFile.Find("git") ?? throw new GitException("git is not on PATH");
        var start = new ProcessStartInfo(program, ["-c", "core.fsmonitor=false", "-C", folder, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardErrorEncoding = Encoding.UTF8,
        };
        try
        {
            using var git = Process.Start(start)!;
            await using var cancelled = cancellationToken.Register(() => git.Kill(entireProcessTree: true));
            using var output = new MemoryStream();
            var copied = git.StandardOutput.BaseStream.CopyToAsync(output, CancellationToken.None);
            var error = await git.StandardError.ReadToEndAsync(CancellationToken.None);
            await copied;
            await git.WaitForExitAsync(CancellationToken.None);
            cancellationToken.ThrowIfCancellationRequested();
            return git.ExitCode == 0 ? output.ToArray() : throw new GitException(error.Split('\n')[0]);
        }
        catch (Win32Exception e)
        {
            throw new GitException(e.Message);
        }
    }

    private sealed class GitException(string message) : Exception(message);
}
