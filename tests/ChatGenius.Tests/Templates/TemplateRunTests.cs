using ChatGenius.Db.Safety;
using ChatGenius.Db.Schema;
using ChatGenius.Db.Text;
using ChatGenius.Tests.Bundle;
using ChatGenius.Tool;

namespace ChatGenius.Tests.Templates;

/// <summary>What the templates write, as it stands, on a real database that is in use.</summary>
public class TemplateRunTests
{
    /// <summary>An empty migration is still to be filled, and a backfill without a value stops to say so.</summary>
    public static TheoryData<string> Complete => [.. TemplateCalls.All.Keys.Except(["blank", "blank_by_name", "backfill_unsaid"])];

    [Theory]
    [MemberData(nameof(Complete))]
    public async Task Up_down_up_gives_the_same_catalog_and_check_finds_nothing(string call)
    {
        await using var database = await UsedChatAsync();
        if (TemplateCalls.Before.TryGetValue(call, out var sql))
        {
            await database.ExecuteAsync(sql);
        }

        await using var tracer = await Tracer.StartAsync(database.Database, new TracerOptions());
        var roundTripper = new RoundTripper(tracer);
        var before = await SchemaAsync(tracer);
        var migrations = Migrations(call);
        var found = new List<Finding>();
        foreach (var migration in migrations)
        {
            var (trace, roundTrip) = await roundTripper.RunAsync(migration);
            trace.Statements.ShouldAllBe(statement => statement.Outcome == TraceOutcome.Ran);
            found.AddRange(SafetyCheck.Examine(migration, trace, TableSizes.Unknown, roundTrip));
        }

        found.Where(finding => finding is { Severity: > Severity.Info, Allowed: null })
            .Select(finding => $"{finding.Where}: {finding.Hazard} {finding.Message} {string.Join("; ", finding.Facts)}").ShouldBeEmpty();
        if (!migrations.Exists(migration => migration.Down.Irreversible))
        {
            await AllTheWayBackAndForthAsync(tracer, migrations, before,
                restores: !found.Exists(finding => finding is { Hazard.Id: "M102", Subject: "" }));
        }
    }

    [Fact]
    public async Task A_backfill_that_does_not_say_yet_what_rows_get_stops_where_there_are_some()
    {
        await using var database = await UsedChatAsync();
        await using var tracer = await Tracer.StartAsync(database.Database, new TracerOptions());

        var error = await tracer.RunAsync(Migrations("backfill_unsaid").ShouldHaveSingleItem().Up);

        error.ShouldNotBeNull().MessageText.ShouldContain("does not say yet what the rows of users get");
    }

    /// <summary>A ChatGenius database with all of the bundle and a month of use.</summary>
    private static Task<TestDatabase> UsedChatAsync() => TestDatabase.CopyOfAsync("used chat", async database =>
    {
        await using var connection = await database.ConnectAsync();
        await UsedDatabases.BuildAsync(connection, "a_month");
        await BundledMigrations.UpAsync(connection, BundledMigrations.Data);
    });

    /// <summary>Each migration went down and up again by itself; here all of a scaffold's do.</summary>
    /// <param name="restores">Whether the scaffold does not itself say, with a reason, that down can't restore the schema.</param>
    private static async Task AllTheWayBackAndForthAsync(Tracer tracer, List<Migration> migrations, SchemaSnapshot before, bool restores)
    {
        var after = await SchemaAsync(tracer);
        foreach (var migration in Enumerable.Reverse(migrations))
        {
            (await tracer.RunAsync(migration.Down)).ShouldBeNull();
        }

        var differences = RoundTripper.Differences(before, await SchemaAsync(tracer)).ToList();
        (differences.Count == 0).ShouldBe(restores, string.Join('\n', differences));
        foreach (var migration in migrations)
        {
            (await tracer.RunAsync(migration.Up)).ShouldBeNull();
        }

        (await SchemaAsync(tracer)).ToString().ShouldBe(after.ToString());
    }

    /// <summary>With a reason where the author has to give one.</summary>
    private static string Filled(string text) => text.Replace("todo: since when", "since 2026-11-01", StringComparison.Ordinal);

    private static List<Migration> Migrations(string call) =>
    [
        .. TemplateCalls.Render(call).Migrations.Select((migration, i) =>
            MigrationParser.Parse(SourceText.From($"{6 + i:0000}_{migration.Name}.sql", Filled(migration.Text)), MigrationOrigin.Folder)),
    ];

    private static Task<SchemaSnapshot> SchemaAsync(Tracer tracer) =>
        tracer.ReadAsync((session, token) => SchemaReader.ReadAsync(session, cancellationToken: token));
}
