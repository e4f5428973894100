namespace ChatGenius.Tests.Bundle;

/// <summary>Runs sections of the bundled migrations: each in one round trip, in the transaction that the session is in, or in one of its
/// own.</summary>
internal static class BundledMigrations
{
    /// <summary>The migration that makes the tables.</summary>
    public const long InitialSchema = 1;

    /// <summary>The migrations that put rows into them, in order.</summary>
    public static readonly long[] Data = [2, 3, 4, 5];

    /// <summary>The migrations as the tool carries them.</summary>
    public static readonly Lazy<IReadOnlyList<Migration>> Bundle = new(() => MigrationSource.Load(folder: null));

    public static Task UpAsync(NpgsqlConnection connection, params long[] versions) => RunAsync(connection, versions, m => m.Up);

    public static Task DownAsync(NpgsqlConnection connection, params long[] versions) => RunAsync(connection, versions, m => m.Down);

    private static async Task RunAsync(NpgsqlConnection connection, long[] versions, Func<Migration, MigrationSection> section)
    {
        foreach (var version in versions)
        {
            await using var batch = new NpgsqlBatch(connection);
            foreach (var statement in section(Bundle.Value.Single(m => m.Version == version)).Script.Statements)
            {
                batch.BatchCommands.Add(new NpgsqlBatchCommand(statement.Text));
            }

            await batch.ExecuteNonQueryAsync();
        }
    }
}
