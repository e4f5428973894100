using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Safety;

/// <summary>
/// The user's part of the system catalogs at one moment. It is immutable and shares what did not change with the moment
/// before, so that a trace can keep one for every statement.
/// </summary>
internal sealed record Catalog
{
    // Made when first asked for, and shared by all moments that share the dictionary.
    private static readonly ConditionalWeakTable<ImmutableDictionary<uint, Constraint>, ILookup<uint, Constraint>> ByTable = [];
    private static readonly ConditionalWeakTable<ImmutableDictionary<uint, Relation>, ILookup<uint, Relation>> ByIndexed = [];
    private static readonly ConditionalWeakTable<ImmutableDictionary<uint, Relation>, ILookup<string, Relation>> ByName = [];
    private static readonly ConditionalWeakTable<ImmutableDictionary<uint, Routine>, HashSet<string>> FunctionNames = [];

    /// <summary>Tables, views, materialized views, foreign tables, sequences and indexes, by oid.</summary>
    public ImmutableDictionary<uint, Relation> Relations { get; init; } = ImmutableDictionary<uint, Relation>.Empty;

    /// <summary>The columns of each relation that has columns, in their order.</summary>
    public ImmutableDictionary<uint, ImmutableArray<Column>> Columns { get; init; } = ImmutableDictionary<uint,
        ImmutableArray<Column>>.Empty;

    /// <summary>The constraints of tables and domains, by oid.</summary>
    public ImmutableDictionary<uint, Constraint> Constraints { get; init; } = ImmutableDictionary<uint, Constraint>.Empty;

    /// <summary>Domains, enum, range and free-standing composite types, by oid.</summary>
    public ImmutableDictionary<uint, TypeInfo> Types { get; init; } = ImmutableDictionary<uint, TypeInfo>.Empty;

    /// <summary>The values of enum types, by oid.</summary>
    public ImmutableDictionary<uint, EnumValue> EnumValues { get; init; } = ImmutableDictionary<uint, EnumValue>.Empty;

    /// <summary>Functions, procedures and aggregates that no extension owns, by oid.</summary>
    public ImmutableDictionary<uint, Routine> Functions { get; init; } = ImmutableDictionary<uint, Routine>.Empty;

    /// <summary>Triggers that a user made, by oid.</summary>
    public ImmutableDictionary<uint, Trigger> Triggers { get; init; } = ImmutableDictionary<uint, Trigger>.Empty;

    /// <summary>Schemas, by oid.</summary>
    public ImmutableDictionary<uint, string> Schemas { get; init; } = ImmutableDictionary<uint, string>.Empty;

    /// <summary>The relations that a publication names.</summary>
    public ImmutableHashSet<uint> Published { get; init; } = [];

    /// <summary>The tables that have a row-security policy.</summary>
    public ImmutableHashSet<uint> WithPolicy { get; init; } = [];

    /// <summary>Whether a publication FOR ALL TABLES exists.</summary>
    public bool PublishesAllTables { get; init; }

    /// <summary>The columns of a relation; empty for one that has none or is not there.</summary>
    public ImmutableArray<Column> ColumnsOf(uint relation) => Columns.TryGetValue(relation, out var columns) ? columns : [];

    /// <summary>A column by its number, null when it is not there.</summary>
    public Column? FindColumn(uint relation, short number) => ColumnsOf(relation).FirstOrDefault(c => c.Number == number);

    /// <summary>A relation by its oid, null when it is not there.</summary>
    public Relation? Find(uint relation) => Relations.GetValueOrDefault(relation);

    /// <summary>A relation by its name, null when there is none.</summary>
    public Relation? Find(string schema, string name) => Named(name).FirstOrDefault(r => r.Schema == schema);

    /// <summary>The relations of a name, in whatever schema.</summary>
    public IEnumerable<Relation> Named(string name) =>
        ByName.GetValue(Relations, static all => all.Values.ToLookup(relation => relation.Name))[name];

    /// <summary>Whether a function has this name, in whatever schema.</summary>
    internal bool HasFunction(string name) =>
        FunctionNames.GetValue(Functions, static all => [.. all.Values.Select(function => function.Name)]).Contains(name);

    /// <summary>The constraints of a table.</summary>
    public IEnumerable<Constraint> ConstraintsOf(uint table) =>
        ByTable.GetValue(Constraints, static all => all.Values.ToLookup(constraint => constraint.Table))[table];

    /// <summary>The indexes of a table.</summary>
    public IEnumerable<Relation> IndexesOf(uint table) => ByIndexed.GetValue(
        Relations, static all => all.Values.Where(relation => relation.Index is not null).ToLookup(index => index.Index!.Table))[table];

    /// <summary>The table that an index belongs to, and of a partition the topmost parent; otherwise the relation itself.</summary>
    public uint Root(uint relation)
    {
        if (Find(relation)?.Index is { } index)
        {
            relation = index.Table;
        }

        while (Find(relation)?.Parent is { } parent)
        {
            relation = parent;
        }

        return relation;
    }
}

/// <summary>A row of <c>pg_class</c>, with its row of <c>pg_index</c> when it is an index.</summary>
/// <param name="Oid">Its oid.</param>
/// <param name="Schema">The schema it is in.</param>
/// <param name="Name">Its name.</param>
/// <param name="Kind"><c>relkind</c>: r table, p partitioned table, v view, m materialized view, f foreign table, S sequence, i index, I
/// partitioned index.</param>
/// <param name="Persistence"><c>relpersistence</c>: p permanent, u unlogged, t temporary.</param>
/// <param name="Tablespace">0 for the database's default.</param>
/// <param name="AccessMethod">0 where it has none.</param>
/// <param name="Parent">The partitioned table that it is a partition of.</param>
/// <param name="DefaultPartition">Of a partitioned table its DEFAULT partition.</param>
/// <param name="Filenode">What changes when it is rewritten; null where nothing is stored.</param>
/// <param name="RowSecurity">Whether row-level security is enabled.</param>
/// <param name="ForcesRowSecurity">Whether it holds for the owner too.</param>
/// <param name="ReplicaIdentity"><c>relreplident</c>: d default, n nothing, f full, i index.</param>
/// <param name="Privileges"><c>relacl</c> as text; null where nothing was granted.</param>
/// <param name="Index">What makes it an index.</param>
internal sealed record Relation(
    uint Oid, string Schema, string Name, char Kind, char Persistence, uint Tablespace, uint AccessMethod, uint? Parent,
        uint? DefaultPartition,
    uint? Filenode, bool RowSecurity, bool ForcesRowSecurity, char ReplicaIdentity, string? Privileges, IndexInfo? Index)
{
    /// <summary>Of a partition, which rows it takes.</summary>
    public PartitionBound? Bound { get; init; }

    /// <summary>Whether it is a table that holds rows, or is partitioned into such.</summary>
    public bool IsTable => Kind is 'r' or 'p';

    /// <summary>Whether rows of it are stored.</summary>
    public bool HoldsRows => Kind is 'r' or 'm';

    /// <summary>Its name as a message says it: without <c>public.</c>, quoted where SQL needs it.</summary>
    public string Display => Names.Qualified(Schema, Name);
}

/// <summary>Which rows a partition takes.</summary>
/// <param name="Values"><c>FOR VALUES …</c> or <c>DEFAULT</c>.</param>
/// <param name="Check">The same as an expression over its columns, where this transaction made it a partition; null by hash, whose
/// expression names an oid of this database.</param>
internal sealed record PartitionBound(string Values, string? Check);

/// <summary>A row of <c>pg_index</c>.</summary>
/// <param name="Table">The table it belongs to.</param>
/// <param name="Valid"><c>indisvalid</c>: false after a concurrent build that failed.</param>
/// <param name="Unique">Whether it is unique.</param>
/// <param name="Primary">Whether it is the primary key's.</param>
/// <param name="ReplicaIdentity">Whether it is the table's replica identity.</param>
/// <param name="Keys">The key columns' numbers, without INCLUDE; 0 for an expression.</param>
/// <param name="Columns">All its columns' numbers.</param>
/// <param name="Definition">The statement that makes it.</param>
/// <param name="Predicate">The WHERE of a partial index.</param>
internal sealed record IndexInfo(
    uint Table, bool Valid, bool Unique, bool Primary, bool ReplicaIdentity, ImmutableArray<short> Keys, ImmutableArray<short> Columns,
    string Definition, string? Predicate)
{
    /// <summary>
    /// Its definition but for its own and its table's name, which can hold any words in quotes: from the access method on.
    /// </summary>
    internal string Shape => field ??= Definition[MethodAt(Definition)..];

    private static int MethodAt(string definition)
    {
        var quoted = false;
        for (var i = 0; i < definition.Length; i++)
        {
            quoted ^= definition[i] == '"';
            if (!quoted && definition.AsSpan(i).StartsWith(" USING ", StringComparison.Ordinal))
            {
                return i;
            }
        }

        return 0;
    }
}

/// <summary>A row of <c>pg_attribute</c>.</summary>
/// <param name="Number"><c>attnum</c>, which a column keeps for its life.</param>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type as <c>format_type</c> writes it.</param>
/// <param name="TypeOid">Its type.</param>
/// <param name="Collation">0 where the type has none.</param>
/// <param name="NotNull">Whether it refuses NULL.</param>
/// <param name="Identity">a or d for an identity column.</param>
/// <param name="Generated">s for a stored, v for a virtual generated column.</param>
/// <param name="Default">The default's or generation expression.</param>
internal sealed record Column(
    short Number, string Name, string Type, uint TypeOid, uint Collation, bool NotNull, char? Identity, char? Generated, string? Default)
{
    /// <summary>Whether a row that doesn't name it gets a value all the same.</summary>
    public bool FillsItself => Default is not null || Identity is not null || Generated is not null;
}

/// <summary>A row of <c>pg_constraint</c>.</summary>
/// <param name="Oid">Its oid.</param>
/// <param name="Name">Its name.</param>
/// <param name="Table">The table it is on; 0 for a domain's.</param>
/// <param name="Domain">The domain it is on; 0 for a table's.</param>
/// <param name="Kind"><c>contype</c>: p primary key, u unique, f foreign key, c check, x exclusion, n not null (18+).</param>
/// <param name="Validated">False while NOT VALID or NOT ENFORCED.</param>
/// <param name="Index">The index behind it, or the one a foreign key relies on.</param>
/// <param name="ReferencedTable">Of a foreign key; 0 otherwise.</param>
/// <param name="Parent">The constraint of the partitioned table that it comes from; 0 if none.</param>
/// <param name="Keys">Its columns.</param>
/// <param name="ReferencedKeys">A foreign key's columns on the other side.</param>
/// <param name="Definition">As <c>pg_get_constraintdef</c> writes it.</param>
internal sealed record Constraint(
    uint Oid, string Name, uint Table, uint Domain, char Kind, bool Validated, uint Index, uint ReferencedTable, uint Parent,
    ImmutableArray<short> Keys, ImmutableArray<short> ReferencedKeys, string Definition)
{
    /// <summary>
    /// Whether rows are held to it at all; <c>NOT ENFORCED</c> came with PostgreSQL 18, and such a one can't be validated.
    /// </summary>
    public bool Enforced => !Definition.EndsWith(" NOT ENFORCED", StringComparison.Ordinal);
}

/// <summary>A row of <c>pg_type</c>.</summary>
/// <param name="Oid">Its oid.</param>
/// <param name="Schema">Its schema.</param>
/// <param name="Name">Its name.</param>
/// <param name="Kind"><c>typtype</c>: d domain, e enum, r range, c composite.</param>
/// <param name="NotNull">A domain that refuses NULL.</param>
/// <param name="BaseType">The type that a domain is made of.</param>
/// <param name="BaseName">That type as <c>format_type</c> writes it.</param>
internal sealed record TypeInfo(uint Oid, string Schema, string Name, char Kind, bool NotNull, uint BaseType, string BaseName)
{
    /// <summary>Its name as a message says it.</summary>
    public string Display => Names.Qualified(Schema, Name);
}

/// <summary>A row of <c>pg_enum</c>.</summary>
internal sealed record EnumValue(uint Oid, uint Type, string Label);

/// <summary>A row of <c>pg_proc</c>.</summary>
/// <param name="Oid">Its oid.</param>
/// <param name="Schema">Its schema.</param>
/// <param name="Name">Its name.</param>
/// <param name="Arguments">What tells overloads apart.</param>
/// <param name="Kind"><c>prokind</c>: f function, p procedure, a aggregate, w window function.</param>
/// <param name="SecurityDefiner">Whether it runs with its owner's rights.</param>
/// <param name="HasSearchPath">Whether it carries its own search_path.</param>
/// <param name="IsTrigger">Whether it can only be called by a trigger.</param>
/// <param name="Privileges"><c>proacl</c> as text.</param>
internal sealed record Routine(
    uint Oid, string Schema, string Name, string Arguments, char Kind, bool SecurityDefiner, bool HasSearchPath, bool IsTrigger,
        string? Privileges)
{
    /// <summary>Its name and arguments as a message says them.</summary>
    public string Display => $"{Names.Qualified(Schema, Name)}({Arguments})";

    /// <summary>The word that names its kind in SQL.</summary>
    public string Word => Kind switch { 'p' => "PROCEDURE", 'a' => "AGGREGATE", _ => "FUNCTION" };
}

/// <summary>A row of <c>pg_trigger</c>.</summary>
/// <param name="Oid">Its oid.</param>
/// <param name="Table">The table it is on.</param>
/// <param name="Name">Its name.</param>
/// <param name="Enabled"><c>tgenabled</c>: D disabled.</param>
internal sealed record Trigger(uint Oid, uint Table, string Name, char Enabled);
