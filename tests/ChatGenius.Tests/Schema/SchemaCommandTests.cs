using System.Text.RegularExpressions;
using ChatGenius.Tests.Tool;
using ChatGenius.Tool;

namespace ChatGenius.Tests.Schema;

public class SchemaCommandTests
{
    [Fact]
    public async Task A_dump_kept_in_a_file_shows_later_what_has_changed()
    {
        await using var database = await SchemaCase.BuildAsync("one-order.sql");
        using var tool = For(database);

        (await tool.RunAsync("schema", "dump", "-o", "schema.txt")).ExitCode.ShouldBe(ExitCode.Done);
        var same = await tool.RunAsync("schema", "diff", "schema.txt");
        await database.ExecuteAsync("ALTER TABLE a ALTER COLUMN x SET NOT NULL");
        var changed = await tool.RunAsync("schema", "diff", "schema.txt");

        (same.ExitCode, same.Out, same.Error).ShouldBe((ExitCode.Done, "", "The schemas are the same\n"));
        (changed.ExitCode, changed.Out, changed.Error)
            .ShouldBe((ExitCode.Differs, "~ table public.a: column x: text -> text NOT NULL\n", "1 difference\n"));
        Directory.GetFiles(tool.Folder).Length.ShouldBe(1);
    }

    [Fact]
    public async Task Two_databases_are_compared_and_a_schema_can_be_left_out()
    {
        await using var one = await SchemaCase.BuildAsync("one-order.sql");
        await using var other = await SchemaCase.BuildAsync("one-order.sql");
        await other.ExecuteAsync("CREATE SCHEMA more CREATE TABLE t (id integer)");
        using var tool = new InProcess();

        var differs = await tool.RunAsync("schema", "diff", one.Url.ConnectionString, other.Url.ConnectionString, "--json");
        var same = await tool.RunAsync("schema", "diff", one.Url.ConnectionString, other.Url.ConnectionString, "--exclude-schema", "more");

        differs.ExitCode.ShouldBe(ExitCode.Differs, differs.Error);
        using var json = JsonDocument.Parse(differs.Out);
        json.RootElement.GetProperty("differences").EnumerateArray()
            .Select(d => $"{d.GetProperty("change")} {d.GetProperty("kind")} {d.GetProperty("name")}")
            .ShouldBe(["added schema more", "added table more.t"]);
        same.ExitCode.ShouldBe(ExitCode.Done, same.Error);
    }

    [Fact]
    public async Task The_SQL_of_a_dump_is_run_by_psql()
    {
        await using var original = await SchemaCase.BuildAsync("difficult.sql");
        await using var copy = await TestDatabase.CreateAsync();
        using var tool = For(original);

        (await tool.RunAsync("schema", "dump", "--format", "sql", "-o", "schema.sql")).ExitCode.ShouldBe(ExitCode.Done);
        var psql = await Support.Psql.RunAsync(copy, Path.Combine(tool.Folder, "schema.sql"));

        psql.ExitCode.ShouldBe(0, psql.Error);
        (await SchemaCase.ReadAsync(copy)).ShouldBe(await SchemaCase.ReadAsync(original));
    }

    [Fact]
    public async Task The_page_goes_to_stdout_or_to_a_file()
    {
        await using var database = await SchemaCase.BuildAsync("one-order.sql");
        using var tool = For(database);

        var page = await tool.RunAsync("schema", "docs", "--title", "My shop");
        var file = await tool.RunAsync("schema", "docs", "--format", "markdown", "-o", "SCHEMA.md");

        page.Out.ShouldStartWith("<!DOCTYPE html>");
        page.Out.ShouldContain("My shop");
        file.Out.ShouldBe("");
        (await File.ReadAllTextAsync(Path.Combine(tool.Folder, "SCHEMA.md"))).ShouldContain("## table `public.a`");
    }

    [Fact]
    public async Task The_page_tells_what_was_applied_and_how_large_tables_are()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var tool = For(database);
        tool.Write("migrations/0001_make_notes.sql", "-- migrate:up\nCREATE TABLE notes (id int);\n-- migrate:down\nDROP TABLE notes;\n");
        tool.Write("migrations/0002_make_other.sql", "-- migrate:up\nCREATE TABLE other ();\n-- migrate:down\nDROP TABLE other;\n");
        (await tool.RunAsync("apply", "--no-bundle")).ExitCode.ShouldBe(ExitCode.Done);
        await database.ExecuteAsync("INSERT INTO notes SELECT generate_series(1, 2000); ANALYZE notes");

        var page = (await tool.RunAsync("schema", "docs", "--no-bundle")).Out;

        var notes = page[page.IndexOf("<h3 id=\"table-public.notes\"", StringComparison.Ordinal)..];
        notes = notes[..notes.IndexOf("</section>", StringComparison.Ordinal)];
        notes.ShouldContain("about 2,000 rows, ");
        notes.ShouldContain("0001_make_notes");
        notes.ShouldNotContain("0002_make_other");
        page.ShouldContain("size not known: it was never analyzed");
        page[page.IndexOf("id=\"timeline\"", StringComparison.Ordinal)..].ShouldContain("0002_make_other");

        tool.Write("migrations/0003_broken.sql", "nothing");
        var broken = await tool.RunAsync("schema", "docs", "--no-bundle");
        broken.ExitCode.ShouldBe(ExitCode.Done);
        broken.Error.ShouldContain("note: The page has no applied migrations: ");
    }

    [Theory]
    [InlineData("CG0102", "schema", "diff", "no-such-file.txt")]
    [InlineData("CG1102", "schema", "diff", "other.txt")]
    [InlineData("CG1003", "schema", "diff")]
    [InlineData("CG1006", "schema", "dump", "--format", "yaml")]
    [InlineData("CG1105", "schema", "dump", "-o", "no/such/folder/schema.txt")]
    public async Task Bad_input_is_a_problem(string code, params string[] args)
    {
        await using var database = await TestDatabase.CreateAsync();
        using var tool = For(database);
        tool.Write("other.txt", "hello\n");

        var run = await tool.RunAsync(args);

        run.ExitCode.ShouldBe(ExitCode.Error);
        run.Error.ShouldContain(code);
        run.Out.ShouldBe("");
    }

    [Fact]
    public async Task A_database_that_its_migrations_built_has_no_drift_and_one_that_was_changed_by_hand_has()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var tool = For(database);
        (await tool.RunAsync("apply")).ExitCode.ShouldBe(ExitCode.Done);

        var none = await tool.RunAsync("drift", "--verbose", "--shadow", database.Url.ConnectionString);
        await database.ExecuteAsync("DROP INDEX messages_user_id_idx; CREATE TABLE by_hand (id integer)");
        var drift = await tool.RunAsync("drift", "--shadow", database.Url.ConnectionString);

        (none.ExitCode, none.Out).ShouldBe((ExitCode.Done, ""), none.Error);
        drift.ExitCode.ShouldBe(ExitCode.Differs, drift.Error);
        drift.Out.ShouldBe(
            """
            + table public.by_hand
            - table public.messages: index messages_user_id_idx: CREATE INDEX messages_user_id_idx ON public.messages USING btree (user_id)

            """);
        var throwAway = Regex.Match(none.Error, "chatgenius_check_[0-9]+_[0-9a-f]+").Value;
        throwAway.ShouldNotBeEmpty();
        (await database.ScalarAsync<long>($"SELECT count(*) FROM pg_database WHERE datname = '{throwAway}'")).ShouldBe(0);
    }

    [Fact]
    public async Task Only_what_is_applied_is_replayed()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var tool = For(database);
        tool.Write("migrations/0001_one.sql", "-- migrate:up\nCREATE TABLE one (id integer);\n-- migrate:down\nDROP TABLE one;\n");
        tool.Write("migrations/0002_two.sql", "-- migrate:up\nCREATE TABLE two (id integer);\n-- migrate:down\nDROP TABLE two;\n");
        var applied = await tool.RunAsync("apply", "--no-bundle", "--to", "1");
        applied.ExitCode.ShouldBe(ExitCode.Done, applied.Error);

        var drift = await tool.RunAsync("drift", "--no-bundle", "--shadow", database.Url.ConnectionString);

        drift.ExitCode.ShouldBe(ExitCode.Done, drift.Out + drift.Error);
    }

    [Fact]
    public async Task A_migration_whose_file_is_gone_can_not_be_replayed()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var tool = For(database);
        var file =
            tool.Write("migrations/0001_one.sql", "-- migrate:up\nCREATE TABLE one (id integer);\n-- migrate:down\nDROP TABLE one;\n");
        tool.Write("migrations/0002_two.sql", "-- migrate:up\nCREATE TABLE two (id integer);\n-- migrate:down\nDROP TABLE two;\n");
        (await tool.RunAsync("apply", "--no-bundle")).ExitCode.ShouldBe(ExitCode.Done);
        File.Delete(file);

        var drift = await tool.RunAsync("drift", "--no-bundle", "--shadow", database.Url.ConnectionString);

        (drift.ExitCode, drift.Error.Contains("CG1107", StringComparison.Ordinal)).ShouldBe((ExitCode.Error, true), drift.Error);
    }

    private static InProcess For(TestDatabase database) => new() { Environment = { ["DATABASE_URL"] = database.Url.ConnectionString } };
}
