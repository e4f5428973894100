namespace ChatGenius.Tool.Commands;

internal sealed class DropCommand(TargetFinder targets, Consent consent, Report report)
{
    internal static readonly Command Definition = new("drop", "Drop the database and everything in it")
    {
        Json = true,
        Configure = app =>
        {
            var force = app.Option("--force", "End the sessions that use it (PostgreSQL 13 and newer)", CommandOptionType.NoValue);
            var yes = app.Option("-y|--yes", "Don't ask", CommandOptionType.NoValue);
            return Command.Handle<DropCommand>((command, cancellationToken) =>
                command.RunAsync(force.HasValue(), yes.HasValue(), cancellationToken));
        },
        Details =
            """
            Asks first; without a terminal it needs --yes. Refused in a protected
            environment. A database that is not there is no error.
            """,
        Examples =
            """
            chatgenius-db drop                 asks first
            chatgenius-db drop --yes --force   ends other sessions
            """,
    };

    private async Task<ExitCode> RunAsync(bool force, bool yes, CancellationToken cancellationToken)
    {
        consent.RefuseWhereProtected("drop");
        var target = await targets.FindAsync(cancellationToken);
        if (!await consent.AskAsync($"Drop {target.Url.Display} with everything in it?", yes, cancellationToken))
        {
            return ExitCode.Cancelled;
        }

        var dropped = await target.Database.DropAsync(force, cancellationToken);
        report.Result(new DoneJson(dropped ? "dropped" : "nothing") { Database = target.Url.Display }, JsonContext.Readable.DoneJson);
        report.Result(dropped ? $"Dropped {target.Url.Display}" : $"{target.Url.Display} was not there");
        return ExitCode.Done;
    }
}
