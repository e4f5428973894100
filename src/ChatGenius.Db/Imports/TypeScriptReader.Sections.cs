using static ChatGenius.Db.Imports.TypeScriptNode;
using static ChatGenius.Db.Imports.TypeScriptValue;

namespace ChatGenius.Db.Imports;

/// <summary>Finds up and down, and what each of them sends.</summary>
internal sealed partial class TypeScriptReader
{
    private TypeScriptMigration Migration()
    {
        var found = _exports.ContainsKey("up") || _exports.ContainsKey("migrate") ? _exports : Whole();
        var names = found.ContainsKey("up") ? (Up: "up", Down: "down") : (Up: "migrate", Down: "rollback");
        if (!found.ContainsKey(names.Up))
        {
            // A runner may call the one function of a file by the name that it has there.
            var functions = _exports.Where(one => one.Value is Closure && one.Key is not ("down" or "rollback")).ToList();
            if (functions is not [var only])
            {
                return !_exports.Values.Any(value => value is TypeScriptValue and not Nothing) ? new TypeScriptMigration(null, null)
                    : throw new TypeScriptRefusal(0, 0, "it exports no up, and which of what it exports is run is not known");
            }

            (found, names) = (_exports, (only.Key, ""));
        }

        var up = Section(found[names.Up], mayThrow: false);
        var down = Section(found.GetValueOrDefault(names.Down, Undefined), mayThrow: true);
        var alone = IsFalse(found.GetValueOrDefault("transaction")) || IsFalse(found.GetValueOrDefault("isTransactional"))
            || (_exports.GetValueOrDefault("config") is IReadOnlyDictionary<string, object?> config
                && IsFalse(config.GetValueOrDefault("transaction")));
        return new TypeScriptMigration(up with { InTransaction = up.InTransaction && !alone },
            down with { InTransaction = down.InTransaction && !alone });

        bool IsFalse(object? value) => value is false
            || (value is Closure { Function.Body: Block { Statements: [Exit { Value: Literal { Value: false } }] } });
    }

    /// <summary>The object or class that the file exports as a whole.</summary>
    private Dictionary<string, object?> Whole()
    {
        var classes = _exports.Values.OfType<Instance>().DistinctBy(one => one.Class)
            .Where(one => one.Class.Members.ContainsKey("up")).ToList();
        if (classes is [var only])
        {
            return only.Class.Members.Keys.ToDictionary(name => name, name => Try(() => MemberOf(only, name, only.Class)));
        }

        return _exports.GetValueOrDefault("default") is IReadOnlyDictionary<string, object?> whole ? new(whole) : [];
    }

    /// <summary>A value, or why it is not known.</summary>
    private static object? Try(Func<object?> value)
    {
        try
        {
            return value();
        }
        catch (TypeScriptRefusal e) when (!e.Always)
        {
            return new Unknown(e.Start, e.End, e.Message);
        }
    }

    private TypeScriptSection Section(object? value, bool mayThrow)
    {
        (_calls, _steps, _body, _loading, _committed, _noTransaction, _queued) = ([], [], null, false, false, false, null);
        _notAwaited = null;
        try
        {
            switch (value)
            {
                case string text:
                    _calls.Add(TypeScriptSql.Of(text, [], 0, new Literal(0, 0, text)));
                    break;
                case Closure function:
                    _body = function.Function.Body;
                    var second = new Handle(Origin.Second, "", "");
                    Settle(Invoke(function, [new Handle(Origin.Database, "", "", IsWhole: true), second, second], function.Function),
                        function.Function);
                    break;
                case null or false:
                    return new TypeScriptSection("", "");
                case Nothing:
                    return new TypeScriptSection("", "");
                default:
                    throw Because(value, new Identifier(0, 0, ""), "this is no function");
            }

            return new TypeScriptSection(
                TypeScriptSql.Section(_calls), _calls.Count > 0 || _body is null ? null : "the down in the file is empty")
            {
                InTransaction = !_noTransaction && !TypeScriptSql.NeedsNoTransaction(_calls),
                NotAwaited = _notAwaited?.Start,
            };
        }
        catch (TypeScriptRefusal e) when (mayThrow && e.Thrown is not null && _calls.Count == 0)
        {
            return new TypeScriptSection("", e.Thrown);
        }
        catch (TypeScriptRefusal e)
        {
            return new TypeScriptSection(Draft(e, out var first, out var end), null) { Refusal = e, StopsAt = (first, end) };
        }
    }

    /// <summary>What runs before the statement that can't be read.</summary>
    private string Draft(TypeScriptRefusal refusal, out int start, out int end)
    {
        var stop = _steps.FindLastIndex(step => step.Statement.Start <= refusal.Start && refusal.Start < step.Statement.End);
        stop = stop < 0 ? _steps.Count - 1 : stop;
        (start, end) = stop < 0 ? (_body?.Start ?? refusal.Start, _body?.End ?? refusal.End)
            : (_steps[stop].Statement.Start, ((Block)_body!).Statements[^1].End);
        return TypeScriptSql.Section(stop < 0 ? [] : _calls[.._steps[stop].Calls], isDraft: true);
    }
}
