namespace ChatGenius.Tests.Migrations;

public class RepeatableRollbackTests
{
    private const string Rows =
        "SELECT coalesce(string_agg(name || ':' || version, ' ' ORDER BY name, version), '') FROM chatgenius_db.repeatable";

    [Fact]
    public async Task A_rollback_puts_back_the_text_that_ran_before_what_is_undone()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = WithNewColumn();
        await Applied(database, folder);

        var result = await folder.RollbackAsync(database);

        RepeatableTests.Names(result).ShouldBe("add_b v");
        (await database.ScalarAsync<string>("SELECT pg_get_viewdef('v'::regclass)")).ShouldNotContain("b");
        (await database.ScalarAsync<string>(Rows)).ShouldBe("v:1");
        (await folder.Migrator(database).AllStatusAsync()).Repeatables.ShouldHaveSingleItem().State.ShouldBe(RepeatableState.Changed);
        RepeatableTests.Names(await folder.ApplyAsync(database)).ShouldBe("add_b v");
        (await database.ScalarAsync<string>(Rows)).ShouldBe("v:1 v:2");
        (await database.ScalarAsync<string>("SELECT pg_get_viewdef('v'::regclass)")).ShouldContain("b");
    }

    [Fact]
    public async Task A_text_that_needs_what_a_down_brings_back_is_put_back_after_it()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(1, "t", "CREATE TABLE t (a int, old int);", "DROP TABLE t;")
            .Repeat("v", "CREATE OR REPLACE VIEW v AS SELECT a, old FROM t;");
        await folder.ApplyAsync(database);
        folder.Write(2, "rename", "DROP VIEW v;\nALTER TABLE t RENAME old TO new;", "ALTER TABLE t RENAME new TO old;")
            .Repeat("v", "CREATE OR REPLACE VIEW v AS SELECT a, new FROM t;");
        await folder.ApplyAsync(database);

        await folder.RollbackAsync(database);

        (await database.ScalarAsync<string>("SELECT pg_get_viewdef('v'::regclass)")).ShouldContain("old");
    }

    [Fact]
    public async Task A_redo_puts_back_and_applies_again_what_came_with_it()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = WithNewColumn();
        await Applied(database, folder);
        folder.Repeat("w", "CREATE OR REPLACE VIEW w AS SELECT b FROM v;");
        await folder.ApplyAsync(database);

        var result = await folder.Migrator(database).RedoAsync(new RedoRequest());

        RepeatableTests.Names(result).ShouldBe("add_b add_b v w");
        (await database.ScalarAsync<long>("SELECT count(*) FROM w")).ShouldBe(0);
        (await database.ScalarAsync<string>(Rows)).ShouldBe("v:1 v:2 w:2");
    }

    [Fact]
    public async Task What_is_in_the_way_and_has_no_older_text_is_dropped_and_what_is_not_stays()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a").WriteTable(2, "b")
            .Repeat("v", "CREATE OR REPLACE VIEW v AS SELECT id FROM b;").Repeat("w", "CREATE OR REPLACE VIEW w AS SELECT id FROM v;")
            .Repeat("x", "CREATE OR REPLACE VIEW x AS SELECT id FROM a;");
        await folder.ApplyAsync(database);
        folder.Events.Clear();

        await folder.RollbackAsync(database);

        folder.Told<MigrationEvent.Remark>().ShouldHaveSingleItem().Message
            .ShouldBe("Dropped, because it was in the way, until its file runs again: v, w");
        (await database.ScalarAsync<string>("SELECT string_agg(viewname, ' ') FROM pg_views WHERE schemaname = 'public'")).ShouldBe("x");
        (await database.ScalarAsync<string>(Rows)).ShouldBe("x:2");
        RepeatableTests.Names(await folder.ApplyAsync(database)).ShouldBe("create_b v w");
    }

    /// <summary>A function depends on the types in its signature; of two with one name, on its own.</summary>
    [Theory]
    [InlineData("FUNCTION f(one t, n int DEFAULT 1, note text = 'a, b') RETURNS int LANGUAGE sql AS 'SELECT $2'")]
    [InlineData("FUNCTION public.\"F x\"(IN a numeric(5,2), OUT one t, VARIADIC b int[] DEFAULT '{1,2}') LANGUAGE sql AS 'SELECT NULL::t'")]
    [InlineData("FUNCTION f() RETURNS SETOF t LANGUAGE sql BEGIN ATOMIC SELECT * FROM t; END")]
    [InlineData("PROCEDURE f(INOUT one t) LANGUAGE plpgsql AS 'BEGIN END'")]
    public async Task A_function_in_the_way_is_dropped_until_its_file_runs_again(string function)
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder()
            .Write(1, "f", "CREATE FUNCTION f(a text) RETURNS text LANGUAGE sql AS 'SELECT $1';", "DROP FUNCTION f(text);")
            .Write(2, "t", "CREATE TABLE t (a int);", "DROP TABLE t;").Repeat("f", $"CREATE OR REPLACE {function};");
        await folder.ApplyAsync(database);
        folder.Events.Clear();

        await folder.RollbackAsync(database, new RollbackRequest(To: 1));

        folder.Told<MigrationEvent.Remark>().ShouldHaveSingleItem().Message
            .ShouldBe("Dropped, because it was in the way, until its file runs again: f");
        (await database.ScalarAsync<string>("SELECT f('there')")).ShouldBe("there");
        RepeatableTests.Names(await folder.ApplyAsync(database)).ShouldBe("t f");
    }

    [Fact]
    public async Task A_view_of_nobody_in_the_way_is_named_and_stays()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a").Repeat("v", "CREATE OR REPLACE VIEW v AS SELECT id FROM a;");
        await folder.ApplyAsync(database);
        await database.ExecuteAsync("CREATE VIEW mine AS SELECT id FROM v");

        var problem = (await Should.ThrowAsync<ProblemException>(() => folder.RollbackAsync(database))).Problems.ShouldHaveSingleItem();

        problem.Message.ShouldContain("mine");
        (await database.ScalarAsync<long>("SELECT count(*) FROM mine")).ShouldBe(0);
    }

    [Fact]
    public async Task An_older_text_that_a_lesser_role_may_have_written_is_shown_and_refused()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = WithNewColumn();
        await Applied(database, folder);
        var role = $"lesser_{Guid.NewGuid():N}";
        await database.ExecuteAsync($"CREATE ROLE {role}; GRANT UPDATE ON chatgenius_db.repeatable TO {role};");
        try
        {
            var problem = (await Should.ThrowAsync<ProblemException>(() => folder.RollbackAsync(database))).Problems.ShouldHaveSingleItem();
            problem.Code.ShouldBe("CG0414");
            problem.Message.ShouldContain("SELECT a FROM t");
            await folder.RollbackAsync(database, new RollbackRequest(TrustStoredDown: true));
        }
        finally
        {
            await database.ExecuteAsync($"DROP OWNED BY {role}; DROP ROLE {role};");
        }
    }

    private static Folder WithNewColumn() => new Folder().Write(1, "t", "CREATE TABLE t (a int);", "DROP TABLE t;")
        .Write(2, "add_b", "ALTER TABLE t ADD b int;", "ALTER TABLE t DROP b;")
        .Repeat("v", "CREATE OR REPLACE VIEW v AS SELECT a, b FROM t;");

    /// <summary>As on a database where the first migration was applied long before.</summary>
    private static async Task Applied(TestDatabase database, Folder folder)
    {
        using var earlier = new Folder().Write(1, "t", "CREATE TABLE t (a int);", "DROP TABLE t;")
            .Repeat("v", "CREATE OR REPLACE VIEW v AS SELECT a FROM t;");
        await earlier.ApplyAsync(database);
        await folder.ApplyAsync(database);
    }
}
