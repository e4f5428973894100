using ChatGenius.Db.Replay;

namespace ChatGenius.Tool.Commands;

internal sealed class TestDatabaseCommand(TestDatabaseRequests requests, TargetFinder targets, Report report)
{
    internal const string Server = "Server to make it on [a private one for such databases]";

    internal static readonly Command Definition = new("test-database", "Make a fresh database for tests, and print its URL")
    {
        Json = true,
        Configure = app =>
        {
            var count = app.Option("--count <N>", "How many: a URL a line [1]", CommandOptionType.SingleValue);
            var name = app.Option("--name <NAME>", "Its name; one that had it before goes", CommandOptionType.SingleValue);
            var server = app.Option("--server <URL>", Server, CommandOptionType.SingleValue);
            var content = new TestDatabaseOptions(app);
            return Command.Handle<TestDatabaseCommand>((command, cancellationToken) => command.MakeAsync(
                content, server.Value(), (int)(count.Number(least: 1, most: 1000) ?? 1), name.Value(), cancellationToken));
        },
        Subcommands =
        [
            new("list", "List the test databases that are there")
            {
                Json = true,
                Configure = app =>
                {
                    var server = app.Option("--server <URL>", "The server [the private one]", CommandOptionType.SingleValue);
                    return Command.Handle<TestDatabaseCommand>((command, cancellationToken) =>
                        command.ListAsync(server.Value(), cancellationToken));
                },
            },
            new("drop", "Drop test databases, in use or not")
            {
                Json = true,
                Configure = app =>
                {
                    var url = app.Argument("URL", "The database");
                    var all = app.Option("--all", "All that are on the server", CommandOptionType.NoValue);
                    var server = app.Option("--server <URL>", "The server [the private one]", CommandOptionType.SingleValue);
                    return Command.Handle<TestDatabaseCommand>((command, cancellationToken) =>
                        command.DropAsync(url.Value, all.HasValue(), server.Value(), cancellationToken));
                },
            },
        ],
        Details =
            """
            The database has all migrations, their history, and the seeds. It is a copy of
            one that is kept on a private server without durability, so it takes
            milliseconds; on a server that --server names, the migrations run each time.
            It stays until it is dropped. What is older than a day, by the server's clock,
            and not in use goes with the next call.
            """,
        Examples =
            """
            DATABASE_URL=$(chatgenius-db test-database) npm test
            chatgenius-db test-database --count 8 --json
            chatgenius-db test-database --server postgres://localhost
            """,
    };

    private async Task<ExitCode> MakeAsync(
        TestDatabaseOptions content, string? server, int count, string? name, CancellationToken cancellationToken)
    {
        using var progress = new RunProgress(report);
        progress.Show("Making test databases");
        await using var replayer = Replayer(server);
        replayer.LookAhead(cancellationToken);
        var request = await requests.OfAsync(content, cancellationToken);
        var (urls, missing) = await new TestDatabases(replayer).CreateAsync(request, count, name, cancellationToken);
        TestDatabaseRequests.Warn(report, missing);
        foreach (var url in urls)
        {
            report.Result(url.Display);
        }

        report.Result(new TestDatabasesJson([.. urls.Select(url => TestDatabaseJson.Of(url))]), JsonContext.Readable.TestDatabasesJson);
        return ExitCode.Done;
    }

    private async Task<ExitCode> ListAsync(string? server, CancellationToken cancellationToken)
    {
        var all = await Databases(server).ListAsync(cancellationToken);
        foreach (var one in all)
        {
            report.Result($"{one.Url.Display}  made {one.MadeAt:yyyy-MM-dd HH:mm:ss} UTC{(one.IsInUse ? ", in use" : "")}");
        }

        report.Result(
            new TestDatabasesJson([.. all.Select(one => TestDatabaseJson.Of(one.Url) with { MadeAt = one.MadeAt, InUse = one.IsInUse })]),
            JsonContext.Readable.TestDatabasesJson);
        report.Note(all.Count == 0 ? "There are no test databases" : Plural.Of(all.Count, "test database"));
        return ExitCode.Done;
    }

    private async Task<ExitCode> DropAsync(string? url, bool all, string? server, CancellationToken cancellationToken)
    {
        if (url is null == !all)
        {
            throw new Db.ProblemException("CG1010", "test-database drop needs a URL, or --all", advice: "Give one of them.");
        }

        var dropped = url is null ? await Databases(server).DropAllAsync(cancellationToken)
            : await TestDatabases.DropAsync(targets.Parse(url, "URL"), cancellationToken) ? 1 : 0;
        report.Result(new DoneJson(dropped > 0 ? "dropped" : "nothing"), JsonContext.Readable.DoneJson);
        report.Result(dropped == 0 ? "There was nothing to drop" : $"Dropped {Plural.Of(dropped, "test database")}");
        return ExitCode.Done;
    }

    private TestDatabases Databases(string? server) => new(Replayer(server));

    private Replayer Replayer(string? server) => targets.Replayer(server, new ReplayOptions(), "--server");
}

/// <summary>What <c>test-database --json</c> prints.</summary>
internal sealed record TestDatabasesJson(IReadOnlyList<TestDatabaseJson> Databases);

/// <param name="ConnectionString">The same for Npgsql, which reads no URLs.</param>
/// <param name="MadeAt">By the server's clock; only in the list.</param>
internal sealed record TestDatabaseJson(string Name, string Url, string ConnectionString)
{
    public DateTimeOffset? MadeAt { get; init; }

    public bool? InUse { get; init; }

    public static TestDatabaseJson Of(DatabaseUrl url) => new(url.DatabaseName, url.Display, url.Keywords);
}
