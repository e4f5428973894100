using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using ChatGenius.Db.Connections;

namespace ChatGenius.Db.Server;

/// <summary>A backup that was made and read back.</summary>
/// <param name="Path">The file's full path: an archive of <c>pg_dump -Fc</c>, for <c>pg_restore</c>.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Elapsed">How long it took.</param>
internal sealed record BackupFile(string Path, long Bytes, TimeSpan Elapsed);

/// <summary>
/// Backs up a database with PostgreSQL's own <c>pg_dump</c>. A file has its name only once it is whole: until then it is called
/// <c>.partial</c>, and it is taken away where the backup fails or is cancelled.
/// </summary>
internal sealed class DatabaseBackup
{
    private const int Terminate = 15;

    /// <summary>How long pg_dump may take to cancel its query on the server.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private readonly DatabaseUrl _url;
    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly ClientPrograms _programs;

    private DatabaseBackup(DatabaseUrl url, IReadOnlyDictionary<string, string> environment, ClientPrograms programs) =>
        (_url, _environment, _programs) = (url, environment, programs);

    /// <summary>Finds programs that fit the server; makes nothing yet.</summary>
    /// <param name="database">What to back up.</param>
    /// <param name="binaries">The folder that holds pg_dump and pg_restore; null looks for them.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <exception cref="ProblemException">
    /// CG0610 to CG0629: the server can't be reached; CG1301, CG1302: no fitting pg_dump; CG1306: the connection needs what pg_dump can't
    /// be given.
    /// </exception>
    public static async Task<DatabaseBackup> PrepareAsync(Database database, string? binaries = null,
        CancellationToken cancellationToken = default)
    {
        var environment = new Dictionary<string, string>(database.Url.LibpqEnvironment());
        if (database.Url.PasswordSource is { } password)
        {
            environment["PGPASSWORD"] = await password(cancellationToken);
        }

        await using var session = await Session.OpenAsync(database, "asking for the server's version", cancellationToken);
        var programs = await ClientPrograms.FindAsync(binaries, session.ServerVersion / 10000, cancellationToken);
        return new DatabaseBackup(database.Url, environment, programs);
    }

    /// <summary>Makes the backup. The file is readable by its owner alone and its name says what it was made before.</summary>
    /// <param name="folder">The folder for it, created where it is not there.</param>
    /// <param name="version">The migration before which it is made.</param>
    /// <param name="progress">Gets what takes its time, and what pg_dump warns of.</param>
    /// <param name="cancellationToken">Ends pg_dump and its query on the server, and takes the unfinished file away.</param>
    /// <exception cref="ProblemException">
    /// CG1303: pg_dump failed, because the disk is full, for example; CG1304: the file can't be written or is there already; CG1305: it
    /// can't be read back.
    /// </exception>
    public async Task<BackupFile> MakeAsync(string folder, long version, IProgress<string>? progress = null,
        CancellationToken cancellationToken = default)
    {
        var clock = Stopwatch.StartNew();
        var time = TimeProvider.System.GetUtcNow().ToString("yyyyMMdd'T'HHmmssfff'Z'", CultureInfo.InvariantCulture);
        var path = Path.Combine(Path.GetFullPath(folder), string.Create(CultureInfo.InvariantCulture,
            $"{FileName(_url.DatabaseName)}_{time}_before_{version:D4}.dump"));
        var partial = path + ".partial";
        Guarded(path, () => Create(partial));
        try
        {
            progress?.Report($"Backing up {_url.Display} with pg_dump {_programs.Version}");
            var dump = await RunAsync(_programs.PgDump, ["--format=custom", "--no-password", $"--file={partial}"], cancellationToken);
            if (dump.ExitCode != 0)
            {
                throw new ProblemException(
                    "CG1303", dump.Error.Length > 0 ? $"pg_dump failed:\n{dump.Error}" : $"pg_dump ended with exit code {dump.ExitCode}",
                    advice: Advice(dump.Error));
            }

            foreach (var warning in dump.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                progress?.Report(warning);
            }

            var list = await RunAsync(_programs.PgRestore, ["--list", partial], cancellationToken);
            if (list.ExitCode != 0)
            {
                throw new ProblemException(
                    "CG1305", $"pg_restore can't read back what pg_dump wrote:\n{list.Error}",
                    advice: "Nothing was applied. The disk may be at fault: try another folder.");
            }

            Guarded(path, () => File.Move(partial, path));
            return new BackupFile(path, new FileInfo(path).Length, clock.Elapsed);
        }
        finally
        {
            if (File.Exists(partial))
            {
                File.Delete(partial);
            }
        }
    }

    private async Task<(int ExitCode, string Error)> RunAsync(string program, string[] arguments, CancellationToken cancellationToken)
    {
        using var process = Start(program, arguments);
        try
        {
            // Both are read at the same time: a program whose pipe is full waits for us.
            var output = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, cancellationToken);
            var error = await process.StandardError.ReadToEndAsync(cancellationToken);
            await output;
            await process.WaitForExitAsync(cancellationToken);

            // A Ctrl-C on the terminal reaches the program as well; what it then says is no reason of its own.
            cancellationToken.ThrowIfCancellationRequested();
            return (process.ExitCode, error.Trim().ReplaceLineEndings("\n"));
        }
        finally
        {
            await EndAsync(process);
        }
    }

    /// <summary>Asked to end, pg_dump cancels its query on the server before it goes; killed, it would leave the query running
    /// there.</summary>
    private static async Task EndAsync(Process process)
    {
        if (process.HasExited)
        {
            return;
        }

        if (!OperatingSystem.IsWindows())
        {
            using var grace = new CancellationTokenSource(Grace);
            ServerAccount.Signal(process.Id, Terminate);
            await process.WaitForExitAsync(grace.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        process.Kill();
        await process.WaitForExitAsync(CancellationToken.None);
    }

    private Process Start(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            CreateNoWindow = true,
        };

        // The URL has taken from the PG* variables what it wants; any other would lead pg_dump somewhere else.
        foreach (var variable in start.Environment.Keys.Where(k => k.StartsWith("PG", StringComparison.OrdinalIgnoreCase)).ToList())
        {
            start.Environment.Remove(variable);
        }

        foreach (var (variable, value) in _environment)
        {
            start.Environment[variable] = value;
        }

        start.Environment["LC_ALL"] = "C";
        try
        {
            var process = Process.Start(start)!;
            process.StandardInput.Close();
            return process;
        }
        catch (Win32Exception e)
        {
            throw new ProblemException(
                "CG1303", $"{program} can't be run: {e.Message}", advice: "Nothing was applied. Check its permissions.", cause: e);
        }
    }

    private static void Create(string partial)
    {
        var folder = Path.GetDirectoryName(partial)!;
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var file = new FileStream(partial, options);
    }

    private static void Guarded(string path, Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ProblemException(
                "CG1304", $"The backup {path} can't be written: {e.Message}",
                advice: "Nothing was applied. Check the folder, or choose another with --backup DIR.", cause: e);
        }
    }

    private static string Advice(string error) => error.Contains("No space left", StringComparison.Ordinal)
        ? "Nothing was applied. Make room, or choose another folder with --backup DIR."
        : "Nothing was applied. The message is pg_dump's: it needs to read every table of the database.";

    /// <summary>A database's name may hold anything, slashes as well.</summary>
    private static string FileName(string database) =>
        new([.. database.Take(64).Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' ? c : '_')]);
}
