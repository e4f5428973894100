using System.Text;
using System.Text.RegularExpressions;
using ChatGenius.Db.Text;

namespace ChatGenius.Tool.Configuration;

/// <summary>
/// The variables of a <c>.env</c> file: <c>NAME=value</c>, <c>export NAME=value</c>, comments, single quotes (taken as they stand) and
/// double quotes (<c>\n \r \t \" \\ \$</c>), both over several lines. Nothing is expanded: a password may hold a dollar sign.
/// </summary>
internal static partial class DotEnv
{
    public const string Name = ".env";

    /// <summary>Reads the nearest file from the working directory upwards to the folder of the settings file, where that is above;
    /// otherwise here alone.</summary>
    /// <exception cref="ProblemException">
    /// CG0906: can't be read; CG0911: a quote that doesn't end; CG0912: a line that names a database and assigns nothing; CG0913: it may be
    /// somebody else's.
    /// </exception>
    public static IReadOnlyDictionary<string, string> Find(Shell shell, string? settingsFolder)
    {
        var here = shell.WorkingDirectory;
        var isAbove = settingsFolder is not null && $"{here}/".StartsWith($"{settingsFolder.TrimEnd('/')}/", StringComparison.Ordinal);
        return FoundFile.Find(shell, Name, isAbove ? settingsFolder! : here) is { } path
            ? Parse(FoundFile.Read(shell, path, "CG0906"))
            : new Dictionary<string, string>();
    }

    /// <summary>Reads the variables; of one that is there twice the last counts. A line that is no assignment is left to the programs it is
    /// meant for.</summary>
    public static IReadOnlyDictionary<string, string> Parse(SourceText source)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        var text = Encoding.UTF8.GetString(source.Utf8.Span);
        for (var at = 0; at < text.Length;)
        {
            var end = EndOfLine(text, at);
            var equals = text.IndexOf('=', at, end - at);
            var name = equals < 0 ? "" : text[at..equals].Trim();
            name = name.StartsWith("export ", StringComparison.Ordinal) ? name["export ".Length..].Trim() : name;
            if (!IsName(name))
            {
                if (OurVariable().IsMatch(text[at..end]))
                {
                    // Passed over, it would lead to another database than the one that is meant. It may hold a password: it is not shown.
                    throw new ProblemException(
                        "CG0912",
                            $"The line {source.At(Encoding.UTF8.GetByteCount(text.AsSpan(0, at)))} names a variable and assigns nothing",
                        advice: "Write NAME=value.");
                }

                at = end + 1;
                continue;
            }

            var start = equals + 1;
            while (start < end && text[start] is ' ' or '\t')
            {
                start++;
            }

            if (start < end && text[start] is '"' or '\'')
            {
                (variables[name], at) = Quoted(source, text, start);
                at = EndOfLine(text, at) + 1;
            }
            else
            {
                variables[name] = Unquoted(text[start..end]);
                at = end + 1;
            }
        }

        return variables;
    }

    [GeneratedRegex(@"^\s*(?:export\s+)?(?:DATABASE_URL|CHATGENIUS_\w+)\b")]
    private static partial Regex OurVariable();

    private static bool IsName(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

    private static int EndOfLine(string text, int from) => text.IndexOf('\n', from) is >= 0 and var end ? end : text.Length;

    /// <summary>A <c>#</c> begins a comment where white space is before it; within a word it belongs to the value.</summary>
    private static string Unquoted(string value)
    {
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] == '#' && (i == 0 || char.IsWhiteSpace(value[i - 1])))
            {
                return value[..i].Trim();
            }
        }

        return value.Trim();
    }

    private static (string Value, int End) Quoted(SourceText source, string text, int start)
    {
        var value = new StringBuilder();
        for (var i = start + 1; i < text.Length; i++)
        {
            if (text[i] == text[start])
            {
                return (value.ToString(), i);
            }

            if (text[start] == '"' && text[i] == '\\' && i + 1 < text.Length && "nrt\"\\$".Contains(text[i + 1], StringComparison.Ordinal))
            {
                value.Append(text[++i] switch { 'n' => '\n', 'r' => '\r', 't' => '\t', var c => c });
            }
            else
            {
                value.Append(text[i]);
            }
        }

        var where = source.At(Encoding.UTF8.GetByteCount(text.AsSpan(0, start)));
        // The line may hold a password: it is named, not shown.
        throw new ProblemException(
            "CG0911", $"A quote that begins in {where} does not end",
            advice: "Close it, or put a backslash before a quote that belongs to the value.");
    }
}
