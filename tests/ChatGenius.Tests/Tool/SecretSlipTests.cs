using ChatGenius.Tool;
using ChatGenius.Tool.Commands;

namespace ChatGenius.Tests.Tool;

/// <summary>A password in a connection string that was typed wrongly, in every place of every command.</summary>
public class SecretSlipTests
{
    private const string Secret = "S3cretW0rd";

    private static readonly string[] Slips =
    [
        $"\"postgres://app:{Secret}@127.0.0.1:1/db\"", $"'postgres://app:{Secret}@127.0.0.1:1/db'",
            $"psql postgres://app:{Secret}@127.0.0.1:1/db",
        $"postgres://app@srv:{Secret}@srv.example.com:5432/db", $"postgres:/app:{Secret}@127.0.0.1:1/db",
            $"postgre://app:{Secret}@127.0.0.1:1/db",
        $"jdbc:postgresql://127.0.0.1:1/db?user=app&password={Secret}", $"postgresql+asyncpg://app:{Secret}@127.0.0.1:1/db",
        $"host=127.0.0.1 port=1 passwrod={Secret}", $"Host=127.0.0.1;Port=1;Passwrod={Secret}",
            $"Host=127.0.0.1;Port=1;Password=a;{Secret}",
        $"postgres://127.0.0.1:1/db?pasword={Secret}", $"postgres://app:pa@{Secret}%ret@127.0.0.1:1/db",
            $"postgres://app:{Secret}@127.0.0.1:port/db",
        $"DATABASE_URL=postgres://app:{Secret}@127.0.0.1:1/db", $"postgres://app:pa ss {Secret}@127.0.0.1:1/db",
            $"app:{Secret}@127.0.0.1:1/db",
        $"postgres://app:{Secret}@127.0.0.1:1/db",
    ];

    /// <summary>Commands that would start a server of their own, or ask nobody, are tried only where they fail before.</summary>
    private static IEnumerable<string> Commands =>
        CommandList.All().SelectMany(group => group.Commands).SelectMany(Paths)
            .Where(path => !path.StartsWith("server", StringComparison.Ordinal));

    public static TheoryData<string> Places => [.. Commands];

    [Theory]
    [MemberData(nameof(Places))]
    public async Task No_slip_shows_the_password_in_any_command(string command)
    {
        // Only what waits for a server needs an end of its own.
        var words = (command == "wait" ? "wait --timeout 1ms" : command).Split(' ');
        foreach (var (slip, number) in Slips.Select((slip, i) => (slip, i)))
        {
            (string[] Args, string Variable)[] calls =
            [
                ([.. words, "-d", slip], ""), ([.. words, "-d", slip, "-d", slip], ""),
                    ([.. words, $"--database={slip}", $"--database={slip}"], ""),
                ([.. words, $"-d{slip}"], ""), ([slip, .. words], ""), ([.. words, slip, slip, slip], ""), ([.. words, $"--{slip}"], ""),
                    ([.. words, $"--yes={slip}"], ""),
                ([.. words, "--env", slip], ""), ([.. words, "-m", slip], ""), ([.. words, "--config", slip], ""),
                    ([.. words, "--history-schema", slip], ""),
                ([.. words, "--shadow", slip], ""), ([.. words, "--target", slip], ""), ([.. words, "--to", slip], ""),
                    ([.. words, "--json", "-d", slip], ""),
                (words, "DATABASE_URL"), ([.. words, "--verbose"], "CHATGENIUS_DATABASE_URL"),
                    ([.. words, "--json"], "CHATGENIUS_LOCK_TIMEOUT"),
            ];
            // Each slip meets each place, in a sixth of the commands.
            var turn = number + Commands.ToList().IndexOf(command);
            foreach (var (args, variable) in calls.Where((_, i) => (i + turn) % 6 == 0))
            {
                using var tool = new InProcess();
                tool.Environment["CI"] = "true";
                if (variable.Length > 0)
                {
                    tool.Environment[variable] = slip;
                }
                else if (!args.Contains("-d"))
                {
                    tool.Environment["DATABASE_URL"] = "postgres://app@127.0.0.1:1/db";
                }

                var run = await tool.RunAsync(args);

                (run.Out + run.Error).ShouldNotContain(Secret,
                    customMessage: $"{string.Join(' ', args)} ({variable})\n{run.Out}{run.Error}");
                run.ExitCode.ShouldNotBe(ExitCode.Bug, $"{string.Join(' ', args)} ({variable})\n{run.Error}");
            }
        }
    }

    [Theory]
    [InlineData("chatgenius-db.json", """{"environments":{"production":{"database_url":"postgres://app:S3cretW0rd@db/x"}}}""")]
    [InlineData("chatgenius-db.json", """{"database":"Host=h;Password=S3cretW0rd"}""")]
    [InlineData("chatgenius-db.json", """{"database_url" "postgres://app:S3cretW0rd@db/x"}""")]
    [InlineData(".env", "DATABASE_URL postgres://app:S3cretW0rd@db/x")]
    [InlineData(".env", "DATABASE_URL=\"postgres://app:S3cretW0rd@db/x")]
    [InlineData(".env", "CHATGENIUS_DATABASE_URL='postgre://app:S3cretW0rd@db/x'")]
    [InlineData("migrations/0001_a.sql", "-- migrate:up\nCREATE ROLE r PASSWORD 'S3cretW0rd' 'x\n-- migrate:down\nDROP ROLE r;\n")]
    [InlineData("migrations/0001_a.sql", "-- postgres://app:S3cretW0rd@db/x\nSELECT 1;\n-- migrate:up\n-- migrate:down\n")]
    public async Task No_file_shows_the_password(string name, string text)
    {
        foreach (var command in new[] { "config", "status", "verify", "plan" })
        {
            using var tool = new InProcess { Environment = { ["CI"] = "true" } };
            tool.Write(name, text);

            var run = await tool.RunAsync(command, "--no-bundle");

            (run.Out + run.Error).ShouldNotContain(Secret);
        }
    }

    private static IEnumerable<string> Paths(Command command) =>
        command.Subcommands.Select(below => $"{command.Name} {below.Name}").Concat(command.Configure is null ? [] : [command.Name]);
}
