using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;

namespace ChatGenius.Tests.Sql;

public class StatementTextTests
{
    [Theory]
    [InlineData("DROP TABLE notes", null, "notes", "notes")]
    [InlineData("DROP TABLE Public.Notes", "public", "notes", "public.notes")]
    [InlineData("DROP TABLE \"Public\" . /* here */ \"My \"\"Notes\"\"\"", "Public", "My \"Notes\"", "\"Public\".\"My \"\"Notes\"\"\"")]
    [InlineData("DROP TABLE db.app.notes", "app", "notes", "app.notes")]
    public void A_name_has_the_schema_that_is_written_and_no_other(string sql, string? schema, string name, string written)
    {
        var found = Read(sql).NameAt(2).ShouldNotBeNull();

        found.Schema.ShouldBe(schema);
        found.Name.ShouldBe(name);
        found.Sql.ShouldBe(written);
    }

    [Theory]
    [InlineData("DROP TABLE")]
    [InlineData("DROP TABLE 'notes'")]
    [InlineData("DROP TABLE U&\"d\\0061ta\"")]
    public void What_cant_be_read_as_a_name_is_none(string sql) => Read(sql).NameAt(2).ShouldBeNull();

    [Fact]
    public void The_actions_of_an_alter_table_are_cut_at_commas_outside_of_parentheses()
    {
        var text = Read("ALTER TABLE IF EXISTS ONLY app.t * ADD COLUMN a numeric(4, 2), DROP COLUMN b");

        text.AlterTableActions().Select(action => (action.Table, text.Tokens[action.Start].Text))
            .ShouldBe([("app.t", "ADD"), ("app.t", "DROP")]);
    }

    private static StatementText Read(string sql) => new(SqlScript.Parse(SourceText.From("a.sql", sql)).Statements[0]);
}
