using System.Collections;
using System.Globalization;
using System.Numerics;

namespace ChatGenius.Db.Templates.Scriban;

/// <summary>The kinds of values there are, and how one becomes another.</summary>
internal static class ScriptValue
{
    /// <summary>Stands for Scriban's <c>empty</c>, which equals whatever has no elements.</summary>
    public static readonly ScriptObject Empty = new();

    /// <summary>Takes a value from outside: what is left are the kinds that the evaluator knows.</summary>
    /// <exception cref="ArgumentException">The value is of another kind.</exception>
    public static object? From(object? value) => value switch
    {
        null or string or bool or int or long or BigInteger or float or double or decimal or DateTime => value,
        ScriptObject or ScriptArray or ScriptFunction => value,
        char c => c.ToString(),
        byte or sbyte or short or ushort => Convert.ToInt32(value, CultureInfo.InvariantCulture),
        uint u => (long)u,
        ulong u => new BigInteger(u),
        KeyValuePair<string, object?> pair => new ScriptObject { ["key"] = pair.Key, ["value"] = pair.Value },
        IEnumerable sequence => new ScriptArray(sequence),
        _ => throw new ArgumentException($"A template can't handle a value of the type {value.GetType().Name}", nameof(value)),
    };

    public static bool IsNumber(object? value) => value is int or long or BigInteger or float or double or decimal;

    /// <summary>Only null, <c>empty</c> and false are false; 0 and the empty string are true.</summary>
    public static bool ToBool(object? value) => value switch
    {
        null => false,
        bool b => b,
        _ => !ReferenceEquals(value, Empty),
    };

    /// <exception cref="FormatException">The value is not a number.</exception>
    /// <exception cref="OverflowException">The value is out of the range of an int.</exception>
    public static int ToInt(object? value) => value switch
    {
        null => 0,
        int i => i,
        BigInteger big => (int)big,
        string or bool or long or float or double or decimal => Convert.ToInt32(value, CultureInfo.InvariantCulture),
        _ => throw new FormatException($"Unable to convert a value of the kind {Kind(value)} to an integer"),
    };

    /// <exception cref="FormatException">The value is neither a number nor a boolean.</exception>
    public static T ToNumber<T>(object? value)
        where T : INumber<T> => value switch
        {
            null => T.Zero,
            int i => T.CreateChecked(i),
            long l => T.CreateChecked(l),
            BigInteger big => T.CreateChecked(big),
            float f => T.CreateChecked(f),
            double d => T.CreateChecked(d),
            decimal m => T.CreateChecked(m),
            bool b => b ? T.One : T.Zero,
            _ => throw new FormatException($"Unable to convert a value of the kind {Kind(value)} to a number"),
        };

    /// <summary>The smallest of the three integer types that takes the number.</summary>
    public static object FitInteger(BigInteger value) =>
        value >= int.MinValue && value <= int.MaxValue ? (object)(int)value
        : value >= long.MinValue && value <= long.MaxValue ? (object)(long)value
        : value;

    /// <summary>What a <c>for</c> loop or an array function goes through; null if the value is not a sequence.</summary>
    public static ScriptArray? ToArray(object? value) => value switch
    {
        ScriptArray array => array,
        ScriptObject members when !ReferenceEquals(members, Empty) => new ScriptArray(members),
        _ => null,
    };

    /// <summary>The name that <c>object.kind</c> and messages give to a value's type.</summary>
    public static string Kind(object? value) => value switch
    {
        null => "null",
        string => "string",
        bool => "bool",
        int => "int",
        long => "long",
        BigInteger => "bigint",
        float => "float",
        double => "double",
        decimal => "decimal",
        DateTime => "datetime",
        ScriptRange => "range",
        ScriptArray => "array",
        ScriptFunction => "function",
        _ => "object",
    };
}
