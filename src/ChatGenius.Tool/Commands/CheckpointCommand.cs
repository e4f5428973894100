using ChatGenius.Db.Server;

namespace ChatGenius.Tool.Commands;

internal sealed class CheckpointCommand(TargetFinder targets, Consent consent, Report report)
{
    internal static readonly Command Definition = new("checkpoint", "Save the database, and put it back later")
    {
        CalledElsewhere = ["snapshot", "savepoint"],
        Details =
            """
            For development: try a migration and be back in a second. A checkpoint is a
            database of its own on the same server. Nobody may be connected while one is
            saved or put back; other sessions are ended after a yes.
            """,
        Subcommands =
        [
            new("save", "Copy the database as it is")
            {
                Json = true,
                Configure = app =>
                {
                    var (name, yes) = Declare(app);
                    return Command.Handle<CheckpointCommand>((command, cancellationToken) =>
                        command.SaveAsync(Name(name, "save"), yes.HasValue(), cancellationToken));
                },
                Examples =
                    """
                    chatgenius-db checkpoint save before-tags
                    """,
            },
            new("list", "Show the checkpoints of the database")
            {
                Json = true,
                Configure = _ => Command.Handle<CheckpointCommand>((command, cancellationToken) => command.ListAsync(cancellationToken)),
            },
            new("restore", "Put the database back to a checkpoint, which stays")
            {
                Json = true,
                Configure = app =>
                {
                    var (name, yes) = Declare(app);
                    return Command.Handle<CheckpointCommand>((command, cancellationToken) =>
                        command.RestoreAsync(Name(name, "restore"), yes.HasValue(), cancellationToken));
                },
                Details =
                    """
                    The copy is made first and then takes the database's place: whatever fails,
                    the database is there, as it was or as the checkpoint is.
                    """,
            },
            new("drop", "Drop a checkpoint")
            {
                Json = true,
                Configure = app =>
                {
                    var (name, yes) = Declare(app);
                    return Command.Handle<CheckpointCommand>((command, cancellationToken) =>
                        command.DropAsync(Name(name, "drop"), yes.HasValue(), cancellationToken));
                },
            },
        ],
    };

    private static (CommandArgument Name, CommandOption Yes) Declare(CommandLineApplication app) =>
        (app.Argument("NAME", "What the checkpoint is called"), app.Option("-y|--yes", "Don't ask", CommandOptionType.NoValue));

    private static string Name(CommandArgument argument, string command) => argument.Value ?? throw new ProblemException(
        "CG1010", $"checkpoint {command} needs a NAME", advice: $"Such as '{Cli.Name} checkpoint {command} before-tags'.");

    private async Task<ExitCode> SaveAsync(string name, bool yes, CancellationToken cancellationToken)
    {
        consent.RefuseWhereProtected("checkpoint save");
        var target = await targets.FindAsync(cancellationToken);
        var checkpoints = new Checkpoints(target.Database);
        var sessions = await checkpoints.SessionsAsync(cancellationToken);
        if (sessions.Count > 0 && !await consent.AskAsync($"{Ending(sessions)} to copy {target.Url.Display}?", yes, cancellationToken))
        {
            return ExitCode.Cancelled;
        }

        var clock = TimeProvider.System.GetTimestamp();
        using var progress = new RunProgress(report);
        progress.Show("Copying the database");
        var saved = await checkpoints.SaveAsync(name, sessions.Count > 0, cancellationToken);
        report.Result(new DoneJson("saved") { Database = target.Url.Display, Name = name }, JsonContext.Readable.DoneJson);
        var size = saved.Bytes is { } bytes ? $", {DataSize.Format(bytes)}," : "";
        report.Result($"Saved checkpoint \"{name}\"{size} in {Duration.Format(TimeProvider.System.GetElapsedTime(clock))}");
        report.Detail($"It is the database {saved.DatabaseName}");
        return ExitCode.Done;
    }

    private async Task<ExitCode> ListAsync(CancellationToken cancellationToken)
    {
        var target = await targets.FindAsync(cancellationToken);
        var checkpoints = await new Checkpoints(target.Database).ListAsync(cancellationToken);
        var table = new Table(1, 3, "name", "saved at (UTC)", "size", "database");
        foreach (var checkpoint in checkpoints)
        {
            table.Add(checkpoint.Name, Time(checkpoint), checkpoint.Bytes is { } bytes ? DataSize.Format(bytes) : "",
                checkpoint.DatabaseName);
        }

        table.Write(report);
        report.Result(
            new CheckpointsJson(target.Url.Display,
                [.. checkpoints.Select(c => new CheckpointJson(c.Name, c.SavedAt, c.Bytes, c.DatabaseName))]),
            JsonContext.Readable.CheckpointsJson);
        if (checkpoints.Count == 0)
        {
            report.Note("There are no checkpoints");
        }

        return ExitCode.Done;
    }

    private async Task<ExitCode> RestoreAsync(string name, bool yes, CancellationToken cancellationToken)
    {
        consent.RefuseWhereProtected("checkpoint restore");
        var target = await targets.FindAsync(cancellationToken);
        var checkpoints = new Checkpoints(target.Database);
        var checkpoint = await checkpoints.GetAsync(name, cancellationToken);
        var sessions = await checkpoints.SessionsAsync(cancellationToken);
        var question = $"Put {target.Url.Display} back to {Time(checkpoint)} UTC and lose what came after?";
        if (!await consent.AskAsync(sessions.Count > 0 ? $"{Ending(sessions)}?\n{question}" : question, yes, cancellationToken))
        {
            return ExitCode.Cancelled;
        }

        var clock = TimeProvider.System.GetTimestamp();
        using var progress = new RunProgress(report);
        progress.Show("Copying the database");
        if (await checkpoints.RestoreAsync(name, sessions.Count > 0, cancellationToken) is { } leftOver)
        {
            report.Warn(leftOver);
        }

        report.Result(new DoneJson("restored") { Database = target.Url.Display, Name = name }, JsonContext.Readable.DoneJson);
        report.Result(
            $"Put {target.Url.Display} back to checkpoint \"{name}\" in {Duration.Format(TimeProvider.System.GetElapsedTime(clock))}");
        return ExitCode.Done;
    }

    private async Task<ExitCode> DropAsync(string name, bool yes, CancellationToken cancellationToken)
    {
        consent.RefuseWhereProtected("checkpoint drop");
        var target = await targets.FindAsync(cancellationToken);
        var checkpoints = new Checkpoints(target.Database);
        var checkpoint = await checkpoints.GetAsync(name, cancellationToken);
        if (!await consent.AskAsync($"Drop checkpoint \"{name}\" of {Time(checkpoint)} UTC?", yes, cancellationToken))
        {
            return ExitCode.Cancelled;
        }

        await checkpoints.DropAsync(name, cancellationToken);
        report.Result(new DoneJson("dropped") { Database = target.Url.Display, Name = name }, JsonContext.Readable.DoneJson);
        report.Result($"Dropped checkpoint \"{name}\"");
        return ExitCode.Done;
    }

    private static string Time(Checkpoint checkpoint) =>
        checkpoint.SavedAt.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    private static string Ending(IReadOnlyList<string> sessions)
    {
        const int Shown = 3;
        var more = sessions.Count > Shown ? "; …" : "";
        return $"End {Plural.Of(sessions.Count, "session")} ({string.Join("; ", sessions.Take(Shown))}{more})";
    }
}

/// <summary>What <c>checkpoint list --json</c> prints.</summary>
internal sealed record CheckpointsJson(string Database, IReadOnlyList<CheckpointJson> Checkpoints);

/// <param name="Bytes">Its size; absent where the role may not see it.</param>
/// <param name="Database">The database on the same server that holds it.</param>
internal sealed record CheckpointJson(string Name, DateTimeOffset SavedAt, long? Bytes, string Database);
