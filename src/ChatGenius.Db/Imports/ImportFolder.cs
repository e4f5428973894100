using System.Globalization;
using System.IO.Enumeration;
using System.Numerics;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Imports;

/// <summary>A migration as the names of files say it.</summary>
/// <param name="Version">As for <see cref="ImportedMigration"/>.</param>
/// <param name="Name">As the tool has it, in whatever case.</param>
/// <param name="Key">As for <see cref="ImportedMigration.Key"/>.</param>
/// <param name="Up">The file of its up, or of both; a path below the folder. Null where the tool has only a down.</param>
/// <param name="Down">The file of its down, where it is another one.</param>
internal sealed record ImportEntry(string Version, string Name, string Key, string? Up, string? Down)
{
    /// <summary>The file that the tool lists first.</summary>
    public string Path => Up ?? Down!;
}

/// <summary>Orders in which tools apply.</summary>
internal static class ImportOrder
{
    /// <summary>By numbers, part by part where there are dots: 1, 1.1, 2, 10.</summary>
    public static IComparer<ImportEntry> ByNumber { get; } = Comparer<ImportEntry>.Create((a, b) =>
        Compare(a.Version, b.Version) is not 0 and var parts ? parts : string.CompareOrdinal(a.Path, b.Path));

    /// <summary>Compares two versions part by part: 1 and 01 are the same, and 1.0 is.</summary>
    public static int Compare(string a, string b)
    {
        var (left, right) = (Parts(a), Parts(b));
        return Enumerable.Range(0, Math.Max(left.Count, right.Count))
            .Select(i => left.ElementAtOrDefault(i).CompareTo(right.ElementAtOrDefault(i))).FirstOrDefault(part => part != 0);
    }

    /// <summary>By the names of the files, byte by byte.</summary>
    public static IComparer<ImportEntry> ByPath { get; } = Comparer<ImportEntry>.Create((a, b) => string.CompareOrdinal(a.Path, b.Path));

    /// <summary>By what the tool takes for the migration's name, such as its folder.</summary>
    public static IComparer<ImportEntry> ByKey { get; } = Comparer<ImportEntry>.Create((a, b) => string.CompareOrdinal(a.Key, b.Key));

    private static List<BigInteger> Parts(string version) => [.. version.Split('.').Select(part =>
        BigInteger.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : BigInteger.Zero)];
}

/// <summary>The folder that is read, with all that is below it.</summary>
internal sealed class ImportFolder
{
    /// <exception cref="ProblemException">CG1501: the folder is not there or can't be read.</exception>
    public ImportFolder(string path)
    {
        Path = path;
        try
        {
            // What begins with a dot is passed over; a link to a folder may lead round in a circle.
            var all = new EnumerationOptions
            {
                RecurseSubdirectories = true, MaxRecursionDepth = 5, IgnoreInaccessible = false,
                AttributesToSkip = FileAttributes.Hidden | FileAttributes.System,
            };
            var files = new FileSystemEnumerable<string>(path, (ref FileSystemEntry entry) => entry.ToSpecifiedFullPath(), all)
            {
                ShouldIncludePredicate = (ref FileSystemEntry entry) => !entry.IsDirectory,
                ShouldRecursePredicate = (ref FileSystemEntry entry) => (entry.Attributes & FileAttributes.ReparsePoint) == 0,
            };
            Files = [.. files.Select(file => System.IO.Path.GetRelativePath(path, file).Replace('\\', '/')).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ProblemException(
                "CG1501", e is DirectoryNotFoundException ? $"There is no folder {path}" : $"The folder {path} can't be read: {e.Message}",
                advice: "Name the folder that holds the other tool's migrations.", cause: e);
        }
    }

    /// <summary>As the user named it.</summary>
    public string Path { get; }

    /// <summary>The files, as paths below the folder, with / between the parts.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>A file as it is named to the user.</summary>
    public string Shown(string file) => System.IO.Path.Combine(Path, file);

    /// <inheritdoc cref="SourceText.Read"/>
    public SourceText Read(string file) => SourceText.Read(Shown(file));
}
