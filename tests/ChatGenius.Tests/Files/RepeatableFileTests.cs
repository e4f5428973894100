using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;

namespace ChatGenius.Tests.Files;

public class RepeatableFileTests
{
    [Theory]
    [InlineData("", "CG0328 1")]
    [InlineData("-- nothing but a comment\n", "CG0328 1")]
    [InlineData("CREATE VIEW v AS SELECT 1;\nCOMMIT;\n", "CG0329 2")]
    [InlineData("BEGIN;\nSELECT 1;\nEND;", "CG0329 1, CG0329 3")]
    [InlineData("-- migrate:up\nCREATE VIEW v AS SELECT 1;\n-- migrate:down\nDROP VIEW v;\n", "CG0330 1, CG0330 3")]
    [InlineData("--migrate:up transaction:false\nSELECT 1;", "CG0330 1")]
    [InlineData("-- cgdb:require SELECT true;\nSELECT 1;", "CG0330 1")]
    [InlineData("SELECT 1;\nDROP VIEW IF EXISTS v /* all */ CASCADE;", "CG0331 2")]
    [InlineData("SELECT 1;\n\\i other.sql\n", "CG0207 2")]
    [InlineData("SELECT 'open;", "CG0201 1")]
    [InlineData("\uFEFFCREATE VIEW v AS\r\nSELECT 1;\r\n", "")]
    [InlineData("CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DROP TABLE t CASCADE; COMMIT; END $$;", "")]
    public void What_a_repeatable_object_can_not_have_is_a_problem_with_its_line(string text, string expected)
    {
        using var folder = new Folder().Repeat("v", text);
        var problems = new List<Problem>();

        Repeatable.Load(folder.Path, problems);

        string.Join(", ", problems.Select(problem => $"{problem.Code} {problem.Where?.Line}")).ShouldBe(expected);
        problems.ShouldAllBe(problem => problem.Advice != null);
    }

    /// <summary>Files by name, the order in which psql runs them, and those whose order can't be told.</summary>
    [Theory]
    [InlineData("a: VIEW a AS SELECT * FROM b | b: VIEW b AS SELECT 1", "b a", "")]
    [InlineData("a: VIEW a AS SELECT status FROM t | b: FUNCTION status() RETURNS a LANGUAGE sql AS 'SELECT 1'", "a b", "")]
    [InlineData("a: VIEW a AS SELECT 1 -- as b\n | b: VIEW b AS SELECT * FROM a", "a b", "")]
    [InlineData("a: FUNCTION a() RETURNS int LANGUAGE sql AS 'TABLE b' | b: FUNCTION b() RETURNS int LANGUAGE sql AS 'TABLE a'", "a b", "")]
    [InlineData("a: VIEW a AS SELECT c(1) FROM b | b: VIEW b AS SELECT 1 | c: AGGREGATE c(int) (sfunc = int4pl, stype = int)", "b c a", "")]
    [InlineData("a: VIEW a AS SELECT * FROM b | b: VIEW b AS SELECT * FROM a | c: VIEW c AS SELECT 1", "b a c", "a b")]
    public void Those_that_name_each_other_come_one_after_the_other(string files, string order, string unknown)
    {
        using var folder = new Folder();
        foreach (var file in files.Split(" | "))
        {
            folder.Repeat(file[..1], $"CREATE {(file.Contains("AGGREGATE", StringComparison.Ordinal) ? "" : "OR REPLACE ")}{file[3..]};");
        }

        var (ordered, _, notKnown) = Repeatable.InOrder(Repeatable.Load(folder.Path, []).ToList(), one => one.Up.Script);

        string.Join(' ', ordered.Select(one => one.Name)).ShouldBe(order);
        string.Join(' ', notKnown.Select(one => one.Name)).ShouldBe(unknown);
    }

    [Fact]
    public void White_space_comments_and_line_endings_are_no_change()
    {
        using var folder = new Folder().Repeat("a", "CREATE VIEW v AS SELECT 1;\n")
            .Repeat("b", "-- why\r\nCREATE VIEW v\r\n  AS SELECT 1;");

        var read = Repeatable.Load(folder.Path, []);

        read.Select(one => one.Name).ShouldBe(["a", "b"]);
        read[0].Up.Checksum.ShouldBe(read[1].Up.Checksum);
    }

    [Fact]
    public void Files_in_folders_below_and_what_is_no_file_are_problems_and_hidden_ones_are_passed_over()
    {
        using var folder = new Folder().Repeat("views/v", "SELECT 1;").Repeat(".hidden", "nonsense '").Repeat("w", "SELECT 1;");
        Directory.CreateDirectory(Path.Combine(folder.Path, "repeatable", "folder.sql"));
        File.WriteAllBytes(Path.Combine(folder.Path, "repeatable", "x.sql"), [0x53, 0xFF, 0xFE]);
        var problems = new List<Problem>();

        Repeatable.Load(folder.Path, problems).Select(one => one.Name).ShouldBe(["w"]);

        problems.Select(problem => problem.Code).ShouldBe(["CG0302", "CG0101"]);
    }

    [Theory]
    [InlineData("CREATE OR REPLACE VIEW app.v (a) AS SELECT 1", "view app.v ")]
    [InlineData("CREATE TEMP RECURSIVE VIEW \"V w\" (a) AS SELECT 1", "view V w ")]
    [InlineData("create or replace function f(a int) returns int language sql return 1", "function f ")]
    [InlineData("CREATE CONSTRAINT TRIGGER x AFTER UPDATE OF a ON app.t FOR EACH ROW EXECUTE FUNCTION f()", "trigger x app.t")]
    [InlineData("CREATE POLICY p ON t USING (true)", "policy p t")]
    [InlineData("CREATE TABLE t (id int)", "")]
    [InlineData("CREATE MATERIALIZED VIEW m AS SELECT 1", "")]
    [InlineData("DROP VIEW v", "")]
    public void What_a_statement_creates_is_read_from_it(string sql, string expected)
    {
        var created = Repeatable.Created(SqlScript.Parse(SourceText.From("v.sql", Encoding.UTF8.GetBytes(sql))));

        static string Name(StatementName? name) => name is { } one ? (one.Schema is null ? "" : one.Schema + ".") + one.Name : "";
        string.Join(", ", created.Select(one => $"{one.Kind} {Name(one.Name)} {Name(one.Table)}")).ShouldBe(expected);
    }
}
