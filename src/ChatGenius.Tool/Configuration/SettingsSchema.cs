using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace ChatGenius.Tool.Configuration;

/// <summary>The JSON schema of the settings file, for editors.</summary>
internal static class SettingsSchema
{
    public static string Write()
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream,
            new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("$schema", "https://json-schema.org/draft/2020-12/schema");
            json.WriteString("title", "Settings of chatgenius-db");
            json.WriteString("description",
                "chatgenius-db.json, found from the working directory upwards. Paths are relative to the file.");
            Object(json, () =>
            {
                json.WriteStartObject("$schema");
                json.WriteString("type", "string");
                json.WriteString("description", "Where an editor finds this schema.");
                json.WriteEndObject();
                References(json);
                json.WritePropertyName("check");
                using (var check = JsonDocument.Parse(CheckSettings.Schema))
                {
                    check.WriteTo(json);
                }

                json.WriteStartObject("environments");
                json.WriteString("type", "object");
                json.WriteString(
                    "description",
                        "Named environments, chosen with --env NAME or CHATGENIUS_ENV. What one says wins over the top of the file.");
                json.WriteStartObject("additionalProperties");
                Object(json, () =>
                {
                    Definitions(json, SettingKey.OfAnEnvironment);
                    References(json);
                });
                json.WriteEndObject();
                json.WriteEndObject();
            });
            json.WriteStartObject("$defs");
            Definitions(json, SettingKey.Everywhere);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    private static void Object(Utf8JsonWriter json, Action properties)
    {
        json.WriteString("type", "object");
        json.WriteBoolean("additionalProperties", false);
        json.WriteStartObject("properties");
        properties();
        json.WriteEndObject();
    }

    private static void References(Utf8JsonWriter json)
    {
        foreach (var key in SettingKey.Everywhere)
        {
            json.WriteStartObject(key.Name);
            json.WriteString("$ref", $"#/$defs/{key.Name}");
            json.WriteEndObject();
        }
    }

    private static void Definitions(Utf8JsonWriter json, IReadOnlyList<SettingKey> keys)
    {
        foreach (var key in keys)
        {
            json.WriteStartObject(key.Name);
            json.WriteString("type", key.Kind switch { SettingKind.Flag => "boolean", SettingKind.Count => "integer", _ => "string" });
            switch (key.Kind)
            {
                case SettingKind.Flag:
                    json.WriteBoolean("default", key.Default == "true");
                    break;
                case SettingKind.Count:
                    json.WriteNumber("minimum", key.Least);
                    json.WriteNumber("maximum", SettingKey.Most);
                    json.WriteNumber("default", int.Parse(key.Default, CultureInfo.InvariantCulture));
                    break;
                case SettingKind.Duration:
                    json.WriteString("pattern", @"^(0|[0-9]{1,10}(\.[0-9]{1,6})? ?(ms|s|m|min|h))$");
                    json.WriteString("default", key.Default);
                    break;
                case SettingKind.Size:
                    json.WriteString("pattern", "^(0|[0-9]{1,6}(\\.[0-9]{1,3})? ?[kMGT]B)$");
                    json.WriteString("default", key.Default);
                    break;
                default:
                    json.WriteNumber("minLength", 1);
                    if (key.Default.Length > 0)
                    {
                        json.WriteString("default", key.Default);
                    }

                    break;
            }

            json.WriteString("description", key.Description);
            json.WriteEndObject();
        }
    }
}
