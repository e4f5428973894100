namespace ChatGenius.Tests.Faults;

/// <summary>Faults at random moments of a run of thirty mixed migrations; the next run has to end with what an undisturbed run
/// gives.</summary>
[Collection("Faults")]
[Trait("Needs", "Unix")]
public class RandomFaultTests(FaultServer server, ITestOutputHelper output)
{
    private const string Run = "application_name = 'chatgenius-db' AND pid <> pg_backend_pid()";
    private const string HasLock = "pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')";

    [Fact]
    public async Task The_tool_is_killed()
    {
        output.WriteLine($"CHATGENIUS_TEST_SEED={Chance.Seed}, {FaultServer.Trials} kills");
        var random = new Random(Chance.Seed);
        var database = await server.Cluster.CreateDatabaseAsync();
        var met = 0;
        for (var kill = 0; kill < FaultServer.Trials; kill++)
        {
            await using var tool = ApplyAsync(database);
            // A cold process takes a time of its own to start: the moment is counted from its first session.
            while (!tool.HasExited && await server.Cluster.ScalarAsync<long>(
                $"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND application_name = 'chatgenius-db'",
                "postgres") == 0)
            {
                await Task.Delay(5);
            }

            await Task.Delay(server.Undisturbed * random.NextDouble());
            var alive = !tool.HasExited;
            met += alive ? 1 : 0;
            tool.Kill();
            await tool.ExitAsync();
            var applied = await server.Cluster.ScalarAsync<long>(
                "SELECT CASE WHEN to_regclass('chatgenius_db.history') IS NULL THEN 0 ELSE (xpath('//count/text()', query_to_xml('SELECT "
                    + "count(*) FROM chatgenius_db.history', true, false, '')))[1]::text::bigint END",
                database);
            output.WriteLine($"{kill}: {(alive ? "killed" : "was done")}, {applied} applied");

            // Several kills hit one database, until it is done or every fourth time; then another begins.
            if (applied == MixedMigrations.Count || kill % 4 == 3)
            {
                await server.ShouldRecoverAsync(database);
                await server.Cluster.DropDatabaseAsync(database);
                database = await server.Cluster.CreateDatabaseAsync();
            }
        }

        await server.ShouldRecoverAsync(database);
        await server.Cluster.DropDatabaseAsync(database);
        output.WriteLine($"{met} of {FaultServer.Trials} kills met a run");
        if (FaultServer.Trials >= 10)
        {
            met.ShouldBeGreaterThan(FaultServer.Trials / 4);
        }
    }

    [Fact]
    public Task The_runs_backend_is_terminated() => server.SurviveAsync(output, (database, _) =>
        server.Cluster.ExecuteAsync(
            $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}' AND {Run} AND NOT {HasLock}"));

    [Fact]
    public Task The_watch_is_terminated() => server.SurviveAsync(output, (database, _) =>
        server.Cluster.ExecuteAsync(
            $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}' AND {Run} AND {HasLock}"));

    [Fact]
    public Task Both_are_terminated() => server.SurviveAsync(output, (database, _) =>
        server.Cluster.ExecuteAsync($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}' AND {Run}"));

    [Fact]
    public Task The_server_crashes() => server.SurviveAsync(output, async (_, _) =>
    {
        await server.Cluster.StopAsync("immediate");
        await server.Cluster.StartAsync();
    });

    [Fact]
    public Task The_run_is_cancelled() => server.SurviveAsync(output, (_, cancel) => cancel.CancelAsync());

    [Fact]
    public async Task The_network_is_cut()
    {
        using var proxy = new TcpProxy(server.Cluster.Port);
        await server.SurviveAsync(
            output,
            (_, _) =>
            {
                proxy.Reset();
                return Task.CompletedTask;
            },
            database => Cluster.ClusterUrl(proxy.Port, database));
    }

    [Fact]
    public async Task The_network_is_slow()
    {
        using var proxy = new TcpProxy(server.Cluster.Port) { Delay = TimeSpan.FromMilliseconds(5) };
        await server.SurviveAsync(output, (_, _) => Task.CompletedTask, database => Cluster.ClusterUrl(proxy.Port, database));
    }

    [Fact]
    public async Task The_network_goes_silent()
    {
        using var proxy = new TcpProxy(server.Cluster.Port);
        await server.SurviveAsync(
            output,
            (_, _) =>
            {
                proxy.Silence();
                return Task.CompletedTask;
            },
            database => Cluster.ClusterUrl(proxy.Port, database),
            new MigratorOptions { AnswerTimeout = TimeSpan.FromSeconds(2), CancelTimeout = TimeSpan.FromSeconds(2) },
            proxy.Reset);
    }

    private ToolProcess ApplyAsync(string database) =>
        ToolProcess.Start(["apply", "--no-bundle", "--migrations", server.Mixed.Folder, "--database",
            server.Cluster.Url(database).Display]);
}
