namespace ChatGenius.Tests.Faults;

/// <summary>Faults at random moments while values are kept and put back: all of it is there afterwards, or none.</summary>
[Collection("Faults")]
[Trait("Needs", "Unix")]
public class KeptFaultTests(FaultServer server, ITestOutputHelper output)
{
    private const int Rows = 20_000;

    [Fact]
    public async Task Whatever_is_killed_every_value_is_in_its_table_or_kept()
    {
        var faults = FaultServer.Trials;
        output.WriteLine($"CHATGENIUS_TEST_SEED={Chance.Seed}, {faults} faults");
        var random = new Random(Chance.Seed);
        using var folder = new Folder().Write(
            1, "drop", "ALTER TABLE items DROP COLUMN v;\nDELETE FROM items WHERE id % 5 = 0;", "ALTER TABLE items ADD COLUMN v text;",
            " keep:true");
        var database = await server.Cluster.CreateDatabaseAsync();
        await server.Cluster.ExecuteAsync(
            $"CREATE TABLE items (id int PRIMARY KEY, v text, w text); INSERT INTO items SELECT i, md5(i::text), 'w' || i "
            + $"FROM generate_series(1, {Rows}) i", database);
        await using (var first = Start(folder, database, isUp: true))
        {
            (await first.ExitAsync()).ExitCode.ShouldBe(0);
        }

        var met = 0;
        for (var fault = 0; fault < faults; fault++)
        {
            var isUp = !await IsAppliedAsync(database);
            await using var tool = Start(folder, database, isUp);
            while (!tool.HasExited && await server.Cluster.ScalarAsync<long>(
                "SELECT count(*) FROM pg_locks WHERE mode IN ('ShareRowExclusiveLock', 'AccessExclusiveLock') "
                + "AND relation = 'items'::regclass", database) == 0)
            {
                await Task.Delay(2);
            }

            await Task.Delay(random.Next(200));
            met += tool.HasExited ? 0 : 1;
            if (random.Next(2) == 0)
            {
                tool.Kill();
            }
            else
            {
                await server.Cluster.ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    + $"WHERE datname = '{database}' AND application_name = 'chatgenius-db'");
            }

            await tool.ExitAsync();
            while (await server.Cluster.ScalarAsync<long>(
                $"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND application_name = 'chatgenius-db'") > 0)
            {
                await Task.Delay(20);
            }

            await ShouldBeWholeAsync(database);
        }

        if (await IsAppliedAsync(database))
        {
            await using var last = Start(folder, database, isUp: false);
            (await last.ExitAsync()).ExitCode.ShouldBe(0);
        }

        (await IsAppliedAsync(database)).ShouldBeFalse();
        await ShouldBeWholeAsync(database);
        await server.Cluster.DropDatabaseAsync(database);
        output.WriteLine($"{met} of {faults} faults met a run");
    }

    [NeedsFact(Need.PgBouncer)]
    public async Task Values_are_kept_and_put_back_through_a_pool_that_gets_its_sessions_back_clean()
    {
        await using var pooler = await PgBouncer.StartAsync(server.Cluster.Port);
        var database = await server.Cluster.CreateDatabaseAsync();
        await server.Cluster.ExecuteAsync(
            "CREATE TABLE items (id int PRIMARY KEY, v text, w text); INSERT INTO items SELECT i, md5(i::text), 'w' || i "
            + "FROM generate_series(1, 100) i", database);
        using var folder = new Folder()
            .Write(1, "drop", "SET DateStyle = german; ALTER TABLE items DROP COLUMN v;", "ALTER TABLE items ADD COLUMN v text;",
                " keep:true")
            .Write(2, "slices", "UPDATE items SET w = '' WHERE id BETWEEN :batch_first AND :batch_last;", "SELECT 1;",
                " batch:items size:30 keep:true");
        var migrator = new Migrator(new Database(pooler.Url(database)), MigrationSource.Load(folder.Path, bundle: false));

        await migrator.ApplyAsync(Folder.Anywhere);
        (await server.Cluster.ScalarAsync<long>("SELECT count(*) FROM chatgenius_db.kept", database)).ShouldBe(200);
        await migrator.RollbackAsync(new RollbackRequest(Steps: 2));

        (await server.Cluster.ScalarAsync<long>("SELECT count(*) FROM items WHERE v = md5(id::text) AND w = 'w' || id", database))
            .ShouldBe(100);
        await using var connection = await new Database(pooler.Url(database)).ConnectAsync();
        await using var left = new NpgsqlCommand(
            "SELECT coalesce(string_agg(name, ' '), '') FROM pg_settings WHERE setting IS DISTINCT FROM reset_val AND name IN "
            + "('search_path', 'xmloption', 'client_min_messages', 'DateStyle', 'extra_float_digits', 'lock_timeout')", connection);
        (await left.ExecuteScalarAsync() as string).ShouldBe("");
    }

    private async Task ShouldBeWholeAsync(string database)
    {
        var applied = await IsAppliedAsync(database);
        (await server.Cluster.ScalarAsync<long>("SELECT count(*) FROM items", database)).ShouldBe(applied ? Rows * 4 / 5 : Rows);
        (await server.Cluster.ScalarAsync<long>("SELECT count(*) FROM chatgenius_db.kept", database))
            .ShouldBe(applied ? Rows + (Rows / 5) : 0);
        (await server.Cluster.ScalarAsync<long>(
            "SELECT count(*) FROM pg_attribute WHERE attrelid = 'items'::regclass AND attname = 'v'", database)).ShouldBe(applied ? 0 : 1);
        if (!applied)
        {
            (await server.Cluster.ScalarAsync<long>("SELECT count(*) FROM items WHERE v = md5(id::text) AND w = 'w' || id", database))
                .ShouldBe(Rows);
        }
    }

    private async Task<bool> IsAppliedAsync(string database) =>
        await server.Cluster.ScalarAsync<long>("SELECT count(*) FROM chatgenius_db.history", database) == 1;

    private ToolProcess Start(Folder folder, string database, bool isUp) => ToolProcess.Start(
    [
        .. isUp ? (string[])["apply", "--fresh"] : ["rollback", "--yes", "--no-estimate"],
        "--no-bundle", "--migrations", folder.Path, "--database", server.Cluster.Url(database).Display,
    ]);
}
