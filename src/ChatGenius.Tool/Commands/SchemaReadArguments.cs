using ChatGenius.Db.Schema;

namespace ChatGenius.Tool.Commands;

/// <summary>The options with which every command that reads a schema says what of it counts.</summary>
internal sealed class SchemaReadArguments(CommandLineApplication app)
{
    private readonly CommandOption _excluded =
        app.Option("--exclude-schema <NAME>", "Leave a schema out (may be given several times)", CommandOptionType.MultipleValue);

    private readonly CommandOption _owners = app.Option("--owners", "Owners count too", CommandOptionType.NoValue);

    private readonly CommandOption _versions =
        app.Option("--extension-versions", "Versions of extensions and collations count too", CommandOptionType.NoValue);

    /// <summary>What is to be read. The tool's own tables never count.</summary>
    public SchemaReadOptions Over(Settings settings, SchemaParts more = 0) => new()
    {
        ExcludedSchemas = [.. _excluded.Values.OfType<string>()],
        HistorySchema = settings.HistorySchema,
        Parts = SchemaParts.Default | more
            | (_owners.HasValue() ? SchemaParts.Owners : 0)
            | (_versions.HasValue() ? SchemaParts.ExtensionVersions : 0),
    };
}
