using System.Diagnostics;
using ChatGenius.Db.Text;

namespace ChatGenius.Tool;

/// <summary>Asks a program for the database's password: a token, say, whose life is too short to be kept in a file.</summary>
/// <param name="command">A command line for the shell.</param>
internal sealed class PasswordCommand(string command)
{
    /// <summary>How long it may take: it may ask a service, and nobody sits before it.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    /// <summary>Runs it.</summary>
    /// <returns>What it prints, without the end of the line.</returns>
    /// <exception cref="ProblemException">CG0915: it failed, took too long, or printed no line or several.</exception>
    public async ValueTask<string> RunAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Limit);
        using var process = Start();
        try
        {
            // What it says on stderr is for the person before the terminal, and may hold the secret: it goes there by itself.
            var password = (await process.StandardOutput.ReadToEndAsync(limit.Token)).TrimEnd('\r', '\n');
            await process.WaitForExitAsync(limit.Token);
            return process.ExitCode != 0 ? throw Failed($"ended with exit code {process.ExitCode}")
                : password.Length == 0 || password.Contains('\n', StringComparison.Ordinal) ? throw Failed("did not print one line")
                : password;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Failed($"took longer than {Limit.TotalSeconds:0} s");
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    private Process Start()
    {
        var (shell, flag) = ProgramFile.Shell;
        try
        {
            return Process.Start(new ProcessStartInfo(shell, [flag, command]) { RedirectStandardOutput = true })!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw Failed($"can't be started: {e.Message}");
        }
    }

    private static ProblemException Failed(string how) => new(
        "CG0915", $"The password command {how}",
        advice: "It has to print the password, and nothing else, on standard output. Try it in a shell; password_command in the settings "
            + "names it.");
}
