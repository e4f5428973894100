using ChatGenius.Db.Server;
using ChatGenius.Db.Sql;

namespace ChatGenius.Tests.Server;

public class CheckpointsTests
{
    [Fact]
    public async Task A_database_is_put_back_as_often_as_one_likes()
    {
        await using var shop = await Shop.CreateAsync();

        var saved = await shop.Checkpoints.SaveAsync("two items", endSessions: false);
        for (var i = 0; i < 2; i++)
        {
            await shop.Db.ExecuteAsync("DROP TABLE item; CREATE TABLE other ()");
            (await shop.Checkpoints.RestoreAsync("two items", endSessions: false)).ShouldBeNull();
            (await shop.Db.ScalarAsync<long>("SELECT count(*) FROM item")).ShouldBe(2);
            (await shop.Db.ScalarAsync<bool>("SELECT to_regclass('other') IS NULL")).ShouldBeTrue();
        }

        (await shop.Checkpoints.ListAsync()).ShouldBe([saved]);
        saved.Bytes!.Value.ShouldBeGreaterThan(0);
        (await shop.DatabasesAsync()).ShouldBe([saved.DatabaseName], ignoreOrder: true);
    }

    [Fact]
    public async Task What_lies_outside_of_the_database_comes_back_with_it()
    {
        await using var shop = await Shop.CreateAsync();
        var name = SqlIdentifier.Quote(shop.Db.Url.DatabaseName);
        await shop.Db.ExecuteAsync($"""
            ALTER DATABASE {name} SET search_path = '';
            ALTER DATABASE {name} SET "my.key" = E'it''s a \\ and "this"';
            ALTER ROLE CURRENT_USER IN DATABASE {name} SET search_path = "$user", public, "A b";
            ALTER ROLE CURRENT_USER IN DATABASE {name} SET work_mem = '8MB';
            ALTER DATABASE {name} CONNECTION LIMIT 17;
            REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC;
            GRANT CREATE ON DATABASE {name} TO pg_monitor WITH GRANT OPTION;
            COMMENT ON DATABASE {name} IS E'ä "comment" with a \\';
            """);
        var before = await shop.PropertiesAsync();

        await shop.Checkpoints.SaveAsync("x", endSessions: false);
        await shop.Db.ExecuteAsync(
            $"ALTER DATABASE {name} RESET search_path; COMMENT ON DATABASE {name} IS NULL; ALTER DATABASE {name} CONNECTION LIMIT 3");
        await shop.Checkpoints.RestoreAsync("x", endSessions: false);

        before.ShouldContain("CONNECTION LIMIT = 17");
        (await shop.PropertiesAsync()).ShouldBe(before);
    }

    [Fact]
    public async Task Sessions_are_ended_where_that_is_allowed_and_nowhere_else()
    {
        await using var shop = await Shop.CreateAsync();
        await using var session = await shop.Db.ConnectAsync();

        (await shop.Checkpoints.SessionsAsync()).ShouldHaveSingleItem().ShouldStartWith($"pid {session.ProcessID}, chatgenius-db, ");
        (await ProblemOf(shop.Checkpoints.SaveAsync("x", endSessions: false))).Code.ShouldBe("CG1313");
        (await shop.DatabasesAsync()).ShouldBeEmpty();
        (await shop.Checkpoints.SaveAsync("x", endSessions: true)).Name.ShouldBe("x");

        await using var ended = new NpgsqlCommand("SELECT 1", session);
        await Should.ThrowAsync<NpgsqlException>(() => ended.ExecuteScalarAsync());
    }

    [Fact]
    public async Task A_restore_that_fails_leaves_the_database_as_it_was()
    {
        await using var shop = await Shop.CreateAsync();
        var saved = await shop.Checkpoints.SaveAsync("x", endSessions: false);
        await shop.Db.ExecuteAsync("INSERT INTO item VALUES (3)");
        await using var session = await shop.Db.ConnectAsync();

        (await ProblemOf(shop.Checkpoints.RestoreAsync("x", endSessions: false))).Code.ShouldBe("CG1313");

        (await shop.Db.ScalarAsync<long>("SELECT count(*) FROM item")).ShouldBe(3);
        (await shop.DatabasesAsync()).ShouldBe([saved.DatabaseName]);
        (await shop.Checkpoints.RestoreAsync("x", endSessions: true)).ShouldBeNull();
        (await shop.Db.ScalarAsync<long>("SELECT count(*) FROM item")).ShouldBe(2);
    }

    [Fact]
    public async Task A_cancelled_save_leaves_nothing_and_meanwhile_another_call_is_refused()
    {
        await using var shop = await Shop.CreateAsync();
        using var cancellation = new CancellationTokenSource();
        await using var session = await shop.Db.ConnectAsync();

        // The server waits some seconds for the session to go: long enough to come in between.
        var saving = shop.Checkpoints.SaveAsync("x", endSessions: false, cancellation.Token);
        await Shop.WaitForAsync($"CREATE DATABASE {shop.Checkpoints.DatabaseFor("checkpoint", "x")}");
        (await ProblemOf(shop.Checkpoints.SaveAsync("y", endSessions: false))).Code.ShouldBe("CG1315");
        await cancellation.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => saving);
        (await shop.DatabasesAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_restore_that_is_cancelled_or_cut_off_leaves_the_database_as_it_was()
    {
        await using var shop = await Shop.CreateAsync();
        var saved = await shop.Checkpoints.SaveAsync("x", endSessions: false);
        await shop.Db.ExecuteAsync("INSERT INTO item VALUES (3)");
        await using var session = await shop.Db.ConnectAsync();
        var rename = $"ALTER DATABASE {shop.Db.Url.DatabaseName} RENAME";
        using var cancellation = new CancellationTokenSource();

        var cancelled = shop.Checkpoints.RestoreAsync("x", endSessions: false, cancellation.Token);
        await Shop.WaitForAsync(rename);
        await cancellation.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => cancelled);
        (await shop.DatabasesAsync()).ShouldBe([saved.DatabaseName]);

        var cutOff = shop.Checkpoints.RestoreAsync("x", endSessions: false);
        await Shop.WaitForAsync(rename);
        await shop.ExecuteOnServerAsync(
            $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'active' AND starts_with(query, '{rename}')");
        (await ProblemOf(cutOff)).Code.ShouldBe("CG1314");

        (await shop.Db.ScalarAsync<long>("SELECT count(*) FROM item")).ShouldBe(3);
        (await shop.Checkpoints.RestoreAsync("x", endSessions: true)).ShouldBeNull();
        (await shop.DatabasesAsync()).ShouldBe([saved.DatabaseName]);
        (await shop.Db.ScalarAsync<long>("SELECT count(*) FROM item")).ShouldBe(2);
    }

    [Fact]
    public async Task A_comment_that_somebody_else_wrote_makes_no_checkpoint()
    {
        await using var shop = await Shop.CreateAsync();
        var other = $"cg_test_{Guid.NewGuid():N}";
        await shop.ExecuteOnServerAsync($"CREATE ROLE {other}");
        await shop.ExecuteOnServerAsync($"CREATE DATABASE {other} OWNER {other}");
        var comment = "chatgenius-db checkpoint "
            + $$"""{"database":"{{shop.Db.Url.DatabaseName}}","name":"evil","saved_at":"2026-01-01T00:00:00+00:00"}""";
        await shop.ExecuteOnServerAsync($"COMMENT ON DATABASE {other} IS '{comment}'");
        try
        {
            (await shop.Checkpoints.ListAsync()).ShouldBeEmpty();

            await shop.ExecuteOnServerAsync($"ALTER ROLE {other} SUPERUSER");
            (await shop.Checkpoints.ListAsync()).ShouldHaveSingleItem().Name.ShouldBe("evil");
        }
        finally
        {
            await shop.ExecuteOnServerAsync($"DROP DATABASE {other}");
            await shop.ExecuteOnServerAsync($"DROP ROLE {other}");
        }
    }

    [Fact]
    public async Task What_killed_calls_left_behind_is_taken_away()
    {
        await using var shop = await Shop.CreateAsync();
        var unfinished = shop.Checkpoints.DatabaseFor("checkpoint", "x");
        await shop.ExecuteOnServerAsync($"CREATE DATABASE {unfinished}");
        (await shop.Checkpoints.ListAsync()).ShouldBeEmpty();

        var saved = await shop.Checkpoints.SaveAsync("x", endSessions: false);
        await shop.ExecuteOnServerAsync($"CREATE DATABASE {shop.Checkpoints.DatabaseFor("restoring", "")}");
        await shop.ExecuteOnServerAsync($"CREATE DATABASE {shop.Checkpoints.DatabaseFor("replaced", "")}");
        (await shop.Checkpoints.RestoreAsync("x", endSessions: false)).ShouldBeNull();

        (await shop.DatabasesAsync()).ShouldBe([saved.DatabaseName]);
        (await shop.Db.ScalarAsync<long>("SELECT count(*) FROM item")).ShouldBe(2);
    }

    [Fact]
    public async Task A_database_that_was_dropped_comes_back()
    {
        await using var shop = await Shop.CreateAsync();
        await shop.Checkpoints.SaveAsync("x", endSessions: false);
        await shop.Db.Database.DropAsync();

        (await shop.Checkpoints.RestoreAsync("x", endSessions: false)).ShouldBeNull();

        (await shop.Db.ScalarAsync<long>("SELECT count(*) FROM item")).ShouldBe(2);
    }

    [Fact]
    public async Task A_name_is_there_once_and_a_name_that_is_not_there_is_a_problem()
    {
        await using var shop = await Shop.CreateAsync();
        await shop.Checkpoints.SaveAsync("x", endSessions: false);

        (await ProblemOf(shop.Checkpoints.SaveAsync("x", endSessions: false))).Code.ShouldBe("CG1311");
        var missing = await ProblemOf(shop.Checkpoints.RestoreAsync("y", endSessions: false));
        (missing.Code, missing.Advice).ShouldBe(("CG1312", "There are \"x\"."));
        (await ProblemOf(shop.Checkpoints.DropAsync("y"))).Code.ShouldBe("CG1312");
        (await ProblemOf(shop.Checkpoints.SaveAsync("a\nb", endSessions: false))).Code.ShouldBe("CG1310");
        (await ProblemOf(shop.Checkpoints.SaveAsync("", endSessions: false))).Code.ShouldBe("CG1310");

        await shop.Checkpoints.DropAsync("x");
        (await shop.DatabasesAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_role_that_may_not_create_databases_is_told_so()
    {
        await using var shop = await Shop.CreateAsync();
        var role = $"cg_checkpoint_{Guid.NewGuid():N}";
        await shop.Db.ExecuteAsync($"CREATE ROLE {role} LOGIN PASSWORD 's3cret'");
        try
        {
            var builder = new NpgsqlConnectionStringBuilder(shop.Db.Url.ConnectionString) { Username = role, Password = "s3cret" };
            var checkpoints = new Checkpoints(new Database(DatabaseUrl.Parse(builder.ConnectionString, environment: _ => null)));

            var problem = await ProblemOf(checkpoints.SaveAsync("x", endSessions: false));

            problem.Code.ShouldBe("CG1314");
            problem.Message.ShouldContain("permission denied");
        }
        finally
        {
            await shop.Db.ExecuteAsync($"DROP ROLE {role}");
        }
    }

    [Theory]
    [InlineData("shop", "before tags")]
    [InlineData("a_database_with_a_name_that_is_as_long_as_postgresql_can_hold_it",
        "and a checkpoint with a name that is far longer than that, and then some more")]
    [InlineData("\"ÄÖÜ 😀\"; --", "😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀")]
    public void Every_name_fits_into_a_database_s_name_that_needs_no_quotes(string database, string name)
    {
        var checkpoints = new Checkpoints(new Database(DatabaseUrl.Of("localhost", 1, "nobody", database)));

        string[] names = [checkpoints.DatabaseFor("checkpoint", name), checkpoints.DatabaseFor("checkpoint", name + "2"),
            checkpoints.DatabaseFor("restoring", "")];

        names.Distinct().Count().ShouldBe(3);
        names.ShouldAllBe(n => Encoding.UTF8.GetByteCount(n) <= SqlIdentifier.MaxBytes
            && n.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_'));
    }

    private static async Task<Problem> ProblemOf(Task task) => (await Should.ThrowAsync<ProblemException>(() => task))
        .Problems.ShouldHaveSingleItem();

    /// <summary>A database with two rows, and whatever is copied from it; dropped together.</summary>
    private sealed class Shop(TestDatabase db) : IAsyncDisposable
    {
        public TestDatabase Db => db;

        public Checkpoints Checkpoints { get; } = new(db.Database);

        public static async Task<Shop> CreateAsync()
        {
            var db = await TestDatabase.CreateAsync();
            await db.ExecuteAsync("CREATE TABLE item (id int); INSERT INTO item VALUES (1), (2)");
            return new Shop(db);
        }

        /// <summary>The databases of this one's checkpoints, finished or not.</summary>
        public async Task<List<string>> DatabasesAsync()
        {
            string[] fixedNames = [Checkpoints.DatabaseFor("restoring", ""), Checkpoints.DatabaseFor("replaced", ""),
                Checkpoints.DatabaseFor("checkpoint", "x")];
            await using var connection = await new Database(await TestServer.UrlAsync()).ConnectAsync();
            await using var command = new NpgsqlCommand(
                "SELECT datname::text FROM pg_database WHERE datname = ANY ($1) OR shobj_description(oid, 'pg_database') LIKE '%\"' || $2 "
                    + "|| '\"%'", connection);
            command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = fixedNames });
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = db.Url.DatabaseName });
            await using var reader = await command.ExecuteReaderAsync();
            var names = new List<string>();
            while (await reader.ReadAsync())
            {
                names.Add(reader.GetString(0));
            }

            return names;
        }

        /// <summary>Everything that the catalog has about the database, in SQL.</summary>
        public async Task<string> PropertiesAsync()
        {
            await using var dump = ToolProcess.StartProcess(
                Psql.Find("pg_dump"), ["--create", "--schema-only"], workingDirectory: null, db.Url.LibpqEnvironment()!, input: null);
            var result = await dump.ExitAsync();
            result.ExitCode.ShouldBe(0, result.Error);

            // Newer versions guard their output with a key that is another one each time.
            return string.Join('\n', result.Output.Split('\n').Where(line => !line.StartsWith("\\restrict")
                && !line.StartsWith("\\unrestrict")));
        }

        public async Task ExecuteOnServerAsync(string sql)
        {
            await using var connection = await new Database(await TestServer.UrlAsync()).ConnectAsync();
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync();
        }

        /// <summary>Waits until the server works on a statement; asked from elsewhere, because nobody gets into a database that is being
        /// copied.</summary>
        public static async Task WaitForAsync(string statement)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
            await using var connection = await new Database(await TestServer.UrlAsync()).ConnectAsync();
            await using var command =
                new NpgsqlCommand("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND starts_with(query, $1)", connection);
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = statement });
            while (await command.ExecuteScalarAsync() is 0L)
            {
                await Task.Delay(10, patience.Token);
            }
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var name in await DatabasesAsync())
            {
                await ExecuteOnServerAsync($"DROP DATABASE {name}");
            }

            await db.DisposeAsync();
        }
    }
}
