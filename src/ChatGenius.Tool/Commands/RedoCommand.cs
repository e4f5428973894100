using ChatGenius.Db.Migrations;
using ChatGenius.Tool.Configuration;
using McMaster.Extensions.CommandLineUtils;

namespace ChatGenius.Tool.Commands;

internal sealed class RedoCommand(Runs runs)
{
    internal static readonly Command Definition = new("redo", "Undo the last migration and apply it again")
    {
        Json = true,
        Configure = app =>
        {
            var yes = app.Option("-y|--yes", "Don't ask", CommandOptionType.NoValue);
            SettingKey.DeclareRun(app);
            return Command.Handle<RedoCommand>((command, cancellationToken) => command.RunAsync(yes.HasValue(), cancellationToken));
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

    private Task<ExitCode> RunAsync(bool yes, CancellationToken cancellationToken)
    {
        var request = new RollbackRequest(Steps: 1);
        return runs.UndoAsync(
            request, dryRun: false, yes, ("redo", "Redo", "applied again"),
            async (migrator, plan) =>
            {
                await migrator.RollbackAsync(request, plan, cancellationToken);
                return await migrator.ApplyAsync(new PlanRequest(To: plan.Steps[0].Version), confirmed: null, cancellationToken);
            },
            cancellationToken);
    }
}
