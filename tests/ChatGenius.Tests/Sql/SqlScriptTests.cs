using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;

namespace ChatGenius.Tests.Sql;

public class SqlScriptTests
{
    [Theory]
    [InlineData("", new string[0])]
    [InlineData(" ;; ; -- nothing\n;", new string[0])]
    [InlineData("select 1", new[] { "select 1" })]
    [InlineData("select 1;;select 2;", new[] { "select 1", "select 2" })]
    [InlineData("/* a */ select /* b */ 1 -- c\n;", new[] { "select /* b */ 1" })]
    [InlineData("select ';', \"a;b\", $$;$$, $x$;$$;$x$, E'\\';'; select 2",
        new[] { "select ';', \"a;b\", $$;$$, $x$;$$;$x$, E'\\';'", "select 2" })]
    [InlineData("create rule r as on insert to t do (select 1; select 2); select 3",
        new[] { "create rule r as on insert to t do (select 1; select 2)", "select 3" })]
    [InlineData("select a$$b;c$$d", new[] { "select a$$b", "c$$d" })]
    [InlineData("select 1 +--;\n 2; select 3*/*;*/4", new[] { "select 1 +--;\n 2", "select 3*/*;*/4" })]
    [InlineData("select 1/*/*;*/;*/; select 2", new[] { "select 1", "select 2" })]
    [InlineData("select U&'\\';select 2", new[] { "select U&'\\'", "select 2" })]
    public void A_script_is_cut_at_the_semicolons_that_end_statements(string sql, string[] statements)
    {
        Split(sql).ShouldBe(statements);
    }

    [Theory]
    [InlineData("create function f() returns int begin atomic select 1; select 2; end")]
    [InlineData(
        "CREATE OR REPLACE PROCEDURE p(a int) LANGUAGE SQL BEGIN ATOMIC\n SELECT CASE WHEN a = 1 THEN 2 ELSE 3 END; INSERT INTO t VALUES "
        + "(case a when 1 then 2 end); END")]
    [InlineData("create function f() returns int begin /* x */ atomic select 1 as end; select t.end from t; end")]
    [InlineData("create function begin(begin int) returns int language sql as 'select 1; select 2'")]
    [InlineData("create procedure p() begin atomic end")]
    public void The_body_of_an_SQL_function_is_one_statement(string sql)
    {
        Split($"{sql}; select 9").ShouldBe([sql, "select 9"]);
    }

    [Fact]
    public void A_backslash_escapes_once_standard_conforming_strings_is_off()
    {
        Split(@"select 'a\'; set standard_conforming_strings = off; select 'a\'; select 1'; "
            + @"set session standard_conforming_strings to 'on'; select '\'; select 2")
            .ShouldBe([@"select 'a\'", "set standard_conforming_strings = off", @"select 'a\'; select 1'",
            "set session standard_conforming_strings to 'on'", @"select '\'", "select 2"]);
    }

    [Fact]
    public void Set_local_lasts_until_the_transaction_ends()
    {
        Split(@"begin; set local standard_conforming_strings = off; select '\';'; commit; select '\'; select 2").Count.ShouldBe(6);
    }

    [Theory]
    [InlineData("copy t from stdin;\n1\tone; -- 'x\n\\.\nselect 1;", "1\tone; -- 'x\n")]
    [InlineData("COPY \"s;\".\"t\" (a, \"from\") FROM STDIN WITH (FORMAT csv, HEADER); -- rows\r\na,b\r\n\\.\r\nselect 1", "a,b\r\n")]
    [InlineData("copy t from stdin;\n\\.\nselect 1", "")]
    [InlineData("copy t from stdin;\n\\.\r\nselect 1", "")]
    [InlineData("copy t from stdin;\n\\. \n \\.\n\\.\rx\n\\.\nselect 1", "\\. \n \\.\n\\.\rx\n")]
    [InlineData("copy binary t from stdout;\n\\N\n\\\\.\n\\.x\n\\.\nselect 1", "\\N\n\\\\.\n\\.x\n")]
    public void Rows_follow_a_copy_from_stdin(string sql, string rows)
    {
        var statements = SqlScript.Parse(SourceText.From("f.sql", sql)).Statements;

        statements.Count.ShouldBe(2);
        statements[0].IsCopyFromStdin.ShouldBeTrue();
        Encoding.UTF8.GetString(statements[0].CopyData.Span).ShouldBe(rows);
        statements[1].Text.ShouldBe("select 1");
    }

    [Theory]
    [InlineData("copy (select a from stdin) to '/tmp/x'")]
    [InlineData("copy t from '/tmp/x'")]
    [InlineData("copy t from program 'cat'")]
    [InlineData("copy \"from\" to '/tmp/stdin'")]
    public void Other_copies_are_ordinary_statements(string sql)
    {
        var statement = SqlScript.Parse(SourceText.From("f.sql", sql)).Statements.ShouldHaveSingleItem();

        statement.IsCopyFromStdin.ShouldBeFalse();
        statement.CopyData.IsEmpty.ShouldBeTrue();
    }

    [Theory]
    [InlineData("select 1;\nselect 'a", "CG0201", 2, 8)]
    [InlineData("select E'a\\'", "CG0201", 1, 8)]
    [InlineData("select $x$ $y$", "CG0202", 1, 8)]
    [InlineData("select \"a", "CG0203", 1, 8)]
    [InlineData("select 1 /* a /* b */", "CG0204", 1, 10)]
    [InlineData("select (1;\nselect 2", "CG0205", 1, 8)]
    [InlineData("create function f() returns int begin atomic select 1; select 2", "CG0206", 1, 33)]
    [InlineData("select 1;\n  \\i other.sql\nselect 2", "CG0207", 2, 3)]
    [InlineData("select 1;\ncopy t from stdin;\n1\n\\.x\n", "CG0208", 2, 1)]
    [InlineData("copy t from stdin", "CG0208", 1, 1)]
    [InlineData("copy t from stdin; select 1;\n1\n\\.\n", "CG0209", 1, 20)]
    [InlineData("copy t to stdout", "CG0210", 1, 11)]
    [InlineData("select 1;\nselect \0", "CG0211", 2, 8)]
    public void What_can_not_run_is_a_problem_that_points_at_its_start(string sql, string code, int line, int column)
    {
        var problem = Should.Throw<ProblemException>(() => SqlScript.Parse(SourceText.From("f.sql", sql))).Problems.ShouldHaveSingleItem();

        problem.Code.ShouldBe(code);
        (problem.Where!.Line, problem.Where.Column).ShouldBe((line, column));
        problem.Advice.ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public void Every_psql_command_is_reported()
    {
        var e = Should.Throw<ProblemException>(() => SqlScript.Parse(SourceText.From("f.sql",
            "\\set x 1\nselect 1 \\gexec\n\\copy t from 'f'\n\\.\n")));

        e.Problems.Select(p => p.Message).ShouldBe([
            "\\set is a command of psql, not SQL", "\\gexec is a command of psql, not SQL", "\\copy is a command of psql, not SQL",
            "\\. is a command of psql, not SQL"]);
        e.Problems[2].Advice!.ShouldContain("COPY … FROM stdin");
    }

    private static List<string> Split(string sql) => [.. SqlScript.Parse(SourceText.From("f.sql", sql)).Statements.Select(s => s.Text)];

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    public void The_checksum_of_many_rows_is_the_one_that_peoples_databases_have(string newLine)
    {
        var rows = string.Concat(Enumerable.Range(0, 100_000).Select(i => $"{i}\trow number {i}\n"));
        var text = $"CREATE TABLE r (i int, t text);\nCOPY r FROM stdin;\n{rows}\\.\nSELECT 1;\nCOPY r FROM stdin;\n{rows}\\.\nSELECT 2;\n";

        SqlScript.Parse(SourceText.From("rows.sql", text.Replace("\n", newLine, StringComparison.Ordinal))).Checksum
            .ShouldBe("5c12f94965bfacf6f019b4d1e1d96753f8e8b2cdce0812576a63e0e50d8f1d23");
    }
}
