using System.Text;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Files;

/// <summary>A line of the table that an import keeps beside the files.</summary>
/// <param name="Tool">The tool, as <c>baseline --from</c> names it.</param>
/// <param name="Key">What that tool's own table has of the migration.</param>
/// <param name="File">The name of its file here.</param>
internal sealed record ImportedNumber(string Tool, string Key, string File);

/// <summary>
/// <c>imported.tsv</c> in the migrations folder: what migrations were called where they come from, and which files they are here.
/// Three columns with tabs between them, in the order of the other tool; lines that begin with <c>#</c> say nothing.
/// </summary>
internal static class ImportedNumbers
{
    /// <summary>The name of the file.</summary>
    public const string FileName = "imported.tsv";

    private const string Heading = "# What an import has brought here: tool, version there, file here. "
        + "'chatgenius-db baseline' reads it, with --from and the tool.\n";

    /// <summary>Reads the table of a folder; empty where the folder has no such file.</summary>
    /// <exception cref="ProblemException">CG1505: a line has not three columns; CG0101, CG0103 as for <see cref="SourceText.Read"/>.
    /// </exception>
    public static IReadOnlyList<ImportedNumber> Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            return [];
        }

        var source = SourceText.Read(path);
        var numbers = new List<ImportedNumber>();
        foreach (var (at, line) in source.Lines())
        {
            var cells = line.TrimEnd('\r').Split('\t');
            if (cells is [{ Length: > 0 } tool, { Length: > 0 } key, { Length: > 0 } file] && !line.StartsWith('#'))
            {
                numbers.Add(new ImportedNumber(tool, key, file));
            }
            else if (line.Trim().Length > 0 && !line.StartsWith('#'))
            {
                throw new ProblemException(
                    "CG1505", "The line is not tool, version and file with tabs between them", source.At(at),
                    "Mend it, or take it out: its migration is then looked for by its number and its name.");
            }
        }

        return numbers;
    }

    /// <summary>The table beside the files of a project; nothing where they are not in a folder.</summary>
    /// <inheritdoc cref="Read" path="/exception"/>
    public static IReadOnlyList<ImportedNumber> Beside(IEnumerable<Migration> migrations) =>
        migrations.FirstOrDefault(migration => migration.Origin == MigrationOrigin.Folder) is { } file
            && Path.GetDirectoryName(file.Source.Path) is { Length: > 0 } folder ? Read(folder) : [];

    /// <summary>Gives files other names in the table of a folder, and leaves all else in it as it is.</summary>
    /// <returns>What puts back the table as it was; null where it names none of them.</returns>
    /// <exception cref="IOException">It can't be read or written.</exception>
    public static Action? Rename(string folder, IReadOnlyList<NewNumber> renames)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            return null;
        }

        var names = renames.ToDictionary(rename => $"\t{rename.From}", rename => $"\t{rename.To}");
        var before = OrdinaryFile.ReadBytes(path);
        var lines = Encoding.UTF8.GetString(before).Split('\n');
        var after = lines.Select(line => line.LastIndexOf('\t') is >= 0 and var at && !line.StartsWith('#')
            && names.TryGetValue(line[at..].TrimEnd(), out var name)
            ? string.Concat(line[..at], name, line.EndsWith('\r') ? "\r" : "") : line);
        var text = Encoding.UTF8.GetBytes(string.Join('\n', after));
        if (text.AsSpan().SequenceEqual(before))
        {
            return null;
        }

        WholeFile.Write(path, text, overwrite: true);
        return () => WholeFile.Write(path, before, overwrite: true);
    }

    /// <summary>The table's text, for <see cref="Read"/>.</summary>
    public static string Text(IEnumerable<ImportedNumber> numbers) =>
        Heading + string.Concat(numbers.Select(one => $"{one.Tool}\t{one.Key}\t{one.File}\n"));
}
