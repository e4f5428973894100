using System.Reflection;
using System.Runtime.CompilerServices;
using ChatGenius.Db;
using ChatGenius.Tool.Commands;
using ChatGenius.Tool.Output;
using McMaster.Extensions.CommandLineUtils;

namespace ChatGenius.Tool;

/// <summary>Chooses a command, awaits it, prints what went wrong, and says so with the exit code.</summary>
internal static class Cli
{
    public const string Name = "chatgenius-db";

    public static string Version { get; } =
        typeof(Cli).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary>How this executable was built, and on which .NET it runs where it needs one: of two that are installed, which one answers.</summary>
    public static string Build { get; } =
        (typeof(Cli).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(entry => entry.Key == "Build")?.Value ?? "unknown")
        + (RuntimeFeature.IsDynamicCodeSupported ? $", on .NET {Environment.Version}" : "");

    /// <summary>A whole run of the tool. Never throws.</summary>
    /// <param name="args">The arguments behind the tool's name.</param>
    /// <param name="shell">Its streams and environment.</param>
    /// <param name="cancellationToken">Cancelled by Ctrl-C and SIGTERM.</param>
    public static async Task<ExitCode> RunAsync(string[] args, Shell shell, CancellationToken cancellationToken)
    {
        // Until the arguments are understood, these two are taken by their letters: they say how to complain about the others.
        var report = new Report(shell, json: args.Contains("--json"), color: !args.Contains("--no-color"));
        try
        {
            var parsed = CommandLine.Parse(args, CommandList.All());
            report = new Report(shell, parsed.Options.Json, !parsed.Options.NoColor) { Quiet = parsed.Options.Quiet, Verbose = parsed.Options.Verbose };
            if (parsed.Version)
            {
                report.Result($"{Name} {Version} ({Build})");
                return ExitCode.Done;
            }

            if (parsed.Options.Help)
            {
                shell.Out.Write(HelpText.Of(parsed));
                return ExitCode.Done;
            }

            if (parsed.Handler is null)
            {
                shell.Error.Write(HelpText.Of(parsed));
                return ExitCode.Error;
            }

            await using var services = Services.Build(shell, parsed.Options, report);
            return await parsed.Handler(services, cancellationToken);
        }
        catch (ProblemException e)
        {
            report.Problems(e.Problems);
            return cancellationToken.IsCancellationRequested ? ExitCode.Cancelled
                : e.Problems.Any(problem => problem.Kind == ProblemKind.Locked) ? ExitCode.Locked
                : ExitCode.Error;
        }
        catch (Exception e) when (cancellationToken.IsCancellationRequested && e is OperationCanceledException)
        {
            report.Note("Cancelled");
            return ExitCode.Cancelled;
        }
        catch (Exception e)
        {
            report.Bug(e);
            return ExitCode.Bug;
        }
    }
}
