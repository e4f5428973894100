namespace ChatGenius.Db.Templates.Scriban;

/// <summary>A built-in function.</summary>
/// <param name="name">As it is called, for example <c>string.upcase</c>.</param>
/// <param name="parameters">Their names with spaces between; one that may be left out ends with <c>?</c>.</param>
/// <param name="body">What the function does.</param>
/// <param name="variadic">Whether more arguments may follow the named ones.</param>
internal sealed class ScriptFunction(string name, string parameters, Func<ScriptCall, object?> body, bool variadic = false)
{
    private readonly string[] _parameters = parameters.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    public string Name => name;

    public int ParameterCount => _parameters.Length;

    public bool IsVariadic => variadic;

    public int RequiredCount => _parameters.Count(p => !p.EndsWith('?'));

    public int IndexOf(string parameter) => Array.FindIndex(_parameters, p => p.TrimEnd('?') == parameter);

    public object? Invoke(ScriptCall call) => ScriptValue.From(body(call));
}

/// <summary>One call of a built-in function: its arguments, converted on demand. An argument that was left out is null.</summary>
internal readonly struct ScriptCall(Evaluator evaluator, SourceSpan span, ScriptArray arguments)
{
    public Evaluator Evaluator => evaluator;

    public SourceSpan Span => span;

    public ScriptArray Arguments => arguments;

    public object? Value(int index) => index < arguments.Count ? arguments[index] : null;

    public string? Text(int index) => evaluator.ToText(Value(index), span);

    public int Int(int index) => ScriptValue.ToInt(Value(index));

    public int? OptionalInt(int index) => Value(index) is null ? null : Int(index);

    public double Number(int index) => ScriptValue.ToNumber<double>(Value(index));

    /// <summary>A sequence, or null.</summary>
    public ScriptArray? List(int index)
    {
        if (Value(index) is not { } value)
        {
            return null;
        }

        var list = ScriptValue.ToArray(value) ?? throw Error($"An array is expected, not a value of the kind {ScriptValue.Kind(value)}");
        evaluator.Step(span, list.Count);
        return list;
    }

    /// <summary>A function that was passed with <c>@</c>.</summary>
    public ScriptFunction Function(int index) =>
        Value(index) as ScriptFunction
        ?? throw Error("A function is expected here; write @ before its name to pass it without calling it");

    /// <summary>Only the invariant culture is there: a migration must not depend on who writes it.</summary>
    public void RefuseCulture(int index)
    {
        if (Text(index) is { Length: > 0 } culture)
        {
            throw Error($"The culture `{culture}` is not supported; numbers and dates are written in the invariant culture");
        }
    }

    public ScriptRuntimeException Error(string message) => new(span, message);
}
