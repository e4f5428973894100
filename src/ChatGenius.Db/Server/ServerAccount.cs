using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace ChatGenius.Db.Server;

/// <summary>
/// Runs PostgreSQL's programs. PostgreSQL refuses to run as root ("The PostgreSQL User Account", section 18.1 of its documentation), so
/// where we are root its programs run as an unprivileged user, whose files they must be.
/// </summary>
internal sealed partial class ServerAccount
{
    private static readonly string[] Candidates = ["postgres", "nobody"];

    // Who we are does not change while we run, and asking starts two programs.
    private static ServerAccount? _chosen;

    private readonly string? _name;
    private readonly uint _user;
    private readonly uint _group;

    private ServerAccount(string? name, uint user, uint group)
    {
        _name = name;
        _user = user;
        _group = group;
    }

    /// <summary>The user that we are.</summary>
    public static ServerAccount Ourselves { get; } = new(null, 0, 0);

    /// <summary>Null where PostgreSQL runs as the user that we are.</summary>
    public string? Name => _name;

    /// <exception cref="ProblemException">CG0715: we are root and there is no user to run PostgreSQL as.</exception>
    public static async Task<ServerAccount> ChooseAsync(CancellationToken cancellationToken) =>
        _chosen ??= await FindAsync(cancellationToken);

    private static async Task<ServerAccount> FindAsync(CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsWindows() || !Environment.IsPrivilegedProcess)
        {
            return Ourselves;
        }

        foreach (var name in Candidates)
        {
            var user = await Ourselves.RunAsync("id", ["-u", name], "/", cancellationToken);
            var group = await Ourselves.RunAsync("id", ["-g", name], "/", cancellationToken);
            if (user.ExitCode == 0 && group.ExitCode == 0)
            {
                return new ServerAccount(name, uint.Parse(user.Output, CultureInfo.InvariantCulture),
                    uint.Parse(group.Output, CultureInfo.InvariantCulture));
            }
        }

        throw new ProblemException(
            "CG0715", "PostgreSQL does not run as root, and there is no user postgres or nobody to run it as",
            advice: "Run chatgenius-db as another user, or create one: useradd --system postgres.");
    }

    /// <summary>Runs a program to its end; its two outputs come as one text.</summary>
    /// <exception cref="System.ComponentModel.Win32Exception">The program can't be started.</exception>
    public async Task<(int ExitCode, string Output)> RunAsync(string program, string[] arguments, string folder,
        CancellationToken cancellationToken)
    {
        using var process = Start(program, arguments, folder);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var error = process.StandardError.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            return (process.ExitCode, (await output + await error).Trim());
        }
        finally
        {
            if (!process.HasExited)
            {
                // Not what it has started: pg_ctl's child is the server.
                process.Kill();
            }
        }
    }

    /// <summary>Gives files to the account, whole folders with all that is in them; symbolic links are not followed.</summary>
    public void Own(string path)
    {
        if (_name is null || OperatingSystem.IsWindows())
        {
            return;
        }

        ChangeOwner(path);
        if (Directory.Exists(path) && new DirectoryInfo(path).LinkTarget is null)
        {
            foreach (var entry in Directory.EnumerateFileSystemEntries(path, "*", SearchOption.AllDirectories))
            {
                ChangeOwner(entry);
            }
        }
    }

    /// <exception cref="ProblemException">CG0714: a folder on the way is closed to the account.</exception>
    public void RequireReach(string path)
    {
        if (_name is null || OperatingSystem.IsWindows())
        {
            return;
        }

        for (var folder = Path.GetDirectoryName(Path.GetFullPath(path)); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (Directory.Exists(folder) && (File.GetUnixFileMode(folder) & UnixFileMode.OtherExecute) == 0)
            {
                throw new ProblemException(
                    "CG0714", $"PostgreSQL runs as {_name} here, and {_name} may not enter {folder}",
                    advice: "Choose a folder that others may enter with CHATGENIUS_DATA_DIR, or run chatgenius-db as another user than "
                        + "root.");
            }
        }
    }

    /// <summary>Asks a process to end; false where it is gone already.</summary>
    [UnsupportedOSPlatform("windows")]
    public static bool Signal(int processId, int signal) => Kill(processId, signal) == 0;

    private Process Start(string program, string[] arguments, string folder)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            CreateNoWindow = true,
        };
        if (_name is not null)
        {
            start.UserName = _name;
        }

        // PGDATA, PGPORT and the like are the user's for other servers; messages in C are the ones that are looked for below.
        foreach (var variable in start.Environment.Keys.Where(k => k.StartsWith("PG", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(variable);
        }

        start.Environment["LC_ALL"] = "C";
        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;
    }

    private void ChangeOwner(string path)
    {
        if (LChown(path, _user, _group) != 0)
        {
            throw new IOException($"{path} can't be given to {_name}: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LChown(string path, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int processId, int signal);
}
