using ChatGenius.Db.Connections;
using ChatGenius.Db.Sql;
using Npgsql;
namespace ChatGenius.Db.Safety;

/// <summary>Copies a database's rows into a throw-away database of the same schema.</summary>
internal static class RowCopy
{
    /// <summary>
    /// Copies every table that both have with the same columns, as one snapshot and all rows: a part of them would break foreign keys that
    /// hold. Triggers and foreign keys rest meanwhile, so that the order of the tables doesn't matter.
    /// </summary>
    /// <exception cref="ProblemException">CG06xx: no connection; CG1211: a table can't be read or written.</exception>
    internal static async Task RunAsync(Database source, Tracer tracer, IProgress<string>? detail, CancellationToken cancellationToken)
    {
        await tracer.RefreshAsync(cancellationToken);
        await using var from = await source.ConnectAsync(cancellationToken);
        await ExecuteAsync(from, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", cancellationToken);
        await tracer.ReadAsync(
            async (to, token) =>
            {
                await CopyAllAsync(from, to, tracer.Catalog, detail, token);
                return true;
            },
            cancellationToken);
        await tracer.RefreshAsync(cancellationToken);
    }

    private static async Task CopyAllAsync(NpgsqlConnection from, NpgsqlConnection to, Catalog catalog, IProgress<string>? detail,
        CancellationToken cancellationToken)
    {
        try
        {
            await ExecuteAsync(to, "BEGIN; SET LOCAL session_replication_role = replica", cancellationToken);
            foreach (var table in catalog.Relations.Values.Where(relation => relation.Kind == 'r')
                .OrderBy(relation => relation.Display, StringComparer.Ordinal))
            {
                var columns = string.Join(", ",
                    catalog.ColumnsOf(table.Oid).Where(column => column.Generated is null)
                    .Select(column => SqlIdentifier.Quote(column.Name)));
                var name = SqlIdentifier.Quote(table.Schema, table.Name);
                if (columns.Length > 0 && await HasAsync(from, table, catalog, cancellationToken))
                {
                    detail?.Report($"Copying {table.Display}");
                    await ExecuteAsync(to, $"DELETE FROM ONLY {name}", cancellationToken);
                    await CopyAsync(from, to, name, columns, cancellationToken);
                }
            }

            await ExecuteAsync(to, "COMMIT; ANALYZE", cancellationToken);
        }
        catch (PostgresException e)
        {
            throw new ProblemException("CG1211", $"The rows can't be copied: {e.MessageText} ({e.SqlState})",
                    advice: "The role needs to read every table of the target, and to be a superuser on the shadow server; or take "
                    + "--made-up instead.", cause: e);
        }
    }

    private static async Task<bool> HasAsync(NpgsqlConnection from, Relation table, Catalog catalog, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped", from)
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = SqlIdentifier.Quote(table.Schema, table.Name) } },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellationToken))
        {
            names.Add(reader.GetString(0));
        }

        return catalog.ColumnsOf(table.Oid).Where(column => column.Generated is null).All(column => names.Contains(column.Name));
    }

    private static async Task CopyAsync(NpgsqlConnection from, NpgsqlConnection to, string table, string columns,
        CancellationToken cancellationToken)
    {
        await using var source = await from.BeginRawBinaryCopyAsync($"COPY (SELECT {columns} FROM ONLY {table}) TO STDOUT (FORMAT binary)",
            cancellationToken);
        await using var destination =
            await to.BeginRawBinaryCopyAsync($"COPY {table} ({columns}) FROM STDIN (FORMAT binary)", cancellationToken);
        await source.CopyToAsync(destination, cancellationToken);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
