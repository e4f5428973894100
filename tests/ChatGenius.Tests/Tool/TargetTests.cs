using ChatGenius.Tests.Connections;
using ChatGenius.Tool;

namespace ChatGenius.Tests.Tool;

public class TargetTests
{
    [Fact]
    public async Task The_first_that_names_a_database_wins()
    {
        using var tool = new InProcess();
        (await DatabaseAsync(tool)).ShouldBe("embedded default");

        tool.Environment["PGHOST"] = "pg";
        tool.Environment["PGUSER"] = "u";
        (await DatabaseAsync(tool)).ShouldBe("postgres://u@pg/u PG* variables");

        tool.Write(".env", "DATABASE_URL=postgres://u@dotenv/d\nCHATGENIUS_DATABASE_URL=postgres://u@own-dotenv/d");
        (await DatabaseAsync(tool)).ShouldBe("postgres://u@own-dotenv/d CHATGENIUS_DATABASE_URL in .env");

        tool.Environment["DATABASE_URL"] = "postgres://u@variable/d";
        (await DatabaseAsync(tool)).ShouldBe("postgres://u@variable/d DATABASE_URL");

        tool.Environment["CHATGENIUS_DATABASE_URL"] = "postgres://u@own-variable/d";
        (await DatabaseAsync(tool)).ShouldBe("postgres://u@own-variable/d CHATGENIUS_DATABASE_URL");

        (await DatabaseAsync(tool, "-d", "postgres://u@option/d")).ShouldBe("postgres://u@option/d --database");
        (await DatabaseAsync(tool, "--embedded")).ShouldBe("embedded default");
    }

    [Fact]
    public async Task An_environment_takes_its_own_variable_and_no_other()
    {
        using var tool = new InProcess();
        tool.Write("chatgenius-db.json", """{ "environments": { "production": { "database_url_variable": "PROD_URL" } } }""");
        tool.Environment["DATABASE_URL"] = "postgres://u@laptop/d";
        tool.Environment["CHATGENIUS_ENV"] = "production";

        (await tool.RunAsync("config")).Error.ShouldStartWith(
            "error CG0909: The environment \"production\" takes its database from PROD_URL, which is not set\n");

        tool.Write(".env", "PROD_URL='postgres://u:secret@prod/d'");
        (await DatabaseAsync(tool)).ShouldBe("postgres://u@prod/d PROD_URL in .env");
    }

    [Theory]
    [InlineData("echo s3cret", null)]
    [InlineData("exit 3", "ended with exit code 3")]
    [InlineData("true", "did not print one line")]
    [InlineData("echo a; echo b", "did not print one line")]
    public async Task A_password_command_is_asked_for_each_connection(string command, string? complaint)
    {
        using var tool = new InProcess();
        tool.Write("chatgenius-db.json",
            $$"""{ "environments": { "production": { "database_url_variable": "PROD_URL", "password_command": "{{command}}" } } }""");
        tool.Environment["CHATGENIUS_ENV"] = "production";
        await using var server = new HostileServer(atQuery: HostileServer.BreakOffAsync) { AsksForPassword = true };
        tool.Environment["PROD_URL"] = $"{server.Url.Display}?sslmode=disable";

        var run = await tool.RunAsync("status");

        run.ExitCode.ShouldBe(ExitCode.Error);
        run.Error.ShouldContain(complaint is null ? "error CG0514" : $"error CG0915: The password command {complaint}");
        server.Passwords.Distinct().ShouldBe(complaint is null ? ["s3cret"] : []);
    }

    /// <summary>Every place of a connection string beside the command's own database.</summary>
    public static TheoryData<string> OtherDatabases =>
    [
        "check --target URL --shadow URL", "check --shadow URL", "drift --shadow URL", "schema diff URL", "schema diff URL URL",
        "schema diff migrations --shadow URL", "schema dump --database URL", "test-database --server URL", "test-database drop URL",
        "with-database --server URL -- true", "baseline --detect --shadow URL",
    ];

    [Theory]
    [MemberData(nameof(OtherDatabases))]
    public async Task A_password_command_is_asked_for_no_database_but_its_environments(string call)
    {
        using var tool = new InProcess();
        tool.Write("migrations/0001_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 1;\n");
        tool.Write("chatgenius-db.json",
            """
            { "bundle": false,
              "environments": { "production": { "database_url_variable": "PROD_URL", "password_command": "echo of-production" } } }
            """);
        tool.Environment["CHATGENIUS_ENV"] = "production";
        await using var database = await TestDatabase.CreateAsync();
        tool.Environment["PROD_URL"] = database.Url.ConnectionString;
        await using var server = new HostileServer(atQuery: HostileServer.BreakOffAsync) { AsksForPassword = true };
        var ofProduction = call.Contains("--database", StringComparison.Ordinal);

        var url = $"{server.Url.Display}?sslmode=disable";
        var run = await tool.RunAsync([.. call.Replace("URL", url, StringComparison.Ordinal).Split(' ')]);

        run.ExitCode.ShouldBe(ExitCode.Error, run.Out);
        server.Passwords.Distinct().ShouldBe(ofProduction ? ["of-production"] : []);
        (ofProduction ? "CG0614" : run.Error).ShouldContain("CG0614");
    }

    [Theory]
    [Trait("Needs", "Unix")]
    [MemberData(nameof(OtherDatabases))]
    public async Task A_password_file_that_others_can_read_is_passed_over_with_a_word_for_every_database(string call)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        using var tool = new InProcess();
        tool.Write("migrations/0001_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 1;\n");
        tool.Write("chatgenius-db.json", """{ "bundle": false }""");
        var file = tool.Write("pgpass", "*:*:*:*:open\n");
        await using var server = new HostileServer(atQuery: HostileServer.BreakOffAsync) { AsksForPassword = true };
        await using var database = await TestDatabase.CreateAsync();
        tool.Environment["CHATGENIUS_DATABASE_URL"] = database.Url.ConnectionString;
        string[] words =
            [.. call.Replace("URL", $"{server.Url.Display}?sslmode=disable&passfile={file}", StringComparison.Ordinal).Split(' ')];

        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        var open = await tool.RunAsync(words);
        server.Passwords.ShouldBeEmpty();
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var closed = await tool.RunAsync(words);

        open.Error.Split("CG0642").Length.ShouldBe(2, open.Error);
        open.Error.ShouldContain("CG0614");
        closed.Error.ShouldNotContain("CG0642");
        server.Passwords.Distinct().ShouldBe(["open"]);
    }

    [Theory]
    [InlineData("CI", "true")]
    [InlineData("KUBERNETES_SERVICE_HOST", "10.0.0.1")]
    [InlineData("DOTNET_ENVIRONMENT", "Production")]
    [InlineData("MY_APP_ENVIRONMENT", "production")]
    public async Task Where_a_service_runs_the_embedded_server_is_not_chosen_unasked(string variable, string value)
    {
        using var tool = new InProcess();
        tool.Environment[variable] = value;

        var run = await tool.RunAsync("status");

        run.ExitCode.ShouldBe(ExitCode.Error);
        run.Error.ShouldContain("error CG0910: ");
        run.Error.ShouldContain("--database URL");
        run.Error.ShouldContain("--embedded");
        (await DatabaseAsync(tool)).ShouldBe("embedded default");
    }

    [Fact]
    public async Task A_database_and_the_embedded_server_exclude_each_other()
    {
        using var tool = new InProcess();

        (await tool.RunAsync("status", "--embedded", "-d", "postgres://h/d")).Error.ShouldContain("error CG1007: ");
    }

    [Fact]
    public async Task A_password_is_never_shown()
    {
        using var tool = new InProcess();

        var run = await tool.RunAsync("config", "-v", "-d", "postgres://u:secret@h/d");

        (run.Out + run.Error).ShouldNotContain("secret");
    }

    private static async Task<string> DatabaseAsync(InProcess tool, params string[] args)
    {
        var run = await tool.RunAsync(["config", .. args]);
        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        return string.Join(' ', run.Out.Split('\n').Single(line => line.StartsWith("database ", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..]);
    }
}
