using System.Diagnostics;

namespace ChatGenius.Tests.Faults;

/// <summary>Ctrl-C in each phase of a run, and what a killed run leaves on the server.</summary>
[Collection("Faults")]
[Trait("Needs", "Unix")]
public class PhaseTests(FaultServer server, ITestOutputHelper output)
{
    // The watch looks every 0.2 s and gives way one look before the budget is used up, so that no wait is longer than the budget and a
    // round trip. The rest is for a machine that has other work, and is little beside the ten minutes without a budget.
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(2);

    [Theory]
    [InlineData("SELECT pg_sleep(60);", "", "")]
    [InlineData("SELECT pg_sleep(60);", " transaction:false", "statement 1 of 1")]
    [InlineData("CREATE INDEX CONCURRENTLY i ON held (id);", " transaction:false", "statement 1 of 1")]
    [InlineData("ALTER TABLE held ADD COLUMN more int;", "", "waits for")]
    [InlineData("ALTER TABLE held ADD COLUMN more int;", "", "gave way")]
    public async Task Ctrl_C_exits_130_and_leaves_nothing_running(string sql, string options, string phase)
    {
        var database = await server.Cluster.CreateDatabaseAsync();
        await server.Cluster.ExecuteAsync("CREATE TABLE held (id int)", database);
        await using var holder = await new Db.Connections.Database(server.Cluster.Url(database)).ConnectAsync();
        await using var transaction = await holder.BeginTransactionAsync();
        await new NpgsqlCommand("INSERT INTO held VALUES (1)", holder).ExecuteNonQueryAsync();
        using var sandbox = new Sandbox();
        sandbox.Write("0001_x.sql", $"-- migrate:up{options}\n{sql}\n-- migrate:down\nSELECT 1;\n");
        string[] arguments = ["apply", "--fresh", "--no-bundle", "--migrations", sandbox.Path, "--database",
            server.Cluster.Url(database).Display, "--lock-timeout", phase == "gave way" ? "100ms" : "1m"];
        await using var tool = ToolProcess.Start(arguments);
        await WaitUntilAsync(database,
            "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'chatgenius-db' AND "
            + "state = 'active' AND query !~ 'pg_catalog'");
        if (phase.Length > 0)
        {
            await tool.WaitForOutputAsync(phase);
        }

        tool.Interrupt();

        var result = await tool.ExitAsync();
        result.ExitCode.ShouldBe(130, result.Error);
        await WaitUntilAsync(database,
            "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'chatgenius-db' AND pid "
            + "NOT IN (pg_backend_pid(), " + holder.ProcessID + ")");
        await transaction.RollbackAsync();
        sandbox.Write("0001_x.sql",
            $"-- migrate:up{options}\n{sql.Replace("60", "0", StringComparison.Ordinal)}\n-- migrate:down\nSELECT 1;\n");
        (await TheTool.RunAsync(arguments)).ExitCode.ShouldBe(0);
        await holder.CloseAsync();
        await server.Cluster.DropDatabaseAsync(database);
    }

    [Fact]
    public async Task A_statement_whose_tool_was_killed_ends_by_itself()
    {
        var database = await server.Cluster.CreateDatabaseAsync();
        using var sandbox = new Sandbox();
        sandbox.Write("0001_x.sql", "-- migrate:up\nCREATE TABLE a (id int);\nSELECT pg_sleep(3600);\n-- migrate:down\nDROP TABLE a;\n");
        await using var tool = ToolProcess.Start(["apply", "--no-bundle", "--migrations", sandbox.Path, "--database",
            server.Cluster.Url(database).Display]);
        const string Runs =
            "FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE '%pg_sleep(3600)%' AND pid <> "
            + "pg_backend_pid()";
        await WaitUntilAsync(database, $"SELECT count(*) = 1 {Runs}");

        tool.Kill();

        await WaitUntilAsync(database, $"SELECT count(*) = 0 {Runs}");
        (await server.Cluster.ScalarAsync<bool>("SELECT to_regclass('a') IS NULL", database)).ShouldBeTrue();
        await server.Cluster.DropDatabaseAsync(database);
    }

    [Fact]
    public async Task Ctrl_C_on_a_silent_network_ends_the_run_and_says_what_is_not_known()
    {
        var database = await server.Cluster.CreateDatabaseAsync();
        await server.Cluster.ExecuteAsync("CREATE TABLE pause AS SELECT 600 AS s", database);
        using var proxy = new TcpProxy(server.Cluster.Port);
        using var sandbox = new Sandbox();
        sandbox.Write("0001_x.sql",
            "-- migrate:up transaction:false repeatable:true\nDO $$ BEGIN PERFORM pg_sleep(s) FROM pause; COMMIT; END $$;\n-- "
            + "migrate:down\nSELECT 1;\n");
        string[] arguments = ["apply", "--fresh", "--no-bundle", "--migrations", sandbox.Path, "--database"];
        var impatient = new Dictionary<string, string?> { ["CHATGENIUS_CANCEL_TIMEOUT"] = "2s" };
        await using var tool = ToolProcess.Start([.. arguments, Cluster.ClusterUrl(proxy.Port, database).Display], environment: impatient);
        await WaitUntilAsync(database,
            "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE "
            + "'%pg_sleep(s)%' AND pid <> pg_backend_pid()");
        proxy.Silence();

        tool.Interrupt();

        var result = await tool.ExitAsync();
        result.ExitCode.ShouldBe(130, result.Error);
        result.Error.ShouldContain("CG0516");
        result.Error.ShouldContain("0001_x");
        proxy.Reset();
        await server.Cluster.ExecuteAsync("UPDATE pause SET s = 0", database);
        var next = await TheTool.RunAsync([.. arguments, server.Cluster.Url(database).Display]);
        next.ExitCode.ShouldBe(0, next.Error);
        await server.Cluster.DropDatabaseAsync(database);
    }

    [Fact]
    public async Task Status_shows_where_a_killed_run_stopped_and_repair_settles_it()
    {
        var database = await server.Cluster.CreateDatabaseAsync();
        using var sandbox = new Sandbox();
        sandbox.Write("0001_a.sql", "-- migrate:up\nCREATE TABLE a (id int);\n-- migrate:down\nDROP TABLE a;\n");
        sandbox.Write("0002_b.sql",
            "-- migrate:up transaction:false\nINSERT INTO a VALUES (1);\nSELECT 1;\nDO $$ BEGIN PERFORM pg_sleep(60); COMMIT; END "
            + "$$;\nINSERT INTO a VALUES (2);\nSELECT 2;\n-- migrate:down\nDELETE FROM a;\n");
        string[] target = ["--no-bundle", "--migrations", sandbox.Path, "--database", server.Cluster.Url(database).Display];
        await using var tool = ToolProcess.Start(["apply", .. target]);
        await WaitUntilAsync(database,
            "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE 'DO "
            + "%pg_sleep(60)%'");
        tool.Kill();
        await tool.ExitAsync();
        await server.Cluster.ExecuteAsync(
            $"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{database}' AND query LIKE 'DO "
            + "%pg_sleep(60)%' AND pid <> pg_backend_pid()");

        var status = await TheTool.RunAsync(["status", .. target]);
        status.Output.ShouldContain("interrupted statement 3 of 5");
        status.Error.ShouldContain("interrupted at 0002 statement 3 of 5");
        status.Error.ShouldContain("0002_b.sql:4:1");
        var apply = await TheTool.RunAsync(["apply", .. target]);
        apply.ExitCode.ShouldBe(2);
        apply.Error.ShouldContain("CG0507");
        (await TheTool.RunAsync(["repair", .. target])).Output.ShouldContain("interrupted at statement 3 of 5, which was begun at");
        var repair = await TheTool.RunAsync(["repair", "2", "--done", "--yes", .. target]);
        repair.Output.ShouldContain("Settled statement 3 of 0002_b");
        (await TheTool.RunAsync(["repair", "2", "--again", "--yes", .. target])).Error.ShouldContain("CG0412");
        (await TheTool.RunAsync(["apply", .. target])).ExitCode.ShouldBe(0);
        (await server.Cluster.ScalarAsync<long>("SELECT sum(id) FROM a", database)).ShouldBe(3);
        await server.Cluster.DropDatabaseAsync(database);
    }

    [Fact]
    public async Task What_was_not_begun_may_be_mended_after_a_failure()
    {
        var database = await server.Cluster.CreateDatabaseAsync();
        using var folder = new Files.Folder().Write(1, "x",
            "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1);\nINSERT INTO b VALUES (2);", options: " transaction:false");
        var url = server.Cluster.Url(database);
        await Should.ThrowAsync<Db.ProblemException>(async () =>
            await new Migrator(new Db.Connections.Database(url), MigrationSource.Load(folder.Path, bundle: false))
            .ApplyAsync(new PlanRequest()));

        folder.Write(1, "x", "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1);\nINSERT INTO a VALUES (2);",
            options: " transaction:false");
        await new Migrator(new Db.Connections.Database(url), MigrationSource.Load(folder.Path, bundle: false))
            .ApplyAsync(new PlanRequest());

        (await server.Cluster.ScalarAsync<long>("SELECT sum(id) FROM a", database)).ShouldBe(3);
        await server.Cluster.DropDatabaseAsync(database);
    }

    [Fact]
    public async Task None_of_five_sessions_waits_longer_than_the_budget_while_apply_waits_for_a_long_transaction()
    {
        var database = await server.Cluster.CreateDatabaseAsync();
        await server.Cluster.ExecuteAsync("CREATE TABLE a (id int)", database);
        using var folder = new Files.Folder().Write(1, "alter", "ALTER TABLE a ADD COLUMN b int;");
        var access = new Db.Connections.Database(server.Cluster.Url(database));
        await using var holder = await access.ConnectAsync();
        await using var transaction = await holder.BeginTransactionAsync();
        await new NpgsqlCommand("SELECT * FROM a", holder).ExecuteNonQueryAsync();
        var migrations = MigrationSource.Load(folder.Path, bundle: false);
        var options = new MigratorOptions { LockTimeout = TimeSpan.FromMinutes(10), LockRetries = 1000 };
        var retries = new List<string>();
        var run = new Migrator(access, migrations, options, new Counter(reason => retries.Add(reason)))
            .ApplyAsync(Files.Folder.Anywhere);

        // Without the budget they would wait for the ten minutes of lock_timeout.
        using var stop = new CancellationTokenSource();
        var sessions = Enumerable.Range(0, 5).Select(_ => Task.Run(async () =>
        {
            await using var session = await access.ConnectAsync();
            await new NpgsqlCommand("SET lock_timeout = '30s'", session).ExecuteNonQueryAsync();
            var longest = TimeSpan.Zero;
            while (!stop.IsCancellationRequested)
            {
                var clock = Stopwatch.StartNew();
                await new NpgsqlCommand("SELECT * FROM a", session).ExecuteNonQueryAsync();
                longest = clock.Elapsed > longest ? clock.Elapsed : longest;
                await Task.Delay(5);
            }

            return longest;
        })).ToList();
        while (retries.Count < 3 && !run.IsCompleted && !sessions.Any(session => session.IsFaulted))
        {
            await Task.Delay(50);
        }

        await transaction.RollbackAsync();
        (await run).Finished.Count.ShouldBe(1);
        await stop.CancelAsync();
        var waits = await Task.WhenAll(sessions);
        output.WriteLine(
            "The longest waits, in s: "
            + $"{string.Join(", ", waits.Select(wait => $"{wait.TotalSeconds:0.00}"))}\n{string.Join('\n', retries)}");
        retries.ShouldAllBe(reason => reason.StartsWith("5 sessions waited", StringComparison.Ordinal));
        waits.ShouldAllBe(wait => wait > options.MaxBlockedTime / 2, "Each of them did wait behind us.");
        waits.Max().ShouldBeLessThan(options.MaxBlockedTime + Slack);
        (await server.Cluster.ScalarAsync<int>("SELECT retries FROM chatgenius_db.history", database)).ShouldBeGreaterThan(1);
        await holder.CloseAsync();
        await server.Cluster.DropDatabaseAsync(database);
    }

    private async Task WaitUntilAsync(string database, string sql)
    {
        for (var i = 0; i < 1200; i++)
        {
            if (await server.Cluster.ScalarAsync<bool>(sql, database))
            {
                return;
            }

            await Task.Delay(50);
        }

        throw new TimeoutException($"This did not come true: {sql}");
    }

    private sealed class Counter(Action<string> onRetry) : IProgress<MigrationEvent>
    {
        public void Report(MigrationEvent value)
        {
            if (value is MigrationEvent.Retrying retrying)
            {
                onRetry(retrying.Reason);
            }
        }
    }
}
