using System.Reflection;
using ChatGenius.Db.Migrations;

namespace ChatGenius.Db;

/// <summary>What a run may do and how long it may wait.</summary>
public sealed record MigratorOptions
{
    /// <summary>The schema that holds <c>history</c> and <c>journal</c>.</summary>
    public string HistorySchema { get; init; } = "chatgenius_db";

    /// <summary>
    /// <c>lock_timeout</c> of migration statements: how long one waits for a lock while everything behind it queues up.
    /// Zero waits without end. PostgreSQL: Client Connection Defaults, Statement Behavior.
    /// </summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary><c>statement_timeout</c> of migration statements; zero, the default, lets them run as long as they need.</summary>
    public TimeSpan StatementTimeout { get; init; } = TimeSpan.Zero;

    /// <summary>How often a migration is tried again after a lock timeout, a deadlock or a serialization failure; 0 or more.</summary>
    public int LockRetries { get; init; } = 20;

    /// <summary>How long to wait for another run to end; zero gives up at once.</summary>
    public TimeSpan WaitForLock { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long to wait for a server that is starting up or has no connection to spare; zero gives up at once.</summary>
    public TimeSpan WaitForServer { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How long the server, or a pooler before it, may take to answer a command that takes no time; then the network counts as cut. More
    /// than zero; less than the twenty seconds that other writers of the history are waited for takes them for a cut as well.
    /// </summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How long a pooler may take to give a run its second session. A pool that others use gives it in a moment; one that is too small
    /// gives none while the run holds the other.
    /// </summary>
    internal TimeSpan PoolTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a statement that was cancelled may take to end; then it is left to the server. More than zero.</summary>
    public TimeSpan CancelTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long standbys may need to replay a migration that says <c>cgdb:wait-standbys</c>; zero waits without end.</summary>
    internal TimeSpan StandbyTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Servers that replicate this one, for what is read there: <c>host:port</c>, or a connection string of which the servers
    /// count.</summary>
    internal IReadOnlyList<string> Standbys { get; init; } = [];

    /// <summary>With which answer of <c>cgdb:unused-since</c> a drop runs all the same.</summary>
    internal UsageAnswer AcceptsUsage { get; init; }

    /// <summary>The victim budget: our statement is cancelled and tried again when this many sessions or more wait behind it; 1 or
    /// more…</summary>
    public int MaxBlocked { get; init; } = 5;

    /// <summary>…before the first of them has waited for longer than this. It is looked at five times a second, so less than 0.2 s is taken
    /// as at once.</summary>
    public TimeSpan MaxBlockedTime { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>When batches pause.</summary>
    public BatchLimits Batches { get; init; } = new();

    /// <summary>Runs all migrations in one transaction: either all are applied or none.</summary>
    public bool SingleTransaction { get; init; }

    /// <summary>What is asked of a migration's own transaction, by the migration's number; transactional up sections only.</summary>
    internal IReadOnlyDictionary<long, TransactionGuard> Guards { get; init; } = new Dictionary<long, TransactionGuard>();

    /// <summary>The version of the tool, for the history.</summary>
    public string ToolVersion { get; init; } =
        typeof(MigratorOptions).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0";

    /// <summary>Why it runs where it would be refused, for the log.</summary>
    internal string? Reason { get; init; }

    /// <summary>The backup that was made before this run, for the history.</summary>
    internal string? Backup { get; init; }
}

/// <summary>Commands around the statements of a migration, in its transaction.</summary>
/// <param name="Begin">Before the first statement.</param>
/// <param name="End">After the last one, in the migration's session state; an error rolls the migration back.</param>
/// <param name="SqlState">The SQLSTATE with which <paramref name="End"/> says that the transaction must not commit; the message says
/// why.</param>
internal sealed record TransactionGuard(string Begin, string End, string SqlState);
