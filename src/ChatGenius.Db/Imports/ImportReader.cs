using System.Text.RegularExpressions;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Imports;

/// <summary>Reads the folder of a tool by its facts.</summary>
internal static class ImportReader
{
    private const int MostNamed = 5;

    /// <summary>Reads every migration; nothing is run.</summary>
    /// <param name="tool">The tool.</param>
    /// <param name="path">The folder.</param>
    /// <exception cref="ProblemException">CG1501: the folder is not there, or has nothing of that tool.</exception>
    public static ImportedFolder Read(ImportTool tool, string path) => tool.Reader?.Invoke(path) ?? ReadSql(tool, path);

    private static ImportedFolder ReadSql(ImportTool tool, string path)
    {
        var folder = new ImportFolder(path);
        var problems = new List<Problem>();
        var entries = tool.List?.Invoke(tool, folder, problems) ?? ByName(tool, folder);
        if (tool.Dialect is { } dialect && folder.Files.Contains(dialect.File) && folder.Read(dialect.File) is var said
            && !Regex.IsMatch(said.All(), dialect.Pattern))
        {
            problems.Add(new Problem("CG1503", $"{said.Path} says that the migrations are not for PostgreSQL"));
        }

        foreach (var file in folder.Files)
        {
            if (tool.RefusedFiles.FirstOrDefault(one => Regex.IsMatch(file, one.Pattern)) is { Reason: { } reason })
            {
                problems.Add(new Problem("CG1503", $"{folder.Shown(file)} {reason}",
                    Advice: "Nothing is written while a file can't be carried over." + (!TypeScriptFolder.IsRead(file) ? ""
                        : $" {new ToolCall("import", "typescript", path)} reads those in TypeScript or JavaScript that run SQL as text.")));
            }
        }

        var repeatables = tool.Repeatable is null ? [] : folder.Files.Where(file => Regex.IsMatch(file, tool.Repeatable))
            .Select(file => new ImportEntry("", Regex.Match(file, tool.Repeatable).Groups["name"].Value, "", file, null))
            .OrderBy(entry => entry.Name, StringComparer.Ordinal).ToList();
        if (entries.Count + repeatables.Count + problems.Count == 0)
        {
            throw new ProblemException(
                "CG1501", $"There is no migration of {tool.Name} in {path}", advice: $"Its files are called like {tool.Example}.");
        }

        List<ImportedMigration> ReadAll(IEnumerable<ImportEntry> some) => [.. some.Select(entry =>
        {
            try
            {
                return Read(tool, folder, entry, problems);
            }
            catch (ProblemException e)
            {
                problems.AddRange(e.Problems);
                return null;
            }
        }).OfType<ImportedMigration>()];

        var migrations = ReadAll(entries);
        var read = entries.Concat(repeatables).SelectMany(entry => (string?[])[entry.Up, entry.Down]).ToHashSet();
        var others = folder.Files.Where(file => file.EndsWith(".sql", StringComparison.OrdinalIgnoreCase) && !read.Contains(file)
            && !(tool.RunsInPsql && file.StartsWith("verify/", StringComparison.Ordinal))).ToList();
        return new ImportedFolder(migrations, problems)
        {
            Repeatables = ReadAll(repeatables),
            Notes = others.Count == 0 ? [] : [$"{tool.Name} does not run {string.Join(", ", others.Take(MostNamed))}"
                + (others.Count > MostNamed ? $" and {others.Count - MostNamed} more" : "") + ": passed over"],
        };
    }

    private static ImportedMigration Read(ImportTool tool, ImportFolder folder, ImportEntry entry, List<Problem> problems)
    {
        var empty = new ImportedSection("", true);
        var first = entry.Up is null ? new ImportedSections(empty, null) : ReadFile(tool, folder, entry.Up, problems);
        var down = entry.Down is null ? first.Down : ReadFile(tool, folder, entry.Down, problems).Up;
        return new ImportedMigration(
            folder.Shown(entry.Path), entry.Version, ImportedMigration.NameOf(entry.Name), first.Up.Text, down?.Text,
            first.Up.InTransaction, down?.InTransaction ?? true)
        {
            Key = entry.Key, Origin = entry.Path,
        };
    }

    private static ImportedSections ReadFile(ImportTool tool, ImportFolder folder, string file, List<Problem> problems)
    {
        var (inTransaction, replaces) = (!tool.RunsInPsql, true);
        var beside = tool.Settings?.FileOf(file);
        var settings = beside is not null && folder.Files.Contains(beside) ? folder.Read(beside) : SourceText.From("", "");
        foreach (var (at, line) in settings.Lines())
        {
            switch (line.Split('#')[0].Replace(" ", "", StringComparison.Ordinal).Trim().Replace("flyway.", "", StringComparison.Ordinal))
            {
                case "" or "placeholderReplacement=true" or "encoding=UTF-8":
                    break;
                case var set when set == $"{tool.Settings!.Value.Transaction}=true":
                    break;
                case var set when set == $"{tool.Settings!.Value.Transaction}=false":
                    inTransaction = false;
                    break;
                case "placeholderReplacement=false":
                    replaces = false;
                    break;
                default:
                    var problem = new Problem("CG1503", "This can't be carried over: there is no such setting here",
                        settings.At(at, line.Length));
                    // A file may have settings for two.
                    problems.AddRange(problems.Contains(problem) ? [] : [problem]);
                    break;
            }
        }

        return ImportText.Read(tool, folder.Read(file), problems, inTransaction, replaces);
    }

    /// <summary>Takes the files whose names are the tool's; what has a number and a name of another's is its other half.</summary>
    internal static List<ImportEntry> ByName(ImportTool tool, ImportFolder folder)
    {
        var entries = new List<ImportEntry>();
        foreach (var file in folder.Files)
        {
            if (Regex.Match(file, tool.File) is not { Success: true } match)
            {
                continue;
            }

            var version = string.Concat(match.Groups["version"].Captures.Select(part => part.Value)).Replace('_', '.').Trim('.');
            var name = match.Groups["name"].Value;
            var key = match.Groups["key"] is { Success: true } group ? group.Value : version;
            var isDown = match.Groups["down"].Success;
            var halves = entries.Where(one => one.Key == key && (isDown ? one.Down : one.Up) is null).ToList();
            var other = entries.IndexOf(halves.Find(one => one.Name == name) ?? halves.FirstOrDefault()!);
            if (other < 0)
            {
                entries.Add(new ImportEntry(version, name, key, isDown ? null : file, isDown ? file : null));
            }
            else
            {
                entries[other] = isDown ? entries[other] with { Down = file } : entries[other] with { Up = file, Name = name };
            }
        }

        entries.Sort(tool.Order);
        return entries;
    }
}
