namespace ChatGenius.Tool.Commands;

internal sealed class RenumberCommand(Settings settings, AppliedMigrations history, Report report)
{
    internal static readonly Command Definition = new("renumber", "Move your own migrations after what came in by a merge")
    {
        Json = true,
        Configure = app =>
        {
            var files = app.Argument("FILE", "Migrations to move; by default, what this branch has added", multipleValues: true);
            var since = app.Option("--since <REV>", "Move what was added since this git revision, such as origin/main",
                CommandOptionType.SingleValue);
            var dryRun = app.Option("--dry-run", "Only say what would be renamed", CommandOptionType.NoValue);
            return Command.Handle<RenumberCommand>((command, cancellationToken) =>
                command.RunAsync([.. files.Values.OfType<string>()], since.Value(), dryRun.HasValue(), cancellationToken));
        },
        Details =
            """
            What is published keeps its number: git says what is on origin/HEAD, else on
            origin/main, or on what the setting base names. What this branch has added
            moves after it, as far as it must. Where git knows none of them, files are
            taken by name. What the database's history has applied keeps its number too.
            Numbers only grow, and what moves keeps its order.
            """,
        Examples =
            """
            chatgenius-db renumber --dry-run
            chatgenius-db renumber --since release       what was added since then
            chatgenius-db renumber 0006_add_polls.sql    this one
            """,
    };

    private async Task<ExitCode> RunAsync(IReadOnlyList<string> files, string? since, bool dryRun, CancellationToken cancellationToken)
    {
        var folder = settings.MigrationsFolder;
        var applied = await history.ReadAsync(cancellationToken);
        if (applied is null)
        {
            report.Note("No database is configured, so nothing is known to be applied (--database URL or --embedded names one)");
        }

        var bundle = MigrationSource.Load(null, settings.Bundle, cancellationToken: cancellationToken);
        var move = files.Select(file => Path.GetFileName(file)!).ToList();
        var published = since is null && Directory.Exists(folder)
            ? await Git.BaseAsync(settings[SettingKey.Base].Value, folder, cancellationToken) : null;
        var added = (since ?? published) is { } revision ? await Git.AddedSinceAsync(revision, folder, cancellationToken) : null;
        IReadOnlyList<NewNumber> Plan(IReadOnlyList<string> names)
        {
            RequireUnpublished(names, move, published is null ? null : added, published);
            var plan = Decide(names, move, published is not null && move.Count > 0 ? null : added, bundle, applied ?? []);
            return added is not null || move.Count > 0 ? plan : RequireOwn(plan, bundle);
        }


        var renames = dryRun
            ? Plan(Directory.Exists(folder) ? [.. Directory.EnumerateFiles(folder).Select(path => Path.GetFileName(path))] : [])
            : await new MigrationFolder(folder).RenumberAsync(Plan, cancellationToken);
        foreach (var rename in renames)
        {
            report.Result($"{Path.Combine(folder, rename.From)} -> {Path.Combine(folder, rename.To)}");
        }

        report.Result(
            new DoneJson(renames.Count == 0 || dryRun ? "nothing" : "renumbered")
            {
                Files = [.. renames.Select(rename => new DoneFileJson(Path.Combine(folder, rename.To), Path.Combine(folder, rename.From)))],
            },
            JsonContext.Readable.DoneJson);
        report.Note(renames.Count == 0 ? "Nothing to renumber"
            : $"{Plural.Of(renames.Count, "migration")} {(dryRun ? "would get" : "got")} a new number");
        return ExitCode.Done;
    }

    /// <summary>Others have what is on the base, and may have applied it: it keeps its number.</summary>
    private static void RequireUnpublished(IReadOnlyList<string> names, List<string> move, HashSet<string>? own, string? published)
    {
        var theirs = own is null ? [] : move.Where(name => names.Contains(name) && !own.Contains(name)).ToList();
        if (theirs.Count > 0)
        {
            throw new ProblemException([.. theirs.Select(name => new Problem(
                "CG0817", $"The migration {name} is on {published}, so it keeps its number",
                Advice: $"Move your own instead: {new ToolCall("renumber")} finds them. Where they are applied on your database, undo "
                    + $"them first with {new ToolCall("rollback")}, and apply them with the others."))]);
        }
    }

    /// <summary>Without git, a database alone doesn't say whose a file is: a development database may have only one's own.</summary>
    private static IReadOnlyList<NewNumber> RequireOwn(IReadOnlyList<NewNumber> plan, IReadOnlyList<Migration> bundle) =>
        plan.Count == 0 || bundle.Any(migration => migration.Version == MigrationNumber.Of(plan[0].From)) ? plan
            : throw new ProblemException(
                "CG0816", $"Nothing says whether {plan[0].From} is yours: git knows no origin/HEAD and no origin/main here",
                advice: $"Name your own, which are to move, as in {new ToolCall("renumber", plan[0].From)}; or set \"base\" in "
                    + "chatgenius-db.json to the revision that has what is published.");

    private static IReadOnlyList<NewNumber> Decide(
        IReadOnlyList<string> names, List<string> move, HashSet<string>? added, IReadOnlyList<Migration> bundle,
            IReadOnlyList<AppliedMigration> applied)
    {
        // A file that is also in the bundle, under the same name, is the bundle's: it stays.
        var bundled = bundle.Select(migration => $"{migration.Id}.sql").ToHashSet(StringComparer.Ordinal);
        var files = names
            .Where(name => name.EndsWith(".sql", StringComparison.OrdinalIgnoreCase) && !bundled.Contains(name)
                && MigrationNumber.Of(name) is not null)
            .Select(name => (Name: name, Number: MigrationNumber.Of(name)!.Value))
            .ToList();
        if (added is not null)
        {
            move = [.. move, .. files.Select(file => file.Name).Where(added.Contains)];
            if (move.Count == 0)
            {
                return [];
            }
        }

        // The name tells two files of one number apart: the history has one of them.
        var numbered = files.Select(file => new NumberedFile(
            file.Name, file.Number, applied.Any(one => one.Version == file.Number
                && Path.GetFileNameWithoutExtension(file.Name).EndsWith($"_{one.Name}", StringComparison.Ordinal))));
        var taken = bundle.Select(migration => migration.Version).Concat(applied.Select(one => one.Version)).ToList();
        return Renumbering.Plan([.. numbered], taken, move, DateTimeOffset.UtcNow);
    }
}
