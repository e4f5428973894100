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

    // What SET LOCAL changes comes back at the end of the transaction; this is what it comes back to. A session begins with on,
    // whatever the role or the database says: whoever runs the script sets it so.
    private bool _sessionConformingStrings = true;

    private int _start = -1;
    private SqlVerb _verb;
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

    public SqlScript Split(Func<SqlToken, bool>? endsAt)
    {
        var end = _text.Length;
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
        if (_text[_from..end].IndexOf((byte)0) is >= 0 and var zero)
        {
            Report(
                "CG0211",
                "The character U+0000 can't be part of SQL",
                new SqlToken(SqlTokenKind.Symbol, _from + zero, _from + zero + 1),
                "Take it out; PostgreSQL can't store it either.");
        }

        return new SqlScript(_source, _from, end, _statements, _checksum.FinishAsync());
    }

    private void Add(SqlToken token)
    {
        _checksum.AddToken(_text, token);
        if (_start < 0)
        {
            _start = token.Start;
            _verb = token.Kind == SqlTokenKind.Word ? SqlRecognizer.VerbOf(_text[token.Start..token.End]) : SqlVerb.Other;
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
        else if (_verb == SqlVerb.Create && token.Kind == SqlTokenKind.Word && _parentheses == 0)
        {
            TrackBody(token);
        }

        _previous = token;
    }

    /// <summary>
    /// Follows <c>BEGIN ATOMIC … END</c> (SQL command "CREATE FUNCTION", sql_body). CASE ends with END as well, so the two are counted
    /// together. psql counts every BEGIN of a CREATE FUNCTION or PROCEDURE; asking for ATOMIC finds the same bodies and lets a function be
    /// named "begin".
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
            Report(
                "CG0205",
                "This parenthesis is never closed",
                new SqlToken(SqlTokenKind.OpenParenthesis, _firstParenthesis, _firstParenthesis + 1),
                "Close it: a semicolon inside parentheses ends no statement.");
        }
        else if (_body > 0)
        {
            Report("CG0206", "This BEGIN ATOMIC has no END", _bodyStart, "End the body with END; and each CASE inside it as well.");
        }

        Finish(terminated);
        _start = -1;
        _parentheses = 0;
        _body = 0;
    }

    private void Finish(bool terminated)
    {
        var conforming = _tokens.StandardConformingStrings;
        var statement = new SqlRecognizer(_text[.._previous.End], _start, conforming);
        var control = _verb == SqlVerb.Transaction ? statement.TransactionControl() : SqlTransactionControl.None;
        (int, int) rows = default;
        _checksum.EndStatement();
        if (_verb == SqlVerb.Copy && statement.CopyStream(out var from) is { } stream)
        {
            if (from)
            {
                rows = ReadCopyData(terminated);
            }
            else
            {
                Report(
                    "CG0210",
                    "COPY … TO stdout has nowhere to write to in a migration",
                    stream,
                    "Copy into a table (INSERT … SELECT), or use \\copy in psql.");
            }
        }

        _statements.Add(new SqlStatement(_source, _start, _previous.End, conforming, control, rows));
        if (_verb == SqlVerb.Setting && statement.StandardConformingStrings(out var local) is { } value)
        {
            _tokens.StandardConformingStrings = value;
            _sessionConformingStrings = local ? _sessionConformingStrings : value;
        }
        else if (control is SqlTransactionControl.Commit or SqlTransactionControl.Rollback)
        {
            _tokens.StandardConformingStrings = _sessionConformingStrings;
        }
    }

    /// <summary>The rows begin on the line after the semicolon and end before a line that is <c>\.</c> and nothing else.</summary>
    private (int Start, int End) ReadCopyData(bool terminated)
    {
        var semicolon = _tokens.Current;
        var copy = new SqlToken(SqlTokenKind.Word, _start, _previous.End);
        var lineEnd = _text[semicolon.End..].IndexOf((byte)'\n');
        if (!terminated || lineEnd < 0)
        {
            Report(
                "CG0208",
                "The rows of this COPY … FROM stdin are missing",
                copy,
                "End the statement with a semicolon, write the rows on the lines after it, and end them with a line \\.");
            return default;
        }

        var start = semicolon.End + lineEnd + 1;
        var rest = new SqlLexer(_text[..start], semicolon.End);
        if (SqlRecognizer.Next(ref rest) is { Kind: not SqlTokenKind.End } more)
        {
            Report(
                "CG0209",
                "After COPY … FROM stdin; its line must end",
                more,
                "Write what follows after the rows and their end mark \\.");
        }

        for (var line = start; line <= _text.Length;)
        {
            if (EndOfMark(line) is var end and > 0)
            {
                _checksum.AddCopyData(_source.Utf8[start..line]);
                _tokens.SkipTo(end);
                return (start, line);
            }

            var next = _text[line..].IndexOf("\n\\."u8);
            if (next < 0)
            {
                break;
            }

            line += next + 1;
        }

        Report(
            "CG0208",
            "The rows of this COPY … FROM stdin have no end",
            copy,
            "End them with a line \\. (a backslash and a dot, nothing else).");
        _tokens.SkipTo(_text.Length);
        return default;
    }

    /// <summary>Where the line <c>\.</c> that begins here ends, or 0 if it is no such line.</summary>
    private readonly int EndOfMark(int line)
    {
        var rest = _text[line..];
        if (!rest.StartsWith("\\."u8))
        {
            return 0;
        }

        rest = rest[2..];
        var lineEnd = rest.StartsWith("\r\n"u8) ? 2 : rest.StartsWith("\n"u8) ? 1 : 0;
        return lineEnd > 0 || rest.IsEmpty ? line + 2 + lineEnd : 0;
    }

    private void SkipMetaCommand(SqlToken backslash)
    {
        var lineEnd = _text[backslash.Start..].IndexOfAny((byte)'\n', (byte)'\r');
        var end = lineEnd < 0 ? _text.Length : backslash.Start + lineEnd;
        var command = Encoding.UTF8.GetString(_text[backslash.End..end]).Split(' ', '\t', ';', '(')[0];
        Report(
            "CG0207",
            $"\\{command} is a command of psql, not SQL",
            backslash with { End = backslash.End + Encoding.UTF8.GetByteCount(command) },
            PsqlCommand.Advice(command));
        _tokens.SkipTo(end);
    }

    private readonly void ReportUnterminated(SqlToken token)
    {
        var (code, message, advice) = token.Kind switch
        {
            SqlTokenKind.UnterminatedString => ("CG0201", "This string is never closed",
                "Close it with '; a quote inside it is written twice."),
            SqlTokenKind.UnterminatedDollarString => (
                "CG0202", "This dollar-quoted string is never closed", "Close it with the same mark, to the letter, that it begins with."),
            SqlTokenKind.UnterminatedIdentifier => (
                "CG0203", "This quoted identifier is never closed", "Close it with \"; a double quote inside it is written twice."),
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

    private readonly bool Is(SqlToken token, ReadOnlySpan<byte> lowerCase) => SqlRecognizer.Is(_text, token, lowerCase);
}
