using ChatGenius.Tool;
using ChatGenius.Tool.Commands;

namespace ChatGenius.Tests.Tool;

public class HelpTests
{
    public static TheoryData<string> Commands => [.. Paths(CommandList.All().SelectMany(group => group.Commands), ""), ""];

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task The_help_of_every_command_fits_into_80_columns(string command)
    {
        using var tool = new InProcess();

        var run = await tool.RunAsync([.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]);

        run.ExitCode.ShouldBe(ExitCode.Done);
        run.Error.ShouldBeEmpty();
        run.Out.Split('\n').Where(line => line.Length > 80).ShouldBeEmpty();
        Snapshot.Match(run.Out, "txt", command.Length == 0 ? "root" : command.Replace(' ', '_'));
    }

    private static IEnumerable<string> Paths(IEnumerable<Command> commands, string before) =>
        commands.SelectMany(command => Paths(command.Subcommands, before + command.Name + " ").Prepend(before + command.Name));
}
