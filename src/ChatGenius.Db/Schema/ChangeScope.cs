using System.Text.RegularExpressions;

namespace ChatGenius.Db.Schema;

/// <summary>
/// What has to go before a schema can become another: what is not there afterwards, what can't be changed where it is, and all that needs
/// one of these. What goes and is there afterwards is made again.
/// </summary>
internal sealed class ChangeScope
{
    private static readonly HashSet<string> KeptKinds =
        ["table", "partitioned table", "type", "domain", "sequence", "schema", "extension", "collation", "language", "access method"];

    private readonly SchemaSnapshot _before;
    private readonly Dictionary<(string, string), SchemaObject> _after;
    private readonly ILookup<SchemaObject, SchemaDependency> _needing;
    private readonly HashSet<SchemaObject> _late = [];

    internal ChangeScope(SchemaSnapshot before, SchemaSnapshot after)
    {
        _before = before;
        _after = after.Objects.ToDictionary(o => (o.Kind, o.Name));
        _needing = before.Dependencies!.ToLookup(d => d.Needed);
        foreach (var o in before.Objects.Where(o => o.PartOf is null && After(o) is { } b && IsMadeAgain(o, b)))
        {
            // A type that nothing but what is made again is of can be dropped.
            (o.Kind is "type" or "domain" && before.Objects.Any(t => IsTable(t) && ColumnFact.Of(t).Any(c => IsOf(c, o))) ? Replaced : Gone)
                .Add(o);
        }

        FindLate();
        Gone.UnionWith(before.Objects.Where(o => o.PartOf is null && After(o) is null && !_late.Contains(o)));
        ChangedFacts();
        FindMadeAgain();
        foreach (var o in Gone.Concat(Replaced).ToList())
        {
            Spread(o, null);
        }

        foreach (var (o, column) in Columns.ToList())
        {
            Spread(o, column.Trim('"').Replace("\"\"", "\"", StringComparison.Ordinal));
        }

        State = Remaining();
    }

    /// <summary>Objects that are dropped before anything is made.</summary>
    internal HashSet<SchemaObject> Gone { get; } = [];

    /// <summary>Types that columns are of and that become others of the same name.</summary>
    internal HashSet<SchemaObject> Replaced { get; } = [];

    /// <summary>Facts of other objects that are dropped before anything is made.</summary>
    internal HashSet<(SchemaObject Object, string Key)> GoneFacts { get; } = [];

    /// <summary>Columns, quoted, whose type changes or that are dropped or made again.</summary>
    internal HashSet<(SchemaObject Object, string Column)> Columns { get; } = [];

    /// <summary>Columns, quoted, that go and come again, for an expression can't be changed, nor what it reads.</summary>
    internal HashSet<(SchemaObject Object, string Column)> MadeAgain { get; } = [];

    /// <summary>Constraints and indexes that have another name afterwards and are the same.</summary>
    internal List<(SchemaObject Object, string Old, string New)> Renamed { get; } = [];

    /// <summary>What is there when all of these are gone.</summary>
    internal Dictionary<(string Kind, string Name), SchemaObject> State { get; }

    private SchemaObject? After(SchemaObject o) => _after.GetValueOrDefault((o.Kind, o.Name)) is { } b
        && b.PartOf is null == o.PartOf is null ? b : null;

    private static bool IsTable(SchemaObject o) => o.Kind is "table" or "partitioned table" or "foreign table";

    /// <summary>Whether what an object is can't be changed where it is.</summary>
    private static bool IsMadeAgain(SchemaObject a, SchemaObject b) => a.Kind switch
    {
        "table" or "foreign table" when Gains(a, b) => true,
        "partitioned table" => a["partition by"] != b["partition by"],
        "table" or "schema" or "extension" or "sequence" or "default privileges" or "large object" or "parameter" => false,
        "foreign table" => a["server"] != b["server"],
        "view" => !CanReplace(a, b),
        "materialized view" => a["definition"] != b["definition"] || a["access method"] != b["access method"] || Columns_(a) != Columns_(b),
        "function" or "procedure" => a["definition"] != b["definition"] && Head(a) != Head(b),
        "type" => !(a["enum"] is { } old && b["enum"] is { } labels && AlterSql.CanGrow(old, labels))
            && a.Facts.Where(f => f.Kind is "enum" or "range" or "base" or "shell" or "column").Select(f => (f.Key, f.Text))
                .SequenceEqual(b.Facts.Where(f => f.Kind is "enum" or "range" or "base" or "shell" or "column")
                .Select(f => (f.Key, f.Text))) == false,
        "domain" => SchemaSql.Join(AlterSql.DomainClauses(a["domain"]!).Head, AlterSql.DomainClauses(a["domain"]!)["COLLATE"])
            != SchemaSql.Join(AlterSql.DomainClauses(b["domain"]!).Head, AlterSql.DomainClauses(b["domain"]!)["COLLATE"]),
        _ => a["definition"] != b["definition"] || a["members"] != b["members"] || a["parser"] != b["parser"],
    };

    /// <summary>Whether it has columns from a parent that it does not have yet: INHERIT makes them its own.</summary>
    private static bool Gains(SchemaObject a, SchemaObject b) => a["inherits"] != b["inherits"] && ColumnFact.Of(b).Any(c => c.IsInherited);

    /// <summary>CREATE OR REPLACE VIEW can only add columns at the end.</summary>
    internal static bool CanReplace(SchemaObject a, SchemaObject b)
    {
        static IEnumerable<string> Names(SchemaObject o) => ColumnFact.Of(o).Select(c => $"{c.QuotedName} {c.Type} {c.Collation}");
        return Names(b).Take(Names(a).Count()).SequenceEqual(Names(a));
    }

    private static string Columns_(SchemaObject o) => string.Join(", ", o.Of("column").Select(f => f.Key));

    /// <summary>What CREATE OR REPLACE can't change: the name, the arguments, what is returned.</summary>
    private static string Head(SchemaObject o) => string.Join('\n', o["definition"]!.Split('\n').Take(2));

    /// <summary>What is dropped last: what holds rows or is the type of rows, and what these or a kept object still need then.</summary>
    private void FindLate()
    {
        var relations = _after.Values.Where(o => IsTable(o) || o.Kind.EndsWith("view", StringComparison.Ordinal)
            || o.Kind is "sequence" or "type" or "domain")
            .SelectMany(o => IndexNames(o).Append(o.Name)).ToHashSet();
        foreach (var o in _before.Objects.Where(o => o.PartOf is null && After(o) is null && !IndexNames(o).Any(relations.Contains)
            && KeptKinds.Contains(o.Kind) && !relations.Contains(o.Name) && !BecomesIdentity(o)))
        {
            _late.Add(o);
        }

        for (var grew = true; grew;)
        {
            grew = false;
            foreach (var d in _before.Dependencies!.Where(d => d.Part is null && After(d.Needed) is null
                && !relations.Contains(d.Needed.Name)))
            {
                grew |= (_late.Contains(d.Dependent) || (After(d.Dependent) is not null && !Gone.Contains(d.Dependent)))
                    && _late.Add(d.Needed);
            }
        }
    }

    private static IEnumerable<string> IndexNames(SchemaObject o) =>
        o.Of("index").Concat(ConstraintFact.Of(o).Where(c => c.Type is 'p' or 'u' or 'x').Select(c => c.Fact))
            .Select(f => $"{SchemaSql.SchemaOf(o.Name)}.{SchemaSql.NameIn(f)}");

    /// <summary>Whether it is the sequence of a serial column that gets one of its own, of the same name.</summary>
    private bool BecomesIdentity(SchemaObject o) => o["owned by"] is { } owner
        && _after.Values.Any(t => IsTable(t) && owner.StartsWith(t.Name + ".", StringComparison.Ordinal)
            && t["column " + owner[(t.Name.Length + 1)..]] is { } column
            && new ColumnFact(new SchemaFact("column x", column)).Identity is not null);

    private void ChangedFacts()
    {
        foreach (var a in _before.Objects.Where(o => !Gone.Contains(o) && o.PartOf is null))
        {
            if (After(a) is not { } b)
            {
                // Tables that refer to each other in a circle are dropped one after the other.
                GoneFacts.UnionWith(ConstraintFact.Of(a).Where(c => c.Type == 'f' && _late.Contains(a)).Select(c => (a, c.Fact.Key)));
                continue;
            }

            foreach (var f in a.Facts.Where(f => f.Text != b[f.Key]))
            {
                ChangedFact(a, b, f);
            }

            foreach (var index in a["partition by"] is null ? [] : a.Of("index").Where(f => NewPartitionLacks(b, f)))
            {
                GoneFacts.Add((a, index.Key));
            }

            if (a["inherits"] is not null && a["inherits"] != b["inherits"])
            {
                GoneFacts.Add((a, "inherits"));
            }

            if (a["partition of"] is not null && (a["partition of"] != b["partition of"] || a["partition bound"] != b["partition bound"]))
            {
                GoneFacts.Add((a, "partition of"));
            }
        }
    }

    /// <summary>Whether ATTACH PARTITION would give a partition an index that it must not have.</summary>
    private bool NewPartitionLacks(SchemaObject b, SchemaFact index)
    {
        var name = $"{SchemaSql.SchemaOf(b.Name)}.{SchemaSql.NameIn(index)}";
        return _after.Values.Any(p => p["partition of"] == b.Name && _before.Find(p.Kind, p.Name) is var was
            && (was?["partition of"] != b.Name || was["partition bound"] != p["partition bound"])
            && !p.Of("index").Any(f => new IndexFact(f).Parent == name));
    }

    /// <summary>What generated columns read goes with them, and the other way round.</summary>
    private void FindMadeAgain()
    {
        foreach (var (o, column) in Columns.ToList())
        {
            var (was, becomes) = (ColumnFact.Of(o).First(c => c.QuotedName == column), After(o) is { } b
                ? ColumnFact.Of(b).FirstOrDefault(c => c.QuotedName == column) : null);
            if (becomes is not null && AlterColumn.IsMadeAgain(was, becomes))
            {
                MadeAgain.Add((o, column));
            }

            foreach (var generated in ColumnFact.Of(o).Where(g => g.Generated is not null && Mentions(g.Generated, column)
                && After(o)?[g.Fact.Key] is not null))
            {
                MadeAgain.Add((o, generated.QuotedName));
                Columns.Add((o, generated.QuotedName));
            }
        }
    }

    private void ChangedFact(SchemaObject a, SchemaObject b, SchemaFact f)
    {
        var after = b[f.Key];
        switch (f.Kind)
        {
            case "column" when IsTable(a):
                var column = new ColumnFact(f);
                var becomes = after is null ? null : new ColumnFact(new SchemaFact(f.Key, after));
                if (becomes is null || AlterColumn.TypeOf(column) != AlterColumn.TypeOf(becomes)
                    || AlterColumn.IsMadeAgain(column, becomes))
                {
                    Columns.Add((a, column.QuotedName));
                }

                break;
            case "constraint" or "index" when after is null && SameUnderNewName(a, b, f) is { } name:
                Renamed.Add((a, SchemaSql.NameIn(f), name));
                break;
            case "constraint" when after is not null && f.Text.Replace(" NOT VALID", "", StringComparison.Ordinal) == after:
            case "constraint" or "index" when after is not null && f.Text == Regex.Replace(after, " PARTITION OF .*$", ""):
            case "trigger" or "rule" when after is not null && new StatefulFact(f).Create == new StatefulFact(new SchemaFact(f.Key, after))
                .Create:
                break;
            case "constraint" or "index" or "trigger" or "rule" or "policy":
                GoneFacts.Add((a, f.Key));
                break;
        }
    }

    private static string? SameUnderNewName(SchemaObject a, SchemaObject b, SchemaFact f)
    {
        var name = SchemaSql.NameIn(f);
        return b.Of(f.Kind).Where(n => a[n.Key] is null && (f.Kind == "constraint" ? n.Text : n.Text.Replace(
                $" INDEX {SchemaSql.NameIn(n)} ON ", $" INDEX {name} ON ", StringComparison.Ordinal)) == f.Text)
            .Select(SchemaSql.NameIn).FirstOrDefault();
    }

    /// <summary>What needs an object, or a column of it, has to go with it.</summary>
    private void Spread(SchemaObject o, string? column)
    {
        foreach (var d in _needing[o].Where(d => (column is null || d.Column is null || d.Column == column) && !Gone.Contains(d.Dependent)))
        {
            if (d.Part is not null)
            {
                GoneFacts.Add((d.Dependent, d.Part));
            }
            else if (d.Dependent.Kind is "type" or "domain")
            {
                if (column is null && After(d.Dependent) is not null && Replaced.Add(d.Dependent))
                {
                    Spread(d.Dependent, null);
                }
            }
            else if (IsTable(d.Dependent) && IsTable(o) && column is null)
            {
                // Its partitions, what inherits from it, what has columns of its type.
                if (Gone.Contains(o) && Gone.Add(d.Dependent))
                {
                    Spread(d.Dependent, null);
                }
            }
            else if (!IsTable(d.Dependent) && !KeptKinds.Contains(d.Dependent.Kind) && !_late.Contains(d.Dependent))
            {
                Gone.Add(d.Dependent);
                Spread(d.Dependent, null);
            }
            else if (IsTable(d.Dependent) && Replaced.Contains(o))
            {
                foreach (var c in ColumnFact.Of(d.Dependent).Where(c => IsOf(c, o) && Columns.Add((d.Dependent, c.QuotedName))).ToList())
                {
                    Spread(d.Dependent, c.QuotedName.Trim('"'));
                }
            }
        }

        // A table's own parts that look at the column: their dependencies are within the table.
        foreach (var f in column is null ? [] : o.Facts.Where(f => f.Kind is "policy" or "trigger" or "rule" && Mentions(f.Text, column)))
        {
            GoneFacts.Add((o, f.Key));
        }

        if (column is not null && Mine(o, column) is { } mine && MadeAgain.Contains((o, mine.QuotedName)))
        {
            GoneFacts.UnionWith(o.Facts.Where(f => f.Kind is "index" or "constraint" && Mentions(f.Text, column)).Select(f => (o, f.Key)));
        }
    }

    internal static bool IsOf(ColumnFact c, SchemaObject type) => c.Type == type.Name || c.Type == type.Name + "[]";

    private static ColumnFact? Mine(SchemaObject o, string column) =>
        ColumnFact.Of(o).FirstOrDefault(c => c.QuotedName == column
            || c.QuotedName == $"\"{column.Replace("\"", "\"\"", StringComparison.Ordinal)}\"");

    internal static bool Mentions(string text, string column) =>
        Regex.IsMatch(text, column.All(c => char.IsAsciiLetterOrDigit(c) || c == '_') ? $@"\b{column}\b" : Regex.Escape(column))
            || text.Contains(".*", StringComparison.Ordinal);

    private Dictionary<(string, string), SchemaObject> Remaining()
    {
        // What the index or constraint of a partitioned table takes with it.
        var parents = GoneFacts.Where(g => g.Key.StartsWith("index ", StringComparison.Ordinal)
            || g.Key.StartsWith("constraint ", StringComparison.Ordinal))
            .Select(g => $"{(g.Object.Kind == "domain" ? "" : SchemaSql.SchemaOf(g.Object.Name))}."
                + g.Key[(g.Key.IndexOf(' ', StringComparison.Ordinal) + 1)..]).ToHashSet();
        bool FollowsParent(SchemaFact f) => (f.Kind == "index" ? new IndexFact(f).Parent : f.Kind == "constraint"
            ? new ConstraintFact(f).Parent : null) is { } parent
            && parents.Contains(parent);
        foreach (var (o, f) in _before.Objects.Where(o => !GoneFacts.Contains((o, "partition of")))
            .SelectMany(o => o.Facts.Where(FollowsParent).Select(f => (o, f))))
        {
            GoneFacts.Remove((o, f.Key));
            Silent.Add((o, f.Key));
        }

        return _before.Objects.Where(o => !Gone.Contains(o) && !Replaced.Contains(o)).ToDictionary(o => (o.Kind, o.Name), Without);
    }

    /// <summary>Facts that go with others, by no statement of their own.</summary>
    private HashSet<(SchemaObject, string)> Silent { get; } = [];

    private SchemaObject Without(SchemaObject o)
    {
        var gone = GoneFacts.Concat(Silent).Where(g => g.Item1 == o).Select(g => g.Item2).ToHashSet();
        var facts = o.Facts.Where(f => f.Kind == "column" || !gone.Contains(f.Key)).Where(f => !gone.Any(g => GoesWith(f, g)))
            .Where(f => f.Kind != "inherited" || !GoneFacts.Any(g => f.Key == "inherited " + g.Key)).ToList();
        if (gone.Contains("partition of"))
        {
            facts.RemoveAll(f => f.Key == "partition bound");
        }

        for (var i = 0; i < facts.Count; i++)
        {
            if (gone.Contains("inherits") && facts[i].Kind == "column" && facts[i].Text.EndsWith(" INHERITED", StringComparison.Ordinal))
            {
                facts[i] = facts[i] with { Text = facts[i].Text[..^" INHERITED".Length] };
            }

            if (facts[i].Kind == "column" && gone.Contains(facts[i].Key))
            {
                facts[i] = facts[i] with { Text = new Clauses(facts[i].Text, "COLLATE", "SET (", "OPTIONS (", "STORAGE", "COMPRESSION",
                    "CONSTRAINT", "NOT NULL", "DEFAULT",
                    "GENERATED ALWAYS AS (", "GENERATED ALWAYS AS IDENTITY", "GENERATED BY DEFAULT AS IDENTITY", "STATISTICS", "INHERITED")
                        .Without("DEFAULT") };
            }
            else if (Renamed.FirstOrDefault(r => r.Object == o && facts[i]
                .Key.EndsWith(' ' + r.Old, StringComparison.Ordinal)) is { New: { } name } renamed
                && facts[i].Kind is "index" or "constraint" or "comment")
            {
                facts[i] = new SchemaFact(
                    facts[i].Key[..^renamed.Old.Length] + name, facts[i]
                        .Text.Replace($" INDEX {renamed.Old} ON ", $" INDEX {name} ON ", StringComparison.Ordinal));
            }
        }

        return o with { Facts = facts };
    }

    private static bool GoesWith(SchemaFact f, string gone)
    {
        var name = gone[(gone.IndexOf(' ', StringComparison.Ordinal) + 1)..];
        return f.Key == $"comment on {gone}" || f.Key.StartsWith($"dependency of {gone} on ", StringComparison.Ordinal)
            || (f.Key == "replica identity" && f.Text == $"USING INDEX {name}") || (f.Key == "cluster on" && f.Text == name)
            || (f.Kind == "inherited" && gone == "partition of");
    }
}
