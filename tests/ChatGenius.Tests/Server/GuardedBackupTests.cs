using System.Runtime.Versioning;
using ChatGenius.Db.Server;
using ChatGenius.Tests.Connections;
using ChatGenius.Tests.Sql;

namespace ChatGenius.Tests.Server;

/// <summary>pg_dump gets in where the tool does: with passwords, TLS and several hosts.</summary>
[UnsupportedOSPlatform("windows")]
[Trait("Needs", "Unix")]
public sealed class GuardedBackupTests(GuardedServer server) : IClassFixture<GuardedServer>
{
    [Theory]
    [InlineData("plain:secret@localhost:{port}", "sslmode=require")]
    [InlineData("plain:secret@localhost:{port}", "sslmode=verify-full&sslrootcert={ca}&require_auth=scram-sha-256&channel_binding=require")]
    [InlineData("plain:secret@localhost:1,localhost:{port}", "sslmode=require&sslrootcert={ca}&target_session_attrs=read-write")]
    [InlineData("plain@localhost:{port}", "passfile={passfile}")]
    [InlineData("plain@", "host={socket}&port={port}")]
    public async Task A_backup_is_made_where_the_tool_connects(string authority, string query)
    {
        using var sandbox = new Sandbox();
        var passwords = sandbox.Write("passwords", "localhost:*:*:plain:secret\n");
        File.SetUnixFileMode(passwords, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var url = $"postgres://{authority}/postgres?{query}"
            .Replace("{port}", $"{server.Port}", StringComparison.Ordinal).Replace("{ca}", server.Authority, StringComparison.Ordinal)
            .Replace("{socket}", server.SocketFolder, StringComparison.Ordinal).Replace("{passfile}", passwords, StringComparison.Ordinal);

        var backup = await DatabaseBackup.PrepareAsync(new Database(DatabaseUrl.Parse(url, environment: _ => null)));
        var file = await backup.MakeAsync(sandbox.Combine("to"), 1);

        file.Bytes.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task An_authority_that_did_not_sign_is_refused_by_libpq_too()
    {
        var url =
            DatabaseUrl.Parse(
            $"postgres://plain:secret@localhost:{server.Port}/postgres?sslmode=verify-full&sslrootcert={server.OtherAuthority}",
            environment: _ => null);

        await using var dump = ToolProcess.StartProcess(Psql.Find("pg_dump"), ["--schema-only"], workingDirectory: null,
            url.LibpqEnvironment()!, input: null);
        var result = await dump.ExitAsync();

        result.ExitCode.ShouldBe(1);
        result.Error.ShouldContain("certificate verify failed");
    }
}
