using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Migrations;

/// <content>ALTER.</content>
internal sealed partial class LossReader
{
    private static readonly string[] Expressions = ["DEFAULT", "CHECK", "EXCLUDE", "GENERATED"];
    private static readonly string[] ByOperatorClass = ["UNIQUE", "KEY", "REFERENCES"];

    private void ReadAlter()
    {
        var kind = _text.Tokens.Count > 1 ? _text.Tokens[1].Text : "";
        switch (kind)
        {
            case "TABLE" when _text.At(2, "ALL", "IN", "TABLESPACE"):
                break;
            case "TABLE" or "VIEW" or "SEQUENCE":
                AlterRelation(2);
                break;
            case "MATERIALIZED" or "FOREIGN" when _text.At(2, "VIEW") || _text.At(2, "TABLE"):
                AlterRelation(3);
                break;
            case "SCHEMA" when _text.NameAt(2) is { } schema:
                if (_text.At(schema.Next, "RENAME", "TO") && _model.FindSchema(schema.Name) is { } renamed)
                {
                    renamed.Name = _text.NameAt(schema.Next + 2)?.Name ?? "";
                }

                break;
            case "TYPE" when _text.Has("ATTRIBUTE") && !_text.Has("RENAME"):
                Unclear();
                break;
            case "TYPE" or "DOMAIN":
                if (_text.Has("CHECK") || _text.Has("DEFAULT") || _text.Has("VALIDATE"))
                {
                    RequireHarmless(2);
                }

                AlterNamed(CatalogObject.Type);
                break;
            case "FUNCTION" or "PROCEDURE" or "ROUTINE" or "AGGREGATE":
                AlterNamed(CatalogObject.Function);
                break;
            case "COLLATION":
                AlterNamed(CatalogObject.Collation);
                break;
            case "EVENT":
                _eventTriggers.Add(_text.NameAt(3)?.Name ?? "");
                break;
            case "INDEX" when _text.NameAt(_text.SkipGuards(2)) is { } named && _model.Find(named) is { } table:
                // It renames tables too.
                RenameOrMove(table, named.Next);
                break;
            case "POLICY" when !_text.Has("RENAME"):
                GivePolicy(2, _text.NameAt(2)?.Name);
                break;
            case "TRIGGER" or "RULE" when _text.NameAt(2) is { } old && _text.Find(2, "RENAME", "TO") is > 0 and var to
                && _text.NameAt(_text.Find(2, "ON") + 1) is { } on && _model.Find(on) is { } relation:
                var code = relation.Code.FindIndex(code => code.What == CodeName(kind, old.Name));
                if (code >= 0)
                {
                    relation.Code[code] = relation.Code[code] with { What = CodeName(kind, _text.NameAt(to + 2)?.Name) };
                }

                break;
            case "SUBSCRIPTION" when !_text.Has("RENAME", "TO") && !_text.Has("OWNER", "TO") && !_text.Has("DISABLE"):
                Unclear(OfAnotherServer);
                break;
            case "OPERATOR" or "TEXT" when _text.Find(2, "SET", "SCHEMA") > 0:
                _operatorsUnknown = true;
                Unclear("what needs it goes with its new schema from now on");
                break;
            case "OPERATOR":
                _operatorsUnknown = true;
                break;
            case "INDEX" or "POLICY" or "ROLE" or "USER" or "GROUP" or "DATABASE" or "SYSTEM" or "DEFAULT" or "SERVER" or "PUBLICATION"
                or "SUBSCRIPTION" or "STATISTICS"
                or "LANGUAGE" or "PROCEDURAL" or "TEXT" or "CONVERSION" or "FOREIGN" or "LARGE" or "TABLESPACE" or "TRIGGER"
                    or "RULE":
                break;
            default:
                Unclear();
                break;
        }

        _ownersKnown &= !_text.Has("OWNER", "TO");
    }

    /// <summary>RENAME TO and SET SCHEMA. Of functions that share the name, each may be the one that is meant.</summary>
    private void AlterNamed(uint catalog)
    {
        if (_text.NameAt(2) is not { } old)
        {
            return;
        }

        var found = _model.FindNamed(catalog, old).ToHashSet();
        var next = _text.At(old.Next, "(") ? _text.Closing(old.Next) + 1 : old.Next;
        var to = _text.At(next, "RENAME", "TO") ? _text.NameAt(next + 2)?.Name : null;
        var schema = _text.At(next, "SET", "SCHEMA") && _text.NameAt(next + 2) is { } target ? _model.FindSchema(target.Name) : null;
        if (to is not null || schema is not null)
        {
            _newCode.UnionWith(to is not null && (catalog == CatalogObject.Function || IsCode(old.Name)) ? [to] : []);
            _model.Named.AddRange(_model.Named.Where(named => found.Contains(new CatalogObject(named.Class, named.Oid)))
                .Select(named => named with { Name = to ?? named.Name, Schema = schema?.Object.Oid ?? named.Schema }).ToList());
            if (schema is not null)
            {
                found.ToList().ForEach(moved => _model.Link(moved, schema.Object, 'n'));
            }
        }
    }

    private void AlterRelation(int at)
    {
        var name = _text.NameAt(_text.SkipGuards(at));
        // An index may be called a table here, and holds nothing of its own.
        if (Table(name, mayBeMissing: _text.At(at, "IF", "EXISTS")) is not { } relation)
        {
            return;
        }

        var only = _text.At(at, "ONLY") || _text.At(at, "IF", "EXISTS", "ONLY");
        var start = name!.Value.Next + (_text.At(name.Value.Next, "*") ? 1 : 0);
        if (relation.Kind == 'S')
        {
            AlterSequence(relation, start);
            return;
        }

        for (var i = start; i <= _text.Tokens.Count; i++)
        {
            if (i == _text.Tokens.Count || (_text.Tokens[i].Depth == 0 && _text.Tokens[i].Is(",")))
            {
                AlterAction(relation, start, i, only);
                start = i + 1;
            }
        }
    }

    private void AlterSequence(ModelRelation sequence, int at)
    {
        if (_text.Find(at, "RESTART") > 0 && sequence.Origin is not null)
        {
            LosePosition(sequence);
        }

        if (_text.Find(at, "SET", "UNLOGGED") > 0)
        {
            Unclear("its position is lost with the next crash of the server");
        }

        if (_text.Find(at, "OWNED", "BY") is > 0 and var owned)
        {
            _model.Unlink(sequence.Object, needed => needed.Class == CatalogObject.Relation);
            if (ColumnAt(owned + 2) is { } column)
            {
                _model.Link(sequence.Object, column, 'a');
            }
        }

        RenameOrMove(sequence, at);
    }

    /// <summary>Reads <c>table.column</c> or <c>schema.table.column</c>.</summary>
    private CatalogObject? ColumnAt(int at)
    {
        if (_text.NameAt(at) is not { Schema: not null } column)
        {
            return null;
        }

        var table = new StatementName(column.Next - at > 3 ? _text.Tokens[column.Next - 5].Name : null, column.Schema, 0);
        return _model.Find(table) is { } relation
            ? relation.Object with { Part = relation.Columns.GetValueOrDefault(column.Name)?.Number ?? 0 }
            : null;
    }

    private bool RenameOrMove(ModelRelation relation, int at)
    {
        if (_text.At(at, "RENAME", "TO") && _text.NameAt(at + 2) is { } name)
        {
            _newCode.UnionWith(IsCode(relation.Name) ? [name.Name] : []);
            relation.Name = name.Name;
            return true;
        }

        if (_text.At(at, "SET", "SCHEMA") && _text.NameAt(at + 2) is { } schema)
        {
            if (_model.FindSchema(schema.Name) is { } target)
            {
                _model.Move(relation, target);
            }
            else
            {
                Unclear($"there is no schema {schema.Display} that it can mean");
            }

            return true;
        }

        return false;
    }

    private void AlterAction(ModelRelation relation, int start, int end, bool only)
    {
        if (RenameOrMove(relation, start))
        {
            return;
        }

        switch (start < end ? _text.Tokens[start].Text : "")
        {
            case "RENAME" when !_text.At(start + 1, "CONSTRAINT"):
                RenameColumn(relation, _text.NameAt(start + (_text.At(start + 1, "COLUMN") ? 2 : 1)), only);
                break;
            case "DROP" when _text.At(start + 1, "CONSTRAINT"):
                DropConstraint(relation, _text.NameAt(_text.SkipGuards(start + 2)), end);
                break;
            case "DROP":
                DropColumn(relation, start + (_text.At(start + 1, "COLUMN") ? 2 : 1), end, only);
                break;
            case "ADD":
                Add(relation, start, end);
                break;
            case "ALTER":
                AlterColumn(relation, start + (_text.At(start + 1, "COLUMN") ? 2 : 1), end, only);
                break;
            case "ATTACH" when Table(_text.NameAt(start + 2)) is { } partition:
                Join(partition, relation, 'a');
                break;
            case "DETACH" when Table(_text.NameAt(start + 2)) is { } partition:
                _model.Disinherit(partition, relation);
                break;
            case "INHERIT" when Table(_text.NameAt(start + 1)) is { } parent:
                Join(relation, parent, 'n');
                break;
            case "NO" when _text.At(start + 1, "INHERIT") && Table(_text.NameAt(start + 2)) is { } parent:
                _model.Disinherit(relation, parent);
                break;
            case "OF" when _text.NameAt(start + 1) is { } type:
                foreach (var found in _model.FindNamed(CatalogObject.Type, type).ToList())
                {
                    _model.Link(relation.Object, found, 'n');
                }

                break;
            case "ENABLE" when _text.At(end - 2, "TRIGGER") || _text.At(end - 2, "RULE") || _text.At(start, "ENABLE", "TRIGGER"):
                relation.Code.Add((Insert | Delete | Update | Truncate, "a trigger or rule that was enabled"));
                break;
            case "SET" when _text.At(start + 1, "UNLOGGED"):
                Unclear("its rows are lost with the next crash of the server");
                break;
            case "SET" when _text.AtAny(start + 1, "LOGGED", "ACCESS"):
                Writes(relation, Indexes, only);
                break;
            case "VALIDATE":
                Writes(relation, Rewrite, only);
                break;
            case "RENAME" or "ENABLE" or "DISABLE" or "FORCE" or "NO" or "CLUSTER" or "SET" or "RESET" or "OWNER"
                or "REPLICA" or "NOT" or "DEPENDS":
                break;
            default:
                Unclear();
                break;
        }
    }

    private void Join(ModelRelation child, ModelRelation parent, char kind)
    {
        LossModel.Inherit(child, parent);
        _model.Link(child.Object, parent.Object, kind);
        // What was said of the parent did not mean the child.
        var origins = parent.Ancestors.Prepend(parent).Select(relation => relation.Origin).ToHashSet();
        _said.RemoveWhere(said => origins.Contains(said.Item1));
    }

    private void Add(ModelRelation relation, int start, int end)
    {
        // Types and names of columns before these words call nothing.
        var code = Expressions.Select(word => _text.Find(start, word))
            .Where(i => i >= 0 && i < end);
        if ((code.DefaultIfEmpty(end).Min() is var from && !IsHarmless(from, end)) || NamesCode(start, end)
            || (_operatorsUnknown && ByOperatorClass.Any(word => _text.Within(start, end, word))))
        {
            Unclear(MayDoMore);
        }

        if (_text.Within(start, end, "DEFAULT") || _text.Within(start, end, "GENERATED"))
        {
            Writes(relation, Indexes);
        }

        var isConstraint = _text.AtAny(start + 1, "CONSTRAINT", "CHECK", "UNIQUE", "PRIMARY", "FOREIGN", "EXCLUDE")
            || _text.At(start + 1, "NOT", "NULL");
        var name = isConstraint ? null : _text.NameAt(_text.SkipGuards(start + (_text.At(start + 1, "COLUMN") ? 2 : 1)));
        foreach (var part in name is null ? [] : relation.Tree)
        {
            part.Columns.TryAdd(name!.Value.Name, new ModelColumn(0, name.Value.Name, ""));
        }

        if (_text.Find(start, "REFERENCES") is var references && references > 0 && references < end
            && _text.NameAt(references + 1) is { } referenced && _model.Find(referenced) is { } target)
        {
            var keys = _text.Find(start, "FOREIGN", "KEY") is var foreign && foreign >= 0 && foreign < end ? Inside(foreign + 2) : name
                is { } column ? [column.Name] : [];
            _model.ForeignKeys.Add(new ModelForeignKey(
                _text.At(start + 1, "CONSTRAINT") ? _text.NameAt(start + 2)?.Name ?? "" : "", relation, target,
                ActionOn("DELETE"), ActionOn("UPDATE"), keys, _text.At(referenced.Next, "(") ? Inside(referenced.Next)
                    : [.. target.Columns.Keys]));
        }

        List<string> Inside(int open) =>
            [.. _text.Tokens.Take(_text.Closing(open)).Skip(open + 1).Select(token => token.Name).OfType<string>()];

        char ActionOn(string verb)
        {
            var action = _text.Find(references, "ON", verb);
            return action < 0 || action >= end ? 'a' : _text.At(action + 2, "CASCADE") ? 'c' : _text.At(action + 2, "SET") ? 'n' : 'a';
        }
    }

    private void AlterColumn(ModelRelation relation, int at, int end, bool only)
    {
        if (_text.NameAt(at) is not { } name)
        {
            Unclear("its target can't be read");
            return;
        }

        var next = name.Next;
        if (_text.At(next, "TYPE") || _text.At(next, "SET", "DATA", "TYPE"))
        {
            ChangeType(relation, name.Name, next + (_text.At(next, "TYPE") ? 1 : 3), end, only);
        }
        else if (_text.At(next, "DROP", "IDENTITY") || _text.Within(next, end, "RESTART"))
        {
            if (relation.Columns.GetValueOrDefault(name.Name)?.Number > 0)
            {
                _targets.Add(new LossTarget(_step, _text.Statement,
                    $"position of the sequence of column {relation.Display}.{SqlIdentifier.Quote(name.Name)}", null));
            }
        }
        else if (_text.At(next, "SET", "DEFAULT"))
        {
            if (!IsHarmless(next + 2, end))
            {
                GiveCode(relation, "a default that may call a function that does more");
            }
        }
        else if (_text.At(next, "SET", "EXPRESSION") || !(_text.AtAny(next, "SET", "DROP", "RESET") || _text.At(next, "ADD", "GENERATED")))
        {
            Unclear();
        }
    }

    private void ChangeType(ModelRelation relation, string name, int start, int end, bool only)
    {
        Writes(relation, Rewrite, only);
        if (relation.Columns.GetValueOrDefault(name) is not { } column)
        {
            // Of a new table we don't know the columns, and nothing there is old.
            if (relation.Origin is not null)
            {
                Unclear($"{relation.Display} has no column {SqlIdentifier.Quote(name)}");
            }

            return;
        }

        var usingAt = _text.Find(start, "USING");
        usingAt = usingAt < 0 || usingAt > end ? end : usingAt;
        var collate = _text.Find(start, "COLLATE");
        var type = LossTypes.At(_text, start, collate < 0 || collate > usingAt ? usingAt : collate);
        var isPlain = usingAt == end || (_text.Tokens[usingAt + 1].Name == name
            && (usingAt + 2 == end || (usingAt + 3 < end && _text.Tokens[usingAt + 2].Text == "::"
                && LossTypes.At(_text, usingAt + 3, end) == type)));
        if (!IsHarmless(usingAt, end) || NamesCode(start, end))
        {
            Unclear(MayDoMore);
        }

        if (!isPlain || !LossTypes.Keep(column.Type, type))
        {
            Lose(relation, name, Values, only);
        }

        foreach (var part in only ? [relation] : relation.Tree)
        {
            if (part.Columns.TryGetValue(name, out var old))
            {
                part.Columns[name] = old with { Type = type };
                var whole = part.Object with { Part = old.Number };
                _model.Unlink(whole, needed => needed.Class is CatalogObject.Type or CatalogObject.Collation);
                _model.Link(whole, _text.Tokens.Take(usingAt).Skip(start).Select(token => token.Name));
            }
        }
    }
}
