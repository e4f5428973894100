using ChatGenius.Db.Migrations;
using ChatGenius.Tool.Configuration;
using ChatGenius.Tool.Output;
using McMaster.Extensions.CommandLineUtils;

namespace ChatGenius.Tool.Commands;

internal sealed class RedoCommand(Workspace workspace, Settings settings, Consent consent, Report report)
{
    internal static readonly Command Definition = new("redo", "Undo the last migration and apply it again")
    {
        Configure = app =>
        {
            var yes = app.Option("-y|--yes", "Don't ask", CommandOptionType.NoValue);
            var runOptions = new RunOptions(app);
            return Command.Handle<RedoCommand>((command, cancellationToken) =>
                command.RunAsync(runOptions.Over(command.Settings), yes.HasValue(), cancellationToken));
        },
        Details =
            """
            For a migration that is still being written: runs its down and then its up
            section. Says which rows will be lost and asks; without a terminal it needs
            --yes. Refused in a protected environment.
            """,
        Examples =
            """
            chatgenius-db redo
            """,
    };

    private Settings Settings => settings;

    private async Task<ExitCode> RunAsync(MigratorOptions options, bool yes, CancellationToken cancellationToken)
    {
        consent.RefuseWhereProtected("redo");
        using var progress = new RunProgress(report);
        var (migrator, target) = await workspace.OpenAsync(options, progress, cancellationToken);
        var request = new RollbackRequest(Steps: 1);
        var plan = await migrator.PlanRollbackAsync(request, cancellationToken);
        if (plan.Steps is not [var last])
        {
            report.Result("Nothing to redo");
            return ExitCode.Done;
        }

        await LossText.WriteAsync(report, migrator, plan, cancellationToken);
        if (!await consent.AskAsync($"Redo {last.Id} on {target.Url.Display}?", yes, cancellationToken))
        {
            return ExitCode.Cancelled;
        }

        await migrator.RollbackAsync(request, plan, cancellationToken);
        var result = await migrator.ApplyAsync(new PlanRequest(To: last.Version), confirmed: null, cancellationToken);
        progress.Dispose();
        RunSummary.Write(report, result, target, "applied again");
        return ExitCode.Done;
    }
}
