namespace ChatGenius.Tool.Commands;

internal sealed class BatchCommand(Workspace workspace, Report report)
{
    internal static readonly Command Definition = new("batch", "Look at batches that run elsewhere, and slow them down")
    {
        Details =
            """
            A migration in batches keeps its progress in the database, and reads there
            what is asked of it: from any terminal that may write the history's table
            batches. What is asked holds until the statement is done.
            """,
        Subcommands =
        [
            new("status", "Show how far the batches are that are not finished")
            {
                Json = true,
                Configure = _ => Command.Handle<BatchCommand>((command, cancellationToken) => command.RunAsync(null, cancellationToken)),
            },
            new("pause", "Let them wait after the slice that is under way")
            {
                Json = true,
                Configure = _ => Command.Handle<BatchCommand>((command, cancellationToken) =>
                    command.RunAsync(control => control with { Paused = true }, cancellationToken)),
            },
            new("resume", "Let them go on")
            {
                Json = true,
                Configure = _ => Command.Handle<BatchCommand>((command, cancellationToken) =>
                    command.RunAsync(control => control with { Paused = false }, cancellationToken)),
            },
            new("limit", "Let them do less: a share of the time, fewer rows a slice")
            {
                Json = true,
                Configure = app =>
                {
                    var load = app.Option("--load <PERCENT>", "How much of the time they work", CommandOptionType.SingleValue);
                    var size = app.Option("--size <ROWS>", "The most rows that a slice has", CommandOptionType.SingleValue);
                    return Command.Handle<BatchCommand>((command, cancellationToken) =>
                    {
                        var (most, rows) = ((int?)load.Number(least: 1, most: 100), (int?)size.Number(least: 1, most: int.MaxValue));
                        return command.RunAsync(control => control with { Load = most, Size = rows }, cancellationToken);
                    });
                },
                Details =
                    """
                    Without an option the limits of the run itself hold again.
                    """,
                Examples =
                    """
                    chatgenius-db batch limit --load 25
                    chatgenius-db batch limit --size 500
                    """,
            },
        ],
        Examples =
            """
            chatgenius-db batch status
            chatgenius-db batch pause
            chatgenius-db batch resume
            """,
    };

    private async Task<ExitCode> RunAsync(Func<BatchControl, BatchControl>? control, CancellationToken cancellationToken)
    {
        var (migrator, target) = await workspace.OpenHistoryAsync(cancellationToken);
        var states = await migrator.BatchesAsync(control, cancellationToken);
        foreach (var state in states)
        {
            report.Result($"{state.Version:D4} {Cells.Tame(string.Join(" by ", [state.Key[0], string.Join(", ", state.Key.Skip(1))]))}: "
                + $"{BatchText.Of(state)}; the last one at {state.ChangedAt:yyyy-MM-dd HH:mm:ss} UTC"
                + (string.IsNullOrEmpty(state.Control) ? "" : $"; asked for: {Cells.Tame(state.Control)}"));
        }

        report.Result(new BatchesJson(target.Url.Display, [.. states.Select(BatchesRowJson.Of)]), JsonContext.Readable.BatchesJson);
        if (states.Count == 0)
        {
            report.Note("No batches are under way");
        }

        return ExitCode.Done;
    }
}

/// <summary>What <c>batch …</c> prints with <c>--json</c>.</summary>
internal sealed record BatchesJson(string Database, IReadOnlyList<BatchesRowJson> Batches);

/// <param name="Direction"><c>up</c> or <c>down</c>.</param>
/// <param name="Statement">Which statement of the section, counted from 1.</param>
internal sealed record BatchesRowJson(long Version, string Direction, int Statement, BatchJson Progress)
{
    public static BatchesRowJson Of(BatchState state) =>
        new(state.Version, state.Direction.ToString().ToLowerInvariant(), state.Statement, BatchJson.Of(state));
}
