using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Migrations;

/// <summary>A schema, under the name that it has by now.</summary>
internal sealed class ModelSchema(uint oid, string name)
{
    internal CatalogObject Object => new(CatalogObject.Schema, oid);

    internal string Name { get; set; } = name;
}

/// <summary>
/// A relation as the statements so far have left it, and its origin, as the server has it now. One that the statements have created has no
/// origin, and in the place of its oid a number that no object of a user can have.
/// </summary>
internal sealed class ModelRelation(uint oid, CatalogRelation? origin, ModelSchema schema, string name, char kind)
{
    internal CatalogObject Object => new(CatalogObject.Relation, oid);

    internal CatalogRelation? Origin => origin;

    internal ModelSchema Schema { get; set; } = schema;

    internal string Name { get; set; } = name;

    internal char Kind => kind;

    internal bool HoldsRows => Kind is 'r' or 'p' or 'm';

    /// <summary>Whether it goes at the end of its transaction (ON COMMIT DROP).</summary>
    internal bool GoesWithCommit { get; init; }

    /// <summary>Its columns by the name that they have by now. One that is created has no number.</summary>
    internal Dictionary<string, ModelColumn> Columns { get; } = new(StringComparer.Ordinal);

    internal List<ModelRelation> Parents { get; } = [];

    internal List<ModelRelation> Children { get; } = [];

    internal List<(int Events, string What)> Code { get; } = [.. origin?.Code ?? []];

    internal string Display => new StatementName(Schema.Name, Name, 0).Display;

    /// <summary>Itself, and what inherits from it or is a partition of it.</summary>
    internal IEnumerable<ModelRelation> Tree => Children.SelectMany(child => child.Tree).Prepend(this);

    internal IEnumerable<ModelRelation> Ancestors => Parents.SelectMany(parent => parent.Ancestors.Prepend(parent));
}

/// <summary>A column.</summary>
/// <param name="Number">Its number; 0 for one that the statements have created.</param>
/// <param name="Name">The name that it has now.</param>
/// <param name="Type">The type that it has by now.</param>
internal sealed record ModelColumn(short Number, string Name, string Type);

/// <summary>A foreign key.</summary>
internal sealed record ModelForeignKey(
    string Name, ModelRelation Table, ModelRelation Referenced, char OnDelete, char OnUpdate, IReadOnlyList<string> Columns,
        IReadOnlyList<string> ReferencedColumns);

/// <summary>The catalog as the statements so far have left it: what names mean, and what hangs on what.</summary>
internal sealed class LossModel
{
    internal const string TemporarySchema = "pg_temp";

    private readonly LossCatalog _catalog;
    private readonly Dictionary<uint, ModelSchema> _schemas = [];
    private readonly List<ModelRelation> _relations = [];
    private readonly Dictionary<uint, ModelRelation> _byOid = [];
    private readonly List<CatalogDependency> _dependencies;
    private ILookup<(uint Class, uint Oid), CatalogDependency>? _dependents;
    private uint _created;

    internal LossModel(LossCatalog catalog)
    {
        _catalog = catalog;
        _dependencies = [.. catalog.Dependencies];
        Named = [.. catalog.Named];
        foreach (var schema in catalog.Named.Where(named => named.Class == CatalogObject.Schema))
        {
            _schemas[schema.Oid] = new ModelSchema(schema.Oid, schema.Name);
        }

        foreach (var relation in catalog.Relations.Where(relation => _schemas.ContainsKey(relation.Schema)))
        {
            _byOid[relation.Oid] = new ModelRelation(relation.Oid, relation, _schemas[relation.Schema], relation.Name, relation.Kind);
            _relations.Add(_byOid[relation.Oid]);
        }

        foreach (var column in catalog.Columns)
        {
            Find(column.Relation)?.Columns.Add(column.Name, new ModelColumn(column.Number, column.Name, column.Type));
        }

        foreach (var (child, parent) in catalog.Inheritance)
        {
            if (Find(child) is { } from && Find(parent) is { } to)
            {
                Inherit(from, to);
            }
        }

        ForeignKeys =
        [
            .. from key in catalog.Constraints
               let table = Find(key.Table)
               let referenced = Find(key.Referenced)
               where table is not null && referenced is not null
               select new ModelForeignKey(
                   key.Name, table, referenced, key.OnDelete, key.OnUpdate, NamesOf(table, key.Columns),
                       NamesOf(referenced, key.ReferencedColumns)),
        ];
    }

    /// <summary>Whether a count of one relation, as the server has it now, has the rows of another.</summary>
    internal bool Counts(ModelRelation relation, ModelRelation part)
    {
        return part.Origin is { } origin && Parents(origin.Oid).Contains(relation.Object.Oid);

        IEnumerable<uint> Parents(uint child) => _catalog.Inheritance.Where(pair => pair.Child == child)
            .SelectMany(pair => Parents(pair.Parent).Prepend(pair.Parent));
    }

    /// <summary>Types, functions, collations and extensions, under the names that they have by now.</summary>
    internal List<CatalogNamed> Named { get; }

    internal List<ModelForeignKey> ForeignKeys { get; }

    /// <summary>Where names without a schema are looked for; null when that isn't known any more.</summary>
    internal IReadOnlyList<string>? SearchPath { get; set; }

    /// <summary>The role of the session; null when that isn't known any more.</summary>
    internal string? User { get; set; }

    internal ModelRelation? Find(uint oid) => _byOid.GetValueOrDefault(oid);

    internal ModelSchema? FindSchema(string name) =>
        _schemas.Values.FirstOrDefault(schema => schema.Name == name);

    /// <summary>The relation that a name means by now; null where there is none, or it can't be told.</summary>
    internal ModelRelation? Find(StatementName name) => name.Schema is { } schema
        ? _relations.Find(relation => relation.Schema.Name == schema && relation.Name == name.Name)
        : Path.Select(part => _relations.Find(relation => relation.Schema.Name == part
            && relation.Name == name.Name)).FirstOrDefault(found => found is not null);

    /// <summary>The objects of a class that a name may mean: functions of one name are several.</summary>
    internal IEnumerable<CatalogObject> FindNamed(uint catalog, StatementName name)
    {
        bool IsSchema(CatalogNamed named) => catalog == CatalogObject.Extension
            || (name.Schema is { } schema ? [schema] : Path).Any(part => _schemas.GetValueOrDefault(named.Schema)?.Name == part);
        return Named.Where(named => named.Class == catalog && named.Name == name.Name && IsSchema(named)).Select(named =>
            new CatalogObject(catalog, named.Oid));
    }

    /// <summary>What a role owns.</summary>
    internal IEnumerable<CatalogObject> OwnedBy(string role) =>
        Named.Where(named => named.Owner == role).Select(named => new CatalogObject(named.Class, named.Oid))
            .Concat(_relations.Where(relation => relation.Origin?.Owner == role).Select(relation => relation.Object));

    /// <summary>All that are there by now.</summary>
    internal IReadOnlyList<ModelRelation> Relations => _relations;

    /// <summary>Adds a relation that a statement creates; null where there is one of its name in its schema.</summary>
    internal ModelRelation? Create(StatementName name, char kind, bool temporary, bool goesWithCommit)
    {
        var schema = temporary ? FindSchema(TemporarySchema) ?? AddSchema(TemporarySchema)
            : name.Schema is { } written ? FindSchema(written)
            : Path.Where(part => part != TemporarySchema).Select(FindSchema).FirstOrDefault(found => found is not null);
        if (schema is null || _relations.Exists(relation => relation.Schema == schema && relation.Name == name.Name))
        {
            return null;
        }

        var relation = new ModelRelation(++_created, null, schema, name.Name, kind) { GoesWithCommit = goesWithCommit };
        _byOid[_created] = relation;
        _relations.Add(relation);
        Link(relation.Object, schema.Object, 'n');
        return relation;
    }

    internal ModelSchema AddSchema(string name) => _schemas[++_created] = new ModelSchema(_created, name);

    internal static void Inherit(ModelRelation child, ModelRelation parent)
    {
        child.Parents.Add(parent);
        parent.Children.Add(child);
    }

    internal void Disinherit(ModelRelation child, ModelRelation parent)
    {
        child.Parents.Remove(parent);
        parent.Children.Remove(child);
        Unlink(child.Object, needed => needed == parent.Object);
    }

    /// <summary>Says that something needs something else from now on.</summary>
    internal void Link(CatalogObject dependent, CatalogObject needed, char kind)
    {
        _dependencies.Add(new CatalogDependency(dependent, needed, kind));
        _dependents = null;
    }

    /// <summary>The same of what some words of a statement name: types, functions and collations, of whatever schema.</summary>
    internal void Link(CatalogObject dependent, IEnumerable<string?> names)
    {
        var words = names.ToHashSet();
        foreach (var named in Named.Where(named => words.Contains(named.Name)
            && named.Class is CatalogObject.Type or CatalogObject.Function or CatalogObject.Collation))
        {
            Link(dependent, new CatalogObject(named.Class, named.Oid), 'n');
        }
    }

    /// <summary>Says that something no longer needs something else.</summary>
    internal void Unlink(CatalogObject dependent, Predicate<CatalogObject> needed)
    {
        _dependencies.RemoveAll(dependency => dependency.Dependent == dependent && needed(dependency.Needed));
        _dependents = null;
    }

    internal void Move(ModelRelation relation, ModelSchema schema)
    {
        relation.Schema = schema;
        Unlink(relation.Object, needed => needed.Class == CatalogObject.Schema);
        Link(relation.Object, schema.Object, 'n');
    }

    internal void Remove(ModelRelation relation)
    {
        _relations.Remove(relation);
        ForeignKeys.RemoveAll(key => key.Table == relation || key.Referenced == relation);
        foreach (var parent in relation.Parents)
        {
            parent.Children.Remove(relation);
        }
    }

    /// <summary>Removes temporary tables, whose names mean others from then on.</summary>
    internal void RemoveTemporary(bool onlyWithCommit) =>
        _relations.FindAll(relation => relation.Schema.Name == TemporarySchema && (!onlyWithCommit || relation.GoesWithCommit))
            .ForEach(Remove);

    internal void RemoveSchema(uint oid) => _schemas.Remove(oid);

    /// <summary>Whether a sequence belongs to a column and numbers nothing else: an identity's, or that of the column's default.</summary>
    internal bool NumbersItsColumn(ModelRelation sequence) =>
        _dependencies.Find(dependency => dependency.Dependent == sequence.Object && dependency.Needed
            is { Class: CatalogObject.Relation, Part: > 0 }) is { } owner
        && (owner.Kind == 'i' || (Users(sequence.Object).Where(user => user.Class == CatalogObject.Default).ToList() is [var only]
            && Users(owner.Needed).Contains(only)));

    /// <summary>The sequences of a table's columns.</summary>
    internal IEnumerable<ModelRelation> SequencesOf(ModelRelation table) =>
        Dependents[(CatalogObject.Relation, table.Object.Oid)].Where(dependency => dependency.Needed.Part > 0)
            .Select(dependency => Find(dependency.Dependent.Oid)).OfType<ModelRelation>()
            .Where(relation => relation.Kind == 'S').Distinct();

    /// <summary>The relations that have values of a relation's row type in them, also within arrays, domains and other row types.</summary>
    internal HashSet<ModelRelation> HoldersOf(uint relation)
    {
        var holders = new HashSet<ModelRelation>();
        var seen = new HashSet<CatalogObject>();
        var open = new Stack<CatalogObject>(RowTypes(relation));
        while (open.TryPop(out var type))
        {
            foreach (var user in Users(type).Where(seen.Add))
            {
                if (user.Class == CatalogObject.Type)
                {
                    open.Push(user);
                }
                else if (user is { Class: CatalogObject.Relation, Part: > 0 })
                {
                    holders.UnionWith(Find(user.Oid) is { } holder ? [holder] : []);
                    RowTypes(user.Oid).ForEach(open.Push);
                }
            }
        }

        return holders;

        // That of a table depends on the table, a composite type's relation on the type.
        List<CatalogObject> RowTypes(uint of) =>
        [
            .. _dependencies.Where(dependency => dependency.Kind == 'i')
                .Select(dependency => (dependency.Dependent, dependency.Needed) switch
                {
                    ({ Class: CatalogObject.Type } row, { Class: CatalogObject.Relation } table) when table.Oid == of => row,
                    ({ Class: CatalogObject.Relation } table, { Class: CatalogObject.Type } row) when table.Oid == of => row,
                    _ => default(CatalogObject?),
                }).OfType<CatalogObject>(),
        ];
    }

    internal CatalogObject? FindConstraint(ModelRelation table, string name) =>
        _catalog.Constraints.FirstOrDefault(constraint => constraint.Table == table.Origin?.Oid && constraint.Name == name) is { } found
            ? new CatalogObject(CatalogObject.Constraint, found.Oid)
            : null;

    /// <summary>
    /// What is dropped together with some objects, as PostgreSQL's <c>findDependentObjects</c> does it: what belongs to them always goes,
    /// what needs them goes by CASCADE, and with a part of something (a view's rule, a member of an extension) goes the whole.
    /// </summary>
    internal HashSet<CatalogObject> DroppedWith(IEnumerable<CatalogObject> roots, bool cascade)
    {
        var wholes = _dependencies.Where(dependency => dependency.Kind is 'i' or 'e').ToLookup(dependency => dependency.Dependent,
            dependency => dependency.Needed);
        var dropped = new HashSet<CatalogObject>();
        var open = new Stack<CatalogObject>(roots);
        while (open.TryPop(out var next))
        {
            if (!dropped.Add(next))
            {
                continue;
            }

            foreach (var dependency in Dependents[(next.Class, next.Oid)])
            {
                if ((next.Part == 0 || dependency.Needed.Part == next.Part) && (cascade || dependency.Kind != 'n'))
                {
                    open.Push(dependency.Dependent);
                }
            }

            if (cascade)
            {
                foreach (var whole in wholes[next])
                {
                    open.Push(whole);
                }
            }
        }

        return dropped;
    }

    private ILookup<(uint Class, uint Oid), CatalogDependency> Dependents =>
        _dependents ??= _dependencies.ToLookup(dependency => (dependency.Needed.Class, dependency.Needed.Oid));

    /// <summary>What needs exactly that: a column, and not its table.</summary>
    private IEnumerable<CatalogObject> Users(CatalogObject needed) =>
        Dependents[(needed.Class, needed.Oid)].Where(dependency => dependency.Needed == needed).Select(dependency => dependency.Dependent);

    /// <summary>The schemas in which a name without one is looked for; temporary tables come first unless the path says
    /// otherwise.</summary>
    private IEnumerable<string> Path => SearchPath is null ? []
        : (SearchPath.Contains(TemporarySchema) ? SearchPath : SearchPath.Prepend(TemporarySchema)).Select(part => part == "$user"
            ? User ?? "" : part);

    private static List<string> NamesOf(ModelRelation relation, IReadOnlyList<short> numbers) =>
        [.. numbers.Select(number => relation.Columns.Values.FirstOrDefault(column => column.Number == number)?.Name ?? "")];
}
