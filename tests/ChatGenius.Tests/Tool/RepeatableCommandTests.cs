using ChatGenius.Tool;

namespace ChatGenius.Tests.Tool;

/// <summary>Objects of <c>migrations/repeatable</c>, as the commands know them.</summary>
public class RepeatableCommandTests
{
    private const string Table = "-- migrate:up\nCREATE TABLE a (id int PRIMARY KEY);\n-- migrate:down\nDROP TABLE a;\n";
    private const string View = "CREATE OR REPLACE VIEW v AS SELECT id FROM w;\n";

    [Fact]
    public async Task Status_plan_verify_and_apply_show_them()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = Tool(db);

        (await tool.RunAsync("verify")).Out.ShouldContain("2 repeatable objects verified");
        var plan = await tool.RunAsync("plan");
        plan.Out.ShouldContain("-- v, repeatable, in one transaction with the others\n");
        plan.Out.ShouldContain("migrations/repeatable/v.sql:1\n" + View);
        plan.Error.ShouldContain("1 migration and 2 repeatable objects to apply");
        (await tool.RunAsync("status", "--exit-code")).ExitCode.ShouldBe(ExitCode.Differs);

        (await DoneAsync(tool, "apply")).Out.ShouldContain("1 migration and 2 repeatable objects applied in");

        tool.Write("migrations/repeatable/v.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS id;");
        tool.Write("migrations/repeatable/x.sql", "SELECT 1;");
        File.Delete(Path.Combine(tool.Folder, "migrations/repeatable/w.sql"));
        var status = await tool.RunAsync("status");
        status.Out.ShouldMatch("(?m)^ +v +changed +20.*\n +w +file_gone +20.*\n +x +new");
        status.Error.ShouldContain("Repeatable objects: 1 changed, 1 new, 1 file_gone");
        (await tool.RunAsync("status", "--json")).Out.ShouldContain("\"state\": \"file_gone\"");
        (await DoneAsync(tool, "apply", "--json")).Out.ShouldContain("\"repeatables\"");
        (await tool.RunAsync("status", "--exit-code")).ExitCode.ShouldBe(ExitCode.Done);
        (await DoneAsync(tool, "log")).Out.ShouldMatch("repeated +v .*\n.*repeated +x .*\n.*forgotten +w ");
    }

    [Fact]
    public async Task Drift_replays_them_and_shows_what_differs()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = Tool(db);
        await DoneAsync(tool, "apply");

        await DoneAsync(tool, "drift");
        await DoneAsync(tool, "schema", "diff", "migrations", db.Url.Display);
        (await DoneAsync(tool, "new", "more", "--from-diff")).Out.ShouldContain("nothing to write");

        await db.ExecuteAsync("CREATE OR REPLACE VIEW v AS SELECT 7 AS id");
        var drift = await tool.RunAsync("drift");
        drift.ExitCode.ShouldBe(ExitCode.Differs);
        drift.Out.ShouldContain("view public.v");

        tool.Write("migrations/repeatable/v.sql", "CREATE OR REPLACE VIEW v AS SELECT 7 AS id;");
        drift = await tool.RunAsync("drift");
        drift.ExitCode.ShouldBe(ExitCode.Done, drift.Out);
        drift.Error.ShouldContain("CG1108: The repeatable object v was edited after it ran");
    }

    [Fact]
    public async Task The_schema_file_is_of_them_too()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = Tool(db, ", \"schema_file\": \"schema.txt\"");
        await DoneAsync(tool, "apply");
        await DoneAsync(tool, "verify");
        await DoneAsync(tool, "check", "--all");

        tool.Write("migrations/repeatable/v.sql", "CREATE OR REPLACE VIEW v AS SELECT id, 1 AS n FROM w;");
        (await tool.RunAsync("verify")).Error.ShouldContain("CG1115");
        await DoneAsync(tool, "apply");
        await DoneAsync(tool, "verify");
    }

    [Fact]
    public async Task Check_runs_the_pending_ones_and_says_where()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = Tool(db);
        await DoneAsync(tool, "apply");
        (await DoneAsync(tool, "check")).Out.ShouldNotContain("repeatable/");

        tool.Write("migrations/repeatable/v.sql", "CREATE OR REPLACE VIEW v AS\nSELECT nothing FROM w;");
        var check = await tool.RunAsync("check");
        check.ExitCode.ShouldBe(ExitCode.Differs);
        check.Out.ShouldContain("migrations/repeatable/v.sql:");
        check.Out.ShouldContain("nothing");
        (await tool.RunAsync("check", "--all", "--json")).Out.ShouldContain("repeatable/w.sql");
    }

    [Fact]
    public async Task A_test_database_has_them_and_its_history_says_so()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = Tool(db);
        var made = await DoneAsync(tool, "test-database", "--server", db.Url.Display);
        await using var connection = await new Database(DatabaseUrl.Parse(made.Out.Trim(), "test")).ConnectAsync();
        (await new NpgsqlCommand("SELECT count(*) || ' ' || (SELECT string_agg(name || version, ' ' ORDER BY name) FROM "
            + "chatgenius_db.repeatable) FROM v", connection).ExecuteScalarAsync()).ShouldBe("0 v1 w1");
        await connection.CloseAsync();
        await DoneAsync(tool, "test-database", "drop", made.Out.Trim());
    }

    [Fact]
    public async Task A_script_runs_them_with_psql_in_the_order_in_which_they_name_each_other()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = Tool(db);
        await DoneAsync(tool, "script", "-o", "run.sql");

        for (var i = 0; i < 2; i++)
        {
            var psql = await Support.Psql.RunAsync(db, Path.Combine(tool.Folder, "run.sql"));
            psql.ExitCode.ShouldBe(0, psql.Error);
        }

        (await DoneAsync(tool, "apply")).Out.ShouldContain("Nothing to do");
        (await tool.RunAsync("status")).Error.ShouldContain("Repeatable objects: 2 current");
        (await db.ScalarAsync<long>("SELECT count(*) FROM chatgenius_db.log WHERE action = 'repeated'")).ShouldBe(2);
    }

    /// <summary>Words that are no names of objects lead in a circle, and so do bodies, which psql's run doesn't look into.</summary>
    [Fact]
    public async Task A_script_finds_an_order_where_words_lead_in_a_circle_and_says_where_there_is_none()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = Tool(db);
        tool.Write("migrations/repeatable/b.sql", "CREATE OR REPLACE FUNCTION b() RETURNS int LANGUAGE sql AS 'SELECT max(1) FROM z';");
        tool.Write("migrations/repeatable/z.sql", "CREATE OR REPLACE VIEW z AS SELECT b() AS n;");
        await DoneAsync(tool, "script", "-o", "run.sql");

        var psql = await Support.Psql.RunAsync(db, Path.Combine(tool.Folder, "run.sql"));

        psql.ExitCode.ShouldBe(0, psql.Error);
        (await DoneAsync(tool, "apply")).Out.ShouldContain("Nothing to do");
        tool.Write("migrations/repeatable/x.sql", "CREATE OR REPLACE VIEW x AS SELECT * FROM y;");
        tool.Write("migrations/repeatable/y.sql", "CREATE OR REPLACE VIEW y AS SELECT * FROM x;");
        var circle = await tool.RunAsync("script");
        (circle.ExitCode, circle.Out).ShouldBe((ExitCode.Error, ""));
        circle.Error.ShouldContain("CG0535");
        circle.Error.ShouldContain("x, y");
    }

    /// <summary>What ran before, what is new, and what is found where the old is there.</summary>
    [Theory]
    [InlineData("VIEW", "SELECT a.id FROM a", "SELECT 1", "")]
    [InlineData("MATERIALIZED VIEW IF NOT EXISTS", "SELECT id FROM a", "SELECT 1", "view public.o can't be replaced")]
    [InlineData("VIEW", "SELECT id, n FROM a", "ALTER TABLE a ALTER n TYPE bigint", "used by a view")]
    public async Task Check_puts_the_new_in_the_place_of_the_old(string user, string @new, string migration, string found)
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = Tool(db);
        tool.Write("migrations/0001_a.sql", "-- migrate:up\nCREATE TABLE a (id int, n int);\n-- migrate:down\nDROP TABLE a;\n");
        tool.Write("migrations/repeatable/o.sql", "CREATE OR REPLACE VIEW o AS SELECT id, n FROM a;");
        tool.Write("migrations/repeatable/p.sql", $"CREATE {user} p AS SELECT id FROM o;");
        Task GitAsync(params string[] arguments) => RenumberCommandTests.RunGitAsync(tool, arguments);
        await GitAsync("init", "-q", "-b", "main");
        await GitAsync("add", "-A");
        await GitAsync("commit", "-q", "-m", "old");
        await DoneAsync(tool, "apply");
        tool.Write("migrations/0002_b.sql", $"-- migrate:up\n{migration};\n-- migrate:down irreversible:true\n");
        tool.Write("migrations/repeatable/o.sql", $"CREATE OR REPLACE VIEW o AS {@new};");

        foreach (string[] call in (string[][])[["check"], ["check", "--since", "main"]])
        {
            var check = await tool.RunAsync(call);
            check.ExitCode.ShouldBe(found.Length > 0 ? ExitCode.Differs : ExitCode.Done, check.Out + check.Error);
            check.Out.ShouldContain(found);
        }
    }

    [Fact]
    public async Task A_rollback_says_what_gets_its_older_text_back()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = Tool(db);
        await DoneAsync(tool, "apply");
        tool.Write("migrations/0002_b.sql", "-- migrate:up\nALTER TABLE a ADD b int;\n-- migrate:down\nALTER TABLE a DROP b;\n");
        tool.Write("migrations/repeatable/w.sql", "CREATE OR REPLACE VIEW w AS SELECT coalesce(b, id) AS id FROM a;");
        await DoneAsync(tool, "apply");

        var shown = await DoneAsync(tool, "rollback", "--dry-run");
        shown.Out.ShouldContain("-- w, repeatable, as the history has kept it");
        shown.Error.ShouldContain("w gets back the text that ran before");
        var script = (await DoneAsync(tool, "script", "--rollback", "--to", "1")).Out;
        (await DoneAsync(tool, "rollback", "--yes")).Out.ShouldContain("1 migration and 1 repeatable object rolled back");

        await DoneAsync(tool, "apply");
        var psql = await Support.Psql.RunAsync(db, tool.Write("back.sql", script));
        psql.ExitCode.ShouldBe(0, psql.Error);
        (await db.ScalarAsync<string>("SELECT pg_get_viewdef('w'::regclass)")).ShouldNotContain("b");
        (await tool.RunAsync("status")).Out.ShouldMatch("(?m)0002 +b +pending.*\n +v +current.*\n +w +changed");
    }

    private static InProcess Tool(TestDatabase db, string settings = "")
    {
        var tool = new InProcess();
        tool.Environment["DATABASE_URL"] = db.Url.Display;
        tool.Environment["CHATGENIUS_DATABASE_URL"] = db.Url.Display;
        tool.Write("chatgenius-db.json", $"{{ \"bundle\": false{settings} }}");
        tool.Write("migrations/0001_a.sql", Table);
        tool.Write("migrations/repeatable/v.sql", View);
        tool.Write("migrations/repeatable/w.sql", "CREATE OR REPLACE VIEW w AS SELECT id FROM a;\n");
        return tool;
    }

    private static async Task<ToolRun> DoneAsync(InProcess tool, params string[] arguments)
    {
        var run = await tool.RunAsync(arguments);
        run.ExitCode.ShouldBe(ExitCode.Done, $"{string.Join(' ', arguments)}\n{run.Out}{run.Error}");
        return run;
    }
}
