using System.Text.RegularExpressions;
using ChatGenius.Db.Text;

namespace ChatGenius.Tool;

/// <summary>The options that every command takes, before or after its name.</summary>
internal sealed partial class GlobalOptions
{
    private readonly CommandOption _database, _environment, _config, _embedded, _verbose, _quiet, _noColor, _json, _help;

    /// <summary>Declares the options on the root; the commands inherit them.</summary>
    public GlobalOptions(CommandLineApplication root)
    {
        App = root;
        _database = Add("-d|--database <URL>", "Database to work on: postgres:// URL or keywords", CommandOptionType.SingleValue);
        _embedded = Add("--embedded", "Use the embedded development server", CommandOptionType.NoValue);
        _environment = Add("--env <NAME>", "Environment of the settings file to work in", CommandOptionType.SingleValue);
        SettingKey.Migrations.Declare(root, inherited: true);
        SettingKey.Bundle.Declare(root, inherited: true);
        SettingKey.HistorySchema.Declare(root, inherited: true);
        _config = Add("--config <FILE>", "Settings file [chatgenius-db.json, found upwards]", CommandOptionType.SingleValue);
        _json = Add("--json", "Print one JSON document on stdout", CommandOptionType.NoValue);
        _verbose = Add("-v|--verbose", "Say more on stderr", CommandOptionType.NoValue);
        _quiet = Add("-q|--quiet", "Print results and problems only", CommandOptionType.NoValue);
        _noColor = Add("--no-color", "No colour and no live progress", CommandOptionType.NoValue);
        _help = Add("-h|--help", "Show this help", CommandOptionType.NoValue);

        CommandOption Add(string template, string description, CommandOptionType type) =>
            root.Option(template, description, type, _ => { }, inherited: true);
    }

    /// <summary>The chosen command as McMaster knows it, with its own options and these.</summary>
    public CommandLineApplication App { get; set; }

    public string? Database => _database.Value();

    public bool Embedded => _embedded.HasValue();

    public string? Environment => _environment.Value();

    public string? Config => _config.Value();

    public bool Json => _json.HasValue();

    public bool Verbose => _verbose.HasValue();

    public bool Quiet => _quiet.HasValue();

    public bool NoColor => _noColor.HasValue();

    public bool Help => _help.HasValue();

    /// <summary>The migrations that this call names, as they were given: by number, or by id.</summary>
    public IEnumerable<string> Migrations => App.GetOptions().Where(option => option.ValueName == "NUMBER").Select(option => option.Value())
        .Concat(App.Arguments.Where(argument => argument.Name == "NUMBER").Select(argument => argument.Value)).OfType<string>();

    /// <summary>The options of this call that a call of another command needs to work in the same place; a password is left out.</summary>
    /// <param name="words">That call's own words.</param>
    public IEnumerable<string> Here(IReadOnlyList<string> words)
    {
        if (words[0] is "server" or "new" || words.Contains("--help") || words.Contains("--rules"))
        {
            return [];
        }

        string[] names = ["database", "embedded", "env", "migrations", "no-bundle", "history-schema", "config"];
        return names.Where(name => !words.Contains($"--{name}"))
            .Select(name => App.GetOptions().First(option => option.LongName == name)).Where(option => option.HasValue())
            .SelectMany(option => option.OptionType == CommandOptionType.NoValue ? [$"--{option.LongName}"]
                : option != _database ? [$"--{option.LongName}", option.Value()!]
                : WithoutPassword(option.Value()!) is { } url ? [$"--{option.LongName}", url]
                : Array.Empty<string>());
    }

    /// <summary>What was given, but for the password; nothing where it is not understood, which is what the problem is about.</summary>
    private static string? WithoutPassword(string database)
    {
        try
        {
            var shown = DatabaseUrl.Parse(database).Display;
            var rest = Password().Replace(database, "$1");
            // What looks like a secret still is one that is written in a way of its own.
            return Secrets.Hide(rest) == rest && DatabaseUrl.Parse(rest).Display == shown ? rest : shown;
        }
        catch (ProblemException)
        {
            return null;
        }
    }

    /// <summary>After the role in a URL, as a parameter of one, and as a keyword.</summary>
    [GeneratedRegex(
        @"(?<=^\w+://[^:/?\#@]*):[^@/]*(?=@)|(?<=[?&])(?:ssl)?password=[^&]*&?"
            + @"|(^|;)\s*(?:password|pwd|passwd)\s*=\s*(?:""[^""]*""|'[^']*'|[^;]*)",
        RegexOptions.IgnoreCase)]
    private static partial Regex Password();

    /// <summary>Whether the help shows an option for a command: <c>--json</c> stands only where it does something.</summary>
    public bool AppliesTo(CommandOption option, Command? command) => option != _json || command is { Json: true };
}
