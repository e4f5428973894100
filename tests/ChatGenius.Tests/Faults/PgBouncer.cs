namespace ChatGenius.Tests.Faults;

/// <summary>A PgBouncer in transaction mode before a server.</summary>
internal sealed class PgBouncer : IAsyncDisposable
{
    private readonly ToolProcess _process;
    private readonly string _folder;
    private readonly int _port;

    private PgBouncer(ToolProcess process, string folder, int port)
    {
        _process = process;
        _folder = folder;
        _port = port;
    }

    public static string? Executable { get; } = Needs.OnPath("pgbouncer");

    /// <param name="server">The port of the server behind it.</param>
    /// <param name="pool">How many sessions of the server it keeps for each database.</param>
    public static async Task<PgBouncer> StartAsync(int server, int pool = 8)
    {
        var folder = Directory.CreateDirectory(Path.Combine(TestServer.FastFolder, $"chatgenius-fault-{Guid.NewGuid():N}")).FullName;
        var port = Cluster.FreePort();
        await File.WriteAllTextAsync(Path.Combine(folder, "users"), "\"postgres\" \"\"\n");
        await File.WriteAllTextAsync(
            Path.Combine(folder, "ini"),
            $"""
            [databases]
            * = host=127.0.0.1 port={server}
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {port}
            unix_socket_dir =
            auth_type = trust
            auth_file = {folder}/users
            pool_mode = transaction
            default_pool_size = {pool}
            max_client_conn = 400
            """ + "\n");
        string[] user = Environment.IsPrivilegedProcess ? ["-u", "postgres"] : [];
        var process = ToolProcess.StartProcess(
            Executable ?? throw new InvalidOperationException("These tests need pgbouncer (Debian: apt install pgbouncer)."),
            [.. user, Path.Combine(folder, "ini")], workingDirectory: null, environment: null, input: null);
        await new Database(Cluster.ClusterUrl(port, "postgres")).WaitAsync(TimeSpan.FromMinutes(1));
        return new PgBouncer(process, folder, port);
    }

    public DatabaseUrl Url(string database) => Cluster.ClusterUrl(_port, database);

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
