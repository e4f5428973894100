namespace ChatGenius.Tests.Faults;

/// <summary>A real primary with a real standby.</summary>
[Collection("Faults")]
[Trait("Needs", "Unix")]
public class StandbyTests(FaultServer server, ITestOutputHelper output)
{
    [Fact]
    public async Task A_standby_takes_no_migrations_the_primary_is_found_and_a_failover_loses_nothing()
    {
        await using var primary = await Cluster.CreateAsync("wal_level = replica\nmax_wal_senders = 4\nsynchronous_standby_names = ''");
        await primary.ExecuteAsync("CREATE DATABASE moving");
        await using var standby = await Cluster.CreateStandbyAsync(primary);

        var refused = await Should.ThrowAsync<ProblemException>(() => server.Migrator(standby.Url("moving")).ApplyAsync(new PlanRequest()));
        refused.Problems[0].Code.ShouldBe("CG0509");

        var both = DatabaseUrl.Parse(
            $"postgres://postgres@127.0.0.1:{standby.Port},127.0.0.1:{primary.Port}/moving"
                + "?target_session_attrs=read-write&connect_timeout=5", environment: _ => null);
        (await server.Migrator(both).ApplyAsync(new PlanRequest(To: 3))).Finished.Count.ShouldBe(3);
        (await primary.ScalarAsync<long>("SELECT count(*) FROM chatgenius_db.history", "moving")).ShouldBe(3);

        var run = Task.Run(() => server.Migrator(both).ApplyAsync(new PlanRequest()));
        await Task.Delay(server.Undisturbed * new Random(Chance.Seed).NextDouble());
        await primary.StopAsync("immediate");
        await standby.PromoteAsync();
        output.WriteLine(await FaultServer.EndAsync(run));

        await server.Migrator(both).ApplyAsync(new PlanRequest());
        (await standby.ScalarAsync<string>(MixedMigrations.Fingerprint, "moving")).ShouldBe(server.Expected);
    }

    [Fact]
    public async Task Apply_waits_for_a_server_that_is_starting_up()
    {
        await using var primary = await Cluster.CreateAsync("wal_level = replica\nmax_wal_senders = 4");
        await using var standby = await Cluster.CreateStandbyAsync(primary);

        // Without its primary's help a standby that may not answer queries says "starting up" until it is promoted.
        await standby.StopAsync("fast");
        await standby.RestartAsync("-c hot_standby=off");
        while (true)
        {
            var starting = await Should.ThrowAsync<ProblemException>(() => new Database(standby.Url("postgres")).ConnectAsync());
            if (starting.Problems[0].Code == "CG0620")
            {
                break;
            }

            await Task.Delay(50);
        }

        var events = new List<MigrationEvent>();
        var told = new TaskCompletionSource();
        var run = server.Migrator(standby.Url("postgres"), events: new Listener(value =>
        {
            events.Add(value);
            told.TrySetResult();
        })).ApplyAsync(new PlanRequest());
        await Task.WhenAny(told.Task, run);

        events.OfType<MigrationEvent.WaitingForServer>().ShouldNotBeEmpty();
        await standby.PromoteAsync();
        (await run).Finished.Count.ShouldBe(MixedMigrations.Count);

        await standby.StopAsync("fast");
        var e = await Should.ThrowAsync<ProblemException>(() =>
            server.Migrator(standby.Url("postgres"), new MigratorOptions { WaitForServer = TimeSpan.Zero }).ApplyAsync(new PlanRequest()));
        e.Problems[0].Code.ShouldBe("CG0610");
    }

    private sealed class Listener(Action<MigrationEvent> listen) : IProgress<MigrationEvent>
    {
        public void Report(MigrationEvent value) => listen(value);
    }
}
