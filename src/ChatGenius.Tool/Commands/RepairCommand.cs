using ChatGenius.Db.Schema;
using ChatGenius.Db.Text;

namespace ChatGenius.Tool.Commands;

internal sealed class RepairCommand(Workspace workspace, Settings settings, Consent consent, Report report)
{
    internal static readonly Command Definition = new("repair", "Settle by hand a migration that was interrupted")
    {
        Json = true,
        Configure = app =>
        {
            var version = app.Argument("NUMBER", "The migration; without it, all that were interrupted are shown");
            var done = app.Option("--done", "The statement it stopped at is done: continue after it", CommandOptionType.NoValue);
            var again = app.Option("--again", "The statement it stopped at is to run again", CommandOptionType.NoValue);
            var forget = app.Option("--forget", "All it did was undone by hand: forget that it was begun", CommandOptionType.NoValue);
            var accept = app.Option("--accept", "Its file was edited after it was applied: take it over as applied",
                CommandOptionType.NoValue);
            var yes = app.Option("-y|--yes", "Don't ask", CommandOptionType.NoValue);
            return Command.Handle<RepairCommand>((command, cancellationToken) =>
                accept.HasValue()
                    ? command.AcceptAsync(version.Value, Action(done, again, forget), yes.HasValue(), cancellationToken)
                    : command.RunAsync(version.Value, Action(done, again, forget), yes.HasValue(), cancellationToken));
        },
        Details =
            """
            A migration without a transaction that was interrupted goes on with the next
            apply, which sees by itself what is done. Where it can't, look at the database
            and say here what you found. Only the journal is changed, and only after a yes.
            --accept shows what differs in a file that was edited after it was applied, and
            writes its checksum and down into the history; it runs nothing.
            """,
        Examples =
            """
            chatgenius-db repair              show what was interrupted, and where
            chatgenius-db repair 7 --done     its statement is done
            chatgenius-db repair 7 --forget   nothing of it is there any more
            chatgenius-db repair 7 --accept   the edited file counts as applied
            """,
    };

    private static RepairAction? Action(CommandOption done, CommandOption again, CommandOption forget) =>
        (done.HasValue(), again.HasValue(), forget.HasValue()) switch
        {
            (false, false, false) => null,
            (true, false, false) => RepairAction.Done,
            (false, true, false) => RepairAction.Again,
            (false, false, true) => RepairAction.Forget,
            _ => throw new ProblemException("CG1007", "--done, --again and --forget exclude each other", advice: "Leave all but one out."),
        };

    private async Task<ExitCode> AcceptAsync(string? number, RepairAction? other, bool yes, CancellationToken cancellationToken)
    {
        if (other is not null)
        {
            throw new ProblemException("CG1007", "--accept excludes --done, --again and --forget", advice: "Leave all but one out.");
        }

        var version = Version(number) ?? throw new ProblemException("CG1010", "repair --accept needs a migration's number",
            advice: "Name the migration whose file was edited.");
        var (migrator, target) = await workspace.OpenAsync(settings.RunOptions, events: null, cancellationToken);
        var (file, applied) = await migrator.ReadEditAsync(version, cancellationToken);
        report.Result(applied is null || file.Up.Shown is not { } now
            ? $"The history has not kept the text of {file.Id}, as it is long or tool 0.1.0 applied it: what was edited can't be shown"
            : applied == now ? $"{file.Id} was edited where the history does not keep the text: in the rows of a COPY, or in a password"
            : $"{file.Id}, as it was applied (-) and as it is now (+):{Cells.Tame(LineDiff.Between(applied, now))}");
        if (!await consent.AskAsync($"Take the file over as what was applied on {target.Url.Display}, without running it?", yes,
            cancellationToken))
        {
            return ExitCode.Cancelled;
        }

        await migrator.AcceptAsync(version, cancellationToken);
        report.Result(
            new DoneJson("accepted")
            {
                Database = target.Url.Display, Migrations = [new DoneMigrationJson(version, file.Name, "up", null)],
            },
            JsonContext.Readable.DoneJson);
        report.Result($"Took {file.Id} over; nothing was run");
        return ExitCode.Done;
    }

    private static long? Version(string? number) => number is null ? null
        : OptionValues.ParseMigration(number) ?? throw new ProblemException("CG1006", $"\"{number}\" is not a migration's number",
            advice: "Give a whole number, such as 7.");

    private async Task<ExitCode> RunAsync(string? number, RepairAction? action, bool yes, CancellationToken cancellationToken)
    {
        var version = Version(number);
        var (migrator, target) = await workspace.OpenAsync(settings.RunOptions, events: null, cancellationToken);
        var shown = await ShowAsync(migrator, version, cancellationToken);
        if (version is null || action is null)
        {
            if (shown.Count == 0)
            {
                report.Result("Nothing was interrupted");
            }

            report.Result(
                new DoneJson("nothing")
                {
                    Database = target.Url.Display,
                    Migrations = [.. shown.Select(one =>
                        new DoneMigrationJson(one.Version, one.Name, one.Direction.ToString().ToLowerInvariant(), null))],
                },
                JsonContext.Readable.DoneJson);

            return ExitCode.Done;
        }

        if (shown.Count == 0)
        {
            throw new ProblemException(Migrator.NotInterrupted(version.Value));
        }

        var what = action switch
        {
            RepairAction.Done => "Mark that statement as done",
            RepairAction.Again => "Mark that statement as not begun",
            _ => "Forget that the migration was begun",
        };
        if (!await consent.AskAsync($"{what} on {target.Url.Display}?", yes, cancellationToken))
        {
            return ExitCode.Cancelled;
        }

        var settled = await migrator.RepairAsync(version.Value, action.Value, shown is [var interruption] ? interruption
            : null, cancellationToken);
        report.Result(
            new DoneJson(action == RepairAction.Forget ? "forgotten" : "settled")
            {
                Database = target.Url.Display,
                Migrations = [new DoneMigrationJson(settled.Version, settled.Name, settled.Direction.ToString().ToLowerInvariant(), null)],
            },
            JsonContext.Readable.DoneJson);
        report.Result(action == RepairAction.Forget
            ? $"Forgot the interrupted {settled.Direction.ToString().ToLowerInvariant()} of {settled.Version:D4}_{settled.Name}"
            : $"Settled statement {settled.Statement} of {settled.Version:D4}_{settled.Name}; the next run continues it");
        return ExitCode.Done;
    }

    /// <returns>What was shown.</returns>
    private async Task<IReadOnlyList<Interruption>> ShowAsync(Migrator migrator, long? version, CancellationToken cancellationToken)
    {
        var interrupted = (await migrator.StatusAsync(cancellationToken))
            .Where(status => status.Interruption is not null && (version is null || status.Version == version))
            .ToList();
        foreach (var status in interrupted)
        {
            var stop = status.Interruption!;
            var (direction, isAtEnd) = (stop.Direction.ToString().ToLowerInvariant(), stop.IsAtEnd);
            var state = stop.Started ? $"which was begun at {stop.Since:yyyy-MM-dd HH:mm:ss} UTC"
                : isAtEnd ? "what it asks after them and its history row are missing" : "of which nothing is done";
            report.Result(
                $"{status.Version:D4}_{status.Name}: {direction} interrupted {stop.Place}, {state}");
            if (StatusCommand.Place(status) is { } place)
            {
                var rest = string.Concat(place.Where.LineText.EnumerateRunes().Skip(place.Where.Column - 1));
                report.Result($"  {place.Where}: {Cells.Tame(rest.Trim())}");
            }
        }

        return [.. interrupted.Select(status => status.Interruption!)];
    }
}
