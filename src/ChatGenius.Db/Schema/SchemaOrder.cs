namespace ChatGenius.Db.Schema;

/// <summary>Puts the objects of a snapshot into an order in which they can be created.</summary>
internal sealed class SchemaOrder
{
    private readonly ILookup<SchemaObject, SchemaDependency> _needs;
    private readonly List<SchemaObject> _order = [];
    private readonly HashSet<SchemaObject> _seen = [];

    private SchemaOrder(IReadOnlyList<SchemaDependency> dependencies) =>
        _needs = dependencies.ToLookup(d => d.Dependent);

    /// <summary>
    /// Objects whose defaults or check constraints need something that in turn needs the object: they are created without,
    /// and get these later.
    /// </summary>
    internal HashSet<SchemaObject> WithoutSoftParts { get; } = [];

    /// <summary>All objects, the needed before the needing; otherwise as in the snapshot.</summary>
    internal IReadOnlyList<SchemaObject> Objects => _order;

    internal static SchemaOrder Of(SchemaSnapshot snapshot)
    {
        var order = new SchemaOrder(snapshot.Dependencies
            ?? throw new ArgumentException("The snapshot was read without its dependencies.", nameof(snapshot)));
        foreach (var o in snapshot.Objects)
        {
            order.Visit(o);
        }

        return order;
    }

    private void Visit(SchemaObject o)
    {
        if (!_seen.Add(o))
        {
            return;
        }

        foreach (var need in _needs[o])
        {
            if (need.Soft && Reaches(need.Needed, o))
            {
                WithoutSoftParts.Add(o);
            }
            else
            {
                Visit(need.Needed);
            }
        }

        _order.Add(o);
    }

    private bool Reaches(SchemaObject from, SchemaObject to)
    {
        var reached = new HashSet<SchemaObject>() { from };
        var left = new Stack<SchemaObject>(reached);
        while (left.TryPop(out var o))
        {
            if (ReferenceEquals(o, to))
            {
                return true;
            }

            foreach (var need in _needs[o].Where(n => reached.Add(n.Needed)))
            {
                left.Push(need.Needed);
            }
        }

        return false;
    }
}
