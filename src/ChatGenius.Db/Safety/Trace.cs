using System.Collections.Immutable;
using ChatGenius.Db.Files;
using ChatGenius.Db.Replay;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Safety;

/// <summary>What became of a statement on the throw-away database.</summary>
internal enum TraceOutcome
{
    /// <summary>It ran.</summary>
    Ran,

    /// <summary>The server refused it.</summary>
    Failed,

    /// <summary>It was not tried; <see cref="StatementTrace.Reason"/> says why.</summary>
    NotRun,
}

/// <summary>A notice or warning of the server.</summary>
/// <param name="SqlState">Its SQLSTATE.</param>
/// <param name="Message">Its text.</param>
internal sealed record ServerNotice(string SqlState, string Message);

/// <summary>The locks that one transaction holds on relations, by oid; several modes can be held on one relation.</summary>
internal sealed class HeldLocks
{
    /// <summary>No locks.</summary>
    public static readonly HeldLocks None = new(ImmutableDictionary<uint, ImmutableArray<LockMode>>.Empty);

    private readonly ImmutableDictionary<uint, ImmutableArray<LockMode>> _modes;

    internal HeldLocks(ImmutableDictionary<uint, ImmutableArray<LockMode>> modes) => _modes = modes;

    /// <summary>Whether they are these.</summary>
    internal bool Are(Dictionary<uint, ImmutableArray<LockMode>> modes) => modes.Count == _modes.Count
        && modes.All(pair => _modes.TryGetValue(pair.Key, out var own) && own.SequenceEqual(pair.Value));

    /// <summary>The relations locked.</summary>
    public IEnumerable<uint> Relations => _modes.Keys;

    /// <summary>The strongest mode on a relation.</summary>
    public LockMode On(uint relation) => _modes.TryGetValue(relation, out var modes) ? modes.Max() : LockMode.None;

    /// <summary>The strongest mode on a relation that <paramref name="earlier"/> does not have on it.</summary>
    public LockMode NewOn(uint relation, HeldLocks earlier)
    {
        var before = earlier._modes.GetValueOrDefault(relation);
        return _modes.TryGetValue(relation, out var modes)
            ? modes.Where(mode => before.IsDefault || !before.Contains(mode)).DefaultIfEmpty().Max()
            : LockMode.None;
    }
}

/// <summary>What PostgreSQL did for one statement.</summary>
internal sealed record StatementTrace
{
    /// <summary>The statement.</summary>
    public required SqlStatement Statement { get; init; }

    /// <summary>Its place in the section, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>What became of it.</summary>
    public required TraceOutcome Outcome { get; init; }

    /// <summary>The catalog before it.</summary>
    public required Catalog Before { get; init; }

    /// <summary>The catalog after it.</summary>
    public required Catalog After { get; init; }

    /// <summary>Why it was not run.</summary>
    public string? Reason { get; init; }

    /// <summary>Whether it was left out on purpose, and what comes after it was run all the same.</summary>
    public bool IsPassedOver { get; init; }

    /// <summary>Whether nothing is known of what it does.</summary>
    public bool IsUnjudged => Outcome == TraceOutcome.NotRun && !StatementPolicy.IsHarmless(Reason);

    /// <summary>
    /// The error, when it failed; with <see cref="Outcome"/> Ran, the one it got inside a transaction before it was run alone.
    /// </summary>
    public PostgresException? Error { get; init; }

    /// <summary>How long it took.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>Statements of one transaction have the same number; 0 for one that ran outside a transaction block.</summary>
    public int Transaction { get; init; }

    /// <summary>Whether it ran outside a transaction block: locks and counters can't be read then, the catalog can.</summary>
    public bool RanAlone => Outcome == TraceOutcome.Ran && Transaction == 0;

    /// <summary>The locks on relations that its transaction held when it began.</summary>
    public HeldLocks LocksBefore { get; init; } = HeldLocks.None;

    /// <summary>The locks on relations that its transaction held when it was done.</summary>
    public HeldLocks Locks { get; init; } = HeldLocks.None;

    /// <summary>Scans and rows of this statement alone, by relation.</summary>
    public ImmutableDictionary<uint, Activity> Activity { get; init; } = ImmutableDictionary<uint, Activity>.Empty;

    /// <summary>How many rows a relation had before the statement, for those that it updated or deleted rows of.</summary>
    public ImmutableDictionary<uint, long> RowsBefore { get; init; } = ImmutableDictionary<uint, long>.Empty;

    /// <summary>What the server said meanwhile.</summary>
    public ImmutableArray<ServerNotice> Notices { get; init; } = [];

    /// <summary>What <c>IF NOT EXISTS</c> finds there, and what the statement would make; null where there is nothing, or it can't be
    /// told.</summary>
    public ExistingObject? Existing { get; init; }

    /// <summary>The setting <c>lock_timeout</c> when it began, such as <c>5s</c>; <c>0</c> is none.</summary>
    public string LockTimeout { get; init; } = "0";

    /// <summary>Scans and rows of one relation.</summary>
    public Activity ActivityOn(uint relation) => Activity.GetValueOrDefault(relation);
}

/// <summary>What PostgreSQL did for one section of a migration.</summary>
internal sealed record Trace
{
    /// <summary>The statements, in order.</summary>
    public required IReadOnlyList<StatementTrace> Statements { get; init; }

    /// <summary>The catalog before the first statement: what is in it "was there before".</summary>
    public required Catalog Before { get; init; }

    /// <summary>The catalog at the end.</summary>
    public required Catalog After { get; init; }

    /// <summary>What the migration asks that has no answer here, or another one than true.</summary>
    public ImmutableArray<(MigrationAssertion Assertion, PostgresException Error)> Unanswered { get; init; } = [];

    /// <summary>Settings that the section left changed in the session, <c>role</c> among them.</summary>
    public ImmutableArray<string> SettingsLeft { get; init; } = [];

    /// <summary>The server's version, such as 150018.</summary>
    public required int ServerVersion { get; init; }

    /// <summary>Whether the database had made-up rows.</summary>
    public bool RowsAreMadeUp { get; init; }

    /// <summary>
    /// Whether a statement failed by what made-up rows do wrong, which proves nothing of the real ones: classes 22 and 23
    /// (errcodes-appendix.html).
    /// </summary>
    internal bool FailedOnMadeUpRows(StatementTrace statement) =>
        RowsAreMadeUp && statement.Outcome == TraceOutcome.Failed && statement.Error!.SqlState[..2] is "22" or "23";

    /// <summary>Whether every statement ran or was passed over, and the work is committed.</summary>
    public bool Completed { get; init; }
}
