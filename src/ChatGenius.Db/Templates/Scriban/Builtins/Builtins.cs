using System.Collections;

namespace ChatGenius.Db.Templates.Scriban;

/// <summary>The functions of the language, as its documentation lists them; each library has a file of its own.</summary>
internal static partial class Builtins
{
    private static readonly ScriptFunction Include = new("include", "template_name", call => call.Evaluator.Include(call), variadic: true);

    /// <summary>A fresh object: <c>date.format</c> can be set.</summary>
    public static ScriptObject Create()
    {
        var builtins = new ScriptObject();
        builtins.SetValue("array", new Library("array", ArrayFunctions()), readOnly: true);
        builtins.SetValue("blank", ScriptValue.Empty, readOnly: true);
        builtins.SetValue("date", CreateDate(), readOnly: true);
        builtins.SetValue("empty", ScriptValue.Empty, readOnly: true);
        builtins.SetValue("include", Include, readOnly: true);
        builtins.SetValue("math", new Library("math", MathFunctions()), readOnly: true);
        builtins.SetValue("object", new Library("object", ObjectFunctions()), readOnly: true);
        builtins.SetValue("string", new Library("string", StringFunctions()), readOnly: true);
        return builtins;
    }
}

/// <summary>The functions of one kind. To ask it for one that is not there is an error: Scriban may have it.</summary>
internal sealed class Library : ScriptObject
{
    public Library(string name, FunctionList functions)
    {
        Name = name;
        foreach (var function in functions)
        {
            SetValue(function.Name[(name.Length + 1)..], function, readOnly: true);
        }
    }

    public string Name { get; }
}

/// <summary>Lets a library be written down as a table: name, parameters, what the function does.</summary>
internal sealed class FunctionList(string library) : IEnumerable<ScriptFunction>
{
    private readonly List<ScriptFunction> _functions = [];

    public void Add(string name, string parameters, Func<ScriptCall, object?> body) =>
        _functions.Add(new ScriptFunction($"{library}.{name}", parameters, body));

    public void AddVariadic(string name, string parameters, Func<ScriptCall, object?> body) =>
        _functions.Add(new ScriptFunction($"{library}.{name}", parameters, body, variadic: true));

    public IEnumerator<ScriptFunction> GetEnumerator() => _functions.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
