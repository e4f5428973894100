using ChatGenius.Db;
using ChatGenius.Db.Sql;
using ChatGenius.Tests.Support;
using Npgsql;

namespace ChatGenius.Tests.Sql;

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
    public async Task A_port_where_nobody_listens_is_a_problem_that_may_pass()
    {
        var e = await Should.ThrowAsync<ProblemException>(() => new Database(DatabaseUrl.Of("127.0.0.1", 1, "u", "d")).ConnectAsync());

        e.Problems[0].Code.ShouldBe("CG0610");
        Database.MayPass(e).ShouldBeTrue();
    }

    private static async Task<Problem> ProblemOf(DatabaseUrl url) =>
        (await Should.ThrowAsync<ProblemException>(() => new Database(url).ConnectAsync())).Problems[0];
}
