using System.Text;
using ChatGenius.Db;
using ChatGenius.Db.Text;

namespace ChatGenius.Tool.Configuration;

/// <summary>
/// The variables of a <c>.env</c> file: <c>NAME=value</c>, <c>export NAME=value</c>, comments, single quotes (taken as they stand) and
/// double quotes (<c>\n \r \t \" \\ \$</c>), both over several lines. Nothing is expanded: a password may hold a dollar sign.
/// </summary>
internal static class DotEnv
{
    public const string Name = ".env";

    /// <summary>Reads the nearest file from the working directory upwards to the folder of the settings file.</summary>
    /// <exception cref="ProblemException">CG0906: can't be read; CG0911: a quote that doesn't end.</exception>
    public static IReadOnlyDictionary<string, string> Find(Shell shell, string? settingsFolder)
    {
        for (var folder = shell.WorkingDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            var path = Path.Combine(folder, Name);
            if (File.Exists(path))
            {
                return Parse(Read(shell, path));
            }

            if (settingsFolder is null || folder == settingsFolder)
            {
                break;
            }
        }

        return new Dictionary<string, string>();
    }

    private static SourceText Read(Shell shell, string path)
    {
        try
        {
            return SourceText.From(shell.Shown(path), File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ProblemException(
                "CG0906", $"{shell.Shown(path)} can't be read: {e.Message}", advice: "Check its permissions.", cause: e);
        }
    }

    /// <summary>Reads the variables; of one that stands twice the last counts. A line that is no assignment is left to the programs it is meant for.</summary>
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

    private static bool IsName(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

    private static int EndOfLine(string text, int from) => text.IndexOf('\n', from) is >= 0 and var end ? end : text.Length;

    /// <summary>A <c>#</c> begins a comment where white space stands before it; within a word it belongs to the value.</summary>
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
