using ChatGenius.Db.Safety;

namespace ChatGenius.Tests.Safety;

/// <summary>All values of all tables of a database at one moment: each column's, by the oid of its table and its number.</summary>
internal sealed class StoredData
{
    private readonly Dictionary<(uint Table, short Column), List<string>> _values = [];
    private readonly Dictionary<(uint Table, short Column), string> _names = [];

    public static async Task<StoredData> ReadAsync(NpgsqlConnection connection)
    {
        var data = new StoredData();
        var columns = new List<(uint, short, string, string, string)>();
        await using (var command = new NpgsqlCommand(
            """
            SELECT c.oid, a.attnum, quote_ident(n.nspname) || '.' || quote_ident(c.relname), quote_ident(a.attname), a.attname::text
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
            WHERE c.relkind IN ('r', 'm') AND c.relispopulated AND n.nspname !~ '^pg_' AND n.nspname NOT
                IN ('information_schema', 'chatgenius_db') AND a.attnum > 0 AND NOT a.attisdropped
            ORDER BY c.oid, a.attnum
            """,
            connection))
        {
            await using var reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync())
            {
                columns.Add((reader.GetFieldValue<uint>(0), reader.GetInt16(1), reader.GetString(2), reader.GetString(3),
                    reader.GetString(4)));
            }
        }

        foreach (var (oid, number, table, column, name) in columns)
        {
            await using var command = new NpgsqlCommand(
                $"SELECT coalesce(array_agg({column}::text), '{{}}') FROM ONLY {table} WHERE {column} IS NOT NULL", connection);
            data._values[(oid, number)] = [.. (string[])(await command.ExecuteScalarAsync())!];
            data._names[(oid, number)] = name;
        }

        return data;
    }

    /// <summary>The columns that had values which are not there any more.</summary>
    public List<(uint Table, short Column)> LostIn(StoredData after) =>
    [
        .. _values.Where(before =>
        {
            var left = after._values.GetValueOrDefault(before.Key)?.ToList() ?? [];
            return before.Value.Exists(value => !left.Remove(value));
        }).Select(before => before.Key),
    ];

    /// <summary>Those of some columns that no target names, neither as a column nor with all of its table or of one that this inherits
    /// from.</summary>
    public List<string> Unsaid(IEnumerable<(uint Table, short Column)> lost, IReadOnlyList<LossTarget> targets, LossCatalog catalog)
    {
        IEnumerable<uint> Tree(uint table) => catalog.Inheritance.Where(pair => pair.Child == table).SelectMany(pair =>
            Tree(pair.Parent)).Prepend(table);
        return
        [
            .. lost.Where(column => !targets.Any(target => target.Relation is { } relation
                && (target.Only ? relation.Oid == column.Table : Tree(column.Table).Contains(relation.Oid))
                && (target.Column is null || target.Column == _names[column]))).Select(column => $"{column.Table}.{_names[column]}"),
        ];
    }

    public static async Task<(LossCatalog Catalog, IReadOnlyList<LossTarget> Targets, IReadOnlyList<LossUnclear> Unclear)> ForecastAsync(
        TestDatabase database, IReadOnlyList<MigrationStep> steps)
    {
        await using var session = await Db.Connections.Session.OpenAsync(database.Database, "a test");
        var catalog = await LossCatalog.ReadAsync(session, LossReader.NamesIn(steps), CancellationToken.None);
        var (targets, unclear) = LossReader.Read(steps, catalog);
        return (catalog, targets, unclear);
    }
}
