namespace ChatGenius.Db.Schema;

internal sealed partial class SchemaChanges
{
    /// <summary>What of the columns of a kept table changes, comes, or goes to come again.</summary>
    private void AlterColumns(SchemaObject a, SchemaObject b)
    {
        var again = _scope.MadeAgain.Where(m => (m.Object.Kind, m.Object.Name) == (b.Kind, b.Name)).Select(m => m.Column).ToHashSet();
        _statements.AddRange(Pairs(a, b).Where(p => again.Contains(p.Becomes.QuotedName) && !Follows(a, b, p.Becomes))
            .Select(p => AlterColumn.Drop(a, b, p.Was) with
        {
            Question = p.Was.Generated is null ? $"are the values of {b.Name}.{p.Was.QuotedName} needed no more, which shall be generated?"
                : null,
        }));
        _statements.AddRange(GoneGenerated(a, b).Where(c => IsRead(a, b, c)).Select(c => AlterColumn.Drop(a, b, c)));

        // What a generated column reads can't change its type.
        foreach (var (was, becomes) in Pairs(a, b).Where(p => !again.Contains(p.Becomes.QuotedName))
            .OrderByDescending(p => p.Was.Generated is not null && p.Becomes.Generated is null))
        {
            var replaced = IsReplaced(was, becomes);
            if (was.Fact.Text != becomes.Fact.Text || replaced)
            {
                if (GetsType((was, becomes)) && was.Default is null
                    && Heirs(b).Any(heir => ColumnFact.Of(State(heir)!).Any(c => c.QuotedName == was.QuotedName && c.Default is not null)))
                {
                    Certain([$"ALTER {SchemaSql.Name(b)} ALTER COLUMN {was.QuotedName} DROP DEFAULT"]);
                }

                _statements.AddRange(AlterColumn.Change(b, was, becomes, replaced, Follows(a, b, becomes), _options));
            }
        }

        foreach (var c in Fresh(a, b, again))
        {
            _statements.Add(AlterColumn.Add(b, c, _create.Column(b, c, withoutDefault: false)));
            Certain(_create.FinishColumn(b, c, withoutSoftParts: false));
        }

        // What the parent gives, a child may have with another default.
        foreach (var c in ColumnFact.Of(b).Where(c => a[c.Fact.Key] is null && Follows(a, b, c)))
        {
            if (Parents(b).SelectMany(ColumnFact.Of).FirstOrDefault(p => p.QuotedName == c.QuotedName) is { } given)
            {
                _statements.AddRange(AlterColumn.Change(b, given.AsGiven, c, replaced: false, follows: true, _options));
            }
        }
    }

    private static IEnumerable<ColumnFact> GoneGenerated(SchemaObject a, SchemaObject b) =>
        ColumnFact.Of(a).Where(c => c.Generated is not null && b[c.Fact.Key] is null && !Follows(a, b, c));

    /// <summary>Whether a generated column reads one that gets another type.</summary>
    private bool IsRead(SchemaObject a, SchemaObject b, ColumnFact generated) =>
        Pairs(a, b).Any(p => GetsType(p) && ChangeScope.Mentions(generated.Generated!, p.Was.QuotedName));

    private bool GetsType((ColumnFact Was, ColumnFact Becomes) pair) =>
        AlterColumn.TypeOf(pair.Was) != AlterColumn.TypeOf(pair.Becomes) || IsReplaced(pair.Was, pair.Becomes);

    /// <summary>Whether its type keeps its name and is another.</summary>
    private bool IsReplaced(ColumnFact was, ColumnFact becomes) =>
        was.Type == becomes.Type && _scope.Replaced.Any(type => ChangeScope.IsOf(becomes, type));

    /// <summary>The tables that a table has columns from.</summary>
    private IEnumerable<SchemaObject> Parents(SchemaObject o)
    {
        var names = o["partition of"] is { } partitioned ? [partitioned] : Clauses.Split(o["inherits"] ?? "");
        return names.SelectMany(name => _after.Objects.Where(t => t.Name == name && t.Kind.EndsWith("table", StringComparison.Ordinal)));
    }

    /// <summary>The tables whose columns change with those of a table.</summary>
    private IEnumerable<SchemaObject> Heirs(SchemaObject o) => _kept
        .Where(heir => Parents(heir).Contains(o) && FollowsAny(State(heir)!, heir)).SelectMany(heir => Heirs(heir).Prepend(heir));

    /// <summary>The columns that are added, in their order, but for generated ones that read a later one.</summary>
    private static IEnumerable<ColumnFact> Fresh(SchemaObject a, SchemaObject b, HashSet<string> again)
    {
        var fresh = ColumnFact.Of(b).Where(c => (a[c.Fact.Key] is null || again.Contains(c.QuotedName)) && !Follows(a, b, c)).ToList();
        return fresh.OrderBy(c => c.Generated is not null && fresh.SkipWhile(f => f != c)
            .Any(f => ChangeScope.Mentions(c.Generated, f.QuotedName)));
    }

    private static IEnumerable<(ColumnFact Was, ColumnFact Becomes)> Pairs(SchemaObject a, SchemaObject b) =>
        ColumnFact.Of(b).Where(c => a[c.Fact.Key] is not null).Select(c => (new ColumnFact(new SchemaFact(c.Fact.Key, a[c.Fact.Key]!)), c));

    /// <summary>Whether a column comes and goes with that of the parent.</summary>
    private static bool Follows(SchemaObject a, SchemaObject b, ColumnFact c) =>
        FollowsAny(a, b) && (c.IsInherited || b["partition of"] is not null);

    private static bool FollowsAny(SchemaObject a, SchemaObject b) => (b["inherits"] is not null && a["inherits"] == b["inherits"])
        || (b["partition of"] is not null && a["partition of"] == b["partition of"]);

    /// <summary>Says where the columns of a table will come in another order.</summary>
    private void AskForOrder(SchemaObject b)
    {
        var (will, order) = (Will(b), ColumnFact.Of(b).Select(c => c.QuotedName).ToList());
        if (b.Kind is "table" or "partitioned table" or "foreign table" && !will.SequenceEqual(order))
        {
            _statements.Add(new($"SELECT '{b.Name.Replace("'", "''", StringComparison.Ordinal)}'")
            {
                Question =
                    $"the columns of {b.Name} will be in the order {string.Join(", ", will)} and not {string.Join(", ", order)}: only a "
                    + "new table can have them so",
                IsRemark = true,
            });
        }
    }

    /// <summary>The order in which a table will have its columns: those that it keeps, those that its parents get, its own new ones. A
    /// table that is made has its own order, but where it has columns from one that is kept.</summary>
    private List<string> Will(SchemaObject b)
    {
        var order = ColumnFact.Of(b).Select(c => c.QuotedName).ToList();
        if (State(b) is not { } a)
        {
            return b["inherits"] is null || _create.Inherited.Alone.Contains(b) || !Ancestors(b).Any(_kept.Contains) ? order
                : [.. Parents(b).SelectMany(Will).Concat(order).Distinct()];
        }

        var kept = ColumnFact.Of(a).Select(c => c.QuotedName)
            .Where(c => order.Contains(c) && !_scope.MadeAgain.Any(m => m.Object.Name == b.Name && m.Column == c)).ToList();
        var own = Fresh(a, b, [.. order.Except(kept)]).Select(c => c.QuotedName).ToList();
        return [.. kept.Concat(Parents(b).SelectMany(Will).Where(c => order.Contains(c) && !own.Contains(c))).Concat(own).Concat(order)
            .Distinct()];
    }

    private IEnumerable<SchemaObject> Ancestors(SchemaObject o) => Parents(o).SelectMany(p => Ancestors(p).Prepend(p));
}
