using ChatGenius.Db.Migrations;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Safety;

/// <summary>What is asked of a database and of a forecast before a plan may run; null is no rule.</summary>
internal sealed record PreflightLimits
{
    /// <summary>How long all of it may take.</summary>
    public TimeSpan? MaxTime { get; init; }

    /// <summary>How many bytes of write-ahead log it may write.</summary>
    public long? MaxWal { get; init; }

    /// <summary>How far a standby may be behind.</summary>
    public TimeSpan? MaxLag { get; init; }

    /// <summary>How old another transaction may be.</summary>
    public TimeSpan? MaxTransactionAge { get; init; }

    /// <summary>How long a lock is waited for.</summary>
    public required TimeSpan LockTimeout { get; init; }

    /// <summary>The same for those that are worth a word where they are no rule, and the rest.</summary>
    public required BatchLimits Usual { get; init; }

    /// <summary>How long a standby is given to replay what is there, before it counts as behind.</summary>
    public TimeSpan Patience => MaxLag is { } most && most > TimeSpan.Zero ? most : TimeSpan.FromSeconds(3);
}

/// <summary>How much something matters that was seen before a run.</summary>
internal enum PreflightLevel
{
    /// <summary>It is worth a word.</summary>
    Note,

    /// <summary>It is not known whether all is well.</summary>
    Unknown,

    /// <summary>The run would wait for it, or harm it.</summary>
    Warning,

    /// <summary>A limit is passed: nothing runs.</summary>
    Refused,
}

/// <summary>Something that was seen before a run.</summary>
/// <param name="Kind">One word for programs.</param>
/// <param name="Level">How much it matters.</param>
/// <param name="Message">What it is.</param>
/// <param name="Advice">What to do.</param>
internal sealed record PreflightFinding(string Kind, PreflightLevel Level, string Message, string? Advice = null);

/// <summary>Judges what a database is like before a plan runs; a pure function of what was read.</summary>
/// <param name="facts">That.</param>
/// <param name="forecasts">What the steps will cost, as far as that is known.</param>
/// <param name="limits">What is asked.</param>
/// <param name="waitsForAll">Whether a statement waits for the end of all older transactions, as CREATE INDEX CONCURRENTLY does.</param>
internal sealed class Preflight(PreflightFacts facts, IReadOnlyList<StepForecast> forecasts, PreflightLimits limits, bool waitsForAll)
{
    // A run has two sessions.
    private const int Sessions = 2;

    private readonly List<PreflightFinding> _findings = [];

    /// <summary>Whether the forecasts have the locks that the plan takes; otherwise each may be the strongest.</summary>
    public bool KnowsLocks { get; init; }

    private string Grant => $"GRANT pg_monitor TO {facts.Role}";

    /// <summary>The steps' expected time together; null where one of them is not known.</summary>
    public static Expected? Total(IReadOnlyList<StepForecast> forecasts, Func<StepForecast, Expected?> part) =>
        forecasts.Count == 0 || forecasts.Any(forecast => part(forecast) is null) ? null
            : forecasts.Select(forecast => part(forecast)!.Value).Aggregate((sum, next) => sum + next);

    /// <summary>Whether a statement of the plan waits for the end of all older transactions.</summary>
    public static bool WaitsForAll(IEnumerable<MigrationStep> steps) => steps.SelectMany(step => step.Left()).Any(left =>
        StatementKind.Of(left.Statement).Mode is StatementMode.CreateIndex or StatementMode.DropIndex or StatementMode.Reindex
            or StatementMode.DetachPartition);

    /// <summary>What there is to say, what matters most first.</summary>
    public IReadOnlyList<PreflightFinding> Judge()
    {
        JudgeLocks();
        JudgeTransactions();
        JudgeTables();
        JudgeStandbys();
        JudgeSlots();
        JudgeServer();
        JudgeForecast();
        return [.. _findings.OrderByDescending(finding => finding.Level)];
    }

    private void Add(string kind, PreflightLevel level, string message, string? advice = null) =>
        _findings.Add(new PreflightFinding(kind, level, message, advice));

    private void JudgeLocks()
    {
        foreach (var held in facts.Locks.GroupBy(held => (held.Table, held.Holder.Pid, held.Prepared))
            .Select(all => all.MaxBy(one => one.Mode)!))
        {
            var wanted = !KnowsLocks || forecasts.Count == 0 ? LockMode.AccessExclusive
                : forecasts.Max(forecast => forecast.Locks.GetValueOrDefault(held.Table));
            if (!facts.Locks.Any(one => one.Table == held.Table && one.Holder.Pid == held.Holder.Pid && one.Prepared == held.Prepared
                && one.Mode.ConflictsWith(wanted)))
            {
                continue;
            }

            if (held.Prepared is { } name)
            {
                Add("prepared_transaction", PreflightLevel.Warning,
                    $"{held.Table.Display} is locked ({held.Mode.ToSql()}) by the {PreflightFacts.Prepared(name, held.Holder.User)}, "
                        + $"prepared {Ago(held.Age)}",
                    $"It ends only with COMMIT PREPARED {SqlLiteral.Quote(name)} or ROLLBACK PREPARED {SqlLiteral.Quote(name)}.");
            }
            else if (held.Age is { } age)
            {
                if (age > limits.LockTimeout)
                {
                    Add("lock", PreflightLevel.Warning,
                        $"{held.Table.Display} is locked ({held.Mode.ToSql()}) for {Time(age)} ({held.Holder}): the run would wait for it",
                        $"Let it end, or end it: SELECT pg_terminate_backend({held.Holder.Pid})");
                }
            }
            else if (!facts.SeesOthers)
            {
                Add("lock", PreflightLevel.Unknown,
                    $"{held.Table.Display} is locked ({held.Mode.ToSql()}) by pid {held.Holder.Pid}; for how long is not known", Grant);
            }
        }
    }

    private void JudgeTransactions()
    {
        if (!facts.SeesOthers)
        {
            Add("transactions", limits.MaxTransactionAge is null ? PreflightLevel.Unknown : PreflightLevel.Refused,
                $"How old other sessions' transactions are is not known", Grant);
        }

        var most = limits.MaxTransactionAge ?? limits.Usual.MaxTransactionAge;
        foreach (var (who, age, isPrepared) in facts.Transactions)
        {
            if (most > TimeSpan.Zero && age > most)
            {
                Add("transactions", limits.MaxTransactionAge is null ? PreflightLevel.Warning : PreflightLevel.Refused,
                    $"A transaction is {Time(age)} old ({who}): "
                        + (waitsForAll ? "CONCURRENTLY waits for its end" : "dead rows stay until it ends"),
                    isPrepared ? "It ends with COMMIT PREPARED or ROLLBACK PREPARED." : null);
            }
            else if (waitsForAll && (age > limits.LockTimeout || isPrepared))
            {
                Add("transactions", PreflightLevel.Warning,
                    $"CONCURRENTLY waits for the end of a transaction that is {Time(age)} old ({who})");
            }
        }
    }

    private void JudgeTables()
    {
        foreach (var table in facts.Tables)
        {
            if (table.Vacuum is { } pid)
            {
                Add("wraparound", PreflightLevel.Warning,
                    $"Autovacuum works on {table.Name.Display} to prevent wraparound (pid {pid}), and does not give way",
                    "Wait until it is done.");
            }
            else if (table.Age > 0.95)
            {
                Add("wraparound", PreflightLevel.Warning,
                    $"{table.Name.Display} is about to need an autovacuum to prevent wraparound (at {table.Age:P0} of its age), which does "
                        + "not give way", $"VACUUM (FREEZE) {SqlIdentifier.Quote(table.Name.Schema, table.Name.Name)} before");
            }
        }

        if (!facts.SeesOthers && facts.Tables.Count > 0)
        {
            Add("wraparound", PreflightLevel.Unknown,
                "Whether autovacuum works on these tables to prevent wraparound is not known", Grant);
        }
    }

    private void JudgeStandbys()
    {
        if (!facts.SeesOthers && facts.Standbys.Count > 0)
        {
            Add("standbys", limits.MaxLag is null ? PreflightLevel.Unknown : PreflightLevel.Refused,
                $"How far the standbys ({facts.Standbys.Count}) are behind is not known", Grant);
            return;
        }

        var most = limits.MaxLag ?? limits.Usual.MaxLag;
        foreach (var standby in facts.Standbys)
        {
            // It was watched for no longer than that.
            var lags = standby.Lag is { } lag && ((most > TimeSpan.Zero && lag >= most) || lag >= limits.Patience);
            if (lags || (limits.Usual.MaxLagBytes > 0 && standby.Bytes > limits.Usual.MaxLagBytes))
            {
                Add("standbys", limits.MaxLag is not null && standby.Lag >= most ? PreflightLevel.Refused : PreflightLevel.Warning,
                    $"The standby {standby.Name} has {Size(standby.Bytes ?? 0)} to replay{(standby.Lag is { } time
                        ? $", and is {Time(time)} behind or more" : "")}");
            }
        }

        if (facts.CommitWaits == true)
        {
            Add("synchronous", PreflightLevel.Warning,
                $"No standby of synchronous_standby_names is connected: a commit waits for one without end");
        }
        else if (facts.CommitWaits is null)
        {
            Add("synchronous", PreflightLevel.Unknown, $"Whether a synchronous standby is connected is not known", Grant);
        }
    }

    private void JudgeSlots()
    {
        var wal = Total(forecasts, forecast => forecast.Wal)?.High;
        foreach (var slot in facts.Slots)
        {
            if (slot.Status == "lost")
            {
                Add("slots", PreflightLevel.Warning, $"The slot {slot.Name} is lost already",
                    "What read from it needs a new copy. Drop the slot.");
            }
            else if (slot.Safe is { } safe && (slot.IsNear(limits.Usual.MinSlotBytes) || wal > safe))
            {
                Add("slots", PreflightLevel.Warning,
                    $"The slot {slot.Name} is lost after {Size(Math.Max(safe, 0))} more of write-ahead log{(wal is { } high
                        ? $"; the plan may write {Size((long)high)}" : "")}");
            }
            else if (!slot.Active)
            {
                Add("slots", PreflightLevel.Warning,
                    $"Nobody reads from the slot {slot.Name}, which keeps {Size(slot.Kept)} of write-ahead log and all that comes",
                    $"Where nobody will: SELECT pg_drop_replication_slot({SqlLiteral.Quote(slot.Name)})");
            }
        }

        if (facts.ArchiveFails is { } since)
        {
            Add("archive", PreflightLevel.Warning,
                $"The archive takes no files, last tried {since:yyyy-MM-dd HH:mm:ss} UTC: what is written stays on the server's disk");
        }
    }

    private void JudgeServer()
    {
        if (facts.FreeConnections < Sessions)
        {
            Add("connections", PreflightLevel.Warning,
                $"A run needs {Sessions} connections, and {Math.Max(0, facts.FreeConnections)} "
                    + $"{(facts.FreeConnections == 1 ? "is" : "are")} free");
        }

        var need = Total(forecasts, forecast => forecast.Disk) is { } disk
            ? $": up to {Size((long)disk.High)} more is needed, and as much again where the log stays on the same disk" : "";
        Add("disk", PreflightLevel.Note, $"SQL does not say how much of the disk is free{need}");
    }

    private void JudgeForecast()
    {
        foreach (var forecast in forecasts)
        {
            foreach (var unknown in forecast.Unknown)
            {
                Add("forecast", PreflightLevel.Unknown, $"What {forecast.Step.Id} costs is not known: {unknown}");
            }
        }

        Rule("time", limits.MaxTime?.TotalMilliseconds, forecast => forecast.Time, value => Time(TimeSpan.FromMilliseconds(value)));
        Rule("wal", limits.MaxWal, forecast => forecast.Wal, value => Size((long)value));
    }

    private void Rule(string kind, double? most, Func<StepForecast, Expected?> part, Func<double, string> format)
    {
        if (most is not { } limit)
        {
            return;
        }

        var (verb, what) = kind == "time" ? ("take", "") : ("write", " of write-ahead log");
        if (Total(forecasts, part) is not { } total)
        {
            Add(kind, PreflightLevel.Refused, $"Whether the plan keeps to the limit of {format(limit)}{what} is not known");
        }
        else if (total.High > limit)
        {
            Add(kind, PreflightLevel.Refused,
                $"The plan is expected to {verb} {format(total.Low)} to {format(total.High)}{what}, and the limit is {format(limit)}");
        }
    }

    private static string Ago(TimeSpan? age) => age is { } known ? $"{Time(known)} ago" : "at an unknown time";

    private static string Time(TimeSpan time) => time switch
    {
        { TotalSeconds: < 1 } => $"{time.TotalMilliseconds:0} ms",
        { TotalSeconds: < 100 } => $"{time.TotalSeconds:0.#} s",
        { TotalMinutes: < 100 } => $"{time.TotalMinutes:0} min",
        { TotalHours: < 48 } => $"{time.TotalHours:0} h",
        _ => $"{time.TotalDays:0} days",
    };

    private static string Size(long bytes) => bytes switch
    {
        < 1_000 => $"{bytes} bytes",
        < 1_000_000 => $"{bytes / 1024.0:0} kB",
        < 1_000_000_000 => $"{bytes / 1048576.0:0.#} MB",
        _ => $"{bytes / 1073741824.0:0.#} GB",
    };
}
