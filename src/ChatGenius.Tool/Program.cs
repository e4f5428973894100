using System.Runtime.InteropServices;

namespace ChatGenius.Tool;

internal static class Program
{
    internal static async Task<int> Main(string[] args)
    {
        using var cancellation = new CancellationTokenSource();

        // One more than reading the migrations keeps busy, so that an answer of the server meanwhile finds a thread.
        ThreadPool.SetMinThreads(Environment.ProcessorCount + 1, 1);

        void Cancel(PosixSignalContext context)
        {
            // The first signal asks the run to undo and to say where it stands; the second one is the system's own: it kills.
            context.Cancel = !cancellation.IsCancellationRequested;
            cancellation.Cancel();
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);

        var shell = Shell.OfProcess();
        var exitCode = await Cli.RunAsync(args, shell, cancellation.Token);
        await shell.Out.FlushAsync(CancellationToken.None);
        return (int)exitCode;
    }
}
