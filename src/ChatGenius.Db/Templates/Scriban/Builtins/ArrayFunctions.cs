using System.Text;

namespace ChatGenius.Db.Templates.Scriban;

internal static partial class Builtins
{
    private static FunctionList ArrayFunctions()
    {
        var functions = new FunctionList("array")
        {
            { "add", "list value", c => new ScriptArray(c.List(0) ?? []) { c.Value(1) } },
            { "add_range", "list1 list2", Concat },
            { "compact", "list", c => c.List(0) is { } list ? new ScriptRange(list.Where(item => item is not null)) : null },
            { "concat", "list1 list2", Concat },
            { "contains", "list item", c => (c.List(0) ?? throw c.Error("The list is null")).Any(item => Equals(item, c.Value(1))) },
            { "cycle", "list group?", Cycle },
            { "each", "list function", c => c.List(0) is { } list ? new ScriptRange(list.Select(item => Apply(c, item))) : null },
            { "filter", "list function", c => c.List(0) is { } list ? new ScriptRange(list.Where(item => ScriptValue.ToBool(Apply(c, item)))) : null },
            { "first", "list", c => c.List(0)?.FirstOrDefault() },
            { "insert_at", "list index value", InsertAt },
            { "join", "list delimiter function?", Join },
            { "last", "list", c => c.List(0)?.LastOrDefault() },
            { "limit", "list count", c => c.List(0) is { } list ? new ScriptRange(list.Take(c.Int(1))) : null },
            { "map", "list member", Map },
            { "offset", "list index", c => c.List(0) is { } list ? new ScriptRange(list.Skip(c.Int(1))) : null },
            { "remove_at", "list index", RemoveAt },
            { "reverse", "list", c => new ScriptRange((c.List(0) ?? []).Reverse()) },
            { "size", "list", c => c.List(0)?.Count ?? 0 },
            { "sort", "list member?", Sort },
            { "uniq", "list", c => c.List(0) is { } list ? new ScriptRange(list.Distinct()) : null },
        };
        functions.AddVariadic("any", "list function", c => (c.List(0) ?? []).Any(item => ScriptValue.ToBool(Apply(c, item))));
        return functions;
    }

    /// <summary>Calls the function that is the second argument with an item and the arguments that follow.</summary>
    private static object? Apply(ScriptCall call, object? item) =>
        call.Evaluator.Invoke(call.Function(1), call.Span, new ScriptArray(call.Arguments.Skip(2).Prepend(item)));

    private static ScriptRange? Concat(ScriptCall call) =>
        (call.List(0), call.List(1)) switch
        {
            (null, null) => null,
            var (first, second) => new ScriptRange((first ?? []).Concat(second ?? [])),
        };

    private static object? Cycle(ScriptCall call)
    {
        if (call.List(0) is not { Count: > 0 } list)
        {
            return null;
        }

        var group = call.Text(1) ?? JoinAll(call, list, ",", function: null);
        var index = call.Evaluator.Cycles.GetValueOrDefault(group) % list.Count;
        call.Evaluator.Cycles[group] = index + 1;
        return list[index];
    }

    private static ScriptArray InsertAt(ScriptCall call)
    {
        var array = new ScriptArray(call.List(0) ?? []);
        var index = Math.Max(call.Int(1), 0);
        while (array.Count < index)
        {
            array.Add(null);
        }

        array.Insert(index, call.Value(2));
        return array;
    }

    private static string Join(ScriptCall call) =>
        call.List(0) is { } list ? JoinAll(call, list, call.Text(1), call.Value(2) is null ? null : call.Function(2)) : "";

    private static string JoinAll(ScriptCall call, ScriptArray list, string? delimiter, ScriptFunction? function)
    {
        var result = new StringBuilder();
        for (var i = 0; i < list.Count; i++)
        {
            var item = call.Evaluator.ToText(list[i], call.Span);
            if (function is not null)
            {
                item = call.Evaluator.ToText(call.Evaluator.Invoke(function, call.Span, [item]), call.Span);
            }

            call.Evaluator.Append(result, i == 0 ? "" : delimiter, call.Span);
            call.Evaluator.Append(result, item, call.Span);
        }

        return result.ToString();
    }

    /// <summary>An item without the member is left out.</summary>
    private static ScriptRange Map(ScriptCall call)
    {
        var values = new ScriptArray();
        var list = call.Value(0) is { } value and not ScriptArray ? [value] : call.List(0) ?? [];
        if (call.Text(1) is { } member)
        {
            foreach (var item in list)
            {
                if (Evaluator.TryGetMember(item, member, out var found))
                {
                    values.Add(found);
                }
            }
        }

        return new ScriptRange(values);
    }

    private static ScriptArray RemoveAt(ScriptCall call)
    {
        var array = new ScriptArray(call.List(0) ?? []);
        var index = call.Int(1) < 0 ? array.Count + call.Int(1) : call.Int(1);
        if (index >= 0 && index < array.Count)
        {
            array.RemoveAt(index);
        }

        return array;
    }

    private static ScriptArray Sort(ScriptCall call)
    {
        if (call.Value(0) is { } value and not ScriptArray)
        {
            return [value];
        }

        // Not a stable sort: what is equal ends up where it does in Scriban.
        var list = (call.List(0) ?? []).ToList();
        if (call.Text(1) is { Length: > 0 } member)
        {
            list.Sort((a, b) => CompareItems(MemberOf(a, member), MemberOf(b, member)));
        }
        else
        {
            list.Sort(CompareItems);
        }

        return new ScriptArray(list);
    }

    private static object? MemberOf(object? item, string member) => Evaluator.TryGetMember(item, member, out var value) ? value : null;

    private static int CompareItems(object? left, object? right) =>
        left is string first && right is string second ? string.CompareOrdinal(first, second) : Comparer<object>.Default.Compare(left, right);
}
