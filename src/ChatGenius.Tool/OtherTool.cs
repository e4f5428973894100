using System.Text.RegularExpressions;
using ChatGenius.Db.Imports;
using ChatGenius.Db.Text;

namespace ChatGenius.Tool;

/// <summary>The migrations of another tool, recognised by the files that only it writes.</summary>
/// <param name="Name">What the tool is called.</param>
/// <param name="Path">What it is recognised by.</param>
/// <param name="Folder">Where its migrations are, as far as that file says it.</param>
internal sealed record OtherTool(string Name, string Path, string Folder)
{
    /// <summary>Files beside the migrations: where these are by default, and what in the file says otherwise.</summary>
    private static readonly (string Name, string File, string Folder, string? Says)[] Files =
    [
        ("Prisma", "prisma/schema.prisma", "prisma/migrations", null), ("Prisma", "prisma/migrations", "prisma/migrations", null),
        ("Drizzle", "drizzle/meta/_journal.json", "drizzle", null), ("sqitch", "sqitch.plan", ".", null),
        ("Flyway", "flyway.conf", "sql", OfFlyway), ("Flyway", "flyway.toml", "sql", OfFlyway),
        ("Drizzle", "drizzle.config.ts", "drizzle", OfDrizzle), ("Drizzle", "drizzle.config.js", "drizzle", OfDrizzle),
        ("Knex", "knexfile.js", "migrations", "directory:[ \t]*['\"](?<folder>[^'\"]+)"), ("Alembic", "alembic.ini", "", null),
        ("dbmate", "db/migrations", "db/migrations", null),
    ];

    /// <summary>Files among the migrations, and how many folders further up those begin.</summary>
    private static readonly (string Name, string Pattern, int Up)[] Patterns =
    [
        ("golang-migrate", "*.up.sql", 0), ("Flyway", "V*__*.sql", 0), ("EF Core", "*_*.Designer.cs", 0), ("Prisma", "migration.sql", 1),
        ("Drizzle", "_journal.json", 1), ("sqitch", "sqitch.plan", 0),
    ];

    private const string OfFlyway = "^[ \t]*(?:flyway\\.)?locations[^\r\n]*?filesystem:(?<folder>[^,'\"\r\n]*[^,'\"\\s])";

    private const string OfDrizzle = "\\bout[ \t]*:[ \t]*['\"](?<folder>[^'\"]+)";

    /// <summary>The call that writes its migrations as files of ours, where <c>import</c> reads them and the folder is there.</summary>
    /// <param name="shell">Where it is called.</param>
    /// <param name="migrations">Our folder; where the other tool has that one, another is named.</param>
    public ToolCall? Import(Shell shell, string migrations)
    {
        var called = ImportTool.InTypeScript.Contains(Name.ToLowerInvariant()) ? "typescript" : Name;
        var tool = ImportTool.All.FirstOrDefault(tool => tool.Name.Equals(called, StringComparison.OrdinalIgnoreCase));
        var folder = shell.Shown(Folder);
        return tool is null || !Directory.Exists(Folder) ? null
            : shell.Absolute(migrations).TrimEnd('/') != Folder.TrimEnd('/') ? new ToolCall("import", tool.Name, folder)
            : new ToolCall("import", tool.Name, folder, "--migrations", Beside(migrations));
    }

    /// <summary>A folder for our files where another tool has ours.</summary>
    public static string Beside(string migrations) => $"{migrations.TrimEnd('/')}-chatgenius";

    /// <summary>Looks in a folder, and in the one that is to hold migrations with the folders in it.</summary>
    public static OtherTool? Find(string folder, string migrations)
    {
        foreach (var (name, file, usual, says) in Files)
        {
            if (System.IO.Path.Combine(folder, file) is var path && System.IO.Path.Exists(path))
            {
                var said = says is null ? null : Head(path).Select(line => Regex.Match(line, says)).FirstOrDefault(match => match.Success);
                return new OtherTool(name, path, System.IO.Path.GetFullPath(said?.Groups["folder"].Value ?? usual, folder));
            }
        }

        var places = new[] { System.IO.Path.GetFullPath(migrations, folder), System.IO.Path.Combine(folder, "Migrations") };
        var depth = new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 1, IgnoreInaccessible = true };
        return places.Where(Directory.Exists).SelectMany(place => Patterns, (place, one) =>
            (one.Name, Path: Directory.EnumerateFiles(place, one.Pattern, depth).FirstOrDefault(), one.Up))
            .Where(found => found.Path is not null).Select(found => new OtherTool(found.Name, found.Path!, Above(found.Path!, found.Up)))
            .FirstOrDefault()
            ?? places.Where(Directory.Exists).SelectMany(place => Directory.EnumerateFiles(
                place, "*.sql", new EnumerationOptions { IgnoreInaccessible = true }))
                .Where(file => Head(file).Any(line => line.StartsWith("-- +goose ", StringComparison.Ordinal)))
                .Select(file => new OtherTool("goose", file, Above(file, 0))).FirstOrDefault();
    }

    private static string Above(string file, int folders) =>
        System.IO.Path.GetFullPath(string.Concat(Enumerable.Repeat("../", folders + 1)), file);

    /// <summary>Its first lines; none where it can't be read, as nobody can say then what it says. Where it is a migration, reading it
    /// says why it can't be read.</summary>
    private static List<string> Head(string file)
    {
        try
        {
            return [.. OrdinaryFile.ReadLines(file).Take(100)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
