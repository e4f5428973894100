using ChatGenius.Db.Server;

namespace ChatGenius.Tool.Commands;

internal sealed class ApplyCommand(
    Workspace workspace, TargetFinder targets, Settings settings, Runs runs, TraceRecords records, PreflightRun preflight, Shell shell,
    Report report)
{
    internal static readonly Command Definition = new("apply", "Apply the pending migrations")
    {
        Json = true,
        CalledElsewhere = ["up", "migrate", "deploy", "update", "push"],
        Configure = app =>
        {
            var planOptions = new PlanOptions(app);
            var dryRun = app.Option("--dry-run", "Print what would run, and run nothing", CommandOptionType.NoValue);
            SettingKey.Create.Declare(app);
            SettingKey.SingleTransaction.Declare(app);
            var backup = app.Option("--backup=<DIR>", "Back up with pg_dump first [backups]", CommandOptionType.SingleOrNoValue);
            SettingKey.Certified.Declare(app);
            var yes = app.Option("-y|--yes", "Don't ask in a protected environment", CommandOptionType.NoValue);
            // Cli looks for it by its letters: what goes wrong before the options are understood is an event too.
            app.Option("--json-lines", "Print what happens as JSON, a document a line", CommandOptionType.NoValue);
            SettingKey.DeclareRun(app, withBatches: true);
            return Command.Handle<ApplyCommand>((command, cancellationToken) => dryRun.HasValue()
                ? command.ShowAsync(planOptions, cancellationToken)
                : command.RunAsync(planOptions, backup, yes.HasValue(), cancellationToken));
        },
        Details =
            """
            Applies the bundled migrations and the project's own as one sequence, each in
            a transaction together with its history row. Ctrl-C cancels the statement on
            the server and rolls its migration back; what was finished before is kept.
            Objects of migrations/repeatable that changed run after them, all or none.
            Where nothing was ever applied and the database has tables of others, it stops
            and says how to take it over. In a protected environment it shows the plan and
            what preflight would say, and asks first. A backup is made where something is
            pending, with pg_dump of the server's version or a later one, read back, and
            named in the history; the settings can require it.
            Sections in batches pause where they would harm standbys, slots or the archive
            and say why; Ctrl-C ends them after the slice.
            """,
        Examples =
            """
            chatgenius-db apply                 all that is pending
            chatgenius-db apply --embedded      on the embedded development server
            chatgenius-db apply --to 7          up to number 7
            chatgenius-db apply --steps 1       only the next one
            chatgenius-db apply --create        and make the database, if there is none
            chatgenius-db apply --dry-run       only show what would run
            chatgenius-db apply --certified     nothing that check has not seen
            chatgenius-db apply --env production --yes --backup /var/backups/chat
            """,
    };

    private async Task<ExitCode> ShowAsync(PlanOptions planOptions, CancellationToken cancellationToken)
    {
        var request = planOptions.Request(settings);
        var (migrator, _) = await workspace.OpenAsync(settings.RunOptions, events: null, cancellationToken);
        var plan = await migrator.PlanAsync(request, cancellationToken);
        workspace.Require(plan.Statuses);
        PlanText.Write(report, plan, asResult: true);
        report.Note(plan.Steps.Count == 0 ? "Nothing to do" : $"{PlanText.Count(plan)} would be applied");
        return ExitCode.Done;
    }

    private async Task<ExitCode> RunAsync(
        PlanOptions planOptions, CommandOption backupOption, bool yes, CancellationToken cancellationToken)
    {
        var (request, certified) = (planOptions.Request(settings), settings.Has(SettingKey.Certified));
        var options = settings.RunOptions with
        {
            SingleTransaction = settings.Has(SettingKey.SingleTransaction),
            AcceptsUsage = !yes ? UsageAnswer.Unused : settings.IsProtected ? UsageAnswer.Unknown : UsageAnswer.TooEarly,
        };
        var backupFolder = BackupFolder(backupOption);
        using var progress = new RunProgress(report);
        var (migrations, target) = await workspace.OpenAsync(cancellationToken, create: settings.Has(SettingKey.Create));
        MigrationPlan? confirmed = null;
        DatabaseBackup? backup = null;
        PreflightResult? seen = null;
        if (settings.IsProtected || certified || backupFolder is not null || preflight.LimitsCost || workspace.IsLost)
        {
            confirmed = await new Migrator(target.Database, migrations, options, progress, workspace.Repeatables)
                .PlanAsync(request, cancellationToken);
            workspace.Require(confirmed.Statuses);
            options = certified ? options with { Guards = await records.GuardsAsync(confirmed, cancellationToken) } : options;
            backup = backupFolder is null || confirmed.Steps.Count == 0 ? null
                : await DatabaseBackup.PrepareAsync(target.Database, targets.Binaries, cancellationToken);
        }

        if (settings.IsProtected)
        {
            PlanText.Write(report, confirmed!, asResult: false);
        }

        if ((settings.IsProtected || preflight.LimitsCost) && confirmed!.Steps.Count > 0)
        {
            seen = await preflight.RunAsync(
                target.Database, migrations, confirmed, preflight.LimitsCost, shadow: null, cancellationToken);
            progress.Pause();
            PreflightText.WriteShort(report, seen);
            seen.Require();
        }

        var question = settings.IsProtected && confirmed!.Steps.Count > 0
            ? $"Apply {PlanText.Count(confirmed)} to {target.Url.Display} ({settings.Environment!.Value})?" : null;
        return await runs.RunAsync(
            target, question, yes, "applied", progress,
            async () =>
            {
                if (backup is not null)
                {
                    var file = await backup.MakeAsync(backupFolder!, confirmed!.Steps[0].Version, new NoteProgress(report),
                        cancellationToken);
                    report.Note($"The backup is {file.Path} ({DataSize.Format(file.Bytes)}, {Duration.Format(file.Elapsed)})");
                    options = options with { Backup = file.Path };
                }

                var migrator = new Migrator(target.Database, migrations, options, progress, workspace.Repeatables);
                var result = await migrator.ApplyAsync(
                    request, settings.IsProtected || seen is not null ? confirmed : null, cancellationToken);
                await (seen is null ? Task.CompletedTask : preflight.RememberAsync(migrator, seen, result, cancellationToken));
                return result;
            },
            cancellationToken);
    }

    /// <returns>Null where no backup is to be made.</returns>
    /// <exception cref="ProblemException">CG1307: none was asked for, and the environment requires one.</exception>
    private string? BackupFolder(CommandOption option)
    {
        if (option.HasValue())
        {
            return option.Value() is { } folder ? shell.Absolute(folder) : settings[SettingKey.Backups].Value;
        }

        return !settings.RequiresBackup ? null : throw new ProblemException(
            "CG1307", $"The environment \"{settings.Environment!.Value}\" requires a backup before migrations are applied",
            advice: "Add --backup, or --backup DIR.");
    }
}
