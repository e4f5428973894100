using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Migrations;

/// <content>Statements that read and write rows.</content>
internal sealed partial class LossReader
{
    private const int Insert = 4;
    private const int Delete = 8;
    private const int Update = 16;
    private const int Truncate = 32;

    /// <summary>Every row is written to a new file, and computed again.</summary>
    private const int Rewrite = 64;

    /// <summary>Indexes and statistics are computed again.</summary>
    private const int Indexes = 128;

    /// <summary>Words before a parenthesis that call no function.</summary>
    private static readonly HashSet<string> BeforeParenthesis =
    [
        .. ("ALL AND ANY ARRAY AS ASC BETWEEN BIT BY CASE CAST CHAR CHARACTER CHECK COALESCE CONFLICT CUBE DEC DECIMAL DESC "
            + "DISTINCT ELSE END EXCEPT EXCLUDE EXISTS EXTRACT FILTER FLOAT FROM GREATEST GROUPING HAVING ILIKE IN INCLUDE "
            + "INTERSECT INTERVAL IS LATERAL LEAST LIKE LIMIT MATERIALIZED NCHAR NOT NULLIF NUMERIC OFFSET ON OR OVER OVERLAY "
            + "POSITION RETURNING ROLLUP ROW SELECT SET SETS SIMILAR SOME SUBSTRING THEN TIME TIMESTAMP TIMESTAMPTZ TIMETZ TO "
            + "TRIM UNION USING VALUES VARBIT VARCHAR VARYING WHEN WHERE WITH").Split(' '),
    ];

    /// <summary>A statement that may begin with WITH.</summary>
    private void ReadQuery()
    {
        var tokens = _text.Tokens;
        var main = tokens.Select((token, i) => (token, i)).FirstOrDefault(at => at.token.Depth == 0
            && at.token.Kind == SqlTokenKind.Word && at.token.Text is "SELECT" or "VALUES" or "TABLE" or "INSERT" or "UPDATE" or "DELETE"
                or "MERGE").i;
        var writesInside = tokens.Where((token, i) => i != main && token.Kind == SqlTokenKind.Word
            && (token.Text is "INSERT" or "DELETE" or "MERGE"
                || (token.Text == "UPDATE" && !_text.AtAny(i - 1, "FOR", "KEY", "DO")))).Any();
        if (writesInside || tokens[main].Text == "MERGE" || (main > 0 && !IsHarmless(0, main)))
        {
            Unclear(writesInside ? "it writes in more than one place" : null);
            return;
        }

        switch (tokens[main].Text)
        {
            case "INSERT":
                ReadInsert(main);
                break;
            case "UPDATE":
                ReadUpdate(main);
                break;
            case "DELETE":
                ReadDelete(main);
                break;
            case "SELECT" when main == 0 && ReadSetConfig():
                break;
            default:
                RequireHarmless(main);
                if (_text.Find(main, "INTO") is > 0 and var into)
                {
                    FireEventTriggers();
                    var temporary = _text.At(into + 1, "TEMP") || _text.At(into + 1, "TEMPORARY");
                    var name = into + (temporary || _text.At(into + 1, "UNLOGGED") ? 2 : 1);
                    CreateRelation(_text.NameAt(_text.At(name, "TABLE") ? name + 1 : name), 'r', temporary);
                }

                break;
        }
    }

    /// <summary>pg_dump's way to set something: <c>SELECT pg_catalog.set_config('search_path', '', false)</c>.</summary>
    private bool ReadSetConfig()
    {
        var i = 1;
        while (_text.NameAt(i) is { Name: "set_config", Schema: null or "pg_catalog" } call && _text.At(call.Next, "("))
        {
            var setting = call.Next + 1 < _text.Tokens.Count ? Value(_text.Tokens[call.Next + 1]) : null;
            var value = call.Next + 3 < _text.Tokens.Count && _text.Tokens[call.Next + 3].Kind == SqlTokenKind.StringConstant
                ? Value(_text.Tokens[call.Next + 3]) : null;
            var end = call.Next + 6;
            if (!_text.At(call.Next + 2, ",") || value is null || setting is null || !_text.At(call.Next + 4, ",") || !_text.At(end, ")"))
            {
                return false;
            }

            if (setting.Equals("zero_damaged_pages", StringComparison.OrdinalIgnoreCase))
            {
                return false;
            }

            if (setting.Equals("search_path", StringComparison.OrdinalIgnoreCase))
            {
                SetPath(SplitPath(value), local: !_text.At(call.Next + 5, "FALSE")
                    && !(_text.Tokens[call.Next + 5].Text is "'f'" or "'false'"));
            }
            else if (setting.Equals("role", StringComparison.OrdinalIgnoreCase))
            {
                _model.User = value;
            }

            i = end + 2;
            if (!_text.At(end + 1, ","))
            {
                return end + 1 >= _text.Tokens.Count;
            }
        }

        return false;
    }

    private void ReadInsert(int at)
    {
        if (_text.NameAt(at + 2) is not { } name || Table(name) is not { } table)
        {
            return;
        }

        Writes(table, Insert);
        var next = name.Next + (_text.At(name.Next, "AS") ? 2 : 0);
        if (_text.At(next, "(") && !_text.AtAny(next + 1, "SELECT", "WITH", "VALUES", "TABLE", "("))
        {
            next = _text.Closing(next) + 1;
        }

        RequireHarmless(next);
        if (_text.Find(next, "DO", "UPDATE", "SET") is > 0 and var update)
        {
            _named = table;
            Writes(table, Update);
            Change(table, SetColumns(update + 3), only: false, []);
        }
    }

    private void ReadUpdate(int at)
    {
        var only = _text.At(at + 1, "ONLY");
        if (_text.NameAt(at + (only ? 2 : 1)) is not { } name || Table(name) is not { } table)
        {
            return;
        }

        var set = _text.Find(name.Next, "SET");
        _named = table;
        RequireHarmless(set);
        Writes(table, Update, only);
        Change(table, SetColumns(set + 1), only, []);
    }

    private void ReadDelete(int at)
    {
        var only = _text.At(at + 2, "ONLY");
        if (_text.NameAt(at + (only ? 3 : 2)) is not { } name || Table(name) is not { } table)
        {
            return;
        }

        _named = table;
        RequireHarmless(name.Next);
        DeleteRows(table, only, atMost: _text.Find(name.Next, "WHERE") > 0 || _text.Find(name.Next, "USING") > 0, []);
    }

    private void ReadTruncate()
    {
        var i = _text.At(1, "TABLE") ? 2 : 1;
        var tables = new List<(ModelRelation Table, bool Only)>();
        do
        {
            var only = _text.At(i, "ONLY");
            if (_text.NameAt(i + (only ? 1 : 0)) is not { } name || Table(name) is not { } table)
            {
                return;
            }

            tables.Add((table, only));
            i = name.Next + (_text.At(name.Next, "*") ? 1 : 0);
        }
        while (_text.At(i++, ","));

        for (var next = 0; next < tables.Count; next++)
        {
            var (table, only) = tables[next];
            Writes(table, Truncate, only);
            if (_text.Has("CASCADE"))
            {
                tables.AddRange(KeysTo(table, only).Select(key => key.Table).Distinct().Where(more =>
                    !tables.Exists(known => known.Table == more)).Select(more => (more, false)));
            }

            Lose(table, "rows of table", only);
            foreach (var sequence in _text.Has("RESTART", "IDENTITY") ? _model.SequencesOf(table) : [])
            {
                LosePosition(sequence);
            }
        }
    }

    /// <summary>Rows of a table are deleted, and with them what foreign keys delete or change in other tables.</summary>
    private void DeleteRows(ModelRelation table, bool only, bool atMost, HashSet<ModelRelation> seen)
    {
        if (!seen.Add(table))
        {
            // By a foreign key, rows go that the statement itself does not name.
            Lose(table, "rows of table", only, atMost);
            return;
        }

        Writes(table, Delete, only);
        Lose(table, "rows of table", only, atMost);
        var before = _follows;
        _follows = true;
        foreach (var key in KeysTo(table, only))
        {
            if (key.OnDelete == 'c')
            {
                DeleteRows(key.Table, only: false, atMost: true, seen);
            }
            else if (key.OnDelete is 'n' or 'd')
            {
                Writes(key.Table, Update);
                Change(key.Table, key.Columns, only: false, []);
            }
        }

        _follows = before;
    }

    /// <summary>The foreign keys of other rows to those of a table. That of a partitioned table counts for its partitions too.</summary>
    private List<ModelForeignKey> KeysTo(ModelRelation table, bool only)
    {
        var tables = (only ? [table] : table.Tree).Concat(table.Ancestors).ToHashSet();
        return _model.ForeignKeys.FindAll(key => tables.Contains(key.Referenced));
    }

    /// <summary>Values of a table are changed, all where the columns can't be told, and with them what foreign keys change in other
    /// tables.</summary>
    private void Change(ModelRelation table, IReadOnlyList<string>? columns, bool only, HashSet<(ModelRelation, string)> seen)
    {
        foreach (var column in (columns ?? [.. table.Columns.Keys]).Where(column => seen.Add((table, column))))
        {
            Lose(table, column, Values, only, atMost: true);
            var before = _follows;
            _follows = true;
            foreach (var key in KeysTo(table, only).Where(key => key.OnUpdate is 'c' or 'n' or 'd'
                && key.ReferencedColumns.Contains(column)))
            {
                Writes(key.Table, Update);
                Change(key.Table, key.Columns, only: false, seen);
            }

            _follows = before;
        }
    }

    /// <summary>The columns before <c>=</c> in a SET; null where they can't be told.</summary>
    private List<string>? SetColumns(int start)
    {
        var columns = new List<string>();
        var first = true;
        var brackets = 0;
        for (var i = start; i < _text.Tokens.Count; i++)
        {
            var token = _text.Tokens[i];
            brackets += token.Is("[") ? 1 : token.Is("]") ? -1 : 0;
            if (token.Depth == 0 && (token.Is("WHERE") || token.Is("FROM") || token.Is("RETURNING")))
            {
                break;
            }

            if (first && token.Is("("))
            {
                var end = _text.Closing(i);
                columns.AddRange(_text.Tokens.Take(end).Skip(i + 1).Select(part => part.Name).OfType<string>());
            }
            else if (first)
            {
                if (token.Name is null)
                {
                    return null;
                }

                columns.Add(token.Name);
            }

            first = token.Depth == 0 && brackets == 0 && token.Is(",");
        }

        return columns;
    }

    /// <summary>Writing rows of a relation may run code of a user's own, which can do anything.</summary>
    private void Writes(ModelRelation? relation, int events, bool only = false)
    {
        // An UPDATE that moves a row to another partition is a DELETE there and an INSERT here.
        events |= (events & Update) != 0 && relation?.Kind == 'p' ? Insert | Delete : 0;
        // Indexes, keys and casts run the functions of the values' types without a word in the statement.
        if (_operatorsUnknown && relation is not null && (events & ~(Delete | Truncate)) != 0)
        {
            Unclear(MayDoMore);
        }

        foreach (var part in relation is null ? [] : only ? [relation] : relation.Tree)
        {
            if (part.Kind is 'v' or 'f' or 'S')
            {
                Unclear($"{part.Display} is no table of this database");
            }
            else if (part.Code.Find(code => (code.Events & events) != 0).What is { } code)
            {
                Unclear($"{part.Display} has {code}");
                return;
            }
        }
    }

    /// <summary>REINDEX and its like: of the tables that are named, or of all.</summary>
    private void ComputeAgain()
    {
        if (_operatorsUnknown)
        {
            Unclear(MayDoMore);
        }

        var named = _text.Tokens.Select((_, i) => i > 0 && _text.NameAt(i) is { } name ? _model.Find(name) : null).OfType<ModelRelation>()
            .SelectMany(relation => relation.Tree).ToList();
        Writes((named.Count > 0 ? named : _model.Relations).FirstOrDefault(relation => relation.Code.Exists(code =>
            (code.Events & Indexes) != 0)), Indexes, only: true);
    }

    /// <summary>Whether a name runs a user's own code without looking like a call.</summary>
    private bool IsCode(string name) => _catalog.HiddenCode.Contains(name) || _newCode.Contains(name);

    /// <summary>Whether a type between two places does.</summary>
    private bool NamesCode(int start, int end) =>
        _text.Tokens.Take(end).Skip(start).Any(token => token.Name is { } name && IsCode(name));

    private const string MayDoMore = "it may call a function that does more";

    private void RequireHarmless(int start, int end = int.MaxValue)
    {
        if (!IsHarmless(start, end))
        {
            Unclear(MayDoMore);
        }
    }

    /// <summary>Whether the expressions between two places call only functions that are known to change nothing.</summary>
    private bool IsHarmless(int start, int end)
    {
        for (var i = Math.Max(start, 0); i < Math.Min(end, _text.Tokens.Count); i++)
        {
            var token = _text.Tokens[i];
            if (_operatorsUnknown
                || (token.Kind == SqlTokenKind.Operator && _catalog.Operators.Contains(token.Text))
                || (token.Name is { } name && IsCode(name))
                || (_text.At(i + 1, "(") && !MayStandBefore(i)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether what stands before a parenthesis calls nothing, or a function of PostgreSQL's own that changes nothing.</summary>
    private bool MayStandBefore(int i)
    {
        var token = _text.Tokens[i];
        return token.Name is not { } name
            || (token.Kind == SqlTokenKind.Word && BeforeParenthesis.Contains(token.Text) && !_text.At(i - 1, "."))
            || (_catalog.PureFunctions.Contains(name) && (!_text.At(i - 1, ".") || _text.At(i - 2, "PG_CATALOG")));
    }
}
