namespace ChatGenius.Tests.Connections;

public class OthersTablesTests
{
    /// <summary>What a name stands for, and whether its rows may be read.</summary>
    [Theory]
    [InlineData("CREATE TABLE t (id int)", true)]
    [InlineData("CREATE TABLE t (id int) PARTITION BY LIST (id)", true)]
    [InlineData("CREATE VIEW t AS SELECT trap() AS id", false)]
    [InlineData("CREATE MATERIALIZED VIEW t AS SELECT trap() AS id WITH NO DATA", false)]
    [InlineData("CREATE SEQUENCE t", false)]
    public async Task Only_a_table_is_read(string made, bool isTable)
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync(
            "CREATE FUNCTION trap() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the trap'; END $$; " + made);
        await using var session = await Session.OpenAsync(database.Database, "counting");

        Task<List<long>> Count(bool only) => OthersTables.RowsAsync(
            session, "public.t", only, $"SELECT pg_catalog.count(*) FROM {(only ? "ONLY " : "")}public.t", row => row.GetInt64(0),
            CancellationToken.None);

        foreach (var only in (bool[])[true, false])
        {
            if (isTable)
            {
                (await Count(only)).ShouldBe([0]);
            }
            else
            {
                (await Should.ThrowAsync<ChatGenius.Db.ProblemException>(() => Count(only))).Message.ShouldNotContain("the trap");
            }
        }
    }

    [Fact]
    public async Task A_view_in_the_place_of_a_materialized_view_is_not_read()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync(
            """
            CREATE FUNCTION trap() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the trap'; END $$;
            CREATE MATERIALIZED VIEW kept AS SELECT 1 AS id;
            CREATE VIEW other AS SELECT trap() AS id;
            """);
        await using var session = await Session.OpenAsync(database.Database, "counting");

        Task<List<long>?> Count(string name) => OthersTables.RowsOfMaterializedViewAsync(
            session, $"SELECT pg_catalog.count(*) FROM public.{name}", row => row.GetInt64(0), CancellationToken.None);

        // A server before August 2024 can't refuse it, and is not asked.
        if (await Count("kept") is { } rows)
        {
            rows.ShouldBe([1]);
            (await Should.ThrowAsync<ChatGenius.Db.ProblemException>(() => Count("other"))).Message.ShouldNotContain("the trap");
        }
    }
}
