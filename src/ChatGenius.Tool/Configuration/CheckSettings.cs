using System.Text.Json;
using ChatGenius.Db.Safety;
using ChatGenius.Db.Text;

namespace ChatGenius.Tool.Configuration;

/// <summary>What the settings file says under <c>"check"</c>.</summary>
/// <param name="Policy">What the project decided about rules, tables and migrations.</param>
/// <param name="Sizes">The file of table sizes; null where there is none.</param>
internal sealed record CheckSettings(CheckPolicy Policy, string? Sizes)
{
    private static readonly string[] Keys = ["rules", "left_out", "start_after", "server_version", "sizes"];

    /// <summary>Its part of the JSON schema.</summary>
    public const string Schema =
        """
        {
          "type": "object",
          "description": "What the project decided about chatgenius-db check.",
          "additionalProperties": false,
          "properties": {
            "rules": {
              "type": "object",
              "description": "Rules, by id or name, that matter more or less here than elsewhere.",
              "additionalProperties": {
                "type": "object",
                "additionalProperties": false,
                "required": ["severity", "reason"],
                "properties": {
                  "severity": { "enum": ["off", "info", "warning", "error"] },
                  "reason": { "type": "string", "minLength": 1 }
                }
              }
            },
            "left_out": {
              "type": "array",
              "description": "Schemas and tables whose hazards are nobody's concern, such as audit and public.drafts.",
              "items": { "type": "string", "minLength": 1 }
            },
            "start_after": { "type": "integer", "minimum": 0, "description": "Migrations up to this number count as reviewed." },
            "server_version": { "type": ["string", "integer"], "description": "The version of production's server, such as \"16.2\"." },
            "sizes": { "type": "string", "description": "The file of production's table sizes that check --save-sizes wrote." }
          }
        }
        """;

    public static CheckSettings None { get; } = new(CheckPolicy.None, null);

    /// <summary>Reads the object that the reader is at; what is wrong with it is added to the problems.</summary>
    public static CheckSettings Read(ref Utf8JsonReader reader, SourceText source, string folder, List<Problem> problems)
    {
        // Its own document: it is small, and a place within it is found by its offset.
        var start = (int)reader.TokenStartIndex;
        using var document = JsonDocument.ParseValue(ref reader);
        var where = source.At(start, 1);
        if (document.RootElement.ValueKind != JsonValueKind.Object)
        {
            problems.Add(new Problem("CG0904", "\"check\" has a value of the wrong kind", where, "Write an object, { … }."));
            return None;
        }

        var (policy, sizes) = (CheckPolicy.None, (string?)null);
        foreach (var property in document.RootElement.EnumerateObject())
        {
            var value = property.Value;
            switch (property.Name)
            {
                case "rules" when value.ValueKind == JsonValueKind.Object:
                    policy = policy with { Rules = Rules(value, where, problems) };
                    break;
                case "left_out" when value.ValueKind == JsonValueKind.Array
                    && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String):
                    policy = policy with { LeftOut = [.. value.EnumerateArray().Select(item => item.GetString()!)] };
                    break;
                case "start_after" when value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number):
                    policy = policy with { StartAfter = number };
                    break;
                case "server_version" when Version(value) is { } version:
                    policy = policy with { ServerVersion = version };
                    break;
                case "sizes" when value.ValueKind == JsonValueKind.String:
                    sizes = Path.GetFullPath(value.GetString()!, folder);
                    break;
                default:
                    problems.Add(Wrong(property.Name, where));
                    break;
            }
        }

        return new CheckSettings(policy, sizes);
    }

    private static Problem Wrong(string name, SourceLocation where) => Keys.Contains(name)
        ? new Problem("CG0904", $"\"check\": \"{name}\" has a value of the wrong kind", where, name switch
        {
            "rules" => "Write { \"L101\": { \"severity\": \"off\", \"reason\": \"…\" } }.",
            "left_out" => "Write a list of schemas and tables: [\"audit\", \"public.drafts\"].",
            "start_after" => "Write a migration's number.",
            "server_version" => "Write a version, such as \"16\" or \"16.2\".",
            _ => "Write a path.",
        })
        : new Problem(
            "CG0903", $"\"{name}\" is no setting of \"check\"", where,
            Nearest.To(name, Keys) is { } nearest ? $"Did you mean \"{nearest}\"?" : $"Known are {string.Join(", ", Keys)}.");

    private static Dictionary<string, RulePolicy> Rules(JsonElement rules, SourceLocation where, List<Problem> problems)
    {
        var policies = new Dictionary<string, RulePolicy>(StringComparer.Ordinal);
        foreach (var rule in rules.EnumerateObject())
        {
            string? Text(string key) => rule.Value.ValueKind == JsonValueKind.Object && rule.Value.TryGetProperty(key, out var value)
                && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
            var severity = Text("severity");
            if (Hazards.Find(rule.Name) is not { } hazard)
            {
                problems.Add(new Problem("CG0903", $"\"check\": there is no rule \"{rule.Name}\"", where,
                    "'chatgenius-db check --rules' lists them."));
            }
            else if (severity is not ("off" or "info" or "warning" or "error") || Text("reason") is not { Length: > 0 } reason)
            {
                problems.Add(new Problem(
                    "CG0904", $"\"check\": the rule \"{rule.Name}\" needs a severity and a reason", where,
                    "Write { \"severity\": \"off\", \"reason\": \"…\" }; a severity is off, info, warning or error."));
            }
            else
            {
                policies[hazard.Id] = new RulePolicy(severity == "off" ? null : Enum.Parse<Severity>(severity, ignoreCase: true), reason);
            }
        }

        return policies;
    }

    /// <summary><c>16</c>, <c>"16"</c> or <c>"16.2"</c> as 160002.</summary>
    private static int? Version(JsonElement value)
    {
        var parts = (value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText()).Split('.');
        return parts.Length <= 2 && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var major)
            && major is >= 10 and < 100
            && int.TryParse(parts.ElementAtOrDefault(1) ?? "0", NumberStyles.None, CultureInfo.InvariantCulture, out var minor)
                && minor < 100
            ? (major * 10000) + minor : null;
    }
}
