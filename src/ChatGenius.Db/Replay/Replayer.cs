using System.Security.Cryptography;
using System.Text;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Server;
using Npgsql;
namespace ChatGenius.Db.Replay;

/// <summary>
/// Makes throw-away databases that hold what migrations make. On a server of the user's own each is built by running the migrations. On the
/// private server for throw-away databases the result is kept as a template under a key of all that it depends on, and the next one that
/// needs
/// it gets a copy; one that needs more gets a copy of the longest beginning, and runs the rest.
/// </summary>
public sealed class Replayer
{
    /// <summary>Part of every key: another way of replaying makes other databases.</summary>
    private const int Version = 1;

    private const string IdentityQuery =
        """
        SELECT pg_catalog.concat_ws('|', pg_catalog.version(), d.encoding, d.datcollate, d.datctype, pg_catalog.current_setting('TimeZone'),
            (SELECT pg_catalog.string_agg(e.name || ' ' || e.version, ',' ORDER BY e.name, e.version)
             FROM pg_catalog.pg_available_extension_versions e))
        FROM pg_catalog.pg_database d WHERE d.datname = 'template0'
        """;

    private readonly DatabaseUrl? _server;
    private readonly LocalServer? _own;

    /// <summary>Builds databases on a server of the user's own, where nothing is kept.</summary>
    public Replayer(DatabaseUrl server) => _server = server;

    /// <summary>Builds databases on the private server for throw-away databases, which is started on demand.</summary>
    public Replayer(LocalServer own) => _own = own;

    /// <summary>How migrations are run.</summary>
    public ReplayOptions Options { get; init; } = new();

    /// <summary>Told what takes its time: the first start of the private server.</summary>
    public IProgress<string>? Progress { get; init; }

    /// <summary>Gives a database that holds what migrations make; disposing it drops it.</summary>
    /// <param name="chain">The migrations, in order.</param>
    /// <param name="later">What the caller will run there: on a server of the user's own, the roles that it makes are dropped at the end
    /// too.</param>
    /// <param name="cancellationToken">Ends it; what is half made is dropped.</param>
    /// <exception cref="ProblemException">
    /// CG06xx, CG07xx: no server; CG1202: the role may not create databases; CG1209: a migration does not run on an empty database.
    /// </exception>
    public async Task<ThrowAwayDatabase> OpenAsync(
        IReadOnlyList<Migration> chain, IReadOnlyList<Migration>? later = null, CancellationToken cancellationToken = default)
    {
        if (_own is not null)
        {
            return await OpenCopyAsync(await _own.StartAsync(Progress, cancellationToken), chain, cancellationToken);
        }

        var database = await ThrowAwayDatabase.CreateAsync(_server!, [.. chain, .. later ?? []], cancellationToken);
        try
        {
            await BuildAsync(database, chain, cancellationToken);
            return database;
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    private async Task<ThrowAwayDatabase> OpenCopyAsync(DatabaseUrl server, IReadOnlyList<Migration> chain,
        CancellationToken cancellationToken)
    {
        var session = await Session.OpenAsync(new Database(server.WithDatabase("postgres")), "keeping templates of throw-away databases",
            cancellationToken);
        ThrowAwayDatabase? database = null;
        try
        {
            var templates = new ReplayTemplates(session, server);
            await templates.PrepareAsync(cancellationToken);
            var keys = Keys(await session.ScalarAsync<string>(IdentityQuery, cancellationToken) ?? "", chain);
            await using var key = await templates.LockAsync(keys[^1], cancellationToken);
            (database, var done) = await templates.CopyLongestAsync(keys, cancellationToken);
            if (done == chain.Count)
            {
                return database;
            }

            await BuildAsync(database, [.. chain.Skip(done)], cancellationToken);
            return database = await templates.KeepAsync(database, keys[^1], cancellationToken);
        }
        catch
        {
            await (database?.DisposeAsync() ?? session.DisposeAsync());
            throw;
        }
    }

    private async Task BuildAsync(ThrowAwayDatabase database, IReadOnlyList<Migration> migrations, CancellationToken cancellationToken)
    {
        try
        {
            await using var session = await ReplaySession.OpenAsync(
                database.Database, Options with { MakesRoles = database.IsOnOwnServer }, database.Missing, cancellationToken);
            foreach (var migration in migrations)
            {
                if (await session.RunAsync(migration.Up, cancellationToken) is { } error)
                {
                    throw DoesNotRun(migration, database.Database, error);
                }
            }

            database.Missing = session.Missing;
        }
        catch (NpgsqlException e) when (e is not PostgresException && !cancellationToken.IsCancellationRequested)
        {
            throw Lost(e);
        }
    }

    /// <summary>A migration that only prepares fails.</summary>
    internal static ProblemException DoesNotRun(Migration migration, Database database, PostgresException error) => new(
        "CG1209",
        $"{migration.Source.Path} does not run on the throw-away database {database.Url.Display}: "
            + $"{error.MessageText} ({error.SqlState})",
        migration.Up.Where,
        "Earlier migrations must run on an empty database. Install the extensions that they need, or name a server that has them with "
            + "--shadow.");

    /// <summary>The connection to a throw-away database is gone.</summary>
    internal static ProblemException Lost(Exception e) => new(
        "CG1210", $"The connection to the throw-away database was lost: {e.Message}",
        advice: "Look into the log of its server; a migration can have ended the session.", cause: e);

    /// <summary>The keys of the first none, one, two … of the migrations.</summary>
    private List<string> Keys(string identity, IReadOnlyList<Migration> chain)
    {
        var key = Hash($"{Version}|{identity}|{Options.TimeZone}");
        var keys = new List<string> { key };
        foreach (var migration in chain)
        {
            keys.Add(key = Hash($"{key}|{migration.Up.Checksum}|{migration.Up.Transactional}"));
        }

        return keys;

        static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 20));
    }
}
