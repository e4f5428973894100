using System.Text.RegularExpressions;

namespace ChatGenius.Tests.Tool;

/// <summary>Every command that may take long says that it goes on: on a terminal always, in a pipe with <c>--verbose</c>.</summary>
public sealed partial class SignOfLifeTests
{
    /// <summary>A call, and what it says while it works.</summary>
    public static readonly TheoryData<string, string> Calls = new()
    {
        { "check --shadow SHADOW", "Checking migrations" },
        { "drift --shadow SHADOW", "Comparing the database with its migrations" },
        { "wait", "Waiting for " },
        { "checkpoint save one", "Copying the database" },
        { "checkpoint restore one --yes", "Copying the database" },
        { "rollback --yes", "Looking at what will be lost" },
        { "redo --yes", "Looking at what will be lost" },
        { "reset --yes", "Looking at what will be lost" },
        { "apply --to 2", "0002_b" },
        { "baseline --detect --dry-run --shadow SHADOW", "Replaying the migrations, and comparing each with the database" },
        { "schema diff migrations --shadow SHADOW", "Reading the schemas" },
        { "test-database --server SHADOW", "Making test databases" },
        { "with-database --server SHADOW -- true", "Making the test database" },
    };

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task A_long_command_says_that_it_goes_on(string call, string says)
    {
        // No text is asserted to come within a time: the beat is so short that each of them takes longer.
        foreach (var terminal in (bool[])[true, false])
        {
            await using var database = await TestDatabase.CreateAsync();
            using var tool = new InProcess { Terminal = terminal, Width = 200, Beat = TimeSpan.FromMilliseconds(1) };
            tool.Write("chatgenius-db.json", """{ "bundle": false }""");
            tool.Write("migrations/0001_a.sql", "-- migrate:up\nCREATE TABLE a (i int);\n-- migrate:down\nDROP TABLE a;\n");
            var slow = call.StartsWith("apply", StringComparison.Ordinal) ? "SELECT pg_sleep(0.3)" : "CREATE TABLE b (i int)";
            tool.Environment["CHATGENIUS_DATABASE_URL"] = database.Url.ConnectionString;
            await tool.RunAsync("apply", "--quiet");
            var late = new NpgsqlConnectionStringBuilder(database.Url.ConnectionString);
            using var waited = new LateServer(late, refuses: false);
            if (call == "wait")
            {
                (late.Host, late.Port, late.SslMode) = ("127.0.0.1", waited.Port, SslMode.Disable);
                tool.Environment["CHATGENIUS_DATABASE_URL"] = late.ConnectionString;
                waited.Begin();
            }

            tool.Write("migrations/0002_b.sql", $"-- migrate:up\n{slow};\n-- migrate:down\nSELECT 1;\n");
            if (call.StartsWith("checkpoint restore", StringComparison.Ordinal))
            {
                await tool.RunAsync("checkpoint", "save", "one", "--quiet");
            }

            var shadow = (await TestServer.UrlAsync()).Display;
            string[] words = [.. call.Replace("SHADOW", shadow, StringComparison.Ordinal).Split(' ')];
            var at = Math.Max(Array.IndexOf(words, "--"), 0) is > 0 and var own ? own : words.Length;
            var run = await tool.RunAsync([.. words[..at], .. terminal ? (string[])[] : ["--verbose"], .. words[at..]]);

            ((int)run.ExitCode).ShouldBeLessThanOrEqualTo(1, run.Error);
            (terminal ? Frame() : Line()).Matches(run.Error).Select(match => match.Groups[1].Value)
                .ShouldContain(text => text.StartsWith(says, StringComparison.Ordinal), run.Error);
        }
    }

    /// <summary>Drawn again and again on one line.</summary>
    [GeneratedRegex(@"\r\e\[2K[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] ([^\r\n]+)")]
    private static partial Regex Frame();

    /// <summary>With how long it takes already.</summary>
    [GeneratedRegex(@"^  (.+ [0-9.]+ m?s)(?:  .*)?$", RegexOptions.Multiline)]
    private static partial Regex Line();
}
