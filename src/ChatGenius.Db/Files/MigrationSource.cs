using System.Reflection;
using System.Text;
using ChatGenius.Db.Files;
using ChatGenius.Db.Text;

namespace ChatGenius.Db;

/// <summary>
/// Where migrations are read from: a folder, the resources of an assembly, texts, or the bundle; and any of them together.
/// </summary>
public sealed class MigrationSource
{
    private const string BundlePrefix = "bundle/";
    private readonly Func<IEnumerable<MigrationFile>> _files;
    private readonly string[] _folders;

    private MigrationSource(Func<IEnumerable<MigrationFile>> files, params string[] folders) => (_files, _folders) = (files, folders);

    /// <summary>ChatGenius's own migrations, which are part of this library.</summary>
    public static MigrationSource Bundle { get; } = new(Bundled);

    /// <summary>The files of a folder whose names end with <c>.sql</c>, without those whose names begin with a dot; and the repeatable
    /// objects in its folder <c>repeatable</c>.</summary>
    /// <param name="folder">The folder; it has to be there when the migrations are read (CG0301, CG0302).</param>
    public static MigrationSource FromFolder(string folder) => new(() => Folder(folder, mustExist: true), folder);

    /// <summary>The embedded resources of an assembly that end with <c>.sql</c>: <c>&lt;EmbeddedResource
    /// Include="Migrations/*.sql" /&gt;</c>.</summary>
    /// <param name="assembly">The assembly.</param>
    /// <param name="prefix">What the resources' names begin with, such as <c>MyApp.Migrations.</c>; all where it is empty.</param>
    /// <returns>Their source; where the assembly has none, that is a problem when the migrations are read (CG0327).</returns>
    public static MigrationSource FromAssembly(Assembly assembly, string prefix = "") => new(() =>
    {
        var resources = assembly.GetManifestResourceNames().Where(name => name.StartsWith(prefix, StringComparison.Ordinal)
            && name.EndsWith(".sql", StringComparison.OrdinalIgnoreCase)).ToList();
        return resources.Count > 0
            ? resources.Select(name => new MigrationFile(FileNameOf(name), MigrationOrigin.Folder, () =>
                ReadResource(assembly, name, FileNameOf(name))))
            : throw new ProblemException(
                "CG0327", $"The assembly {assembly.GetName().Name} has no resource {(prefix.Length > 0 ? $"{prefix}*.sql" : "*.sql")}",
                advice: "Embed the files with <EmbeddedResource Include=\"Migrations/*.sql\" />, or name another prefix.");
    });

    /// <summary>Texts that the caller has.</summary>
    /// <param name="texts">File name, such as <c>0001_create_orders.sql</c>, and what would be in the file.</param>
    public static MigrationSource FromTexts(params IEnumerable<(string Name, string Text)> texts)
    {
        List<(string Name, string Text)> all = [.. texts];
        return new(() => all.Select(one => new MigrationFile(one.Name, MigrationOrigin.Folder, () =>
            SourceText.From(one.Name, Encoding.UTF8.GetBytes(one.Text)))));
    }

    /// <summary>These migrations and those of another source, in the order of their numbers.</summary>
    public MigrationSource And(MigrationSource other) =>
        new(() => _files().Concat(other._files()), [.. _folders, .. other._folders]);

    /// <summary>Reads and understands them all, as the other one.</summary>
    internal IReadOnlyList<Migration> Load() => Load(out _);

    /// <inheritdoc cref="Load()"/>
    /// <param name="repeatables">Gets the repeatable objects.</param>
    internal IReadOnlyList<Migration> Load(out IReadOnlyList<Migration> repeatables) => Repeatable.Together(
        _folders, () => Load([.. _files()], allOfANumber: false, emptyDownsUpTo: 0, CancellationToken.None), out repeatables);

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
    /// <param name="before">A file of the folder, by its full path: it and those of larger numbers are passed over.</param>
    /// <param name="emptyDownsUpTo">As for <see cref="MigrationParser.Parse"/>.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <returns>The migrations in the order of their numbers.</returns>
    /// <exception cref="ProblemException">
    /// All problems of all files together, in the order of path and line: those of <see cref="MigrationParser.Parse"/> and
    /// <see cref="SourceText.Read"/>; CG0305: two files with one number; CG0306: another content in the bundle. At once: CG0301: no
    /// such folder; CG0302: the folder can't be read.
    /// </exception>
    internal static IReadOnlyList<Migration> Load(
        string? folder, bool bundle = true, bool folderMustExist = false, bool allOfANumber = false,
        string? before = null, long emptyDownsUpTo = 0, CancellationToken cancellationToken = default)
    {
        List<MigrationFile> files = [.. bundle ? Bundled() : [], .. folder is null ? [] : Folder(folder, folderMustExist)];
        if (before is not null)
        {
            var end = MigrationParser.VersionOf(before);
            files.RemoveAll(file => file.Origin == MigrationOrigin.Folder
                && (Path.GetFullPath(file.Path) == before || MigrationParser.VersionOf(file.Path) >= end));
        }

        return Load(files, allOfANumber, emptyDownsUpTo, cancellationToken);
    }

    private static List<Migration> Load(
        List<MigrationFile> files, bool allOfANumber, long emptyDownsUpTo, CancellationToken cancellationToken)
    {
        OpenSsl.Require();
        files.Sort((a, b) => string.CompareOrdinal(a.Path, b.Path));
        var migrations = new Migration?[files.Count];
        var problems = new List<Problem>?[files.Count];
        void Read(int i)
        {
            try
            {
                migrations[i] = MigrationParser.Parse(files[i].Read(), files[i].Origin, emptyDownsUpTo);
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
        List<MigrationFile> files, Migration?[] migrations, List<Problem>?[] problems)
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
                            + $"{new ToolCall("renumber", Path.GetFileName(files[other].Path))}.")
                    {
                        Files = [files[first].Path, files[other].Path],
                    });
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

    private static IEnumerable<MigrationFile> Folder(string folder, bool mustExist) =>
        List(folder, mustExist).Select(path => new MigrationFile(path, MigrationOrigin.Folder, () => SourceText.Read(path)));

    private static IEnumerable<MigrationFile> Bundled()
    {
        var assembly = typeof(MigrationSource).Assembly;
        return assembly.GetManifestResourceNames().Where(name => name.StartsWith(BundlePrefix, StringComparison.Ordinal))
            .Select(name => new MigrationFile(name, MigrationOrigin.Bundle, () => ReadResource(assembly, name, name)));
    }

    /// <summary>A resource's name has the folders before the file's name, joined by dots unless somebody named it otherwise.</summary>
    private static string FileNameOf(string resource) =>
        resource[(resource.LastIndexOfAny(['.', '/', '\\'], resource.Length - ".sql".Length - 1) + 1)..];

    private static SourceText ReadResource(Assembly assembly, string name, string path)
    {
        using var stream = assembly.GetManifestResourceStream(name)!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return SourceText.From(path, bytes);
    }

    private sealed record MigrationFile(string Path, MigrationOrigin Origin, Func<SourceText> Read);
}
