namespace ChatGenius.Tool.Commands;

internal sealed class KeptCommand(Workspace workspace, Consent consent, Report report)
{
    internal static readonly Command Definition = new("kept", "Look at values that migrations kept, and forget them")
    {
        Details =
            """
            A migration with keep:true keeps the rows and values that it destroys, until
            a rollback puts them back. Only the owner of the history may read them.
            """,
        Subcommands =
        [
            new("list", "Show what was kept and is not put back yet")
            {
                Json = true,
                Configure = _ => Command.Handle<KeptCommand>((command, cancellationToken) => command.ListAsync(cancellationToken)),
            },
            new("prune", "Forget kept values, so that nothing puts them back")
            {
                Json = true,
                Configure = app =>
                {
                    var migration = app.Option("--migration <NUMBER>", "Those of one migration", CommandOptionType.SingleValue);
                    var table = app.Option("--table <NAME>", "Those of one table, as kept list names it", CommandOptionType.SingleValue);
                    var where = app.Option("--where <SQL>", "Those that a condition is true for", CommandOptionType.SingleValue);
                    var age = app.Option("--older-than <TIME>", "Those that are older: 12h, 30d", CommandOptionType.SingleValue);
                    var all = app.Option("--all", "All of them", CommandOptionType.NoValue);
                    var yes = app.Option("-y|--yes", "Don't ask", CommandOptionType.NoValue);
                    return Command.Handle<KeptCommand>((command, cancellationToken) => command.PruneAsync(
                        new KeptSelection(migration.Migration(), table.Value(), where.Value(), Age(age)), all.HasValue(), yes.HasValue(),
                        cancellationToken));
                },
                Details =
                    """
                    Asks first; without a terminal it needs --yes. Options together mean what all
                    of them mean. The condition is over the columns of the table kept: key,
                    old_values and new_values are objects of texts (jsonb).
                    """,
                Examples =
                    """
                    chatgenius-db kept prune --older-than 30d
                    chatgenius-db kept prune --where "old_values ->> 'email' = 'a@b.org'"
                    chatgenius-db kept prune --migration 12 --table messages
                    """,
            },
        ],
        Examples =
            """
            chatgenius-db kept list
            chatgenius-db kept prune --older-than 30d
            """,
    };

    /// <summary>A span of time, in days too.</summary>
    private static TimeSpan? Age(CommandOption option) => option.Value() is { } text && text.EndsWith('d')
        && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var days)
        ? TimeSpan.FromDays(Math.Min(days, 100_000)) : option.Duration();

    private async Task<ExitCode> ListAsync(CancellationToken cancellationToken)
    {
        var (migrator, target) = await workspace.OpenHistoryAsync(cancellationToken);
        var groups = await migrator.KeptAsync(cancellationToken);
        foreach (var group in groups)
        {
            report.Result(Cells.Tame($"{group.Version.ToString("D4", CultureInfo.InvariantCulture)} {group.Display}, of "
                + $"{Plural.Of(group.Count, "row")}, since {group.Since:yyyy-MM-dd HH:mm:ss} UTC"
                + (group.Conflict is { } conflict ? $"; not put back, because {conflict}" : "")));
        }

        report.Result(new KeptJson(target.Url.Display, [.. groups.Select(KeptGroupJson.Of)]), JsonContext.Readable.KeptJson);
        if (groups.Count == 0)
        {
            report.Note("Nothing is kept");
        }

        return ExitCode.Done;
    }

    private async Task<ExitCode> PruneAsync(KeptSelection selection, bool all, bool yes, CancellationToken cancellationToken)
    {
        if (all == (selection != new KeptSelection()))
        {
            throw new ProblemException(
                "CG1007", all ? "--all and the options that choose exclude each other" : "Nothing says what is to be forgotten",
                advice: all ? "Leave one of them out." : "Give --migration, --table, --where or --older-than, or --all.");
        }

        var (migrator, target) = await workspace.OpenHistoryAsync(cancellationToken);
        var count = await migrator.CountKeptAsync(selection, cancellationToken);
        if (count > 0 && !await consent.AskAsync(
            $"Forget what was kept of {Plural.Of(count, "row")}? No rollback can put it back then.", yes, cancellationToken))
        {
            return ExitCode.Cancelled;
        }

        count = count == 0 ? 0 : await migrator.PruneKeptAsync(selection, cancellationToken);
        report.Result(new DoneJson(count == 0 ? "nothing" : "forgotten")
        {
            Database = target.Url.Display, Remarks = [Plural.Of(count, "row")],
        }, JsonContext.Readable.DoneJson);
        report.Result(count == 0 ? "Nothing of that is kept" : $"Forgot what was kept of {Plural.Of(count, "row")}");
        return ExitCode.Done;
    }
}

/// <summary>What <c>kept list --json</c> prints.</summary>
internal sealed record KeptJson(string Database, IReadOnlyList<KeptGroupJson> Kept);

/// <param name="Statement">Which statement of the up section, counted from 1.</param>
/// <param name="WholeRows">Whether the rows were deleted; otherwise values of columns were overwritten or dropped.</param>
/// <param name="Conflict">Why a rollback could not put them back.</param>
internal sealed record KeptGroupJson(
    long Version, int Statement, string Table, bool WholeRows, IReadOnlyList<string> Columns, long Rows, DateTime Since, string? Conflict)
{
    public static KeptGroupJson Of(KeptGroup group) => new(
        group.Version, group.Statement, group.Table, group.IsRows, group.Columns, group.Count, group.Since, group.Conflict);
}
