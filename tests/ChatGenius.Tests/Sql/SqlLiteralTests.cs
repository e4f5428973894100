using ChatGenius.Db.Sql;

namespace ChatGenius.Tests.Sql;

public class SqlLiteralTests
{
    [Theory]
    [InlineData("", "''")]
    [InlineData("it's", "'it''s'")]
    [InlineData(@"a\b'c", @"E'a\\b''c'")]
    [InlineData("ä😀\n", "'ä😀\n'")]
    public void A_text_becomes_a_string_constant(string text, string literal) => SqlLiteral.Quote(text).ShouldBe(literal);

    [Fact]
    public void The_character_that_PostgreSQL_cannot_store_is_refused() =>
        Should.Throw<ArgumentException>(() => SqlLiteral.Quote("a\0b"));
}
