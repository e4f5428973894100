using System.Collections.Frozen;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Migrations;

/// <summary>
/// Finds the migrations that can't change the session they run in, so that nothing has to be taken back: DDL that evaluates nothing of the
/// database's, and constants put into tables that the same file makes. What isn't known to be so, counts as if it could.
/// </summary>
internal static class HarmlessStatements
{
    private static readonly FrozenSet<string> Types = Set(
        "SMALLINT INTEGER INT INT2 INT4 INT8 BIGINT SMALLSERIAL SERIAL BIGSERIAL TEXT VARCHAR CHAR CHARACTER VARYING BOOLEAN BOOL UUID "
            + "DATE TIME "
        + "TIMESTAMP TIMETZ TIMESTAMPTZ WITH WITHOUT ZONE NUMERIC DECIMAL REAL DOUBLE PRECISION FLOAT FLOAT4 FLOAT8 JSON JSONB BYTEA "
            + "INET CIDR INTERVAL");

    // What may follow a column's name: types, and words that evaluate nothing or functions of PostgreSQL's own.
    private static readonly FrozenSet<string> ColumnWords = Set(
        string.Join(' ', Types)
            + " NOT NULL PRIMARY KEY UNIQUE DEFAULT GENERATED ALWAYS BY AS IDENTITY TRUE FALSE NOW CURRENT_TIMESTAMP GEN_RANDOM_UUID");

    private static readonly FrozenSet<string> Constants = Set("NULL TRUE FALSE DEFAULT");

    private static readonly FrozenSet<string> Dropped = Set("TABLE INDEX VIEW SEQUENCE TYPE SCHEMA FUNCTION TRIGGER DOMAIN");

    private static readonly FrozenSet<string> CallsCode = Set("DO CALL SELECT WITH EXECUTE");

    /// <summary>Whether none of the statements can change the session, where no event trigger is.</summary>
    internal static bool AreAll(IReadOnlyList<SqlStatement> statements)
    {
        // The tables of this file that evaluate nothing when a row comes in.
        var made = new HashSet<string>();
        return statements.All(statement => !statement.IsCopyFromStdin && new StatementText(statement) is { IsWhole: true } text
            && IsHarmless(text, made));
    }

    /// <summary>Whether a statement leaves no event trigger behind, as far as its text says.</summary>
    internal static bool MakesNoEventTrigger(SqlStatement statement) =>
        !statement.Is("CREATE", "EVENT") && !statement.Is("ALTER", "EVENT") && !statement.Is("CREATE", "EXTENSION")
        && !CallsCode.Contains(statement.Words(1) is [var word] ? word : "");

    private static bool IsHarmless(StatementText text, HashSet<string> made)
    {
        if (text.Is("CREATE", "TABLE"))
        {
            return IsPlainTable(text, made);
        }

        if (text.Is("CREATE", "INDEX") || text.Is("CREATE", "UNIQUE", "INDEX"))
        {
            // The server takes back what an index's expressions set while it is built; rows that come later evaluate them as well.
            if (text.Tokens.Any(token => token.Depth > 1) || text.Has("WHERE"))
            {
                made.Clear();
            }

            return !text.Has("CONCURRENTLY");
        }

        return text.Is("COMMENT") || text.Is("CREATE", "SEQUENCE")
            || (text.Is("CREATE", "SCHEMA") && !text.At(2, "CREATE") && text.Find(2, "CREATE") < 0)
            || (text.Is("CREATE", "TYPE") && text.Has("AS", "ENUM"))
            || (text.Is("DROP") && text.Tokens.Count > 1 && Dropped.Contains(text.Tokens[1].Text))
            || IsPlainAlter(text)
            || IsConstantRow(text, made);
    }

    private static bool IsPlainTable(StatementText text, HashSet<string> made)
    {
        if (text.NameAt(text.SkipGuards(2)) is not { } table || !text.At(table.Next, "(") || text.Has("AS") || text.Has("PARTITION"))
        {
            return false;
        }

        var (tokens, plain, start) = (text.Tokens, !text.At(2, "IF"), table.Next + 1);
        for (var i = start; i < tokens.Count && tokens[i].Depth > 0; i++)
        {
            if (tokens[i].Depth == 1 && tokens[i].Is(","))
            {
                plain &= IsPlainColumn(text, start, i);
                start = i + 1;
            }
        }

        // What follows the columns, such as INHERITS, may bring anything.
        if (plain && tokens[^1].Depth == 0 && tokens[^1].Is(")") && text.Find(table.Next + 1, ")") == tokens.Count - 1
            && IsPlainColumn(text, start, tokens.Count - 1))
        {
            made.Add(table.Sql);
        }

        return true;
    }

    private static bool IsPlainColumn(StatementText text, int start, int end)
    {
        start += text.At(start, "CONSTRAINT") ? 2 : 0;
        return text.At(start, "PRIMARY", "KEY") || text.At(start, "UNIQUE", "(")
            || (end > start + 1
                && Range(start + 1, end).All(i => IsWord(text.Tokens[i], ColumnWords) || IsLiteral(text.Tokens[i])
                    || text.Tokens[i].Text is "(" or ")" or ","));
    }

    private static bool IsPlainAlter(StatementText text)
    {
        var actions = text.AlterTableActions().ToList();
        return actions.Count > 0
            && actions.All(action => text.At(action.Start, "DROP") || text.At(action.Start, "RENAME")
                || AddsEmptyColumn(action.Start, action.End));

        bool AddsEmptyColumn(int start, int end)
        {
            var name = text.SkipGuards(start + (text.At(start + 1, "COLUMN") ? 2 : 1));
            return text.At(start, "ADD") && end > name + 1
                && Range(name + 1, end).All(i => IsWord(text.Tokens[i], Types) || text.At(i, "NOT") || text.At(i, "NULL"));
        }
    }

    private static bool IsConstantRow(StatementText text, HashSet<string> made)
    {
        if (!text.Is("INSERT", "INTO") || text.NameAt(2) is not { } table || !made.Contains(table.Sql))
        {
            return false;
        }

        var values = text.Find(table.Next, "VALUES");
        return (values == table.Next || (values > 0 && text.At(table.Next, "(") && text.Tokens[values - 1].Is(")")))
            && Range(values + 1, text.Tokens.Count).All(i =>
                text.Tokens[i].Text is "(" or ")" or "," or "-" or "+" || IsWord(text.Tokens[i], Constants) || IsLiteral(text.Tokens[i]));
    }

    private static bool IsWord(TextToken token, FrozenSet<string> words) => token.Kind == SqlTokenKind.Word && words.Contains(token.Text);

    private static bool IsLiteral(TextToken token) => token.Kind is SqlTokenKind.StringConstant or SqlTokenKind.Number;

    private static IEnumerable<int> Range(int start, int end) => Enumerable.Range(start, end - start);

    private static FrozenSet<string> Set(string words) => words.Split(' ').ToFrozenSet(StringComparer.Ordinal);
}
