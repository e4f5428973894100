using System.Text;

namespace ChatGenius.Db.Schema;

/// <summary>A snapshot as SQL that builds the schema in an empty database.</summary>
internal sealed class SchemaScript
{
    private readonly List<string> _statements = [];

    private SchemaScript(SchemaSnapshot snapshot)
    {
        var create = new SchemaCreate(snapshot);
        var order = SchemaOrder.Of(snapshot, create.Inherited.Family);
        LeftOut = [.. SchemaGap.Of(snapshot, asSql: true), .. create.Inherited.OutOfOrder.Select(SchemaGap.Order)];
        Write(snapshot, create, order);
    }

    /// <summary>The statements, without semicolons, in an order in which each finds what it needs.</summary>
    public IReadOnlyList<string> Statements => _statements;

    /// <summary>What of the schema the statements don't build, each by name.</summary>
    public IReadOnlyList<Problem> LeftOut { get; }

    /// <param name="snapshot">Read with <see cref="SchemaParts.Dependencies"/>.</param>
    /// <exception cref="ArgumentException">The snapshot was read without its dependencies, or from a file.</exception>
    public static SchemaScript Of(SchemaSnapshot snapshot) => new(snapshot);

    /// <summary>The statements as a file that psql runs.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var statement in Statements)
        {
            text.Append(statement).Append(";\n\n");
        }

        return text.ToString().TrimEnd('\n') + "\n";
    }

    private void Write(SchemaSnapshot snapshot, SchemaCreate create, SchemaOrder order)
    {
        // All names are qualified; what a routine's text names need not be there yet.
        _statements.AddRange(["SET search_path = ''", "SET standard_conforming_strings = on", "SET check_function_bodies = off"]);
        List<SchemaObject> objects = [.. order.Objects.Where(o => !IsLast(o))];
        var lastSchema = objects.FindLast(o => o.Kind == "schema");
        foreach (var o in objects)
        {
            Each([o], o => create.Create(o, order.WithoutSoftParts.Contains(o)));
            // A function may need the type that is needed to make it, as a shell; nothing but schemas comes before.
            if (ReferenceEquals(o, lastSchema))
            {
                _statements.AddRange(order.Shells.Select(t => $"CREATE TYPE {t.Name}"));
            }

            if (create.Inherited.Family(o).ToList() is { Count: > 0 } family && family.All(t => objects.IndexOf(t) <= objects.IndexOf(o)))
            {
                _statements.AddRange(create.LateColumns(family, order.WithoutSoftParts));
            }
        }

        Each(objects, create.Attach);
        Each(objects.Where(order.WithoutSoftParts.Contains), SchemaCreate.SoftParts);
        Each(objects.Where(o => !order.WithoutSoftParts.Contains(o)), create.LateChecks);
        Each(snapshot.Objects, create.LateConstraints);
        Each(snapshot.Objects, SchemaCreate.Indexes);
        Each(snapshot.Objects, o => create.AttachIndexes(o, all: false));
        Each(snapshot.Objects, SchemaCreate.ForeignKeys);
        // A sequence must have its table's owner before it is tied to a column.
        Each(objects, o => o.Of("owner").SelectMany(f => SchemaSql.Add(o, f)));
        Each(objects, o => o.Facts.Where(f => f.Key != "owner").SelectMany(f => SchemaSql.Add(o, f)));
        Each(snapshot.Objects.Where(IsLast), o => [.. create.Create(o, withoutSoftParts: false),
            .. o.Facts.SelectMany(f => SchemaSql.Add(o, f))]);
        _statements.AddRange(["RESET check_function_bodies", "RESET standard_conforming_strings", "RESET search_path"]);
    }

    /// <summary>An event trigger would fire for, and default privileges would be given to, what comes after it.</summary>
    private static bool IsLast(SchemaObject o) => o.Kind is "publication" or "subscription" or "default privileges" or "event trigger";

    private void Each(IEnumerable<SchemaObject> objects, Func<SchemaObject, IEnumerable<string>> statements) =>
        _statements.AddRange(objects.Where(o => !SchemaGap.IsOutside(o)).SelectMany(statements));
}
