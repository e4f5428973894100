using System.Reflection;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Files;

/// <summary>Where migrations are read from: the bundle inside the tool, and the project's folder.</summary>
public static class MigrationSource
{
    private const string BundlePrefix = "bundle/";

    /// <summary>Reads and understands every migration, on all cores: on the caller's thread, and on threads of the pool.</summary>
    /// <param name="folder">
    /// The project's folder as the user named it; null for none. Files that do not end with <c>.sql</c>, files whose name begins with a dot
    /// and folders inside it are passed over.
    /// </param>
    /// <param name="bundle">Whether the bundle is read as well. The same migration in both is taken once, from the bundle.</param>
    /// <param name="folderMustExist">
    /// Whether it is a problem that the folder is not there; a folder that nobody named may well be missing.
    /// </param>
    /// <param name="allOfANumber">
    /// Whether files that share a number are all taken, for what goes back by the history, which knows the one that was applied.
    /// </param>
    /// <param name="except">A file of the folder that is passed over, by its full path.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <returns>The migrations in the order of their numbers.</returns>
    /// <exception cref="ProblemException">
    /// All problems of all files together, in the order of path and line: those of <see cref="MigrationParser.Parse"/> and
    /// <see cref="SourceText.Read"/>; CG0305: two files with one number; CG0306: another content in the bundle. At once: CG0301: no
    /// such folder; CG0302: the folder can't be read.
    /// </exception>
    public static IReadOnlyList<Migration> Load(
        string? folder, bool bundle = true, bool folderMustExist = false, bool allOfANumber = false,
        string? except = null, CancellationToken cancellationToken = default)
    {
        OpenSsl.Require();
        var assembly = typeof(MigrationSource).Assembly;
        var files = new List<(string Path, MigrationOrigin Origin)>();
        if (bundle)
        {
            var resources = assembly.GetManifestResourceNames().Where(n => n.StartsWith(BundlePrefix, StringComparison.Ordinal));
            files.AddRange(resources.Select(n => (n, MigrationOrigin.Bundle)));
        }

        if (folder is not null)
        {
            files.AddRange(List(folder, folderMustExist).Where(p => Path.GetFullPath(p) != except)
                .Select(p => (p, MigrationOrigin.Folder)));
        }

        files.Sort((a, b) => string.CompareOrdinal(a.Path, b.Path));
        var migrations = new Migration?[files.Count];
        var problems = new List<Problem>?[files.Count];
        void Read(int i)
        {
            var (path, origin) = files[i];
            try
            {
                var source = origin == MigrationOrigin.Bundle ? ReadBundled(assembly, path) : SourceText.Read(path);
                migrations[i] = MigrationParser.Parse(source, origin);
            }
            catch (ProblemException e)
            {
                problems[i] = [.. e.Problems];
            }
        }

        // The files are small and in the system's cache, or few: to wait for each of them without a thread costs more than the reading.
        // With a thread a core, of which the caller's is one, whatever else goes on meanwhile, such as connecting, finds one free in the
        // pool.
        var onAllCores = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancellationToken };
        Parallel.For(0, files.Count, onAllCores, Read);

        var unique = allOfANumber ? [.. migrations.OfType<Migration>().OrderBy(migration => migration.Version)]
            : Unite(files, migrations, problems);
        var all = problems.OfType<List<Problem>>().SelectMany(p => p).ToList();
        return all.Count == 0 ? unique : throw new ProblemException(all);
    }

    /// <summary>
    /// Sorts by number and finds numbers that are taken twice. Two files of one origin are told apart by their names alone, so that this is
    /// seen even when one of them can't be parsed.
    /// </summary>
    private static List<Migration> Unite(
        List<(string Path, MigrationOrigin Origin)> files, Migration?[] migrations, List<Problem>?[] problems)
    {
        var unique = new List<Migration>(files.Count);
        var versions = files.Select((file, i) => migrations[i]?.Version ?? MigrationParser.VersionOf(file.Path)).ToList();
        var indexes = Enumerable.Range(0, files.Count).Where(i => versions[i] is not null);
        foreach (var number in indexes.GroupBy(i => versions[i]).OrderBy(g => g.Key))
        {
            // The bundle's file comes first: where the folder has the same one, the bundle's is taken.
            var taken = number.OrderBy(i => files[i].Origin).ToList();
            var first = taken[0];
            foreach (var other in taken[1..])
            {
                if (files[first].Origin == files[other].Origin)
                {
                    (problems[other] ??= []).Add(new Problem(
                        "CG0305",
                        $"{files[first].Path} and {files[other].Path} have the same number",
                        Advice: "Give the one that has been applied nowhere the next free number, as in "
                            + $"{new ToolCall("renumber", Path.GetFileName(files[other].Path))}."));
                }
                else if (migrations[first] is { } bundled && migrations[other] is { } own && !bundled.IsSameAs(own))
                {
                    (problems[other] ??= []).Add(new Problem(
                        "CG0306",
                        $"{files[first].Path}, which travels with the tool, and {files[other].Path} have the same number, but not the "
                            + "same name and content",
                        Advice: "Give your file the next free number, or leave out the bundle with --no-bundle."));
                }
            }

            if (migrations[first] is { } migration)
            {
                unique.Add(migration);
            }
        }

        return unique;
    }

    private static List<string> List(string folder, bool mustExist)
    {
        try
        {
            // A name that ends with .SQL is meant as a migration too, and is reported.
            var files = Directory.EnumerateFiles(folder).Where(p => p.EndsWith(".sql", StringComparison.OrdinalIgnoreCase));
            return [.. files.Where(p => !Path.GetFileName(p).StartsWith('.'))];
        }
        catch (DirectoryNotFoundException) when (!File.Exists(folder))
        {
            return mustExist
                ? throw new ProblemException(
                    "CG0301", $"The migrations folder {folder} is not there", advice: "Check the path, or create the folder.")
                : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new ProblemException(
                "CG0302", $"The migrations folder {folder} can't be read: {e.Message}", advice: "Check the path and its permissions.",
                cause: e);
        }
    }

    private static SourceText ReadBundled(Assembly assembly, string name)
    {
        using var stream = assembly.GetManifestResourceStream(name)!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return SourceText.From(name, bytes);
    }
}
