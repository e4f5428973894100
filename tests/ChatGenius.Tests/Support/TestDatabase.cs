using System.Collections.Concurrent;

namespace ChatGenius.Tests.Support;

/// <summary>A fresh, empty database on the shared server, for one test alone; dropped with it.</summary>
internal sealed class TestDatabase : IAsyncDisposable
{
    private const string Prefix = "cg_test_";
    private static readonly ConcurrentDictionary<(string Name, bool OnNewest), Lazy<Task<TestDatabase>>> Originals = new();
    private readonly DatabaseUrl _server;

    private TestDatabase(DatabaseUrl server, string name)
    {
        _server = server;
        Url = server.WithDatabase(name);
        Database = new Database(Url);
    }

    /// <summary>The database, with a superuser.</summary>
    public DatabaseUrl Url { get; }

    /// <summary>What the code under test is given.</summary>
    public Database Database { get; }

    /// <summary>Creates one. The copy of template0's files costs a few milliseconds where the server is on a RAM disk.</summary>
    /// <param name="onNewest">Whether on the newest PostgreSQL instead of the shared one.</param>
    public static async Task<TestDatabase> CreateAsync(bool onNewest = false)
    {
        var server = await (onNewest ? TestServer.NewestUrlAsync() : TestServer.UrlAsync());
        return await CreateAsync(server, "template0");
    }

    /// <summary>Creates a copy of a database that is built once in a run.</summary>
    /// <param name="name">What the original is known by.</param>
    /// <param name="build">Fills it, and leaves nobody connected to it.</param>
    /// <param name="onNewest">As for <see cref="CreateAsync(bool)"/>.</param>
    public static async Task<TestDatabase> CopyOfAsync(string name, Func<TestDatabase, Task> build, bool onNewest = false)
    {
        var original = await Originals.GetOrAdd((name, onNewest), _ => new Lazy<Task<TestDatabase>>(async () =>
        {
            var database = await CreateAsync(onNewest);
            await build(database);
            return database;
        })).Value;
        return await CreateAsync(original._server, original.Url.DatabaseName!);
    }

    /// <summary>Drops what copies were made of.</summary>
    internal static async Task DropOriginalsAsync()
    {
        foreach (var name in Originals.Keys)
        {
            if (Originals.TryRemove(name, out var original) && original.Value.IsCompletedSuccessfully)
            {
                await (await original.Value).DisposeAsync();
            }
        }
    }

    private static async Task<TestDatabase> CreateAsync(DatabaseUrl server, string original)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{Prefix}{DateTimeOffset.UtcNow.ToUnixTimeSeconds()}_{Guid.NewGuid():N}");
        await using var connection = await new Database(server).ConnectAsync();
        var strategy = connection.PostgreSqlVersion.Major >= 15 ? "STRATEGY FILE_COPY" : "";
        await ExecuteAsync(connection, $"CREATE DATABASE {name} TEMPLATE {original} {strategy}");
        return new TestDatabase(server, name);
    }

    /// <summary>Opens another session.</summary>
    public Task<NpgsqlConnection> ConnectAsync() => Database.ConnectAsync();

    /// <summary>Runs SQL of one or more statements in a session of its own.</summary>
    public async Task ExecuteAsync(string sql)
    {
        await using var connection = await ConnectAsync();
        await ExecuteAsync(connection, sql);
    }

    /// <summary>Runs a query in a session of its own and gives the first column of its first row.</summary>
    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var connection = await ConnectAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        (await reader.ReadAsync()).ShouldBeTrue($"No row came from: {sql}");
        return await reader.GetFieldValueAsync<T>(0);
    }

    /// <summary>Drops the database, whoever is still connected.</summary>
    public async ValueTask DisposeAsync()
    {
        await using var connection = await new Database(_server).ConnectAsync();
        await ExecuteAsync(connection, $"DROP DATABASE IF EXISTS {Url.DatabaseName} WITH (FORCE)");
    }

    /// <summary>Test runs that were killed leave their databases behind: those from yesterday and before are nobody's.</summary>
    internal static async Task DropLeftOversAsync(DatabaseUrl server)
    {
        await using var connection = await new Database(server).ConnectAsync();
        var yesterday = DateTimeOffset.UtcNow.AddDays(-1).ToUnixTimeSeconds();
        var names = new List<string>();
        await using (var command = new NpgsqlCommand(
            $"SELECT datname::text FROM pg_database WHERE datname ~ '^{Prefix}[0-9]+_[0-9a-f]{{32}}$'", connection))
        await using (var reader = await command.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
            {
                names.Add(reader.GetString(0));
            }
        }

        foreach (var name in names.Where(n => long.Parse(n.Split('_')[2], CultureInfo.InvariantCulture) < yesterday))
        {
            await ExecuteAsync(connection, $"DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
