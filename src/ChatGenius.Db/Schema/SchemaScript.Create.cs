namespace ChatGenius.Db.Schema;

public sealed partial class SchemaScript
{
    private static readonly string[] AfterIndexOptions = [" WHERE (", " DEFERRABLE"];

    private void Create(SchemaObject o, bool withoutSoftParts)
    {
        switch (o.Kind)
        {
            case "schema" when o.Name != "public":
                Add($"CREATE SCHEMA {o.Name}");
                break;
            case "schema" or "default privileges":
                break;
            case "extension":
                Add($"CREATE EXTENSION {o.Name} WITH SCHEMA {o["schema"]}");
                break;
            case "type":
                CreateType(o);
                break;
            case "domain":
                CreateDomain(o, withoutSoftParts);
                break;
            case "sequence":
                Add(Join("CREATE", o["persistence"], "SEQUENCE", o.Name, o["definition"]));
                break;
            case "table" or "partitioned table" or "foreign table":
                CreateTable(o, withoutSoftParts);
                break;
            case "view":
                Add($"CREATE VIEW {o.Name}{Names(o)}{With(o)} AS\n{o["definition"]}");
                FinishColumns(o, withoutSoftParts);
                break;
            case "materialized view":
                Add(Join(
                    $"CREATE MATERIALIZED VIEW {o.Name}{Names(o)}", Using(o), With(o).Trim(), Tablespace(o),
                    $"AS\n{o["definition"]}\nWITH NO DATA"));
                FinishColumns(o, withoutSoftParts);
                break;
            case "text search configuration":
                Add($"CREATE TEXT SEARCH CONFIGURATION {o.Name} (PARSER = {o["parser"]})");
                break;
            default:
                if (o["definition"] is { } definition)
                {
                    Add(definition);
                }
                else
                {
                    CantRebuild(o, $"an object of the kind {o.Kind} is not");
                }

                break;
        }
    }

    private void CreateType(SchemaObject o)
    {
        if (o["enum"] is { } labels)
        {
            Add($"CREATE TYPE {o.Name} AS ENUM ({(labels == "()" ? "" : labels)})");
        }
        else if (o["range"] is { } range)
        {
            Add($"CREATE TYPE {o.Name} AS RANGE ({range})");
        }
        else if (o["base"] is not null)
        {
            CantRebuild(o, "a base type needs functions that take it before it is there");
        }
        else
        {
            Add($"CREATE TYPE {o.Name} AS {Lines(ColumnFact.Of(o).Select(c => Join(c.QuotedName, c.Type, c.Collation)))}");
        }
    }

    private void CreateDomain(SchemaObject o, bool withoutSoftParts)
    {
        // What is not valid can't be said in CREATE DOMAIN.
        var later = ConstraintFact.Of(o).Where(c => withoutSoftParts || c.IsNotValid).ToList();
        var now = ConstraintFact.Of(o).Except(later).Select(c => $"\n    CONSTRAINT {c.QuotedName} {c.Definition}");
        Add($"CREATE DOMAIN {o.Name} AS {o["domain"]}{string.Concat(now)}");
        if (!withoutSoftParts)
        {
            AddConstraints(o, "DOMAIN", later);
        }
    }

    private void CreateTable(SchemaObject o, bool withoutSoftParts)
    {
        var isTyped = o["of type"] is not null;
        var parents = o["inherits"] is { } list && InheritsInOrder(o, list) ? list : null;
        if (o["inherits"] is not null && parents is null && ColumnFact.Of(o).Any(c => c.IsInherited))
        {
            CantRebuild(o, "its inherited columns stand behind its own");
        }

        var columns = ColumnFact.Of(o).Where(c => !c.IsInherited)
            .Select(c => isTyped ? TypedColumn(c, withoutSoftParts) : Column(c, withoutSoftParts))
            .OfType<string>();
        var constraints = ConstraintFact.Of(o)
            .Where(c => c.Type != 'f' && !c.IsNotValid && !(withoutSoftParts && c.Type == 'c'))
            .Concat(InheritedChecks(o))
            .Select(c => Join("CONSTRAINT", c.QuotedName, WithIndexOptions(c)));
        var body = columns.Concat(constraints).ToList();
        Add(Join(
            "CREATE",
            o["persistence"],
            o.Kind == "foreign table" ? "FOREIGN TABLE" : "TABLE",
            o.Name,
            isTyped ? "OF " + o["of type"] : null,
            isTyped && body.Count == 0 ? null : Lines(body),
            parents is null ? null : $"INHERITS ({parents})",
            o["partition by"] is { } key ? "PARTITION BY " + key : null,
            Using(o),
            o["server"] is { } server ? "SERVER " + server : null,
            o["foreign options"] is { } options ? $"OPTIONS ({options})" : null,
            With(o).Trim(),
            Tablespace(o)));

        AddConstraints(o, "TABLE", ConstraintFact.Of(o).Where(c => c.Type != 'f' && c.IsNotValid && !(withoutSoftParts && c.Type == 'c')));
        FinishColumns(o, withoutSoftParts);
    }

    private static string Column(ColumnFact c, bool withoutDefault) => Join(
        c.QuotedName, c.Type, c.Collation, c.ForeignOptions, c.NotNull == "NOT NULL NOT VALID" ? null : c.NotNull,
        withoutDefault ? null : c.Default, c.Generated, c.Identity);

    /// <summary>A column of a typed table is named only where it has more than its type.</summary>
    private static string? TypedColumn(ColumnFact c, bool withoutDefault) =>
        Join(c.NotNull, withoutDefault ? null : c.Default) is { Length: > 0 } more ? $"{c.QuotedName} WITH OPTIONS {more}" : null;

    /// <summary>The storage parameters of the index behind a constraint belong before its timing.</summary>
    private static string WithIndexOptions(ConstraintFact c)
    {
        if (c.IndexOptions is null && c.IndexTablespace is null)
        {
            return c.Definition;
        }

        var cut = AfterIndexOptions.Select(w => c.Definition.IndexOf(w, StringComparison.Ordinal)).Where(i => i >= 0)
            .DefaultIfEmpty(c.Definition.Length).Min();
        return Join(c.Definition[..cut], c.IndexOptions, c.IndexTablespace is null ? null : "USING INDEX " + c.IndexTablespace) + c.Definition[cut..];
    }

    /// <summary>A partition is created on its own and attached later; it must then have its parents' check constraints.</summary>
    private IEnumerable<ConstraintFact> InheritedChecks(SchemaObject o)
    {
        var own = ConstraintFact.Of(o).Select(c => c.Name).ToHashSet();
        for (var parent = o["partition of"]; parent is not null && _tables.TryGetValue(parent, out var table); parent = table["partition of"])
        {
            foreach (var check in ConstraintFact.Of(table).Where(c => c.Type == 'c' && own.Add(c.Name)))
            {
                yield return check;
            }
        }
    }

    /// <summary>
    /// INHERITS puts the parents' columns first. Where they are not, the table can be created on its own and tied to its
    /// parents later, which makes every column a local one.
    /// </summary>
    private bool InheritsInOrder(SchemaObject o, string parents)
    {
        var inherited = ParentsOf(o, parents).SelectMany(ColumnFact.Of).Select(c => c.Name).Distinct().ToList();
        return ColumnFact.Of(o).Select(c => c.Name).Take(inherited.Count).SequenceEqual(inherited);
    }

    private IEnumerable<SchemaObject> ParentsOf(SchemaObject o, string parents)
    {
        // The names are quoted as in the snapshot; a comma inside one can't be told by splitting.
        return _tables.Values.Where(t => !ReferenceEquals(t, o) && $", {parents}, ".Contains($", {t.Name}, ", StringComparison.Ordinal))
            .OrderBy(t => $", {parents}, ".IndexOf($", {t.Name}, ", StringComparison.Ordinal));
    }

    private static string Names(SchemaObject o) =>
        o.Of("column").Any() ? $" ({string.Join(", ", ColumnFact.Of(o).Select(c => c.QuotedName))})" : "";

    private static string? Using(SchemaObject o) => o["access method"] is { } method ? "USING " + method : null;

    private static string With(SchemaObject o) => o["options"] is { } options ? $" WITH ({options})" : "";

    private static string? Tablespace(SchemaObject o) => o["tablespace"] is { } tablespace ? "TABLESPACE " + tablespace : null;
}
