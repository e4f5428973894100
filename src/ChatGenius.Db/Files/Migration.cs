using System.Globalization;
using System.Text;
using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Files;

/// <summary>Where a migration comes from.</summary>
internal enum MigrationOrigin
{
    /// <summary>It travels inside the tool.</summary>
    Bundle,

    /// <summary>It is a file of the project.</summary>
    Folder,
}

/// <summary>One migration: a file that has been read and understood as a whole.</summary>
/// <param name="Version">The number in front of the file's name, from 1 to 999,999,999,999,999,999; 0 for a repeatable object.</param>
/// <param name="Name">What follows the number, without <c>.sql</c>: letters, digits, underscores, hyphens and blanks.</param>
/// <param name="Origin">Where it comes from.</param>
/// <param name="Source">The file.</param>
/// <param name="Up">What brings the change.</param>
/// <param name="Down">What takes it back.</param>
internal sealed record Migration(
    long Version, string Name, MigrationOrigin Origin, SourceText Source, MigrationSection Up, MigrationSection Down)
{
    /// <summary>The file's name without <c>.sql</c>, with the number as it is written there: <c>0001_initial_schema</c>.</summary>
    public string Id => Path.GetFileNameWithoutExtension(Source.Path);

    /// <summary>What the history keeps of an empty down that means no way back, as another tool's may.</summary>
    internal const string EmptyDown = "-- migrate:down irreversible:true\n-- The section was empty.\n";

    /// <summary>Its down as the history keeps it: what says in the file that there is no way back says it there too.</summary>
    internal string StoredDown => Down.Irreversible && Down.Script.Statements.Count == 0 && !Down.Text.Contains("irreversible:true",
        StringComparison.Ordinal) ? EmptyDown : Down.Text;

    /// <summary>Whether it is a <see cref="Repeatable"/>, which has no number.</summary>
    internal bool IsRepeatable => Version == 0;

    /// <summary>Whether another file of this number may stand in for this one: it has the same name and does the same.</summary>
    public bool IsSameAs(Migration other) => Name == other.Name && Up.IsSameAs(other.Up) && Down.IsSameAs(other.Down);
}

/// <summary>The part of a file that begins with <c>-- migrate:up</c> or <c>-- migrate:down</c>.</summary>
/// <param name="Transactional">Whether it runs in one transaction: always, unless it says <c>transaction:false</c>.</param>
/// <param name="Irreversible">
/// Whether it says <c>irreversible:true</c>: what its up section did can't be undone. Only a down section may.
/// </param>
/// <param name="Start">The byte offset of the line that begins it.</param>
/// <param name="Script">Its statements, which begin behind that line.</param>
internal sealed record MigrationSection(bool Transactional, bool Irreversible, int Start, SqlScript Script)
{
    /// <summary>The line that begins it; looked up again on every call.</summary>
    public SourceLocation Where => Script.Source.At(Start, Script.Start - Start);

    /// <summary>
    /// The section to the letter, its first line included; <see cref="MigrationParser.ParseSection"/> reads it back. Made again on every
    /// call.
    /// </summary>
    public string Text => Script.Source.Substring(Start, Script.End);

    /// <summary>
    /// The section as the history keeps it to be shown, never to be run: without its passwords, and of many rows of a <c>COPY</c> only
    /// their size. Null where it is longer than anybody reads even so.
    /// </summary>
    internal string? Shown
    {
        get
        {
            const int LongestRows = 4 * 1024, Longest = 1024 * 1024;
            var many = Script.Statements.Select(statement => statement.CopyRows)
                .Where(rows => rows.End - rows.Start > LongestRows).ToList();
            if (Script.End - Start - many.Sum(rows => (long)rows.End - rows.Start) > Longest)
            {
                return null;
            }

            var text = new StringBuilder();
            var at = Start;
            foreach (var (start, end) in many)
            {
                text.Append(Script.Source.Substring(at, start)).Append(CultureInfo.InvariantCulture, $"({end - start} bytes of rows)\n");
                at = end;
            }

            return Secrets.Hide(text.Append(Script.Source.Substring(at, Script.End)).ToString());
        }
    }

    /// <summary>
    /// Whether it says <c>repeatable:true</c>: after an interruption, each of its statements may run again, whatever part of its work it
    /// has done. It counts for the statements of which nothing else tells, such as a DO block that commits as it goes.
    /// </summary>
    public bool Repeatable { get; init; }

    /// <summary>How one of its statements goes through a table in slices, where it says <c>batch:…</c>; such a section is not one
    /// transaction.</summary>
    public BatchOptions? Batch { get; init; }

    /// <summary>Whether it says <c>keep:true</c>: what its statements destroy in rows is kept, and put back by a rollback.</summary>
    public bool Keep { get; init; }

    /// <summary>Before which statement, counted from 0, a rollback puts kept values back, where a <c>-- cgdb:restore</c> says so.</summary>
    public int? Restore { get; init; }

    /// <summary>What is asked before and after it; only an up section has any.</summary>
    public IReadOnlyList<MigrationAssertion> Assertions { get; init; } = [];

    /// <summary>Whether what comes after it waits until all standbys have replayed it; only an up section says so.</summary>
    public bool WaitsForStandbys { get; init; }

    /// <summary>What must not have been used for a time before statements drop it; only an up section says so.</summary>
    public IReadOnlyList<UnusedMark> Unused { get; init; } = [];

    /// <summary>The checksum of <see cref="Script"/>: SHA-256, 64 hexadecimal digits.</summary>
    public string Checksum => Script.Checksum;

    /// <summary>What the section's line comments say, joined to one line, without the line that begins it.</summary>
    public string Comment
    {
        get
        {
            var text = Script.Source.Utf8.Span;
            var lines = new List<string>();
            foreach (var token in new SqlLexer(text[..Script.End], Script.Start))
            {
                if (token.Kind == SqlTokenKind.LineComment)
                {
                    lines.Add(Encoding.UTF8.GetString(text[token.Start..token.End]).TrimStart('-').Trim());
                }
            }

            return string.Join(' ', lines.Where(line => line.Length > 0 && !line.StartsWith("migrate:", StringComparison.Ordinal)));
        }
    }

    internal bool IsSameAs(MigrationSection other) =>
        Checksum == other.Checksum && Transactional == other.Transactional && Irreversible == other.Irreversible
        && Batch?.ToString() == other.Batch?.ToString() && Keep == other.Keep;
}
