using System.Text;

namespace ChatGenius.Db.Sql;

/// <summary>A token of a statement as a recogniser needs it.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">A word in upper case, a quoted identifier without its quotes, anything else as written; a very long one is
/// empty.</param>
/// <param name="Name">The identifier that it can be: folded to lower case, or unquoted; null for what can't be one.</param>
/// <param name="Depth">How many parentheses it is in.</param>
internal readonly record struct TextToken(SqlTokenKind Kind, string Text, string? Name, int Depth)
{
    internal bool Is(string text) => Text == text && Kind != SqlTokenKind.QuotedIdentifier && Kind != SqlTokenKind.StringConstant;
}

/// <summary>A name as a statement writes it.</summary>
/// <param name="Schema">Null where the statement leaves it to the search_path.</param>
/// <param name="Name">The name, without quotes.</param>
/// <param name="Next">Where the tokens after it begin.</param>
internal readonly record struct StatementName(string? Schema, string Name, int Next)
{
    /// <summary>As a message says it: with its schema, except for <c>public</c>, where everybody leaves it out.</summary>
    internal string Display => Schema is null or "public" ? SqlIdentifier.Quote(Name) : Sql;

    /// <summary>For the server: with its schema if the statement has it.</summary>
    internal string Sql => Schema is null ? SqlIdentifier.Quote(Name) : SqlIdentifier.Quote(Schema, Name);
}

/// <summary>
/// A statement as words: its kind, its targets, their names. It says only what is certain from the text, and does not look into strings,
/// comments and dollar bodies.
/// </summary>
internal sealed class StatementText
{
    /// <summary>Far more than any statement a rule is about; a bulk INSERT of a million rows is not read to its end.</summary>
    private const int MostTokens = 4000;

    internal StatementText(SqlStatement statement)
    {
        Statement = statement;
        Tokens = Read(statement.Source.Utf8.Span, statement.Tokens());
    }

    internal SqlStatement Statement { get; }

    internal IReadOnlyList<TextToken> Tokens { get; }

    /// <summary>Whether all of the statement was read.</summary>
    internal bool IsWhole => Tokens.Count < MostTokens;

    /// <summary>Reads the tokens of a text, comments left out.</summary>
    internal static List<TextToken> Read(ReadOnlySpan<byte> source, SqlLexer lexer)
    {
        var tokens = new List<TextToken>();
        var depth = 0;
        while (tokens.Count < MostTokens && SqlRecognizer.Next(ref lexer) is { Kind: not SqlTokenKind.End } token)
        {
            depth -= token.Kind == SqlTokenKind.CloseParenthesis ? 1 : 0;
            tokens.Add(Read(source, token, depth));
            depth += token.Kind == SqlTokenKind.OpenParenthesis ? 1 : 0;
        }

        return tokens;
    }

    /// <summary>Where a token is in the source, in bytes.</summary>
    internal (int Start, int End) PlaceOf(int index)
    {
        var tokens = Statement.Tokens();
        for (var at = 0; SqlRecognizer.Next(ref tokens) is { Kind: not SqlTokenKind.End } token; at++)
        {
            if (at == index)
            {
                return (token.Start, token.End);
            }
        }

        throw new InvalidOperationException($"The statement has no token {index}.");
    }

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

    /// <summary>Whether one of some words is at a place.</summary>
    internal bool AtAny(int index, params ReadOnlySpan<string> words)
    {
        foreach (var word in words)
        {
            if (At(index, word))
            {
                return true;
            }
        }

        return false;
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

    /// <summary>Reads <c>name</c>, <c>schema.name</c> or <c>database.schema.name</c>; null where there is no name.</summary>
    internal StatementName? NameAt(int index)
    {
        (string? schema, string? name) = (null, Word(index));
        for (index++; name is not null && At(index, ".") && Word(index + 1) is { } next; index += 2)
        {
            (schema, name) = (name, next);
        }

        return name is null ? null : new StatementName(schema, name, index);

        string? Word(int at) => at >= 0 && at < Tokens.Count ? Tokens[at].Name : null;
    }

    /// <summary>Where the parenthesis that opens at a place is closed.</summary>
    internal int Closing(int open)
    {
        var depth = Tokens[open].Depth;
        var i = open + 1;
        while (i < Tokens.Count && !(Tokens[i].Is(")") && Tokens[i].Depth == depth))
        {
            i++;
        }

        return i;
    }

    /// <summary>Skips <c>IF EXISTS</c>, <c>IF NOT EXISTS</c> and <c>ONLY</c>.</summary>
    internal int SkipGuards(int index)
    {
        index += At(index, "IF", "NOT", "EXISTS") ? 3 : At(index, "IF", "EXISTS") ? 2 : 0;
        return index + (At(index, "ONLY") ? 1 : 0);
    }

    /// <summary>
    /// The actions of an <c>ALTER TABLE</c>: where each begins, and where it ends (exclusive); empty for any other statement.
    /// </summary>
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
    internal string? CreatedTable => CreatedTableName?.Display;

    /// <summary>The table that it creates; null for any other statement.</summary>
    internal StatementName? CreatedTableName
    {
        get
        {
            var i = 1;
            while (At(i, "UNLOGGED") || At(i, "TEMP") || At(i, "TEMPORARY") || At(i, "GLOBAL") || At(i, "LOCAL"))
            {
                i++;
            }

            return Is("CREATE") && At(i, "TABLE") ? NameAt(SkipGuards(i + 1)) : null;
        }
    }

    /// <summary>Whether the server refuses it in a transaction block, as far as its text says.</summary>
    internal bool RefusesTransaction => Is("VACUUM") || Is("ALTER", "SYSTEM")
        || ((Is("CREATE") || Is("DROP")) && (At(1, "DATABASE") || At(1, "TABLESPACE")))
        || (!Is("REFRESH") && (At(2, "CONCURRENTLY") || At(3, "CONCURRENTLY"))
            && (At(1, "INDEX") || At(2, "INDEX") || Is("REINDEX")))
        || AlterTableActions().Any(a => At(a.Start, "DETACH", "PARTITION") && Within(a.Start, a.End, "CONCURRENTLY"));

    /// <summary>Whether a word is outside parentheses between two places.</summary>
    internal bool Within(int start, int end, params ReadOnlySpan<string> words)
    {
        var found = Find(start, words);
        return found >= 0 && found + words.Length <= end;
    }

    /// <summary>Whether a name occurs anywhere in it, also inside strings and bodies; meant to err on the side of yes.</summary>
    internal bool Mentions(string name) => Statement.Text.Contains(name, StringComparison.OrdinalIgnoreCase);

    private static TextToken Read(ReadOnlySpan<byte> source, SqlToken token, int depth)
    {
        var text = token.Length <= 256 ? Encoding.UTF8.GetString(source[token.Start..token.End]) : "";
        return token.Kind switch
        {
            SqlTokenKind.Word => new TextToken(token.Kind, text.ToUpperInvariant(), SqlIdentifier.Truncate(text.ToLowerInvariant()), depth),
            SqlTokenKind.QuotedIdentifier when text.StartsWith('"') => Quoted(text[1..^1].Replace("\"\"", "\"", StringComparison.Ordinal)),
            _ => new TextToken(token.Kind, text, null, depth),
        };

        TextToken Quoted(string name) => new(token.Kind, name, SqlIdentifier.Truncate(name), depth);
    }
}
