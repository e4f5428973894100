using System.Globalization;
using System.Text;

namespace ChatGenius.Db.Templates.Scriban;

internal static partial class Builtins
{
    private const string DefaultDateFormat = "%d %b %Y";

    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    private static Library CreateDate()
    {
        var library = new Library("date", DateFunctions());
        library.SetValue("default_format", DefaultDateFormat, readOnly: false);
        library.SetValue("format", DefaultDateFormat, readOnly: false);
        return library;
    }

    private static FunctionList DateFunctions() => new("date")
    {
        { "add_days", "date days", c => Date(c)?.AddDays(c.Number(1)) },
        { "add_hours", "date hours", c => Date(c)?.AddHours(c.Number(1)) },
        { "add_milliseconds", "date millis", c => Date(c)?.AddMilliseconds(c.Number(1)) },
        { "add_minutes", "date minutes", c => Date(c)?.AddMinutes(c.Number(1)) },
        { "add_months", "date months", c => Date(c)?.AddMonths(c.Int(1)) },
        { "add_seconds", "date seconds", c => Date(c)?.AddSeconds(c.Number(1)) },
        { "add_years", "date years", c => Date(c)?.AddYears(c.Int(1)) },
        { "now", "", _ => DateTime.Now },
        { "parse", "text pattern? culture?", ParseDate },
        { "to_string", "datetime pattern culture?", DateToString },
    };

    /// <summary>The members of a date; null for a name that is none.</summary>
    public static object? DatePart(DateTime date, string name) => name switch
    {
        "year" => date.Year,
        "month" => date.Month,
        "day" => date.Day,
        "day_of_year" => date.DayOfYear,
        "hour" => date.Hour,
        "minute" => date.Minute,
        "second" => date.Second,
        "millisecond" => date.Millisecond,
        _ => null,
    };

    /// <summary>With <c>date.format</c>, which a template can set.</summary>
    public static string FormatDate(Evaluator evaluator, DateTime date) => FormatDate(date, CurrentFormat(evaluator), evaluator);

    private static string CurrentFormat(Evaluator evaluator)
    {
        var variable = new VariableExpression(default, "date", IsLocal: false);
        return evaluator.Context.Variables.TryGet(variable, out var library) && library is Library { Name: "date" } date && date["format"] is string format
            ? format
            : DefaultDateFormat;
    }

    private static DateTime? Date(ScriptCall call) => call.Value(0) switch
    {
        null => null,
        DateTime date => date,
        _ => throw call.Error($"A date is expected, not a value of the kind {ScriptValue.Kind(call.Value(0))}"),
    };

    private static string? DateToString(ScriptCall call)
    {
        call.RefuseCulture(2);
        return Date(call) is { } date ? FormatDate(date, call.Text(1) ?? throw call.Error("The pattern is null"), call.Evaluator) : null;
    }

    private static string FormatDate(DateTime date, string pattern, Evaluator evaluator)
    {
        // %g asks for the invariant culture, which is the only one here.
        if (pattern == "%g")
        {
            pattern = "%g " + CurrentFormat(evaluator);
        }

        var result = new StringBuilder();
        for (var i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] != '%' || i + 1 == pattern.Length)
            {
                result.Append(pattern[i]);
                continue;
            }

            var letter = pattern[++i];
            result.Append(letter == 'g' ? "" : FormatDate(date, letter) ?? $"%{letter}");
        }

        return result.ToString();
    }

    private static string? FormatDate(DateTime date, char letter) => letter switch
    {
        'C' => (date.Year / 100).ToString("D2", Invariant),
        'e' => date.Day.ToString(Invariant).PadLeft(2),
        'j' => date.DayOfYear.ToString("D3", Invariant),
        'k' => date.Hour.ToString(Invariant).PadLeft(2),
        'l' => date.ToString("%h", Invariant).PadLeft(2),
        'n' => "\n",
        'P' => date.ToString("tt", Invariant).ToLowerInvariant(),
        's' => ((DateTimeOffset)date).ToUnixTimeSeconds().ToString(Invariant),
        't' => "\t",
        'u' => (date.DayOfWeek == DayOfWeek.Sunday ? 7 : (int)date.DayOfWeek).ToString(Invariant),
        'U' => Week(date, CalendarWeekRule.FirstDay, DayOfWeek.Sunday),
        'v' => date.Day.ToString(Invariant).PadLeft(2) + date.ToString("'-'MMM'-'yyyy", Invariant).ToUpperInvariant(),
        'V' => Week(date, CalendarWeekRule.FirstFourDayWeek, DayOfWeek.Monday),
        'w' => ((int)date.DayOfWeek).ToString(Invariant),
        'W' => Week(date, CalendarWeekRule.FirstDay, DayOfWeek.Monday),
        '%' => "%",
        _ => DotNetFormat(letter) is { } format ? date.ToString(format, Invariant) : null,
    };

    private static string Week(DateTime date, CalendarWeekRule rule, DayOfWeek firstDay) =>
        Invariant.Calendar.GetWeekOfYear(date, rule, firstDay).ToString("D2", Invariant);

    /// <summary>The letters that .NET has a format for, to write and to read; a % keeps a single letter from being a standard format.</summary>
    private static string? DotNetFormat(char letter) => letter switch
    {
        'a' => "ddd",
        'A' => "dddd",
        'b' or 'h' => "MMM",
        'B' => "MMMM",
        'c' => "ddd MMM dd HH:mm:ss yyyy",
        'd' => "dd",
        'D' => "MM/dd/yy",
        'F' => "yyyy-MM-dd",
        'H' => "HH",
        'I' => "hh",
        'L' => "fff",
        'm' => "MM",
        'M' => "mm",
        'N' => "fffffff00",
        'p' => "tt",
        'r' => "hh:mm:ss tt",
        'R' => "HH:mm",
        'S' => "ss",
        'T' => "HH:mm:ss",
        'x' => "d",
        'X' => "T",
        'y' => "yy",
        'Y' => "yyyy",
        'Z' => "zzz",
        _ => null,
    };

    /// <summary>What is no date is an error, where the package would go on with the first day of the year 1.</summary>
    private static object? ParseDate(ScriptCall call)
    {
        call.RefuseCulture(2);
        if (call.Text(0) is not { Length: > 0 } text)
        {
            return null;
        }

        var format = call.Text(1) is { } pattern ? ToDotNet(call, pattern) : null;
        var zone = text.IndexOf('+', StringComparison.Ordinal) is var plus and >= 0 && plus + 1 < text.Length && char.IsAsciiDigit(text[plus + 1]);
        if (zone || text.TrimEnd().EndsWith("Z", StringComparison.OrdinalIgnoreCase))
        {
            var isInstant = format is null
                ? DateTimeOffset.TryParse(text, Invariant, out var instant)
                : DateTimeOffset.TryParseExact(text, format, Invariant, DateTimeStyles.None, out instant);
            return isInstant ? instant.LocalDateTime : throw NotADate(call, text);
        }

        var isDate = format is null
            ? DateTime.TryParse(text, Invariant, DateTimeStyles.AssumeLocal, out var date)
            : DateTime.TryParseExact(text, format, Invariant, DateTimeStyles.AssumeLocal, out date);
        return isDate ? date : throw NotADate(call, text);
    }

    private static string ToDotNet(ScriptCall call, string pattern)
    {
        var result = new StringBuilder();
        for (var i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] != '%' || i + 1 == pattern.Length)
            {
                result.Append(pattern[i]);
                continue;
            }

            var letter = pattern[++i];
            result.Append(letter switch
            {
                'g' => "",
                'e' => "%d",
                'k' => "%H",
                'l' => "%h",
                _ => DotNetFormat(letter) ?? throw call.Error($"A date can't be read by the pattern %{letter}"),
            });
        }

        return result.ToString();
    }

    private static ScriptRuntimeException NotADate(ScriptCall call, string text) => call.Error($"`{text}` is not a date");
}
