using ChatGenius.Db.Schema;
using ChatGenius.Tool;

namespace ChatGenius.Tests.Tool;

/// <summary>
/// Random histories of two branches, from the branching to the last database: what is published never moves, and the merge brings what
/// <c>check --with</c> said. <c>CHATGENIUS_TEST_BRANCHES</c> asks for more of them.
/// </summary>
[Trait("Needs", "Unix")]
public class BranchHistoryTests(ITestOutputHelper output)
{
    /// <summary>Each once in a branch; the last one changes a name that others use, and comes last.</summary>
    private static readonly (string Up, string Down)[] Steps =
    [
        ("ALTER TABLE a ADD c1 int", "ALTER TABLE a DROP c1"), ("ALTER TABLE a ADD c2 int DEFAULT 1", "ALTER TABLE a DROP c2"),
        ("ALTER TABLE b ADD c1 text", "ALTER TABLE b DROP c1"), ("CREATE TABLE t1 (i int)", "DROP TABLE t1"),
        ("CREATE TABLE t2 (i int)", "DROP TABLE t2"), ("CREATE INDEX a_n ON a (n)", "DROP INDEX a_n"),
        ("ALTER TABLE a ALTER n SET DEFAULT 5", "ALTER TABLE a ALTER n SET DEFAULT 0"),
        ("UPDATE a SET n = n % 100 + 1", "UPDATE a SET n = n - 1"), ("UPDATE a SET n = n % 100 * 2", "UPDATE a SET n = n / 2"),
        ("ALTER TABLE a RENAME n TO m", "ALTER TABLE a RENAME m TO n"),
    ];

    [Fact]
    public async Task What_is_published_never_moves_and_the_merge_brings_what_was_said()
    {
        for (var i = 0; i < (Chance.Number("CHATGENIUS_TEST_BRANCHES") ?? 1); i++)
        {
            output.WriteLine($"CHATGENIUS_TEST_SEED={Chance.Seed}, case {i}");
            await HistoryAsync(new Random(Chance.Seed + i));
        }
    }

    private static async Task HistoryAsync(Random random)
    {
        using var tool = new InProcess { Environment = { ["CHATGENIUS_BUNDLE"] = "false" } };
        await using var staging = await TestDatabase.CreateAsync();
        await using var mine = await TestDatabase.CreateAsync();
        await using var other = await TestDatabase.CreateAsync();
        await using var fresh = await TestDatabase.CreateAsync();
        Task GitAsync(params string[] arguments) => RenumberCommandTests.RunGitAsync(tool, arguments);
        async Task<ToolRun> DoneAsync(params string[] arguments)
        {
            var run = await tool.RunAsync(arguments);
            run.ExitCode.ShouldBe(ExitCode.Done, $"{string.Join(' ', arguments)}\n{run.Out}{run.Error}");
            return run;
        }

        async Task WriteAsync(string who, long first)
        {
            foreach (var step in random.GetItems(Enumerable.Range(0, Steps.Length).ToArray(), 3).Distinct().Order())
            {
                tool.Write($"migrations/{first:D4}_{who}_{step}.sql",
                    $"-- migrate:up\n{Steps[step].Up};\n-- migrate:down\n{Steps[step].Down};\n");
                first += random.Next(1, 3);
            }

            await GitAsync("add", "-A");
            await GitAsync("commit", "-q", "-m", who);
        }

        await GitAsync("init", "-q", "-b", "main");
        tool.Write("migrations/0006_base.sql", "-- migrate:up\nCREATE TABLE a (id int PRIMARY KEY, n int DEFAULT 0);\n"
            + "CREATE TABLE b (id int PRIMARY KEY);\nINSERT INTO a VALUES (1, 3);\n-- migrate:down\nDROP TABLE a, b;\n");
        await GitAsync("add", "-A");
        await GitAsync("commit", "-q", "-m", "base");
        await GitAsync("branch", "mine");
        var byTime = random.Next(2) == 0 ? 20260101000000 : 7;
        await WriteAsync("theirs", byTime + random.Next(3));
        await DoneAsync("apply", "-d", staging.Url.Display);
        await GitAsync("update-ref", "refs/remotes/origin/main", "main");
        var published = Directory.GetFiles(Path.Combine(tool.Folder, "migrations")).ToDictionary(file => file, File.ReadAllText);
        await GitAsync("checkout", "-q", "mine");
        await WriteAsync("mine", byTime + random.Next(3));
        await DoneAsync("apply", "-d", mine.Url.Display);
        await DoneAsync("apply", "-d", other.Url.Display);

        var check = await tool.RunAsync("check", "--with", "main");
        check.ExitCode.ShouldBeOneOf(ExitCode.Done, ExitCode.Differs);
        await GitAsync("merge", "-q", "--no-edit", "main");
        await DoneAsync("renumber", "--yes", "-d", other.Url.Display);

        published.ShouldAllBe(file => File.Exists(file.Key) && File.ReadAllText(file.Key) == file.Value);
        await GitAsync("add", "-A");
        var staged = await tool.RunAsync("apply", "-d", staging.Url.Display);
        var says = $"{check.Out}{check.Error}{staged.Out}{staged.Error}";
        (staged.ExitCode == ExitCode.Done).ShouldBe(!check.Out.Contains("fails after those of main", StringComparison.Ordinal), says);
        if (staged.ExitCode != ExitCode.Done)
        {
            return;
        }

        await DoneAsync("apply", "-d", fresh.Url.Display);
        await DoneAsync("renumber", "--reapply", "--yes", "-d", mine.Url.Display);
        await DoneAsync("apply", "-d", mine.Url.Display);
        (await DifferencesAsync(staging, fresh)).ShouldBeEmpty(says);
        (await DifferencesAsync(staging, mine)).ShouldBeEmpty(says);
        if (check.ExitCode == ExitCode.Done)
        {
            await DoneAsync("apply", "--allow-out-of-order", "-d", other.Url.Display);
            (await DifferencesAsync(staging, other)).Where(one => one.Fact != "order of columns").ShouldBeEmpty(says);
        }
    }

    private static async Task<IReadOnlyList<SchemaDifference>> DifferencesAsync(TestDatabase one, TestDatabase other) => SchemaDiff.Between(
        (await SchemaReader.ReadAsync(one.Database, new SchemaReadOptions())).Schema,
        (await SchemaReader.ReadAsync(other.Database, new SchemaReadOptions())).Schema);
}
