namespace ChatGenius.Tests.Bundle;

/// <summary>
/// Databases with the tables of 0001 and a past. Each is made once for a class of tests; a test works in a transaction that is never
/// committed, so that the next one finds the same past.
/// </summary>
public sealed class UsedDatabases : IAsyncLifetime
{
    /// <summary>The pasts: none at all, a year of use, and that year with something the bundle brings put there by others before.</summary>
    public static readonly string[] Pasts = ["nothing", "a_year", "system_user", "gauntlet", "gauntlet_with_general", "personas",
        "all_of_it"];

    private readonly Dictionary<string, TestDatabase> _databases = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var database in _databases.Values)
        {
            await database.DisposeAsync();
        }
    }

    /// <summary>Opens a session in a transaction; closing it takes back all that was done in it.</summary>
    public async Task<NpgsqlConnection> BeginAsync(string past)
    {
        if (!_databases.TryGetValue(past, out var database))
        {
            database = await TestDatabase.CreateAsync();
            _databases.Add(past, database);
            await using var first = await database.ConnectAsync();
            await BuildAsync(first, past);
        }

        var connection = await database.ConnectAsync();
        await new NpgsqlCommand("BEGIN", connection).ExecuteNonQueryAsync();
        return connection;
    }

    /// <summary>Makes the tables and the rows of a past in an empty database; "a_month" is a small one.</summary>
    internal static async Task BuildAsync(NpgsqlConnection connection, string past)
    {
        await BundledMigrations.UpAsync(connection, BundledMigrations.InitialSchema);
        if (past != "nothing")
        {
            await RunAsync(connection, $"SET use.months = {(past == "a_month" ? 1 : 12)};" + Case("months_of_use.sql"));
        }

        if (past is not ("nothing" or "a_month" or "a_year"))
        {
            await RunAsync(connection, Case($"histories/{past}.sql"));
        }
    }

    private static string Case(string file) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Cases", "bundle", file));

    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync();
    }
}
