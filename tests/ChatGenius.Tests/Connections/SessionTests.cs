using ChatGenius.Db.Schema;
using ChatGenius.Tests.Faults;

namespace ChatGenius.Tests.Connections;

public class SessionTests
{
    [Theory]
    [InlineData("search_path", "pg_catalog, pg_temp")]
    [InlineData("row_security", "off")]
    [InlineData("statement_timeout", "0")]
    [InlineData("lock_timeout", "5s")]
    [InlineData("idle_in_transaction_session_timeout", "0")]
    [InlineData("transaction_read_only", "on")]
    [InlineData("transaction_isolation", "repeatable read")]
    public async Task A_reading_has_settings_of_its_own_and_leaves_those_of_the_session(string name, string value)
    {
        await using var db = await TestDatabase.CreateAsync();
        await using var connection = await db.ConnectAsync();
        await Execute(
            connection,
            "SET search_path = public", "SET statement_timeout = '10s'", "SET lock_timeout = '1ms'", "SET row_security = on",
            "SET idle_in_transaction_session_timeout = '9s'", "SET default_transaction_isolation = serializable");
        var before = await Shown(connection, name);
        await using var session = Session.Over(connection, "looking");

        (await session.ScalarAsync<string>($"SELECT pg_catalog.current_setting('{name}')", default)).ShouldBe(value);
        (await Shown(connection, name)).ShouldBe(before);
        before.ShouldNotBe(value);
    }

    [Fact]
    public async Task Queries_read_together_see_one_moment_and_a_later_error_is_seen()
    {
        await using var db = await TestDatabase.CreateAsync();
        await db.ExecuteAsync("CREATE TABLE public.t AS SELECT 1 AS a");
        await using var session = await Session.OpenAsync(db.Database, "looking");
        const string Count = "SELECT pg_catalog.count(*) FROM public.t";

        var counts = await session.ReadAsync(
            [Count, new SqlQuery("SELECT $1 || $2[1]", "a", new[] { "b" }), Count],
            async reader =>
            {
                var first = await Session.ResultAsync(reader, row => row.GetInt64(0), default);
                await db.ExecuteAsync("INSERT INTO public.t VALUES (2)");
                (await Session.ResultAsync(reader, row => row.GetString(0), default)).ShouldBe(["ab"]);
                return (first[0], (await Session.ResultAsync(reader, row => row.GetInt64(0), default))[0]);
            },
            default);
        var failing = session.ReadAsync([Count, "SELECT 1 / 0"], reader => Task.FromResult(true), default);

        counts.ShouldBe((1L, 1L));
        (await Should.ThrowAsync<ProblemException>(failing)).Problems[0].ShouldBe(
            new Problem("CG0640", "Looking failed: division by zero (SQLSTATE 22012)"));
        (await session.ScalarAsync<long>(Count, default)).ShouldBe(2);
    }

    [Fact]
    public async Task Writes_are_all_or_none_and_a_transaction_holds_what_its_calls_do()
    {
        await using var db = await TestDatabase.CreateAsync();
        await db.ExecuteAsync("CREATE TABLE public.t (a int PRIMARY KEY)");
        await using var session = await Session.OpenAsync(db.Database, "writing");

        (await session.WriteAsync(["INSERT INTO public.t VALUES (1), (2)", new SqlQuery("INSERT INTO public.t SELECT $1", 3)], default))
            .ShouldBe(3);
        await Should.ThrowAsync<ProblemException>(
            session.WriteAsync(["INSERT INTO public.t VALUES (4)", "INSERT INTO public.t VALUES (1)"], default));
        await Should.ThrowAsync<ProblemException>(session.TransactionAsync(
            writes: true,
            async () =>
            {
                await session.WriteAsync(["INSERT INTO public.t VALUES (5)"], default);
                return await session.WriteAsync(["INSERT INTO public.t VALUES (1)"], default);
            },
            default));
        (await session.TransactionAsync(writes: true, () => session.WriteAsync(["INSERT INTO public.t VALUES (6)"], default), default))
            .ShouldBe(1);

        (await session.RowsAsync("SELECT a FROM public.t ORDER BY a", row => row.GetInt32(0), default)).ShouldBe([1, 2, 3, 6]);
    }

    /// <summary>What can be wrong with a role or a server, and what a command of ours says to it.</summary>
    public static TheoryData<string, string, string> Refusals => new()
    {
        { "ALTER TABLE public.t ENABLE ROW LEVEL SECURITY; GRANT SELECT ON public.t TO public", "SELECT * FROM public.t", "CG0635" },
        { "SELECT 1", "SELECT * FROM public.t", "CG0634" },
        { "SELECT 1", "SELECT 1 / 0", "CG0640" },
        { "SELECT 1", "SELECT pg_catalog.pg_cancel_backend(pg_catalog.pg_backend_pid()), pg_catalog.pg_sleep(10)", "CG0636" },
        { "SELECT 1", "CREATE TEMP TABLE x ()", "CG0637" },
        { "SELECT 1", "SELECT pg_catalog.convert_from('\\xff', 'UTF8')", "CG0638" },
        { "SELECT 1", "SELECT pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid())", "CG0514" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task What_the_server_refuses_is_a_problem_that_names_the_work(string prepare, string query, string code)
    {
        await using var db = await TestDatabase.CreateAsync();
        await db.ExecuteAsync($"CREATE TABLE public.t (a int); {prepare}");
        await using var connection = await db.ConnectAsync();
        var role = $"cg_test_{Guid.NewGuid():N}";
        await db.ExecuteAsync($"CREATE ROLE {role}");
        try
        {
            await Execute(connection, code is "CG0634" or "CG0635" ? $"SET ROLE {role}" : "RESET ROLE");
            await using var session = Session.Over(connection, "reading the table");

            var problem = (await Should.ThrowAsync<ProblemException>(session.ScalarAsync<object>(query, default))).Problems[0];

            problem.Code.ShouldBe(code);
            problem.Message.ShouldContain("eading the table");
            session.IsOpen.ShouldBe(code != "CG0514");
            if (!session.IsOpen)
            {
                (await Should.ThrowAsync<ProblemException>(session.ScalarAsync<object>(query, default))).Problems[0].Code.ShouldBe(
                    "CG0514");
            }
        }
        finally
        {
            await db.ExecuteAsync($"DROP ROLE {role}");
        }
    }

    [Fact]
    public async Task A_name_that_is_not_UTF_8_is_a_problem_that_says_so()
    {
        var server = await TestServer.UrlAsync();
        var database = new Database(server.WithDatabase($"cg_test_{Guid.NewGuid():N}"));
        await using var maintenance = await Session.OpenMaintenanceAsync(database, "testing");
        await maintenance.CommandAsync(
            $"CREATE DATABASE {database.Url.DatabaseName} TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'", default);
        try
        {
            await using (var session = await Session.OpenAsync(database, "testing"))
            {
                await session.WriteAsync(
                    ["DO $$ BEGIN EXECUTE 'CREATE TABLE public.' || quote_ident(convert_from('\\xff', 'SQL_ASCII')) || ' ()'; END $$"],
                        default);
            }

            var problem = (await Should.ThrowAsync<ProblemException>(SchemaReader.ReadAsync(database))).Problems[0];

            (problem.Code, problem.Message.Contains("Reading the schema", StringComparison.Ordinal)).ShouldBe(("CG0638", true));
        }
        finally
        {
            await database.DropAsync(force: true);
        }
    }

    [Fact]
    public async Task Time_limits_and_a_read_only_default_of_a_role_end_no_database_command()
    {
        await using var db = await TestDatabase.CreateAsync();
        var role = $"cg_test_{Guid.NewGuid():N}";
        await db.ExecuteAsync(
            $"CREATE ROLE {role} LOGIN SUPERUSER PASSWORD 'p'; ALTER ROLE {role} SET statement_timeout = '100ms'; "
            + $"ALTER ROLE {role} SET default_transaction_read_only = on");
        var builder = new NpgsqlConnectionStringBuilder(db.Url.ConnectionString) { Username = role, Password = "p",
            Database = $"cg_test_{Guid.NewGuid():N}" };
        var database = new Database(DatabaseUrl.Parse(builder.ConnectionString));
        try
        {
            // A copy waits for those who use its template, and so takes longer than the role's limit.
            var user = await db.ConnectAsync();
            var creating = database.CreateAsync(template: db.Url.DatabaseName);
            await Task.Delay(300);
            await user.DisposeAsync();
            (await creating).ShouldBeTrue();
            (await database.ExistsAsync()).ShouldBeTrue();
            (await database.DropAsync()).ShouldBeTrue();
        }
        finally
        {
            await db.ExecuteAsync($"DROP DATABASE IF EXISTS {database.Url.DatabaseName} WITH (FORCE)");
            await db.ExecuteAsync($"DROP ROLE {role}");
        }
    }

    [NeedsFact(Need.PgBouncer)]
    public async Task A_pooler_keeps_the_settings_of_its_sessions_and_what_stays_prepared_elsewhere_runs_there_too()
    {
        await using var server = await Cluster.CreateAsync();
        await using var bouncer = await PgBouncer.StartAsync(server.Port);
        await using var application = await new Database(bouncer.Url("postgres")).ConnectAsync();
        var before = await Settings(application);

        foreach (var _ in Enumerable.Range(0, 3))
        {
            await using var session = await Session.OpenAsync(new Database(bouncer.Url("postgres")), "looking");
            (await session.OwnsBackendAsync(default)).ShouldBeFalse();
            (await session.ReadAsync(["SELECT 7"], reader =>
                Session.ResultAsync(reader, row => row.GetInt32(0), default), default, staysPrepared: true)).ShouldBe([7]);
            await session.CommandAsync("CREATE DATABASE pooled", default);
            await session.CommandAsync("DROP DATABASE pooled", default);
        }

        (await Settings(application)).ShouldBe(before);
    }

    private static async Task<List<string>> Settings(NpgsqlConnection connection)
    {
        var settings = new List<string>();
        await using var command = new NpgsqlCommand("SELECT name || ' = ' || setting FROM pg_settings WHERE source = 'session' ORDER BY 1",
            connection);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            settings.Add(reader.GetString(0));
        }

        return settings;
    }

    private static async Task<string> Shown(NpgsqlConnection connection, string name)
    {
        await using var command = new NpgsqlCommand($"SHOW {name}", connection);
        return Convert.ToString(await command.ExecuteScalarAsync(), CultureInfo.InvariantCulture)!;
    }

    private static async Task Execute(NpgsqlConnection connection, params string[] statements)
    {
        foreach (var statement in statements)
        {
            await using var command = new NpgsqlCommand(statement, connection);
            await command.ExecuteNonQueryAsync();
        }
    }
}
