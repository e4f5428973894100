namespace ChatGenius.Tests.Bundle;

/// <summary>A row to the letter: all of its columns, in PostgreSQL's own words.</summary>
internal sealed record Row(string Table, string Id, string Json)
{
    /// <summary>Every id that the row refers to.</summary>
    public IEnumerable<string> References()
    {
        using var document = JsonDocument.Parse(Json);
        return [.. document.RootElement.EnumerateObject()
            .Where(column => column.Name.EndsWith("_id", StringComparison.Ordinal) && column.Value.ValueKind == JsonValueKind.String)
            .Select(column => column.Value.GetString()!)];
    }
}

/// <summary>All rows of all tables, by id: ids are UUIDs, so no two tables share one.</summary>
internal sealed class Rows : Dictionary<string, Row>
{
    public static async Task<Rows> ReadAsync(NpgsqlConnection connection)
    {
        var tables = await CatalogText.QueryAsync(connection, """
            SELECT format('SELECT %L, id::text, to_jsonb(t)::text FROM %s AS t', oid::regclass, oid::regclass)
            FROM pg_class
            WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
            """);
        var rows = new Rows();
        foreach (var row in await CatalogText.QueryAsync(connection, string.Join(" UNION ALL ", tables.Select(table => table[0]))))
        {
            rows.Add(row[1], new Row(row[0], row[1], row[2]));
        }

        return rows;
    }

    /// <summary>The rows that are not in an earlier state.</summary>
    public IReadOnlyList<Row> Since(Rows earlier) => [.. Values.Where(row => !earlier.ContainsKey(row.Id))];

    /// <summary>What must be left when the given rows go, except those that the others refer to, directly or through one another.</summary>
    public Rows Without(IEnumerable<Row> going)
    {
        var left = going.ToDictionary(row => row.Id);
        var kept = new Rows();
        var queue = new Queue<Row>(Values.Where(row => !left.ContainsKey(row.Id)));
        while (queue.TryDequeue(out var row))
        {
            kept.Add(row.Id, row);
            foreach (var id in row.References())
            {
                if (left.Remove(id))
                {
                    queue.Enqueue(this[id]);
                }
            }
        }

        return kept;
    }

    /// <summary>Fails with the first few differences, where two states are not the same to the letter.</summary>
    public void ShouldBe(Rows expected, string? because = null)
    {
        string[] differences =
        [
            .. expected.Values.Where(row => !ContainsKey(row.Id)).Select(row => $"lost     {row}"),
            .. Values.Where(row => !expected.ContainsKey(row.Id)).Select(row => $"surplus  {row}"),
            .. Values.Where(row => expected.TryGetValue(row.Id, out var was) && was != row)
            .Select(row => $"changed  {row}, was {expected[row.Id]}"),
        ];
        differences.Take(10).ShouldBeEmpty(because);
    }
}
