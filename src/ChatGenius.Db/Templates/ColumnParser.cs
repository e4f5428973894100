using System.Globalization;
using System.Text;
using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Templates;

/// <summary>Reads one column argument, from left to right, and complains at the character where it can't go on.</summary>
internal sealed class ColumnParser(string text, string what)
{
    private static readonly string[] Modifiers =
        ["unique", "index", "check", "references", "cascade", "restrict", "setnull", "setdefault", "noaction", "identity"];

    private int _at;
    private ValueKind _kind = ValueKind.Text;
    private string? _type;
    private bool _nullable;
    private string? _default;
    private int _defaultStart;
    private ColumnReference? _references;
    private (string Sql, SourceLocation Where)? _onDelete;
    private bool _identity;
    private readonly List<string> _checks = [];
    private readonly List<ColumnList> _uniques = [];
    private readonly List<ColumnList> _indexes = [];

    public ColumnSpec Parse()
    {
        var nameStart = _at;
        var name = ReadName();
        var where = Place(nameStart, _at);
        ReadNullAndDefault();
        if (Skip(':') && !TryReadType(ref name))
        {
            ReadModifier(name);
        }

        ReadNullAndDefault();
        while (Skip(':'))
        {
            ReadModifier(name);
        }

        if (_at < text.Length)
        {
            throw Wrong("CG0802", $"\"{text[_at]}\" does not belong here", _at, _at + 1, Form);
        }

        CheckName(name, where);
        return new ColumnSpec(name, _type, _nullable, WriteDefault(), where)
        {
            References = WriteReference(),
            Checks = _checks,
            Uniques = _uniques,
            Indexes = _indexes,
            Identity = _identity,
        };
    }

    private const string Form = "A column is name:type, then ? if it may be null, =value for a default, and :modifiers, as in count:int=0:check(count>=0).";

    private void ReadNullAndDefault()
    {
        if (Skip('?'))
        {
            _nullable = true;
        }

        if (_default is null && Skip('='))
        {
            _defaultStart = _at;
            _default = ReadUntilColon().Trim();
        }
    }

    private bool TryReadType(ref string name)
    {
        var start = _at;
        if (Peek() == '"' || LooksQualified())
        {
            ReadOwnType();
            return true;
        }

        var words = ReadWords();
        if (words == "references")
        {
            // A reference names the column after the row it points to: message:references is message_id.
            var subject = name.EndsWith("_id", StringComparison.Ordinal) ? name[..^3] : name;
            name = subject + "_id";
            (_type, _kind) = ("UUID", ValueKind.Other);
            ReadReference(Inflection.Plural(subject));
            return true;
        }

        if (Modifiers.Contains(words))
        {
            _at = start;
            return false;
        }

        if (words.Length == 0)
        {
            throw Wrong("CG0802", "A type is missing here", start, start + 1, Form);
        }

        var parenthesis = _at;
        var modifiers = Peek() == '(' ? ReadList() : null;
        if (modifiers is not null && ReadWords() is { Length: > 0 } rest)
        {
            // timestamp(3) with time zone
            words += " " + rest;
        }

        if (!TypeNames.IsKnown(words))
        {
            var suggestion = TypeNames.Suggest(words);
            throw Wrong(
                "CG0803",
                $"PostgreSQL has no built-in type \"{words}\"",
                start,
                start + words.Length,
                (suggestion is null ? "" : $"Did you mean {suggestion}? ") + "A type of your own is written with its schema, as in public.mood.");
        }

        if (TypeNames.Write(words, modifiers, out var sql, out _kind) is { } complaint)
        {
            throw Wrong("CG0803", complaint, parenthesis, _at, "As in varchar(40), numeric(10,2) or timestamptz(3).");
        }

        _type = sql;
        ReadArrayBrackets();
        return true;
    }

    private void ReadReference(string table)
    {
        var column = "id";
        if (Peek() == '(')
        {
            var start = _at;
            var target = ReadParenthesized().Trim();
            var parts = target.Split('.');
            if (parts.Length > 2 || parts.Any(part => part.Trim().Length == 0))
            {
                throw Wrong("CG0802", "Here goes a table, or a table and its column", start + 1, _at - 1, "As in references(users) or references(users.email).");
            }

            table = parts[0].Trim();
            column = parts.Length == 2 ? parts[1].Trim() : column;
        }

        _references = new ColumnReference(table, column, "CASCADE");
    }

    private void ReadModifier(string column)
    {
        var start = _at;
        var word = ReadWords();
        switch (word)
        {
            case "unique":
                _uniques.Add(ReadColumnList());
                break;
            case "index":
                _indexes.Add(ReadColumnList());
                break;
            case "check" when Peek() == '(':
                var condition = ReadParenthesized().Trim();
                if (condition.Length == 0)
                {
                    throw Wrong("CG0802", "The condition is missing", start, _at, "As in check(price>0).");
                }

                _checks.Add(condition);
                break;
            case "check":
                throw Wrong("CG0802", "check needs a condition in parentheses", start, _at, "As in check(price>0).");
            case "references":
                ReadReference(Inflection.Plural(column.EndsWith("_id", StringComparison.Ordinal) ? column[..^3] : column));
                break;
            case "cascade" or "restrict" or "setnull" or "set_null" or "setdefault" or "set_default" or "noaction" or "no_action":
                _onDelete = (word.Replace("_", "", StringComparison.Ordinal) switch
                {
                    "setnull" => "SET NULL",
                    "setdefault" => "SET DEFAULT",
                    "noaction" => "NO ACTION",
                    _ => word.ToUpperInvariant(),
                }, Place(start, _at));
                break;
            case "identity":
                if (_type is not ("SMALLINT" or "INTEGER" or "BIGINT"))
                {
                    throw Wrong("CG0802", "identity needs smallint, integer or bigint", start, _at, "As in number:bigint:identity.");
                }

                _identity = true;
                break;
            default:
                throw UnknownModifier(word, start);
        }
    }

    private ProblemException UnknownModifier(string word, int start)
    {
        if (word.Length == 0)
        {
            return Wrong("CG0804", "A modifier is missing here", start, start + 1, $"The modifiers are {string.Join(", ", Modifiers)}.");
        }

        var nearest = Modifiers.MinBy(known => TypeNames.Distance(word, known))!;
        var hint = TypeNames.Distance(word, nearest) <= 2 ? $"Did you mean {nearest}? " : "";
        return Wrong("CG0804", $"There is no modifier \"{word}\"", start, start + word.Length, $"{hint}The modifiers are {string.Join(", ", Modifiers)}.");
    }

    private ColumnReference? WriteReference()
    {
        if (_onDelete is not var (sql, where))
        {
            return _references;
        }

        if (_references is null)
        {
            throw new ProblemException(new Problem(
                "CG0804", "A delete action belongs to a reference, and this column has none", where, "As in owner:references(users):restrict."));
        }

        if (sql == "SET NULL" && !_nullable)
        {
            throw new ProblemException(new Problem(
                "CG0804", "setnull needs a column that may be null, or every delete of a parent fails", where, "As in owner:references(users)?:setnull."));
        }

        return _references with { OnDelete = sql };
    }

    /// <summary>
    /// The shell takes the quotes of <c>status:text='open'</c> away, so a bare word is a string constant where the type is no number.
    /// </summary>
    private string? WriteDefault()
    {
        if (_default is not { } value)
        {
            return null;
        }

        if (_identity)
        {
            throw Wrong("CG0805", "An identity column has no default of its own", _defaultStart, text.Length, "Leave =… out.");
        }

        if (IsExpression(value))
        {
            return value;
        }

        var isArray = _type?.EndsWith(']') ?? false;
        switch (isArray ? ValueKind.Other : _kind)
        {
            case ValueKind.Number when IsNumber(value):
                return value;
            case ValueKind.Number when _type != "MONEY":
                throw Wrong("CG0805", $"\"{value}\" is no number", _defaultStart, _defaultStart + value.Length, "A number, or an expression with parentheses, as in count:int=0.");
            case ValueKind.Boolean:
                return value.ToUpperInvariant() switch
                {
                    "TRUE" or "T" or "YES" or "ON" or "1" => "true",
                    "FALSE" or "F" or "NO" or "OFF" or "0" => "false",
                    _ => throw Wrong("CG0805", $"\"{value}\" is neither true nor false", _defaultStart, _defaultStart + value.Length, "As in pinned:boolean=false."),
                };
            case ValueKind.Time when value.Equals("now", StringComparison.OrdinalIgnoreCase):
                // A default of 'now' would be the time of the migration, for ever.
                return _type == "DATE" ? "CURRENT_DATE" : "CURRENT_TIMESTAMP";
            case not ValueKind.Text when value.Length == 0:
                throw Wrong("CG0805", "The default is missing behind =", _defaultStart - 1, _defaultStart, "As in count:int=0.");
            default:
                return SqlLiteral.Quote(value);
        }
    }

    /// <summary>A string constant, a cast, a call, something in parentheses, NULL, or one of the words that stand for a value.</summary>
    private static bool IsExpression(string value)
    {
        if (value.Length == 0)
        {
            return false;
        }

        if (value[0] is '\'' or '(' || (value.Length > 1 && value[0] is 'E' or 'e' && value[1] == '\'') || value.Contains("::", StringComparison.Ordinal))
        {
            return true;
        }

        if (value.ToUpperInvariant() is "NULL" or "CURRENT_DATE" or "CURRENT_TIME" or "CURRENT_TIMESTAMP" or "LOCALTIME" or "LOCALTIMESTAMP"
            or "CURRENT_USER" or "SESSION_USER" or "CURRENT_ROLE" or "CURRENT_CATALOG" or "CURRENT_SCHEMA")
        {
            return true;
        }

        var call = value.IndexOf('(', StringComparison.Ordinal);
        return value[^1] == ')' && call > 0 && value[..call].All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.');
    }

    private static bool IsNumber(string value) =>
        value.Length > 0 && !char.IsWhiteSpace(value[0]) && !char.IsWhiteSpace(value[^1])
        && decimal.TryParse(value, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out _);

    private static void CheckName(string name, SourceLocation where)
    {
        if (Encoding.UTF8.GetByteCount(name) > SqlIdentifier.MaxBytes)
        {
            throw new ProblemException(new Problem(
                "CG0802", $"The name is longer than the {SqlIdentifier.MaxBytes} bytes that PostgreSQL keeps", where, "Shorten it."));
        }
    }

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

    private int Characters(int end) => text.AsSpan(0, end).Length - text.AsSpan(0, end).CountLowSurrogates();
}

file static class SpanExtensions
{
    public static int CountLowSurrogates(this ReadOnlySpan<char> text)
    {
        var count = 0;
        foreach (var c in text)
        {
            count += char.IsLowSurrogate(c) ? 1 : 0;
        }

        return count;
    }
}
