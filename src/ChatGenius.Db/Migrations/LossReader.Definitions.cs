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
                CreateRelation(name, _text.At(i - 1, "FOREIGN") ? 'f' : _text.Find(i, "PARTITION", "BY") > 0 ? 'p' : 'r', temporary);
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
                GivePolicy(i, name?.Name);
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
        var made = !goes || _inTransaction ? _model.Create(known, kind, temporary, goes) : null;
        if ((made ?? _model.Find(known)) is not { } created)
        {
            return;
        }

        var isPartition = _text.At(known.Next, "PARTITION", "OF");
        var parents = NamesFrom(isPartition ? known.Next + 2 : _text.Find(known.Next, "INHERITS") is > 0 and var inherits ? inherits + 2
            : -1).ToList();
        var like = _text.Tokens.Select((token, i) => token.Is("LIKE") && !_text.At(i - 1, "NOT") ? _text.NameAt(i + 1) : null)
            .Select(name => name is { } one ? _model.Find(one) : null).OfType<ModelRelation>();
        created.Code.AddRange(like.Concat(parents).Where(source => source != created).SelectMany(source => source.Code).ToList());
        if (made is not null)
        {
            foreach (var parent in parents)
            {
                LossModel.Inherit(made, parent);
                _model.Link(made.Object, parent.Object, isPartition ? 'a' : 'n');
            }

            // The whole table goes with what computes its partitions, and with its type.
            var whole = _text.At(known.Next, "OF") ? known.Next : _text.Find(known.Next, "PARTITION", "BY");
            _model.Link(made.Object, whole < 0 ? [] : _text.Tokens.Skip(whole).Select(token => token.Name));
        }

        IEnumerable<ModelRelation> NamesFrom(int at)
        {
            for (var i = at; i > 0 && _text.NameAt(i) is { } name; i = _text.At(name.Next, ",") ? name.Next + 1 : -1)
            {
                if (_model.Find(name) is { } found)
                {
                    yield return found;
                }
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

    /// <summary>A policy runs for who reads the table, too.</summary>
    private void GivePolicy(int at, string? policy)
    {
        var table = _text.NameAt(_text.Find(at, "ON") + 1);
        GiveCode(table, $"the policy {policy}");
        _newCode.UnionWith(table is { } name ? [name.Name] : []);
    }

    private static string CodeName(string kind, string? name) => $"the {kind.ToLowerInvariant()} {name}";

    private static void GiveCode(ModelRelation table, string what) =>
        table.Code.Add((Insert | Delete | Update | Truncate | Rewrite, what));
}
