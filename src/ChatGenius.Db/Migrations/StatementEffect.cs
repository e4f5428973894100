using ChatGenius.Db.Connections;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Migrations;

/// <summary>Finds in the catalog whether a statement that runs outside transactions has done its work, and clears away what a broken-off
/// one left.</summary>
internal sealed class StatementEffect(NpgsqlConnection connection, SqlStatement statement, StatementKind kind, MigrationStep step)
{
    /// <summary>Prepares the statement's run, or finds that it needs none.</summary>
    /// <param name="begun">Whether an earlier run has begun this statement, so that what is found may be its work.</param>
    /// <param name="cancellationToken">Cancels the wait for the server.</param>
    /// <returns>Why the statement needs no run; <c>null</c> if it does.</returns>
    /// <exception cref="ProblemException">CG0507: it was begun, and nothing tells whether it was done.</exception>
    internal async Task<string?> PrepareAsync(bool begun, CancellationToken cancellationToken)
    {
        switch (kind.Mode)
        {
            case StatementMode.CreateIndex when kind.Index.Length > 0:
                return await PrepareCreateIndexAsync(begun, cancellationToken);
            case StatementMode.DropIndex when begun && kind.Index.Length > 0:
                return await ScalarAsync("SELECT pg_catalog.to_regclass($1) IS NULL", [kind.Index], cancellationToken) is true
                    ? $"the index {kind.Index} is gone"
                    : null;
            case StatementMode.DetachPartition when begun:
                return await PrepareDetachAsync(cancellationToken);
            case StatementMode.Reindex when begun:
                await DropLeftOversAsync(cancellationToken);
                return null;
            case StatementMode.CreateIndex when begun:
            case StatementMode.Opaque when begun && !step.Section.Repeatable:
                throw new ProblemException(
                    "CG0507", "A run was interrupted in this statement, and nothing in the database tells whether its work is done",
                    statement.Location,
                    $"Find out, and tell the journal: {new ToolCall("repair", $"{step.Version}", "--done")} if it is, "
                    + $"{new ToolCall("repair", $"{step.Version}", "--again")} if it may run again. "
                    + "Where it always may, its section can say so: transaction:false repeatable:true.");
            default:
                return null;
        }
    }

    /// <summary>
    /// An index that is there and valid counts as built, if it was begun by us. One that is there and invalid is what a broken-off
    /// build left, and IF NOT EXISTS would hide it for ever: it is dropped and built anew. While somebody is building it right now, nobody
    /// can tell which of the two it will be. PostgreSQL: CREATE INDEX, Building Indexes Concurrently.
    /// </summary>
    private async Task<string?> PrepareCreateIndexAsync(bool begun, CancellationToken cancellationToken)
    {
        const string Find =
            """
            SELECT CASE WHEN i.indisvalid THEN ''
                WHEN EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p
                             WHERE p.index_relid OPERATOR(pg_catalog.=) c.oid) THEN '?'
                ELSE pg_catalog.format('%I.%I', n.nspname, c.relname) END
            FROM pg_catalog.pg_class t
            JOIN pg_catalog.pg_index i ON i.indrelid OPERATOR(pg_catalog.=) t.oid
            JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
            JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
            WHERE t.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)::pg_catalog.oid
              AND c.relname OPERATOR(pg_catalog.=) (pg_catalog.parse_ident($2))[1]::pg_catalog.name
            """;
        object? found;
        while ((found = await ScalarAsync(Find, [kind.Table, kind.Index], cancellationToken)) is "?")
        {
            await Task.Delay(200, cancellationToken);
        }

        switch (found)
        {
            case "":
                return begun ? $"the index {kind.Index} is there and valid" : null;
            case string invalid:
                await ExecuteAsync($"DROP INDEX CONCURRENTLY IF EXISTS {invalid}", cancellationToken);
                return null;
            default:
                return null;
        }
    }

    /// <summary>
    /// Detaching notes its intention, waits for those who use the partition, and ends with a second transaction; what stopped in between
    /// has to be finalized. PostgreSQL: ALTER TABLE, DETACH PARTITION.
    /// </summary>
    private async Task<string?> PrepareDetachAsync(CancellationToken cancellationToken)
    {
        const string Find =
            """
            SELECT inhdetachpending FROM pg_catalog.pg_inherits
            WHERE inhparent OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)::pg_catalog.oid
              AND inhrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($2)::pg_catalog.oid
            """;
        switch (await ScalarAsync(Find, [kind.Table, kind.Index], cancellationToken))
        {
            case true:
                await ExecuteAsync($"ALTER TABLE {kind.Table} DETACH PARTITION {kind.Index} FINALIZE", cancellationToken);
                return $"the partition {kind.Index} was being detached, which is finished now";
            case false:
                return null;
            default:
                return $"the partition {kind.Index} is detached";
        }
    }

    /// <summary>Drops the transient indexes of a REINDEX CONCURRENTLY that did not end. PostgreSQL: REINDEX, Rebuilding Indexes
    /// Concurrently.</summary>
    private async Task DropLeftOversAsync(CancellationToken cancellationToken)
    {
        const string Find =
            """
            SELECT pg_catalog.array_agg(pg_catalog.format('%I.%I', n.nspname, c.relname))
            FROM pg_catalog.pg_index i
            JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
            JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
            WHERE NOT i.indisvalid AND c.relname OPERATOR(pg_catalog.~) '_cc(new|old)[0-9]*$'
              AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p WHERE p.relid OPERATOR(pg_catalog.=) i.indrelid)
            """;
        if (await ScalarAsync(Find, [], cancellationToken) is string[] names)
        {
            foreach (var name in names)
            {
                await ExecuteAsync($"DROP INDEX CONCURRENTLY IF EXISTS {name}", cancellationToken);
            }
        }
    }

    /// <summary>The migration's own search_path finds the names as it wrote them; so all else is qualified, to the last operator.</summary>
    private async Task<object?> ScalarAsync(string sql, string[] parameters, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { new SqlQuery(sql, [.. parameters]).ToCommand() } };
        return await batch.ExecuteScalarAsync(cancellationToken);
    }

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { new NpgsqlBatchCommand(sql) } };
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }
}
