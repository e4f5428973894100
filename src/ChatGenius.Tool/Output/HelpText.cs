using System.Text;
using McMaster.Extensions.CommandLineUtils;

namespace ChatGenius.Tool.Output;

/// <summary>The help of the tool and of each command, in 80 columns whatever the terminal has, so that it reads the same everywhere.</summary>
internal static class HelpText
{
    private const int Width = 80;

    public static string Of(CommandLine line)
    {
        var text = new StringBuilder();
        var below = line.Command?.Subcommands ?? [];
        if (line.Command is null)
        {
            text.Append("Carries the ChatGenius PostgreSQL database from nothing to its current schema,\nand from any schema to the next.\n\n");
        }
        else
        {
            text.Append(line.Command.Summary).Append("\n\n");
        }

        text.Append("Usage: ").Append(CommandLine.NameOf(line.App));
        text.Append(line.Command is null || below.Count > 0 ? " COMMAND" : "");
        foreach (var argument in line.App.Arguments)
        {
            text.Append(' ').Append(argument.MultipleValues ? $"[{argument.Name}...]" : argument.Name);
        }

        text.Append(" [options]\n");
        if (line.Command?.Details is { } details)
        {
            text.Append('\n').Append(details.TrimEnd()).Append('\n');
        }

        Section(text, "Arguments", [.. line.App.Arguments.Select(argument => (argument.Name, argument.Description))]);
        Commands(text, line, below);
        var options = line.App.GetOptions().Where(option => line.Options.AppliesTo(option, line.Command)).ToLookup(option => option.Inherited);
        Section(text, "Options", [.. options[false].Select(Row)]);
        Section(text, line.Command is null ? "Options of every command" : "Global options", [.. options[true].Select(Row)]);
        if (line.Command?.Examples is { } examples)
        {
            text.Append("\nExamples:\n");
            foreach (var example in examples.TrimEnd().Split('\n'))
            {
                text.Append("  ").Append(example).Append('\n');
            }
        }

        return text.ToString();
    }

    private static void Commands(StringBuilder text, CommandLine line, IReadOnlyList<Command> below)
    {
        if (line.Command is not null)
        {
            Section(text, "Commands", [.. below.Select(command => (command.Name, command.Summary))]);
            return;
        }

        foreach (var group in line.Groups)
        {
            Section(text, group.Title, [.. group.Commands.Select(command => (command.Name, command.Summary))]);
        }
    }

    private static (string Name, string Description) Row(CommandOption option)
    {
        var value = option.ValueName is { } name && option.OptionType != CommandOptionType.NoValue ? $" {name}" : "";
        return ((option.ShortName is { } letter ? $"-{letter}, " : "    ") + $"--{option.LongName}{value}", option.Description ?? "");
    }

    private static void Section(StringBuilder text, string title, (string Name, string Description)[] rows)
    {
        if (rows.Length == 0)
        {
            return;
        }

        text.Append('\n').Append(title).Append(":\n");
        var indent = Math.Min(rows.Max(row => row.Name.Length), 26) + 4;
        foreach (var (name, description) in rows)
        {
            text.Append("  ").Append(name);
            var column = 2 + name.Length;
            if (column + 2 > indent)
            {
                text.Append('\n');
                column = 0;
            }

            foreach (var row in Wrap(description, Width - indent))
            {
                text.Append(' ', indent - column).Append(row).Append('\n');
                column = 0;
            }
        }
    }

    private static IEnumerable<string> Wrap(string description, int width)
    {
        var line = new StringBuilder();
        foreach (var word in description.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line.ToString();
                line.Clear();
            }

            line.Append(line.Length > 0 ? " " : "").Append(word);
        }

        yield return line.ToString();
    }
}
