using ChatGenius.Db.Replay;
using ChatGenius.Tests.Replay;
using Microsoft.Extensions.Logging;

namespace ChatGenius.Tests.Migrations;

/// <summary>The engine as an application uses it.</summary>
public class PackageTests(ReplayServer server) : IClassFixture<ReplayServer>
{
    private static readonly MigrationSource Notes = MigrationSource.FromTexts(
        ("0001_notes.sql", "-- migrate:up\nCREATE TABLE notes (id int);\n-- migrate:down\nDROP TABLE notes;\n"),
        ("0002_more.sql", "-- migrate:up\nDO $$ BEGIN RAISE WARNING 'two\nlines'; END $$;\nSELECT pg_sleep(1.2);\n"
            + "-- migrate:down irreversible:true\n"));

    [Fact]
    public async Task A_data_source_gives_the_connection_and_not_its_command_timeout()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var source = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(database.Url.ConnectionString) { CommandTimeout = 1, Pooling = true });
        var migrator = new Migrator(source, Notes);

        (await migrator.ApplyAsync()).Finished.Count.ShouldBe(2);

        (await migrator.StatusAsync()).Select(one => (one.Version, one.State)).ShouldBe(
            [(1, MigrationState.Applied), (2, MigrationState.Applied)]);
        (await migrator.PlanAsync()).Steps.ShouldBeEmpty();
        (await database.ScalarAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")).ShouldBe(1);
    }

    [Fact]
    public async Task Events_are_lines_in_order_before_the_run_is_over()
    {
        await using var database = await TestDatabase.CreateAsync();
        var lines = new List<string>();
        var log = new ListLogger();
        var both = MigrationEvent.To(one =>
        {
            lines.Add(one.ToString());
            MigrationEvent.To(log).Report(one);
        });

        await new Migrator(database.Url.WithSecret, Notes, events: both).ApplyAsync();

        lines.Where(line => line.Contains("000", StringComparison.Ordinal)).Select(line => line.Split(" in ")[0]).ShouldBe(
            ["0001_notes begins", "0002_more begins", "applied 0001_notes", "applied 0002_more"], ignoreOrder: true);
        lines.ShouldContain("WARNING: two lines");
        lines.ShouldAllBe(line => !line.Contains('\n'));
        log.Lines.ShouldContain("Warning WARNING: two lines");
        log.Lines.ShouldContain(line => line.StartsWith("Information applied 0002_more in ", StringComparison.Ordinal));
    }

    [Fact]
    public void Sources_are_put_together_and_all_that_is_wrong_is_said()
    {
        var problem = Should.Throw<Db.ProblemException>(() => new Migrator(
            "postgres://localhost/none", Notes.And(MigrationSource.FromTexts(("0002_again.sql", ""), ("0003_bad.sql", "")))));

        problem.Problems.Select(one => one.Code).ShouldContain("CG0305");
        problem.Problems.Select(one => one.Code).ShouldContain("CG0307");
        problem.Message.Split('\n').Length.ShouldBe(problem.Problems.Count);
    }

    [Fact]
    public void An_assembly_without_migrations_is_a_problem() =>
        Should.Throw<Db.ProblemException>(() => MigrationSource.FromAssembly(typeof(PackageTests).Assembly, "none.").Load())
            .Problems.ShouldHaveSingleItem().Code.ShouldBe("CG0327");

    [Fact]
    public void The_bundle_is_there_by_name_only()
    {
        MigrationSource.Bundle.Load().Count.ShouldBe(5);
        MigrationSource.FromFolder(Path.Combine(Repository.Root, "src", "Migrations")).And(MigrationSource.Bundle).Load()
            .ShouldAllBe(migration => migration.Origin == MigrationOrigin.Bundle);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_test_database_is_migrated_and_goes_with_its_object(bool isPrivate)
    {
        var replayer = isPrivate ? new Replayer(server.Server) : new Replayer(await TestServer.UrlAsync());
        var source = MigrationSource.FromTexts(("0001_a.sql", "-- migrate:up\nCREATE TABLE a (id int);\n-- migrate:down\nDROP TABLE a;\n"));
        string url;
        await using (var database = await Db.TestDatabase.CreateAsync(replayer, source, options: null, CancellationToken.None))
        {
            url = database.Url;
            await using var connections = NpgsqlDataSource.Create(database.ConnectionString);
            await using var command = connections.CreateCommand("SELECT count(*) FROM a");
            (await command.ExecuteScalarAsync()).ShouldBe(0L);
            (await new Migrator(url, source).PlanAsync()).Steps.ShouldBeEmpty();
        }

        (await new Database(DatabaseUrl.Parse(url)).ExistsAsync()).ShouldBeFalse();
    }

    private sealed class ListLogger : ILogger
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add($"{logLevel} {formatter(state, exception)}");
    }
}
