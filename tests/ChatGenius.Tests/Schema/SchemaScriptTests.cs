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

    [Theory]
    [InlineData("CREATE TABLE t (a integer); INSERT INTO t VALUES (1), (1)", "CREATE UNIQUE INDEX CONCURRENTLY t_key ON t (a)", "table public.t", "t_key")]
    [InlineData("CREATE OPERATOR FAMILY f USING btree", null, "operator family public.f USING btree", "operator family")]
    [InlineData(
        "CREATE TABLE parent (a integer); CREATE TABLE child (b integer) INHERITS (parent); ALTER TABLE parent ADD COLUMN c integer", null,
        "table public.child", "inherited columns")]
    public async Task What_can_not_be_written_as_SQL_is_a_problem_that_names_it(string build, string? fails, string named, string why)
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync(build);
        if (fails is not null)
        {
            await Should.ThrowAsync<Npgsql.PostgresException>(() => database.ExecuteAsync(fails));
        }

        var snapshot = await SchemaCase.ReadAsync(database, SchemaParts.Dependencies);

        var problem = Should.Throw<ProblemException>(() => SchemaScript.Statements(snapshot)).Problems.ShouldHaveSingleItem();
        problem.Code.ShouldBe("CG1103");
        problem.Message.ShouldContain(named);
        problem.Message.ShouldContain(why);
    }
}
