using System.Globalization;
using System.Numerics;
using System.Text;

namespace ChatGenius.Db.Templates.Scriban;

/// <summary>What the operators do with each pair of kinds.</summary>
internal static partial class Operators
{
    /// <summary>In bits. A shift or a few squarings would otherwise fill the memory.</summary>
    private const int MaxIntegerBits = 16 * 1024;

    public static object? Unary(UnaryExpression expression, object? value) => expression.Operator switch
    {
        "!" => !ScriptValue.ToBool(value),
        "^" => value,
        "+" when ScriptValue.IsNumber(value) => value,
        "-" => value switch
        {
            int i => unchecked(-i),
            long l => unchecked(-l),
            BigInteger big => -big,
            float f => -f,
            double d => -d,
            decimal m => -m,
            _ => throw NotANumber(expression, value),
        },
        _ => throw NotANumber(expression, value),
    };

    private static ScriptRuntimeException NotANumber(UnaryExpression expression, object? value) =>
        new(expression.Span, $"The operator {expression.Operator} needs a number, not a value of the kind {ScriptValue.Kind(value)}");

    /// <summary>null for null, which has neither elements nor none.</summary>
    public static object? IsEmpty(object? value) => value switch
    {
        null => null,
        string text => text.Length == 0,
        ScriptArray array => array.Count == 0,
        ScriptObject members => members.Count == 0,
        _ => false,
    };

    /// <summary>Every binary operator but <c>&amp;&amp;</c> and <c>||</c>, which may not need their right side.</summary>
    public static object? Binary(Evaluator evaluator, SourceSpan span, string operation, object? left, object? right)
    {
        try
        {
            return (operation, left, right) switch
            {
                ("??", _, _) => left ?? right,
                ("?!", _, _) => left is null ? left : right,
                (_, string, _) or (_, _, string) => Strings(evaluator, span, operation, left, right),
                _ when ReferenceEquals(left, ScriptValue.Empty) || ReferenceEquals(right, ScriptValue.Empty) =>
                    Empties(span, operation, left, right),
                (_, ScriptArray, _) or (_, _, ScriptArray) => Arrays(evaluator, span, operation, left, right),
                (_, null, _) or (_, _, null) => Nulls(operation, left, right),
                _ => Others(span, operation, left, right),
            };
        }
        catch (Exception e) when (e is ArgumentException or ArithmeticException or FormatException or InvalidOperationException)
        {
            throw new ScriptRuntimeException(span, e.Message, e);
        }
    }

    private static object? Strings(Evaluator evaluator, SourceSpan span, string operation, object? left, object? right)
    {
        if (operation == "*")
        {
            return right is string ? Repeat(evaluator, span, right, left) : Repeat(evaluator, span, left, right);
        }

        var first = evaluator.ToText(left, span);
        var second = evaluator.ToText(right, span);
        return operation switch
        {
            "+" => evaluator.CheckLength(first + second, span),
            "==" => first == second,
            "!=" => first != second,
            "<" or "<=" or ">" or ">=" => first is not null
                ? Compare(operation, string.CompareOrdinal(first, second))
                : throw new ScriptRuntimeException(span, $"null can't be compared with a string by {operation}"),
            _ => throw new ScriptRuntimeException(span, $"The operator {operation} is not for strings"),
        };
    }

    private static string Repeat(Evaluator evaluator, SourceSpan span, object? text, object? count)
    {
        var times = ScriptValue.ToInt(count);
        var part = evaluator.ToText(text, span) ?? "";
        evaluator.CheckLength((long)part.Length * Math.Max(times, 0), span);
        return new StringBuilder().Insert(0, part, Math.Max(times, 0)).ToString();
    }

    private static object? Empties(SourceSpan span, string operation, object? left, object? right)
    {
        var isEmpty = ReferenceEquals(left, right) ? true : IsEmpty(ReferenceEquals(left, ScriptValue.Empty) ? right : left);
        return operation switch
        {
            "==" or "<=" or ">=" => isEmpty,
            "!=" => isEmpty is bool b ? !b : isEmpty,
            "<" or ">" => false,
            "+" or "-" or "*" or "/" or "//" or "%" or ".." or "..<" => ScriptValue.Empty,
            _ => throw new ScriptRuntimeException(span, $"The operator {operation} is not for `empty`"),
        };
    }

    private static object? Nulls(string operation, object? left, object? right) => operation switch
    {
        "==" => left is null && right is null,
        "!=" => left is not null || right is not null,
        "<" or "<=" or ">" or ">=" => false,
        _ => null,
    };

    /// <summary>Two numbers meet in the wider of their kinds: decimal, double, float, integer.</summary>
    private static object Others(SourceSpan span, string operation, object? left, object? right)
    {
        if (left is decimal || right is decimal)
        {
            return Fractions(span, operation, ScriptValue.ToNumber<decimal>(left), ScriptValue.ToNumber<decimal>(right), x => (decimal)Math.Pow(2, (double)x));
        }

        if (left is double || right is double)
        {
            return Fractions(span, operation, ScriptValue.ToNumber<double>(left), ScriptValue.ToNumber<double>(right), x => Math.Pow(2, x));
        }

        if (left is float || right is float)
        {
            return Fractions(span, operation, ScriptValue.ToNumber<float>(left), ScriptValue.ToNumber<float>(right), x => MathF.Pow(2, x));
        }

        if (ScriptValue.IsNumber(left) || ScriptValue.IsNumber(right))
        {
            return Integers(span, operation, ScriptValue.ToNumber<BigInteger>(left), ScriptValue.ToNumber<BigInteger>(right));
        }

        return (left, right) switch
        {
            (bool a, _) when operation is "==" or "!=" => a == ScriptValue.ToBool(right) == (operation == "=="),
            (_, bool b) when operation is "==" or "!=" => b == ScriptValue.ToBool(left) == (operation == "=="),
            (DateTime a, DateTime b) when operation is "==" or "!=" or "<" or "<=" or ">" or ">=" => Compare(operation, a.CompareTo(b)),
            _ when operation == "==" => Equals(left, right),
            _ => throw new ScriptRuntimeException(
                span, $"The operator {operation} is not for values of the kinds {ScriptValue.Kind(left)} and {ScriptValue.Kind(right)}"),
        };
    }

    private static object Integers(SourceSpan span, string operation, BigInteger left, BigInteger right) => operation switch
    {
        "+" => Fit(left + right),
        "-" => Fit(left - right),
        "*" => Fit(left * right),
        "/" => (double)left / (double)right,
        "//" => Fit(left / right),
        "%" => Fit(left % right),
        "<<" => Shift(left, right, 1),
        ">>" => Shift(left, right, -1),
        ".." => new ScriptRange(Range(left, right, isInclusive: true)),
        "..<" => new ScriptRange(Range(left, right, isInclusive: false)),
        "==" or "!=" or "<" or "<=" or ">" or ">=" => Compare(operation, left.CompareTo(right)),
        _ => throw new ScriptRuntimeException(span, $"The operator {operation} is not for integers"),
    };

    private static object Shift(BigInteger value, BigInteger by, int direction) =>
        BigInteger.Abs(by) <= MaxIntegerBits
            ? Fit(value << ((int)by * direction))
            : throw new OverflowException($"A number can't be shifted by more than {MaxIntegerBits} bits");

    private static object Fit(BigInteger value) =>
        value.GetBitLength() <= MaxIntegerBits
            ? ScriptValue.FitInteger(value)
            : throw new OverflowException($"A number is longer than {MaxIntegerBits} bits");

    /// <summary>Counts down if the left end is not the smaller one: 3..1 is 3, 2, 1, and 2..2 is 2.</summary>
    private static IEnumerable<object> Range(BigInteger left, BigInteger right, bool isInclusive)
    {
        var step = left < right ? 1 : -1;
        for (var i = left; i != right; i += step)
        {
            yield return ScriptValue.FitInteger(i);
        }

        if (isInclusive)
        {
            yield return ScriptValue.FitInteger(right);
        }
    }

    private static object Fractions<T>(SourceSpan span, string operation, T left, T right, Func<T, T> powerOfTwo)
        where T : IFloatingPoint<T> => operation switch
        {
            "+" => left + right,
            "-" => left - right,
            "*" => left * right,
            "/" => left / right,
            "//" => typeof(T) == typeof(float) ? T.Truncate(left / right) : T.Round(left / right),
            "%" => left % right,
            "<<" => left * powerOfTwo(right),
            ">>" => left / powerOfTwo(right),
            "==" => left == right,
            "!=" => left != right,
            "<" => left < right,
            "<=" => left <= right,
            ">" => left > right,
            ">=" => left >= right,
            _ => throw new ScriptRuntimeException(span, $"The operator {operation} is not for fractions"),
        };

    private static bool Compare(string operation, int comparison) => operation switch
    {
        "==" => comparison == 0,
        "!=" => comparison != 0,
        "<" => comparison < 0,
        "<=" => comparison <= 0,
        ">" => comparison > 0,
        _ => comparison >= 0,
    };
}
