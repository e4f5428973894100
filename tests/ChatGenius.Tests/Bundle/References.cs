namespace ChatGenius.Tests.Bundle;

/// <summary>A foreign key: a column of one table that refers to the id of another.</summary>
internal sealed record Reference(string Table, string Column, string Parent)
{
    public override string ToString() => $"{Table}.{Column}";
}

/// <summary>
/// The foreign keys as the catalog has them, and rows put in through them. Nothing about the tables is written down here, so that a table
/// or a column that the bundle gets one day is tested without a word.
/// </summary>
internal sealed class References
{
    private readonly List<string[]> _required;

    private References(IReadOnlyList<Reference> all, List<string[]> required)
    {
        All = all;
        _required = required;
    }

    public IReadOnlyList<Reference> All { get; }

    public static async Task<References> ReadAsync(NpgsqlConnection connection)
    {
        var all = await CatalogText.QueryAsync(connection, """
            SELECT conrelid::regclass::text, attname::text, confrelid::regclass::text
            FROM pg_constraint
            JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
            WHERE contype = 'f' AND connamespace = 'public'::regnamespace
            ORDER BY 1, attnum
            """);
        var required = await CatalogText.QueryAsync(connection, """
            SELECT attrelid::regclass::text, attname::text
            FROM pg_attribute
            JOIN pg_class ON pg_class.oid = attrelid AND relkind = 'r' AND relnamespace = 'public'::regnamespace
            WHERE attnum > 0 AND attnotnull AND NOT atthasdef
            """);
        return new References([.. all.Select(row => new Reference(row[0], row[1], row[2]))], [.. required]);
    }

    /// <summary>Puts a row in that refers to the given one; the other foreign keys that it must have get what <paramref name="pick"/> picks
    /// of a table.</summary>
    /// <returns>Whether it is there now: a unique constraint may have kept it out.</returns>
    public async Task<bool> HangAsync(NpgsqlConnection connection, Reference reference, string id, Func<string, string> pick)
    {
        var values = _required.Where(column => column[0] == reference.Table).ToDictionary(
            column => column[1],
            column => All.SingleOrDefault(r => r.Table == reference.Table && r.Column == column[1]) is { } other
                ? $"'{pick(other.Parent)}'"
                : "'made by someone else ' || gen_random_uuid()");
        values[reference.Column] = $"'{id}'";
        await using var command = new NpgsqlCommand(
            $"INSERT INTO {reference.Table} ({string.Join(", ", values.Keys)}) VALUES ({string.Join(", ", values.Values)}) ON CONFLICT DO "
                + "NOTHING", connection);
        return await command.ExecuteNonQueryAsync() == 1;
    }
}
