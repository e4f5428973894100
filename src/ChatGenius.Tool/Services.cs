using Microsoft.Extensions.DependencyInjection;

namespace ChatGenius.Tool;

/// <summary>What commands ask for in their constructors. Each is made when the chosen command first needs it, so that nothing else
/// costs.</summary>
internal static class Services
{
    public static ServiceProvider Build(Shell shell, GlobalOptions options, Report report) =>
        new ServiceCollection()
            .AddSingleton(shell)
            .AddSingleton(options)
            .AddSingleton(report)
            .AddSingleton(_ => Load(shell, options, report))
            .AddSingleton<TargetFinder>()
            .AddSingleton<Workspace>()
            .AddSingleton<TestDatabaseRequests>()
            .AddSingleton<SchemaSources>()
            .AddSingleton<SchemaFile>()
            .AddSingleton<DiffMigrations>()
            .AddSingleton<TraceRecords>()
            .AddSingleton<AppliedMigrations>()
            .AddSingleton<LastNew>()
            .AddSingleton<Consent>()
            .AddSingleton<CheckFixes>()
            .AddSingleton<CheckWith>()
            .AddSingleton<OlderTexts>()
            .AddSingleton<Ownership>()
            .AddSingleton<Runs>()
            .AddSingleton<PreflightRun>()
            .BuildServiceProvider();

    private static Settings Load(Shell shell, GlobalOptions options, Report report)
    {
        var settings = Settings.Load(shell, options);
        foreach (var doubtful in settings.Doubtful)
        {
            report.Warn(doubtful);
        }

        return settings;
    }
}
