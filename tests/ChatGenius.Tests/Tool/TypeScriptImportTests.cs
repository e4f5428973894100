using ChatGenius.Tool;

namespace ChatGenius.Tests.Tool;

/// <summary>A folder of the application's TypeScript migrations is imported, and the database that they built is taken over.</summary>
public class TypeScriptImportTests
{
    private const string Drizzle = "import { sql } from 'drizzle-orm'\n";

    /// <summary>A migration that loops over rows, as the application's 0003 to 0005 do.</summary>
    private const string OverRows = Drizzle + "import { db } from '..'\nexport async function up() {\n"
        + "  const { rows } = await db.execute(sql`SELECT id FROM workspaces`)\n  for (const row of rows) {\n"
        + "    await db.execute(sql`UPDATE channels SET topic = ${row.id}`)\n  }\n}\nexport async function down() {}\n";

    private static string Adds(string column) => Drizzle
        + $"export async function up(db: any) {{\n  await db.execute(sql`\n    ALTER TABLE users ADD COLUMN {column} text\n  `)\n}}\n"
        + $"export async function down(db: any) {{\n  await db.execute(sql`ALTER TABLE users DROP COLUMN {column}`)\n}}\n";

    [Fact]
    public async Task The_application_s_21_migrations_are_imported_without_the_bundled_ones_and_its_database_is_taken_over()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = db.Url.Display } };
        string[] bundled = ["initial_schema", "add_gauntlet_workspace", "add_general_channels", "add_ai_users", "add_ai_trash_talk"];
        for (var number = 1; number <= 21; number++)
        {
            tool.Write($"src/db/migrations/{number:D4}_{(number <= 5 ? bundled[number - 1] : $"add_c{number}")}.ts",
                number is >= 3 and <= 5 ? OverRows : Adds($"c{number}"));
        }

        var import = await tool.RunAsync("import", "typescript", "src/db/migrations");

        import.ExitCode.ShouldBe(ExitCode.Done, import.Error);
        import.Out.Split('\n').Single(line => line.StartsWith("0003_", StringComparison.Ordinal)).ShouldEndWith("in the bundle: left out");
        Directory.GetFiles(Path.Combine(tool.Folder, "migrations"), "*.sql").Length.ShouldBe(16);
        File.ReadAllText(Path.Combine(tool.Folder, "migrations", "0006_add_c6.sql")).ShouldBe(
            "-- Imported from typescript: 0006_add_c6.ts\n-- migrate:up\n\nALTER TABLE users ADD COLUMN c6 text;\n\n"
            + "-- migrate:down\n\nALTER TABLE users DROP COLUMN c6;\n");

        // As the application's runner leaves it: the tables and rows, and no history of ours.
        (await tool.RunAsync("apply", "--quiet")).ExitCode.ShouldBe(ExitCode.Done);
        await db.ExecuteAsync("DROP SCHEMA chatgenius_db CASCADE");
        (await tool.RunAsync("apply")).Error.ShouldContain("CG0430");
        var detect = await tool.RunAsync("baseline", "--detect", "--yes", "--shadow", (await TestServer.UrlAsync()).Display);
        detect.ExitCode.ShouldBe(ExitCode.Done, detect.Error);
        (await tool.RunAsync("apply")).Out.ShouldBe("Nothing to do: 21 migrations applied\n");
        (await tool.RunAsync("import", "typescript", "src/db/migrations")).Error.ShouldContain("Nothing to import: all of it is here");
    }

    [Fact]
    public async Task What_can_t_be_read_stops_the_import_and_as_a_draft_stops_every_run_until_somebody_has_written_it()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = db.Url.Display } };
        tool.Write("chatgenius-db.json", """{ "bundle": false }""");
        tool.Write("ts/0001_a.ts", Drizzle + "export const up = (db) => db.execute(sql`CREATE TABLE users (id int)`)");
        tool.Write("ts/0002_b.ts", OverRows.Replace("const {", "await db.execute(sql`CREATE TABLE made (id int)`)\n  const {"));
        tool.Write("ts/0003_c.ts", Adds("c"));

        var refused = await tool.RunAsync("import", "typescript", "ts");
        refused.ExitCode.ShouldBe(ExitCode.Error);
        refused.Error.ShouldContain("1 of 3 can't be read, 0002_b.ts is the first: the 1 after it may need it");
        refused.Error.ShouldContain("ts/0002_b.ts:5:9");
        refused.Error.ShouldContain("CG1506: what runs here depends on rows of the database");
        Directory.Exists(Path.Combine(tool.Folder, "migrations")).ShouldBeFalse();

        var dry = await tool.RunAsync("import", "typescript", "ts", "--drafts", "--dry-run");
        dry.ExitCode.ShouldBe(ExitCode.Differs);
        Directory.Exists(Path.Combine(tool.Folder, "migrations")).ShouldBeFalse();

        var drafts = await tool.RunAsync("import", "typescript", "ts", "--drafts", "--json");
        drafts.ExitCode.ShouldBe(ExitCode.Differs);
        drafts.Error.ShouldContain("CG1506");
        JsonDocument.Parse(drafts.Out).RootElement.GetProperty("files").GetArrayLength().ShouldBe(3);
        (await tool.RunAsync("apply")).Error.ShouldContain("0002_b.ts, lines 5 to 8: what runs here depends on rows of the database");
        (await db.ScalarAsync<bool>("SELECT to_regclass('made') IS NULL")).ShouldBeTrue();

        var again = await tool.RunAsync("import", "typescript", "ts", "--drafts");
        again.ExitCode.ShouldBe(ExitCode.Differs, "A draft that is there is still one.");
        tool.Write("migrations/0002_b.sql", "-- migrate:up\nCREATE TABLE made (id int);\n-- migrate:down\nDROP TABLE made;\n");
        (await tool.RunAsync("import", "typescript", "ts")).ExitCode.ShouldBe(ExitCode.Done);
        (await tool.RunAsync("apply")).ExitCode.ShouldBe(ExitCode.Done);
    }

    [Fact]
    public async Task A_library_s_name_leads_to_the_reader()
    {
        using var tool = new InProcess();

        (await tool.RunAsync("import", "typeorm", "src")).Error.ShouldContain("chatgenius-db import typescript src");
        tool.Write("src/1_a.ts", "exports.up = pgm => pgm.sql('SELECT 1')");
        (await tool.RunAsync("import", "node-pg-migrate", "src")).Error.ShouldContain("chatgenius-db import typescript ");
        (await tool.RunAsync("import", "typescript", "nowhere")).Error.ShouldContain("CG1501");
        tool.Write("empty/index.ts", "");
        (await tool.RunAsync("import", "typescript", "empty")).Error.ShouldContain("There is no migration in TypeScript or JavaScript");
    }
}
