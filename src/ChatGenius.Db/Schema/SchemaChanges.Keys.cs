namespace ChatGenius.Db.Schema;

internal sealed partial class SchemaChanges
{
    /// <summary>The indexes and constraints that a kept object lacks, but for foreign keys.</summary>
    private void AddKeys(SchemaObject b, SchemaObject a)
    {
        foreach (var c in Missing(b, a, "constraint").Select(f => new ConstraintFact(f)).Where(c => c.Type != 'f'))
        {
            _statements.AddRange(c.Type == 'c' ? Check(b, c) : Key(b, c));
        }

        // An index is built again with another type of its column, and loses what was set for its own columns.
        foreach (var index in b.Of("index").Where(f => a[f.Key] is not null).Select(f => new IndexFact(f))
            .Where(i => Pairs(a, b).Any(p => GetsType(p) && ChangeScope.Mentions(i.Create, p.Becomes.QuotedName))))
        {
            Certain(SchemaCreate.Index(b, index).Skip(1));
        }

        foreach (var index in Missing(b, a, "index").Select(f => new IndexFact(f)))
        {
            var isConcurrent = IsConcurrent(b);
            _statements.AddRange(SchemaCreate.Index(b, index).Select((s, i) => i == 0 && isConcurrent
                ? new SchemaStatement(Concurrent(s)) { IsAlone = true }
                : new SchemaStatement(s)));
        }
    }

    private bool IsConcurrent(SchemaObject o) => _options is { Concurrently: true, IsOffline: false }
        && o.Kind is "table" or "materialized view";

    private static string Concurrent(string create) => new System.Text.RegularExpressions.Regex(" INDEX ")
        .Replace(create, " INDEX CONCURRENTLY ", 1);

    private IEnumerable<SchemaStatement> Check(SchemaObject b, ConstraintFact c)
    {
        var add = SchemaCreate.AddConstraint(b, c);
        return _options.IsOffline || c.IsNotValid || c.Definition.EndsWith(" NOT ENFORCED", StringComparison.Ordinal)
            ? [new(add)]
            : [new(add + " NOT VALID"), new($"ALTER {SchemaSql.Name(b)} VALIDATE CONSTRAINT {c.QuotedName}")];
    }

    /// <summary>The index of a key is built first, so that the table is locked for a moment only.</summary>
    private IEnumerable<SchemaStatement> Key(SchemaObject b, ConstraintFact c)
    {
        if (!IsConcurrent(b) || c.Type == 'x' || c.Columns!.Contains(" WITHOUT OVERLAPS", StringComparison.Ordinal))
        {
            return [new(SchemaCreate.AddConstraint(b, c, only: b.Kind == "partitioned table"))];
        }

        var parts = new Clauses(c.Definition, "PRIMARY KEY", "UNIQUE NULLS NOT DISTINCT", "UNIQUE", "DEFERRABLE");
        var word = c.Type == 'p' ? "PRIMARY KEY" : "UNIQUE";
        var nulls = parts["UNIQUE NULLS NOT DISTINCT"] is not null;
        var body = parts.After("UNIQUE NULLS NOT DISTINCT") ?? parts.After(word)!;
        var end = c.Columns!.Length + 2;
        var rest = body[end..].Replace("USING INDEX TABLESPACE", "TABLESPACE", StringComparison.Ordinal);
        var include = rest.StartsWith(" INCLUDE (", StringComparison.Ordinal) ? rest[..(rest.IndexOf(')', StringComparison.Ordinal) + 1)]
            : "";
        return
        [
            new($"CREATE UNIQUE INDEX CONCURRENTLY {c.QuotedName} ON {b.Name} "
                + $"{body[..end]}{include}{(nulls ? " NULLS NOT DISTINCT" : "")}{rest[include.Length..]}") { IsAlone = true },
            new($"ALTER TABLE {b.Name} ADD CONSTRAINT {c.QuotedName} {word} USING INDEX "
                + $"{c.QuotedName}{(parts["DEFERRABLE"] is { } when ? " " + when : "")}"),
        ];
    }

    private IEnumerable<SchemaStatement> ForeignKey(SchemaObject b, ConstraintFact c)
    {
        var add = SchemaCreate.AddConstraint(b, c);
        return _options.IsOffline || c.IsNotValid || b.Kind == "partitioned table"
            || _after.Find("partitioned table", c.References!) is not null
            ? [new(add)]
            : [new(add + " NOT VALID"), new($"ALTER {SchemaSql.Name(b)} VALIDATE CONSTRAINT {c.QuotedName}")];
    }
}
