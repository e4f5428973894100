using ChatGenius.Db.Schema;
using ChatGenius.Db.Text;

namespace ChatGenius.Tests.Schema;

public class SchemaReaderTests
{
    [Fact]
    public async Task Every_kind_of_object_is_read()
    {
        await using var database = await SchemaCase.BuildAsync("difficult.sql");

        var snapshot = await SchemaCase.ReadAsync(database);

        await SchemaCase.MatchAsync(database, snapshot.ToString(), "txt");
    }

    [Fact]
    public async Task A_text_read_back_is_the_same_snapshot_whatever_its_line_endings()
    {
        await using var database = await SchemaCase.BuildAsync("difficult.sql");
        var snapshot = await SchemaCase.ReadAsync(database);

        SchemaSnapshot.Parse(SourceText.From("schema.txt", snapshot.ToString())).ShouldBe(snapshot);
        SchemaSnapshot.Parse(SourceText.From("schema.txt", snapshot.ToString().Replace("\n", "\r\n"))).ShouldBe(snapshot);
    }

    [Fact]
    public async Task The_same_schema_built_in_another_order_gives_the_same_text()
    {
        await using var one = await SchemaCase.BuildAsync("one-order.sql");
        await using var other = await SchemaCase.BuildAsync("other-order.sql");

        (await SchemaCase.ReadAsync(other)).ToString().ShouldBe((await SchemaCase.ReadAsync(one)).ToString());
    }

    [Theory]
    [InlineData("SET search_path = app, pg_catalog")]
    [InlineData("SET search_path = nowhere")]
    [InlineData("SET quote_all_identifiers = on")]
    [InlineData("SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German, DMY'; SET IntervalStyle = sql_standard")]
    [InlineData("SET extra_float_digits = -5; SET bytea_output = escape; SET standard_conforming_strings = off")]
    [InlineData("SET default_transaction_isolation = serializable; SET default_transaction_read_only = on")]
    public async Task Settings_of_the_session_do_not_show_and_stay_as_they_are(string settings)
    {
        await using var database = await SchemaCase.BuildAsync("difficult.sql");
        var plain = await SchemaCase.ReadAsync(database);
        await using var connection = await database.ConnectAsync();
        await SchemaCase.RunAsync(connection, settings.Split("; "));
        var before = await SettingsAsync(connection);

        (await SchemaReader.ReadAsync(Session.Over(connection, "reading the schema"))).ToString().ShouldBe(plain.ToString());

        (await SettingsAsync(connection)).ShouldBe(before);
    }

    [Fact]
    public async Task Inside_a_transaction_its_changes_are_seen_and_it_stays_open_with_its_settings()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var connection = await database.ConnectAsync();
        await SchemaCase.RunAsync(connection, ["BEGIN", "SET search_path = pg_catalog, public", "CREATE TABLE public.t (id integer)"]);

        var inside = await SchemaReader.ReadAsync(Session.Within(connection, "reading the schema"));
        var settings = await SettingsAsync(connection);
        await SchemaCase.RunAsync(connection, ["ROLLBACK"]);

        inside.Find("table", "public.t").ShouldNotBeNull();
        settings.ShouldContain("search_path=pg_catalog, public");
        (await SchemaReader.ReadAsync(Session.Over(connection, "reading the schema"))).Find("table", "public.t").ShouldBeNull();
    }

    [Fact]
    public async Task The_tools_own_schema_other_excluded_ones_and_temporary_tables_are_left_out()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var connection = await database.ConnectAsync();
        var empty = await SchemaReader.ReadAsync(Session.Over(connection, "reading the schema"));
        await SchemaCase.RunAsync(
            connection,
            [
                "CREATE SCHEMA chatgenius_db",
                "CREATE TABLE chatgenius_db.history (version bigint PRIMARY KEY, name text, checksum text, applied_at timestamptz)",
                "CREATE TEMPORARY TABLE t (id serial)", "CREATE TEMPORARY VIEW v AS SELECT 1",
                "GRANT USAGE ON SCHEMA chatgenius_db TO PUBLIC",
            ]);

        (await SchemaReader.ReadAsync(Session.Over(connection, "reading the schema"))).ShouldBe(empty);

        await SchemaCase.RunAsync(connection, ["CREATE FUNCTION chatgenius_db.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'"]);
        (await SchemaReader.ReadAsync(Session.Over(connection, "reading the schema"))).Objects.Select(o => o.ToString().Split('\n')[0])
            .Except(
            empty.Objects.Select(o => o.ToString().Split('\n')[0])).ShouldBe(["schema chatgenius_db", "function chatgenius_db.f()"]);

        await SchemaCase.RunAsync(connection, ["CREATE SCHEMA \"It's\"", "CREATE VIEW \"It's\".v AS SELECT 1"]);
        (await SchemaReader.ReadAsync(Session.Over(connection, "reading the schema"),
            new SchemaReadOptions { ExcludedSchemas = ["chatgenius_db", "It's"] })).ShouldBe(empty);
    }

    [Fact]
    public async Task A_role_without_any_privilege_reads_the_same()
    {
        await using var database = await SchemaCase.BuildAsync("difficult.sql");
        var whole = await SchemaCase.ReadAsync(database);
        var role = $"cg_test_nobody_{Guid.NewGuid():N}";
        await database.ExecuteAsync($"CREATE ROLE {role}");
        try
        {
            await using var connection = await database.ConnectAsync();
            await SchemaCase.RunAsync(connection, [$"SET ROLE {role}"]);

            (await SchemaReader.ReadAsync(Session.Over(connection, "reading the schema"))).ToString().ShouldBe(whole.ToString());
        }
        finally
        {
            await database.ExecuteAsync($"DROP ROLE {role}");
        }
    }

    [Fact]
    public async Task A_view_that_another_session_has_locked_is_a_problem_and_the_connection_stays_usable()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync("CREATE VIEW v AS SELECT 1 AS one");
        await using var other = await database.ConnectAsync();
        await SchemaCase.RunAsync(other, ["BEGIN", "DROP VIEW v"]);
        await using var connection = await database.ConnectAsync();

        var e = await Should.ThrowAsync<ProblemException>(
            () => SchemaReader.ReadAsync(Session.Over(connection, "reading the schema"),
                new SchemaReadOptions { LockTimeout = TimeSpan.FromMilliseconds(50) }));

        e.Problems.ShouldHaveSingleItem().Code.ShouldBe("CG1101");
        await SchemaCase.RunAsync(other, ["ROLLBACK"]);
        (await SchemaReader.ReadAsync(Session.Over(connection, "reading the schema"))).Find("view", "public.v").ShouldNotBeNull();
    }

    [Fact]
    public async Task Owners_and_versions_of_extensions_are_read_on_demand()
    {
        await using var database = await SchemaCase.BuildAsync("difficult.sql");

        var snapshot = await SchemaCase.ReadAsync(database, SchemaParts.Owners | SchemaParts.ExtensionVersions);

        snapshot.Find("extension", "pgcrypto")!["version"].ShouldNotBeNull();
        snapshot.Find("table", "app.users")!["owner"].ShouldNotBeNull();
    }

    [Fact]
    public async Task Parts_that_are_not_asked_for_are_not_read()
    {
        await using var database = await SchemaCase.BuildAsync("difficult.sql");
        await using var connection = await database.ConnectAsync();

        var snapshot = await SchemaReader.ReadAsync(Session.Over(connection, "reading the schema"),
            new SchemaReadOptions { Parts = SchemaParts.Constraints });

        var users = snapshot.Find("table", "app.users")!;
        users.Facts.Select(f => f.Kind).Distinct().ShouldBe(["constraint"]);
    }

    [Theory]
    [InlineData(11)]
    [InlineData(14)]
    [InlineData(18)]
    public void Queries_for_other_versions_have_no_mark_left_and_each_line_once(int version)
    {
        var columns = SchemaReader.Query("columns", version);

        columns.ShouldNotContain("--@");
        columns.Split("AS compression").Length.ShouldBe(2);
        columns.Split("AS generated").Length.ShouldBe(2);
    }

    [Theory]
    [InlineData("hello", 1)]
    [InlineData("# chatgenius-db schema 1\n\nplanet earth", 3)]
    [InlineData("# chatgenius-db schema 1\n\ntable public.t\n    no colon", 4)]
    [InlineData("# chatgenius-db schema 1\n    column id: integer", 2)]
    public void What_is_not_the_text_of_a_schema_is_a_problem_with_its_line(string text, int line)
    {
        var problem = Should.Throw<ProblemException>(() => SchemaSnapshot.Parse(SourceText.From("schema.txt", text)))
            .Problems.ShouldHaveSingleItem();

        (problem.Code, problem.Where!.Line).ShouldBe(("CG1102", line));
    }

    private static async Task<string> SettingsAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT string_agg(name || '=' || setting, chr(10) ORDER BY name) FROM pg_settings
            WHERE name NOT IN ('transaction_isolation', 'transaction_read_only', 'transaction_deferrable')
            """,
            connection);
        return (string)(await command.ExecuteScalarAsync())!;
    }
}
