namespace ChatGenius.Tests.Faults;

/// <summary>Drops that say cgdb:unused-since, beside a real standby.</summary>
[Collection("Faults")]
[Trait("Needs", "Unix")]
public class UnusedStandbyTests
{
    [Fact]
    public async Task What_is_read_on_a_standby_counts_and_a_crash_begins_the_counters_again()
    {
        await using var primary = await Cluster.CreateAsync("wal_level = replica\nmax_wal_senders = 4");
        await primary.ExecuteAsync("CREATE TABLE t (id int); INSERT INTO t VALUES (1)");
        await using var standby = await Cluster.CreateStandbyAsync(primary);
        using var folder = new Folder();
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "0001_a.sql"),
            "-- migrate:up\n-- cgdb:unused-since 1s\nDROP TABLE t;\n-- migrate:down\nSELECT 1;\n");
        Migrator Named(params string[] standbys) => new(
            new Database(primary.Url("postgres")), MigrationSource.Load(folder.Path, bundle: false),
            new MigratorOptions { Standbys = standbys });
        var there = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{standby.Port}");

        (await Named().WatchAsync(["t"], again: false)).Single().Message
            .ShouldBe("t is watched from now on; 1 standby connected, and 0 named in the settings: who reads there is not seen");
        (await Named(there).WatchAsync(["t"], again: true)).Single().Message.ShouldBe("t is watched from now on");
        await Task.Delay(1100);
        (await Named(there).WatchedAsync()).Single().Answer.ShouldBe(UsageAnswer.Unused);
        (await Named().WatchedAsync()).Single().Answer.ShouldBe(UsageAnswer.Unknown);

        await standby.ExecuteAsync("SELECT count(*) FROM t");
        while (await standby.ScalarAsync<long>("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 't'") == 0)
        {
            await Task.Delay(50);
        }

        var used = await Should.ThrowAsync<ProblemException>(() => Named(there).ApplyAsync(Folder.Anywhere));
        used.Problems.Single().Code.ShouldBe("CG1606");
        used.Problems.Single().Message.ShouldContain($"(standby {there})");

        await Named(there).WatchAsync(["t"], again: true);
        await standby.StopAsync("immediate");
        var gone = (await Named(there).WatchedAsync()).Single();
        (gone.Answer, gone.Message.Contains("could not be asked", StringComparison.Ordinal)).ShouldBe((UsageAnswer.Unknown, true));
        (await Should.ThrowAsync<ProblemException>(() => Named(there).WatchAsync(["t"], again: true))).Problems.Single().Code
            .ShouldBe("CG1608");
        await standby.StartAsync();
        (await Named(there).WatchedAsync()).Single().Message.ShouldContain("its statistics began again");
        // What is no standby of this server says nothing about it.
        await standby.PromoteAsync();
        await primary.StopAsync("immediate");
        await primary.StartAsync();
        (await Named().WatchedAsync()).Single().Message.ShouldContain("its statistics began again");
    }
}
