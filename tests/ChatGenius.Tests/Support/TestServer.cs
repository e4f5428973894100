using System.Diagnostics;
using System.Globalization;
using ChatGenius.Db.Server;
using ChatGenius.Db.Sql;
using Testcontainers.PostgreSql;

namespace ChatGenius.Tests.Support;

/// <summary>
/// The real PostgreSQL that all tests of a run share. <c>CHATGENIUS_TEST_DATABASE</c> chooses it: a URL whose role may create databases, or
/// the word <c>docker</c> or <c>docker:IMAGE</c> for a container; where it is not set, the server that the tool itself embeds, in a folder of
/// its own. A server that can't be had fails the tests; nothing is skipped in silence.
/// </summary>
internal static class TestServer
{
    /// <summary>The variable that chooses the server.</summary>
    public const string Variable = "CHATGENIUS_TEST_DATABASE";

    private const string FolderPrefix = "chatgenius-test-server-";
    private const string DefaultImage = "postgres:18-alpine";

    private static readonly Lazy<Task<DatabaseUrl>> Started = new(StartAsync);
    private static Func<Task>? _stop;

    /// <summary>A folder on a RAM disk where there is one: that is what makes creating a database fast.</summary>
    public static string FastFolder { get; } = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();

    /// <summary>The server's maintenance database, with a role that may do everything.</summary>
    public static Task<DatabaseUrl> UrlAsync() => Started.Value;

    /// <summary>Stops and removes what this run has started; a server that was there before stays.</summary>
    public static async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _stop, null) is { } stop)
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
        await RemoveLeftOversAsync();
        var folder = Path.Combine(FastFolder, FolderPrefix + Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        var server = new LocalServer(new LocalServerOptions { Folder = folder, IsThrowAway = true });
        _stop = () => server.DestroyAsync();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => StopAsync().GetAwaiter().GetResult();
        return (await server.StartAsync()).WithDatabase("postgres");
    }

    /// <summary>A run that was killed leaves its server behind, in a folder with the number of its process.</summary>
    private static async Task RemoveLeftOversAsync()
    {
        foreach (var folder in Directory.GetDirectories(FastFolder, FolderPrefix + "*"))
        {
            if (int.TryParse(Path.GetFileName(folder)[FolderPrefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var id) && !IsRunning(id))
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
        _stop = () => container.DisposeAsync().AsTask();
        await container.StartAsync();
        return DatabaseUrl.Parse(container.GetConnectionString(), Variable, _ => null).WithDatabase("postgres");
    }
}
