using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Migrations;

/// <content>CREATE and DROP.</content>
internal sealed partial class LossReader
{
    private const string MaterializedView = "materialized view";
    private const string OfAnotherServer = "what another server sends or keeps isn't known here";

    private void ReadCreate()
    {
        var i = _text.At(1, "OR", "REPLACE") ? 3 : 1;
        var temporary = false;
        for (; _text.AtAny(i, "TEMP", "TEMPORARY", "UNLOGGED", "LOCAL", "GLOBAL", "RECURSIVE", "UNIQUE", "CONSTRAINT", "TRUSTED",
            "PROCEDURAL", "MATERIALIZED", "FOREIGN", "EVENT", "DEFAULT"); i++)
        {
            temporary |= _text.AtAny(i, "TEMP", "TEMPORARY");
        }

        var name = _text.NameAt(_text.SkipGuards(i + 1));
        switch (i < _text.Tokens.Count ? _text.Tokens[i].Text : "")
        {
            case "TABLE":
                CreateRelation(name, _text.At(i - 1, "FOREIGN") ? 'f' : 'r', temporary);
                RequireHarmlessQuery(name);
                if (name is { } made && CallsSomethingForRows(made.Next))
                {
                    GiveCode(name, "a default or check that may call a function that does more");
                }

                break;
            case "VIEW" when _text.At(i - 1, "MATERIALIZED"):
                CreateRelation(name, 'm', temporary);
                RequireHarmlessQuery(name);
                break;
            case "VIEW":
                CreateRelation(name, 'v', temporary);
                _newCode.UnionWith(name is { } view && !IsHarmless(_text.Find(view.Next, "AS") + 1, int.MaxValue) ? [view.Name] : []);
                break;
            case "SEQUENCE":
                CreateRelation(name, 'S', temporary);
                break;
            case "SCHEMA" when _text.NameAt(_text.SkipGuards(i + 1) + (_text.Has("AUTHORIZATION") && name?.Name == "authorization" ? 1 : 0))
                is { } schema:
                if (_model.FindSchema(schema.Name) is null)
                {
                    _model.AddSchema(schema.Name);
                }

                if (_text.Find(i, "CREATE") > 0)
                {
                    Unclear("the names of what it makes aren't known here");
                }

                break;
            case "INDEX":
                // Behind the name of an access method a parenthesis calls nothing.
                RequireHarmless(_text.Tokens.ToList().FindIndex(token => token.Kind == SqlTokenKind.OpenParenthesis));
                break;
            case "STATISTICS":
                RequireHarmless(_text.Find(i, "ON") + 1);
                break;
            case "TRIGGER" when _text.At(i - 1, "EVENT"):
                _eventTriggers.Add(name?.Name ?? "");
                break;
            case "TRIGGER":
                GiveCode(_text.NameAt(_text.Find(i, "ON") + 1), $"the trigger {name?.Name}");
                break;
            case "RULE":
                GiveCode(_text.NameAt(_text.Find(i, "TO") + 1), $"the rule {name?.Name}");
                _newCode.UnionWith(_text.Find(i, "ON", "SELECT") > 0 ? [_text.NameAt(_text.Find(i, "TO") + 1)?.Name ?? ""] : []);
                break;
            case "POLICY":
                GiveCode(_text.NameAt(_text.Find(i, "ON") + 1), $"the policy {name?.Name}");
                break;
            case "FUNCTION" or "PROCEDURE" or "AGGREGATE" or "DOMAIN" when name is { } code:
                _newCode.Add(code.Name);
                break;
            case "OPERATOR" or "CAST":
            case "TYPE" when _text.Has("AS", "RANGE") || !_text.Has("AS"):
                _operatorsUnknown = true;
                break;
            case "EXTENSION" when name is { } extension && !_model.FindNamed(CatalogObject.Extension, extension).Any():
                Unclear("its script may do more");
                break;
            case "SUBSCRIPTION":
                Unclear(OfAnotherServer);
                break;
            case "TYPE" or "EXTENSION" or "COLLATION" or "ROLE" or "USER" or "GROUP" or "SERVER" or "PUBLICATION" or "LANGUAGE"
                or "TEXT" or "CONVERSION" or "TRANSFORM" or "ACCESS" or "DATA" or "DATABASE" or "TABLESPACE":
                break;
            default:
                Unclear();
                break;
        }
    }

    private void CreateRelation(StatementName? name, char kind, bool temporary)
    {
        if (name is not { } known)
        {
            return;
        }

        var goes = temporary && _text.Find(known.Next, "ON", "COMMIT", "DROP") > 0;
        if (!goes || _inTransaction)
        {
            _model.Create(known, kind, temporary, goes);
        }

        if (_model.Find(known) is { } created)
        {
            var from = _text.Find(known.Next, "INHERITS") is > 0 and var inherits ? inherits + 2
                : _text.At(known.Next, "PARTITION", "OF") ? known.Next + 2 : -1;
            var like = _text.Tokens.Select((token, i) => token.Is("LIKE") ? i + 1 : -1).Where(i => i > 0 && !_text.At(i - 2, "NOT"));
            foreach (var source in like.Append(from).Select(i => _text.NameAt(i)).Select(at => at is { } one ? _model.Find(one) : null))
            {
                created.Code.AddRange(source is null || source == created ? [] : source.Code);
            }
        }
    }

    /// <summary>CREATE TABLE … AS runs a query; a table without one has no rows for which anything would be computed.</summary>
    private void RequireHarmlessQuery(StatementName? name)
    {
        if (name is { } known && _text.Find(known.Next, "AS") is > 0 and var query)
        {
            if (_text.At(query + 1, "EXECUTE"))
            {
                Unclear();
            }

            RequireHarmless(query + 1);
        }
    }

    /// <summary>Whether what a new table computes for each row may do more than that.</summary>
    private bool CallsSomethingForRows(int columns)
    {
        for (var i = columns; i < _text.Tokens.Count; i++)
        {
            if (_text.Tokens[i].Name is { } type && IsCode(type))
            {
                return true;
            }

            if (_text.At(i, "PARTITION", "BY") && !IsHarmless(i + 3, int.MaxValue))
            {
                return true;
            }

            if (_text.AtAny(i, "DEFAULT", "CHECK", "AS"))
            {
                var end = i + 1;
                while (end < _text.Tokens.Count && !(_text.Tokens[end].Is(",") && _text.Tokens[end].Depth <= _text.Tokens[i].Depth))
                {
                    end++;
                }

                if (!IsHarmless(i + 1, end))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private void GiveCode(StatementName? table, string what)
    {
        if (table is { } name && _model.Find(name) is { } relation)
        {
            GiveCode(relation, what);
        }
    }

    private static string CodeName(string kind, string? name) => $"the {kind.ToLowerInvariant()} {name}";

    private static void GiveCode(ModelRelation table, string what) =>
        table.Code.Add((Insert | Delete | Update | Truncate | Rewrite, what));

    private void ReadDrop()
    {
        var kind = _text.Tokens.Count > 1 ? _text.Tokens[1].Text : "";
        // Nothing with rows hangs on the others.
        var cascade = _text.Tokens[^1].Is("CASCADE") && kind is not ("INDEX" or "TRIGGER" or "POLICY" or "RULE");
        switch (kind)
        {
            case "TABLE" or "VIEW" or "SEQUENCE":
                DropNamed(2, Relation, cascade, needed: cascade || kind != "VIEW");
                break;
            case "MATERIALIZED" or "FOREIGN" when _text.At(2, "VIEW") || _text.At(2, "TABLE"):
                DropNamed(3, Relation, cascade, needed: true);
                break;
            case "SCHEMA":
                DropNamed(2, name => _model.FindSchema(name.Name) is { } schema ? [new CatalogObject(CatalogObject.Schema, schema.Oid)]
                    : [], cascade, cascade);
                break;
            case "EXTENSION":
                DropNamed(2, name => _model.FindNamed(CatalogObject.Extension, name), cascade, needed: true);
                break;
            case "TYPE" or "DOMAIN" or "COLLATION" or "FUNCTION" or "PROCEDURE" or "ROUTINE" or "AGGREGATE":
                var catalog = kind is "TYPE" or "DOMAIN" ? CatalogObject.Type : kind == "COLLATION" ? CatalogObject.Collation
                    : CatalogObject.Function;
                DropNamed(2, name => _model.FindNamed(catalog, name), cascade, cascade);
                break;
            case "OWNED":
                DropOwned(cascade);
                break;
            case "DATABASE":
                _targets.Add(new LossTarget(_step, _text.Statement, $"database {_text.NameAt(_text.SkipGuards(2))?.Display}", null));
                break;
            case "SUBSCRIPTION":
                Unclear(OfAnotherServer);
                break;
            case "TRIGGER" or "RULE" when _text.NameAt(_text.SkipGuards(2)) is { } code && _text.NameAt(_text.Find(2, "ON") + 1)
                is { } table:
                _model.Find(table)?.Code.RemoveAll(known => known.What == CodeName(kind, code.Name));
                break;
            case "INDEX" or "TRIGGER" or "RULE" or "POLICY" or "ROLE" or "USER" or "GROUP" or "SERVER" or "PUBLICATION"
                or "STATISTICS" or "LANGUAGE"
                or "PROCEDURAL" or "TEXT" or "CONVERSION" or "TRANSFORM" or "ACCESS" or "FOREIGN" or "CAST" or "OPERATOR" or "EVENT"
                    or "TABLESPACE" when !cascade:
                break;
            default:
                Unclear(cascade ? "CASCADE may go further" : null);
                break;
        }
    }

    private IEnumerable<CatalogObject> Relation(StatementName name) => _model.Find(name) is { } relation ? [relation.Object] : [];

    /// <summary>DROP of one or more names. What they mean is not needed without CASCADE for most objects: nothing is lost with
    /// them.</summary>
    private void DropNamed(int at, Func<StatementName, IEnumerable<CatalogObject>> find, bool cascade, bool needed)
    {
        var mayBeMissing = _text.At(at, "IF", "EXISTS");
        var roots = new List<CatalogObject>();
        var next = _text.SkipGuards(at);
        do
        {
            if (_text.NameAt(next) is not { } name)
            {
                Unclear("its target can't be read");
                return;
            }

            var found = find(name).ToList();
            if (needed && found.Count == 0 && (!mayBeMissing || (name.Schema is null && _model.SearchPath is null)))
            {
                Unclear($"there is no {name.Display} that it can mean");
            }

            roots.AddRange(found);
            // The arguments of a function.
            next = _text.At(name.Next, "(") ? _text.Closing(name.Next) + 1 : name.Next;
        }
        while (_text.At(next++, ","));

        Drop(roots, cascade);
    }

    private void DropOwned(bool cascade)
    {
        var roots = new List<CatalogObject>();
        var next = 3;
        do
        {
            var role = _text.At(next, "CURRENT_USER") || _text.At(next, "CURRENT_ROLE") ? _model.User
                : _text.At(next, "SESSION_USER") ? null : _text.NameAt(next)?.Name;
            if (role is null || !_ownersKnown)
            {
                Unclear("whose objects it means isn't known there");
                return;
            }

            roots.AddRange(_model.OwnedBy(role));
            next++;
        }
        while (_text.At(next++, ","));

        Drop(roots, cascade);
    }

    /// <summary>Drops objects with what goes along, and says what of that holds rows or values.</summary>
    private void Drop(IReadOnlyCollection<CatalogObject> roots, bool cascade, bool only = false)
    {
        var dropped = _model.DroppedWith(roots, cascade);
        var relations = dropped.Where(item => item is { Class: CatalogObject.Relation, Part: 0 }).Select(item =>
            _model.Find(item.Oid)).OfType<ModelRelation>()
            .SelectMany(relation => relation.Kind == 'S' ? [relation] : relation.Tree).Distinct().ToList();
        foreach (var relation in CountedAlone(relations.Where(relation => relation.HoldsRows)))
        {
            Lose(relation, relation.Kind == 'm' ? MaterializedView : "table");
        }

        foreach (var (table, column) in dropped.Where(item => item is { Class: CatalogObject.Relation, Part: > 0 })
            .Select(item => (Table: _model.Find(item.Oid), Column: item.Part)).Where(item => item.Table is { HoldsRows: true }
                && !relations.Contains(item.Table)))
        {
            if (table!.Columns.FirstOrDefault(pair => pair.Value.Number == column).Key is { } name)
            {
                LoseColumn(table, name, only);
            }
        }

        foreach (var sequence in relations.Where(relation => relation is { Kind: 'S', Origin: not null }))
        {
            // The position of one that belongs to a column means nothing without the rows that it numbered.
            if (!_model.BelongsToColumn(sequence) || roots.Contains(sequence.Object))
            {
                _targets.Add(new LossTarget(_step, _text.Statement, $"position of sequence {sequence.Display}", null));
            }
        }

        relations.ForEach(_model.Remove);
        foreach (var item in dropped.Where(item => item.Class == CatalogObject.Schema))
        {
            _model.RemoveSchema(item.Oid);
        }

        _model.Named.RemoveAll(named => dropped.Contains(new CatalogObject(named.Class, named.Oid)));
    }

    private void RenameColumn(ModelRelation relation, StatementName? old, bool only)
    {
        if (old is not { } from || _text.NameAt(from.Next + 1) is not { } to)
        {
            Unclear();
            return;
        }

        foreach (var part in only ? [relation] : relation.Tree)
        {
            if (part.Columns.Remove(from.Name, out var column))
            {
                part.Columns[to.Name] = column;
            }
        }
    }

    private void DropConstraint(ModelRelation relation, StatementName? name, int end)
    {
        if (name is not { } constraint)
        {
            Unclear();
            return;
        }

        _model.ForeignKeys.RemoveAll(key => key.Table == relation && key.Name == constraint.Name);
        if (_text.Within(constraint.Next, end, "CASCADE") && _model.FindConstraint(relation, constraint.Name) is { } found)
        {
            Drop([found], cascade: true);
        }
    }

    private void DropColumn(ModelRelation relation, int at, int end, bool only)
    {
        if (_text.NameAt(_text.SkipGuards(at)) is not { } name)
        {
            Unclear("its target can't be read");
        }
        else if (relation.Columns.GetValueOrDefault(name.Name) is { Number: > 0 } column)
        {
            Drop([relation.Object with { Part = column.Number }], _text.Within(name.Next, end, "CASCADE"), only);
        }
        else if (!relation.Columns.Remove(name.Name) && relation.Origin is not null && !_text.At(at, "IF", "EXISTS"))
        {
            Unclear($"{relation.Display} has no column {SqlIdentifier.Quote(name.Name)}");
        }
    }

    private void LoseColumn(ModelRelation table, string column, bool only)
    {
        Lose(table, column, "column", only);
        foreach (var part in only ? [table] : table.Tree)
        {
            part.Columns.Remove(column);
        }
    }
}
