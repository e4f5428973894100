using ChatGenius.Db.Replay;
using ChatGenius.Db.Schema;

namespace ChatGenius.Tests.Replay;

public class DetectorTests
{
    /// <summary>Later ones rename, drop and replace what earlier ones made; two change rows only.</summary>
    private static readonly string[] Chain =
    [
        "CREATE TABLE users (id int PRIMARY KEY, name text, old int);",
        "CREATE TABLE posts (id int PRIMARY KEY, user_id int REFERENCES users); CREATE INDEX posts_user ON posts (user_id);",
        "INSERT INTO users VALUES (1, 'system', NULL);",
        "ALTER TABLE users RENAME TO people;",
        "ALTER TABLE people DROP COLUMN old;",
        "INSERT INTO people VALUES (2, 'Ann'), (3, 'Bob');",
        "DROP INDEX posts_user; CREATE INDEX posts_user ON posts (user_id, id);",
        "CREATE VIEW names AS SELECT name FROM people;",
        "DROP VIEW names;",
        "ALTER TABLE people ALTER name SET NOT NULL;",
    ];

    public static TheoryData<int> Counts => [.. Enumerable.Range(0, Chain.Length + 1)];

    [Theory]
    [MemberData(nameof(Counts))]
    public async Task A_database_with_so_many_of_the_migrations_is_found_to_have_them(int count)
    {
        await using var db = await BuildAsync(Chain[..count]);

        var detection = await DetectAsync(db, Chain);

        detection.IsExact.ShouldBeTrue(string.Join('\n', detection.Migrations));
        // After the ninth the schema is what it was after the seventh.
        (detection.Proposed?.Version ?? 0).ShouldBe(count == 7 ? 9 : count);
        count = count == 7 ? 9 : count;
        // Where its table has another name by then, or is not there, nothing says whether rows are there.
        var states = detection.Migrations.Select(one => one.State).ToList();
        states.Take(count).Except([DetectedState.There, DetectedState.Replaced, DetectedState.RowsThere, DetectedState.Unknown])
            .ShouldBeEmpty();
        states.Skip(count).Except([DetectedState.NotThere, DetectedState.RowsNotThere, DetectedState.Unknown]).ShouldBeEmpty();
        detection.Migrations.Where(one => one.State == DetectedState.Unknown).Select(one => one.Migration.Version).Except([3, 6])
            .ShouldBeEmpty();
    }

    /// <summary>What was done to a database with eight of them, which of them it is nearest to, and what is said.</summary>
    public static TheoryData<string, int, bool, int, string> Changes => new()
    {
        { "CREATE TABLE more (); CREATE INDEX ON people (name)", 8, true, 1, "" },
        { "DROP INDEX posts_user", 8, false, 7, "no table public.posts: index posts_user" },
        {
            "ALTER TABLE people ALTER name TYPE varchar(9)", 8, false, 1,
            "table public.people: column name is character varying(9), not text"
        },
        { "DELETE FROM people", 8, true, 1, "" },
        { "DROP TABLE people CASCADE; DROP TABLE posts", 0, true, 1, "" },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task What_differs_is_named_and_makes_it_no_certain_match(string change, int nearest, bool exact, int of, string difference)
    {
        await using var db = await BuildAsync(Chain[..8]);
        await db.ExecuteAsync(change.StartsWith("ALTER TABLE people ALTER", StringComparison.Ordinal)
            ? $"DROP VIEW names; {change}; CREATE VIEW names AS SELECT name FROM people" : change);

        var detection = await DetectAsync(db, Chain);

        (detection.Proposed?.Version ?? 0, detection.IsExact).ShouldBe((nearest, exact), string.Join('\n', detection.Migrations));
        if (difference.Length > 0)
        {
            detection.Migrations.SelectMany(one => one.Differences)
                .ShouldContain(line => line.StartsWith(difference, StringComparison.Ordinal));
            detection.Migrations[of - 1].State.ShouldNotBe(DetectedState.There);
        }
    }

    /// <summary>A migration that changes rows only, and what is in the table.</summary>
    public static TheoryData<string, string, string> Rows => new()
    {
        { "INSERT INTO users VALUES (7, 'Ann', NULL);", "(7, 'another', NULL)", nameof(DetectedState.RowsThere) },
        { "INSERT INTO users VALUES (7, 'Ann', NULL);", "(8, 'Ann', NULL)", nameof(DetectedState.RowsNotThere) },
        { "INSERT INTO users SELECT 6 + 1, 'Ann', NULL;", "(7, 'Ann', NULL)", nameof(DetectedState.Unknown) },
        { "UPDATE users SET name = 'x';", "(7, 'x', NULL)", nameof(DetectedState.Unknown) },
        { "INSERT INTO users SELECT 6 + 1, 'Ann', 70;", "(7, 'Ann', 70)", nameof(DetectedState.Unknown) },
        { "INSERT INTO users SELECT 6 + 1, 'it is 7', NULL; -- 7", "(7, 'x', NULL)", nameof(DetectedState.Unknown) },
        {
            "WITH x AS (INSERT INTO users VALUES (7, 'a', NULL) RETURNING id) SELECT * FROM x;", "(7, 'a', NULL)",
            nameof(DetectedState.RowsThere)
        },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task Rows_are_looked_for_by_the_keys_that_the_text_says(string up, string there, string state)
    {
        await using var db = await BuildAsync(Chain[..1]);
        await db.ExecuteAsync($"INSERT INTO users VALUES {there}");

        var detection = await DetectAsync(db, [Chain[0], up]);

        detection.Migrations[1].State.ToString().ShouldBe(state);
        detection.Proposed!.Version.ShouldBe(state == nameof(DetectedState.RowsThere) ? 2 : 1);
    }

    private static async Task<TestDatabase> BuildAsync(string[] ups)
    {
        var db = await TestDatabase.CreateAsync();
        foreach (var up in ups)
        {
            await db.ExecuteAsync(up);
        }

        return db;
    }

    private static async Task<Detection> DetectAsync(TestDatabase db, string[] ups)
    {
        using var folder = new Folder();
        for (var i = 0; i < ups.Length; i++)
        {
            folder.Write(i + 1, $"step_{i + 1}", ups[i]);
        }

        return await Detector.DetectAsync(
            db.Database, new Replayer(await TestServer.UrlAsync()), MigrationSource.Load(folder.Path, bundle: false),
            new SchemaReadOptions { HistorySchema = new MigratorOptions().HistorySchema }, CancellationToken.None);
    }
}
