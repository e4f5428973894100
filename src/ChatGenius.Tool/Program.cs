using System.Runtime.InteropServices;

namespace ChatGenius.Tool;

internal static partial class Program
{
    internal static async Task<int> Main(string[] args)
    {
        using var cancellation = new CancellationTokenSource();
        var signals = 0;

        // One thread more than parallel parsing uses, so that the server's reply is handled without delay.
        ThreadPool.SetMinThreads(Environment.ProcessorCount + 1, 1);

        void Cancel(PosixSignalContext context)
        {
            // The first signal asks the run to undo and to say where it is; the second ends the process, whatever it waits for.
            context.Cancel = true;
            if (Interlocked.Increment(ref signals) > 1)
            {
                End((int)ExitCode.Cancelled);
            }

            cancellation.Cancel();
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
        return (int)await Cli.RunAsync(args, Shell.OfProcess(), cancellation.Token);
    }

    /// <summary>Ends the process without waiting for what its threads do: one may hang in a system call that nothing cancels.</summary>
    private static void End(int exitCode)
    {
        if (!OperatingSystem.IsWindows())
        {
            ExitNow(exitCode);
        }

        Environment.Exit(exitCode);
    }

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void ExitNow(int exitCode);
}
