using ChatGenius.Db.Schema;
using ChatGenius.Db.Text;
using ChatGenius.Tool;

namespace ChatGenius.Tests.Tool;

/// <summary>The setting <c>schema_file</c>.</summary>
public class SchemaFileTests
{
    private const string First = "-- migrate:up\nCREATE TABLE a (id int PRIMARY KEY);\n-- migrate:down\nDROP TABLE a;\n";
    private const string Second = "-- migrate:up\nALTER TABLE a ADD COLUMN n text;\n-- migrate:down\nALTER TABLE a DROP COLUMN n;\n";

    [Fact]
    public async Task Apply_rollback_and_redo_write_what_the_database_has_and_which_migrations_it_is_of()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = Tool(db);

        await DoneAsync(tool, "apply");
        Written(tool).ShouldStartWith("# chatgenius-db schema 1, migrations to 0002 ");
        Written(tool).ShouldContain("column n: text");
        (await tool.RunAsync("verify")).ExitCode.ShouldBe(ExitCode.Done);

        await DoneAsync(tool, "rollback", "--yes");
        Written(tool).ShouldStartWith("# chatgenius-db schema 1, migrations to 0001 ");
        Written(tool).ShouldNotContain("column n");
        (await tool.RunAsync("verify")).Error.ShouldContain("is of the migrations to 0001, and they go to 0002");

        await DoneAsync(tool, "apply");
        var before = Written(tool);
        var run = await DoneAsync(tool, "redo", "--yes");
        Written(tool).ShouldBe(before);
        run.Error.ShouldNotContain("Wrote");
        (await tool.RunAsync("schema", "diff", "schema.txt", db.Url.Display)).Error.ShouldContain("The schemas are the same");
    }

    [Fact]
    public async Task It_is_not_written_where_the_database_is_ahead_or_drifted_or_protected_and_that_is_said()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = Tool(db);
        await DoneAsync(tool, "apply", "--to", "1");
        var before = Written(tool);

        await db.ExecuteAsync("ALTER TABLE a ADD COLUMN by_hand int");
        (await DoneAsync(tool, "apply")).Error
            .ShouldContain("schema.txt is not written: before this run the database was not what it says");
        Written(tool).ShouldBe(before);

        await db.ExecuteAsync("ALTER TABLE a DROP COLUMN by_hand");
        File.Delete(Path.Combine(tool.Folder, "migrations/0001_first.sql"));
        (await DoneAsync(tool, "apply", "--allow-missing")).Error.ShouldContain("not written: 0001_first was applied, and its file is not");
        Written(tool).ShouldBe(before);

        tool.Write("migrations/0001_first.sql", First);
        tool.Write("chatgenius-db.json", """
            { "bundle": false, "schema_file": "schema.txt",
              "environments": { "live": { "protected": true, "database_url_variable": "LIVE" } } }
            """);
        tool.Environment["LIVE"] = db.Url.Display;
        (await DoneAsync(tool, "apply", "--env", "live", "--yes")).Error.ShouldNotContain("schema.txt");
        Written(tool).ShouldBe(before);
    }

    [Fact]
    public async Task Check_compares_what_is_in_it_with_what_the_migrations_make()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = Tool(db);
        await DoneAsync(tool, "apply");

        (await tool.RunAsync("check", "--all")).Error.ShouldNotContain("CG111");
        tool.Write("schema.txt", Written(tool).Replace("column n: text", "column n: integer", StringComparison.Ordinal));
        var other = await tool.RunAsync("check");
        tool.Write("migrations/0002_second.sql", Second.Replace("text", "varchar(9)", StringComparison.Ordinal));
        var stale = await tool.RunAsync("verify");

        other.ExitCode.ShouldBe(ExitCode.Differs);
        other.Error.ShouldContain("CG1116");
        other.Error.ShouldContain("~ table public.a: column n: text -> integer");
        stale.ExitCode.ShouldBe(ExitCode.Error);
        stale.Error.ShouldContain("CG1115");
        stale.Error.ShouldContain("is of other migrations, or of another text of them");
    }

    [Fact]
    public void What_has_a_stamp_is_read_as_any_other_text_of_a_schema()
    {
        var plain = SchemaSnapshot.Parse(SourceText.From("s", "# chatgenius-db schema 1\n\ntable a\n"));
        var text = new SchemaStamp(12, new string('a', 64)).Write(plain);

        text.ShouldBe($"# chatgenius-db schema 1, migrations to 0012 {new string('a', 64)}\n\ntable a\n");
        SchemaStamp.Find(text).ShouldBe(new SchemaStamp(12, new string('a', 64)));
        SchemaStamp.Find("# chatgenius-db schema 1\n").ShouldBeNull();
        SchemaSnapshot.Parse(SourceText.From("s", text)).Find("table", "a").ShouldNotBeNull();
    }

    private static InProcess Tool(TestDatabase db)
    {
        var tool = new InProcess();
        tool.Environment["DATABASE_URL"] = db.Url.Display;
        tool.Write("chatgenius-db.json", """{ "bundle": false, "schema_file": "schema.txt" }""");
        tool.Write("migrations/0001_first.sql", First);
        tool.Write("migrations/0002_second.sql", Second);
        return tool;
    }

    private static string Written(InProcess tool) => File.ReadAllText(Path.Combine(tool.Folder, "schema.txt"));

    private static async Task<ToolRun> DoneAsync(InProcess tool, params string[] args)
    {
        var run = await tool.RunAsync(args);
        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        return run;
    }
}
