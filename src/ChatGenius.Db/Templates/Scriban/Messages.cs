namespace ChatGenius.Db.Templates.Scriban;

/// <summary>A place in a template's text.</summary>
/// <param name="Offset">0 for the first UTF-16 unit of the text.</param>
/// <param name="Line">0 for the first line.</param>
/// <param name="Column">0 for the first UTF-16 unit of the line.</param>
public readonly record struct TextPosition(int Offset, int Line, int Column)
{
    /// <summary><c>(line,column)</c>, both counted from 1.</summary>
    public override string ToString() => $"({Line + 1},{Column + 1})";
}

/// <summary>A piece of a template's text.</summary>
/// <param name="FileName">What the template was parsed as, or <c>&lt;input&gt;</c>.</param>
/// <param name="Start">The first character.</param>
/// <param name="End">The last character: a span of one character starts and ends at the same place.</param>
public readonly record struct SourceSpan(string FileName, TextPosition Start, TextPosition End)
{
    /// <summary><c>file(line,column)</c>, both counted from 1.</summary>
    public override string ToString() => $"{FileName}{Start}";
}

/// <summary>How bad a message is.</summary>
public enum ParserMessageType
{
    /// <summary>The template can't be rendered.</summary>
    Error,

    /// <summary>The template can be rendered.</summary>
    Warning,
}

/// <summary>What the parser has to say about a template.</summary>
/// <param name="Type">How bad it is.</param>
/// <param name="Span">The place it is about.</param>
/// <param name="Message">What is wrong.</param>
public sealed record LogMessage(ParserMessageType Type, SourceSpan Span, string Message)
{
    /// <summary><c>file(line,column) : error : message</c></summary>
    public override string ToString() => $"{Span} : {(Type == ParserMessageType.Error ? "error" : "warning")} : {Message}";
}

/// <summary>A template could be parsed, but not rendered with what it was given.</summary>
public class ScriptRuntimeException : Exception
{
    /// <summary>Tells what went wrong at a place of a template.</summary>
    public ScriptRuntimeException(SourceSpan span, string message, Exception? innerException = null)
        : base(message, innerException)
    {
        Span = span;
    }

    /// <summary>The place in the template that was being evaluated.</summary>
    public SourceSpan Span { get; }

    /// <summary>What went wrong, without the place.</summary>
    public string OriginalMessage => base.Message;

    /// <summary><c>file(line,column) : error : message</c></summary>
    public override string Message => $"{Span} : error : {OriginalMessage}";
}

/// <summary>A template includes one that can't be parsed.</summary>
public sealed class ScriptParserRuntimeException(SourceSpan span, string message, IReadOnlyList<LogMessage> parserMessages)
    : ScriptRuntimeException(span, message)
{
    /// <summary>What the parser said about the included template; never empty.</summary>
    public IReadOnlyList<LogMessage> ParserMessages { get; } = parserMessages;
}

/// <summary>Stops lexer and parser at the first error; becomes a <see cref="LogMessage"/>.</summary>
internal sealed class ScribanSyntaxException(SourceSpan span, string message) : Exception(message)
{
    public SourceSpan Span { get; } = span;
}

/// <summary>A template's text under its name, which turns offsets into places.</summary>
internal sealed class TemplateText(string text, string fileName)
{
    private readonly List<int> _lineStarts = FindLineStarts(text);

    public string Text => text;

    /// <param name="start">The first character.</param>
    /// <param name="end">The first character after it.</param>
    public SourceSpan Span(int start, int end) => new(fileName, At(start), At(Math.Max(start, end - 1)));

    private TextPosition At(int offset)
    {
        var line = _lineStarts.BinarySearch(offset);
        line = line < 0 ? ~line - 1 : line;
        return new TextPosition(offset, line, offset - _lineStarts[line]);
    }

    private static List<int> FindLineStarts(string text)
    {
        var starts = new List<int> { 0 };
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\n' || (text[i] == '\r' && (i + 1 == text.Length || text[i + 1] != '\n')))
            {
                starts.Add(i + 1);
            }
        }

        return starts;
    }
}
