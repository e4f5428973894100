using ChatGenius.Db.Connections;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Server;

/// <summary>Copies, swaps and drops databases on one server, from a connection to none of them.</summary>
internal sealed class DatabaseCopy(Session session)
{
    /// <summary>Applications connect again as soon as their sessions are ended: who is in between our two statements is ended once
    /// more.</summary>
    private const int Attempts = 5;

    /// <summary>
    /// What belongs to a database and lies outside of it, so that a template doesn't carry it over (CREATE DATABASE, Notes): its limit,
    /// its privileges, its settings. A setting that is a list can't be written as one constant; it goes through the session instead.
    /// </summary>
    private const string PropertyStatements =
        """
        WITH source AS (
            SELECT d.*, pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(d.datdba)) AS owner
            FROM pg_catalog.pg_database d WHERE d.datname = $1
        ), setting AS (
            SELECT pg_catalog.split_part(entry, '=', 1) AS name,
                   pg_catalog.substr(entry, pg_catalog.strpos(entry, '=') + 1) AS value,
                   CASE s.setrole WHEN 0 THEN pg_catalog.format('ALTER DATABASE %I', $2::text)
                        ELSE pg_catalog.format('ALTER ROLE %I IN DATABASE %I', pg_catalog.pg_get_userbyid(s.setrole), $2::text)
                   END AS whose,
                   s.setrole, n
            FROM source JOIN pg_catalog.pg_db_role_setting s ON s.setdatabase = source.oid
            CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) WITH ORDINALITY AS entries(entry, n)
        )
        SELECT statement FROM (
            SELECT 1 AS place, 0::oid AS setrole, 0::bigint AS n,
                   pg_catalog.format('ALTER DATABASE %I CONNECTION LIMIT %s', $2::text, datconnlimit) AS statement
            FROM source WHERE datconnlimit > -1
            UNION ALL
            SELECT 2, 0, 0, pg_catalog.format('REVOKE ALL ON DATABASE %I FROM PUBLIC, %s', $2::text, owner)
            FROM source WHERE datacl IS NOT NULL
            UNION ALL
            SELECT 3, 0, a.n, pg_catalog.format('GRANT %s ON DATABASE %I TO %s%s', a.privilege_type, $2::text,
                CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END,
                CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
            FROM source
            CROSS JOIN LATERAL pg_catalog.aclexplode(datacl) WITH ORDINALITY AS a(grantor, grantee, privilege_type, is_grantable, n)
            UNION ALL
            SELECT 4, setrole, 2 * n, pg_catalog.format('SELECT pg_catalog.set_config(%L, %L, true)', name, value)
            FROM setting WHERE name = ANY ($3)
            UNION ALL
            SELECT 4, setrole, 2 * n + 1,
                CASE WHEN name = ANY ($3) THEN pg_catalog.format('%s SET %I FROM CURRENT', whose, name)
                     ELSE pg_catalog.format('%s SET %I TO %L', whose, name, value) END
            FROM setting
        ) statements ORDER BY place, setrole, n
        """;

    /// <summary>The settings that are lists of names (<c>variable_is_guc_list_quote</c> in <c>src/bin/pg_dump/dumputils.c</c>).</summary>
    private static readonly string[] Lists = ["local_preload_libraries", "search_path", "session_preload_libraries", "temp_tablespaces"];

    /// <summary>Whether what is half made can still be taken away.</summary>
    public bool IsConnected => session.IsOpen;

    /// <summary>The sessions that use a database, in words.</summary>
    public async Task<IReadOnlyList<string>> SessionsAsync(string database, CancellationToken cancellationToken) => await QueryAsync(
        """
        SELECT pg_catalog.concat_ws(', ', 'pid ' || pid, nullif(application_name, ''), usename, pg_catalog.host(client_addr))
        FROM pg_catalog.pg_stat_activity WHERE datname = $1 AND backend_type IS DISTINCT FROM 'autovacuum worker' ORDER BY pid
        """,
        [database],
        cancellationToken);

    /// <summary>A database's comment; null where it has none.</summary>
    /// <exception cref="ProblemException">CG1314: there is no such database.</exception>
    public async Task<string?> CommentAsync(string database, CancellationToken cancellationToken)
    {
        var found = await QueryAsync(
            "SELECT coalesce(pg_catalog.shobj_description(oid, 'pg_database'), '') FROM pg_catalog.pg_database WHERE datname = $1",
                [database], cancellationToken);
        return found is not [var comment]
            ? throw Missing(database)
            : comment.Length == 0 ? null : comment;
    }

    /// <summary>Copies a database with all that belongs to it. A copy of this name that was never finished is dropped first.</summary>
    /// <param name="source">The database to copy.</param>
    /// <param name="target">The copy, which only now gets this name.</param>
    /// <param name="comment">The copy's comment.</param>
    /// <param name="isOpen">Whether the copy takes connections.</param>
    /// <param name="endSessions">Whether the sessions that use the source may be ended.</param>
    /// <param name="cancellationToken">Ends the copying; the copy is taken away.</param>
    /// <exception cref="ProblemException">CG1313: sessions use the source; CG1314: the server refuses.</exception>
    public async Task MakeAsync(string source, string target, string? comment, bool isOpen, bool endSessions,
        CancellationToken cancellationToken)
    {
        await DropAsync(target, cancellationToken);
        var owner = await QueryAsync(
            "SELECT pg_catalog.pg_get_userbyid(datdba)::text FROM pg_catalog.pg_database WHERE datname = $1", [source], cancellationToken);
        var create = Create(source, owner is [var name] ? name : throw Missing(source), target);
        await AloneAsync(source, endSessions, "copied", () => session.CommandAsync(create, cancellationToken), cancellationToken);
        try
        {
            await session.WriteAsync(
                [.. await PropertiesAsync(source, target, cancellationToken), .. Finish(target, comment, isOpen)], cancellationToken);
        }
        catch (Exception e) when (IsConnected)
        {
            await DropAsync(target, CancellationToken.None);
            throw e.InnerException is PostgresException refused && !cancellationToken.IsCancellationRequested
                ? Refused(source, "copied", refused) : e;
        }
    }

    /// <summary>The statement that copies a database; nobody gets in before the source's privileges are the copy's.</summary>
    internal static string Create(string source, string owner, string target) =>
        $"CREATE DATABASE {SqlIdentifier.Quote(target)} TEMPLATE {SqlIdentifier.Quote(source)} OWNER {SqlIdentifier.Quote(owner)}"
        + " ALLOW_CONNECTIONS false";

    /// <summary>The statements that give a copy what belongs to its source and lies outside of it.</summary>
    internal async Task<IEnumerable<SqlQuery>> PropertiesAsync(string source, string target, CancellationToken cancellationToken) =>
        (await QueryAsync(PropertyStatements, [source, target, Lists], cancellationToken)).Select(text => (SqlQuery)text);

    /// <summary>The statements that give a copy its comment, and open it.</summary>
    internal static IEnumerable<SqlQuery> Finish(string target, string? comment, bool isOpen)
    {
        var name = SqlIdentifier.Quote(target);
        yield return $"COMMENT ON DATABASE {name} IS {(comment is null ? "NULL" : SqlLiteral.Quote(comment))}";
        if (isOpen)
        {
            yield return $"ALTER DATABASE {name} ALLOW_CONNECTIONS true";
        }
    }

    /// <summary>Puts one database into the place of another, which gets a third name; both or neither. The other need not be
    /// there.</summary>
    /// <exception cref="ProblemException">CG1313: sessions use the database; CG1314: the server refuses.</exception>
    public async Task SwapAsync(string database, string fresh, string replaced, bool endSessions, CancellationToken cancellationToken)
    {
        var isThere = (await QueryAsync("SELECT 'x' FROM pg_catalog.pg_database WHERE datname = $1", [database],
            cancellationToken)).Count > 0;
        string[] renames =
        [
            .. isThere ? [$"ALTER DATABASE {SqlIdentifier.Quote(database)} RENAME TO {SqlIdentifier.Quote(replaced)}"]
                : Array.Empty<string>(),
            $"ALTER DATABASE {SqlIdentifier.Quote(fresh)} RENAME TO {SqlIdentifier.Quote(database)}",
        ];
        await AloneAsync(
            database, endSessions, "put back", () =>
                session.WriteAsync([.. renames.Select(text => (SqlQuery)text)], cancellationToken), cancellationToken);
    }

    /// <summary>Drops a database of ours where it is there.</summary>
    /// <exception cref="ProblemException">CG1314: the server refuses.</exception>
    public async Task DropAsync(string database, CancellationToken cancellationToken)
    {
        try
        {
            await session.CommandAsync($"DROP DATABASE IF EXISTS {SqlIdentifier.Quote(database)}", cancellationToken);
        }
        catch (ProblemException e) when (e.InnerException is PostgresException refused)
        {
            throw Refused(database, "dropped", refused);
        }
    }

    /// <summary>Does what needs a database that nobody uses.</summary>
    private async Task AloneAsync(string database, bool endSessions, string done, Func<Task> act, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                if (endSessions)
                {
                    await QueryAsync(
                        """
                        SELECT pg_catalog.pg_terminate_backend(pid)::text FROM pg_catalog.pg_stat_activity
                        WHERE datname = $1 AND backend_type IS DISTINCT FROM 'autovacuum worker'
                        """,
                        [database],
                        cancellationToken);
                }

                await act();
                return;
            }
            catch (ProblemException e) when (e.InnerException is PostgresException { SqlState: PostgresErrorCodes.ObjectInUse } used)
            {
                if (!endSessions || attempt == Attempts)
                {
                    throw new ProblemException(
                        "CG1313",
                        $"The database {SqlIdentifier.Quote(database)} can't be {done} while it is used: {used.Detail ?? used.MessageText}",
                        advice: "Stop what uses it, and try again.", cause: e);
                }
            }
            catch (ProblemException e) when (e.InnerException is PostgresException refused)
            {
                throw Refused(database, done, refused);
            }
        }
    }

    private static ProblemException Missing(string database) => new(
        "CG1314", $"There is no database {SqlIdentifier.Quote(database)}", advice: "'chatgenius-db create' makes it.",
        kind: ProblemKind.NoDatabase);

    private static ProblemException Refused(string database, string done, PostgresException e) => new(
        new Problem("CG1314", $"The database {SqlIdentifier.Quote(database)} can't be {done}: {e.MessageText}", Advice: e.SqlState switch
        {
            PostgresErrorCodes.InsufficientPrivilege => "The role needs CREATEDB and has to own the database, or be a superuser.",
            PostgresErrorCodes.DiskFull => DiskFull.Advice,
            _ => e.Hint ?? e.Detail,
        }),
        e);

    private Task<List<string>> QueryAsync(string sql, object[] parameters, CancellationToken cancellationToken) =>
        session.RowsAsync(new SqlQuery(sql, parameters), reader => reader.GetString(0), cancellationToken);
}
