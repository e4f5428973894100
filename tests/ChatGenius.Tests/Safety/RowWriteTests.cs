using ChatGenius.Db.Safety;
using ChatGenius.Tests.Tool;

namespace ChatGenius.Tests.Safety;

/// <summary>Files of many statements, and many files: what is traced together says what it says alone.</summary>
public class RowWriteTests
{
    private const string Given =
        """
        CREATE TABLE stock (id int PRIMARY KEY, kept int);
        INSERT INTO stock SELECT n, n FROM generate_series(1, 50) n;
        CREATE TABLE seen (id int);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO seen VALUES (1); RETURN NULL; END';
        CREATE TRIGGER note AFTER DELETE ON stock FOR EACH ROW EXECUTE FUNCTION note();
        """;

    private const string Rows =
        """
        CREATE TABLE fresh (id int, at timestamptz);
        INSERT INTO fresh VALUES (1, now()), (2, now());
        INSERT INTO stock VALUES (100, 1);
        UPDATE stock SET kept = 3 WHERE id = 100;
        UPDATE fresh SET at = NULL WHERE id > 0;
        DELETE FROM stock WHERE id = 100;
        DELETE FROM stock WHERE id = 101;
        INSERT INTO stock VALUES (1, 1) ON CONFLICT DO NOTHING;
        """;

    [Theory]
    [InlineData("")]
    [InlineData("-- migrate:up transaction:false\n")]
    public async Task Statements_that_write_rows_have_each_its_own(string up)
    {
        await using var shop = await Shop.OpenAsync(Given);

        var trace = await shop.TraceAsync(Shop.Migration(up + Rows));

        trace.Completed.ShouldBeTrue();
        uint Oid(string table) => trace.After.Find("public", table)!.Oid;
        trace.Statements.Select(s => s.ActivityOn(Oid("fresh")).Written).ShouldBe([0, 2, 0, 0, 2, 0, 0, 0]);
        trace.Statements.Select(s => s.ActivityOn(Oid("stock")))
            .Select(did => (did.Inserted, did.Updated, did.Deleted))
            .ShouldBe([(0, 0, 0), (0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 0), (0, 0, 1), (0, 0, 0), (0, 0, 0)]);
        // What a trigger wrote belongs to one of them.
        trace.Statements.Sum(s => s.ActivityOn(Oid("seen")).Inserted).ShouldBe(1);
    }

    [Theory]
    [InlineData("UPDATE stock SET kept = 1 WHERE kept > 0;")]
    [InlineData("UPDATE stock SET kept = 1 WHERE id IN (1, 2, 3);")]
    [InlineData("UPDATE stock SET kept = 1;")]
    [InlineData("DELETE FROM stock WHERE id = ANY ('{1,2}');")]
    [InlineData("INSERT INTO seen SELECT id FROM stock;")]
    [InlineData("INSERT INTO seen VALUES ((SELECT max(id) FROM stock));")]
    [InlineData("WITH x AS (SELECT 1) INSERT INTO seen VALUES (1);")]
    [InlineData("INSERT INTO seen VALUES (own());")]
    public async Task What_may_reach_further_is_traced_alone(string statement)
    {
        await using var shop = await Shop.OpenAsync($"{Given} CREATE FUNCTION own() RETURNS int LANGUAGE sql AS 'SELECT 1';");
        await using var tracer = await Tracer.StartAsync(shop.Database, new TracerOptions());

        RowWrite.Of(Shop.Migration(statement).Up.Script.Statements[0], tracer.Catalog, tracer.Catalog).ShouldBeNull();
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("-- migrate:up transaction:false\n", true)]
    public async Task One_that_is_refused_ends_them_as_it_ends_the_migration(string up, bool keeps)
    {
        await using var shop = await Shop.OpenAsync(Given);

        var trace = await shop.TraceAsync(Shop.Migration(
            $"{up}INSERT INTO stock VALUES (200, 1); INSERT INTO stock VALUES (1, 1); INSERT INTO stock VALUES (201, 1);"));

        trace.Statements.Select(s => s.Outcome).ShouldBe([TraceOutcome.Ran, TraceOutcome.Failed, TraceOutcome.NotRun]);
        trace.Statements[1].Error!.SqlState.ShouldBe(PostgresErrorCodes.UniqueViolation);
        await using var session = await Session.OpenAsync(shop.Database, "testing");
        (await session.ScalarAsync<long>("SELECT count(*) FROM public.stock WHERE id > 199", CancellationToken.None))
            .ShouldBe(keeps ? 1 : 0);
    }

    [Fact]
    public async Task One_that_needs_what_the_server_lacks_is_passed_over_alone()
    {
        await using var shop = await Shop.OpenAsync(Given);

        var trace = await shop.TraceAsync(Shop.Migration(
            """
            CREATE EXTENSION an_extension_that_is_not_there;
            INSERT INTO stock VALUES (200, 1);
            INSERT INTO of_the_extension VALUES (1);
            INSERT INTO stock VALUES (201, 1);
            """));

        trace.Completed.ShouldBeTrue();
        trace.Statements.Select(s => s.Outcome)
            .ShouldBe([TraceOutcome.NotRun, TraceOutcome.Ran, TraceOutcome.NotRun, TraceOutcome.Ran]);
    }

    [Fact]
    public async Task Many_migrations_are_checked_in_parts_and_one_that_fails_is_a_finding_of_its_own_all_the_same()
    {
        using var tool = new InProcess();
        for (var i = 1; i <= 52; i++)
        {
            var up = i == 1 ? "CREATE TABLE t (id int PRIMARY KEY);" : $"ALTER TABLE t ADD COLUMN c{i} int;";
            tool.Write($"migrations/{i:0000}_step.sql", $"-- migrate:up\n{up}\n-- migrate:down irreversible:true\n");
        }

        var whole = await tool.RunAsync("check", "--all", "--no-bundle", "--json");
        tool.Write("migrations/0020_step.sql", "-- migrate:up\nALTER TABLE nowhere ADD COLUMN c int;\n-- migrate:down irreversible:true\n");
        var broken = await tool.RunAsync("check", "--all", "--no-bundle", "--json");

        Versions(whole).ShouldBe(Enumerable.Range(1, 52).Select(i => (long)i));
        Versions(broken).ShouldBe(Enumerable.Range(1, 52).Select(i => (long)i));
        using var json = JsonDocument.Parse(broken.Out);
        json.RootElement.GetProperty("findings").EnumerateArray().Where(finding => finding.GetProperty("id").GetString() == "F111")
            .ShouldHaveSingleItem().GetProperty("version").GetInt64().ShouldBe(20);

        static List<long> Versions(ToolRun run)
        {
            using var json = JsonDocument.Parse(run.Out);
            return [.. json.RootElement.GetProperty("migrations").EnumerateArray().Select(one => one.GetProperty("version").GetInt64())];
        }
    }
}
