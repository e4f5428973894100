namespace ChatGenius.Tool.Commands;

/// <summary>Every command of the tool. A new one needs its file in this folder and its line here.</summary>
internal static class CommandList
{
    public static IReadOnlyList<CommandGroup> All() =>
    [
        new("Every day", [NewCommand.Definition, ApplyCommand.Definition, StatusCommand.Definition, RollbackCommand.Definition,
            RedoCommand.Definition]),
        new("Check first", [CheckCommand.Definition, PlanCommand.Definition, PreflightCommand.Definition,
            ScriptCommand.Definition, VerifyCommand.Definition, UnusedCommand.Definition]),
        new("The schema", [SchemaCommand.Definition, DriftCommand.Definition]),
        new("Databases for tests", [TestDatabaseCommand.Definition, WithDatabaseCommand.Definition, SeedCommand.Definition]),
        new("The database itself", [CreateCommand.Definition, DropCommand.Definition, ResetCommand.Definition, CheckpointCommand.Definition,
            WaitCommand.Definition]),
        new("Take over and settle", [BaselineCommand.Definition, ImportCommand.Definition, RenumberCommand.Definition,
            RepairCommand.Definition, BatchCommand.Definition, KeptCommand.Definition, LogCommand.Definition]),
        new("The tool", [ServerCommand.Definition, ConfigCommand.Definition, CompletionCommand.Definition, ManCommand.Definition]),
    ];
}
