using ChatGenius.Db.Templates;

namespace ChatGenius.Tool;

/// <summary>What may come next on a command line that is being typed. The scripts of <c>completion</c> ask for it by <c>complete --
/// WORD…</c>.</summary>
/// <param name="shell">Where it is typed.</param>
internal sealed class Completion(Shell shell)
{
    /// <summary>The name by which the shells' scripts ask; it is no command for people.</summary>
    public const string Call = "complete";

    /// <summary>In the place of a candidate: the shell is to complete the names of files.</summary>
    public const string Files = ":files";

    /// <summary>The candidates.</summary>
    /// <param name="words">The words after the tool's name; the last one is still being typed and may be empty.</param>
    /// <returns>One a line: the word, and after a tab what it does.</returns>
    public IEnumerable<string> Of(IReadOnlyList<string> words)
    {
        // bash makes words of their own of the signs in --option=value.
        words = words is [.., var name, "=", var begun] && name.StartsWith("--", StringComparison.Ordinal)
            ? [.. words.SkipLast(3), name, begun]
            : words is [.., var option, "="] && option.StartsWith("--", StringComparison.Ordinal) ? [.. words.SkipLast(2), option, ""]
            : words;
        var root = new CommandLineApplication(throwOnUnexpectedArg: false) { Name = Cli.Name };
        var options = new GlobalOptions(root);
        root.Option("--version", "Show the version", CommandOptionType.NoValue);
        var (app, command, below) = (root, (Command?)null,
            (IReadOnlyList<Command>)[.. CommandList.All().SelectMany(group => group.Commands)]);
        var arguments = 0;
        for (var i = 0; i < words.Count - 1; i++)
        {
            if (Takes(app, words[i]) is not null)
            {
                i++;
            }
            else if (!words[i].StartsWith('-') && below.FirstOrDefault(one => one.Name == words[i]) is { } chosen)
            {
                command = chosen;
                app = app.Command(chosen.Name, one => chosen.Configure?.Invoke(one), throwOnUnexpectedArg: false);
                below = chosen.Subcommands;
            }
            else if (!words[i].StartsWith('-'))
            {
                arguments++;
            }
        }

        var current = words.Count > 0 ? words[^1] : "";
        var candidates = words.Count > 1 && Takes(app, words[^2]) is { } taking ? Values(taking)
            : current.StartsWith('-') ? app.GetOptions().Where(one => options.AppliesTo(one, command)).Select(Line)
            : below.Count > 0 ? below.Select(one => $"{one.Name}\t{one.Summary}")
            : arguments < app.Arguments.Count || app.Arguments.Any(argument => argument.MultipleValues) ? Arguments(app, command!)
            : [];
        return candidates.Where(line => line == Files || (line.StartsWith(current, StringComparison.Ordinal) && IsPlain(line)));
    }

    /// <summary>Whether a shell takes a word as it is: bash and PowerShell put it into the line unquoted, where what a file's name has
    /// in <c>$(…)</c> would be run.</summary>
    private static bool IsPlain(string line) =>
        line.Split('\t')[0].All(sign => char.IsLetterOrDigit(sign) || "_-./:,+@=%".Contains(sign, StringComparison.Ordinal))
        && !line.Any(sign => char.IsControl(sign) && sign != '\t');

    /// <summary>The option that a word names, where its value is the next word.</summary>
    private static CommandOption? Takes(CommandLineApplication app, string word) => app.GetOptions().FirstOrDefault(option =>
        option.OptionType is CommandOptionType.SingleValue or CommandOptionType.MultipleValue
        && (word == $"--{option.LongName}" || (option.ShortName is { } letter && word == $"-{letter}")));

    private static string Line(CommandOption option) => $"--{option.LongName}\t{option.Description}";

    private IEnumerable<string> Values(CommandOption option) => (option.LongName, option.ValueName) switch
    {
        ("to" or "from", _) => Migrations(),
        ("template" or "show" or "eject", _) => Templates(),
        ("env", _) => Environments(),
        (_, "FILE" or "DIR") => [Files],
        (_, { } value) when value.Contains(',', StringComparison.Ordinal) => value.Split(','),
        _ => [],
    };

    private IEnumerable<string> Arguments(CommandLineApplication app, Command command) => (command.Name, app.Arguments[0].Name) switch
    {
        (_, "SHELL") => CompletionScript.Shells,
        ("repair", _) => Migrations(),
        (_, "FILE") => Migrations().Select(id => $"{id}.sql"),
        ("diff", _) => [Files],
        _ => [],
    };

    private IEnumerable<string> Migrations()
    {
        var folder = Settings().MigrationsFolder;
        var names = Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*.sql")
            .Select(path => Path.GetFileNameWithoutExtension(path)) : [];
        return names.Where(name => MigrationNumber.Of($"{name}.sql") is not null).OrderBy(name => MigrationNumber.Of($"{name}.sql"));
    }

    private IEnumerable<string> Templates() =>
        new TemplateCatalog(Settings().TemplatesFolder).List().Select(template => $"{template.Name}\t{template.Summary}");

    private IEnumerable<string> Environments() => Settings().File?.Environments.Keys ?? [];

    private Settings Settings() => Configuration.Settings.Load(shell,
        new GlobalOptions(new CommandLineApplication(throwOnUnexpectedArg: false)));
}
