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

        // The next migrations make what it has beyond them, or bring it to what they make.
        var adopted = await tool.RunAsync(["drift", "--adopt", "as_it_is", .. shadow]);
        adopted.ExitCode.ShouldBe(ExitCode.Done, adopted.Error);
        adopted.Error.ShouldNotContain("question");
        var files = Written(tool, adopted.Out);
        (await tool.RunAsync("baseline", "--to", Path.GetFileName(files[^1])[..4], "--yes")).ExitCode.ShouldBe(ExitCode.Done);
        (await tool.RunAsync("apply")).Out.ShouldStartWith("Nothing to do");
        (await tool.RunAsync(["drift", .. shadow])).ExitCode.ShouldBe(ExitCode.Done);
        files.ForEach(File.Delete);
        await db.ExecuteAsync("DELETE FROM chatgenius_db.history WHERE version > 5");
        var sql = await tool.RunAsync(["drift", "--sql", .. shadow]);
        tool.Write("migrations/0006_as_the_bundle.sql", $"-- migrate:up transaction:false\n{sql.Out}\n-- migrate:down irreversible:true\n");
        var apply = await tool.RunAsync("apply");
        apply.ExitCode.ShouldBe(ExitCode.Done, apply.Error);
        (await db.ScalarAsync<string>(AllRows)).ShouldBe(before);
    }

    /// <summary>A middle era: the same names of tables with other columns, and no table of the last ones.</summary>
    [Fact]
    public async Task A_database_of_the_middle_era_is_like_no_state_and_is_adopted_by_answering_a_few_questions()
    {
        await using var db = await TestDatabase.CreateAsync();
        await db.ExecuteAsync(
            """
            CREATE TABLE users (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), clerk_id text NOT NULL UNIQUE, name text NOT NULL);
            CREATE TABLE messages (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), sender_id uuid NOT NULL REFERENCES users, content text);
            CREATE TABLE unread_messages (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), channel_id uuid NOT NULL, user_id uuid);
            INSERT INTO users (clerk_id, name) VALUES ('a', 'Ann');
            INSERT INTO messages (sender_id, content) SELECT id, 'Hi' FROM users;
            INSERT INTO unread_messages (channel_id) VALUES (gen_random_uuid())
            """);
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = db.Url.Display } };
        string[] shadow = ["--shadow", (await TestServer.UrlAsync()).Display];
        var before = await db.ScalarAsync<string>(AllRows);

        (await tool.RunAsync("apply")).Error.ShouldContain("CG0430");
        var detected = await tool.RunAsync(["baseline", "--detect", "--yes", .. shadow]);
        detected.ExitCode.ShouldBe(ExitCode.Differs, detected.Error);
        detected.Error.ShouldContain("chatgenius-db baseline --to 0005_add_ai_trash_talk --force");
        var marked = await tool.RunAsync("baseline", "--to", "5", "--yes");
        marked.ExitCode.ShouldBe(ExitCode.Error);
        marked.Error.ShouldContain("CG0432");
        marked.Error.ShouldContain("0001_initial_schema: no table workspaces, ");
        (await tool.RunAsync("baseline", "--to", "5", "--yes", "--force")).ExitCode.ShouldBe(ExitCode.Done);

        // Only what the migrations themselves put there is asked for: other rows are kept by a condition in the file.
        var adopted = await tool.RunAsync(["drift", "--adopt", "middle", .. shadow]);
        adopted.ExitCode.ShouldBe(ExitCode.Done, adopted.Error);
        var files = Written(tool, adopted.Out);
        var first = await File.ReadAllTextAsync(files[0]);
        first.ShouldContain("-- cgdb:require SELECT NOT EXISTS (SELECT FROM public.notifications);\n");
        first.ShouldContain("-- cgdb:require SELECT NOT EXISTS (SELECT FROM public.messages WHERE attachments IS DISTINCT FROM NULL);\n");
        var all = string.Concat(files.Select(File.ReadAllText));
        all.ShouldContain("-- cgdb:todo are the rows of public.channels needed no more?");
        all.ShouldContain("-- cgdb:todo what shall rows that are there have in public.messages.sender_id");
        all.ShouldNotContain("-- cgdb:todo are the rows of public.notifications needed no more?");
        (await tool.RunAsync("apply")).Error.ShouldContain("CG1408");

        // Answered as the questions say: yes, and a value for what has none.
        foreach (var file in files)
        {
            var lines = (await File.ReadAllLinesAsync(file)).Where(line => !line.StartsWith("-- cgdb:todo", StringComparison.Ordinal));
            await File.WriteAllLinesAsync(file, lines
                .Select(line => line.StartsWith("-- ALTER", StringComparison.Ordinal)
                    || line.StartsWith("-- DROP", StringComparison.Ordinal) ? line[3..] : line)
                .Select(line => line.Contains("sender_id SET NOT NULL", StringComparison.Ordinal)
                    ? $"UPDATE public.messages SET sender_id = user_id;\n{line}" : line));
        }

        (await tool.RunAsync("apply")).Error.ShouldContain("CG0526", customMessage: "Here rows would be lost.");
        (await db.ScalarAsync<string>(AllRows)).ShouldBe(before);
        (await tool.RunAsync("baseline", "--to", Path.GetFileName(files[^1])[..4], "--yes")).ExitCode.ShouldBe(ExitCode.Done);
        (await tool.RunAsync("apply")).Out.ShouldStartWith("Nothing to do");
        var drift = await tool.RunAsync(["drift", .. shadow]);
        drift.ExitCode.ShouldBe(ExitCode.Done, drift.Out + drift.Error);
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
        (await tool.RunAsync("rollback", "--no-bundle", "--yes")).ExitCode.ShouldBe(ExitCode.Done);
        (await tool.RunAsync("baseline", "--undo", "--no-bundle", "--yes")).Out.ShouldBe("1 mark taken back\n");
        (await tool.RunAsync("apply", "--no-bundle")).Error.ShouldContain("CG0430", customMessage: "What was marked is still there.");
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

    private static List<string> Written(InProcess tool, string output) =>
        [.. output.Replace("FOLDER", tool.Folder, StringComparison.Ordinal).Split('\n', StringSplitOptions.RemoveEmptyEntries)];

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
