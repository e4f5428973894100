using ChatGenius.Db.Safety;
using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;

namespace ChatGenius.Tests.Safety;

/// <summary>A database with the tables that the rules' examples stand on, and migrations run there.</summary>
internal sealed class Shop : IAsyncDisposable
{
    private readonly TestDatabase _database;

    private Shop(TestDatabase database) => _database = database;

    internal Database Database => _database.Database;

    internal static async Task<Shop> OpenAsync(string given = "", bool onNewest = false)
    {
        var shop = new Shop(await TestDatabase.CopyOfAsync("shop", database => database.ExecuteAsync(RuleFile.Tables), onNewest));
        if (given.Length > 0)
        {
            await shop._database.ExecuteAsync(given);
        }

        return shop;
    }

    /// <summary>A text that has no directive is an up section, and without a down section there is no way back.</summary>
    internal static SourceText Source(string text, int version = 7)
    {
        text = text.Contains("-- migrate:up", StringComparison.Ordinal) ? text : $"-- migrate:up\n{text}";
        text = text.Contains("-- migrate:down", StringComparison.Ordinal) ? text : $"{text}\n-- migrate:down irreversible:true\n";
        return SourceText.From($"{version:0000}_example.sql", text);
    }

    internal static Migration Migration(string text, int version = 7)
    {
        var source = Source(text, version);
        if (text.Contains("-- migrate:up batch:", StringComparison.Ordinal) || text.Contains(" keep:true", StringComparison.Ordinal))
        {
            return MigrationParser.Parse(source, MigrationOrigin.Folder);
        }

        var utf8 = source.Utf8.Span;
        var (up, down) = (utf8.IndexOf("-- migrate:up"u8), utf8.IndexOf("-- migrate:down"u8));
        var (first, second) = (Section(source, up, down), Section(source, down, utf8.Length));
        var problems = new List<Problem>();
        var assertions = MigrationAssertion.Read(source, first, second, problems);
        problems.ShouldBeEmpty();
        return new Migration(version, "example", MigrationOrigin.Folder, source, first with { Assertions = assertions }, second);
    }

    internal async Task<Trace> TraceAsync(Migration migration, TracerOptions? options = null)
    {
        await using var tracer = await Tracer.StartAsync(Database, options ?? new TracerOptions());
        return await tracer.TraceAsync(migration.Up);
    }

    /// <summary>The findings of a migration run here, allowed ones too.</summary>
    internal async Task<IReadOnlyList<Finding>> CheckAsync(string text, TableSizes? sizes = null, RoundTrip? roundTrip = null)
    {
        var migration = Migration(text);
        return SafetyCheck.Examine(migration, await TraceAsync(migration), sizes ?? TableSizes.Unknown, roundTrip);
    }

    internal Task<T> ScalarAsync<T>(string query) => _database.ScalarAsync<T>(query);

    /// <summary>Waits until a query says so; a minute is more than any test needs.</summary>
    internal async Task WaitForAsync(string query)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!await _database.ScalarAsync<bool>(query))
        {
            await Task.Delay(20, limit.Token);
        }
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    private static MigrationSection Section(SourceText source, int start, int end)
    {
        var line = source.At(start).LineText;
        return new MigrationSection(
            !line.Contains("transaction:false", StringComparison.Ordinal), line.Contains("irreversible:true", StringComparison.Ordinal),
            start, SqlScript.Parse(source, start, end));
    }
}
