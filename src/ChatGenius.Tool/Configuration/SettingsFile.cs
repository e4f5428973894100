using System.Text.Json;
using ChatGenius.Db.Text;

namespace ChatGenius.Tool.Configuration;

/// <summary>What <c>chatgenius-db.json</c> says: JSON in which comments and trailing commas are welcome and unknown keys are not.</summary>
internal sealed class SettingsFile
{
    public const string Name = "chatgenius-db.json";

    private readonly SourceText _source;
    private readonly List<Problem> _problems = [];
    private readonly Dictionary<SettingKey, Setting> _values = [];
    private readonly Dictionary<string, IReadOnlyDictionary<SettingKey, Setting>> _environments = new(StringComparer.Ordinal);

    private SettingsFile(SourceText source, string folder)
    {
        _source = source;
        Folder = folder;
    }

    /// <summary>The absolute path of the folder that holds the file.</summary>
    public string Folder { get; }

    public string Path => _source.Path;

    /// <summary>What the file says of <c>check</c>.</summary>
    public CheckSettings Check { get; private set; } = CheckSettings.None;

    /// <summary>The values at the top of the file.</summary>
    public IReadOnlyDictionary<SettingKey, Setting> Values => _values;

    /// <summary>The values of each named environment.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<SettingKey, Setting>> Environments => _environments;

    /// <summary>Reads the file that was named, or the first one found from the working directory upwards.</summary>
    /// <returns>Null where none was named and none is found.</returns>
    /// <exception cref="ProblemException">
    /// CG0901: can't be read; CG0902: no JSON; CG0903: an unknown key; CG0904: a value of the wrong kind; CG0905: a key that is given
    /// twice;
    /// all of a file together.
    /// </exception>
    public static SettingsFile? Find(Shell shell, string? named)
    {
        if (named is not null)
        {
            return Read(shell, shell.Absolute(named));
        }

        return FoundFile.Find(shell, Name, last: null) is { } found ? Read(shell, found) : null;
    }

    private static SettingsFile Read(Shell shell, string path)
    {
        var source = FoundFile.Read(shell, path, "CG0901");
        var file = new SettingsFile(source, System.IO.Path.GetDirectoryName(path)!);
        file.Parse();
        return file._problems.Count == 0 ? file : throw new ProblemException(file._problems);
    }

    private void Parse()
    {
        var reader = new Utf8JsonReader(
            _source.Utf8.Span,
            new JsonReaderOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip });
        try
        {
            reader.Read();
            if (reader.TokenType == JsonTokenType.StartObject)
            {
                ReadObject(ref reader, SettingKey.Everywhere, _values, top: true);
            }
            else
            {
                WrongKind(ref reader, "The settings file", "an object, { … }");
            }

            // Anything behind the object is an error of the reader's own.
            reader.Read();
        }
        catch (JsonException e)
        {
            _problems.Add(new Problem(
                "CG0902", "The settings file is not JSON: " + Reason(e), Place(e), "Correct the place that is marked."));
        }
    }

    /// <summary>Reads an object behind its opening brace up to its closing one.</summary>
    private void ReadObject(ref Utf8JsonReader reader, IReadOnlyList<SettingKey> keys, Dictionary<SettingKey, Setting> values, bool top)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            var where = Here(ref reader);
            if (!seen.Add(name))
            {
                _problems.Add(new Problem("CG0905", $"\"{name}\" is here a second time", where, "Remove one of the two."));
            }

            reader.Read();
            if (keys.FirstOrDefault(key => key.Name == name) is { } key)
            {
                ReadValue(ref reader, key, values);
            }
            else if (top && name == "check")
            {
                Check = CheckSettings.Read(ref reader, _source, Folder, _problems);
            }
            else if (top && name == "environments")
            {
                ReadEnvironments(ref reader);
            }
            else if (top && name == "$schema")
            {
                reader.Skip();
            }
            else
            {
                reader.Skip();
                IEnumerable<string> known = [.. keys.Select(k => k.Name), .. top ? ["check", "environments"] : Array.Empty<string>()];
                var advice = Nearest.To(name, known) is { } nearest ? $"Did you mean \"{nearest}\"?"
                    : $"Known are {string.Join(", ", known)}.";
                _problems.Add(new Problem("CG0903", $"\"{name}\" is no setting", where, advice));
            }
        }
    }

    private void ReadEnvironments(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            WrongKind(ref reader, "\"environments\"", "an object with an object for each environment");
            return;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            var where = Here(ref reader);
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                WrongKind(ref reader, $"The environment \"{name}\"", "an object, { … }");
                continue;
            }

            var values = new Dictionary<SettingKey, Setting>();
            if (!_environments.TryAdd(name, values))
            {
                _problems.Add(new Problem("CG0905", $"The environment \"{name}\" is here a second time", where,
                    "Remove one of the two."));
            }

            ReadObject(ref reader, [.. SettingKey.OfAnEnvironment, .. SettingKey.Everywhere], values, top: false);
        }
    }

    private void ReadValue(ref Utf8JsonReader reader, SettingKey key, Dictionary<SettingKey, Setting> values)
    {
        // Each kind takes one JSON type; "true" in quotes is a mistake that an editor's schema would mark as well.
        var text = (key.Kind, reader.TokenType) switch
        {
            (SettingKind.Flag, JsonTokenType.True) => "true",
            (SettingKind.Flag, JsonTokenType.False) => "false",
            (SettingKind.Count, JsonTokenType.Number) => System.Text.Encoding.UTF8.GetString(reader.ValueSpan),
            (SettingKind.Path or SettingKind.Text or SettingKind.Duration or SettingKind.Size, JsonTokenType.String) => reader.GetString(),
            _ => null,
        };
        if (text is null || key.Normalize(text) is not { } value)
        {
            WrongKind(ref reader, $"\"{key.Name}\"", key.Expected);
            return;
        }

        var path = key.Kind == SettingKind.Path ? System.IO.Path.GetFullPath(value, Folder) : value;
        values[key] = new Setting(path, Here(ref reader).ToString());
    }

    private void WrongKind(ref Utf8JsonReader reader, string what, string expected)
    {
        var where = Here(ref reader);
        reader.Skip();
        _problems.Add(new Problem("CG0904", $"{what} has a value of the wrong kind", where, $"Write {expected}."));
    }

    private SourceLocation Here(ref Utf8JsonReader reader) =>
        _source.At((int)reader.TokenStartIndex, reader.ValueSpan.Length
            + (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName ? 2 : 0));

    private SourceLocation Place(JsonException e)
    {
        var text = _source.Utf8.Span;
        var start = 0;
        for (var line = e.LineNumber ?? 0; line > 0; line--)
        {
            start += text[start..].IndexOf((byte)'\n') + 1;
        }

        return _source.At((int)Math.Min(start + (e.BytePositionInLine ?? 0), text.Length));
    }

    /// <summary>The reader's message without the position that it repeats at its end.</summary>
    private static string Reason(JsonException e)
    {
        if (e.Message.Contains("isFinalBlock", StringComparison.Ordinal))
        {
            return "it ends before it is complete";
        }

        var end = e.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return (end < 0 ? e.Message : e.Message[..end]).TrimEnd('.');
    }
}
