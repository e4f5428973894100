using ChatGenius.Tool.Output;
using ChatGenius.Tool.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace ChatGenius.Tool;

/// <summary>What commands ask for in their constructors. Each is made when the chosen command first needs it, so that nothing else costs.</summary>
internal static class Services
{
    public static ServiceProvider Build(Shell shell, GlobalOptions options, Report report) =>
        new ServiceCollection()
            .AddSingleton(shell)
            .AddSingleton(options)
            .AddSingleton(report)
            .AddSingleton(_ => Settings.Load(shell, options))
            .AddSingleton<TargetFinder>()
            .AddSingleton<Workspace>()
            .AddSingleton<Certificates>()
            .AddSingleton<AppliedMigrations>()
            .AddSingleton<Consent>()
            .BuildServiceProvider();
}
