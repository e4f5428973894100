using ChatGenius.Tool;
using ChatGenius.Tool.Configuration;

namespace ChatGenius.Tests.Tool;

public class SettingsTests
{
    [Fact]
    public async Task Every_problem_of_the_file_is_told_with_its_place()
    {
        using var tool = new InProcess();
        tool.Write("chatgenius-db.json", """
            { // comments and trailing commas are welcome
              "$schema": "./schema.json",
              "migratons": "db",
            	"lock_timeout": 5, "bundle": "true",
              "retries": 1.5,
              "bundle": false,
              "environments": {
                "production": { "protected": "yes", "database_url_variable": "", "colour": { "a": [1] } },
                "production": { },
                "staging": 7,
              },
              "statement_timeout": "5 parsecs",
            }
            """);

        var run = await tool.RunAsync("config");

        run.ExitCode.ShouldBe(ExitCode.Error);
        Snapshot.Match(run.Error, "txt");
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{ \"bundle\": true")]
    [InlineData("{ \"bundle\": true } x")]
    [InlineData("{ \"bundle\": tru }")]
    [InlineData("{\r\n \"bundle\" true }")]
    public async Task What_is_no_JSON_object_is_a_problem_with_a_place(string text)
    {
        using var tool = new InProcess();
        tool.Write("chatgenius-db.json", text);

        var run = await tool.RunAsync("config");

        run.ExitCode.ShouldBe(ExitCode.Error);
        run.Error.ShouldMatch("^error CG090[24]: ");
        run.Error.ShouldContain("--> FOLDER/chatgenius-db.json:");
    }

    [Fact]
    public async Task A_file_that_is_named_has_to_be_there()
    {
        using var tool = new InProcess();

        (await tool.RunAsync("config", "--config", "nope.json")).Error.ShouldStartWith("error CG0901: ");
    }

    [Fact]
    public async Task The_file_is_found_upwards_and_its_paths_are_relative_to_it()
    {
        using var tool = new InProcess();
        tool.Write("chatgenius-db.json", """{ "migrations": "db/migrations" }""");
        Directory.CreateDirectory(Path.Combine(tool.Folder, "src", "deep"));

        var run = await tool.RunInAsync("src/deep", "config");

        Setting(run, "migrations").ShouldBe("FOLDER/db/migrations FOLDER/chatgenius-db.json:1:17");
        Setting(run, "templates").ShouldBe("FOLDER/db/migrations/templates default");
    }

    [Fact]
    public async Task The_command_line_wins_over_the_environment_over_dotenv_over_the_file()
    {
        using var tool = new InProcess();
        Setting(await tool.RunAsync("config"), "history_schema").ShouldBe("chatgenius_db default");

        tool.Write("chatgenius-db.json",
            """{ "history_schema": "of_file", "environments": { "test": { "history_schema": "of_environment" } } }""");
        Setting(await tool.RunAsync("config"), "history_schema").ShouldBe("of_file FOLDER/chatgenius-db.json:1:21");
        Setting(await tool.RunAsync("config", "--env", "test"), "history_schema").ShouldBe("of_environment FOLDER/chatgenius-db.json:1:78");

        tool.Write(".env", "CHATGENIUS_HISTORY_SCHEMA=of_dotenv");
        Setting(await tool.RunAsync("config"), "history_schema").ShouldBe("of_dotenv CHATGENIUS_HISTORY_SCHEMA in .env");

        tool.Environment["CHATGENIUS_HISTORY_SCHEMA"] = "of_variable";
        Setting(await tool.RunAsync("config"), "history_schema").ShouldBe("of_variable CHATGENIUS_HISTORY_SCHEMA");

        Setting(await tool.RunAsync("config", "--history-schema", "of_option"), "history_schema").ShouldBe("of_option --history-schema");
    }

    [Fact]
    public async Task A_variable_with_an_impossible_value_is_a_problem()
    {
        using var tool = new InProcess();
        tool.Environment["CHATGENIUS_LOCK_TIMEOUT"] = "soon";

        (await tool.RunAsync("config")).Error.ShouldStartWith("error CG0907: CHATGENIUS_LOCK_TIMEOUT can't be \"soon\"\n");
    }

    [Fact]
    public async Task An_environment_that_is_not_in_the_file_is_a_problem_that_names_those_that_are()
    {
        using var tool = new InProcess();
        (await tool.RunAsync("config", "--env", "production")).Error.ShouldContain("none was found from FOLDER upwards");

        tool.Write("chatgenius-db.json", """{ "environments": { "staging": {} } }""");
        (await tool.RunAsync("config", "--env", "production")).Error.ShouldStartWith(
            "error CG0908: There is no environment \"production\", which --env names\n  help: FOLDER/chatgenius-db.json has staging.\n");
    }

    [Fact]
    public async Task The_schema_for_editors_knows_every_setting_and_no_other()
    {
        using var tool = new InProcess();

        var schema = JsonDocument.Parse((await tool.RunAsync("config", "--schema")).Out).RootElement;

        var top = schema.GetProperty("properties");
        Names(top).ShouldBe([.. SettingKey.Everywhere.Select(key => key.Name), "$schema", "check", "environments"], ignoreOrder: true);
        Names(top.GetProperty("environments").GetProperty("additionalProperties").GetProperty("properties"))
            .ShouldBe([.. SettingKey.Everywhere.Concat(SettingKey.OfAnEnvironment).Select(key => key.Name)], ignoreOrder: true);
        foreach (var key in SettingKey.Everywhere.Where(key => key.Default.Length > 0))
        {
            schema.GetProperty("$defs").GetProperty(key.Name).GetProperty("default").ToString().ToLowerInvariant()
                .ShouldBe(key.Default, key.Name);
        }
    }

    [Fact]
    public async Task The_schema_in_the_package_is_the_one_that_is_printed()
    {
        using var tool = new InProcess();

        (await tool.RunAsync("config", "--schema")).Out.ShouldBe(Repository.Read("src/ChatGenius.Tool/chatgenius-db.schema.json"));
    }

    /// <summary>The page is written from the table: what is received takes its place.</summary>
    [Fact]
    public void The_page_of_settings_has_every_setting()
    {
        var rows = SettingKey.Everywhere.Concat(SettingKey.OfAnEnvironment).Select(key =>
            $"| `{key.Name}` | {Code(key.OptionName)} | {Code(SettingKey.OfAnEnvironment.Contains(key) ? null : key.Variable)} "
            + $"| {Code(key.Default)} | {key.Description} |");
        static string Code(string? text) => string.IsNullOrEmpty(text) ? "" : $"`{text}`";
        var table = string.Join('\n', rows.Prepend("|---|---|---|---|---|")
            .Prepend("| setting | option | variable | default | what it does |"));

        Repository.Read("docs/settings.md").ShouldContain(table, customMessage: table);
    }

    [Theory]
    [InlineData("--lock-timeout", "0.4ms")]
    [InlineData("--statement-timeout", "0.0001s")]
    [InlineData("--max-blocked", "0")]
    [InlineData("--retries", "1001")]
    [InlineData("--retries", "-1")]
    public async Task An_option_with_an_impossible_value_is_a_problem(string option, string value)
    {
        using var tool = new InProcess();

        (await tool.RunAsync("apply", "-d", "postgres://127.0.0.1:1/x", $"{option}={value}")).Error.ShouldStartWith(
            $"error CG1006: {option} can't be \"{value}\"\n");
    }

    private static IEnumerable<string> Names(JsonElement element) => element.EnumerateObject().Select(property => property.Name);

    private static string Setting(ToolRun run, string name)
    {
        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        var words = run.Out.Split('\n').Single(line => line.StartsWith(name + " ", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return string.Join(' ', words[1..]);
    }
}
