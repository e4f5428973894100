namespace ChatGenius.Tests.Faults;

/// <summary>A real PgBouncer in transaction mode, with a pool of several server connections that other clients use too.</summary>
[Collection("Faults")]
[Trait("Needs", "Unix")]
public class PoolerTests(FaultServer server, ITestOutputHelper output)
{
    [NeedsFact(Need.PgBouncer)]
    public async Task Bundle_and_transactional_migrations_go_through_a_pool_that_others_use()
    {
        await using var pooler = await PgBouncer.StartAsync(server.Cluster.Port);
        var (pooled, direct) = (await server.Cluster.CreateDatabaseAsync(), await server.Cluster.CreateDatabaseAsync());
        var migrations = MigrationSource.Load(folder: null, bundle: true);
        using var stop = new CancellationTokenSource();
        var others = Enumerable.Range(0, 6).Select(_ => Task.Run(() => UseAsync(pooler.Url(pooled), stop.Token))).ToList();

        var result = await new Migrator(new Database(pooler.Url(pooled)), migrations).ApplyAsync(new PlanRequest());
        await stop.CancelAsync();
        await Task.WhenAll(others);

        result.Finished.Count.ShouldBe(migrations.Count);
        await new Migrator(new Database(server.Cluster.Url(direct)), migrations).ApplyAsync(new PlanRequest());
        const string Tables =
            "SELECT string_agg(table_name || '.' || column_name || ' ' || data_type, ' ' ORDER BY table_name, column_name) FROM "
            + "information_schema.columns WHERE table_schema = 'public'";
        (await server.Cluster.ScalarAsync<string>(Tables, pooled)).ShouldBe(await server.Cluster.ScalarAsync<string>(Tables, direct));
    }

    [NeedsFact(Need.PgBouncer)]
    public async Task Sixty_four_runs_at_once_through_the_pool_all_end_well()
    {
        await using var pooler = await PgBouncer.StartAsync(server.Cluster.Port);
        var database = await server.Cluster.CreateDatabaseAsync();
        using var folder = new Files.Folder().WriteTable(1, "a").Write(2, "slow", "INSERT INTO a VALUES (1); SELECT pg_sleep(0.5);")
            .WriteTable(3, "c");
        var migrations = MigrationSource.Load(folder.Path, bundle: false);

        var results = await Task.WhenAll(Enumerable.Range(0, 64)
            .Select(_ => Task.Run(() => new Migrator(new Database(pooler.Url(database)), migrations).ApplyAsync(new PlanRequest()))));

        results.Sum(result => result.Finished.Count).ShouldBe(3);
        (await server.Cluster.ScalarAsync<long>("SELECT count(*) FROM a", database)).ShouldBe(1);
        (await server.Cluster.ScalarAsync<long>("SELECT count(*) FROM chatgenius_db.history", database)).ShouldBe(3);
    }

    [NeedsFact(Need.PgBouncer)]
    public async Task Processes_at_once_through_the_pool_all_exit_0()
    {
        await using var pooler = await PgBouncer.StartAsync(server.Cluster.Port);
        var database = await server.Cluster.CreateDatabaseAsync();
        using var folder = new Files.Folder().WriteTable(1, "a").Write(2, "slow", "INSERT INTO a VALUES (1); SELECT pg_sleep(0.5);")
            .WriteTable(3, "c");

        await FaultServer.ApplyAtOnceAsync(output, folder.Path, pooler.Url(database));

        (await server.Cluster.ScalarAsync<long>("SELECT count(*) FROM a", database)).ShouldBe(1);
        (await server.Cluster.ScalarAsync<long>("SELECT count(*) FROM chatgenius_db.history", database)).ShouldBe(3);
    }

    [NeedsFact(Need.PgBouncer)]
    public async Task A_non_transactional_migration_says_to_connect_to_the_server_itself()
    {
        await using var pooler = await PgBouncer.StartAsync(server.Cluster.Port);
        var database = await server.Cluster.CreateDatabaseAsync();
        using var folder = new Files.Folder().WriteTable(1, "a")
            .Write(2, "outside", "CREATE INDEX CONCURRENTLY i ON a (id);", options: " transaction:false");
        var migrations = MigrationSource.Load(folder.Path, bundle: false);

        var e = await Should.ThrowAsync<ProblemException>(() => new Migrator(new Database(pooler.Url(database)), migrations)
            .ApplyAsync(new PlanRequest()));

        e.Problems[0].Code.ShouldBe("CG0505");
        await new Migrator(new Database(server.Cluster.Url(database)), migrations).ApplyAsync(new PlanRequest());
    }

    [NeedsFact(Need.PgBouncer)]
    public async Task A_cancel_through_the_pool_meets_our_statement_and_nobody_elses()
    {
        await using var pooler = await PgBouncer.StartAsync(server.Cluster.Port);
        var database = await server.Cluster.CreateDatabaseAsync();
        using var folder = new Files.Folder().Write(1, "slow", "CREATE TABLE a (id int); SELECT pg_sleep(600);");
        var migrations = MigrationSource.Load(folder.Path, bundle: false);
        using var stop = new CancellationTokenSource();
        using var cancel = new CancellationTokenSource();
        var others = Enumerable.Range(0, 6).Select(_ => Task.Run(() => UseAsync(pooler.Url(database), stop.Token))).ToList();
        var run = new Migrator(new Database(pooler.Url(database)), migrations).ApplyAsync(new PlanRequest(), null, cancel.Token);
        while (!await server.Cluster.ScalarAsync<bool>(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(600)%' AND pid <> "
            + "pg_backend_pid())", database))
        {
            await Task.Delay(20);
        }

        await cancel.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(run);
        await stop.CancelAsync();
        await Task.WhenAll(others);
        (await server.Cluster.ScalarAsync<bool>("SELECT to_regclass('a') IS NULL", database)).ShouldBeTrue();
    }

    /// <summary>Another client's traffic: a cancel, a setting or a lock that was ours would fail it.</summary>
    private static async Task UseAsync(DatabaseUrl url, CancellationToken stop)
    {
        await using var connection = await new Database(url).ConnectAsync(CancellationToken.None);
        while (!stop.IsCancellationRequested)
        {
            await using var transaction = await connection.BeginTransactionAsync(CancellationToken.None);
            await using var command =
                new NpgsqlCommand(
                "SELECT pg_sleep(0.003), current_setting('lock_timeout') || current_setting('statement_timeout') || "
                + "current_setting('search_path')", connection, transaction);
            await using (var reader = await command.ExecuteReaderAsync(CancellationToken.None))
            {
                await reader.ReadAsync(CancellationToken.None);
                reader.GetString(1).ShouldBe("00\"$user\", public");
            }

            await transaction.CommitAsync(CancellationToken.None);
        }
    }
}
