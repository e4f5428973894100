using System.Diagnostics;
using System.Runtime.Versioning;
using ChatGenius.Db.Server;
using ChatGenius.Db.Sql;

namespace ChatGenius.Tests.Server;

[UnsupportedOSPlatform("windows")]
[Trait("Needs", "Unix")]
public class LocalServerTests
{
    [Fact]
    public async Task It_starts_once_keeps_its_data_and_stops()
    {
        await using var sandbox = new ServerSandbox();
        sandbox.Server.Status().State.ShouldBe(LocalServerState.Absent);

        var url = await sandbox.Server.StartAsync();
        await ExecuteAsync(url, "CREATE TABLE kept (id int)");
        var first = sandbox.Server.Status();
        (await sandbox.Server.StartAsync()).Display.ShouldBe(url.Display);
        sandbox.Server.Status().ProcessId.ShouldBe(first.ProcessId);

        (await sandbox.Server.StopAsync()).ShouldBeTrue();
        (await sandbox.Server.StopAsync()).ShouldBeFalse();
        sandbox.Server.Status().State.ShouldBe(LocalServerState.Stopped);

        await ExecuteAsync(await sandbox.Server.StartAsync(), "DROP TABLE kept");
    }

    [Fact]
    public async Task Its_status_says_how_to_reach_it()
    {
        await using var sandbox = new ServerSandbox();
        var url = await sandbox.Server.StartAsync();

        var status = sandbox.Server.Status();

        status.State.ShouldBe(LocalServerState.Running);
        status.Url!.Display.ShouldBe(url.Display);
        status.DataFolder.ShouldBe(sandbox.DataFolder);
        status.Major.ShouldNotBeNull().ShouldBeGreaterThanOrEqualTo(PostgresBinaries.OldestMajor);
        status.Since.ShouldNotBeNull().ShouldBeInRange(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddMinutes(1));
        LocalServer.PsqlCommand(url).ShouldBe($"psql \"postgres://postgres@/chatgenius?host={sandbox.Options.Folder}/run\"");
    }

    [Fact]
    public async Task Eight_starts_at_once_start_one_server()
    {
        await using var sandbox = new ServerSandbox();

        var urls = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => sandbox.Server.StartAsync())));

        urls.Select(u => u.Display).Distinct().ShouldHaveSingleItem();
        await ExecuteAsync(urls[0], "SELECT 1");
    }

    [Fact]
    public async Task Only_its_owner_gets_in()
    {
        await using var sandbox = new ServerSandbox();
        var url = await sandbox.Server.StartAsync();

        url.IsSocket.ShouldBeTrue();
        (await ScalarAsync(url, "SHOW listen_addresses")).ShouldBe("");
        const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        File.GetUnixFileMode(url.Host).ShouldBe(Owner);
        File.GetUnixFileMode(sandbox.DataFolder).ShouldBe(Owner);
    }

    [Fact]
    public async Task On_the_loopback_address_it_asks_for_the_generated_password()
    {
        await using var sandbox = new ServerSandbox();
        var server = new LocalServer(sandbox.Options with { Loopback = true });

        var url = await server.StartAsync();
        (await ScalarAsync(url, "SELECT 1::text")).ShouldBe("1");
        url.Display.ShouldContain("passfile=");
        DatabaseUrl.Parse(url.Display, environment: _ => null).ConnectionString.ShouldBe(url.ConnectionString);

        var wrong = DatabaseUrl.Of("127.0.0.1", url.Port, "postgres", "chatgenius", "wrong");
        (await Should.ThrowAsync<ProblemException>(() => new Database(wrong).ConnectAsync())).Problems[0].Code.ShouldBe("CG0613");
        File.GetUnixFileMode(Path.Combine(sandbox.Options.Folder, "pgpass.conf")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);

        await server.StopAsync();
        (await server.StartAsync()).Port.ShouldBe(url.Port, "A URL that somebody noted stays right.");
    }

    [Fact]
    public async Task What_a_killed_server_committed_is_there_after_the_next_start()
    {
        await using var sandbox = new ServerSandbox();
        var url = await sandbox.Server.StartAsync();
        await ExecuteAsync(url, "CREATE TABLE kept (id int)");
        await ExecuteAsync(url, "CHECKPOINT");
        var id = sandbox.Server.Status().ProcessId!.Value;
        using (var postmaster = Process.GetProcessById(id))
        {
            postmaster.Kill();
        }

        // The file of a postmaster that is no more lies there as long as nobody starts one.
        url = await sandbox.Server.StartAsync();

        sandbox.Server.Status().ProcessId.ShouldNotBe(id);
        await ExecuteAsync(url, "DROP TABLE kept");
    }

    [Fact]
    public async Task A_pid_file_that_names_another_program_is_stale()
    {
        await using var sandbox = new ServerSandbox();
        await sandbox.Server.StartAsync();
        await sandbox.Server.StopAsync();
        await File.WriteAllTextAsync(
            Path.Combine(sandbox.DataFolder, "postmaster.pid"),
            string.Create(CultureInfo.InvariantCulture,
                $"{Environment.ProcessId}\n{sandbox.DataFolder}\n1700000000\n5432\n\n\n  1 2\nready   \n"));
        sandbox.Server.Status().State.ShouldBe(LocalServerState.Stopped);

        await ExecuteAsync(await sandbox.Server.StartAsync(), "SELECT 1");
    }

    [Fact]
    public async Task A_half_made_data_directory_is_made_anew()
    {
        await using var sandbox = new ServerSandbox();
        var half = Path.Combine(sandbox.Options.Folder, "data.0123");
        Directory.CreateDirectory(Path.Combine(half, "base"));

        await sandbox.Server.StartAsync();

        Directory.Exists(half).ShouldBeFalse();
    }

    [Fact]
    public async Task A_folder_with_a_long_name_gets_its_socket_in_a_short_place()
    {
        await using var sandbox = new ServerSandbox(below: $"{new string('x', 60)}/{new string('y', 60)} z's");

        var url = await sandbox.Server.StartAsync();

        url.Host.Length.ShouldBeLessThan(80);
        await ExecuteAsync(url, "SELECT 1");
        sandbox.Server.Status().Url!.Host.ShouldBe(url.Host);
        await sandbox.Server.DestroyAsync();
        Directory.Exists(url.Host).ShouldBeFalse();
    }

    [Fact]
    public async Task A_broken_setting_is_shown_and_once_mended_the_server_starts()
    {
        await using var sandbox = new ServerSandbox();
        await sandbox.Server.StartAsync();
        await sandbox.Server.StopAsync();
        var settings = Path.Combine(sandbox.DataFolder, "chatgenius-db.conf");
        var before = await File.ReadAllTextAsync(settings);
        await File.AppendAllTextAsync(settings, "no_such_setting = on\n");

        var problem = (await Should.ThrowAsync<ProblemException>(() => sandbox.Server.StartAsync())).Problems[0];

        problem.Code.ShouldBe("CG0712");
        problem.Message.ShouldContain("no_such_setting");
        await File.WriteAllTextAsync(settings, before);
        await sandbox.Server.StartAsync();
    }

    [Fact]
    public async Task Data_of_another_major_version_is_a_problem_and_is_left_alone()
    {
        await using var sandbox = new ServerSandbox();
        await sandbox.Server.StartAsync();
        await sandbox.Server.StopAsync();
        var version = Path.Combine(sandbox.DataFolder, "PG_VERSION");
        var before = await File.ReadAllTextAsync(version);
        await File.WriteAllTextAsync(version, "11\n");

        var problem = (await Should.ThrowAsync<ProblemException>(() => sandbox.Server.StartAsync())).Problems[0];

        problem.Code.ShouldBe("CG0713");
        problem.Message.ShouldContain("11");
        await File.WriteAllTextAsync(version, before);
        await sandbox.Server.StartAsync();
    }

    [Fact]
    public async Task Destroy_takes_everything_away_and_a_start_makes_it_anew()
    {
        await using var sandbox = new ServerSandbox();
        await ExecuteAsync(await sandbox.Server.StartAsync(), "CREATE TABLE lost (id int)");

        (await sandbox.Server.DestroyAsync()).ShouldBeTrue();

        Directory.Exists(sandbox.Options.Folder).ShouldBeFalse();
        (await sandbox.Server.DestroyAsync()).ShouldBeFalse();
        (await ScalarAsync(await sandbox.Server.StartAsync(), "SELECT coalesce(to_regclass('lost')::text, 'gone')")).ShouldBe("gone");
    }

    [Fact]
    public async Task Kept_data_survives_a_power_cut_because_fsync_stays_on()
    {
        await using var sandbox = new ServerSandbox();
        var kept = new LocalServer(sandbox.Options with { IsThrowAway = false });

        var url = await kept.StartAsync();

        (await ScalarAsync(url, "SHOW fsync")).ShouldBe("on");
        (await ScalarAsync(url, "SHOW full_page_writes")).ShouldBe("on");
        (await ScalarAsync(url, "SHOW synchronous_commit")).ShouldBe("off");
    }

    [Fact]
    public async Task A_damaged_template_is_made_anew()
    {
        await using var sandbox = new ServerSandbox();
        var options = sandbox.Options with { Cache = Path.Combine(sandbox.Folder, "cache") };
        await new LocalServer(options).StartAsync();
        await new LocalServer(options).DestroyAsync();
        var template = Directory.GetFiles(Path.Combine(options.Cache, "clusters")).ShouldHaveSingleItem();
        await File.WriteAllBytesAsync(template, (await File.ReadAllBytesAsync(template))[..1000]);

        await new LocalServer(options).StartAsync();

        new FileInfo(template).Length.ShouldBeGreaterThan(1000);
    }

    [Fact]
    public async Task Under_root_a_folder_that_the_servers_user_can_not_enter_is_a_problem()
    {
        using var closed = new Sandbox();
        var server = new LocalServer(new LocalServerOptions { Folder = closed.Combine("server"), IsThrowAway = true });

        if (Environment.IsPrivilegedProcess)
        {
            (await Should.ThrowAsync<ProblemException>(() => server.StartAsync())).Problems[0].Code.ShouldBe("CG0714");
        }
        else
        {
            await server.StartAsync();
            await server.DestroyAsync();
        }
    }

    [Fact]
    public async Task An_initdb_that_runs_out_of_room_leaves_nothing_half_made()
    {
        await using var sandbox = new ServerSandbox();
        var real = (await PostgresBinaries.FindAsync(null, sandbox.Options.Cache, null, CancellationToken.None)).ShouldNotBeNull();
        var cramped = Path.Combine(sandbox.Folder, "bin");
        Directory.CreateDirectory(cramped);
        foreach (var program in (string[])["postgres", "initdb", "pg_ctl"])
        {
            var script = Path.Combine(cramped, program);
            await File.WriteAllTextAsync(script, $"#!/bin/sh\nulimit -f 64\nexec '{Path.Combine(real.Folder, program)}' \"$@\"\n");
            File.SetUnixFileMode(script, (UnixFileMode)0b111_101_101);
        }

        var options = sandbox.Options with { Binaries = cramped, Cache = Path.Combine(sandbox.Folder, "cache") };
        (await Should.ThrowAsync<ProblemException>(() => new LocalServer(options).StartAsync())).Problems[0].Code.ShouldBe("CG0711");

        Directory.GetDirectories(options.Folder).ShouldBeEmpty();
        await new LocalServer(options with { Binaries = real.Folder }).StartAsync();
    }

    private static async Task ExecuteAsync(DatabaseUrl url, string sql)
    {
        await using var connection = await new Database(url).ConnectAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<object?> ScalarAsync(DatabaseUrl url, string sql)
    {
        await using var connection = await new Database(url).ConnectAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }
}
