using System.Diagnostics;

namespace ChatGenius.Tests.Tool;

public sealed class ChatDatabase : IAsyncLifetime
{
    public string ConnectionString { get; private set; } = "";

    private string Url { get; set; } = "";

    public async Task InitializeAsync()
    {
        using var answer = JsonDocument.Parse(await RunAsync("test-database", "--json"));
        var database = answer.RootElement.GetProperty("databases")[0];
        (ConnectionString, Url) = (database.GetProperty("connection_string").GetString()!, database.GetProperty("url").GetString()!);
    }

    public Task DisposeAsync() => RunAsync("test-database", "drop", Url);

    private static async Task<string> RunAsync(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("chatgenius-db", arguments) { RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException("chatgenius-db failed; see its message above.");
    }
}
