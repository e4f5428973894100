// Migrates before it serves. Any number of instances may start together: one applies, the others wait for it and find nothing to do.
using ChatGenius.Db;
using Npgsql;

var builder = WebApplication.CreateBuilder(args);
await using var database = NpgsqlDataSource.Create(
    builder.Configuration.GetConnectionString("Notes") ?? "Host=localhost;Database=notes");
var app = builder.Build();

await new Migrator(database, MigrationSource.FromAssembly(typeof(Program).Assembly), events: MigrationEvent.To(app.Logger)).ApplyAsync();

app.MapGet("/notes", async (CancellationToken stop) =>
{
    await using var command = database.CreateCommand("SELECT count(*)::int FROM notes");
    return $"{await command.ExecuteScalarAsync(stop)} notes";
});
await app.RunAsync();
