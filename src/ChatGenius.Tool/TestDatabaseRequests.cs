using ChatGenius.Db.Replay;

namespace ChatGenius.Tool;

/// <summary>The options that say what a test database holds.</summary>
internal sealed class TestDatabaseOptions(CommandLineApplication app)
{
    private readonly CommandOption _to = app.Option("--to <NUMBER>", "The last migration that it has", CommandOptionType.SingleValue);
    private readonly CommandOption _empty = app.Option(
        "--empty-tables", "No rows: neither those of migrations nor seeds", CommandOptionType.NoValue);

    public PlanRequest Plan => new(_to.Migration(least: 1));

    public bool EmptyTables => _empty.HasValue();
}

/// <summary>Reads what a test database is to hold.</summary>
internal sealed class TestDatabaseRequests(Workspace workspace, Settings settings)
{
    public async Task<TestDatabaseRequest> OfAsync(TestDatabaseOptions options, CancellationToken cancellationToken)
    {
        var migrations = await workspace.LoadAsync(cancellationToken);
        var plan = MigrationPlan.Apply(migrations, HistorySnapshot.Empty, options.Plan, workspace.Repeatables);

        // Rows for tables of later migrations would not fit.
        var seeds = options.EmptyTables || options.Plan.To is not null ? []
            : Seed.Load(settings.MigrationsFolder, settings.Environment?.Value);
        return new TestDatabaseRequest([.. plan.Steps.Select(step => step.Migration!)], seeds, settings.RunOptions)
        {
            EmptyTables = options.EmptyTables,
        };
    }

    /// <summary>Says what a database has not got because its server lacks something.</summary>
    public static void Warn(Report report, IEnumerable<string> missing)
    {
        foreach (var reason in missing)
        {
            report.Warn(new Problem("CG1405", $"The test database is not whole: {reason}",
                Advice: "Name a server that has it with --server."));
        }
    }
}
