namespace ChatGenius.Db.Connections;

/// <summary>
/// Reads tables that are others'. A view that has taken a table's place would run what its owner has put into it, with the rights of
/// whoever reads (CVE-2024-7348). So a table is locked before anything is looked at, and read only if it still is one under that lock.
/// </summary>
internal static class OthersTables
{
    /// <summary>The commands with which a transaction begins that reads tables by name.</summary>
    /// <param name="serverVersion">See <see cref="Session.ServerVersion"/>.</param>
    /// <param name="tables">As LOCK TABLE takes them.</param>
    internal static SqlQuery[] Lock(int serverVersion, IEnumerable<string> tables) =>
        [.. Restrict(serverVersion), $"LOCK TABLE {string.Join(", ", tables)} IN ACCESS SHARE MODE"];

    /// <summary>The rows of a query over one table; it fails with 22P02 where the name is no table's any more.</summary>
    /// <param name="session">Where; the query is a transaction of its own.</param>
    /// <param name="table">Its qualified name.</param>
    /// <param name="only">Whether the query leaves the table's children out.</param>
    /// <param name="query">What is asked.</param>
    /// <param name="row">Reads a row.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    internal static Task<List<T>> RowsAsync<T>(
        Session session, string table, bool only, SqlQuery query, Func<Npgsql.NpgsqlDataReader, T> row,
        CancellationToken cancellationToken) => session.ReadAsync(
        [
            .. Lock(session.ServerVersion, [(only ? "ONLY " : "") + table]),
            new SqlQuery(
                """
                SELECT CASE WHEN c.relkind IN ('r', 'p') THEN 0
                    ELSE pg_catalog.concat('no table any more: ', c.relname)::pg_catalog.int4 END
                FROM pg_catalog.pg_class c WHERE c.oid = $1::pg_catalog.regclass
                """,
                table),
            query,
        ],
        async reader =>
        {
            await reader.NextResultAsync(cancellationToken);
            return await Session.ResultAsync(reader, row, cancellationToken);
        },
        cancellationToken);

    /// <summary>The rows of a query over a materialized view, which can't be locked by name.</summary>
    /// <returns>Null where this server can't keep a view out that has taken its place.</returns>
    internal static async Task<List<T>?> RowsOfMaterializedViewAsync<T>(
        Session session, SqlQuery query, Func<Npgsql.NpgsqlDataReader, T> row, CancellationToken cancellationToken) =>
        Restrict(session.ServerVersion) is [var restrict]
            ? await session.ReadAsync([restrict, query], reader => Session.ResultAsync(reader, row, cancellationToken), cancellationToken)
            : null;

    /// <summary>Every release from August 2024 on refuses views when it is asked to.</summary>
    internal static SqlQuery[] Restrict(int version) => (version / 10000, version % 10000) switch
    {
        ( >= 17, _) or (16, >= 4) or (15, >= 8) or (14, >= 13) or (13, >= 16) or (12, >= 20) =>
            ["SET LOCAL restrict_nonsystem_relation_kind = 'view, foreign-table'"],
        _ => [],
    };
}
