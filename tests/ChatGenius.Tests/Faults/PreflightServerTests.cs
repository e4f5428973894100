using ChatGenius.Db.Safety;

namespace ChatGenius.Tests.Faults;

/// <summary>What is looked at before a run, on a real primary with a standby, slots, prepared transactions and a role without
/// rights.</summary>
[Collection("Faults")]
[Trait("Needs", "Unix")]
public class PreflightServerTests
{
    private const string Settings = "wal_level = replica\nmax_wal_senders = 4\nwal_receiver_status_interval = 1\n"
        + "max_slot_wal_keep_size = 64MB\nmax_prepared_transactions = 2\nautovacuum = off";

    private static readonly PreflightLimits Usual = new() { LockTimeout = TimeSpan.FromSeconds(5), Usual = new BatchLimits() };

    [Fact]
    public async Task What_a_plan_would_meet_is_seen_and_what_a_role_may_not_see_is_said()
    {
        await using var primary = await Cluster.CreateAsync(Settings);
        await primary.ExecuteAsync("CREATE ROLE poor LOGIN");
        await primary.ExecuteAsync("CREATE DATABASE busy");
        await primary.ExecuteAsync("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE parts (id int) PARTITION BY RANGE (id); "
            + "CREATE TABLE part PARTITION OF parts FOR VALUES FROM (1) TO (9)", "busy");
        await primary.ExecuteAsync("BEGIN; INSERT INTO part VALUES (1); PREPARE TRANSACTION 'it''s mine'", "busy");
        await primary.ExecuteAsync("SELECT pg_create_physical_replication_slot('left_behind', true)");
        await using var standby = await Cluster.CreateStandbyAsync(primary);
        await standby.ExecuteAsync("SELECT pg_wal_replay_pause()");
        await primary.ExecuteAsync("SELECT pg_logical_emit_message(false, 'test', repeat('x', 40000000))");

        var seen = await FindAsync(primary, "postgres", Usual with { MaxLag = TimeSpan.FromMilliseconds(500) });

        seen.Single(one => one.Kind == "prepared_transaction").Message
            .ShouldStartWith("parts is locked (ROW EXCLUSIVE) by the prepared transaction 'it's mine' of postgres, prepared ");
        seen.Single(one => one.Kind == "prepared_transaction").Advice!.ShouldContain("ROLLBACK PREPARED 'it''s mine'");
        seen.Single(one => one.Kind == "slots").Message.ShouldStartWith("The slot left_behind is lost after ");
        var lag = seen.Single(one => one.Kind == "standbys");
        lag.Level.ShouldBe(PreflightLevel.Refused);
        lag.Message.ShouldMatch("The standby walreceiver has 3[0-9.]+ MB to replay, and is .* behind or more");
        seen.ShouldNotContain(one => one.Level == PreflightLevel.Unknown);

        var poor = await FindAsync(primary, "poor", Usual);
        poor.Where(one => one.Level == PreflightLevel.Unknown).Select(one => (one.Kind, one.Advice)).Distinct()
            .ShouldBe([("transactions", "GRANT pg_monitor TO poor"), ("wraparound", "GRANT pg_monitor TO poor"),
                ("standbys", "GRANT pg_monitor TO poor")], ignoreOrder: true);
        poor.ShouldContain(one => one.Kind == "prepared_transaction");
        (await FindAsync(primary, "poor", Usual with { MaxLag = TimeSpan.FromSeconds(1) })).ShouldContain(
            one => one.Kind == "standbys" && one.Level == PreflightLevel.Refused);

        await primary.ExecuteAsync("GRANT pg_monitor TO poor");
        (await FindAsync(primary, "poor", Usual)).ShouldNotContain(one => one.Level == PreflightLevel.Unknown);

        // Without a reader the slot is one that only grows; the standby gets on again.
        await standby.ExecuteAsync("SELECT pg_wal_replay_resume()");
        await primary.ExecuteAsync("ROLLBACK PREPARED 'it''s mine'", "busy");
        await primary.ExecuteAsync("SELECT pg_drop_replication_slot('left_behind')");
        await primary.ExecuteAsync("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
        await primary.ExecuteAsync("SELECT pg_reload_conf()");
        await Task.Delay(300);
        var later = await FindAsync(primary, "postgres", Usual);
        later.Where(one => one.Level > PreflightLevel.Note).Select(one => one.Kind).ShouldBe(["synchronous"]);
    }

    [Fact]
    public async Task Connections_that_are_not_to_be_had_are_told()
    {
        await using var primary = await Cluster.CreateAsync("superuser_reserved_connections = 3\nautovacuum = off");
        await primary.ExecuteAsync("CREATE ROLE few LOGIN CONNECTION LIMIT 1");

        var seen = await FindAsync(primary, "few", Usual, "postgres");
        var free = await FindAsync(primary, "postgres", Usual, "postgres");

        seen.ShouldContain(one => one.Kind == "connections" && one.Message == "A run needs 2 connections, and 1 is free");
        free.ShouldNotContain(one => one.Kind == "connections");
    }

    private static async Task<IReadOnlyList<PreflightFinding>> FindAsync(
        Cluster cluster, string role, PreflightLimits limits, string database = "busy")
    {
        var facts = await PreflightFacts.ReadAsync(
            new Database(cluster.Url(database, role)), tables: null, ["a", "part"], limits.Patience);
        return new Preflight(facts, [], limits, waitsForAll: false).Judge();
    }
}
