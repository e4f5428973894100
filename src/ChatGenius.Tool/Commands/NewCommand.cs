using System.Diagnostics;
using System.Text.RegularExpressions;
using ChatGenius.Db.Replay;
using ChatGenius.Db.Schema;
using ChatGenius.Db.Templates;
using ChatGenius.Db.Text;

namespace ChatGenius.Tool.Commands;

internal sealed partial class NewCommand(
    Settings settings, AppliedMigrations history, LastNew last, SchemaSources sources, DiffMigrations diff, Shell shell, Report report)
{
    internal static readonly Command Definition = new("new", "Write the next migration from a template")
    {
        Json = true,
        CalledElsewhere = ["generate", "add", "make", "scaffold", "create-migration"],
        Configure = app =>
        {
            var name = app.Argument("NAME", "What it does, as in add_reactions; it also chooses the template");
            var columns = app.Argument("COLUMN", "name:type[?][=default][:modifier]", multipleValues: true);
            var options = new Options(app);
            return Command.Handle<NewCommand>((command, cancellationToken) =>
                command.RunAsync(name.Value, columns.Values, options, cancellationToken));
        },
        Details =
            """
            A column is not null unless ? follows its type. Modifiers: unique,
            unique(a,b), index, check(…), references(table), cascade, restrict, setnull,
            setdefault, noaction, identity. message:references is the column message_id
            with a foreign key to messages and an index. Needs no database.

            --from-diff writes what a database has beyond the migrations, and --down the
            down section of a file that has none; both replay the migrations first.
            """,
        Examples =
            """
            chatgenius-db new add_reactions message:references user:references emoji:text
            chatgenius-db new add_pinned_to_messages pinned:boolean=false
            chatgenius-db new index_messages_on_user_id_and_created_at
            chatgenius-db new backfill_title_in_users --set "value='Member'"
            chatgenius-db new tidy_up --template blank --stdout
            chatgenius-db new --undo                   the files of the last new away
            chatgenius-db new --list                   all templates
            chatgenius-db new --show create_table      one, with the values it takes
            chatgenius-db new --eject create_table     a copy of it, to be changed
            """,
    };

    private sealed class Options(CommandLineApplication app)
    {
        private readonly CommandOption _template =
            app.Option("-t|--template <NAME>", "Template to use instead of the one the name chooses", CommandOptionType.SingleValue);
        private readonly CommandOption _templates =
            app.Option("--templates <DIR>", "The project's own templates, instead of migrations/templates", CommandOptionType.SingleValue);
        private readonly CommandOption _set = app.Option("--set <VALUE>", "KEY=VALUE for the template; may be given several times",
            CommandOptionType.MultipleValue);
        private readonly CommandOption _edit = app.Option("--edit", "Open what was written in $VISUAL or $EDITOR",
            CommandOptionType.NoValue);
        private readonly CommandOption _stdout = app.Option("--stdout", "Print the migration instead of writing a file",
            CommandOptionType.NoValue);
        private readonly CommandOption _again = app.Option("--again", "Although a migration of this name is there",
            CommandOptionType.NoValue);
        private readonly CommandOption _timestamp = app.Option("--timestamp", "Number it by the time, and all that come after it",
            CommandOptionType.NoValue);
        private readonly CommandOption _undo = app.Option("--undo", "Delete what the last new wrote, if it is as it was",
            CommandOptionType.NoValue);
        private readonly CommandOption _fromDiff = app.Option("--from-diff=<DATABASE>",
            "From what a database or a file of schema dump has beyond the migrations", CommandOptionType.SingleOrNoValue);
        private readonly CommandOption _down = app.Option("--down <FILE>", "Write the down section that a migration lacks",
            CommandOptionType.SingleValue);
        private readonly CommandOption _shadow = app.Option("--shadow <URL>", "Server for the throw-away database [embedded]",
            CommandOptionType.SingleValue);
        private readonly SchemaChangeArguments _change = new(app);
        private readonly SchemaReadArguments _read = new(app);
        private readonly CommandOption _list = app.Option("--list", "Show the templates", CommandOptionType.NoValue);
        private readonly CommandOption _show = app.Option("--show <NAME>", "Show a template", CommandOptionType.SingleValue);
        private readonly CommandOption _eject = app.Option("--eject <NAME>",
            "Copy a built-in template into the project, where it comes first", CommandOptionType.SingleValue);

        public string? Template => _template.Value();

        public string? Templates => _templates.Value();

        public bool Edit => _edit.HasValue();

        public bool Stdout => _stdout.HasValue();

        public bool Undo => _undo.HasValue();

        public bool FromDiff => _fromDiff.HasValue();

        /// <summary>Where the schema is; null for the configured database.</summary>
        public string? Source => _fromDiff.Value();

        public string? Down => _down.Value();

        public string? Shadow => _shadow.Value();

        public SchemaMigrationOptions Diff(Settings settings) =>
            new(_read.Over(settings, SchemaParts.Dependencies), _change.Options, _change.Excluded, WithPlatform: Source is not null);

        public Numbering Numbering(DateTimeOffset now) => new(now, _timestamp.HasValue(), _again.HasValue());

        public bool List => _list.HasValue();

        public string? Show => _show.Value();

        public string? Eject => _eject.Value();

        public Dictionary<string, string> Set()
        {
            var values = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var text in _set.Values.OfType<string>())
            {
                var equals = text.IndexOf('=', StringComparison.Ordinal);
                if (equals <= 0 || !values.TryAdd(text[..equals], text[(equals + 1)..]))
                {
                    throw new ProblemException(
                        "CG0809", equals <= 0 ? $"--set takes KEY=VALUE, not \"{text}\"" : $"The value \"{text[..equals]}\" is set twice",
                        advice: "As in --set method=gin");
                }
            }

            return values;
        }
    }

    private async Task<ExitCode> RunAsync(string? name, IReadOnlyList<string?> columns, Options options,
        CancellationToken cancellationToken)
    {
        var folder = options.Templates is { } given ? shell.Shown(given) : settings.TemplatesFolder;
        var catalog = new TemplateCatalog(folder);
        if (options.List)
        {
            List(catalog);
        }
        else if (options.Show is { } shown)
        {
            report.Document(catalog.Show(shown));
        }
        else if (options.Eject is { } ejected)
        {
            var path = TemplateCatalog.Eject(ejected, folder);
            report.Result(path);
            report.Result(new DoneJson("written") { Name = ejected, Files = [new DoneFileJson(path, null)] },
                JsonContext.Readable.DoneJson);
        }
        else if (options.FromDiff)
        {
            return await WriteDiffAsync(name ?? throw NoName(), options, cancellationToken);
        }
        else if (options.Down is { } down)
        {
            var path = File.Exists(shell.Absolute(down)) ? shell.Absolute(down)
                : Path.Combine(shell.Absolute(settings.MigrationsFolder), down);
            return await diff.WriteDownAsync(
                path, shell.Shown(path), () => MigrationSource.Load(
                    settings.MigrationsFolder, settings.Bundle, before: path, emptyDownsUpTo: long.MaxValue,
                    cancellationToken: cancellationToken),
                options.Diff(settings), options.Shadow, cancellationToken);
        }
        else if (options.Undo)
        {
            await UndoAsync(name, cancellationToken);
        }
        else
        {
            await WriteAsync(catalog, name ?? throw NoName(), [.. columns.OfType<string>()], options, cancellationToken);
        }

        return ExitCode.Done;
    }

    private async Task<ExitCode> WriteDiffAsync(string name, Options options, CancellationToken cancellationToken)
    {
        var wanted = options.Diff(settings);
        IReadOnlyList<Migration> chain =
        [
            .. Repeatable.Together(
                [settings.MigrationsFolder],
                () => MigrationSource.Load(
                    settings.MigrationsFolder, settings.Bundle, emptyDownsUpTo: long.MaxValue, cancellationToken: cancellationToken),
                out var repeatables),
            .. repeatables,
        ];
        var schema = options.Source is { } source
            ? await sources.ReadAsync(source, "--from-diff", options.Shadow, wanted.Read, cancellationToken)
            : await sources.ReadTargetAsync(wanted.Read, cancellationToken);
        return await diff.WriteAsync(
            name, chain, schema.Schema, wanted, options.Shadow, options.Numbering(DateTimeOffset.UtcNow), cancellationToken);
    }

    private static ProblemException NoName() =>
        new(new Problem("CG0801", "new needs the migration's name", Advice: $"As in: {Cli.Name} new add_reactions emoji:text"));

    private void List(TemplateCatalog catalog)
    {
        var templates = catalog.List();
        report.Result(
            new TemplatesJson([.. templates.Select(info =>
                new TemplateJson(info.Name, info.Summary, info.IsBuiltIn ? null : info.Source.Path))]),
            JsonContext.Readable.TemplatesJson);
        var width = templates.Max(info => info.Name.Length);
        foreach (var info in templates)
        {
            report.Result(
                $"{info.Name.PadRight(width)}  {info.Summary}{(info.IsBuiltIn ? "" : report.Style.Dim($" ({info.Source.Path})"))}");
        }
    }

    private async Task WriteAsync(TemplateCatalog catalog, string name, string[] columns, Options options,
        CancellationToken cancellationToken)
    {
        var editor = options.Edit && !options.Stdout ? Editor() : null;
        var now = DateTimeOffset.UtcNow;
        var scaffold = catalog.Render(new ScaffoldRequest(name, columns) { Template = options.Template, Set = options.Set(), Now = now });
        Explain(scaffold, options);
        if (options.Stdout)
        {
            Print(scaffold.Migrations);
            return;
        }

        var applied = await history.TryReadAsync(cancellationToken);
        var taken = applied.Select(migration => $"{MigrationNumber.Format(migration.Version)}_{migration.Name}.sql")
            .Concat(settings.Bundle ? MigrationNumber.OfBundle() : []).ToList();
        var paths = await new MigrationFolder(settings.MigrationsFolder).AddAsync(
            scaffold.Migrations, taken, options.Numbering(now), cancellationToken);
        last.Keep(paths);

        if (editor is not null)
        {
            await EditAsync(editor, paths, cancellationToken);
        }

        foreach (var path in paths)
        {
            report.Result(path);
        }

        SayWhatIsMissing(scaffold.Migrations.Zip(paths));
        report.Result(
            new DoneJson("written") { Name = scaffold.Template.Name, Files = [.. paths.Select(path => new DoneFileJson(path, null))] },
            JsonContext.Readable.DoneJson);
    }

    private void Explain(Scaffold scaffold, Options options)
    {
        var said = scaffold.Reading.Values.Select(value => $"{value.Key} {value.Value}").ToList();
        if (scaffold.Reading.Columns.Count > 0)
        {
            said.Add($"{(scaffold.Reading.Columns.Count == 1 ? "column" : "columns")} {string.Join(", ", scaffold.Reading.Columns)}");
        }

        var read = options.Template is not null || said.Count == 0 ? "" : $", with {string.Join(" and ", said)}";
        report.Note($"Template {scaffold.Template.Name}{read} (--template NAME takes another, --list shows them)");
        foreach (var notice in scaffold.Notices)
        {
            report.Note(notice);
        }
    }

    private void Print(IReadOnlyList<ScaffoldedMigration> migrations)
    {
        foreach (var (migration, i) in migrations.Select((migration, i) => (migration, i)))
        {
            if (migrations.Count > 1)
            {
                report.Document($"{(i == 0 ? "" : "\n")}-- {i + 1} of {migrations.Count}: {migration.Name}\n");
            }

            report.Document(migration.Text);
        }
    }

    /// <summary>Says what the files don't say yet, and warns of what a template of the project's own makes that is no migration.</summary>
    private void SayWhatIsMissing(IEnumerable<(ScaffoldedMigration Migration, string Path)> written)
    {
        foreach (var (migration, path) in written)
        {
            var source = SourceText.From(path, migration.Text);
            var todo = migration.Text.Split('\n').Index().Select(line => (Line: line.Index + 1, Match: Todo().Match(line.Item)))
                .Where(line => line.Match.Success).Select(line => (line.Line, What: line.Match.Groups[1].Value)).ToList();
            try
            {
                var parsed = MigrationParser.Parse(source, MigrationOrigin.Folder);
                if (parsed.Up.Script.Statements.Count == 0)
                {
                    todo.Add((parsed.Up.Where.Line, "the statements are still to be written"));
                }
            }
            catch (ProblemException e)
            {
                todo.AddRange(e.Problems.Where(problem => problem.Kind == ProblemKind.Unfinished)
                    .Select(problem => (problem.Where!.Line, problem.Message)));
                foreach (var problem in e.Problems.Where(problem => problem.Kind != ProblemKind.Unfinished))
                {
                    report.Warn(problem);
                }
            }

            foreach (var (line, what) in todo)
            {
                report.Note($"{path}:{line}: {what}", label: "todo");
            }
        }
    }

    [GeneratedRegex(@"--.*\btodo: (.+)")]
    private static partial Regex Todo();

    /// <exception cref="ProblemException">CG0822: nothing is known to be taken back, or it is applied; CG0821: it was changed.</exception>
    private async Task UndoAsync(string? name, CancellationToken cancellationToken)
    {
        var files = last.Read();
        if (name is not null || files.Count == 0)
        {
            throw new ProblemException(
                "CG0822", name is null ? $"There is no last new in {settings.MigrationsFolder} that could be taken back"
                    : "--undo takes no name: it deletes what the last new wrote",
                advice: name is null ? "Delete the files yourself." : "Leave the name out.");
        }

        var versions = files.ToLookup(file => MigrationNumber.Of(file.Name));
        if ((await history.TryReadAsync(cancellationToken)).FirstOrDefault(applied => versions.Contains(applied.Version)) is { } there)
        {
            var file = versions[there.Version].First().Name;
            var source = SourceText.Read(Path.Combine(settings.MigrationsFolder, file));
            throw new ProblemException(
                "CG0822", $"{file} is applied in the database that is configured here",
                advice: MigrationParser.Parse(source, MigrationOrigin.Folder).Down.Irreversible
                    ? "It can't be undone, so it stays: what is to be otherwise is a migration of its own."
                    : $"Undo it first, with {new ToolCall("rollback")}.");
        }

        await new MigrationFolder(settings.MigrationsFolder).TakeBackAsync(files, cancellationToken);
        last.Forget();
        var paths = files.Select(file => Path.Combine(settings.MigrationsFolder, file.Name)).ToList();
        paths.ForEach(path => report.Result($"Deleted {path}"));
        report.Result(new DoneJson("deleted") { Files = [.. paths.Select(path => new DoneFileJson(path, null))] },
            JsonContext.Readable.DoneJson);
    }

    /// <exception cref="ProblemException">CG0819: no editor is set.</exception>
    private string? Editor()
    {
        if (!shell.InIsTerminal || !shell.OutIsTerminal)
        {
            report.Note("Not opened in an editor, because this is not a terminal");
            return null;
        }

        return shell.Variable("VISUAL") ?? shell.Variable("EDITOR") ?? throw new ProblemException(
            "CG0819", "No editor is set", advice: "Set VISUAL or EDITOR, or leave out --edit.");
    }

    /// <summary>The variable may hold a program with arguments, which a shell divides, as it does for git.</summary>
    private async Task EditAsync(string editor, IReadOnlyList<string> paths, CancellationToken cancellationToken)
    {
        var files = paths.Select(shell.Absolute);
        var start = OperatingSystem.IsWindows()
            // cmd takes the first and the last quote of all that follows away; what is between them stays as it is.
            ? new ProcessStartInfo(ProgramFile.Shell.File, $"/s /c \"{editor} {string.Join(' ', files.Select(file => $"\"{file}\""))}\"")
            : new ProcessStartInfo(ProgramFile.Shell.File, ["-c", $"{editor} \"$@\"", editor, .. files]);
        using var process = Process.Start(start);
        await process!.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0)
        {
            report.Warn(new Problem("CG0819", $"The editor {editor} ended with {process.ExitCode}",
                Advice: "The files below are written all the same."));
        }
    }
}

/// <summary>What <c>new --list --json</c> prints.</summary>
internal sealed record TemplatesJson(IReadOnlyList<TemplateJson> Templates);

/// <param name="Path">The file of a template of the project's own; absent for a built-in one.</param>
internal sealed record TemplateJson(string Name, string Summary, string? Path);
