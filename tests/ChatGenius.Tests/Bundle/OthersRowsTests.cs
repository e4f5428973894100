using static ChatGenius.Tests.Bundle.BundledMigrations;

namespace ChatGenius.Tests.Bundle;

/// <summary>
/// Down never costs anyone a row, nor a column of one. What must be left is worked out from the rows themselves, without a look at the
/// migrations: all that others made, and all of ours that they refer to, directly or through other rows of ours.
/// </summary>
public class OthersRowsTests(UsedDatabases databases) : IClassFixture<UsedDatabases>
{
    [Fact]
    public async Task A_row_through_any_foreign_key_onto_any_row_of_ours_outlives_every_down()
    {
        await using var connection = await databases.BeginAsync("a_month");
        var references = await References.ReadAsync(connection);
        var before = await Rows.ReadAsync(connection);
        await UpAsync(connection, Data);
        var ours = (await Rows.ReadAsync(connection)).Since(before);
        var theirs = before.Values.ToLookup(row => row.Table, row => row.Id);
        var tried = 0;
        foreach (var reference in references.All)
        {
            foreach (var row in ours.Where(row => row.Table == reference.Parent))
            {
                await RunAsync(connection, "SAVEPOINT used");
                (await references.HangAsync(connection, reference, row.Id, table => theirs[table].First()))
                    .ShouldBeTrue($"{reference} onto {row}");
                var used = await Rows.ReadAsync(connection);

                await DownAsync(connection, [.. Data.Reverse()]);

                var left = await Rows.ReadAsync(connection);
                left.ShouldBe(used.Without(ours), $"{reference} onto {row}");
                left.ShouldContainKey(row.Id);
                await RunAsync(connection, "ROLLBACK TO SAVEPOINT used");
                tried++;
            }
        }

        tried.ShouldBeGreaterThan(80);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public async Task After_any_mixture_of_use_any_number_of_downs_takes_only_what_nobody_uses(int seed)
    {
        await using var connection = await databases.BeginAsync("a_month");
        var references = await References.ReadAsync(connection);
        var past = await Rows.ReadAsync(connection);
        var owners = new Dictionary<string, long>();
        foreach (var version in Data)
        {
            var before = await Rows.ReadAsync(connection);
            await UpAsync(connection, version);
            foreach (var row in (await Rows.ReadAsync(connection)).Since(before))
            {
                owners.Add(row.Id, version);
            }
        }

        var random = new Random(seed);
        for (var round = 0; round < 10; round++)
        {
            await RunAsync(connection, "SAVEPOINT used");
            await UseAsync(connection, references, past, owners, random);
            var used = await Rows.ReadAsync(connection);
            var lowest = random.Next(2, 6);

            await DownAsync(connection, [.. Data.Reverse().Where(v => v >= lowest)]);

            var going = used.Values.Where(row => owners.TryGetValue(row.Id, out var version) && version >= lowest);
            (await Rows.ReadAsync(connection)).ShouldBe(used.Without(going), $"seed {seed}, round {round}, down to {lowest}");
            await RunAsync(connection, "ROLLBACK TO SAVEPOINT used");
        }
    }

    [Theory]
    [InlineData(2, "users", "status_history", "user_id")]
    [InlineData(2, "workspaces", "invites", "workspace_id")]
    [InlineData(3, "channels", "messages", "channel_id")]
    [InlineData(4, "users", "direct_messages", "recipient_id")]
    [InlineData(5, "messages", "messages", "reply_to_id")]
    public async Task A_row_that_is_committed_while_down_runs_is_seen(long version, string parent, string table, string column)
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var connection = await database.ConnectAsync();
        await UsedDatabases.BuildAsync(connection, "a_month");
        var references = await References.ReadAsync(connection);
        var theirs = (await Rows.ReadAsync(connection)).Values.ToLookup(row => row.Table, row => row.Id);
        await UpAsync(connection, [.. Data.Where(v => v < version)]);
        var before = await Rows.ReadAsync(connection);
        await UpAsync(connection, version);
        var ours = (await Rows.ReadAsync(connection)).Since(before);
        await using var someone = await database.ConnectAsync();
        await RunAsync(someone, "BEGIN");
        await references.HangAsync(
            someone, new Reference(table, column, parent), ours.First(row => row.Table == parent).Id, name => theirs[name].First());
        var used = await Rows.ReadAsync(someone);

        var down = DownAsync(connection, version);
        await WaitUntilBlockedAsync(database, connection.ProcessID, down);
        await RunAsync(someone, "COMMIT");
        await down;

        (await Rows.ReadAsync(connection)).ShouldBe(used.Without(ours));
    }

    /// <summary>Others put rows onto ours and onto their own, move rows of theirs onto ours, and take some of ours away.</summary>
    private static async Task UseAsync(
        NpgsqlConnection connection, References references, Rows past, Dictionary<string, long> owners, Random random)
    {
        var rows = await Rows.ReadAsync(connection);
        var all = rows.Values.ToLookup(row => row.Table, row => row.Id);
        var ours = rows.Values.Where(row => owners.ContainsKey(row.Id)).ToLookup(row => row.Table, row => row.Id);
        for (var i = random.Next(0, 6); i > 0; i--)
        {
            var reference = Any(references.All);
            await references.HangAsync(connection, reference, Any(ours[reference.Parent]),
                table => Any(random.Next(3) == 0 ? ours[table] : all[table]));
        }

        for (var i = random.Next(0, 3); i > 0; i--)
        {
            var reference = Any(references.All);
            var theirs = Any(past.Values.Where(row => row.Table == reference.Table));
            if (!reference.Table.EndsWith("memberships", StringComparison.Ordinal)
                && reference.Table is not ("channels" or "unread_messages"))
            {
                await RunAsync(connection,
                    $"UPDATE {reference.Table} SET {reference.Column} = '{Any(ours[reference.Parent])}' WHERE id = '{theirs.Id}'");
            }
        }

        if (random.Next(4) == 0)
        {
            var row = rows[Any(owners.Keys)];
            await RunAsync(connection, $"DELETE FROM {row.Table} WHERE id = '{row.Id}'");
        }

        T Any<T>(IEnumerable<T> of) => of.ElementAt(random.Next(of.Count()));
    }

    private static async Task WaitUntilBlockedAsync(TestDatabase database, int process, Task down)
    {
        while (!await database.ScalarAsync<bool>($"SELECT cardinality(pg_blocking_pids({process})) > 0"))
        {
            down.IsCompleted.ShouldBeFalse("down did not wait for the row that hangs on ours");
            await Task.Delay(5);
        }
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
