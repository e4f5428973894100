using ChatGenius.Db.Connections;
using ChatGenius.Db.Server;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Replay;

/// <summary>
/// The templates on the private server for throw-away databases. A database gets its template's name only when it is whole, and a template
/// counts only when its row is written; until then, and for every copy, an advisory lock in the maintenance database says that somebody is
/// at it. A lock that nobody holds is a run that was killed: what it left is dropped by the next.
/// </summary>
/// <remarks>
/// To copy takes longer than all else together. So the last thing that a call says is to make a <em>spare</em>, a copy for the next call,
/// and it does not wait for that: who needs a copy renames a spare that is ready, which one of several succeeds in, and copies where none
/// is. A spare is seen only when it is whole, because CREATE DATABASE commits at its end. Its name says which template it is of and which
/// of its few places it has; while it is made, the lock of its name keeps others from making the same. Spares go with their template, when
/// others have been used more lately, and when the template was not used for a day.
/// </remarks>
/// <param name="session">In the maintenance database; the locks are this session's, and end with it.</param>
/// <param name="server">The server.</param>
internal sealed class ReplayTemplates(Session session, DatabaseUrl server)
{
    /// <summary>The least used go first, when there are more, or they are larger together.</summary>
    private const int MostTemplates = 20;

    private const long MostBytes = 2_000_000_000;

    /// <summary>Of so many templates, those that were used last, spares are kept.</summary>
    private const int MostWithSpares = 4;

    private const string Empty = "template0";
    private const string Prefix = "chatgenius_replay_";
    private const string CopyPrefix = "chatgenius_copy_";
    private const string SparePrefix = "chatgenius_spare_";
    private const string LockOfName = "pg_catalog.hashtextextended($1, 0)";

    /// <summary>All databases, with what is noted of those that are templates; the one used last comes first.</summary>
    private const string Databases =
        $"""
        SELECT d.datname::text, pg_catalog.pg_get_userbyid(d.datdba)::text, pg_catalog.shobj_description(d.oid, 'pg_database'),
            d.datconnlimit > -1 OR d.datacl IS NOT NULL
                OR EXISTS (SELECT FROM pg_catalog.pg_db_role_setting s WHERE s.setdatabase = d.oid),
            t.missing, coalesce(t.bytes < 100000000, false), coalesce(t.used_at < pg_catalog.now() - '1 day'::interval, false),
            coalesce({TestDatabases.IsOld}, false)
        FROM pg_catalog.pg_database d LEFT JOIN public.replay_templates t ON t.name = d.datname::text ORDER BY t.used_at DESC NULLS LAST
        """;

    /// <summary>A free place for a spare of the template $1, which nobody else fills now; no row where all are taken, or $2 is
    /// false.</summary>
    private const string PlaceForSpare =
        $"""
        SELECT name AS {SpareMark} FROM (SELECT '{SparePrefix}' || pg_catalog.split_part($1, '_', 3) || '_' || n AS name
            FROM pg_catalog.generate_series(1, 3) AS n) AS places
        WHERE CASE WHEN $2 AND NOT EXISTS (SELECT FROM pg_catalog.pg_database d WHERE d.datname::text = places.name)
            THEN pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended(name, 0)) ELSE false END LIMIT 1
        """;

    private const string SpareMark = "chatgenius_db_spare";

    private List<ReplayTemplate> _found = [];
    private string? _ordered;

    /// <summary>
    /// Asks in one round trip for all that is there, and drops what killed runs left and what is too old; makes the table of templates
    /// where it is not there.
    /// </summary>
    /// <param name="identityQuery">What the server is.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal async Task<string> LookAsync(string identityQuery, CancellationToken cancellationToken)
    {
        // A wait for a lock here is a wait for another run's build.
        session.LockTimeout = TimeSpan.Zero;
        try
        {
            return await LookOnceAsync(identityQuery, cancellationToken);
        }
        catch (ProblemException e) when (e.InnerException is PostgresException
            { SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn })
        {
            await session.WriteAsync(
                [
                    "SELECT pg_catalog.pg_advisory_xact_lock(0)",
                    "CREATE TABLE IF NOT EXISTS public.replay_templates (name text PRIMARY KEY, missing text[] NOT NULL, used_at "
                        + "timestamptz NOT NULL)",
                    // Older tools write rows without it.
                    "ALTER TABLE public.replay_templates ADD COLUMN IF NOT EXISTS bytes int8 NOT NULL DEFAULT 0",
                ],
                cancellationToken);
            return await LookOnceAsync(identityQuery, cancellationToken);
        }
    }

    private async Task<string> LookOnceAsync(string identityQuery, CancellationToken cancellationToken)
    {
        var (identity, now, found) = await session.ReadAsync(
            [$"SELECT ({identityQuery}), {TestDatabases.Now}", Databases],
            async reader =>
            {
                var (identity, now) = (await Session.ResultAsync(reader, row => (row.GetString(0), row.GetInt64(1)), cancellationToken))[0];
                return (identity, now, await Session.ResultAsync(reader, Read, cancellationToken));
            },
            cancellationToken);
        Now = now;
        _found = Templates(found);
        foreach (var left in found.Where(IsLeft))
        {
            await TryDropAsync(left.Template.Name, cancellationToken);
        }

        await TestDatabases.DropOldAsync(
            session, found.Where(one => one.IsOldTest).Select(one => one.Template.Name), cancellationToken);
        return identity;
    }

    /// <summary>What killed runs left, and spares that nobody will need.</summary>
    private bool IsLeft(FoundDatabase one) => one.Template.Name is var name && (name.StartsWith(CopyPrefix, StringComparison.Ordinal)
        || (name.StartsWith(Prefix, StringComparison.Ordinal) && !one.IsTemplate)
        || (name.StartsWith(SparePrefix, StringComparison.Ordinal) && !_found.Exists(template => template.Spares.Contains(name))));

    private static List<ReplayTemplate> Templates(List<FoundDatabase> found) =>
    [
        .. found.Where(one => one.IsTemplate).Select((one, place) => one.Template with
        {
            Spares = one.IsUnused || place >= MostWithSpares ? []
                : [.. found.Select(other => other.Template.Name).Where(name =>
                    name.StartsWith(SparePrefix + one.Template.Name[Prefix.Length..] + "_", StringComparison.Ordinal))],
        }),
    ];

    private static FoundDatabase Read(NpgsqlDataReader row) => new(
        new ReplayTemplate(row.GetString(0), row.IsDBNull(4) ? [] : row.GetFieldValue<string[]>(4))
        {
            Owner = row.GetString(1),
            Comment = row.IsDBNull(2) ? null : row.GetString(2),
            HasProperties = row.GetBoolean(3),
            MayHaveSpares = row.GetBoolean(5),
        },
        IsTemplate: !row.IsDBNull(4), IsUnused: row.GetBoolean(6), IsOldTest: row.GetBoolean(7));

    /// <summary>A database of the server, as it would be copied.</summary>
    private sealed record FoundDatabase(ReplayTemplate Template, bool IsTemplate, bool IsUnused, bool IsOldTest);

    /// <summary>Finds the template of the last key, or builds it: from the longest beginning that there is one for.</summary>
    /// <param name="keys">The keys of the first none, one, two … of what is built; the template of none is PostgreSQL's own.</param>
    /// <param name="build">Brings a database that has so many of them to the end.</param>
    /// <param name="cancellationToken">Ends it; what is half made is dropped.</param>
    internal async Task<ReplayTemplate> GetAsync(
        IReadOnlyList<string> keys, Func<ThrowAwayDatabase, int, Task> build, CancellationToken cancellationToken)
    {
        if (Find(keys) is { } found)
        {
            return found;
        }

        await using var key = await LockAsync(keys[^1], cancellationToken);
        await FindAgainAsync(cancellationToken);
        if (Find(keys) is { } builtMeanwhile)
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

    private ReplayTemplate? Find(IReadOnlyList<string> keys) =>
        keys.Count == 1 ? new ReplayTemplate(Empty, []) : _found.Find(template => template.Name == Prefix + keys[^1]);

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
        for (; ; await FindAgainAsync(cancellationToken))
        {
            var done = keys.Count - 1;
            while (done > 0 && !_found.Exists(template => template.Name == Prefix + keys[done]))
            {
                done--;
            }

            var template = _found.Find(template => template.Name == Prefix + keys[done]);
            if (await TryCopyAsync(template ?? new ReplayTemplate(Empty, []), cancellationToken) is { } copy)
            {
                return (copy, template is null ? 0 : done);
            }
        }
    }

    private async Task FindAgainAsync(CancellationToken cancellationToken) =>
        _found = Templates(await session.RowsAsync(Databases, Read, cancellationToken));

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
                    INSERT INTO public.replay_templates SELECT $1, $2, pg_catalog.now(), pg_catalog.pg_database_size(oid)
                    FROM pg_catalog.pg_database WHERE datname::text = $1
                    ON CONFLICT (name) DO UPDATE SET missing = excluded.missing, used_at = excluded.used_at, bytes = excluded.bytes
                    """,
                    template, database.Missing.ToArray()),
            ],
            cancellationToken);
        await DropLeastUsedAsync(template, cancellationToken);
        await FindAgainAsync(cancellationToken);
        return _found.Find(one => one.Name == template) ?? new ReplayTemplate(template, database.Missing);
    }

    /// <summary>Copies a template; null where it is gone by now.</summary>
    internal async Task<ThrowAwayDatabase?> TryCopyAsync(ReplayTemplate of, CancellationToken cancellationToken)
    {
        var copy = $"{CopyPrefix}{Guid.NewGuid():N}";
        await session.ScalarAsync<int>(new SqlQuery($"SELECT 1 FROM pg_catalog.pg_advisory_lock({LockOfName})", copy), cancellationToken);
        if (of.Name == Empty)
        {
            await session.CommandAsync($"CREATE DATABASE {copy} TEMPLATE {Empty}{Strategy}", cancellationToken);
        }
        else if (!await TryCopyAsync(of, copy, of.Comment, cancellationToken))
        {
            return null;
        }

        return ThrowAwayDatabase.Kept(this, copy, of.Missing);
    }

    /// <summary>Makes a copy of a template, from a spare where one is ready.</summary>
    /// <returns>Whether the template was still there.</returns>
    internal async Task<bool> TryCopyAsync(ReplayTemplate of, string name, string? comment, CancellationToken cancellationToken)
    {
        var properties = of.HasProperties ? await new DatabaseCopy(session).PropertiesAsync(of.Name, name, cancellationToken) : [];
        SqlQuery[] finish =
        [
            .. properties, .. DatabaseCopy.Finish(name, comment, isOpen: true),
            new SqlQuery("UPDATE public.replay_templates SET used_at = pg_catalog.now() WHERE name = $1", of.Name),
            new SqlQuery(PlaceForSpare, of.Name, of.MayHaveSpares),
        ];
        var spares = of.Spares.ToArray();
        System.Random.Shared.Shuffle(spares);
        foreach (var spare in spares)
        {
            try
            {
                await FinishAsync(of, [$"ALTER DATABASE {spare} RENAME TO {name}", .. finish], cancellationToken);
                return true;
            }
            catch (ProblemException e) when (IsGone(e)
                || e.GetBaseException() is PostgresException { SqlState: PostgresErrorCodes.ObjectInUse })
            {
                // Another call has it; or the server's own upkeep is at it.
            }
        }

        try
        {
            await session.CommandAsync(DatabaseCopy.Create(of.Name, of.Owner, name) + Strategy, cancellationToken);
        }
        catch (ProblemException e) when (IsGone(e))
        {
            return false;
        }

        try
        {
            await FinishAsync(of, finish, cancellationToken);
            return true;
        }
        catch when (session.IsOpen)
        {
            await session.CommandAsync($"DROP DATABASE IF EXISTS {name}", CancellationToken.None);
            throw;
        }
    }

    /// <summary>On a server that flushes nothing, to copy files is faster than to write them into the log.</summary>
    private string Strategy => session.ServerVersion >= 150000 ? " STRATEGY FILE_COPY" : "";

    private async Task FinishAsync(ReplayTemplate of, SqlQuery[] statements, CancellationToken cancellationToken) =>
        _ordered = await session.WriteAsync(
            statements,
            async reader =>
            {
                // Settings that are put back give results too.
                while (reader.GetName(0) != SpareMark)
                {
                    await reader.NextResultAsync(cancellationToken);
                }

                return await reader.ReadAsync(cancellationToken) ? DatabaseCopy.Create(of.Name, of.Owner, reader.GetString(0)) + Strategy
                    : null;
            },
            cancellationToken);

    /// <summary>Ends the session, with the order for a spare in the place of what was taken.</summary>
    /// <param name="last">What it does besides, for which nobody waits either: then another session gives the order.</param>
    internal async ValueTask LeaveAsync(string? last = null)
    {
        if ((last ?? _ordered) is not { } command)
        {
            await session.DisposeAsync();
            return;
        }

        session.Leave(command);
        if (last is not null && _ordered is { } order)
        {
            (await Session.OpenAsync(new Database(server), "ordering a copy of a template", CancellationToken.None)).Leave(order);
        }
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

    /// <summary>The second that it is, by the server's clock: another client's may be days ahead.</summary>
    internal long Now { get; private set; }

    internal Session Session => session;

    internal DatabaseUrl Server => server;
}
