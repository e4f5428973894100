using System.Diagnostics;
using System.Globalization;

namespace ChatGenius.Db.Server;

/// <summary>What a running server wrote about itself into <c>postmaster.pid</c> (PostgreSQL's source: <c>miscadmin.h</c>,
/// LOCK_FILE_LINE_…).</summary>
/// <param name="ProcessId">The postmaster's process.</param>
/// <param name="Since">When it was started.</param>
/// <param name="Port">The port, which is part of the socket's name as well.</param>
/// <param name="SocketFolder">The folder of its Unix-domain socket; empty where it has none.</param>
/// <param name="IsReady">Whether it takes connections.</param>
internal sealed record Postmaster(int ProcessId, DateTimeOffset Since, int Port, string SocketFolder, bool IsReady)
{
    private const string FileName = "postmaster.pid";

    /// <summary>Reads the file of a data directory.</summary>
    /// <returns>Null where no server runs on it: there is no file, or it is what a crash left behind.</returns>
    public static Postmaster? Read(string dataFolder)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(Path.Combine(dataFolder, FileName));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        // The server writes the file line by line while it starts.
        if (!int.TryParse(lines.FirstOrDefault(), NumberStyles.None, CultureInfo.InvariantCulture, out var processId)
            || !IsPostmaster(processId, dataFolder))
        {
            return null;
        }

        var since = long.TryParse(lines.ElementAtOrDefault(2), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? seconds
            : 0;
        var port = int.TryParse(lines.ElementAtOrDefault(3), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
        return new Postmaster(
            processId, DateTimeOffset.FromUnixTimeSeconds(since), port, lines.ElementAtOrDefault(4) ?? "",
            lines.ElementAtOrDefault(7)?.Trim() == "ready");
    }

    /// <summary>
    /// Takes away what a crash left behind, where the process is gone or is now another program: PostgreSQL itself would refuse to start
    /// over the latter. The socket folder is this server's alone, so nobody else's lock can lie in it.
    /// </summary>
    public static void RemoveStale(string dataFolder, string socketFolder)
    {
        if (Read(dataFolder) is null)
        {
            File.Delete(Path.Combine(dataFolder, FileName));
            foreach (var file in Directory.GetFiles(socketFolder, ".s.PGSQL.*"))
            {
                File.Delete(file);
            }
        }
    }

    /// <summary>A process with that number may be anybody's by now, another PostgreSQL's as well: a postmaster works in its data
    /// directory.</summary>
    private static bool IsPostmaster(int processId, string dataFolder)
    {
        try
        {
            using var process = Process.GetProcessById(processId);
            if (process.HasExited || !process.ProcessName.StartsWith("postgres", StringComparison.OrdinalIgnoreCase))
            {
                return false;
            }

            return !OperatingSystem.IsLinux()
                || (!IsZombie(processId) && File.ResolveLinkTarget($"/proc/{processId}/cwd",
                returnFinalTarget: false)?.FullName == Path.GetFullPath(dataFolder));
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            return false;
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            // Somebody else's process that may not be looked into: taken for what it says it is.
            return true;
        }
    }

    /// <summary>In a container whose first process collects no orphans, a postmaster that was killed stays in the list of processes for
    /// ever.</summary>
    private static bool IsZombie(int processId)
    {
        // The name, in parentheses, may hold anything; the state is the letter after it (man 5 proc).
        var stat = File.ReadAllText($"/proc/{processId}/stat");
        return stat.AsSpan(stat.LastIndexOf(')') + 1).TrimStart()[0] is 'Z' or 'X';
    }
}
