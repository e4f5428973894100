using System.Globalization;
using System.Numerics;

namespace ChatGenius.Db.Templates.Scriban;

internal static partial class Builtins
{
    private static FunctionList MathFunctions() => new("math")
    {
        { "abs", "value", Abs },
        { "ceil", "value", c => Math.Ceiling(c.Number(0)) },
        { "divided_by", "value divisor", DividedBy },
        { "floor", "value", c => Math.Floor(c.Number(0)) },
        { "format", "value format culture?", c => c.Value(0) is null or int or long or BigInteger or float or double or decimal ? Format(c) : throw NotANumber(c) },
        { "is_number", "value", c => ScriptValue.IsNumber(c.Value(0)) },
        { "minus", "value with", c => Calculate(c, "-") },
        { "modulo", "value with", c => Calculate(c, "%") },
        { "plus", "value with", c => Calculate(c, "+") },
        { "random", "minValue maxValue", c => Random.Shared.Next(c.Int(0), c.Int(1)) },
        { "round", "value precision?", c => Math.Round(c.Number(0), c.Int(1)) },
        { "times", "value with", c => Calculate(c, "*") },
        { "uuid", "", _ => Guid.NewGuid().ToString() },
    };

    private static object? Calculate(ScriptCall call, string operation) =>
        Operators.Binary(call.Evaluator, call.Span, operation, call.Value(0), call.Value(1));

    private static object? Abs(ScriptCall call) => call.Value(0) switch
    {
        null => null,
        int i => Math.Abs(i),
        long l => Math.Abs(l),
        BigInteger big => BigInteger.Abs(big),
        float f => Math.Abs(f),
        double d => Math.Abs(d),
        decimal m => Math.Abs(m),
        _ => throw NotANumber(call),
    };

    /// <summary>By an integer, the result is rounded down to one.</summary>
    private static object? DividedBy(ScriptCall call)
    {
        var result = Operators.Binary(call.Evaluator, call.Span, "/", call.Number(0), call.Value(1));
        return call.Value(1) is int && result is double value ? checked((int)Math.Floor(value)) : result;
    }

    /// <summary>Numbers and dates, with the format strings of .NET.</summary>
    private static string Format(ScriptCall call)
    {
        call.RefuseCulture(2);
        var format = call.Text(1) ?? "";

        // N999999999 is a gigabyte of zeros.
        if (format.Count(char.IsAsciiDigit) > 4)
        {
            throw call.Error($"The format `{format}` is too wide");
        }

        return call.Value(0) switch
        {
            null => "",
            IFormattable value => value.ToString(format, CultureInfo.InvariantCulture),
            _ => throw call.Error($"A value of the kind {ScriptValue.Kind(call.Value(0))} has no formats"),
        };
    }

    private static ScriptRuntimeException NotANumber(ScriptCall call) =>
        call.Error($"A number is expected, not a value of the kind {ScriptValue.Kind(call.Value(0))}");
}
