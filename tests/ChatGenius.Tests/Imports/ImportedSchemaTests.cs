using ChatGenius.Tests.Tool;
using ChatGenius.Tool;

namespace ChatGenius.Tests.Imports;

/// <summary>
/// The same migrations in the format of each tool: what is imported makes the schema and the rows that the statements make in psql, and its
/// downs take them away.
/// </summary>
public class ImportedSchemaTests
{
    private const string Rows = "SELECT coalesce(string_agg(id || body || coalesce(mood::text, ''), ',' ORDER BY id), '') FROM notes";

    private static readonly (string Name, string Up, string Down)[] Migrations =
    [
        ("createNotes",
            "CREATE TYPE mood AS ENUM ('calm');\r\nCREATE TABLE notes (id int PRIMARY KEY, body text DEFAULT 'a;b', mood mood);\r\n"
            + "CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $body$\r\nBEGIN -- up\n  NEW.body := upper(NEW.body);\n"
            + "  RETURN NEW;\nEND $body$;\nCREATE TRIGGER shout BEFORE INSERT ON notes FOR EACH ROW EXECUTE FUNCTION shout();",
            "DROP TABLE notes;\nDROP FUNCTION shout();\nDROP TYPE mood;"),
        ("index-notes", "CREATE INDEX CONCURRENTLY notes_body ON notes (body);", "DROP INDEX CONCURRENTLY notes_body;"),
        ("First Rows é", "INSERT INTO notes VALUES (1, 'x; -- y', 'calm'), (2, E'\\'z', NULL);\nALTER TABLE notes ADD done boolean;",
            "ALTER TABLE notes DROP done;\nDELETE FROM notes;"),
    ];

    /// <summary>The tool, what there is of downs, and how it writes a migration: its number, name, up, down, and no transaction.</summary>
    private static readonly (string Tool, bool HasDowns, Func<int, string, string, string, bool, (string File,
        string Text)[]> Write)[] Formats =
    [
        ("dbmate", true, (i, name, up, down, alone) => [($"2024010{i}000000_{name}.sql",
            $"-- migrate:up{(alone ? " transaction:false" : "")}\n{up}\n\n"
            + $"-- migrate:down{(alone ? " transaction:false" : "")}\n{down}\n")]),
        ("goose", true, (i, name, up, down, alone) => [($"0000{i}_{name}.sql",
            $"{(alone ? "-- +goose NO TRANSACTION\n" : "")}-- +goose Up\n-- +goose StatementBegin\n{up.TrimEnd(';')}\n"
            + "-- +goose StatementEnd\n"
            + $"-- +goose StatementBegin\nSELECT 1\n-- +goose StatementEnd\n-- +goose Down\n{down}\n")]),
        ("sql-migrate", true, (i, name, up, down, alone) => [($"{i}-{name}.sql",
            $"-- +migrate Up{(alone ? " notransaction" : "")}\n-- +migrate StatementBegin\n{up}\n-- +migrate StatementEnd\n\n"
            + $"-- +migrate Down{(alone ? " notransaction" : "")}\n{down}\n")]),
        ("golang-migrate", true, (i, name, up, down, _) => [($"00000{i}_{name}.up.sql", up), ($"00000{i}_{name}.down.sql", down)]),
        ("flyway", true, (i, name, up, down, alone) =>
        [
            ($"sql/V1.{i}__{name}.sql", up), ($"undo/U1_{i}__{name}.sql", down),
            .. alone ? [($"sql/V1.{i}__{name}.sql.conf", "# alone\nexecuteInTransaction = false\n")] : Array.Empty<(string, string)>(),
        ]),
        ("prisma", false, (i, name, up, _, _) => [($"{(i == 1 ? "0" : $"2024010{i}000000")}_{name}/migration.sql", up),
            ("migration_lock.toml", "provider = \"postgresql\"\n")]),
        ("drizzle", false, (i, name, up, _, _) => [($"000{i - 1}_{name}.sql", up.Replace("$body$;\n", "$body$\n--> statement-breakpoint\n")
            .Replace(";\r\n", ";--> statement-breakpoint\r\n"))]),
        ("node-pg-migrate", true, (i, name, up, down, _) => [($"170406720000{i}_{name}.sql",
            $"-- Up Migration\n{up}\n\n---- Down Migration\n{down}\n")]),
        ("sqitch", true, (i, name, up, down, alone) =>
        [
            ($"deploy/{Plain(name)}.sql", alone ? up : $"-- Deploy {Plain(name)}\nBEGIN;\n{up}\nCOMMIT;\n"),
            ($"revert/{Plain(name)}.sql", alone ? down : $"BEGIN;\n\n{down}\nCOMMIT;\n"),
            ($"verify/{Plain(name)}.sql", "ROLLBACK;"),
        ]),
        ("supabase", false, (i, name, up, _, _) => [($"2024010{i}000000_{name}.sql", up)]),
        ("atlas", false, (i, name, up, _, alone) => [($"2024010{i}000000_{name}.sql", $"{(alone ? "-- atlas:txmode none\n\n" : "")}{up}")]),
        ("sqlx", true, (i, name, up, down, alone) => [($"{i}_{name}.up.sql", $"{(alone ? "-- no-transaction\n" : "")}{up}"),
            ($"{i}_{name}.down.sql", down)]),
        ("diesel", true, (i, name, up, down, alone) =>
        [
            ($"2024-01-0{i}-000000_{name}/up.sql", up), ($"2024-01-0{i}-000000_{name}/down.sql", down),
            .. alone ? [($"2024-01-0{i}-000000_{name}/metadata.toml", "run_in_transaction = false\n")] : Array.Empty<(string, string)>(),
        ]),
    ];

    public static TheoryData<string> Tools => [.. Formats.Select(format => format.Tool)];

    [Theory]
    [MemberData(nameof(Tools))]
    public async Task What_is_imported_makes_what_the_originals_make(string name)
    {
        var format = Formats.Single(one => one.Tool == name);
        await using var theirs = await TestDatabase.CreateAsync();
        await using var ours = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = ours.Url.Display } };
        foreach (var (file, text) in Migrations.SelectMany((one, i) =>
            format.Write(i + 1, one.Name, one.Up, one.Down, one.Up.Contains("CONCURRENTLY"))))
        {
            tool.Write($"theirs/{file}", text);
        }

        tool.Write("theirs/meta/_journal.json", """
            {
              "version": "7", "dialect": "postgresql",
              "entries": [ { "idx": 0, "tag": "0000_createNotes" }, { "idx": 1, "tag": "0001_index-notes" }, { "idx": 2,
                  "tag": "0002_First Rows é" } ]
            }
            """);
        tool.Write("theirs/sqitch.plan", "%syntax-version=1.0.0\n%project=notes\n\n" + string.Concat(Migrations.Select(one =>
            $"{Plain(one.Name)} 2024-01-01T00:00:00Z Ann <ann@example.com> # note\n")) + "@v1 2024-01-02T00:00:00Z Ann <a@b> # tag\n");

        var import = await tool.RunAsync("import", name, "theirs", "--no-bundle");
        import.ExitCode.ShouldBe(ExitCode.Done, import.Error);
        var apply = await tool.RunAsync("apply", "--no-bundle");
        apply.ExitCode.ShouldBe(ExitCode.Done, apply.Error);
        foreach (var migration in Migrations)
        {
            (await Support.Psql.RunAsync(theirs, [], migration.Up)).ExitCode.ShouldBe(0);
        }

        (await SchemaAsync(tool, ours)).ShouldBe(await SchemaAsync(tool, theirs));
        (await ours.ScalarAsync<string>(Rows)).ShouldBe(await theirs.ScalarAsync<string>(Rows));
        (await ours.ScalarAsync<string>("SELECT prosrc FROM pg_proc WHERE proname = 'shout'")).ShouldBe(
            await theirs.ScalarAsync<string>("SELECT prosrc FROM pg_proc WHERE proname = 'shout'"));
        Directory.GetFiles(Path.Combine(tool.Folder, "migrations")).Select(Path.GetFileName).Order(StringComparer.Ordinal)
            .Select(file => file![(file!.IndexOf('_') + 1)..]).ShouldBe(["create_notes.sql", "index_notes.sql", "first_rows.sql",
                "imported.tsv"]);
        var back = await tool.RunAsync("rollback", "--all", "--yes", "--no-bundle");
        if (format.HasDowns)
        {
            back.ExitCode.ShouldBe(ExitCode.Done, back.Error);
            (await ours.ScalarAsync<long>("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")).ShouldBe(0);
        }
        else
        {
            back.Error.ShouldContain("CG0407");
        }
    }

    [Fact]
    public void Every_tool_is_tried() => Formats.Select(format => format.Tool).ShouldBe(ChatGenius.Db.Imports.ImportTool.All
        .Where(tool => tool.Reader is null).Select(tool => tool.Name));

    private static string Plain(string name) => name.Replace(" ", "-", StringComparison.Ordinal);

    private static async Task<string> SchemaAsync(InProcess tool, TestDatabase database) =>
        (await tool.RunAsync("schema", "dump", "-d", database.Url.Display)).Out;
}
