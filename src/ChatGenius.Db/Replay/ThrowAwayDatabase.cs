using System.Globalization;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Sql;
namespace ChatGenius.Db.Replay;

/// <summary>A throw-away database on a server, dropped at the end with the roles that migrations made there.</summary>
public sealed class ThrowAwayDatabase : IAsyncDisposable
{
    private const string Prefix = "chatgenius_check_";
    private const string RoleNames = "SELECT rolname::text FROM pg_catalog.pg_roles";
    private readonly Func<Session, Task> _drop;
    private readonly DatabaseUrl _server;
    private readonly Session? _keeper;

    private ThrowAwayDatabase(DatabaseUrl server, string name, Session? keeper, Func<Session, Task> drop)
    {
        (_server, _keeper, _drop) = (server, keeper, drop);
        Database = new Database(server.WithDatabase(name));
    }

    /// <summary>The database.</summary>
    public Database Database { get; }

    /// <summary>What it has not got because its server lacks something: why.</summary>
    public IReadOnlyList<string> Missing { get; internal set; } = [];

    /// <summary>Whether it is on a server of our own, where roles that are missing are made, and stay.</summary>
    public bool IsOnOwnServer => _keeper is not null;

    /// <summary>Makes an empty one, and drops what runs that were killed left behind more than a day ago.</summary>
    /// <param name="server">A database on the server; only its server and role matter.</param>
    /// <param name="migrations">What will run there: the roles that they make are dropped at the end.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ProblemException">CG06xx: no connection; CG1202: the role may not create databases.</exception>
    internal static async Task<ThrowAwayDatabase> CreateAsync(
        DatabaseUrl server, IReadOnlyList<Migration> migrations, CancellationToken cancellationToken)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{Prefix}{DateTimeOffset.UtcNow.ToUnixTimeSeconds()}_{Guid.NewGuid():N}");
        await using var session = await OpenAsync(server, cancellationToken);
        await DropLeftOversAsync(session, cancellationToken);
        try
        {
            var strategy = session.ServerVersion >= 150000 ? " STRATEGY FILE_COPY" : "";
            await session.CommandAsync($"CREATE DATABASE {name} TEMPLATE template0{strategy}", cancellationToken);
        }
        catch (ProblemException e) when (e.Problems is [{ Code: "CG0634" } refused])
        {
            throw new ProblemException(
                "CG1202", refused.Message, advice: "Give the role CREATEDB, or name another server with --shadow.",
                    cause: e.InnerException);
        }

        var roles = (await session.RowsAsync(RoleNames, row => row.GetString(0), cancellationToken)).ToHashSet();
        return new ThrowAwayDatabase(server, name, null, async session =>
        {
            await session.CommandAsync($"DROP DATABASE IF EXISTS {name} WITH (FORCE)", default);
            var made = await session.RowsAsync(RoleNames, row => row.GetString(0), default);
            foreach (var role in made.Where(role => !roles.Contains(role) && IsMadeBy(migrations, role)))
            {
                await session.CommandAsync($"DROP ROLE IF EXISTS {SqlIdentifier.Quote(role)}", default);
            }
        });
    }

    /// <summary>Takes over one on the server of our own.</summary>
    /// <param name="server">The server.</param>
    /// <param name="name">The database.</param>
    /// <param name="keeper">The session whose lock says that somebody uses it.</param>
    /// <param name="missing">What it has not got.</param>
    internal static ThrowAwayDatabase Kept(DatabaseUrl server, string name, Session keeper, IReadOnlyList<string> missing) =>
        new(server, name, keeper,
            session => session.CommandAsync($"DROP DATABASE IF EXISTS {name} WITH (FORCE)", default)) { Missing = missing };

    /// <summary>
    /// Drops the database, whoever is still connected, and the roles that the migrations made. What can't be dropped, because the server is
    /// gone, is left to a later run, so that the first error is the one that is reported.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await using var session = _keeper ?? await OpenAsync(_server, CancellationToken.None);
            await _drop(session);
        }
        catch (ProblemException)
        {
        }
    }

    private static Task<Session> OpenAsync(DatabaseUrl server, CancellationToken cancellationToken) =>
        Session.OpenAsync(new Database(server), "keeping a throw-away database", cancellationToken);

    /// <summary>Whether a statement, or a block of code in one, that creates a role names it. All others are somebody else's.</summary>
    private static bool IsMadeBy(IReadOnlyList<Migration> migrations, string role) => migrations
        .SelectMany(migration => migration.Up.Script.Statements.Concat(migration.Down.Script.Statements))
        .Select(statement => statement.Text)
        .Any(text => text.Contains("CREATE", StringComparison.OrdinalIgnoreCase)
            && text.Contains(role, StringComparison.OrdinalIgnoreCase));

    private static async Task DropLeftOversAsync(Session session, CancellationToken cancellationToken)
    {
        var yesterday = DateTimeOffset.UtcNow.AddDays(-1).ToUnixTimeSeconds();
        var names = await session.RowsAsync(
            $"SELECT datname::text FROM pg_catalog.pg_database WHERE datname ~ '^{Prefix}[0-9]+_[0-9a-f]+$'", row => row.GetString(0),
                cancellationToken);
        foreach (var name in names.Where(name => long.Parse(name[Prefix.Length..].Split('_')[0], CultureInfo.InvariantCulture) < yesterday))
        {
            await session.CommandAsync($"DROP DATABASE IF EXISTS {name} WITH (FORCE)", cancellationToken);
        }
    }
}
