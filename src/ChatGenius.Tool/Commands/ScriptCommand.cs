namespace ChatGenius.Tool.Commands;

internal sealed class ScriptCommand(Workspace workspace, Settings settings, Shell shell, Report report)
{
    internal static readonly Command Definition = new("script", "Write what apply would run as a file for psql")
    {
        Configure = app =>
        {
            var planOptions = new PlanOptions(app);
            var rollback = app.Option("--rollback", "What rollback would run, with --to or --steps", CommandOptionType.NoValue);
            var offline = app.Option("--offline", "Without a look at a database: as if it had none", CommandOptionType.NoValue);
            var from = app.Option("--from <NUMBER>", "With --offline: the first, or with --rollback the newest",
                CommandOptionType.SingleValue);
            var output = app.Option("-o|--output <FILE>", "Write there instead of to stdout", CommandOptionType.SingleValue);
            return Command.Handle<ScriptCommand>((command, cancellationToken) =>
                command.RunAsync(planOptions, rollback.HasValue(), offline.HasValue(), from.Migration(least: 1), output.Value(),
                    cancellationToken));
        },
        Details =
            """
            For those who must see or run the SQL by hand. The script takes the same lock,
            keeps the history as apply does, passes over what is applied by then (or undone,
            with --rollback), and can be run again.
            """,
        Examples =
            """
            chatgenius-db script -o release.sql && psql -X -f release.sql "$DATABASE_URL"
            chatgenius-db script --offline       from nothing, without a database
            chatgenius-db script --offline --from 6 --to 8
            chatgenius-db script --rollback --to 5
            """,
    };

    private async Task<ExitCode> RunAsync(
        PlanOptions options, bool rollback, bool offline, long? from, string? output, CancellationToken cancellationToken)
    {
        if (from is not null && !offline)
        {
            throw new ProblemException("CG1010", "--from needs --offline: with a database, the script begins where that is",
                advice: "Add --offline, or leave out --from.");
        }

        var plan = rollback ? await PlanRollbackAsync(options, offline, from, cancellationToken)
            : await PlanAsync(options.Request(settings), offline, from, cancellationToken);
        foreach (var remark in plan.Remarks)
        {
            report.Note(remark, label: "note");
        }

        var script = MigrationScript.Write(plan, settings.RunOptions);
        OutputFile.Write(shell, report, output, script);
        report.Note(plan.Steps.Count == 0 ? "Nothing to do: the script only makes the history"
            : $"{PlanText.Count(plan.Steps.Count - plan.Repeatables.Count, plan.Repeatables.Count)} written");
        return ExitCode.Done;
    }

    private async Task<MigrationPlan> PlanRollbackAsync(
        PlanOptions options, bool offline, long? from, CancellationToken cancellationToken)
    {
        if (options.To is null == options.Steps is null)
        {
            throw new ProblemException("CG1010", "script --rollback needs --to NUMBER or --steps N, and not both",
                advice: "--to names the migration that is to be the newest afterwards; 0 undoes all.");
        }

        var request = new RollbackRequest(options.Steps, options.To, TrustStoredDown: settings.Has(SettingKey.TrustStoredDown));
        if (!offline)
        {
            var (migrator, _) = await workspace.OpenAsync(settings.RunOptions, events: null, cancellationToken);
            return await migrator.PlanRollbackAsync(request, cancellationToken);
        }

        var migrations = workspace.Load(cancellationToken);
        RequireThere(migrations, from);
        var rows = migrations.Where(migration => migration.Version <= (from ?? long.MaxValue))
            .Select(migration => new HistoryRow(migration.Version, migration.Name, migration.Up.Checksum, default));
        return MigrationPlan.Rollback(migrations, HistorySnapshot.Empty with { Rows = [.. rows] }, request);
    }

    private static void RequireThere(IReadOnlyList<Migration> migrations, long? version)
    {
        if (version is { } number)
        {
            MigrationPlan.Apply(migrations, HistorySnapshot.Empty, new PlanRequest(number));
        }
    }

    private async Task<MigrationPlan> PlanAsync(PlanRequest request, bool offline, long? from, CancellationToken cancellationToken)
    {
        if (offline)
        {
            var migrations = workspace.Load(cancellationToken);
            RequireThere(migrations, from);
            var earlier = migrations.Where(migration => migration.Version < from)
                .Select(migration => new HistoryRow(migration.Version, migration.Name, migration.Up.Checksum, default));
            return MigrationPlan.Apply(migrations, HistorySnapshot.Empty with { Rows = [.. earlier] }, request, workspace.Repeatables);
        }

        var (migrator, _) = await workspace.OpenAsync(settings.RunOptions, events: null, cancellationToken);
        var plan = await migrator.PlanAsync(request, cancellationToken);
        return plan.Steps.FirstOrDefault(step => step.Resume is not null) is not { } stopped ? plan : throw new ProblemException(
            "CG0418", $"{stopped.Id} was interrupted, and a script begins every migration at its first statement",
            stopped.Section.Where, $"Finish it with {new ToolCall("apply", "--to", $"{stopped.Version}")}, or settle it with "
                + $"{new ToolCall("repair", $"{stopped.Version}")}, and write the script then.");
    }
}
