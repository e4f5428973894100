using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;

namespace ChatGenius.Tests.Sql;

public class SqlStatementTests
{
    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    public void A_position_of_the_server_becomes_a_place_in_the_file(string newLine)
    {
        byte[] bytes =
            [0xEF, 0xBB, 0xBF,
            .. System.Text.Encoding.UTF8.GetBytes($"-- 😀{newLine}select 1;{newLine}  select '😀',{newLine}  'ä', mistake;")];
        var statement = SqlScript.Parse(SourceText.From("f.sql", bytes)).Statements[1];

        var where = statement.At(statement.Text.EnumerateRunes().Select(r => r.Value).ToList().IndexOf('m') + 1);

        where.ToString().ShouldBe("f.sql:4:8");
        (where.LineText, where.Width).ShouldBe(("  'ä', mistake;", 7));
        statement.Location.ToString().ShouldBe("f.sql:3:3");
    }

    [Theory]
    [InlineData(-5, 1)]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(9, 9)]
    [InlineData(1000, 9)]
    public void A_position_out_of_range_stands_for_the_nearest_end(int position, int column)
    {
        SqlScript.Parse(SourceText.From("f.sql", "select 1;")).Statements[0].At(position).Column.ShouldBe(column);
    }

    [Fact]
    public void The_first_words_tell_what_a_statement_is()
    {
        var statement = SqlScript.Parse(SourceText.From("f.sql", "create /* or */ Unique -- x\n index \"on\" on t (a)")).Statements[0];

        statement.Words(5).ShouldBe(["CREATE", "UNIQUE", "INDEX"]);
        statement.Words(2).ShouldBe(["CREATE", "UNIQUE"]);
        statement.Is("CREATE", "UNIQUE", "INDEX").ShouldBeTrue();
        statement.Is("create").ShouldBeTrue();
        statement.Is("CREATE", "INDEX").ShouldBeFalse();
        statement.Is("CREATE", "UNIQUE", "INDEX", "ON").ShouldBeFalse();
    }

    [Fact]
    public void Its_tokens_are_those_of_the_file()
    {
        var sql = "select 0; set standard_conforming_strings = off; select '\\'';";
        var last = SqlScript.Parse(SourceText.From("f.sql", sql)).Statements[2];

        var tokens = new List<string>();
        foreach (var token in last.Tokens())
        {
            tokens.Add(sql[token.Start..token.End]);
        }

        tokens.ShouldBe(["select", "'\\''"]);
    }

    [Theory]
    [InlineData("begin", SqlTransactionControl.Begin)]
    [InlineData("BEGIN WORK ISOLATION LEVEL SERIALIZABLE", SqlTransactionControl.Begin)]
    [InlineData("start /* a */ transaction read only", SqlTransactionControl.Begin)]
    [InlineData("commit and chain", SqlTransactionControl.Commit)]
    [InlineData("end", SqlTransactionControl.Commit)]
    [InlineData("rollback", SqlTransactionControl.Rollback)]
    [InlineData("rollback work", SqlTransactionControl.Rollback)]
    [InlineData("abort transaction", SqlTransactionControl.Rollback)]
    [InlineData("prepare transaction 'x'", SqlTransactionControl.Prepare)]
    [InlineData("prepare transaction_plan as select 1", SqlTransactionControl.None)]
    [InlineData("rollback to savepoint s", SqlTransactionControl.None)]
    [InlineData("rollback transaction to s", SqlTransactionControl.None)]
    [InlineData("commit prepared 'x'", SqlTransactionControl.None)]
    [InlineData("rollback prepared 'x'", SqlTransactionControl.None)]
    [InlineData("savepoint s", SqlTransactionControl.None)]
    [InlineData("\"begin\"", SqlTransactionControl.None)]
    [InlineData("create function f() returns int begin atomic select 1; end", SqlTransactionControl.None)]
    internal void Transaction_control_is_recognised(string sql, SqlTransactionControl control)
    {
        SqlScript.Parse(SourceText.From("f.sql", sql)).Statements.ShouldHaveSingleItem().TransactionControl.ShouldBe(control);
    }
}
