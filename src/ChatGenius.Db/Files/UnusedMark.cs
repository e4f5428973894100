using System.Globalization;
using System.Text.RegularExpressions;
using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Files;

/// <summary>
/// <c>-- cgdb:unused-since 7d [old:NAME]</c> above a statement that drops tables or columns: it runs only when nobody has used them for
/// that long, and nobody is connected whose <c>application_name</c> is an old one.
/// </summary>
/// <param name="Statement">The statement of the up section, counted from 0.</param>
/// <param name="AtLeast">For how long.</param>
/// <param name="Old">Names of old versions; a <c>*</c> at the end stands for any end.</param>
/// <param name="Where">Where the comment is.</param>
internal sealed partial record UnusedMark(int Statement, TimeSpan AtLeast, IReadOnlyList<string> Old, SourceLocation Where)
{
    private const string Mark = "cgdb:unused-since";

    /// <summary>Reads a file's marks.</summary>
    /// <param name="source">The file.</param>
    /// <param name="up">Its up section.</param>
    /// <param name="down">Its down section, which has none.</param>
    /// <param name="problems">Gets CG1605.</param>
    internal static List<UnusedMark> Read(SourceText source, MigrationSection up, MigrationSection? down, List<Problem> problems)
    {
        var marks = new List<UnusedMark>();
        var statements = up.Script.Statements.ToList();
        foreach (var comment in MigrationComment.ReadAll(source, [.. statements, .. down?.Script.Statements ?? []]))
        {
            var words = comment.Text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words[0] != Mark)
            {
                continue;
            }

            var at = comment.Next is { } next && Drops(new StatementText(next)) ? statements.IndexOf(next) : -1;
            var time = words.Length < 2 ? null : Time(words[1]);
            var where = source.At(comment.Token.Start, comment.Token.Length);
            if (at < 0)
            {
                problems.Add(new Problem("CG1605", $"Below {Mark} is no statement of the up section that drops a table or a column", where,
                    "Write it on the line above DROP TABLE, or above ALTER TABLE … DROP COLUMN."));
            }
            else if (time is null || words.Skip(2).Any(word => !word.StartsWith("old:", StringComparison.Ordinal) || word.Length == 4))
            {
                problems.Add(new Problem("CG1605", $"{Mark} takes a time, and names of old versions", where,
                    $"Write -- {Mark} 7d, or -- {Mark} 7d old:chat-1.4 with an application_name that must not be connected."));
            }
            else
            {
                marks.Add(new UnusedMark(at, time.Value, [.. words.Skip(2).Select(word => word[4..])], where));
            }
        }

        return marks;
    }

    /// <summary>Whether an <c>application_name</c> is an old one.</summary>
    internal bool IsOld(string application) => Old.Any(name =>
        name.EndsWith('*') ? application.StartsWith(name[..^1], StringComparison.Ordinal) : application == name);

    private static bool Drops(StatementText text) => text.Is("DROP", "TABLE")
        || text.AlterTableActions().Any(action => text.At(action.Start, "DROP")
            && !text.AtAny(action.Start + 1, "CONSTRAINT", "NOT", "DEFAULT", "IDENTITY", "EXPRESSION"));

    private static TimeSpan? Time(string text)
    {
        if (Form().Match(text) is not { Success: true } match
            || int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) is not (> 0 and var number))
        {
            return null;
        }

        return match.Groups[2].ValueSpan[0] switch
        {
            'd' => TimeSpan.FromDays(number),
            'h' => TimeSpan.FromHours(number),
            'm' => TimeSpan.FromMinutes(number),
            _ => TimeSpan.FromSeconds(number),
        };
    }

    [GeneratedRegex(@"^([0-9]{1,5})([dhms])\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
