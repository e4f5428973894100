using System.Text;
using System.Text.RegularExpressions;
using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Imports;

/// <summary>A section as it goes into a file of ours.</summary>
internal sealed record ImportedSection(string Text, bool InTransaction);

/// <summary>What a file holds; its up may be empty.</summary>
internal sealed record ImportedSections(ImportedSection Up, ImportedSection? Down);

/// <summary>
/// Reads a file of another tool: cuts it where the tool does, takes the tool's own comments out, and refuses what would not do here what it
/// does there. What stays is the file to the byte.
/// </summary>
internal sealed class ImportText
{
    private readonly ImportTool _tool;
    private readonly SourceText _source;
    private readonly List<Problem> _problems;
    private readonly byte[] _text;

    // What is taken out, as byte offsets; a semicolon comes into the place where one was only meant.
    private readonly List<(int Start, int End, bool Semicolon)> _cuts = [];

    private readonly bool _inTransaction;
    private readonly bool _replaces;

    private ImportText(ImportTool tool, SourceText source, List<Problem> problems, bool inTransaction, bool replaces)
    {
        (_tool, _source, _problems, _inTransaction, _replaces) = (tool, source, problems, inTransaction, replaces);
        _text = source.Utf8.ToArray();
    }

    /// <summary>Reads both sections of a file; where the tool has a file for each, all is up.</summary>
    /// <param name="tool">The tool.</param>
    /// <param name="source">The file.</param>
    /// <param name="problems">Gets what can't be carried over: CG02xx, CG1503.</param>
    /// <param name="inTransaction">Whether the tool runs it in a transaction, unless the file says otherwise.</param>
    /// <param name="replaces">Whether the tool puts values into it.</param>
    public static ImportedSections Read(
        ImportTool tool, SourceText source, List<Problem> problems, bool inTransaction = true, bool replaces = true) =>
        new ImportText(tool, source, problems, inTransaction, replaces).Read();

    private ImportedSections Read()
    {
        var comments = new List<SqlToken>();
        var before = _problems.Count;
        var whole = SqlScript.Parse(_source, 0, _text.Length, token =>
        {
            comments.Add(token);
            return false;
        }, _problems);
        if (_problems.Count > before)
        {
            return new ImportedSections(new ImportedSection("", true), null);
        }

        var text = Encoding.Latin1.GetString(_source.Utf8.Span);
        var marks = new List<(SqlToken Token, bool IsUp, bool InTransaction)>();
        foreach (var (pattern, isUp) in new[] { (_tool.Up, true), (_tool.Down, false) })
        {
            marks.AddRange(Find(text, pattern, comments).Select(mark => (mark, isUp, !AsksForNone(mark))));
        }

        marks.Sort((a, b) => a.Token.Start.CompareTo(b.Token.Start));
        marks.ForEach(mark => Take(mark.Token.Start, mark.Token.End, semicolon: false));
        foreach (var cut in Find(text, _tool.Cut, comments))
        {
            // The statement that it ends may lack its semicolon; the next one would be taken for a part of it.
            var isEnded = _cuts.Exists(one => one.Semicolon && one.End <= cut.Start
                && _text.AsSpan(one.End, cut.Start - one.End).Trim(" \t\r\n"u8).IsEmpty);
            Take(cut.Start, cut.End,
                !isEnded && whole.Statements.Any(statement => statement.Start < cut.Start && statement.End > cut.Start));
        }

        var others = comments.Where(comment => AsksForNone(comment) && !marks.Exists(mark => mark.Token == comment)).ToList();
        others.ForEach(comment => Take(comment.Start, comment.End, semicolon: false));
        RefuseWhatItSays(text, comments);
        return Cut(marks, _inTransaction && others.Count == 0);
    }

    private bool AsksForNone(SqlToken comment) =>
        _tool.NoTransaction is not null && Regex.IsMatch(TextOf(comment.Start, comment.End), _tool.NoTransaction);

    /// <summary>
    /// The comments that a pattern finds. A tool that reads lines finds it in strings and bodies too, where PostgreSQL has no comment, and
    /// breaks them apart.
    /// </summary>
    private List<SqlToken> Find(string text, string? pattern, List<SqlToken> comments)
    {
        var found = new List<SqlToken>();
        foreach (Match match in Regex.Matches(text, pattern ?? "(?!)", RegexOptions.Multiline))
        {
            var start = match.Index + match.Value.Length - match.Value.TrimStart().Length;
            if (comments.Find(comment => comment.Start == start) is { Length: > 0 } comment)
            {
                found.Add(comment);
            }
            else
            {
                Refuse(start, match.Index + match.Length - start, $"{_tool.Name} cuts the file here, inside a string, a body or a comment");
            }
        }

        return found;
    }

    private ImportedSections Cut(List<(SqlToken Token, bool IsUp, bool InTransaction)> marks, bool inTransaction)
    {
        if (marks.Count == 0)
        {
            if (_tool.Up is not null && !_tool.MayHaveNoSections)
            {
                Refuse(0, 1, $"there is no comment that begins the up section, as {_tool.Name} has it");
            }

            return new ImportedSections(Section(0, _text.Length, inTransaction), null);
        }

        if (Parse(0, marks[0].Token.Start).Statements is [var first, ..])
        {
            Refuse(first.Start, 1, "the statement is above the first section, so it is in none");
        }

        ImportedSection? up = null, down = null;
        for (var i = 0; i < marks.Count; i++)
        {
            var (token, isUp, own) = marks[i];
            if ((isUp ? up : down) is not null)
            {
                Refuse(token.Start, token.Length, "the section begins a second time");
                continue;
            }

            var section = Section(token.End, i + 1 < marks.Count ? marks[i + 1].Token.Start : _text.Length, inTransaction && own);
            (up, down) = isUp ? (section, down) : (up, section);
        }

        if (up is null)
        {
            Refuse(0, 1, "there is no up section");
        }

        return new ImportedSections(up ?? new ImportedSection("", true), down);
    }

    private void RefuseWhatItSays(string text, List<SqlToken> comments)
    {
        foreach (var (pattern, reason) in _replaces ? _tool.Refused : [])
        {
            foreach (Match match in Regex.Matches(text, pattern, RegexOptions.Multiline))
            {
                // What is only in a comment does nothing, unless the comment is what the tool looks for.
                if (!comments.Exists(comment => comment.Start < match.Index && comment.End > match.Index))
                {
                    Refuse(match.Index, match.Length, reason);
                }
            }
        }

        foreach (Match match in Regex.Matches(text, @"^[ \t]*--[ \t]*migrate[ \t]*:", RegexOptions.Multiline | RegexOptions.IgnoreCase))
        {
            var start = match.Index + match.Value.IndexOf('-', StringComparison.Ordinal);
            if (comments.Exists(comment => comment.Start == start) && !_cuts.Exists(cut => cut.Start == start))
            {
                Refuse(start, match.Index + match.Length - start, "the comment would begin a section of ours, and to "
                    + $"{_tool.Name} it begins none");
            }
        }
    }

    private ImportedSection Section(int start, int end, bool inTransaction)
    {
        var script = Parse(start, end);
        if (_tool.RunsInPsql)
        {
            script.Statements.ToList().ForEach(RefuseVariables);
        }

        var controls = Controls(script, end, inTransaction);
        var own = script.Statements.Where(statement => controls.Contains(statement) || !IsTaken(statement)).ToList();
        var isOpen = controls.Count == 0 ? inTransaction : controls[^1].TransactionControl == SqlTransactionControl.Begin;
        if (controls.Count == 0)
        {
            // A value that was added to an enum can be used after a commit only, and psql commits each statement.
            return new ImportedSection(Text(start, end), (inTransaction && !own.Exists(RefusesTransaction))
                || (_tool.RunsInPsql && !own.Exists(RefusesTransaction) && (own.Count < 2 || !own.Exists(AddsValue))));
        }

        if (isOpen && !inTransaction)
        {
            Refuse(controls[^1].Start, controls[^1].End - controls[^1].Start, "the transaction does not end in this section");
        }

        var opening = inTransaction || controls[0] == own[0];
        if (opening && controls.Count == (inTransaction ? 1 : 2) && controls[^1] == own[^1]
            && IsPlain(controls[0]) && IsPlain(controls[^1]) && controls[^1].TransactionControl == SqlTransactionControl.Commit)
        {
            // All in one transaction, which is what a section is.
            controls.ForEach(statement => TakeStatement(statement, end));
            return new ImportedSection(Text(start, end), true);
        }

        // Several transactions. The one that the tool has opened before the file, and the one that it ends after it, are written out.
        var (first, last) = (inTransaction && controls[0] == own[0], isOpen && controls[^1] == own[^1]);
        var ends = new[] { first ? controls[0] : null, last ? controls[^1] : null };
        ends.OfType<SqlStatement>().ToList().ForEach(statement => TakeStatement(statement, end));
        return new ImportedSection(
            (inTransaction && !first ? "BEGIN;\n" : "") + Text(start, end) + (isOpen && !last ? "COMMIT;\n" : ""), false);
    }

    /// <summary>
    /// The statements that begin and end transactions. To begin one in one, and to end what isn't begun, does nothing but warn: such a
    /// statement is taken out.
    /// </summary>
    private List<SqlStatement> Controls(SqlScript script, int end, bool isOpen)
    {
        var controls = new List<SqlStatement>();
        foreach (var statement in script.Statements.Where(statement => statement.TransactionControl != SqlTransactionControl.None))
        {
            var begins = statement.TransactionControl == SqlTransactionControl.Begin;
            if (statement.TransactionControl == SqlTransactionControl.Prepare || new StatementText(statement).Has("CHAIN")
                || (begins && isOpen && !IsPlain(statement)))
            {
                Refuse(statement.Start, statement.End - statement.Start, begins ? "a transaction begins in a transaction"
                    : "a migration can't be continued after it");
            }
            else if (begins == isOpen)
            {
                TakeStatement(statement, end);
            }
            else
            {
                controls.Add(statement);
                isOpen = begins;
            }
        }

        return controls;
    }

    private bool IsTaken(SqlStatement statement) => _cuts.Exists(cut => cut.Start == statement.Start);

    private static bool AddsValue(SqlStatement statement) =>
        statement.Is("ALTER", "TYPE") && new StatementText(statement).Has("ADD", "VALUE");

    /// <summary>psql puts the values of its variables into <c>:name</c>, <c>:'name'</c> and <c>:"name"</c>; in brackets it is a slice of an
    /// array.</summary>
    private void RefuseVariables(SqlStatement statement)
    {
        var (brackets, colon) = (0, -1);
        foreach (var token in statement.Tokens())
        {
            var sign = token.Length == 1 ? (char)_text[token.Start] : ' ';
            brackets += sign == '[' ? 1 : sign == ']' ? -1 : 0;
            if (colon == token.Start && (token.Kind is SqlTokenKind.StringConstant or SqlTokenKind.QuotedIdentifier
                || (token.Kind == SqlTokenKind.Word && brackets == 0)))
            {
                Refuse(colon - 1, token.End - colon + 1, "psql puts the value of a variable here; write the value");
            }

            colon = sign == ':' ? token.End : -1;
        }
    }

    /// <summary>Whether it has no options.</summary>
    private static bool IsPlain(SqlStatement statement) => new StatementText(statement) is { Tokens.Count: var count } text
        && (count == 1 || (count == 2 && (text.AtAny(1, "WORK", "TRANSACTION"))));

    private static bool RefusesTransaction(SqlStatement statement) =>
        statement.TransactionControl == SqlTransactionControl.None && !statement.Is("CALL")
        && StatementKind.Of(statement).Mode != StatementMode.InTransaction;

    /// <summary>The section with what is taken out as blanks, so that places in it are places in the file.</summary>
    private SqlScript Parse(int start, int end)
    {
        var over = _text.ToArray();
        foreach (var (from, to, semicolon) in _cuts)
        {
            over.AsSpan(from, to - from).Fill((byte)' ');
            over[from] = semicolon ? (byte)';' : over[from];
        }

        return SqlScript.Parse(_source.Over(over), start, end, endsAt: null, _problems);
    }

    private void TakeStatement(SqlStatement statement, int end)
    {
        var rest = new SqlLexer(_text.AsSpan(0, end), statement.End);
        Take(statement.Start, rest.MoveNext() && rest.Current.Kind == SqlTokenKind.Semicolon ? rest.Current.End : statement.End, false);
    }

    private void Take(int start, int end, bool semicolon) => _cuts.Add((start, end, semicolon));

    /// <summary>What is left of a section; a line that held nothing but what is taken out goes as a whole.</summary>
    private string Text(int start, int end)
    {
        var text = new StringBuilder();
        foreach (var (from, to, semicolon) in _cuts.Where(cut => cut.Start >= start && cut.End <= end).OrderBy(cut => cut.Start))
        {
            text.Append(_source.Substring(start, from)).Append(semicolon ? ";" : "");
            start = to;
            if (!semicolon && (text.Length == 0 || text[^1] == '\n') && start < end && _text[start] is (byte)'\r' or (byte)'\n')
            {
                start += _text.AsSpan(start, end - start).StartsWith("\r\n"u8) ? 2 : 1;
            }
        }

        return text.Append(_source.Substring(start, end)).ToString().Trim('\n', '\r', ' ', '\t') is { Length: > 0 } rest ? rest + "\n" : "";
    }

    private string TextOf(int start, int end) => Encoding.Latin1.GetString(_source.Utf8.Span[start..end]);

    private void Refuse(int start, int length, string reason) => _problems.Add(new Problem(
        "CG1503", $"This can't be carried over: {reason}", _source.At(start, length),
        "Nothing is written while a file can't be carried over. Change a copy of the file, and import that."));
}
