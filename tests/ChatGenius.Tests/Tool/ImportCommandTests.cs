using ChatGenius.Db.Migrations;
using ChatGenius.Tool;

namespace ChatGenius.Tests.Tool;

public class ImportCommandTests
{
    [Fact]
    public async Task Nothing_is_written_while_a_file_is_refused_and_all_problems_come_together()
    {
        using var tool = new InProcess();
        tool.Write("db/V1__a.sql", "CREATE TABLE a (i int);");
        tool.Write("db/V2__b.sql", "SELECT '${x}';");
        tool.Write("db/V3__c.sql", "\\echo x");

        var run = await tool.RunAsync("import", "flyway", "db", "--no-bundle");

        run.ExitCode.ShouldBe(ExitCode.Error);
        run.Error.ShouldContain("db/V2__b.sql:1:9");
        run.Error.ShouldContain("db/V3__c.sql:1:1");
        Directory.Exists(Path.Combine(tool.Folder, "migrations")).ShouldBeFalse();
    }

    [Fact]
    public async Task The_same_import_again_writes_only_what_is_new_and_changes_nothing()
    {
        using var tool = new InProcess();
        tool.Write("db/1_a.up.sql", "CREATE TABLE a (i int);");
        (await tool.RunAsync("import", "golang-migrate", "db", "--no-bundle", "--dry-run")).Out.ShouldBe(
            "was         is          down\n1_a.up.sql  0001_a.sql  irreversible\n");
        Directory.Exists(Path.Combine(tool.Folder, "migrations")).ShouldBeFalse();

        (await tool.RunAsync("import", "golang-migrate", "db", "--no-bundle")).Error.ShouldContain("1 migration written to");
        var first = tool.Write("migrations/0001_a.sql", "-- migrate:up\nCREATE TABLE a (i int);\n-- migrate:down\nDROP TABLE a; -- by "
            + "hand\n");
        tool.Write("db/2_b.up.sql", "CREATE TABLE b (i int);");
        var second = await tool.RunAsync("import", "golang-migrate", "db", "--no-bundle", "--json");
        tool.Write("db/1_a.up.sql", "CREATE TABLE other (i int);");
        var changed = await tool.RunAsync("import", "golang-migrate", "db", "--no-bundle");

        JsonDocument.Parse(second.Out).RootElement.GetProperty("files").GetArrayLength().ShouldBe(1);
        (await File.ReadAllTextAsync(first)).ShouldContain("by hand");
        changed.Error.ShouldContain("CG1504");
        (await File.ReadAllTextAsync(Path.Combine(tool.Folder, "migrations", "imported.tsv"))).ShouldEndWith(
            "golang-migrate\t1\t0001_a.sql\ngolang-migrate\t2\t0002_b.sql\n");
    }

    [Theory]
    [InlineData("CG1010", "import")]
    [InlineData("CG1010", "import", "goose")]
    [InlineData("CG1501", "import", "goose", "nowhere")]
    [InlineData("CG1502", "import", "ef-core", ".")]
    [InlineData("CG1502", "import", "nothing", ".")]
    [InlineData("CG1504", "import", "dbmate", "migrations")]
    [InlineData("CG0101", "import", "goose", "utf16")]
    public async Task Wrong_calls(string code, params string[] call)
    {
        using var tool = new InProcess();
        tool.Write("migrations/1_a.sql", "-- migrate:up\n-- migrate:down\n");
        await File.WriteAllTextAsync(tool.Write("utf16/1_a.sql", ""), "-- +goose Up\n", Encoding.Unicode);

        var run = await tool.RunAsync(call);

        run.ExitCode.ShouldBe(ExitCode.Error);
        run.Error.ShouldContain(code);
    }

    [Fact]
    public async Task Repeatable_migrations_of_Flyway_become_repeatable_objects()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = database.Url.Display } };
        tool.Write("db/V1__a.sql", "CREATE TABLE a (i int);");
        tool.Write("db/views/R__All_of_a.sql", "BEGIN;\nCREATE OR REPLACE VIEW all_of_a AS SELECT * FROM a;\nCOMMIT;");

        var import = await tool.RunAsync("import", "flyway", "db", "--no-bundle");
        import.Out.ShouldEndWith("views/R__All_of_a.sql  repeatable/all_of_a.sql  repeatable\n");
        var apply = await tool.RunAsync("apply", "--no-bundle");
        var again = await tool.RunAsync("import", "flyway", "db", "--no-bundle");
        tool.Write("db/R__all-of-a.sql", "CREATE OR REPLACE VIEW all_of_a AS SELECT 1;");
        var twice = await tool.RunAsync("import", "flyway", "db", "--no-bundle");

        apply.ExitCode.ShouldBe(ExitCode.Done, apply.Error);
        (await database.ScalarAsync<long>("SELECT count(*) FROM all_of_a")).ShouldBe(0);
        again.Error.ShouldContain("all of it is here");
        twice.Error.ShouldContain("CG1504");
    }

    [Fact]
    public async Task Missing_downs_are_found_out_by_a_replay()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = database.Url.Display } };
        tool.Write("prisma/20240101000000_a/migration.sql", "CREATE TABLE a (i int PRIMARY KEY);");
        tool.Write("prisma/20240102000000_b/migration.sql", "ALTER TABLE a ADD j int;\nCREATE INDEX ON a (j);");
        tool.Write("prisma/20240103000000_c/migration.sql", "INSERT INTO a VALUES (1);");
        tool.Write("prisma/20240104000000_d/migration.sql", "CREATE TABLE d (i int NOT NULL, j int); ALTER TABLE d DROP j;");
        tool.Write("prisma/20240105000000_e/migration.sql", "ALTER TABLE d DROP i;");

        var run = await tool.RunAsync(
            "import", "prisma", "prisma", "--no-bundle", "--write-downs", "--shadow", (await TestServer.UrlAsync()).Display);
        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        run.Error.ShouldContain("1 irreversible");
        run.Error.ShouldContain("1 file with open questions");
        tool.Write("migrations/20240105000000_e.sql", "-- migrate:up\n-- migrate:down\n");
        (await tool.RunAsync("apply", "--no-bundle", "--to", "20240102000000")).ExitCode.ShouldBe(ExitCode.Done);
        var back = await tool.RunAsync("rollback", "--no-bundle", "--all", "--yes");

        back.ExitCode.ShouldBe(ExitCode.Done, back.Error);
        (await database.ScalarAsync<bool>("SELECT to_regclass('a') IS NULL")).ShouldBeTrue();
    }

    /// <summary>The table in which the tool keeps its versions, its folder, and what a baseline marks after the import.</summary>
    [Theory]
    [InlineData("flyway",
        "CREATE TABLE flyway_schema_history (installed_rank int PRIMARY KEY, version varchar(50), description varchar(200), type "
            + "varchar(20), "
        + "script text, checksum int, installed_by text, installed_on timestamp DEFAULT now(), execution_time int, success boolean); "
            + "INSERT INTO "
        + "flyway_schema_history VALUES (1, '1', 'a', 'SQL', '', 1, 'x', now(), 1, true), (2, '1.01', 'a', 'SQL', '', 1, 'x', now(), 1, "
            + "true)",
        "V1__a.sql V1_01__a.sql V2__a.sql", "0001 0002")]
    [InlineData("goose",
        "CREATE TABLE goose_db_version (id serial PRIMARY KEY, version_id bigint NOT NULL, is_applied boolean NOT NULL, tstamp "
            + "timestamp DEFAULT "
        + "now()); INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), (9, true)",
        "00009_a.sql 00010_b.sql", "00009")]
    [InlineData("dbmate", "CREATE TABLE schema_migrations (version varchar PRIMARY KEY); INSERT INTO schema_migrations VALUES ('00')",
        "00_a.sql 01_a.sql", "0001")]
    [InlineData("golang-migrate", "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL); INSERT INTO "
        + "schema_migrations VALUES (1, false)", "0_a.up.sql 1_b.up.sql 2_c.up.sql", "0001 0002")]
    [InlineData("golang-migrate", "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL); INSERT INTO "
        + "schema_migrations VALUES (7, false)", "0_a.up.sql 1_b.up.sql 2_c.up.sql", "0001 0002 0003")]
    [InlineData("sqitch", "CREATE SCHEMA sqitch; CREATE TABLE sqitch.changes (change_id text PRIMARY KEY, change text, project text, "
        + "committed_at "
        + "timestamptz, committer_name text); INSERT INTO sqitch.changes VALUES ('1', 'a', 'p', now(), 'x'), ('2', 'b', 'p', now(), 'x'), "
        + "('3', 'a', 'p', now() + interval '1 s', 'x')", "deploy/a@v1.sql deploy/b.sql deploy/a.sql deploy/c.sql", "0001 0002 0003")]
    public async Task A_baseline_maps_the_versions_that_an_import_has_noted(string name, string table, string files, string marked)
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync(table);
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = database.Url.Display } };
        foreach (var file in files.Split(' '))
        {
            var up = $"SELECT '{file}';";
            tool.Write($"theirs/{file}", name == "goose" ? $"-- +goose Up\n{up}"
                : name == "dbmate" ? $"-- migrate:up\n{up}\n-- migrate:down" : up);
        }

        tool.Write("theirs/sqitch.plan", "a 2024 X <x>\nb 2024 X <x>\n@v1 2024 X <x>\na 2024 X <x>\nc 2024 X <x>\n");

        var import = await tool.RunAsync("import", name, "theirs", "--no-bundle");
        var baseline = await tool.RunAsync("baseline", "--from", name, "--no-bundle", "--yes");

        import.ExitCode.ShouldBe(ExitCode.Done, import.Error);
        baseline.ExitCode.ShouldBe(ExitCode.Done, baseline.Error);
        string.Join(' ', baseline.Error.Split('\n').Where(line => line.StartsWith("marked ", StringComparison.Ordinal))
            .Select(line => line["marked ".Length..].Split('_')[0])).ShouldBe(marked);
    }

    [Fact]
    public async Task Rows_of_Drizzle_are_found_by_the_hash_of_their_file()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = database.Url.Display } };
        tool.Write("d/0000_a.sql", "SELECT 1;");
        tool.Write("d/0001_b.sql", "SELECT 2;");
        tool.Write("d/meta/_journal.json", """{ "dialect": "postgresql", "entries": [ { "tag": "0000_a" }, { "tag": "0001_b" } ] }""");
        var hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("SELECT 2;"u8));
        await database.ExecuteAsync("CREATE SCHEMA drizzle; CREATE TABLE drizzle.__drizzle_migrations (id serial PRIMARY KEY, hash text "
            + "NOT "
            + $"NULL, created_at bigint); INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ('{hash}', 1)");

        (await tool.RunAsync("import", "drizzle", "d", "--no-bundle")).ExitCode.ShouldBe(ExitCode.Done);
        (await tool.RunAsync("baseline", "--from", "drizzle", "--no-bundle", "--yes")).Error.ShouldContain("marked 0002_b");
    }

    [Fact]
    public async Task A_broken_line_of_the_table_is_refused_with_its_place()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync("CREATE TABLE schema_migrations (version varchar PRIMARY KEY); INSERT INTO schema_migrations VALUES "
            + "('1')");
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = database.Url.Display } };
        tool.Write("migrations/0001_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down irreversible:true\n");
        tool.Write("migrations/imported.tsv", "# é\ndbmate\t1\t0001_a.sql\nbroken\n");

        var run = await tool.RunAsync("baseline", "--from", "dbmate", "--no-bundle", "--yes");

        run.Error.ShouldContain("CG1505");
        run.Error.ShouldContain("imported.tsv:3:1");
    }
}
