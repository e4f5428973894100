using ChatGenius.Db.Replay;
using ChatGenius.Db.Safety;
using ChatGenius.Db.Text;

namespace ChatGenius.Tests.Safety;

public class MigrationFixTests
{
    private const string Given =
        """
        ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey;
        UPDATE orders SET note = '';
        CREATE TABLE plain (id bigint, n int);
        INSERT INTO plain SELECT n, n FROM generate_series(1, 500) n;
        CREATE MATERIALIZED VIEW totals AS SELECT customer_id, sum(amount) AS total FROM orders GROUP BY customer_id;
        CREATE UNIQUE INDEX totals_customer_id_idx ON totals (customer_id);
        """;

    /// <summary>The rule, the migration, its down, and how many files it takes.</summary>
    public static TheoryData<string, string, string, int> Cases => new()
    {
        { "L101", "CREATE INDEX orders_placed_at_idx ON orders (placed_at);", "DROP INDEX orders_placed_at_idx;", 1 },
        { "L101", "CREATE INDEX ON orders (placed_at);", "DROP INDEX orders_placed_at_idx;", 1 },
        { "L101", "CREATE UNIQUE INDEX IF NOT EXISTS \"A b\" ON orders (id, placed_at) WHERE id > 0;", "DROP INDEX \"A b\";", 1 },
        {
            "L101", "ALTER TABLE orders ADD COLUMN x int;\n\n-- for the list\nCREATE INDEX orders_x_idx ON orders (x);",
            "DROP INDEX orders_x_idx;\nALTER TABLE orders DROP COLUMN x;", 2
        },
        { "L102", "DROP INDEX orders_status_idx;", "CREATE INDEX orders_status_idx ON orders (status);", 1 },
        { "L103", "REINDEX TABLE orders;", "SELECT 1;", 1 },
        {
            "L104", "ALTER TABLE customers ADD CONSTRAINT customers_email_key UNIQUE (email) DEFERRABLE INITIALLY DEFERRED;",
            "ALTER TABLE customers DROP CONSTRAINT customers_email_key;", 1
        },
        { "L104", "ALTER TABLE customers ADD UNIQUE (email);", "ALTER TABLE customers DROP CONSTRAINT customers_email_key;", 1 },
        {
            "L105", "ALTER TABLE plain ADD PRIMARY KEY (id);",
            "ALTER TABLE plain DROP CONSTRAINT plain_pkey;\nALTER TABLE plain ALTER COLUMN id DROP NOT NULL;", 1
        },
        { "L107", "CREATE INDEX readings_value_idx ON readings (value);", "DROP INDEX readings_value_idx;", 1 },
        {
            "L201", "ALTER TABLE orders ADD CONSTRAINT k FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE;",
            "ALTER TABLE orders DROP CONSTRAINT k;", 1
        },
        {
            "L201", "ALTER TABLE plain ADD FOREIGN KEY (id) REFERENCES orders (id);",
            "ALTER TABLE plain DROP CONSTRAINT plain_id_fkey;", 1
        },
        {
            "L202", "CREATE TABLE other (id bigint PRIMARY KEY);\n"
                + "ALTER TABLE orders ADD CHECK (id > 0), ADD CONSTRAINT c CHECK (amount > 0);",
            "ALTER TABLE orders DROP CONSTRAINT c, DROP CONSTRAINT orders_id_check;\nDROP TABLE other;", 2
        },
        { "L203", "ALTER TABLE orders ALTER COLUMN note SET NOT NULL;", "ALTER TABLE orders ALTER COLUMN note DROP NOT NULL;", 1 },
        {
            "L203", "CREATE TABLE other (id bigint PRIMARY KEY);\n"
                + "ALTER TABLE orders ALTER note SET NOT NULL, ALTER COLUMN status SET NOT NULL;",
            "ALTER TABLE orders ALTER COLUMN note DROP NOT NULL;\nALTER TABLE orders ALTER COLUMN status DROP NOT NULL;\n"
                + "DROP TABLE other;", 2
        },
        {
            "L205", "ALTER TABLE orders ADD CONSTRAINT c CHECK (id > 0) NOT VALID;\nALTER TABLE orders VALIDATE CONSTRAINT c;",
            "ALTER TABLE orders DROP CONSTRAINT c;", 2
        },
        { "L308", "REFRESH MATERIALIZED VIEW totals;", "SELECT 1;", 1 },
        {
            "L410", "ALTER TABLE customers ADD COLUMN x int;\nUPDATE orders SET note = 'x' WHERE id < 400;",
            "ALTER TABLE customers DROP COLUMN x;", 2
        },
        { "L402", "SET LOCAL lock_timeout = 0;\nALTER TABLE orders ADD COLUMN x int;", "ALTER TABLE orders DROP COLUMN x;", 1 },
        { "F104", "CREATE INDEX CONCURRENTLY orders_placed_at_idx ON orders (placed_at);", "DROP INDEX orders_placed_at_idx;", 1 },
        {
            "F104", "CREATE TABLE other (id bigint PRIMARY KEY);\nVACUUM orders;\nCREATE INDEX CONCURRENTLY i ON orders (placed_at);",
            "DROP INDEX i;\nDROP TABLE other;", 3
        },
        { "M104", "SET SESSION work_mem = '1MB';\nCREATE TABLE other (id bigint PRIMARY KEY);", "DROP TABLE other;", 1 },
        {
            "S101", "ALTER TABLE orders ADD COLUMN referrer_id bigint REFERENCES customers (id);",
            "ALTER TABLE orders DROP COLUMN referrer_id;", 2
        },
        {
            "S101", "CREATE TABLE refunds (id bigint PRIMARY KEY, order_id bigint REFERENCES orders (id));", "DROP TABLE refunds;", 1
        },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_fixed_migration_passes_and_its_down_gives_back_what_was_there(string rule, string up, string down, int files)
    {
        var (checker, migrations) = await CheckerAsync(up, down);
        var before = await checker.RunAsync(migrations, [migrations[^1]], null);
        before[0].Findings.Select(finding => finding.Hazard.Id).ShouldContain(rule);

        var fix = (await checker.FixAsync(migrations, before)).ShouldHaveSingleItem();

        fix.Files.Count.ShouldBe(files, Text(fix));
        var after = await checker.RunAsync([migrations[0], .. fix.Files], fix.Files, null);
        after.SelectMany(result => result.Findings)
            .Where(finding => finding.Allowed is null && StatementFix.Rules.Contains(finding.Hazard.Id))
            .Select(finding => $"{finding.Hazard.Id} {finding.Message}").ShouldBeEmpty(Text(fix));
        after.SelectMany(result => result.Findings).Where(finding => finding.Hazard.Id == "M102").ShouldBeEmpty(Text(fix));
    }

    [Fact]
    public void Every_rule_with_a_fix_is_tried() =>
        StatementFix.Rules.ShouldBe(Cases.Select(row => (string)row[0]).Distinct(), ignoreOrder: true);

    [Theory]
    [InlineData("ALTER TABLE orders ALTER COLUMN amount TYPE numeric(12, 4);")]
    [InlineData("ALTER TABLE orders ADD COLUMN x int, ADD CONSTRAINT c CHECK (amount > 0);")]
    [InlineData("DO $$ BEGIN CREATE INDEX orders_placed_at_idx ON orders (placed_at); END $$;")]
    [InlineData("-- cgdb:allow L101: at night\nCREATE INDEX orders_placed_at_idx ON orders (placed_at);")]
    public async Task What_takes_a_person_or_is_allowed_stays_as_it_is(string up)
    {
        var (checker, migrations) = await CheckerAsync(up, null);

        (await checker.FixAsync(migrations, await checker.RunAsync(migrations, [migrations[^1]], null))).ShouldBeEmpty();
    }

    [Fact]
    public async Task Without_a_free_number_nothing_is_written()
    {
        var (checker, migrations) = await CheckerAsync(
            "ALTER TABLE orders ADD COLUMN x int;\nCREATE INDEX orders_x_idx ON orders (x);", "ALTER TABLE orders DROP COLUMN x;");
        IReadOnlyList<Migration> all = [.. migrations, Parse(3, "CREATE TABLE later (id bigint PRIMARY KEY);", "DROP TABLE later;")];

        (await checker.FixAsync(all, await checker.RunAsync(all, [all[1]], null))).ShouldBeEmpty();
    }

    private static string Text(MigrationFix fix) =>
        string.Join("\n\n", fix.Files.Select(file => $"{file.Id}\n{file.Source.Substring(0, file.Source.Utf8.Length)}"));

    private static async Task<(Checker Checker, IReadOnlyList<Migration> Migrations)> CheckerAsync(string up, string? down)
    {
        var checker = new Checker(new Replayer(await TestServer.UrlAsync()), TableSizes.Unknown);
        return (checker, [Parse(1, RuleFile.Tables + Given, null), Parse(2, up, down)]);
    }

    private static Migration Parse(int version, string up, string? down) => MigrationParser.Parse(
        SourceText.From($"migrations/{version:0000}_example.sql",
            $"-- migrate:up\n{up}\n\n-- migrate:down{(down is null ? " irreversible:true" : $"\n{down}")}\n"), MigrationOrigin.Folder);
}
