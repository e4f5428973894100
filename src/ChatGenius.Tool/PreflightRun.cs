using ChatGenius.Db.Replay;
using ChatGenius.Db.Safety;

namespace ChatGenius.Tool;

/// <summary>What was seen before a plan runs.</summary>
internal sealed record PreflightResult(
    MigrationPlan Plan, PreflightFacts Facts, IReadOnlyList<StepForecast> Forecasts, IReadOnlyList<PreflightFinding> Findings)
{
    /// <summary>Whether the plan was rehearsed; otherwise a forecast holds no more than the locks that are certified.</summary>
    public required bool IsRehearsed { get; init; }

    /// <exception cref="ProblemException">CG1601: a limit is passed.</exception>
    public void Require()
    {
        var refused = Findings.Where(finding => finding.Level == PreflightLevel.Refused).ToList();
        if (refused.Count > 0)
        {
            throw new ProblemException([.. refused.Select(finding => new Problem(
                "CG1601", finding.Message, Advice: $"{(finding.Advice is null ? "" : $"{finding.Advice}. ")}Nothing was run."))]);
        }
    }
}

/// <summary>Looks at a database before a plan runs there: for <c>preflight</c>, and for <c>apply</c>.</summary>
internal sealed class PreflightRun(Settings settings, TargetFinder targets, TraceRecords records, Report report)
{
    /// <summary>Whether a plan has to be rehearsed: a limit asks what it costs.</summary>
    public bool LimitsCost => Time(SettingKey.MaxTime) is not null || MaxWal is not null;

    private long? MaxWal => new SettingValue(settings[SettingKey.MaxWal].Value).Bytes is > 0 and var bytes ? bytes : null;

    /// <summary>Looks.</summary>
    /// <param name="database">Where the plan will run.</param>
    /// <param name="migrations">All there are.</param>
    /// <param name="plan">What will run.</param>
    /// <param name="rehearses">Whether it is rehearsed, and so its cost forecast.</param>
    /// <param name="shadow">The server for the rehearsal; null for the private one.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ProblemException">CG06xx: no connection; and those of <see cref="Forecaster.RunAsync"/>.</exception>
    public async Task<PreflightResult> RunAsync(
        Database database, IReadOnlyList<Migration> migrations, MigrationPlan plan, bool rehearses, string? shadow,
        CancellationToken cancellationToken)
    {
        var findings = new List<PreflightFinding>();
        var limits = new PreflightLimits
        {
            MaxTime = Time(SettingKey.MaxTime), MaxWal = MaxWal, MaxLag = Time(SettingKey.MaxLag),
            MaxTransactionAge = Time(SettingKey.MaxTransactionAge),
            LockTimeout = settings.RunOptions.LockTimeout, Usual = settings.RunOptions.Batches,
        };
        var forecasts = plan.Steps.Count == 0 ? []
            : rehearses ? await RehearseAsync(database, migrations, plan, shadow, findings, cancellationToken)
            : await CertifiedAsync(plan, cancellationToken);
        // What the rehearsal or a certificate of each has seen is all; otherwise what the statements name.
        var touched = forecasts.Count == plan.Steps.Count && forecasts.All(forecast => forecast.Basis.Length > 0)
            ? forecasts.SelectMany(forecast => forecast.Locks.Keys).Distinct().ToList() : null;
        var facts = await PreflightFacts.ReadAsync(
            database, touched, LossReader.NamesIn(plan.Steps), limits.Patience, cancellationToken);
        findings.AddRange(new Preflight(facts, forecasts, limits, Preflight.WaitsForAll(plan.Steps))
        {
            KnowsLocks = touched is not null,
        }.Judge());
        return new PreflightResult(plan, facts, forecasts, findings) { IsRehearsed = rehearses };
    }

    /// <summary>Keeps what was expected beside what it took, for later forecasts.</summary>
    public async Task RememberAsync(Migrator migrator, PreflightResult preflight, RunResult run, CancellationToken cancellationToken)
    {
        var known = preflight.Forecasts.Where(forecast => forecast.Estimate > 0 && !forecast.Step.IsRepeatable);
        var entries = run.Finished.Where(done => !done.Step.IsRepeatable).Join(
            known, done => done.Step.Version, forecast => forecast.Step.Version,
            (done, forecast) => new LogEntry(
                EarlierRuns.Action, "apply", done.Step.Version, done.Step.Name, done.Duration, settings.RunOptions.ToolVersion,
                Detail: forecast.ToJson())).ToList();
        try
        {
            await (entries.Count == 0 ? Task.CompletedTask : migrator.WriteLogAsync(entries, cancellationToken));
        }
        catch (ProblemException e)
        {
            report.Note($"What was expected could not be kept for later forecasts: {e.Message}", label: "note");
        }
    }

    /// <summary>A limit that somebody has set; null where it is the default, or 0.</summary>
    private TimeSpan? Time(SettingKey key) => settings[key] is var setting && setting.Origin != Setting.Default
        && new SettingValue(setting.Value).Time is { Ticks: > 0 } time ? time : null;

    private async Task<IReadOnlyList<StepForecast>> RehearseAsync(
        Database database, IReadOnlyList<Migration> migrations, MigrationPlan plan, string? shadow, List<PreflightFinding> findings,
        CancellationToken cancellationToken)
    {
        var sizes = await TableSizes.ReadAsync(database, cancellationToken);
        var earlier = EarlierRuns.None;
        try
        {
            var (log, batches) = await new Migrator(database, migrations, settings.RunOptions).EarlierAsync(cancellationToken);
            earlier = EarlierRuns.Of(log, batches);
        }
        catch (ProblemException e) when (e.Problems is [{ Code: "CG0519" } problem])
        {
            findings.Add(new PreflightFinding("earlier_runs", PreflightLevel.Unknown,
                $"How long earlier runs took on this database is not known: {problem.Message}", problem.Advice));
        }

        var options = new ReplayOptions
        {
            LockTimeout = $"{(long)settings.RunOptions.LockTimeout.TotalMilliseconds}ms", TimeZone = sizes.TimeZone,
        };
        try
        {
            return await new Forecaster(targets.Replayer(shadow, options), sizes, earlier)
                .RunAsync(migrations, plan.Steps, cancellationToken);
        }
        catch (ProblemException e) when (shadow is null)
        {
            // What needs no rehearsal is said all the same.
            return [.. plan.Steps.Select(step => new StepForecast(step) { Unknown = [$"it can't be rehearsed: {e.Message}"] })];
        }
    }

    private async Task<IReadOnlyList<StepForecast>> CertifiedAsync(MigrationPlan plan, CancellationToken cancellationToken)
    {
        var forecasts = new List<StepForecast>();
        foreach (var step in plan.Steps)
        {
            var record = step is { Direction: MigrationDirection.Up, IsRepeatable: false }
                ? await records.FindAsync(step.File, cancellationToken) : null;
            forecasts.Add(record is null ? new StepForecast(step)
                : new StepForecast(step) { Locks = record.Locks(), Basis = "its certificate" });
        }

        return forecasts;
    }
}
