namespace ChatGenius.Tool.Commands;

internal sealed class WaitCommand(TargetFinder targets, Report report)
{
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(60);

    internal static readonly Command Definition = new("wait", "Wait until the database accepts connections")
    {
        Json = true,
        Configure = app =>
        {
            var timeout = app.Option("--timeout <TIME>", "How long to wait [60s]; 0 for ever", CommandOptionType.SingleValue);
            return Command.Handle<WaitCommand>((command, cancellationToken) =>
                command.RunAsync(timeout.Duration() ?? DefaultTimeout, cancellationToken));
        },
        Details =
            """
            For a server that is starting up beside us. What waiting can't change, such as a
            wrong password or a database that is not there, ends the wait.
            """,
        Examples =
            """
            chatgenius-db wait                 up to a minute
            chatgenius-db wait --timeout 5m && chatgenius-db apply
            """,
    };

    private async Task<ExitCode> RunAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        var target = await targets.FindAsync(cancellationToken);
        using var progress = new RunProgress(report);
        progress.Show($"Waiting for {target.Url.Display}");
        try
        {
            await target.Database.WaitAsync(timeout == TimeSpan.Zero ? Timeout.InfiniteTimeSpan : timeout, cancellationToken);
        }
        catch (ProblemException e) when (e.Problems is [{ Kind: ProblemKind.Unreachable } problem])
        {
            throw new ProblemException(problem with { Advice = "Start it, check host and port, or wait longer with --timeout." }, e);
        }

        progress.Dispose();
        report.Result(new DoneJson("connected") { Database = target.Url.Display }, JsonContext.Readable.DoneJson);
        report.Result($"{target.Url.Display} accepts connections");
        return ExitCode.Done;
    }
}
