using ChatGenius.Db.Server;

namespace ChatGenius.Tests.Server;

/// <summary>A private server of one test alone, in a folder that the server's own user can enter; stopped and removed with it.</summary>
internal sealed class ServerSandbox : IAsyncDisposable
{
    public ServerSandbox(string? below = null)
    {
        Folder = Path.Combine(TestServer.FastFolder, $"chatgenius-test-{Guid.NewGuid():N}");
        Directory.CreateDirectory(Folder);
        Options = new LocalServerOptions { Folder = Path.Combine(Folder, below ?? "server"), IsThrowAway = true };
    }

    /// <summary>What is removed in the end.</summary>
    public string Folder { get; }

    public LocalServerOptions Options { get; init; }

    public LocalServer Server => new(Options);

    public string DataFolder => Path.Combine(Options.Folder, "data");

    public async ValueTask DisposeAsync()
    {
        await Server.StopAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
