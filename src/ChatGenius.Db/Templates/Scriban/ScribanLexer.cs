namespace ChatGenius.Db.Templates.Scriban;

/// <summary>
/// Cuts a template into tokens. This half finds the blocks and strips white space around them; the other half reads what is
/// inside code blocks.
/// </summary>
internal sealed partial class ScribanLexer
{
    private readonly TemplateText _source;
    private readonly string _text;
    private readonly List<Token> _tokens = [];
    private int _position;

    private ScribanLexer(TemplateText source)
    {
        _source = source;
        _text = source.Text;
    }

    /// <exception cref="ScribanSyntaxException">The first thing that is no token.</exception>
    public static List<Token> Read(TemplateText source)
    {
        var lexer = new ScribanLexer(source);
        while (lexer._position < lexer._text.Length)
        {
            lexer.ReadTextAndBlock();
        }

        lexer._tokens.Add(new Token(TokenKind.EndOfText, source.Text.Length, source.Text.Length));
        return lexer._tokens;
    }

    private void ReadTextAndBlock()
    {
        var enter = FindBlock(out var percents);
        var inside = enter < 0 ? -1 : enter + percents + 2;
        var strip = enter < 0 ? '\0' : Peek(inside);
        var end = enter < 0 ? _text.Length : StripLeft(enter, strip);
        AddRaw(_position, end);
        if (enter < 0)
        {
            _position = _text.Length;
            return;
        }

        _position = strip is '-' or '~' ? inside + 1 : inside;
        if (percents > 0)
        {
            ReadEscapeBlock(enter, percents);
        }
        else
        {
            Add(TokenKind.CodeEnter, enter);
            ReadCodeBlock(enter);
        }
    }

    /// <summary>The next <c>{{</c>, or <c>{%{</c> with any number of percent signs.</summary>
    private int FindBlock(out int percents)
    {
        for (var i = _position; ; i++)
        {
            i = _text.IndexOf('{', i);
            percents = 0;
            if (i < 0)
            {
                return -1;
            }

            while (Peek(i + 1 + percents) == '%')
            {
                percents++;
            }

            if (Peek(i + 1 + percents) == '{')
            {
                return i;
            }
        }
    }

    private void ReadEscapeBlock(int enter, int percents)
    {
        Add(TokenKind.EscapeEnter, enter);
        var start = _position;
        for (; _position < _text.Length; _position++)
        {
            if (IsExit(percents))
            {
                AddRaw(start, _position);
                ReadExit(TokenKind.EscapeExit, percents);
                return;
            }
        }

        var percent = new string('%', percents);
        throw Error(enter, enter + percents + 2, $"The escape block {{{percent}{{ is not closed with }}{percent}}}");
    }

    /// <summary>Whether a block of so many percent signs ends here.</summary>
    private bool IsExit(int percents)
    {
        var i = Peek(_position) is '-' or '~' ? _position + 1 : _position;
        if (Peek(i) != '}' || Peek(i + 1 + percents) != '}')
        {
            return false;
        }

        return _text.AsSpan(i + 1, percents).TrimStart('%').IsEmpty;
    }

    private void ReadExit(TokenKind kind, int percents)
    {
        var start = _position;
        var strip = _text[_position];
        _position += percents + (strip == '}' ? 2 : 3);
        Add(kind, start);
        if (strip is '-' or '~')
        {
            StripRight(strip);
        }
    }

    /// <summary><c>-</c> takes all white space, <c>~</c> only what stands between the block and the start of its line.</summary>
    private int StripLeft(int end, char strip)
    {
        while (end > _position && char.IsWhiteSpace(_text[end - 1]) && (strip == '-' || (strip == '~' && !EndsLine(end - 1))))
        {
            end--;
        }

        return end;
    }

    private bool EndsLine(int index) => _text[index] == '\n' || (_text[index] == '\r' && Peek(index + 1) != '\n');

    /// <summary><c>-</c> takes all white space, <c>~</c> takes it up to the end of the line, with the line feed.</summary>
    private void StripRight(char strip)
    {
        while (_position < _text.Length && char.IsWhiteSpace(_text[_position]))
        {
            if (_text[_position++] == '\n' && strip == '~')
            {
                return;
            }
        }
    }

    private void AddRaw(int start, int end)
    {
        if (end > start)
        {
            _tokens.Add(new Token(TokenKind.Raw, start, end));
        }
    }

    private void Add(TokenKind kind, int start, object? value = null) => _tokens.Add(new Token(kind, start, _position, value));

    private char Peek(int index) => index < _text.Length ? _text[index] : '\0';

    private ScribanSyntaxException Error(int start, int end, string message) =>
        new(_source.Span(start, Math.Min(end, _text.Length)), message);
}
