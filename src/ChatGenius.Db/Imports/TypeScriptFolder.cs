using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Imports;

/// <summary>Reads a folder of migrations in TypeScript or JavaScript, in the order of the files' names.</summary>
internal static partial class TypeScriptFolder
{
    /// <summary>Reads the files of a folder, not of those in it.</summary>
    /// <exception cref="ProblemException">CG1501: no file of the folder is a migration in TypeScript.</exception>
    public static ImportedFolder Read(string path)
    {
        var folder = new ImportFolder(path);
        var (migrations, problems, notes) = (new List<ImportedMigration>(), new List<Problem>(), new List<string>());
        var files = folder.Files.Where(file => !file.Contains('/', StringComparison.Ordinal) && Program().IsMatch(file)).ToList();
        var inDays = files.Exists(file => DayAndNumber().IsMatch(file));
        foreach (var file in files)
        {
            var (version, name) = NameOf(Path.GetFileNameWithoutExtension(file), inDays);
            try
            {
                var source = folder.Read(file);
                var text = source.All();
                if (Read(source, text, version, name, notes) is { } migration)
                {
                    migrations.Add(migration);
                }
            }
            catch (ProblemException e)
            {
                problems.AddRange(e.Problems);
            }
        }

        if (migrations.Count == 0 && problems.Count == 0)
        {
            throw new ProblemException("CG1501", $"There is no migration in TypeScript or JavaScript in {path}",
                advice: "Its files are called like 0006_add_reactions.ts, and export up and down.");
        }

        CheckOrder(migrations, problems, notes);
        return new ImportedFolder(migrations, problems) { Notes = notes };
    }

    /// <summary>Whether a file is called as those that are read.</summary>
    internal static bool IsRead(string file) => Program().IsMatch(file);

    private static ImportedMigration? Read(SourceText source, string text, string version, string name, List<string> notes)
    {
        TypeScriptMigration read;
        try
        {
            read = TypeScriptReader.Read(text);
        }
        catch (TypeScriptRefusal e) when (version.Length > 0)
        {
            read = new TypeScriptMigration(
                new TypeScriptSection("", null) { Refusal = e, StopsAt = (0, text.Length) }, new TypeScriptSection("", ""));
        }

        catch (TypeScriptRefusal e)
        {
            notes.Add($"{source.Path} has no number, and is not read: {e.Message}");
            return null;
        }

        if (read.Up is not { } up || read.Down is not { } down || (up.Refusal is null && up.Text.Trim().Length == 0))
        {
            notes.Add($"{source.Path} has nothing that runs in an up: left out");
            return null;
        }

        if (version.Length == 0)
        {
            throw new ProblemException("CG1503", $"{source.Path} has an up, and no number in its name",
                advice: "Give it the number that says when it runs.");
        }

        notes.AddRange(((TypeScriptSection[])[up, down]).Select(section => section.NotAwaited).OfType<int>().Select(at =>
            $"{source.Path}:{LineOf(text, at)}: nothing waits for this call; it is taken, for it was sent"));
        var refused = ((TypeScriptSection[])[up, down]).Select(section => section.Refusal).OfType<TypeScriptRefusal>().FirstOrDefault();
        return new ImportedMigration(
            source.Path, version, name, WithDraft(source, text, up), WithDraft(source, text, down), up.InTransaction, down.InTransaction)
        {
            WhyNoDown = down.Empty is { Length: > 0 } why ? $"\n-- {Comment(why)}" : null,
            Refused = refused is null ? null : new Problem("CG1506", refused.Message,
                At(source, text, refused.Start, refused.End), refused.Advice),
        };
    }

    private static string Comment(string text) =>
        (TypeScriptSql.MeansSomething(text) ? ": " : "") + string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)).Trim();

    /// <summary>What was read, and in the place of the rest a statement that no run gets past, with the source below it.</summary>
    private static string WithDraft(SourceText source, string text, TypeScriptSection section)
    {
        if (section.Refusal is not { } refusal)
        {
            return section.Text;
        }

        var (start, end) = section.StopsAt;
        var from = text.AsSpan(0, start).LastIndexOfAny('\n', '\r') + 1;
        var lines = text[(text.AsSpan(from, start - from).Trim().Length == 0 ? from : start)..end].ReplaceLineEndings("\n").Split('\n');
        var (first, last) = (LineOf(text, start), LineOf(text, Math.Max(start, end - 1)));
        var place = first == last ? $"line {first}" : $"lines {first} to {last}";
        var message = $"{Path.GetFileName(source.Path)}, {place}: {refusal.Message}; write it as SQL"
            .Replace("'", "''", StringComparison.Ordinal).Replace("%", "%%", StringComparison.Ordinal).Replace('$', '?');
        var indent = lines.Where(line => line.Trim().Length > 0).Select(line => line.Length - line.TrimStart().Length)
            .DefaultIfEmpty(0).Min();
        var draft = new StringBuilder(section.Text.Length > 1 ? section.Text + "\n" : "\n")
            .Append(CultureInfo.InvariantCulture, $"DO $$ BEGIN RAISE EXCEPTION '{message}'; END $$;\n");
        foreach (var line in lines)
        {
            var rest = line.Length <= indent ? "" : line[indent..].TrimEnd();
            draft.Append(rest.Length == 0 ? "--\n" : $"-- {(TypeScriptSql.MeansSomething(rest) ? ": " : "")}{rest}\n");
        }

        return draft.ToString();
    }

    private static SourceLocation At(SourceText source, string text, int start, int end)
    {
        var at = Encoding.UTF8.GetByteCount(text.AsSpan(0, start));
        return source.At(at, Encoding.UTF8.GetByteCount(text.AsSpan(start, end - start)));
    }

    private static int LineOf(string text, int at) => text[..at].ReplaceLineEndings("\n").AsSpan().Count('\n') + 1;

    /// <summary>Number and name, as Drizzle's, Knex's, TypeORM's, MikroORM's and umzug's files have them.</summary>
    private static (string Version, string Name) NameOf(string stem, bool inDays)
    {
        var match = ((Regex[])[Time(), DayAndNumber(), NumberFirst(), NumberLast(), NumberWithin()]).Select(one => one.Match(stem))
            .FirstOrDefault(one => one.Success);
        var version = match is null ? "" : string.Concat(match.Groups["part"].Captures.Select(part => part.Value));
        return (inDays && version.Length is 8 or 10 ? version.PadRight(14, '0') : version,
            ImportedMigration.NameOf(match is null ? stem : match.Groups["name"].Value));
    }

    /// <summary>Numbers must say the same order as names: which of the two a runner goes by is not known.</summary>
    private static void CheckOrder(List<ImportedMigration> migrations, List<Problem> problems, List<string> notes)
    {
        foreach (var (before, after) in migrations.Zip(migrations.Skip(1)))
        {
            var order = (before.Version.Length.CompareTo(after.Version.Length), string.CompareOrdinal(before.Version, after.Version));
            if (before.Version == after.Version)
            {
                notes.Add($"{Path.GetFileName(before.Source)} and {Path.GetFileName(after.Source)} have the same number: "
                    + "they are taken in the order of their names");
            }
            else if (order is (> 0, _) or (0, > 0))
            {
                problems.Add(new Problem("CG1503",
                    $"{before.Source} comes before {Path.GetFileName(after.Source)} by its name, and after it by its number",
                    Advice: "Rename copies of the files, so that both say in which order they ran."));
            }
        }
    }

    [GeneratedRegex(@"^(?!index\.)(?!.*\.(?:d|test|spec|stories)\.[a-z]+$).*\.[cm]?[jt]s$", RegexOptions.IgnoreCase)]
    private static partial Regex Program();

    [GeneratedRegex(@"^(?<part>\d{4})(?:[.-](?<part>\d\d)){2}[T_-](?<part>\d\d)(?:[.:-]?(?<part>\d\d)){2}[._-]*(?<name>.*)$")]
    private static partial Regex Time();

    [GeneratedRegex(@"^(?<part>(?:19|20)\d{6})[-_.](?<part>\d\d)[-_.](?<name>.*)$")]
    private static partial Regex DayAndNumber();

    [GeneratedRegex(@"^(?<part>\d+)[._-]*(?<name>.*)$")]
    private static partial Regex NumberFirst();

    [GeneratedRegex(@"^(?<name>[A-Za-z][A-Za-z0-9_-]*?)[_-]?(?<part>\d{10,14})$")]
    private static partial Regex NumberLast();

    [GeneratedRegex(@"^[A-Za-z]+[_-]?(?<part>\d{10,14})[_-](?<name>.+)$")]
    private static partial Regex NumberWithin();
}
