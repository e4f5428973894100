using Notes.Tests;

namespace ChatGenius.Tests;

/// <summary>The samples in <c>docs/samples</c>, run as a user runs them.</summary>
public class SampleTests
{
    [Fact]
    public async Task The_console_program_creates_the_database_and_applies_its_folder()
    {
        await using var database = await TestDatabase.CreateAsync();
        var url = database.Url.WithDatabase($"{database.Url.DatabaseName}_sample");
        try
        {
            var first = await RunAsync("Console", url.WithSecret);
            var second = await RunAsync("Console", url.WithSecret);

            first.Error.ShouldBe("");
            first.Output.ShouldContain("applied 0001_create_notes in ");
            first.Output.ShouldEndWith("2 migrations applied\n0001 create_notes: Applied\n0002 add_first_note: Applied\n");
            second.Output.ShouldStartWith("0 migrations applied\n");
        }
        finally
        {
            await new Database(url).DropAsync(force: true);
        }
    }

    [Fact]
    public async Task The_console_program_says_what_is_wrong()
    {
        var result = await RunAsync("Console", "postgres://user@localhost:x/notes");

        result.ExitCode.ShouldBe(2);
        result.Error.ShouldStartWith("CG0603: ");
    }

    [Fact]
    public async Task Two_instances_of_the_web_application_that_start_together_apply_once_and_both_serve()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var one = Start(database);
        await using var other = Start(database);

        using var client = new HttpClient();
        foreach (var instance in new[] { one, other })
        {
            await instance.WaitForOutputAsync("Now listening on: http");
            var address = instance.Output.Split("Now listening on: ")[1].Split('\n')[0];
            (await client.GetStringAsync(new Uri($"{address}/notes"))).ShouldBe("1 notes");
        }

        var applied = (one.Output + other.Output).Split('\n').Count(line => line.Contains("applied 000", StringComparison.Ordinal));
        applied.ShouldBe(2, one.Output + other.Output);

        static ToolProcess Start(TestDatabase database) => ToolProcess.StartProcess(
            "dotnet", [Program("Web"), "--urls", "http://127.0.0.1:0"], null,
            new Dictionary<string, string?> { ["ConnectionStrings__Notes"] = database.Url.ConnectionString }, input: null);
    }

    [Fact]
    public void The_readme_of_the_package_names_what_is_there()
    {
        var api = Repository.Read("src/ChatGenius.Db/PublicApi.txt");
        var rows = Repository.Read("src/ChatGenius.Db/README.md").Split('\n')
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal));
        var names = rows.SelectMany(row => row.Split('`').Where((_, i) => i % 2 == 1)).Where(name => char.IsUpper(name[0])).ToList();

        names.Count.ShouldBeGreaterThan(10);
        names.Select(name => name.Split('(')[0]).Where(name => !api.Contains(name, StringComparison.Ordinal) && name != "NpgsqlDataSource")
            .ShouldBeEmpty();
    }

    private static async Task<ToolResult> RunAsync(string sample, params string[] arguments)
    {
        await using var process = ToolProcess.StartProcess("dotnet", [Program(sample), .. arguments], null, null, input: null);
        return await process.ExitAsync();
    }

    /// <summary>Built with the tests, in the folder beside its source that has the same configuration.</summary>
    private static string Program(string sample)
    {
        var built = Path.GetRelativePath(Path.Combine(Repository.Root, "tests", "ChatGenius.Tests"), AppContext.BaseDirectory);
        return Path.Combine(Repository.Root, "docs", "samples", sample, built, $"Notes.{sample}.dll");
    }
}

/// <summary>The sample with xUnit, whose tests are run among these: on their server.</summary>
public sealed class XunitSampleTests : NotesTests, IAsyncLifetime
{
    async Task IAsyncLifetime.InitializeAsync()
    {
        Environment.SetEnvironmentVariable("NOTES_TEST_SERVER", (await TestServer.UrlAsync()).WithSecret);
        await InitializeAsync();
    }
}
