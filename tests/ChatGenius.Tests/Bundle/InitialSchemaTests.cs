using static ChatGenius.Tests.Bundle.BundledMigrations;

namespace ChatGenius.Tests.Bundle;

public class InitialSchemaTests
{
    // The application's first schema had no index on these foreign keys.
    private const string DropLaterIndexes = """
        DROP INDEX workspaces_owner_id_idx, messages_reply_to_id_idx, notifications_message_id_idx, unread_messages_message_id_idx,
                   ai_interactions_channel_id_idx
        """;

    [Fact]
    public async Task The_catalog_is_the_one_that_the_application_works_with()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var connection = await database.ConnectAsync();

        await UpAsync(connection, InitialSchema);

        Snapshot.Match(await CatalogText.ReadAsync(connection), "txt");
    }

    [Fact]
    public async Task Every_foreign_key_has_one_index_that_leads_with_it()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var connection = await database.ConnectAsync();
        await UpAsync(connection, InitialSchema);

        var counts = await CatalogText.QueryAsync(connection, """
            SELECT conname::text, count(indexrelid)::text
            FROM pg_constraint
            LEFT JOIN pg_index ON indrelid = conrelid AND indkey[0] = conkey[1] AND indpred IS NULL
            WHERE contype = 'f'
            GROUP BY conname
            """);

        counts.Count.ShouldBe(24);
        counts.Where(count => count[1] != "1").ShouldBeEmpty();
    }

    [Fact]
    public async Task No_index_begins_with_all_columns_of_another()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var connection = await database.ConnectAsync();
        await UpAsync(connection, InitialSchema);

        var repeated = await CatalogText.QueryAsync(connection, """
            SELECT a.indexrelid::regclass::text, b.indexrelid::regclass::text
            FROM pg_index a
            JOIN pg_index b ON b.indrelid = a.indrelid AND b.indexrelid <> a.indexrelid
            JOIN pg_class c ON c.oid = a.indrelid AND c.relnamespace = 'public'::regnamespace
            WHERE b.indkey::text || ' ' LIKE a.indkey::text || ' %'
            """);

        repeated.ShouldBeEmpty();
    }

    [Fact]
    public async Task Up_twice_in_a_row_changes_nothing()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var connection = await database.ConnectAsync();
        await UpAsync(connection, InitialSchema);
        var once = await CatalogText.ReadAsync(connection);

        await UpAsync(connection, InitialSchema);

        (await CatalogText.ReadAsync(connection)).ShouldBe(once);
    }

    [Fact]
    public async Task A_database_that_the_application_built_is_taken_over_with_its_rows()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var connection = await database.ConnectAsync();
        await UsedDatabases.BuildAsync(connection, "a_year");
        var full = await CatalogText.ReadAsync(connection);
        await ExecuteAsync(connection, DropLaterIndexes);
        (await CatalogText.ReadAsync(connection)).ShouldNotBe(full);
        var rows = await Rows.ReadAsync(connection);
        rows.Count.ShouldBeGreaterThan(4_000);

        await UpAsync(connection, InitialSchema);

        (await CatalogText.ReadAsync(connection)).ShouldBe(full);
        (await Rows.ReadAsync(connection)).ShouldBe(rows);
    }

    [Fact]
    public async Task A_constraint_that_has_another_name_is_not_made_a_second_time()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var connection = await database.ConnectAsync();
        await UpAsync(connection, InitialSchema);
        await ExecuteAsync(connection, """
            ALTER TABLE channels RENAME CONSTRAINT channels_workspace_id_fkey TO channels_workspace_id_workspaces_id_fk;
            ALTER TABLE channels RENAME CONSTRAINT channels_workspace_id_slug_key TO channels_workspace_id_slug_unique;
            """);
        var before = await CatalogText.ReadAsync(connection);

        await UpAsync(connection, InitialSchema);

        (await CatalogText.ReadAsync(connection)).ShouldBe(before);
    }

    [Fact]
    public async Task Down_leaves_an_empty_catalog_and_may_be_repeated()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var connection = await database.ConnectAsync();
        await UsedDatabases.BuildAsync(connection, "all_of_it");

        await DownAsync(connection, InitialSchema, InitialSchema);

        (await CatalogText.ReadAsync(connection)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Up_down_up_gives_the_same_catalog()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var connection = await database.ConnectAsync();
        await UpAsync(connection, InitialSchema);
        var once = await CatalogText.ReadAsync(connection);

        await DownAsync(connection, InitialSchema);
        await UpAsync(connection, InitialSchema);

        (await CatalogText.ReadAsync(connection)).ShouldBe(once);
    }

    [Theory]
    [InlineData("CREATE TABLE badges (user_id uuid REFERENCES users (id) ON DELETE CASCADE)")]
    [InlineData("CREATE VIEW loud_messages AS SELECT upper(content) AS content FROM messages")]
    public async Task Down_stops_at_what_someone_else_made_and_drops_nothing(string theirs)
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var connection = await database.ConnectAsync();
        await UsedDatabases.BuildAsync(connection, "a_month");
        await ExecuteAsync(connection, theirs);
        var before = await CatalogText.ReadAsync(connection);

        var problem = await Should.ThrowAsync<PostgresException>(() => DownAsync(connection, InitialSchema));

        problem.SqlState.ShouldBe(PostgresErrorCodes.DependentObjectsStillExist);
        (await CatalogText.ReadAsync(connection)).ShouldBe(before);
    }

    [Fact]
    public async Task All_five_up_and_down_again_leave_an_empty_catalog()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var connection = await database.ConnectAsync();

        await UpAsync(connection, [InitialSchema, .. Data]);
        (await Rows.ReadAsync(connection)).Count.ShouldBe(15);
        await DownAsync(connection, [.. Data.Reverse()]);
        (await Rows.ReadAsync(connection)).ShouldBeEmpty();
        await DownAsync(connection, InitialSchema);

        (await CatalogText.ReadAsync(connection)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData]
    [InlineData("-1")]
    public async Task Psql_runs_the_sections_as_they_stand_and_ends_with_the_same_catalog_and_rows(params string[] options)
    {
        await using var ours = await TestDatabase.CreateAsync();
        await using var connection = await ours.ConnectAsync();
        await using var psqls = await TestDatabase.CreateAsync();
        await using var other = await psqls.ConnectAsync();
        using var sandbox = new Sandbox();
        await UpAsync(connection, [InitialSchema, .. Data]);

        foreach (var migration in BundledMigrations.Bundle.Value)
        {
            var run = await Psql.RunAsync(psqls, [.. options, "-f", sandbox.Write($"{migration.Name}.sql", migration.Up.Text)]);
            run.ExitCode.ShouldBe(0, run.Error);
        }

        (await CatalogText.ReadAsync(other)).ShouldBe(await CatalogText.ReadAsync(connection));
        (await Rows.ReadAsync(other)).Keys.ShouldBe((await Rows.ReadAsync(connection)).Keys, ignoreOrder: true);

        foreach (var migration in BundledMigrations.Bundle.Value.Reverse())
        {
            var run = await Psql.RunAsync(psqls, [.. options, "-f", sandbox.Write($"{migration.Name}.sql", migration.Down.Text)]);
            run.ExitCode.ShouldBe(0, run.Error);
        }

        (await CatalogText.ReadAsync(other)).ShouldBeEmpty();
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
