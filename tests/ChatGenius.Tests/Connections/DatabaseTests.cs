using System.Net;
using System.Net.Sockets;

namespace ChatGenius.Tests.Connections;

public class DatabaseTests
{
    [Fact]
    public async Task A_session_is_unpooled_named_and_reads_arrays()
    {
        await using var db = await TestDatabase.CreateAsync();
        await using (var connection = await db.ConnectAsync())
        {
            await using var command = new NpgsqlCommand("SELECT current_setting('application_name')", connection);
            (await command.ExecuteScalarAsync()).ShouldBe("chatgenius-db");
        }

        (await db.ScalarAsync<string[]>("SELECT ARRAY['a', 'b']")).ShouldBe(["a", "b"]);
        (await db.ScalarAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")).ShouldBe(1);
    }

    [Fact]
    public async Task A_missing_database_is_a_problem()
    {
        var server = await TestServer.UrlAsync();

        (await ProblemOf(server.WithDatabase("no such \"database\""))).Code.ShouldBe("CG0617");
    }

    [Fact]
    public async Task What_an_interrupted_drop_has_left_says_so_and_can_be_dropped()
    {
        await using var db = await TestDatabase.CreateAsync();
        await using (var session = await Session.OpenMaintenanceAsync(db.Database, "testing"))
        {
            await session.WriteAsync([new SqlQuery("UPDATE pg_catalog.pg_database SET datconnlimit = -2 WHERE datname = $1",
                db.Url.DatabaseName)], default);
        }

        (await ProblemOf(db.Url)).Code.ShouldBe("CG0646");
        (await Should.ThrowAsync<ProblemException>(() => db.Database.CreateAsync())).Problems[0].Code.ShouldBe("CG0646");
        (await db.Database.DropAsync()).ShouldBeTrue();
        (await db.Database.ExistsAsync()).ShouldBeFalse();
    }

    [Fact]
    public async Task Whoever_waits_for_a_connection_that_was_begun_ahead_can_stop_waiting()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var database = new Database(DatabaseUrl.Of("127.0.0.1", ((IPEndPoint)silent.LocalEndpoint).Port, "u", "d"));
        using var stop = new CancellationTokenSource();
        database.ConnectAhead();
        using var server = await silent.AcceptSocketAsync();
        (await server.ReceiveAsync(new byte[1])).ShouldBe(1);

        var connecting = database.ConnectAsync(stop.Token);
        await stop.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(connecting);
    }

    [Fact]
    public async Task A_connection_that_was_begun_ahead_is_taken_once_and_closed_where_nobody_takes_it()
    {
        const string Sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        await using var db = await TestDatabase.CreateAsync();
        var database = new Database(db.Url);
        database.ConnectAhead();
        await using (var taken = await database.ConnectAsync())
        await using (var other = await database.ConnectAsync())
        {
            taken.ProcessID.ShouldNotBe(other.ProcessID);
            (await db.ScalarAsync<long>(Sessions)).ShouldBe(2);
        }

        database.ConnectAhead();
        database.AbandonAhead();
        database.AbandonAhead();

        await db.ExecuteAsync(
            "DO $$ BEGIN WHILE EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()) "
            + "LOOP PERFORM pg_sleep(0.01), pg_stat_clear_snapshot(); END LOOP; END $$");
    }

    [Fact]
    public async Task A_port_where_nobody_listens_is_a_problem_that_may_pass()
    {
        var e = await Should.ThrowAsync<ProblemException>(() => new Database(DatabaseUrl.Of("127.0.0.1", 1, "u", "d")).ConnectAsync());

        e.Problems[0].Code.ShouldBe("CG0610");
        e.MayPass.ShouldBeTrue();
    }

    [Theory]
    [InlineData("cg_test a b")]
    [InlineData("cg_test \"quoted\"")]
    [InlineData("cg_test it's")]
    [InlineData("CG_TEST_UPPER")]
    [InlineData("cg_test Ünïcode 😀")]
    [InlineData("cg_test;--")]
    public async Task A_database_of_any_name_is_created_once_found_and_dropped_once(string name)
    {
        var database = new Database((await TestServer.UrlAsync()).WithDatabase($"{name} {Guid.NewGuid():N}"));
        (await database.ExistsAsync()).ShouldBeFalse();

        (await database.CreateAsync()).ShouldBeTrue();
        (await database.CreateAsync()).ShouldBeFalse();
        (await database.ExistsAsync()).ShouldBeTrue();
        await using (var connection = await database.ConnectAsync())
        {
            connection.Database.ShouldBe(database.Url.DatabaseName);
        }

        (await database.DropAsync()).ShouldBeTrue();
        (await database.DropAsync()).ShouldBeFalse();
    }

    [Fact]
    public async Task A_database_in_use_is_dropped_only_by_force()
    {
        await using var db = await TestDatabase.CreateAsync();
        await using var connection = await db.ConnectAsync();

        var problem = (await Should.ThrowAsync<ProblemException>(() => db.Database.DropAsync())).Problems[0];
        problem.Code.ShouldBe("CG0631");
        problem.Advice!.ShouldContain("--force");

        (await db.Database.DropAsync(force: true)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_copy_has_what_its_template_has()
    {
        await using var template = await TestDatabase.CreateAsync();
        await template.ExecuteAsync("CREATE TABLE t AS SELECT 42 AS answer");
        await using var copy = await TestDatabase.CreateAsync();
        await copy.Database.DropAsync();

        (await copy.Database.CreateAsync(template.Url.DatabaseName, copyFiles: true)).ShouldBeTrue();

        (await copy.ScalarAsync<int>("SELECT answer FROM t")).ShouldBe(42);
    }

    [Fact]
    public async Task A_role_that_may_not_create_databases_is_told_what_it_lacks()
    {
        await using var db = await TestDatabase.CreateAsync();
        var role = $"cg_test_{Guid.NewGuid():N}";
        await db.ExecuteAsync($"CREATE ROLE {role} LOGIN PASSWORD 'secret'");
        try
        {
            var url = new NpgsqlConnectionStringBuilder(db.Url.ConnectionString) { Username = role, Password = "secret", Database = role };

            var problem = (await Should.ThrowAsync<ProblemException>(() => new Database(DatabaseUrl.Parse(url.ConnectionString))
                .CreateAsync())).Problems[0];

            problem.Code.ShouldBe("CG0630");
            problem.Advice!.ShouldContain("CREATEDB");
        }
        finally
        {
            await db.ExecuteAsync($"DROP ROLE {role}");
        }
    }

    [Fact]
    public async Task Waiting_ends_when_the_database_is_there()
    {
        await using var db = await TestDatabase.CreateAsync();
        await db.Database.WaitAsync(Timeout.InfiniteTimeSpan);

        (await Should.ThrowAsync<ProblemException>(() => new Database(DatabaseUrl.Of("127.0.0.1", 1, "u", "d"))
            .WaitAsync(TimeSpan.FromMilliseconds(300)))).Problems[0].Code.ShouldBe("CG0610");
        (await Should.ThrowAsync<ProblemException>(() => new Database(db.Url.WithDatabase("absent"))
            .WaitAsync(Timeout.InfiniteTimeSpan))).Problems[0].Code.ShouldBe("CG0617");
    }

    private static async Task<Problem> ProblemOf(DatabaseUrl url) =>
        (await Should.ThrowAsync<ProblemException>(() => new Database(url).ConnectAsync())).Problems[0];
}
