using System.Globalization;
using System.Text;
using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Imports;

/// <summary>What one call sends to the server.</summary>
/// <param name="Source">The text, as the server gets it.</param>
/// <param name="Indent">How far the line is indented on which it begins in the file.</param>
/// <param name="Call">Where the call is.</param>
internal sealed record TypeScriptSql(SourceText Source, int Indent, TypeScriptNode Call)
{
    private SqlScript Script { get; init; } = null!;

    /// <summary>Whether it is one that begins or ends a transaction, and nothing else.</summary>
    public bool OnlyEndsTransaction =>
        Script.Statements is [{ TransactionControl: SqlTransactionControl.Rollback or SqlTransactionControl.Commit }];

    /// <summary>Takes a text with the values of its parameters.</summary>
    /// <param name="text">The text, with <c>$1</c> for the first value.</param>
    /// <param name="values">The values; none where <c>$1</c> is what the author wrote.</param>
    /// <param name="indent">How far the line is indented on which it begins.</param>
    /// <param name="call">Where the call is.</param>
    /// <exception cref="TypeScriptRefusal">It would not be the same in a file of ours.</exception>
    public static TypeScriptSql Of(string text, IReadOnlyList<object?> values, int indent, TypeScriptNode call)
    {
        var utf8 = new UTF8Encoding(false, throwOnInvalidBytes: true);
        try
        {
            utf8.GetByteCount(text);
        }
        catch (EncoderFallbackException)
        {
            throw Refuse("half a character is in the text");
        }

        if (values.Count > 0)
        {
            text = WithValues(Read(text), values);
        }

        var sql = Read(text);
        if (sql.Script.Statements.Any(statement => statement.IsCopyFromStdin))
        {
            throw Refuse("COPY FROM stdin has no rows here");
        }

        if (text.Contains("standard_conforming_strings", StringComparison.OrdinalIgnoreCase)
            && text.Contains('\\', StringComparison.Ordinal))
        {
            throw Refuse("what a backslash means changes within it");
        }

        RefuseOthers(sql.Source);
        return sql;

        TypeScriptSql Read(string of)
        {
            var source = SourceText.From("sql", of);
            var problems = new List<Problem>();
            var script = SqlScript.Parse(source, 0, source.Utf8.Length, null, problems);
            return problems.Count == 0 ? new TypeScriptSql(source, indent, call) { Script = script }
                : throw Refuse($"the SQL can't be read: {problems[0].Message}");
        }

        TypeScriptRefusal Refuse(string reason) => new(call.Start, call.End, reason);

        void RefuseOthers(SourceText source)
        {
            foreach (var token in new SqlLexer(source.Utf8.Span))
            {
                var found = source.Substring(token.Start, token.End);
                if ((token.Kind == SqlTokenKind.Operator && found.Contains('`', StringComparison.Ordinal))
                    || (token.Kind == SqlTokenKind.Word && found.Equals("AUTO_INCREMENT", StringComparison.OrdinalIgnoreCase)))
                {
                    throw Refuse("this is SQL of another database");
                }

                if (token.Kind == SqlTokenKind.LineComment && MeansSomething(found.AsSpan(2)))
                {
                    throw Refuse("a comment in it would be read as an instruction of a migration");
                }
            }
        }
    }

    /// <summary>Whether a comment is more than a comment in a file of ours.</summary>
    public static bool MeansSomething(ReadOnlySpan<char> comment) =>
        comment.TrimStart() is var text && (text.StartsWith("migrate", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("cgdb", StringComparison.OrdinalIgnoreCase));

    /// <summary>How a value is written where the server takes its type from what is around it, as it does for a parameter.</summary>
    private static string Literal(object? value, bool isPlain) => value switch
    {
        null => "NULL",
        string text => SqlLiteral.Quote(text),
        bool truth when isPlain => truth ? "TRUE" : "FALSE",
        bool truth => truth ? "'true'" : "'false'",
        decimal number when isPlain => number.ToString(CultureInfo.InvariantCulture),
        decimal number => $"'{number.ToString(CultureInfo.InvariantCulture)}'",
        _ => throw new ArgumentException("not a value", nameof(value)),
    };

    private static string WithValues(TypeScriptSql sql, IReadOnlyList<object?> values)
    {
        TypeScriptRefusal Refuse(string reason) => new(sql.Call.Start, sql.Call.End, reason);
        if (sql.Script.Statements is not [var statement]
            || statement.Words(1) is not ["INSERT" or "UPDATE" or "DELETE" or "SELECT" or "WITH" or "VALUES" or "MERGE"])
        {
            throw Refuse("only one INSERT, UPDATE, DELETE, MERGE or SELECT can have values of its own");
        }

        var source = sql.Source.Utf8.Span;
        var tokens = new List<(SqlToken Token, int Depth)>();
        var (depth, inValues, used) = (0, false, new HashSet<int>());
        foreach (var token in new SqlLexer(source))
        {
            if (token.Kind is SqlTokenKind.LineComment or SqlTokenKind.BlockComment)
            {
                continue;
            }

            depth += token.Kind == SqlTokenKind.OpenParenthesis ? 1 : token.Kind == SqlTokenKind.CloseParenthesis ? -1 : 0;
            tokens.Add((token, depth));
        }

        var text = new StringBuilder();
        var copied = 0;
        for (var i = 0; i < tokens.Count; i++)
        {
            var (token, level) = tokens[i];
            inValues |= level == 0 && SqlRecognizer.Is(source, token, "values"u8);
            if (token.Kind != SqlTokenKind.Parameter)
            {
                continue;
            }

            if (!int.TryParse(source[(token.Start + 1)..token.End], CultureInfo.InvariantCulture, out var number) || number < 1
                || number > values.Count)
            {
                throw Refuse("a parameter in it has no value");
            }

            // There the column says the type, whatever the literal is; elsewhere a bare number would be an integer.
            var isPlain = inValues && level == 1 && statement.Is("INSERT") && IsOneOf(i - 1, "(,") && IsOneOf(i + 1, ",)");
            text.Append(sql.Source.Substring(copied, token.Start)).Append(Literal(values[number - 1], isPlain));
            copied = token.End;
            used.Add(number);
        }

        return used.Count == values.Count ? text.Append(sql.Source.Substring(copied, source.Length)).ToString()
            : throw Refuse("a value in it is inside a string, a name or a comment, or is not used");

        bool IsOneOf(int at, string signs) => at >= 0 && at < tokens.Count
            && signs.Contains((char)sql.Source.Utf8.Span[tokens[at].Token.Start], StringComparison.Ordinal);
    }

    /// <summary>Makes the text of a section.</summary>
    /// <param name="calls">In the order in which they run.</param>
    /// <param name="isDraft">Whether nobody will run it as it is.</param>
    /// <exception cref="TypeScriptRefusal">A transaction begins or ends within.</exception>
    public static string Section(IReadOnlyList<TypeScriptSql> calls, bool isDraft = false)
    {
        var statements = calls.SelectMany((call, i) => call.Script.Statements.Select(statement => (Call: call, At: i, statement))).ToList();
        var control = statements.FindAll(one => one.statement.TransactionControl != SqlTransactionControl.None);
        var cut = new HashSet<SqlStatement>();
        if (control is [var (begin, _, first), var (_, _, last)] && first == statements[0].statement && last == statements[^1].statement
            && first.TransactionControl == SqlTransactionControl.Begin && last.TransactionControl == SqlTransactionControl.Commit
            && new StatementText(first).Tokens.Count <= 2 && new StatementText(last).Tokens.Count <= 2)
        {
            // The migration is a transaction anyway.
            cut.UnionWith([first, last]);
        }
        else if (control.Count > 0 && !isDraft)
        {
            throw new TypeScriptRefusal(control[0].Call.Call.Start, control[0].Call.Call.End,
                "a transaction begins or ends within it", "Split the file there.");
        }

        return "\n" + string.Join('\n', calls.Select(call => call.Written(cut)).Where(text => text.Length > 0));
    }

    /// <summary>Whether a statement among them can't run in a transaction.</summary>
    public static bool NeedsNoTransaction(IEnumerable<TypeScriptSql> calls) =>
        calls.Any(call => call.Script.Statements.Any(statement => new StatementText(statement).RefusesTransaction));

    /// <summary>The text with its semicolon, without the blanks in front of its lines, where those are between tokens.</summary>
    private string Written(HashSet<SqlStatement> cut)
    {
        var kept = Script.Statements.Where(statement => !cut.Contains(statement)).ToList();
        if (kept.Count == 0)
        {
            return "";
        }

        var bytes = Source.Utf8.ToArray();
        foreach (var statement in Script.Statements.Where(cut.Contains))
        {
            var end = statement.End + Math.Max(0, Source.Utf8.Span[statement.End..].IndexOf((byte)';')) + 1;
            bytes.AsSpan(statement.Start, Math.Min(end, bytes.Length) - statement.Start).Fill((byte)' ');
        }

        var tokens = new List<SqlToken>();
        foreach (var token in new SqlLexer(bytes))
        {
            tokens.Add(token);
        }

        var (first, last) = (tokens[0].Start, tokens[^1]);
        var text = new StringBuilder();
        var lines = LineStarts(bytes, tokens, first).ToList();
        var own = Source.Utf8.Span[..first].Contains((byte)'\n') ? first - bytes.AsSpan(0, first).LastIndexOf((byte)'\n') - 1 : Indent;
        var remove = lines.Select(line => line.Blanks).Append(own).Min();
        var at = first;
        foreach (var (start, blanks) in lines)
        {
            text.Append(Encoding.UTF8.GetString(bytes.AsSpan(at..start)));
            at = start + Math.Min(blanks, remove);
        }

        text.Append(Encoding.UTF8.GetString(bytes.AsSpan(at..last.End)));
        var semicolon = tokens.FindLast(token => token.Kind is not (SqlTokenKind.LineComment or SqlTokenKind.BlockComment));
        text.Append(semicolon.Kind == SqlTokenKind.Semicolon ? "" : last.Kind == SqlTokenKind.LineComment ? "\n;" : ";");
        return text.Append('\n').ToString();
    }

    /// <summary>The lines that begin between tokens and are not empty: where they begin, and how many blanks they begin with.</summary>
    private static IEnumerable<(int Start, int Blanks)> LineStarts(byte[] bytes, List<SqlToken> tokens, int first)
    {
        var next = 0;
        for (var i = first; i < bytes.Length; i++)
        {
            while (next < tokens.Count && tokens[next].End <= i)
            {
                next++;
            }

            // A line break in a token is a part of it, and so are the blanks after it.
            if (next == tokens.Count || bytes[i] != '\n' || i >= tokens[next].Start)
            {
                continue;
            }

            var blanks = bytes.AsSpan(i + 1).IndexOfAnyExcept((byte)' ', (byte)'\t');
            if (blanks >= 0 && bytes[i + 1 + blanks] is not ((byte)'\n' or (byte)'\r'))
            {
                yield return (i + 1, blanks);
            }
        }
    }
}
