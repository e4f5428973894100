using ChatGenius.Db.Safety;
using ChatGenius.Tool;

namespace ChatGenius.Tests.Safety;

public class RoundTripperTests
{
    [Fact]
    public async Task What_down_gives_back_and_up_makes_again_is_the_same()
    {
        var roundTrip = await RunAsync("CREATE TABLE refunds (id bigint PRIMARY KEY);", "DROP TABLE refunds;");

        roundTrip.ShouldNotBeNull().Restores.ShouldBeTrue();
    }

    [Fact]
    public async Task What_down_leaves_is_named()
    {
        var roundTrip = await RunAsync("CREATE TABLE refunds (id bigint PRIMARY KEY); COMMENT ON TABLE orders IS 'x';",
            "DROP TABLE refunds;");

        roundTrip.ShouldNotBeNull().Differences.ShouldHaveSingleItem().ShouldContain("public.orders: comment");
    }

    [Fact]
    public async Task Values_that_do_not_come_back_are_counted()
    {
        var roundTrip = await RunAsync("ALTER TABLE customers DROP COLUMN email;",
            "ALTER TABLE customers ADD COLUMN email text NOT NULL DEFAULT ''; ALTER TABLE customers ALTER COLUMN email DROP DEFAULT;");

        roundTrip.ShouldNotBeNull().Lost.ShouldBe([new Loss("customers.email", "200 values")]);
    }

    [Fact]
    public async Task Values_that_down_brings_back_from_elsewhere_are_not_lost()
    {
        var roundTrip = await RunAsync(
            "CREATE TABLE emails AS SELECT id, email FROM customers; ALTER TABLE customers DROP COLUMN email;",
            "ALTER TABLE customers ADD COLUMN email text; UPDATE customers SET email = e.email FROM emails e WHERE e.id = customers.id; "
                + "ALTER TABLE customers ALTER COLUMN email SET NOT NULL; DROP TABLE emails;");

        roundTrip.ShouldNotBeNull().Restores.ShouldBeTrue(
            string.Join('\n', [.. roundTrip.Differences, .. roundTrip.Lost.Select(loss => loss.ToString()), .. roundTrip.SecondUp]));
    }

    [Fact]
    public async Task Rows_that_do_not_come_back_are_counted()
    {
        var roundTrip = await RunAsync("DELETE FROM orders WHERE id <= 10;", "SELECT 1;");

        roundTrip.ShouldNotBeNull().Lost.ShouldBe([new Loss("orders", "10 rows")]);
    }

    [Fact]
    public async Task A_rename_that_changes_definitions_elsewhere_is_made_again_all_the_same()
    {
        var roundTrip = await RunAsync(
            "ALTER TABLE orders RENAME TO purchases; ALTER TABLE customers RENAME COLUMN id TO number;",
                "ALTER TABLE customers RENAME COLUMN number TO id; ALTER TABLE purchases RENAME TO orders;");

        roundTrip.ShouldNotBeNull().SecondUp.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_down_that_fails_says_so_and_the_next_migration_starts_where_it_should()
    {
        await using var shop = await Shop.OpenAsync();
        await using var tracer = await Tracer.StartAsync(shop.Database, new TracerOptions());
        var tripper = new RoundTripper(tracer);

        var (_, failed) = await tripper.RunAsync(
            Shop.Migration("-- migrate:up\nALTER TABLE orders ADD COLUMN a int;\n-- migrate:down\nALTER TABLE orders DROP COLUMN b;\n"));
        var (trace, next) = await tripper.RunAsync(
            Shop.Migration("-- migrate:up\nALTER TABLE orders ADD COLUMN b int;\n-- migrate:down\nALTER TABLE orders DROP COLUMN b;\n"));

        failed.ShouldNotBeNull().Failure.ShouldNotBeNull().ShouldStartWith("Down fails: column \"b\"");
        trace.Completed.ShouldBeTrue();
        next.ShouldNotBeNull().Restores.ShouldBeTrue();
        tracer.Catalog.ColumnsOf(tracer.Catalog.Find("public", "orders")!.Oid).Select(column => column.Name).ShouldContain("a");
    }

    [Fact]
    public async Task A_second_up_that_makes_something_else_is_named_a_views_query_too()
    {
        var roundTrip = await RunAsync(
            "INSERT INTO readings VALUES ('2024-05-05', 1); DO $$ BEGIN EXECUTE format('CREATE VIEW counted AS SELECT %s AS n', (SELECT "
                + "count(*) FROM readings)); END $$;",
            "DROP VIEW counted;");

        roundTrip.ShouldNotBeNull().Differences.ShouldBeEmpty();
        roundTrip.SecondUp.ShouldHaveSingleItem().ShouldContain("public.counted");
    }

    [Fact]
    public async Task Without_a_way_back_there_is_no_round_trip()
    {
        await using var shop = await Shop.OpenAsync();
        await using var tracer = await Tracer.StartAsync(shop.Database, new TracerOptions());

        var (trace, roundTrip) = await new RoundTripper(tracer).RunAsync(Shop.Migration("DROP TABLE orders;"));

        trace.Completed.ShouldBeTrue();
        roundTrip.ShouldBeNull();
    }

    /// <summary>The second half of each: whether a rollback of it leaves all rows as they were before.</summary>
    [Theory]
    [InlineData("ALTER TABLE orders DROP COLUMN note;", "ALTER TABLE orders ADD COLUMN note text;", true)]
    [InlineData("ALTER TABLE orders DROP COLUMN note;",
        "ALTER TABLE orders ADD COLUMN note text; UPDATE orders SET note = 'made up';", true)]
    [InlineData("UPDATE orders SET note = 'all the same';", "UPDATE orders SET note = 'another';", true)]
    [InlineData("DELETE FROM orders WHERE id <= 10;", "SELECT 1;", true)]
    [InlineData("TRUNCATE orders;", "SELECT 1;", true)]
    [InlineData("DELETE FROM orders WHERE id <= 10;", "DELETE FROM orders WHERE id = 20;", false)]
    [InlineData("UPDATE orders SET note = 'all the same';", "DELETE FROM orders WHERE id <= 10;", false)]
    [InlineData("DELETE FROM orders WHERE id <= 10;",
        "ALTER TABLE orders DROP COLUMN note; ALTER TABLE orders ADD COLUMN note text;", false)]
    public async Task What_is_kept_is_lost_only_where_a_rollback_does_not_put_it_back(string up, string down, bool restores)
    {
        await using var shop = await Shop.OpenAsync("UPDATE orders SET note = id::text");
        var migration = MigrationParser.Parse(
            Shop.Source($"-- migrate:up keep:true\n{up}\n-- migrate:down\n{down}\n"), MigrationOrigin.Folder);
        RoundTrip? roundTrip;
        await using (var copy = await Shop.OpenAsync("UPDATE orders SET note = id::text"))
        {
            await using var tracer = await Tracer.StartAsync(copy.Database, new TracerOptions());
            (_, roundTrip) = await new RoundTripper(tracer).RunAsync(migration);
        }

        const string All = "SELECT md5(string_agg(concat(id, note), ',' ORDER BY id)) FROM orders";
        var before = await shop.ScalarAsync<string>(All);
        var migrator = new Migrator(shop.Database, [migration]);
        await migrator.ApplyAsync(new PlanRequest(Fresh: true));
        await migrator.RollbackAsync(new RollbackRequest());

        (await shop.ScalarAsync<string>(All) == before).ShouldBe(restores);
        roundTrip.ShouldNotBeNull().Restores.ShouldBe(restores, string.Join(", ", roundTrip.Lost));
        HygieneRules.OfRoundTrip(migration, roundTrip).Any().ShouldBe(!restores);
    }

    private static async Task<RoundTrip?> RunAsync(string up, string down)
    {
        await using var shop = await Shop.OpenAsync();
        await using var tracer = await Tracer.StartAsync(shop.Database, new TracerOptions());
        return (await new RoundTripper(tracer).RunAsync(Shop.Migration($"-- migrate:up\n{up}\n-- migrate:down\n{down}\n"))).RoundTrip;
    }
}
