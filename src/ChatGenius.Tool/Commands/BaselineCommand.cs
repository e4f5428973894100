using ChatGenius.Db;
using ChatGenius.Tool.Configuration;
using ChatGenius.Tool.Output;
using McMaster.Extensions.CommandLineUtils;

namespace ChatGenius.Tool.Commands;

internal sealed class BaselineCommand(Workspace workspace, Settings settings, Consent consent, Report report)
{
    internal static readonly Command Definition = new("baseline", "Take over a database that something else built")
    {
        Json = true,
        Configure = app =>
        {
            var to = app.Option("--to <NUMBER>", "The last migration that the database has", CommandOptionType.SingleValue);
            var yes = app.Option("-y|--yes", "Don't ask", CommandOptionType.NoValue);
            return Command.Handle<BaselineCommand>((command, cancellationToken) =>
                command.RunAsync(to.Migration(least: 1), yes.HasValue(), cancellationToken));
        },
        Details =
            """
            Writes the migrations up to a number into the history without running them.
            Asks first; without a terminal it needs --yes.
            """,
        Examples =
            """
            chatgenius-db baseline --to 5    0001 to 0005 are there already
            """,
    };

    private async Task<ExitCode> RunAsync(long? to, bool yes, CancellationToken cancellationToken)
    {
        if (to is null)
        {
            throw new ProblemException(
                "CG1010", "baseline needs --to NUMBER", advice: "Name the last migration whose work is in the database.");
        }

        var (migrator, target) = await workspace.OpenAsync(settings.RunOptions, events: null, cancellationToken);
        migrator.RequireMigration(to.Value);
        if (!await consent.AskAsync($"Mark the migrations up to {to:D4} as applied on {target.Url.Display} without running them?", yes,
            cancellationToken))
        {
            return ExitCode.Cancelled;
        }

        var taken = await migrator.BaselineAsync(to.Value, cancellationToken);
        foreach (var migration in taken)
        {
            report.Note($"marked {migration.Id}");
        }

        report.Result(
            new DoneJson(taken.Count == 0 ? "nothing" : "baselined")
            {
                Database = target.Url.Display,
                Migrations = [.. taken.Select(migration => new DoneMigrationJson(migration.Version, migration.Name, null, null))],
            },
            JsonContext.Readable.DoneJson);
        report.Result(taken.Count == 0 ? "Nothing to do: the history has them all"
            : $"{Plural.Of(taken.Count, "migration")} marked as applied");
        return ExitCode.Done;
    }
}
