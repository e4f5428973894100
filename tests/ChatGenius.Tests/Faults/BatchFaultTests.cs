namespace ChatGenius.Tests.Faults;

/// <summary>Faults at random moments while a table is gone through in slices; a counter proves that each row was written once.</summary>
[Collection("Faults")]
[Trait("Needs", "Unix")]
public class BatchFaultTests(FaultServer server, ITestOutputHelper output)
{
    private const int Rows = 20_000;

    [Fact]
    public async Task Whatever_is_killed_every_row_is_written_exactly_once()
    {
        var faults = FaultServer.Trials * 2;
        output.WriteLine($"CHATGENIUS_TEST_SEED={Chance.Seed}, {faults} faults");
        var random = new Random(Chance.Seed);
        using var folder = new Folder().Write(
            1, "count", "UPDATE items SET n = n + 1 WHERE id BETWEEN :batch_first AND :batch_last;", options: " batch:items size:50");
        var (met, database) = (0, await CreateAsync());
        for (var fault = 0; fault < faults; fault++)
        {
            await using var tool = ApplyAsync(folder, database);
            while (!tool.HasExited && await SlicesAsync(database) < 0)
            {
                await Task.Delay(5);
            }

            await Task.Delay(random.Next(400));
            met += tool.HasExited ? 0 : 1;
            var kind = random.Next(4);
            await DisturbAsync(kind, tool, database);
            await tool.ExitAsync();
            output.WriteLine($"{fault}: {kind}, {await SlicesAsync(database)} slices");
            if (await server.Cluster.ScalarAsync<long>(Applied, database) == 1)
            {
                await ShouldBeCountedOnceAsync(database);
                database = await CreateAsync();
            }
        }

        await using var last = ApplyAsync(folder, database);
        (await last.ExitAsync()).ExitCode.ShouldBe(0);
        await ShouldBeCountedOnceAsync(database);
        output.WriteLine($"{met} of {faults} faults met a run");
        met.ShouldBeGreaterThan(0);
    }

    [NeedsFact(Need.PgBouncer)]
    public async Task Batches_go_through_a_pool_and_leave_nothing_in_its_sessions()
    {
        await using var pooler = await PgBouncer.StartAsync(server.Cluster.Port);
        var database = await CreateAsync();
        using var folder = new Folder().Write(
            1, "count",
            "SET DateStyle = german;\nUPDATE items SET n = n + 1 WHERE id BETWEEN :batch_first AND :batch_last;\nANALYZE items;",
            options: " batch:items");

        await new Migrator(new Database(pooler.Url(database)), MigrationSource.Load(folder.Path, bundle: false))
            .ApplyAsync(Folder.Anywhere);

        await using (var connection = await new Database(pooler.Url(database)).ConnectAsync())
        {
            await using var left = new NpgsqlCommand(
                "SELECT coalesce(string_agg(name, ' '), '') FROM pg_settings WHERE setting IS DISTINCT FROM reset_val AND name IN "
                + "('search_path', 'lock_timeout', 'enable_sort', 'statement_timeout', 'DateStyle', 'extra_float_digits')", connection);
            (await left.ExecuteScalarAsync() as string).ShouldBe("");
        }

        await ShouldBeCountedOnceAsync(database);
    }

    private const string Applied =
        "SELECT CASE WHEN to_regclass('chatgenius_db.history') IS NULL THEN 0 ELSE (xpath('//count/text()', "
        + "query_to_xml('SELECT count(*) FROM chatgenius_db.history', true, false, '')))[1]::text::bigint END";

    private async Task<string> CreateAsync()
    {
        var database = await server.Cluster.CreateDatabaseAsync();
        await server.Cluster.ExecuteAsync(
            $"CREATE TABLE items (id uuid PRIMARY KEY, n int NOT NULL DEFAULT 0) WITH (fillfactor = 50); "
            + $"INSERT INTO items SELECT gen_random_uuid() FROM generate_series(1, {Rows})",
            database);
        return database;
    }

    private async Task DisturbAsync(int kind, ToolProcess tool, string database)
    {
        const string Ours = "application_name = 'chatgenius-db' AND pid <> pg_backend_pid()";
        const string Watch = "pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock')";
        switch (kind)
        {
            case 0:
                tool.Kill();
                break;
            case 1 or 2:
                await server.Cluster.ExecuteAsync(
                    $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}' AND {Ours} "
                    + $"AND {(kind == 1 ? "NOT " : "")}{Watch}");
                break;
            default:
                await server.Cluster.StopAsync("immediate");
                await server.Cluster.StartAsync();
                break;
        }
    }

    private async Task ShouldBeCountedOnceAsync(string database)
    {
        (await server.Cluster.ScalarAsync<string>("SELECT min(n) || ' ' || max(n) || ' ' || count(*) FROM items", database))
            .ShouldBe($"1 1 {Rows}");
        await server.Cluster.DropDatabaseAsync(database);
    }

    /// <summary>How many slices are committed; -1 before the first.</summary>
    private Task<long> SlicesAsync(string database) => server.Cluster.ScalarAsync<long>(
        "SELECT CASE WHEN to_regclass('chatgenius_db.batches') IS NULL THEN -1 ELSE coalesce((xpath('//s/text()', "
        + "query_to_xml('SELECT max(slice_count) AS s FROM chatgenius_db.batches', true, false, '')))[1]::text::bigint, -1) END",
        database);

    private ToolProcess ApplyAsync(Folder folder, string database) => ToolProcess.Start(
        ["apply", "--fresh", "--no-bundle", "--migrations", folder.Path, "--database", server.Cluster.Url(database).Display]);
}
