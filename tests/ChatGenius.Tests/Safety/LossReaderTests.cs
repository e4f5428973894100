using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;

namespace ChatGenius.Tests.Safety;

/// <summary>One database with something of every kind; each statement runs in a transaction that is rolled back.</summary>
public sealed class LossReaderTests(LossReaderTests.Everything everything) : IClassFixture<LossReaderTests.Everything>
{
    /// <summary>Statements that destroy something, with the table whose rows or values go.</summary>
    private static readonly (string Sql, string Table)[] Destroyers =
    [
        ("DROP TABLE keep CASCADE", "keep"),
        ("DROP TABLE alone CASCADE", "alone"),
        ("DROP TABLE IF EXISTS nowhere, app.users", "users"),
        ("DELETE FROM keep", "keep"),
        ("DELETE FROM ONLY keep WHERE id = 1", "keep"),
        ("DELETE FROM keep USING alone WHERE keep.id = alone.id", "keep"),
        ("WITH one AS (SELECT 1 AS id) DELETE FROM keep WHERE id IN (SELECT id FROM one)", "keep"),
        ("WITH gone AS (DELETE FROM keep RETURNING id) SELECT count(*) FROM gone", "keep"),
        ("UPDATE keep SET v = 'x'", "keep"),
        ("UPDATE keep AS k SET (v, id) = ('x', k.id) WHERE k.id = 1", "keep"),
        ("INSERT INTO keep VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET v = excluded.v", "keep"),
        ("MERGE INTO keep USING alone ON keep.id = alone.id WHEN MATCHED THEN DELETE", "keep"),
        ("TRUNCATE keep CASCADE", "keep"),
        ("TRUNCATE TABLE alone RESTART IDENTITY", "alone"),
        ("ALTER TABLE alone DROP COLUMN v", "alone"),
        ("ALTER TABLE alone ADD COLUMN w int, DROP v", "alone"),
        ("ALTER TABLE alone ALTER COLUMN v TYPE varchar(1) USING 'x'", "alone"),
        ("ALTER TABLE alone ALTER v DROP DEFAULT, ALTER v SET DATA TYPE int USING 0", "alone"),
        ("ALTER TABLE alone ALTER COLUMN n TYPE numeric(4, 1)", "alone"),
        ("ALTER TABLE IF EXISTS alone ALTER COLUMN at TYPE date", "alone"),
        ("DROP SCHEMA app CASCADE", "users"),
        ("DROP TYPE mood CASCADE", "feelings"),
        ("DROP DOMAIN short CASCADE", "feelings"),
        ("DROP FUNCTION kind(int) CASCADE", "computed"),
        ("DROP COLLATION mine CASCADE", "feelings"),
        ("DROP OWNED BY loss_reader_owner CASCADE", "owned"),
        ("DROP VIEW viewed_view CASCADE", "snapshot"),
        ("DROP MATERIALIZED VIEW snapshot", "snapshot"),
        ("REFRESH MATERIALIZED VIEW snapshot WITH NO DATA", "snapshot"),
        ("DROP TABLE parts", "parts_1"),
        ("DROP TABLE parts_1", "parts_1"),
        ("ALTER TABLE parts DETACH PARTITION parts_1; DROP TABLE parts_1", "parts_1"),
        ("DELETE FROM parts", "parts_1"),
        ("ALTER TABLE parts DROP COLUMN v", "parts_1"),
        ("TRUNCATE parts", "parts_1"),
        ("DROP TABLE parent CASCADE", "heir"),
        ("ALTER TABLE parent DROP COLUMN v", "heir"),
        ("ALTER TABLE alone INHERIT parent; DELETE FROM parent", "alone"),
        ("DELETE FROM parent; ALTER TABLE alone INHERIT parent; DELETE FROM parent", "alone"),
        ("SELECT wipe()", "alone"),
        ("SELECT a.wipe_row FROM alone a", "keep"),
        ("SELECT 1 FROM wiping_view", "alone"),
        ("CALL wipe_all()", "alone"),
        ("EXPLAIN ANALYZE DELETE FROM alone", "alone"),
        ("CREATE TABLE copied AS SELECT wipe()", "alone"),
        ("CREATE INDEX ON keep (pretends(id))", "alone"),
        ("ALTER TABLE keep ADD COLUMN more int DEFAULT wipe()", "alone"),
        ("ALTER TABLE keep ADD CHECK (wipe() > 0)", "alone"),
        ("INSERT INTO audited VALUES (2)", "alone"),
        ("UPDATE keep SET id = id + 100 WHERE id = 3", "child"),
        ("INSERT INTO ruled VALUES (1)", "alone"),
        ("INSERT INTO dangerous DEFAULT VALUES", "alone"),
        ("PREPARE wiping AS DELETE FROM alone; EXECUTE wiping", "alone"),
        ("ALTER TABLE child ADD COLUMN back int REFERENCES keep ON DELETE CASCADE; UPDATE child SET back = 3; "
            + "DELETE FROM keep WHERE id = 3", "child"),
        ("ALTER SCHEMA app RENAME TO app2; DROP TABLE app2.users", "users"),
        ("ALTER TYPE mood RENAME TO mood2; DROP TYPE mood2 CASCADE", "feelings"),
        ("ALTER TABLE alone SET SCHEMA app; DROP SCHEMA app CASCADE", "alone"),
        ("ALTER TABLE app.users SET SCHEMA public; DROP TABLE users", "users"),
        ("SET LOCAL search_path = app; DROP TABLE users", "users"),
        ("SELECT pg_catalog.set_config('search_path', 'app, public', true); DROP TABLE users", "users"),
        ("SET LOCAL SCHEMA 'app'; TRUNCATE users", "users"),
        ("ALTER TABLE alone RENAME v TO w; ALTER TABLE alone DROP w", "alone"),
        ("ALTER TABLE keep RENAME TO tmp; ALTER TABLE alone RENAME TO keep; DROP TABLE keep CASCADE", "alone"),
        ("CREATE TABLE IF NOT EXISTS alone (id int); DROP TABLE alone CASCADE", "alone"),
        ("ALTER SEQUENCE counter OWNED BY alone.id; DROP TABLE alone CASCADE", "alone"),
        ("CREATE FUNCTION fresh() RETURNS int LANGUAGE sql AS 'DELETE FROM alone; SELECT 1'; SELECT fresh()", "alone"),
        ("CREATE TRIGGER t BEFORE INSERT ON alone FOR EACH STATEMENT EXECUTE FUNCTION wipe_trigger(); INSERT INTO alone VALUES (9)",
            "alone"),
        ("ALTER INDEX keep RENAME TO tmp; ALTER INDEX alone RENAME TO keep; DROP TABLE keep CASCADE", "alone"),
        ("CREATE VIEW harm AS SELECT wipe(); SELECT * FROM harm", "alone"),
        ("ALTER VIEW wiping_view RENAME TO safe_view; SELECT * FROM safe_view", "alone"),
        ("CREATE RULE wiping_2 AS ON INSERT TO child DO ALSO DELETE FROM alone; ALTER RULE wiping_2 ON child RENAME TO wiping_3; "
            + "DROP RULE IF EXISTS wiping_2 ON child; INSERT INTO child VALUES (9)", "alone"),
        ("ALTER TRIGGER audit ON audited RENAME TO audit_2; DROP TRIGGER IF EXISTS audit ON audited; INSERT INTO audited VALUES (3)",
            "alone"),
        ("ALTER TABLE keep ADD COLUMN w risky", "alone"),
        ("ALTER TABLE keep ADD COLUMN w risky[] DEFAULT ARRAY[0]", "alone"),
        ("ALTER TABLE keep ALTER COLUMN id TYPE risky", "alone"),
        ("ALTER DOMAIN risky RENAME TO dull; SELECT NULL::dull", "alone"),
        ("CREATE DOMAIN fresh AS int CHECK (VALUE > wipe()); CREATE TABLE n (i fresh); INSERT INTO n VALUES (5)", "alone"),
        ("ALTER DOMAIN number ADD CHECK (pretends(VALUE) > 0)", "alone"),
        ("CREATE TABLE n (LIKE dangerous INCLUDING ALL); INSERT INTO n DEFAULT VALUES", "alone"),
        ("CREATE TABLE n () INHERITS (dangerous); INSERT INTO n DEFAULT VALUES", "alone"),
        ("CREATE TABLE n (i int) PARTITION BY RANGE (pretends(i)); CREATE TABLE n1 PARTITION OF n DEFAULT; INSERT INTO n VALUES (1)",
            "alone"),
        ("ALTER TABLE child ALTER note SET DEFAULT wipe()::text; INSERT INTO child (id) VALUES (9)", "alone"),
        ("ALTER TABLE checked VALIDATE CONSTRAINT harmful", "alone"),
        ("REINDEX TABLE indexed", "alone"),
        ("ANALYZE indexed", "alone"),
        ("ALTER TABLE indexed ADD COLUMN w float DEFAULT random()", "alone"),
        ("CREATE STATISTICS st ON (pretends(id)), v FROM keep; ANALYZE keep", "alone"),
        ("CREATE TEMP TABLE keep (i int); DISCARD TEMP; DROP TABLE keep CASCADE", "keep"),
        ("ALTER TYPE mood SET SCHEMA app; DROP SCHEMA app CASCADE", "feelings"),
        ("ALTER DOMAIN short SET SCHEMA app; DROP SCHEMA app CASCADE", "feelings"),
        ("ALTER COLLATION mine SET SCHEMA app; DROP SCHEMA app CASCADE", "feelings"),
        ("ALTER FUNCTION kind(int) SET SCHEMA app; DROP SCHEMA app CASCADE", "computed"),
        ("CREATE SCHEMA s; CREATE TABLE s.p (v text); ALTER TABLE keep INHERIT s.p; DROP SCHEMA s CASCADE", "keep"),
        ("CREATE SCHEMA s; CREATE TABLE s.p (id int) PARTITION BY LIST (id); ALTER TABLE s.p ATTACH PARTITION app.users DEFAULT; "
            + "DROP SCHEMA s CASCADE", "users"),
        ("CREATE TABLE p (id int) PARTITION BY LIST (kind(id)); ALTER TABLE p ATTACH PARTITION app.users DEFAULT; "
            + "DROP FUNCTION kind(int) CASCADE", "users"),
        ("CREATE TABLE mid () INHERITS (parent); ALTER TABLE alone INHERIT mid; DROP TABLE parent CASCADE", "alone"),
        ("ALTER TABLE alone ALTER v TYPE text COLLATE mine; DROP COLLATION mine CASCADE", "alone"),
        ("CREATE TYPE made AS (x int); CREATE FUNCTION makes(int) RETURNS made LANGUAGE plpgsql AS 'BEGIN DELETE FROM alone; "
            + "RETURN ROW($1)::made; END'; CREATE CAST (int AS made) WITH FUNCTION makes(int) AS ASSIGNMENT; "
            + "ALTER TABLE app.users ALTER id TYPE made", "alone"),
        ("DROP TYPE leaf CASCADE", "tree"),
        ("SET LOCAL ROLE loss_reader_owner; SELECT * FROM hidden; RESET ROLE", "alone"),
        ("SET LOCAL ROLE loss_reader_owner; CREATE TEMP TABLE copied AS TABLE hidden; RESET ROLE", "alone"),
        ("CREATE POLICY p ON unhidden USING (guard(id)); ALTER TABLE unhidden ENABLE ROW LEVEL SECURITY; "
            + "SET LOCAL ROLE loss_reader_owner; SELECT count(*) FROM unhidden; RESET ROLE", "alone"),
        ("UPDATE moving SET id = 2", "alone"),
        ("ALTER TABLE moving DETACH PARTITION moving_1; ALTER TABLE moving DETACH PARTITION moving_2; "
            + "CREATE TABLE n (id int) PARTITION BY LIST (id); ALTER TABLE n ATTACH PARTITION moving_1 FOR VALUES IN (1); "
            + "ALTER TABLE n ATTACH PARTITION moving_2 FOR VALUES IN (2); UPDATE n SET id = 2", "alone"),
        ("REFRESH MATERIALIZED VIEW hidden_view", "alone"),
        ("SELECT domain_in('1', 'risky'::regtype, -1) IS NULL", "alone"),
        ("ALTER TABLE row_type DROP COLUMN a", "typed"),
        ("CREATE SCHEMA s CREATE TABLE keep (i int); SET LOCAL search_path = s, public; ALTER TABLE keep RENAME TO z; "
            + "DROP TABLE IF EXISTS public.keep CASCADE", "keep"),
    ];

    /// <summary>What destroys nothing, and is known to.</summary>
    public static readonly TheoryData<string> Harmless =
    [
        "SELECT 1",
        "SELECT set_config('search_path', '', false)",
        "SELECT lower('A'), now(), coalesce(NULL, (SELECT max(id) FROM keep)) FROM keep WHERE v IN ('a', 'b')",
        "CREATE TABLE fresh (id int PRIMARY KEY, at timestamptz DEFAULT now()); INSERT INTO fresh VALUES (1); DROP TABLE fresh",
        "CREATE TABLE fresh AS SELECT * FROM keep; TRUNCATE fresh; DELETE FROM fresh; DROP TABLE IF EXISTS fresh",
        "INSERT INTO alone VALUES (7, 'x') ON CONFLICT DO NOTHING",
        "INSERT INTO alone (id, v) SELECT id + 10, upper(v) FROM keep",
        "ALTER TABLE alone ADD COLUMN w int NOT NULL DEFAULT 0, ALTER COLUMN v SET DEFAULT 'x', ALTER COLUMN v DROP NOT NULL",
        "ALTER TABLE alone ADD COLUMN w int; UPDATE alone SET w = id; ALTER TABLE alone DROP COLUMN w",
        "ALTER TABLE grandchild ALTER COLUMN child_id TYPE bigint; "
            + "ALTER TABLE alone ALTER COLUMN v TYPE varchar, ALTER COLUMN n TYPE numeric(12, 3) USING n::numeric(12, 3)",
        "ALTER TABLE alone RENAME TO lonely; ALTER TABLE lonely RENAME COLUMN v TO w; ALTER TABLE lonely SET SCHEMA app",
        "ALTER TABLE alone ADD CONSTRAINT positive CHECK (id > 0) NOT VALID",
        "ALTER TABLE parts DETACH PARTITION parts_1",
        "DROP INDEX alone_v; CREATE INDEX alone_v ON alone USING btree (lower(v)) WITH (fillfactor = 70)",
        "DROP VIEW IF EXISTS viewed_view_2; DROP FUNCTION IF EXISTS nothing(int); DROP TYPE IF EXISTS nothing",
        "CREATE VIEW more AS SELECT * FROM alone; DROP VIEW more",
        "COMMENT ON TABLE alone IS 'x'; GRANT SELECT ON alone TO PUBLIC; LOCK TABLE alone; ANALYZE alone",
        "DROP TRIGGER audit ON audited; INSERT INTO audited VALUES (3)",
        "CREATE EXTENSION IF NOT EXISTS plpgsql; CREATE SCHEMA IF NOT EXISTS app; SET LOCAL lock_timeout = '1s'",
        "CREATE SCHEMA s; CREATE TABLE s.t (id int); DROP SCHEMA s CASCADE",
        "CREATE TABLE n (id int GENERATED ALWAYS AS IDENTITY, s serial); DROP TABLE n",
        "DROP TABLE IF EXISTS nowhere CASCADE; ALTER TABLE IF EXISTS nowhere DROP COLUMN x; "
            + "ALTER TABLE alone DROP COLUMN IF EXISTS nothing",
    ];

    /// <summary>Each of them as it is, in a DO, in functions, and after its table was renamed.</summary>
    public static TheoryData<string, string, bool> Destructive()
    {
        var cases = new TheoryData<string, string, bool>();
        foreach (var (sql, table) in Destroyers)
        {
            cases.Add(sql, table, true);
            cases.Add($"DO $do$ BEGIN EXECUTE $ex${sql}$ex$; END $do$", table, false);
            cases.Add($"WITH w AS (SELECT run($ex${sql}$ex$)) SELECT * FROM w", table, false);
            var body = $"$do$ BEGIN EXECUTE $ex${sql}$ex$; END $do$";
            cases.Add($"CREATE FUNCTION later() RETURNS void LANGUAGE plpgsql AS {body}; SELECT public.later()", table, false);
            if (!sql.Contains("search_path", StringComparison.Ordinal) && !sql.Contains("SCHEMA", StringComparison.Ordinal))
            {
                cases.Add($"ALTER TABLE {(table is "users" ? "app.users" : table)} RENAME TO moved_on; {Renamed(sql, table)}", table,
                    false);
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Destructive))]
    public async Task What_destroys_something_is_never_said_to_destroy_nothing(string sql, string table, bool runs)
    {
        await using var connection = await everything.Database.ConnectAsync();
        var steps = Steps(sql);
        var (catalog, targets, unclear) = await StoredData.ForecastAsync(everything.Database, steps);

        await using var transaction = await connection.BeginTransactionAsync();
        var before = await StoredData.ReadAsync(connection);
        if (await RunAsync(connection, steps))
        {
            var lost = before.LostIn(await StoredData.ReadAsync(connection));

            lost.ShouldNotBeEmpty($"{sql} was to destroy something of {table}");
            (unclear.Count == 0 ? before.Unsaid(lost, targets, catalog) : []).ShouldBeEmpty();
        }
        else
        {
            runs.ShouldBeFalse($"{sql} was refused");
        }

        (targets.Count + unclear.Count).ShouldBePositive();
    }

    /// <summary>
    /// What is not read back as rows of tables, or can't run in a transaction; by PostgreSQL's list of statements (SQL Commands).
    /// </summary>
    public static readonly TheoryData<string> Others =
    [
        "SELECT setval('counter', 1)", "SELECT pg_catalog.setval('counter'::regclass, 1, false)", "ALTER SEQUENCE counter RESTART",
        "ALTER SEQUENCE counter RESTART WITH 1", "DROP SEQUENCE counter", "DROP SEQUENCE IF EXISTS counter CASCADE",
        "ALTER TABLE alone ALTER COLUMN id RESTART", "SELECT lo_unlink(1)", "SELECT lo_put(1, 0, '')", "SELECT lo_truncate(1, 0)",
        "MERGE INTO keep USING alone ON keep.id = alone.id WHEN MATCHED THEN UPDATE SET v = 'x'", "ALTER TABLE alone SET UNLOGGED",
        "REFRESH MATERIALIZED VIEW snapshot", "REFRESH MATERIALIZED VIEW CONCURRENTLY snapshot",
        "DROP OWNED BY CURRENT_USER", "ALTER TYPE pair DROP ATTRIBUTE a CASCADE", "ALTER TYPE pair ALTER ATTRIBUTE a TYPE int CASCADE",
        "VALUES (wipe())", "TABLE wiping_view", "DECLARE c CURSOR FOR SELECT wipe(); FETCH ALL FROM c", "SELECT wipe() INTO made",
        "CREATE MATERIALIZED VIEW made AS SELECT wipe()", "COPY alone TO PROGRAM 'cat'",
        "COPY alone TO '/tmp/alone'", "LOAD 'auto_explain'", "ROLLBACK PREPARED 'x'",
        "COMMIT PREPARED 'x'", "DROP DATABASE other", "ALTER EXTENSION plpgsql UPDATE",
        "CREATE TABLE made (i int DEFAULT wipe()); INSERT INTO made DEFAULT VALUES", "DROP FOREIGN DATA WRAPPER x CASCADE",
        "DROP SERVER x CASCADE", "DROP OPERATOR CLASS x USING btree CASCADE",

        "REINDEX TABLE keep; SELECT wipe()", "SELECT pg_input_is_valid('1', 'risky')",
        "CREATE CAST (mood AS text) WITH FUNCTION t(mood); REINDEX TABLE keep",
        "CREATE CAST (mood AS text) WITH FUNCTION t(mood); ANALYZE keep",
        "CREATE CAST (mood AS text) WITH FUNCTION t(mood); ALTER TABLE keep ADD UNIQUE (v)",
        "CREATE CAST (mood AS text) WITH FUNCTION t(mood); ALTER TABLE keep VALIDATE CONSTRAINT c",
        "CREATE CAST (mood AS text) WITH FUNCTION t(mood); COPY alone (id) FROM stdin;\n9\n\\.\n",
        "CREATE RULE r AS ON INSERT TO alone DO ALSO DELETE FROM keep; INSERT INTO alone VALUES (8, 'x')",
        "ALTER TABLE alone ENABLE ROW LEVEL SECURITY; DELETE FROM alone", "SELECT pg_terminate_backend(1)",
        "SELECT query_to_xml('x', true, true, '')",
        "ALTER TABLE parts DETACH PARTITION parts_1 CONCURRENTLY; DROP TABLE parts_1", "CALL nobody_knows()", "DO 'BEGIN END'",
        "SELECT dblink_exec('x', 'DROP TABLE y')", "NOT A STATEMENT", "ALTER TABLE alone NO_SUCH_ACTION",
        "COPY alone (id) FROM stdin WHERE wipe() > 0;\n9\n\\.\n", "ALTER SEQUENCE counter SET UNLOGGED", "SET zero_damaged_pages = on",
        "SELECT set_config('zero_damaged_pages', 'on', false)", "CREATE POLICY p ON alone; ALTER POLICY p ON alone USING (wipe() > 0); "
            + "DELETE FROM alone", "CREATE TYPE r AS RANGE (SUBTYPE = int, SUBTYPE_DIFF = f); INSERT INTO alone VALUES (1)",
        "CREATE TEMP TABLE keep (i int) ON COMMIT DROP; COMMIT; DROP TABLE keep CASCADE",
    ];

    [Theory]
    [MemberData(nameof(Others))]
    public async Task No_statement_that_may_destroy_something_is_taken_for_one_that_does_not(string sql)
    {
        var (_, targets, unclear) = await StoredData.ForecastAsync(everything.Database, Steps(sql));

        (targets.Count + unclear.Count).ShouldBePositive();
    }

    /// <summary>Where it numbers something else than the column that it belongs to.</summary>
    [Theory]
    [InlineData("ALTER SEQUENCE counter OWNED BY numbered.n; DROP TABLE numbered", true)]
    [InlineData("ALTER SEQUENCE counter OWNED BY numbered.n; ALTER TABLE numbered DROP COLUMN n", true)]
    [InlineData("TRUNCATE numbered, serially RESTART IDENTITY", true)]
    [InlineData("TRUNCATE serially", false)]
    [InlineData("DROP TABLE serially", false)]
    [InlineData("ALTER TABLE serially DROP COLUMN id", false)]
    public async Task The_position_of_a_sequence_goes_with_a_column_that_it_does_not_number(string sql, bool isSaid)
    {
        var (_, targets, _) = await StoredData.ForecastAsync(everything.Database, Steps(sql));

        targets.Any(target => target.What.StartsWith("position of sequence", StringComparison.Ordinal)).ShouldBe(isSaid);
    }

    [Theory]
    [MemberData(nameof(Harmless))]
    public async Task What_is_known_to_destroy_nothing_is_said_to(string sql)
    {
        await using var connection = await everything.Database.ConnectAsync();
        var steps = Steps(sql);
        var (_, targets, unclear) = await StoredData.ForecastAsync(everything.Database, steps);

        await using var transaction = await connection.BeginTransactionAsync();
        var before = await StoredData.ReadAsync(connection);
        (await RunAsync(connection, steps)).ShouldBeTrue();

        unclear.Select(statement => $"{statement.What}: {statement.Reason}").ShouldBeEmpty();
        targets.Select(target => target.What).ShouldBeEmpty();
        before.LostIn(await StoredData.ReadAsync(connection)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("bigint", "integer", false)]
    [InlineData("integer", "numeric", true)]
    [InlineData("integer", "numeric(5,0)", false)]
    [InlineData("numeric(6,2)", "numeric(8,2)", true)]
    [InlineData("numeric(6,2)", "numeric(8,5)", false)]
    [InlineData("numeric", "numeric(8,5)", false)]
    [InlineData("character varying(10)", "character varying(20)", true)]
    [InlineData("character varying", "character varying(20)", false)]
    [InlineData("character(3)", "text", false)]
    [InlineData("timestamp with time zone", "date", false)]
    [InlineData("json", "jsonb", false)]
    [InlineData("double precision", "real", false)]
    [InlineData("mood", "text", false)]
    public void A_type_keeps_every_value_only_where_that_is_certain(string from, string to, bool keeps) =>
        Db.Migrations.LossTypes.Keep(from, to).ShouldBe(keeps);

    private static string Renamed(string sql, string table) =>
        System.Text.RegularExpressions.Regex.Replace(sql, $@"\b(app\.)?{table}\b", "$1moved_on");

    internal static IReadOnlyList<MigrationStep> Steps(string sql)
    {
        var section = new MigrationSection(true, false, 0, SqlScript.Parse(SourceText.From("down.sql", sql)));
        return [new MigrationStep(1, "a", MigrationDirection.Down, section, null, null)];
    }

    /// <summary>False where the server refuses it, and so nothing is lost.</summary>
    internal static async Task<bool> RunAsync(NpgsqlConnection connection, IReadOnlyList<MigrationStep> steps)
    {
        try
        {
            foreach (var statement in steps.SelectMany(step => step.Section.Script.Statements))
            {
                await using var batch = new NpgsqlBatch(connection) { BatchCommands = { new NpgsqlBatchCommand(statement.Text) } };
                await batch.ExecuteNonQueryAsync();
            }

            await using var restore = new NpgsqlCommand("SET LOCAL search_path = public", connection);
            await restore.ExecuteNonQueryAsync();
            return true;
        }
        catch (PostgresException)
        {
            return false;
        }
    }

    public sealed class Everything : IAsyncLifetime
    {
        private const string Sql = """
            CREATE TABLE keep (id int PRIMARY KEY, v text); INSERT INTO keep VALUES (1, 'a'), (2, 'b'), (3, 'c');
            CREATE TABLE alone (id int PRIMARY KEY, v text NOT NULL DEFAULT '', n numeric(8, 3), at timestamptz);
            INSERT INTO alone VALUES (1, 'a', 1.25, now()), (2, 'bb', 2.75, now()); CREATE INDEX alone_v ON alone (v);
            CREATE TABLE child (id int PRIMARY KEY, keep_id int REFERENCES keep ON DELETE CASCADE ON UPDATE CASCADE, note text);
            INSERT INTO child VALUES (1, 1, 'x'), (2, 2, 'y'), (3, 3, 'z');
            CREATE TABLE grandchild (child_id int REFERENCES child ON DELETE SET NULL); INSERT INTO grandchild VALUES (1), (2), (3);
            CREATE SCHEMA app; CREATE TABLE app.users (id int); INSERT INTO app.users VALUES (1);
            CREATE TYPE mood AS ENUM ('good'); CREATE DOMAIN short AS varchar(9); CREATE COLLATION mine (locale = 'C');
            CREATE TABLE feelings (id int, m mood, s short, c text COLLATE mine); INSERT INTO feelings VALUES (1, 'good', 'x', 'y');
            CREATE FUNCTION kind(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1';
            CREATE TABLE computed (id int, k int GENERATED ALWAYS AS (kind(id)) STORED); INSERT INTO computed VALUES (1);
            CREATE TABLE viewed (id int); INSERT INTO viewed VALUES (1); CREATE VIEW viewed_view AS SELECT id FROM viewed;
                CREATE MATERIALIZED VIEW snapshot AS SELECT * FROM viewed_view;
            CREATE TABLE parts (id int, v text) PARTITION BY RANGE (id); CREATE TABLE parts_1 PARTITION OF parts FOR VALUES
                FROM (0) TO (10); INSERT INTO parts VALUES (1, 'p');
            CREATE TABLE parent (id int, v text); CREATE TABLE heir () INHERITS (parent); INSERT INTO heir VALUES (1, 'h');
            ALTER TABLE parent ADD n numeric(8, 3), ADD at timestamptz;
            CREATE FUNCTION wipe() RETURNS int LANGUAGE sql AS 'DELETE FROM alone; SELECT 1';
            CREATE FUNCTION wipe_row(alone) RETURNS int LANGUAGE plpgsql AS 'BEGIN DELETE FROM keep; RETURN 1; END';
            CREATE FUNCTION pretends(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN PERFORM wipe(); RETURN 1; END';
            CREATE VIEW wiping_view AS SELECT wipe();
            CREATE PROCEDURE wipe_all() LANGUAGE sql AS 'DELETE FROM alone';
            CREATE FUNCTION run(text) RETURNS void LANGUAGE plpgsql AS 'BEGIN EXECUTE $1; END';
            CREATE FUNCTION wipe_trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM alone; RETURN NULL; END';
            CREATE TABLE audited (id int); CREATE TRIGGER audit AFTER INSERT ON audited FOR EACH ROW EXECUTE FUNCTION wipe_trigger();
            CREATE TABLE ruled (id int); CREATE RULE wiping AS ON INSERT TO ruled DO ALSO DELETE FROM alone;
            CREATE TABLE dangerous (id int DEFAULT wipe());
            CREATE SEQUENCE counter;
            CREATE TYPE leaf AS ENUM ('a'); CREATE DOMAIN leaves AS leaf; CREATE TYPE branch AS (x leaves[], y int);
            CREATE TABLE tree (b branch); INSERT INTO tree VALUES (ROW(ARRAY['a'], 1)::branch);
            CREATE TABLE row_type (a int, b int); CREATE TABLE serially (id serial, i int GENERATED ALWAYS AS IDENTITY);
            CREATE TABLE typed (r row_type); INSERT INTO typed VALUES (ROW(1, 2));
            CREATE DOMAIN risky AS int DEFAULT wipe() CHECK (wipe() > 0);
            CREATE DOMAIN number AS int; CREATE TABLE numbered (n number); INSERT INTO numbered VALUES (1);
            CREATE TABLE checked (id int); INSERT INTO checked VALUES (1);
            ALTER TABLE checked ADD CONSTRAINT harmful CHECK (pretends(id) > 0) NOT VALID;
            CREATE FUNCTION guard(int) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN PERFORM wipe(); RETURN true; END';
            CREATE TABLE hidden (id int); INSERT INTO hidden VALUES (1); ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
            CREATE POLICY p ON hidden USING (guard(id)); CREATE TABLE unhidden (id int); INSERT INTO unhidden VALUES (1);
            CREATE TABLE moving (id int) PARTITION BY LIST (id); CREATE TABLE moving_1 PARTITION OF moving FOR VALUES IN (1);
            CREATE TABLE moving_2 PARTITION OF moving FOR VALUES IN (2); INSERT INTO moving VALUES (1);
            CREATE FUNCTION wipe_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM alone; RETURN NEW; END';
            CREATE TRIGGER moved BEFORE INSERT ON moving_2 FOR EACH ROW EXECUTE FUNCTION wipe_row();
            CREATE TABLE indexed (id int); CREATE INDEX ON indexed (pretends(id)); INSERT INTO indexed VALUES (1);
            INSERT INTO alone VALUES (1, 'a', 1.25, now()), (2, 'bb', 2.75, now());
            """;

        private TestDatabase? _database;

        internal TestDatabase Database => _database!;

        public async Task InitializeAsync()
        {
            _database = await TestDatabase.CreateAsync();
            await _database.ExecuteAsync(Sql);
            try
            {
                await _database.ExecuteAsync("CREATE ROLE loss_reader_owner");
            }
            catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.DuplicateObject or PostgresErrorCodes.UniqueViolation)
            {
                // Roles belong to the whole server; an earlier run has left it.
            }

            await _database.ExecuteAsync(
                "CREATE TABLE owned (id int); INSERT INTO owned VALUES (1); ALTER TABLE owned OWNER TO loss_reader_owner; "
                + "GRANT SELECT ON hidden, unhidden TO loss_reader_owner; GRANT ALL ON SCHEMA public TO loss_reader_owner; "
                + "CREATE MATERIALIZED VIEW hidden_view AS SELECT * FROM hidden; "
                + "ALTER MATERIALIZED VIEW hidden_view OWNER TO loss_reader_owner");
        }

        public Task DisposeAsync() => _database!.DisposeAsync().AsTask();
    }
}
