using ChatGenius.Db.Connections;
using ChatGenius.Db.Migrations;
using ChatGenius.Tool.Configuration;
using ChatGenius.Tool.Output;
using McMaster.Extensions.CommandLineUtils;
namespace ChatGenius.Tool.Commands;

internal sealed class ResetCommand(Workspace workspace, TargetFinder targets, Settings settings, Consent consent, Report report)
{
    internal static readonly Command Definition = new("reset", "Drop the database, create it, and apply everything")
    {
        Configure = app =>
        {
            var force = app.Option("--force", "End the sessions that use it (PostgreSQL 13 and newer)", CommandOptionType.NoValue);
            var yes = app.Option("-y|--yes", "Don't ask", CommandOptionType.NoValue);
            var runOptions = new RunOptions(app);
            return Command.Handle<ResetCommand>((command, cancellationToken) =>
                command.RunAsync(runOptions.Over(command.Settings), force.HasValue(), yes.HasValue(), cancellationToken));
        },
        Details =
            """
            Asks first; without a terminal it needs --yes. Refused in a protected
            environment. The migrations are read before the database is dropped.
            """,
        Examples =
            """
            chatgenius-db reset           asks first
            chatgenius-db reset --yes     from nothing to the current schema
            """,
    };

    private Settings Settings => settings;

    private async Task<ExitCode> RunAsync(MigratorOptions options, bool force, bool yes, CancellationToken cancellationToken)
    {
        consent.RefuseWhereProtected("reset");
        using var progress = new RunProgress(report);
        // Not opened together: a connection would keep the database from being dropped.
        var migrations = workspace.Load(cancellationToken);
        var target = await targets.FindAsync(cancellationToken);
        if (!await consent.AskAsync($"Drop {target.Url.Display} with everything in it, and build it anew?", yes, cancellationToken))
        {
            return ExitCode.Cancelled;
        }

        await target.Database.DropAsync(force, cancellationToken);
        await target.Database.CreateAsync(cancellationToken: cancellationToken);
        var result = await new Migrator(target.Database, migrations, options, progress).ApplyAsync(new PlanRequest(), confirmed: null, cancellationToken);
        progress.Dispose();
        RunSummary.Write(report, result, target, "applied");
        return ExitCode.Done;
    }
}
