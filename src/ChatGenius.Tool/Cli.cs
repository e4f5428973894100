using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;

namespace ChatGenius.Tool;

/// <summary>Chooses a command, awaits it, prints what went wrong, and says so with the exit code.</summary>
internal static class Cli
{
    public const string Name = "chatgenius-db";

    public static string Version { get; } =
        typeof(Cli).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary>How this executable was built, and on which .NET it runs where it needs one: of two that are installed, which one
    /// answers.</summary>
    public static string Build { get; } =
        (typeof(Cli).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .FirstOrDefault(entry => entry.Key == "Build")?.Value ?? "unknown")
        + (RuntimeFeature.IsDynamicCodeSupported ? $", on .NET {Environment.Version}" : "");

    /// <summary>A whole run of the tool. Never throws.</summary>
    /// <param name="args">The arguments after the tool's name.</param>
    /// <param name="shell">Its streams and environment.</param>
    /// <param name="cancellationToken">Cancelled by Ctrl-C and SIGTERM.</param>
    public static async Task<ExitCode> RunAsync(string[] args, Shell shell, CancellationToken cancellationToken)
    {
        // Until the arguments are understood, these two are taken by their letters: they say how to complain about the others.
        var report = new Report(
            shell, json: args.Contains("--json"), color: !args.Contains("--no-color"), lines: args.Contains("--json-lines"));
        var exitCode = await GuardAsync(report, () => DispatchAsync(args, shell, report, cancellationToken), cancellationToken);
        var completed = await GuardAsync(
            report,
            () =>
            {
                report.Complete();
                return Task.FromResult(exitCode);
            },
            cancellationToken);
        return exitCode == ExitCode.Done ? completed : exitCode;
    }

    private static async Task<ExitCode> DispatchAsync(string[] args, Shell shell, Report report, CancellationToken cancellationToken)
    {
        if (args is [Completion.Call, "--", .. var words])
        {
            foreach (var candidate in new Completion(shell).Of(words))
            {
                report.Result(candidate);
            }

            return ExitCode.Done;
        }

        report.HideSlips(args.Concat(shell.Environment.Where(IsOurs).Select(variable => variable.Value)));
        var parsed = CommandLine.Parse(args, CommandList.All());
        report.Follow(parsed.Options);
        if (parsed.Version)
        {
            report.Result($"{Name} {Version} ({Build})");
            return ExitCode.Done;
        }

        if (parsed.Options.Help || parsed.Handler is null)
        {
            (parsed.Options.Help ? report.Out : report.Error).Write(HelpText.Of(parsed));
            return parsed.Options.Help ? ExitCode.Done : ExitCode.Error;
        }

        if (!Directory.Exists(shell.WorkingDirectory))
        {
            throw new ProblemException("CG1013", "The working directory is not there any more, or may not be looked into",
                advice: "Go to the project's folder with cd, and run the same command again.");
        }

        await using var services = Services.Build(shell, parsed.Options, report);
        try
        {
            return await parsed.Handler(services, cancellationToken);
        }
        catch (ProblemException e) when (e.Problems.Any(problem => problem.Files.Count > 1))
        {
            throw new ProblemException(await services.GetRequiredService<Ownership>().AdviseAsync(e.Problems, cancellationToken), e);
        }
    }

    private static bool IsOurs(KeyValuePair<string, string> variable) =>
        variable.Key == "DATABASE_URL" || variable.Key.StartsWith("CHATGENIUS_", StringComparison.Ordinal);

    private static async Task<ExitCode> GuardAsync(Report report, Func<Task<ExitCode>> run, CancellationToken cancellationToken)
    {
        try
        {
            try
            {
                return await run();
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
                if (!report.HasSaidCancelled)
                {
                    report.Note("Cancelled");
                }

                return ExitCode.Cancelled;
            }
            catch (OutOfMemoryException e)
            {
                report.Problems([new Problem(
                    "CG0105", $"There is not enough memory: {e.Message}",
                    Advice: "Give the process more, or look at what the server or a file sends: a text may be huge.")]);
                return ExitCode.Error;
            }
            catch (Npgsql.NpgsqlException e) when (e is not Npgsql.PostgresException { InvariantSeverity: not ("FATAL" or "PANIC") })
            {
                // A session that ends at a moment where nobody looks for it is the server's or the network's doing.
                report.Problems([new Problem("CG0514", $"The connection was lost: {(e.InnerException ?? e).Message}",
                    Advice: "Run the same command again.")]);
                return ExitCode.Error;
            }
            catch (Exception e)
            {
                report.Bug(e);
                return ExitCode.Bug;
            }
        }
        catch (ProblemException)
        {
            // The complaint was about a problem, and stdout could not take its JSON. That stdout is broken is said at the end.
            return ExitCode.Error;
        }
    }
}
