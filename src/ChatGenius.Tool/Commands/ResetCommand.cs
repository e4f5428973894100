namespace ChatGenius.Tool.Commands;

internal sealed class ResetCommand(Workspace workspace, TargetFinder targets, Settings settings, Consent consent, Runs runs, Report report)
{
    internal static readonly Command Definition = new("reset", "Drop the database, create it, and apply everything")
    {
        Json = true,
        Configure = app =>
        {
            var force = app.Option("--force", "End the sessions that use it (PostgreSQL 13 and newer)", CommandOptionType.NoValue);
            SettingKey.NoEstimate.Declare(app);
            var yes = app.Option("-y|--yes", "Don't ask", CommandOptionType.NoValue);
            SettingKey.DeclareRun(app);
            return Command.Handle<ResetCommand>((command, cancellationToken) =>
                command.RunAsync(force.HasValue(), yes.HasValue(), cancellationToken));
        },
        Details =
            """
            Says what will be lost and asks; without a terminal it needs --yes. Refused
            in a protected environment. The migrations are read before the database is
            dropped.
            """,
        Examples =
            """
            chatgenius-db reset           asks first
            chatgenius-db reset --yes     from nothing to the current schema
            """,
    };

    private async Task<ExitCode> RunAsync(bool force, bool yes, CancellationToken cancellationToken)
    {
        consent.RefuseWhereProtected("reset");
        using var progress = new RunProgress(report);
        // Not opened together: a connection would keep the database from being dropped.
        var migrations = await workspace.LoadAsync(cancellationToken);
        var target = await targets.FindAsync(cancellationToken);
        if (!settings.Has(SettingKey.NoEstimate))
        {
            progress.Show("Looking at what will be lost");
            await LossText.WriteAsync(report, target.Database, settings.RunOptions, cancellationToken);
        }

        return await runs.RunAsync(
            target, $"Drop {target.Url.Display} with everything in it, and build it again?", yes, "applied", progress,
            async () =>
            {
                await target.Database.DropAsync(force, cancellationToken);
                await target.Database.CreateAsync(cancellationToken: cancellationToken);
                var migrator = new Migrator(target.Database, migrations, settings.RunOptions, progress, workspace.Repeatables);
                return await migrator.ApplyAsync(new PlanRequest(), confirmed: null, cancellationToken);
            },
            cancellationToken, startsOver: true);
    }
}
