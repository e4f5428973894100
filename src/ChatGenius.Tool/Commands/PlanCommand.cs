using ChatGenius.Db.Safety;

namespace ChatGenius.Tool.Commands;

internal sealed class PlanCommand(Workspace workspace, Settings settings, TraceRecords records, Report report)
{
    internal static readonly Command Definition = new("plan", "Show what apply would run")
    {
        Json = true,
        CalledElsewhere = ["pending"],
        Configure = app =>
        {
            var planOptions = new PlanOptions(app);
            return Command.Handle<PlanCommand>((command, cancellationToken) => command.RunAsync(planOptions, cancellationToken));
        },
        Details =
            """
            Prints the statements in the order they would run, each migration under a
            comment with its number and file. Changes nothing in the database. What each
            statement locks is above it where 'check --certify' has seen it.
            """,
        Examples =
            """
            chatgenius-db plan
            chatgenius-db plan --json | jq -r '.migrations[].name'
            """,
    };

    private async Task<ExitCode> RunAsync(PlanOptions options, CancellationToken cancellationToken)
    {
        var (migrator, _) = await workspace.OpenAsync(settings.RunOptions, events: null, cancellationToken);
        var plan = await migrator.PlanAsync(options.Request(settings), cancellationToken);
        workspace.Require(plan.Statuses);
        var seen = new Dictionary<long, TraceRecord>();
        foreach (var migration in plan.Ups.Select(step => step.File))
        {
            if (await records.FindAsync(migration, cancellationToken) is { } certificate)
            {
                seen.Add(migration.Version, certificate);
            }
        }

        PlanText.Write(report, plan, asResult: true, seen);
        report.Note(plan.Steps.Count == 0 ? "Nothing to do" : $"{PlanText.Count(plan)} to apply");
        return ExitCode.Done;
    }
}

/// <summary>What <c>plan --json</c> prints.</summary>
/// <param name="Repeatables">Repeatable objects, which run after the migrations; absent where none does.</param>
internal sealed record PlanJson(IReadOnlyList<PlannedJson> Migrations, IReadOnlyList<PlannedRepeatableJson>? Repeatables)
{
    public static PlanJson Of(MigrationPlan plan, IReadOnlyDictionary<long, TraceRecord> seen) => new(
        [.. plan.Steps.Where(step => !step.IsRepeatable).Select(step => new PlannedJson(
            step.Version,
            step.Name,
            step.Direction.ToString().ToLowerInvariant(),
            step.Section.Where.Path,
            step.Section.Transactional,
            step.Resume?.Statement,
            [.. step.Left().Select(item => (item.Statement, item.Statement.Location, item.Index)).Select(item =>
                new PlannedStatementJson(item.Location.Line, item.Location.Column, item.Statement.Text, step.Direction
                    == MigrationDirection.Up ? seen.GetValueOrDefault(step.Version)?.Statements[item.Index].Locks : null)
                {
                    Keeps = step.Keeps.Any(part => part.Statement == item.Index)
                        ? [.. step.Keeps.Where(part => part.Statement == item.Index).Select(part => part.Display)] : null,
                })]))],
        plan.Repeatables.Count == 0 ? null : [.. plan.Repeatables.Select(step => new PlannedRepeatableJson(
            step.Name, step.Section.Where.Path,
            [.. step.Section.Script.Statements.Select(statement => new PlannedStatementJson(
                statement.Location.Line, statement.Location.Column, statement.Text, null))]))]);
}

/// <param name="Name">The file's name, without <c>.sql</c>.</param>
internal sealed record PlannedRepeatableJson(string Name, string Path, IReadOnlyList<PlannedStatementJson> Statements);

/// <param name="Direction"><c>up</c> or <c>down</c>.</param>
/// <param name="ResumeAt">The statement to go on with, counted from 1, where an earlier run was interrupted; otherwise absent.</param>
internal sealed record PlannedJson(
    long Version, string Name, string Direction, string Path, bool Transactional, int? ResumeAt,
        IReadOnlyList<PlannedStatementJson> Statements);

/// <param name="Line">1 for the file's first line.</param>
/// <param name="Locks">By table, where a certificate says; otherwise absent.</param>
internal sealed record PlannedStatementJson(int Line, int Column, string Text, IReadOnlyDictionary<string, string>? Locks)
{
    /// <summary>What it destroys and the section keeps; absent where it is nothing.</summary>
    public IReadOnlyList<string>? Keeps { get; init; }
}
