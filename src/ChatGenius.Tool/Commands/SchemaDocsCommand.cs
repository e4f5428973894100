using ChatGenius.Db.Connections;
using ChatGenius.Db.Schema;
using ChatGenius.Db.Sql;

namespace ChatGenius.Tool.Commands;

internal sealed class SchemaDocsCommand(TargetFinder targets, Workspace workspace, Settings settings, Shell shell, Report report)
{
    internal static readonly Command Definition = new("docs", "Write the schema as a page to read")
    {
        Configure = app =>
        {
            var format = app.Option("--format <html,svg,mermaid,markdown>", "Form of the page [html]", CommandOptionType.SingleValue);
            var output = app.Option("-o|--output <FILE>", "Write to a file instead of stdout", CommandOptionType.SingleValue);
            var title = app.Option("--title <TEXT>", "Title of the page [the database's name]", CommandOptionType.SingleValue);
            var read = new SchemaReadArguments(app);
            return Command.Handle<SchemaDocsCommand>((command, cancellationToken) =>
                command.RunAsync(format.OneOf() ?? "html", output.Value(), title.Value(), read, cancellationToken));
        },
        Details =
            """
            Tables with their columns, keys, indexes, comments and sizes, a drawing of what
            refers to what, and what was applied when. The HTML is one file that loads
            nothing; in it, / searches, a click shows a table's neighbours, + and - zoom.
            Mermaid is what GitHub and GitLab draw in Markdown.
            """,
        Examples =
            """
            chatgenius-db schema docs -o schema.html
            chatgenius-db schema docs --format svg -o schema.svg
            chatgenius-db schema docs --format markdown -o SCHEMA.md
            """,
    };

    private async Task<ExitCode> RunAsync(
        string format, string? file, string? title, SchemaReadArguments read, CancellationToken cancellationToken)
    {
        var target = await targets.FindAsync(cancellationToken);
        var (snapshot, _) = await SchemaReader.ReadAsync(target.Database, read.Over(settings), cancellationToken);
        title ??= target.Url.DatabaseName;
        OutputFile.Write(shell, report, file, format switch
        {
            "markdown" => SchemaPage.Markdown(snapshot, title),
            "mermaid" => SchemaDiagram.Mermaid(snapshot),
            "svg" => SchemaDiagram.Svg(snapshot, id: null),
            _ => await PageAsync(target, snapshot, title, cancellationToken),
        });
        return ExitCode.Done;
    }

    private async Task<string> PageAsync(Target target, SchemaSnapshot snapshot, string title, CancellationToken cancellationToken)
    {
        Dictionary<string, TableExtent> extents;
        await using (var session = await Session.OpenAsync(target.Database, "Reading the sizes of tables", cancellationToken))
        {
            extents = await TableExtent.ReadAsync(session, cancellationToken);
        }

        return SchemaPage.Html(snapshot, title, extents, await TimelineAsync(target, cancellationToken));
    }

    /// <summary>
    /// What was applied. A page of the schema needs neither files nor a history; where they can't be read, that is said.
    /// </summary>
    private async Task<IReadOnlyList<TimelineEntry>> TimelineAsync(Target target, CancellationToken cancellationToken)
    {
        try
        {
            var migrations = await workspace.LoadAsync(cancellationToken, allOfANumber: true);
            var statuses = await new Migrator(target.Database, migrations, settings.RunOptions).StatusAsync(cancellationToken);
            return [.. statuses.Where(status => status.Row?.Details is not null).Select(status => new TimelineEntry(
                MigrationPlan.FormatId(status.Version, status.Name), $"{status.AppliedAt:yyyy-MM-dd HH:mm} UTC",
                status.Row!.Details!.AppliedBy,
                status.Row.Details.Origin == "baseline" ? "" : Duration.Format(status.Row.Details.Duration),
                status.State == MigrationState.Applied ? Names(status.Migration!) : null))];
        }
        catch (ProblemException e)
        {
            report.Note($"The page has no applied migrations: {e.Problems[0].Message}", label: "note");
            return [];
        }
    }

    private static HashSet<string> Names(Migration migration) => [.. migration.Up.Script.Statements
        .SelectMany(statement => new StatementText(statement).Tokens).Select(token => token.Name).OfType<string>()];
}
