using ChatGenius.Db.Schema;

namespace ChatGenius.Tool.Commands;

internal sealed class SchemaDumpCommand(TargetFinder targets, Settings settings, Shell shell, Report report)
{
    internal static readonly Command Definition = new("dump", "Write the schema as text or as SQL")
    {
        Json = true,
        Configure = app =>
        {
            var format = app.Option("--format <text,sql>", "Form of what is written [text]", CommandOptionType.SingleValue);
            var output = app.Option("-o|--output <FILE>", "Write to a file instead of stdout", CommandOptionType.SingleValue);
            var strict = app.Option("--strict", "Exit with 1 where something is left out", CommandOptionType.NoValue);
            var read = new SchemaReadArguments(app);
            return Command.Handle<SchemaDumpCommand>((command, cancellationToken) =>
                command.RunAsync(format.OneOf() == "sql", output.Value(), strict.HasValue(), read, cancellationToken));
        },
        Details =
            """
            The text is made to be kept beside the migrations and compared: the same
            schema gives the same text, in whatever order it was built. The SQL builds the
            schema in an empty database. What either leaves out, such as a subscription's
            password, is named on stderr.
            """,
        Examples =
            """
            chatgenius-db schema dump -o schema.txt
            chatgenius-db schema dump --format sql | psql other
            """,
    };

    private async Task<ExitCode> RunAsync(bool sql, string? file, bool strict, SchemaReadArguments read,
        CancellationToken cancellationToken)
    {
        var target = await targets.FindAsync(cancellationToken);
        var (snapshot, _) = await SchemaReader
            .ReadAsync(target.Database, read.Over(settings, sql ? SchemaParts.Dependencies : 0), cancellationToken);
        var script = sql ? SchemaScript.Of(snapshot) : null;
        IReadOnlyList<Problem> leftOut = script is null ? [.. SchemaGap.Of(snapshot, asSql: false)] : script.LeftOut;
        foreach (var gap in leftOut)
        {
            report.Warn(gap);
        }

        if (report.Json)
        {
            report.Result(SchemaJson.Of(snapshot), JsonContext.Readable.SchemaJson);
        }
        else
        {
            OutputFile.Write(shell, report, file, script?.ToString() ?? snapshot.ToString());
        }

        return strict && leftOut.Count > 0 ? ExitCode.Differs : ExitCode.Done;
    }
}

/// <summary>What <c>schema dump --json</c> prints.</summary>
internal sealed record SchemaJson(IReadOnlyList<SchemaObjectJson> Objects)
{
    public static SchemaJson Of(SchemaSnapshot snapshot) =>
        new([.. snapshot.Objects.Select(o => new SchemaObjectJson(o.Kind, o.Name,
            [.. o.Facts.Select(f => new SchemaFactJson(f.Key, f.Text))]))]);
}

/// <param name="Name">Qualified, and quoted where PostgreSQL needs it.</param>
internal sealed record SchemaObjectJson(string Kind, string Name, IReadOnlyList<SchemaFactJson> Facts);

internal sealed record SchemaFactJson(string Key, string Text);
