using System.Globalization;
using System.Text.RegularExpressions;
using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Files;

/// <summary>
/// Reads dbmate's format: <c>-- migrate:up [key:value …]</c> and then <c>-- migrate:down [key:value …]</c>, each at the start of a line and
/// once. dbmate looks for the two with a regular expression; here they count only outside of strings, comments and <c>COPY</c> rows, so
/// what dbmate reads is read the same, and more safely.
/// </summary>
internal static partial class MigrationParser
{
    private const long MaxVersion = 999_999_999_999_999_999;

    /// <summary>Reads a file whose name gives the number and the name of the migration.</summary>
    /// <exception cref="ProblemException">
    /// All problems of the file: CG02xx as for <see cref="SqlScript.Parse(SourceText, int, int)"/>; CG0303: the file's name; CG0304: its
    /// number; CG0307: no up; CG0308: no down; CG0309: one of them twice; CG0310: down before up; CG0311: SQL before the first; CG0312:
    /// misspelt; CG0313: unknown option; CG0314: an option's value; CG0315: irreversible up; CG0316: irreversible, but with statements;
    /// CG0317: nothing in down; CG0318: transaction control; CG0324, CG0325: an assertion; CG1604, CG1605: a comment of ours.
    /// </exception>
    /// <param name="source">The file.</param>
    /// <param name="origin">Where it comes from.</param>
    /// <param name="emptyDownsUpTo">Up to this number an empty down means that there is no way back, as it does to dbmate.</param>
    public static Migration Parse(SourceText source, MigrationOrigin origin, long emptyDownsUpTo = 0)
    {
        var problems = new List<Problem>();
        var sections = MigrationSectionReader.Read(source, problems);
        var up = sections.Find(s => s.IsUp);
        var down = sections.Find(s => !s.IsUp);

        // Where an unclosed string swallows the rest of the file, a missing section is only a consequence.
        var hasNoWayBack = up is { Section.Script.Statements.Count: > 0 }
            && down is { Section: { Irreversible: false, Script.Statements.Count: 0 } } && VersionOf(source.Path) <= emptyDownsUpTo;
        if (problems.Count == 0 || (up is not null && down is not null))
        {
            CheckSections(source, up, down, hasNoWayBack, problems);
        }

        var assertions = up is null ? [] : MigrationAssertion.Read(source, up.Section, down?.Section, problems);
        var waits = up is not null && MigrationComment.ReadWait(source, up.Section, down?.Section, problems);
        var unused = up is null ? [] : UnusedMark.Read(source, up.Section, down?.Section, problems);
        FindQuestions(source, up?.Section, down?.Section, problems);
        var (version, name) = ParseFileName(source.Path, problems);
        if (problems.Count > 0)
        {
            throw new ProblemException([.. problems.OrderBy(p => p.Where?.Line).ThenBy(p => p.Where?.Column)]);
        }

        return new Migration(version, name, origin, source,
            up!.Section with { Assertions = assertions, WaitsForStandbys = waits, Unused = unused },
            hasNoWayBack ? down!.Section with { Irreversible = true } : down!.Section);
    }

    /// <summary>
    /// Reads one section back from its <see cref="MigrationSection.Text"/>, such as a down section that was stored when its migration was
    /// applied.
    /// </summary>
    /// <exception cref="ProblemException">CG02xx or CG03xx, as for <see cref="Parse"/>.</exception>
    public static MigrationSection ParseSection(SourceText source)
    {
        var problems = new List<Problem>();
        var sections = MigrationSectionReader.Read(source, problems);
        if (problems.Count == 0 && sections.Count == 0)
        {
            problems.Add(new Problem("CG0307", "The section does not begin with -- migrate:up or -- migrate:down", source.At(0)));
        }

        return problems.Count == 0 ? sections[0].Section : throw new ProblemException(problems);
    }

    /// <summary>The number in a file's name; null where the name is no migration's.</summary>
    internal static long? VersionOf(string path) =>
        Path.GetFileNameWithoutExtension(path.AsSpan()) is var id && FileName().IsMatch(Path.GetFileName(path.AsSpan()))
            ? VersionOf(id[..id.IndexOf('_')]) : null;

    private static long? VersionOf(ReadOnlySpan<char> digits) =>
        long.TryParse(digits.TrimStart('0'), NumberStyles.None, CultureInfo.InvariantCulture, out var version) && version <= MaxVersion
            ? version : null;

    private static (long Version, string Name) ParseFileName(string path, List<Problem> problems)
    {
        if (!FileName().IsMatch(Path.GetFileName(path.AsSpan())))
        {
            problems.Add(new Problem(
                "CG0303",
                $"{path}: the name is not a number of four digits or more, an underscore and a description",
                Advice: "Name it like 0006_add_reactions.sql: letters, digits, underscores, hyphens and blanks."));
            return default;
        }

        var id = Path.GetFileNameWithoutExtension(path.AsSpan());
        var number = id[..id.IndexOf('_')];
        if (VersionOf(number) is not { } version)
        {
            problems.Add(new Problem(
                "CG0304",
                $"{path}: the number {number} is out of range",
                Advice: $"Take a number from 1 to {MaxVersion} (18 digits); a timestamp has 14."));
            return default;
        }

        return (version, id[(number.Length + 1)..].ToString());
    }

    /// <summary>A tool that wrote the file has left something for a human to decide.</summary>
    private static void FindQuestions(SourceText source, MigrationSection? up, MigrationSection? down, List<Problem> problems)
    {
        var text = source.Utf8.Span;
        if (!source.MayHaveMarks || text.IndexOf("cgdb:todo"u8) < 0)
        {
            return;
        }

        foreach (var script in ((MigrationSection?[])[up, down]).OfType<MigrationSection>().Select(section => section.Script))
        {
            foreach (var token in new SqlLexer(text[..script.End], script.Start))
            {
                if (token.Kind == SqlTokenKind.LineComment && text[token.Start..token.End].TrimStart("- "u8).StartsWith("cgdb:todo"u8))
                {
                    problems.Add(new Problem(
                        "CG1408", "A question is still open here", source.At(token.Start, token.End - token.Start),
                        "Where the answer is yes, take the -- off the statement below; else correct it or take it out. Then take this line "
                            + "away.")
                    {
                        Kind = ProblemKind.Unfinished,
                    });
                }
            }
        }
    }

    private static void CheckSections(
        SourceText source, MigrationSectionReader.Found? up, MigrationSectionReader.Found? down, bool hasNoWayBack,
        List<Problem> problems)
    {
        if (up is null)
        {
            problems.Add(new Problem(
                "CG0307",
                "The line -- migrate:up is missing",
                source.At(0),
                "Write it above the statements; it must begin its line."));
        }

        if (down is null)
        {
            problems.Add(new Problem(
                "CG0308",
                "The line -- migrate:down is missing",
                source.At(source.Utf8.Length),
                "Write it above the statements that undo the migration, or -- migrate:down irreversible:true if nothing can."));
        }

        if (up is null || down is null)
        {
            return;
        }

        if (down.Section.Start < up.Section.Start)
        {
            problems.Add(new Problem(
                "CG0310",
                "-- migrate:down comes before -- migrate:up",
                down.Section.Where,
                "Put the up section first."));
        }

        if (up.Section.Irreversible)
        {
            problems.Add(new Problem(
                "CG0315",
                "irreversible:true belongs to the down section",
                up.Section.Where,
                "Write -- migrate:down irreversible:true."));
        }

        // What is no SQL has left no statement: then nothing can be said about an empty section.
        if (problems.Exists(p => p.Code.StartsWith("CG02", StringComparison.Ordinal)))
        {
            return;
        }

        var undo = down.Section.Script.Statements;
        if (down.Section.Irreversible && undo.Count > 0)
        {
            problems.Add(new Problem(
                "CG0316",
                "The down section is irreversible, but has statements",
                undo[0].Location,
                "Take out the statements, or irreversible:true."));
        }
        else if (!down.Section.Irreversible && undo.Count == 0 && up.Section.Script.Statements.Count > 0 && !hasNoWayBack)
        {
            problems.Add(new Problem(
                "CG0317",
                "The down section is empty",
                down.Section.Where,
                "Write what undoes the migration, or -- migrate:down irreversible:true if nothing can. An empty one means that at or below "
                    + "a baseline, where the command names the database that has it, and everywhere with \"format\": \"dbmate\" in "
                    + "chatgenius-db.json.") { Kind = ProblemKind.Unfinished });
        }
    }

    [GeneratedRegex("^[0-9]{4,}_[A-Za-z0-9][A-Za-z0-9_ -]*\\.sql\\z", RegexOptions.CultureInvariant)]
    private static partial Regex FileName();
}
