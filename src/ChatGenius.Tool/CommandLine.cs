using ChatGenius.Db.Text;

namespace ChatGenius.Tool;

/// <summary>The arguments of a run, understood.</summary>
/// <param name="App">The chosen command as McMaster knows it: its arguments and options for the help.</param>
/// <param name="Command">The chosen command; null when none was named.</param>
/// <param name="Groups">All commands, for the help of the root.</param>
/// <param name="Handler">What to run; null where a command is missing (<c>chatgenius-db</c>, <c>chatgenius-db server</c>).</param>
internal sealed record CommandLine(
    CommandLineApplication App,
    Command? Command,
    IReadOnlyList<CommandGroup> Groups,
    GlobalOptions Options,
    Handler? Handler,
    bool Version)
{
    /// <summary>Chooses the command that the arguments name and reads its options.</summary>
    /// <exception cref="ProblemException">
    /// CG1001: no such command; CG1002: no such option; CG1003: a value is missing or too many; CG1004: an argument too many;
    /// CG1005: <c>--json</c> where there is nothing to print as JSON.
    /// </exception>
    public static CommandLine Parse(string[] args, IReadOnlyList<CommandGroup> groups)
    {
        if (args is ["help", .. var rest])
        {
            args = [.. rest, "--help"];
        }

        var chosen = new Dictionary<CommandLineApplication, (Command Command, Handler? Handler)>();
        var root = new CommandLineApplication(throwOnUnexpectedArg: false) { Name = Cli.Name };
        var options = new GlobalOptions(root);
        var version = root.Option("--version", "Show the version", CommandOptionType.NoValue);
        Declare(root, groups.SelectMany(group => group.Commands), args, chosen);
        args = [.. JoinOptionalValues(args, chosen.Keys.SelectMany(app => app.Options)
            .Where(option => option.OptionType == CommandOptionType.SingleOrNoValue))];

        CommandLineApplication app;
        try
        {
            app = root.Parse(args).SelectedCommand;
        }
        catch (CommandParsingException e)
        {
            throw new ProblemException("CG1003", InOurWords(e, chosen.Keys), advice: SeeHelp(e.Command), cause: e);
        }

        var (command, handler) = chosen.TryGetValue(app, out var found) ? found : (null, null);
        if (app.RemainingArguments is [var unexpected, ..] && command is not { PassesOn: true })
        {
            throw new ProblemException(Unexpected(unexpected, app, command, groups));
        }

        if (options.Json && command is { Json: false } && handler is not null)
        {
            throw new ProblemException("CG1005", $"{NameOf(app)} has nothing to print as JSON", advice: "Leave out --json.");
        }

        options.App = app;
        return new CommandLine(app, command, groups, options, handler, version.HasValue());
    }

    /// <summary>The words that call a command: <c>chatgenius-db server start</c>.</summary>
    public static string NameOf(CommandLineApplication app) => app.Parent is null ? app.Name : $"{NameOf(app.Parent)} {app.Name}";

    private static void Declare(
        CommandLineApplication parent,
        IEnumerable<Command> commands,
        string[] args,
        Dictionary<CommandLineApplication, (Command, Handler?)> chosen)
    {
        foreach (var command in commands)
        {
            // A command can only be chosen where its name is among the arguments: the others cost their name and no more.
            if (args.Contains(command.Name, StringComparer.OrdinalIgnoreCase))
            {
                parent.Command(
                    command.Name,
                    app =>
                    {
                        app.AllowArgumentSeparator = command.PassesOn;
                        Declare(app, command.Subcommands, args, chosen);
                        chosen[app] = (command, command.Configure?.Invoke(app));
                    },
                    throwOnUnexpectedArg: false);
            }
        }
    }

    /// <summary>
    /// An option whose value may be left out takes it after a space too, where McMaster knows <c>--backup=DIR</c> alone. A command with
    /// such an option has no arguments for which the value could be meant.
    /// </summary>
    private static IEnumerable<string> JoinOptionalValues(string[] args, IEnumerable<CommandOption> options)
    {
        var names = options.Select(option => $"--{option.LongName}").ToHashSet(StringComparer.Ordinal);
        for (var i = 0; i < args.Length; i++)
        {
            var takesNext = names.Contains(args[i]) && i + 1 < args.Length && args[i + 1] is not (['-', ..] or []);
            yield return takesNext ? $"{args[i]}={args[++i]}" : args[i];
        }
    }

    /// <summary>What is wrong with an option's value, which may be a URL with its password and is not shown.</summary>
    private static string InOurWords(CommandParsingException e, IEnumerable<CommandLineApplication> apps)
    {
        var quoted = e.Message.Split('\'');
        var name = quoted.Length < 3 ? "" : e.Message.StartsWith("Unexpected", StringComparison.Ordinal) ? quoted[^2] : quoted[1];
        var option = apps.Append(e.Command).SelectMany(app => app.GetOptions())
            .FirstOrDefault(option => option.LongName == name.TrimStart('-') || option.ShortName == name.TrimStart('-'));
        return option is null ? e.Message
            : e.Message.StartsWith("Missing", StringComparison.Ordinal) ? $"--{option.LongName} needs a value"
            : e.Message.Contains("must be the last option", StringComparison.Ordinal)
                ? $"-{option.ShortName} needs its value as a word of its own: -{option.ShortName} {option.ValueName}"
            : option.OptionType == CommandOptionType.NoValue ? $"--{option.LongName} takes no value"
            : $"--{option.LongName} is given twice";
    }

    private static Problem Unexpected(string unexpected, CommandLineApplication app, Command? command, IReadOnlyList<CommandGroup> groups)
    {
        if (unexpected is ['-', _, ..] && unexpected != "--")
        {
            var name = unexpected.Split('=', ':')[0];
            if (OptionsElsewhere.TryGetValue(name, out var ours))
            {
                return new Problem("CG1002", $"{NameOf(app)} has no option {name}", Advice: DidYouMean(ours));
            }

            var known = app.GetOptions().Select(option => option.LongName).OfType<string>().Select(option => $"--{option}");
            return new Problem("CG1002", $"{NameOf(app)} has no option {name}",
                Advice: DidYouMean(Nearest.To(name, known)) ?? SeeHelp(app));
        }

        var below = command?.Subcommands ?? [.. groups.SelectMany(group => group.Commands)];
        if (below.Count == 0)
        {
            return new Problem("CG1004", $"{NameOf(app)} takes no argument {Quoted(unexpected)} here", Advice: SeeHelp(app));
        }

        var names = below.SelectMany(c => c.CalledElsewhere.Append(c.Name), (c, name) => (Name: name, c.Name))
            .Concat(below.SelectMany(c => c.Subcommands, (c, sub) => (sub.Name, $"{c.Name} {sub.Name}"))).ToList();
        var near = Nearest.To(unexpected, names.Select(name => name.Item1));
        var nearest = names.FirstOrDefault(name => name.Item1 == unexpected).Item2 ?? names.FirstOrDefault(name =>
            name.Item1 == near).Item2;
        return new Problem(
            "CG1001",
            $"{NameOf(app)} has no command {Quoted(unexpected)}",
            Advice: DidYouMean(nearest is null ? null : $"{NameOf(app)} {nearest}") ?? SeeHelp(app));
    }

    /// <summary>What other tools call an option.</summary>
    private static readonly Dictionary<string, string> OptionsElsewhere = new(StringComparer.Ordinal)
    {
        ["--url"] = "--database", ["--database-url"] = "--database", ["--db"] = "--database", ["-u"] = "--database", ["-V"] = "--version",
        ["--dir"] = "--migrations", ["--migrations-dir"] = "--migrations", ["--force"] = "--yes", ["--target"] = "--to",
    };

    private static string Quoted(string argument) => $"\"{Secrets.Hide(argument)}\"";

    private static string? DidYouMean(string? name) => name is null ? null : $"Did you mean {name}?";

    private static string SeeHelp(CommandLineApplication app) => $"See {NameOf(app)} --help";
}
