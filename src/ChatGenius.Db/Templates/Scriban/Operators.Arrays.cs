namespace ChatGenius.Db.Templates.Scriban;

internal static partial class Operators
{
    private static object Arrays(Evaluator evaluator, SourceSpan span, string operation, object? left, object? right)
    {
        var first = left as ScriptArray;
        var second = right as ScriptArray;
        evaluator.Step(span, (first?.Count ?? 0) + (second?.Count ?? 0));
        switch (operation)
        {
            case "+" when first is not null && second is not null:
                return new ScriptRange(first.Concat(second));
            case "==" or "!=" or "<" or "<=" or ">" or ">=" when first is not null && second is not null:
                return CompareArrays(evaluator, span, operation, first, second);
            case "*" when first is null || second is null:
                var times = Count(span, first is null ? left : right);
                return new ScriptArray(Enumerable.Repeat(first ?? second!, times).SelectMany(items => items));
            case "/" or "//" when first is not null && second is null:
                return new ScriptArray(first.Take(first.Count / Divisor(span, right)));
            case "%" when first is not null && second is null:
                var divisor = Divisor(span, right);
                return new ScriptArray(first.Where((_, index) => index % divisor == 0));
            case "<<" when first is not null:
                return new ScriptArray(first) { right };
            case ">>" when second is not null:
                return new ScriptArray(second.Prepend(left));
            default:
                throw new ScriptRuntimeException(
                    span, $"The operator {operation} is not for values of the kinds {ScriptValue.Kind(left)} and {ScriptValue.Kind(right)}");
        }
    }

    private static int Count(SourceSpan span, object? value)
    {
        var count = ScriptValue.ToInt(value);
        return count >= 0 ? count : throw new ScriptRuntimeException(span, $"{count} is negative");
    }

    private static int Divisor(SourceSpan span, object? value)
    {
        var divisor = Count(span, value);
        return divisor > 0 ? divisor : throw new ScriptRuntimeException(span, "An array can't be divided by 0");
    }

    /// <summary>The shorter array is the smaller one; of two of one length every pair of elements has to fit.</summary>
    private static bool CompareArrays(Evaluator evaluator, SourceSpan span, string operation, ScriptArray left, ScriptArray right)
    {
        Evaluator.EnsureDepth(span);
        var comparison = left.Count.CompareTo(right.Count);
        if (comparison != 0 || left.Count == 0)
        {
            return Compare(operation, comparison);
        }

        for (var i = 0; i < left.Count; i++)
        {
            evaluator.Step(span);
            if (Binary(evaluator, span, operation, left[i], right[i]) is not true)
            {
                return false;
            }
        }

        return true;
    }
}
