using ChatGenius.Tests.Tool;
using ChatGenius.Tool;

namespace ChatGenius.Tests.Migrations;

/// <summary>The first apply on a database that is not empty.</summary>
public class FoundDatabaseTests
{
    private static readonly PlanRequest All = new();

    /// <summary>What is in the database, what the one migration does, and what is said; null where the migration is applied.</summary>
    public static TheoryData<string, string, string, string?> Databases => new()
    {
        { "nothing", "SELECT 1", "CREATE TABLE one ()", null },
        { "a table", "CREATE TABLE theirs ()", "CREATE TABLE one ()", "1 table in schema public: theirs" },
        {
            "several tables", "CREATE TABLE a (); CREATE TABLE b (); CREATE TABLE c (); CREATE TABLE \"D\" ()", "SELECT 1",
            "4 tables in schema public: \"D\", a, b, …"
        },
        { "a partitioned table", "CREATE TABLE theirs (i int) PARTITION BY LIST (i)", "SELECT 1", "1 table in schema public: theirs" },
        { "no table", "CREATE VIEW v AS SELECT 1; CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1", "SELECT 1", null },
        { "another application's schema", "CREATE SCHEMA shop; CREATE TABLE shop.orders ()", "CREATE TABLE one ()", null },
        {
            "a platform's schema that the files refer to",
            "CREATE SCHEMA auth; CREATE TABLE auth.users (id int PRIMARY KEY); CREATE TABLE auth.schema_migrations (version text); "
            + "INSERT INTO auth.schema_migrations VALUES ('1')",
            "CREATE TABLE one (id int REFERENCES auth.users); INSERT INTO auth.users VALUES (1)", null
        },
        {
            "a schema in which the files create", "CREATE SCHEMA shop; CREATE TABLE shop.orders ()", "CREATE TABLE shop.more ()",
            "1 table in schema shop: orders"
        },
        {
            "a schema that the files make", "CREATE SCHEMA shop; CREATE TABLE shop.orders ()", "CREATE SCHEMA IF NOT EXISTS shop",
            "1 table in schema shop: orders"
        },
        {
            "a schema that the files go to", "CREATE SCHEMA shop; CREATE TABLE shop.orders ()",
            "SET LOCAL search_path TO shop; CREATE TABLE one ()", "1 table in schema shop: orders"
        },
        {
            "a schema that the database goes to",
            "CREATE SCHEMA shop; CREATE TABLE shop.orders (); DO $$ BEGIN EXECUTE format("
            + "'ALTER DATABASE %I SET search_path = nowhere, shop, public', current_database()); END $$",
            "CREATE TABLE one ()", "1 table in schema shop: orders"
        },
        {
            "a tool's history", "CREATE TABLE schema_migrations (version varchar PRIMARY KEY); "
            + "INSERT INTO schema_migrations VALUES ('1'), ('7')",
            "SELECT 1", "public.schema_migrations of dbmate: 2 versions, 1 matches a file here"
        },
        {
            "a tool's history in its own schema", "CREATE SCHEMA drizzle; CREATE TABLE drizzle.__drizzle_migrations "
            + "(id serial, hash text, created_at bigint); INSERT INTO drizzle.__drizzle_migrations VALUES (1, 'x', 2)",
            "SELECT 1", "drizzle.__drizzle_migrations of Drizzle: 1 version, 1 matches a file here"
        },
        {
            "a tool's history in its own schema, and never used", "CREATE SCHEMA drizzle; CREATE TABLE drizzle.__drizzle_migrations "
            + "(id serial, hash text, created_at bigint)",
            "SELECT 1", null
        },
        {
            "a tool that is only recognised", "CREATE TABLE alembic_version (version_num varchar(32))",
            "SELECT 1", "public.alembic_version, which looks like Alembic's"
        },
        {
            "a tool's name with types of somebody else's",
            "CREATE DOMAIN d AS text; CREATE TABLE schema_migrations (version d); INSERT INTO schema_migrations VALUES ('1')",
            "SELECT 1", "public.schema_migrations, which looks like Rails, Ecto or another tool's"
        },
    };

    [Theory]
    [MemberData(nameof(Databases))]
    public async Task What_is_there_decides_whether_the_first_apply_runs(string name, string there, string up, string? found)
    {
        await using var db = await TestDatabase.CreateAsync();
        using var folder = new Folder();
        folder.Write(1, "one", up + ";");
        await db.ExecuteAsync(there);

        if (found is null)
        {
            (await folder.ApplyAsync(db, request: All)).Finished.Count.ShouldBe(1, name);
            return;
        }

        foreach (var run in (Func<Task>[])[() => folder.Migrator(db).PlanAsync(All), () => folder.ApplyAsync(db, request: All)])
        {
            var problem = (await run.ShouldThrowAsync<ProblemException>(name)).Problems.ShouldHaveSingleItem();
            problem.Code.ShouldBe("CG0430");
            problem.Message.Split('\n').ShouldContain(found);
        }

        (await db.ScalarAsync<bool>("SELECT to_regnamespace('chatgenius_db') IS NULL")).ShouldBeTrue();
        (await folder.ApplyAsync(db, request: new PlanRequest(Fresh: true))).Finished.Count.ShouldBe(1);
        (await folder.ApplyAsync(db, request: All)).Finished.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_extension_brings_its_tables_and_is_no_reason()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var folder = new Folder();
        folder.WriteTable(1, "one");
        await db.ExecuteAsync("CREATE TABLE given (); CREATE EXTENSION citext; ALTER EXTENSION citext ADD TABLE given");

        (await folder.ApplyAsync(db, request: All)).Finished.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Where_something_was_applied_once_nothing_is_asked()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var folder = new Folder();
        folder.WriteTable(1, "one").WriteTable(2, "two");
        await folder.ApplyAsync(db, request: All);
        await db.ExecuteAsync("CREATE TABLE of_the_application ()");

        await folder.RollbackAsync(db, new RollbackRequest(All: true));
        (await folder.ApplyAsync(db, request: new PlanRequest(To: 1))).Finished.Count.ShouldBe(1);
        (await folder.ApplyAsync(db, request: All)).Finished.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_table_that_comes_while_the_lock_is_waited_for_is_seen()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var folder = new Folder();
        folder.WriteTable(1, "one");
        await using var other = await db.ConnectAsync();
        await using (var hold = new Npgsql.NpgsqlCommand(
            $"SELECT pg_advisory_lock({MigrationLock.Key("chatgenius_db")})", other))
        {
            await hold.ExecuteNonQueryAsync();
        }

        var run = folder.ApplyAsync(db, request: All);
        await folder.WaitForAsync<MigrationEvent.WaitingForLock>();
        await db.ExecuteAsync("CREATE TABLE theirs ()");
        await other.CloseAsync();

        (await Should.ThrowAsync<ProblemException>(() => run)).Problems.ShouldHaveSingleItem().Code.ShouldBe("CG0430");
        (await db.ScalarAsync<bool>("SELECT to_regclass('one') IS NULL")).ShouldBeTrue();
    }

    [Fact]
    public async Task Each_command_that_shows_what_would_be_applied_says_the_same()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = db.Url.Display } };
        tool.Write("chatgenius-db.json", """{ "environments": { "shared": { "fresh": true } } }""");
        await db.ExecuteAsync("CREATE TABLE theirs ()");

        foreach (var call in (string[])["apply", "apply --dry-run", "plan", "script"])
        {
            var run = await tool.RunAsync(call.Split(' '));
            run.ExitCode.ShouldBe(ExitCode.Error, call);
            run.Error.ShouldContain("CG0430", customMessage: call);
            run.Error.ShouldContain("1 table in schema public: theirs", customMessage: call);
        }

        (await tool.RunAsync("script", "--offline")).ExitCode.ShouldBe(ExitCode.Done);
        (await tool.RunAsync("plan", "--fresh")).ExitCode.ShouldBe(ExitCode.Done);
        (await tool.RunAsync("apply", "--env", "shared")).ExitCode.ShouldBe(ExitCode.Done);
        (await tool.RunAsync("apply")).Out.ShouldStartWith("Nothing to do");
    }
}
