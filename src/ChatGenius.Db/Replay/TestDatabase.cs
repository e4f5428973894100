using ChatGenius.Db.Connections;
using ChatGenius.Db.Replay;
using ChatGenius.Db.Server;
using Npgsql;

namespace ChatGenius.Db;

/// <summary>
/// A fresh database that has all migrations, for one test: a copy, in milliseconds, of one that is kept on a private server, which is
/// started where it does not run. Disposing it drops it, also where somebody is still connected.
/// </summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private readonly ThrowAwayDatabase _database;

    private TestDatabase(ThrowAwayDatabase database) => _database = database;

    /// <summary>A connection string for Npgsql, with the password.</summary>
    public string ConnectionString
    {
        get
        {
            // What is set for migrations only does not belong to an application.
            var builder = new NpgsqlConnectionStringBuilder(_database.Database.Url.ConnectionString);
            string[] ours =
            [
                "Pooling", "Multiplexing", "No Reset On Close", "Enlist", "Host Recheck Seconds", "Include Failed Batched Command",
                "Command Timeout", "Application Name",
            ];
            foreach (var keyword in ours)
            {
                builder.Remove(keyword);
            }

            return builder.ConnectionString;
        }
    }

    /// <summary>The same as a <c>postgres://</c> URL.</summary>
    public string Url => _database.Database.Url.WithSecret;

    /// <summary>Makes one.</summary>
    /// <param name="source">Where the migrations are.</param>
    /// <param name="server">A database on the server to make it on, whose role may create databases: there the migrations run each time;
    /// the private server where null.</param>
    /// <param name="options">The schema of the history.</param>
    /// <param name="cancellationToken">Ends it; what is half made is dropped.</param>
    /// <exception cref="ProblemException">CG06xx, CG07xx no server; CG1202 the role may not create databases; CG1209 a migration does not
    /// run on an empty database; CG03xx the migrations can't be read.</exception>
    public static Task<TestDatabase> CreateAsync(
        MigrationSource source, string? server = null, MigratorOptions? options = null, CancellationToken cancellationToken = default) =>
        CreateAsync(
            server is null ? new Replayer(new LocalServer(new LocalServerOptions().ForReplay()))
                : new Replayer(DatabaseUrl.Parse(server, "server")),
            source, options, cancellationToken);

    internal static async Task<TestDatabase> CreateAsync(
        Replayer replayer, MigrationSource source, MigratorOptions? options, CancellationToken cancellationToken) =>
        new(await new TestDatabases(replayer).OpenAsync(
            new TestDatabaseRequest([.. source.Load(out var repeatables), .. repeatables], [], options ?? new MigratorOptions()),
            cancellationToken));

    /// <summary>Drops it.</summary>
    public ValueTask DisposeAsync() => _database.DisposeAsync();
}
