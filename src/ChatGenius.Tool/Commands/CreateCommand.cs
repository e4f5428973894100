namespace ChatGenius.Tool.Commands;

internal sealed class CreateCommand(TargetFinder targets, Report report)
{
    internal static readonly Command Definition = new("create", "Create the database")
    {
        Json = true,
        CalledElsewhere = ["init", "createdb"],
        Configure = _ => Command.Handle<CreateCommand>((command, cancellationToken) => command.RunAsync(cancellationToken)),
        Details =
            """
            Creates the database that the URL names, from the server's database postgres
            or template1. A database that is there already is left as it is.
            """,
        Examples =
            """
            chatgenius-db create -d postgres://me@localhost/shop
            """,
    };

    private async Task<ExitCode> RunAsync(CancellationToken cancellationToken)
    {
        var target = await targets.FindAsync(cancellationToken);
        var created = await target.Database.CreateAsync(cancellationToken: cancellationToken);
        report.Result(new DoneJson(created ? "created" : "nothing") { Database = target.Url.Display }, JsonContext.Readable.DoneJson);
        report.Result(created ? $"Created {target.Url.Display}" : $"{target.Url.Display} is there already");
        return ExitCode.Done;
    }
}
