using System.ComponentModel;
using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace ChatGenius.Db.Server;

/// <summary>A data directory of PostgreSQL's ("Creating a Database Cluster", section 18.2 of its documentation), made whole or not at
/// all.</summary>
/// <param name="options">Where it lies and what it is for.</param>
/// <param name="account">Who it has to belong to.</param>
internal sealed class Cluster(LocalServerOptions options, ServerAccount account)
{
    /// <summary>The one role of a private server, a superuser: it is a development server, and extensions need one.</summary>
    public const string Role = "postgres";

    private const string SettingsFile = "chatgenius-db.conf";
    private const string RuntimeFile = "chatgenius-db.runtime.conf";

    /// <summary>PostgreSQL's data directory.</summary>
    public string DataFolder { get; } = Path.Combine(Path.GetFullPath(options.Folder), "data");

    /// <summary>The password of a server on the loopback address, in the form of libpq's password file (section 34.16).</summary>
    public string PasswordFile { get; } = Path.Combine(Path.GetFullPath(options.Folder), "pgpass.conf");

    /// <summary>The major version that the data belongs to, or null where there is no data.</summary>
    public int? Major
    {
        get
        {
            var file = Path.Combine(DataFolder, "PG_VERSION");
            return File.Exists(file) && int.TryParse(File.ReadAllText(file), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture,
                out var major) ? major : null;
        }
    }

    /// <summary>
    /// Makes the data directory under another name and then moves it to its place, so that an interrupted start leaves nothing that looks
    /// finished. The first one of a PostgreSQL version takes initdb, half a second; it is kept as an archive that later ones are unpacked
    /// from.
    /// </summary>
    /// <exception cref="ProblemException">CG0711: initdb failed, and why.</exception>
    public async Task CreateAsync(PostgresBinaries binaries, CancellationToken cancellationToken)
    {
        RemoveUnfinished();
        var work = $"{DataFolder}.{Guid.NewGuid():N}";
        try
        {
            var template = Template(binaries);
            if (options.Loopback)
            {
                // Its password is in the data, so it is nobody's template.
                await InitializeAsync(binaries, work, ["--auth=scram-sha-256", $"--pwfile={await NewPasswordAsync(cancellationToken)}"],
                    cancellationToken);
                File.Delete(NewPasswordFile);
            }
            else if (!await UnpackAsync(template, work, cancellationToken))
            {
                await InitializeAsync(binaries, work, ["--auth=trust"], cancellationToken);
                await PackAsync(work, template, cancellationToken);
            }

            await WriteSettingsAsync(work, cancellationToken);
            account.Own(work);
            if (!options.IsThrowAway)
            {
                await RunAsync(binaries.InitDb, ["--sync-only", "-D", work], cancellationToken);
            }

            Directory.Move(work, DataFolder);
        }
        finally
        {
            if (Directory.Exists(work))
            {
                Directory.Delete(work, recursive: true);
            }
        }
    }

    /// <summary>What changes from start to start goes into a file of its own; the settings beside it are the user's to edit.</summary>
    public async Task WriteRuntimeAsync(string socketFolder, int port, CancellationToken cancellationToken)
    {
        var file = Path.Combine(DataFolder, RuntimeFile);
        var sockets = options.Loopback ? "" : socketFolder.Replace("'", "''", StringComparison.Ordinal);
        await File.WriteAllTextAsync(
            file,
            string.Create(CultureInfo.InvariantCulture, $"""
            # Written at every start.
            unix_socket_directories = '{sockets}'
            listen_addresses = '{(options.Loopback ? "127.0.0.1" : "")}'
            port = {port}

            """),
            cancellationToken);
        account.Own(file);
    }

    /// <summary>The port of the last start; null where there was none.</summary>
    public int? LastPort()
    {
        var file = Path.Combine(DataFolder, RuntimeFile);
        const string Setting = "port = ";
        var line = File.Exists(file) ? File.ReadLines(file).FirstOrDefault(line => line.StartsWith(Setting, StringComparison.Ordinal))
            : null;
        return int.TryParse(line?[Setting.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port : null;
    }

    /// <summary>
    /// Takes the data away where it can't be trusted: nothing of it is flushed, so what was written before the machine last started may be
    /// on its disk in part, whether the server was stopped or not; or where its programs are another version's now.
    /// </summary>
    public void DeleteUntrusted(int? major)
    {
        if (Major is not null && ((major is not null && major != Major) || !File.Exists(BootFile) || File.ReadAllText(BootFile) != Boot()))
        {
            Delete();
        }
    }

    /// <summary>Notes that the data is of this run of the machine.</summary>
    public void NoteBoot() => File.WriteAllText(BootFile, Boot());

    private string BootFile => $"{DataFolder}-boot";

    /// <summary>What tells this run of the machine from others: Linux has a number for it, elsewhere it is the minute in which it
    /// began.</summary>
    private static string Boot() => File.Exists("/proc/sys/kernel/random/boot_id")
        ? File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim()
        : (DateTimeOffset.UtcNow - TimeSpan.FromMilliseconds(Environment.TickCount64))
        .ToString("yyyy-MM-ddTHH:mm", CultureInfo.InvariantCulture);

    /// <summary>Takes the data away; first under another name, so that an interrupted removal leaves no half of it in its place.</summary>
    public void Delete()
    {
        if (Directory.Exists(DataFolder))
        {
            Directory.Move(DataFolder, $"{DataFolder}.{Guid.NewGuid():N}");
        }

        RemoveUnfinished();
        File.Delete(BootFile);
        File.Delete(PasswordFile);
    }

    private void RemoveUnfinished()
    {
        foreach (var folder in Directory.GetDirectories(Path.GetDirectoryName(DataFolder)!, "data.*"))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private string NewPasswordFile => PasswordFile + ".new";

    /// <summary>Writes a new password twice: for later connections, and alone on its line for initdb.</summary>
    private async Task<string> NewPasswordAsync(CancellationToken cancellationToken)
    {
        var password = RandomNumberGenerator.GetHexString(48, lowercase: true);
        foreach (var (file, text) in new[] { (PasswordFile, $"127.0.0.1:*:*:{Role}:{password}\n"), (NewPasswordFile, password + "\n") })
        {
            File.Delete(file);
            var create = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                create.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            await using var stream = new FileStream(file, create);
            await stream.WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken);
        }

        account.Own(NewPasswordFile);
        return NewPasswordFile;
    }

    private async Task InitializeAsync(PostgresBinaries binaries, string folder, string[] authentication,
        CancellationToken cancellationToken)
    {
        CreatePrivate(folder);
        account.Own(folder);
        foreach (var locale in Locales(binaries.Major))
        {
            var (exitCode, output) = await TryRunAsync(
                binaries.InitDb,
                ["-D", folder, "-U", Role, "-E", "UTF8", "--no-sync", "--no-instructions", "--wal-segsize=1", .. authentication, .. locale],
                cancellationToken);
            if (exitCode == 0)
            {
                return;
            }

            if (!output.Contains("invalid locale", StringComparison.Ordinal))
            {
                throw Failed(binaries.InitDb, output);
            }
        }

        throw Failed(binaries.InitDb, "no locale that it takes");
    }

    /// <summary>
    /// Text sorts by code point, the same on every machine, and upper and lower case are Unicode's: from 17 on PostgreSQL has that built
    /// in; before, it is the system's C.UTF-8, which some systems lack.
    /// </summary>
    private static string[][] Locales(int major) => major >= 17
        ? [["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]]
        : [["--locale=C.UTF-8"], ["--locale=C"]];

    private async Task WriteSettingsAsync(string folder, CancellationToken cancellationToken)
    {
        await File.AppendAllTextAsync(
            Path.Combine(folder, "postgresql.conf"), $"\ninclude_if_exists '{SettingsFile}'\ninclude_if_exists '{RuntimeFile}'\n",
            cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder, SettingsFile), Text(options), cancellationToken);

        // Statistics and old rows of a server that lives long want looking after; that of a test run does not.
        static string Text(LocalServerOptions options) => options.IsForReplay
            ? ThrowAwaySettings.Replace("autovacuum = off", "autovacuum = on", StringComparison.Ordinal)
            : options.IsThrowAway ? ThrowAwaySettings : Settings;
    }

    private string Template(PostgresBinaries binaries)
    {
        // Another build of the same version may have been configured otherwise, so its folder counts too.
        var identity = SHA256.HashData(Encoding.UTF8.GetBytes($"{binaries.Version}\n{binaries.Folder}"));
        return Path.Combine(Path.GetFullPath(options.Cache), "clusters",
            $"{binaries.Major}-{Convert.ToHexStringLower(identity.AsSpan(0, 8))}.tar.br");
    }

    private static async Task<bool> UnpackAsync(string template, string folder, CancellationToken cancellationToken)
    {
        if (!File.Exists(template))
        {
            return false;
        }

        try
        {
            await using var file = File.OpenRead(template);
            await using var bytes = new BrotliStream(file, CompressionMode.Decompress);
            CreatePrivate(folder);
            await TarFile.ExtractToDirectoryAsync(bytes, folder, overwriteFiles: false, cancellationToken);
            return File.Exists(Path.Combine(folder, "PG_VERSION"));
        }
        catch (Exception e) when (e is InvalidDataException or InvalidOperationException or EndOfStreamException)
        {
            // A damaged archive is made again.
            Directory.Delete(folder, recursive: true);
            File.Delete(template);
            return false;
        }
    }

    private static async Task PackAsync(string folder, string template, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(template)!);
        var work = $"{template}.{Guid.NewGuid():N}";
        try
        {
            await using (var file = File.Create(work))
            await using (var bytes = new BrotliStream(file, CompressionLevel.Fastest))
            {
                await TarFile.CreateFromDirectoryAsync(folder, bytes, includeBaseDirectory: false, cancellationToken);
            }

            File.Move(work, template, overwrite: true);
        }
        finally
        {
            File.Delete(work);
        }
    }

    /// <summary>PostgreSQL starts on no data directory that others may enter.</summary>
    private static void CreatePrivate(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    private async Task RunAsync(string program, string[] arguments, CancellationToken cancellationToken)
    {
        var (exitCode, output) = await TryRunAsync(program, arguments, cancellationToken);
        if (exitCode != 0)
        {
            throw Failed(program, output);
        }
    }

    private async Task<(int ExitCode, string Output)> TryRunAsync(string program, string[] arguments, CancellationToken cancellationToken)
    {
        try
        {
            return await account.RunAsync(program, arguments, Path.GetDirectoryName(DataFolder)!, cancellationToken);
        }
        catch (Win32Exception e)
        {
            throw Failed(program, e.Message);
        }
    }

    private static ProblemException Failed(string program, string output) => new(
        new Problem("CG0711", $"PostgreSQL's data directory can't be made; {Path.GetFileNameWithoutExtension(program)} says:\n{output}",
            Advice: output.Contains("No space left", StringComparison.Ordinal)
                ? $"Make room on the disk (about 40 MB are needed), or choose another with {LocalServerOptions.FolderVariable}."
                : $"Nothing was left half made. {LocalServerOptions.FolderVariable} chooses another folder, {PostgresBinaries.Variable} "
                + "other programs."));

    private const string Settings = """
        # Settings of the private development server. This file is yours: it is written once, with the data directory.

        # A commit does not wait for the disk. A crash may take the last half second of commits with it, but never damages data: fsync and
        # full_page_writes stay on, because the data here is kept from day to day.
        synchronous_commit = off

        # A developer's machine has other things to do.
        shared_buffers = 64MB
        max_wal_size = 256MB
        min_wal_size = 16MB
        max_connections = 60

        # Compiling a query pays off for queries that take seconds; here they take milliseconds.
        jit = off

        log_checkpoints = off

        """;

    private const string ThrowAwaySettings = """
        # Settings of a server whose data nobody keeps: a power cut may destroy it.
        fsync = off
        synchronous_commit = off
        full_page_writes = off
        wal_level = minimal
        max_wal_senders = 0
        autovacuum = off
        shared_buffers = 64MB
        max_wal_size = 1GB
        max_connections = 200
        jit = off
        log_checkpoints = off

        """;
}
