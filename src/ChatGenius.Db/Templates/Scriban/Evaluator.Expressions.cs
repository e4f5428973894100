using System.Text;

namespace ChatGenius.Db.Templates.Scriban;

internal sealed partial class Evaluator
{
    public object? Evaluate(Expression expression)
    {
        EnsureDepth(expression.Span);
        switch (expression)
        {
            case LiteralExpression literal:
                return literal.Value;
            case PathExpression path:
                var value = Resolve(path);
                return value is ScriptFunction function ? Call(function, path.Span, [], takesPiped: true) : value;
            case CallExpression call:
                return EvaluateCall(call);
            case PipeExpression pipe:
                return EvaluatePipe(pipe);
            case UnaryExpression { Operator: "@" } unary:
                return EvaluateFunction(unary.Operand);
            case UnaryExpression unary:
                return Operators.Unary(unary, Evaluate(unary.Operand));
            case BinaryExpression binary:
                return EvaluateBinary(binary);
            case ConditionalExpression conditional:
                return Evaluate(ScriptValue.ToBool(Evaluate(conditional.Condition)) ? conditional.Then : conditional.Else);
            case IsEmptyExpression isEmpty:
                return Operators.IsEmpty(Evaluate(isEmpty.Target));
            case ArrayInitializer array:
                return Guard(array.Span, () => new ScriptArray(array.Items.Select(Evaluate)));
            case ObjectInitializer initializer:
                var members = new ScriptObject();
                foreach (var (name, member) in initializer.Members)
                {
                    members[name] = Evaluate(member);
                }

                return members;
            case InterpolatedString interpolated:
                var text = new StringBuilder();
                foreach (var part in interpolated.Parts)
                {
                    Append(text, ToText(Evaluate(part), part.Span), interpolated.Span);
                }

                return text.ToString();
            default:
                throw new ScriptRuntimeException(expression.Span, "This expression can't stand here");
        }
    }

    private object? EvaluateBinary(BinaryExpression binary)
    {
        var left = Evaluate(binary.Left);
        return binary.Operator switch
        {
            "&&" => ScriptValue.ToBool(left) && ScriptValue.ToBool(Evaluate(binary.Right)),
            "||" => ScriptValue.ToBool(left) || ScriptValue.ToBool(Evaluate(binary.Right)),
            _ => Operators.Binary(this, binary.OperatorSpan, binary.Operator, left, Evaluate(binary.Right)),
        };
    }

    /// <summary>What a path names; a function is not called.</summary>
    private object? Resolve(PathExpression path)
    {
        switch (path)
        {
            case ThisExpression:
                return context.Variables.CurrentGlobal;
            case ParenthesizedExpression parenthesized:
                return Evaluate(parenthesized.Inner);
            case VariableExpression variable:
                return context.Variables.TryGet(variable, out var value) || !context.StrictVariables
                    ? value
                    : throw new ScriptRuntimeException(variable.Span, $"There is no variable `{variable}`");
            case MemberExpression member:
                var isRelaxed = member.IsOptional || context.EnableRelaxedTargetAccess;
                return EvaluateTarget(member.Target, $".{member.Name}", isRelaxed) is { } target ? GetMember(target, member.Name, member.Span) : null;
            case IndexExpression index:
                return EvaluateTarget(index.Target, "[…]", context.EnableRelaxedTargetAccess) is { } indexed ? GetElement(indexed, index) : null;
            default:
                throw new InvalidOperationException($"Unknown path {path.GetType().Name}");
        }
    }

    private object? EvaluateTarget(Expression target, string access, bool isRelaxed)
    {
        EnsureDepth(target.Span);
        var value = target is PathExpression path ? Resolve(path) : Evaluate(target);
        if (value is ScriptFunction function)
        {
            value = Call(function, target.Span, [], takesPiped: false);
        }

        if (value is null && !isRelaxed)
        {
            throw new ScriptRuntimeException(target.Span, target is VariableExpression { IsLocal: false, Name: "regex" or "html" or "timespan" }
                ? $"The functions of `{target}` are not supported"
                : $"`{target}` is null, so there is no `{target}{access}`");
        }

        return value;
    }

    /// <summary>A member's value; one that is not there is null unless the context is strict.</summary>
    public object? GetMember(object target, string name, SourceSpan span)
    {
        if (TryGetMember(target, name, out var value))
        {
            return value;
        }

        if (target is Library library)
        {
            throw new ScriptRuntimeException(span, $"The function `{library.Name}.{name}` is not supported");
        }

        return context.EnableRelaxedMemberAccess ? null : throw new ScriptRuntimeException(span, $"There is no member `{name}`");
    }

    public static bool TryGetMember(object? target, string name, out object? value)
    {
        value = null;
        switch (target)
        {
            case ScriptObject members:
                return members.TryGetValue(name, out value);
            case ScriptArray array when name == "size":
                value = array.Count;
                return true;
            case ScriptArray { Members: { } members }:
                return members.TryGetValue(name, out value);
            case string text when name == "size":
                value = text.Length;
                return true;
            case DateTime date:
                value = Builtins.DatePart(date, name);
                return value is not null;
            default:
                return false;
        }
    }

    private object? GetElement(object target, IndexExpression expression)
    {
        var index = EvaluateIndex(expression);
        if (target is not (ScriptArray or string) || (index is string && target is ScriptArray))
        {
            return GetMember(target, ToText(index, expression.Index.Span) ?? "", expression.Span);
        }

        var position = Guard(expression.Index.Span, () => ScriptValue.ToInt(index));
        var count = target is ScriptArray counted ? counted.Count : ((string)target).Length;
        position = position < 0 ? count + position : position;
        return position < 0 || position >= count ? null
            : target is ScriptArray array ? array[position]
            : ((string)target)[position].ToString();
    }

    private object EvaluateIndex(IndexExpression expression) =>
        Evaluate(expression.Index) ?? throw new ScriptRuntimeException(expression.Index.Span, "The index is null");

    private void Assign(AssignExpression assignment)
    {
        if (assignment.Operator == "??" && Evaluate(assignment.Target) is not null)
        {
            return;
        }

        var value = Evaluate(assignment.Value);
        Set(assignment.Target, assignment.Operator is { } operation ? Operators.Binary(this, assignment.Span, operation, Evaluate(assignment.Target), value) : value);
    }

    private void Set(PathExpression path, object? value)
    {
        switch (path)
        {
            case VariableExpression variable:
                SetMember(context.Variables.Owner(variable), variable.Name, value, variable.Span);
                break;
            case MemberExpression member:
                SetMember(EvaluateTarget(member.Target, $".{member.Name}", isRelaxed: false), member.Name, value, member.Span);
                break;
            case IndexExpression element:
                var target = EvaluateTarget(element.Target, "[…]", isRelaxed: false);
                var index = EvaluateIndex(element);
                if (target is ScriptArray array && index is not string)
                {
                    Guard<object?>(element.Span, () => SetElement(array, ScriptValue.ToInt(index), value));
                }
                else
                {
                    SetMember(target, ToText(index, element.Span) ?? "", value, element.Span);
                }

                break;
            default:
                throw new ScriptRuntimeException(path.Span, "This can't be assigned to");
        }
    }

    private static void SetMember(object? target, string name, object? value, SourceSpan span)
    {
        var members = target switch
        {
            ScriptObject o => o,
            ScriptArray array when name != "size" => array.Members ??= new ScriptObject(),
            _ => throw new ScriptRuntimeException(span, $"The member `{name}` of a value of the kind {ScriptValue.Kind(target)} can't be set"),
        };
        members[name] = members.CanWrite(name) ? value : throw new ScriptRuntimeException(span, $"`{name}` is read-only");
    }

    /// <summary>An array grows with nulls up to the element that is set.</summary>
    private static object? SetElement(ScriptArray array, int index, object? value)
    {
        index = index < 0 ? array.Count + index : index;
        while (index >= array.Count)
        {
            array.Add(null);
        }

        if (index >= 0)
        {
            array[index] = value;
        }

        return null;
    }
}
