using ChatGenius.Tests.Templates;
using ChatGenius.Tool;
using ChatGenius.Tool.Commands;

namespace ChatGenius.Tests.Tool;

/// <summary>Folders that hold no migrations of ours.</summary>
public class WrongFolderTests
{
    /// <summary>What each tool writes, and only it.</summary>
    public static TheoryData<string, string, string> Others => new()
    {
        { "Prisma", "migrations/20240101000000_init/migration.sql", "CREATE TABLE t ();" },
        { "Prisma", "prisma/schema.prisma", "model T { id Int @id }" },
        { "Prisma", "prisma/migrations/20240101000000_init/migration.sql", "CREATE TABLE t ();" },
        { "Drizzle", "drizzle/meta/_journal.json", "{}" },
        { "sqitch", "sqitch.plan", "%syntax-version=1.0.0" },
        { "sqitch", "migrations/sqitch.plan", "%syntax-version=1.0.0" },
        { "Flyway", "migrations/V1__init.sql", "CREATE TABLE t ();" },
        { "Flyway", "flyway.toml", "[flyway]" },
        { "goose", "migrations/00001_init.sql", "-- +goose Up\nCREATE TABLE t ();\n-- +goose Down\nDROP TABLE t;\n" },
        { "golang-migrate", "migrations/000001_init.up.sql", "CREATE TABLE t ();" },
        { "Drizzle", "migrations/meta/_journal.json", "{}" },
        { "Drizzle", "drizzle.config.ts", "export default {}" },
        { "EF Core", "Migrations/20240101000000_Init.Designer.cs", "// generated" },
    };

    [Theory]
    [MemberData(nameof(Others))]
    public async Task Another_tools_files_are_named_as_its_own_with_what_to_do(string name, string file, string text)
    {
        await using var database = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = database.Url.Display } };
        tool.Write(file, text);

        foreach (var command in (string[][])[["status"], ["apply"], ["verify"]])
        {
            var run = await tool.RunAsync([.. command, "--no-bundle"]);
            run.Error.ShouldContain($"This looks like {name}'s migrations: ", customMessage: command[0]);
            run.Error.ShouldContain("'chatgenius-db baseline");
        }
    }

    /// <summary>Where a tool's settings say its migrations are, where they are without, and ours are in the way.</summary>
    [Theory]
    [InlineData("import prisma ", "prisma/schema.prisma", "", "prisma/migrations/20240101000000_init/migration.sql")]
    [InlineData("import prisma ", "migrations/20240101000000_init/migration.sql", "CREATE TABLE t ();")]
    [InlineData("import flyway ", "flyway.toml", "[flyway]", "sql/V1__init.sql")]
    [InlineData("import flyway ", "flyway.toml", "[flyway]\nlocations = [\"filesystem:db/of flyway\"]", "db/of flyway/V1__init.sql")]
    [InlineData("import flyway ", "flyway.conf", "flyway.locations=filesystem:db/sql", "db/sql/V1__init.sql")]
    [InlineData("import flyway ", "migrations/V1__init.sql", "CREATE TABLE t ();")]
    [InlineData("import goose ", "migrations/00001_init.sql", "-- +goose Up\nCREATE TABLE t ();\n-- +goose Down\nDROP TABLE t;\n")]
    [InlineData("import golang-migrate ", "migrations/000001_init.up.sql", "CREATE TABLE t ();")]
    [InlineData("import drizzle ", "drizzle.config.ts", "export default { out: './src/db' }", "src/db/meta/_journal.json",
        "{\"dialect\": \"postgresql\", \"entries\": [{\"idx\": 0, \"when\": 1, \"tag\": \"0000_a\"}]}", "src/db/0000_a.sql")]
    [InlineData("import typescript ", "knexfile.js", "module.exports = { migrations: { directory: 'src/of knex' } }",
        "src/of knex/20240101000000_a.js", "exports.up = knex => knex.raw('CREATE TABLE t ()');\n"
        + "exports.down = knex => knex.raw('DROP TABLE t');\n")]
    [InlineData("import dbmate ", "db/migrations/20240101000000_a.sql",
        "-- migrate:up\nCREATE TABLE t ();\n-- migrate:down\nDROP TABLE t;\n")]
    [InlineData("", "flyway.toml", "[flyway]")]
    [InlineData("", "Migrations/20240101000000_Init.Designer.cs", "// generated")]
    public async Task The_import_that_is_named_for_another_tool_can_be_pasted(string call, params string[] files)
    {
        using var tool = new InProcess();
        foreach (var file in files.Chunk(2))
        {
            tool.Write(file[0], file.ElementAtOrDefault(1) ?? "CREATE TABLE t ();");
        }

        var note = (await tool.RunAsync("verify")).Error;

        var calls = AdviceTests.QuotedCall().Matches(note).Select(match => match.Groups[1].Value).Distinct().ToList();
        calls.Where(one => one.StartsWith("import", StringComparison.Ordinal)).Count().ShouldBe(call.Length == 0 ? 0 : 1, note);
        foreach (var import in calls.Where(one => one.StartsWith("import", StringComparison.Ordinal)))
        {
            import.ShouldStartWith(call);
            var run = await tool.RunAsync([.. ShellWords.Split(import.Replace("FOLDER", tool.Folder, StringComparison.Ordinal))]);
            run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
            run.Error.ShouldContain("1 migration written");
        }
    }

    [Theory]
    [InlineData("migrations/20240101000000_init/migration.sql", "CREATE TABLE t ();")]
    [InlineData("migrations/deploy/a.sql", "SELECT 1;")]
    [InlineData("migrations/V1__init.sql", "SELECT 1;")]
    [InlineData("migrations/sub/0001_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 1;\n")]
    [InlineData("migrations/meta/_journal.json", "{}")]
    public async Task Verify_is_no_success_where_it_passed_over_files_and_found_no_migration(string file, string text)
    {
        using var tool = new InProcess();
        tool.Write(file, text);

        (await tool.RunAsync("verify", "--no-bundle")).ExitCode.ShouldBe(ExitCode.Error);
        (await tool.RunAsync("verify")).ExitCode.ShouldBe(ExitCode.Error);

        tool.Write("migrations/0006_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 1;\n");
        if (!file.Contains("V1__", StringComparison.Ordinal))
        {
            (await tool.RunAsync("verify")).ExitCode.ShouldBe(ExitCode.Done);
        }
    }

    [Fact]
    public async Task Under_CI_the_wrong_folder_of_a_repository_fails_and_the_bundle_alone_does_not()
    {
        using var tool = new InProcess { Environment = { ["CI"] = "true" } };

        (await tool.RunAsync("verify")).ExitCode.ShouldBe(ExitCode.Done);
        tool.Write(".git/HEAD", "ref: refs/heads/main\n");
        tool.Write("migrations/0006_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 1;\n");
        tool.Write("src/app/x", "");

        (await tool.RunInAsync("src/app", "verify")).Error.ShouldContain("CG0320");
        tool.Environment.Remove("CI");
        (await tool.RunInAsync("src/app", "verify")).Error.ShouldContain("note: There is no folder");
    }

    [Theory]
    [InlineData("status")]
    [InlineData("plan")]
    [InlineData("apply")]
    [InlineData("apply", "--dry-run")]
    [InlineData("rollback", "--yes")]
    public async Task Under_CI_a_history_of_files_that_are_not_here_fails_and_the_bundle_s_does_not(params string[] command)
    {
        await using var database = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = database.Url.Display, ["CI"] = "true" } };
        (await tool.RunAsync("apply")).ExitCode.ShouldBe(ExitCode.Done);
        (await tool.RunAsync("status")).ExitCode.ShouldBe(ExitCode.Done);
        await database.ExecuteAsync("INSERT INTO chatgenius_db.history SELECT (h).* FROM (SELECT jsonb_populate_record(h, "
            + "'{\"version\": 9, \"name\": \"mine\", \"origin\": \"folder\"}') AS h FROM chatgenius_db.history h WHERE h.version = 1) one");

        (await tool.RunAsync(command)).Error.ShouldContain("error CG0320: ");
        tool.Environment.Remove("CI");
        (await tool.RunAsync("status")).ExitCode.ShouldBe(ExitCode.Done);
    }

    [Fact]
    public async Task A_folder_that_was_deleted_is_a_problem_of_every_command_and_none_of_help()
    {
        using var tool = new InProcess();

        foreach (var command in CommandList.All().SelectMany(group => group.Commands))
        {
            (await tool.RunInAsync("gone", command.Name)).ExitCode.ShouldBe(ExitCode.Error, command.Name);
            (await tool.RunInAsync("gone", command.Name, "--help")).ExitCode.ShouldBe(ExitCode.Done, command.Name);
        }

        (await tool.RunInAsync("gone", "status")).Error.ShouldStartWith("error CG1013: ");
    }

    /// <summary>What was done to a database can be looked at whatever is wrong with the files.</summary>
    [Theory]
    [InlineData("log")]
    [InlineData("kept", "list")]
    [InlineData("kept", "prune", "--all")]
    [InlineData("batch", "status")]
    public async Task What_reads_the_history_alone_asks_for_no_file(params string[] command)
    {
        await using var database = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = database.Url.Display } };
        tool.Write("migrations/0001_mine.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 1;\n");
        await tool.RunAsync("apply", "--no-bundle");
        tool.Write("migrations/0002_broken.sql", "CREATE TABLE t ('");

        (await tool.RunAsync(command)).ExitCode.ShouldBe(ExitCode.Done);
    }

    [Fact]
    public async Task Status_shows_the_state_at_every_width()
    {
        await using var database = await TestDatabase.CreateAsync();
        var long1 = "20260101120000_add_last_seen_notification_at_to_workspace_memberships";
        using var writer = new InProcess { Environment = { ["DATABASE_URL"] = database.Url.Display } };
        void Write(string name, string up, string options = "") => writer.Write(
            $"migrations/{name}.sql", $"-- migrate:up{options}\n{up};\n-- migrate:down\nSELECT 1;\n");
        Write("20260101110000_edited", "SELECT 1");
        Write("20260101115000_gone", "SELECT 1");
        Write(long1, "SELECT 1");
        Write("20260101130000_stops", "SELECT 1;\nSELECT 1/0", " transaction:false");
        await writer.RunAsync("apply", "--no-bundle");
        Write("20260101110000_edited", "SELECT 2");
        File.Delete(Path.Combine(writer.Folder, "migrations", "20260101115000_gone.sql"));
        Write("20260101100000_late", "SELECT 1");
        Write("20260101140000_next", "SELECT 1");

        for (var width = 20; width <= 200; width++)
        {
            using var tool = new InProcess { Terminal = true, Width = width, Environment = { ["DATABASE_URL"] = database.Url.Display } };
            var run = await tool.RunAsync("status", "--no-bundle", "--no-color", "-m", Path.Combine(writer.Folder, "migrations"));
            var rows = run.Out.Split('\n').Skip(1).Where(line => line.StartsWith("2026", StringComparison.Ordinal)).ToList();

            rows.Count.ShouldBe(6, $"width {width}");
            foreach (var (row, state) in rows.Zip((string[])["out_of_order", "edited", "missing", "applied", "interrupted", "pending"]))
            {
                row.ShouldContain(state, customMessage: $"width {width}");
            }
        }
    }

    [Fact]
    public async Task Where_the_bundles_numbers_are_those_of_another_project_nothing_of_it_is_to_be_undone()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var project = new InProcess { Environment = { ["DATABASE_URL"] = database.Url.Display } };
        project.Write("migrations/0001_a.sql", "-- migrate:up\nCREATE TABLE a ();\n-- migrate:down\nDROP TABLE a;\n");
        (await project.RunAsync("apply", "--no-bundle")).ExitCode.ShouldBe(ExitCode.Done);
        using var elsewhere = new InProcess { Environment = { ["DATABASE_URL"] = database.Url.Display } };

        var apply = await elsewhere.RunAsync("apply");

        apply.ExitCode.ShouldBe(ExitCode.Error);
        apply.Error.ShouldContain("leave them out with --no-bundle");
        apply.Error.ShouldContain("in the folder that has the project's migrations");
        apply.Error.ShouldNotContain("rollback");
        elsewhere.Environment["CI"] = "1";
        var status = await elsewhere.RunAsync("status");
        status.ExitCode.ShouldBe(ExitCode.Error);
        status.Error.ShouldContain("0001_a is applied");
    }

    [Theory]
    [InlineData("0001_a.psql", true)]
    [InlineData("a.sql.txt", true)]
    [InlineData("0001_notes.txt", true)]
    [InlineData("README.md", false)]
    public async Task Sql_under_another_ending_is_not_verified_and_that_is_said(string file, bool isSaid)
    {
        using var tool = new InProcess();
        tool.Write($"migrations/{file}", "CREATE TABLE a ();");

        var run = await tool.RunAsync("verify", "--no-bundle");

        run.ExitCode.ShouldBe(isSaid ? ExitCode.Error : ExitCode.Done, run.Error);
        run.Error.Contains("Only files whose names end in .sql are read: ", StringComparison.Ordinal).ShouldBe(isSaid);
    }

    [Theory]
    [InlineData("plan")]
    [InlineData("apply --dry-run")]
    [InlineData("plan --json")]
    public async Task A_plan_shows_only_the_statements_that_will_run(string call)
    {
        await using var database = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = database.Url.Display } };
        tool.Write("migrations/0001_a.sql", "-- migrate:up\nSELECT 'applied';\n-- migrate:down\nSELECT 1;\n");
        tool.Write("migrations/0002_b.sql", "-- migrate:up transaction:false\nSELECT 'done';\nSELECT 1/0;\nSELECT 'last';\n"
            + "-- migrate:down\nSELECT 'the down';\n");
        await tool.RunAsync("apply", "--no-bundle");

        var run = await tool.RunAsync([.. call.Split(' '), "--no-bundle"]);

        run.Out.ShouldContain("SELECT 1/0");
        run.Out.ShouldContain("last");
        run.Out.ShouldNotContain("'applied'");
        run.Out.ShouldNotContain("done");
        run.Out.ShouldNotContain("the down");
    }

    [Fact]
    public async Task A_command_that_waits_shows_that_it_lives_on_a_terminal()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var tool = new InProcess
        {
            Terminal = true, Width = 160, Input = "n\n", Environment = { ["DATABASE_URL"] = database.Url.Display },
        };
        tool.Write("migrations/0001_t.sql", "-- migrate:up\nCREATE TABLE t (i int);\nSELECT pg_sleep(0.5);\n"
            + "-- migrate:down\nDROP TABLE t;\n");
        var shadow = (await TestServer.UrlAsync()).Display;

        (await tool.RunAsync("check", "--no-bundle", "--shadow", shadow)).Error.ShouldContain("0001_t is run up, down and up again");
        (await tool.RunAsync("apply", "--no-bundle")).Error.ShouldMatch("[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] 0001_t");
        (await tool.RunAsync("drift", "--no-bundle", "--shadow", shadow)).Error.ShouldMatch("\\r\\e\\[2K. ");
        (await tool.RunAsync("wait", "--timeout", "1s", "-d", "postgres://nobody@127.0.0.1:1/none")).Error.ShouldContain("Waiting for ");
        await using var connection = await database.ConnectAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var command = new Npgsql.NpgsqlCommand("LOCK TABLE t", connection);
        await command.ExecuteNonQueryAsync();
        (await tool.RunAsync("rollback", "--no-bundle", "--lock-timeout", "1s")).Error.ShouldContain("Looking at what will be lost");
    }
}
