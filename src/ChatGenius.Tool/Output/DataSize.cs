using System.Text.RegularExpressions;

namespace ChatGenius.Tool.Output;

/// <summary>Amounts of data as PostgreSQL's <c>pg_size_pretty</c> writes them: powers of 1024.</summary>
internal static partial class DataSize
{
    public const string Expected = "a number with a unit: 500MB, 2GB";

    private static readonly string[] Units = ["kB", "MB", "GB", "TB", "PB"];

    /// <summary>Reads <c>500MB</c>, <c>1.5 GB</c>, <c>0</c>.</summary>
    public static bool TryParse(string text, out long bytes)
    {
        var match = Form().Match(text);
        bytes = match.Success && text != "0"
            ? (long)(double.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture)
                * Math.Pow(1024, Array.IndexOf(Units, match.Groups[2].Value) + 1))
            : 0;
        return text == "0" || match.Success;
    }

    /// <summary>Three digits at most and a unit: <c>512 bytes</c>, <c>7.53 MB</c>, <c>12.5 GB</c>.</summary>
    public static string Format(long bytes)
    {
        if (bytes < 1000)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes");
        }

        var (value, unit) = (bytes / 1024.0, 0);
        for (; value >= 999.5 && unit < Units.Length - 1; unit++)
        {
            value /= 1024;
        }

        var text = value.ToString(value < 9.995 ? "0.00" : value < 99.95 ? "0.0" : "0", CultureInfo.InvariantCulture);
        return $"{text} {Units[unit]}";
    }

    [GeneratedRegex(@"^([0-9]{1,6}(?:\.[0-9]{1,3})?)\s?([kMGT]B)\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
