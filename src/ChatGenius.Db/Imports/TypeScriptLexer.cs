using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace ChatGenius.Db.Imports;

/// <summary>What a token of TypeScript is.</summary>
internal enum TypeScriptTokenKind : byte
{
    /// <summary>The end of the text.</summary>
    End,

    /// <summary>A name or a key word.</summary>
    Name,

    /// <summary>A number as it is written.</summary>
    Number,

    /// <summary>A string; its text is what it stands for.</summary>
    String,

    /// <summary>A template with its parts.</summary>
    Template,

    /// <summary>A regular expression, which only has to be passed over.</summary>
    Regex,

    /// <summary>A sign, or several that belong together.</summary>
    Sign,
}

/// <summary>A piece of TypeScript.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">What it is called or stands for.</param>
/// <param name="Start">Where it begins.</param>
/// <param name="End">Where what follows it begins.</param>
/// <param name="AfterLineBreak">Whether a line ends before it: a statement may end there without a semicolon.</param>
internal sealed record TypeScriptToken(TypeScriptTokenKind Kind, string Text, int Start, int End, bool AfterLineBreak)
{
    /// <summary>The texts of a template between its values, as they are and as they are written; one more than values.</summary>
    public IReadOnlyList<(string? Cooked, string Raw)> Parts { get; init; } = [];

    /// <summary>The values of a template.</summary>
    public IReadOnlyList<IReadOnlyList<TypeScriptToken>> Values { get; init; } = [];

    /// <summary>Whether it is this sign or word.</summary>
    public bool Is(string text) => Kind is TypeScriptTokenKind.Sign or TypeScriptTokenKind.Name && Text == text;
}

/// <summary>A place in a file that keeps it from being read, and why.</summary>
internal sealed class TypeScriptRefusal(int start, int end, string reason, string? advice = null) : Exception(reason)
{
    /// <summary>Where it begins.</summary>
    public int Start { get; } = start;

    /// <summary>Where what follows it begins.</summary>
    public int End { get; } = end;

    /// <summary>What can be done about it.</summary>
    public string? Advice { get; } = advice;

    /// <summary>Whether it is about what the file does as it is loaded, which nothing that is left unused makes good.</summary>
    public bool Always { get; init; }

    /// <summary>What the file itself says as it throws an error.</summary>
    public string? Thrown { get; init; }
}

/// <summary>The lexical rules of ECMAScript (its standard, chapter "Lexical Grammar"), as far as a migration needs them.</summary>
internal sealed class TypeScriptLexer
{
    private static readonly string[] Signs =
    [
        ">>>=", "...", "===", "!==", "**=", "<<=", ">>=", "&&=", "||=", "??=", "=>", "==", "!=", "<=", ">=", "&&", "||", "??", "?.", "++",
        "--", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "**", "<<",
    ];

    /// <summary>After these a slash begins a regular expression; after any other word it divides.</summary>
    private static readonly HashSet<string> BeforeRegex =
        ["return", "typeof", "case", "in", "of", "do", "else", "void", "delete", "await", "yield", "new", "throw", "instanceof"];

    private readonly string _text;
    private int _at;

    private TypeScriptLexer(string text) => _text = text;

    /// <summary>Reads a whole text.</summary>
    /// <exception cref="TypeScriptRefusal">Something is not closed, or is no TypeScript.</exception>
    public static IReadOnlyList<TypeScriptToken> Read(string text)
    {
        var lexer = new TypeScriptLexer(text);
        if (text.StartsWith("#!", StringComparison.Ordinal))
        {
            lexer.SkipLine();
        }

        return lexer.ReadTokens(closing: false);
    }

    private char Peek(int ahead = 0) => _at + ahead < _text.Length ? _text[_at + ahead] : '\0';

    private static bool EndsLine(char c) => c is '\n' or '\r' or '\u2028' or '\u2029';

    private TypeScriptRefusal Refuse(int start, string reason) => new(start, Math.Min(start + 1, _text.Length), reason);

    /// <summary>Reads to the end, or to the brace that closes a value of a template.</summary>
    private List<TypeScriptToken> ReadTokens(bool closing)
    {
        var tokens = new List<TypeScriptToken>();
        var depth = 0;
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw Refuse(_at, "this is nested too deeply to be read");
        }

        for (;;)
        {
            var broken = SkipBlanks();
            var start = _at;
            if (_at >= _text.Length || (closing && depth == 0 && Peek() == '}'))
            {
                tokens.Add(new TypeScriptToken(TypeScriptTokenKind.End, "", start, start, broken));
                return tokens;
            }

            var token = ReadToken(tokens.LastOrDefault()) with { AfterLineBreak = broken };
            depth += token.Kind != TypeScriptTokenKind.Sign ? 0 : token.Text switch { "{" => 1, "}" => -1, _ => 0 };
            tokens.Add(token);
        }
    }

    private TypeScriptToken ReadToken(TypeScriptToken? previous)
    {
        var (start, c) = (_at, Peek());
        if (IsNameStart(c) || c == '#' || c == '@')
        {
            for (_at++; IsNameStart(Peek()) || char.IsDigit(Peek()) || Peek() is '\u200c' or '\u200d'; _at++)
            {
            }

            return Found(TypeScriptTokenKind.Name, start);
        }

        if (char.IsAsciiDigit(c) || (c == '.' && char.IsAsciiDigit(Peek(1))))
        {
            for (_at++; char.IsAsciiLetterOrDigit(Peek()) || Peek() is '_' or '.'
                || (Peek() is '+' or '-' && _text[_at - 1] is 'e' or 'E' && !_text.AsSpan(start).StartsWith("0x")); _at++)
            {
            }

            return Found(TypeScriptTokenKind.Number, start);
        }

        return c switch
        {
            '\'' or '"' => ReadString(c),
            '`' => ReadTemplate(),
            '/' when MayBeRegex(previous) => ReadRegex(),
            '\\' => throw Refuse(start, "this is not read: a name with an escape"),
            _ => ReadSign(),
        };
    }

    private TypeScriptToken Found(TypeScriptTokenKind kind, int start, string? text = null) =>
        new(kind, text ?? _text[start.._at], start, _at, false);

    private static bool IsNameStart(char c) => char.IsLetter(c) || c is '_' or '$' || char.IsSurrogate(c);

    private TypeScriptToken ReadSign()
    {
        var start = _at;
        var sign = Array.Find(Signs, one => _text.AsSpan(start).StartsWith(one, StringComparison.Ordinal));
        // In a ?.5 : b the dot belongs to the number.
        sign = sign == "?." && char.IsAsciiDigit(Peek(2)) ? null : sign;
        _at += sign?.Length ?? 1;
        return Found(TypeScriptTokenKind.Sign, start);
    }

    /// <summary>Passes over blanks and comments.</summary>
    /// <returns>Whether a line ended.</returns>
    private bool SkipBlanks()
    {
        var broken = false;
        for (; _at < _text.Length; _at++)
        {
            var start = _at;
            if (Peek() == '/' && Peek(1) == '/')
            {
                SkipLine();
                _at--;
            }
            else if (Peek() == '/' && Peek(1) == '*')
            {
                var end = _text.IndexOf("*/", _at + 2, StringComparison.Ordinal);
                _at = end < 0 ? throw Refuse(start, "the comment is not closed") : end + 1;
                broken |= _text.AsSpan(start, _at - start).IndexOfAny("\n\r\u2028\u2029") >= 0;
            }
            else if (EndsLine(Peek()))
            {
                broken = true;
            }
            else if (!char.IsWhiteSpace(Peek()) && Peek() != '\uFEFF')
            {
                break;
            }
        }

        return broken;
    }

    private void SkipLine()
    {
        while (_at < _text.Length && !EndsLine(Peek()))
        {
            _at++;
        }
    }

    private static bool MayBeRegex(TypeScriptToken? previous) => previous?.Kind switch
    {
        null => true,
        TypeScriptTokenKind.Name => BeforeRegex.Contains(previous.Text),
        TypeScriptTokenKind.Sign => previous.Text is not (")" or "]" or "++" or "--"),
        _ => false,
    };

    private TypeScriptToken ReadRegex()
    {
        var start = _at++;
        for (var inClass = false; Peek() != '/' || inClass; _at++)
        {
            inClass = Peek() == '[' || (inClass && Peek() != ']');
            _at += Peek() == '\\' ? 1 : 0;
            if (_at >= _text.Length || EndsLine(Peek()))
            {
                throw Refuse(start, "the regular expression is not closed");
            }
        }

        for (_at++; char.IsLetter(Peek()); _at++)
        {
        }

        return Found(TypeScriptTokenKind.Regex, start);
    }

    private TypeScriptToken ReadString(char quote)
    {
        var start = _at++;
        var text = new StringBuilder();
        while (Peek() != quote)
        {
            if (_at >= _text.Length || Peek() is '\n' or '\r')
            {
                throw Refuse(start, "the string is not closed");
            }

            if (Peek() == '\\')
            {
                var escape = _at;
                text.Append(ReadEscape() ?? throw Refuse(escape, "this escape has no meaning, or an old one"));
            }
            else
            {
                text.Append(_text[_at++]);
            }
        }

        _at++;
        return Found(TypeScriptTokenKind.String, start, text.ToString());
    }

    private TypeScriptToken ReadTemplate()
    {
        var start = _at++;
        var parts = new List<(string?, string)>();
        var values = new List<IReadOnlyList<TypeScriptToken>>();
        StringBuilder? cooked = new();
        var raw = new StringBuilder();
        for (;;)
        {
            if (_at >= _text.Length)
            {
                throw Refuse(start, "the template is not closed");
            }

            var (before, c) = (_at, Peek());
            if (c == '`' || (c == '$' && Peek(1) == '{'))
            {
                parts.Add((cooked?.ToString(), raw.ToString()));
                _at += c == '`' ? 1 : 2;
                if (c == '`')
                {
                    return Found(TypeScriptTokenKind.Template, start) with { Parts = parts, Values = values };
                }

                values.Add(ReadTokens(closing: true));
                _ = Peek() == '}' ? _at++ : throw Refuse(before, "the value in the template is not closed");
                (cooked, raw) = (new(), new());
                continue;
            }

            var text = c == '\\' ? ReadEscape() : c.ToString();
            _at += c == '\\' ? 0 : 1;
            if (c == '\r')
            {
                // Whatever the file has, a template has LF.
                _at += Peek() == '\n' ? 1 : 0;
                text = "\n";
            }

            cooked = text is null ? null : cooked?.Append(text);
            raw.Append(c == '\r' ? text : _text[before.._at].Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n'));
        }
    }

    /// <summary>Reads what begins with a backslash.</summary>
    /// <returns>What it stands for; null for what has no meaning, in a template, and for an octal number.</returns>
    private string? ReadEscape()
    {
        _at++;
        var c = _at < _text.Length ? _text[_at++] : '\0';
        switch (c)
        {
            case '\r':
                _at += Peek() == '\n' ? 1 : 0;
                return "";
            case '\n' or '\u2028' or '\u2029': return "";
            case 'n': return "\n";
            case 't': return "\t";
            case 'r': return "\r";
            case 'b': return "\b";
            case 'f': return "\f";
            case 'v': return "\v";
            case '0' when !char.IsAsciiDigit(Peek()): return "\0";
            case >= '0' and <= '9': return null;
            case 'x': return ReadCode(2);
            case 'u' when Peek() == '{':
                var close = _text.IndexOf('}', _at);
                _at++;
                var point = close < 0 ? null : ReadCode(close - _at);
                _at += point is null ? 0 : 1;
                return point;
            case 'u': return ReadCode(4);
            default: return c.ToString();
        }
    }

    private string? ReadCode(int digits)
    {
        if (digits is < 1 or > 8 || _at + digits > _text.Length
            || !int.TryParse(_text.AsSpan(_at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code)
            || code is < 0 or > 0x10FFFF)
        {
            return null;
        }

        _at += digits;
        return code > 0xFFFF ? char.ConvertFromUtf32(code) : ((char)code).ToString();
    }
}
