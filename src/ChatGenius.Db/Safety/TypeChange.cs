using System.Globalization;

namespace ChatGenius.Db.Safety;

/// <summary>Compares types as <c>format_type</c> writes them.</summary>
internal static class TypeChange
{
    private static readonly string[][] Ladders =
    [
        ["smallint", "integer", "bigint", "numeric"],
        ["real", "double precision"],
        ["date", "timestamp without time zone"],
        ["date", "timestamp with time zone"],
        ["time without time zone", "timestamp without time zone"],
    ];

    /// <summary>Whether a value of the old type can be cut or refused by the new one. Unknown pairs are not called lossy.</summary>
    internal static bool IsLossy(string before, string after)
    {
        var (oldName, oldNumbers) = Split(before);
        var (newName, newNumbers) = Split(after);
        if (IsText(oldName) && IsText(newName))
        {
            return newNumbers.Length > 0 && (oldNumbers.Length == 0 || newNumbers[0] < oldNumbers[0]);
        }

        if (oldName == newName)
        {
            return oldName == "numeric" ? NumericIsNarrower(oldNumbers, newNumbers) : newNumbers.Length > 0
                && newNumbers[0] < (oldNumbers.Length > 0 ? oldNumbers[0] : int.MaxValue);
        }

        if (oldName is "real" or "double precision" or "numeric" && newName is "smallint" or "integer" or "bigint")
        {
            return true;
        }

        return (oldName is "numeric" && newName is "real" or "double precision")
            || (oldName is "bytea" or "json" or "jsonb" && IsText(newName) && newNumbers.Length > 0)
            || Array.Exists(Ladders, ladder => Array.IndexOf(ladder, newName) is >= 0 and var to && Array.IndexOf(ladder, oldName) > to);
    }

    private static bool IsText(string name) => name is "text" or "character varying" or "character";

    private static bool NumericIsNarrower(int[] before, int[] after)
    {
        if (after.Length == 0)
        {
            return false;
        }

        if (before.Length == 0)
        {
            return true;
        }

        var (oldScale, newScale) = (before.Length > 1 ? before[1] : 0, after.Length > 1 ? after[1] : 0);
        return newScale < oldScale || after[0] - newScale < before[0] - oldScale;
    }

    /// <summary><c>numeric(10,2)</c> is <c>numeric</c> with 10 and 2; <c>timestamp(3) with time zone</c> keeps its words.</summary>
    private static (string Name, int[] Numbers) Split(string type)
    {
        var open = type.IndexOf('(', StringComparison.Ordinal);
        var close = type.IndexOf(')', StringComparison.Ordinal);
        return open < 0 || close < open
            ? (type, [])
            : (type[..open] + type[(close + 1)..],
                [.. type[(open + 1)..close].Split(',')
                .Select(n => int.TryParse(n, CultureInfo.InvariantCulture, out var value) ? value : int.MaxValue)]);
    }
}
