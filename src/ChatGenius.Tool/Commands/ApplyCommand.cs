using ChatGenius.Db;
using ChatGenius.Db.Migrations;
using ChatGenius.Tool.Configuration;
using ChatGenius.Tool.Output;
using McMaster.Extensions.CommandLineUtils;

namespace ChatGenius.Tool.Commands;

internal sealed class ApplyCommand(Workspace workspace, Settings settings, Consent consent, Report report)
{
    internal static readonly Command Definition = new("apply", "Apply the pending migrations")
    {
        CalledElsewhere = ["up", "migrate", "deploy", "update", "push"],
        Configure = app =>
        {
            var planOptions = new PlanOptions(app);
            var dryRun = app.Option("--dry-run", "Print what would run, and run nothing", CommandOptionType.NoValue);
            var single = app.Option("--single-transaction", "All of them or none", CommandOptionType.NoValue);
            var yes = app.Option("-y|--yes", "Don't ask in a protected environment", CommandOptionType.NoValue);
            var runOptions = new RunOptions(app);
            return Command.Handle<ApplyCommand>((command, cancellationToken) => command.RunAsync(
                planOptions.Request(),
                runOptions.Over(command.Settings) with { SingleTransaction = single.HasValue() },
                dryRun.HasValue(),
                yes.HasValue(),
                cancellationToken));
        },
        Details =
            """
            Applies the bundled migrations and the project's own as one sequence, each in
            a transaction together with its history row. Ctrl-C cancels the statement on
            the server and rolls its migration back; what was finished before is kept.
            In a protected environment it shows the plan and asks first.
            """,
        Examples =
            """
            chatgenius-db apply                 all that is pending
            chatgenius-db apply --embedded      on the embedded development server
            chatgenius-db apply --to 7          up to number 7
            chatgenius-db apply --dry-run       only show what would run
            chatgenius-db apply --env production --yes
            """,
    };

    private Settings Settings => settings;

    private async Task<ExitCode> RunAsync(PlanRequest request, MigratorOptions options, bool dryRun, bool yes, CancellationToken cancellationToken)
    {
        using var progress = new RunProgress(report);
        var (migrator, target) = await workspace.OpenAsync(options, progress, cancellationToken).ConfigureAwait(false);
        MigrationPlan? confirmed = null;
        if (dryRun || settings.IsProtected)
        {
            confirmed = await migrator.PlanAsync(request, cancellationToken).ConfigureAwait(false);
            PlanText.Write(report, confirmed, asResult: dryRun);
            if (dryRun)
            {
                report.Note(confirmed.Steps.Count == 0 ? "Nothing to do" : $"{Plural.Of(confirmed.Steps.Count, "migration")} would be applied");
                return ExitCode.Done;
            }

            if (confirmed.Steps.Count > 0
                && !await consent.AskAsync($"Apply {Plural.Of(confirmed.Steps.Count, "migration")} to {target.Url.Display}?", yes, cancellationToken).ConfigureAwait(false))
            {
                return ExitCode.Cancelled;
            }
        }

        var result = await migrator.ApplyAsync(request, confirmed, cancellationToken).ConfigureAwait(false);
        progress.Dispose();
        RunSummary.Write(report, result, target, "applied");
        return ExitCode.Done;
    }
}
