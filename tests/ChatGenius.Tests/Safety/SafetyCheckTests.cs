using ChatGenius.Db.Connections;
using ChatGenius.Db.Safety;
namespace ChatGenius.Tests.Safety;

public class SafetyCheckTests
{
    [Theory]
    [InlineData(5_000, 1_000_000, Severity.Warning)]
    [InlineData(5_000, 20_000_000, Severity.Error)]
    [InlineData(2_000_000, 900_000_000, Severity.Error)]
    public async Task The_size_of_the_targets_table_scales_a_lock(long rows, long bytes, Severity expected)
    {
        await using var shop = await Shop.OpenAsync();

        var finding = (await shop.CheckAsync("CREATE INDEX orders_note_idx ON orders (note);", Sizes(rows, bytes))).ShouldHaveSingleItem();

        finding.Severity.ShouldBe(expected);
        finding.Message.ShouldContain($"{rows:N0} rows");
    }

    [Fact]
    public async Task The_size_of_a_table_does_not_excuse_the_loss_of_its_data()
    {
        await using var shop = await Shop.OpenAsync();

        var findings = await shop.CheckAsync("ALTER TABLE orders DROP COLUMN note;", Sizes(10, 8192));

        findings.Single(finding => finding.Hazard.Id == "D102").Severity.ShouldBe(Severity.Error);
    }

    [Fact]
    public async Task Sizes_are_read_from_a_target_partitions_with_their_parent()
    {
        await using var shop = await Shop.OpenAsync("ANALYZE");

        var sizes = await TableSizes.ReadAsync(shop.Database);

        sizes["public", "orders"]!.Value.Rows.ShouldBe(1000);
        sizes["public", "readings"]!.Value.Rows.ShouldBe(701);
        sizes["public", "orders"]!.Value.Bytes.ShouldBeGreaterThan(8192);
        sizes["public", "nothing"].ShouldBeNull();
        sizes.ServerVersion.ShouldBeGreaterThanOrEqualTo(130000);
        sizes.TimeZone.ShouldNotBeNull();
    }

    [Fact]
    public async Task The_safe_way_fits_the_statement_and_runs()
    {
        await using var shop = await Shop.OpenAsync();
        var bad = await shop.CheckAsync("CREATE UNIQUE INDEX \"Orders note\" ON orders (lower(note)) WHERE note IS NOT NULL;");

        var safeWay = bad.Single(finding => finding.Hazard.Id == "L101").SafeWay;
        await using var other = await Shop.OpenAsync();
        var good = await other.CheckAsync(safeWay);

        good.ShouldNotContain(finding => finding.Severity == Severity.Error);
        safeWay.ShouldContain("CREATE UNIQUE INDEX CONCURRENTLY \"Orders note\"");
    }

    [Fact]
    public async Task A_finding_says_what_was_measured()
    {
        await using var shop = await Shop.OpenAsync();

        var finding = (await shop.CheckAsync("CREATE INDEX orders_note_idx ON orders (note);")).ShouldHaveSingleItem();

        finding.Evidence.ShouldBe(Evidence.Traced);
        finding.Facts.ShouldBe(["SHARE on orders: blocks INSERT, UPDATE and DELETE; reads go on", "1 scan of orders, 1,000 rows read"]);
        finding.Where.ToString().ShouldBe("0007_example.sql:2:1");
        finding.Subject.ShouldBe("orders_note_idx");
    }

    [Fact]
    public async Task Where_the_throw_away_database_lacks_what_a_statement_needs_its_words_are_judged()
    {
        await using var shop = await Shop.OpenAsync();

        var findings = await shop.CheckAsync("CREATE EXTENSION an_extension_that_is_not_there; DROP TABLE orders; CREATE INDEX customers_name_idx ON customers (name);");

        findings.Select(finding => (finding.Hazard.Id, finding.Evidence)).ShouldBe([("F111", Evidence.Traced), ("D101", Evidence.Text), ("L101", Evidence.Text)], ignoreOrder: true);
    }

    [Theory]
    [InlineData("CREATE EXTENSION an_extension_that_is_not_there;", Severity.Warning)]
    [InlineData("GRANT SELECT ON orders TO a_role_that_is_not_there;", Severity.Warning)]
    [InlineData("ALTER TABLE orders OWNER TO a_role_that_is_not_there;", Severity.Warning)]
    [InlineData("ALTER TABLE orders SET TABLESPACE a_tablespace_that_is_not_there;", Severity.Warning)]
    [InlineData("ALTER TABLE orders ADD COLUMN shape a_type_that_is_not_there;", Severity.Error)]
    [InlineData("ALTER TABLE orders DROP CONSTRAINT a_constraint_that_is_not_there;", Severity.Error)]
    public async Task What_only_the_server_of_the_throw_away_database_lacks_is_a_warning(string statement, Severity expected)
    {
        await using var shop = await Shop.OpenAsync();

        var failure = (await shop.CheckAsync(statement)).Single(finding => finding.Hazard.Id == "F111");

        failure.Severity.ShouldBe(expected);
        failure.Message.ShouldStartWith(expected == Severity.Error ? "It fails: " : "It can't be tried on this server: ");
    }

    [Fact]
    public async Task What_fails_says_where_the_server_stumbled()
    {
        await using var shop = await Shop.OpenAsync();

        var failure = (await shop.CheckAsync("CREATE VIEW v AS\nSELECT nothing FROM orders;")).Single(finding => finding.Hazard.Id == "F111");

        failure.Where.ToString().ShouldBe("0007_example.sql:2:1");
        failure.Facts.ShouldBe(["at 0007_example.sql:3:8"]);
    }

    private static TableSizes Sizes(long rows, long bytes) =>
        TableSizes.From(new Dictionary<(string, string), TableSize> { [("public", "orders")] = new(rows, bytes) });
}
