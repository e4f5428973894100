using ChatGenius.Tests.Bundle;
using ChatGenius.Tool;

namespace ChatGenius.Tests.Tool;

/// <summary>Databases that something else has built, from the first apply that stops to the one that runs.</summary>
public class TakeoverStoryTests
{
    /// <summary>In what the application's TypeScript migrations differ from the bundle: nullable times, and other indexes.</summary>
    private const string AsTypeScriptLeavesIt =
        """
        DO $$
        DECLARE c record;
        BEGIN
            FOR c IN SELECT table_name, column_name FROM information_schema.columns
                WHERE table_schema = 'public' AND column_name IN ('created_at', 'updated_at')
            LOOP
                EXECUTE format('ALTER TABLE %I ALTER %I DROP NOT NULL', c.table_name, c.column_name);
            END LOOP;
        END $$;
        CREATE INDEX workspace_memberships_workspace_id_idx ON workspace_memberships (workspace_id);
        CREATE INDEX channels_workspace_id_idx ON channels (workspace_id);
        CREATE INDEX unread_messages_user_id_idx ON unread_messages (user_id);
        DROP INDEX workspaces_owner_id_idx, messages_reply_to_id_idx, notifications_message_id_idx, unread_messages_message_id_idx,
            ai_interactions_channel_id_idx;
        """;

    /// <summary>All rows of all tables, as one text.</summary>
    private const string AllRows =
        """
        SELECT md5(string_agg(
            query_to_xml(format('SELECT * FROM %I.%I t ORDER BY t::text', schemaname, tablename), true, false, '')::text, ''
            ORDER BY tablename))
        FROM pg_tables WHERE schemaname = 'public'
        """;

    [Fact]
    public async Task A_ChatGenius_database_of_a_year_is_recognised_detected_and_taken_over_and_no_row_changes()
    {
        await using var db = await TestDatabase.CreateAsync();
        await using (var connection = await db.ConnectAsync())
        {
            await UsedDatabases.BuildAsync(connection, "all_of_it");
        }

        await db.ExecuteAsync(AsTypeScriptLeavesIt);
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = db.Url.Display } };
        string[] shadow = ["--shadow", (await TestServer.UrlAsync()).Display];
        var before = await db.ScalarAsync<string>(AllRows);

        var refused = await tool.RunAsync("apply");
        refused.ExitCode.ShouldBe(ExitCode.Error);
        refused.Error.ShouldContain("CG0430");
        refused.Error.ShouldContain("11 tables in schema public: ai_interactions, channels, direct_messages, …");
        refused.Error.ShouldContain("chatgenius-db baseline --detect");

        var detected = await tool.RunAsync(["baseline", "--detect", "--yes", "--json", .. shadow]);
        detected.ExitCode.ShouldBe(ExitCode.Differs, detected.Error);
        var document = JsonDocument.Parse(detected.Out).RootElement;
        document.GetProperty("exact").GetBoolean().ShouldBeFalse();
        var states = document.GetProperty("migrations").EnumerateArray().ToList();
        states[0].GetProperty("state").GetString().ShouldBe("partly");
        states[0].GetProperty("differences").EnumerateArray().Count().ShouldBe(19 + 5);
        states[1].GetProperty("state").GetString().ShouldBe("rows_there");
        (await db.ScalarAsync<bool>("SELECT to_regnamespace('chatgenius_db') IS NULL")).ShouldBeTrue();

        (await tool.RunAsync("baseline", "--to", "5", "--yes")).Out.ShouldBe("5 migrations marked as applied\n");
        (await tool.RunAsync("apply")).Out.ShouldBe("Nothing to do: 5 migrations applied\n");

        var drift = await tool.RunAsync(["drift", .. shadow]);
        drift.ExitCode.ShouldBe(ExitCode.Differs, drift.Error);
        drift.Error.ShouldContain($"{19 + 5 + 3} differences");

        // What brings it to what the migrations make is the next migration.
        var sql = await tool.RunAsync(["drift", "--sql", .. shadow]);
        tool.Write("migrations/0006_as_the_bundle.sql", $"-- migrate:up transaction:false\n{sql.Out}\n-- migrate:down irreversible:true\n");
        var apply = await tool.RunAsync("apply");
        apply.ExitCode.ShouldBe(ExitCode.Done, apply.Error);
        (await db.ScalarAsync<string>(AllRows)).ShouldBe(before);
    }

    /// <summary>A middle era: the same names of tables with other columns, and no table of the last ones.</summary>
    [Fact]
    public async Task A_database_of_the_middle_era_is_no_match_and_nothing_is_marked()
    {
        await using var db = await TestDatabase.CreateAsync();
        await db.ExecuteAsync(
            """
            CREATE TABLE users (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), clerk_id text NOT NULL UNIQUE, name text NOT NULL);
            CREATE TABLE messages (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), sender_id uuid REFERENCES users, content text);
            CREATE TABLE unread_messages (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), channel_id uuid, user_id uuid REFERENCES users);
            INSERT INTO users (clerk_id, name) VALUES ('a', 'Ann')
            """);
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = db.Url.Display } };
        string[] shadow = ["--shadow", (await TestServer.UrlAsync()).Display];
        var before = await db.ScalarAsync<string>(AllRows);

        (await tool.RunAsync("apply")).Error.ShouldContain("CG0430");
        var detected = await tool.RunAsync(["baseline", "--detect", "--yes", .. shadow]);
        detected.ExitCode.ShouldBe(ExitCode.Differs, detected.Error);
        var marked = await tool.RunAsync("baseline", "--to", "5", "--yes");
        marked.ExitCode.ShouldBe(ExitCode.Error);
        marked.Error.ShouldContain("CG0432");
        marked.Error.ShouldContain("0001_initial_schema: no table workspaces, ");
        (await db.ScalarAsync<string>(AllRows)).ShouldBe(before);
    }

    [Fact]
    public async Task What_is_all_there_is_marked_after_a_yes()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = db.Url.Display } };
        tool.Write("migrations/0001_a.sql", "-- migrate:up\nCREATE TABLE a (i int);\n-- migrate:down\nDROP TABLE a;\n");
        tool.Write("migrations/0002_b.sql", "-- migrate:up\nCREATE TABLE b (i int);\n-- migrate:down\nDROP TABLE b;\n");
        await db.ExecuteAsync("CREATE TABLE a (i int)");
        string[] detect = ["baseline", "--detect", "--no-bundle", "--shadow", (await TestServer.UrlAsync()).Display];

        var look = await tool.RunAsync([.. detect, "--dry-run"]);
        look.ExitCode.ShouldBe(ExitCode.Done, look.Error);
        look.Out.ShouldBe("0001_a  there\n0002_b  not there\n");
        look.Error.ShouldContain("The database is at 0001_a");
        (await tool.RunAsync(detect)).Error.ShouldContain("CG1008");
        (await tool.RunAsync([.. detect, "--yes"])).Out.ShouldEndWith("1 migration marked as applied\n");
        (await tool.RunAsync("apply", "--no-bundle")).Out.ShouldStartWith("1 migration applied");
        (await tool.RunAsync("baseline", "--undo", "--no-bundle", "--yes")).Error.ShouldContain("CG0435");
    }

    [Fact]
    public async Task The_table_of_a_tool_that_was_taken_over_is_no_drift()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = db.Url.Display } };
        tool.Write("migrations/20240101000000_a.sql", "-- migrate:up\nCREATE TABLE a (i int);\n-- migrate:down\nDROP TABLE a;\n");
        await db.ExecuteAsync(
            "CREATE TABLE a (i int); CREATE TABLE goose_db_version (id serial PRIMARY KEY, version_id bigint NOT NULL, "
            + "is_applied boolean NOT NULL, tstamp timestamp NOT NULL DEFAULT now()); "
            + "INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), (20240101000000, true), (20240102000000, true)");

        (await tool.RunAsync("apply", "--no-bundle")).Error.ShouldContain("chatgenius-db baseline --from goose");
        var taken = await tool.RunAsync("baseline", "--from", "Goose", "--no-bundle", "--yes");
        taken.Out.ShouldBe("1 migration marked as applied\n");
        taken.Error.ShouldContain("public.goose_db_version of goose: 2 versions, 1 matches a file here");
        taken.Error.ShouldContain("No file here has 20240102000000");
        var drift = await tool.RunAsync("drift", "--no-bundle", "--shadow", (await TestServer.UrlAsync()).Display);
        drift.ExitCode.ShouldBe(ExitCode.Done, drift.Out);
    }

    [Theory]
    [InlineData("CG1010", "baseline")]
    [InlineData("CG1007", "baseline", "--to", "1", "--undo")]
    [InlineData("CG1007", "baseline", "--from", "goose", "--detect")]
    [InlineData("CG1006", "baseline", "--from", "liquibase")]
    public async Task Exactly_one_way_is_to_be_named(string code, params string[] arguments)
    {
        using var tool = new InProcess();

        var run = await tool.RunAsync(arguments);

        run.ExitCode.ShouldBe(ExitCode.Error);
        run.Error.ShouldContain(code);
    }
}
