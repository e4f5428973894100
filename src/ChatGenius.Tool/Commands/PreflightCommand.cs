using ChatGenius.Db.Safety;

namespace ChatGenius.Tool.Commands;

internal sealed class PreflightCommand(Workspace workspace, Settings settings, PreflightRun preflight, Report report)
{
    internal static readonly Command Definition = new("preflight", "Look at the database before apply: locks, lag, time, log")
    {
        Json = true,
        Configure = app =>
        {
            var planOptions = new PlanOptions(app);
            var shadow = app.Option("--shadow <URL>", "Server to rehearse on", CommandOptionType.SingleValue);
            SettingKey.MaxTime.Declare(app);
            SettingKey.MaxWal.Declare(app);
            SettingKey.MaxLag.Declare(app, help: "Refuse while a standby is so far behind");
            SettingKey.MaxTransactionAge.Declare(app, help: "Refuse while a transaction is older");
            return Command.Handle<PreflightCommand>((command, cancellationToken) =>
                command.RunAsync(planOptions, shadow.Value(), cancellationToken));
        },
        Details =
            """
            Rehearses what apply would run on a throw-away database with made-up rows, reads
            which tables it touches, and looks at them where it will run: locks and old
            transactions, prepared ones, autovacuum against wraparound, standbys, slots,
            connections. Says what time, write-ahead log and disk are to be expected, as a
            range; earlier runs on the same database make it narrower. Waits for locks are
            not in it. Reads only, and takes no lock on a table.

            Exits with 1 where something would be waited for or harmed, with 2 where a
            limit is passed. What is not known is said, and counts against a limit.
            """,
        Examples =
            """
            chatgenius-db preflight --env production
            chatgenius-db preflight --max-time 30s --max-wal 2GB --max-lag 5s
            chatgenius-db preflight --json | jq '.findings[] | select(.level != "note")'
            """,
    };

    private async Task<ExitCode> RunAsync(PlanOptions planOptions, string? shadow, CancellationToken cancellationToken)
    {
        using var progress = new RunProgress(report);
        progress.Show("Rehearsing migrations");
        var (migrations, target) = await workspace.OpenAsync(cancellationToken);
        var plan = await new Migrator(target.Database, migrations, settings.RunOptions, null, workspace.Repeatables)
            .PlanAsync(planOptions.Request(settings), cancellationToken);
        var result = await preflight.RunAsync(target.Database, migrations, plan, rehearses: true, shadow, cancellationToken);
        progress.Dispose();
        PreflightText.Write(report, result);
        result.Require();
        report.Result(PreflightJson.Of(target.Url.Display, result), JsonContext.Readable.PreflightJson);
        var warnings = result.Findings.Count(finding => finding.Level == PreflightLevel.Warning);
        var unknown = result.Findings.Count(finding => finding.Level == PreflightLevel.Unknown);
        report.Note((plan.Steps.Count == 0 ? "Nothing to apply" : $"{PlanText.Count(plan)} to apply")
            + $", {Plural.Of(warnings, "warning")}{(unknown > 0 ? $", {Plural.Of(unknown, "thing")} not known" : "")}");
        return warnings > 0 ? ExitCode.Differs : ExitCode.Done;
    }
}
