namespace ChatGenius.Db.Schema;

/// <summary>Puts the objects of a snapshot into an order in which they can be created.</summary>
internal sealed class SchemaOrder
{
    private readonly ILookup<SchemaObject, SchemaDependency> _needs;
    private readonly Func<SchemaObject, IEnumerable<SchemaObject>> _together;
    private readonly List<SchemaObject> _order = [];
    private readonly HashSet<SchemaObject> _seen = [];

    private SchemaOrder(IEnumerable<SchemaDependency> dependencies, Func<SchemaObject, IEnumerable<SchemaObject>> together)
    {
        (_needs, _together) = (dependencies.Where(d => !IsLate(d)).ToLookup(d => d.Dependent), together);
    }

    /// <summary>
    /// Objects whose defaults or check constraints need something that in turn needs the object: they are created without,
    /// and get these later.
    /// </summary>
    internal HashSet<SchemaObject> WithoutSoftParts { get; } = [];

    /// <summary>Types that functions need which they need themselves: they are created as shells first.</summary>
    internal List<SchemaObject> Shells { get; } = [];

    /// <summary>All objects, the needed before the needing; otherwise as in the snapshot.</summary>
    internal IReadOnlyList<SchemaObject> Objects => _order;

    /// <param name="snapshot">Its dependencies are known.</param>
    /// <param name="together">The objects that have to be there before anything that needs this one is made.</param>
    internal static SchemaOrder Of(SchemaSnapshot snapshot, Func<SchemaObject, IEnumerable<SchemaObject>> together)
    {
        var order = new SchemaOrder(
            snapshot.Dependencies ?? throw new ArgumentException("The snapshot was read without its dependencies.", nameof(snapshot)),
            together);
        order.Shells.AddRange(snapshot.Objects.Where(o => o.Kind == "type" && (o["base"] ?? o["range"]) is not null
            && order._needs[o].Any(d => order._needs[d.Needed].Any(back => back.Needed == o))));
        foreach (var o in snapshot.Objects)
        {
            order.Visit(o);
        }

        return order;
    }

    /// <summary>Whether the part is added when all objects are there: an index, a trigger, a policy, a rule, a foreign key.</summary>
    private static bool IsLate(SchemaDependency d) => d.Part?.Split(' ', 2) switch
    {
        null or ["column", _] => false,
        // The index of a constraint in CREATE TABLE.
        ["index", var name] => d.Dependent["constraint " + name] is null,
        ["constraint", _] => d.Dependent[d.Part]?.StartsWith("FOREIGN KEY", StringComparison.Ordinal) == true,
        _ => true,
    };

    private static bool IsSoft(SchemaDependency d) =>
        d.Part is { } part && (part.StartsWith("column ", StringComparison.Ordinal)
            || d.Dependent[part]?.StartsWith("CHECK", StringComparison.Ordinal) == true);

    private void Visit(SchemaObject o)
    {
        if (!_seen.Add(o))
        {
            return;
        }

        foreach (var need in _needs[o].GroupBy(n => n.Needed))
        {
            if (need.All(IsSoft) && Reaches(need.Key, o))
            {
                WithoutSoftParts.Add(o);
            }
            else if (!(Shells.Contains(need.Key) && _needs[need.Key].Any(n => n.Needed == o)))
            {
                Visit(need.Key);
            }
        }

        _order.Add(o);
        foreach (var other in _together(o))
        {
            Visit(other);
        }
    }

    private bool Reaches(SchemaObject from, SchemaObject to)
    {
        var reached = new HashSet<SchemaObject>(ReferenceEqualityComparer.Instance) { from };
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
