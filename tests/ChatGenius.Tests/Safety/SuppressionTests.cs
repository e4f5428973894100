using ChatGenius.Db.Safety;

namespace ChatGenius.Tests.Safety;

public class SuppressionTests
{
    private static readonly DateOnly Today = new(2026, 6, 1);

    [Fact]
    public void An_allow_covers_the_statement_behind_it_and_no_other()
    {
        var findings = Examine(
            """
            -- cgdb:allow drop-column: replaced by remark
            ALTER TABLE orders DROP COLUMN note;
            ALTER TABLE orders DROP COLUMN amount;
            """);
        findings.Where(finding => finding.Hazard.Id == "D102").Select(finding => (finding.Subject, finding.Allowed))
            .ShouldBe([("orders.note", "replaced by remark"), ("orders.amount", null)]);
    }

    [Fact]
    public void An_allow_takes_ids_and_names_in_a_list_and_an_object_in_parentheses() =>
        Unallowed(
            """
            -- cgdb:allow D102(orders.note), rename-table, C102 until=2026-06-01: agreed with the team
            ALTER TABLE orders DROP COLUMN note;
            """).ShouldBe(["M107 unused-allow", "M107 unused-allow"]);

    [Fact]
    public void An_allow_for_another_object_does_not_cover() =>
        Unallowed(
            """
            -- cgdb:allow drop-column(orders.amount): not this one
            ALTER TABLE orders DROP COLUMN note;
            """).ShouldBe(["M107 unused-allow", "D102 drop-column"], ignoreOrder: true);

    [Fact]
    public void An_allow_file_covers_all_statements() =>
        Unallowed(
            """
            -- cgdb:allow-file drop-column: the whole table goes next
            -- migrate:up
            ALTER TABLE orders DROP COLUMN note;
            ALTER TABLE orders DROP COLUMN amount;
            """).ShouldBeEmpty();

    [Fact]
    public void After_its_last_day_an_allow_counts_no_more() =>
        Unallowed(
            """
            -- cgdb:allow drop-column until=2026-05-31: until the old application is gone
            ALTER TABLE orders DROP COLUMN note;
            """).ShouldBe(["M107 unused-allow", "D102 drop-column"], ignoreOrder: true);

    [Theory]
    [InlineData("SELECT '\n-- cgdb:allow drop-column: a string\n';\nALTER TABLE orders DROP COLUMN note;")]
    [InlineData("/*\n-- cgdb:allow drop-column: a comment of another kind\n*/\nALTER TABLE orders DROP COLUMN note;")]
    [InlineData("DO $$\n-- cgdb:allow drop-column: a body\nBEGIN END $$;\nALTER TABLE orders DROP COLUMN note;")]
    [InlineData("SELECT 1\n-- cgdb:allow drop-column: before a semicolon\n;\nALTER TABLE orders DROP COLUMN note;")]
    [InlineData("COPY orders (note) FROM stdin;\n-- cgdb:allow drop-column: a row\n\\.\nALTER TABLE orders DROP COLUMN note;")]
    [InlineData("ALTER TABLE orders\n-- cgdb:allow drop-column: inside the statement\nDROP COLUMN note;")]
    public void Only_a_line_comment_where_a_statement_can_begin_counts(string sql) =>
        Unallowed(sql).Where(rule => rule[0] is 'D' or 'M' && rule != "M105 dynamic-sql").ShouldBe(["D102 drop-column"]);

    [Theory]
    [InlineData("-- cgdb:allow drop-colum: a slip", "CG1204", 15, 10)]
    [InlineData("-- cgdb:allow drop-column", "CG1205", 1, 25)]
    [InlineData("-- cgdb:allow drop-column:", "CG1205", 1, 26)]
    [InlineData("-- cgdb:allow drop-column until=tomorrow: soon", "CG1205", 33, 8)]
    [InlineData("-- cgdb:deny drop-column: no", "CG1203", 1, 28)]
    [InlineData("-- cgdb:allow-file drop-column: too late", "CG1206", 1, 40)]
    [InlineData("-- cgdb:allow : everything", "CG1204", 1, 26)]
    public void What_can_not_be_read_is_a_problem_at_its_place(string comment, string code, int column, int width)
    {
        var problem = Should.Throw<ProblemException>(() => Examine($"{comment}\nSELECT 1;")).Problems.ShouldHaveSingleItem();
        problem.Code.ShouldBe(code);
        problem.Where.ShouldNotBeNull().Line.ShouldBe(2);
        problem.Where.Column.ShouldBe(column);
        problem.Where.Width.ShouldBe(width);
        problem.Advice.ShouldNotBeNull();
    }

    [Fact]
    public void An_allow_to_drop_covers_that_down_does_not_bring_back_what_is_dropped_and_nothing_else()
    {
        var migration = Shop.Migration(
            """
            -- migrate:up
            -- cgdb:allow drop-column: replaced by remark
            ALTER TABLE orders DROP COLUMN note;
            -- migrate:down
            ALTER TABLE orders ADD COLUMN note text;
            """);
        var roundTrip = new RoundTrip([], [], [new Loss("orders.note", "5 values"), new Loss("orders", "2 rows")]);

        SafetyCheck.Examine(migration, null, TableSizes.Unknown, roundTrip, Today).Where(finding => finding.Hazard.Id == "M102")
            .Select(finding => (finding.Subject, finding.Allowed))
            .ShouldBe([("orders.note", "replaced by remark"), ("orders", null)]);
    }

    private static IReadOnlyList<Finding> Examine(string sql) =>
        SafetyCheck.Examine(Shop.Migration(sql), null, TableSizes.Unknown, today: Today);

    private static IEnumerable<string> Unallowed(string sql) =>
        Examine(sql).Where(finding => finding.Allowed is null).Select(finding => finding.Hazard.ToString());
}
