using System.Collections.Immutable;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Safety;

/// <summary>How much a finding matters.</summary>
public enum Severity
{
    /// <summary>Good to know.</summary>
    Info,

    /// <summary>To be thought about.</summary>
    Warning,

    /// <summary>Not to be run as it stands.</summary>
    Error,
}

/// <summary>How a finding is known.</summary>
public enum Evidence
{
    /// <summary>Locks, scans or rows that the server reported while the statement ran.</summary>
    Traced,

    /// <summary>The catalog before and after.</summary>
    Catalog,

    /// <summary>The words of the statement.</summary>
    Text,
}

/// <summary>A hazard at a place.</summary>
public sealed record Finding
{
    /// <summary>The rule.</summary>
    public required Hazard Hazard { get; init; }

    /// <summary>How much it matters here: a small table can lower it.</summary>
    public required Severity Severity { get; init; }

    /// <summary>How it is known.</summary>
    public required Evidence Evidence { get; init; }

    /// <summary>The number of the migration.</summary>
    public required long Version { get; init; }

    /// <summary>The statement or line it is about.</summary>
    public required SourceLocation Where { get; init; }

    /// <summary>The database object it is about, as a message says it; empty where there is none. Suppressions can name it.</summary>
    public required string Subject { get; init; }

    /// <summary>What happens, on one line.</summary>
    public required string Message { get; init; }

    /// <summary>What was measured, one fact each, such as <c>ACCESS EXCLUSIVE on orders</c>.</summary>
    public ImmutableArray<string> Facts { get; init; } = [];

    /// <summary>The safe way as SQL that fits the statement; empty where no SQL can be given.</summary>
    public string SafeWay { get; init; } = "";

    /// <summary>The reason of the <c>cgdb:allow</c> that covers it; null for a finding that is not allowed.</summary>
    public string? Allowed { get; init; }
}
