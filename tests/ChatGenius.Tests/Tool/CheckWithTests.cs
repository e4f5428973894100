using ChatGenius.Tool;

namespace ChatGenius.Tests.Tool;

/// <summary><c>check --with</c>: what two branches do to each other, before they are merged.</summary>
[Trait("Needs", "Unix")]
public class CheckWithTests
{
    private const string Base = "CREATE TABLE a (id int PRIMARY KEY, n int NOT NULL);";

    /// <summary>What is new here, what is new there, whether that is a conflict, and what the output says.</summary>
    [Theory]
    [InlineData("CREATE TABLE b (i int);", "CREATE TABLE c (i int);", false, "Both orders give the same database")]
    [InlineData("ALTER TABLE a ADD f int;", "ALTER TABLE a ADD g int;", false, "The order of the columns of public.a differs")]
    [InlineData("ALTER TABLE a ADD f int;", "ALTER TABLE a ADD f text;", true,
        "conflict: 0008_mine: fails after those of main: column \"f\" of relation \"a\" already exists")]
    [InlineData("ALTER TABLE a RENAME n TO m;", "CREATE INDEX a_n ON a (n);", true,
        "conflict: 0007_theirs: of main fails after those here: column \"n\" does not exist (42703)\n"
        + "  main:FOLDER/migrations/0007_theirs.sql")]
    [InlineData("ALTER TABLE a ALTER n SET DEFAULT 1;", "ALTER TABLE a ALTER n SET DEFAULT 2;", true,
        "conflict: table public.a, column n: with those here first: ")]
    [InlineData("CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';",
        "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2';", true, "conflict: function public.f(), definition: ")]
    [InlineData("UPDATE a SET n = n % 1000 + 1;", "UPDATE a SET n = n % 1000 * 2;", true,
        "conflict: rows of public.a, n: hold other values in one order than in the other\n"
        + "  FOLDER/migrations/0008_mine.sql, main:FOLDER/migrations/0007_theirs.sql")]
    [InlineData("INSERT INTO a SELECT -1, random() * 1e6;", "INSERT INTO a SELECT -2, random() * 1e6;", false,
        "public.a, n differs from run to run, and is not compared")]
    [InlineData("ALTER TABLE a ADD CHECK (n < 0 AND n > 0);", "CREATE TABLE c (i int);", false,
        "0008_mine fails on made-up rows by itself")]
    public async Task Both_orders_are_run_and_compared(string mine, string theirs, bool isConflict, string says)
    {
        using var tool = await BranchesAsync(mine, theirs);

        var run = await tool.RunAsync("check", "--with", "main");

        (run.Out + run.Error).ShouldContain(says);
        run.ExitCode.ShouldBe(isConflict ? ExitCode.Differs : ExitCode.Done, run.Out + run.Error);
    }

    [Fact]
    public async Task An_edit_on_one_side_a_broken_migration_and_nothing_new_are_told_apart()
    {
        using var tool = await BranchesAsync("CREATE TABLE b (i int);", "SELECT nothing;");

        var broken = await tool.RunAsync("check", "--with", "main");
        var nothing = await tool.RunAsync("check", "--with", "HEAD");
        tool.Write("migrations/0006_base.sql", File(Base + " SELECT 1;"));
        var edited = await tool.RunAsync("check", "--with", "HEAD");
        var unknown = await tool.RunAsync("check", "--with", "no-such-revision");
        var both = await tool.RunAsync("check", "--with", "HEAD", "--all");

        broken.Error.ShouldContain("CG1209");
        (nothing.ExitCode, nothing.Error).ShouldBe(
            (ExitCode.Done, "Nothing to compare: 0 migrations here, 0 on HEAD that the other side has not\n"));
        edited.Out.ShouldStartWith("conflict: 0006_base: has another text here than on HEAD\n");
        edited.ExitCode.ShouldBe(ExitCode.Differs);
        unknown.Error.ShouldContain("CG1212");
        both.Error.ShouldContain("CG1007");
    }

    /// <summary>The repeatable objects of both, as they were and as each side has them: what the other's migrations then meet.</summary>
    [Theory]
    [InlineData("SELECT id FROM a", "SELECT id, n FROM a", null, "SELECT 1;", "SELECT 1;", null)]
    [InlineData("SELECT id, n FROM a", "SELECT id FROM a", "SELECT id, n, 1 AS o FROM a", "SELECT 1;", "SELECT 1;",
        "conflict: v: has another text here than on main\n  FOLDER/migrations/repeatable/v.sql, main:FOLDER/migrations/repeatable/v.sql")]
    [InlineData("SELECT id FROM a", "SELECT id, n FROM a", null, "SELECT 1;", "ALTER TABLE a DROP n;",
        "conflict: 0007_theirs: of main fails after those here: cannot drop column n")]
    [InlineData("SELECT id FROM a", null, "SELECT id FROM a WHERE n > 0", "ALTER TABLE a RENAME n TO m;", "SELECT 1;",
        "conflict: v: of main fails after those here: column \"n\" does not exist (SQLSTATE 42703)")]
    [InlineData("SELECT id, n FROM a", "SELECT id FROM a", null, "SELECT 1;", "CREATE MATERIALIZED VIEW m AS SELECT n FROM v;",
        "conflict: v: fails after those of main: view public.v can't be replaced")]
    public async Task Repeatable_objects_are_what_the_other_side_meets(
        string parted, string? mine, string? theirs, string own, string other, string? says)
    {
        using var tool = await BranchesAsync(own, other, parted, mine, theirs);

        var run = await tool.RunAsync("check", "--with", "main");

        (run.Out + run.Error).ShouldContain(says ?? "Both orders give the same database");
        run.ExitCode.ShouldBe(says is null ? ExitCode.Done : ExitCode.Differs, run.Out + run.Error);
    }

    [Fact]
    public async Task As_json_it_names_files_and_objects()
    {
        using var tool = await BranchesAsync("ALTER TABLE a ADD f int;", "ALTER TABLE a ADD f text;");

        var run = await tool.RunAsync("check", "--with", "main", "--json");

        using var json = JsonDocument.Parse(run.Out);
        json.RootElement.GetProperty("here")[0].GetString().ShouldBe("FOLDER/migrations/0008_mine.sql");
        json.RootElement.GetProperty("there")[0].GetString().ShouldBe("FOLDER/migrations/0007_theirs.sql");
        json.RootElement.GetProperty("conflicts").EnumerateArray().Select(one => one.GetProperty("subject").GetString())
            .ShouldBe(["0008_mine", "0007_theirs"]);
    }

    private static string File(string up) => $"-- migrate:up\n{up}\n-- migrate:down irreversible:true\n";

    /// <summary>A repository whose main has what is theirs, and whose working folder is on a branch from before that, with mine.</summary>
    private static async Task<InProcess> BranchesAsync(
        string mine, string theirs, string? view = null, string? viewOfMine = null, string? viewOfTheirs = null)
    {
        var tool = new InProcess { Environment = { ["CHATGENIUS_BUNDLE"] = "false" } };
        void View(string? text) =>
            _ = text is null ? "" : tool.Write("migrations/repeatable/v.sql", $"CREATE OR REPLACE VIEW v AS {text};\n");
        Task GitAsync(params string[] arguments) => RenumberCommandTests.RunGitAsync(tool, arguments);
        await GitAsync("init", "-q", "-b", "main");
        tool.Write("migrations/0006_base.sql", File(Base));
        View(view);
        await GitAsync("add", "-A");
        await GitAsync("commit", "-q", "-m", "base");
        await GitAsync("branch", "mine");
        tool.Write("migrations/0007_theirs.sql", File(theirs));
        View(viewOfTheirs);
        await GitAsync("add", "-A");
        await GitAsync("commit", "-q", "-m", "theirs");
        await GitAsync("checkout", "-q", "mine");
        tool.Write("migrations/0008_mine.sql", File(mine));
        View(viewOfMine);
        await GitAsync("add", "-A");
        await GitAsync("commit", "-q", "-m", "mine");
        return tool;
    }
}
