using System.Globalization;
using System.Text;

namespace ChatGenius.Db.Templates.Scriban;

internal static partial class Builtins
{
    private static FunctionList StringFunctions() => new("string")
    {
        { "append", "text with", c => c.Evaluator.CheckLength(c.Text(0) + c.Text(1), c.Span) },
        { "base64_decode", "text", c => Encoding.UTF8.GetString(Convert.FromBase64String(c.Text(0) ?? "")) },
        { "base64_encode", "text", c => Convert.ToBase64String(Encoding.UTF8.GetBytes(c.Text(0) ?? "")) },
        { "capitalize", "text", c => Capitalize(c.Text(0) ?? "") },
        { "capitalizewords", "text", c => CapitalizeWords(c.Text(0) ?? "") },
        { "contains", "text value", c => Both(c, (text, value) => text.Contains(value, StringComparison.Ordinal)) },
        { "downcase", "text", c => c.Text(0)?.ToLowerInvariant() },
        { "empty", "text", c => string.IsNullOrEmpty(c.Text(0)) },
        { "ends_with", "text value", c => Both(c, (text, value) => text.EndsWith(value, StringComparison.Ordinal)) },
        { "equals_ignore_case", "text value", c => string.Equals(c.Text(0), c.Text(1), StringComparison.OrdinalIgnoreCase) },
        { "escape", "text", c => c.Text(0) is { } text ? Escape(text) : null },
        { "handleize", "text", c => Handleize(c.Text(0) ?? "") },
        { "hmac_sha1", "text secretKey", c => Hmac(c, System.Security.Cryptography.HMACSHA1.HashData) },
        { "hmac_sha256", "text secretKey", c => Hmac(c, System.Security.Cryptography.HMACSHA256.HashData) },
        { "hmac_sha512", "text secretKey", c => Hmac(c, System.Security.Cryptography.HMACSHA512.HashData) },
        { "index_of", "text search startIndex? count? stringComparison?", IndexOf },
        { "literal", "text", c => c.Text(0) is { } text ? $"\"{Escape(text)}\"" : null },
        { "lstrip", "text", c => c.Text(0)?.TrimStart() },
        { "md5", "text", c => Hash(c, System.Security.Cryptography.MD5.HashData) },
        { "pad_left", "text width", c => (c.Text(0) ?? "").PadLeft(Width(c)) },
        { "pad_right", "text width", c => (c.Text(0) ?? "").PadRight(Width(c)) },
        { "pluralize", "number singular plural", c => c.Text(c.Int(0) == 1 ? 1 : 2) },
        { "prepend", "text by", c => c.Evaluator.CheckLength(c.Text(1) + c.Text(0), c.Span) },
        { "remove", "text remove", c => c.Text(0) is { } text && c.Text(1) is { Length: > 0 } old ? Replace(c, text, old, "") : c.Text(0) },
        { "remove_first", "text remove", c => ReplaceFirst(c.Text(0), c.Text(1), "", fromEnd: false) },
        { "remove_last", "text remove", c => ReplaceFirst(c.Text(0), c.Text(1), "", fromEnd: true) },
        { "replace", "text match replace", c => c.Text(0) is { Length: > 0 } text ? Replace(c, text, c.Text(1) ?? "", c.Text(2) ?? "") : "" },
        { "replace_first", "text match replace fromEnd?", c => ReplaceFirst(c.Text(0), c.Text(1), c.Text(2), ScriptValue.ToBool(c.Value(3))) },
        { "rstrip", "text", c => c.Text(0)?.TrimEnd() },
        { "sha1", "text", c => Hash(c, System.Security.Cryptography.SHA1.HashData) },
        { "sha256", "text", c => Hash(c, System.Security.Cryptography.SHA256.HashData) },
        { "sha512", "text", c => Hash(c, System.Security.Cryptography.SHA512.HashData) },
        { "size", "text", c => c.Text(0)?.Length ?? 0 },
        { "slice", "text start length?", c => Slice(c.Text(0) ?? "", c.Int(1), c.OptionalInt(2)) },
        { "slice1", "text start length?", c => Slice(c.Text(0) ?? "", c.Int(1), c.OptionalInt(2) ?? 1) },
        { "split", "text match", c => new ScriptRange((c.Text(0) ?? "").Split(c.Text(1), StringSplitOptions.RemoveEmptyEntries)) },
        { "starts_with", "text value", c => Both(c, (text, value) => text.StartsWith(value, StringComparison.Ordinal)) },
        { "strip", "text", c => c.Text(0)?.Trim() },
        { "strip_newlines", "text", c => (c.Text(0) ?? "").Replace("\r", "", StringComparison.Ordinal).Replace("\n", "", StringComparison.Ordinal) },
        { "to_double", "text", c => double.TryParse(c.Text(0), FloatStyle, CultureInfo.InvariantCulture, out var value) ? value : null },
        { "to_float", "text", c => float.TryParse(c.Text(0), FloatStyle, CultureInfo.InvariantCulture, out var value) ? value : null },
        { "to_int", "text", c => int.TryParse(c.Text(0), NumberStyles.Integer, CultureInfo.InvariantCulture, out var value) ? value : null },
        { "to_long", "text", c => long.TryParse(c.Text(0), NumberStyles.Integer, CultureInfo.InvariantCulture, out var value) ? value : null },
        { "truncate", "text length ellipsis?", c => Truncate(c.Text(0) ?? "", c.Int(1), c.Text(2) ?? "...") },
        { "truncatewords", "text count ellipsis?", c => TruncateWords(c.Text(0) ?? "", c.Int(1)) },
        { "upcase", "text", c => c.Text(0)?.ToUpperInvariant() },
        { "whitespace", "text", c => string.IsNullOrWhiteSpace(c.Text(0)) },
    };

    private const NumberStyles FloatStyle = NumberStyles.Float | NumberStyles.AllowThousands;

    /// <summary>Writes control characters, quotes and backslashes as escapes.</summary>
    public static string Escape(string text)
    {
        const string Characters = "\"\\\a\b\t\r\v\f\n";
        const string Names = "\"\\abtrvfn";
        var result = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            var index = Characters.IndexOf(c);
            _ = index >= 0 ? result.Append('\\').Append(Names[index])
                : c < ' ' ? result.Append(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}")
                : result.Append(c);
        }

        return result.ToString();
    }

    private static string Capitalize(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..];

    /// <summary>A word begins at the first letter after white space, whatever stands before that letter.</summary>
    private static string CapitalizeWords(string text)
    {
        var isPending = true;
        return string.Create(text.Length, text, (result, source) =>
        {
            for (var i = 0; i < source.Length; i++)
            {
                var starts = isPending && char.IsLetter(source[i]);
                result[i] = starts ? char.ToUpperInvariant(source[i]) : source[i];
                isPending = char.IsWhiteSpace(source[i]) || (isPending && !starts);
            }
        });
    }

    /// <summary>An empty text contains nothing, and nothing contains an empty text.</summary>
    private static object Both(ScriptCall call, Func<string, string, bool> test) =>
        call.Text(0) is { Length: > 0 } text && call.Text(1) is { Length: > 0 } value && test(text, value);

    private static string Handleize(string text)
    {
        var result = new StringBuilder();
        foreach (var c in text)
        {
            if (char.IsLetterOrDigit(c))
            {
                result.Append(char.ToLowerInvariant(c));
            }
            else if (result.Length == 0 || result[^1] != '-')
            {
                result.Append('-');
            }
        }

        return result is [.., '-'] ? result.ToString(0, result.Length - 1) : result.ToString();
    }

    private static string Hash(ScriptCall call, Func<byte[], byte[]> hash) =>
        Convert.ToHexStringLower(hash(Encoding.UTF8.GetBytes(call.Text(0) ?? "")));

    private static string Hmac(ScriptCall call, Func<byte[], byte[], byte[]> hash) =>
        Convert.ToHexStringLower(hash(Encoding.UTF8.GetBytes(call.Text(1) ?? ""), Encoding.UTF8.GetBytes(call.Text(0) ?? "")));

    private static object IndexOf(ScriptCall call)
    {
        var text = call.Text(0) ?? throw call.Error("The text to search is null");
        var search = call.Text(1) ?? throw call.Error("The text to search for is null");
        var start = call.OptionalInt(2) ?? 0;
        return call.Text(4) switch
        {
            null or "CurrentCulture" or "InvariantCulture" or "Ordinal" =>
                text.IndexOf(search, start, call.OptionalInt(3) ?? text.Length - start, StringComparison.Ordinal),
            "CurrentCultureIgnoreCase" or "InvariantCultureIgnoreCase" or "OrdinalIgnoreCase" =>
                text.IndexOf(search, start, call.OptionalInt(3) ?? text.Length - start, StringComparison.OrdinalIgnoreCase),
            var comparison => throw call.Error($"`{comparison}` is not a way to compare strings"),
        };
    }

    private static int Width(ScriptCall call)
    {
        call.Evaluator.CheckLength(call.Int(1), call.Span);
        return call.Int(1);
    }

    private static string Replace(ScriptCall call, string text, string old, string replacement)
    {
        if (old.Length > 0 && replacement.Length > old.Length)
        {
            var count = 0L;
            for (var i = text.IndexOf(old, StringComparison.Ordinal); i >= 0; i = text.IndexOf(old, i + old.Length, StringComparison.Ordinal))
            {
                count++;
            }

            call.Evaluator.CheckLength(text.Length + (count * (replacement.Length - old.Length)), call.Span);
        }

        return text.Replace(old, replacement, StringComparison.Ordinal);
    }

    /// <summary>In Scriban this one ignores case, unlike <c>replace</c>.</summary>
    private static string? ReplaceFirst(string? text, string? match, string? replacement, bool fromEnd)
    {
        if (string.IsNullOrEmpty(text) || string.IsNullOrEmpty(match))
        {
            return text ?? "";
        }

        var index = fromEnd
            ? text.LastIndexOf(match, StringComparison.OrdinalIgnoreCase)
            : text.IndexOf(match, StringComparison.OrdinalIgnoreCase);
        return index < 0 ? text : text[..index] + replacement + text[(index + match.Length)..];
    }

    /// <summary>A negative start counts from the end.</summary>
    /// <summary>Without a length it is that of the text, so what begins before the text ends before its end.</summary>
    private static string Slice(string text, int start, int? length)
    {
        var from = start < 0 ? (long)start + text.Length : start;
        var to = Math.Min(from + (length ?? text.Length), text.Length);
        from = Math.Max(from, 0);
        return from < to ? text[(int)from..(int)to] : "";
    }

    private static string Truncate(string text, int length, string ellipsis) =>
        text.Length <= length || text.Length == 0 ? text : text[..Math.Clamp(length - ellipsis.Length, 0, text.Length)] + ellipsis;

    /// <summary>The dots are there even if nothing was cut, and whatever ellipsis was asked for, as in Scriban.</summary>
    private static string TruncateWords(string text, int count) =>
        text.Length == 0 ? "" : string.Join(' ', SplitAtWhiteSpace(text).Take(count)) + "...";

    private static IEnumerable<string> SplitAtWhiteSpace(string text)
    {
        for (var start = 0; ;)
        {
            var end = start;
            while (end < text.Length && !char.IsWhiteSpace(text[end]))
            {
                end++;
            }

            yield return text[start..end];
            if (end == text.Length)
            {
                yield break;
            }

            for (start = end; start < text.Length && char.IsWhiteSpace(text[start]); start++)
            {
            }
        }
    }
}
