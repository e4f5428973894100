using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Files;

/// <summary>
/// What a migration asks of the database: <c>-- cgdb:require SELECT …;</c> before its statements, <c>-- cgdb:ensure SELECT …;</c> after
/// them. The answer is one row with one boolean, which is true.
/// </summary>
internal sealed class MigrationAssertion
{
    /// <summary>The SQLSTATE with which <see cref="Command"/> says that the answer is another; its message says what it is.</summary>
    public const string SqlState = "CGDBA";

    private MigrationAssertion(bool isAfter, SqlStatement statement) => (IsAfter, Statement) = (isAfter, statement);

    /// <summary>Whether it is asked after the statements.</summary>
    public bool IsAfter { get; }

    /// <summary>The question. Its places are those of the file; the marks of the comment lines are blanks in it.</summary>
    public SqlStatement Statement { get; }

    /// <summary>How the file says it.</summary>
    public string Mark => IsAfter ? "cgdb:ensure" : "cgdb:require";

    /// <summary>
    /// A statement that fails unless the answer is true. It reads only, and leaves nothing: its work is rolled back, settings and locks
    /// too. The question runs with the migration's own settings; after it, names are PostgreSQL's.
    /// </summary>
    public string Command => field ??= $"DO {SqlLiteral.Quote(Body)}";

    private string Body =>
        $"""
        DECLARE
            answer pg_catalog.record;
            found pg_catalog.int8;
            fault pg_catalog.text;
        BEGIN
            BEGIN
                PERFORM pg_catalog.set_config('transaction_read_only', 'on', true);
                EXECUTE {SqlLiteral.Quote(Statement.Text)} INTO answer;
                GET DIAGNOSTICS found = ROW_COUNT;
                PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
                SELECT CASE WHEN found = 0 THEN 'gives no row'
                    WHEN found > 1 THEN 'gives ' || found || ' rows'
                    WHEN count(*) <> 1 THEN 'gives ' || count(*) || ' columns'
                    WHEN min(json_typeof(value)) = 'null' THEN 'is null'
                    WHEN min(json_typeof(value)) <> 'boolean' THEN 'is no boolean: ' || min(value::text)
                    WHEN min(value::text) <> 'true' THEN 'is false' END
                INTO fault FROM json_each(row_to_json(answer));
                RAISE EXCEPTION USING ERRCODE = 'CGDBB', MESSAGE = 'rolled back';
            EXCEPTION WHEN SQLSTATE 'CGDBB' THEN
                NULL;
            END;
            IF fault IS NOT NULL THEN
                RAISE EXCEPTION USING ERRCODE = '{SqlState}', MESSAGE = fault;
            END IF;
        END
        """;

    /// <summary>Reads a file's assertions: those above its first directive and those in its up section.</summary>
    /// <param name="source">The file.</param>
    /// <param name="up">Its up section.</param>
    /// <param name="down">Its down section, which has none.</param>
    /// <param name="problems">Gets CG0324 and CG0325.</param>
    internal static List<MigrationAssertion> Read(SourceText source, MigrationSection up, MigrationSection? down, List<Problem> problems)
    {
        var assertions = new List<MigrationAssertion>();
        if (!source.MayHaveMarks)
        {
            return assertions;
        }

        var statements = up.Script.Statements;
        foreach (var comment in MigrationComment.ReadAll(source, [.. statements, .. down?.Script.Statements ?? []]))
        {
            var isAfter = IsMark(comment.Text, "cgdb:ensure");
            if (!isAfter && !IsMark(comment.Text, "cgdb:require"))
            {
                continue;
            }

            var (start, end) = (comment.Token.Start, Math.Min(comment.End, down is null ? comment.End : Math.Max(down.Start, up.Start)));
            if (start > up.Script.End)
            {
                problems.Add(new Problem("CG0325", "An assertion belongs to the up section", source.At(start, comment.Token.Length),
                    "Move it below -- migrate:up; a rollback asks nothing."));
            }
            else if (!isAfter && statements.Count > 0 && start > statements[0].Start)
            {
                problems.Add(new Problem("CG0325", "cgdb:require is asked before the first statement, and is below it",
                    source.At(start, comment.Token.Length), "Move it above the first statement, or write cgdb:ensure."));
            }
            else if (ReadOne(source, start + source.Substring(start, comment.Token.End).IndexOf(':', StringComparison.Ordinal)
                + (isAfter ? 7 : 8), comment.Token.End, end, problems) is { } statement)
            {
                assertions.Add(new MigrationAssertion(isAfter, statement));
            }
        }

        return assertions;
    }

    private static bool IsMark(string text, string mark) =>
        text.StartsWith(mark, StringComparison.Ordinal) && (text.Length == mark.Length || char.IsWhiteSpace(text[mark.Length]));

    /// <summary>Reads the question: what follows the mark, and the comment lines right below it, up to a semicolon.</summary>
    private static SqlStatement? ReadOne(SourceText source, int start, int lineEnd, int limit, List<Problem> problems)
    {
        var (text, end) = Unmark(source, lineEnd, limit);
        foreach (var token in new SqlLexer(text.Utf8.Span[..end], start))
        {
            if (token.Kind == SqlTokenKind.Semicolon)
            {
                end = token.End;
                break;
            }
        }

        var before = problems.Count;
        var script = SqlScript.Parse(text, start, end, null, problems);
        if (problems.Count > before)
        {
            return null;
        }

        var line = text.Utf8.Span[end..];
        line = line[..Math.Max(0, line.IndexOfAny((byte)'\n', (byte)'\r') is var at && at < 0 ? line.Length : at)];
        var advice = text.Utf8.Span[end - 1] != (byte)';' ? "End it with ; on its line or on a comment line right below."
            : script.Statements is not [var one] || one.Words(1) is not ["SELECT" or "WITH" or "VALUES" or "TABLE"]
                ? "Write a SELECT with one row and one boolean."
            : line.Trim(" \t"u8).IsEmpty ? null : "Write one SELECT an assertion, and nothing after its semicolon.";
        if (advice is null)
        {
            return script.Statements[0];
        }

        var where = source.At(start, Math.Max(1, lineEnd - start));
        problems.Add(new Problem("CG0324", "The assertion is not one SELECT that ends with a semicolon", where, advice));
        return null;
    }

    /// <summary>Blanks out the marks of the comment lines right below a line, and finds where the last of them ends.</summary>
    private static (SourceText Text, int End) Unmark(SourceText source, int end, int limit)
    {
        var bytes = source.Utf8.ToArray();
        foreach (var token in new SqlLexer(source.Utf8.Span[..limit], end))
        {
            var between = source.Utf8.Span[end..Math.Max(end, token.Start)];
            var words = token.Kind == SqlTokenKind.LineComment ? source.Substring(token.Start + 2, token.End).TrimStart() : "migrate:";
            if (between.Count((byte)'\n') > 1 || words.StartsWith("cgdb:", StringComparison.OrdinalIgnoreCase)
                || words.StartsWith("migrate:", StringComparison.OrdinalIgnoreCase))
            {
                break;
            }

            bytes.AsSpan(token.Start, 2).Fill((byte)' ');
            end = token.End;
        }

        return (source.Over(bytes), end);
    }
}
