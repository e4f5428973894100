using ChatGenius.Db.Migrations;
using Microsoft.Extensions.Logging;
using ChatGenius.Db.Text;
using Npgsql;

namespace ChatGenius.Db;

/// <summary>Something a run tells while it goes on: one at a time, in order. <see cref="ToString"/> is a line for people.</summary>
public abstract record MigrationEvent
{
    private MigrationEvent(LogLevel level) => Level = level;

    /// <summary>How much it matters: what somebody should see to is a warning, what only shows progress is for debugging.</summary>
    public LogLevel Level { get; protected init; }

    /// <summary>What it says, in one line or more.</summary>
    internal abstract string Text { get; }

    /// <summary>Hands each event to an action before the run goes on, which <see cref="System.Progress{T}"/> does not: it calls
    /// later, and in any order.</summary>
    public static IProgress<MigrationEvent> To(Action<MigrationEvent> action) => new Receiver(action);

    /// <summary>Writes each event into a log, with its level, as its line.</summary>
    public static IProgress<MigrationEvent> To(ILogger logger) =>
        new Receiver(one => logger.Log(one.Level, default, one, exception: null, static (one, _) => one.ToString()));

    /// <summary>One line that says what happens.</summary>
    public sealed override string ToString() => Text.ReplaceLineEndings(" ");

    /// <summary>The server is starting up or has no connection to spare; told once.</summary>
    internal sealed record WaitingForServer(string Reason) : MigrationEvent(LogLevel.Information)
    {
        internal override string Text => $"{Reason}, waiting";
    }

    /// <summary>Another run holds the lock; told once at the start of the wait and again when the holder changes.</summary>
    internal sealed record WaitingForLock(LockHolder? Holder) : MigrationEvent(LogLevel.Information)
    {
        internal override string Text => $"Another run holds the lock{(Holder is null ? "" : $" ({Holder})")}, waiting";
    }

    /// <summary>A statement that an interrupted run left behind still runs on the server; we wait for its end.</summary>
    internal sealed record WaitingForBackend(int Pid, string Query) : MigrationEvent(LogLevel.Information)
    {
        internal override string Text => $"An interrupted run's statement still runs (pid {Pid}), waiting: {Query}";
    }

    /// <summary>A migration begins.</summary>
    internal sealed record Started(MigrationStep Step) : MigrationEvent(LogLevel.Information)
    {
        internal override string Text => $"{Step.Id} begins";
    }

    /// <summary>A statement of a non-transactional migration begins; <paramref name="Number"/> counts from 1.</summary>
    internal sealed record StatementStarted(MigrationStep Step, int Number, int Count, SourceLocation Where)
        : MigrationEvent(LogLevel.Debug)
    {
        internal override string Text => $"{Step.Id}: statement {Number} of {Count} at {Where}";
    }

    /// <summary>A statement needs no run: what it does is there already, as an interrupted run left it.</summary>
    internal sealed record StatementRecognised(MigrationStep Step, int Number, string Reason) : MigrationEvent(LogLevel.Information)
    {
        internal override string Text => $"{Step.Id}: statement {Number} is done already: {Reason}";
    }

    /// <summary>How far the server is with the running statement, as its progress views say.</summary>
    internal sealed record Progress(MigrationStep? Step, string Phase, long Done, long Total) : MigrationEvent(LogLevel.Debug)
    {
        internal override string Text => Total > 0 ? $"{Phase}, {100 * Math.Min(Done, Total) / Total} %" : Phase;
    }

    /// <summary>A statement that goes in batches is this far; <paramref name="Pause"/> says why it waits, where it does.</summary>
    internal sealed record Batches(MigrationStep Step, BatchState State, string? Pause) : MigrationEvent(LogLevel.Debug)
    {
        internal override string Text => $"{Step.Id}: {State.Rows} rows in batches{(Pause is null ? "" : $"; waits: {Pause}")}";
    }

    /// <summary>The running statement waits for a lock that others hold.</summary>
    internal sealed record WaitingForRelation(MigrationStep? Step, IReadOnlyList<LockHolder> Blockers)
        : MigrationEvent(LogLevel.Information)
    {
        internal override string Text => $"{Step?.Id ?? "the run"} waits for {string.Join("; ", Blockers)}";
    }

    /// <summary>A migration was rolled back because of a lock and will be tried again after <paramref name="Delay"/>.</summary>
    internal sealed record Retrying(MigrationStep Step, int Attempt, int Attempts, TimeSpan Delay, string Reason)
        : MigrationEvent(LogLevel.Warning)
    {
        internal override string Text =>
            $"{Step.Id} gave way ({Reason}); attempt {Attempt + 1} of {Attempts + 1} in {Delay.TotalSeconds:0.0} s";
    }

    /// <summary>A message from the server: NOTICE, WARNING and the like.</summary>
    internal sealed record Notice(MigrationStep? Step, string Severity, string Message)
        : MigrationEvent(Severity == "WARNING" ? LogLevel.Warning : LogLevel.Debug)
    {
        internal override string Text => $"{Severity}: {Message}";

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
    internal sealed record Remark(string Message) : MigrationEvent(LogLevel.Warning)
    {
        internal override string Text => Message;
    }

    /// <summary>A migration is done and durable.</summary>
    internal sealed record Finished(MigrationStep Step, TimeSpan Duration) : MigrationEvent(LogLevel.Information)
    {
        internal override string Text => $"{Verb} {Step.Id} in {Duration.TotalMilliseconds:0} ms";

        /// <summary>What was done with it, in the past.</summary>
        internal string Verb => Step.Direction == MigrationDirection.Up ? "applied" : Step.IsRepeatable ? "put back" : "rolled back";
    }

    /// <summary>A run was cancelled; what had not finished was rolled back or waits in the journal.</summary>
    internal sealed record Cancelled(MigrationStep? Step, int FinishedCount, bool InOneTransaction = false)
        : MigrationEvent(LogLevel.Warning)
    {
        internal override string Text
        {
            get
            {
                var undone = Step is null ? "Cancelled"
                    : InOneTransaction ? "Cancelled: nothing was changed"
                    : Step.IsRepeatable ? $"Cancelled: {Step.Id} was not changed"
                    : Step.Section.Transactional
                        ? $"Cancelled: {Step.Id} is {(Step.Direction == MigrationDirection.Up ? "not" : "still")} applied"
                    : $"Cancelled: {Step.Id} was interrupted, and the next run continues it";
                return FinishedCount == 0 ? undone
                    : $"{undone}; {(FinishedCount == 1 ? "1 migration was" : $"{FinishedCount} migrations were")} finished before";
            }
        }
    }

    private sealed class Receiver(Action<MigrationEvent> action) : IProgress<MigrationEvent>
    {
        public void Report(MigrationEvent value) => action(value);
    }
}

/// <summary>A session that others wait for, as <c>pg_stat_activity</c> names it.</summary>
/// <param name="Pid">The process id of its backend.</param>
/// <param name="Application">Its <c>application_name</c>; may be empty.</param>
/// <param name="User">Its role; empty where the viewer may not see it.</param>
/// <param name="Since">When its transaction began; <c>null</c> where the viewer may not see it.</param>
/// <param name="Query">What it runs, or ran last; empty where the viewer may not see it.</param>
internal sealed record LockHolder(int Pid, string Application, string User, DateTimeOffset? Since, string Query)
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
