using System.Collections.Immutable;
using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Safety;

/// <summary>How much a finding matters.</summary>
internal enum Severity
{
    /// <summary>Good to know.</summary>
    Info,

    /// <summary>To be thought about.</summary>
    Warning,

    /// <summary>Not to be run as it is.</summary>
    Error,
}

/// <summary>How a finding is known.</summary>
internal enum Evidence
{
    /// <summary>Locks, scans or rows that the server reported while the statement ran.</summary>
    Traced,

    /// <summary>The catalog before and after.</summary>
    Catalog,

    /// <summary>The words of the statement.</summary>
    Text,
}

/// <summary>A hazard at a place. A rule makes the part that only it knows; <see cref="SafetyCheck"/> adds the rest.</summary>
/// <param name="Subject">The database object it is about, as a message says it; empty where there is none. Suppressions can name
/// it.</param>
/// <param name="Message">What happens, on one line.</param>
/// <param name="SafeWay">The safe way as SQL that fits the statement; empty where no SQL can be given.</param>
internal sealed record Finding(string Subject, string Message, string SafeWay = "")
{
    internal Finding(StatementTrace? statement, string subject, string message, string safeWay = "")
        : this(subject, message, safeWay) => Statement = statement;

    /// <summary>The rule.</summary>
    public Hazard Hazard { get; internal init; } = null!;

    /// <summary>How much it matters here: a rule or the size of the table can change it.</summary>
    public Severity Severity
    {
        get => GivenSeverity ?? Hazard.Severity;
        internal init => GivenSeverity = value;
    }

    /// <summary>How it is known.</summary>
    public Evidence Evidence { get; internal init; }

    /// <summary>The number of the migration.</summary>
    public long Version { get; internal init; }

    /// <summary>The statement or line it is about.</summary>
    public SourceLocation Where { get; internal init; } = null!;

    /// <summary>What was measured, one fact each, such as <c>ACCESS EXCLUSIVE on orders</c>.</summary>
    public ImmutableArray<string> Facts { get; internal init; } = [];

    /// <summary>The reason of the <c>cgdb:allow</c> that covers it; null for a finding that is not allowed.</summary>
    public string? Allowed { get; internal init; }

    /// <summary>The statement that did it; null for the migration as a whole.</summary>
    internal StatementTrace? Statement { get; init; }

    /// <summary>The table whose lock, scans and size matter; 0 if none does.</summary>
    internal uint Table { get; init; }

    internal Severity? GivenSeverity { get; init; }

    /// <summary>The finding with what its rule and its migration add.</summary>
    internal Finding Of(Hazard hazard, Evidence evidence, long version, SourceLocation where) =>
        this with { Hazard = hazard, Evidence = evidence, Version = version, Where = where, SafeWay = SafeWay.Trim() };

    /// <summary>The place of a statement from its first character to its last.</summary>
    internal static SourceLocation Whole(SqlStatement statement) => statement.Source.At(statement.Start, statement.End - statement.Start);
}
