using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Server;

/// <summary>
/// A private PostgreSQL under the user's data directory: started on demand, kept running between calls, its data kept. It listens on a
/// Unix-domain socket in a folder that only its owner may enter; where there are none, on the loopback address with a generated password.
/// </summary>
internal sealed partial class LocalServer
{
    private const int Interrupt = 2;
    private const int Quit = 3;
    private const long LongestLog = 10 * 1024 * 1024;

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);

    private readonly LocalServerOptions _options;
    private readonly string _folder;
    private readonly string _dataFolder;
    private readonly string _log;

    /// <summary>Names a server; nothing is started or created.</summary>
    public LocalServer(LocalServerOptions? options = null)
    {
        _options = options ?? new LocalServerOptions();
        _folder = Path.GetFullPath(_options.Folder);
        _dataFolder = Path.Combine(_folder, "data");
        _log = Path.Combine(_folder, "server.log");
    }

    /// <summary>Starts the server if it does not run, creating what is missing; of several calls at the same time one starts it and all get
    /// it.</summary>
    /// <param name="progress">Gets what takes its time: a download, the first start.</param>
    /// <param name="cancellationToken">Ends the wait; what is half made is taken away.</param>
    /// <returns>The server's database, which is there and takes connections.</returns>
    /// <exception cref="ProblemException">CG0701 to CG0719: it can't be started; see <c>PROBLEMS.md</c>.</exception>
    public async Task<DatabaseUrl> StartAsync(IProgress<string>? progress = null, CancellationToken cancellationToken = default)
    {
        var (url, session) = await ConnectAsync("starting the private server", progress, cancellationToken);
        await session.DisposeAsync();
        return url;
    }

    /// <summary>Starts the server as <see cref="StartAsync"/> does, and keeps the session by which it is seen to run.</summary>
    internal async Task<(DatabaseUrl Url, Session Session)> ConnectAsync(
        string work, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        if (Postmaster.Read(_dataFolder) is { IsReady: true } running && await OpenAsync(running, work, cancellationToken) is { } open)
        {
            return open;
        }

        await using var held = await HoldAsync(create: true, cancellationToken);
        if (Postmaster.Read(_dataFolder) is null)
        {
            await StartStoppedAsync(progress, cancellationToken);
        }

        running = await ReadyAsync(Task.CompletedTask, cancellationToken);
        return await OpenAsync(running, work, cancellationToken)
            ?? throw new ProblemException("CG0712", "PostgreSQL ended as soon as it had started", advice: $"See {_log}.");
    }

    /// <summary>Stops the server; sessions are ended and their transactions rolled back.</summary>
    /// <returns>Whether it ran.</returns>
    /// <exception cref="ProblemException">CG0717: it does not stop.</exception>
    public async Task<bool> StopAsync(CancellationToken cancellationToken = default)
    {
        if (!Directory.Exists(_folder))
        {
            return false;
        }

        await using var held = await HoldAsync(create: false, cancellationToken);
        return await StopHeldAsync(cancellationToken);
    }

    /// <summary>Stops the server and takes its data away; the programs that were fetched stay.</summary>
    /// <returns>Whether there was anything to take away.</returns>
    /// <exception cref="ProblemException">CG0710: a folder can't be removed; CG0717: it does not stop.</exception>
    public async Task<bool> DestroyAsync(CancellationToken cancellationToken = default)
    {
        if (!Directory.Exists(_folder))
        {
            return false;
        }

        await using (await HoldAsync(create: false, cancellationToken))
        {
            await StopHeldAsync(cancellationToken);
            Guarded(() =>
            {
                new Cluster(_options, ServerAccount.Ourselves).Delete();
                foreach (var file in Directory.GetFiles(_folder, "server.log*"))
                {
                    File.Delete(file);
                }

                foreach (var folder in SocketFolder.Candidates(_folder).Where(Directory.Exists))
                {
                    Directory.Delete(folder, recursive: true);
                }
            });
        }

        // The lock file goes last and the folder only where it is empty: another call may wait for the lock, or a user keep files in it.
        File.Delete(LockFile);
        if (!Directory.EnumerateFileSystemEntries(_folder).Any())
        {
            Directory.Delete(_folder);
        }

        return true;
    }

    /// <summary>Tells what the server is doing, without a connection to it.</summary>
    public LocalServerStatus Status()
    {
        var major = new Cluster(_options, ServerAccount.Ourselves).Major;
        return Postmaster.Read(_dataFolder) is { } running
            ? new LocalServerStatus(LocalServerState.Running, _dataFolder, _log, major, running.ProcessId, running.Since,
            UrlOf(running).WithDatabase(_options.DatabaseName))
            : new LocalServerStatus(major is null ? LocalServerState.Absent : LocalServerState.Stopped, _dataFolder, _log, major);
    }

    /// <summary>Makes sure that PostgreSQL's programs are on this machine, fetching them where they are not.</summary>
    /// <returns>The programs that the server uses.</returns>
    /// <exception cref="ProblemException">CG0701 to CG0706: they can't be had.</exception>
    public Task<PostgresBinaries> InstallBinariesAsync(IProgress<string>? progress = null, CancellationToken cancellationToken = default) =>
        BinariesAsync(new Cluster(_options, ServerAccount.Ourselves).Major, mayFetch: true, progress, cancellationToken);

    /// <summary>The command line that opens psql on a database of a private server.</summary>
    public static string PsqlCommand(DatabaseUrl url) => $"psql \"{url.Display}\"";

    private string LockFile => Path.Combine(_folder, "lock");

    private async Task StartStoppedAsync(IProgress<string>? progress, CancellationToken cancellationToken)
    {
        var account = await ServerAccount.ChooseAsync(cancellationToken);
        var cluster = new Cluster(_options, account);
        account.RequireReach(_dataFolder);
        if (_options.IsForReplay)
        {
            var newest = await PostgresBinaries.FindAsync(_options.Binaries, _options.Cache, major: null, cancellationToken);
            Guarded(() => cluster.DeleteUntrusted(newest?.Major));
        }

        var binaries = await BinariesAsync(cluster.Major, _options.MayFetch, progress, cancellationToken);
        try
        {
            if (cluster.Major is null)
            {
                progress?.Report($"Creating a private PostgreSQL {binaries.Version} in {_folder}");
                await cluster.CreateAsync(binaries, cancellationToken);
                if (_options.IsForReplay)
                {
                    cluster.NoteBoot();
                }
            }

            var sockets = SocketFolder.Candidates(_folder).First();
            SocketFolder.Create(sockets, account);
            Postmaster.RemoveStale(_dataFolder, sockets);
            await cluster.WriteRuntimeAsync(sockets, _options.Loopback ? FreePort(cluster.LastPort()) : DatabaseUrl.DefaultPort,
                cancellationToken);
            await LaunchAsync(binaries, account, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NotWritable(e);
        }
    }

    private async Task<bool> StopHeldAsync(CancellationToken cancellationToken)
    {
        if (Postmaster.Read(_dataFolder) is not { } running)
        {
            return false;
        }

        if (OperatingSystem.IsWindows())
        {
            var binaries = await BinariesAsync(new Cluster(_options, ServerAccount.Ourselves).Major, mayFetch: false, progress: null,
                cancellationToken);
            var (exitCode, output) = await ServerAccount.Ourselves.RunAsync(
                binaries.PgCtl, ["stop", "-s", "-w", "-m", "fast", "-D", _dataFolder], _folder, cancellationToken);
            return exitCode == 0 ? true : throw new ProblemException(
                "CG0717", $"PostgreSQL (process {running.ProcessId}) does not stop: {output}", advice: $"See {_log}.");
        }

        // SIGINT is the fast shutdown, SIGQUIT the immediate one, after which the next start recovers from the log (section 18.5).
        foreach (var signal in (int[])[Interrupt, Quit])
        {
            ServerAccount.Signal(running.ProcessId, signal);
            for (var sent = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(sent) < StopLimit;)
            {
                if (Postmaster.Read(_dataFolder)?.ProcessId != running.ProcessId)
                {
                    return true;
                }

                await Task.Delay(Poll, cancellationToken);
            }
        }

        throw new ProblemException(
            "CG0717", $"PostgreSQL (process {running.ProcessId}) does not stop",
            advice: $"See {_log}; kill -9 {running.ProcessId} ends it.");
    }

    /// <summary>Connecting shows whether the database is there: it almost always is.</summary>
    /// <returns>Null where the server has ended meanwhile.</returns>
    private async Task<(DatabaseUrl Url, Session Session)?> OpenAsync(Postmaster running, string work, CancellationToken cancellationToken)
    {
        var database = new Database(UrlOf(running).WithDatabase(_options.DatabaseName));
        while (true)
        {
            try
            {
                return (database.Url, await Session.OpenAsync(database, work, cancellationToken));
            }
            catch (ProblemException e) when (e.Problems is [{ Kind: ProblemKind.NoDatabase }])
            {
                await database.CreateAsync(cancellationToken: cancellationToken);
            }
            catch (ProblemException e) when (e.MayPass || e.Problems is [{ Kind: ProblemKind.NotPostgres }])
            {
                // A server that is just dying resets the connection, as what is not PostgreSQL does; this one is.
                if (Postmaster.Read(_dataFolder)?.ProcessId != running.ProcessId)
                {
                    return null;
                }

                await Task.Delay(Poll, cancellationToken);
            }
        }
    }

    private DatabaseUrl UrlOf(Postmaster running) => running.SocketFolder.Length > 0
        ? DatabaseUrl.Of(running.SocketFolder, running.Port, Cluster.Role, "postgres")
        : DatabaseUrl.Of("127.0.0.1", running.Port, Cluster.Role, "postgres",
        passwordFile: new Cluster(_options, ServerAccount.Ourselves).PasswordFile);

    /// <summary>One of several calls does the work; the others wait here and then find it done. A crash gives the lock back.</summary>
    private async Task<FileStream> HoldAsync(bool create, CancellationToken cancellationToken)
    {
        try
        {
            if (create)
            {
                CreateFolder();
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NotWritable(e);
        }

        for (var started = TimeProvider.System.GetTimestamp(); ;)
        {
            try
            {
                return new FileStream(LockFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (UnauthorizedAccessException e)
            {
                throw NotWritable(e);
            }
            catch (IOException e)
            {
                if (TimeProvider.System.GetElapsedTime(started) > StartLimit + StopLimit)
                {
                    throw new ProblemException(
                        "CG0716", $"The private server is locked by another call: {e.Message}",
                        advice: $"End the chatgenius-db process that holds {LockFile}.", cause: e);
                }

                await Task.Delay(Poll * 4, cancellationToken);
            }
        }
    }

    private void CreateFolder()
    {
        if (Directory.Exists(_folder))
        {
            return;
        }

        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(_folder);
            return;
        }

        // Nobody else has any business in it; but root's server runs as another user, who has to get through it to the data.
        const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        Directory.CreateDirectory(_folder, Environment.IsPrivilegedProcess ? Owner | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute
            : Owner);
    }

    private long PrepareLog(ServerAccount account)
    {
        if (new FileInfo(_log) is { Exists: true, Length: > LongestLog })
        {
            File.Move(_log, _log + ".1", overwrite: true);
        }

        using (var file = new FileStream(_log, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite))
        {
            account.Own(_log);
            return file.Length;
        }
    }

    /// <summary>The same port as before, if it is free: a URL that somebody noted stays right.</summary>
    private static int FreePort(int? before)
    {
        using var listener = new TcpListener(IPAddress.Loopback, before ?? 0);
        try
        {
            listener.Start();
            return ((IPEndPoint)listener.LocalEndpoint).Port;
        }
        catch (SocketException) when (before is not null)
        {
            return FreePort(null);
        }
    }

    private void Guarded(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NotWritable(e);
        }
    }

    private ProblemException NotWritable(Exception e) => new(
        new Problem("CG0710", $"The private server's folder {_folder} can't be used: {e.Message}",
            Advice: $"Check its permissions and the space left on its disk, or choose another with {LocalServerOptions.FolderVariable}."),
        e);
}
