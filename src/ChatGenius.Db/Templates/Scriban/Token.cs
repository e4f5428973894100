namespace ChatGenius.Db.Templates.Scriban;

internal enum TokenKind
{
    /// <summary>Text outside of code blocks, white space already stripped.</summary>
    Raw,
    CodeEnter,
    CodeExit,
    EscapeEnter,
    EscapeExit,
    NewLine,
    Semicolon,
    Identifier,

    /// <summary><c>$</c>, <c>$name</c> or <c>$0</c>; the value is what follows the <c>$</c>.</summary>
    Local,
    Number,
    String,

    /// <summary>The text of an interpolated string up to its first hole; an expression follows, then a middle or the end.</summary>
    InterpolationBegin,
    InterpolationMiddle,
    InterpolationEnd,
    Symbol,
    EndOfText,
}

/// <param name="Kind">What it is.</param>
/// <param name="Start">Its first character.</param>
/// <param name="End">The first character after it.</param>
/// <param name="Value">An identifier's name, a symbol, a number, or a string with its escapes replaced.</param>
internal readonly record struct Token(TokenKind Kind, int Start, int End, object? Value = null)
{
    public bool Is(string symbol) => Kind == TokenKind.Symbol && (string)Value! == symbol;

    public bool IsWord(string word) => Kind == TokenKind.Identifier && (string)Value! == word;
}
