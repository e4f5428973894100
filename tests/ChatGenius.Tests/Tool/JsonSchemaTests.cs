using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization;
using ChatGenius.Tool.Output;

namespace ChatGenius.Tests.Tool;

/// <summary>
/// <c>docs/json.schema.json</c> has every document that a command prints. Those that are not written by hand are made from the records.
/// </summary>
public class JsonSchemaTests
{
    private const string File = "docs/json.schema.json";

    /// <summary>By hand, because they say more than the records do.</summary>
    private static readonly string[] ByHand =
    [
        "problems", "done", "status", "plan", "verify", "templates", "test_databases", "detection", "event", "batches", "unused",
    ];

    [Fact]
    public void It_has_every_document()
    {
        var schema = JsonNode.Parse(Repository.Read(File))!;
        var (documents, definitions) = (schema["anyOf"]!.AsArray(), schema["$defs"]!.AsObject());
        var before = schema.ToJsonString();
        foreach (var type in Documents())
        {
            var name = JsonNamingPolicy.SnakeCaseLower.ConvertName(type.Name[..^"Json".Length]);
            if (ByHand.Contains(name))
            {
                continue;
            }

            definitions[name] = Made(type, name);
            if (!documents.Any(one => (string?)one!["$ref"] == $"#/$defs/{name}"))
            {
                documents.Add(new JsonObject { ["$ref"] = $"#/$defs/{name}" });
            }
        }

        var received = Path.Combine(Repository.Root, File.Replace(".json", ".received.json", StringComparison.Ordinal));
        if (schema.ToJsonString() != before)
        {
            System.IO.File.WriteAllText(received, schema.ToJsonString(new JsonSerializerOptions
            {
                WriteIndented = true, NewLine = "\n", Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            }) + "\n");
            Assert.Fail($"The documents have changed. If that is meant: mv {received} {Path.Combine(Repository.Root, File)}");
        }
    }

    private static IEnumerable<Type> Documents() => typeof(JsonContext).GetCustomAttributesData()
        .Where(attribute => attribute.AttributeType == typeof(JsonSerializableAttribute))
        .Select(attribute => (Type)attribute.ConstructorArguments[0].Value!);

    private static JsonNode Made(Type type, string name)
    {
        var made = JsonContext.Readable.GetTypeInfo(type)!.GetJsonSchemaAsNode(new() { TreatNullObliviousAsNonNullable = true });
        Tighten(made, $"#/$defs/{name}");
        return made;
    }

    /// <summary>What is null is left out, all else is there, and nothing more; what is meant twice is found from the whole file's root.
    /// </summary>
    private static void Tighten(JsonNode? node, string root)
    {
        if (node is JsonArray items)
        {
            foreach (var item in items)
            {
                Tighten(item, root);
            }
        }

        if (node is not JsonObject one)
        {
            return;
        }

        if (one["$ref"] is JsonValue reference)
        {
            one["$ref"] = root + ((string)reference!)[1..];
        }

        if (one["properties"] is JsonObject properties)
        {
            one["required"] = new JsonArray([.. properties.Where(property => !MayBeNull(property.Value!))
                .Select(property => (JsonNode)property.Key)]);
            one["additionalProperties"] = false;
        }

        foreach (var (_, value) in one.ToList())
        {
            Tighten(value, root);
        }

        if (one["type"] is JsonArray types)
        {
            one["type"] = (string?)types.First(type => (string?)type != "null");
        }
    }

    private static bool MayBeNull(JsonNode property) =>
        property["type"] is JsonArray types && types.Any(type => (string?)type == "null");
}
