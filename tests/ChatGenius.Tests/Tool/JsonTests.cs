using ChatGenius.Tool;
using ChatGenius.Tool.Commands;
using Json.Schema;

namespace ChatGenius.Tests.Tool;

/// <summary>Every command that does something says so in the one shape that docs/json.md describes.</summary>
public class JsonTests
{
    private static readonly JsonSchema Schema = JsonSchema.FromText(Repository.Read("docs/json.schema.json"));

    /// <summary>In an order in which each has something to do.</summary>
    private static readonly (string Call, string Done)[] Calls =
    [
        ("new add_notes body:text", "written"), ("new --list", ""), ("verify", ""), ("create", "created"), ("create", "nothing"),
            ("wait", "connected"), ("status", ""),
        ("plan", ""), ("preflight", ""), ("apply --dry-run", ""), ("apply", "applied"), ("apply", "nothing"), ("rollback --dry-run", ""),
            ("redo --yes", "applied_again"),
        ("rollback --yes", "rolled_back"), ("rollback --yes", "nothing"), ("baseline --to 1 --yes --force", "baselined"),
            ("baseline --undo --yes", "unmarked"), ("baseline --to 1 --yes --force", "baselined"), ("repair", "nothing"),
            ("batch status", ""), ("batch pause", ""), ("kept list", ""), ("unused list", ""), ("kept prune --all --yes", "nothing"),
            ("renumber", "nothing"), ("log", ""), ("config", ""), ("check --all", ""), ("check --rules", ""), ("schema dump", ""),
            ("schema diff migrations migrations", ""), ("schema diff migrations migrations --sql", ""), ("checkpoint list", ""),
            ("server status", ""),
        ("checkpoint save one --yes", "saved"), ("checkpoint restore one --yes", "restored"), ("checkpoint drop one --yes", "dropped"),
            ("reset --yes", "applied"),
        ("drop --yes", "dropped"), ("drop --yes", "nothing"), ("status", "!"), ("nope", "!"),
    ];

    [Fact]
    public async Task Every_command_that_does_something_says_what()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = new InProcess();
        string[] here = ["--no-bundle", "--json", "-d", db.Url.WithDatabase($"{db.Url.DatabaseName}_json").Display];
        foreach (var (call, done) in Calls)
        {
            var run = await tool.RunAsync([.. call.Split(' '), .. here]);

            var document = Valid(run.Out, $"{call}\n{run.Error}");
            if (done == "!")
            {
                run.ExitCode.ShouldBe(ExitCode.Error);
                document.TryGetProperty("problems", out _).ShouldBeTrue(call);
            }
            else
            {
                run.ExitCode.ShouldBe(ExitCode.Done, $"{call}\n{run.Error}");
                (document.TryGetProperty("done", out var word) ? word.GetString() : "").ShouldBe(done, call);
            }
        }
    }

    [Fact]
    public async Task A_stream_has_an_event_a_line_and_ends_with_the_result_or_the_problems()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = db.Url.Display } };
        tool.Write("migrations/0001_a.sql", "-- migrate:up\nCREATE TABLE a (i int);\n-- migrate:down\nDROP TABLE a;\n");
        tool.Write("migrations/0002_b.sql",
            "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY b ON a (i);\n-- migrate:down\nDROP INDEX b;\n");

        var events = Lines(await tool.RunAsync("apply", "--no-bundle", "--json-lines"));
        tool.Write("migrations/0003_c.sql", "-- migrate:up\nSELECT 1/0;\n-- migrate:down\nSELECT 1;\n");
        var failed = Lines(await tool.RunAsync("apply", "--no-bundle", "--json-lines"));
        var refused = Lines(await tool.RunAsync("apply", "--json-lines", "--nope"));

        events.Select(Name).ShouldBe(["started", "finished", "started", "statement_started", "finished", "result"]);
        failed.Select(Name).Last().ShouldBe("problems");
        refused.Select(Name).ShouldBe(["problems"]);
    }

    [Fact]
    public void Every_command_takes_json_but_those_whose_result_is_a_text()
    {
        string[] texts = ["script", "schema docs", "server psql", "completion", "man", "with-database"];

        var without = CommandList.All().SelectMany(group => group.Commands).SelectMany(Paths).Where(command => !command.Command.Json)
            .Select(command => command.Path);

        without.ShouldBe(texts, ignoreOrder: true);
    }

    private static string Name(JsonElement line) => line.GetProperty("event").GetString()!;

    private static List<JsonElement> Lines(ToolRun run) =>
        [.. run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => Valid(line, line))];

    private static JsonElement Valid(string text, string about)
    {
        var document = JsonDocument.Parse(text).RootElement;
        var result = Schema.Evaluate(document, new EvaluationOptions { OutputFormat = OutputFormat.List });
        result.IsValid.ShouldBeTrue($"{about}\n{text}");
        return document;
    }

    private static IEnumerable<(string Path, Command Command)> Paths(Command command) =>
        command.Subcommands.Count == 0 ? [(command.Name, command)]
            : command.Subcommands.Select(below => ($"{command.Name} {below.Name}", below))
                .Concat(command.Configure is null ? [] : [(command.Name, command)]);
}
