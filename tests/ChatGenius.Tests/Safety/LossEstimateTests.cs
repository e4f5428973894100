using ChatGenius.Db.Safety;

namespace ChatGenius.Tests.Safety;

public class LossEstimateTests
{
    [Fact]
    public async Task A_rollback_says_how_many_rows_and_values_it_destroys()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder()
            .Write(1, "a", "CREATE TABLE a (id int, note text); INSERT INTO a VALUES (1, 'x'), (2, NULL), (3, 'z');",
                "DROP TABLE IF EXISTS a, \"no such\";")
            .Write(2, "b", "CREATE TABLE b (id int, note text); INSERT INTO b VALUES (1, 'x'), (2, NULL);",
                "ALTER TABLE ONLY b ALTER COLUMN id DROP NOT NULL, DROP COLUMN IF EXISTS note, ADD COLUMN c int;")
            .Write(3, "c", "CREATE TABLE c (id int); INSERT INTO c VALUES (1);", "DELETE FROM c WHERE id = 5;");
        await folder.ApplyAsync(database);

        (await EstimateAsync(database, folder)).ShouldBe(["rows of table c 1 AtMost 0003_c", "column b.note 1 Exact 0002_b",
            "table a 3 Exact 0001_a"]);
    }

    [Theory]
    [InlineData("DROP TABLE a;")]
    [InlineData("ALTER TABLE a RENAME COLUMN note TO old; ALTER TABLE a DROP COLUMN old;")]
    [InlineData("ALTER TABLE a ADD COLUMN tmp int; UPDATE a SET tmp = 1; ALTER TABLE a DROP COLUMN tmp;")]
    [InlineData("ALTER TABLE a DROP COLUMN IF EXISTS legacy;")]
    [InlineData("DELETE FROM a WHERE id = (1/0);")]
    [InlineData("DROP TABLE nowhere;")]
    [InlineData("DO $$ BEGIN END $$;")]
    public async Task No_down_section_stops_the_estimate(string down)
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(1, "a", "CREATE TABLE a (id int, note text);", down);
        await folder.ApplyAsync(database);

        await EstimateAsync(database, folder);
    }

    [Fact]
    public async Task What_cant_be_told_is_said_with_its_line_and_file()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(1, "a", "SELECT 1;", "SELECT 1;\nDO $$ BEGIN END $$;\nDROP TABLE gone;");
        await folder.ApplyAsync(database);

        var said = await EstimateAsync(database, folder);

        said[0].ShouldStartWith("Can't tell what the DO at line 6 does, in ");
        said[0].ShouldEndWith("0001_a.sql");
        said[1].ShouldStartWith("Can't tell what the DROP TABLE at line 7 does");
        said[1].ShouldEndWith(": there is no gone that it can mean");
    }

    [Fact]
    public async Task Rows_that_row_security_hides_are_counted_or_said_not_to_be()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(1, "a",
            "CREATE TABLE a (id int); INSERT INTO a VALUES (1), (2); ALTER TABLE a ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;",
                "DROP TABLE a;");
        await folder.ApplyAsync(database);
        var role = "hidden_" + Guid.NewGuid().ToString("N")[..8];
        await database.ExecuteAsync(
            $"CREATE ROLE {role} LOGIN PASSWORD 'secret'; ALTER TABLE a OWNER TO {role}; GRANT USAGE, CREATE ON SCHEMA public TO {role}");
        try
        {
            (await EstimateAsync(database, folder)).ShouldBe(["table a 2 Exact 0001_a"]);
            var url = Db.Connections.DatabaseUrl.Parse(new NpgsqlConnectionStringBuilder(database.Url.ConnectionString) { Username = role,
                Password = "secret" }.ConnectionString, "test");
            var plan = await folder.Migrator(database).PlanRollbackAsync(new RollbackRequest(All: true));

            var estimate = await LossEstimate.OfAsync(new Db.Connections.Database(url), plan, new MigratorOptions(), _ => { });

            estimate.Lost.ShouldHaveSingleItem().Accuracy.ShouldBe(LossAccuracy.Unknown);
            estimate.Lost[0].Reason!.ShouldContain("row-level security", Case.Insensitive);
        }
        finally
        {
            await database.ExecuteAsync($"DROP OWNED BY {role}; DROP ROLE {role}");
        }
    }

    [Fact]
    public async Task It_waits_for_a_lock_no_longer_than_it_may_and_says_what_for()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(1, "a", "CREATE TABLE a (id int); INSERT INTO a VALUES (1); CREATE TABLE b (id int);",
            "DROP TABLE a; DROP TABLE b;");
        await folder.ApplyAsync(database);
        await using var other = await database.ConnectAsync();
        await using var transaction = await other.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand("LOCK TABLE a, b", other))
        {
            await command.ExecuteNonQueryAsync();
        }

        var plan = await folder.Migrator(database).PlanRollbackAsync(new RollbackRequest(All: true));
        var waits = new List<string>();

        var estimate = await LossEstimate.OfAsync(database.Database, plan, new MigratorOptions { LockTimeout = TimeSpan.FromSeconds(1) },
            waits.Add);

        waits.ShouldBe(["Waiting for a lock to count table a, for 1 s at most"]);
        estimate.Lost.Select(item => item.Accuracy).ShouldBe([LossAccuracy.Unknown, LossAccuracy.Unknown]);
        estimate.IsNothing.ShouldBeFalse();
    }

    [Fact]
    public async Task A_view_that_takes_the_tables_place_while_it_waits_is_not_read()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(1, "a", "CREATE TABLE a (id int); INSERT INTO a VALUES (1);", "DROP TABLE a;");
        await folder.ApplyAsync(database);
        await database.ExecuteAsync(
            "CREATE FUNCTION trap() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the trap'; END $$");
        await using var other = await database.ConnectAsync();
        await using var transaction = await other.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand("ALTER TABLE a RENAME TO b; CREATE VIEW a AS SELECT trap() AS id", other))
        {
            await command.ExecuteNonQueryAsync();
        }

        var plan = await folder.Migrator(database).PlanRollbackAsync(new RollbackRequest(All: true));

        var estimate = await LossEstimate.OfAsync(database.Database, plan, new MigratorOptions(), _ => transaction.Commit());

        var item = estimate.Lost.ShouldHaveSingleItem();
        (item.Accuracy, item.Reason).ShouldBe((LossAccuracy.Unknown, "it is no table any more: something else has its name"));
    }

    [Fact]
    public async Task A_database_that_cant_be_read_is_no_end_of_the_command()
    {
        var url = Db.Connections.DatabaseUrl.Parse("postgres://nobody@127.0.0.1:1/nothing?connect_timeout=1", "test");

        var estimate = await LossEstimate.OfAsync(new Db.Connections.Database(url), new MigrationPlan([], [], []), new MigratorOptions(),
            _ => { });

        estimate.Unclear.ShouldHaveSingleItem().ShouldStartWith("Can't tell what will be lost: ");
    }

    [Fact]
    public async Task Of_an_interrupted_rollback_only_what_is_still_to_run_counts()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(
            1, "a", "CREATE TABLE a (v int, w int); INSERT INTO a VALUES (1, 1); CREATE TABLE b (id int); INSERT INTO b VALUES (1);",
            "SET search_path = pg_catalog;\nALTER TABLE public.a DROP COLUMN w;\nDROP TABLE b;", downOptions: " transaction:false");
        await folder.ApplyAsync(database);
        await Should.ThrowAsync<Db.ProblemException>(() => folder.RollbackAsync(database));
        await database.ExecuteAsync("ALTER DATABASE " + database.Url.DatabaseName + " SET search_path = public");
        var plan = await folder.Migrator(database).PlanRollbackAsync(new RollbackRequest(All: true));
        plan.Steps[0].Resume!.Statement.ShouldBe(3);

        // The setting of the part that is done still counts: there is no b in pg_catalog.
        (await EstimateAsync(database, folder)).ShouldHaveSingleItem().ShouldContain("DROP TABLE at line 7");
    }

    [Fact]
    public async Task An_event_trigger_is_said_once()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a").WriteTable(2, "b");
        await folder.ApplyAsync(database);
        await database.ExecuteAsync(
            "CREATE FUNCTION quiet() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; "
            + "CREATE EVENT TRIGGER watch ON sql_drop EXECUTE FUNCTION quiet()");

        (await EstimateAsync(database, folder)).ShouldHaveSingleItem().ShouldEndWith("it fires the event trigger watch");
    }

    private static async Task<List<string>> EstimateAsync(TestDatabase database, Folder folder)
    {
        var plan = await folder.Migrator(database).PlanRollbackAsync(new RollbackRequest(All: true));
        var estimate = await LossEstimate.OfAsync(database.Database, plan, new MigratorOptions(), _ => { });
        estimate.Unclear.ShouldNotContain(sentence => sentence.StartsWith("Can't tell what will be lost", StringComparison.Ordinal));
        return [.. estimate.Lost.Select(item => $"{item.What} {item.Rows} {item.Accuracy} {item.By}"), .. estimate.Unclear];
    }
}
