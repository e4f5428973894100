namespace ChatGenius.Db.Schema;

/// <summary>
/// A text of PostgreSQL's cut at the words that begin its clauses, where they are outside of quotes and brackets. What is inside of an
/// expression is never mistaken for a clause: PostgreSQL puts brackets round every operator that it writes.
/// </summary>
internal sealed class Clauses
{
    private readonly List<(string Word, string Text)> _clauses = [];

    internal Clauses(string text, params ReadOnlySpan<string> words)
    {
        var start = 0;
        var depth = 0;
        var word = "";
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] is '\'' or '"')
            {
                i = text.IndexOf(text[i], i + 1) is var end and >= 0 ? end : text.Length;
            }
            else if (depth == 0 && (i == 0 || text[i - 1] == ' ') && WordAt(text, i, words) is { } found)
            {
                _clauses.Add((word, text[start..i].TrimEnd()));
                (start, word) = (i, found);
                i += found.EndsWith('(') ? found.Length - 2 : found.Length - 1;
            }
            else
            {
                depth += text[i] is '(' or '[' ? 1 : text[i] is ')' or ']' ? -1 : 0;
            }
        }

        _clauses.Add((word, text[start..]));
    }

    /// <summary>What comes before the first clause.</summary>
    internal string Head => _clauses[0].Text;

    /// <summary>The clause that begins with this word, with it; null where there is none.</summary>
    internal string? this[string word] => _clauses.FindIndex(1, c => c.Word == word) is var i and > 0 ? _clauses[i].Text : null;

    /// <summary>What follows the word of a clause.</summary>
    internal string? After(string word) => this[word]?[word.Length..].TrimStart();

    /// <summary>The text without these clauses.</summary>
    internal string Without(params string[] words) => string.Join(' ',
        _clauses.Where(c => c.Text.Length > 0 && !words.Contains(c.Word)).Select(c => c.Text));

    /// <summary>The entries of a list, cut at the commas that are outside of quotes and brackets.</summary>
    internal static List<string> Split(string list)
    {
        var entries = new List<string>();
        var (start, depth, quote) = (0, 0, '\0');
        for (var i = 0; i < list.Length; i++)
        {
            if (list[i] is '\'' or '"' && (quote == '\0' || quote == list[i]))
            {
                quote = quote == '\0' ? list[i] : '\0';
            }
            else if (quote == '\0')
            {
                depth += list[i] is '(' or '[' ? 1 : list[i] is ')' or ']' ? -1 : 0;
                if (list[i] == ',' && depth == 0)
                {
                    entries.Add(list[start..i].Trim());
                    start = i + 1;
                }
            }
        }

        if (list.Length > 0)
        {
            entries.Add(list[start..].Trim());
        }

        return entries;
    }

    /// <summary>The text inside of the first pair of brackets.</summary>
    internal static string? Bracketed(string text)
    {
        var (start, depth) = (-1, 0);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] is '\'' or '"')
            {
                i = text.IndexOf(text[i], i + 1) is var end and >= 0 ? end : text.Length;
            }
            else if (text[i] == '(' && depth++ == 0)
            {
                start = i + 1;
            }
            else if (text[i] == ')' && --depth == 0)
            {
                return text[start..i];
            }
        }

        return null;
    }

    private static string? WordAt(string text, int i, ReadOnlySpan<string> words)
    {
        foreach (var word in words)
        {
            if (string.CompareOrdinal(text, i, word, 0, word.Length) == 0
                && (word.EndsWith('(') || i + word.Length == text.Length || text[i + word.Length] == ' '))
            {
                return word;
            }
        }

        return null;
    }
}
