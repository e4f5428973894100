using ChatGenius.Db;
using ChatGenius.Db.Schema;
using ChatGenius.Tests.Support;

namespace ChatGenius.Tests.Schema;

public class SchemaScriptTests
{
    [Fact]
    public async Task The_difficult_schema_written_as_SQL_builds_the_same_schema()
    {
        await using var original = await SchemaCase.BuildAsync("difficult.sql");
        await using var copy = await TestDatabase.CreateAsync();
        var snapshot = await SchemaCase.ReadAsync(original, SchemaParts.Dependencies);

        await using (var connection = await copy.ConnectAsync())
        {
            await SchemaCase.RunAsync(connection, SchemaScript.Statements(snapshot));
        }

        var rebuilt = await SchemaCase.ReadAsync(copy);
        SchemaDiff.Between(snapshot, rebuilt).Select(d => d.ToString()).ShouldBeEmpty();
        rebuilt.ShouldBe(snapshot);
    }
}
