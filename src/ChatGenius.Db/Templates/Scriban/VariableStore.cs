using System.Diagnostics.CodeAnalysis;

namespace ChatGenius.Db.Templates.Scriban;

/// <summary>
/// Where variables live. Global ones (<c>name</c>) are members of a stack of objects, the built-in functions at its bottom; local ones
/// (<c>$name</c>) belong to one template file. Each loop adds a layer to both, which only the loop itself writes to: an assignment in
/// a loop to the loop's own variable sets the variable outside, as in Scriban.
/// </summary>
internal sealed class VariableStore
{
    private readonly Stack<Scope> _globals = new();
    private readonly Stack<Scope> _locals = new();

    public VariableStore(ScriptObject builtins)
    {
        _globals.Push(new Scope(builtins));
        _locals.Push(new Scope(new ScriptObject()));
    }

    public ScriptObject CurrentGlobal => _globals.Peek().Members;

    public bool IsInLoop => _globals.Any(g => g.Loops.Count > 0);

    public void PushGlobal(ScriptObject members) => _globals.Push(new Scope(members));

    public ScriptObject PopGlobal() =>
        _globals.Count > 1 ? _globals.Pop().Members : throw new InvalidOperationException("There is no object left to pop");

    public void PushLocals(ScriptArray arguments) => _locals.Push(new Scope(new ScriptObject { [""] = arguments }));

    public void PopLocals() => _locals.Pop();

    public void PushLoop()
    {
        _globals.Peek().Loops.Push(new ScriptObject());
        _locals.Peek().Loops.Push(new ScriptObject());
    }

    public void PopLoop()
    {
        _globals.Peek().Loops.Pop();
        _locals.Peek().Loops.Pop();
    }

    public void SetLoopVariable(VariableExpression variable, object? value) =>
        (variable.IsLocal ? _locals : _globals).Peek().Loops.Peek().SetValue(variable.Name, value, readOnly: false);

    public bool TryGet(VariableExpression variable, [MaybeNullWhen(false)] out object? value)
    {
        foreach (var scope in variable.IsLocal ? _locals.Take(1) : _globals)
        {
            foreach (var loop in scope.Loops)
            {
                if (loop.TryGetValue(variable.Name, out value))
                {
                    return true;
                }
            }

            if (scope.Members.TryGetValue(variable.Name, out value))
            {
                return true;
            }
        }

        value = null;
        return false;
    }

    /// <summary>The object that an assignment to the variable goes to.</summary>
    public ScriptObject Owner(VariableExpression variable) => (variable.IsLocal ? _locals : _globals).Peek().Members;

    private sealed class Scope(ScriptObject members)
    {
        public ScriptObject Members => members;

        public Stack<ScriptObject> Loops { get; } = new();
    }
}
