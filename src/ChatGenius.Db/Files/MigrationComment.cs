using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Files;

/// <summary>A comment of ours: <c>-- cgdb:word …</c>, where a statement can begin.</summary>
/// <param name="Token">Where it is.</param>
/// <param name="Text">From <c>cgdb:</c> to the end of its line.</param>
/// <param name="Next">The statement after it; null after the last one.</param>
/// <param name="End">Where that statement begins, or the text ends.</param>
internal readonly record struct MigrationComment(SqlToken Token, string Text, SqlStatement? Next, int End)
{
    private const string Mark = "cgdb:";
    private const string WaitStandbys = "cgdb:wait-standbys";

    /// <summary>
    /// Reads a text's comments of ours. They are comments of plain SQL, so that psql and other tools pass over them. One counts only as a
    /// line comment where a statement can begin: the same words in a string, a block comment or a dollar body do nothing.
    /// </summary>
    /// <param name="source">The text.</param>
    /// <param name="statements">Its statements, or those of one section.</param>
    /// <param name="section">Where that section begins and ends.</param>
    internal static List<MigrationComment> ReadAll(SourceText source, IEnumerable<SqlStatement> statements,
        (int Start, int End)? section = null)
    {
        var comments = new List<MigrationComment>();
        if (!source.MayHaveMarks)
        {
            return comments;
        }

        var (start, end) = section ?? (0, source.Utf8.Length);
        var from = start;
        foreach (var statement in statements)
        {
            ReadGap(comments, source, from, statement.Start, statement, from == start);
            // The rows of a COPY are no SQL.
            from = Math.Max(statement.End, statement.CopyRows.End);
        }

        ReadGap(comments, source, from, end, null, from == start);
        return comments;
    }

    /// <summary>Whether a file says that what comes after it waits for standbys.</summary>
    /// <param name="source">The file.</param>
    /// <param name="up">Its up section.</param>
    /// <param name="down">Its down section, which may not say so.</param>
    /// <param name="problems">Gets CG1604.</param>
    internal static bool ReadWait(SourceText source, MigrationSection up, MigrationSection? down, List<Problem> problems)
    {
        if (!source.MayHaveMarks)
        {
            return false;
        }

        var waits = false;
        foreach (var comment in ReadAll(source, [.. up.Script.Statements, .. down?.Script.Statements ?? []])
            .Where(comment => comment.Text.Split((char[]?)null, 2)[0] == WaitStandbys))
        {
            waits = true;
            if (comment.Text != WaitStandbys || (down is not null && comment.Token.Start > down.Start && down.Start > up.Start))
            {
                problems.Add(new Problem(
                    "CG1604", $"{WaitStandbys} takes nothing after it, and belongs to the up section",
                    source.At(comment.Token.Start, comment.Token.Length), $"Write -- {WaitStandbys} below -- migrate:up."));
            }
        }

        return waits;
    }

    /// <summary>
    /// Between two statements lie only comments and semicolons; a comment before the semicolon still belongs to the statement before it.
    /// </summary>
    private static void ReadGap(List<MigrationComment> comments, SourceText source, int start, int end, SqlStatement? next,
        bool atStart)
    {
        foreach (var token in new SqlLexer(source.Utf8.Span[..end], start))
        {
            atStart |= token.Kind == SqlTokenKind.Semicolon
                || (token.Kind == SqlTokenKind.LineComment
                && source.Substring(token.Start, token.End).StartsWith("-- migrate:", StringComparison.Ordinal));
            if (atStart && token.Kind == SqlTokenKind.LineComment && source.Substring(token.Start, token.End)[2..].Trim() is var text
                && text.StartsWith(Mark, StringComparison.OrdinalIgnoreCase))
            {
                comments.Add(new MigrationComment(token, text, next, end));
            }
        }
    }
}
