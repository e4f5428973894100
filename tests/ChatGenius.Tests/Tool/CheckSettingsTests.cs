using ChatGenius.Tool;

namespace ChatGenius.Tests.Tool;

/// <summary>What a project decides about <c>check</c>, and the forms in which others want its findings.</summary>
public class CheckSettingsTests
{
    private const string Bad =
        "-- migrate:up\nCREATE INDEX orders_note_idx ON orders (note);\n-- migrate:down\nDROP INDEX orders_note_idx;\n";

    [Theory]
    [InlineData("""{ "rules": { "L101": { "severity": "off", "reason": "nobody writes at night" } } }""", null)]
    [InlineData("""{ "rules": { "index-blocks-writes": { "severity": "warning", "reason": "small tables" } } }""", "warning")]
    [InlineData("""{ "left_out": ["orders"] }""", null)]
    [InlineData("""{ "left_out": ["public"] }""", null)]
    [InlineData("""{ "left_out": ["public.customers", "audit"] }""", "error")]
    [InlineData("{}", "error")]
    public async Task The_settings_say_how_much_a_rule_or_a_table_matters(string settings, string? severity)
    {
        using var tool = await ToolAsync(Bad);
        tool.Write("chatgenius-db.json", $$"""{ "check": {{settings}} }""");

        var run = await tool.RunAsync("check", "--no-bundle", "--shadow", tool.Environment["SHADOW"], "--json");

        run.ExitCode.ShouldBe(severity == "error" ? ExitCode.Differs : ExitCode.Done, run.Error);
        using var json = JsonDocument.Parse(run.Out);
        var findings = json.RootElement.GetProperty("findings").EnumerateArray()
            .Select(finding => finding.GetProperty("severity").GetString()).ToList();
        findings.ShouldBe(severity is null ? [] : [severity]);
        json.RootElement.GetProperty("allowed").GetArrayLength().ShouldBe(severity is null ? 1 : 0);
    }

    [Fact]
    public async Task Migrations_up_to_a_number_count_as_reviewed()
    {
        using var tool = await ToolAsync(Bad);
        tool.Write("chatgenius-db.json", """{ "check": { "start_after": 2 } }""");

        var run = await tool.RunAsync("check", "--all", "--no-bundle", "--shadow", tool.Environment["SHADOW"]);

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        run.Error.ShouldContain("Nothing to check");
    }

    [Theory]
    [InlineData("""{ "rules": { "L999": { "severity": "off", "reason": "x" } } }""", "CG0903")]
    [InlineData("""{ "rules": { "L101": { "severity": "off" } } }""", "CG0904")]
    [InlineData("""{ "rules": { "L101": { "severity": "never", "reason": "x" } } }""", "CG0904")]
    [InlineData("""{ "left_out": "audit" }""", "CG0904")]
    [InlineData("""{ "start_afer": 2 }""", "CG0903")]
    [InlineData("[]", "CG0904")]
    public async Task Settings_that_can_not_be_right_are_problems(string settings, string code)
    {
        using var tool = new InProcess();
        tool.Write("chatgenius-db.json", $$"""{ "check": {{settings}}, "bundle": false }""");

        var run = await tool.RunAsync("verify");

        run.ExitCode.ShouldBe(ExitCode.Error);
        run.Error.ShouldContain(code);
    }

    [Fact]
    public async Task Sizes_that_were_saved_from_a_target_count_without_it()
    {
        using var tool = await ToolAsync(Bad);
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync(
            "CREATE TABLE orders (id bigint PRIMARY KEY, note text); INSERT INTO orders SELECT n FROM generate_series(1, 1234) n; ANALYZE");
        string[] check = ["check", "--no-bundle", "--shadow", tool.Environment["SHADOW"]];

        await tool.RunAsync([.. check, "--target", database.Url.Display, "--save-sizes", "sizes.json"]);
        var run = await tool.RunAsync([.. check, "--sizes", "sizes.json", "--json"]);

        run.Out.ShouldContain("about 1,234 rows");
        tool.Write("sizes.json", "{ \"tables\": 1 }");
        (await tool.RunAsync([.. check, "--sizes", "sizes.json"])).Error.ShouldContain("CG1214");
    }

    [Fact]
    public async Task GitLab_and_Markdown_reports_name_the_place_and_the_rule()
    {
        using var tool = await ToolAsync(Bad);

        await tool.RunAsync("check", "--no-bundle", "--shadow", tool.Environment["SHADOW"], "--gitlab", "gl.json", "--markdown", "pr.md");

        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(tool.Folder, "gl.json")));
        var finding = json.RootElement.EnumerateArray().ShouldHaveSingleItem();
        finding.GetProperty("check_name").GetString().ShouldBe("L101 index-blocks-writes");
        finding.GetProperty("severity").GetString().ShouldBe("critical");
        finding.GetProperty("fingerprint").GetString()!.Length.ShouldBe(64);
        finding.GetProperty("location").GetProperty("path").GetString().ShouldBe("migrations/0002_bad.sql");
        finding.GetProperty("location").GetProperty("lines").GetProperty("begin").GetInt32().ShouldBe(2);
        var markdown = await File.ReadAllTextAsync(Path.Combine(tool.Folder, "pr.md"));
        markdown.ShouldContain("#### `0002_bad`");
        markdown.ShouldContain("- **error** [L101 index-blocks-writes](https://www.postgresql.org/");
        markdown.ShouldContain("line 2: Building the index orders\\_note\\_idx stops writes to orders");
        markdown.ShouldContain("  CREATE INDEX CONCURRENTLY");
    }

    [Fact]
    public async Task Under_CI_what_could_not_be_judged_fails_unless_it_is_allowed()
    {
        const string Lacking = "-- migrate:up\n{0}CREATE EXTENSION not_to_be_had;\n-- migrate:down irreversible:true\n";
        using var tool = await ToolAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, Lacking, ""));
        string[] check = ["check", "--no-bundle", "--shadow", tool.Environment["SHADOW"]];

        var plain = await tool.RunAsync(check);
        var asked = await tool.RunAsync([.. check, "--fail-on", "error,unjudged"]);
        tool.Environment["CI"] = "true";
        var inCi = await tool.RunAsync(check);
        var onlyErrors = await tool.RunAsync([.. check, "--fail-on", "error"]);
        tool.Write("migrations/0002_bad.sql",
            string.Format(System.Globalization.CultureInfo.InvariantCulture, Lacking, "-- cgdb:allow unjudged: production has it\n"));
        var allowed = await tool.RunAsync([.. check, "--json"]);

        plain.ExitCode.ShouldBe(ExitCode.Done);
        plain.Error.ShouldContain("1 statement could not be judged");
        (asked.ExitCode, inCi.ExitCode, onlyErrors.ExitCode).ShouldBe((ExitCode.Differs, ExitCode.Differs, ExitCode.Done));
        allowed.ExitCode.ShouldBe(ExitCode.Done, allowed.Error);
        allowed.Out.ShouldContain("\"unjudged\": 0");
    }

    [Fact]
    public async Task What_made_up_rows_break_is_checked_without_them_too()
    {
        using var tool = await ToolAsync(
            "-- migrate:up\nALTER TABLE orders ALTER COLUMN note TYPE int USING note::int;\nALTER TABLE orders ALTER COLUMN note SET NOT "
                + "NULL;\n-- migrate:down irreversible:true\n");

        var run = await tool.RunAsync("check", "--all", "--no-bundle", "--shadow", tool.Environment["SHADOW"], "--made-up", "--json");
        tool.Write("migrations/0003_x.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 1;\n");
        var second = await tool.RunAsync("check", "--no-bundle", "--shadow", tool.Environment["SHADOW"], "--made-up", "--json");

        foreach (var json in new[] { run.Out, second.Out })
        {
            using var document = JsonDocument.Parse(json);
            document.RootElement.GetProperty("findings").EnumerateArray().Select(finding => finding.GetProperty("id").GetString())
                .Intersect(["L305", "L203", "F102"]).Count().ShouldBe(3, json);
        }
    }

    [Theory]
    [InlineData("-- cgdb:alow L101: typo")]
    [InlineData("-- cgdb:allow L999: no such rule")]
    [InlineData("-- cgdb:allow L101")]
    public async Task Verify_reports_comments_that_can_not_be_read(string comment)
    {
        using var tool = new InProcess();
        tool.Write("migrations/0001_a.sql", $"-- migrate:up\n{comment}\nSELECT 1;\n-- migrate:down\nSELECT 1;\n");

        var run = await tool.RunAsync("verify", "--no-bundle");

        run.ExitCode.ShouldBe(ExitCode.Error);
        run.Error.ShouldContain("CG120");
    }

    private static async Task<InProcess> ToolAsync(string second)
    {
        var tool = new InProcess();
        tool.Environment["SHADOW"] = (await TestServer.UrlAsync()).Display;
        tool.Write("migrations/0001_orders.sql",
            "-- migrate:up\nCREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);\n-- migrate:down\nDROP "
            + "TABLE orders;\n");
        tool.Write("migrations/0002_bad.sql", second);
        return tool;
    }
}
