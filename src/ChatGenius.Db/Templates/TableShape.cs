using ChatGenius.Db.Sql;
using Scriban.Runtime;

namespace ChatGenius.Db.Templates;

/// <summary>
/// What the columns of a command line come to on a table: constraints with their names, and the indexes that its foreign keys
/// need because no unique constraint leads with them.
/// </summary>
internal sealed class TableShape
{
    private readonly string _table;
    private readonly int _width;
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    /// <param name="table">The table's name, not quoted.</param>
    /// <param name="columns">The columns, with their types.</param>
    /// <param name="adds">
    /// Columns that the template adds by itself, such as <c>id</c>; empty where the table is there and has columns that are not known.
    /// </param>
    /// <exception cref="ProblemException">CG0807: a list names a column that isn't there.</exception>
    public TableShape(string table, IReadOnlyList<ColumnSpec> columns, IReadOnlyList<string> adds)
    {
        _table = table;
        var names = columns.Select(column => SqlIdentifier.Quote(column.Name)).Concat(adds);
        _width = 2 + names.Select(name => name.Length).DefaultIfEmpty().Max();
        Columns = columns;
        foreach (var column in columns)
        {
            if (column.References is { } target)
            {
                var name = NewName(column.Name, "fkey");
                ForeignKeys.Add(new Constraint(
                    name,
                    [column.Name],
                    $"FOREIGN KEY ({SqlIdentifier.Quote(column.Name)}) REFERENCES {SqlIdentifier.Quote(target.Table)} "
                    + $"({SqlIdentifier.Quote(target.Column)}) ON DELETE {target.OnDelete}"));
            }

            foreach (var check in column.Checks)
            {
                Checks.Add(new Constraint(NewName(column.Name, "check"), [column.Name], $"CHECK ({check})"));
            }

            foreach (var list in column.Uniques.Select(list => Resolve(column, list, adds)).Where(list => !Covers(Uniques, list)))
            {
                Uniques.Add(new Constraint(NewName(string.Join('_', list), "key"), list, $"UNIQUE ({Join(list)})"));
            }
        }

        foreach (var column in columns)
        {
            foreach (var list in column.Indexes.Select(list => Resolve(column, list, adds))
                .Where(list => !Covers(Indexes, list) && !Covers(Uniques, list)))
            {
                Indexes.Add(new Constraint(NewName(string.Join('_', list), "idx"), list, ""));
            }
        }

        foreach (var column in columns.Where(column => column.References is not null))
        {
            if (!Uniques.Concat(Indexes).Any(index => index.Columns[0] == column.Name))
            {
                Indexes.Add(new Constraint(NewName(column.Name, "idx"), [column.Name], ""));
            }
        }
    }

    /// <param name="Name">Not quoted.</param>
    /// <param name="Columns">Not quoted.</param>
    /// <param name="Definition">What follows <c>CONSTRAINT name</c>; empty for an index.</param>
    public sealed record Constraint(string Name, IReadOnlyList<string> Columns, string Definition);

    public IReadOnlyList<ColumnSpec> Columns { get; }

    public List<Constraint> ForeignKeys { get; } = [];

    public List<Constraint> Uniques { get; } = [];

    public List<Constraint> Checks { get; } = [];

    public List<Constraint> Indexes { get; } = [];

    /// <summary>The constraints of one kind, by the name that templates use.</summary>
    public IReadOnlyList<Constraint> Of(string kind) => kind switch
    {
        "foreign_keys" => ForeignKeys,
        "uniques" => Uniques,
        "checks" => Checks,
        _ => Indexes,
    };

    /// <summary>Puts the shape where a template can read it.</summary>
    public void WriteTo(ScriptObject model)
    {
        model["columns"] = new ScriptArray(Columns.Select(Describe));
        model["width"] = _width;
        model["untyped"] = Columns.Any(column => column.Type is null);
        model["required"] = Columns.Any(IsRequired);
        model["column_names"] = Columns.Count == 0 ? null : Join([.. Columns.Select(column => column.Name)]);
        model["constraints"] = new ScriptArray(ForeignKeys.Concat(Uniques).Concat(Checks).Select(Describe));
        model["foreign_keys"] = new ScriptArray(ForeignKeys.Select(Describe));
        model["uniques"] = new ScriptArray(Uniques.Select(Describe));
        model["checks"] = new ScriptArray(Checks.Select(Describe));
        model["indexes"] = new ScriptArray(Indexes.Select(Describe));
    }

    /// <summary>Whether rows that are there have no value for the column: it may not be null and has no default.</summary>
    public static bool IsRequired(ColumnSpec column) => column is { Type: not null, Nullable: false, Default: null, Identity: false };

    /// <summary>
    /// Whether a column that is added has to be filled afterwards: rows that are there have no value for it, or one that
    /// <see cref="ColumnDefault.VariesByRow"/>.
    /// </summary>
    public static bool IsUnfilled(ColumnSpec column) =>
        IsRequired(column) || (column.Default is { } value && ColumnDefault.VariesByRow(value));

    private static string Join(IEnumerable<string> names) => string.Join(", ", names.Select(SqlIdentifier.Quote));

    /// <summary>As PostgreSQL does, a name that is taken gets a number behind its label.</summary>
    private string NewName(string columns, string label)
    {
        var name = SqlIdentifier.ObjectName(_table, columns, label);
        for (var i = 1; !_names.Add(name); i++)
        {
            name = SqlIdentifier.ObjectName(_table, columns, $"{label}{i}");
        }

        return name;
    }

    private static bool Covers(List<Constraint> there, IReadOnlyList<string> columns) =>
        there.Exists(one => one.Columns.SequenceEqual(columns));

    private List<string> Resolve(ColumnSpec column, ColumnList list, IReadOnlyList<string> adds) =>
        list.Names.Count == 0 ? [column.Name] : [.. list.Names.Select(name => Resolve(name, adds))];

    private string Resolve(ColumnName given, IReadOnlyList<string> adds)
    {
        if (Columns.Any(column => column.Name == given.Name))
        {
            return given.Name;
        }

        if (Columns.FirstOrDefault(column => column.References is not null && column.Name == given.Name + "_id") is { } reference)
        {
            return reference.Name;
        }

        if (adds.Count == 0 || adds.Contains(given.Name))
        {
            return given.Name;
        }

        throw new ProblemException(
            "CG0807", $"The table has no column \"{given.Name}\"", given.Where,
            $"It has {string.Join(", ", adds.Take(1).Concat(Columns.Select(c => c.Name)).Concat(adds.Skip(1)))}.");
    }

    private ScriptObject Describe(ColumnSpec column)
    {
        var one = new ScriptObject
        {
            ["name"] = SqlIdentifier.Quote(column.Name),
            ["type"] = column.Type,
            ["nullable"] = column.Nullable,
            ["required"] = IsRequired(column),
            ["unfilled"] = IsUnfilled(column),
            ["default"] = column.Default,
            ["definition"] = column.Type is null ? null : Define(column),
            // Not table_column_not_null: from version 18 on that is the name of the NOT NULL constraint itself.
            ["not_null_name"] = SqlIdentifier.Quote(SqlIdentifier.ObjectName(_table, column.Name, "not_null_check")),
            ["foreign_key_name"] = SqlIdentifier.Quote(SqlIdentifier.ObjectName(_table, column.Name, "fkey")),
        };
        if (column.References is { } target)
        {
            one["references"] = new ScriptObject
            {
                ["table"] = SqlIdentifier.Quote(target.Table),
                ["column"] = SqlIdentifier.Quote(target.Column),
                ["on_delete"] = target.OnDelete,
            };
        }

        return one;
    }

    private static ScriptObject Describe(Constraint constraint) => new()
    {
        ["name"] = SqlIdentifier.Quote(constraint.Name),
        ["columns"] = Join(constraint.Columns),
        ["definition"] = constraint.Definition,
    };

    private static string Define(ColumnSpec column) =>
        column.Type
        + (column.Identity ? " GENERATED ALWAYS AS IDENTITY" : "")
        + (column.Nullable ? "" : " NOT NULL")
        + (column.Default is null ? "" : $" DEFAULT {column.Default}");
}
