using ChatGenius.Tool;

namespace ChatGenius.Tests.Tool;

public class NewCommandTests
{
    [Fact]
    public async Task In_an_empty_folder_without_a_database_the_file_follows_the_bundle_and_its_path_ends_stdout()
    {
        using var tool = new InProcess();

        var run = await tool.RunAsync("new", "AddReactions", "message:references", "user:references", "emoji:text");

        run.ExitCode.ShouldBe(ExitCode.Done);
        run.Out.ShouldBe("FOLDER/migrations/0006_add_reactions.sql\n");
        run.Error.ShouldBe("Template create_table, with table reactions (--template NAME takes another, --list shows them)\n");
        Directory.GetFileSystemEntries(tool.Folder).Select(Path.GetFileName).ShouldBe(["migrations"]);
        Directory.GetFileSystemEntries(Path.Combine(tool.Folder, "migrations")).Select(Path.GetFileName)
            .ShouldBe(["0006_add_reactions.sql"]);
    }

    [Fact]
    public async Task What_is_written_can_be_applied_rolled_back_and_applied()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = database.Url.Display } };
        await tool.RunAsync("new", "add_reactions", "message:references", "user:references", "emoji:text:unique(message,user,emoji)");
        await tool.RunAsync("new", "add_kind_to_messages", "kind:text", "--set", "value='chat'");

        foreach (var words in (string[][])[["apply"], ["rollback", "--all", "--yes"], ["apply"]])
        {
            var run = await tool.RunAsync(words);
            run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        }

        const string IsRequired = "SELECT attnotnull FROM pg_attribute WHERE attrelid = 'messages'::regclass AND attname = 'kind'";
        (await database.ScalarAsync<bool>(IsRequired)).ShouldBeTrue();
    }

    [Fact]
    public async Task The_number_follows_the_history_of_a_database_that_answers()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = database.Url.Display } };
        tool.Write("elsewhere/0042_x.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 1;\n");
        (await tool.RunAsync("apply", "-m", "elsewhere", "--no-bundle")).ExitCode.ShouldBe(ExitCode.Done);

        var run = await tool.RunAsync("new", "add_reactions");

        run.Out.ShouldBe("FOLDER/migrations/0043_add_reactions.sql\n");
    }

    [Theory]
    [InlineData("postgres://nobody@127.0.0.1:1/none")]
    [InlineData("no url at all")]
    public async Task A_database_that_can_not_be_asked_is_no_hindrance(string url)
    {
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = url, ["CI"] = "true" } };

        var run = await tool.RunAsync("new", "add_reactions", "-v");

        run.Out.ShouldBe("FOLDER/migrations/0006_add_reactions.sql\n");
        run.Error.ShouldContain("The history was not asked");
    }

    [Fact]
    public async Task A_migration_that_needs_several_files_prints_them_in_order()
    {
        using var tool = new InProcess();

        var run = await tool.RunAsync("new", "add_kind_to_messages", "kind:text", "--no-bundle");

        run.Out.Split('\n').Select(Path.GetFileName).ShouldBe(
            ["0001_add_kind_to_messages.sql", "0002_backfill_kind_in_messages.sql", "0003_require_kind_in_messages.sql", ""]);
        run.Error.ShouldContain("so it comes in steps");
    }

    [Fact]
    public async Task A_name_that_is_there_is_refused_unless_it_is_wanted_again()
    {
        using var tool = new InProcess();
        await tool.RunAsync("new", "add_reactions", "emoji:text");

        var run = await tool.RunAsync("new", "AddReactions");

        run.ExitCode.ShouldBe(ExitCode.Error);
        run.Error.ShouldContain("CG0820: There is a migration of this name: 0006_add_reactions.sql");
        (await tool.RunAsync("new", "initial_schema")).Error
            .ShouldContain("CG0820: There is a migration of this name: 0001_initial_schema.sql");
        Directory.GetFiles(Path.Combine(tool.Folder, "migrations")).Length.ShouldBe(1);
        (await tool.RunAsync("new", "add_reactions", "--again")).Out.ShouldBe("FOLDER/migrations/0007_add_reactions.sql\n");
    }

    [Fact]
    public async Task A_number_by_the_time_is_begun_with_timestamp_and_kept_by_those_that_follow()
    {
        using var tool = new InProcess();

        var first = (await tool.RunAsync("new", "add_reactions", "--timestamp")).Out;
        var second = (await tool.RunAsync("new", "add_polls")).Out;

        first.ShouldMatch("^FOLDER/migrations/20[0-9]{12}_add_reactions.sql\n$");
        second.ShouldMatch("^FOLDER/migrations/20[0-9]{12}_add_polls.sql\n$");
        string.CompareOrdinal(second, first).ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task What_the_last_new_wrote_is_taken_back_while_it_is_as_it_was_and_not_applied()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = database.Url.Display } };
        async Task<string> RefusedAsync() => (await tool.RunAsync("new", "--undo")).Error[..13];
        (await RefusedAsync()).ShouldBe("error CG0822:");
        await tool.RunAsync("new", "add_reactions");
        var paths = (await tool.RunAsync("new", "add_kind_to_messages", "kind:text")).Out
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);

        (await tool.RunAsync("new", "--undo", "--json")).Out.ShouldContain("\"deleted\"");
        Directory.GetFiles(Path.Combine(tool.Folder, "migrations")).Select(Path.GetFileName).ShouldBe(["0006_add_reactions.sql"]);
        (await RefusedAsync()).ShouldBe("error CG0822:");

        paths.Length.ShouldBe(3);
        await tool.RunAsync("new", "add_kind_to_messages", "kind:text");
        var second = Path.Combine(tool.Folder, "migrations", Path.GetFileName(paths[1]));
        await File.AppendAllTextAsync(second, "-- mine\n");
        (await RefusedAsync()).ShouldBe("error CG0821:");
        Directory.GetFiles(Path.Combine(tool.Folder, "migrations")).Length.ShouldBe(4);

        await tool.RunAsync("new", "add_polls");
        (await tool.RunAsync("apply", "--to", "6")).ExitCode.ShouldBe(ExitCode.Done);
        (await tool.RunAsync("new", "--undo")).Out.ShouldBe("Deleted FOLDER/migrations/0010_add_polls.sql\n");
        await tool.RunAsync("new", "add_applied");
        File.Delete(second);
        File.Delete(Path.Combine(tool.Folder, "migrations", Path.GetFileName(paths[2])));
        (await tool.RunAsync("apply")).ExitCode.ShouldBe(ExitCode.Done);
        (await RefusedAsync()).ShouldBe("error CG0822:");
    }

    [Fact]
    public async Task What_is_still_missing_is_said_after_the_files()
    {
        using var tool = new InProcess();

        (await tool.RunAsync("new", "tidy_up")).Error.ShouldContain("\ntodo: FOLDER/migrations/0006_tidy_up.sql:1: ");
        (await tool.RunAsync("new", "backfill_title_in_users")).Error
            .ShouldMatch("\ntodo: FOLDER/migrations/0007_backfill_title_in_users.sql:[0-9]+: put what the rows get in the place of NULL");
        (await tool.RunAsync("new", "drop_invites")).Error
            .ShouldMatch("\ntodo: FOLDER/migrations/0008_drop_invites.sql:[0-9]+: since when no running version");
        (await tool.RunAsync("new", "add_reactions", "emoji:text")).Error.ShouldNotContain("todo");
    }

    [Theory]
    [InlineData("drop_invites")]
    [InlineData("remove_title_from_users")]
    [InlineData("rename_content_to_body_in_messages")]
    public async Task A_reason_that_nobody_gave_is_refused_until_somebody_does(string name)
    {
        using var tool = new InProcess();
        var path = (await tool.RunAsync("new", name)).Out.Trim().Replace("FOLDER", tool.Folder, StringComparison.Ordinal);

        (await tool.RunAsync("verify")).Error.ShouldContain("CG1205: The allow gives no reason yet");
        var text = (await File.ReadAllTextAsync(path)).Replace("todo: since when", "since 2.7", StringComparison.Ordinal);
        await File.WriteAllTextAsync(path, text);

        (await tool.RunAsync("verify")).ExitCode.ShouldBe(ExitCode.Done);
    }

    [Fact]
    public async Task The_list_fits_a_terminal()
    {
        using var tool = new InProcess();

        (await tool.RunAsync("new", "--list")).Out.Split('\n').ShouldAllBe(line => line.Length <= 80);
    }

    [Fact]
    public async Task Stdout_gets_the_text_and_no_file_is_written()
    {
        using var tool = new InProcess();

        var run = await tool.RunAsync("new", "index_messages_on_user_id", "--stdout");

        run.Out.ShouldStartWith("-- migrate:up transaction:false\n");
        Directory.GetFileSystemEntries(tool.Folder).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_template_of_the_project_comes_before_the_built_in_one()
    {
        using var tool = new InProcess();
        (await tool.RunAsync("new", "--eject", "create_view")).Out.ShouldBe("FOLDER/migrations/templates/create_view.sbn\n");
        tool.Write("migrations/templates/create_view.sbn", "-- migrate:up\nSELECT '{{ name }}';\n-- migrate:down\nSELECT 1;\n");
        tool.Write(
            "migrations/templates/mine.sbn",
            "{{~ ## summary: Mine\n value who (text): whom it greets\n ## ~}}\n-- migrate:up\nSELECT {{ who }};\n-- migrate:down\nSELECT "
                + "1;\n");

        (await tool.RunAsync("new", "create_view_x", "--stdout")).Out
            .ShouldBe("-- migrate:up\nSELECT 'create_view_x';\n-- migrate:down\nSELECT 1;\n");
        (await tool.RunAsync("new", "greet", "-t", "mine", "--set", "who=it's me", "--stdout")).Out.ShouldContain("SELECT 'it''s me';");
        (await tool.RunAsync("new", "--list")).Out.ShouldContain("Mine (FOLDER/migrations/templates/mine.sbn)");
        (await tool.RunAsync("new", "--eject", "create_view")).Error.ShouldContain("CG0812");
    }

    [Fact]
    public async Task A_template_that_makes_no_migration_is_warned_of()
    {
        using var tool = new InProcess();
        tool.Write("migrations/templates/blank.sbn", "SELECT 1;\n");

        var run = await tool.RunAsync("new", "tidy_up");

        run.Out.ShouldBe("FOLDER/migrations/0006_tidy_up.sql\n");
        run.Error.ShouldContain("warning CG0307");
    }

    [Fact]
    public async Task Templates_may_lie_elsewhere()
    {
        using var tool = new InProcess { Environment = { ["CHATGENIUS_TEMPLATES"] = "tpl" } };
        tool.Write("tpl/blank.sbn", "-- migrate:up\nSELECT 7;\n-- migrate:down\nSELECT 1;\n");

        tool.Write("other/blank.sbn", "-- migrate:up\nSELECT 8;\n-- migrate:down\nSELECT 1;\n");

        (await tool.RunAsync("new", "tidy_up", "--stdout")).Out.ShouldContain("SELECT 7");
        (await tool.RunAsync("new", "tidy_up", "--stdout", "--templates", "other")).Out.ShouldContain("SELECT 8");
        (await tool.RunAsync("new", "--eject", "create_view", "--templates", "new/folder")).Out
            .ShouldBe("FOLDER/new/folder/create_view.sbn\n");
    }

    [Theory]
    [InlineData("{{ nobody }}\n", "1:4", "nobody")]
    [InlineData("-- migrate:up\n{{ if true }}\n", "", "end")]
    [InlineData("{{ ## nonsense\n## }}\n", "1:7", "header")]
    [InlineData("{{ while true }}{{ end }}\n", "1:4", "100000")]
    [InlineData("-- é😀\ncreate {{ if }}", "2:14", "create {{ if }}")]
    [InlineData("é😀 {{ name | math.abs }}", "1:14", "is not a number")]
    public async Task A_broken_template_is_a_problem_at_its_place(string text, string place, string named)
    {
        using var tool = new InProcess();
        tool.Write("migrations/templates/blank.sbn", text);

        var run = await tool.RunAsync("new", "tidy_up");

        run.ExitCode.ShouldBe(ExitCode.Error);
        run.Error.ShouldContain("CG0811");
        run.Error.ShouldContain($"FOLDER/migrations/templates/blank.sbn:{place}");
        run.Error.ShouldContain(named);
    }

    [Fact]
    public async Task What_is_wrong_with_an_included_template_is_shown_there()
    {
        using var tool = new InProcess();
        tool.Write("migrations/templates/blank.sbn", "{{ include 'part' }}");
        tool.Write("migrations/templates/part.sbn", "-- a part\n{{ func }}{{ end }}\n");

        var run = await tool.RunAsync("new", "tidy_up");

        run.Error.ShouldContain("FOLDER/migrations/templates/part.sbn:2:4");
        run.Error.ShouldContain("func");
    }

    [Theory]
    [InlineData("CG0801", "new")]
    [InlineData("CG0801", "new", "käse")]
    [InlineData("CG0803", "new", "add_x", "a:txt")]
    [InlineData("CG0806", "new", "add_x", "id:int")]
    [InlineData("CG0807", "new", "add_x", "a:int:unique(a,b)")]
    [InlineData("CG0808", "new", "tidy_up", "a:int")]
    [InlineData("CG0808", "new", "create_enum_mood")]
    [InlineData("CG0808", "new", "add_index_to_messages")]
    [InlineData("CG0808", "new", "add_fk_owner_to_messages")]
    [InlineData("CG0808", "new", "change_type_of_a_in_b")]
    [InlineData("CG0808", "new", "seed_users", "name")]
    [InlineData("CG0809", "new", "add_check_to_users")]
    [InlineData("CG0809", "new", "add_x", "--set", "colour=red")]
    [InlineData("CG0809", "new", "add_x", "--set", "red")]
    [InlineData("CG0809", "new", "backfill_a_in_b", "--set", "batch_size=0")]
    [InlineData("CG0809", "new", "tidy_up", "-t", "add_index", "a")]
    [InlineData("CG0809", "new", "create_extraordinarily_comprehensive_customer_relationship_management_records")]
    [InlineData(
        "CG0809", "new", "index_users_on_name", "--set", "index=an_index_with_a_name_that_is_longer_than_all_that_postgresql_keeps")]
    [InlineData("CG0810", "new", "add_x", "-t", "create_tabel")]
    [InlineData("CG0810", "new", "--show", "nothing")]
    [InlineData("CG0810", "new", "--eject", "../evil")]
    public async Task What_can_not_be_written_is_a_problem_and_no_file_appears(string code, params string[] args)
    {
        using var tool = new InProcess();

        var run = await tool.RunAsync(args);

        run.ExitCode.ShouldBe(ExitCode.Error);
        run.Out.ShouldBeEmpty();
        run.Error.ShouldContain($"error {code}: ");
        run.Error.ShouldContain("help: ");
        Directory.GetFileSystemEntries(tool.Folder).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_editor_opens_only_on_a_terminal()
    {
        using var tool = new InProcess { Environment = { ["EDITOR"] = "false" } };

        var run = await tool.RunAsync("new", "tidy_up", "--edit");

        run.ExitCode.ShouldBe(ExitCode.Done);
        run.Error.ShouldContain("this is not a terminal");
    }

    [Fact]
    public async Task On_a_terminal_the_editor_gets_the_file_and_may_have_arguments()
    {
        using var tool = new InProcess { Terminal = true, Environment = { ["EDITOR"] = "printf 'edited %s\\n' 1 >" } };

        var run = await tool.RunAsync("new", "tidy_up", "--edit");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        File.ReadAllText(Path.Combine(tool.Folder, "migrations", "0006_tidy_up.sql")).ShouldBe("edited 1\n");
    }

    [Fact]
    public async Task On_a_terminal_without_an_editor_nothing_is_written()
    {
        using var tool = new InProcess { Terminal = true };

        (await tool.RunAsync("new", "tidy_up", "--edit")).Error.ShouldContain("CG0819");
        Directory.GetFileSystemEntries(tool.Folder).ShouldBeEmpty();
    }
}
