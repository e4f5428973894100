using ChatGenius.Db.Text;

namespace ChatGenius.Tool.Configuration;

/// <summary>
/// Looks for a file of settings from the working directory upwards. One that lies above it decides what is run, with the rights of whoever
/// runs the tool: it is taken only where nobody else can have put it there (CVE-2022-24765 is git's fault of this kind).
/// </summary>
internal static class FoundFile
{
    /// <summary>The nearest file of a name.</summary>
    /// <param name="shell">Where the search begins.</param>
    /// <param name="name">The file's name.</param>
    /// <param name="last">The last folder that is looked into; null for the root.</param>
    /// <returns>Its absolute path; null where there is none.</returns>
    /// <exception cref="ProblemException">CG0913: the nearest one lies above the working directory and may be somebody else's.</exception>
    public static string? Find(Shell shell, string name, string? last)
    {
        for (var folder = shell.WorkingDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            var path = Path.Combine(folder, name);
            if (File.Exists(path))
            {
                return folder == shell.WorkingDirectory || Doubt(shell, folder, path) is not { } doubt ? path : throw new ProblemException(
                    "CG0913", $"{path} is above the working directory, and {doubt}: it is not taken unasked",
                    advice: name == SettingsFile.Name ? "If it is yours, name it with --config FILE; otherwise move it away."
                        : "If it is yours, set its variables yourself; otherwise move it away.");
            }

            if (folder == last)
            {
                break;
            }
        }

        return null;
    }

    /// <summary>The nearest folder of a name above the working directory, within the repository.</summary>
    public static string? FolderAbove(Shell shell, string name)
    {
        var (limit, _) = Limit(shell, shell.WorkingDirectory);
        for (var folder = Path.GetDirectoryName(shell.WorkingDirectory); folder is not null
            && IsWithin(folder, limit); folder = Path.GetDirectoryName(folder))
        {
            if (Path.Exists(Path.Combine(limit, ".git")) && Directory.Exists(Path.Combine(folder, name)))
            {
                return Path.Combine(folder, name);
            }
        }

        return null;
    }

    /// <summary>Reads an ordinary file.</summary>
    /// <param name="shell">How paths are shown.</param>
    /// <param name="path">The absolute path.</param>
    /// <param name="code">The problem's code where it can't be read.</param>
    public static SourceText Read(Shell shell, string path, string code)
    {
        try
        {
            return SourceText.From(shell.Shown(path), OrdinaryFile.ReadBytes(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ProblemException(code, $"{shell.Shown(path)} can't be read: {e.Message}",
                advice: "Check the path and its permissions.", cause: e);
        }
    }

    /// <returns>Why it may be somebody else's; null where it can't.</returns>
    private static string? Doubt(Shell shell, string folder, string path)
    {
        var here = shell.WorkingDirectory;
        if (Limit(shell, here) is var (limit, what) && !IsWithin(folder, limit))
        {
            return $"outside of {what} {limit}";
        }

        // Windows has no owner to ask for in .NET; there the limit alone counts.
        return UnixFile.Of(path) is not { } file ? null
            : UnixFile.Of(here) is { } start && start.Device != file.Device ? "on another file system"
            : file.IsWritableByAll ? "everybody may write to it"
            : !Trusted(shell, here).Contains(file.Owner) ? $"belongs to another user (number {file.Owner})"
            : null;
    }

    /// <summary>The user that runs the tool, root, whoever called sudo, and the owner of the working directory.</summary>
    private static IEnumerable<uint> Trusted(Shell shell, string here)
    {
        yield return UnixFile.Ourselves;
        yield return 0;
        if (UnixFile.Ourselves == 0 && uint.TryParse(shell.Variable("SUDO_UID"), out var caller))
        {
            yield return caller;
        }

        if (UnixFile.Of(here) is { } folder)
        {
            yield return folder.Owner;
        }
    }

    /// <summary>How far up a project reaches: its repository, or else the home directory, or else the file system.</summary>
    private static (string Folder, string What) Limit(Shell shell, string here)
    {
        for (var folder = here; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (Path.Exists(Path.Combine(folder, ".git")))
            {
                return (folder, "the repository");
            }
        }

        return shell.Variable("HOME") is { } home && Path.IsPathRooted(home) && IsWithin(here, home) ? (home, "the home directory")
            : (Path.GetPathRoot(here)!, "the root");
    }

    private static bool IsWithin(string folder, string limit) =>
        $"{folder.TrimEnd('/')}/".StartsWith($"{limit.TrimEnd('/')}/", OperatingSystem.IsLinux() ? StringComparison.Ordinal
            : StringComparison.OrdinalIgnoreCase);
}
