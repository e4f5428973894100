using System.Text.Json;

namespace ChatGenius.Tool.Commands;

internal sealed class UnusedCommand(Workspace workspace, Report report)
{
    internal static readonly Command Definition = new("unused", "Find out whether something is used before it is dropped")
    {
        Details =
            """
            PostgreSQL counts what is read. A first sample of the counters is taken by
            watch; a migration that says -- cgdb:unused-since 7d above a drop runs only
            where a second one, at least that much later, shows no use. Standbys whose
            reads count too are named in the setting standbys.
            """,
        Subcommands =
        [
            new("watch", "Take a first sample of the counters of tables and columns")
            {
                Json = true,
                Configure = app =>
                {
                    var names = app.Argument("NAME", "TABLE or TABLE.COLUMN, with a schema before it or not", multipleValues: true);
                    var again = app.Option("--again", "Begin from the start where it is watched already", CommandOptionType.NoValue);
                    return Command.Handle<UnusedCommand>((command, cancellationToken) =>
                        command.WatchAsync(names.Values, again.HasValue(), cancellationToken));
                },
                Details =
                    """
                    What is watched already stays so, and what was found since is shown.
                    """,
                Examples =
                    """
                    chatgenius-db unused watch messages.legacy_format
                    chatgenius-db unused watch old_messages --again
                    """,
            },
            new("list", "Show what is watched, and what was found since")
            {
                Json = true,
                Configure = _ => Command.Handle<UnusedCommand>((command, cancellationToken) => command.ListAsync(cancellationToken)),
            },
        ],
        Examples =
            """
            chatgenius-db unused watch messages.legacy_format
            chatgenius-db unused list
            """,
    };

    private async Task<ExitCode> WatchAsync(List<string> names, bool again, CancellationToken cancellationToken)
    {
        if (names.Count == 0)
        {
            throw new ProblemException("CG1007", "Nothing says what is to be watched", advice: "Give TABLE or TABLE.COLUMN.");
        }

        var (migrator, target) = await workspace.OpenHistoryAsync(cancellationToken);
        return Show(target, await migrator.WatchAsync(names, again, cancellationToken));
    }

    private async Task<ExitCode> ListAsync(CancellationToken cancellationToken)
    {
        var (migrator, target) = await workspace.OpenHistoryAsync(cancellationToken);
        return Show(target, await migrator.WatchedAsync(cancellationToken));
    }

    private ExitCode Show(Target target, IReadOnlyList<UsageVerdict> verdicts)
    {
        foreach (var verdict in verdicts)
        {
            report.Result(Cells.Tame(verdict.Message));
        }

        report.Result(new UnusedJson(target.Url.Display, [.. verdicts.Select(UsageJson.Of)]), JsonContext.Readable.UnusedJson);
        if (verdicts.Count == 0)
        {
            report.Note("Nothing is watched");
        }

        return ExitCode.Done;
    }
}

/// <summary>What <c>unused …</c> prints with <c>--json</c>.</summary>
internal sealed record UnusedJson(string Database, IReadOnlyList<UsageJson> Watched);

/// <param name="Name">The table or column.</param>
/// <param name="Answer"><c>unused</c>, <c>unknown</c>, <c>too_early</c> or <c>used</c>.</param>
/// <param name="Since">When the first sample was taken.</param>
internal sealed record UsageJson(string Name, string Answer, string Evidence, DateTime? Since)
{
    public static UsageJson Of(UsageVerdict verdict) => new(
        verdict.Target, JsonNamingPolicy.SnakeCaseLower.ConvertName($"{verdict.Answer}"), verdict.Evidence, verdict.Since);
}
