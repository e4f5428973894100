namespace ChatGenius.Db.Sql;

/// <summary>How PostgreSQL writes string constants.</summary>
internal static class SqlLiteral
{
    /// <summary>
    /// Writes a text as <c>quote_literal</c> does. A text with a backslash becomes an escape string (<c>E'…'</c>), which
    /// means the same whether <c>standard_conforming_strings</c> is on or off (chapter "String Constants").
    /// </summary>
    /// <exception cref="ArgumentException">The text has the character U+0000, which PostgreSQL can't store.</exception>
    public static string Quote(string text)
    {
        if (text.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException("A text can't contain the character U+0000.", nameof(text));
        }

        var quoted = text.Replace("'", "''", StringComparison.Ordinal);
        return quoted.Contains('\\', StringComparison.Ordinal)
            ? $"E'{quoted.Replace("\\", "\\\\", StringComparison.Ordinal)}'"
            : $"'{quoted}'";
    }
}
