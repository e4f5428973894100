using ChatGenius.Db.Safety;

namespace ChatGenius.Tests.Safety;

public class TracerTests
{
    [Theory]
    [InlineData("ALTER TABLE orders ADD COLUMN a int NOT NULL DEFAULT 5", LockMode.AccessExclusive, 0, false)]
    [InlineData("ALTER TABLE orders ADD COLUMN a uuid DEFAULT gen_random_uuid()", LockMode.AccessExclusive, 4, true)]
    [InlineData("ALTER TABLE orders ADD COLUMN a bigint REFERENCES customers", LockMode.AccessExclusive, 0, false)]
    [InlineData("ALTER TABLE orders ADD COLUMN a int DEFAULT 5 CHECK (a > 0)", LockMode.AccessExclusive, 1, false)]
    [InlineData("ALTER TABLE orders ALTER COLUMN amount TYPE numeric(12, 4)", LockMode.AccessExclusive, 4, true)]
    [InlineData("ALTER TABLE orders ALTER COLUMN amount TYPE numeric(12, 2)", LockMode.AccessExclusive, 0, false)]
    [InlineData("ALTER TABLE orders ADD CHECK (amount > 0) NOT VALID", LockMode.AccessExclusive, 0, false)]
    [InlineData("CREATE INDEX orders_note_idx ON orders (note)", LockMode.Share, 1, false)]
    [InlineData("COMMENT ON TABLE orders IS 'x'", LockMode.ShareUpdateExclusive, 0, false)]
    [InlineData("UPDATE orders SET note = 'x'", LockMode.RowExclusive, 1, false)]
    internal async Task A_statement_shows_its_lock_its_scans_and_whether_it_rewrote(string sql, LockMode mode, int scans, bool rewrote)
    {
        await using var shop = await Shop.OpenAsync();

        var trace = await shop.TraceAsync(Shop.Migration(sql + ";"));

        trace.Completed.ShouldBeTrue();
        var statement = trace.Statements.ShouldHaveSingleItem();
        var orders = trace.Before.Find("public", "orders")!;
        statement.Locks.On(orders.Oid).ShouldBe(mode);
        statement.ActivityOn(orders.Oid).SequentialScans.ShouldBe(scans);
        (trace.After.Find(orders.Oid)!.Filenode != orders.Filenode).ShouldBe(rewrote);
    }

    [Theory]
    [InlineData("SELECT pg_sleep(600);", true)]
    [InlineData("SELECT 1; DO $$ BEGIN PERFORM pg_sleep(600); EXCEPTION WHEN query_canceled THEN PERFORM pg_sleep(600); END $$;", true)]
    [InlineData("SELECT 1; SELECT pg_sleep(600);", false)]
    public async Task A_statement_that_never_ends_is_cancelled_on_the_server(string sql, bool traced)
    {
        await using var shop = await Shop.OpenAsync();
        await using var tracer = await Tracer.StartAsync(shop.Database, new TracerOptions());
        using var cancellation = new CancellationTokenSource();
        var section = Shop.Migration(sql).Up;

        Task run = traced ? tracer.TraceAsync(section, cancellation.Token) : tracer.RunAsync(section, cancellation.Token);
        await shop.WaitForAsync("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = "
            + "'PgSleep')");
        await cancellation.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(run);
        await shop.WaitForAsync("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = "
            + "'PgSleep')");
    }

    [Fact]
    public async Task Locks_and_counters_are_told_apart_by_statement()
    {
        await using var shop = await Shop.OpenAsync();

        var trace = await shop.TraceAsync(
            Shop.Migration("UPDATE orders SET note = 'x' WHERE id < 4; LOCK TABLE customers; UPDATE orders SET note = 'y' WHERE id "
            + "BETWEEN 10 AND 11;"));

        var orders = trace.Before.Find("public", "orders")!.Oid;
        var customers = trace.Before.Find("public", "customers")!.Oid;
        trace.Statements.Select(statement => statement.ActivityOn(orders).Updated).ShouldBe([3, 0, 2]);
        trace.Statements.Select(statement => statement.Locks.NewOn(customers, statement.LocksBefore))
            .ShouldBe([LockMode.None, LockMode.AccessExclusive, LockMode.None]);
        trace.Statements[2].LocksBefore.On(customers).ShouldBe(LockMode.AccessExclusive);
        trace.Statements[0].RowsBefore[orders].ShouldBe(1000);
    }

    [Fact]
    public async Task Changes_made_in_a_block_that_catches_errors_are_seen()
    {
        await using var shop = await Shop.OpenAsync();

        var trace = await shop.TraceAsync(
            Shop.Migration("DO $$ BEGIN ALTER TABLE orders ADD COLUMN a int; EXCEPTION WHEN OTHERS THEN NULL; END $$;"));

        var orders = trace.Before.Find("public", "orders")!.Oid;
        trace.After.ColumnsOf(orders).Select(column => column.Name).ShouldContain("a");
    }

    [Fact]
    public async Task After_an_error_the_transaction_is_gone_and_the_rest_was_not_run()
    {
        await using var shop = await Shop.OpenAsync();

        var trace = await shop.TraceAsync(
            Shop.Migration("ALTER TABLE orders ADD COLUMN a int; SELECT 1 / 0; ALTER TABLE orders ADD COLUMN b int;"));

        trace.Completed.ShouldBeFalse();
        trace.Statements.Select(statement => statement.Outcome).ShouldBe([TraceOutcome.Ran, TraceOutcome.Failed, TraceOutcome.NotRun]);
        trace.Statements[1].Error!.SqlState.ShouldBe(PostgresErrorCodes.DivisionByZero);
        trace.After.ColumnsOf(trace.Before.Find("public", "orders")!.Oid).Select(column => column.Name).ShouldNotContain("a");
    }

    [Fact]
    public async Task What_can_not_run_in_a_transaction_is_a_fact_and_is_run_alone_all_the_same()
    {
        await using var shop = await Shop.OpenAsync();

        var trace = await shop.TraceAsync(
            Shop.Migration("COMMENT ON TABLE orders IS 'x'; CREATE INDEX CONCURRENTLY orders_note_idx ON orders (note);"));

        trace.Completed.ShouldBeTrue();
        trace.Statements[1].Error!.SqlState.ShouldBe(PostgresErrorCodes.ActiveSqlTransaction);
        trace.Statements[1].RanAlone.ShouldBeTrue();
        trace.After.Find("public", "orders_note_idx").ShouldNotBeNull().Index!.Valid.ShouldBeTrue();
    }

    [Fact]
    public async Task Without_a_transaction_each_statement_has_its_own_locks()
    {
        await using var shop = await Shop.OpenAsync();

        var trace = await shop.TraceAsync(
            Shop.Migration("-- migrate:up transaction:false\nALTER TABLE orders ADD COLUMN a int; ALTER TABLE customers ADD COLUMN a int; "
            + "VACUUM orders;"));

        var orders = trace.Before.Find("public", "orders")!.Oid;
        trace.Statements[0].Locks.On(orders).ShouldBe(LockMode.AccessExclusive);
        trace.Statements[1].Locks.On(orders).ShouldBe(LockMode.None);
        trace.Statements.Select(statement => statement.RanAlone).ShouldBe([false, false, true]);
    }

    [Fact]
    public async Task A_file_without_a_transaction_can_begin_one_itself()
    {
        await using var shop = await Shop.OpenAsync();

        var trace = await shop.TraceAsync(Shop.Migration(
            "-- migrate:up transaction:false\nBEGIN; ALTER TABLE orders ADD COLUMN a int; UPDATE orders SET a = 1 WHERE id = 1; COMMIT; "
                + "ALTER TABLE orders ADD COLUMN b int;"));

        trace.Completed.ShouldBeTrue();
        var orders = trace.Before.Find("public", "orders")!.Oid;
        trace.Statements[2].LocksBefore.On(orders).ShouldBe(LockMode.AccessExclusive);
        trace.Statements[4].LocksBefore.On(orders).ShouldBe(LockMode.None);
        trace.After.ColumnsOf(orders).Select(column => column.Name)
            .ShouldBe(["id", "customer_id", "status", "amount", "placed_at", "note", "a", "b"]);
    }

    [Theory]
    [InlineData("ALTER SYSTEM SET work_mem = '8MB'")]
    [InlineData("CREATE DATABASE cg_test_never_made")]
    [InlineData("DROP DATABASE IF EXISTS cg_test_never_made")]
    public async Task What_reaches_beyond_the_database_is_never_run(string sql)
    {
        await using var shop = await Shop.OpenAsync();

        var trace = await shop.TraceAsync(Shop.Migration($"-- migrate:up transaction:false\n{sql};"));

        trace.Statements.ShouldHaveSingleItem().Outcome.ShouldBe(TraceOutcome.NotRun);
        trace.Completed.ShouldBeTrue();
    }

    [Fact]
    public async Task A_role_that_the_server_has_already_is_left_out()
    {
        await using var shop = await Shop.OpenAsync();

        var trace = await shop.TraceAsync(Shop.Migration("CREATE ROLE pg_monitor; CREATE USER MAPPING FOR CURRENT_USER SERVER nowhere;"));

        trace.Statements[0].Outcome.ShouldBe(TraceOutcome.NotRun);
        trace.Statements[1].Outcome.ShouldBe(TraceOutcome.Failed);
    }

    [Theory]
    [InlineData("DEALLOCATE ALL; ALTER TABLE orders ADD COLUMN a int;")]
    [InlineData("-- migrate:up transaction:false\nDISCARD ALL; ALTER TABLE orders ADD COLUMN a int;")]
    public async Task A_migration_that_discards_what_the_session_has_prepared_is_traced_on(string sql)
    {
        await using var shop = await Shop.OpenAsync();

        var trace = await shop.TraceAsync(Shop.Migration(sql));

        trace.Completed.ShouldBeTrue();
        trace.Statements[1].Locks.On(trace.Before.Find("public", "orders")!.Oid).ShouldBe(LockMode.AccessExclusive);
    }

    [Fact]
    public async Task Rows_of_a_copy_are_brought_in()
    {
        await using var shop = await Shop.OpenAsync();

        var trace = await shop.TraceAsync(
            Shop.Migration("COPY customers FROM stdin;\n900\tz\u00fc\u00df\tz@example.org\n901\tb\tb@example.org\n\\.\n"));

        trace.Completed.ShouldBeTrue();
        trace.Statements[0].ActivityOn(trace.Before.Find("public", "customers")!.Oid).Inserted.ShouldBe(2);
    }

    [Fact]
    public async Task Settings_that_outlive_a_section_are_named_and_taken_back()
    {
        await using var shop = await Shop.OpenAsync();
        await using var tracer = await Tracer.StartAsync(shop.Database, new TracerOptions());

        var leaking = await tracer.TraceAsync(Shop.Migration("SET work_mem = '8MB'; SET ROLE pg_read_all_data;").Up);
        var clean = await tracer.TraceAsync(Shop.Migration("SET LOCAL work_mem = '8MB'; CREATE TABLE t (id int);").Up);

        leaking.SettingsLeft.ShouldBe(["role = pg_read_all_data", "work_mem = 8192"]);
        clean.SettingsLeft.ShouldBeEmpty();
        clean.Completed.ShouldBeTrue();
    }

    [Fact]
    public async Task A_constraint_that_speaks_at_commit_fails_the_statement_that_wrote()
    {
        await using var shop = await Shop.OpenAsync(
            "ALTER TABLE orders ALTER CONSTRAINT orders_customer_id_fkey DEFERRABLE INITIALLY DEFERRED");

        var trace = await shop.TraceAsync(Shop.Migration("UPDATE orders SET customer_id = -1 WHERE id = 1; SELECT 1;"));

        trace.Completed.ShouldBeFalse();
        trace.Statements[0].Error!.SqlState.ShouldBe(PostgresErrorCodes.ForeignKeyViolation);
    }

    [Fact]
    public async Task The_time_zone_of_production_decides_about_timestamps()
    {
        foreach (var (zone, rewrites) in new[] { ("UTC", false), ("Europe/Kyiv", true) })
        {
            await using var shop = await Shop.OpenAsync(
                "CREATE TABLE events (id int PRIMARY KEY, at timestamp); INSERT INTO events VALUES (1, now())");
            var trace = await shop.TraceAsync(Shop.Migration("ALTER TABLE events ALTER COLUMN at TYPE timestamptz;"),
                new TracerOptions { TimeZone = zone });
            var events = trace.Before.Find("public", "events")!;
            (trace.After.Find(events.Oid)!.Filenode != events.Filenode).ShouldBe(rewrites, zone);
        }
    }

    [Fact]
    public async Task Names_of_any_kind_and_a_search_path_without_public_are_no_hindrance()
    {
        await using var shop = await Shop.OpenAsync(
            "CREATE SCHEMA \"Ä b\"; CREATE TABLE \"Ä b\".\"t\"\"x\" (\"select\" int PRIMARY KEY); INSERT INTO \"Ä b\".\"t\"\"x\" VALUES "
            + "(1)");

        var findings = await shop.CheckAsync(
            "SET LOCAL search_path = \"Ä b\"; SET LOCAL standard_conforming_strings = off; DELETE FROM \"t\"\"x\"; ALTER TABLE \"t\"\"x\" "
            + "ADD COLUMN \"from\" text DEFAULT 'it\\'s';");

        findings.Where(finding => finding.Severity == Severity.Error).Select(finding => (finding.Hazard.Id, finding.Subject))
            .ShouldBe([("D106", "\"Ä b\".\"t\"\"x\"")]);
    }
}
