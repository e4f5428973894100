using ChatGenius.Db.Schema;

namespace ChatGenius.Tool.Commands;

internal sealed class SchemaDocsCommand(TargetFinder targets, Settings settings, Shell shell, Report report)
{
    internal static readonly Command Definition = new("docs", "Write the schema as a page to read")
    {
        Configure = app =>
        {
            var format = app.Option("--format <html,markdown>", "Form of the page [html]", CommandOptionType.SingleValue);
            var output = app.Option("-o|--output <FILE>", "Write to a file instead of stdout", CommandOptionType.SingleValue);
            var title = app.Option("--title <TEXT>", "Title of the page [the database's name]", CommandOptionType.SingleValue);
            var read = new SchemaReadArguments(app);
            return Command.Handle<SchemaDocsCommand>((command, cancellationToken) =>
                command.RunAsync(format.OneOf() == "markdown", output.Value(), title.Value(), read, cancellationToken));
        },
        Details =
            """
            Tables with their columns, keys, indexes and comments, and a drawing of what
            refers to what. The HTML is one file that loads nothing.
            """,
        Examples =
            """
            chatgenius-db schema docs -o schema.html
            chatgenius-db schema docs --format markdown -o SCHEMA.md
            """,
    };

    private async Task<ExitCode> RunAsync(
        bool markdown, string? file, string? title, SchemaReadArguments read, CancellationToken cancellationToken)
    {
        var target = await targets.FindAsync(cancellationToken);
        var (snapshot, _) = await SchemaReader.ReadAsync(target.Database, read.Over(settings), cancellationToken);
        title ??= target.Url.DatabaseName;
        var page = markdown ? SchemaPage.Markdown(snapshot, title) : SchemaPage.Html(snapshot, title);
        OutputFile.Write(shell, report, file, page);
        return ExitCode.Done;
    }
}
