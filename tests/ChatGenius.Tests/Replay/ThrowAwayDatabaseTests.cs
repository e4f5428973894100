using ChatGenius.Db.Replay;
using ChatGenius.Tests.Faults;

namespace ChatGenius.Tests.Replay;

public class ThrowAwayDatabaseTests
{
    [Fact]
    public async Task What_killed_runs_left_is_told_by_the_servers_clock_and_by_its_makers_lock()
    {
        // On a server of its own: the throw-away databases of other tests take away what is left, too.
        await using var cluster = await Cluster.CreateAsync();
        var server = cluster.Url("postgres");
        await using var session = await Session.OpenAsync(new Database(server), "testing");
        var now = await session.ScalarAsync<long>("SELECT pg_catalog.date_part('epoch', pg_catalog.clock_timestamp())::int8", default);
        const long Days = 86400;
        var (left, used, held, young) = (Name(now - 2 * Days), Name(now - 3 * Days), Name(now - 4 * Days), Name(now - 60));
        string[] all = [left, used, held, young];
        foreach (var name in all)
        {
            await session.CommandAsync($"CREATE DATABASE {name} TEMPLATE template0", default);
        }

        try
        {
            await using var user = await new Database(server.WithDatabase(used)).ConnectAsync();
            await session.ScalarAsync<bool>(
                new SqlQuery("SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended($1, 0))", held), default);
            await using var mine = await ThrowAwayDatabase.CreateAsync(server, [], default);

            (await TheseAsync(session, all)).ShouldBe([used, held, young], ignoreOrder: true);
            await using var another = await ThrowAwayDatabase.CreateAsync(server, [], default);
            (await mine.Database.ExistsAsync()).ShouldBeTrue();
        }
        finally
        {
            foreach (var name in await TheseAsync(session, all))
            {
                await session.CommandAsync($"DROP DATABASE {name} WITH (FORCE)", default);
            }
        }
    }

    [Fact]
    public async Task Nobody_else_gets_into_a_throw_away_database()
    {
        var server = (await TestServer.UrlAsync()).WithDatabase("postgres");
        await using var mine = await ThrowAwayDatabase.CreateAsync(server, [], default);
        await using var session = await Session.OpenAsync(mine.Database, "testing");

        (await session.ScalarAsync<bool>(
            "SELECT pg_catalog.has_database_privilege('pg_monitor', pg_catalog.current_database(), 'CONNECT')", default)).ShouldBeFalse();
    }

    private static string Name(long time) => string.Create(CultureInfo.InvariantCulture, $"chatgenius_check_{time}_{Guid.NewGuid():N}");

    private static Task<List<string>> TheseAsync(Session session, string[] names) => session.RowsAsync(
        new SqlQuery("SELECT datname::text FROM pg_catalog.pg_database WHERE datname::text = ANY ($1)", (object)names),
        row => row.GetString(0),
        default);
}
