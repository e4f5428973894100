using ChatGenius.Db.Text;
using ChatGenius.Tool;

namespace ChatGenius.Tests.Migrations;

/// <summary>Drops that say cgdb:unused-since.</summary>
public class UnusedTests
{
    private const string Drop = "DROP TABLE t;\n-- migrate:down\nCREATE TABLE t (id int);\n";

    private static readonly DateTime Begin = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    private static readonly UsageTarget Table = new(7, 0, "public", "t", null), Column = Table with { Column = 2, ColumnName = "v" };

    [Theory]
    [InlineData("-- cgdb:unused-since 7d\nDROP TABLE t;", 7 * 24 * 60)]
    [InlineData("-- cgdb:unused-since 90m old:chat-1 old:chat-2.*\n-- a word\nALTER TABLE t ADD w int, DROP COLUMN IF EXISTS v;", 90)]
    public void A_mark_belongs_to_the_drop_below_it(string up, int minutes)
    {
        var mark = Parse(up).Up.Unused.ShouldHaveSingleItem();

        (mark.Statement, mark.AtLeast).ShouldBe((0, TimeSpan.FromMinutes(minutes)));
        (mark.IsOld("chat-2.7"), mark.IsOld("chat-1")).ShouldBe((minutes == 90, minutes == 90));
        (mark.IsOld("chat-1.7"), mark.IsOld("")).ShouldBe((false, false));
    }

    [Theory]
    [InlineData("-- cgdb:unused-since\nDROP TABLE t;")]
    [InlineData("-- cgdb:unused-since 0d\nDROP TABLE t;")]
    [InlineData("-- cgdb:unused-since 7w\nDROP TABLE t;")]
    [InlineData("-- cgdb:unused-since 7d chat-1\nDROP TABLE t;")]
    [InlineData("-- cgdb:unused-since 7d old:\nDROP TABLE t;")]
    [InlineData("-- cgdb:unused-since 7d\nDELETE FROM t;")]
    [InlineData("-- cgdb:unused-since 7d\nALTER TABLE t DROP CONSTRAINT c, ALTER v DROP NOT NULL;")]
    [InlineData("DROP TABLE t;\n-- cgdb:unused-since 7d")]
    public void What_is_no_mark_of_a_drop_is_a_problem(string up) =>
        Should.Throw<ProblemException>(() => Parse(up)).Problems.ShouldHaveSingleItem().Code.ShouldBe("CG1605");

    /// <summary>A first sample, and a second one of the same server two days later; t 7 is the table, i 8 its index.</summary>
    [Theory]
    [InlineData("t7=5 i8=9 w7=3", "t7=5 i8=9 w7=3", "a", "Unused")]
    [InlineData("t7=5 i8=9 w7=3", "t7=6 i8=9 w7=3", "a", "Used")]
    [InlineData("t7=5 i8=9 w7=3", "t7=5 i8=10 w7=3", "a", "Used")]
    [InlineData("t7=5 i8=9 w7=3", "t7=5 i8=9 w7=4", "a", "Used")]
    [InlineData("t7=5 i8=9", "t7=5 i8=9 i9=2", "a", "Used")]
    // An index that is gone has taken its scans along; what was counted all the same counts.
    [InlineData("t7=5 i8=9", "t7=5", "a", "Unknown")]
    [InlineData("t7=5 i8=9", "t7=6", "a", "Used")]
    [InlineData("t7=5 i8=9", "t7=4 i8=9", "a", "Unknown")]
    [InlineData("t7=5 t9=1", "t7=5", "a", "Unknown")]
    [InlineData("t7=5", "t7=5 t9=1 i10=4", "a", "Unknown")]
    [InlineData("t7=5", "t7=6 t9=1", "a", "Used")]
    // Another life: a reset, a crash, another server.
    [InlineData("t7=5 i8=9", "t7=0 i8=0", "b", "Unknown")]
    [InlineData("t7=5 i8=9", "t7=0 i8=1", "b", "Used")]
    [InlineData("t7=5 i8=9", "t7=9 i8=9", "b", "Used")]
    [InlineData("t7=5", "", "a", "Unknown")]
    public void What_was_counted_says_whether_a_table_is_used(string first, string second, string life, string answer) =>
        UsageVerdict.Judge(Table, [Sample("", first)], [Sample("", second, life, days: 2)], TimeSpan.FromDays(1), _ => false)
            .Answer.ToString().ShouldBe(answer);

    [Theory]
    [InlineData("t7=5 q1=4", "t7=5 q1=4", "s", "s", "Unused")]
    [InlineData("t7=5 q1=4", "t7=6 q1=4", "s", "s", "Unused")]
    [InlineData("t7=5 q1=4 *2=1", "t7=6 q1=5 *2=9", "s", "s", "Used")]
    [InlineData("t7=5", "t7=6 q1=1", "s", "s", "Used")]
    [InlineData("t7=5 *2=1", "t7=6 *2=2", "s", "s", "Unknown")]
    [InlineData("t7=5 q1=4", "t7=6 q1=4", "s", "r", "Unknown")]
    [InlineData("t7=5", "t7=6", "", "", "Unknown")]
    [InlineData("t7=5", "t7=5", "", "", "Unused")]
    public void Texts_of_statements_say_whether_a_column_is_used(string first, string second, string life, string later, string answer) =>
        UsageVerdict.Judge(
            Column, [Sample("", first, statements: life)], [Sample("", second, statements: later, days: 2)], TimeSpan.FromDays(1),
            _ => false).Answer.ToString().ShouldBe(answer);

    [Fact]
    public void The_hardest_answer_of_all_servers_counts()
    {
        UsageSample first = Sample("", "t7=1"), standby = Sample("s:1", "t7=1"), now = first with { At = Begin.AddDays(2) };
        UsageVerdict Judge(IReadOnlyList<UsageSample> before, IReadOnlyList<UsageSample> after, int days = 1, bool dumped = false) =>
            UsageVerdict.Judge(Table, before, after, TimeSpan.FromDays(days), name => name == "old", dumped);

        Judge([first, standby], [now, standby with { At = now.At }]).Answer.ShouldBe(UsageAnswer.Unused);
        Judge([first], [now], days: 3).Message.ShouldBe(
            "t was not watched for long enough: watched since 2026-01-01 00:00:00 UTC, which is less than 3 days (the primary)");
        Judge([], [now]).Answer.ShouldBe(UsageAnswer.TooEarly);
        Judge([first, standby], [now]).Answer.ShouldBe(UsageAnswer.Unknown);
        Judge([first], [now, standby]).Answer.ShouldBe(UsageAnswer.Unknown);
        Judge([first], [now with { Standbys = 1 }]).Message.ShouldContain("1 standby connected, and 0 named");
        Judge([first, standby], [now, standby with { Missing = "it could not be asked: nobody there" }]).Message
            .ShouldBe("t may have been used: it could not be asked: nobody there (standby s:1)");
        Judge([first, standby], [now, Sample("s:1", "t7=2", days: 2)]).Message
            .ShouldStartWith("t is used: 1 sequential scan, 0 index scans and 0 written rows since");
        Judge([first, standby], [now, Sample("s:1", "t7=0", "other a", days: 2)]).Answer.ShouldBe(UsageAnswer.Unknown);
        Judge([first], [now with { Applications = new Dictionary<string, long> { ["old"] = 2, ["new"] = 1 } }]).Message
            .ShouldBe("t is used: 2 sessions of old connected to the primary");
        // The backup of this run has read each table once.
        Judge([first], [Sample("", "t7=2", days: 2)], dumped: true).Answer.ShouldBe(UsageAnswer.Unused);
        Judge([first], [Sample("", "t7=3", days: 2)], dumped: true).Answer.ShouldBe(UsageAnswer.Used);
    }

    [Theory]
    [InlineData("SELECT id FROM t", ' ')]
    [InlineData("SELECT v FROM t WHERE id = $1", 'q')]
    [InlineData("UPDATE public.t SET \"v\" = $1", 'q')]
    [InlineData("SELECT count(*), 2 * 3 FROM t", ' ')]
    [InlineData("SELECT m.* FROM t m", '*')]
    [InlineData("SELECT id, * FROM t", '*')]
    [InlineData("DELETE FROM t RETURNING *", '*')]
    [InlineData("INSERT INTO public.t VALUES ($1, $2)", '*')]
    [InlineData("INSERT INTO public.t (id) VALUES ($1)", ' ')]
    [InlineData("COPY public.t (id, v) TO stdout", '*')]
    [InlineData("TABLE t", '*')]
    [InlineData("ALTER TABLE t DROP COLUMN v", ' ')]
    [InlineData("SELECT v FROM other /* t */ WHERE x = 't'", ' ')]
    public void A_statement_uses_a_column_by_its_name_and_may_use_it_by_a_star(string text, char kind) =>
        (UsageSample.KindOf(text, Column) ?? ' ').ShouldBe(kind);

    [Fact]
    public async Task A_drop_runs_when_a_second_sample_shows_no_use()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1)");
        using var tool = new Tool.InProcess { Environment = { ["DATABASE_URL"] = database.Url.Display } };
        void Write(string mark) => tool.Write("migrations/0001_a.sql", $"-- migrate:up\n-- cgdb:unused-since {mark}\n{Drop}");
        Task<Tool.ToolRun> RunAsync(params string[] call) => tool.RunAsync([.. call, "--no-bundle"]);
        Write("1h");

        var first = await RunAsync("apply", "--fresh");
        first.ExitCode.ShouldBe(ExitCode.Error);
        first.Error.ShouldContain("CG1606");
        first.Error.ShouldContain("t was not watched for long enough: there is no first sample (the primary)");
        first.Error.ShouldContain("chatgenius-db unused watch t");
        (await RunAsync("unused", "watch", "nope")).Error.ShouldContain("CG1607");
        (await RunAsync("unused", "watch")).Error.ShouldContain("CG1007");
        (await RunAsync("unused", "list")).Error.ShouldContain("Nothing is watched");
        (await RunAsync("unused", "watch", "t", "public.t.v")).Out.ShouldMatch(
            "t is watched from now on\nt\\.v is watched from now on; while its table is used, it is not known .*pg_stat_statements");
        (await RunAsync("apply", "--fresh")).Error.ShouldContain("which is less than 1 hour");

        Write("1s");
        await Task.Delay(1100);
        await database.ExecuteAsync("SELECT count(*) FROM t");
        while (await database.ScalarAsync<long>("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 't'") == 0)
        {
            await Task.Delay(50);
        }

        (await RunAsync("apply", "--fresh", "--yes")).Error.ShouldContain(
            "t is used: 1 sequential scan, 0 index scans and 0 written rows since");
        (await RunAsync("plan", "--fresh")).Error.ShouldContain("t is used: 1 sequential scan");
        (await RunAsync("unused", "list")).Out.ShouldMatch(
            "t is used: 1 seq.*\nt\\.v may have been used: its table is used, and there are no");

        (await RunAsync("unused", "watch", "t")).Out.ShouldContain("t is used");
        (await RunAsync("unused", "watch", "T", "--again")).Out.ShouldContain("t is watched from now on");
        await Task.Delay(1100);
        await database.ExecuteAsync("ALTER TABLE t RENAME TO u");
        tool.Write("migrations/0001_a.sql",
            "-- migrate:up\nALTER TABLE u RENAME TO w;\n-- cgdb:unused-since 1s\nDROP TABLE w;\n"
            + "-- cgdb:unused-since 7d\nDROP TABLE IF EXISTS w;\nCREATE TABLE w (i int);\n"
            + "-- cgdb:unused-since 7d\nDROP TABLE w;\n-- migrate:down\nSELECT 1;\n");
        var last = await RunAsync("apply", "--fresh");
        last.ExitCode.ShouldBe(ExitCode.Done, last.Error);
        last.Error.ShouldContain("u was not used: no read and no write since");
        (await RunAsync("unused", "list")).Error.ShouldContain("Nothing is watched");
    }

    [Fact]
    public async Task What_can_not_be_told_needs_a_yes_and_a_protected_environment_needs_the_time_too()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync(
            "CREATE TABLE t (id int) PARTITION BY RANGE (id); CREATE TABLE p PARTITION OF t FOR VALUES FROM (0) TO (9); "
                + "CREATE TABLE q PARTITION OF t FOR VALUES FROM (9) TO (19)");
        using var tool = new Tool.InProcess { Environment = { ["DATABASE_URL"] = database.Url.Display } };
        tool.Write("migrations/0001_a.sql", $"-- migrate:up\n-- cgdb:unused-since 1s\n{Drop}");
        tool.Write("chatgenius-db.json",
            """{ "environments": { "production": { "protected": true, "database_url_variable": "DATABASE_URL" } } }""");
        (await tool.RunAsync("apply", "--no-bundle", "--fresh", "--env", "production", "--yes")).Error.ShouldContain("no first sample");
        (await tool.RunAsync("unused", "watch", "t", "--no-bundle")).ExitCode.ShouldBe(ExitCode.Done);
        await database.ExecuteAsync("DROP TABLE q");
        await Task.Delay(1100);

        (await tool.RunAsync("apply", "--no-bundle", "--fresh")).Error
            .ShouldContain("t may have been used: a partition or an index of it is gone");
        (await tool.RunAsync("apply", "--no-bundle", "--fresh", "--yes", "--env", "production")).ExitCode.ShouldBe(ExitCode.Done);
        (await database.ScalarAsync<bool>("SELECT to_regclass('t') IS NULL")).ShouldBeTrue();
    }

    private static UsageSample Sample(string node, string counters, string life = "sys a", string statements = "", int days = 0)
    {
        var counts = counters.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(one => one.Split('='))
            .ToDictionary(one => one[0], one => long.Parse(one[1], CultureInfo.InvariantCulture));
        return new UsageSample(node, (life is "a" ? "sys a" : life, statements), Begin.AddDays(days), counts)
        {
            Texts = counts.Keys.ToDictionary(key => key, key => $"the text of {key}"),
        };
    }

    private static Migration Parse(string up) => MigrationParser.Parse(
        SourceText.From("0001_a.sql", $"-- migrate:up\n{up}\n-- migrate:down\nSELECT 1;\n"), MigrationOrigin.Folder);
}
