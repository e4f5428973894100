using ChatGenius.Db.Text;

namespace ChatGenius.Db.Sql;

/// <summary>
/// A stretch of SQL cut into statements where <c>psql</c> would cut it. The statements and what lies between them, put together,
/// are the stretch; between them lie only white space, comments, semicolons and the rows of a <c>COPY … FROM stdin</c>.
/// </summary>
internal sealed class SqlScript
{
    private readonly Task<string> _checksum;

    internal SqlScript(SourceText source, int start, int end, IReadOnlyList<SqlStatement> statements, Task<string> checksum)
    {
        Source = source;
        Start = start;
        End = end;
        Statements = statements;
        _checksum = checksum;
    }

    /// <summary>The file.</summary>
    public SourceText Source { get; }

    /// <summary>The byte offset where the stretch begins.</summary>
    public int Start { get; }

    /// <summary>The byte offset behind the stretch.</summary>
    public int End { get; }

    /// <summary>The statements in the order of the file; empty ones are left out.</summary>
    public IReadOnlyList<SqlStatement> Statements { get; }

    /// <summary>
    /// SHA-256 over the tokens and <c>COPY</c> rows, 64 hexadecimal digits. Comments, and white space between tokens, do not count;
    /// everything that the server is sent does, to the byte. Of many rows it is still being computed for a while after the script was cut;
    /// who asks then waits for it.
    /// </summary>
    public string Checksum => _checksum.GetAwaiter().GetResult();

    /// <summary>The checksum of the first <paramref name="count"/> statements alone.</summary>
    internal string ChecksumOf(int count) =>
        count == Statements.Count ? Checksum : Parse(Source, Start, Statements[count].Start).Checksum;

    /// <summary>Cuts a whole file.</summary>
    /// <exception cref="ProblemException">As for <see cref="Parse(SourceText, int, int)"/>.</exception>
    public static SqlScript Parse(SourceText source) => Parse(source, 0, source.Utf8.Length);

    /// <summary>Cuts the stretch between two byte offsets, which must not lie within a token.</summary>
    /// <exception cref="ProblemException">
    /// Not closed: CG0201 a string, CG0202 a dollar-quoted string, CG0203 a quoted identifier, CG0204 a comment, CG0205 a parenthesis,
    /// CG0206 a <c>BEGIN ATOMIC</c>. CG0207: a command of psql. CG0208: no <c>\.</c> after the rows of a <c>COPY</c>. CG0209: more on the
    /// line of a <c>COPY … FROM stdin</c>. CG0210: <c>COPY … TO stdout</c>. CG0211: the character U+0000.
    /// </exception>
    public static SqlScript Parse(SourceText source, int start, int end)
    {
        var problems = new List<Problem>();
        var script = Parse(source, start, end, endsAt: null, problems);
        return problems.Count == 0 ? script : throw new ProblemException(problems);
    }

    /// <summary>Cuts up to the first line comment that the caller takes for the end; problems go to a list.</summary>
    internal static SqlScript Parse(SourceText source, int start, int end, Func<SqlToken, bool>? endsAt, List<Problem> problems) =>
        new SqlSplitter(source, start, end, new SqlChecksum(), problems).Split(endsAt);
}
