using System.Globalization;
using System.Runtime.CompilerServices;

namespace ChatGenius.Db.Templates.Scriban;

/// <summary>Goes through the tokens.</summary>
internal sealed partial class ScribanParser
{
    private readonly TemplateText _source;
    private readonly List<Token> _tokens;
    private int _index;

    /// <summary>Above 0, line ends do not end a statement: inside brackets and after a pipe.</summary>
    private int _skipNewLines;

    private ScribanParser(TemplateText source, List<Token> tokens)
    {
        _source = source;
        _tokens = tokens;
    }

    private Token Current => _tokens[_index];

    private Token Next()
    {
        var token = _tokens[_index];
        if (token.Kind != TokenKind.EndOfText)
        {
            _index++;
        }

        while (_skipNewLines > 0 && Current.Kind == TokenKind.NewLine)
        {
            _index++;
        }

        return token;
    }

    private bool Accept(string symbol)
    {
        if (!Current.Is(symbol))
        {
            return false;
        }

        Next();
        return true;
    }

    private void Expect(string symbol)
    {
        if (!Accept(symbol))
        {
            throw Error($"`{symbol}` is expected instead of {Describe(Current)}");
        }
    }

    private bool PeekIs(string symbol) => _tokens[Math.Min(_index + 1, _tokens.Count - 1)].Is(symbol);

    /// <summary>Where the last token ended that is not a line end.</summary>
    private int PreviousEnd
    {
        get
        {
            var index = _index - 1;
            while (index >= 0 && _tokens[index].Kind == TokenKind.NewLine)
            {
                index--;
            }

            return index < 0 ? 0 : _tokens[index].End;
        }
    }

    private SourceSpan Span(Token token) => _source.Span(token.Start, token.End);

    private SourceSpan SpanFrom(int start) => _source.Span(start, Math.Max(start + 1, PreviousEnd));

    private ScribanSyntaxException Error(string message) => new(Span(Current), message);

    private static string Describe(Token token) => token.Kind switch
    {
        TokenKind.NewLine => "the end of the line",
        TokenKind.CodeExit => "the end of the code block",
        TokenKind.EndOfText => "the end of the text",
        TokenKind.String or TokenKind.InterpolationBegin => "a string",
        TokenKind.InterpolationMiddle or TokenKind.InterpolationEnd => "the end of the hole",
        TokenKind.Semicolon => "`;`",
        TokenKind.Local => $"`${token.Value}`",
        _ => string.Create(CultureInfo.InvariantCulture, $"`{token.Value}`"),
    };

    /// <summary>A few thousand parentheses must be a message, not a stack overflow, which no handler survives.</summary>
    private void EnsureDepth()
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw Error("This is nested too deeply");
        }
    }
}
