using ChatGenius.Db.Text;

namespace ChatGenius.Db.Templates;

/// <summary>From the columns that were given to the columns that the template gets: what the migration's name says is filled in.</summary>
internal static class ColumnCompletion
{
    /// <exception cref="ProblemException">CG0806: a column that the template adds by itself; CG0808: something can't be known.</exception>
    public static IReadOnlyList<ColumnSpec> Complete(
        TemplateInfo info, NameReading reading, Dictionary<string, string> raw, IReadOnlyList<ColumnSpec> columns, List<string> notices)
    {
        if (columns.Count == 0 && info.Arguments is TemplateArguments.Columns or TemplateArguments.OptionalColumns)
        {
            columns = [.. reading.Columns.Select(name => FromName(name, reading))];
        }

        columns = info.Name switch
        {
            "create_join_table" => Join(raw, columns),
            "create_partitioned_table" => AddKey(info, raw, columns),
            "add_foreign_key" => AddTargets(raw, columns),
            "rename_column" or "change_column_type" => Replace(info, raw, columns),
            "insert_rows" => RequireValues(columns),
            _ => columns,
        };
        if (columns.FirstOrDefault(column => info.Adds.Contains(column.Name)) is { } twice)
        {
            throw new ProblemException(
                "CG0806", $"The template {info.Name} adds \"{twice.Name}\" by itself", twice.Where,
                $"Leave it out, or change the template: new --eject {info.Name}");
        }

        return CompleteTypes(info, columns, notices);
    }

    private static ColumnSpec FromName(string column, NameReading reading)
    {
        var at = Math.Max(0, reading.Name.IndexOf(column, StringComparison.Ordinal));
        return new ColumnSpec(column, null, false, null, new SourceLocation("name", 1, at + 1, reading.Name, column.Length));
    }

    /// <summary>A join table that is given no references refers to the two tables of its name, each pair once.</summary>
    private static IReadOnlyList<ColumnSpec> Join(Dictionary<string, string> raw, IReadOnlyList<ColumnSpec> columns)
    {
        if (!columns.Any(column => column.References is not null)
            && raw.TryGetValue("left", out var left) && raw.TryGetValue("right", out var right))
        {
            columns = [Reference(left), Reference(right), .. columns];
        }

        var references = columns.Where(column => column.References is not null).Take(2).ToList();
        if (references.Count < 2)
        {
            throw new ProblemException(
                "CG0808", "A join table refers to two tables",
                advice: "As in: chatgenius-db new create_join_table_channels_users, or give the two: channel:references user:references");
        }

        var pair = new ColumnList([.. references.Select(column => new ColumnName(column.Name, column.Where))]);
        return columns.Any(column => column.Uniques.Count > 0)
            ? columns
            : [.. columns.Select(column => column == references[0] ? column with { Uniques = [pair] } : column)];

        static ColumnSpec Reference(string table) =>
            new(Inflection.Singular(table) + "_id", "UUID", false, null, new SourceLocation("name", 1, 1, table, table.Length))
            {
                References = new ColumnReference(table, "id", "CASCADE"),
            };
    }

    /// <summary>The time that decides the partition has to be a column; what only names a length of time (<c>by_month</c>) isn't.</summary>
    private static IReadOnlyList<ColumnSpec> AddKey(TemplateInfo info, Dictionary<string, string> raw, IReadOnlyList<ColumnSpec> columns)
    {
        if (raw.TryGetValue("key", out var key) && key is "day" or "week" or "month" or "year" or "date" or "time" or "range")
        {
            raw.Remove("key");
            return columns;
        }

        return key is null || info.Adds.Contains(key) || columns.Any(column => column.Name == key)
            ? columns
            : [.. columns, new ColumnSpec(key, "TIMESTAMP WITH TIME ZONE", false, null, new SourceLocation("name", 1, 1, key, key.Length))];
    }

    private static IReadOnlyList<ColumnSpec> AddTargets(Dictionary<string, string> raw, IReadOnlyList<ColumnSpec> columns)
    {
        raw.TryGetValue("references", out var table);
        if (columns.Count == 0 && table is not null)
        {
            var where = new SourceLocation("name", 1, 1, table, table.Length);
            columns = [new ColumnSpec(Inflection.Singular(table) + "_id", null, false, null, where)];
        }

        return [.. columns.Select(column => column with
        {
            References = column.References ?? new ColumnReference(Target(column), "id", "CASCADE"),
        })];

        string Target(ColumnSpec column) =>
            table
            ?? (column.Name.Length > 3 && column.Name.EndsWith("_id", StringComparison.Ordinal)
                ? Inflection.Plural(column.Name[..^3])
                : null)
            ?? throw new ProblemException(
                "CG0808", $"Which table does \"{column.Name}\" refer to?", column.Where,
                $"Say it: {column.Name}:uuid:references(users), or --set references=users");
    }

    /// <summary>A column that takes another one's place is given with its type, under either name.</summary>
    private static IReadOnlyList<ColumnSpec> Replace(
        TemplateInfo info, Dictionary<string, string> raw, IReadOnlyList<ColumnSpec> columns)
    {
        if (columns.Count == 0 && raw.TryGetValue("type", out var type) && raw.TryGetValue("old_name", out var column))
        {
            columns = ColumnSpec.ParseAll([$"{column}:{type}"]);
        }

        if (columns.Count > 1)
        {
            throw new ProblemException(
                "CG0808", $"The template {info.Name} takes one column", columns[1].Where, "Make a migration for each.");
        }

        if (columns.Count == 0)
        {
            return columns;
        }

        raw.TryAdd("old_name", columns[0].Name);
        if (info.Name == "change_column_type")
        {
            raw.TryAdd("new_name", raw["old_name"] + "_new");
        }

        return raw.TryGetValue("new_name", out var name)
            ? [columns[0] with { Name = name, Nullable = true, Where = columns[0].Where }]
            : throw new ProblemException(
                "CG0809", $"The template {info.Name} needs the value \"new_name\"",
                advice: $"Say it in the name, as in: chatgenius-db {info.Example}");
    }

    private static IReadOnlyList<ColumnSpec> RequireValues(IReadOnlyList<ColumnSpec> columns)
    {
        var problems = columns.Where(column => column.Default is null)
            .Select(column => new Problem(
                "CG0808", $"The column \"{column.Name}\" has no value", column.Where, $"Say it: {column.Name}=value"))
            .ToList();
        return problems.Count == 0 ? columns : throw new ProblemException(problems);
    }

    private static IReadOnlyList<ColumnSpec> CompleteTypes(TemplateInfo info, IReadOnlyList<ColumnSpec> columns, List<string> notices)
    {
        switch (info.Types)
        {
            case MissingTypes.Refused:
                var problems = columns.Where(column => column.Type is null)
                    .Select(column => new Problem(
                        "CG0808", $"The template {info.Name} needs the type of \"{column.Name}\"", column.Where,
                        $"As in: chatgenius-db {info.Example}"))
                    .ToList();
                return problems.Count == 0 ? columns : throw new ProblemException(problems);
            case MissingTypes.Guessed:
                return [.. columns.Select(Guess)];
            default:
                return columns;
        }

        ColumnSpec Guess(ColumnSpec column)
        {
            if (column.Type is not null)
            {
                return column;
            }

            var complete = TypeGuess.Complete(column, nullable: info.Name == "add_column");
            notices.Add(complete.References is { } target
                ? $"No type was given for {column.Name}, so it refers to {target.Table}"
                : $"No type was given for {column.Name}, so it is {complete.Type}; say it as in {column.Name}:text?");
            return complete;
        }
    }
}
