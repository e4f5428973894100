using System.Diagnostics;
using System.Runtime.InteropServices;
using ChatGenius.Db.Text;

namespace ChatGenius.Tool;

/// <summary>Hands the terminal over to the real psql.</summary>
internal static partial class Psql
{
    /// <summary>Runs psql in place of this process; returns only where that can't be (Windows), with psql's exit code.</summary>
    /// <exception cref="ProblemException">CG1011: psql is not on this machine.</exception>
    public static async Task<int> ExecuteAsync(DatabaseUrl url, IReadOnlyList<string> arguments)
    {
        if (!OperatingSystem.IsWindows())
        {
            // psql becomes this process: a Ctrl-C then is its own alone, and a shell's job control sees one program.
            _ = Execute("psql", ["psql", url.Display, .. arguments, null]);
            throw NotFound(url, Marshal.GetLastPInvokeErrorMessage());
        }

        try
        {
            var psql = ProgramFile.Find("psql") ?? throw NotFound(url, "it is not on PATH");
            using var process = Process.Start(psql, [url.Display, .. arguments]);
            await process.WaitForExitAsync(CancellationToken.None);
            return process.ExitCode;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw NotFound(url, e.Message);
        }
    }

    private static ProblemException NotFound(DatabaseUrl url, string reason) => new(new Problem(
        "CG1011",
        $"psql can't be run: {reason}",
        Advice: "Install PostgreSQL's client programs (postgresql-client on Debian and Ubuntu, libpq with Homebrew),\n"
            + $"or open this URL with another client: {url.Display}"));

    [LibraryImport("libc", EntryPoint = "execvp", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string file, string?[] arguments);
}
