namespace ChatGenius.Tool.Commands;

/// <summary>Every command of the tool. A new one needs its file in this folder and its line here.</summary>
internal static class CommandList
{
    public static IReadOnlyList<CommandGroup> All() =>
    [
        new("The tool", [ConfigCommand.Definition]),
    ];
}
