using ChatGenius.Db.Safety;

namespace ChatGenius.Tests.Safety;

public class TraceRecordTests
{
    [Theory]
    [InlineData("ALTER TABLE orders ADD COLUMN a int")]
    [InlineData("CREATE TABLE refunds (id bigint PRIMARY KEY, order_id bigint REFERENCES orders (id)); CREATE INDEX refunds_idx ON "
        + "refunds (order_id)")]
    [InlineData("ALTER TABLE readings ADD COLUMN unit text DEFAULT gen_random_uuid()")]
    [InlineData("UPDATE orders SET note = 'x' WHERE id = 1")]
    [InlineData("TRUNCATE orders")]
    [InlineData("CREATE INDEX readings_value_idx ON readings (value)")]
    [InlineData("SET ROLE pg_read_all_data; SET search_path = nowhere")]
    public async Task A_transaction_that_does_what_was_seen_may_commit(string sql)
    {
        var certificate = await CertificateAsync(sql, "");
        await using var production = await Shop.OpenAsync();

        (await RunAsync(production, certificate, sql)).ShouldBeNull();
    }

    [Fact]
    public async Task A_scan_that_was_not_seen_is_named()
    {
        const string Sql = "ALTER TABLE orders ALTER COLUMN amount SET NOT NULL";
        var certificate = await CertificateAsync(Sql, "ALTER TABLE orders ADD CONSTRAINT proof CHECK (amount IS NOT NULL)");
        await using var production = await Shop.OpenAsync();

        (await RunAsync(production, certificate, Sql)).ShouldBe("public.orders was read whole, which is not certified");
    }

    [Fact]
    public async Task A_rewrite_that_was_not_seen_is_named()
    {
        const string Sql = "ALTER TABLE events ALTER COLUMN name TYPE varchar(20)";
        var certificate = await CertificateAsync(Sql, "CREATE TABLE events (id int PRIMARY KEY, name varchar(10))");
        await using var production = await Shop.OpenAsync("CREATE TABLE events (id int PRIMARY KEY, name varchar(40))");

        (await RunAsync(production, certificate, Sql)).ShouldBe(
            "public.events was read whole, which is not certified\npublic.events was written to a new file, which is not certified");
    }

    [Fact]
    public async Task A_stronger_lock_than_was_seen_is_named()
    {
        const string Sql = "DO $$ BEGIN IF EXISTS (SELECT FROM pg_class WHERE relname = 'events') THEN LOCK TABLE orders; END IF; END $$; "
            + "COMMENT ON TABLE customers IS 'x'";
        var certificate = await CertificateAsync(Sql, "");
        await using var production = await Shop.OpenAsync("CREATE TABLE events (id int PRIMARY KEY)");

        (await RunAsync(production, certificate, Sql)).ShouldBe("ACCESS EXCLUSIVE on public.orders is stronger than certified");
    }

    [Fact]
    public async Task A_certificate_is_read_as_it_was_written()
    {
        var certificate = await CertificateAsync("ALTER TABLE orders ADD COLUMN a int", "");

        var read = TraceRecord.Parse("x.trace.json", certificate.ToJson());

        read.ToJson().ShouldBe(certificate.ToJson());
        read.EndCommand.ShouldBe(certificate.EndCommand);
        read.Statements.ShouldHaveSingleItem().Locks.ShouldHaveSingleItem()
            .ShouldBe(KeyValuePair.Create("public.orders", "ACCESS EXCLUSIVE"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{\"checksum\": 5}")]
    public void What_is_no_certificate_is_a_problem(string json) =>
        Should.Throw<ProblemException>(() =>
            TraceRecord.Parse("x.trace.json", json)).Problems.ShouldHaveSingleItem().Code.ShouldBe("CG1213");

    [Theory]
    [InlineData("SELECT 1 / 0")]
    [InlineData("COMMENT ON TABLE orders IS 'x'; CREATE INDEX CONCURRENTLY i ON orders (note)")]
    public async Task A_migration_that_did_not_run_to_its_end_as_one_transaction_gets_none(string sql)
    {
        await using var shop = await Shop.OpenAsync();
        var migration = Shop.Migration($"{sql};");

        TraceRecord.Of(new MigrationFacts(migration, await shop.TraceAsync(migration), TableSizes.Unknown)).ShouldBeNull();
    }

    private static async Task<TraceRecord> CertificateAsync(string sql, string given)
    {
        await using var shop = await Shop.OpenAsync(given);
        var migration = Shop.Migration($"{sql};");
        return TraceRecord.Of(new MigrationFacts(migration, await shop.TraceAsync(migration), TableSizes.Unknown)).ShouldNotBeNull();
    }

    /// <summary>Runs SQL between the certificate's two commands; the message with which the second one fails, or null.</summary>
    private static async Task<string?> RunAsync(Shop shop, TraceRecord certificate, string sql)
    {
        await using var connection = await shop.Database.ConnectAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands = { new NpgsqlBatchCommand(TraceRecord.BeginCommand) },
        };
        foreach (var statement in Shop.Migration($"{sql};").Up.Script.Statements)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(statement.Text));
        }

        batch.BatchCommands.Add(new NpgsqlBatchCommand(certificate.EndCommand));
        try
        {
            await batch.ExecuteNonQueryAsync();
            return null;
        }
        catch (PostgresException e) when (e.SqlState == TraceRecord.SqlState)
        {
            return e.MessageText;
        }
    }
}
