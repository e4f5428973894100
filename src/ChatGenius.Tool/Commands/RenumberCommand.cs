using ChatGenius.Db;
using ChatGenius.Db.Files;
using ChatGenius.Tool.Configuration;
using ChatGenius.Tool.Output;
using McMaster.Extensions.CommandLineUtils;
namespace ChatGenius.Tool.Commands;

internal sealed class RenumberCommand(Settings settings, AppliedMigrations history, Report report)
{
    internal static readonly Command Definition = new("renumber", "Move your own migrations after what came in by a merge")
    {
        Json = true,
        Configure = app =>
        {
            var files = app.Argument("FILE", "Migrations to move; by default, what is known to need it", multipleValues: true);
            var since = app.Option("--since <REV>", "Move what was added since this git revision, such as origin/main",
                CommandOptionType.SingleValue);
            var dryRun = app.Option("--dry-run", "Only say what would be renamed", CommandOptionType.NoValue);
            return Command.Handle<RenumberCommand>((command, cancellationToken) =>
                command.RunAsync([.. files.Values.OfType<string>()], since.Value(), dryRun.HasValue(), cancellationToken));
        },
        Details =
            """
            Where a database is configured, its history says what is applied; that keeps
            its number. By default everything else moves, from the first file on that
            shares its number with an applied or bundled one or is below one. Numbers
            only grow, and what moves keeps its order.
            """,
        Examples =
            """
            chatgenius-db renumber --dry-run
            chatgenius-db renumber --since origin/main   what this branch has added
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
        var added = since is null ? null : await Git.AddedSinceAsync(since, folder, cancellationToken);
        IReadOnlyList<NewNumber> Plan(IReadOnlyList<string> names) => Decide(names, move, added, bundle, applied ?? []);

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
