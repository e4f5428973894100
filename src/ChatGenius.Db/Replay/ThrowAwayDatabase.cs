using System.Globalization;
using System.Text.RegularExpressions;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Replay;

/// <summary>A throw-away database on a server, dropped at the end with the roles that migrations made there.</summary>
internal sealed class ThrowAwayDatabase : IAsyncDisposable
{
    private const string Prefix = "chatgenius_check_";
    private const string RoleNames = "SELECT rolname::text FROM pg_catalog.pg_roles";
    private readonly Func<Session, Task> _drop;
    private readonly DatabaseUrl _server;
    private readonly Session _keeper;

    private ThrowAwayDatabase(DatabaseUrl server, string name, Session keeper, Func<Session, Task> drop)
    {
        (_server, _keeper, _drop) = (server, keeper, drop);
        Database = new Database(server.WithDatabase(name));
    }

    /// <summary>The database.</summary>
    public Database Database { get; }

    /// <summary>The session whose lock says that somebody uses it, in another database of its server.</summary>
    internal Session Keeper => _keeper;

    /// <summary>What it has not got because its server lacks something: why.</summary>
    public IReadOnlyList<string> Missing { get; internal set; } = [];

    /// <summary>Whether it is on a server of our own, where roles that are missing are made, and stay.</summary>
    public bool IsOnOwnServer { get; private init; }

    /// <summary>Whether, on a server of our own, nobody waits for the end of its drop.</summary>
    internal bool EndsUnwatched { get; set; }

    /// <summary>Makes an empty one, and drops what runs that were killed left behind more than a day ago.</summary>
    /// <param name="server">A database on the server; only its server and role matter.</param>
    /// <param name="migrations">What will run there: the roles that they make are dropped at the end.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ProblemException">CG06xx: no connection; CG1202: the role may not create databases.</exception>
    internal static async Task<ThrowAwayDatabase> CreateAsync(
        DatabaseUrl server, IReadOnlyList<Migration> migrations, CancellationToken cancellationToken)
    {
        var maker = await OpenAsync(server, cancellationToken);
        try
        {
            // The time is the server's: another client's clock may be days ahead.
            var now = await maker.ScalarAsync<long>(
                "SELECT pg_catalog.date_part('epoch', pg_catalog.clock_timestamp())::int8", cancellationToken);
            var name = string.Create(CultureInfo.InvariantCulture, $"{Prefix}{now}_{Guid.NewGuid():N}");
            await DropLeftOversAsync(maker, cancellationToken);
            await HoldAsync(maker, name, cancellationToken);
            var strategy = maker.ServerVersion >= 150000 ? " STRATEGY FILE_COPY" : "";
            await maker.CommandAsync($"CREATE DATABASE {name} TEMPLATE template0 ALLOW_CONNECTIONS false{strategy}", cancellationToken);
            // Whoever may connect could put functions and operators there that a migration would run as us.
            await maker.WriteAsync(
                [$"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC", $"ALTER DATABASE {name} ALLOW_CONNECTIONS true"], cancellationToken);
            var roles = (await maker.RowsAsync(RoleNames, row => row.GetString(0), cancellationToken)).ToHashSet();
            return new ThrowAwayDatabase(server, name, maker, session => DropAsync(session, name, migrations, roles));
        }
        catch (Exception e)
        {
            await maker.DisposeAsync();
            throw e is ProblemException { Problems: [{ Code: "CG0634" } refused] }
                ? new ProblemException(
                    "CG1202", refused.Message, advice: "Give the role CREATEDB, or name another server with --shadow.",
                    cause: e.InnerException)
                : e;
        }
    }

    /// <summary>Lets other roles connect, as to any new database: nothing runs there with our rights any more.</summary>
    internal static Task LetInAsync(Session session, string name, CancellationToken cancellationToken) =>
        session.CommandAsync($"GRANT CONNECT ON DATABASE {SqlIdentifier.Quote(name)} TO PUBLIC", cancellationToken);

    /// <summary>Takes over one on the server of our own.</summary>
    /// <param name="templates">What made it, with the session whose lock says that somebody uses it.</param>
    /// <param name="name">The database.</param>
    /// <param name="missing">What it has not got.</param>
    internal static ThrowAwayDatabase Kept(ReplayTemplates templates, string name, IReadOnlyList<string> missing)
    {
        ThrowAwayDatabase? database = null;
        return database = new(templates.Server, name, templates.Session, async session =>
        {
            var drop = $"DROP DATABASE IF EXISTS {name} WITH (FORCE)";
            if (database!.EndsUnwatched && session == templates.Session)
            {
                await templates.LeaveAsync(drop);
                return;
            }

            await session.CommandAsync(drop, default);
            await templates.LeaveAsync();
        })
        {
            Missing = missing,
            IsOnOwnServer = true,
        };
    }

    /// <summary>
    /// Drops the database, whoever is still connected, and the roles that the migrations made. What can't be dropped, because the server is
    /// gone, is left to a later run, so that the first error is the one that is reported.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await using var keeper = _keeper;
            if (keeper.IsOpen)
            {
                await _drop(keeper);
                return;
            }

            await using var session = await OpenAsync(_server, CancellationToken.None);
            await _drop(session);
        }
        catch (ProblemException)
        {
            // Left to a later run.
        }
    }

    /// <summary>In one database for all makers, where it is there: advisory locks are seen in their own only.</summary>
    private static async Task<Session> OpenAsync(DatabaseUrl server, CancellationToken cancellationToken)
    {
        const string Work = "keeping a throw-away database";
        try
        {
            return await Session.OpenAsync(new Database(server.WithDatabase("postgres")), Work, cancellationToken);
        }
        catch (ProblemException e) when (e.Problems is [{ Kind: ProblemKind.NoDatabase or ProblemKind.ClosedDatabase }])
        {
            return await Session.OpenAsync(new Database(server), Work, cancellationToken);
        }
    }

    /// <summary>
    /// As long as the maker's session lives, nobody takes its database for a left-over. Behind a pooler no lock is a session's own.
    /// </summary>
    private static async Task HoldAsync(Session maker, string name, CancellationToken cancellationToken)
    {
        if (await maker.OwnsBackendAsync(cancellationToken))
        {
            await maker.ScalarAsync<bool>(
                new SqlQuery("SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended($1, 0))", name), cancellationToken);
        }
    }

    private static async Task DropAsync(Session session, string name, IReadOnlyList<Migration> migrations, HashSet<string> roles)
    {
        await session.CommandAsync($"DROP DATABASE IF EXISTS {name} WITH (FORCE)", default);
        var made = await session.RowsAsync(RoleNames, row => row.GetString(0), default);
        foreach (var role in made.Where(role => !roles.Contains(role) && IsMadeBy(migrations, role)))
        {
            await session.CommandAsync($"DROP ROLE IF EXISTS {SqlIdentifier.Quote(role)}", default);
        }
    }

    /// <summary>Whether a statement, or a block of code in one, that creates a role names it. All others are somebody else's.</summary>
    private static bool IsMadeBy(IReadOnlyList<Migration> migrations, string role) => migrations
        .SelectMany(migration => migration.Up.Script.Statements.Concat(migration.Down.Script.Statements))
        .Select(statement => statement.Text)
        .Any(text => text.Contains("CREATE", StringComparison.OrdinalIgnoreCase)
            && text.Contains(role, StringComparison.OrdinalIgnoreCase));

    /// <summary>Older than a day by the server's clock, with no maker that holds its lock, and nobody connected.</summary>
    private static async Task DropLeftOversAsync(Session session, CancellationToken cancellationToken)
    {
        const string Left =
            $"""
            SELECT datname::text FROM pg_catalog.pg_database
            WHERE CASE WHEN datname ~ '^{Prefix}[0-9]+_[0-9a-f]+$'
                  THEN pg_catalog.split_part(datname::text, '_', 3)::int8
                      < pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()) - 86400
                      AND pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtextextended(datname::text, 0))
                  ELSE false END
            """;
        foreach (var name in await session.RowsAsync(Left, row => row.GetString(0), cancellationToken))
        {
            try
            {
                await session.CommandAsync($"DROP DATABASE IF EXISTS {name}", cancellationToken);
            }
            catch (ProblemException e) when (e.InnerException is PostgresException
                { SqlState: PostgresErrorCodes.ObjectInUse or PostgresErrorCodes.InsufficientPrivilege })
            {
                // Somebody uses it after all, or it is somebody else's.
            }
        }
    }
}
