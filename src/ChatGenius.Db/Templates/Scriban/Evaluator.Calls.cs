namespace ChatGenius.Db.Templates.Scriban;

internal sealed partial class Evaluator
{
    private readonly Dictionary<string, Template> _includes = new(StringComparer.Ordinal);

    /// <summary>Values on their way through a pipe; the next function that is called takes the last one.</summary>
    private readonly Stack<object?> _piped = new();

    private object? EvaluatePipe(PipeExpression pipe)
    {
        var value = Evaluate(pipe.From);
        var waiting = _piped.Count;
        _piped.Push(value);
        var result = Evaluate(pipe.To);
        if (_piped.Count > waiting)
        {
            _piped.Pop();
            throw new ScriptRuntimeException(pipe.To.Span, "There is no function behind the pipe");
        }

        return result;
    }

    private object? EvaluateCall(CallExpression call) =>
        EvaluateFunction(call.Target) switch
        {
            ScriptFunction function => Call(function, call.Span, call.Arguments, takesPiped: true),
            null => throw new ScriptRuntimeException(call.Target.Span, $"There is no function `{call.Target}`"),
            _ => throw new ScriptRuntimeException(call.Target.Span, $"`{call.Target}` is not a function"),
        };

    /// <summary>The function that an expression names, without calling it.</summary>
    private object? EvaluateFunction(Expression expression) =>
        expression is PathExpression path ? Resolve(path) : Evaluate(expression);

    private object? Call(ScriptFunction function, SourceSpan span, IReadOnlyList<Expression> arguments, bool takesPiped)
    {
        var values = new ScriptArray();
        if (takesPiped && _piped.Count > 0)
        {
            values.Add(_piped.Pop());
        }

        var named = new HashSet<int>();
        var positional = Guard(span, () => EvaluateArguments(function, arguments, values, named));
        var isComplete = Enumerable.Range(0, function.RequiredCount).All(i => i < positional || named.Contains(i));
        if (!isComplete || (values.Count > function.ParameterCount && !function.IsVariadic))
        {
            throw new ScriptRuntimeException(span, $"`{function.Name}` takes {Range(function)}, not {positional + named.Count}");
        }

        return Invoke(function, span, values);
    }

    private static string Range(ScriptFunction function) =>
        function.IsVariadic ? $"at least {Plural(function.RequiredCount)}"
        : function.RequiredCount == function.ParameterCount ? Plural(function.ParameterCount)
        : $"{function.RequiredCount} to {Plural(function.ParameterCount)}";

    private static string Plural(int count) => count == 1 ? "1 argument" : $"{count} arguments";

    /// <returns>How many arguments were given by their place; <paramref name="named"/> takes the places of the others.</returns>
    private int EvaluateArguments(ScriptFunction function, IReadOnlyList<Expression> arguments, ScriptArray values, HashSet<int> named)
    {
        var positional = arguments.TakeWhile(a => a is not NamedArgument).ToList();
        foreach (var argument in positional)
        {
            var value = Evaluate(argument);
            if (argument is UnaryExpression { Operator: "^" } && value is ScriptArray items)
            {
                AddAll(values, items);
            }
            else
            {
                values.Add(value);
            }
        }

        var count = values.Count;
        foreach (var argument in arguments.Skip(positional.Count))
        {
            if (argument is not NamedArgument { Value: not null } name)
            {
                throw new ScriptRuntimeException(argument.Span, "An argument without a name can't follow one with a name");
            }

            SetNamed(function, name, values, named);
        }

        return count;
    }

    private void SetNamed(ScriptFunction function, NamedArgument argument, ScriptArray values, HashSet<int> named)
    {
        var value = Evaluate(argument.Value!);
        var index = function.IndexOf(argument.Name);
        if (index >= 0)
        {
            while (values.Count <= index)
            {
                values.Add(null);
            }

            values[index] = value;
            named.Add(index);
        }
        else if (function.IsVariadic && argument.Name != "size")
        {
            (values.Members ??= new ScriptObject())[argument.Name] = value;
        }
        else
        {
            throw new ScriptRuntimeException(argument.Span, $"`{function.Name}` has no parameter `{argument.Name}`");
        }
    }

    private static void AddAll(ScriptArray values, ScriptArray items)
    {
        foreach (var item in items)
        {
            values.Add(item);
        }
    }

    /// <summary>Calls a function with values, and makes an error of the template out of what the function can't do.</summary>
    public object? Invoke(ScriptFunction function, SourceSpan span, ScriptArray arguments)
    {
        EnsureDepth(span);
        Step(span);
        if (context.RecursiveLimit > 0 && _depth >= context.RecursiveLimit)
        {
            throw new ScriptRuntimeException(span, $"Calls and includes are nested more than {context.RecursiveLimit} deep");
        }

        _depth++;
        try
        {
            return Guard(span, () => function.Invoke(new ScriptCall(this, span, arguments)));
        }
        finally
        {
            _depth--;
        }
    }

    /// <summary>Renders another template; <c>$0</c> is its name, <c>$1</c> and on are what else was given.</summary>
    public string Include(ScriptCall call)
    {
        var name = call.Text(0);
        if (string.IsNullOrEmpty(name))
        {
            throw call.Error("The name of the template to include is empty");
        }

        var loader = context.TemplateLoader ?? throw call.Error($"The template `{name}` can't be included here: there is nowhere to load it from");
        var path = loader.GetPath(context, call.Span, name) ?? throw call.Error($"There is no template `{name}` to include");
        if (!_includes.TryGetValue(path, out var template))
        {
            var text = loader.Load(context, call.Span, path) ?? throw call.Error($"There is no template `{path}` to include");
            template = Template.Parse(text, path);
            if (template.HasErrors)
            {
                throw new ScriptParserRuntimeException(call.Span, $"The template `{name}` can't be included: it has errors", template.Messages);
            }

            _includes.Add(path, template);
        }

        var isIndented = _indent is not null;
        _atLineStart &= !isIndented;
        context.Variables.PushLocals(call.Arguments);
        try
        {
            return template.Render(context);
        }
        finally
        {
            context.Variables.PopLocals();
            _atLineStart &= !isIndented;
        }
    }

    /// <summary>Numbers out of range and the like are errors of the template, at the place that was evaluated.</summary>
    private static T Guard<T>(SourceSpan span, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is ArgumentException or ArithmeticException or FormatException or InvalidOperationException)
        {
            throw new ScriptRuntimeException(span, e.Message, e);
        }
    }
}
