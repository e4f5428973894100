using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ChatGenius.Tool.Output;

/// <summary>What stdout carries with <c>--json</c> when a run fails.</summary>
internal sealed record ProblemsJson(IReadOnlyList<ProblemJson> Problems)
{
    public static ProblemsJson Of(IEnumerable<Problem> problems) =>
        new([.. problems.Select(p => new ProblemJson(p.Code, p.Message, p.Where?.Path, p.Where?.Line, p.Where?.Column, p.Advice))]);
}

/// <param name="Line">1 for the first line; absent, like the path and the column, where the problem has no place in a file.</param>
/// <param name="Column">1 for the first character.</param>
internal sealed record ProblemJson(string Code, string Message, string? Path, int? Line, int? Column, string? Advice);

/// <summary>The documents that commands print, written without reflection. Names are snake_case; what is null is left out.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true,
    WriteIndented = true)]
[JsonSerializable(typeof(ProblemsJson))]
[JsonSerializable(typeof(CheckJson))]
[JsonSerializable(typeof(CheckpointsJson))]
[JsonSerializable(typeof(ConfigJson))]
[JsonSerializable(typeof(DetectionJson))]
[JsonSerializable(typeof(DoneJson))]
[JsonSerializable(typeof(KeptJson))]
[JsonSerializable(typeof(LogJson))]
[JsonSerializable(typeof(MergeJson))]
[JsonSerializable(typeof(PlanJson))]
[JsonSerializable(typeof(PreflightJson))]
[JsonSerializable(typeof(SchemaDifferencesJson))]
[JsonSerializable(typeof(SchemaStatementsJson))]
[JsonSerializable(typeof(SchemaJson))]
[JsonSerializable(typeof(RulesJson))]
[JsonSerializable(typeof(ServerStatusJson))]
[JsonSerializable(typeof(StatusJson))]
[JsonSerializable(typeof(TemplatesJson))]
[JsonSerializable(typeof(TestDatabasesJson))]
[JsonSerializable(typeof(UnusedJson))]
[JsonSerializable(typeof(EventJson))]
[JsonSerializable(typeof(BatchesJson))]
[JsonSerializable(typeof(VerifyJson))]
internal sealed partial class JsonContext : JsonSerializerContext
{
    private static JsonContext? _readable, _line;

    /// <summary>The same on one line, for a stream of documents.</summary>
    public static JsonContext Line =>
        _line ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            WriteIndented = false });

    /// <summary>Writes quotes and letters outside ASCII as they are: the documents stand on a terminal or in a pipe, never in
    /// HTML.</summary>
    public static JsonContext Readable =>
        _readable ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
