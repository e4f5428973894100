namespace ChatGenius.Db.Schema;

/// <summary>A row of a box: a column, or how many columns are not shown.</summary>
/// <param name="Name">The column's name, quoted where needed.</param>
/// <param name="Type">Its type.</param>
/// <param name="IsKey">Whether the primary key has it.</param>
/// <param name="Refers">Whether a foreign key has it.</param>
internal sealed record DrawnColumn(string Name, string Type, bool IsKey, bool Refers);

/// <summary>A table as the drawing shows it: a box with its columns. Sizes and places are in the drawing's own units.</summary>
internal sealed class DrawnTable
{
    internal const int HeaderHeight = 26;
    internal const int RowHeight = 18;
    private const int MostRows = 16;
    private const int LongestName = 40;
    private const int LongestType = 26;
    private const double CharacterWidth = 7.3;

    internal DrawnTable(SchemaObject table)
    {
        Table = table;
        var keys = ConstraintFact.Of(table).Where(c => c.Type is 'p' or 'f').Select(c => (c.Type, Names: Split(c.Columns))).ToList();
        var columns = ColumnFact.Of(table).Select(c => new DrawnColumn(
            c.QuotedName, c.Type, keys.Any(k => k.Type == 'p' && k.Names.Contains(c.QuotedName)),
            keys.Any(k => k.Type == 'f' && k.Names.Contains(c.QuotedName)))).ToList();
        // Keys are shown in any case; they come where they are in the table.
        var room = Math.Max(0, MostRows - columns.Count(c => c.IsKey || c.Refers));
        Columns = columns.Count <= MostRows ? columns : [.. columns.Where(c => c.IsKey || c.Refers || room-- > 0)];
        Hidden = columns.Count - Columns.Count;
        Height = HeaderHeight + ((Columns.Count + (Hidden > 0 ? 1 : 0)) * RowHeight) + 4;
        var name = Shown(table.Name, LongestName).Length * (CharacterWidth + 0.4);
        Width = 24 + (int)Columns.Select(c => (Shown(c.Name, LongestName).Length + Shown(c.Type, LongestType).Length + 3) * CharacterWidth)
            .Append(name).Max();
    }

    internal SchemaObject Table { get; }

    /// <summary>The columns that are shown.</summary>
    internal IReadOnlyList<DrawnColumn> Columns { get; }

    /// <summary>How many columns are not shown.</summary>
    internal int Hidden { get; }

    internal int Width { get; set; }

    internal int Height { get; }

    internal int X { get; set; }

    internal int Y { get; set; }

    /// <summary>The quoted names in a list such as a key's.</summary>
    internal static IReadOnlyList<string> Split(string? list) => list is null ? [] : [.. Clauses.Split(list).Select(name => name.Trim())];

    /// <summary>The middle of a column's row, from the box's top; of one that is not shown, the middle of the header.</summary>
    internal int MiddleOf(string column)
    {
        var row = Columns.Select(c => c.Name).ToList().IndexOf(column);
        return row < 0 ? HeaderHeight / 2 : HeaderHeight + (row * RowHeight) + (RowHeight / 2);
    }

    internal static string ShownName(string name) => Shown(name, LongestName);

    internal static string ShownType(string type) => Shown(type, LongestType);

    private static string Shown(string text, int most) => text.Length <= most ? text : string.Concat(text.AsSpan(0, most - 1), "…");
}

/// <summary>A foreign key between two tables of the drawing.</summary>
/// <param name="From">The table that has it.</param>
/// <param name="To">The table that it refers to.</param>
/// <param name="Column">Its first column.</param>
/// <param name="Target">The first column that it refers to.</param>
/// <param name="Optional">Whether one of its columns may be null.</param>
/// <param name="Unique">Whether a key holds each value at most once.</param>
internal sealed record DrawnReference(DrawnTable From, DrawnTable To, string Column, string Target, bool Optional, bool Unique)
{
    /// <summary>The foreign keys of a table.</summary>
    internal static IEnumerable<DrawnReference> Of(DrawnTable from, IReadOnlyDictionary<string, DrawnTable> tables)
    {
        var constraints = ConstraintFact.Of(from.Table).ToList();
        var required = ColumnFact.Of(from.Table).Where(c => c.NotNull is not null).Select(c => c.QuotedName)
            .Concat(constraints.Where(c => c.Type == 'p').SelectMany(c => DrawnTable.Split(c.Columns))).ToHashSet();
        var unique = constraints.Where(c => c.Type is 'p' or 'u').Select(c => DrawnTable.Split(c.Columns)).ToList();
        foreach (var key in constraints.Where(c => c.Type == 'f'))
        {
            var columns = DrawnTable.Split(key.Columns);
            var targets = DrawnTable.Split(key.ReferencedColumns);
            if (columns.Count > 0 && targets.Count > 0 && key.References is { } name && tables.TryGetValue(name, out var to))
            {
                yield return new DrawnReference(
                    from, to, columns[0], targets[0], !columns.All(required.Contains), unique.Exists(u => u.All(columns.Contains)));
            }
        }
    }
}
