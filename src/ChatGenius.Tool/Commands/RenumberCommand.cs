namespace ChatGenius.Tool.Commands;

internal sealed class RenumberCommand(
    Settings settings, AppliedMigrations history, Workspace workspace, Runs runs, Consent consent, Report report)
{
    internal static readonly Command Definition = new("renumber", "Move your own migrations after what came in by a merge")
    {
        Json = true,
        Configure = app =>
        {
            var files = app.Argument("FILE", "Migrations to move; by default, what this branch has added", multipleValues: true);
            var since = app.Option("--since <REV>", "Move what was added since this git revision, such as origin/main",
                CommandOptionType.SingleValue);
            var reapply = app.Option("--reapply", "Undo your own on the database first, and apply all in order after it",
                CommandOptionType.NoValue);
            var dryRun = app.Option("--dry-run", "Only say what would be renamed", CommandOptionType.NoValue);
            var yes = app.Option("-y|--yes", "Don't ask", CommandOptionType.NoValue);
            return Command.Handle<RenumberCommand>((command, cancellationToken) => command.RunAsync(
                [.. files.Values.OfType<string>().Select(file => Path.GetFileName(file)!)], since.Value(),
                new Way(reapply.HasValue(), dryRun.HasValue(), yes.HasValue()), cancellationToken));
        },
        Details =
            """
            What is published keeps its number: git says what is on origin/HEAD, else on
            origin/main, else on main where another branch is checked out, or on what the
            setting base names. What this branch has added moves after it, as far as it
            must. Where git knows none of them, files are taken by name. Numbers only grow,
            and what moves keeps its order.

            Where one that moves is applied on the database, its row in the history moves
            with it, after a question; nothing is run. --reapply instead undoes your own
            there, says what is lost with it, and applies all in the new order.
            """,
        Examples =
            """
            chatgenius-db renumber --dry-run
            chatgenius-db renumber --reapply             and bring my database in order
            chatgenius-db renumber --since release       what was added since then
            chatgenius-db renumber 0006_add_polls.sql    this one
            """,
    };

    private async Task<ExitCode> RunAsync(
        IReadOnlyList<string> named, string? since, Way way, CancellationToken cancellationToken)
    {
        var folder = settings.MigrationsFolder;
        var found = await history.ReadAsync(cancellationToken);
        if (found is null)
        {
            report.Note("No database is configured, so nothing is known to be applied (--database URL or --embedded names one)");
        }

        var published = since is null && Directory.Exists(folder)
            ? await Git.BaseAsync(settings[SettingKey.Base].Value, folder, cancellationToken) : null;
        var added = (since ?? published) is { } revision ? await Git.AddedSinceAsync(revision, folder, cancellationToken) : null;
        var decision = new RenumberDecision(
            MigrationSource.Load(null, settings.Bundle, cancellationToken: cancellationToken), found?.Applied ?? [], named, added,
            published);
        var names = Directory.Exists(folder) ? Directory.EnumerateFiles(folder).Select(path => Path.GetFileName(path)).ToList() : [];
        var renames = decision.Plan(names);
        if (way.Reapplies && found is { } at && decision.UndoneTo(names, renames) is { } to)
        {
            return await ReapplyAsync(new RollbackRequest(To: to), decision, renames, way, cancellationToken);
        }

        var rows = decision.Rows(names, renames);
        if (way.IsDry)
        {
            Show(renames, rows, isDone: false);
            return ExitCode.Done;
        }

        if (rows.Count > 0)
        {
            consent.RefuseWhereProtected("renumber");
            var ids = rows.Select(row => $"{MigrationNumber.Format(row.From)}_{row.Name} to {MigrationNumber.Format(row.To)}");
            if (!await consent.AskAsync(
                $"Move what is applied on {found!.Value.Database.Url.Display} with its file: {string.Join(", ", ids)}?", way.Yes,
                cancellationToken))
            {
                return ExitCode.Cancelled;
            }
        }

        await RenameAsync(decision, rows, rows.Count == 0 ? null : () => new Migrator(found!.Value.Database, [], settings.RunOptions)
            .MoveAsync(rows, cancellationToken), cancellationToken);
        Show(renames, rows, isDone: true);
        return ExitCode.Done;
    }

    /// <summary>Renames, where the folder is still what was decided on.</summary>
    private async Task RenameAsync(
        RenumberDecision decision, IReadOnlyList<MovedRow> rows, Func<Task>? andThen, CancellationToken cancellationToken)
    {
        await new MigrationFolder(settings.MigrationsFolder).RenumberAsync(
            names =>
            {
                var plan = decision.Plan(names);
                return rows.Count == 0 || decision.Rows(names, plan).SequenceEqual(rows) ? plan : throw new ProblemException(
                    "CG0410", "The folder is another one than was shown", advice: "Another run changed it in between. Run it again.");
            },
            andThen,
            cancellationToken);
    }

    private Task<ExitCode> ReapplyAsync(
        RollbackRequest request, RenumberDecision decision, IReadOnlyList<NewNumber> renames, Way way, CancellationToken cancellationToken)
    {
        Lines(renames);
        return runs.UndoAsync(
            migrator => migrator.PlanRollbackAsync(request, cancellationToken), way.IsDry, way.Yes, reason: null,
            ("renumber", "Roll back and apply again, in order,", "applied"),
            async (migrator, plan) =>
            {
                var undone = await migrator.RollbackAsync(request, plan, cancellationToken);
                await RenameAsync(decision, [], andThen: null, cancellationToken);
                var applied = await migrator.With(await workspace.LoadAsync(cancellationToken))
                    .ApplyAsync(cancellationToken: cancellationToken);
                return applied with { Finished = [.. undone.Finished, .. applied.Finished], Elapsed = undone.Elapsed + applied.Elapsed };
            },
            cancellationToken);
    }

    private void Lines(IReadOnlyList<NewNumber> renames)
    {
        foreach (var rename in renames)
        {
            report.Result($"{In(rename.From)} -> {In(rename.To)}");
        }
    }

    private void Show(IReadOnlyList<NewNumber> renames, IReadOnlyList<MovedRow> rows, bool isDone)
    {
        Lines(renames);
        report.Result(
            new DoneJson(renames.Count + rows.Count == 0 || !isDone ? "nothing" : "renumbered")
            {
                Files = [.. renames.Select(rename => new DoneFileJson(In(rename.To), In(rename.From)))],
                Migrations = rows.Count == 0 ? null : [.. rows.Select(row => new DoneMigrationJson(row.To, row.Name, null, null))],
            },
            JsonContext.Readable.DoneJson);
        report.Note(renames.Count + rows.Count == 0 ? "Nothing to renumber"
            : $"{Plural.Of(renames.Count, "migration")} {(isDone ? "got" : "would get")} a new number"
                + (rows.Count == 0 ? "" : $", and {rows.Count} in the history"));
    }

    private string In(string name) => Path.Combine(settings.MigrationsFolder, name);

    private sealed record Way(bool Reapplies, bool IsDry, bool Yes);
}
