namespace ChatGenius.Tool.Output;

/// <summary>What every command that does something prints with <c>--json</c> (docs/json.md). What does not apply is absent.</summary>
/// <param name="Done">What was done: <c>applied</c>, <c>rolled_back</c>, <c>created</c>, <c>nothing</c>, …</param>
internal sealed record DoneJson(string Done)
{
    /// <summary>The URL of the database, without a password.</summary>
    public string? Database { get; init; }

    /// <summary>The migrations that it was done with, in their order.</summary>
    public IReadOnlyList<DoneMigrationJson>? Migrations { get; init; }

    /// <summary>The repeatable objects that ran, by name.</summary>
    public IReadOnlyList<DoneRepeatableJson>? Repeatables { get; init; }

    /// <summary>What the run remarked.</summary>
    public IReadOnlyList<string>? Remarks { get; init; }

    /// <summary>The files that were written or renamed.</summary>
    public IReadOnlyList<DoneFileJson>? Files { get; init; }

    /// <summary>The name of what was done something with: a checkpoint, a folder.</summary>
    public string? Name { get; init; }

    public double? DurationMs { get; init; }

    public static DoneJson Of(RunResult result, Target target, string done) =>
        new(result.Finished.Count > 0 ? done.Replace(' ', '_') : "nothing")
    {
        Database = target.Url.Display,
        Migrations = [.. result.Finished.Where(one => !one.Step.IsRepeatable).Select(one => DoneMigrationJson.Of(one.Step, one.Duration))],
        Repeatables = result.Finished.All(one => !one.Step.IsRepeatable) ? null
            : [.. result.Finished.Where(one => one.Step.IsRepeatable).Select(one => new DoneRepeatableJson(
                one.Step.Name, Math.Round(one.Duration.TotalMilliseconds, 3)))],
        Remarks = result.Plan.Remarks,
        DurationMs = Math.Round(result.Elapsed.TotalMilliseconds, 3),
    };
}

/// <param name="Name">The file's name, without <c>.sql</c>.</param>
internal sealed record DoneRepeatableJson(string Name, double DurationMs);

/// <param name="Version">0 for a repeatable object, in <c>apply --json-lines</c>.</param>
/// <param name="Direction"><c>up</c> or <c>down</c>; absent where nothing ran.</param>
internal sealed record DoneMigrationJson(long Version, string Name, string? Direction, double? DurationMs)
{
    public static DoneMigrationJson Of(MigrationStep step, TimeSpan? duration) => new(
        step.Version, step.Name, step.Direction.ToString().ToLowerInvariant(),
        duration is { } time ? Math.Round(time.TotalMilliseconds, 3) : null);
}

/// <param name="From">The name before; absent where the file is new.</param>
internal sealed record DoneFileJson(string Path, string? From);

/// <summary>A line of <c>apply --json-lines</c>: what happens, as it happens; the last one is <c>result</c> or <c>problems</c>.</summary>
/// <param name="Event">Such as <c>started</c>, <c>finished</c>, <c>waiting_for_lock</c>.</param>
internal sealed record EventJson(string Event)
{
    public DoneMigrationJson? Migration { get; init; }

    public int? Statement { get; init; }

    public int? Statements { get; init; }

    public string? Message { get; init; }

    public DoneJson? Result { get; init; }

    /// <summary>How far a statement in batches is.</summary>
    public BatchJson? Batches { get; init; }

    public IReadOnlyList<ProblemJson>? Problems { get; init; }

    public static EventJson Of(MigrationEvent value) => value switch
    {
        MigrationEvent.Started e => new("started") { Migration = DoneMigrationJson.Of(e.Step, null) },
        MigrationEvent.StatementStarted e => new("statement_started")
        {
            Migration = DoneMigrationJson.Of(e.Step, null), Statement = e.Number, Statements = e.Count, Message = e.Where.ToString(),
        },
        MigrationEvent.StatementRecognised e => new("statement_recognised")
        {
            Migration = DoneMigrationJson.Of(e.Step, null), Statement = e.Number, Message = e.Reason,
        },
        MigrationEvent.Progress e => new("progress") { Migration = Of(e.Step), Message = e.Phase, Statement = null },
        MigrationEvent.Batches e => new("batches")
        {
            Migration = DoneMigrationJson.Of(e.Step, null), Statement = e.State.Statement, Message = e.Pause,
            Batches = BatchJson.Of(e.State),
        },
        MigrationEvent.WaitingForRelation e => new("waiting_for_relation") { Migration = Of(e.Step),
            Message = string.Join("; ", e.Blockers) },
        MigrationEvent.WaitingForLock e => new("waiting_for_lock") { Message = e.Holder?.ToString() },
        MigrationEvent.WaitingForServer e => new("waiting_for_server") { Message = e.Reason },
        MigrationEvent.WaitingForBackend e => new("waiting_for_backend") { Message = $"pid {e.Pid}: {e.Query}" },
        MigrationEvent.Retrying e => new("retrying") { Migration = DoneMigrationJson.Of(e.Step, null), Message = e.Reason },
        MigrationEvent.Notice e => new("notice") { Migration = Of(e.Step), Message = $"{e.Severity}: {e.Message}" },
        MigrationEvent.Remark e => new("remark") { Message = e.Message },
        MigrationEvent.Finished e => new("finished") { Migration = DoneMigrationJson.Of(e.Step, e.Duration) },
        MigrationEvent.Cancelled e => new("cancelled") { Migration = Of(e.Step) },
        _ => new("other"),
    };

    private static DoneMigrationJson? Of(MigrationStep? step) => step is null ? null : DoneMigrationJson.Of(step, null);
}
