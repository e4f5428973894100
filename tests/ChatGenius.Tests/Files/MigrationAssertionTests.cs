using ChatGenius.Db.Text;

namespace ChatGenius.Tests.Files;

public class MigrationAssertionTests
{
    [Theory]
    [InlineData("-- cgdb:require SELECT true;\n-- migrate:up\nSELECT 1;", false, "SELECT true")]
    [InlineData("-- migrate:up\n-- cgdb:require SELECT true;\nSELECT 1;", false, "SELECT true")]
    [InlineData("-- migrate:up\nSELECT 1;\n-- cgdb:ensure SELECT true;", true, "SELECT true")]
    [InlineData("-- migrate:up\n--cgdb:ensure  SELECT\n--  true\n-- ;\nSELECT 1;", true, "SELECT\n    true")]
    [InlineData("-- migrate:up\n-- cgdb:require SELECT ';' = ';' -- a note ;\n-- ;\nSELECT 1;", false, "SELECT ';' = ';'")]
    [InlineData("-- migrate:up\r\n-- cgdb:require WITH x AS (SELECT true)\r\n--   SELECT * FROM x;\r\n-- no part of it\r\nSELECT 1;", false,
        "WITH x AS (SELECT true)\r\n     SELECT * FROM x")]
    [InlineData("-- migrate:up\n-- cgdb:require\n-- SELECT true;\nSELECT 1;", false, "SELECT true")]
    public void An_assertion_is_read_up_to_its_semicolon(string up, bool isAfter, string text)
    {
        var assertion = Parse(up).Up.Assertions.ShouldHaveSingleItem();

        assertion.IsAfter.ShouldBe(isAfter);
        assertion.Statement.Text.ShouldBe(text);
    }

    [Theory]
    [InlineData("-- migrate:up\n-- cgdb:require SELECT true\nSELECT 1;", "CG0324", 2)]
    [InlineData("-- migrate:up\n-- cgdb:require SELECT true\n\n-- ;\nSELECT 1;", "CG0324", 2)]
    [InlineData("-- migrate:up\n-- cgdb:require\nSELECT 1;", "CG0324", 2)]
    [InlineData("-- migrate:up\n-- cgdb:require ;\nSELECT 1;", "CG0324", 2)]
    [InlineData("-- migrate:up\n-- cgdb:require SELECT true; SELECT false;\nSELECT 1;", "CG0324", 2)]
    [InlineData("-- migrate:up\n-- cgdb:ensure DELETE FROM x RETURNING true;\nSELECT 1;", "CG0324", 2)]
    [InlineData("-- migrate:up\n-- cgdb:ensure SELECT\n-- 'open;\nSELECT 1;", "CG0201", 3)]
    [InlineData("-- migrate:up\n-- cgdb:ensure SELECT (1;\nSELECT 1;", "CG0205", 2)]
    [InlineData("-- migrate:up\nSELECT 1;\n-- cgdb:require SELECT true;\nSELECT 2;", "CG0325", 3)]
    public void What_is_no_assertion_is_a_problem_at_its_place(string up, string code, int line)
    {
        var problem = Should.Throw<ProblemException>(() => Parse(up)).Problems.ShouldHaveSingleItem();

        problem.Code.ShouldBe(code);
        problem.Where!.Line.ShouldBe(line);
    }

    [Fact]
    public void A_rollback_asks_nothing() =>
        Should.Throw<ProblemException>(() => Parse("-- migrate:up\nSELECT 1;", "-- cgdb:ensure SELECT true;\nSELECT 1;"))
            .Problems.ShouldHaveSingleItem().Code.ShouldBe("CG0325");

    [Theory]
    [InlineData("-- migrate:up\nSELECT '\n-- cgdb:require SELECT true;\n';")]
    [InlineData("-- migrate:up\n/*\n-- cgdb:require SELECT true;\n*/\nSELECT 1;")]
    [InlineData("-- migrate:up\nDO $$\n-- cgdb:require SELECT true;\nBEGIN END $$;")]
    [InlineData("-- migrate:up\n-- not cgdb:require SELECT true;\nSELECT 1;")]
    public void The_words_elsewhere_are_no_assertion(string up) => Parse(up).Up.Assertions.ShouldBeEmpty();

    [Fact]
    public void An_assertion_changes_no_checksum() =>
        Parse("-- migrate:up\n-- cgdb:require SELECT true;\nSELECT 1;").Up.Checksum.ShouldBe(Parse("-- migrate:up\nSELECT 1;").Up.Checksum);

    private static Migration Parse(string up, string down = "SELECT 2;") =>
        MigrationParser.Parse(SourceText.From("0001_a.sql", $"{up}\n-- migrate:down\n{down}\n"), MigrationOrigin.Folder);
}
