using ChatGenius.Db.Imports;
using ChatGenius.Db.Replay;
using ChatGenius.Db.Schema;

namespace ChatGenius.Tool.Commands;

internal sealed class ImportCommand(Settings settings, Shell shell, DiffMigrations diff, Report report)
{
    internal static readonly Command Definition = new("import", "Write another tool's migrations as files of ours")
    {
        Json = true,
        CalledElsewhere = ["convert"],
        Configure = app =>
        {
            var tool = app.Argument("TOOL", "Whose files they are");
            var folder = app.Argument("FOLDER", "Where they are");
            var downs = app.Option("--write-downs", "Write the downs that are missing, as new --down does", CommandOptionType.NoValue);
            var drafts = app.Option("--drafts", "Write what can't be read too, as far as it can", CommandOptionType.NoValue);
            var shadow = app.Option("--shadow <URL>", "Server for the throw-away database [embedded]", CommandOptionType.SingleValue);
            var dryRun = app.Option("--dry-run", "Only say what would be written", CommandOptionType.NoValue);
            return Command.Handle<ImportCommand>((command, cancellationToken) => command.RunAsync(
                tool.Value, folder.Value, downs.HasValue(), drafts.HasValue(), shadow.Value(), dryRun.HasValue(), cancellationToken));
        },
        Details =
            $"""
            TOOL is {string.Join(", ", Tools[..7])},
            {string.Join(", ", Tools[7..^1])} or {Tools[^1]}.

            Reads all files, runs none of them, and writes nothing while one can't be
            carried over. Numbers stay where they are numbers of ours; imported.tsv keeps
            what each was, for baseline --from. What has no down is irreversible, unless
            --write-downs finds it out on a throw-away database.

            typescript reads migrations in TypeScript or JavaScript that run SQL as text,
            through any library, and never runs them. What depends on rows, the clock or
            a builder call is refused with its place. --drafts writes such a file up to
            there, and an error that no run gets past.
            """,
        Examples =
            """
            chatgenius-db import flyway src/main/resources/db/migration --dry-run
            chatgenius-db import prisma prisma/migrations --write-downs
            chatgenius-db import goose migrations -m db    into the folder db
            chatgenius-db import typescript src/db/migrations --drafts
            """,
    };

    private static string[] Tools => [.. ImportTool.All.Select(tool => tool.Name)];

    private async Task<ExitCode> RunAsync(
        string? name, string? folder, bool writeDowns, bool withDrafts, string? shadow, bool isDry, CancellationToken cancellationToken)
    {
        var tool = Find(name, folder);
        if (folder is null)
        {
            throw new ProblemException("CG1010", "import needs the folder of the other tool's migrations",
                advice: OtherTool.Find(shell.WorkingDirectory, settings.MigrationsFolder) is { } other
                    && other.Name.Equals(tool.Name, StringComparison.OrdinalIgnoreCase)
                    && other.Import(shell, settings.MigrationsFolder) is { } found
                    ? $"As in {found}." : $"Name it after the tool's name; its files are called like {tool.Example}.");
        }

        if (shell.Absolute(folder).TrimEnd('/') == shell.Absolute(settings.MigrationsFolder).TrimEnd('/'))
        {
            throw new ProblemException("CG1504", $"{settings.MigrationsFolder} would hold the files of {tool.Name} and ours",
                advice: $"Name another folder, such as --migrations {ToolCall.Quote(OtherTool.Beside(settings.MigrationsFolder))}.");
        }

        var read = ImportReader.Read(tool, shell.Shown(folder));
        if (read.Problems.Count > 0)
        {
            throw new ProblemException(read.Problems);
        }

        foreach (var note in read.Notes)
        {
            report.Note(note, label: "note");
        }

        var bundle = MigrationSource.Load(null, settings.Bundle, cancellationToken: cancellationToken);
        IReadOnlyList<ImportedFile> Plan(IReadOnlyList<string> there) =>
        [
            .. ImportPlan.Of(tool.Name, read.Migrations, bundle, settings.MigrationsFolder, there),
            .. ImportPlan.OfRepeatables(tool.Name, read.Repeatables, settings.MigrationsFolder),
        ];
        var files = Plan(Names());
        var refused = files.Select(file => file.Refused).OfType<Problem>().ToList();
        TellOfDrafts(files, withDrafts, isDry);
        if (writeDowns)
        {
            files = await WithDownsAsync(files, bundle, shadow, cancellationToken);
        }

        if (!isDry && files.Any(file => file.State == ImportState.New))
        {
            await new MigrationFolder(settings.MigrationsFolder).ImportAsync(
                there => Plan(there).Zip(files).Where(pair => pair.First.State == ImportState.New)
                    .Select(pair => (pair.Second.File, pair.Second.Text)).ToList(),
                [.. files.Where(file => !file.IsRepeatable).Select(file => new ImportedNumber(tool.Name, file.From.Key, file.File))],
                cancellationToken);
        }

        Show(tool, files, isDry, writeDowns);
        return refused.Count == 0 ? ExitCode.Done : ExitCode.Differs;
    }

    /// <summary>A file that can't be read is an error; one that is wanted as a draft a warning.</summary>
    private void TellOfDrafts(IReadOnlyList<ImportedFile> files, bool withDrafts, bool isDry)
    {
        var drafts = files.Where(file => file.Refused is not null).ToList();
        if (drafts.Count == 0)
        {
            return;
        }

        var after = files.Count - files.ToList().IndexOf(drafts[0]) - 1;
        report.Note($"{drafts.Count} of {files.Count} can't be read, {Path.GetFileName(drafts[0].From.Source)} is the first"
            + (after == 0 ? "" : $": the {after} after it may need it"));
        var problems = drafts.Select(file => file.Refused!).ToList();
        if (!withDrafts)
        {
            problems[^1] = problems[^1] with
            {
                Advice = $"{(problems[^1].Advice is { } advice ? advice + " " : "")}Nothing {(isDry ? "would be" : "was")} written; "
                    + "--drafts writes these too, each with an error where it stops, for you to write as SQL.",
            };
            throw new ProblemException(problems);
        }

        foreach (var problem in problems)
        {
            report.Warn(problem);
        }
    }

    private static ImportTool Find(string? name, string? folder) =>
        name is null
            ? throw new ProblemException("CG1010", "import needs the tool's name", advice: $"One of {string.Join(", ", Tools)}.")
            : ImportTool.All.FirstOrDefault(tool => tool.Name.Equals(name.Replace(' ', '-'), StringComparison.OrdinalIgnoreCase))
                ?? throw new ProblemException(
                    "CG1502",
                    ImportTool.NotSql.Contains(name, StringComparer.OrdinalIgnoreCase)
                        ? $"The migrations of {name} are programs, or in a language of their own, and only SQL can be read"
                        : $"There is no tool {name} whose files can be read",
                    advice: ImportTool.InTypeScript.Contains(name.ToLowerInvariant())
                        ? "Those in TypeScript or JavaScript that run SQL as text are read by "
                            + $"{new ToolCall("import", "typescript", folder ?? ".")}."
                        : $"Those of {string.Join(", ", Tools)} can. What another tool has built is taken over with "
                            + $"{new ToolCall("baseline", "--detect")}.");

    private List<string> Names() => Directory.Exists(settings.MigrationsFolder)
        ? [.. Directory.EnumerateFiles(settings.MigrationsFolder).Select(path => Path.GetFileName(path))] : [];

    /// <summary>Each up is run on what those before it make, and the difference is read back.</summary>
    private async Task<IReadOnlyList<ImportedFile>> WithDownsAsync(
        IReadOnlyList<ImportedFile> files, IReadOnlyList<Migration> bundle, string? shadow, CancellationToken cancellationToken)
    {
        var options = new SchemaMigrationOptions(
            new SchemaReadOptions { HistorySchema = settings.HistorySchema, Parts = SchemaParts.Default | SchemaParts.Dependencies },
            new SchemaChangeOptions(), []);
        var result = new List<ImportedFile>();
        foreach (var file in files)
        {
            var chain = bundle.Concat(result.Select(one => one.Migration).OfType<Migration>())
                .OrderBy(migration => migration.Version).ToList();
            result.Add(file is { State: ImportState.New, IsIrreversible: true, Refused: null }
                ? file.WithDown(await diff.DownAsync(file.Migration!.Up, chain, options, shadow, cancellationToken)) : file);
        }

        return result;
    }

    private void Show(ImportTool tool, IReadOnlyList<ImportedFile> files, bool isDry, bool writeDowns)
    {
        var table = new Table(2, 0, "was", "is", "down");
        foreach (var file in files)
        {
            table.Add(
                file.From.Origin, file.File,
                file.State == ImportState.InBundle ? "in the bundle: left out" : file.State == ImportState.There ? "there already"
                    : file.Refused is not null ? "a draft" : file.IsRepeatable ? "repeatable"
                    : file.IsIrreversible ? "irreversible" : "yes");
        }

        table.Write(report);
        if (settings.Bundle && files.Any(file => file.State != ImportState.InBundle))
        {
            report.Note("The numbers come after those of the bundle; with --no-bundle they begin at 0001", label: "note");
        }

        var written = files.Where(file => file.State == ImportState.New).ToList();
        report.Result(
            new DoneJson(isDry || written.Count == 0 ? "nothing" : "imported")
            {
                Name = tool.Name,
                Files = [.. written.Select(file => new DoneFileJson(
                    Path.Combine(settings.MigrationsFolder, file.File), file.From.Source))],
            },
            JsonContext.Readable.DoneJson);
        var irreversible = written.Count(file => file.IsIrreversible);
        if (written.Count(file => file.WrittenDown?.Contains(SchemaMigrations.Todo, StringComparison.Ordinal) == true) is > 0 and var open)
        {
            report.Note($"{Plural.Of(open, "file")} with open questions in the down: answer each, take the line away, and apply takes "
                + "the file (CG1408)", label: "note");
        }

        report.Note(
            written.Count == 0 ? "Nothing to import: all of it is here"
            : $"{Plural.Of(written.Count, "migration")} {(isDry ? "would be written" : "written")} to {settings.MigrationsFolder}"
                + (irreversible == 0 ? "" : $", {irreversible} irreversible"
                    + (writeDowns ? "" : " (--write-downs writes what undoes them)")));
    }
}
