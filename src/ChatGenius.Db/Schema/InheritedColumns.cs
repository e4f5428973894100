namespace ChatGenius.Db.Schema;

/// <summary>
/// In which order the columns of tables that inherit from each other have to come, so that each table has its own in the order it has them.
/// INHERITS puts the columns of the parents first; a column that a parent was given later comes after the child's own, and is added again
/// when the child is there.
/// </summary>
internal sealed class InheritedColumns
{
    private readonly Dictionary<string, SchemaObject> _tables;
    private readonly Dictionary<SchemaObject, List<SchemaObject>> _parents = [];
    private readonly HashSet<(SchemaObject Table, string Column)> _late = [];
    private readonly Dictionary<SchemaObject, List<SchemaObject>> _families = [];

    internal InheritedColumns(SchemaSnapshot snapshot)
    {
        _tables = snapshot.Objects.Where(o => o.Kind.EndsWith("table", StringComparison.Ordinal)).ToDictionary(o => o.Name);
        foreach (var o in _tables.Values.Where(o => o["inherits"] is not null))
        {
            _parents[o] = [.. Clauses.Split(o["inherits"]!).Where(_tables.ContainsKey).Select(n => _tables[n])];
        }

        // A table with none but columns of its own can be created alone and tied to its parents later.
        Alone = [.. _parents.Where(p => ColumnFact.Of(p.Key).All(c => !c.IsInherited) && !StartsNaturally(p.Key, p.Value))
            .Select(p => p.Key)];
        Families();
        foreach (var family in _families.Values.Distinct())
        {
            while (family.Aggregate(false, (grew, o) => Mark(o) || grew))
            {
            }

            Later.AddRange(Order(family));
        }
    }

    /// <summary>Tables that are created without INHERITS and get their parents later.</summary>
    internal HashSet<SchemaObject> Alone { get; }

    /// <summary>The columns that are added when all tables of the family are there, in this order.</summary>
    internal List<(SchemaObject Table, ColumnFact Column)> Later { get; } = [];

    /// <summary>Tables whose columns can't be had in their order.</summary>
    internal HashSet<SchemaObject> OutOfOrder { get; } = [];

    /// <summary>The tables that have to be there before the late columns of this one are added; empty where it has none.</summary>
    internal IEnumerable<SchemaObject> Family(SchemaObject o) =>
        _families.TryGetValue(o, out var family) && family.Any(t => Later.Any(l => l.Table == t)) ? family : [];

    /// <summary>The parents that a table is created from or tied to later, in their order.</summary>
    internal List<SchemaObject> ParentsOf(SchemaObject o) => _parents.GetValueOrDefault(o, []);

    /// <summary>Whether the column comes when all of the family is there, to this table or from one that it inherits from.</summary>
    internal bool ComesLate(SchemaObject o, ColumnFact column) =>
        Later.Count > 0 && Origins(o, column.QuotedName).ToList() is { Count: > 0 } origins
            && origins.All(origin => _late.Contains((origin, column.QuotedName)));

    /// <summary>The column that gives a table one that it inherits, as it is when the table gets it.</summary>
    internal ColumnFact? GivenBy(SchemaObject o, ColumnFact column) => (ComesLate(o, column) ? Origins(o, column.QuotedName) : ParentsOf(o))
        .SelectMany(ColumnFact.Of).FirstOrDefault(p => p.QuotedName == column.QuotedName);

    internal bool IsLate(SchemaObject o, ColumnFact column) => Later.Any(l => l.Table == o && l.Column.QuotedName == column.QuotedName);

    private void Families()
    {
        foreach (var (child, parents) in _parents.Where(p => !Alone.Contains(p.Key)))
        {
            List<SchemaObject> family = [.. parents.Append(child).SelectMany(o => _families.GetValueOrDefault(o, [o])).Distinct()];
            foreach (var member in family)
            {
                _families[member] = family;
            }
        }
    }

    private static bool StartsNaturally(SchemaObject o, List<SchemaObject> parents)
    {
        var inherited = parents.SelectMany(ColumnFact.Of).Select(c => c.QuotedName).Distinct().ToList();
        return ColumnFact.Of(o).Select(c => c.QuotedName).Take(inherited.Count).SequenceEqual(inherited);
    }

    /// <summary>Marks as late what of a table has to come after what CREATE TABLE gives it; false where nothing new is.</summary>
    private bool Mark(SchemaObject o)
    {
        var before = _late.Count;
        var columns = ColumnFact.Of(o).ToList();
        var fromParents = Alone.Contains(o) ? [] : ParentsOf(o).SelectMany(p => Early(p)).Distinct().ToList();
        var natural = fromParents.Concat(Early(o).Where(c => !fromParents.Contains(c))).ToList();
        var i = 0;
        while (i < columns.Count && i < natural.Count && columns[i].QuotedName == natural[i])
        {
            i++;
        }

        foreach (var column in columns.Skip(i))
        {
            foreach (var origin in Origins(o, column.QuotedName))
            {
                _late.Add((origin, column.QuotedName));
            }
        }

        return _late.Count > before;
    }

    /// <summary>The columns that a table has when it was created.</summary>
    private IEnumerable<string> Early(SchemaObject o) =>
        ColumnFact.Of(o).Select(c => c.QuotedName).Where(c => Origins(o, c).Any(origin => !_late.Contains((origin, c))));

    /// <summary>The tables that have the column of their own: this one, or those that it inherits it from.</summary>
    private IEnumerable<SchemaObject> Origins(SchemaObject o, string column)
    {
        var own = ColumnFact.Of(o).FirstOrDefault(c => c.QuotedName == column);
        if (own is null)
        {
            return [];
        }

        var inherited = Alone.Contains(o) ? [] : ParentsOf(o).SelectMany(p => Origins(p, column));
        return own.IsInherited ? inherited : inherited.Prepend(o);
    }

    private bool Descends(SchemaObject o, SchemaObject from) => ParentsOf(o).Any(p => p == from || Descends(p, from));

    /// <summary>The late columns, each after those that come before it in any table.</summary>
    private List<(SchemaObject, ColumnFact)> Order(List<SchemaObject> family)
    {
        var orders = family.Select(o => ColumnFact.Of(o).Select(c => c.QuotedName)
            .Where(c => Origins(o, c).Any(origin => _late.Contains((origin, c)))).ToList()).ToList();
        var left = family.SelectMany(o => ColumnFact.Of(o).Where(c => _late.Contains((o, c.QuotedName))).Select(c => (o, c))).ToList();
        var order = new List<(SchemaObject, ColumnFact)>();
        while (left.Count > 0)
        {
            var next = left.FindIndex(l => !left.Any(other => other.c.QuotedName == l.c.QuotedName
                // What a child has of its own too, it has first: the parent's is merged with it.
                ? Descends(other.o, l.o)
                : orders.Any(names => names.IndexOf(l.c.QuotedName) is var at and > 0
                && names.IndexOf(other.c.QuotedName) is var first and >= 0 && first < at)));
            if (next < 0)
            {
                // Two tables want two columns in opposite orders: as INHERITS gives them.
                OutOfOrder.UnionWith(family.Where(o => ParentsOf(o).Count > 0));
                next = 0;
            }

            order.Add(left[next]);
            left.RemoveAt(next);
        }

        return order;
    }
}
