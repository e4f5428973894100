using ChatGenius.Db.Connections;
using ChatGenius.Db.Server;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Replay;

/// <summary>A database that is copied.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Missing">What it has not got because its server lacks something: why.</param>
internal sealed record ReplayTemplate(string Name, IReadOnlyList<string> Missing);

/// <summary>
/// The templates on the private server for throw-away databases. A database gets its template's name only when it is whole, and a template
/// counts only when its row is written; until then, and for every copy, an advisory lock in the maintenance database says that somebody is
/// at it. A lock that nobody holds is a run that was killed: what it left is dropped by the next.
/// </summary>
/// <param name="session">In the maintenance database; the locks are this session's, and end with it.</param>
/// <param name="server">The server.</param>
internal sealed class ReplayTemplates(Session session, DatabaseUrl server)
{
    /// <summary>The least used go first, when there are more, or they are larger together.</summary>
    private const int MostTemplates = 20;

    private const long MostBytes = 2_000_000_000;
    private const string Empty = "template0";
    private const string Prefix = "chatgenius_replay_";
    private const string CopyPrefix = "chatgenius_copy_";
    private const string LockOfName = "pg_catalog.hashtextextended($1, 0)";

    /// <summary>Makes the table of templates where it is not there, and drops what killed runs left.</summary>
    internal async Task PrepareAsync(CancellationToken cancellationToken)
    {
        // A wait for a lock here is a wait for another run's build.
        session.LockTimeout = TimeSpan.Zero;
        if (!await session.ScalarAsync<bool>("SELECT pg_catalog.to_regclass('public.replay_templates') IS NOT NULL", cancellationToken))
        {
            await session.WriteAsync(
                [
                    "SELECT pg_catalog.pg_advisory_xact_lock(0)",
                    "CREATE TABLE IF NOT EXISTS public.replay_templates (name text PRIMARY KEY, missing text[] NOT NULL, used_at "
                        + "timestamptz NOT NULL)",
                ],
                cancellationToken);
        }

        var left = await session.RowsAsync(
            new SqlQuery(
                """
                SELECT d.datname::text FROM pg_catalog.pg_database d
                WHERE pg_catalog.starts_with(d.datname::text, $1) OR (pg_catalog.starts_with(d.datname::text, $2)
                    AND NOT EXISTS (SELECT FROM public.replay_templates t WHERE t.name = d.datname::text))
                """,
                CopyPrefix, Prefix),
            row => row.GetString(0),
            cancellationToken);
        foreach (var name in left)
        {
            await TryDropAsync(name, cancellationToken);
        }
    }

    /// <summary>Finds the template of the last key, or builds it: from the longest beginning that there is one for.</summary>
    /// <param name="keys">The keys of the first none, one, two … of what is built; the template of none is PostgreSQL's own.</param>
    /// <param name="build">Brings a database that has so many of them to the end.</param>
    /// <param name="cancellationToken">Ends it; what is half made is dropped.</param>
    internal async Task<ReplayTemplate> GetAsync(
        IReadOnlyList<string> keys, Func<ThrowAwayDatabase, int, Task> build, CancellationToken cancellationToken)
    {
        if (await FindAsync(keys, cancellationToken) is { } found)
        {
            return found;
        }

        await using var key = await LockAsync(keys[^1], cancellationToken);
        if (await FindAsync(keys, cancellationToken) is { } builtMeanwhile)
        {
            return builtMeanwhile;
        }

        var (database, done) = await CopyLongestAsync(keys, cancellationToken);
        try
        {
            await build(database, done);
            return await KeepAsync(database, keys[^1], cancellationToken);
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    /// <summary>Whether a copy failed because its template is gone by now.</summary>
    internal static bool IsGone(ProblemException e) => e.Problems is [{ Kind: ProblemKind.NoDatabase }]
        || e.GetBaseException() is PostgresException { SqlState: PostgresErrorCodes.InvalidCatalogName };

    /// <summary>Notes that a template is used: the least used go first.</summary>
    internal Task UseAsync(string template, CancellationToken cancellationToken) => session.WriteAsync(
        [new SqlQuery("UPDATE public.replay_templates SET used_at = pg_catalog.now() WHERE name = $1", template)], cancellationToken);

    private async Task<ReplayTemplate?> FindAsync(IReadOnlyList<string> keys, CancellationToken cancellationToken) =>
        keys.Count == 1 ? new ReplayTemplate(Empty, []) : (await FindTemplatesAsync([keys[^1]], cancellationToken)).FirstOrDefault();

    /// <summary>Waits until nobody else builds what has this key.</summary>
    private async Task<IAsyncDisposable> LockAsync(string key, CancellationToken cancellationToken)
    {
        var name = Prefix + key;
        await session.ScalarAsync<int>(new SqlQuery($"SELECT 1 FROM pg_catalog.pg_advisory_lock({LockOfName})", name), cancellationToken);
        return new Unlock(this, name);
    }

    /// <summary>A copy of the template of the longest beginning that there is one for; an empty database where there is none.</summary>
    /// <param name="keys">The keys of the first none, one, two … of the migrations.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The copy, and how many migrations it has.</returns>
    private async Task<(ThrowAwayDatabase Database, int Done)> CopyLongestAsync(IReadOnlyList<string> keys,
        CancellationToken cancellationToken)
    {
        while (true)
        {
            var found = await FindTemplatesAsync(keys, cancellationToken);
            var done = keys.Count - 1;
            while (done > 0 && !found.Exists(template => template.Name == Prefix + keys[done]))
            {
                done--;
            }

            var template = found.Find(template => template.Name == Prefix + keys[done]);
            if (await TryCopyAsync(template ?? new ReplayTemplate(Empty, []), cancellationToken) is { } copy)
            {
                return (copy, template is null ? 0 : done);
            }
        }
    }

    private Task<List<ReplayTemplate>> FindTemplatesAsync(IReadOnlyList<string> keys, CancellationToken cancellationToken) =>
        session.RowsAsync(
            new SqlQuery(
                """
                SELECT t.name, t.missing FROM public.replay_templates t
                JOIN pg_catalog.pg_database d ON d.datname::text = t.name WHERE t.name = ANY ($1)
                """,
                (object)keys.Select(key => Prefix + key).ToArray()),
            row => new ReplayTemplate(row.GetString(0), row.GetFieldValue<string[]>(1)),
            cancellationToken);

    /// <summary>Keeps a database as the template of a key.</summary>
    private async Task<ReplayTemplate> KeepAsync(ThrowAwayDatabase database, string key, CancellationToken cancellationToken)
    {
        var (name, template) = (database.Database.Url.DatabaseName!, Prefix + key);
        await session.CommandAsync($"DROP DATABASE IF EXISTS {template}", cancellationToken);
        await session.CommandAsync($"ALTER DATABASE {name} ALLOW_CONNECTIONS false", cancellationToken);
        await session.CommandAsync($"ALTER DATABASE {name} RENAME TO {template}", cancellationToken);
        await session.WriteAsync(
            [
                new SqlQuery(
                    """
                    INSERT INTO public.replay_templates VALUES ($1, $2, pg_catalog.now())
                    ON CONFLICT (name) DO UPDATE SET missing = excluded.missing, used_at = excluded.used_at
                    """,
                    template, database.Missing.ToArray()),
            ],
            cancellationToken);
        await DropLeastUsedAsync(template, cancellationToken);
        return new ReplayTemplate(template, database.Missing);
    }

    /// <summary>Copies a template; null where it is gone by now.</summary>
    internal async Task<ThrowAwayDatabase?> TryCopyAsync(ReplayTemplate of, CancellationToken cancellationToken)
    {
        var (template, missing) = of;
        var copy = $"{CopyPrefix}{Guid.NewGuid():N}";
        await session.ScalarAsync<int>(new SqlQuery($"SELECT 1 FROM pg_catalog.pg_advisory_lock({LockOfName})", copy), cancellationToken);
        if (template == Empty)
        {
            await session.CommandAsync(
                $"CREATE DATABASE {copy} TEMPLATE {Empty}{(session.ServerVersion >= 150000 ? " STRATEGY FILE_COPY" : "")}",
                    cancellationToken);
            return ThrowAwayDatabase.Kept(server, copy, session, missing);
        }

        var copies = new DatabaseCopy(session);
        try
        {
            var comment = await copies.CommentAsync(template, cancellationToken);
            await copies.MakeAsync(
                template, copy, comment, isOpen: true, endSessions: false, cancellationToken, copyFiles: session.ServerVersion >= 150000);
        }
        catch (ProblemException e) when (IsGone(e))
        {
            return null;
        }

        await UseAsync(template, cancellationToken);
        return ThrowAwayDatabase.Kept(server, copy, session, missing);
    }

    private async Task DropLeastUsedAsync(string newest, CancellationToken cancellationToken)
    {
        var templates = await session.RowsAsync(
            """
            SELECT t.name, pg_catalog.pg_database_size(d.oid) FROM public.replay_templates t
            JOIN pg_catalog.pg_database d ON d.datname::text = t.name ORDER BY t.used_at DESC
            """,
            row => (Name: row.GetString(0), Bytes: row.GetInt64(1)),
            cancellationToken);
        var bytes = 0L;
        for (var i = 0; i < templates.Count; i++)
        {
            bytes += templates[i].Bytes;
            if ((i >= MostTemplates || bytes > MostBytes) && templates[i].Name != newest)
            {
                await session.WriteAsync([new SqlQuery("DELETE FROM public.replay_templates WHERE name = $1", templates[i].Name)],
                    cancellationToken);
                await TryDropAsync(templates[i].Name, cancellationToken);
            }
        }
    }

    /// <summary>Drops a database that nobody is at.</summary>
    private async Task TryDropAsync(string name, CancellationToken cancellationToken)
    {
        if (await session.ScalarAsync<bool>(new SqlQuery($"SELECT pg_catalog.pg_try_advisory_lock({LockOfName})", name), cancellationToken))
        {
            await using var held = new Unlock(this, name);
            await session.CommandAsync($"DROP DATABASE IF EXISTS {SqlIdentifier.Quote(name)} WITH (FORCE)", cancellationToken);
        }
    }

    /// <summary>Gives a lock back; a session that is gone has given all back.</summary>
    private sealed class Unlock(ReplayTemplates templates, string name) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            if (templates.Session.IsOpen)
            {
                await templates.Session.ScalarAsync<bool>(
                    new SqlQuery($"SELECT pg_catalog.pg_advisory_unlock({LockOfName})", name), CancellationToken.None);
            }
        }
    }

    internal Session Session => session;

    internal DatabaseUrl Server => server;
}
