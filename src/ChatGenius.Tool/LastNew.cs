using System.Security.Cryptography;
using System.Text;
using ChatGenius.Db.Text;

namespace ChatGenius.Tool;

/// <summary>
/// What the last <c>new</c> wrote into the migrations folder, so that it can be taken back. It is kept in this user's own folder, not in
/// the project, where it would be committed.
/// </summary>
internal sealed class LastNew(Settings settings, TargetFinder targets, Shell shell, Report report)
{
    /// <summary>Its name tells the project apart.</summary>
    private string Path
    {
        get
        {
            var project = Encoding.UTF8.GetBytes(shell.Absolute(settings.MigrationsFolder));
            return System.IO.Path.Combine(targets.DataFolder, "new", Convert.ToHexStringLower(SHA256.HashData(project))[..32]);
        }
    }

    /// <summary>Remembers files. Where that can't be done, nothing else is hindered by it.</summary>
    public void Keep(IEnumerable<string> paths)
    {
        try
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!);
            File.WriteAllLines(Path, paths.Select(WrittenFile.Of).Select(file => $"{file.Checksum} {file.Name}"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            report.Detail($"'new --undo' will not know of these files: {e.Message}");
        }
    }

    /// <summary>The files; none where nothing is known.</summary>
    /// <exception cref="ProblemException">CG0103: what is known can't be read.</exception>
    public IReadOnlyList<WrittenFile> Read()
    {
        try
        {
            return !File.Exists(Path) ? [] : [.. OrdinaryFile.ReadLines(Path).Select(line => line.Split(' ', 2))
                .Where(words => words.Length == 2).Select(words => new WrittenFile(words[1], words[0]))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw OrdinaryFile.Unreadable(Path, e);
        }
    }

    /// <summary>Forgets them.</summary>
    public void Forget() => File.Delete(Path);
}
