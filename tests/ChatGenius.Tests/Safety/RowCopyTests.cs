using ChatGenius.Tests.Tool;
using ChatGenius.Tool;

namespace ChatGenius.Tests.Safety;

public class RowCopyTests
{
    [Fact]
    public async Task A_view_that_took_a_tables_place_is_not_copied_from()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = await AppliedAsync(db);
        await db.ExecuteAsync(
            """
            DROP TABLE public.a;
            CREATE SEQUENCE public.fired;
            CREATE VIEW public.a AS SELECT pg_catalog.nextval('public.fired')::int AS id, 'x'::text AS v
            """);

        var run = await CheckAsync(tool, db.Url.Display);

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        (await db.ScalarAsync<bool>("SELECT is_called FROM public.fired")).ShouldBeFalse();
    }

    [Fact]
    public async Task Rows_that_a_policy_hides_are_a_problem_and_not_left_out()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = await AppliedAsync(db);
        var role = $"cg_test_{Guid.NewGuid():N}";
        await db.ExecuteAsync($"CREATE ROLE {role} LOGIN PASSWORD 'p'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}");
        await db.ExecuteAsync(
            $"GRANT USAGE ON SCHEMA chatgenius_db TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA chatgenius_db TO {role}; "
            + "ALTER TABLE public.a ENABLE ROW LEVEL SECURITY");
        try
        {
            var run = await CheckAsync(tool, db.Url.Display.Replace("://postgres@", $"://{role}:p@", StringComparison.Ordinal));

            run.ExitCode.ShouldBe(ExitCode.Error);
            run.Error.ShouldContain("CG0635");
        }
        finally
        {
            await db.ExecuteAsync($"DROP OWNED BY {role}; DROP ROLE {role}");
        }
    }

    private static async Task<InProcess> AppliedAsync(TestDatabase db)
    {
        var tool = new InProcess();
        tool.Write("migrations/0001_a.sql",
            "-- migrate:up\nCREATE TABLE public.a (id int PRIMARY KEY, v text);\n-- migrate:down\nDROP TABLE public.a;\n");
        (await tool.RunAsync("apply", "--no-bundle", "--database", db.Url.Display)).ExitCode.ShouldBe(ExitCode.Done);
        tool.Write("migrations/0002_b.sql",
            "-- migrate:up\nALTER TABLE public.a ADD COLUMN w int;\n-- migrate:down\nALTER TABLE public.a DROP COLUMN w;\n");
        return tool;
    }

    private static async Task<ToolRun> CheckAsync(InProcess tool, string database) => await tool.RunAsync(
        "check", "--no-bundle", "--data", "--database", database, "--shadow", (await TestServer.UrlAsync()).Display);
}
