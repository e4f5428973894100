using System.Text.RegularExpressions;
using ChatGenius.Db.Schema;

namespace ChatGenius.Tests.Schema;

public partial class SchemaDiffTests
{
    [Fact]
    public async Task Each_change_of_a_long_list_shows_as_what_it_is()
    {
        await using var database = await SchemaCase.BuildAsync("difficult.sql");
        await using var connection = await database.ConnectAsync();
        var before = await SchemaReader.ReadAsync(Session.Over(connection, "reading the schema"));
        var changes = Changes().Split((await File.ReadAllTextAsync(SchemaCase.PathOf("changes.sql"))).TrimEnd()).ToList();
        changes.Count.ShouldBeGreaterThan(70);
        var text = new StringWriter { NewLine = "\n" };

        foreach (var change in changes)
        {
            await SchemaCase.RunAsync(connection, ["BEGIN", .. change.TrimEnd(';').Split(";\n")]);
            var after = await SchemaReader.ReadAsync(Session.Within(connection, "reading the schema"));
            await SchemaCase.RunAsync(connection, ["ROLLBACK"]);

            var differences = SchemaDiff.Between(before, after);
            differences.ShouldNotBeEmpty(change);
            SchemaDiff.Between(after, before).Count.ShouldBe(differences.Count, change);
            await text.WriteLineAsync(
                $"{change}\n{string.Concat(differences.Select(d => $"    {d.ToString().Replace("\n", "\n    ")}\n"))}");
        }

        await SchemaCase.MatchAsync(database, text.ToString(), "txt");
    }

    [Fact]
    public async Task Equal_schemas_have_no_difference()
    {
        await using var database = await SchemaCase.BuildAsync("difficult.sql");

        SchemaDiff.Between(await SchemaCase.ReadAsync(database), await SchemaCase.ReadAsync(database)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Only_the_order_of_columns_is_a_difference_too()
    {
        await using var one = await TestDatabase.CreateAsync();
        await one.ExecuteAsync("CREATE TABLE t (a integer, b integer)");
        await using var other = await TestDatabase.CreateAsync();
        await other.ExecuteAsync("CREATE TABLE t (b integer, a integer)");

        SchemaDiff.Between(await SchemaCase.ReadAsync(one), await SchemaCase.ReadAsync(other)).Select(d => d.ToString())
            .ShouldBe(["~ table public.t: order of columns: a, b -> b, a"]);
    }

    [GeneratedRegex(@"\n\n+")]
    private static partial Regex Changes();
}
