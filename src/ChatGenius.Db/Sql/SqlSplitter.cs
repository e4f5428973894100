using System.Text;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Sql;

/// <summary>
/// Finds the end of each statement as psql does: a semicolon outside parentheses (<c>CREATE RULE</c> has some inside) and outside the body
/// of an SQL-standard function, and behind a <c>COPY … FROM stdin</c> the rows.
/// </summary>
internal ref struct SqlSplitter
{
    private readonly SourceText _source;
    private readonly ReadOnlySpan<byte> _text;
    private readonly List<SqlStatement> _statements = [];
    private readonly SqlChecksum _checksum;
    private readonly List<Problem> _problems;
    private readonly int _from;
    private SqlLexer _tokens;
    private SqlToken _previous;

    // What SET LOCAL changes comes back at the end of the transaction; this is what it comes back to.
    private bool _sessionConformingStrings = true;

    private int _start = -1;
    private Verb _verb;
    private int _parentheses;
    private int _firstParenthesis;
    private int _body;
    private SqlToken _bodyStart;

    public SqlSplitter(SourceText source, int start, int end, SqlChecksum checksum, List<Problem> problems)
    {
        _source = source;
        _text = source.Utf8.Span[..end];
        _tokens = new SqlLexer(_text, start);
        _from = start;
        _checksum = checksum;
        _problems = problems;
    }

    /// <summary>The first words that make a statement worth a second look.</summary>
    private enum Verb : byte
    {
        Other,
        Create,
        Copy,
        Setting,
        Transaction,
    }

    public SqlScript Split(Func<SqlToken, bool>? endsAt)
    {
        var end = _text.Length;
        if (_text[_from..].IndexOf((byte)0) is >= 0 and var zero)
        {
            Report("CG0211", "The character U+0000 can't stand in SQL", new SqlToken(SqlTokenKind.Symbol, _from + zero, _from + zero + 1), "Take it out; PostgreSQL can't store it either.");
        }

        while (_tokens.MoveNext())
        {
            var token = _tokens.Current;
            switch (token.Kind)
            {
                case SqlTokenKind.LineComment when endsAt is not null && endsAt(token):
                    end = token.Start;
                    goto done;

                case SqlTokenKind.LineComment or SqlTokenKind.BlockComment:
                    break;

                case SqlTokenKind.Semicolon when _parentheses == 0 && _body == 0:
                    EndStatement(terminated: true);
                    break;

                case SqlTokenKind.Backslash:
                    SkipMetaCommand(token);
                    break;

                case >= SqlTokenKind.UnterminatedString:
                    ReportUnterminated(token);
                    _start = -1;
                    goto done;

                default:
                    Add(token);
                    break;
            }
        }

    done:
        EndStatement(terminated: false);
        return new SqlScript(_source, _from, end, _statements, _checksum.Finish());
    }

    private void Add(SqlToken token)
    {
        _checksum.AddToken(_text, token);
        if (_start < 0)
        {
            _start = token.Start;
            _verb = token.Kind == SqlTokenKind.Word ? VerbOf(_text[token.Start..token.End]) : Verb.Other;
        }

        if (token.Kind == SqlTokenKind.OpenParenthesis)
        {
            if (_parentheses++ == 0)
            {
                _firstParenthesis = token.Start;
            }
        }
        else if (token.Kind == SqlTokenKind.CloseParenthesis && _parentheses > 0)
        {
            _parentheses--;
        }
        else if (_verb == Verb.Create && token.Kind == SqlTokenKind.Word && _parentheses == 0)
        {
            TrackBody(token);
        }

        _previous = token;
    }

    /// <summary>
    /// Follows <c>BEGIN ATOMIC … END</c> (SQL command "CREATE FUNCTION", sql_body). CASE ends with END as well, so the two are counted together.
    /// psql counts every BEGIN of a CREATE FUNCTION or PROCEDURE; asking for ATOMIC finds the same bodies and lets a function be named "begin".
    /// </summary>
    private void TrackBody(SqlToken token)
    {
        if (_body == 0)
        {
            if (Is(token, "atomic"u8) && Is(_previous, "begin"u8))
            {
                _body = 1;
                _bodyStart = _previous;
            }
        }
        else if (Is(token, "case"u8) || Is(token, "end"u8))
        {
            // Behind AS or a dot it is the name of a column.
            if (!Is(_previous, "as"u8) && !Is(_previous, "."u8))
            {
                _body += (_text[token.Start] | 0x20) == 'c' ? 1 : -1;
            }
        }
    }

    private void EndStatement(bool terminated)
    {
        if (_start < 0)
        {
            return;
        }

        if (_parentheses > 0)
        {
            Report("CG0205", "This parenthesis is never closed", new SqlToken(SqlTokenKind.OpenParenthesis, _firstParenthesis, _firstParenthesis + 1), "Close it: a semicolon inside parentheses ends no statement.");
        }
        else if (_body > 0)
        {
            Report("CG0206", "This BEGIN ATOMIC has no END", _bodyStart, "End the body with END; and each CASE inside it as well.");
        }

        var conforming = _tokens.StandardConformingStrings;
        var control = _verb == Verb.Transaction ? ReadTransactionControl() : SqlTransactionControl.None;
        var copies = _verb == Verb.Copy && IsCopyFromStdin();
        _checksum.EndStatement();
        _statements.Add(new SqlStatement(_source, _start, _previous.End, conforming, control)
        {
            IsCopyFromStdin = copies,
            CopyData = copies ? ReadCopyData(terminated) : default,
        });

        if (_verb == Verb.Setting)
        {
            FollowSetting();
        }
        else if (control is SqlTransactionControl.Commit or SqlTransactionControl.Rollback)
        {
            _tokens.StandardConformingStrings = _sessionConformingStrings;
        }

        _start = -1;
        _parentheses = 0;
        _body = 0;
    }

    private static Verb VerbOf(ReadOnlySpan<byte> word) => word.Length switch
    {
        3 when Equal(word, "set"u8) => Verb.Setting,
        3 when Equal(word, "end"u8) => Verb.Transaction,
        4 when Equal(word, "copy"u8) => Verb.Copy,
        5 when Equal(word, "reset"u8) => Verb.Setting,
        5 when Equal(word, "begin"u8) || Equal(word, "start"u8) || Equal(word, "abort"u8) => Verb.Transaction,
        6 when Equal(word, "create"u8) => Verb.Create,
        6 when Equal(word, "commit"u8) => Verb.Transaction,
        7 when Equal(word, "discard"u8) => Verb.Setting,
        7 when Equal(word, "prepare"u8) => Verb.Transaction,
        8 when Equal(word, "rollback"u8) => Verb.Transaction,
        _ => Verb.Other,
    };

    private readonly SqlTransactionControl ReadTransactionControl()
    {
        var tokens = Reread();
        var first = Next(ref tokens);
        var second = Next(ref tokens);
        if (Is(first, "begin"u8) || (Is(first, "start"u8) && Is(second, "transaction"u8)))
        {
            return SqlTransactionControl.Begin;
        }

        if (Is(first, "prepare"u8))
        {
            return Is(second, "transaction"u8) ? SqlTransactionControl.Prepare : SqlTransactionControl.None;
        }

        // COMMIT PREPARED and ROLLBACK PREPARED are about another transaction; the server refuses them inside of one.
        if (Is(first, "start"u8) || Is(second, "prepared"u8))
        {
            return SqlTransactionControl.None;
        }

        if (Is(first, "commit"u8) || Is(first, "end"u8))
        {
            return SqlTransactionControl.Commit;
        }

        var to = Is(second, "work"u8) || Is(second, "transaction"u8) ? Next(ref tokens) : second;
        return Is(to, "to"u8) ? SqlTransactionControl.None : SqlTransactionControl.Rollback;
    }

    /// <summary>
    /// Follows what the session's standard_conforming_strings becomes: <c>SET</c>, <c>RESET</c> and <c>DISCARD ALL</c>. A session begins with it on,
    /// whatever the role or the database says, because the tool sets it so.
    /// </summary>
    private void FollowSetting()
    {
        var tokens = Reread();
        var verb = Next(ref tokens);
        var name = Next(ref tokens);
        if (!Is(verb, "set"u8))
        {
            if (Is(name, "all"u8) || Is(name, "standard_conforming_strings"u8))
            {
                _sessionConformingStrings = _tokens.StandardConformingStrings = true;
            }

            return;
        }

        var local = Is(name, "local"u8);
        if (local || Is(name, "session"u8))
        {
            name = Next(ref tokens);
        }

        if (!Is(name, "standard_conforming_strings"u8) && !Is(name, "\"standard_conforming_strings\""u8))
        {
            return;
        }

        Next(ref tokens);
        var value = Next(ref tokens);
        var text = Encoding.UTF8.GetString(_text[value.Start..value.End]).Trim('\'').ToLowerInvariant();

        // The server takes any beginning of a boolean word that has only one meaning.
        var off = text is "0" or "of" or "off" || (text.Length > 0 && ("false".StartsWith(text, StringComparison.Ordinal) || "no".StartsWith(text, StringComparison.Ordinal)));
        _tokens.StandardConformingStrings = !off;
        if (!local)
        {
            _sessionConformingStrings = !off;
        }
    }

    /// <summary>
    /// SQL command "COPY": after the table, which may be qualified, quoted and followed by columns, FROM and then STDIN. (STDOUT means the same there: the
    /// grammar takes either word.) A query to copy from stands in parentheses, so a FROM of its own is not seen.
    /// </summary>
    private readonly bool IsCopyFromStdin()
    {
        var tokens = Reread();
        var depth = 0;
        for (var token = Next(ref tokens); token.Kind != SqlTokenKind.End; token = Next(ref tokens))
        {
            depth += token.Kind == SqlTokenKind.OpenParenthesis ? 1 : token.Kind == SqlTokenKind.CloseParenthesis ? -1 : 0;
            var from = Is(token, "from"u8);
            if (depth != 0 || (!from && !Is(token, "to"u8)))
            {
                continue;
            }

            var target = Next(ref tokens);
            var streams = Is(target, "stdin"u8) || Is(target, "stdout"u8);
            if (streams && !from)
            {
                Report("CG0210", "COPY … TO stdout has nowhere to write to in a migration", target, "Copy into a table (INSERT … SELECT), or use \\copy in psql.");
            }

            return streams && from;
        }

        return false;
    }

    /// <summary>The rows begin on the line after the semicolon and end before a line that is <c>\.</c> and nothing else.</summary>
    private ReadOnlyMemory<byte> ReadCopyData(bool terminated)
    {
        var semicolon = _tokens.Current;
        var copy = new SqlToken(SqlTokenKind.Word, _start, _previous.End);
        var lineEnd = _text[semicolon.End..].IndexOf((byte)'\n');
        if (!terminated || lineEnd < 0)
        {
            Report("CG0208", "The rows of this COPY … FROM stdin are missing", copy, "End the statement with a semicolon, write the rows on the lines after it, and end them with a line \\.");
            return default;
        }

        var start = semicolon.End + lineEnd + 1;
        var rest = new SqlLexer(_text[..start], semicolon.End);
        if (Next(ref rest) is { Kind: not SqlTokenKind.End } more)
        {
            Report("CG0209", "After COPY … FROM stdin; its line must end", more, "Write what follows after the rows and their end mark \\.");
        }

        for (var line = start; line < _text.Length;)
        {
            var length = _text[line..].IndexOf((byte)'\n');
            var next = length < 0 ? _text.Length : line + length + 1;
            if (_text[line] == '\\' && _text[line..next].TrimEnd("\r\n"u8).SequenceEqual("\\."u8))
            {
                _checksum.AddCopyData(_text[start..line]);
                _tokens.SkipTo(next);
                return _source.Utf8[start..line];
            }

            line = next;
        }

        Report("CG0208", "The rows of this COPY … FROM stdin have no end", copy, "End them with a line \\. (a backslash and a dot, nothing else).");
        _tokens.SkipTo(_text.Length);
        return default;
    }

    private void SkipMetaCommand(SqlToken backslash)
    {
        var lineEnd = _text[backslash.Start..].IndexOfAny((byte)'\n', (byte)'\r');
        var end = lineEnd < 0 ? _text.Length : backslash.Start + lineEnd;
        var command = Encoding.UTF8.GetString(_text[backslash.End..end]).Split(' ', '\t', ';', '(')[0];
        Report("CG0207", $"\\{command} is a command of psql, not SQL", backslash with { End = backslash.End + Encoding.UTF8.GetByteCount(command) }, PsqlCommand.Advice(command));
        _tokens.SkipTo(end);
    }

    private readonly void ReportUnterminated(SqlToken token)
    {
        var (code, message, advice) = token.Kind switch
        {
            SqlTokenKind.UnterminatedString => ("CG0201", "This string is never closed", "Close it with '; a quote inside it is written twice."),
            SqlTokenKind.UnterminatedDollarString => ("CG0202", "This dollar-quoted string is never closed", "Close it with the same mark, to the letter, that it begins with."),
            SqlTokenKind.UnterminatedIdentifier => ("CG0203", "This quoted identifier is never closed", "Close it with \"; a double quote inside it is written twice."),
            _ => ("CG0204", "This comment is never closed", "Close it with */; comments nest, so each /* inside needs its own."),
        };
        var lineEnd = _text[token.Start..].IndexOfAny((byte)'\n', (byte)'\r');
        var mark = token.Kind switch
        {
            SqlTokenKind.UnterminatedDollarString => _text[(token.Start + 1)..].IndexOf((byte)'$') + 2,
            SqlTokenKind.UnterminatedComment => 2,
            _ => _text[token.Start..].IndexOfAny((byte)'\'', (byte)'"') + 1,
        };
        Report(code, message, token with { End = token.Start + (lineEnd < 0 ? mark : Math.Min(mark, lineEnd)) }, advice);
    }

    private readonly void Report(string code, string message, SqlToken where, string advice) =>
        _problems.Add(new Problem(code, message, _source.At(where.Start, where.Length), advice));

    /// <summary>The statement that ends here, from its first token on.</summary>
    private readonly SqlLexer Reread() => new(_text[.._previous.End], _start, _tokens.StandardConformingStrings);

    /// <summary>The next token that is no comment.</summary>
    private static SqlToken Next(ref SqlLexer tokens)
    {
        while (tokens.MoveNext() && tokens.Current.Kind is SqlTokenKind.LineComment or SqlTokenKind.BlockComment)
        {
        }

        return tokens.Current;
    }

    private readonly bool Is(SqlToken token, ReadOnlySpan<byte> lowerCase) => token.Length == lowerCase.Length && Equal(_text[token.Start..token.End], lowerCase);

    private static bool Equal(ReadOnlySpan<byte> word, ReadOnlySpan<byte> lowerCase) => Ascii.EqualsIgnoreCase(word, lowerCase);
}
