using ChatGenius.Db.Text;
using Npgsql;

namespace ChatGenius.Db.Migrations;

/// <summary>Something a run tells while it goes on. One at a time, in order.</summary>
public abstract record MigrationEvent
{
    private MigrationEvent()
    {
    }

    /// <summary>The server is starting up or has no connection to spare; told once.</summary>
    public sealed record WaitingForServer(string Reason) : MigrationEvent;

    /// <summary>Another run holds the lock; told once at the start of the wait and again when the holder changes.</summary>
    public sealed record WaitingForLock(LockHolder? Holder) : MigrationEvent;

    /// <summary>A statement that an interrupted run left behind still runs on the server; we wait for its end.</summary>
    public sealed record WaitingForBackend(int Pid, string Query) : MigrationEvent;

    /// <summary>A migration begins.</summary>
    public sealed record Started(MigrationStep Step) : MigrationEvent;

    /// <summary>A statement of a non-transactional migration begins; <paramref name="Number"/> counts from 1.</summary>
    public sealed record StatementStarted(MigrationStep Step, int Number, int Count, SourceLocation Where) : MigrationEvent;

    /// <summary>A statement needs no run: what it does is there already, as an interrupted run left it.</summary>
    public sealed record StatementRecognised(MigrationStep Step, int Number, string Reason) : MigrationEvent;

    /// <summary>How far the server is with the running statement, as its progress views say.</summary>
    public sealed record Progress(MigrationStep? Step, string Phase, long Done, long Total) : MigrationEvent;

    /// <summary>A statement that goes in batches is this far; <paramref name="Pause"/> says why it waits, where it does.</summary>
    public sealed record Batches(MigrationStep Step, BatchState State, string? Pause) : MigrationEvent;

    /// <summary>The running statement waits for a lock that others hold.</summary>
    public sealed record WaitingForRelation(MigrationStep? Step, IReadOnlyList<LockHolder> Blockers) : MigrationEvent;

    /// <summary>A migration was rolled back because of a lock and will be tried again after <paramref name="Delay"/>.</summary>
    public sealed record Retrying(MigrationStep Step, int Attempt, int Attempts, TimeSpan Delay, string Reason) : MigrationEvent;

    /// <summary>A message from the server: NOTICE, WARNING and the like.</summary>
    public sealed record Notice(MigrationStep? Step, string Severity, string Message) : MigrationEvent
    {
        /// <summary>The SQLSTATEs with which the server says that something is there already.</summary>
        internal static readonly string[] IsThere =
        [
            PostgresErrorCodes.DuplicateTable, PostgresErrorCodes.DuplicateColumn, PostgresErrorCodes.DuplicateObject,
            PostgresErrorCodes.DuplicateSchema,
        ];

        /// <summary>The statement that it is about, where that is one of a file.</summary>
        public SourceLocation? Where { get; init; }

        /// <summary>Whether <c>IF NOT EXISTS</c> passed over something that is there already.</summary>
        public bool PassesOver { get; init; }
    }

    /// <summary>What somebody should know and see to, though the run goes on.</summary>
    public sealed record Remark(string Message) : MigrationEvent;

    /// <summary>A migration is done and durable.</summary>
    public sealed record Finished(MigrationStep Step, TimeSpan Duration) : MigrationEvent;

    /// <summary>A run was cancelled; what had not finished was rolled back or waits in the journal.</summary>
    public sealed record Cancelled(MigrationStep? Step, int FinishedCount) : MigrationEvent;
}

/// <summary>A session that others wait for, as <c>pg_stat_activity</c> names it.</summary>
/// <param name="Pid">The process id of its backend.</param>
/// <param name="Application">Its <c>application_name</c>; may be empty.</param>
/// <param name="User">Its role; empty where the viewer may not see it.</param>
/// <param name="Since">When its transaction began; <c>null</c> where the viewer may not see it.</param>
/// <param name="Query">What it runs, or ran last; empty where the viewer may not see it.</param>
public sealed record LockHolder(int Pid, string Application, string User, DateTimeOffset? Since, string Query)
{
    /// <summary>Reads one from a row of pid, application, user, begin of the transaction, and query.</summary>
    internal static LockHolder Read(NpgsqlDataReader reader) => new(
        reader.GetInt32(0),
        reader.IsDBNull(1) ? "" : reader.GetString(1),
        reader.IsDBNull(2) ? "" : reader.GetString(2),
        reader.IsDBNull(3) ? null : new DateTimeOffset(reader.GetDateTime(3), TimeSpan.Zero),
        reader.IsDBNull(4) ? "" : reader.GetString(4));

    /// <summary>One line: pid, application, user, since when, and the query's beginning.</summary>
    public override string ToString()
    {
        var text = $"pid {Pid}";
        text += Application.Length > 0 ? $", application {Application}" : "";
        text += User.Length > 0 ? $", user {User}" : "";
        text += Since is { } since ? $", since {since.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC" : "";
        var query = string.Join(' ', Query.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return text + (query.Length > 0 ? $": {(query.Length > 80 ? query[..77] + "..." : query)}" : "");
    }
}
