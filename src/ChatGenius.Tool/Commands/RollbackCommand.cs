namespace ChatGenius.Tool.Commands;

internal sealed class RollbackCommand(Runs runs, Settings settings)
{
    internal static readonly Command Definition = new("rollback", "Undo the last migration, or several")
    {
        Json = true,
        CalledElsewhere = ["down", "revert", "undo"],
        Configure = app =>
        {
            var steps = app.Option("--steps <N>", "How many, newest first [1]", CommandOptionType.SingleValue);
            var to = app.Option("--to <NUMBER>", "The migration that is to be the newest afterwards; 0: none",
                CommandOptionType.SingleValue);
            var all = app.Option("--all", "All of them", CommandOptionType.NoValue);
            var dryRun = app.Option("--dry-run", "Print what would run, and run nothing", CommandOptionType.NoValue);
            SettingKey.TrustStoredDown.Declare(app);
            SettingKey.NoEstimate.Declare(app);
            var yes = app.Option("-y|--yes", "Don't ask", CommandOptionType.NoValue);
            var reason = Consent.Option(app);
            SettingKey.DeclareRun(app);
            return Command.Handle<RollbackCommand>((command, cancellationToken) =>
                command.RunAsync(Request(steps, to, all), dryRun.HasValue(), yes.HasValue(), reason.Value(), cancellationToken));
        },
        Details =
            """
            Runs the down sections, newest first. Says what will be lost and asks;
            without a terminal it needs --yes. Refused in a protected environment, where
            --protected-reason does not say why it may; the log keeps that. The file's
            down runs if the file is what was applied; otherwise the one that the history
            has kept, and that is said.
            """,
        Examples =
            """
            chatgenius-db rollback              the last one
            chatgenius-db rollback --steps 3    the last three
            chatgenius-db rollback --to 5       all behind number 5
            chatgenius-db rollback --all --yes  all of them, without a question
            """,
    };

    private static RollbackRequest Request(CommandOption steps, CommandOption to, CommandOption all)
    {
        if ((steps.HasValue() ? 1 : 0) + (to.HasValue() ? 1 : 0) + (all.HasValue() ? 1 : 0) > 1)
        {
            throw new ProblemException("CG1007", "--steps, --to and --all exclude each other", advice: "Leave all but one out.");
        }

        return to.HasValue() ? new RollbackRequest(To: to.Migration())
            : all.HasValue() ? new RollbackRequest(All: true)
            : new RollbackRequest(Steps: (int)(steps.Number(least: 1, most: int.MaxValue) ?? 1));
    }

    private Task<ExitCode> RunAsync(
        RollbackRequest request, bool dryRun, bool yes, string? reason, CancellationToken cancellationToken)
    {
        request = request with { TrustStoredDown = settings.Has(SettingKey.TrustStoredDown) };
        return runs.UndoAsync(
            migrator => migrator.PlanRollbackAsync(request, cancellationToken), dryRun, yes, reason,
            ("rollback", "Roll back", "rolled back"),
            (migrator, plan) => migrator.RollbackAsync(request, plan, cancellationToken), cancellationToken);
    }
}
