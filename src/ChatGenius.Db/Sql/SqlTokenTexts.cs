using System.Text;

namespace ChatGenius.Db.Sql;

/// <summary>The texts of a statement's tokens without its comments, for reading what a statement names.</summary>
internal sealed class SqlTokenTexts
{
    private readonly List<string> _tokens = [];

    internal SqlTokenTexts(SqlStatement statement)
    {
        var text = statement.Source.Utf8.Span;
        foreach (var token in statement.Tokens())
        {
            if (token.Kind is not (SqlTokenKind.LineComment or SqlTokenKind.BlockComment))
            {
                _tokens.Add(Encoding.UTF8.GetString(text[token.Start..token.End]));
            }
        }
    }

    internal int Count => _tokens.Count;

    /// <summary>A token as written; empty behind the end.</summary>
    internal string this[int i] => i < _tokens.Count ? _tokens[i] : "";

    /// <summary>Whether a token is a key word, in whatever case.</summary>
    internal bool Is(int i, string word) => this[i].Equals(word, StringComparison.OrdinalIgnoreCase);

    /// <summary>Where a key word stands first; -1 if nowhere.</summary>
    internal int IndexOf(string word) => _tokens.FindIndex(token => token.Equals(word, StringComparison.OrdinalIgnoreCase));

    internal bool Any(Predicate<string> predicate) => _tokens.Exists(predicate);

    /// <summary>Reads a name that may be schema-qualified, and moves behind it.</summary>
    internal string QualifiedName(ref int i)
    {
        var name = new StringBuilder(this[i++]);
        while (this[i] == "." && i + 1 < _tokens.Count)
        {
            name.Append('.').Append(this[i + 1]);
            i += 2;
        }

        return name.ToString();
    }
}
