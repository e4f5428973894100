using System.Runtime.CompilerServices;
using ChatGenius.Db.Schema;

namespace ChatGenius.Tests.Schema;

/// <summary>What the tests of this folder share: the case files, and short ways to build and read.</summary>
internal static class SchemaCase
{
    internal static string PathOf(string name) => Path.Combine(AppContext.BaseDirectory, "Cases", "Schema", name);

    /// <summary>A database that a case file has built, with psql, so that nothing of ours stands between.</summary>
    internal static async Task<TestDatabase> BuildAsync(string name)
    {
        var database = await TestDatabase.CreateAsync();
        var result = await Psql.RunAsync(database, PathOf(name));
        result.ExitCode.ShouldBe(0, result.Error);
        return database;
    }

    internal static async Task<SchemaSnapshot> ReadAsync(TestDatabase database, SchemaParts more = 0) =>
        (await SchemaReader.ReadAsync(database.Database, new SchemaReadOptions { Parts = SchemaParts.Default | more })).Schema;

    /// <summary>
    /// Compares with an approved file. PostgreSQL 16 and later write the columns of a query on one table without the table's
    /// name, so these have a file of their own; the privilege MAINTAIN came with 17.
    /// </summary>
    internal static async Task MatchAsync(
        TestDatabase database, string text, string extension, [CallerFilePath] string testFile = "", [CallerMemberName] string test = "")
    {
        await using var connection = await database.ConnectAsync();
        var discriminator = connection.PostgreSqlVersion.Major >= 16 ? "since16" : null;
        Snapshot.Match(text.Replace("MAINTAIN, ", ""), extension, discriminator, testFile, test);
    }

    /// <summary>Statement by statement, as they stand.</summary>
    internal static async Task RunAsync(NpgsqlConnection connection, IEnumerable<string> statements)
    {
        foreach (var statement in statements)
        {
            await using var batch = new NpgsqlBatch(connection) { BatchCommands = { new NpgsqlBatchCommand(statement) } };
            try
            {
                await batch.ExecuteNonQueryAsync();
            }
            catch (PostgresException e)
            {
                throw new InvalidOperationException($"{e.MessageText}\n{statement}", e);
            }
        }
    }
}
