using System.Text;

namespace ChatGenius.Tool.Output;

/// <summary>The help of the tool and of each command, in 80 columns whatever the terminal has, so that it reads the same
/// everywhere.</summary>
internal static class HelpText
{
    private const int Width = 80;

    public static string Of(CommandLine line)
    {
        var text = new StringBuilder();
        var below = line.Command?.Subcommands ?? [];
        if (line.Command is null)
        {
            text.Append(
                "Carries the ChatGenius PostgreSQL database from nothing to its current schema,\nand from any schema to the next.\n\n");
        }
        else
        {
            text.Append(line.Command.Summary).Append("\n\n");
        }

        text.Append("Usage: ").Append(CommandLine.NameOf(line.App));
        text.Append(line.Command is not null && below.Count == 0 ? "" : line.Handler is null ? " COMMAND" : " [COMMAND]");
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
        Options(text, line);
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

    /// <summary>A command's own options are explained; of those that all commands take only the root's help does more than to name
    /// them.</summary>
    private static void Options(StringBuilder text, CommandLine line)
    {
        var options = line.App.GetOptions().Where(option => line.Options.AppliesTo(option, line.Command))
            .ToLookup(option => option.Inherited);
        if (line.Command is null)
        {
            Section(text, "Options", [.. options[false].Concat(options[true]).Select(Row)]);
            return;
        }

        Section(text, "Options", [.. options[false].Concat(options[true].Where(option => option.LongName == "json")).Select(Row)]);
        text.Append($"\nOptions of every command, which {Cli.Name} --help explains:\n");
        var names = options[true].Where(option => option.LongName != "json")
            .Select(option => Row(option).Name.Trim().Replace(' ', '\u00A0'));
        foreach (var row in Wrap(string.Join("; ", names), Width - 2))
        {
            text.Append("  ").Append(row.Replace('\u00A0', ' ')).Append('\n');
        }
    }

    private static (string Name, string Description) Row(CommandOption option)
    {
        var value = (option.ValueName, option.OptionType) switch
        {
            (null, _) or (_, CommandOptionType.NoValue) => "",
            (var name, CommandOptionType.SingleOrNoValue) => $" [{name}]",
            (var name, _) => $" {name}",
        };
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
