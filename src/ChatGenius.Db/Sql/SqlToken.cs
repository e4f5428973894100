namespace ChatGenius.Db.Sql;

/// <summary>What a token is. The names follow PostgreSQL's documentation, chapter "Lexical Structure".</summary>
internal enum SqlTokenKind : byte
{
    /// <summary>The end of the text; covers nothing.</summary>
    End,

    /// <summary>A key word or an identifier without quotes.</summary>
    Word,

    /// <summary><c>"…"</c> or <c>U&amp;"…"</c>.</summary>
    QuotedIdentifier,

    /// <summary><c>'…'</c>, <c>E'…'</c>, <c>U&amp;'…'</c>, <c>N'…'</c>, <c>B'…'</c> or <c>X'…'</c>.</summary>
    StringConstant,

    /// <summary>
    /// <c>'…'</c> after a string and a line break: PostgreSQL joins the two into one constant. It is a token of its own,
    /// so that a comment between the pieces is not taken for a part of the string.
    /// </summary>
    StringContinuation,

    /// <summary><c>$$…$$</c> or <c>$tag$…$tag$</c>.</summary>
    DollarStringConstant,

    /// <summary><c>42</c>, <c>1.5e3</c>, <c>0x1F</c>, <c>1_000</c>; never with a sign.</summary>
    Number,

    /// <summary><c>$1</c>.</summary>
    Parameter,

    /// <summary>One or more of <c>+ - * / &lt; &gt; = ~ ! @ # % ^ &amp; | ` ?</c>, and <c>::</c>, <c>:=</c>, <c>..</c>.</summary>
    Operator,

    /// <summary>One character of punctuation that has no kind of its own, such as a comma, a dot or a bracket.</summary>
    Symbol,

    /// <summary><c>(</c>.</summary>
    OpenParenthesis,

    /// <summary><c>)</c>.</summary>
    CloseParenthesis,

    /// <summary><c>;</c>.</summary>
    Semicolon,

    /// <summary>A <c>\</c> outside strings, which only psql understands.</summary>
    Backslash,

    /// <summary><c>-- …</c> without its line ending.</summary>
    LineComment,

    /// <summary><c>/* … */</c> with all that is nested in it.</summary>
    BlockComment,

    /// <summary>A string that reaches the end of the text.</summary>
    UnterminatedString,

    /// <summary>A dollar-quoted string that reaches the end of the text.</summary>
    UnterminatedDollarString,

    /// <summary>A quoted identifier that reaches the end of the text.</summary>
    UnterminatedIdentifier,

    /// <summary>A block comment that reaches the end of the text.</summary>
    UnterminatedComment,
}

/// <summary>A piece of SQL.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Start">The byte offset of its first byte.</param>
/// <param name="End">The byte offset behind its last byte.</param>
internal readonly record struct SqlToken(SqlTokenKind Kind, int Start, int End)
{
    /// <summary>How many bytes it covers.</summary>
    public int Length => End - Start;
}
