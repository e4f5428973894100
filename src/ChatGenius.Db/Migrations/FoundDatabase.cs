using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Migrations;

/// <summary>Tables that somebody else has made.</summary>
/// <param name="Schema">Where, not quoted.</param>
/// <param name="Count">How many; those of extensions and our own don't count.</param>
/// <param name="First">The names of the first few.</param>
internal sealed record FoundTables(string Schema, long Count, IReadOnlyList<string> First);

/// <summary>What is in a database whose history never held a row. To apply migrations there could do again what was done.</summary>
/// <param name="DefaultSchema">Where search_path would create tables; empty where nowhere.</param>
/// <param name="Tables">By schema.</param>
/// <param name="Tools">The histories of other tools.</param>
internal sealed record FoundDatabase(string DefaultSchema, IReadOnlyList<FoundTables> Tables, IReadOnlyList<ToolHistory> Tools)
{
    private const string SchemaSetting = "chatgenius_db.default_schema";

    /// <summary>Looks, in one reading; where another tool is found, its table is read as well.</summary>
    /// <param name="read">Runs queries and reads their results, after what has to come before them.</param>
    /// <param name="historySchema">The schema of our own tables, not quoted.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    internal static Task<(string Default, List<FoundTables> Tables, List<ToolTable?> Tools)> ReadAsync(
        Func<IReadOnlyList<SqlQuery>, Func<NpgsqlDataReader, Task<(string, List<FoundTables>, List<ToolTable?>)>>,
            Task<(string, List<FoundTables>, List<ToolTable?>)>> read,
        string historySchema, CancellationToken cancellationToken) => read(
        [
            // Each migration begins with this search_path, and with nothing else of ours.
            "SET LOCAL search_path TO DEFAULT",
            $"SELECT pg_catalog.set_config('{SchemaSetting}', coalesce(pg_catalog.current_schema()::pg_catalog.text, ''), true)",
            "SET LOCAL search_path = pg_catalog, pg_temp",
            new SqlQuery(
                """
                SELECT n.nspname::text, count(*), (array_agg(c.relname::text ORDER BY c.relname))[1:3]
                FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
                    AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
                    AND NOT (n.nspname = $1 AND c.relname = ANY ($2::text[]))
                    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                        AND d.deptype = 'e')
                GROUP BY n.nspname ORDER BY n.nspname
                """,
                historySchema, HistoryTables.Names.ToArray()),
            ToolHistory.Find,
        ],
        async reader =>
        {
            var schema = (await Session.ResultAsync(reader, row => row.GetString(0), cancellationToken))[0];
            var tables = await Session.ResultAsync(
                reader, row => new FoundTables(row.GetString(0), row.GetInt64(1), row.GetFieldValue<string[]>(2)), cancellationToken);
            return (schema, tables, await Session.ResultAsync(reader, ToolHistory.ReadTable, cancellationToken));
        });

    /// <summary>Why steps must not run here unasked; <c>null</c> where nothing speaks against it.</summary>
    internal Problem? ReasonNotToApply(IReadOnlyList<MigrationStep> steps)
    {
        var schemas = new Lazy<HashSet<string>>(() => [DefaultSchema, .. steps.SelectMany(step => SchemasOf(step.Section))]);
        var tables = Tables.Where(found => schemas.Value.Contains(found.Schema)).ToList();
        // A second application has its tables, and a tool's among them, in a schema of its own.
        var tools = Tools.Where(tool => (tool.Table.Known?.OwnSchema == tool.Table.Schema && tool.Rows is not [])
            || tables.Exists(found => found.Schema == tool.Table.Schema)).ToList();
        if (tables.Count == 0 && tools.Count == 0)
        {
            return null;
        }

        var lines = tools.Select(tool => tool.Table.Known is null ? $"{tool.Table.Display}, which looks like {tool.Table.Tool}'s"
            : tool.ToString());
        var counts = tables.Select(found => $"{found.Count} {(found.Count == 1 ? "table" : "tables")} in schema "
            + $"{SqlIdentifier.Quote(found.Schema)}: {string.Join(", ", found.First.Select(SqlIdentifier.Quote))}"
            + (found.Count > found.First.Count ? ", …" : ""));
        var from = tools.Find(tool => tool.Table.Known is not null);
        return new Problem(
            "CG0430",
            "This database has tables, and nothing says that they come from these migrations\n" + string.Join('\n', lines.Concat(counts)),
            Advice: "To run the migrations could do again what something else has done. Take the database over with "
                + (from is null ? "" : $"{new ToolCall("baseline", "--from", from.Table.Key!)} or ")
                + $"{new ToolCall("baseline", "--detect")}; or, if they are to run beside what is there, "
                + $"{new ToolCall("apply", "--fresh")}.");
    }

    /// <summary>The schemas in which a section creates tables, as far as its text says.</summary>
    private static IEnumerable<string> SchemasOf(MigrationSection section)
    {
        foreach (var statement in section.Script.Statements)
        {
            if (statement.Is("CREATE") || statement.Is("SET"))
            {
                var text = new StatementText(statement);
                if (text.CreatedTableName is { Schema: { } schema })
                {
                    yield return schema;
                }
                else if (text.Is("CREATE", "SCHEMA") && text.NameAt(text.SkipGuards(2)) is { } made)
                {
                    yield return made.Name;
                }
                else if (text.Find(1, "SEARCH_PATH") is > 0 and var at && text.NameAt(at + 2) is { } path)
                {
                    yield return path.Name;
                }
            }
        }
    }
}
