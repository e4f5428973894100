using ChatGenius.Tool;

namespace ChatGenius.Tests.Tool;

/// <summary>A folder as dbmate leaves it: names as they were typed, and downs that nobody has written.</summary>
public class DbmateFolderTests
{
    private const string First = "20240101000000_add Big-users.sql";
    private const string Second = "20240102000000_addOrders.sql";

    [Fact]
    public async Task The_setting_takes_its_empty_downs_for_no_way_back()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var tool = Project(database);
        tool.Write("chatgenius-db.json", """{ "bundle": false, "format": "dbmate" }""");

        var verify = await tool.RunAsync("verify");
        verify.Out.ShouldBe("2 migrations verified, 1 irreversible\n");
        verify.Error.ShouldBe("note: 1 down section is empty, which is taken for no way back\n");
        (await tool.RunAsync("apply")).ExitCode.ShouldBe(ExitCode.Done);
        (await tool.RunAsync("status")).Out.ShouldContain("add Big-users");
        (await tool.RunAsync("rollback", "--yes")).ExitCode.ShouldBe(ExitCode.Done);
        (await tool.RunAsync("rollback", "--yes")).Error.ShouldContain("CG0407");
        File.Delete(Path.Combine(tool.Folder, "migrations", First));
        (await tool.RunAsync("rollback", "--yes")).Error.ShouldContain("CG0407", customMessage: "The history knows it too.");
    }

    [Fact]
    public async Task Without_it_what_a_baseline_has_marked_may_have_them_and_nothing_after_it()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync("CREATE TABLE schema_migrations (version varchar PRIMARY KEY);"
            + "INSERT INTO schema_migrations VALUES ('20240101000000'); CREATE TABLE users (id int);");
        using var tool = Project(database);
        tool.Write("chatgenius-db.json", """{ "bundle": false }""");

        (await tool.RunAsync("verify")).Error.ShouldContain("CG0317");
        (await tool.RunAsync("apply")).Error.ShouldContain("CG0430", customMessage: "That dbmate has built it comes first.");
        (await tool.RunAsync("baseline", "--from", "dbmate", "--yes")).Error.ShouldContain("1 down section of them is empty");
        var apply = await tool.RunAsync("apply");
        var test = await tool.RunAsync("test-database", "--server", (await TestServer.UrlAsync()).Display);
        test.ExitCode.ShouldBe(ExitCode.Done, test.Error);
        await tool.RunAsync("test-database", "drop", test.Out.Trim());
        (await tool.RunAsync("reset", "--yes", "--force")).ExitCode.ShouldBe(ExitCode.Done);
        (await tool.RunAsync("apply")).Out.ShouldStartWith("Nothing to do", customMessage: "The folder is the one that was taken over.");
        tool.Write("migrations/20240103000000_c.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\n");
        var refused = await tool.RunAsync("apply");

        apply.ExitCode.ShouldBe(ExitCode.Done, apply.Error);
        refused.Error.ShouldContain("CG0317");
        refused.Error.ShouldNotContain(First);
        (await tool.RunAsync("baseline", "--undo", "--yes")).Out.ShouldStartWith("Nothing to do", customMessage: "It reads no file.");
    }

    [Fact]
    public async Task Its_own_folder_is_read_as_it_is_and_another_tools_is_named_once()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var tool = Project(database);
        tool.Write($"db/migrations/{First}", "-- migrate:up\nCREATE TABLE users (id int);\n-- migrate:down\n");
        tool.Write("migrations/20240104000000_d.up.sql", "SELECT 1;\n");

        (await tool.RunAsync("status", "--no-bundle", "-m", "db/migrations")).Error.ShouldNotContain("note: This looks like");
        (await tool.RunAsync("status", "--no-bundle")).Error.Split("note: This looks like").Length.ShouldBe(2);
    }

    [Fact]
    public async Task A_call_in_a_note_says_where_it_works_as_one_in_an_advice_does()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync("CREATE TABLE schema_migrations (version varchar PRIMARY KEY); CREATE TABLE users (id int);");
        using var tool = Project(database);

        var shadow = (await TestServer.UrlAsync()).Display;
        var run = await tool.RunAsync("baseline", "--no-bundle", "--detect", "--dry-run", "--shadow", shadow);

        run.Error.ShouldContain("note: public.schema_migrations is dbmate's: 'chatgenius-db baseline --from dbmate --no-bundle'");
    }

    [Fact]
    public async Task What_a_baseline_has_marked_may_be_edited_or_gone_and_that_is_said()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var tool = Project(database);
        tool.Write("chatgenius-db.json", """{ "bundle": false, "format": "dbmate" }""");
        tool.Write("migrations/20240103000000_c.sql", "-- migrate:up\nCREATE TABLE c (id int);\n-- migrate:down\nDROP TABLE c;\n");
        (await tool.RunAsync("baseline", "--to", "20240102000000", "--force", "--yes")).ExitCode.ShouldBe(ExitCode.Done);
        File.Delete(Path.Combine(tool.Folder, "migrations", First));
        tool.Write($"migrations/{Second}", "-- migrate:up\nSELECT 'edited';\n-- migrate:down\nSELECT 1;\n");

        var apply = await tool.RunAsync("apply");

        apply.ExitCode.ShouldBe(ExitCode.Done, apply.Error);
        apply.Error.ShouldContain("A baseline marked 20240102000000_addOrders, edited since then");
        apply.Error.ShouldContain("A baseline marked 20240101000000_add Big-users, and there is no such file");
        tool.Write("migrations/20240103000000_c.sql", "-- migrate:up\nCREATE TABLE d (id int);\n-- migrate:down\nDROP TABLE d;\n");
        (await tool.RunAsync("apply")).Error.ShouldContain("CG0401", customMessage: "What this tool ran is judged as ever.");
    }

    [Fact]
    public async Task Strict_asks_for_snake_case()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var tool = Project(database);
        tool.Write("chatgenius-db.json", """{ "bundle": false, "format": "dbmate" }""");

        var run = await tool.RunAsync("verify", "--strict");

        run.Error.ShouldContain("CG0303");
        run.Error.ShouldContain("add_big_users");
        run.Error.ShouldContain("add_orders");
    }

    [Fact]
    public void The_folder_of_the_socket_may_be_dbmates_parameter() =>
        DatabaseUrl.Parse("postgres://me@/shop?socket=/var/run/postgresql", environment: _ => null).Host.ShouldBe("/var/run/postgresql");

    private static InProcess Project(TestDatabase database)
    {
        var tool = new InProcess { Environment = { ["DATABASE_URL"] = database.Url.Display } };
        tool.Write($"migrations/{First}", "-- migrate:up\nCREATE TABLE users (id int);\n\n-- migrate:down\n\n");
        tool.Write($"migrations/{Second}", "-- migrate:up\nCREATE TABLE orders (id int);\n-- migrate:down\nDROP TABLE orders;\n");
        return tool;
    }
}
