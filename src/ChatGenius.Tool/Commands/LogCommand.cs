namespace ChatGenius.Tool.Commands;

internal sealed class LogCommand(Workspace workspace, Report report)
{
    internal static readonly Command Definition = new("log", "Show everything that was done to a database")
    {
        Json = true,
        Configure = app =>
        {
            var last = app.Option("-n|--last <N>", "Only the last ones", CommandOptionType.SingleValue);
            return Command.Handle<LogCommand>((command, cancellationToken) =>
                command.RunAsync(last.Number(least: 1, most: int.MaxValue), cancellationToken));
        },
        Details =
            """
            What was applied, rolled back, redone, repaired, baselined and accepted, and
            what failed with which error and statement: when, by which role, with which
            version. Only the owner of the history may read it. Passwords are masked.
            """,
        Examples =
            """
            chatgenius-db log
            chatgenius-db log --last 20
            chatgenius-db log --json | jq '.entries[] | select(.action == "failed")'
            """,
    };

    private async Task<ExitCode> RunAsync(long? last, CancellationToken cancellationToken)
    {
        var (migrator, target) = await workspace.OpenHistoryAsync(cancellationToken);
        var entries = await migrator.LogAsync(cancellationToken);
        entries = last is { } count ? [.. entries.TakeLast((int)count)] : entries;
        foreach (var entry in entries)
        {
            var id = entry.Version is { } version ? $"{version.ToString("D4", CultureInfo.InvariantCulture)}_{entry.Name}"
                : entry.Name ?? "";
            var took = entry.Duration is { } duration ? Duration.Format(duration) : "";
            report.Result(Cells.Tame(
                $"{entry.At:yyyy-MM-dd HH:mm:ss} UTC  {Cells.Pad(entry.Action, 11)} {Cells.Pad(id, 34)} {Cells.Pad(took, 9)} "
                    + $"{entry.DoneBy}, "
                + $"{entry.Command}, version {entry.ToolVersion}"));
            foreach (var line in new[] { entry.Error, entry.Statement, entry.Detail }.OfType<string>().SelectMany(text => text.Split('\n')))
            {
                report.Result(Cells.Tame($"    {line}"));
            }
        }

        report.Result(new LogJson(target.Url.Display, [.. entries.Select(LogEntryJson.Of)]), JsonContext.Readable.LogJson);
        if (entries.Count == 0)
        {
            report.Note("Nothing is in the log");
        }

        return ExitCode.Done;
    }
}

/// <summary>What <c>log --json</c> prints.</summary>
internal sealed record LogJson(string Database, IReadOnlyList<LogEntryJson> Entries);

/// <inheritdoc cref="LogEntry"/>
/// <param name="Command">The command that did it; <c>script</c> for a file run with psql.</param>
internal sealed record LogEntryJson(
    DateTime At,
    string Action,
    string Command,
    long? Version,
    string? Name,
    double? DurationMs,
    string DoneBy,
    string ToolVersion,
    string? Error,
    string? Statement,
    string? Detail)
{
    public static LogEntryJson Of(LogEntry entry) => new(
        entry.At, entry.Action, entry.Command, entry.Version, entry.Name, entry.Duration?.TotalMilliseconds, entry.DoneBy,
            entry.ToolVersion,
        entry.Error, entry.Statement, entry.Detail);
}
