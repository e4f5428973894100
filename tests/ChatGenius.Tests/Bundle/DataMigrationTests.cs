using static ChatGenius.Tests.Bundle.BundledMigrations;

namespace ChatGenius.Tests.Bundle;

/// <summary>What the rows of 0002 to 0005 are, and that they come and go alone, whatever the database has been through.</summary>
public class DataMigrationTests(UsedDatabases databases) : IClassFixture<UsedDatabases>
{
    public static TheoryData<string> Pasts => [.. UsedDatabases.Pasts];

    public static TheoryData<string, long> PastsAndMigrations
    {
        get
        {
            var data = new TheoryData<string, long>();
            foreach (var past in UsedDatabases.Pasts)
            {
                foreach (var version in Data)
                {
                    data.Add(past, version);
                }
            }

            return data;
        }
    }

    [Fact]
    public async Task The_rows_in_an_empty_database_are_these()
    {
        await using var connection = await databases.BeginAsync("nothing");

        await UpAsync(connection, Data);

        var rows = await CatalogText.QueryAsync(connection, """
            SELECT 'user ' || (to_jsonb(u) - 'created_at' - 'updated_at')::text FROM users u
            UNION ALL SELECT 'workspace ' || (to_jsonb(w) - 'created_at' - 'updated_at')::text FROM workspaces w
            UNION ALL SELECT 'membership ' || (to_jsonb(m) - 'created_at' - 'updated_at')::text FROM workspace_memberships m
            UNION ALL SELECT 'channel ' || (to_jsonb(c) - 'created_at' - 'updated_at')::text FROM channels c
            UNION ALL SELECT 'message ' || (to_jsonb(m) - 'created_at' - 'updated_at')::text FROM messages m
            """);
        Snapshot.Match(string.Concat(rows.Select(row => row[0] + "\n").Order(StringComparer.Ordinal)), "txt");
        (await Rows.ReadAsync(connection)).Count.ShouldBe(rows.Count);
    }

    [Theory, MemberData(nameof(PastsAndMigrations))]
    public async Task Up_adds_rows_and_touches_none_and_a_second_up_adds_nothing(string past, long version)
    {
        await using var connection = await databases.BeginAsync(past);
        await UpAsync(connection, [.. Data.Where(v => v < version)]);
        var before = await Rows.ReadAsync(connection);

        await UpAsync(connection, version);
        var after = await Rows.ReadAsync(connection);
        after.Without(after.Since(before)).ShouldBe(before);

        await UpAsync(connection, version);
        (await Rows.ReadAsync(connection)).ShouldBe(after);
    }

    [Theory, MemberData(nameof(PastsAndMigrations))]
    public async Task Down_takes_away_what_up_brought_and_no_more_and_up_brings_it_again(string past, long version)
    {
        await using var connection = await databases.BeginAsync(past);
        await UpAsync(connection, [.. Data.Where(v => v < version)]);
        var before = await Rows.ReadAsync(connection);
        await UpAsync(connection, version);
        var after = await Rows.ReadAsync(connection);

        await DownAsync(connection, version);
        (await Rows.ReadAsync(connection)).ShouldBe(before);
        await DownAsync(connection, version);
        (await Rows.ReadAsync(connection)).ShouldBe(before);

        await UpAsync(connection, version);
        (await Rows.ReadAsync(connection)).ShouldBe(after);
    }

    [Theory, MemberData(nameof(Pasts))]
    public async Task All_ups_and_all_downs_leave_the_rows_of_the_past_to_the_letter(string past)
    {
        await using var connection = await databases.BeginAsync(past);
        var before = await Rows.ReadAsync(connection);

        await UpAsync(connection, Data);
        await UpAsync(connection, Data);
        await DownAsync(connection, [.. Data.Reverse()]);

        (await Rows.ReadAsync(connection)).ShouldBe(before);
    }

    [Theory, MemberData(nameof(Pasts))]
    public async Task Down_alone_touches_nothing(string past)
    {
        await using var connection = await databases.BeginAsync(past);
        var before = await Rows.ReadAsync(connection);

        await DownAsync(connection, [.. Data.Reverse()]);

        (await Rows.ReadAsync(connection)).ShouldBe(before);
    }

    [Theory, MemberData(nameof(PastsAndMigrations))]
    public async Task Each_runs_without_those_before_it(string past, long version)
    {
        await using var connection = await databases.BeginAsync(past);
        var before = await Rows.ReadAsync(connection);

        await UpAsync(connection, version, version);
        await DownAsync(connection, version);

        (await Rows.ReadAsync(connection)).ShouldBe(before);
    }

    [Theory]
    [InlineData("nothing", "system@chatgenius.local")]
    [InlineData("a_year", "system@chatgenius.local")]
    [InlineData("system_user", "root@example.com")]
    [InlineData("gauntlet", "owner@example.com")]
    public async Task The_Gauntlet_is_owned_by_the_system_user_that_is_there_unless_someone_made_it_before(string past, string owner)
    {
        await using var connection = await databases.BeginAsync(past);

        await UpAsync(connection, 2);

        (await ScalarAsync(connection, "SELECT email FROM users WHERE id = (SELECT owner_id FROM workspaces WHERE slug = 'gauntlet')"))
            .ShouldBe(owner);
        (await ScalarAsync(connection, "SELECT count(*)::text FROM users WHERE clerk_id = 'system'")).ShouldBe("1");
    }

    [Theory, MemberData(nameof(Pasts))]
    public async Task Every_workspace_has_one_general_channel_and_those_that_had_none_a_public_one(string past)
    {
        await using var connection = await databases.BeginAsync(past);
        await UpAsync(connection, 2);
        var before = await Rows.ReadAsync(connection);

        await UpAsync(connection, 3);

        (await ScalarAsync(connection, """
            SELECT count(*)::text
            FROM workspaces
            WHERE (SELECT count(*) FROM channels WHERE workspace_id = workspaces.id AND slug = 'general') <> 1
            """)).ShouldBe("0");
        (await Rows.ReadAsync(connection)).Since(before).ShouldAllBe(row => row.Json.Contains("\"type\": \"public\""));
    }

    [Theory, MemberData(nameof(Pasts))]
    public async Task Every_persona_is_in_The_Gauntlet_and_has_its_say_there(string past)
    {
        await using var connection = await databases.BeginAsync(past);

        await UpAsync(connection, Data);

        (await ScalarAsync(connection, """
            SELECT count(*)::text
            FROM users
            JOIN workspace_memberships ON workspace_memberships.user_id = users.id
            JOIN workspaces ON workspaces.id = workspace_memberships.workspace_id AND workspaces.slug = 'gauntlet'
            JOIN channels ON channels.workspace_id = workspaces.id AND channels.slug = 'general'
            JOIN messages ON messages.user_id = users.id AND messages.channel_id = channels.id AND messages.ai_generated
            WHERE clerk_id LIKE 'ai-%'
            """)).ShouldBe("4");
    }

    [Theory]
    [InlineData("UPDATE users SET clerk_id = clerk_id || '-old', name = 'Renamed', email = 'x'")]
    [InlineData("UPDATE workspaces SET slug = 'arena', name = 'Arena'")]
    [InlineData("UPDATE channels SET slug = 'lobby', name = 'Lobby', type = 'private'")]
    [InlineData("UPDATE workspace_memberships SET role = 'admin'")]
    [InlineData("UPDATE messages SET content = 'I take it back', ai_generated = false")]
    public async Task A_row_that_people_have_edited_goes_with_down_all_the_same(string edit)
    {
        await using var connection = await databases.BeginAsync("nothing");
        await UpAsync(connection, Data);
        await ScalarAsync(connection, $"{edit} RETURNING 'edited'");

        await DownAsync(connection, [.. Data.Reverse()]);

        (await Rows.ReadAsync(connection)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(3, "UPDATE channels SET slug = 'lobby'")]
    [InlineData(4, "UPDATE workspace_memberships SET role = 'admin'")]
    [InlineData(5, "UPDATE messages SET content = 'I take it back'")]
    public async Task A_row_that_people_have_edited_is_neither_set_back_nor_made_again(long version, string edit)
    {
        await using var connection = await databases.BeginAsync("nothing");
        await UpAsync(connection, Data);
        await ScalarAsync(connection, $"{edit} RETURNING 'edited'");
        var edited = await Rows.ReadAsync(connection);

        await UpAsync(connection, version);

        (await Rows.ReadAsync(connection)).ShouldBe(edited);
    }

    private static async Task<string> ScalarAsync(NpgsqlConnection connection, string sql) =>
        (await CatalogText.QueryAsync(connection, sql))[0][0];
}
