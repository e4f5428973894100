using System.Text.RegularExpressions;

namespace ChatGenius.Tool.Output;

/// <summary>Spans of time as people write and read them.</summary>
internal static partial class Duration
{
    public const string Expected = "a number with a unit: 500ms, 5s, 2m, 1h";

    /// <summary>The longest that PostgreSQL's timeouts take: 2^31 - 1 milliseconds, a little under 25 days.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(int.MaxValue);

    /// <summary>Reads <c>500ms</c>, <c>1.5s</c>, <c>2m</c> or <c>2min</c>, <c>1h</c>, <c>0</c>; from 1 to 2^31 - 1 milliseconds, or
    /// 0.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        if (text == "0")
        {
            return true;
        }

        var match = Form().Match(text);
        if (!match.Success || !double.TryParse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture, out var number))
        {
            return false;
        }

        var milliseconds = number * match.Groups[2].Value switch { "ms" => 1, "s" => 1000, "h" => 3_600_000, _ => 60_000 };
        if (milliseconds > Longest.TotalMilliseconds || milliseconds is > 0 and < 1)
        {
            // PostgreSQL counts milliseconds; a part of one would become 0, which is no limit at all.
            return false;
        }

        duration = TimeSpan.FromMilliseconds(milliseconds);
        return true;
    }

    /// <summary>Three digits at most and a unit: <c>0.4 ms</c>, <c>12 ms</c>, <c>1.25 s</c>, <c>12.5 s</c>, <c>2 min 05 s</c>, <c>3 h 20
    /// min</c>.</summary>
    public static string Format(TimeSpan duration)
    {
        var seconds = duration.TotalSeconds;
        return seconds switch
        {
            < 0.00995 => Invariant($"{duration.TotalMilliseconds:0.#} ms"),
            < 0.9995 => Invariant($"{duration.TotalMilliseconds:0} ms"),
            < 9.995 => Invariant($"{seconds:0.00} s"),
            < 59.95 => Invariant($"{seconds:0.0} s"),
            < 3599.5 => Minutes((long)Math.Round(seconds)),
            _ => Hours((long)Math.Round(seconds / 60)),
        };

        static string Minutes(long seconds) => Invariant($"{seconds / 60} min {seconds % 60:00} s");
        static string Hours(long minutes) => Invariant($"{minutes / 60} h {minutes % 60:00} min");
    }

    /// <summary>The form that settings and options take.</summary>
    public static string Write(TimeSpan duration)
    {
        var ms = (long)duration.TotalMilliseconds;
        return ms switch
        {
            0 => "0",
            _ when ms % 3_600_000 == 0 => Invariant($"{ms / 3_600_000}h"),
            _ when ms % 60_000 == 0 => Invariant($"{ms / 60_000}m"),
            _ when ms % 1000 == 0 => Invariant($"{ms / 1000}s"),
            _ => Invariant($"{ms}ms"),
        };
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^([0-9]{1,10}(?:\.[0-9]{1,6})?)\s?(ms|s|m|min|h)\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
