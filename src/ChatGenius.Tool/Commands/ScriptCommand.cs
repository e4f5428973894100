using ChatGenius.Db;
using ChatGenius.Db.Migrations;
using ChatGenius.Tool.Configuration;
using ChatGenius.Tool.Output;
using McMaster.Extensions.CommandLineUtils;

namespace ChatGenius.Tool.Commands;

internal sealed class ScriptCommand(Workspace workspace, Settings settings, Shell shell, Report report)
{
    internal static readonly Command Definition = new("script", "Write what apply would run as a file for psql")
    {
        Configure = app =>
        {
            var planOptions = new PlanOptions(app);
            var offline = app.Option("--offline", "All migrations, without a look at a database", CommandOptionType.NoValue);
            var output = app.Option("-o|--output <FILE>", "Write there instead of to stdout", CommandOptionType.SingleValue);
            return Command.Handle<ScriptCommand>((command, cancellationToken) =>
                command.RunAsync(planOptions.Request(), offline.HasValue(), output.Value(), cancellationToken));
        },
        Details =
            """
            For those who must see or run the SQL by hand. The script takes the same lock,
            keeps the history as apply does, passes over what is applied by then, and can
            be run again.
            """,
        Examples =
            """
            chatgenius-db script -o release.sql && psql -X -f release.sql "$DATABASE_URL"
            chatgenius-db script --offline       from nothing, without a database
            """,
    };

    private async Task<ExitCode> RunAsync(PlanRequest request, bool offline, string? output, CancellationToken cancellationToken)
    {
        var plan = await PlanAsync(request, offline, cancellationToken);
        foreach (var remark in plan.Remarks)
        {
            report.Note(remark, label: "note");
        }

        var script = MigrationScript.Write(plan, settings.RunOptions);
        OutputFile.Write(shell, report, output, script);
        report.Note(plan.Steps.Count == 0 ? "Nothing to do: the script only makes the history"
            : $"{Plural.Of(plan.Steps.Count, "migration")} written");
        return ExitCode.Done;
    }

    private async Task<MigrationPlan> PlanAsync(PlanRequest request, bool offline, CancellationToken cancellationToken)
    {
        if (offline)
        {
            return MigrationPlan.Apply(workspace.Load(cancellationToken), HistorySnapshot.Empty, request);
        }

        var (migrator, _) = await workspace.OpenAsync(settings.RunOptions, events: null, cancellationToken);
        var plan = await migrator.PlanAsync(request, cancellationToken);
        return plan.Steps.FirstOrDefault(step => step.Resume is not null) is not { } stopped ? plan : throw new ProblemException(
            "CG0418", $"{stopped.Id} was interrupted, and a script begins every migration at its first statement",
            stopped.Section.Where, $"Finish it with {new ToolCall("apply", "--to", $"{stopped.Version}")}, or settle it with "
                + $"{new ToolCall("repair", $"{stopped.Version}")}, and write the script then.");
    }
}
