namespace ChatGenius.Db.Schema;

/// <summary>The statements that create the objects of a snapshot, each object for itself.</summary>
internal sealed class SchemaCreate
{
    private readonly ILookup<string, SchemaObject> _partitions;
    private readonly Dictionary<string, SchemaObject> _tables;

    internal SchemaCreate(SchemaSnapshot snapshot)
    {
        _tables = snapshot.Objects.Where(o => o.Kind.EndsWith("table", StringComparison.Ordinal)).ToDictionary(o => o.Name);
        _partitions = _tables.Values.Where(o => o["partition of"] is not null).ToLookup(o => o["partition of"]!);
        Inherited = new InheritedColumns(snapshot);
    }

    internal InheritedColumns Inherited { get; }

    /// <summary>The statements that create an object, without what can only be added when others are there.</summary>
    /// <param name="o">The object.</param>
    /// <param name="withoutSoftParts">Whether defaults and check constraints are left for <see cref="SoftParts"/>.</param>
    internal IEnumerable<string> Create(SchemaObject o, bool withoutSoftParts) => o.Kind switch
    {
        _ when o.PartOf is not null => [],
        "schema" => o.Name == "public" ? [] : [$"CREATE SCHEMA {o.Name}"],
        "default privileges" => [],
        "extension" => [$"CREATE EXTENSION IF NOT EXISTS {o.Name} WITH SCHEMA {o["schema"]}"],
        "type" => [Type(o)],
        "domain" => Domain(o, withoutSoftParts),
        "sequence" => [SchemaSql.Join("CREATE", o["persistence"], "SEQUENCE", o.Name, o["definition"])],
        "table" or "partitioned table" or "foreign table" => Table(o, withoutSoftParts),
        "view" => [$"CREATE VIEW {o.Name}{Names(o)}{With(o)} AS\n{o["definition"]}", .. FinishColumns(o, withoutSoftParts)],
        "materialized view" =>
        [
            SchemaSql.Join(
                $"CREATE MATERIALIZED VIEW {o.Name}{Names(o)}", Using(o), With(o).Trim(), Tablespace(o),
                $"AS\n{o["definition"]}\nWITH NO DATA"),
            .. FinishColumns(o, withoutSoftParts),
        ],
        "text search configuration" => [$"CREATE TEXT SEARCH CONFIGURATION {o.Name} (PARSER = {o["parser"]})"],
        "operator family" => [o["definition"]!, .. o["members"] is { } members ? [$"ALTER OPERATOR FAMILY {o.Name} ADD {members}"]
            : Array.Empty<string>()],
        _ => [o["definition"] ?? throw new InvalidOperationException($"The {o.Kind} {o.Name} has no definition.")],
    };

    /// <summary>The defaults and check constraints that <see cref="Create"/> has left out.</summary>
    internal static IEnumerable<string> SoftParts(SchemaObject o) =>
    [
        .. ConstraintFact.Of(o).Where(c => c.Type == 'c').Select(c => AddConstraint(o, c)),
        .. ColumnFact.Of(o).Where(c => c.Default is not null)
        .Select(c => $"{SchemaSql.AlterOnly(o)} ALTER COLUMN {c.QuotedName} SET {c.Default}"),
    ];

    /// <summary>Ties a table to its parents, where CREATE TABLE has not done it.</summary>
    internal IEnumerable<string> Attach(SchemaObject o) => o["partition of"] is { } parent
        ? [$"ALTER TABLE {parent} ATTACH PARTITION {o.Name} {o["partition bound"]}"]
        : Inherited.Alone.Contains(o) ? Inherited.ParentsOf(o).Select(p => $"ALTER {SchemaSql.Kind(o)} {o.Name} INHERIT {p.Name}") : [];

    /// <summary>The columns that the tables of a family get when all of it is there.</summary>
    internal IEnumerable<string> LateColumns(List<SchemaObject> family, HashSet<SchemaObject> withoutSoftParts) =>
    [
        .. Inherited.Later.Where(l => family.Contains(l.Table))
            .Select(l => $"ALTER {SchemaSql.Name(l.Table)} ADD COLUMN {Column(l.Table, l.Column, withoutSoftParts.Contains(l.Table))}"),
        .. family.SelectMany(o => ColumnFact.Of(o).Where(c => Inherited.ComesLate(o, c))
        .SelectMany(c => FinishColumn(o, c, withoutSoftParts.Contains(o)))),
    ];

    /// <summary>Primary keys, unique and exclusion constraints that CREATE TABLE could not have: they come when partitions are
    /// attached.</summary>
    internal IEnumerable<string> LateConstraints(SchemaObject o) =>
        ConstraintFact.Of(o).Where(c => c.Type is 'p' or 'u' or 'x' && !IsInline(o, c))
            .Select(c => AddConstraint(o, c, only: o.Kind == "partitioned table"));

    /// <summary>The indexes; those of a partitioned table without the ones of its partitions, which have names of their own.</summary>
    internal static IEnumerable<string> Indexes(SchemaObject o) => o.Of("index").SelectMany(f => Index(o, new IndexFact(f)));

    internal static IEnumerable<string> Index(SchemaObject o, IndexFact index) => index.IsInvalid && o["partition by"] is null
        ? []
        : [index.Create, .. index.Statistics.Select(s =>
            $"ALTER INDEX {SchemaSql.SchemaOf(o.Name)}.{index.QuotedName} ALTER COLUMN "
                + $"{s.Replace(" ", " SET STATISTICS ", StringComparison.Ordinal)}")];

    /// <summary>Ties the indexes of a partition to those of its parent, where ATTACH PARTITION has not done it.</summary>
    /// <param name="o">The partition.</param>
    /// <param name="all">Whether its parent was there before, and may have been given its keys later.</param>
    internal IEnumerable<string> AttachIndexes(SchemaObject o, bool all)
    {
        var indexes = o.Of("index").Select(f => new IndexFact(f)).Where(i => i.Parent is not null)
            .Select(i => (i.QuotedName, Parent: i.Parent!));
        var constraints = ConstraintFact.Of(o).Where(c => c.Parent is not null
            && _tables.TryGetValue(o["partition of"] ?? "", out var parent)
                && ConstraintFact.Of(parent).Any(p => IndexName(parent, p) == c.Parent && (all || !IsInline(parent, p))))
            .Select(c => (c.QuotedName, Parent: c.Parent!));
        return indexes.Concat(constraints)
            .Select(i => $"ALTER INDEX {i.Parent} ATTACH PARTITION {SchemaSql.SchemaOf(o.Name)}.{i.QuotedName}");
    }

    internal static IEnumerable<string> ForeignKeys(SchemaObject o) => ConstraintFact.Of(o).Where(c => c.Type == 'f')
        .Select(c => AddConstraint(o, c));

    internal static string AddConstraint(SchemaObject o, ConstraintFact c, bool only = false) =>
        $"ALTER {(o.Kind == "domain" ? "DOMAIN" : SchemaSql.Kind(o))} {(only ? "ONLY " : "")}{o.Name} ADD CONSTRAINT {c.QuotedName} "
            + $"{c.Definition}";

    /// <summary>A column as CREATE TABLE and ADD COLUMN have it.</summary>
    internal string Column(SchemaObject o, ColumnFact c, bool withoutDefault) => SchemaSql.Join(
        c.QuotedName, c.Type, c.ForeignOptions, c.Collation, c.NotNull?.EndsWith(" NOT VALID", StringComparison.Ordinal) == true ? null
            : c.NotNull,
        withoutDefault ? null : c.Default,
        // What a child has from its parent, PostgreSQL 15 and earlier won't hear twice.
        !Inherited.Alone.Contains(o) && Inherited.ParentsOf(o).SelectMany(ColumnFact.Of)
            .Any(p => p.QuotedName == c.QuotedName && p.Generated == c.Generated)
            ? null : c.Generated,
        c.Identity);

    /// <summary>What can't be said where the column is made.</summary>
    internal IEnumerable<string> FinishColumn(SchemaObject o, ColumnFact c, bool withoutSoftParts)
    {
        var alter = $"{SchemaSql.AlterOnly(o)} ALTER COLUMN {c.QuotedName} ";
        if (c.IsInherited && Inherited.GivenBy(o, c) is { } parent)
        {
            if (c.NotNull is not null && parent.NotNull is null)
            {
                yield return alter + "SET NOT NULL";
            }

            if (c.Default != parent.Default && !withoutSoftParts)
            {
                yield return alter + (c.Default is null ? "DROP DEFAULT" : "SET " + c.Default);
            }
        }

        if (o.Kind == "view" && c.Default is not null && !withoutSoftParts)
        {
            yield return alter + "SET " + c.Default;
        }

        if (c.NotNull is { } notNull && notNull.EndsWith(" NOT VALID", StringComparison.Ordinal))
        {
            yield return $"ALTER {SchemaSql.Name(o)} ADD "
                + $"{notNull.Replace("NOT NULL", $"NOT NULL {c.QuotedName}", StringComparison.Ordinal)}";
        }

        foreach (var setting in new[] { c.Storage, c.Compression, c.Statistics, c.Options?["SET ".Length..] }.OfType<string>())
        {
            yield return alter + "SET " + setting;
        }
    }

    private IEnumerable<string> FinishColumns(SchemaObject o, bool withoutSoftParts) =>
        ColumnFact.Of(o).Where(c => !Inherited.ComesLate(o, c)).SelectMany(c => FinishColumn(o, c, withoutSoftParts));

    private static string Type(SchemaObject o) => o switch
    {
        _ when o["enum"] is { } labels => $"CREATE TYPE {o.Name} AS ENUM ({(labels == "()" ? "" : labels)})",
        _ when o["range"] is { } range => $"CREATE TYPE {o.Name} AS RANGE ({range})",
        _ when o["base"] is { } definition => $"CREATE TYPE {o.Name} ({definition})",
        _ when o["shell"] is not null => $"CREATE TYPE {o.Name}",
        _ => $"CREATE TYPE {o.Name} AS {Lines(ColumnFact.Of(o).Select(c => SchemaSql.Join(c.QuotedName, c.Type, c.Collation)))}",
    };

    private static IEnumerable<string> Domain(SchemaObject o, bool withoutSoftParts)
    {
        // What is not valid can't be said in CREATE DOMAIN.
        var later = ConstraintFact.Of(o).Where(c => withoutSoftParts || c.IsNotValid).ToList();
        var now = ConstraintFact.Of(o).Where(c => !withoutSoftParts && !c.IsNotValid)
            .Select(c => $"\n    CONSTRAINT {c.QuotedName} {c.Definition}");
        return [$"CREATE DOMAIN {o.Name} AS {o["domain"]}{string.Concat(now)}", .. withoutSoftParts ? []
            : later.Select(c => AddConstraint(o, c))];
    }

    private IEnumerable<string> Table(SchemaObject o, bool withoutSoftParts)
    {
        var isTyped = o["of type"] is not null;
        var columns = ColumnFact.Of(o).Where(c => !c.IsInherited && !Inherited.IsLate(o, c))
            .Select(c => isTyped ? TypedColumn(c, withoutSoftParts) : Column(o, c, withoutSoftParts))
            .OfType<string>();
        var constraints = ConstraintFact.Of(o).Where(c => c.Type != 'f' && !(withoutSoftParts && c.Type == 'c')).ToList();
        var inline = constraints.Where(c => IsInline(o, c)).Concat(InheritedChecks(o))
            .Select(c => SchemaSql.Join("CONSTRAINT", c.QuotedName, c.Definition));
        var body = columns.Concat(inline).ToList();
        return
        [
            SchemaSql.Join(
                "CREATE",
                o["persistence"],
                o.Kind == "foreign table" ? "FOREIGN TABLE" : "TABLE",
                o.Name,
                isTyped ? "OF " + o["of type"] : null,
                isTyped && body.Count == 0 ? null : Lines(body),
                o["inherits"] is { } parents && !Inherited.Alone.Contains(o) ? $"INHERITS ({parents})" : null,
                o["partition by"] is { } key ? "PARTITION BY " + key : null,
                Using(o),
                o["server"] is { } server ? "SERVER " + server : null,
                o["foreign options"] is { } options ? $"OPTIONS ({options})" : null,
                With(o).Trim(),
                Tablespace(o)),
            .. FinishColumns(o, withoutSoftParts),
        ];
    }

    /// <summary>The check constraints that CREATE TABLE can't have.</summary>
    internal IEnumerable<string> LateChecks(SchemaObject o) =>
        ConstraintFact.Of(o).Where(c => c.Type == 'c' && o.Kind != "domain" && !IsInline(o, c)).Select(c => AddConstraint(o, c));

    private bool IsInline(SchemaObject o, ConstraintFact c) => !c.IsNotValid
        && !Inherited.Later.Any(l => l.Table == o || Inherited.Family(l.Table).Contains(o))
        && (c.Type == 'c'
            // Of equal ones PostgreSQL keeps one, where CREATE TABLE has them.
            || (c.Type is 'p' or 'u' or 'x' && !ConstraintFact.Of(o).TakeWhile(other => other.QuotedName != c.QuotedName)
                .Any(other => other.Type is 'p' or 'u' && other.Columns == c.Columns)
            // A partition that has it under no name of its own would be given one.
            && _partitions[o.Name].All(p => ConstraintFact.Of(p).Any(other => other.Parent == IndexName(o, c)))));

    private static string IndexName(SchemaObject o, ConstraintFact c) => $"{SchemaSql.SchemaOf(o.Name)}.{c.QuotedName}";

    /// <summary>A column of a typed table is named only where it has more than its type.</summary>
    private static string? TypedColumn(ColumnFact c, bool withoutDefault) =>
        SchemaSql.Join(c.NotNull, withoutDefault ? null : c.Default) is { Length: > 0 } more ? $"{c.QuotedName} WITH OPTIONS {more}" : null;

    /// <summary>What is created alone and tied to its parents later must have their check constraints.</summary>
    private IEnumerable<ConstraintFact> InheritedChecks(SchemaObject o)
    {
        var own = ConstraintFact.Of(o).Select(c => c.QuotedName).ToHashSet();
        for (var left = new Stack<SchemaObject>([o]); left.TryPop(out var table);)
        {
            var parents = table["partition of"] is { } name && _tables.TryGetValue(name, out var parent) ? [parent]
                : table != o || Inherited.Alone.Contains(o) ? Inherited.ParentsOf(table) : [];
            foreach (var one in parents)
            {
                left.Push(one);
                foreach (var check in ConstraintFact.Of(one).Where(c => c.Type == 'c'
                    && !c.Definition.EndsWith(" NO INHERIT", StringComparison.Ordinal) && own.Add(c.QuotedName)))
                {
                    yield return check;
                }
            }
        }
    }

    /// <summary>A list in parentheses, one entry a line; empty parentheses for none.</summary>
    private static string Lines(IEnumerable<string> entries)
    {
        var list = string.Join(",\n    ", entries);
        return list.Length == 0 ? "()" : $"(\n    {list}\n)";
    }

    private static string Names(SchemaObject o) =>
        o.Of("column").Any() ? $" ({string.Join(", ", ColumnFact.Of(o).Select(c => c.QuotedName))})" : "";

    private static string? Using(SchemaObject o) => o["access method"] is { } method ? "USING " + method : null;

    private static string With(SchemaObject o) => o["options"] is { } options ? $" WITH ({options})" : "";

    private static string? Tablespace(SchemaObject o) => o["tablespace"] is { } tablespace ? "TABLESPACE " + tablespace : null;
}
