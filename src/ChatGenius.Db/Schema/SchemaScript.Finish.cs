using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Schema;

public sealed partial class SchemaScript
{
    /// <summary>What is added to an object when all objects are there. Every kind of fact is named here, so that none is forgotten.</summary>
    private void Finish(SchemaObject o, SchemaFact fact)
    {
        switch (fact.Kind)
        {
            case "trigger" or "rule":
                Add(fact.Parts[1]!);
                if (fact.Parts[2] is { } state)
                {
                    Add($"ALTER TABLE {o.Name} {state} {fact.Kind.ToUpperInvariant()} {NameIn(fact)}");
                }

                break;
            case "policy":
                Add($"CREATE POLICY {NameIn(fact)} ON {o.Name} {fact.Text}");
                break;
            case "comment":
                AddComment(o, fact);
                break;
            case "privileges":
                AddPrivileges(o, fact);
                break;
            case "mapping":
                Add($"ALTER TEXT SEARCH CONFIGURATION {o.Name} ADD MAPPING FOR {NameIn(fact)} WITH {fact.Text}");
                break;
            default:
                FinishProperty(o, fact);
                break;
        }
    }

    private void FinishProperty(SchemaObject o, SchemaFact fact)
    {
        switch (fact.Key)
        {
            case "owner":
                Add($"ALTER {Sql(o)} OWNER TO {fact.Text}");
                break;
            case "owned by":
                Add($"ALTER SEQUENCE {o.Name} OWNED BY {fact.Text}");
                break;
            case "row level security":
                foreach (var word in fact.Text.Split(", "))
                {
                    Add($"ALTER TABLE {o.Name} {(word == "FORCED" ? "FORCE" : "ENABLE")} ROW LEVEL SECURITY");
                }

                break;
            case "replica identity":
                Add($"ALTER {Sql(o)} REPLICA IDENTITY {fact.Text}");
                break;
            case "cluster on":
                Add($"ALTER {Sql(o)} CLUSTER ON {fact.Text}");
                break;
            case "target":
                Add($"ALTER STATISTICS {o.Name} SET STATISTICS {fact.Text}");
                break;
            case "state":
                Add($"ALTER EVENT TRIGGER {o.Name} {fact.Text}");
                break;
            default:
                if (!IsCreated(fact))
                {
                    CantRebuild(o, $"its {fact.Key} is not");
                }

                break;
        }
    }

    /// <summary>What the object was created with.</summary>
    private static bool IsCreated(SchemaFact fact) =>
        fact.Kind is "column" or "constraint" or "index"
        || fact.Key is "persistence" or "of type" or "server" or "foreign options" or "partition of" or "partition bound" or "partition by"
            or "inherits" or "access method" or "options" or "tablespace" or "definition" or "enum" or "domain" or "range" or "base"
            or "schema" or "version" or "parser";

    /// <summary>What can't be said where the column is made.</summary>
    private void FinishColumns(SchemaObject o, bool withoutSoftParts)
    {
        foreach (var column in ColumnFact.Of(o))
        {
            FinishColumn(o, column, withoutSoftParts);
        }
    }

    private void FinishColumn(SchemaObject o, ColumnFact c, bool withoutSoftParts)
    {
        var alter = $"ALTER {Sql(o)} ALTER COLUMN {c.QuotedName} ";
        if (c.IsInherited)
        {
            var parent = ParentsOf(o, o["inherits"] ?? "").SelectMany(ColumnFact.Of).First(p => p.Name == c.Name);
            if (c.NotNull is not null && parent.NotNull is null)
            {
                Add(alter + "SET NOT NULL");
            }

            if (c.Default != parent.Default && !withoutSoftParts)
            {
                Add(alter + (c.Default is null ? "DROP DEFAULT" : "SET " + c.Default));
            }
        }

        if (o.Kind == "view" && c.Default is not null && !withoutSoftParts)
        {
            Add(alter + "SET " + c.Default);
        }

        if (c.NotNull == "NOT NULL NOT VALID")
        {
            Add($"ALTER {Sql(o)} ADD NOT NULL {c.QuotedName} NOT VALID");
        }

        foreach (var setting in new[] { c.Storage, c.Compression, c.Statistics, c.Options?["OPTIONS ".Length..] }.OfType<string>())
        {
            Add(alter + "SET " + setting);
        }
    }

    private void AddIndex(SchemaObject o, SchemaFact fact)
    {
        if (fact.Parts[4] is not null && o["partition by"] is null)
        {
            CantRebuild(o, $"its index {NameIn(fact)} is invalid (drop it, or rebuild it with REINDEX)");
            return;
        }

        var (definition, tablespace) = (fact.Parts[1]!, fact.Parts[2]);
        var where = definition.LastIndexOf(" WHERE (", StringComparison.Ordinal);
        var cut = where < 0 ? definition.Length : where;
        Add(tablespace is null ? definition : $"{definition[..cut]} TABLESPACE {tablespace}{definition[cut..]}");
        foreach (var target in fact.Parts[3]?["STATISTICS (".Length..^1].Split(", ") ?? [])
        {
            Add($"ALTER INDEX {SchemaOf(o)}.{NameIn(fact)} ALTER COLUMN {target.Replace(" ", " SET STATISTICS ", StringComparison.Ordinal)}");
        }
    }

    private void AddToParent(SchemaObject o)
    {
        if (o["partition of"] is { } parent)
        {
            Add($"ALTER TABLE {parent} ATTACH PARTITION {o.Name} {o["partition bound"]}");
        }
        else if (o["inherits"] is { } parents && !InheritsInOrder(o, parents))
        {
            foreach (var one in ParentsOf(o, parents))
            {
                Add($"ALTER TABLE {o.Name} INHERIT {one.Name}");
            }
        }
    }

    private void AddSoftParts(SchemaObject o)
    {
        AddConstraints(o, o.Kind == "domain" ? "DOMAIN" : "TABLE", ConstraintFact.Of(o).Where(c => c.Type == 'c'));
        foreach (var column in ColumnFact.Of(o).Where(c => c.Default is not null))
        {
            Add($"ALTER TABLE {o.Name} ALTER COLUMN {column.QuotedName} SET {column.Default}");
        }
    }

    private void AddForeignKeys(SchemaObject o) => AddConstraints(o, "TABLE", ConstraintFact.Of(o).Where(c => c.Type == 'f'));

    private void AddConstraints(SchemaObject o, string kind, IEnumerable<ConstraintFact> constraints)
    {
        foreach (var constraint in constraints)
        {
            Add($"ALTER {kind} {o.Name} ADD CONSTRAINT {constraint.QuotedName} {constraint.Definition}");
        }
    }

    private void AddComment(SchemaObject o, SchemaFact fact)
    {
        var target = fact.Key.Split(' ', 4) switch
        {
            [_] => Sql(o),
            [_, _, "column", var column] => $"COLUMN {o.Name}.{column}",
            [_, _, "index", var index] => $"INDEX {SchemaOf(o)}.{index}",
            [_, _, var kind, var name] => $"{kind.ToUpperInvariant()} {name} ON {(o.Kind == "domain" ? "DOMAIN " : "")}{o.Name}",
            _ => throw new InvalidOperationException($"A comment on what is meant by {fact.Key}?"),
        };
        Add($"COMMENT ON {target} IS {SqlLiteral.Quote(fact.Text)}");
    }

    /// <summary>Parts: grantee, column, the privileges there are, the privileges there are by default.</summary>
    private void AddPrivileges(SchemaObject o, SchemaFact fact)
    {
        var (prefix, target) = ("", "ON " + PrivilegeTarget(o));
        var grantee = fact.Parts[0] == "the owner" ? "CURRENT_USER" : fact.Parts[0]!;
        if (o.Kind == "default privileges")
        {
            var on = o.Name.LastIndexOf(" ON ", StringComparison.Ordinal);
            (prefix, target) = ($"ALTER DEFAULT PRIVILEGES {o.Name[..on]} ", o.Name[(on + 1)..]);
            var role = o.Name["FOR ROLE ".Length..on];
            grantee = fact.Parts[0] == "the owner" ? role.Split(" IN SCHEMA ")[0] : grantee;
        }

        if (fact.Parts[3] is not null)
        {
            Add($"{prefix}REVOKE ALL {target} FROM {grantee}");
        }

        var column = fact.Parts[1] is { } name ? $" ({name})" : "";
        foreach (var group in (fact.Parts[2] ?? "").Split(", ", StringSplitOptions.RemoveEmptyEntries).GroupBy(p => p.EndsWith('*')))
        {
            var list = string.Join(", ", group.Select(p => p.TrimEnd('*') + column));
            Add($"{prefix}GRANT {list} {target} TO {grantee}{(group.Key ? " WITH GRANT OPTION" : "")}");
        }
    }

    private static string PrivilegeTarget(SchemaObject o) => o.Kind switch
    {
        "function" or "procedure" or "aggregate" => "ROUTINE " + o.Name,
        "server" => "FOREIGN SERVER " + o.Name,
        "schema" or "sequence" or "type" or "domain" or "language" or "foreign data wrapper" => $"{o.Kind.ToUpperInvariant()} {o.Name}",
        _ => "TABLE " + o.Name,
    };

    /// <summary>The object as ALTER and COMMENT ON name it.</summary>
    private static string Sql(SchemaObject o) => o.Kind switch
    {
        "partitioned table" => "TABLE " + o.Name,
        "aggregate" when o.Name.EndsWith("()", StringComparison.Ordinal) => $"AGGREGATE {o.Name[..^2]}(*)",
        _ => $"{o.Kind.ToUpperInvariant()} {o.Name}",
    };

    /// <summary>The quoted name at the end of a fact's key.</summary>
    private static string NameIn(SchemaFact fact) => fact.Key[(fact.Kind.Length + 1)..];

    /// <summary>What stands before the dot of a qualified name, the dot being outside of quotes.</summary>
    private static string SchemaOf(SchemaObject o)
    {
        var quoted = false;
        var dot = 0;
        while (quoted || o.Name[dot] != '.')
        {
            quoted ^= o.Name[dot++] == '"';
        }

        return o.Name[..dot];
    }
}
