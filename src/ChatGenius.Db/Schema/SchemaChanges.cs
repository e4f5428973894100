namespace ChatGenius.Db.Schema;

/// <summary>
/// The statements that make one schema another, in an order that runs: what is in the way goes, what is missing comes, and what held rows
/// goes last. A dump is the change of nothing into the schema.
/// </summary>
internal sealed partial class SchemaChanges
{
    private static readonly string[] TypeFacts = ["enum", "domain", "definition", "schema", "version", "persistence"];

    private readonly List<SchemaStatement> _statements = [];
    private readonly SchemaSnapshot _before;
    private readonly SchemaSnapshot _after;
    private readonly SchemaChangeOptions _options;
    private readonly ChangeScope _scope;
    private readonly SchemaCreate _create;
    private readonly SchemaOrder _order;
    private readonly HashSet<SchemaObject> _kept = [];

    private SchemaChanges(SchemaSnapshot before, SchemaSnapshot after, SchemaChangeOptions options)
    {
        (_before, _after, _options) = (before, after, options);
        _scope = new ChangeScope(before, after);
        _create = new SchemaCreate(after);
        _order = SchemaOrder.Of(after, _create.Inherited.Family);
        _kept.UnionWith(after.Objects.Where(o => State(o) is not null));
        // What is made would be given what default privileges say: they go first and come last.
        if (after.Objects.Any(o => !_kept.Contains(o) && o.PartOf is null))
        {
            _kept.RemoveWhere(o => o.Kind == "default privileges");
        }
    }

    /// <summary>The statements that bring <paramref name="before"/> to <paramref name="after"/>; empty where they are equal.</summary>
    /// <param name="before">Read with <see cref="SchemaParts.Dependencies"/>, or from a file.</param>
    /// <param name="after">The same.</param>
    /// <param name="options">How; null for the defaults.</param>
    public static IReadOnlyList<SchemaStatement> Between(SchemaSnapshot before, SchemaSnapshot after, SchemaChangeOptions? options = null)
    {
        options ??= new SchemaChangeOptions();
        var renames = SchemaRename.Of(NamedDependencies.Given(before), options.Renames);
        var changes = new SchemaChanges(renames.After, NamedDependencies.Given(after), options);
        changes.Write();
        return [.. renames.Statements, .. changes._statements];
    }

    /// <summary>The object as it is when what is in the way is gone; null where it is still to be made.</summary>
    private SchemaObject? State(SchemaObject o) => _scope.State.GetValueOrDefault((o.Kind, o.Name)) is { } a
        && a.PartOf is null == o.PartOf is null ? a : null;

    private void Write()
    {
        Revert();
        DropFirst();
        MakeAll();
        List<SchemaObject> made = [.. _order.Objects.Where(o => !_kept.Contains(o) && !SchemaGap.IsOutside(o))];
        Certain(made.Where(o => o.Kind != "partitioned table").SelectMany(SchemaCreate.Indexes));
        foreach (var o in _kept.Where(o => o.PartOf is null && o.Kind != "partitioned table"))
        {
            AddKeys(o, State(o)!);
        }

        Certain(made.Concat(_kept.Where(o => o["partition of"] is not null && State(o)!["partition of"] is null))
            .SelectMany(_create.Attach));
        Certain(made.Where(_order.WithoutSoftParts.Contains).SelectMany(SchemaCreate.SoftParts));
        Certain(made.Where(o => !_order.WithoutSoftParts.Contains(o)).SelectMany(_create.LateChecks));
        Certain(made.SelectMany(_create.LateConstraints));
        foreach (var o in _kept.Where(o => o.Kind == "partitioned table"))
        {
            AddKeys(o, State(o)!);
        }

        Certain(made.Where(o => o.Kind == "partitioned table").SelectMany(SchemaCreate.Indexes));
        Certain(_after.Objects.Where(o => made.Contains(o) || Differ(State(o)!, o)).SelectMany(o => _create.AttachIndexes(o, all: true)));
        Certain(made.SelectMany(SchemaCreate.ForeignKeys));
        foreach (var o in _kept)
        {
            _statements.AddRange(Missing(o, State(o)!, "constraint").Where(f => new ConstraintFact(f).Type == 'f')
                .SelectMany(f => ForeignKey(o, new ConstraintFact(f))));
        }

        Certain(made.Where(o => !IsLast(o)).SelectMany(o => o.Of("owner").Concat(o.Facts.Where(f => f.Key != "owner"))
            .SelectMany(f => SchemaSql.Add(o, f))));
        foreach (var o in _order.Objects.Where(_kept.Contains))
        {
            ChangeFacts(State(o)!, o);
        }

        foreach (var o in made)
        {
            AskForOrder(o);
        }

        DropLast();
        Certain(made.Where(IsLast).SelectMany(o => (string[])[.. _create.Create(o, withoutSoftParts: false),
            .. o.Facts.SelectMany(f => SchemaSql.Add(o, f))]));
    }

    private static bool IsLast(SchemaObject o) => o.Kind is "publication" or "subscription" or "default privileges" or "event trigger";

    private static bool Differ(SchemaObject a, SchemaObject b) => a.ToString() != b.ToString();

    private void Certain(IEnumerable<string> statements) => _statements.AddRange(statements.Select(s => new SchemaStatement(s)));

    private void DropFirst()
    {
        foreach (var (o, old, name) in _scope.Renamed)
        {
            _statements.Add(new(o["constraint " + old] is not null
                ? $"ALTER {SchemaSql.Name(o)} RENAME CONSTRAINT {old} TO {name}"
                : $"ALTER INDEX {SchemaSql.SchemaOf(o.Name)}.{old} RENAME TO {name}"));
        }

        var order = SchemaOrder.Of(_before, _ => []).Objects.Reverse().ToList();
        _statements.AddRange(order.Where(o => _scope.Gone.Contains(o) && o.Kind == "event trigger")
            .Select(o => AlterSql.Drop(o, cascade: false)));
        // A part of one that goes may need another that goes before it.
        var rank = order.Where(_scope.Gone.Contains).Select((o, i) => (o, i)).ToDictionary(p => p.o, p => p.i);
        var parts = _before.Dependencies!.Where(d => d.Part is not null && rank.TryGetValue(d.Needed, out var needed)
            && rank.TryGetValue(d.Dependent, out var dependent) && needed < dependent).Select(d => (Object: d.Dependent, Key: d.Part!));
        var facts = _scope.GoneFacts.Where(g => !_scope.Gone.Contains(g.Object)).Union(parts).Where(g => g.Object[g.Key] is not null)
            .OrderByDescending(g => g.Object[g.Key]!.StartsWith("FOREIGN KEY", StringComparison.Ordinal))
            .ThenByDescending(g => g.Key is "partition of" or "inherits").ThenBy(g => Array.IndexOf(SchemaText.Kinds, g.Object.Kind))
            .ThenBy(g => g.Object.Name, StringComparer.Ordinal).ThenBy(g => g.Key, StringComparer.Ordinal)
            .Where(g => !g.Key.StartsWith("column ", StringComparison.Ordinal)
            || ColumnFact.Of(g.Object).Any(c => c.Fact.Key == g.Key && c.Default is not null));
        _statements.AddRange(facts.Select(g => AlterSql.Drop(g.Object, g.Key, _options)));
        // A child that inherits no more keeps the checks of its parents, as its own.
        Certain(facts.Where(g => g.Key == "inherits").SelectMany(g => Clauses.Split(g.Object["inherits"]!)
            .SelectMany(name => _before.Objects.Where(o => o.Name == name).SelectMany(ConstraintFact.Of))
            .Where(c => c.Type == 'c' && !c.Definition.EndsWith(" NO INHERIT", StringComparison.Ordinal) && g.Object[c.Fact.Key] is null)
            .Select(c => $"ALTER {SchemaSql.Name(g.Object)} DROP CONSTRAINT IF EXISTS {c.QuotedName}")));
        _statements.AddRange(order.Where(o => _scope.Gone.Contains(o) && o.Kind is not ("event trigger" or "default privileges"))
            .Select(o => AlterSql.Drop(o, cascade: false)));
        // The sequence of an identity column may have the name of one to come.
        Certain(_kept.SelectMany(b => Pairs(State(b)!, b).Where(p => p.Was.Identity is not null && p.Becomes.Identity is null)
            .Select(p => $"{SchemaSql.AlterOnly(b)} ALTER COLUMN {p.Was.QuotedName} DROP IDENTITY")));
        foreach (var o in _scope.Replaced)
        {
            Certain([$"ALTER {SchemaSql.Kind(o)} {o.Name} RENAME TO {OldName(o.Name)}"]);
            if (new Clauses(o["range"]?.Replace(", ", " ", StringComparison.Ordinal) ?? "", "MULTIRANGE_TYPE_NAME =")
                .After("MULTIRANGE_TYPE_NAME =") is { } multirange)
            {
                var subtype = new Clauses(o["range"]!.Replace(", ", " ", StringComparison.Ordinal), "SUBTYPE =", "SUBTYPE_OPCLASS =")
                    .After("SUBTYPE =");
                var type = $"{SchemaSql.SchemaOf(o.Name)}.{OldName(o.Name)}";
                Certain([$"ALTER TYPE {multirange} RENAME TO {OldName(multirange)}"]);
                Certain(new[] { $"{subtype}, {subtype}", $"{subtype}, {subtype}, text" }.Select(a =>
                    $"ALTER FUNCTION {o.Name}({a}) RENAME TO {OldName(o.Name)}"));
                Certain(new[] { "", type, type + "[]" }.Select(a => $"ALTER FUNCTION {multirange}({a}) RENAME TO {OldName(multirange)}"));
            }
        }
    }

    /// <summary>The name that a type has while another of its name takes its place.</summary>
    private static string OldName(string type) =>
        Sql.SqlIdentifier.Quote(Sql.SqlIdentifier.Truncate("old_" + type[(SchemaSql.SchemaOf(type).Length + 1)..].Trim('"')));

    private void MakeAll()
    {
        var shells = _order.Shells.Where(t => !_kept.Contains(t)).ToList();
        List<SchemaObject> objects = [.. _order.Objects.Where(o => !IsLast(o) && !SchemaGap.IsOutside(o))];
        Certain(objects.Where(o => o.Kind == "schema" && !_kept.Contains(o)).SelectMany(o => _create.Create(o, withoutSoftParts: false)));
        Certain(shells.Select(t => $"CREATE TYPE {t.Name}"));
        foreach (var o in objects.Where(o => o.Kind != "schema"))
        {
            if (State(o) is { } a)
            {
                Alter(a, o);
            }
            else
            {
                Certain(_create.Create(o, _order.WithoutSoftParts.Contains(o)));
            }

            if (_create.Inherited.Family(o).ToList() is { Count: > 0 } family && family.All(t => objects.IndexOf(t) <= objects.IndexOf(o))
                && !family.Any(_kept.Contains))
            {
                Certain(_create.LateColumns(family, _order.WithoutSoftParts));
            }
        }
    }

    /// <summary>What of a kept object others may need: its columns, its labels, its body.</summary>
    private void Alter(SchemaObject a, SchemaObject b)
    {
        if (b.Kind is "table" or "partitioned table" or "foreign table")
        {
            AlterColumns(a, b);
        }
        else if (b.Kind is "view" && (a["definition"] != b["definition"]
            || !a.Of("column").Select(f => f.Key).SequenceEqual(b.Of("column").Select(f => f.Key))))
        {
            Certain(_create.Create(b, withoutSoftParts: false).Select((s, i) => i == 0
                ? s.Replace("CREATE VIEW ", "CREATE OR REPLACE VIEW ", StringComparison.Ordinal) : s));
        }
        else if (b.Kind is "view" or "materialized view")
        {
            foreach (var (was, becomes) in Pairs(a, b))
            {
                _statements.AddRange(AlterColumn.Change(b, was, becomes, replaced: false, follows: false, _options));
            }
        }

        foreach (var key in TypeFacts.Where(k => a[k] != b[k] && (b[k] is not null || k == "persistence")))
        {
            _statements.AddRange(AlterSql.Change(a, b, key).Select(s => s with { IsAlone = key == "enum" }));
        }
    }

    private static IEnumerable<SchemaFact> Missing(SchemaObject b, SchemaObject a, string kind) => b.Of(kind).Where(f => a[f.Key] is null);

    private void ChangeFacts(SchemaObject a, SchemaObject b)
    {
        string[] done = ["enum", "domain", "definition", "schema", "persistence", "partition of", "partition bound", "version", "members",
            "parser", SchemaObject.PartOfKey];
        // The owner first: what it may do is said of the new one.
        foreach (var key in a.Facts.Concat(b.Facts).Where(f => f.Kind != "column" && a[f.Key] != b[f.Key]).Select(f => f.Key).Distinct()
            .OrderByDescending(k => k == "owner").Where(k => !done.Contains(k)))
        {
            var kind = key.Split(' ')[0];
            var isIndexOrKey = kind is "index" or "constraint";
            if (isIndexOrKey && (a[key] is null || b[key] is null || !a[key]!.EndsWith(" NOT VALID", StringComparison.Ordinal)))
            {
                continue;
            }

            // What a dropped column or trigger had goes with it.
            if (b[key] is null && (Column(key) is { } column && b["column " + column] is null || kind is "inherited"
                && !_after.Objects.Any(o => o["trigger " + key["inherited trigger ".Length..]] is not null)))
            {
                continue;
            }

            if (kind is "trigger" or "rule" or "policy" && a[key] is null)
            {
                Certain(SchemaSql.Add(b, b.Facts.First(f => f.Key == key)));
                continue;
            }

            _statements.AddRange(AlterSql.Change(a, b, key));
        }

        AskForOrder(b);
    }

    private static string? Column(string key) => key.IndexOf(" on column ", StringComparison.Ordinal) is var at and >= 0
        ? key[(at + " on column ".Length)..] : null;

    /// <summary>Takes back what was given on objects that are nothing but what was given on them.</summary>
    private void Revert()
    {
        foreach (var a in _before.Objects.Where(o => (o.PartOf is not null || o.Kind == "default privileges") && !SchemaGap.IsOutside(o)
            && !_kept.Any(k => (k.Kind, k.Name) == (o.Kind, o.Name))))
        {
            var nothing = a with { Facts = [.. a.Facts.Where(f => f.Key == SchemaObject.PartOfKey)] };
            // An identity column has taken its sequence with it.
            if (a.PartOf?.StartsWith("column ", StringComparison.Ordinal) == true
                && !_after.Objects.Any(o => ColumnFact.Of(o).Any(c => a.PartOf == $"column {o.Name}.{c.QuotedName}"
                && c.Identity is not null)))
            {
                continue;
            }

            _statements.AddRange(a.Facts.Where(f => f.Kind is "privileges" or "comment")
                .SelectMany(f => AlterSql.Change(a, nothing, f.Key)));
        }
    }

    private void DropLast()
    {
        foreach (var b in _kept.Where(o => o.Kind is "table" or "partitioned table" or "foreign table"))
        {
            var a = State(b)!;
            _statements.AddRange(ColumnFact.Of(a).Where(c => b[c.Fact.Key] is null && !Follows(a, b, c))
                .Where(c => c.Generated is null || !IsRead(a, b, c))
                .OrderByDescending(c => c.Generated is not null).Select(c => AlterColumn.Drop(a, b, c)));
        }

        var asked = new HashSet<SchemaObject>();
        var gone = _before.Objects.Where(o => o.PartOf is null && o.Kind != "default privileges"
            && _scope.State.ContainsKey((o.Kind, o.Name)) && _after.Find(o.Kind, o.Name) is null)
            .ToHashSet();
        var shells = SchemaOrder.Of(_before, _ => []);
        foreach (var o in shells.Objects.Reverse().Where(gone.Contains))
        {
            // A column takes its sequence with it, a base type its functions.
            if (o["owned by"] is { } owner && !_after.Objects.Any(t => ColumnFact.Of(t).Any(c => $"{t.Name}.{c.QuotedName}" == owner))
                || (o.Kind == "function" && _before.Dependencies!.Any(d => d.Needed == o && shells.Shells.Contains(d.Dependent)
                && gone.Contains(d.Dependent))))
            {
                continue;
            }

            var drop = AlterSql.Drop(o, cascade: shells.Shells.Contains(o));
            // What one that is asked for needs stays as long as that.
            var because = _before.Dependencies!.FirstOrDefault(d => d.Needed == o && asked.Contains(d.Dependent))?.Dependent;
            drop = drop.Question is null && because is not null ? drop with { Question = $"{because.Kind} {because.Name} needs it" } : drop;
            _ = drop.Question is null || asked.Add(o);
            _statements.Add(drop);
        }

        foreach (var type in _scope.Replaced)
        {
            var because = asked.FirstOrDefault(o => ColumnFact.Of(o).Any(c => ChangeScope.IsOf(c, type)));
            _statements.Add(new($"DROP {SchemaSql.Kind(type)} {SchemaSql.SchemaOf(type.Name)}.{OldName(type.Name)}")
            {
                Question = because is null ? null : $"{because.Kind} {because.Name} needs it",
            });
        }
    }
}
