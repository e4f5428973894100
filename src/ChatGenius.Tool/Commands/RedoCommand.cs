namespace ChatGenius.Tool.Commands;

internal sealed class RedoCommand(Runs runs, Settings settings)
{
    internal static readonly Command Definition = new("redo", "Undo the last migration and apply it again")
    {
        Json = true,
        Configure = app =>
        {
            var steps = app.Option("--steps <N>", "How many: all are undone, newest first, then applied [1]",
                CommandOptionType.SingleValue);
            var separately = app.Option("--separately", "Commit between undoing and applying", CommandOptionType.NoValue);
            SettingKey.TrustStoredDown.Declare(app);
            SettingKey.NoEstimate.Declare(app);
            var yes = app.Option("-y|--yes", "Don't ask", CommandOptionType.NoValue);
            SettingKey.DeclareRun(app);
            return Command.Handle<RedoCommand>((command, cancellationToken) => command.RunAsync(
                new RedoRequest((int)(steps.Number(least: 1, most: int.MaxValue) ?? 1), separately.HasValue()), yes.HasValue(),
                cancellationToken));
        },
        Details =
            """
            For a migration that is still being written: runs its down and then its up
            section, in one transaction, so that a failure changes nothing. A migration
            without a transaction, or --separately, commits in between; after a failure
            there, apply or another redo goes on with what was undone. Says what
            will be lost and asks; without a terminal it needs --yes. Refused in a
            protected environment.
            """,
        Examples =
            """
            chatgenius-db redo              the last one
            chatgenius-db redo --steps 3    the last three: all down, then all up
            """,
    };

    private Task<ExitCode> RunAsync(RedoRequest request, bool yes, CancellationToken cancellationToken)
    {
        request = request with { TrustStoredDown = settings.Has(SettingKey.TrustStoredDown) };
        return runs.UndoAsync(
            migrator => migrator.PlanRedoAsync(request, cancellationToken), dryRun: false, yes, reason: null,
            ("redo", "Redo", "applied again"),
            (migrator, plan) => migrator.RedoAsync(request, plan, cancellationToken), cancellationToken);
    }
}
