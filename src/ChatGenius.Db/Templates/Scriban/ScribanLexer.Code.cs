using System.Text;

namespace ChatGenius.Db.Templates.Scriban;

internal sealed partial class ScribanLexer
{
    /// <summary>Longer ones first, so that the first that fits is the right one.</summary>
    private static readonly string[] Symbols =
    [
        "..<", "...", "//=", "??=", "&&", "||", "|>", "==", "!=", "<=", ">=", "<<", ">>", "??", "?!", "?.", "..", "//", "+=", "-=", "*=", "/=",
        "%=", "++", "--", "^^", "+", "-", "*", "/", "%", "^", "&", "|", "=", "<", ">", "!", "?", ":", ".", ",", "(", ")", "[", "]", "@",
    ];

    /// <summary>Braces of object initializers and holes that are open: <c>}}</c> ends the block only when there are none.</summary>
    private int _openBraces;

    /// <summary>The interpolated strings we are in: the quote, and how many braces were open before the hole.</summary>
    private readonly Stack<(char Quote, int Braces)> _interpolations = new();

    private void ReadCodeBlock(int enter)
    {
        while (_position < _text.Length)
        {
            if (_openBraces == 0 && IsExit(percents: 0))
            {
                ReadExit(TokenKind.CodeExit, percents: 0);
                return;
            }

            ReadCodeToken();
        }

        throw Error(enter, enter + 2, "The code block {{ is not closed with }}");
    }

    private void ReadCodeToken()
    {
        var start = _position;
        var c = _text[start];
        if (c is '\n' or '\r')
        {
            SkipWhile(char.IsWhiteSpace);
            Add(TokenKind.NewLine, start);
        }
        else if (char.IsWhiteSpace(c))
        {
            _position++;
        }
        else if (c == ';')
        {
            _position++;
            Add(TokenKind.Semicolon, start);
        }
        else if (c == '#')
        {
            SkipComment();
        }
        else if (c is '"' or '\'')
        {
            _position++;
            Add(TokenKind.String, start, ReadStringPart(c, isInterpolated: false));
        }
        else if (c == '`')
        {
            ReadVerbatimString();
        }
        else if (c == '$' && Peek(start + 1) is '"' or '\'')
        {
            _position += 2;
            ReadInterpolation(start, _text[start + 1], isFirst: true);
        }
        else if (c == '$' || IsIdentifierStart(c))
        {
            ReadIdentifier();
        }
        else if (char.IsAsciiDigit(c))
        {
            ReadNumber();
        }
        else
        {
            ReadSymbol();
        }
    }

    private void ReadSymbol()
    {
        var start = _position;
        switch (_text[start])
        {
            case '{':
                _openBraces++;
                _position++;
                Add(TokenKind.Symbol, start, "{");
                return;
            case '}' when _openBraces > 0:
                _openBraces--;
                _position++;
                if (_interpolations.TryPeek(out var interpolation) && interpolation.Braces == _openBraces)
                {
                    _interpolations.Pop();
                    ReadInterpolation(start, interpolation.Quote, isFirst: false);
                }
                else
                {
                    Add(TokenKind.Symbol, start, "}");
                }

                return;
        }

        var symbol = Array.Find(Symbols, s => string.CompareOrdinal(_text, start, s, 0, s.Length) == 0)
            ?? throw Error(start, start + 1, $"Unexpected character `{_text[start]}`");
        _position += symbol.Length;
        Add(TokenKind.Symbol, start, symbol);
    }

    /// <summary>A comment ends with its line (<c>#</c>), with a second <c>##</c>, and in any case with the code block.</summary>
    private void SkipComment()
    {
        var isBlock = Peek(++_position) == '#';
        if (isBlock)
        {
            _position++;
        }

        for (; _position < _text.Length && !(_openBraces == 0 && IsExit(percents: 0)); _position++)
        {
            if (isBlock ? _text[_position] == '#' && Peek(_position + 1) == '#' : _text[_position] is '\r' or '\n')
            {
                _position += isBlock ? 2 : 0;
                return;
            }
        }
    }

    private void ReadIdentifier()
    {
        var start = _position++;
        SkipWhile(c => IsIdentifierStart(c) || char.IsDigit(c));
        if (_text[start] == '$')
        {
            Add(TokenKind.Local, start, _text[(start + 1).._position]);
        }
        else
        {
            Add(TokenKind.Identifier, start, _text[start.._position]);
        }
    }

    private static bool IsIdentifierStart(char c) => c == '_' || char.IsLetter(c);

    private void ReadVerbatimString()
    {
        var start = _position++;
        var value = new StringBuilder();
        while (true)
        {
            var quote = _text.IndexOf('`', _position);
            if (quote < 0)
            {
                throw Error(start, start + 1, "The string is not closed with `");
            }

            value.Append(_text, _position, quote - _position);
            _position = quote + 1;
            if (Peek(_position) != '`')
            {
                Add(TokenKind.String, start, value.ToString());
                return;
            }

            // A doubled back-tick stands for one.
            value.Append('`');
            _position++;
        }
    }

    private void ReadInterpolation(int start, char quote, bool isFirst)
    {
        var value = ReadStringPart(quote, isInterpolated: true);
        var isLast = _text[_position - 1] != '{';
        if (!isLast)
        {
            _interpolations.Push((quote, _openBraces++));
        }

        var kind = isFirst
            ? isLast ? TokenKind.String : TokenKind.InterpolationBegin
            : isLast ? TokenKind.InterpolationEnd : TokenKind.InterpolationMiddle;
        Add(kind, start, value);
    }

    /// <summary>Reads past the closing quote, or past the brace that opens a hole.</summary>
    private string ReadStringPart(char quote, bool isInterpolated)
    {
        var start = _position - 1;
        var value = new StringBuilder();
        while (_position < _text.Length)
        {
            var c = _text[_position++];
            if (c == quote || (isInterpolated && c == '{'))
            {
                return value.ToString();
            }

            if (c == '\\')
            {
                ReadEscape(value, isInterpolated);
            }
            else
            {
                value.Append(c);
            }
        }

        throw Error(start, start + 1, $"The string is not closed with {quote}");
    }

    private void ReadEscape(StringBuilder value, bool isInterpolated)
    {
        var start = _position - 1;
        var c = Peek(_position++);
        switch (c)
        {
            // A backslash at the end of a line joins it with the next one.
            case '\n':
                break;
            case '\r':
                _position += Peek(_position) == '\n' ? 1 : 0;
                break;
            case 'u':
                value.Append(ReadHexadecimal(start, digits: 4));
                break;
            case 'x':
                value.Append(ReadHexadecimal(start, digits: 2));
                break;
            case '{' or '}' when isInterpolated:
                value.Append(c);
                break;
            default:
                const string Names = "0'\"\\bfnrtv";
                var index = Names.IndexOf(c);
                value.Append(index >= 0 && start + 1 < _text.Length
                    ? "\0'\"\\\b\f\n\r\t\v"[index]
                    : throw Error(start, start + 2, "Unknown escape; a backslash itself is written \\\\"));
                break;
        }
    }

    private char ReadHexadecimal(int start, int digits)
    {
        var value = 0;
        for (var i = 0; i < digits; i++)
        {
            var c = Peek(_position++);
            value = char.IsAsciiHexDigit(c)
                ? (value << 4) | Convert.ToInt32(c.ToString(), 16)
                : throw Error(start, start + 2, $"{digits} hexadecimal digits are expected after \\{_text[start + 1]}");
        }

        return (char)value;
    }

    private void SkipWhile(Func<char, bool> condition)
    {
        while (_position < _text.Length && condition(_text[_position]))
        {
            _position++;
        }
    }
}
