using System.Net;
using System.Net.Sockets;
using ChatGenius.Db.Server;

namespace ChatGenius.Tests.Faults;

/// <summary>A real PostgreSQL of one test class alone, to be shut down, crashed, copied and promoted. It listens on the loopback address
/// and trusts everybody.</summary>
internal sealed class Cluster : IAsyncDisposable
{
    private readonly ServerAccount _account;
    private readonly string _folder;

    private Cluster(ServerAccount account, string folder, int port)
    {
        _account = account;
        _folder = folder;
        Port = port;
    }

    public int Port { get; }

    /// <summary>What it has written into its log.</summary>
    public string Log => File.ReadAllText(Path.Combine(_folder, "log"));

    private string Data => Path.Combine(_folder, "data");

    /// <summary>Creates and starts one. The power won't fail, so nothing is waited for until it is on the disk; a crash of the server alone
    /// loses nothing by that.</summary>
    /// <param name="settings">More lines for postgresql.conf.</param>
    /// <param name="disk">Where its data lies; the fastest disk where null.</param>
    /// <param name="walDisk">Where its write-ahead log lies; with the data where null.</param>
    public static async Task<Cluster> CreateAsync(string settings = "", string? disk = null, string? walDisk = null)
    {
        var cluster = await PrepareAsync(disk);
        string[] wal = walDisk is null ? [] : [$"--waldir={cluster.CreateFolder(walDisk, "wal")}"];
        await cluster.RunAsync("initdb", ["-D", cluster.Data, "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--no-locale",
            "--wal-segsize=1", .. wal]);
        await File.AppendAllTextAsync(
            Path.Combine(cluster.Data, "postgresql.conf"),
            "\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\nmax_connections = 250\nfsync = off\nfull_page_writes = "
                + $"off\nshared_buffers = 32MB\n{settings}\n");
        await cluster.StartAsync();
        return cluster;
    }

    /// <summary>Copies a running primary into a standby that follows it, and starts it.</summary>
    public static async Task<Cluster> CreateStandbyAsync(Cluster primary)
    {
        var cluster = await PrepareAsync();
        await cluster.RunAsync(
            "pg_basebackup", "-D", cluster.Data, "-R", "-X", "stream", "-c", "fast", "--no-sync", "-d",
            $"host=127.0.0.1 port={primary.Port} user=postgres");
        await cluster.StartAsync();
        return cluster;
    }

    /// <summary>The server itself, which answers also where the disk lets it wait for seconds.</summary>
    public DatabaseUrl Url(string database, string user = "postgres") => ClusterUrl(Port, database, user, limit: 30);

    public static DatabaseUrl ClusterUrl(int port, string database, string user = "postgres", string query = "", int limit = 5) =>
        DatabaseUrl.Parse(
            string.Create(CultureInfo.InvariantCulture, $"postgres://{user}@127.0.0.1:{port}/{database}?connect_timeout={limit}{query}"),
            environment: _ => null);

    public Task StartAsync() =>
        RunAsync("pg_ctl", "start", "-w", "-t", "120", "-D", Data, "-l", Path.Combine(_folder, "log"), "-o", $"-p {Port}");

    /// <summary>Starts it with more options, and doesn't wait until it answers.</summary>
    public Task RestartAsync(string options) =>
        RunAsync("pg_ctl", "start", "-W", "-D", Data, "-l", Path.Combine(_folder, "log"), "-o", $"-p {Port} {options}");

    /// <param name="mode">As pg_ctl names it; <c>immediate</c> is a crash that needs recovery.</param>
    public Task StopAsync(string mode) => RunAsync("pg_ctl", "stop", "-w", "-t", "120", "-m", mode, "-D", Data);

    public Task PromoteAsync() => RunAsync("pg_ctl", "promote", "-w", "-t", "120", "-D", Data);

    /// <summary>Starts it after a crash from which it may or may not have come back by itself.</summary>
    public async Task ReviveAsync()
    {
        await _account.RunAsync(Psql.Find("pg_ctl"), ["stop", "-w", "-m", "immediate", "-D", Data], _folder, CancellationToken.None);
        await StartAsync();
    }

    /// <summary>Makes a tablespace on another disk.</summary>
    public Task CreateTablespaceAsync(string name, string disk) =>
        ExecuteAsync($"CREATE TABLESPACE {name} LOCATION '{CreateFolder(disk, name)}'");

    public async Task ExecuteAsync(string sql, string database = "postgres")
    {
        await using var connection = await new Database(Url(database)).ConnectAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    public async Task<T> ScalarAsync<T>(string sql, string database = "postgres")
    {
        await using var connection = await new Database(Url(database)).ConnectAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async Task<string> CreateDatabaseAsync(string tablespace = "pg_default")
    {
        var name = $"f{Guid.NewGuid():N}";
        await ExecuteAsync($"CREATE DATABASE {name} TEMPLATE template0 TABLESPACE {tablespace} STRATEGY file_copy");
        return name;
    }

    public Task DropDatabaseAsync(string name) => ExecuteAsync($"DROP DATABASE {name} WITH (FORCE)");

    public async ValueTask DisposeAsync()
    {
        if (File.Exists(Path.Combine(Data, "postmaster.pid")))
        {
            await _account.RunAsync(Psql.Find("pg_ctl"), ["stop", "-w", "-m", "immediate", "-D", Data], _folder, CancellationToken.None);
        }

        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>A port that was free a moment ago.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private string CreateFolder(string disk, string name)
    {
        var folder = Directory.CreateDirectory(Path.Combine(disk, name)).FullName;
        _account.Own(folder);
        return folder;
    }

    private static async Task<Cluster> PrepareAsync(string? disk = null)
    {
        var account = await ServerAccount.ChooseAsync(CancellationToken.None);
        var folder = Directory.CreateDirectory(Path.Combine(disk ?? TestServer.FastFolder, $"chatgenius-fault-{Guid.NewGuid():N}"))
            .FullName;
        account.Own(folder);
        return new Cluster(account, folder, FreePort());
    }

    private async Task RunAsync(string program, params string[] arguments)
    {
        var (exitCode, output) = await _account.RunAsync(Psql.Find(program), arguments, _folder, CancellationToken.None);
        var log = Path.Combine(_folder, "log");
        var tail = File.Exists(log) ? string.Join('\n', File.ReadLines(log).TakeLast(20)) : "";
        exitCode.ShouldBe(0, $"{program}: {output}\n{tail}");
    }
}
