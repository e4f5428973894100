namespace ChatGenius.Tests.Faults;

/// <summary>Batches beside a real standby and a slot that is near its limit.</summary>
[Collection("Faults")]
[Trait("Needs", "Unix")]
public class BatchPauseTests
{
    private const string Settings = "wal_level = replica\nmax_wal_senders = 4\nwal_receiver_status_interval = "
        + "1\nmax_slot_wal_keep_size = 64MB";

    private readonly List<MigrationEvent> _events = [];

    [Fact]
    public async Task A_standby_that_replays_nothing_lets_batches_pause_within_two_slices()
    {
        await using var primary = await Cluster.CreateAsync(Settings);
        await CreateAsync(primary);
        await using var standby = await Cluster.CreateStandbyAsync(primary);
        using var folder = Write();
        var run = ApplyAsync(primary, folder, new BatchLimits { MaxLagBytes = 300_000, MaxLag = TimeSpan.Zero });
        await WaitAsync(run, e => e.State.Slices >= 3);

        await standby.ExecuteAsync("SELECT pg_wal_replay_pause()");
        while (await standby.ScalarAsync<string>("SELECT pg_get_wal_replay_pause_state()") != "paused")
        {
            await Task.Delay(10);
        }

        var paused = Last().State.Slices;
        // The same again and again: it is no answer of the standby that is still on its way.
        var waits = await WaitAsync(run, e => e.State.Slices >= paused && Same(e) >= 4);
        waits.State.Slices.ShouldBeInRange(paused, paused + 2);
        waits.Pause!.ShouldContain("the standby walreceiver has");
        run.IsCompleted.ShouldBeFalse();

        await standby.ExecuteAsync("SELECT pg_wal_replay_resume()");
        await run.WaitAsync(TimeSpan.FromMinutes(2));
        (await primary.ScalarAsync<string>("SELECT min(n) || ' ' || max(n) FROM items", "busy")).ShouldBe("1 1");
    }

    [Fact]
    public async Task A_slot_near_its_limit_lets_batches_pause()
    {
        await using var primary = await Cluster.CreateAsync(Settings);
        await CreateAsync(primary);
        await primary.ExecuteAsync("SELECT pg_create_physical_replication_slot('left_behind', true)");
        using var folder = Write();
        var run = ApplyAsync(primary, folder, new BatchLimits());
        await WaitAsync(run, e => e.State.Slices >= 2);

        await primary.ExecuteAsync("SELECT pg_logical_emit_message(false, 'test', repeat('x', 40000000))");
        var before = Last().State.Slices;
        var waits = await WaitAsync(run, e => e.Pause is not null);
        waits.State.Slices.ShouldBeLessThanOrEqualTo(before + 2);
        waits.Pause!.ShouldContain("the slot left_behind is lost after");

        await primary.ExecuteAsync("SELECT pg_drop_replication_slot('left_behind')");
        await run.WaitAsync(TimeSpan.FromMinutes(2));
        (await primary.ScalarAsync<string>("SELECT min(n) || ' ' || max(n) FROM items", "busy")).ShouldBe("1 1");
    }

    private static async Task CreateAsync(Cluster primary)
    {
        await primary.ExecuteAsync("CREATE DATABASE busy");
        await primary.ExecuteAsync(
            "CREATE TABLE items (id int PRIMARY KEY, filler text, n int NOT NULL DEFAULT 0);"
            + "INSERT INTO items SELECT i, repeat('x', 500) FROM generate_series(1, 20000) i",
            "busy");
    }

    private static Folder Write() => new Folder().Write(
        1, "count", "UPDATE items SET n = n + 1 WHERE id BETWEEN :batch_first AND :batch_last;", options: " batch:items size:700 "
            + "pause:200ms");

    private Task<RunResult> ApplyAsync(Cluster primary, Folder folder, BatchLimits limits) => Task.Run(() => new Migrator(
        new Database(primary.Url("busy")), MigrationSource.Load(folder.Path, bundle: false), new MigratorOptions { Batches = limits },
        new Listener(_events)).ApplyAsync(Folder.Anywhere));

    private MigrationEvent.Batches Last()
    {
        lock (_events)
        {
            return _events.OfType<MigrationEvent.Batches>().Last();
        }
    }

    private int Same(MigrationEvent.Batches e)
    {
        lock (_events)
        {
            return _events.OfType<MigrationEvent.Batches>().Count(other => other.Pause is not null && other.State.Slices == e.State.Slices);
        }
    }

    private async Task<MigrationEvent.Batches> WaitAsync(Task run, Func<MigrationEvent.Batches, bool> until)
    {
        for (var i = 0; i < 3000 && !run.IsFaulted; i++)
        {
            lock (_events)
            {
                if (_events.OfType<MigrationEvent.Batches>().LastOrDefault() is { } last && until(last))
                {
                    return last;
                }
            }

            await Task.Delay(20);
        }

        await run;
        throw new TimeoutException("It did not come.");
    }

    private sealed class Listener(List<MigrationEvent> events) : IProgress<MigrationEvent>
    {
        public void Report(MigrationEvent value)
        {
            lock (events)
            {
                events.Add(value);
            }
        }
    }
}
