using ChatGenius.Db.Schema;

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
            await SchemaCase.RunAsync(connection, SchemaScript.Of(snapshot).Statements);
        }

        var rebuilt = await SchemaCase.ReadAsync(copy);
        SchemaDiff.Between(snapshot, rebuilt).Select(d => d.ToString()).ShouldBeEmpty();
        rebuilt.ShouldBe(snapshot);
    }

    [Theory]
    [InlineData(
        "CREATE TABLE t (a integer); INSERT INTO t VALUES (1), (1)", "CREATE UNIQUE INDEX CONCURRENTLY t_key ON t (a)", "table public.t",
        "t_key", true)]
    [InlineData(
        "CREATE SUBSCRIPTION s CONNECTION 'dbname=x password=secret' PUBLICATION p WITH (connect = false, slot_name = NONE)", null,
        "subscription s", "connection",
        false)]
    public async Task What_can_not_be_written_is_left_out_by_name(string build, string? fails, string named, string why, bool onlyAsSql)
    {
        await using var database = await TestDatabase.CreateAsync();
        foreach (var statement in build.Split("; "))
        {
            await database.ExecuteAsync(statement);
        }

        if (fails is not null)
        {
            await Should.ThrowAsync<Npgsql.PostgresException>(() => database.ExecuteAsync(fails));
        }

        var snapshot = await SchemaCase.ReadAsync(database, SchemaParts.Dependencies);

        var gap = SchemaScript.Of(snapshot).LeftOut.ShouldHaveSingleItem();
        gap.Code.ShouldBe("CG1103");
        gap.Message.ShouldContain(named);
        gap.Message.ShouldContain(why);
        SchemaGap.Of(snapshot, asSql: false).Any().ShouldBe(!onlyAsSql);
        snapshot.ToString().ShouldNotContain("secret");
        await database.ExecuteAsync("DROP SUBSCRIPTION IF EXISTS s");
    }
}
