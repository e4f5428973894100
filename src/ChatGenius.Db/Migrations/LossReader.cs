using System.Text;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Migrations;

/// <summary>Rows or values that a statement destroys, still to be counted.</summary>
/// <param name="Step">The section it belongs to; null where the whole database goes.</param>
/// <param name="Statement">What destroys them; likewise.</param>
/// <param name="What">As a message says it: <c>table notes</c>.</param>
/// <param name="Relation">Where they are now; null where nothing can be counted.</param>
/// <param name="Column">The column whose values they are; null for whole rows.</param>
/// <param name="Only">Whether what inherits from the relation keeps its own.</param>
/// <param name="AtMost">Whether some of them may stay.</param>
internal sealed record LossTarget(
    MigrationStep? Step, SqlStatement? Statement, string What, CatalogRelation? Relation, string? Column = null, bool Only = false,
        bool AtMost = false)
{
    /// <summary>What the relation is called when the statement runs, as SQL.</summary>
    public string Table { get; init; } = "";

    /// <summary>Its columns by number, under the names that they have when the statement runs.</summary>
    public IReadOnlyDictionary<short, string> Names { get; init; } = new Dictionary<short, string>();

    /// <summary>How many columns the section has added to it by then.</summary>
    public int Added { get; init; }

    /// <summary>Whether the statement names the relation as the one whose rows it writes; otherwise they go by a foreign key, or with
    /// something else.</summary>
    public bool Direct { get; init; }

    /// <summary>Whether the column is there still, with other values.</summary>
    public bool Stays { get; init; }
}

/// <summary>A statement that may destroy more than can be told.</summary>
/// <param name="Step">The section it belongs to.</param>
/// <param name="Statement">The statement.</param>
/// <param name="What">What it is: <c>the DO</c>.</param>
/// <param name="Reason">Why it can't be told, where that isn't plain from what it is.</param>
internal sealed record LossUnclear(MigrationStep Step, SqlStatement Statement, string What, string? Reason);

/// <summary>
/// Says what statements destroy, as a function of the statements and the catalog alone: no expression of a file is evaluated or planned. It
/// follows what the statements do to names. What is not known to destroy nothing is said to be unclear.
/// </summary>
internal sealed partial class LossReader
{
    private readonly LossCatalog _catalog;
    private readonly LossModel _model;
    private readonly List<LossTarget> _targets = [];
    private readonly List<LossUnclear> _unclear = [];
    private readonly HashSet<(CatalogRelation, string)> _said = [];
    private readonly HashSet<string> _newCode = new(StringComparer.Ordinal);
    private readonly List<string> _eventTriggers;
    private bool _operatorsUnknown;
    private bool _inTransaction;
    private bool _ownersKnown = true;
    private IReadOnlyList<string>? _afterCommit;
    private MigrationStep _step = null!;
    private StatementText _text = null!;

    // Whether each statement's losses are wanted, also of what an earlier one destroys; and whether those go by a foreign key now.
    private readonly bool _each;
    private ModelRelation? _named;
    private bool _follows;

    private LossReader(LossCatalog catalog, bool each = false)
    {
        _catalog = catalog;
        _each = each;
        _model = new LossModel(catalog);
        _eventTriggers = [.. catalog.EventTriggers];
        _operatorsUnknown = catalog.HasCasts;
    }

    /// <summary>The names that the catalog is to be asked about.</summary>
    internal static string[] NamesIn(IEnumerable<MigrationStep> steps) =>
    [
        .. steps.SelectMany(step => step.Section.Script.Statements).SelectMany(statement => new StatementText(statement).Tokens)
            .Select(token => token.Name).OfType<string>().Distinct(),
    ];

    /// <summary>Reads the sections in the order in which they run, from where an interrupted one goes on.</summary>
    internal static (IReadOnlyList<LossTarget> Targets, IReadOnlyList<LossUnclear> Unclear) Read(IEnumerable<MigrationStep> steps,
        LossCatalog catalog)
    {
        var reader = new LossReader(catalog);
        foreach (var step in steps)
        {
            reader.ReadSection(step);
        }

        return (reader._targets, reader._unclear);
    }

    /// <summary>The same for the last of some sections, statement by statement: with what an earlier one of them destroys already, and with
    /// the names that hold when each runs.</summary>
    internal static (IReadOnlyList<LossTarget> Targets, IReadOnlyList<LossUnclear> Unclear) ReadEach(
        IReadOnlyList<MigrationStep> steps, LossCatalog catalog)
    {
        var reader = new LossReader(catalog, each: true);
        foreach (var step in steps)
        {
            reader.ReadSection(step);
        }

        return ([.. reader._targets.Where(target => target.Step == steps[^1])], [.. reader._unclear.Where(one => one.Step == steps[^1])]);
    }

    /// <summary>Follows sections, and asks after each statement of the last one, and before its first one, what is there.</summary>
    internal static List<T> Follow<T>(IReadOnlyList<MigrationStep> steps, LossCatalog catalog, Func<LossModel, T> ask)
    {
        var reader = new LossReader(catalog);
        steps.SkipLast(1).ToList().ForEach(step => reader.ReadSection(step));
        var answers = new List<T> { ask(reader._model) };
        reader.ReadSection(steps[^1], () => answers.Add(ask(reader._model)));
        return answers;
    }

    private void ReadSection(MigrationStep step, Action? after = null)
    {
        _step = step;
        _model.User = _catalog.User;
        _model.SearchPath = SplitPath(_catalog.SearchPath);
        _afterCommit = _model.SearchPath;
        _inTransaction = step.Section.Transactional;
        _model.RemoveTemporary(onlyWithCommit: true);
        var done = (step.Resume?.Statement ?? 1) - 1;
        foreach (var statement in step.Section.Script.Statements)
        {
            _text = new StatementText(statement);
            if (--done < 0)
            {
                ReadStatement();
            }
            else if (_text.Is("SET") || _text.Is("RESET"))
            {
                // A run that goes on repeats the session's settings.
                ReadSetting();
            }

            after?.Invoke();
        }
    }

    private void ReadStatement()
    {
        _named = null;
        if (_text.Tokens.Count == 0)
        {
            return;
        }

        if (!_text.IsWhole)
        {
            Unclear("it is too long to be read");
            return;
        }

        if (_text.Tokens[0].Text is "CREATE" or "ALTER" or "DROP" or "COMMENT" or "GRANT" or "REVOKE" or "SECURITY" or "REFRESH"
            or "REINDEX" or "IMPORT")
        {
            FireEventTriggers();
        }

        switch (_text.Tokens[0].Text)
        {
            case "SET" or "RESET" or "DISCARD":
                ReadSetting();
                break;
            case "SELECT" or "VALUES" or "TABLE" or "WITH" or "INSERT" or "UPDATE" or "DELETE":
                ReadQuery();
                break;
            case "TRUNCATE":
                ReadTruncate();
                break;
            case "COPY" when _text.Statement.IsCopyFromStdin && _text.NameAt(1) is { } name:
                Writes(Table(name), Insert);
                RequireHarmless(_text.Find(name.Next, "WHERE") is > 0 and var condition ? condition : _text.Tokens.Count);
                break;
            case "CREATE":
                ReadCreate();
                break;
            case "DROP":
                ReadDrop();
                break;
            case "ALTER":
                ReadAlter();
                break;
            case "REFRESH" when Table(_text.NameAt(_text.At(3, "CONCURRENTLY") ? 4 : 3)) is { } view:
                Writes(view, Rewrite);
                Lose(view, "rows of materialized view");
                break;
            case "BEGIN" or "START":
                _inTransaction = true;
                break;
            case "COMMIT" or "END" when !_text.At(1, "PREPARED"):
                _inTransaction = _step.Section.Transactional;
                _model.SearchPath = _afterCommit;
                _model.RemoveTemporary(onlyWithCommit: true);
                break;
            case "ANALYZE" or "ANALYSE" or "VACUUM" or "REINDEX" or "CLUSTER":
                ComputeAgain();
                break;
            case "SAVEPOINT" or "RELEASE" or "COMMENT" or "GRANT" or "REVOKE" or "SECURITY" or "LOCK" or "LISTEN" or "UNLISTEN" or "NOTIFY"
                or "CHECKPOINT" or "DEALLOCATE" or "CLOSE" or "SHOW":
            case "PREPARE" when !_text.At(1, "TRANSACTION"):
                break;
            case "IMPORT":
                Unclear("the names of what it makes aren't known here");
                break;
            case "REASSIGN":
                _ownersKnown = false;
                break;
            case "ROLLBACK" or "ABORT":
                Unclear("what came before it may be undone");
                break;
            default:
                Unclear();
                break;
        }
    }

    /// <summary>Said once: what they do at one statement they may do at all.</summary>
    private void FireEventTriggers()
    {
        if (_eventTriggers.Count > 0)
        {
            Unclear($"it fires the event {(_eventTriggers.Count > 1 ? "triggers" : "trigger")} "
                + Names.List(_eventTriggers.Select(SqlIdentifier.Quote)));
            _eventTriggers.Clear();
        }
    }

    private void Unclear(string? reason = null) => _unclear.Add(new LossUnclear(_step, _text.Statement, $"the {Verb()}", reason));

    /// <summary>The statement in a word or two: <c>DROP TABLE</c>.</summary>
    private string Verb() => _text.Tokens[0].Kind != SqlTokenKind.Word ? "statement" : string.Join(' ', _text.Tokens
        .Take(_text.Tokens[0].Text is "CREATE" or "ALTER" or "DROP" ? 2 : 1)
        .Where(token => token.Kind == SqlTokenKind.Word).Select(token => token.Text));

    /// <summary>The relation that a name means. Where there is none, and the statement doesn't allow for that, it is unclear what it
    /// does.</summary>
    private ModelRelation? Table(StatementName? name, bool mayBeMissing = false)
    {
        if (name is { } known && _model.Find(known) is { } found)
        {
            return found;
        }

        if (name is null || !mayBeMissing || (name.Value.Schema is null && _model.SearchPath is null))
        {
            Unclear(name is null ? "its target can't be read"
                : name.Value.Schema is null && _model.SearchPath is null ? "the search_path isn't known there"
                : $"there is no {name.Value.Display} that it can mean");
        }

        return null;
    }

    /// <summary>Says that rows are lost, unless they are new or that is said already.</summary>
    private void Lose(ModelRelation relation, string what, bool only = false, bool atMost = false)
    {
        foreach (var part in only ? [relation] : CountedAlone(relation.Tree))
        {
            if (part.Origin is { } origin && (_each || Say(part, atMost ? SomeRows : AllRows, only)))
            {
                _targets.RemoveAll(target => !_each && !only && !atMost && target.Relation == origin);
                _targets.Add(Named(part, new LossTarget(_step, _text.Statement, $"{what} {part.Display}", origin, null, only, atMost)));
            }
        }
    }

    /// <summary>Says that the values of a column are lost.</summary>
    private void Lose(ModelRelation relation, string column, string what, bool only = false, bool atMost = false)
    {
        foreach (var part in only ? [relation] : CountedAlone(relation.Tree))
        {
            if (part.Origin is { } origin && part.Columns.GetValueOrDefault(column) is { Number: > 0 } known
                && (_each || Say(part, known.Name, only)))
            {
                _targets.Add(Named(part, new LossTarget(_step, _text.Statement, $"{what} {part.Display}.{SqlIdentifier.Quote(column)}",
                    origin, known.Name, only, atMost) { Stays = what == Values }));
            }
        }
    }

    /// <summary>What of a column goes where the column stays.</summary>
    private const string Values = "values of column";

    private LossTarget Named(ModelRelation relation, LossTarget target) => !_each ? target : target with
    {
        Table = SqlIdentifier.Quote(relation.Schema.Name, relation.Name),
        Names = relation.Columns.Where(pair => pair.Value.Number > 0).ToDictionary(pair => pair.Value.Number, pair => pair.Key),
        Added = relation.Columns.Values.Count(column => column.Number == 0),
        Direct = relation == _named && !_follows,
    };

    /// <summary>In the place of a column's name; no column can be called so.</summary>
    private const string AllRows = "";
    private const string SomeRows = "*";

    /// <summary>False if it is said already. What is said of a parent with ONLY is said again without it.</summary>
    private bool Say(ModelRelation relation, string what, bool only) => !_said.Contains((relation.Origin!, AllRows))
        && (only && relation.Children.Count > 0 ? !_said.Contains((relation.Origin!, what)) : _said.Add((relation.Origin!, what)));

    /// <summary>Those of which no other one's count has the rows too.</summary>
    private IEnumerable<ModelRelation> CountedAlone(IEnumerable<ModelRelation> relations)
    {
        var all = relations.Where(relation => relation.Origin is not null).Distinct().ToList();
        return all.Where(relation => !all.Exists(other => other != relation && _model.Counts(other, relation)));
    }

    /// <summary>SET, RESET and DISCARD: what they do to names.</summary>
    private void ReadSetting()
    {
        var local = _text.Is("SET", "LOCAL");
        var i = local || (_text.At(1, "SESSION") && !_text.At(2, "AUTHORIZATION")) ? 2 : 1;
        if (_text.Is("DISCARD", "ALL") || _text.Is("RESET", "ALL"))
        {
            SetPath(SplitPath(_catalog.SearchPath), local: false);
        }

        if (_text.Is("DISCARD") && !_text.AtAny(1, "PLANS", "SEQUENCES"))
        {
            _model.RemoveTemporary(onlyWithCommit: false);
        }
        else if (_text.At(i, "ROLE") || _text.At(i, "SESSION", "AUTHORIZATION"))
        {
            var value = _text.At(i, "ROLE") ? i + 1 : i + 2;
            var back = _text.Is("RESET") || _text.At(value, "NONE") || _text.At(value, "DEFAULT");
            _model.User = back ? _catalog.User : value < _text.Tokens.Count ? Value(_text.Tokens[value]) : null;
        }
        else if (_text.At(i, "SCHEMA"))
        {
            SetPath(i + 1 < _text.Tokens.Count && Value(_text.Tokens[i + 1]) is { } schema ? [schema] : null, local);
        }
        else if (i < _text.Tokens.Count && _text.Tokens[i].Name == "zero_damaged_pages")
        {
            Unclear("pages that are damaged lose their rows");
        }
        else if (i < _text.Tokens.Count && _text.Tokens[i].Name == "search_path")
        {
            var values = _text.Tokens.Skip(i + 2).Where(token => !token.Is(",")).Select(Value).ToList();
            SetPath(
                _text.Is("RESET") || _text.At(i + 2, "DEFAULT") ? SplitPath(_catalog.SearchPath)
                : values.Contains(null) ? null : [.. values.OfType<string>()],
                local);
        }

        if (_model.User is null && _model.SearchPath?.Contains("$user") == true)
        {
            _model.SearchPath = null;
        }
    }

    private void SetPath(IReadOnlyList<string>? path, bool local)
    {
        // Outside of a transaction SET LOCAL does nothing.
        if (!local || _inTransaction)
        {
            _model.SearchPath = path;
        }

        if (!local)
        {
            _afterCommit = path;
        }
    }

    /// <summary>A name or a plain string; null for anything else.</summary>
    private static string? Value(TextToken token) => token.Kind == SqlTokenKind.StringConstant
        ? token.Text is ['\'', .. var inner, '\''] ? inner.Replace("''", "'", StringComparison.Ordinal) : null
        : token.Name;

    /// <summary>Takes the value of a search_path apart; null where it is not a plain list of names.</summary>
    private static List<string>? SplitPath(string path)
    {
        var text = Encoding.UTF8.GetBytes(path);
        var tokens = StatementText.Read(text, new SqlLexer(text));
        return tokens.TrueForAll(token => token.Name is not null || token.Is(","))
            ? [.. tokens.Select(token => token.Name).OfType<string>()] : null;
    }
}
