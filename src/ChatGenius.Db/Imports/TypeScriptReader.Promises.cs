using static ChatGenius.Db.Imports.TypeScriptNode;
using static ChatGenius.Db.Imports.TypeScriptValue;

namespace ChatGenius.Db.Imports;

/// <summary>Follows what waits for what, and refuses what runs side by side.</summary>
internal sealed partial class TypeScriptReader
{
    private object? Await(Operation operation, TypeScriptScope scope)
    {
        var value = Eval(operation.Left, scope);
        if (value is Fragment && operation.Left is not (Template or Call))
        {
            throw Because(new Query("", [], operation), operation, "");
        }

        return value is Fragment { Runs: false } inert ? throw Inert(inert) : Settle(value, operation);
    }

    /// <summary>Waits for a value: what it runs has run then.</summary>
    private object? Settle(object? value, TypeScriptNode at)
    {
        switch (value)
        {
            case Query query:
                Record(query);
                return new Result(query.At.Start, query.At.End);
            case Fragment { Runs: true } fragment:
                // How postgres.js sends a text depends on the column that it is for.
                Record(fragment.Pieces.Any(piece => piece is string)
                    ? throw new TypeScriptRefusal(at.Start, at.End, "how a text is sent here depends on the column's type")
                    : Written(fragment, [], fragment.At));
                return new Result(at.Start, at.End);
            case Promised promised:
                return promised.Value;
            case IReadOnlyList<object?> list when list.Any(one => one is Query or Promised):
                throw Because(new Query("", [], at), at, "");
            default:
                return value;
        }
    }

    private Promised PromiseOf(Call call, string method, TypeScriptScope scope)
    {
        switch (method, call.Arguments)
        {
            case ("resolve", { Count: <= 1 }):
                return new Promised(call.Arguments.Count == 0 ? Undefined : Settle(Eval(call.Arguments[0], scope), call));
            case ("reject", [Call { IsNew: true, Arguments: [var message, ..] }]):
                throw new TypeScriptRefusal(call.Start, call.End, "it throws an error here")
                {
                    Thrown = Try(() => Eval(message, scope)) as string ?? "",
                };
            case ("all", [List list]):
                Together(list.Items.SelectMany(item => Counted(() => Spread(item, scope))), call);
                return new Promised(new Result(call.Start, call.End));
            case ("all", [var argument]):
                var value = Eval(argument, scope);
                var many = value as IReadOnlyList<object?> ?? throw Because(value, argument, "this value is not known");
                Together(many.Select(one => (one, 0)), call);
                return new Promised(new Result(call.Start, call.End));
            default:
                throw Because(call, scope, $"Promise.{method} is not read");
        }
    }

    /// <summary>Values, each with how much ran while it was made.</summary>
    private IEnumerable<(object? Value, int Ran)> Counted(Func<IReadOnlyList<object?>> values)
    {
        var before = _calls.Count;
        var made = values();
        return made.Select((value, i) => (value, i == 0 ? _calls.Count - before : 0));
    }

    /// <summary>What starts together runs in the order of the list only where each is one call.</summary>
    private void Together(IEnumerable<(object? Value, int Ran)> values, TypeScriptNode at)
    {
        var (calls, functions) = (0, 0);
        foreach (var (value, ran) in values)
        {
            calls += value is Query or Fragment { Runs: true } ? 1 : 0;
            functions += ran > 0 ? 1 : 0;
            if (ran > 1 || (calls > 0 && functions > 0))
            {
                throw new TypeScriptRefusal(at.Start, at.End, "several calls run at the same time here, so their order is not known");
            }

            _ = value is Fragment { Runs: false } inert ? throw Inert(inert) : Settle(value, at);
        }
    }

    private Promised Then(Call call, object? target, string method, TypeScriptScope scope)
    {
        var value = Settle(target, call);
        if (call.Arguments is not [var argument] || Eval(argument, scope) is not (Closure or Handle { From: Origin.Second }) and not null)
        {
            throw Because(call, scope, $"{method} in this form is not read");
        }

        var handler = Eval(argument, scope);
        if (method == "catch")
        {
            return handler is Handle || (handler is Closure { Function.Body: Block block } closure && PassesOn(block, closure.Scope))
                ? new Promised(value) : throw new TypeScriptRefusal(call.Start, call.End, "an error would be swallowed here");
        }

        return handler is Closure then
            ? new Promised(Settle(Invoke(then, method == "then" ? [value] : [], call), call)) : new Promised(Undefined);
    }
}
