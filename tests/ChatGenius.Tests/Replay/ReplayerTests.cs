using System.Diagnostics;
using ChatGenius.Db.Replay;
using ChatGenius.Db.Schema;
using ChatGenius.Db.Server;
using ChatGenius.Db.Text;

namespace ChatGenius.Tests.Replay;

/// <summary>The private server for throw-away databases, in a folder of the tests' own.</summary>
public sealed class ReplayServer : IAsyncLifetime
{
    /// <summary>What <c>CHATGENIUS_DATA_DIR</c> is to be for it.</summary>
    internal string DataFolder { get; } = Path.Combine(TestServer.FastFolder, $"chatgenius-test-replay-{Guid.NewGuid():N}"[..40]);

    internal LocalServer Server => new(new LocalServerOptions { Folder = DataFolder }.ForReplay());

    internal string BootFile => Path.Combine(DataFolder, "replay", "data-boot");

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await Server.DestroyAsync();
        if (Directory.Exists(DataFolder))
        {
            Directory.Delete(DataFolder, recursive: true);
        }
    }
}

public class ReplayerTests(ReplayServer server) : IClassFixture<ReplayServer>
{
    /// <summary>Every run of it gives another table, so that a copy can be told from it.</summary>
    private const string Random = "CREATE TABLE drawn AS SELECT random() AS number;";

    private readonly string _own = $"SELECT '{Guid.NewGuid():N}';";

    private Replayer Replayer => new(server.Server);

    [Fact]
    public async Task Who_needs_the_same_migrations_gets_a_copy_and_who_needs_more_goes_on_from_it()
    {
        var (same, again, more, other) = (
            await DrawnAsync(Chain(_own, Random)), await DrawnAsync(Chain(_own, Random)),
                await DrawnAsync(Chain(_own, Random, "CREATE TABLE b ();")),
            await DrawnAsync(Chain(_own, Random + " CREATE TABLE b ();")));

        again.ShouldBe(same);
        more.ShouldBe(same);
        other.ShouldNotBe(same);
    }

    [Fact]
    public async Task A_copy_is_gone_when_it_was_used_and_the_template_stays()
    {
        string name;
        await using (var database = await Replayer.OpenAsync(Chain(_own)))
        {
            name = database.Database.Url.DatabaseName!;
            (await NamesAsync()).ShouldContain(name);
        }

        var left = await NamesAsync();
        left.ShouldNotContain(name);
        left.ShouldContain(n => n.StartsWith("chatgenius_replay_", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_copy_has_the_databases_settings_grants_and_comment()
    {
        var chain = Chain(_own,
            """
            DO $$ BEGIN
                EXECUTE format('ALTER DATABASE %I SET work_mem = ''7MB''', current_database());
                EXECUTE format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', current_database());
                EXECUTE format('COMMENT ON DATABASE %I IS ''ours''', current_database());
            END $$;
            """);
        for (var i = 0; i < 2; i++)
        {
            await using var database = await Replayer.OpenAsync(chain);
            var seen = await ScalarAsync(database.Database,
                """
                SELECT current_setting('work_mem') || ' ' || has_database_privilege('pg_monitor', current_database(), 'CONNECT') || ' '
                    || shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()
                """);

            seen.ShouldBe("7MB false ours");
        }
    }

    [Fact]
    public async Task Two_at_once_build_it_once()
    {
        var chain = Chain(_own, Random, "SELECT pg_sleep(0.3);");

        var drawn = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => DrawnAsync(chain)));

        drawn.Distinct().ShouldHaveSingleItem();
    }

    [Fact]
    public async Task What_a_killed_run_left_is_dropped_by_the_next_and_what_another_run_uses_is_not()
    {
        await using var used = await Replayer.OpenAsync(Chain(_own));
        await ExecuteAsync("CREATE DATABASE chatgenius_copy_of_a_killed_run");
        await ExecuteAsync("CREATE DATABASE chatgenius_replay_half_made");

        await using var next = await Replayer.OpenAsync(Chain(_own));

        var names = await NamesAsync();
        names.ShouldNotContain("chatgenius_copy_of_a_killed_run");
        names.ShouldNotContain("chatgenius_replay_half_made");
        names.ShouldContain(used.Database.Url.DatabaseName!);
    }

    [Fact]
    public async Task A_template_that_is_gone_is_made_again()
    {
        var before = await DrawnAsync(Chain(_own, Random));
        foreach (var name in (await NamesAsync()).Where(name => name.StartsWith("chatgenius_replay_", StringComparison.Ordinal)))
        {
            await ExecuteAsync($"DROP DATABASE {name}");
        }

        (await DrawnAsync(Chain(_own, Random))).ShouldNotBe(before);
    }

    [Fact]
    public async Task What_migrations_do_is_found_out_once_for_all_databases()
    {
        // Each run of it makes a table of another name.
        var chain = Chain(
            _own, "DO $$ BEGIN EXECUTE 'CREATE TABLE t' || floor(random() * 1000000) || ' ()'; END $$;", "CREATE TABLE users (id int);");
        await using var empty = await TestDatabase.CreateAsync();
        await using var other = await TestDatabase.CreateAsync();
        await other.ExecuteAsync("CREATE TABLE users (id int)");

        var first = await DetectAsync(empty);
        var second = await DetectAsync(other);

        first[1].Differences.ShouldHaveSingleItem().ShouldStartWith("no table public.t");
        second[1].Differences.ShouldBe(first[1].Differences);
        (first[2].State, second[2].State).ShouldBe((DetectedState.NotThere, DetectedState.There));

        async Task<IReadOnlyList<DetectedMigration>> DetectAsync(TestDatabase database) => (await Detector.DetectAsync(
            database.Database, Replayer, chain, new SchemaReadOptions(), CancellationToken.None)).Migrations;
    }

    [Fact]
    public async Task No_more_templates_are_kept_than_twenty()
    {
        for (var i = 0; i < 22; i++)
        {
            await using var database = await Replayer.OpenAsync(Chain(_own, $"SELECT {i};"));
        }

        (await NamesAsync()).Count(name => name.StartsWith("chatgenius_replay_", StringComparison.Ordinal)).ShouldBeLessThanOrEqualTo(20);
    }

    [Fact]
    public async Task Roles_stay_with_the_templates_and_those_that_are_missing_are_made()
    {
        var role = $"role_{Guid.NewGuid():N}";
        var chain = Chain($"CREATE ROLE {role}; CREATE TABLE t (id int); GRANT SELECT ON t TO {role}, other_{role};");
        for (var i = 0; i < 2; i++)
        {
            await using var database = await Replayer.OpenAsync([.. chain, .. Chain($"SELECT {i};")]);

            database.Missing.ShouldBeEmpty();
            (await ScalarAsync(database.Database, $"SELECT has_table_privilege('other_{role}', 't', 'SELECT')::text")).ShouldBe("true");
        }
    }

    [Fact]
    public async Task What_the_server_lacks_is_remembered_with_the_template()
    {
        var chain = Chain(_own, "CREATE EXTENSION not_to_be_had; CREATE TABLE t (id int);");
        for (var i = 0; i < 2; i++)
        {
            await using var database = await Replayer.OpenAsync(chain);

            database.Missing.ShouldHaveSingleItem().ShouldBe("extension \"not_to_be_had\" is not available on this server");
            (await ScalarAsync(database.Database, "SELECT to_regclass('t')::text")).ShouldBe("t");
        }
    }

    [Fact]
    public async Task A_migration_that_fails_is_named_and_leaves_nothing()
    {
        var before = await NamesAsync();

        var failure = await Should.ThrowAsync<ProblemException>(() => Replayer.OpenAsync(Chain(_own, "SELECT 1 / 0;")));

        failure.Problems.ShouldHaveSingleItem().Code.ShouldBe("CG1209");
        (await NamesAsync()).Where(name => !IsSpare(name)).ShouldBe(before.Where(name => !IsSpare(name)), ignoreOrder: true);
    }

    [Fact]
    public async Task A_copy_that_was_made_ahead_serves_one_of_those_who_need_it_at_the_same_time()
    {
        var chain = Chain(_own, "CREATE TABLE t (id int);");
        await (await Replayer.OpenAsync(chain)).DisposeAsync();
        var spare = await SpareAsync();

        var copies = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Replayer.OpenAsync(chain)));

        var oids = await Task.WhenAll(copies.Select(copy =>
            ScalarAsync(copy.Database, "SELECT oid::text FROM pg_database WHERE datname = current_database()")));
        oids.Distinct().Count().ShouldBe(4);
        oids.ShouldContain(spare);
        (await Task.WhenAll(copies.Select(copy => ScalarAsync(copy.Database, "SELECT count(*)::text FROM t")))).ShouldAllBe(n => n == "0");
        await Task.WhenAll(copies.Select(copy => copy.DisposeAsync().AsTask()));
    }

    [Fact]
    public async Task A_copy_that_was_made_ahead_goes_with_its_template_and_when_that_is_not_used_for_a_day()
    {
        var (gone, old) = (Chain(_own, "SELECT 1;"), Chain(_own, "SELECT 2;"));
        await (await Replayer.OpenAsync(gone)).DisposeAsync();
        var ofGone = await SpareAsync();
        await (await Replayer.OpenAsync(old)).DisposeAsync();
        var ofOld = await SpareAsync();
        var names = await ScalarAsync(await MaintenanceAsync(),
            $"SELECT string_agg('chatgenius_replay_' || split_part(datname, '_', 3), ' ' ORDER BY oid <> {ofGone}) FROM pg_database "
            + $"WHERE oid IN ({ofGone}, {ofOld})");
        await ExecuteAsync($"DROP DATABASE {names.Split(' ')[0]}");
        await ExecuteAsync($"UPDATE replay_templates SET used_at = now() - '25 hours'::interval WHERE name = '{names.Split(' ')[1]}'");

        await (await Replayer.OpenAsync(Chain(_own))).DisposeAsync();

        (await ScalarAsync(await MaintenanceAsync(), $"SELECT count(*)::text FROM pg_database WHERE oid IN ({ofGone}, {ofOld})"))
            .ShouldBe("0");
    }

    /// <summary>The oid of a copy that was made ahead of the template that was used last, when it is there.</summary>
    private async Task<string> SpareAsync()
    {
        var maintenance = await MaintenanceAsync();
        const string Spare =
            """
            SELECT coalesce(max(s.oid::text), '') FROM pg_database s
            WHERE s.datname LIKE 'chatgenius_spare_%' AND split_part(s.datname, '_', 3)
                = (SELECT split_part(name, '_', 3) FROM replay_templates ORDER BY used_at DESC LIMIT 1)
            """;
        for (var waited = Stopwatch.StartNew(); waited.Elapsed < TimeSpan.FromSeconds(20); await Task.Delay(20))
        {
            if (await ScalarAsync(maintenance, Spare) is { Length: > 0 } oid)
            {
                return oid;
            }
        }

        throw new TimeoutException("No copy was made ahead.");
    }

    private static bool IsSpare(string name) => name.StartsWith("chatgenius_spare_", StringComparison.Ordinal);

    [Fact]
    public async Task Data_of_another_run_of_the_machine_is_not_trusted()
    {
        var before = await DrawnAsync(Chain(_own, Random));
        await server.Server.StopAsync();
        (await DrawnAsync(Chain(_own, Random))).ShouldBe(before);
        await server.Server.StopAsync();
        await File.WriteAllTextAsync(server.BootFile, "another");

        (await DrawnAsync(Chain(_own, Random))).ShouldNotBe(before);
    }

    private static List<Migration> Chain(params string[] ups) =>
        [.. ups.Select((up, i) => MigrationParser.Parse(
            SourceText.From($"{i + 1:0000}_step.sql", $"-- migrate:up\n{up}\n-- migrate:down irreversible:true\n"),
                MigrationOrigin.Folder))];

    private async Task<string> DrawnAsync(List<Migration> chain)
    {
        await using var database = await Replayer.OpenAsync(chain);
        return await ScalarAsync(database.Database, "SELECT number::text FROM drawn");
    }

    private async Task<List<string>> NamesAsync()
    {
        var names = await ScalarAsync(await MaintenanceAsync(), "SELECT string_agg(datname, ' ') FROM pg_database");
        return [.. names.Split(' ')];
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = await (await MaintenanceAsync()).ConnectAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<Database> MaintenanceAsync() => new(await server.Server.StartAsync());

    private static async Task<string> ScalarAsync(Database database, string sql)
    {
        await using var connection = await database.ConnectAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (string)(await command.ExecuteScalarAsync())!;
    }
}
