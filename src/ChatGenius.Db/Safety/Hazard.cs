using ChatGenius.Db.Files;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Safety;

/// <summary>
/// A rule. What it says is data: the file <c>Rules/{id}.sql</c> beside this one holds its words, and examples of what it must report, of
/// the safe way, and of what looks alike and must not be reported; tests run all of them on a server. Only its conditions are code.
/// </summary>
/// <param name="id">
/// Family letter and number, such as <c>L203</c>: L locks, D data loss, C compatibility, F may fail, M hygiene, S schema state. Never
/// reused.
/// </param>
internal sealed class Hazard(string id)
{
    /// <summary>A rule with words of its own, without a file.</summary>
    internal Hazard(string id, RuleFile file)
        : this(id) => File = file;

    /// <summary>What it reports, and what it doesn't.</summary>
    public RuleFile File { get => field ??= RuleFile.Load(id); private init; }

    /// <summary>Family letter and number, such as <c>L203</c>.</summary>
    public string Id => id;

    /// <summary>The name that people use, such as <c>not-null-scan</c>.</summary>
    public string Name => File["name"];

    /// <summary>How much it matters on a table of unknown size.</summary>
    public Severity Severity => Enum.Parse<Severity>(File["severity"], ignoreCase: true);

    /// <summary>Whether findings come from locks, scans and rows, from the catalog, or from the words.</summary>
    public Evidence Evidence => Enum.Parse<Evidence>(File["evidence"], ignoreCase: true);

    /// <summary>The hazard in one line.</summary>
    public string Title => File["title"];

    /// <summary>What happens in production, and why.</summary>
    public string Effect => File["effect"];

    /// <summary>The safe way in words.</summary>
    public string Advice => File["advice"];

    /// <summary>The chapter of PostgreSQL's documentation that says so.</summary>
    public string Documentation => RuleFile.Manual + File["documentation"];

    /// <summary>
    /// The problem with which reading a migration refuses a file that does it, so that nothing of it is ever run and there is no finding;
    /// null for what is reported.
    /// </summary>
    public string? RefusedWith => File.Find("refused");

    /// <summary>The condition over what PostgreSQL did; null for a rule that only the text can tell.</summary>
    internal Func<MigrationFacts, IEnumerable<Finding>>? Traced { get; init; }

    /// <summary>The condition over the words of one statement; null where words say nothing reliable.</summary>
    internal Func<StatementText, TextContext, Finding?>? InText { get; init; }

    /// <summary>Whether the words count although the statement was traced.</summary>
    internal bool TextAlways { get; init; }

    /// <summary>Its id and name as every output gives them.</summary>
    public override string ToString() => $"{Id} {Name}";
}

/// <summary>What rules have in common that read words.</summary>
internal static class InText
{
    /// <summary>The first action of an ALTER TABLE for which something holds; null where there is none, or for another statement.</summary>
    internal static Finding? Action(StatementText text, Func<int, int, bool> holds, Func<string, string> message) =>
        text.AlterTableActions().Where(action => holds(action.Start, action.End))
            .Select(action => new Finding(action.Table, message(action.Table))).FirstOrDefault();

    /// <summary>Whether an action changes a column so: <c>ALTER [COLUMN] name words</c>.</summary>
    internal static bool AltersColumn(StatementText text, int start, params ReadOnlySpan<string> words) =>
        text.At(start, "ALTER") && text.At(start + (text.At(start + 1, "COLUMN") ? 3 : 2), words);

    /// <summary>
    /// The first <c>DROP CONSTRAINT</c> of an ALTER TABLE whose name ends so: PostgreSQL names keys and references itself, and most people
    /// as it does.
    /// </summary>
    internal static (string Table, string Name)? DropsConstraint(StatementText text, params string[] ends)
    {
        foreach (var (table, start, _) in text.AlterTableActions().Where(action => text.At(action.Start, "DROP", "CONSTRAINT")))
        {
            if (text.NameAt(text.SkipGuards(start + 2))?.Name is { } name
                && Array.Exists(ends, end => name.EndsWith(end, StringComparison.Ordinal)))
            {
                return (table, name);
            }
        }

        return null;
    }

    /// <summary>Whether an action adds a column.</summary>
    internal static bool AddsColumn(StatementText text, int start) =>
        text.At(start, "ADD") && !text.At(start, "ADD", "CONSTRAINT") && !text.At(start, "ADD", "GENERATED")
            && !text.At(start, "ADD", "PRIMARY")
        && !text.At(start, "ADD", "UNIQUE") && !text.At(start, "ADD", "FOREIGN") && !text.At(start, "ADD", "CHECK")
            && !text.At(start, "ADD", "EXCLUDE");
}

/// <summary>What a rule may know beside the words.</summary>
/// <param name="Section">The section that the statement is in.</param>
/// <param name="ServerVersion">The version of the server, such as 150018; null when there is none.</param>
internal sealed record TextContext(MigrationSection Section, int? ServerVersion)
{
    /// <summary>
    /// The section's statements that alter, create or drop something, for rules that look for what came earlier; those that write rows are
    /// a hundred thousand in some files.
    /// </summary>
    internal IReadOnlyList<StatementText> Definitions => field ??=
        [.. Section.Script.Statements.Where(statement => statement.Is("ALTER") || statement.Is("CREATE") || statement.Is("DROP")
            || statement.Is("DO")).Select(statement => new StatementText(statement))];

    /// <summary>Of these, those before a statement.</summary>
    internal IEnumerable<StatementText> DefinitionsBefore(StatementText text) =>
        Definitions.TakeWhile(earlier => earlier.Statement.Start < text.Statement.Start);
}
