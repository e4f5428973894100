// Creates a database where it is not there, and applies the migrations of a folder: dotnet run -- postgres://localhost/notes
using ChatGenius.Db;

try
{
    var migrator = new Migrator(
        args.Length > 0 ? args[0] : "postgres://localhost/notes",
        MigrationSource.FromFolder(Path.Combine(AppContext.BaseDirectory, "migrations")),
        events: MigrationEvent.To(Console.WriteLine));
    await migrator.CreateDatabaseAsync();
    var result = await migrator.ApplyAsync();

    Console.WriteLine($"{result.Finished.Count} migrations applied");
    foreach (var migration in await migrator.StatusAsync())
    {
        Console.WriteLine($"{migration.Version:D4} {migration.Name}: {migration.State}");
    }

    return 0;
}
catch (ProblemException e)
{
    foreach (var problem in e.Problems)
    {
        Console.Error.WriteLine($"{problem.Code}: {problem.Message}");
    }

    return 2;
}
