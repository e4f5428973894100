using ChatGenius.Db.Sql;

namespace ChatGenius.Tests.Sql;

public class QuotingAgainstTheServerTests
{
    [Fact]
    public async Task Every_keyword_and_other_names_are_quoted_as_the_server_does()
    {
        await using var database = await TestDatabase.CreateAsync();
        var names = await database.ScalarAsync<string[]>(
            "SELECT array_agg(word) || ARRAY['users', 'Users', '_a1', '1a', 'a b', 'a\"b', 'größe', 'a$b', '', 'ÄÖ', 'a.b', repeat('x', "
                + "70)] FROM pg_get_keywords()");
        var quoted = await database.ScalarAsync<string[]>(
            "SELECT array_agg(quote_ident(name) ORDER BY i) FROM unnest(ARRAY[" + string.Join(',', names.Select(SqlLiteral.Quote))
                + "]) WITH ORDINALITY AS t (name, i)");
        var newer = (string[])["json", "json_array", "json_arrayagg", "json_exists", "json_object", "json_objectagg", "json_query",
            "json_scalar", "json_serialize", "json_table", "json_value", "merge_action", "system_user"];

        names.Length.ShouldBeGreaterThan(400);
        foreach (var (name, expected) in names.Zip(quoted))
        {
            SqlIdentifier.Quote(name).ShouldBe(newer.Contains(name) ? $"\"{name}\"" : expected);
        }
    }

    [Fact]
    public async Task String_constants_mean_the_same_text_whatever_standard_conforming_strings_is()
    {
        await using var database = await TestDatabase.CreateAsync();
        foreach (var text in (string[])["", "it's", @"a\b", @"\'", "ä😀\r\n\t", "$$", "--", "/*"])
        {
            var literal = SqlLiteral.Quote(text);

            (await database.ScalarAsync<string>($"SELECT quote_literal({literal})")).ShouldBe(literal);
            await using var connection = await database.ConnectAsync();
            await using var batch = new Npgsql.NpgsqlBatch(connection)
            {
                BatchCommands = { new("SET standard_conforming_strings = off"), new($"SELECT {literal}") },
            };
            (await batch.ExecuteScalarAsync()).ShouldBe(text);
        }
    }

    [Theory]
    [InlineData(40, 40)]
    [InlineData(80, 3)]
    [InlineData(3, 80)]
    [InlineData(31, 31)]
    public async Task Constraint_names_are_cut_as_the_server_cuts_them(int tableLength, int columnLength)
    {
        await using var database = await TestDatabase.CreateAsync();
        foreach (var letter in (string[])["t", "ä"])
        {
            var table = SqlIdentifier.Truncate(string.Concat(Enumerable.Repeat(letter, tableLength)));
            var column = SqlIdentifier.Truncate(string.Concat(Enumerable.Repeat(letter, columnLength)));
            await database.ExecuteAsync(
                $"CREATE TABLE {SqlIdentifier.Quote(table)} ({SqlIdentifier.Quote(column)} int UNIQUE CHECK "
                + $"({SqlIdentifier.Quote(column)} > 0))");

            var names =
                await database.ScalarAsync<string[]>(
                "SELECT array_agg(conname::text ORDER BY contype) FROM pg_constraint WHERE conrelid = "
                + $"{SqlLiteral.Quote(SqlIdentifier.Quote(table))}::regclass");

            names.ShouldBe([SqlIdentifier.ObjectName(table, column, "check"), SqlIdentifier.ObjectName(table, column, "key")]);
        }
    }
}
