namespace ChatGenius.Tests.Migrations;

public class MigrationScriptTests
{
    private static readonly MigratorOptions Options = new() { ToolVersion = "1.2.3" };

    [Fact]
    public async Task What_psql_makes_of_a_script_is_what_apply_makes_and_a_second_time_nothing()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a")
            .Write(2, "rows", "SET search_path = pg_catalog;\nCOPY public.a FROM stdin;\n1\n2\n\\.\nINSERT INTO public.a VALUES (3);",
            "DELETE FROM a;")
            .Write(3, "index", "CREATE INDEX CONCURRENTLY a_id_idx ON a (id);", "DROP INDEX CONCURRENTLY a_id_idx;", " transaction:false",
            " transaction:false");
        var migrator = folder.Migrator(database);
        using var sandbox = new Sandbox();
        var file = sandbox.Write("plan.sql", MigrationScript.Write(await migrator.PlanAsync(new PlanRequest()), Options));

        for (var i = 0; i < 2; i++)
        {
            var psql = await Psql.RunAsync(database, file);
            psql.ExitCode.ShouldBe(0, psql.Error);
            (await database.ScalarAsync<long>("SELECT count(*) FROM a")).ShouldBe(3);
        }

        (await migrator.ApplyAsync(new PlanRequest())).Finished.ShouldBeEmpty();

        var down = sandbox.Write("down.sql", MigrationScript.Write(await migrator.PlanRollbackAsync(new RollbackRequest(All: true)),
            Options));
        (await Psql.RunAsync(database, down)).ExitCode.ShouldBe(0);
        (await folder.StatusAsync(database)).ShouldBe("1:Pending 2:Pending 3:Pending");
        (await database.ScalarAsync<bool>("SELECT to_regclass('a') IS NULL")).ShouldBeTrue();
    }

    [Theory]
    [InlineData("")]
    [InlineData(" key:b,id")]
    public async Task Psql_runs_batches_slice_by_slice(string key)
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync(
            "CREATE TABLE items (id uuid PRIMARY KEY, b text NOT NULL, n int NOT NULL DEFAULT 0, UNIQUE (b, id));"
            + "INSERT INTO items SELECT gen_random_uuid(), E'it''s \\\\' || i % 3 FROM generate_series(1, 95) i; CREATE TABLE seen "
                + "(rows int);"
            + "CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO seen SELECT count(*) FROM changed; RETURN "
                + "NULL; END';"
            + "CREATE TRIGGER see AFTER UPDATE ON items REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION see()");
        var columns = key.Length == 0 ? "id" : "(b, id)";
        using var folder = new Folder().Write(
            1, "count", $"UPDATE items SET n = n + length(':x') - 1 WHERE {columns} BETWEEN :batch_first AND :batch_last;",
            options: $" batch:items{key} size:10");
        using var sandbox = new Sandbox();
        var file = sandbox.Write("plan.sql", MigrationScript.Write(await folder.Migrator(database).PlanAsync(Folder.Anywhere), Options));

        for (var i = 0; i < 2; i++)
        {
            var psql = await Psql.RunAsync(database, file);
            psql.ExitCode.ShouldBe(0, psql.Error);
        }

        (await database.ScalarAsync<string>("SELECT min(n) || ' ' || max(n) || ' ' || count(*) FROM items")).ShouldBe("1 1 95");
        (await database.ScalarAsync<string>("SELECT string_agg(rows::text, ' ') FROM seen")).ShouldBe("10 10 10 10 10 10 10 10 10 5");
    }

    [Fact]
    public async Task A_script_refuses_to_run_beside_another_run()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(1, "slow", "SELECT pg_sleep(60);");
        using var sandbox = new Sandbox();
        var migrator = folder.Migrator(database);
        var file = sandbox.Write("plan.sql", MigrationScript.Write(await migrator.PlanAsync(new PlanRequest()), Options));
        using var cancel = new CancellationTokenSource();
        var run = migrator.ApplyAsync(new PlanRequest(), cancellationToken: cancel.Token);
        await folder.WaitForAsync<MigrationEvent.Started>();

        var psql = await Psql.RunAsync(database, file);

        psql.ExitCode.ShouldNotBe(0);
        psql.Error.ShouldContain("another run of chatgenius-db holds the lock");
        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(run);
    }

    [Fact]
    public async Task A_script_reads_well()
    {
        var migrations = MigrationSource.Load(null, bundle: true);

        var plan = MigrationPlan.Apply(migrations, HistorySnapshot.Empty, new PlanRequest(To: 2));

        Snapshot.Match(MigrationScript.Write(plan, Options), "sql");
    }
}
