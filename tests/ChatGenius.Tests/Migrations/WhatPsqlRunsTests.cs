namespace ChatGenius.Tests.Migrations;

/// <summary>Migrations that psql runs as they are.</summary>
public class WhatPsqlRunsTests
{
    private const string Outside = " transaction:false";

    [Theory]
    [InlineData("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nCREATE TABLE r AS SELECT current_setting('transaction_isolation') AS t;",
        "", "serializable")]
    [InlineData("BEGIN;\nSET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nCREATE TABLE r AS SELECT "
        + "current_setting('transaction_isolation') AS t;\nCOMMIT;", Outside, "serializable")]
    [InlineData("BEGIN;\nSET LOCAL ROLE {role};\nCREATE TABLE r AS SELECT current_user::text AS t;\nCOMMIT;", Outside, "{role}")]
    [InlineData("BEGIN;\nSET ROLE {role};\nCREATE TABLE r AS SELECT current_user::text AS t;\nCOMMIT;\nSELECT * FROM r;", Outside,
        "{role}")]
    [InlineData("BEGIN;\nSET SESSION AUTHORIZATION {role};\nCREATE TABLE r AS SELECT session_user::text AS t;\nCOMMIT;", Outside, "{role}")]
    [InlineData("CREATE TABLE r AS SELECT 'x' AS t;\nBEGIN READ ONLY;\nSELECT * FROM r;\nCOMMIT;", Outside, "x")]
    [InlineData("BEGIN;\nCREATE TABLE r AS SELECT 'x' AS t;\nSET TRANSACTION READ ONLY;\nSELECT * FROM r;\nCOMMIT;", Outside, "x")]
    [InlineData("CREATE TABLE r AS SELECT 'x' AS t;\nSELECT relacl FROM pg_class WHERE relname = 'r';\nSELECT '=r/postgres'::aclitem;",
        "", "x")]
    [InlineData("CREATE TABLE r AS SELECT 'x' AS t;\nGRANT SELECT ON r TO PUBLIC;\nSELECT relacl FROM pg_class WHERE relname = 'r';",
        Outside, "x")]
    [InlineData("CREATE TABLE r (t text, a aclitem);\nINSERT INTO r VALUES ('x', '=r/postgres') RETURNING a; -- ; \nCREATE FUNCTION f() "
        + "RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END;", "", "x")]
    public async Task It_runs_here_too(string sql, string options, string expected)
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var role = await TestRole.CreateAsync(database);
        await database.ExecuteAsync($"GRANT ALL ON SCHEMA public TO {role.Name}");
        sql = sql.Replace("{role}", role.Name, StringComparison.Ordinal).Replace("postgres'", $"{database.Url.UserName}'",
            StringComparison.Ordinal);
        using var folder = new Folder().WriteTable(1, "before").Write(2, "it", sql, "DROP TABLE r;", options).WriteTable(3, "after");

        (await folder.ApplyAsync(database)).Finished.Count.ShouldBe(3);

        (await database.ScalarAsync<string>("SELECT t FROM r")).ShouldBe(expected.Replace("{role}", role.Name, StringComparison.Ordinal));
        (await database.ScalarAsync<long>("SELECT count(*) FROM chatgenius_db.journal")).ShouldBe(0);
        (await database.ScalarAsync<string>("SELECT string_agg(DISTINCT applied_by, ' ') FROM chatgenius_db.history"))
            .ShouldBe(database.Url.UserName);
    }

    [Fact]
    public async Task A_role_that_begins_as_another_and_inherits_nothing_runs_everything()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var owner = await TestRole.CreateAsync(database);
        await using var role = await TestRole.CreateAsync(database, $"NOINHERIT IN ROLE {owner.Name}");
        await database.ExecuteAsync(
            $"ALTER ROLE {role.Name} SET role = {owner.Name}; ALTER SCHEMA public OWNER TO {owner.Name}; CREATE SCHEMA chatgenius_db "
                + $"AUTHORIZATION {owner.Name}");
        using var folder = new Folder().WriteTable(1, "a").Write(2, "index",
            "CREATE INDEX CONCURRENTLY i ON a (id);\nBEGIN;\nINSERT INTO a VALUES (1);\nCOMMIT;",
            "DROP INDEX CONCURRENTLY i;", Outside, Outside);

        (await role.Migrator(folder).ApplyAsync(new PlanRequest())).Finished.Count.ShouldBe(2);
        (await role.Migrator(folder).RollbackAsync(new RollbackRequest(All: true))).Finished.Count.ShouldBe(2);
    }

    [Fact]
    public void Preparing_a_transaction_is_refused_before_anything_runs()
    {
        using var folder = new Folder().Write(1, "prepare", "BEGIN;\nSELECT 1;\nPREPARE TRANSACTION 'p1';\nCOMMIT PREPARED 'p1';",
            options: Outside);

        Should.Throw<ProblemException>(() => MigrationSource.Load(folder.Path, bundle: false)).Problems[0].Code.ShouldBe("CG0319");
    }

    [Theory]
    [InlineData("CREATE TABLE t (id bigint PRIMARY KEY, name text NOT NULL DEFAULT 'x', at timestamptz DEFAULT now()); CREATE INDEX ON t "
        + "(name); INSERT INTO t (id, name) VALUES (1, 'one'), (2, E'two');", true)]
    [InlineData("ALTER TABLE t ADD COLUMN a int, DROP COLUMN b; COMMENT ON TABLE t IS 'x'; DROP TABLE x;", true)]
    [InlineData("CREATE TYPE mood AS ENUM ('a'); CREATE SEQUENCE s; CREATE SCHEMA x;", true)]
    [InlineData("INSERT INTO t VALUES (1);", false)]
    [InlineData("CREATE TABLE IF NOT EXISTS t (id int); INSERT INTO t VALUES (1);", false)]
    [InlineData("CREATE TABLE t (id int DEFAULT evil()); INSERT INTO t VALUES (DEFAULT);", false)]
    [InlineData("CREATE TABLE t (id int CHECK (evil(id))); INSERT INTO t VALUES (1);", false)]
    [InlineData("CREATE TABLE t (id my_domain); INSERT INTO t VALUES (1);", false)]
    [InlineData("CREATE TABLE t (id int) INHERITS (u); INSERT INTO t VALUES (1);", false)]
    [InlineData("CREATE TABLE t (id int); CREATE INDEX ON t (evil(id)); INSERT INTO t VALUES (1);", false)]
    [InlineData("CREATE TABLE t (id int); INSERT INTO t VALUES (evil());", false)]
    [InlineData("CREATE TABLE t (id int); INSERT INTO t SELECT 1;", false)]
    [InlineData("CREATE TABLE t AS SELECT evil();", false)]
    [InlineData("ALTER TABLE t ADD COLUMN a int DEFAULT evil();", false)]
    [InlineData("ALTER TABLE t ALTER COLUMN a TYPE int USING evil();", false)]
    [InlineData("SET search_path = x;", false)]
    [InlineData("DO $$ BEGIN END $$;", false)]
    [InlineData("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';", false)]
    [InlineData("CREATE SCHEMA x CREATE VIEW v AS SELECT 1;", false)]
    public void Only_what_can_change_no_session_counts_as_harmless(string sql, bool harmless) =>
        HarmlessStatements.AreAll(Db.Sql.SqlScript.Parse(Db.Text.SourceText.From("t.sql", sql)).Statements).ShouldBe(harmless);

    [Theory]
    [InlineData(0, "SELECT 2", 1)]
    [InlineData(1, "SELECT 1", null)]
    [InlineData(0, "SELECT 1", 0)]
    [InlineData(0, "SELECT 3", null)]
    public void The_step_that_the_server_is_at_is_found_forward_and_among_those_that_were_sent(int first, string query, int? expected)
    {
        using var folder = new Folder().Write(1, "a", "SELECT 1;").Write(2, "b", "SELECT 2;").Write(3, "c", "SELECT 3;");
        var steps = MigrationPlan.Apply(MigrationSource.Load(folder.Path, bundle: false), HistorySnapshot.Empty, new PlanRequest()).Steps;

        StepEvents.StepAt(steps, first, end: 2, query).ShouldBe(expected);
    }
}
