namespace ChatGenius.Tests.Faults;

/// <summary>Where something fails while a failure is being settled, the first cause is shown, and the second one beside it.</summary>
[Collection("Faults")]
[Trait("Needs", "Unix")]
public sealed class FirstCauseTests(FaultServer server)
{
    [Theory]
    [InlineData("", "SELECT 1/0;")]
    [InlineData(" transaction:false", "BEGIN;\nSELECT 1/0;\nCOMMIT;")]
    [InlineData(" batch:a size:10", "UPDATE a SET v = v / 0 WHERE id BETWEEN :batch_first AND :batch_last;")]
    [InlineData("", "SELECT 1;\n-- cgdb:ensure SELECT false;")]
    public async Task A_connection_that_is_lost_at_the_rollback_hides_no_error_of_a_statement(string options, string statements)
    {
        var database = await server.Cluster.CreateDatabaseAsync();
        using var folder = new Files.Folder().Write(1, "a", "CREATE TABLE a (id int PRIMARY KEY, v int); INSERT INTO a VALUES (1, 1);")
            .Write(2, "b", statements, options: options);
        var migrations = MigrationSource.Load(folder.Path, bundle: false);
        await new Migrator(new Database(server.Cluster.Url(database)), migrations).ApplyAsync(new PlanRequest(1));
        TcpProxy? proxy = null;
        var (failed, cut) = (false, false);
        var target = new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, server.Cluster.Port);
        using var between = proxy = new TcpProxy(target, () => bytes =>
        {
            var text = Encoding.UTF8.GetString(bytes.Span);
            if (failed && !cut && text.Contains("ROLLBACK", StringComparison.Ordinal))
            {
                cut = true;
                proxy!.Reset();
            }

            failed |= text.Contains("/ 0", StringComparison.Ordinal) || text.Contains("1/0", StringComparison.Ordinal)
                || text.Contains("SELECT false", StringComparison.Ordinal);
        });

        var url = Cluster.ClusterUrl(between.Port, database);
        var e = await Should.ThrowAsync<ProblemException>(() => new Migrator(new Database(url), migrations).ApplyAsync(new PlanRequest()));

        cut.ShouldBeTrue(e.Message);
        var problem = e.Problems.ShouldHaveSingleItem();
        problem.Code.ShouldBe(statements.Contains("ensure", StringComparison.Ordinal) ? "CG0526" : "CG0502");
        problem.Message.ShouldContain("\nafterwards: ");
        problem.Where!.Path.ShouldEndWith("0002_b.sql");
        await server.Cluster.DropDatabaseAsync(database);
    }

    [NeedsFact(Need.PgBouncer)]
    public async Task A_pool_with_one_session_is_said_to_be_too_small()
    {
        await using var pooler = await PgBouncer.StartAsync(server.Cluster.Port, pool: 1);
        var database = await server.Cluster.CreateDatabaseAsync();
        using var folder = new Files.Folder().WriteTable(1, "a");
        var migrations = MigrationSource.Load(folder.Path, bundle: false);
        var options = new MigratorOptions { PoolTimeout = TimeSpan.FromSeconds(1) };

        var e = await Should.ThrowAsync<ProblemException>(() => new Migrator(new Database(pooler.Url(database)), migrations, options)
            .ApplyAsync(new PlanRequest()));

        var problem = e.Problems.ShouldHaveSingleItem();
        (problem.Code, problem.Message).ShouldBe(
            ("CG0520", "The connection pooler gave no second session to the server within 1 s"));
        (await server.Cluster.ScalarAsync<bool>("SELECT to_regclass('a') IS NULL", database)).ShouldBeTrue();
    }
}
