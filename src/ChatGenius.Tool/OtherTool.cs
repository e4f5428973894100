using ChatGenius.Db.Text;

namespace ChatGenius.Tool;

/// <summary>The migrations of another tool, recognised by the files that only it writes.</summary>
/// <param name="Name">What the tool is called.</param>
/// <param name="Path">What it is recognised by.</param>
internal sealed record OtherTool(string Name, string Path)
{
    private static readonly (string Name, string File)[] Files =
    [
        ("Prisma", "prisma/schema.prisma"), ("sqitch", "sqitch.plan"), ("Flyway", "flyway.conf"), ("Flyway", "flyway.toml"),
        ("Drizzle", "drizzle.config.ts"), ("Drizzle", "drizzle.config.js"), ("Knex", "knexfile.js"), ("Alembic", "alembic.ini"),
            ("dbmate", "db/migrations"),
    ];

    private static readonly (string Name, string Pattern)[] Patterns =
    [
        ("golang-migrate", "*.up.sql"), ("Flyway", "V*__*.sql"), ("EF Core", "*_*.Designer.cs"), ("Prisma", "migration.sql"),
        ("Drizzle", "_journal.json"), ("sqitch", "sqitch.plan"),
    ];

    /// <summary>Looks in a folder, and in the one that is to hold migrations with the folders in it.</summary>
    public static OtherTool? Find(string folder, string migrations)
    {
        foreach (var (name, file) in Files)
        {
            if (System.IO.Path.Combine(folder, file) is var path && System.IO.Path.Exists(path))
            {
                return new OtherTool(name, path);
            }
        }

        var places = new[] { System.IO.Path.GetFullPath(migrations, folder), System.IO.Path.Combine(folder, "Migrations") };
        var depth = new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 1, IgnoreInaccessible = true };
        return places.Where(Directory.Exists).SelectMany(place => Patterns, (place, one) =>
            (one.Name, Path: Directory.EnumerateFiles(place, one.Pattern, depth).FirstOrDefault()))
            .Where(found => found.Path is not null).Select(found => new OtherTool(found.Name, found.Path!)).FirstOrDefault()
            ?? places.Where(Directory.Exists).SelectMany(place => Directory.EnumerateFiles(
                place, "*.sql", new EnumerationOptions { IgnoreInaccessible = true }))
                .Where(IsOfGoose).Select(file => new OtherTool("goose", file)).FirstOrDefault();
    }

    private static bool IsOfGoose(string file)
    {
        try
        {
            return OrdinaryFile.ReadLines(file).Take(20).Any(line => line.StartsWith("-- +goose ", StringComparison.Ordinal));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Nobody can say whose it is. Where it is a migration, reading it says why it can't be read.
            return false;
        }
    }
}
