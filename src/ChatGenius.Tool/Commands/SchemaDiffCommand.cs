using ChatGenius.Db.Schema;
using ChatGenius.Db.Text;

namespace ChatGenius.Tool.Commands;

internal sealed class SchemaDiffCommand(SchemaSources sources, Settings settings, Report report)
{
    internal static readonly Command Definition = new("diff", "Show in what two schemas differ")
    {
        Json = true,
        Configure = app =>
        {
            var before = app.Argument("A", "A URL, a file of schema dump, migrations[:NUMBER], or git:REVISION");
            var after = app.Argument("B", "The same; without it, the configured database");
            var shadow = app.Option("--shadow <URL>", "Server for the throw-away database [embedded]", CommandOptionType.SingleValue);
            var sql = app.Option("--sql", "Print the statements that bring A to B", CommandOptionType.NoValue);
            var change = new SchemaChangeArguments(app);
            var read = new SchemaReadArguments(app);
            return Command.Handle<SchemaDiffCommand>((command, cancellationToken) =>
                command.RunAsync(before.Value, after.Value, shadow.Value(), sql.HasValue(), change, read, cancellationToken));
        },
        Details =
            """
            A and B are databases, files, or what the migrations make: all of them, those
            up to a number, or those of a revision of git.

            + is only in B, - only in A, ~ in both but not the same. Exits with 1 where
            there are differences.

            With --sql it prints statements in an order that runs, in forms that lock a
            table in use for moments only. What needs a human (rows that would be lost, a
            column that may have been renamed) is a comment below its question; --rename
            answers it beforehand.
            """,
        Examples =
            """
            chatgenius-db schema diff schema.txt    a dump and the configured database
            chatgenius-db schema diff postgres://localhost/a postgres://localhost/b
            chatgenius-db schema diff git:main migrations    what a branch changes
            chatgenius-db schema diff --sql --rename public.users.name=label a.txt b.txt
            """,
    };

    private async Task<ExitCode> RunAsync(
        string? a, string? b, string? shadow, bool sql, SchemaChangeArguments change, SchemaReadArguments read,
        CancellationToken cancellationToken)
    {
        if (a is null)
        {
            throw new ProblemException(
                "CG1003", "schema diff needs to know what to compare",
                advice: "Name a database's URL or a dump file; see 'chatgenius-db schema diff --help'.");
        }

        using var progress = new RunProgress(report);
        progress.Show("Reading the schemas");
        var options = read.Over(settings, sql ? SchemaParts.Dependencies : 0);
        var before = await sources.ReadAsync(a, "A", shadow, options, cancellationToken);
        var after = b is null
            ? await sources.ReadTargetAsync(options, cancellationToken)
            : await sources.ReadAsync(b, "B", shadow, options, cancellationToken);
        SchemaDifferences.WarnOfVersions(report, before.ServerVersion, after.ServerVersion);
        var (one, other) = (before.Schema.Without(change.Excluded), after.Schema.Without(change.Excluded));
        if (!sql)
        {
            return SchemaDifferences.Show(report, SchemaDiff.Between(one, other), "The schemas are the same");
        }

        return change.Show(report, SchemaChanges.Between(one, other, change.Options), "The schemas are the same");
    }
}
