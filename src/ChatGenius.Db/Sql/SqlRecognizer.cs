using System.Text;

namespace ChatGenius.Db.Sql;

/// <summary>The first words that make a statement worth a second look while a script is cut.</summary>
internal enum SqlVerb : byte
{
    /// <summary>Any other statement.</summary>
    Other,

    /// <summary>It may have a body of its own statements.</summary>
    Create,

    /// <summary>Rows may follow it.</summary>
    Copy,

    /// <summary>It may change how strings are read from here on.</summary>
    Setting,

    /// <summary>It may begin or end a transaction.</summary>
    Transaction,
}

/// <summary>Reads a statement once more, to find out what the cutting of the script has to know about it.</summary>
/// <param name="text">The text up to the end of the statement.</param>
/// <param name="start">Where the statement begins.</param>
/// <param name="standardConformingStrings">How its strings are read.</param>
internal readonly ref struct SqlRecognizer(ReadOnlySpan<byte> text, int start, bool standardConformingStrings)
{
    private readonly ReadOnlySpan<byte> _text = text;

    /// <summary>What kind of second look a statement needs that begins with this word.</summary>
    public static SqlVerb VerbOf(ReadOnlySpan<byte> word) => word.Length switch
    {
        3 when Equal(word, "set"u8) => SqlVerb.Setting,
        3 when Equal(word, "end"u8) => SqlVerb.Transaction,
        4 when Equal(word, "copy"u8) => SqlVerb.Copy,
        5 when Equal(word, "reset"u8) => SqlVerb.Setting,
        5 when Equal(word, "begin"u8) || Equal(word, "start"u8) || Equal(word, "abort"u8) => SqlVerb.Transaction,
        6 when Equal(word, "create"u8) => SqlVerb.Create,
        6 when Equal(word, "commit"u8) => SqlVerb.Transaction,
        7 when Equal(word, "discard"u8) => SqlVerb.Setting,
        7 when Equal(word, "prepare"u8) => SqlVerb.Transaction,
        8 when Equal(word, "rollback"u8) => SqlVerb.Transaction,
        _ => SqlVerb.Other,
    };

    /// <summary>Whether a token is this word (or sign), in whatever case.</summary>
    public static bool Is(ReadOnlySpan<byte> text, SqlToken token, ReadOnlySpan<byte> lowerCase) =>
        token.Length == lowerCase.Length && Equal(text[token.Start..token.End], lowerCase);

    /// <summary>The next token that is no comment.</summary>
    public static SqlToken Next(ref SqlLexer tokens)
    {
        while (tokens.MoveNext() && tokens.Current.Kind is SqlTokenKind.LineComment or SqlTokenKind.BlockComment)
        {
        }

        return tokens.Current;
    }

    /// <summary>What a statement with <see cref="SqlVerb.Transaction"/> does.</summary>
    public SqlTransactionControl TransactionControl()
    {
        var tokens = Tokens();
        var first = Next(ref tokens);
        var second = Next(ref tokens);
        if (Is(first, "begin"u8) || (Is(first, "start"u8) && Is(second, "transaction"u8)))
        {
            return SqlTransactionControl.Begin;
        }

        if (Is(first, "prepare"u8))
        {
            return Is(second, "transaction"u8) ? SqlTransactionControl.Prepare : SqlTransactionControl.None;
        }

        // COMMIT PREPARED and ROLLBACK PREPARED are about another transaction; the server refuses them inside of one.
        if (Is(first, "start"u8) || Is(second, "prepared"u8))
        {
            return SqlTransactionControl.None;
        }

        if (Is(first, "commit"u8) || Is(first, "end"u8))
        {
            return SqlTransactionControl.Commit;
        }

        var to = Is(second, "work"u8) || Is(second, "transaction"u8) ? Next(ref tokens) : second;
        return Is(to, "to"u8) ? SqlTransactionControl.None : SqlTransactionControl.Rollback;
    }

    /// <summary>
    /// What a statement with <see cref="SqlVerb.Setting"/> makes of standard_conforming_strings: <c>SET</c>, <c>RESET</c>, <c>DISCARD
    /// ALL</c>.
    /// </summary>
    /// <param name="local">Whether only to the end of the transaction.</param>
    /// <returns>The new value, or null where the statement is about something else.</returns>
    public bool? StandardConformingStrings(out bool local)
    {
        var tokens = Tokens();
        var set = Is(Next(ref tokens), "set"u8);
        var name = Next(ref tokens);
        local = set && Is(name, "local"u8);
        if (local || (set && Is(name, "session"u8)))
        {
            name = Next(ref tokens);
        }

        if (!Is(name, "standard_conforming_strings"u8) && !Is(name, "\"standard_conforming_strings\""u8))
        {
            return !set && Is(name, "all"u8) ? true : null;
        }

        // Behind = or TO. The server takes any beginning of a boolean word that has only one meaning; the default is on.
        Next(ref tokens);
        var value = Next(ref tokens);
        var word = Encoding.UTF8.GetString(_text[value.Start..value.End]).Trim('\'').ToLowerInvariant();
        var off = word is "0" or "of" or "off" or "n" or "no" or "f" or "fa" or "fal" or "fals" or "false";
        return !(set && off);
    }

    /// <summary>
    /// Finds the STDIN or STDOUT of a statement with <see cref="SqlVerb.Copy"/>. It stands behind the FROM or TO that follows the table,
    /// which may be qualified, quoted and followed by columns. A query to copy stands in parentheses, so a FROM of its own is not seen.
    /// (SQL command "COPY"; the grammar takes either word for either direction.)
    /// </summary>
    /// <param name="from">Whether the direction is FROM.</param>
    /// <returns>The word, or null where it is a file or a program.</returns>
    public SqlToken? CopyStream(out bool from)
    {
        var tokens = Tokens();
        var depth = 0;
        for (var token = Next(ref tokens); token.Kind != SqlTokenKind.End; token = Next(ref tokens))
        {
            depth += token.Kind == SqlTokenKind.OpenParenthesis ? 1 : token.Kind == SqlTokenKind.CloseParenthesis ? -1 : 0;
            from = Is(token, "from"u8);
            if (depth == 0 && (from || Is(token, "to"u8)))
            {
                var stream = Next(ref tokens);
                return Is(stream, "stdin"u8) || Is(stream, "stdout"u8) ? stream : null;
            }
        }

        from = false;
        return null;
    }

    private SqlLexer Tokens() => new(_text, start, standardConformingStrings);

    private bool Is(SqlToken token, ReadOnlySpan<byte> lowerCase) => Is(_text, token, lowerCase);

    private static bool Equal(ReadOnlySpan<byte> word, ReadOnlySpan<byte> lowerCase) => Ascii.EqualsIgnoreCase(word, lowerCase);
}
