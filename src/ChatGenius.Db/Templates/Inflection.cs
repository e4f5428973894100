namespace ChatGenius.Db.Templates;

/// <summary>
/// From a column to the table it refers to (<c>user</c> → <c>users</c>) and back. Few rules that can be foretold; where they
/// don't fit, the table is named: <c>reply_to:references(messages)</c>.
/// </summary>
internal static class Inflection
{
    /// <summary>
    /// <c>user</c> → <c>users</c>, <c>category</c> → <c>categories</c>, <c>box</c> → <c>boxes</c>; what is a plural already stays.
    /// </summary>
    public static string Plural(string word) => word switch
    {
        _ when EndsIn(word, "ss", "us", "is", "x", "z", "ch", "sh") => word + "es",
        _ when EndsIn(word, "s") => word,
        _ when EndsIn(word, "y") && !EndsIn(word, "ay", "ey", "oy", "uy") => word[..^1] + "ies",
        _ => word + "s",
    };

    /// <summary>
    /// <c>users</c> → <c>user</c>, <c>categories</c> → <c>category</c>, <c>boxes</c> → <c>box</c>; what is no plural stays.
    /// </summary>
    public static string Singular(string word) => word switch
    {
        _ when EndsIn(word, "ies") && word.Length > 4 => word[..^3] + "y",
        _ when EndsIn(word, "sses", "uses", "xes", "zes", "ches", "shes") => word[..^2],
        _ when EndsIn(word, "ss", "us", "is") => word,
        _ when EndsIn(word, "s") && word.Length > 1 => word[..^1],
        _ => word,
    };

    private static bool EndsIn(string word, params ReadOnlySpan<string> endings)
    {
        foreach (var ending in endings)
        {
            if (word.EndsWith(ending, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }
}
