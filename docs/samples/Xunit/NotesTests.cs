using ChatGenius.Db;
using Npgsql;
using Xunit;

namespace Notes.Tests;

/// <summary>Each test has a migrated database of its own, which costs milliseconds.</summary>
public class NotesTests : IAsyncLifetime
{
    private static readonly MigrationSource Migrations = MigrationSource.FromTexts(
        ("0001_create_notes.sql", "-- migrate:up\nCREATE TABLE notes (text text NOT NULL);\n-- migrate:down\nDROP TABLE notes;\n"));

    private TestDatabase? _database;
    private NpgsqlDataSource? _source;

    public async Task InitializeAsync()
    {
        // Without a server it is a private one, which is started where it does not run.
        _database = await TestDatabase.CreateAsync(Migrations, server: Environment.GetEnvironmentVariable("NOTES_TEST_SERVER"));
        _source = NpgsqlDataSource.Create(_database.ConnectionString);
    }

    public async Task DisposeAsync()
    {
        await _source!.DisposeAsync();
        await _database!.DisposeAsync();
    }

    [Theory]
    [InlineData("one")]
    [InlineData("two")]
    public async Task A_note_is_the_only_one(string text)
    {
        await using var insert = _source!.CreateCommand("INSERT INTO notes VALUES ($1)");
        insert.Parameters.Add(new() { Value = text });
        await insert.ExecuteNonQueryAsync();

        await using var count = _source.CreateCommand("SELECT count(*) FROM notes");
        Assert.Equal(1L, await count.ExecuteScalarAsync());
    }
}
