namespace ChatGenius.Tests.Faults;

/// <summary>Many runs that meet, and roles with time limits of their own.</summary>
[Collection("Faults")]
[Trait("Needs", "Unix")]
public class ConcurrentRunTests(FaultServer server, ITestOutputHelper output)
{
    [Fact]
    public async Task Sixty_four_runs_at_once_on_one_empty_database_all_end_well()
    {
        var database = await server.Cluster.CreateDatabaseAsync();

        var results = await Task.WhenAll(Enumerable.Range(0, 64)
            .Select(_ => Task.Run(() => server.Migrator(server.Cluster.Url(database)).ApplyAsync(new PlanRequest()))));

        results.Sum(result => result.Finished.Count).ShouldBe(MixedMigrations.Count);
        await server.ShouldRecoverAsync(database);
        await server.Cluster.DropDatabaseAsync(database);
    }

    [Fact]
    public async Task Sixteen_runs_at_once_over_five_databases_apply_each_migration_once_in_each()
    {
        var databases = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => server.Cluster.CreateDatabaseAsync()));

        var results = await Task.WhenAll(Enumerable.Range(0, 16).Select(i =>
            Task.Run(() => server.Migrator(server.Cluster.Url(databases[i % 5])).ApplyAsync(new PlanRequest()))));

        results.Sum(result => result.Finished.Count).ShouldBe(5 * MixedMigrations.Count);
        foreach (var database in databases)
        {
            await server.ShouldRecoverAsync(database);
            await server.Cluster.DropDatabaseAsync(database);
        }
    }

    [Fact]
    public async Task Processes_at_once_on_one_empty_database_all_exit_0()
    {
        var database = await server.Cluster.CreateDatabaseAsync();

        await FaultServer.ApplyAtOnceAsync(output, server.Mixed.Folder, server.Cluster.Url(database));

        await server.ShouldRecoverAsync(database);
        await server.Cluster.DropDatabaseAsync(database);
    }

    [Fact]
    public async Task A_roles_time_limits_end_no_run()
    {
        var database = await server.Cluster.CreateDatabaseAsync();
        await server.Cluster.ExecuteAsync(
            "CREATE ROLE hurried LOGIN SUPERUSER; ALTER ROLE hurried SET statement_timeout = '400ms'; ALTER ROLE hurried SET lock_timeout "
                + "= '50ms'; "
            + "ALTER ROLE hurried SET idle_in_transaction_session_timeout = '100ms'; ALTER ROLE hurried SET idle_session_timeout = '2s'");
        using var folder = new Files.Folder()
            .Write(1, "slow", "CREATE TABLE a (id int); SELECT pg_sleep(1);")
            .Write(2, "slow_outside",
            "SELECT pg_sleep(1);\nCREATE INDEX CONCURRENTLY a_id_idx ON a (id);\nDO $$ BEGIN PERFORM pg_sleep(1); COMMIT; END $$;",
            options: " transaction:false")
            .Write(3, "slow_commit",
                "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1); RETURN NEW; END $$;\n"
                + "CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON a DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "
                + "wait();\nINSERT INTO a VALUES (1);");
        var migrations = MigrationSource.Load(folder.Path, bundle: false);
        var url = server.Cluster.Url(database, "hurried");

        // The second one waits for the first one's end, idle for far longer than the role allows.
        var results = await Task.WhenAll(Enumerable.Range(0, 2)
            .Select(_ => Task.Run(() => new Migrator(new Db.Connections.Database(url), migrations).ApplyAsync(new PlanRequest()))));

        results.Sum(result => result.Finished.Count).ShouldBe(3);
        await server.Cluster.DropDatabaseAsync(database);
        await server.Cluster.ExecuteAsync("DROP ROLE hurried");
    }

    [Fact]
    public async Task A_roles_defaults_change_no_run()
    {
        var database = await server.Cluster.CreateDatabaseAsync();
        await server.Cluster.ExecuteAsync(
            "CREATE ROLE peculiar LOGIN SUPERUSER; ALTER ROLE peculiar SET default_transaction_read_only = on; ALTER ROLE peculiar SET "
                + "default_transaction_isolation = 'serializable'; "
            + "ALTER ROLE peculiar SET default_transaction_deferrable = on; ALTER ROLE peculiar SET standard_conforming_strings = off; "
            + "ALTER ROLE peculiar SET DateStyle = 'German, DMY'; "
            + "ALTER ROLE peculiar SET IntervalStyle = 'sql_standard'; ALTER ROLE peculiar SET TimeZone = 'Asia/Kathmandu'; ALTER ROLE "
            + "peculiar SET bytea_output = 'escape'; ALTER ROLE peculiar SET row_security = off");
        var url = server.Cluster.Url(database, "peculiar");
        using var folder = new Files.Folder().WriteTable(1, "a").Write(2, "bad", "INSERT INTO b VALUES (1);");
        var failed = await Should.ThrowAsync<ProblemException>(async () =>
            await new Migrator(new Db.Connections.Database(url), MigrationSource.Load(folder.Path, bundle: false))
            .ApplyAsync(new PlanRequest()));
        failed.Problems[0].Code.ShouldBe("CG0502");
        (await server.Cluster.ScalarAsync<long>("SELECT count(*) FROM chatgenius_db.history", database)).ShouldBe(1);
        await server.Cluster.DropDatabaseAsync(database);

        database = await server.Cluster.CreateDatabaseAsync();
        await server.ShouldRecoverAsync(database, server.Cluster.Url(database, "peculiar"));

        await server.Cluster.DropDatabaseAsync(database);
        await server.Cluster.ExecuteAsync("DROP ROLE peculiar");
    }

    [Theory]
    [InlineData("we\"ird % 'name' \\ $x é")]
    [InlineData("postgres://nowhere/x?a=b")]
    [InlineData("dbname=other host=nowhere")]
    public async Task A_database_of_any_name_is_created_migrated_backed_up_copied_and_dropped(string name)
    {
        using var sandbox = new Sandbox();
        string[] target = ["--database", server.Cluster.Url("postgres").WithDatabase(name).Display, "--yes"];

        foreach (var arguments in new string[][]
        {
            ["create"], ["apply", "--backup=backups"], ["status", "--exit-code"], ["checkpoint", "save", "one"], ["rollback", "--all"],
                ["checkpoint", "restore", "one"],
            ["status", "--exit-code"], ["checkpoint", "drop", "one"], ["schema", "dump"], ["drop"],
        })
        {
            var result = await TheTool.RunAsync([.. arguments, .. arguments[0] is "create" or "status" or "schema" ? target[..2] : target],
                sandbox.Path);
            result.ExitCode.ShouldBe(0, $"{string.Join(' ', arguments)}: {result.Error}");
        }

        Directory.GetFiles(sandbox.Combine("backups")).ShouldHaveSingleItem().ShouldEndWith(".dump");
    }

    [Fact]
    public async Task A_role_that_may_not_read_the_history_is_told_so()
    {
        var database = await server.Cluster.CreateDatabaseAsync();
        await server.Migrator(server.Cluster.Url(database)).ApplyAsync(new PlanRequest(To: 1));
        await server.Cluster.ExecuteAsync("CREATE ROLE stranger LOGIN");

        var e = await Should.ThrowAsync<ProblemException>(() => server.Migrator(server.Cluster.Url(database, "stranger")).StatusAsync());

        e.Problems[0].Code.ShouldBe("CG0513");
        await server.Cluster.DropDatabaseAsync(database);
        await server.Cluster.ExecuteAsync("DROP ROLE stranger");
    }
}
