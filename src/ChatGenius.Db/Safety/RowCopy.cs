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
    /// <exception cref="ProblemException">CG06xx: no connection, or one of the two servers refuses; CG1211: the rows can't be
    /// copied.</exception>
    internal static async Task RunAsync(Database source, Tracer tracer, IProgress<string>? detail, CancellationToken cancellationToken)
    {
        await tracer.RefreshAsync(cancellationToken);
        await using var from = await Session.OpenAsync(source, "reading the rows", cancellationToken);
        try
        {
            await tracer.ReadAsync((to, token) => CopyAllAsync(from, to, tracer.Catalog, detail, token), cancellationToken);
        }
        catch (ProblemException e) when (e.Problems is [{ Code: "CG0634" or "CG0640" } refused])
        {
            throw new ProblemException(
                "CG1211", refused.Message,
                advice: "The role needs to read every table of the target, and to be a superuser on the shadow server; "
                + "or take --made-up instead.",
                cause: e);
        }

        await tracer.RefreshAsync(cancellationToken);
    }

    private static async Task<bool> CopyAllAsync(
        Session from, Session to, Catalog catalog, IProgress<string>? detail, CancellationToken cancellationToken)
    {
        var there = await TablesAsync(from, cancellationToken);
        var tables = catalog.Relations.Values.Where(relation => relation.Kind == 'r' && Columns(catalog, relation).Count > 0)
            .Where(relation => there.TryGetValue((relation.Schema, relation.Name), out var columns)
                && columns.IsSupersetOf(Columns(catalog, relation)))
            .OrderBy(relation => relation.Display, StringComparer.Ordinal).ToList();
        if (tables.Count == 0)
        {
            return true;
        }

        await to.TransactionAsync(writes: true, () => from.TransactionAsync(writes: false, async () =>
        {
            await LockAsync(from, tables, cancellationToken);

            // Conditions and domains of the migrations may need their names; the database is nobody's.
            await to.WriteAsync(["SET LOCAL session_replication_role = replica", "SET LOCAL search_path TO DEFAULT"], cancellationToken);
            foreach (var table in tables)
            {
                detail?.Report($"Copying {table.Display}");
                var columns = string.Join(", ", Columns(catalog, table).Select(SqlIdentifier.Quote));
                await to.WriteAsync([$"DELETE FROM ONLY {Name(table)}"], cancellationToken);
                await from.CopyAsync(
                    $"COPY (SELECT {columns} FROM ONLY {Name(table)}) TO STDOUT (FORMAT binary)",
                    to,
                    $"COPY {Name(table)} ({columns}) FROM STDIN (FORMAT binary)",
                    cancellationToken);
            }

            return true;
        }, cancellationToken), cancellationToken);
        await to.CommandAsync("ANALYZE", cancellationToken);
        return true;
    }

    /// <summary>Locks the tables before anything is looked at, and looks what they are then.</summary>
    private static async Task LockAsync(Session from, List<Relation> tables, CancellationToken cancellationToken)
    {
        var locks = OthersTables.Lock(from.ServerVersion, tables.Select(table => "ONLY " + Name(table)));
        var kinds = await from.ReadAsync([.. locks, Tables], reader => ReadTablesAsync(reader, cancellationToken), cancellationToken);
        if (tables.Find(table => !kinds.ContainsKey((table.Schema, table.Name))) is { } other)
        {
            throw new ProblemException(
                "CG1211", $"{other.Display} is not a table any more: its rows are not copied",
                    advice: "Look who changed it, and run the command again.");
        }
    }

    /// <summary>The ordinary tables, with the names of their columns.</summary>
    private const string Tables =
        """
        SELECT n.nspname::text, c.relname::text,
               ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
        """;

    private static Task<Dictionary<(string, string), HashSet<string>>> TablesAsync(Session from, CancellationToken cancellationToken) =>
        from.ReadAsync([Tables], reader => ReadTablesAsync(reader, cancellationToken), cancellationToken);

    private static async Task<Dictionary<(string, string),
        HashSet<string>>> ReadTablesAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        var tables = await Session.ResultAsync(
            reader, row => ((row.GetString(0), row.GetString(1)), row.GetFieldValue<string[]>(2).ToHashSet(StringComparer.Ordinal)),
                cancellationToken);
        return tables.ToDictionary(table => table.Item1, table => table.Item2);
    }

    private static List<string> Columns(Catalog catalog, Relation table) =>
        [.. catalog.ColumnsOf(table.Oid).Where(column => column.Generated is null).Select(column => column.Name)];

    private static string Name(Relation table) => SqlIdentifier.Quote(table.Schema, table.Name);
}
