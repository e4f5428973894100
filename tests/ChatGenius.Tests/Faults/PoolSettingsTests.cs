using ChatGenius.Tests.Tool;
using ChatGenius.Tool;

namespace ChatGenius.Tests.Faults;

/// <summary>Behind a PgBouncer in transaction mode, whose two sessions of the server the application uses as well.</summary>
[Collection("Faults")]
[Trait("Needs", "Unix")]
public class PoolSettingsTests(FaultServer server)
{
    [NeedsFact(Need.PgBouncer)]
    public async Task No_command_leaves_anything_in_a_session_that_the_next_client_gets()
    {
        await using var pooler = await PgBouncer.StartAsync(server.Cluster.Port, pool: 2);
        var database = await server.Cluster.CreateDatabaseAsync();
        using var tool = new InProcess { Width = 200 };
        tool.Write("migrations/0001_a.sql", "-- migrate:up\nCREATE TABLE a (id int PRIMARY KEY);\n-- migrate:down\nDROP TABLE a;\n");
        tool.Write("migrations/0002_b.sql",
            "-- migrate:up\nALTER TABLE a ADD COLUMN b int;\n-- migrate:down\nALTER TABLE a DROP COLUMN b;\n");
        var (pooled, direct) = (pooler.Url(database).Display, server.Cluster.Url("postgres").Display);
        var before = await SessionsAsync(pooler.Url(database));
        string[][] calls =
        [
            ["wait"], ["status"], ["plan"], ["script"], ["check", "--target", pooled, "--shadow", direct],
                ["check", "--target", pooled, "--shadow", pooled, "--data"],
            ["apply", "--to", "1"], ["apply"], ["redo", "--yes"], ["rollback", "--yes"], ["status"], ["apply", "--single-transaction"],
            ["schema", "dump"], ["schema", "docs"], ["schema", "diff", pooled], ["drift", "--shadow", direct],
                ["drift", "--shadow", pooled],
            ["checkpoint", "list"], ["rollback", "--all", "--yes"], ["baseline", "--yes", "--force", "--to", "2"],
        ];

        foreach (var call in calls)
        {
            var run = await tool.RunAsync([.. call, "--no-bundle", "--database", pooled]);
            run.ExitCode.ShouldBe(ExitCode.Done, $"{string.Join(' ', call)}\n{run.Out}{run.Error}");
            (await SessionsAsync(pooler.Url(database))).ShouldBe(before, string.Join(' ', call));
        }
    }

    /// <summary>What the two sessions have that is not the server's default, other than temporary: settings, locks, prepared
    /// statements.</summary>
    private static async Task<string> SessionsAsync(DatabaseUrl pool)
    {
        const string State =
            """
            SELECT pg_backend_pid()::text,
                   (SELECT coalesce(string_agg(name || '=' || setting, ' ' ORDER BY name), '') FROM pg_settings
                    WHERE source = 'session' AND setting IS DISTINCT FROM reset_val AND name !~ '^tcp_')
                   || (SELECT string_agg(' ' || name || '=' || setting, '' ORDER BY name) FROM pg_settings
                       WHERE name ~ 'timeout|search_path|row_security|read_only')
                   || ' locks ' || (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())
                   || ' prepared ' || (SELECT count(*) FROM pg_prepared_statements) || ' role ' || current_user
            """;
        await using var one = await new Database(pool).ConnectAsync();
        await using var other = await new Database(pool).ConnectAsync();
        await using var first = await one.BeginTransactionAsync();
        await using var second = await other.BeginTransactionAsync();
        var states = new Dictionary<string, string>();
        foreach (var (connection, transaction) in new[] { (one, first), (other, second) })
        {
            await using var command = new NpgsqlCommand(State, connection, transaction);
            await using var reader = await command.ExecuteReaderAsync();
            await reader.ReadAsync();
            states[reader.GetString(0)] = reader.GetString(1);
        }

        states.Count.ShouldBe(2, "The two transactions have a session of the server each.");
        return string.Join('\n', states.Values.Order(StringComparer.Ordinal));
    }
}
