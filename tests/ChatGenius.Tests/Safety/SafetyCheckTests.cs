using ChatGenius.Db.Safety;

namespace ChatGenius.Tests.Safety;

public class SafetyCheckTests
{
    [Theory]
    [InlineData(5_000, 1_000_000, Severity.Warning)]
    [InlineData(5_000, 20_000_000, Severity.Error)]
    [InlineData(2_000_000, 900_000_000, Severity.Error)]
    internal async Task The_size_of_the_targets_table_scales_a_lock(long rows, long bytes, Severity expected)
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
    public async Task What_the_throw_away_database_lacks_is_passed_over_and_the_rest_is_traced()
    {
        await using var shop = await Shop.OpenAsync();

        var findings = await shop.CheckAsync(
            "CREATE EXTENSION an_extension_that_is_not_there; ALTER TABLE orders DROP COLUMN note; CREATE INDEX orders_amount_idx ON "
                + "orders (amount);");

        findings.Select(finding => (finding.Hazard.Id, finding.Evidence)).ShouldBe(
            [("M108", Evidence.Traced), ("D102", Evidence.Catalog), ("L101", Evidence.Traced)], ignoreOrder: true);
    }

    [Theory]
    [InlineData("CREATE EXTENSION an_extension_that_is_not_there;", "M108")]
    [InlineData("COMMENT ON EXTENSION an_extension_that_is_not_there IS 'x';", "M108")]
    [InlineData("GRANT SELECT ON orders TO a_role_that_is_not_there;", "M108")]
    [InlineData("REVOKE SELECT ON orders FROM a_role_that_is_not_there;", "M108")]
    [InlineData("ALTER TABLE orders OWNER TO a_role_that_is_not_there;", "M108")]
    [InlineData("ALTER DEFAULT PRIVILEGES FOR ROLE a_role_that_is_not_there GRANT SELECT ON TABLES TO PUBLIC;", "M108")]
    [InlineData("CREATE POLICY p ON orders TO a_role_that_is_not_there;", "M108")]
    [InlineData("DO $$ BEGIN EXECUTE 'GRANT SELECT ON orders TO a_role_that_is_not_there'; END $$;", "M108")]
    [InlineData("ALTER TABLE orders SET TABLESPACE a_tablespace_that_is_not_there;", "M108")]
    [InlineData("ALTER TABLE orders ADD COLUMN shape a_type_that_is_not_there;", "F111")]
    [InlineData("ALTER TABLE orders DROP CONSTRAINT a_constraint_that_is_not_there;", "F111")]
    public async Task What_only_the_server_of_the_throw_away_database_lacks_does_not_fail_and_hides_nothing(string statement,
        string expected)
    {
        await using var shop = await Shop.OpenAsync();

        var findings = await shop.CheckAsync($"{statement}\nALTER TABLE orders ALTER COLUMN amount SET NOT NULL;");

        findings.Select(finding => finding.Hazard.Id).Intersect(["M108", "F111"]).ShouldHaveSingleItem().ShouldBe(expected);
        findings.Any(finding => finding is { Hazard.Id: "L203", Evidence: Evidence.Traced }).ShouldBe(expected == "M108");
    }

    [Theory]
    [InlineData("GRANT SELECT ON orders TO cg_test_made_up_role;")]
    [InlineData("SET ROLE cg_test_made_up_role; RESET ROLE;")]
    [InlineData("CREATE POLICY p ON orders TO cg_test_made_up_role;")]
    public async Task On_a_server_of_our_own_a_role_that_is_missing_is_made(string sql)
    {
        await using var shop = await Shop.OpenAsync();
        var migration = Shop.Migration(sql);

        var trace = await shop.TraceAsync(migration, new TracerOptions { MakesRoles = true });

        trace.Statements.ShouldAllBe(statement => statement.Outcome == TraceOutcome.Ran);
    }

    [Fact]
    public async Task What_needs_a_migration_that_failed_is_not_called_a_failure_too()
    {
        await using var shop = await Shop.OpenAsync();
        await using var tracer = await Tracer.StartAsync(shop.Database, new TracerOptions());
        tracer.Misses("0001_first fails");
        var migration = Shop.Migration("CREATE INDEX i ON nothing_of_the_kind (id); ALTER TABLE orders ALTER COLUMN amount SET NOT NULL;");

        var findings = SafetyCheck.Examine(migration, await tracer.TraceAsync(migration.Up), TableSizes.Unknown);

        findings.Select(finding => finding.Hazard.Id).ShouldContain("L203");
        findings.Select(finding => finding.Hazard.Id).ShouldNotContain("F111");
        findings.Single(finding => finding.Hazard.Id == "M108").Message.ShouldEndWith("as 0001_first fails");
    }

    [Fact]
    public async Task What_fails_says_where_the_server_stumbled()
    {
        await using var shop = await Shop.OpenAsync();

        var failure = (await shop.CheckAsync("CREATE VIEW v AS\nSELECT nothing FROM orders;"))
            .Single(finding => finding.Hazard.Id == "F111");

        failure.Where.ToString().ShouldBe("0007_example.sql:2:1");
        failure.Facts.ShouldBe(["at 0007_example.sql:3:8"]);
    }

    private static TableSizes Sizes(long rows, long bytes) =>
        TableSizes.From(new Dictionary<(string, string), TableSize> { [("public", "orders")] = new(rows, bytes) });
}
