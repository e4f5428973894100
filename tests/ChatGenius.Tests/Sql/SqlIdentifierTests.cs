using ChatGenius.Db.Sql;

namespace ChatGenius.Tests.Sql;

public class SqlIdentifierTests
{
    [Theory]
    [InlineData("users", "users")]
    [InlineData("_x1", "_x1")]
    [InlineData("name", "name")]
    [InlineData("user", "\"user\"")]
    [InlineData("json_table", "\"json_table\"")]
    [InlineData("Users", "\"Users\"")]
    [InlineData("1st", "\"1st\"")]
    [InlineData("a b", "\"a b\"")]
    [InlineData("a\"b", "\"a\"\"b\"")]
    [InlineData("größe", "\"größe\"")]
    [InlineData("a$b", "\"a$b\"")]
    [InlineData("", "\"\"")]
    public void A_name_is_quoted_where_it_needs_it(string name, string quoted) => SqlIdentifier.Quote(name).ShouldBe(quoted);

    [Fact]
    public void A_schema_is_quoted_by_itself() => SqlIdentifier.Quote("my schema", "order").ShouldBe("\"my schema\".\"order\"");

    [Fact]
    public void The_character_that_PostgreSQL_cannot_store_is_refused() =>
        Should.Throw<ArgumentException>(() => SqlIdentifier.Quote("a\0b"));

    [Theory]
    [InlineData("messages", "user_id", "fkey", "messages_user_id_fkey")]
    [InlineData("messages", null, "pkey", "messages_pkey")]
    public void A_short_object_name_is_table_column_label(string table, string? columns, string label, string expected) =>
        SqlIdentifier.ObjectName(table, columns, label).ShouldBe(expected);

    [Fact]
    public void A_name_is_cut_to_63_bytes_between_characters()
    {
        SqlIdentifier.Truncate(new string('ä', 40)).ShouldBe(new string('ä', 31));
        SqlIdentifier.Truncate(new string('x', 63)).Length.ShouldBe(63);
    }
}
