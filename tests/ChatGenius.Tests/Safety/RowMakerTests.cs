using ChatGenius.Db.Safety;

namespace ChatGenius.Tests.Safety;

/// <summary>Made-up rows go through the tables' own constraints, so each that is there has kept them.</summary>
public class RowMakerTests
{
    private const string Zoo =
        """
        CREATE TYPE mood AS ENUM ('calm', 'cross');
        CREATE DOMAIN percentage AS int CHECK (VALUE BETWEEN 0 AND 100);
        CREATE TABLE keepers (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(), boss_id uuid REFERENCES keepers (id), name varchar(12) NOT NULL UNIQUE,
            email text NOT NULL CHECK (email LIKE '%@%'),
            status text NOT NULL CHECK (status IN ('hired', 'retired')), salary numeric(8, 2) NOT NULL CHECK (salary > 10),
            born date NOT NULL, seen timestamptz NOT NULL,
            settings jsonb NOT NULL, tags text[] NOT NULL, shift tstzrange NOT NULL, absences datemultirange NOT NULL,
            photo bytea NOT NULL, host inet NOT NULL, mood mood NOT NULL, done percentage NOT NULL,
            on_duty boolean NOT NULL, code char(3) NOT NULL, note text, doubled numeric GENERATED ALWAYS AS (salary * 2) STORED);
        CREATE TABLE animals (
            zoo int NOT NULL, number int NOT NULL, rating smallint NOT NULL CHECK (rating BETWEEN 1 AND 5), PRIMARY KEY (zoo, number));
        CREATE TABLE feedings (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, keeper_id uuid NOT NULL REFERENCES keepers (id), zoo int NOT NULL,
            number int NOT NULL,
            FOREIGN KEY (zoo, number) REFERENCES animals (zoo, number), UNIQUE (keeper_id, zoo, number));
        CREATE TABLE weights (day date NOT NULL, zoo int NOT NULL, number int NOT NULL, grams int, FOREIGN KEY (zoo,
            number) REFERENCES animals (zoo, number)) PARTITION BY RANGE (day);
        CREATE TABLE weights_2024 PARTITION OF weights FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
        CREATE TABLE weights_2025 PARTITION OF weights FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
        """;

    [Fact]
    public async Task Every_table_gets_rows_that_keep_its_constraints()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync(Zoo);

        var made = await MakeAsync(database, TableSizes.Unknown);

        made.ShouldAllBe(table => table.Reason == null);
        made.ToDictionary(table => table.Table.Name, table => table.Rows).ShouldBe(
            new Dictionary<string, long> { ["keepers"] = 1000, ["animals"] = 1000, ["feedings"] = 1000, ["weights_2024"] = 1000,
                ["weights_2025"] = 1000 }, ignoreOrder: true);
        (await database.ScalarAsync<long>("SELECT count(DISTINCT name) FROM keepers")).ShouldBe(1000);
        (await database.ScalarAsync<long>("SELECT count(DISTINCT status) FROM keepers")).ShouldBe(2);
        (await database.ScalarAsync<long>("SELECT count(DISTINCT (zoo, number)) FROM feedings")).ShouldBe(1000);
    }

    [Fact]
    public async Task The_targets_sizes_count_up_to_a_bound_and_rows_that_are_there_stay()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync(
            "CREATE TABLE small (id int); CREATE TABLE large (id int); CREATE TABLE empty (id int); INSERT INTO small VALUES (-1)");

        var made = await MakeAsync(database, TableSizes.From(new Dictionary<(string, string), TableSize>
        {
            [("public", "small")] = new(7, 8192), [("public", "large")] = new(5_000_000, 400_000_000), [("public", "empty")] = new(0, 0),
        }));

        made.ToDictionary(table => table.Table.Name, table => table.Rows).ShouldBe(
            new Dictionary<string, long> { ["small"] = 7, ["large"] = RowMaker.MostRows, ["empty"] = 0 }, ignoreOrder: true);
        (await database.ScalarAsync<long>("SELECT count(*) FROM small WHERE id = -1")).ShouldBe(1);
    }

    [Fact]
    public async Task What_cannot_be_filled_says_why_and_the_others_are_filled()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync(
            """
            CREATE TABLE closed (id int CHECK (id < 0 AND id > 0) NOT NULL);
            CREATE TABLE shapes (id int PRIMARY KEY, shape polygon NOT NULL);
            CREATE TABLE orphans (id int PRIMARY KEY, shape_id int NOT NULL REFERENCES shapes (id));
            CREATE TABLE loners (id int PRIMARY KEY, shape_id int REFERENCES shapes (id));
            CREATE TABLE plain (id bigint GENERATED ALWAYS AS IDENTITY, made_at timestamptz DEFAULT now());
            CREATE TABLE egg (id int PRIMARY KEY, hen_id int NOT NULL);
            CREATE TABLE hen (id int PRIMARY KEY, egg_id int REFERENCES egg (id));
            ALTER TABLE egg ADD FOREIGN KEY (hen_id) REFERENCES hen (id);
            """);

        var made = (await MakeAsync(database, TableSizes.Unknown)).ToDictionary(table => table.Table.Name);

        made["closed"].Reason.ShouldNotBeNull().ShouldContain("23514");
        made["shapes"].Reason.ShouldNotBeNull().ShouldContain("23502");
        made["orphans"].Reason.ShouldBe("shapes has no row to refer to");
        made["loners"].Rows.ShouldBe(1000);
        made["plain"].Rows.ShouldBe(1000);
        made["hen"].Rows.ShouldBe(1000);
        made["egg"].Rows.ShouldBe(1000);
    }

    [Fact]
    public async Task A_constraint_that_made_up_rows_break_is_a_warning_only()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync("CREATE TABLE orders (id bigint PRIMARY KEY, status text NOT NULL)");
        await using var tracer = await Tracer.StartAsync(database.Database, new TracerOptions());
        await RowMaker.RunAsync(tracer, TableSizes.Unknown);
        var migration = Shop.Migration("ALTER TABLE orders ADD CONSTRAINT orders_status_check CHECK (status IN ('new', 'paid'));");

        var findings = SafetyCheck.Examine(migration, await tracer.TraceAsync(migration.Up), TableSizes.Unknown);

        var finding = findings.Single(finding => finding.Hazard.Id == "F111");
        finding.Severity.ShouldBe(Severity.Warning);
        finding.Message.ShouldStartWith("It fails on made-up rows: ");
    }

    private static async Task<IReadOnlyList<MadeRows>> MakeAsync(TestDatabase database, TableSizes sizes)
    {
        await using var tracer = await Tracer.StartAsync(database.Database, new TracerOptions());
        return await RowMaker.RunAsync(tracer, sizes);
    }
}
