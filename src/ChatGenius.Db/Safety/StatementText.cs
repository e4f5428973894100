using System.Text;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Safety;

/// <summary>A token of a statement as a recogniser needs it.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">A word in upper case, a quoted identifier without its quotes, anything else as it stands.</param>
/// <param name="Name">The identifier that it can be: folded to lower case, or unquoted; null for what is none.</param>
/// <param name="Depth">How many parentheses it stands in.</param>
internal readonly record struct TextToken(SqlTokenKind Kind, string Text, string? Name, int Depth)
{
    internal bool Is(string text) => Text == text && Kind != SqlTokenKind.QuotedIdentifier && Kind != SqlTokenKind.StringConstant;
}

/// <summary>
/// A statement as words. Recognisers read only what is certain from the text: a statement they don't understand is none of
/// theirs. What stands in strings, comments and dollar bodies is not looked into.
/// </summary>
internal sealed class StatementText
{
    /// <summary>Far more than any statement a rule is about; a bulk INSERT of a million rows is not read to its end.</summary>
    private const int MostTokens = 4000;

    internal StatementText(SqlStatement statement)
    {
        Statement = statement;
        var tokens = new List<TextToken>();
        var depth = 0;
        foreach (var token in statement.Tokens())
        {
            if (token.Kind is SqlTokenKind.LineComment or SqlTokenKind.BlockComment)
            {
                continue;
            }

            depth -= token.Kind == SqlTokenKind.CloseParenthesis ? 1 : 0;
            tokens.Add(Read(statement, token, depth));
            depth += token.Kind == SqlTokenKind.OpenParenthesis ? 1 : 0;
            if (tokens.Count == MostTokens)
            {
                break;
            }
        }

        Tokens = tokens;
    }

    internal SqlStatement Statement { get; }

    internal IReadOnlyList<TextToken> Tokens { get; }

    /// <summary>Whether words stand at a place one after the other.</summary>
    internal bool At(int index, params ReadOnlySpan<string> words)
    {
        for (var i = 0; i < words.Length; i++)
        {
            if (index + i >= Tokens.Count || index < 0 || !Tokens[index + i].Is(words[i]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether it begins with these words.</summary>
    internal bool Is(params ReadOnlySpan<string> words) => At(0, words);

    /// <summary>Where words stand one after the other outside parentheses, at or after a place; -1 if nowhere.</summary>
    internal int Find(int from, params ReadOnlySpan<string> words)
    {
        for (var i = Math.Max(from, 0); i < Tokens.Count; i++)
        {
            if (Tokens[i].Depth == 0 && At(i, words))
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>Whether words stand one after the other outside parentheses.</summary>
    internal bool Has(params ReadOnlySpan<string> words) => Find(0, words) >= 0;

    /// <summary>Reads <c>name</c> or <c>schema.name</c>.</summary>
    /// <returns>The name as a message says it, and the place behind it; null when there is no name.</returns>
    internal (string Display, string Schema, string Name, int Next)? NameAt(int index)
    {
        if (index < 0 || index >= Tokens.Count || Tokens[index].Name is not { } first)
        {
            return null;
        }

        return index + 2 < Tokens.Count && Tokens[index + 1].Is(".") && Tokens[index + 2].Name is { } second
            ? (Names.Qualified(first, second), first, second, index + 3)
            : (Names.Qualified("public", first), "public", first, index + 1);
    }

    /// <summary>Skips <c>IF EXISTS</c>, <c>IF NOT EXISTS</c> and <c>ONLY</c>.</summary>
    internal int SkipGuards(int index)
    {
        index += At(index, "IF", "NOT", "EXISTS") ? 3 : At(index, "IF", "EXISTS") ? 2 : 0;
        return index + (At(index, "ONLY") ? 1 : 0);
    }

    /// <summary>The actions of an <c>ALTER TABLE</c>: where each begins, and where it ends (exclusive); empty for any other statement.</summary>
    internal IEnumerable<(string Table, int Start, int End)> AlterTableActions()
    {
        if (!Is("ALTER", "TABLE") || NameAt(SkipGuards(2)) is not { } table)
        {
            yield break;
        }

        var start = table.Next + (At(table.Next, "*") ? 1 : 0);
        for (var i = start; i <= Tokens.Count; i++)
        {
            if (i == Tokens.Count || (Tokens[i].Depth == 0 && Tokens[i].Is(",")))
            {
                yield return (table.Display, start, i);
                start = i + 1;
            }
        }
    }

    /// <summary>The table that it creates, as a message says it; null for any other statement.</summary>
    internal string? CreatedTable
    {
        get
        {
            var i = 1;
            while (At(i, "UNLOGGED") || At(i, "TEMP") || At(i, "TEMPORARY") || At(i, "GLOBAL") || At(i, "LOCAL"))
            {
                i++;
            }

            return Is("CREATE") && At(i, "TABLE") ? NameAt(SkipGuards(i + 1))?.Display : null;
        }
    }

    /// <summary>Whether a word stands outside parentheses between two places.</summary>
    internal bool Within(int start, int end, params ReadOnlySpan<string> words)
    {
        var found = Find(start, words);
        return found >= 0 && found + words.Length <= end;
    }

    /// <summary>Whether a name occurs anywhere in it, also inside strings and bodies; meant to err on the side of yes.</summary>
    internal bool Mentions(string name) => Statement.Text.Contains(name, StringComparison.OrdinalIgnoreCase);

    private static TextToken Read(SqlStatement statement, SqlToken token, int depth)
    {
        var text = token.Length <= 256 ? Encoding.UTF8.GetString(statement.Source.Utf8.Span[token.Start..token.End]) : "";
        return token.Kind switch
        {
            SqlTokenKind.Word => new TextToken(token.Kind, text.ToUpperInvariant(), SqlIdentifier.Truncate(text.ToLowerInvariant()), depth),
            SqlTokenKind.QuotedIdentifier when text.StartsWith('"') => Quoted(text[1..^1].Replace("\"\"", "\"", StringComparison.Ordinal)),
            _ => new TextToken(token.Kind, text, null, depth),
        };

        TextToken Quoted(string name) => new(token.Kind, name, SqlIdentifier.Truncate(name), depth);
    }
}
