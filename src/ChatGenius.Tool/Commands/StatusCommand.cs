namespace ChatGenius.Tool.Commands;

internal sealed class StatusCommand(Workspace workspace, Settings settings, Report report)
{
    internal static readonly Command Definition = new("status", "Show the state of every migration")
    {
        Json = true,
        CalledElsewhere = ["info", "list", "ls", "history"],
        Configure = app =>
        {
            var exitCode = app.Option("--exit-code", "Exit with 1 unless every migration is applied", CommandOptionType.NoValue);
            return Command.Handle<StatusCommand>((command, cancellationToken) => command.RunAsync(exitCode.HasValue(), cancellationToken));
        },
        Details =
            """
            applied       in the history, and its file is unchanged
            pending       not in the history
            edited        its up section was changed after it was applied
            missing       in the history, but there is no such file
            out_of_order  not in the history, though a later one is
            interrupted   begun without a transaction and not finished, or in batches;
                          of these it says how far they are, also while they run

            Objects of migrations/repeatable have no number and other states: current,
            changed, new (apply runs both), or file_gone.
            """,
        Examples =
            """
            chatgenius-db status
            chatgenius-db status --exit-code    for a deployment's check
            chatgenius-db status --json | jq '.migrations[] | select(.state != "applied")'
            """,
    };

    private async Task<ExitCode> RunAsync(bool exitCode, CancellationToken cancellationToken)
    {
        var (migrator, target) = await workspace.OpenAsync(settings.RunOptions, events: null, cancellationToken);
        var (statuses, repeatables) = await migrator.AllStatusAsync(cancellationToken);
        workspace.Require(statuses);
        var table = new Table(3, 1, "version", "name", "state", "applied at (UTC)", "took");
        foreach (var status in statuses)
        {
            table.Add(
                status.Version.ToString("D4", CultureInfo.InvariantCulture),
                status.Name,
                status.Interruption is { } stop ? $"{Word(status.State)} {stop.Stop}" : Word(status.State),
                Time(status.Row?.AppliedAt),
                status.Row?.Details is { } details ? Duration.Format(details.Duration) : "");
        }

        foreach (var one in repeatables)
        {
            table.Add("", one.Name, Word(one.State), Time(one.Row?.AppliedAt), "");
        }

        table.Write(report, (column, cell) => column == 2 ? Color(cell) : null);
        foreach (var status in statuses)
        {
            if (Place(status) is { } place)
            {
                report.Note($"interrupted at {status.Version:D4} {status.Interruption!.Stop}: {place.Where}");
            }

            if (status.Batches is { } state)
            {
                report.Note($"in batches at {status.Version:D4}: {BatchText.Of(state)}; the last one at "
                    + $"{state.ChangedAt:yyyy-MM-dd HH:mm:ss} UTC");
            }
        }

        report.Result(
            new StatusJson(
                target.Url.Display, [.. statuses.Select(StatusRowJson.Of)],
                repeatables.Count == 0 ? null : [.. repeatables.Select(RepeatableJson.Of)]),
            JsonContext.Readable.StatusJson);
        var counts = statuses.GroupBy(status => status.State).OrderBy(group => group.Key)
            .Select(group => $"{group.Count()} {Word(group.Key)}");
        report.Note(statuses.Count == 0 ? "There are no migrations" : string.Join(", ", counts));
        if (repeatables.Count > 0)
        {
            report.Note("Repeatable objects: " + string.Join(", ", repeatables.GroupBy(one => one.State).OrderBy(group => group.Key)
                .Select(group => $"{group.Count()} {Word(group.Key)}")));
        }

        return exitCode && (statuses.Any(status => status.State != MigrationState.Applied)
            || repeatables.Any(one => one.State is RepeatableState.Changed or RepeatableState.New)) ? ExitCode.Differs : ExitCode.Done;
    }

    /// <summary>A repeatable object's words are all others than a migration's.</summary>
    internal static string Word(RepeatableState state) =>
        state == RepeatableState.Missing ? "file_gone" : state.ToString().ToLowerInvariant();

    private static string Time(DateTime? time) => time?.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) ?? "";

    private Func<string, string> Color(string state) => state.Split(' ')[0] switch
    {
        "applied" or "current" => report.Style.Green,
        "pending" or "changed" or "new" => report.Style.Yellow,
        _ => report.Style.Red,
    };

    internal static string Word(MigrationState state) => state == MigrationState.OutOfOrder ? "out_of_order"
        : state.ToString().ToLowerInvariant();

    /// <summary>The file and line of the statement at which an interrupted section stopped; null where the file is gone or has
    /// fewer.</summary>
    internal static (string Step, SourceLocation Where)? Place(MigrationStatus status)
    {
        if (status.Interruption is not { } stop || status.Migration is not { } migration)
        {
            return null;
        }

        var statements = (stop.Direction == MigrationDirection.Up ? migration.Up : migration.Down).Script.Statements;
        return stop.Statement <= statements.Count ? (migration.Id, statements[stop.Statement - 1].Location) : null;
    }
}

/// <summary>What <c>status --json</c> prints.</summary>
/// <param name="Repeatables">Repeatable objects, by name; absent where there are none.</param>
internal sealed record StatusJson(string Database, IReadOnlyList<StatusRowJson> Migrations, IReadOnlyList<RepeatableJson>? Repeatables);

/// <param name="Name">The file's name, without <c>.sql</c>.</param>
/// <param name="State"><c>current</c>, <c>changed</c>, <c>new</c> or <c>file_gone</c>.</param>
/// <param name="Path">The file; absent where it is gone.</param>
internal sealed record RepeatableJson(
    string Name, string State, string? Path, DateTime? AppliedAt, string? AppliedBy, string? ToolVersion)
{
    public static RepeatableJson Of(RepeatableStatus status) => new(
        status.Name, StatusCommand.Word(status.State), status.File?.Source.Path, status.Row?.AppliedAt, status.Row?.AppliedBy,
        status.Row?.ToolVersion);
}

/// <param name="State"><c>applied</c>, <c>pending</c>, <c>edited</c>, <c>missing</c>, <c>out_of_order</c> or <c>interrupted</c>.</param>
/// <param name="Origin"><c>bundle</c>, <c>folder</c> or <c>baseline</c>.</param>
/// <param name="Path">The file; absent where it is missing.</param>
internal sealed record StatusRowJson(
    long Version,
    string Name,
    string State,
    string? Origin,
    string? Path,
    DateTime? AppliedAt,
    double? DurationMs,
    string? AppliedBy,
    string? ToolVersion,
    int? Retries,
    string? Backup,
    InterruptionJson? Interruption,
    BatchJson? Batches)
{
    public static StatusRowJson Of(MigrationStatus status) => new(
        status.Version,
        status.Name,
        StatusCommand.Word(status.State),
        status.Row?.Details?.Origin ?? status.Migration?.Origin.ToString().ToLowerInvariant(),
        status.Migration?.Source.Path,
        status.Row?.AppliedAt,
        status.Row?.Details?.Duration.TotalMilliseconds,
        status.Row?.Details?.AppliedBy,
        status.Row?.Details?.ToolVersion,
        status.Row?.Details?.Retries,
        status.Row?.Details?.Backup,
        InterruptionJson.Of(status),
        status.Batches is { } batches ? BatchJson.Of(batches) : null);
}

/// <param name="Direction"><c>up</c> or <c>down</c>.</param>
/// <param name="Statement">The first statement that isn't known to be done, counted from 1.</param>
/// <param name="Started">Whether it had been begun, so that its work may be there.</param>
internal sealed record InterruptionJson(string Direction, int Statement, int Statements, bool Started, string? Path, int? Line, int? Column)
{
    public static InterruptionJson? Of(MigrationStatus status)
    {
        var where = StatusCommand.Place(status)?.Where;
        return status.Interruption is { } stop
            ? new(stop.Direction.ToString().ToLowerInvariant(), stop.Statement, stop.Count, stop.Started, where?.Path, where?.Line,
                where?.Column)
            : null;
    }
}
