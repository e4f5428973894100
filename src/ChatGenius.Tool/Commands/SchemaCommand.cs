namespace ChatGenius.Tool.Commands;

/// <summary>What can be done with a schema; each in a file of its own.</summary>
internal static class SchemaCommand
{
    internal static readonly Command Definition = new("schema", "Write the schema down, compare it, document it")
    {
        Subcommands = [SchemaDumpCommand.Definition, SchemaDiffCommand.Definition, SchemaDocsCommand.Definition],
    };
}
