using System.Numerics;

namespace ChatGenius.Db.Templates.Scriban;

internal static partial class Builtins
{
    private static FunctionList ObjectFunctions() => new("object")
    {
        { "default", "value default", c => c.Value(0) is null or "" ? c.Value(1) : c.Value(0) },
        { "format", "value format culture?", Format },
        { "has_key", "value key", c => Members(c) is { } members && c.Text(1) is { } key && members.ContainsKey(key) },
        { "has_value", "value key", c => Members(c) is { } members && c.Text(1) is { } key && members[key] is not null },
        { "keys", "value", c => new ScriptArray(Members(c)?.Keys ?? []) },
        { "kind", "value", c => c.Value(0) is null ? null : ScriptValue.Kind(c.Value(0)) },
        { "size", "value", c => Size(c.Value(0)) },
        { "typeof", "value", c => TypeOf(c.Value(0)) },
        { "values", "value", c => new ScriptArray((Members(c) ?? new ScriptObject()).Select(member => member.Value)) },
    };

    private static ScriptObject? Members(ScriptCall call) => call.Value(0) switch
    {
        null => null,
        ScriptObject members => members,
        _ => throw call.Error($"An object is expected, not a value of the kind {ScriptValue.Kind(call.Value(0))}"),
    };

    private static int Size(object? value) => value switch
    {
        string text => text.Length,
        ScriptArray array => array.Count,
        ScriptObject members => members.Count,
        _ => 0,
    };

    private static string? TypeOf(object? value) => value switch
    {
        null => null,
        string => "string",
        bool => "boolean",
        int or long or BigInteger or float or double or decimal => "number",
        ScriptRange => "iterator",
        ScriptArray => "array",
        _ => "object",
    };
}
