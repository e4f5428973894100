using System.Text.RegularExpressions;

namespace ChatGenius.Db;

/// <summary>
/// A call of the tool in a message or an advice. The engine names the command and what is particular to the case; whoever prints it adds
/// the options of the present call that say where (<c>--database</c>, <c>--env</c>, …), so that it can be pasted as it is shown.
/// </summary>
/// <param name="Words">The command and its arguments.</param>
internal sealed partial record ToolCall(params IReadOnlyList<string> Words)
{
    private const string Name = "chatgenius-db";

    /// <summary>The call between single quotes, as it stands in a text.</summary>
    public override string ToString() => $"'{Name} {string.Join(' ', Words.Select(Quote))}'";

    /// <summary>Adds options to every call that a text names.</summary>
    /// <param name="text">A text with calls between single quotes.</param>
    /// <param name="options">The words to add to a call, by its own words.</param>
    public static string Complete(string text, Func<IReadOnlyList<string>, IEnumerable<string>> options) => Call().Replace(
        text,
        match =>
        {
            var words = match.Groups["words"].Value;
            return $"'{Name} {words}{string.Concat(options(words.Split(' ')).Select(word => " " + Quote(word)))}'";
        });

    /// <summary>A word as every shell takes it.</summary>
    public static string Quote(string word) => Plain().IsMatch(word) ? word
        : "\"" + word.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)
            .Replace("$", "\\$", StringComparison.Ordinal).Replace("`", "\\`", StringComparison.Ordinal)
            // Interactive shells take it for a piece of their history, between double quotes too.
            .Replace("!", "\"\\!\"", StringComparison.Ordinal) + "\"";

    /// <summary>Up to the quote that ends it: one between double quotes belongs to a word.</summary>
    [GeneratedRegex($@"'{Name} (?<words>(?:""(?:\\.|[^""\\])*""|[^'""])+)'")]
    private static partial Regex Call();

    [GeneratedRegex(@"^[\w./:@%+,=\-…]+\z")]
    private static partial Regex Plain();
}
