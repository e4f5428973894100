namespace ChatGenius.Tests.Faults;

/// <summary>A migration that says cgdb:wait-standbys, beside a real standby.</summary>
[Collection("Faults")]
[Trait("Needs", "Unix")]
public class StandbyWaitTests
{
    private readonly List<string> _remarks = [];

    [Fact]
    public async Task What_comes_after_it_waits_until_the_standby_has_replayed_it()
    {
        await using var primary = await Cluster.CreateAsync("wal_level = replica\nmax_wal_senders = 4\nwal_receiver_status_interval = 1");
        await primary.ExecuteAsync(
            "CREATE ROLE poor LOGIN; GRANT CREATE ON DATABASE postgres TO poor; GRANT CREATE ON SCHEMA public TO poor");
        using var folder = new Folder().Write(1, "first", "CREATE TABLE a (i int);");
        var file = Path.Combine(folder.Path, "0002_second.sql");
        await File.WriteAllTextAsync(file,
            "-- migrate:up\n-- cgdb:wait-standbys\nCREATE TABLE b (i int);\n-- migrate:down\nDROP TABLE b;\n");
        (await ApplyAsync(primary, folder)).Finished.Count.ShouldBe(2);
        _remarks.ShouldBe(["0002_second is done; no standby is connected that could be waited for"]);

        await using var standby = await Cluster.CreateStandbyAsync(primary);
        await standby.ExecuteAsync("SELECT pg_wal_replay_pause()");
        // A comment is no part of what was applied.
        await File.WriteAllTextAsync(file, "-- migrate:up\nCREATE TABLE b (i int);\n-- migrate:down\nDROP TABLE b;\n");
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "0003_third.sql"),
            "-- migrate:up\n-- cgdb:wait-standbys\nCREATE TABLE c (i int);\n-- migrate:down\nDROP TABLE c;\n");
        folder.Write(4, "fourth", "CREATE TABLE d (i int);");
        _remarks.Clear();

        var late = await Should.ThrowAsync<ProblemException>(() => ApplyAsync(primary, folder, limit: TimeSpan.FromSeconds(1)));
        late.Problems.Single().Code.ShouldBe("CG1603");
        late.Problems.Single().Message.ShouldStartWith("0003_third is applied, and was not replayed within 1 s by walreceiver");
        (await IsThereAsync(primary, "c"), await IsThereAsync(primary, "d")).ShouldBe((true, false));

        // The next run begins with what the last one waited for.
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await Should.ThrowAsync<OperationCanceledException>(() => ApplyAsync(primary, folder, stop: stop.Token));
        (await IsThereAsync(primary, "d")).ShouldBeFalse();
        _remarks.ShouldContain("0003_third is done; waiting until it is replayed by walreceiver");

        var run = ApplyAsync(primary, folder);
        await Task.Delay(500);
        run.IsCompleted.ShouldBeFalse();
        await standby.ExecuteAsync("SELECT pg_wal_replay_resume()");
        (await run.WaitAsync(TimeSpan.FromMinutes(1))).Finished.Count.ShouldBe(1);
        (await standby.ScalarAsync<bool>("SELECT to_regclass('c') IS NOT NULL")).ShouldBeTrue();

        var refused = await Should.ThrowAsync<ProblemException>(() => new Migrator(
            new Database(primary.Url("postgres", "poor")), MigrationSource.Load(folder.Path, bundle: false),
            new MigratorOptions { HistorySchema = "other" }).ApplyAsync(Folder.Anywhere));
        refused.Problems.Single().Code.ShouldBe("CG1602");
        refused.Problems.Single().Advice!.ShouldContain("GRANT pg_monitor TO poor");
    }

    private static Task<bool> IsThereAsync(Cluster cluster, string table) =>
        cluster.ScalarAsync<bool>($"SELECT to_regclass('{table}') IS NOT NULL");

    private Task<RunResult> ApplyAsync(Cluster primary, Folder folder, TimeSpan? limit = null, CancellationToken stop = default) =>
        Task.Run(() => new Migrator(
            new Database(primary.Url("postgres")), MigrationSource.Load(folder.Path, bundle: false),
            new MigratorOptions { StandbyTimeout = limit ?? TimeSpan.FromMinutes(1) },
            MigrationEvent.To(one =>
            {
                if (one is MigrationEvent.Remark remark)
                {
                    _remarks.Add(remark.Message);
                }
            })).ApplyAsync(Folder.Anywhere, cancellationToken: stop), CancellationToken.None);
}
