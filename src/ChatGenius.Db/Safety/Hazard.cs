using System.Collections.Immutable;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Safety;

/// <summary>
/// A rule as data. It can't exist without examples: the file <c>Rules/{id}.sql</c> beside this one holds what it must
/// report, the safe way, and what looks alike and must not be reported; tests run all of them on a server.
/// </summary>
public sealed record Hazard
{
    private const string Manual = "https://www.postgresql.org/docs/current/";

    private readonly string _documentation = "";

    /// <summary>Family letter and number, such as <c>L203</c>: L locks, D data loss, C compatibility, F may fail, M hygiene, S schema state. Never reused.</summary>
    public required string Id { get; init; }

    /// <summary>The name that people use, such as <c>not-null-scan</c>.</summary>
    public required string Name { get; init; }

    /// <summary>How much it matters on a table of unknown size.</summary>
    public required Severity Severity { get; init; }

    /// <summary>The hazard in one line.</summary>
    public required string Title { get; init; }

    /// <summary>What happens in production, and why.</summary>
    public required string Effect { get; init; }

    /// <summary>The safe way in words.</summary>
    public required string Advice { get; init; }

    /// <summary>The chapter of PostgreSQL's documentation that says so; given as the page within the manual.</summary>
    public required string Documentation
    {
        get => _documentation;
        init => _documentation = Manual + value;
    }

    /// <summary>
    /// The problem with which reading a migration refuses a file that does it, so that nothing of it is ever run and there is no finding; null for
    /// what is reported.
    /// </summary>
    public string? RefusedWith { get; init; }

    /// <summary>Whether findings come from locks, scans and rows, or from the catalog.</summary>
    public Evidence Evidence { get; init; } = Evidence.Traced;

    /// <summary>The condition over what PostgreSQL did; null for a rule that only the text can tell.</summary>
    internal Func<MigrationFacts, IEnumerable<Hit>>? Traced { get; init; }

    /// <summary>The condition over the words of one statement; null where words say nothing reliable.</summary>
    internal Func<StatementText, WordContext, Words?>? Recognise { get; init; }

    /// <summary>Whether the words count although the statement was traced.</summary>
    internal bool WordsAlways { get; init; }

    /// <summary>What it reports, and what it doesn't.</summary>
    public RuleExamples Examples => field ??= RuleExamples.Load(Id);

    /// <summary>Its id and name as every output gives them.</summary>
    public override string ToString() => $"{Id} {Name}";
}

/// <summary>What a rule found in a trace.</summary>
/// <param name="Statement">The statement that did it; null for the migration as a whole.</param>
/// <param name="Subject">What it did it to.</param>
/// <param name="Message">What happens, on one line.</param>
/// <param name="SafeWay">SQL that fits.</param>
internal sealed record Hit(StatementTrace? Statement, string Subject, string Message, string SafeWay = "")
{
    /// <summary>The table whose lock, scans and size matter; 0 if none does.</summary>
    internal uint Table { get; init; }

    /// <summary>Facts beside those of <see cref="Table"/>.</summary>
    internal ImmutableArray<string> Facts { get; init; } = [];

    /// <summary>Another severity than the rule's.</summary>
    internal Severity? Severity { get; init; }
}

/// <summary>What a rule recognised in the words of a statement.</summary>
/// <param name="Subject">The object named there.</param>
/// <param name="Message">What happens, on one line.</param>
/// <param name="SafeWay">SQL that fits.</param>
internal sealed record Words(string Subject, string Message, string SafeWay = "");

/// <summary>What a recogniser may know beside the words.</summary>
/// <param name="Section">The section that the statement is in.</param>
/// <param name="ServerVersion">The version of the server, such as 150018; null when there is none.</param>
internal sealed record WordContext(CheckedSection Section, int? ServerVersion);
