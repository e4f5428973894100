using System.Globalization;
using System.Text;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Migrations;
using ChatGenius.Db.Server;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Replay;

/// <summary>What a test database is to hold.</summary>
/// <param name="Migrations">In order, and the repeatable objects after them.</param>
/// <param name="Seeds">The rows that come after them.</param>
/// <param name="Options">The history's schema.</param>
internal sealed record TestDatabaseRequest(IReadOnlyList<Migration> Migrations, IReadOnlyList<Seed> Seeds, MigratorOptions Options)
{
    /// <summary>Whether the tables hold no rows: neither those of migrations nor seeds.</summary>
    public bool EmptyTables { get; init; }

    internal IReadOnlyList<ReplayStage> Stages =>
    [
        ReplayStage.History(Migrations, Options),
        .. EmptyTables ? [ReplayStage.Empty(Options.HistorySchema)] : Seeds.Select(ReplayStage.Seed),
    ];
}

/// <summary>A test database that is there.</summary>
/// <param name="Url">Where it is.</param>
/// <param name="MadeAt">When it was made, by the server's clock.</param>
/// <param name="IsInUse">Whether somebody is connected to it.</param>
internal sealed record TestDatabaseEntry(DatabaseUrl Url, DateTimeOffset MadeAt, bool IsInUse);

/// <summary>
/// Databases for tests, each fresh and with all that migrations make, copied from one that is kept for that. They stay until they are
/// dropped, or until one is asked for when they are a day old and nobody uses them. A database is known as one of these by its name, or by
/// its comment where it has a name of the user's; it gets that name last, so that what a killed call leaves is known too.
/// </summary>
/// <param name="replayer">The server.</param>
internal sealed class TestDatabases(Replayer replayer)
{
    private const string Prefix = "chatgenius_test_";
    private const string Comment = "Test database of chatgenius-db, made at ";
    private const int LongestName = 63;

    /// <summary>The second in which the database d was made, if it is one of these.</summary>
    private const string MadeAt =
        $"""
        coalesce(pg_catalog.substring(pg_catalog.shobj_description(d.oid, 'pg_database'), '^{Comment}([0-9]+)$')::int8,
            pg_catalog.substring(d.datname::text, '^{Prefix}([0-9]+)_[0-9a-f]+$')::int8)
        """;

    /// <summary>Name, second in which it was made, whether somebody is connected.</summary>
    private const string Listing =
        $"""
        SELECT d.datname::text, {MadeAt}, EXISTS (SELECT FROM pg_catalog.pg_stat_activity a WHERE a.datid = d.oid)
        FROM pg_catalog.pg_database d WHERE {MadeAt} IS NOT NULL
        """;

    /// <summary>The second that it is, by the server's clock: another client's may be days ahead.</summary>
    internal const string Now = "pg_catalog.date_part('epoch', pg_catalog.clock_timestamp())::int8";

    /// <summary>Whether the database d is one of these and older than a day.</summary>
    internal const string IsOld = $"{MadeAt} < {Now} - 86400";

    /// <summary>Makes databases.</summary>
    /// <param name="request">What each is to hold.</param>
    /// <param name="count">How many.</param>
    /// <param name="name">Their name, with a number after it where there are several; null for names that nobody has.</param>
    /// <param name="cancellationToken">Ends it; what was made is dropped.</param>
    /// <returns>Their URLs, and what they have not got because the server lacks something.</returns>
    /// <exception cref="ProblemException">
    /// CG06xx, CG07xx: no server; CG1202: the role may not create databases; CG1209, CG0319: a migration or a seed does not run on an empty
    /// database; CG1401: a database of this name is somebody else's, or in use; CG1402: the name can't be one.
    /// </exception>
    public async Task<(IReadOnlyList<DatabaseUrl> Urls, IReadOnlyList<string> Missing)> CreateAsync(
        TestDatabaseRequest request, int count = 1, string? name = null, CancellationToken cancellationToken = default)
    {
        var names = Enumerable.Range(1, count).Select(i => name is null ? null : count == 1 ? name : $"{name}_{i}").ToList();
        if (names.Find(n => n is not null && (n.Length == 0 || n.Contains('\0') || Encoding.UTF8.GetByteCount(n) > LongestName)) is { } bad)
        {
            throw new ProblemException("CG1402", $"\"{bad}\" can't be a database's name",
                advice: $"Give one of at most {LongestName} bytes, its number included.");
        }

        var made = new List<DatabaseUrl>();
        while (true)
        {
            await using var source = await replayer.SourceAsync(request.Migrations, request.Stages, cancellationToken);
            var now = source.Now ?? await DropOldAsync(source.Session, cancellationToken);
            try
            {
                while (made.Count < count && await TryMakeAsync(source, names[made.Count], now, cancellationToken) is { } database)
                {
                    made.Add(source.Server.WithDatabase(database));
                }

                if (made.Count == count)
                {
                    return (made, source.Missing);
                }
            }
            catch when (source.Session.IsOpen)
            {
                foreach (var url in made)
                {
                    await source.Session.CommandAsync(Drop(url.DatabaseName), CancellationToken.None);
                }

                throw;
            }
        }
    }

    /// <summary>Makes a database that is dropped when this is disposed.</summary>
    public async Task<ThrowAwayDatabase> OpenAsync(TestDatabaseRequest request, CancellationToken cancellationToken = default)
    {
        var database = await replayer.OpenStagedAsync(request.Migrations, request.Stages, cancellationToken);
        try
        {
            await ThrowAwayDatabase.LetInAsync(database.Keeper, database.Database.Url.DatabaseName, cancellationToken);
            return database;
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    /// <summary>The databases that are there.</summary>
    public async Task<IReadOnlyList<TestDatabaseEntry>> ListAsync(CancellationToken cancellationToken = default)
    {
        if (await replayer.ConnectAsync("listing test databases", cancellationToken) is not var (server, session))
        {
            return [];
        }

        await using (session)
        {
            return [.. (await ListAsync(session, cancellationToken)).OrderBy(one => one.MadeAt).Select(one =>
                new TestDatabaseEntry(server.WithDatabase(one.Name), DateTimeOffset.FromUnixTimeSeconds(one.MadeAt), one.IsInUse))];
        }
    }

    /// <summary>Drops all that are there, whoever uses them.</summary>
    /// <returns>How many.</returns>
    public async Task<int> DropAllAsync(CancellationToken cancellationToken = default)
    {
        if (await replayer.ConnectAsync("dropping test databases", cancellationToken) is not var (_, session))
        {
            return 0;
        }

        await using (session)
        {
            var all = await ListAsync(session, cancellationToken);
            foreach (var one in all)
            {
                await session.CommandAsync(Drop(one.Name), cancellationToken);
            }

            return all.Count;
        }
    }

    /// <summary>Drops one, whoever uses it.</summary>
    /// <returns>Whether it was there.</returns>
    /// <exception cref="ProblemException">CG06xx: no connection; CG1401: it is no test database.</exception>
    public static async Task<bool> DropAsync(DatabaseUrl url, CancellationToken cancellationToken = default)
    {
        await using var session = await Session.OpenMaintenanceAsync(new Database(url), "dropping a test database", cancellationToken);
        if ((await ListAsync(session, cancellationToken)).Exists(one => one.Name == url.DatabaseName))
        {
            await session.CommandAsync(Drop(url.DatabaseName), cancellationToken);
            return true;
        }

        return !await IsThereAsync(session, url.DatabaseName, cancellationToken) ? false : throw new ProblemException(
            "CG1401", $"{url.Display} is no test database", advice: "'chatgenius-db test-database list' shows those that there are.");
    }

    /// <returns>The database's name; null where what it is copied from is gone.</returns>
    private static async Task<string?> TryMakeAsync(ReplaySource source, string? name, long now, CancellationToken cancellationToken)
    {
        var made = string.Create(CultureInfo.InvariantCulture, $"{Prefix}{now}_{Guid.NewGuid():N}");
        if (name is not null)
        {
            await MakeWayAsync(source.Session, name, cancellationToken);
        }

        if (!await source.TryCopyAsync(made, string.Create(CultureInfo.InvariantCulture, $"{Comment}{now}"), cancellationToken))
        {
            return null;
        }

        if (name is not null)
        {
            await RenameAsync(source.Session, made, name, cancellationToken);
        }

        return name ?? made;
    }

    /// <summary>A name is used again and again by tests: the database that had it last goes, if it is one of these.</summary>
    private static async Task MakeWayAsync(Session session, string name, CancellationToken cancellationToken)
    {
        var before = (await ListAsync(session, cancellationToken)).Find(one => one.Name == name);
        if (before.Name is null ? await IsThereAsync(session, name, cancellationToken) : before.IsInUse)
        {
            throw Taken(name, before.Name is not null);
        }

        await session.CommandAsync($"DROP DATABASE IF EXISTS {SqlIdentifier.Quote(name)}", cancellationToken);
    }

    private static async Task RenameAsync(Session session, string made, string name, CancellationToken cancellationToken)
    {
        try
        {
            await session.CommandAsync($"ALTER DATABASE {made} RENAME TO {SqlIdentifier.Quote(name)}", cancellationToken);
        }
        catch (Exception e) when (session.IsOpen)
        {
            await session.CommandAsync(Drop(made), CancellationToken.None);
            throw e.InnerException is PostgresException
                { SqlState: PostgresErrorCodes.DuplicateDatabase or PostgresErrorCodes.UniqueViolation }
                ? Taken(name, isOurs: true) : e;
        }
    }

    private static ProblemException Taken(string name, bool isOurs) => new(
        "CG1401", $"The database {SqlIdentifier.Quote(name)} is there, and {(isOurs ? "somebody uses it" : "it is no test database")}",
        advice: isOurs ? "End who uses it, or give another --name." : "Give another --name.");

    private static Task<bool> IsThereAsync(Session session, string name, CancellationToken cancellationToken) => session.ScalarAsync<bool>(
        new SqlQuery("SELECT pg_catalog.count(*) > 0 FROM pg_catalog.pg_database WHERE datname = $1", name), cancellationToken);

    private static Task<List<(string Name, long MadeAt, bool IsInUse)>> ListAsync(Session session, CancellationToken cancellationToken) =>
        session.RowsAsync(Listing, row => (row.GetString(0), row.GetInt64(1), row.GetBoolean(2)), cancellationToken);

    private static string Drop(string name) => $"DROP DATABASE IF EXISTS {SqlIdentifier.Quote(name)} WITH (FORCE)";

    /// <summary>Drops what is older than a day and not in use.</summary>
    /// <returns>The second that it is.</returns>
    private static async Task<long> DropOldAsync(Session session, CancellationToken cancellationToken)
    {
        var old = $"SELECT d.datname::text FROM pg_catalog.pg_database d WHERE {IsOld}";
        await DropOldAsync(session, await session.RowsAsync(old, row => row.GetString(0), cancellationToken), cancellationToken);
        return await session.ScalarAsync<long>($"SELECT {Now}", cancellationToken);
    }

    /// <summary>Drops those of them that nobody uses.</summary>
    internal static async Task DropOldAsync(Session session, IEnumerable<string> names, CancellationToken cancellationToken)
    {
        foreach (var name in names)
        {
            if (await session.ScalarAsync<bool>(
                new SqlQuery("SELECT pg_catalog.count(*) > 0 FROM pg_catalog.pg_stat_activity WHERE datname = $1", name),
                cancellationToken))
            {
                continue;
            }

            try
            {
                await session.CommandAsync($"DROP DATABASE IF EXISTS {SqlIdentifier.Quote(name)}", cancellationToken);
            }
            catch (ProblemException e) when (e.InnerException is PostgresException
                { SqlState: PostgresErrorCodes.ObjectInUse or PostgresErrorCodes.InsufficientPrivilege })
            {
                // Somebody uses it after all, or it is somebody else's.
            }
        }
    }
}
