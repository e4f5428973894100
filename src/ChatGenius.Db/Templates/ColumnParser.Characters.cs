using System.Buffers;
using System.Text;
using ChatGenius.Db.Files;
using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Templates;

/// <summary>The characters of the argument: names, words, lists, and their places. What is SQL in it is read by SQL's rules.</summary>
internal sealed partial class ColumnParser
{
    private const string Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
    private const string Parentheses = "()";
    private const string Brackets = "()[]{}";

    private static readonly SearchValues<char> InIdentifiers = SearchValues.Create(Letters);
    private static readonly SearchValues<char> InNames = SearchValues.Create(Letters + "-");
    private static readonly SearchValues<char> InWords = SearchValues.Create(Letters + " ");
    private static readonly SearchValues<char> InDefaultWords = SearchValues.Create(Letters + ".");
    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789");
    private static readonly SearchValues<char> Blanks = SearchValues.Create(" \t\r\n");

    private readonly SourceText _source = SourceText.From(what, text);

    private string ReadName()
    {
        var start = _at;
        if (Peek() == '"')
        {
            return ReadQuoted();
        }

        var name = Take(InNames);
        if (name.Length == 0 || char.IsAsciiDigit(name[0]) || name[0] == '-')
        {
            var advice = $"{Form} A name with other characters goes in double quotes.";
            throw Wrong("CG0802", "A column's name is missing here", start, start + 1, advice);
        }

        return name[0] == '_' ? name : MigrationName.Normalize(name, what);
    }

    private string ReadQuoted()
    {
        var (kind, start, end) = TokensFrom(_at)[0];
        if (kind != SqlTokenKind.QuotedIdentifier)
        {
            throw Wrong("CG0802", "The closing double quote is missing", start, text.Length, Form);
        }

        _at = end;
        return end - start > 2
            ? text[(start + 1)..(end - 1)].Replace("\"\"", "\"", StringComparison.Ordinal)
            : throw Wrong("CG0802", "The name between the quotes is empty", start, end, Form);
    }

    private bool LooksQualified() => text.AsSpan(_at).IndexOfAnyExcept(InIdentifiers) is > 0 and var word && text[_at + word] == '.';

    /// <summary>A type that PostgreSQL doesn't have built in (<c>public.mood</c>, <c>"Mood"</c>) is taken as it is given.</summary>
    private void ReadOwnType()
    {
        var parts = new List<string>();
        do
        {
            parts.Add(Peek() == '"' ? ReadQuoted() : ReadIdentifier());
        }
        while (Skip('.'));

        _type = string.Join('.', parts.Select(SqlIdentifier.Quote));
        _kind = ValueKind.Other;
        if (Peek() == '(')
        {
            _type += $"({ReadParenthesized()})";
        }

        ReadArrayBrackets();
    }

    private string ReadIdentifier() =>
        Take(InIdentifiers) is { Length: > 0 } name ? name : throw Wrong("CG0802", "A name is missing here", _at, _at + 1, Form);

    /// <summary>The names between parentheses, divided by dots; null where something else is there.</summary>
    private List<string>? ReadTarget()
    {
        var names = new List<string>();
        do
        {
            _at++;
            Take(Blanks);
            if (Peek() == '"')
            {
                names.Add(ReadQuoted());
                Take(Blanks);
            }
            else
            {
                var end = text.AsSpan(_at).IndexOfAny('.', ')', '"') is >= 0 and var found ? _at + found : text.Length;
                names.Add(text[_at..end].Trim());
                _at = end;
            }
        }
        while (Peek() == '.');

        return Peek() == ')' ? names : null;
    }

    private void ReadArrayBrackets()
    {
        while (Peek() == '[')
        {
            var start = _at++;
            Take(Digits);
            if (!Skip(']'))
            {
                throw Wrong("CG0803", "The closing bracket of the array is missing", start, _at, "As in tags:text[].");
            }

            _type += text[start.._at];
        }
    }

    /// <summary>Letters, digits, underscores, and single blanks between words; small letters come back.</summary>
    private string ReadWords() => Take(InWords).Trim().ToLowerInvariant();

    private ColumnList ReadColumnList()
    {
        if (Peek() != '(')
        {
            return new ColumnList([]);
        }

        var names = new List<ColumnName>();
        do
        {
            _at++;
            Take(Blanks);
            var start = _at;
            names.Add(new ColumnName(ReadName(), Place(start, _at)));
            Take(Blanks);
        }
        while (Peek() == ',');

        return Skip(')')
            ? new ColumnList(names)
            : throw Wrong("CG0802", "The closing parenthesis is missing", _at, _at + 1, "As in unique(message,user).");
    }

    private List<string> ReadList() => [.. ReadParenthesized().Split(',').Select(part => part.Trim())];

    /// <summary>Reads from an opening parenthesis to its partner, and returns what is between.</summary>
    private string ReadParenthesized()
    {
        var start = _at;
        _at = EndOfSql(Parentheses) ?? throw Wrong(
            "CG0802", "The closing parenthesis is missing", start, start + 1,
            "Close it, and mind that the shell wants parentheses in quotes: 'price:numeric(10,2)'.");
        return text[(start + 1)..(_at - 1)];
    }

    /// <summary>
    /// Reads to the colon that ends a default. Inside quotes, parentheses, braces and brackets, and in a cast (<c>::</c>), a colon is a
    /// part of it; an apostrophe inside a bare text (<c>name=It's me</c>) opens no quotes.
    /// </summary>
    private string ReadUntilColon()
    {
        var start = _at;
        Take(InDefaultWords);
        var isExpression = Peek() == '(' || (Peek() == '\'' && _at - start <= 1);
        _at = start;
        _at = (isExpression ? EndOfSql(Brackets) : EndOfBareText()) ?? throw Wrong(
            "CG0802", "What is opened here is not closed", start, text.Length, "Close every parenthesis, bracket and brace.");
        return text[start.._at];
    }

    /// <summary>
    /// Where SQL ends: after the partner of the parenthesis that it begins with, or where <paramref name="pairs"/> are all brackets, at
    /// the colon outside of all of them. Null where one isn't closed.
    /// </summary>
    private int? EndOfSql(string pairs)
    {
        var depth = 0;
        foreach (var (kind, start, end) in TokensFrom(_at))
        {
            if (kind is SqlTokenKind.UnterminatedString or SqlTokenKind.UnterminatedIdentifier)
            {
                throw Wrong("CG0802", "The closing quote is missing", start, start + 1, "Close it.");
            }

            var pair = end - start == 1 ? pairs.IndexOf(text[start], StringComparison.Ordinal) : -1;
            if (pairs == Brackets && depth == 0 && end - start == 1 && text[start] == ':')
            {
                return start;
            }

            depth = pair < 0 ? depth : Math.Max(0, depth + (pair % 2 == 0 ? 1 : -1));
            if (pairs == Parentheses && depth == 0)
            {
                return end;
            }
        }

        return pairs == Brackets && depth == 0 ? text.Length : null;
    }

    /// <summary>The same for a text that is no SQL, such as a word, or JSON with its braces.</summary>
    private int? EndOfBareText()
    {
        var depth = 0;
        for (var i = _at; i < text.Length; i++)
        {
            var pair = Brackets.IndexOf(text[i], StringComparison.Ordinal);
            if (text[i] == ':' && i + 1 < text.Length && text[i + 1] == ':')
            {
                i++;
            }
            else if (text[i] == ':' && depth == 0)
            {
                return i;
            }
            else if (text[i] == '"' && depth > 0)
            {
                i = text.IndexOf('"', i + 1) is >= 0 and var close
                    ? close
                    : throw Wrong("CG0802", "The closing quote is missing", i, i + 1, "Close it.");
            }
            else if (pair >= 0 && (depth > 0 || (i == _at && pair % 2 == 0)))
            {
                depth += pair % 2 == 0 ? 1 : -1;
            }
        }

        return depth == 0 ? text.Length : null;
    }

    /// <summary>The rest of the argument by SQL's rules; starts and ends count characters of the argument.</summary>
    private List<(SqlTokenKind Kind, int Start, int End)> TokensFrom(int at)
    {
        var utf8 = Encoding.UTF8.GetBytes(text[at..]);
        var tokens = new List<(SqlTokenKind Kind, int Start, int End)>();
        foreach (var token in new SqlLexer(utf8))
        {
            var start = at + Encoding.UTF8.GetCharCount(utf8, 0, token.Start);
            tokens.Add((token.Kind, start, start + Encoding.UTF8.GetCharCount(utf8, token.Start, token.Length)));
        }

        return tokens;
    }

    private string Take(SearchValues<char> characters)
    {
        var start = _at;
        var length = text.AsSpan(start).IndexOfAnyExcept(characters);
        _at = length < 0 ? text.Length : start + length;
        return text[start.._at];
    }

    private char Peek() => _at < text.Length ? text[_at] : '\0';

    private bool Skip(char c)
    {
        var there = Peek() == c && _at < text.Length;
        _at += there ? 1 : 0;
        return there;
    }

    private ProblemException Wrong(string code, string message, int start, int end, string? advice) =>
        new(code, message, Place(start, end), advice);

    private SourceLocation Place(int start, int end)
    {
        start = Math.Min(start, text.Length);
        end = Math.Clamp(end, start, text.Length);
        return _source.At(Encoding.UTF8.GetByteCount(text.AsSpan(0, start)), Encoding.UTF8.GetByteCount(text.AsSpan(start, end - start)));
    }
}
