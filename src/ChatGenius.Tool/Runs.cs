namespace ChatGenius.Tool;

/// <summary>What commands that run migrations have in common: they plan, say what will be lost, ask, run, and sum up.</summary>
internal sealed class Runs(Workspace workspace, Settings settings, Consent consent, SchemaFile schemaFile, Report report)
{
    /// <summary>Asks, runs, and sums up.</summary>
    /// <param name="target">What the run works on.</param>
    /// <param name="question">Null where nothing is to be asked.</param>
    /// <param name="yes">Whether <c>--yes</c> answers it.</param>
    /// <param name="done">What the summary says of the migrations: <c>applied</c>, <c>rolled back</c>.</param>
    /// <param name="progress">What the run reports to.</param>
    /// <param name="run">The run.</param>
    /// <param name="cancellationToken">Cancels the run.</param>
    /// <param name="startsOver">Whether nothing of the database as it is stays.</param>
    public async Task<ExitCode> RunAsync(
        Target target, string? question, bool yes, string done, RunProgress progress, Func<Task<RunResult>> run,
            CancellationToken cancellationToken, bool startsOver = false)
    {
        progress.Pause();
        if (question is not null && !await consent.AskAsync(question, yes, cancellationToken))
        {
            return ExitCode.Cancelled;
        }

        var reasonAgainst = startsOver ? null : await schemaFile.ReasonAgainstAsync(target, cancellationToken);
        var result = await run();
        progress.Dispose();
        RunSummary.Write(report, result, target, done);
        await schemaFile.WriteAsync(target, reasonAgainst, cancellationToken);
        return ExitCode.Done;
    }

    /// <summary>Undoes migrations, and does more with them where the command says so.</summary>
    /// <param name="decide">Which.</param>
    /// <param name="dryRun">Whether only the plan and the losses are shown.</param>
    /// <param name="yes">Whether <c>--yes</c> was given.</param>
    /// <param name="reason">What <c>--protected-reason</c> says.</param>
    /// <param name="words">The command's name, its verb for the question (<c>Roll back</c>), and what the summary says.</param>
    /// <param name="run">The run.</param>
    /// <param name="cancellationToken">Cancels the run.</param>
    /// <exception cref="ProblemException">CG1009: the environment is protected; CG1008: no terminal to ask on; and those of the
    /// run.</exception>
    public async Task<ExitCode> UndoAsync(
        Func<Migrator, Task<MigrationPlan>> decide, bool dryRun, bool yes, string? reason,
        (string Command, string Verb, string Done) words,
        Func<Migrator, MigrationPlan, Task<RunResult>> run, CancellationToken cancellationToken)
    {
        var options = settings.RunOptions;
        if (!dryRun)
        {
            options = options with { Reason = consent.RefuseWhereProtected(words.Command, reason) };
        }

        using var progress = new RunProgress(report);
        var (migrator, target) = await workspace.OpenAsync(
            options, progress, cancellationToken, allOfANumber: words.Command is "rollback" or "renumber");
        var plan = await decide(migrator);
        workspace.Require(plan.Statuses);
        if (plan.Steps is not [var newest, ..])
        {
            report.Result($"Nothing to {words.Verb.ToLowerInvariant()}");
            report.Result(new DoneJson("nothing") { Database = target.Url.Display }, JsonContext.Readable.DoneJson);
            return ExitCode.Done;
        }

        if (dryRun)
        {
            PlanText.Write(report, plan, asResult: true);
        }

        if (plan.InTheWay.Count > 0)
        {
            report.Note("These repeatable objects are dropped if they are in the way, until their files run again: "
                + string.Join(", ", plan.InTheWay.Select(step => step.Name)));
        }

        foreach (var step in plan.Repeatables.Where(step => step.Direction == MigrationDirection.Down))
        {
            report.Note($"{step.Id} gets back the text that ran before");
        }

        var undone = plan.Steps.Where(step => step.Direction == MigrationDirection.Down && !step.IsRepeatable).ToList();
        foreach (var step in undone.Where(step => step.IsStored))
        {
            var file = plan.Statuses.FirstOrDefault(status => status.Version == step.Version)?.Migration;
            report.Note($"{step.Id} is undone by the down that the history has kept: "
                + (file is null ? "its file is not here any more"
                    : file.Name == step.Name ? "its up section was edited after it was applied" : $"{file.Id} has its number now"));
        }

        if (undone.Count > 0 && !settings.Has(SettingKey.NoEstimate))
        {
            progress.Show("Looking at what will be lost");
            await LossText.WriteAsync(report, target.Database, plan, settings.RunOptions, cancellationToken);
            progress.Pause();
        }

        if (dryRun)
        {
            return ExitCode.Done;
        }

        var asked = undone.Count > 0 ? undone : [.. plan.Steps];
        var what = asked.Count == 1 ? newest.Id : $"{Plural.Of(asked.Count, "migration")}, {newest.Id} to {asked[^1].Id},";
        return await RunAsync(
            target, $"{words.Verb} {what} on {target.Url.Display}?", yes, words.Done, progress, () =>
                run(migrator, plan), cancellationToken);
    }
}
