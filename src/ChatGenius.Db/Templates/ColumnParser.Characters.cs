using System.Text;
using ChatGenius.Db.Files;
using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;
namespace ChatGenius.Db.Templates;

/// <summary>The characters of the argument: names, words, lists, and where they stand.</summary>
internal sealed partial class ColumnParser
{
    private string ReadName()
    {
        var start = _at;
        if (Peek() == '"')
        {
            return ReadQuoted();
        }

        while (_at < text.Length && (char.IsAsciiLetterOrDigit(text[_at]) || text[_at] is '_' or '-'))
        {
            _at++;
        }

        if (_at == start || char.IsAsciiDigit(text[start]) || text[start] == '-')
        {
            throw Wrong("CG0802", "A column's name is missing here", start, start + 1, $"{Form} A name with other characters goes in double quotes.");
        }

        return text[start] == '_' ? text[start.._at] : MigrationName.Normalize(text[start.._at], what);
    }

    private string ReadQuoted()
    {
        var start = _at++;
        var name = new StringBuilder();
        while (_at < text.Length)
        {
            var c = text[_at++];
            if (c != '"')
            {
                name.Append(c);
            }
            else if (Peek() == '"')
            {
                name.Append('"');
                _at++;
            }
            else if (name.Length > 0)
            {
                return name.ToString();
            }
            else
            {
                throw Wrong("CG0802", "The name between the quotes is empty", start, _at, Form);
            }
        }

        throw Wrong("CG0802", "The closing double quote is missing", start, text.Length, Form);
    }

    private bool LooksQualified()
    {
        var i = _at;
        while (i < text.Length && (char.IsAsciiLetterOrDigit(text[i]) || text[i] == '_'))
        {
            i++;
        }

        return i > _at && i < text.Length && text[i] == '.';
    }

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

    private string ReadIdentifier()
    {
        var start = _at;
        while (_at < text.Length && (char.IsAsciiLetterOrDigit(text[_at]) || text[_at] == '_'))
        {
            _at++;
        }

        return _at > start ? text[start.._at] : throw Wrong("CG0802", "A name is missing here", start, start + 1, Form);
    }

    /// <summary>The names between parentheses, divided by dots; null where something else stands there.</summary>
    private List<string>? ReadTarget()
    {
        var names = new List<string>();
        do
        {
            _at++;
            var start = _at;
            while (_at < text.Length && text[_at] is not ('.' or ')' or '"'))
            {
                _at++;
            }

            var name = text[start.._at].Trim();
            if (name.Length == 0 && Peek() == '"')
            {
                name = ReadQuoted();
                while (Peek() == ' ')
                {
                    _at++;
                }
            }

            names.Add(name);
        }
        while (Peek() == '.');

        return Peek() == ')' ? names : null;
    }

    private void ReadArrayBrackets()
    {
        while (Peek() == '[')
        {
            var start = _at++;
            while (char.IsAsciiDigit(Peek()))
            {
                _at++;
            }

            if (!Skip(']'))
            {
                throw Wrong("CG0803", "The closing bracket of the array is missing", start, _at, "As in tags:text[].");
            }

            _type += text[start.._at];
        }
    }

    /// <summary>Letters, digits, underscores, and single blanks between words; small letters come back.</summary>
    private string ReadWords()
    {
        while (Peek() == ' ')
        {
            _at++;
        }

        var start = _at;
        while (_at < text.Length && (char.IsAsciiLetterOrDigit(text[_at]) || text[_at] is '_' or ' '))
        {
            _at++;
        }

        return text[start.._at].TrimEnd().ToLowerInvariant();
    }

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
            while (Peek() == ' ')
            {
                _at++;
            }

            var start = _at;
            names.Add(new ColumnName(ReadName(), Place(start, _at)));
            while (Peek() == ' ')
            {
                _at++;
            }
        }
        while (Peek() == ',');

        return Skip(')') ? new ColumnList(names) : throw Wrong("CG0802", "The closing parenthesis is missing", _at, _at + 1, "As in unique(message,user).");
    }

    private List<string> ReadList() => [.. ReadParenthesized().Split(',').Select(part => part.Trim())];

    /// <summary>Reads from an opening parenthesis to its partner, past string constants, and returns what is between.</summary>
    private string ReadParenthesized()
    {
        var start = _at;
        var depth = 0;
        for (; _at < text.Length; _at++)
        {
            switch (text[_at])
            {
                case '(':
                    depth++;
                    break;
                case ')' when --depth == 0:
                    _at++;
                    return text[(start + 1)..(_at - 1)];
                case '\'' or '"':
                    SkipQuotes();
                    break;
            }
        }

        throw Wrong("CG0802", "The closing parenthesis is missing", start, start + 1, "Close it, and mind that the shell wants parentheses in quotes: 'price:numeric(10,2)'.");
    }

    /// <summary>
    /// Reads to the colon that ends a default. Inside quotes, parentheses, braces and brackets, and in a cast (<c>::</c>), a colon is a part of it;
    /// an apostrophe inside a bare text (<c>name=It's me</c>) opens no quotes.
    /// </summary>
    private string ReadUntilColon()
    {
        var start = _at;
        var word = start;
        while (word < text.Length && (char.IsAsciiLetterOrDigit(text[word]) || text[word] is '_' or '.'))
        {
            word++;
        }

        var isExpression = word < text.Length && (text[word] == '(' || (text[word] == '\'' && word - start <= 1));
        var depth = 0;
        for (; _at < text.Length; _at++)
        {
            var c = text[_at];
            if (c == ':' && _at + 1 < text.Length && text[_at + 1] == ':')
            {
                _at++;
            }
            else if (c == ':' && depth == 0)
            {
                break;
            }
            else if (c is '{' or '[' or '(' && (isExpression || depth > 0 || _at == start))
            {
                depth++;
            }
            else if (c is '}' or ']' or ')' && depth > 0)
            {
                depth--;
            }
            else if ((c == '"' && depth > 0) || (c == '\'' && isExpression))
            {
                SkipQuotes();
            }
        }

        return depth == 0 ? text[start.._at] : throw Wrong("CG0802", "What is opened here is not closed", start, text.Length, "Close every parenthesis, bracket and brace.");
    }

    private void SkipQuotes()
    {
        var start = _at;
        var close = text.IndexOf(text[_at], _at + 1);
        _at = close >= 0 ? close : throw Wrong("CG0802", "The closing quote is missing", start, start + 1, "Close it.");
    }

    private char Peek() => _at < text.Length ? text[_at] : '\0';

    private bool Skip(char c)
    {
        var there = Peek() == c && _at < text.Length;
        _at += there ? 1 : 0;
        return there;
    }

    private ProblemException Wrong(string code, string message, int start, int end, string? advice) =>
        new(new Problem(code, message, Place(start, end), advice));

    private SourceLocation Place(int start, int end)
    {
        start = Math.Min(start, text.Length);
        end = Math.Clamp(end, start, text.Length);
        return new SourceLocation(what, 1, 1 + Characters(start), text, Math.Max(1, Characters(end) - Characters(start)));
    }

    /// <summary>Columns count characters, and one outside the BMP is two UTF-16 units.</summary>
    private int Characters(int end)
    {
        var count = 0;
        foreach (var c in text.AsSpan(0, end))
        {
            count += char.IsLowSurrogate(c) ? 0 : 1;
        }

        return count;
    }
}
