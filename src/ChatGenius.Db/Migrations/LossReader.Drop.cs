using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Migrations;

/// <content>DROP, and what goes along.</content>
internal sealed partial class LossReader
{
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
                DropNamed(2, name => _model.FindSchema(name.Name) is { } schema ? [schema.Object] : [], cascade, cascade);
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

        foreach (var part in dropped.Where(item => item is { Class: CatalogObject.Relation, Part: > 0 } && _model.Find(item.Oid) is null))
        {
            LosePartOf(part.Oid);
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
            if (!_model.NumbersItsColumn(sequence) || roots.Contains(sequence.Object))
            {
                LosePosition(sequence);
            }
        }

        relations.ForEach(_model.Remove);
        foreach (var item in dropped.Where(item => item.Class == CatalogObject.Schema))
        {
            _model.RemoveSchema(item.Oid);
        }

        _model.Named.RemoveAll(named => dropped.Contains(new CatalogObject(named.Class, named.Oid)));
    }

    private void LosePosition(ModelRelation sequence) =>
        _targets.Add(new LossTarget(_step, _text.Statement, $"position of sequence {sequence.Display}", null));

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
            LosePartOf(part.Object.Oid);
            part.Columns.Remove(column);
        }
    }

    /// <summary>With a column of a table or an attribute of a type goes what other tables have in it, where they have values of its row
    /// type.</summary>
    private void LosePartOf(uint relation)
    {
        foreach (var holder in _model.HoldersOf(relation).Where(holder => holder.HoldsRows))
        {
            Unclear($"{holder.Display} has values of a row type that loses a part");
        }
    }
}
