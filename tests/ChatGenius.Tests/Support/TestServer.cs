using System.Collections.Concurrent;
using System.Diagnostics;
using ChatGenius.Db.Server;
using Testcontainers.PostgreSql;

namespace ChatGenius.Tests.Support;

/// <summary>
/// The real PostgreSQL that all tests of a run share. <c>CHATGENIUS_TEST_DATABASE</c> chooses it: a URL whose role may create databases, or
/// the word <c>docker</c> or <c>docker:IMAGE</c> for a container; where it is not set, the server that the tool itself embeds, in a folder
/// of its own. A server that can't be had fails the tests; nothing is skipped in silence.
/// </summary>
internal static class TestServer
{
    /// <summary>The variable that chooses the server.</summary>
    public const string Variable = "CHATGENIUS_TEST_DATABASE";

    private const string FolderPrefix = "chatgenius-test-server-";
    private const string NewestFolderPrefix = "chatgenius-test-newest-";
    private const string DefaultImage = "postgres:18-alpine";

    private static readonly Lazy<Task<DatabaseUrl>> Started = new(StartAsync);
    private static readonly Lazy<Task<DatabaseUrl>> Newest = new(StartNewestAsync);
    private static readonly ConcurrentBag<Func<Task>> Stops = [];

    /// <summary>A folder on a RAM disk where there is one: that is what makes creating a database fast.</summary>
    public static string FastFolder { get; } = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();

    /// <summary>The server's maintenance database, with a role that may do everything.</summary>
    public static Task<DatabaseUrl> UrlAsync() => Started.Value;

    /// <summary>
    /// The same on the PostgreSQL that the tool fetches through npm, for what only the newest version can do. A test that asks for it needs
    /// <see cref="Need.Npm"/>.
    /// </summary>
    public static Task<DatabaseUrl> NewestUrlAsync() => Newest.Value;

    /// <summary>Stops and removes what this run has started; a server that was there before stays.</summary>
    public static async Task StopAsync()
    {
        await TestDatabase.DropOriginalsAsync();
        while (Stops.TryTake(out var stop))
        {
            await stop();
        }
    }

    private static async Task<DatabaseUrl> StartAsync()
    {
        var chosen = Environment.GetEnvironmentVariable(Variable);
        if (string.IsNullOrEmpty(chosen))
        {
            return await StartLocalAsync();
        }

        if (chosen == "docker" || chosen.StartsWith("docker:", StringComparison.Ordinal))
        {
            return await StartContainerAsync(chosen.Length > "docker:".Length ? chosen["docker:".Length..] : DefaultImage);
        }

        var url = DatabaseUrl.Parse(chosen, Variable);
        await TestDatabase.DropLeftOversAsync(url);
        return url;
    }

    private static async Task<DatabaseUrl> StartLocalAsync()
    {
        await RemoveLeftOversAsync(FolderPrefix);
        return await StartAsync(FolderPrefix, new LocalServerOptions());
    }

    private static async Task<DatabaseUrl> StartNewestAsync()
    {
        await RemoveLeftOversAsync(NewestFolderPrefix);
        var cache = new LocalServerOptions().Cache;
        if (!Directory.Exists(NpmPackage.BinFolder(cache)))
        {
            await NpmPackage.InstallAsync(cache, progress: null, CancellationToken.None);
        }

        return await StartAsync(NewestFolderPrefix, new LocalServerOptions { Binaries = NpmPackage.BinFolder(cache) });
    }

    private static async Task<DatabaseUrl> StartAsync(string prefix, LocalServerOptions options)
    {
        var folder = Path.Combine(FastFolder, prefix + Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        var server = new LocalServer(options with { Folder = folder, IsThrowAway = true });
        Stops.Add(() => server.DestroyAsync());
        AppDomain.CurrentDomain.ProcessExit += (_, _) => StopAsync().GetAwaiter().GetResult();
        return (await server.StartAsync()).WithDatabase("postgres");
    }

    /// <summary>A run that was killed leaves its server behind, in a folder with the number of its process.</summary>
    private static async Task RemoveLeftOversAsync(string prefix)
    {
        foreach (var folder in Directory.GetDirectories(FastFolder, prefix + "*"))
        {
            if (int.TryParse(Path.GetFileName(folder)[prefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                && !IsRunning(id))
            {
                await new LocalServer(new LocalServerOptions { Folder = folder }).DestroyAsync();
            }
        }
    }

    private static bool IsRunning(int processId)
    {
        try
        {
            using var process = Process.GetProcessById(processId);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static async Task<DatabaseUrl> StartContainerAsync(string image)
    {
        var container = new PostgreSqlBuilder(image)
            .WithTmpfsMount("/var/lib/postgresql")
            .WithCommand("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_connections=200")
            .Build();
        Stops.Add(() => container.DisposeAsync().AsTask());
        await container.StartAsync();
        return DatabaseUrl.Parse(container.GetConnectionString(), Variable, _ => null).WithDatabase("postgres");
    }
}
