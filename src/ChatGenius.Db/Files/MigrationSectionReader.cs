using System.Text;
using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Files;

/// <summary>Finds the directives of a file and reads what is between them, in one pass.</summary>
internal static class MigrationSectionReader
{
    private const string Blanks = " \t\f\v";

    /// <summary>A section of the file.</summary>
    /// <param name="IsUp">Whether it is the up section.</param>
    /// <param name="Section">What it holds.</param>
    public sealed record Found(bool IsUp, MigrationSection Section);

    /// <summary>Reads the sections in the order of the file, at most one of each kind; everything that is wrong goes to the list.</summary>
    public static List<Found> Read(SourceText source, List<Problem> problems)
    {
        var sections = new List<Found>();
        var length = source.Utf8.Length;
        SqlToken? next = null;
        bool IsDirective(SqlToken comment) => MigrationSectionReader.IsDirective(source, comment, problems) && (next = comment) is not null;

        var preamble = SqlScript.Parse(source, 0, length, IsDirective, problems);
        if (preamble.Statements.Count > 0 && next is not null)
        {
            problems.Add(new Problem(
                "CG0311",
                "Only comments may come before the first section",
                preamble.Statements[0].Location,
                "Move the statement below -- migrate:up."));
        }

        while (next is { } directive)
        {
            next = null;
            var script = SqlScript.Parse(source, directive.End, length, IsDirective, problems);
            var section = ReadSection(source, directive, script, problems);
            if (sections.Find(s => s.IsUp == section.IsUp) is { } first)
            {
                problems.Add(new Problem(
                    "CG0309",
                    $"The section {(section.IsUp ? "up" : "down")} begins a second time",
                    section.Section.Where,
                    $"The first one is on line {first.Section.Where.Line}; put them together."));
            }
            else
            {
                sections.Add(section);
            }
        }

        return sections;
    }

    /// <summary>
    /// dbmate's rule: <c>--</c> at the start of a line, any blanks or none, and <c>migrate:up</c> or <c>migrate:down</c> as a whole word.
    /// What is meant as one but would be passed over as a comment, with its statements running in the wrong direction, is a problem.
    /// </summary>
    private static bool IsDirective(SourceText source, SqlToken comment, List<Problem> problems)
    {
        var text = source.Utf8.Span;
        var words = text[(comment.Start + 2)..comment.End].TrimStart(" \t\f\v"u8);
        if (words.Length < 8 || !Ascii.EqualsIgnoreCase(words[..7], "migrate"u8) || !words[7..].TrimStart(" \t"u8).StartsWith(":"u8))
        {
            return false;
        }

        var line = text[..comment.Start].LastIndexOfAny((byte)'\n', (byte)'\r') + 1;
        if (text[line..comment.Start].ContainsAnyExcept(" \t\f\v"u8))
        {
            return false;
        }

        var name = words;
        var end = name.IndexOfAny(" \t\f\v"u8);
        name = end < 0 ? name : name[..end];
        if (line == comment.Start && (name.SequenceEqual("migrate:up"u8) || name.SequenceEqual("migrate:down"u8)))
        {
            return true;
        }

        problems.Add(new Problem(
            "CG0312",
            line == comment.Start
                ? "This comment looks like a section marker, but is not exactly -- migrate:up or -- migrate:down"
                : "A section marker must be at the start of its line",
            source.At(comment.Start, comment.Length),
            "Write -- migrate:up or -- migrate:down, in lower case and without blanks around the colon."));
        return false;
    }

    private static Found ReadSection(SourceText source, SqlToken directive, SqlScript script, List<Problem> problems)
    {
        var words = Split(source, directive);
        var isUp = words[0].Text == "migrate:up";
        var options = new Dictionary<string, bool>(StringComparer.Ordinal);
        var batch = new BatchReader(source, problems);
        foreach (var (text, start) in words.Skip(1))
        {
            if (!batch.Takes(text, start))
            {
                ReadOption(source, text, start, options, problems);
            }
        }

        var transactional = options.GetValueOrDefault("transaction", true);
        // Where a section begins is asked of few.
        SourceLocation Where() => source.At(directive.Start, directive.Length);
        var keep = ReadKeep(Where, isUp, options, script, problems);
        var restore = ReadRestore(source, isUp, script, problems);
        if (batch.Read(Where, options.Keys, script) is { } batches)
        {
            return new Found(isUp, new MigrationSection(false, false, directive.Start, script)
            {
                Batch = batches, Keep = keep, Restore = restore,
            });
        }

        foreach (var statement in script.Statements)
        {
            if (transactional && statement.TransactionControl != SqlTransactionControl.None)
            {
                problems.Add(new Problem(
                    "CG0318",
                    $"{statement.Words(1)[0]} in a section that already runs in a transaction",
                    statement.Location,
                    $"Take it out, or write -- {words[0].Text} transaction:false."));
            }
            else if (statement.TransactionControl == SqlTransactionControl.Prepare)
            {
                problems.Add(new Problem(
                    "CG0319",
                    "PREPARE TRANSACTION would take the note of how far the migration is with it, so that the run waits for itself",
                    statement.Location,
                    "Write COMMIT instead."));
            }
            else if (!transactional && Chains(statement))
            {
                problems.Add(new Problem(
                    "CG0319",
                    $"{statement.Words(1)[0]} AND CHAIN can't be continued after an interruption",
                    statement.Location,
                    "Write two statements instead: the COMMIT or ROLLBACK, and a BEGIN."));
            }
        }

        var section = new MigrationSection(
            transactional,
            options.GetValueOrDefault("irreversible"),
            directive.Start,
            script) { Repeatable = options.GetValueOrDefault("repeatable"), Keep = keep, Restore = restore };
        return new Found(isUp, section);
    }

    /// <summary>Takes <c>keep:true</c> from the options, and looks that the section can have it.</summary>
    private static bool ReadKeep(Func<SourceLocation> directive, bool isUp, Dictionary<string, bool> options, SqlScript script,
        List<Problem> problems)
    {
        if (!options.Remove("keep", out var keep) || !keep)
        {
            return false;
        }

        var where = directive();
        var setting = script.Statements.FirstOrDefault(statement => statement.Is("SET", "TRANSACTION")
            || statement.Is("SET", "ROLE") || statement.Is("SET", "LOCAL", "ROLE") || statement.Is("SET", "SESSION", "AUTHORIZATION")
            || statement.Is("SET", "SESSION", "CHARACTERISTICS"));
        var (message, place, advice) = !isUp
            ? ("keep:true belongs to the up section", where, "What a rollback destroys is said before it runs, and not kept.")
            : !options.GetValueOrDefault("transaction", true)
            ? ("Without a transaction nothing can be kept together with the change", where, "Take out transaction:false or keep:true.")
            : setting is not null
            ? ($"{string.Join(' ', setting.Words(2))} in a section with keep:true", setting.Location,
                "What is kept is read and written as the run's own role, in its own kind of transaction: take one of the two out.")
            : (null, where, "");
        if (message is not null)
        {
            problems.Add(new Problem("CG0334", message, place, advice));
        }

        return true;
    }

    private static int? ReadRestore(SourceText source, bool isUp, SqlScript script, List<Problem> problems)
    {
        if (!source.MayHaveMarks)
        {
            return null;
        }

        var marks = MigrationComment.ReadAll(source, script.Statements, (script.Start, script.End))
            .Where(comment => comment.Text == "cgdb:restore").ToList();
        if (marks.Count > 0 && (isUp || marks.Count > 1))
        {
            problems.Add(new Problem(
                "CG0334", isUp ? "cgdb:restore belongs to the down section" : "cgdb:restore is there twice",
                source.At(marks[^1].Token.Start, marks[^1].Token.Length),
                "It marks the one place where a rollback puts back what the up section has kept."));
        }

        return marks.Count == 0 ? null
            : marks[0].Next is { } next ? script.Statements.ToList().IndexOf(next) : script.Statements.Count;
    }

    private static bool Chains(SqlStatement statement) =>
        statement.TransactionControl is not (SqlTransactionControl.None or SqlTransactionControl.Begin)
        && new StatementText(statement) is var text && text.Has("CHAIN") && !text.Has("NO");

    private static void ReadOption(SourceText source, string text, int start, Dictionary<string, bool> options, List<Problem> problems)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var key = colon < 0 ? text : text[..colon];
        var where = source.At(start, Encoding.UTF8.GetByteCount(text));
        if (key is not ("transaction" or "irreversible" or "repeatable" or "keep"))
        {
            problems.Add(new Problem(
                "CG0313",
                $"There is no option \"{key}\"",
                where,
                "The options are transaction:false, with it repeatable:true, for the up section keep:true, for the down section "
                    + "irreversible:true, and batch:TABLE with key:, size:, pause:, target: and until:none."));
        }
        else if (colon < 0 || text[(colon + 1)..] is not ("true" or "false"))
        {
            problems.Add(new Problem(
                "CG0314",
                $"The option \"{key}\" is neither true nor false",
                where,
                $"Write {key}:true or {key}:false, without blanks."));
        }
        else if (!options.TryAdd(key, text.EndsWith("true", StringComparison.Ordinal)))
        {
            problems.Add(new Problem("CG0314", $"The option \"{key}\" is given twice", where, "Keep one of the two."));
        }
    }

    /// <summary>The words of a directive behind its <c>--</c>, with the byte offset of each.</summary>
    private static List<(string Text, int Start)> Split(SourceText source, SqlToken directive)
    {
        var words = new List<(string, int)>();
        var comment = source.Utf8.Span[(directive.Start + 2)..directive.End];
        for (var start = 0; start < comment.Length;)
        {
            var length = comment[start..].IndexOfAny(" \t\f\v"u8);
            length = length < 0 ? comment.Length - start : length;
            if (length > 0)
            {
                words.Add((Encoding.UTF8.GetString(comment.Slice(start, length)), directive.Start + 2 + start));
            }

            start += length + 1;
        }

        return words;
    }
}
