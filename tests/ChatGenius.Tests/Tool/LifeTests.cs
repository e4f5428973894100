using System.Runtime.Versioning;
using ChatGenius.Tests.Connections;
using ChatGenius.Tests.Sql;

namespace ChatGenius.Tests.Tool;

/// <summary>
/// Each command once. What only goes wrong in the native executable (code that was trimmed away, a type that is made by reflection) goes
/// wrong here, when <c>CHATGENIUS_DB_EXE</c> names one.
/// </summary>
[UnsupportedOSPlatform("windows")]
[Trait("Needs", "Unix")]
public sealed class LifeTests(GuardedServer guarded) : IClassFixture<GuardedServer>
{
    [Fact]
    public async Task Every_command_does_its_work_in_the_life_of_a_database()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var sandbox = new Sandbox();
        var server = (await TestServer.UrlAsync()).Display;
        var url = new Dictionary<string, string?> { ["CHATGENIUS_DATABASE_URL"] = db.Url.ConnectionString };

        async Task<string> RunAsync(string arguments, int exitCode = 0)
        {
            var result = await TheTool.RunAsync(arguments.Split(' '), sandbox.Path, url);
            result.ExitCode.ShouldBe(exitCode, $"{arguments}\n{result.Output}\n{result.Error}");
            if (arguments.Contains("--json", StringComparison.Ordinal))
            {
                JsonDocument.Parse(result.Output).Dispose();
            }

            return result.Output;
        }

        (await RunAsync("--help")).ShouldContain("apply");
        (await RunAsync("apply --help")).ShouldContain("--single-transaction");
        await RunAsync("aply", exitCode: 2);
        await RunAsync("new add_reactions message:references emoji:text");
        await RunAsync("verify --json");
        (await RunAsync("plan --json")).ShouldContain("reactions");
        await RunAsync("script");
        await RunAsync("status --exit-code", exitCode: 1);
        await RunAsync("wait");
        await RunAsync("apply --dry-run");
        await RunAsync("apply --to 3 --single-transaction");
        await RunAsync("apply");
        (await RunAsync("status --json --exit-code")).ShouldContain("add_reactions");
        await RunAsync("redo --yes");
        await RunAsync("rollback --steps 2 --yes");
        await RunAsync("baseline --to 5 --yes");
        await RunAsync("repair 5 --done", exitCode: 2);
        (await RunAsync("schema dump")).ShouldContain("messages");
        await RunAsync("schema dump --json");
        (await RunAsync("schema docs")).ShouldContain("messages");
        (await RunAsync("config --json")).ShouldContain("lock_timeout");
        await RunAsync("renumber --dry-run");
        (await RunAsync($"drift --shadow {server}")).ShouldBe("");
        await RunAsync("schema dump -o schema.txt");
        await RunAsync("schema diff schema.txt");
        await RunAsync("checkpoint save before");
        await RunAsync("new add_notes note:text");
        (await RunAsync($"check --shadow {server} --json")).ShouldContain("findings");
        await RunAsync($"check --shadow {server} --sarif --html check.html");
        await RunAsync("apply --backup backups");
        await RunAsync("checkpoint restore before --yes");
        (await RunAsync("checkpoint list --json")).ShouldContain("before");
        await RunAsync("checkpoint drop before --yes");
        await RunAsync("server status --json");
        await RunAsync("reset --yes");
        await RunAsync("drop --yes");
        await RunAsync("create");
    }

    [Theory]
    [InlineData("plain:secret@localhost:{port}", "sslmode=require")]
    [InlineData("plain:secret@localhost:{port}", "sslmode=verify-full&sslrootcert={ca}&require_auth=scram-sha-256&channel_binding=require")]
    [InlineData("plain@", "host={socket}&port={port}")]
    public async Task It_gets_in_with_a_password_over_TLS_and_through_a_socket(string authority, string query)
    {
        using var sandbox = new Sandbox();
        var url = $"postgres://{authority}/postgres?{query}"
            .Replace("{port}", $"{guarded.Port}", StringComparison.Ordinal).Replace("{ca}", guarded.Authority, StringComparison.Ordinal)
            .Replace("{socket}", guarded.SocketFolder, StringComparison.Ordinal);

        var result = await TheTool.RunAsync(["status", "--database", url], sandbox.Path);

        result.ExitCode.ShouldBe(0, result.Error);
        result.Output.ShouldContain("pending");
    }
}
