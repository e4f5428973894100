using ChatGenius.Db.Connections;
using McMaster.Extensions.CommandLineUtils;
namespace ChatGenius.Tool;

/// <summary>The options that every command takes, before or after its name.</summary>
internal sealed class GlobalOptions
{
    private readonly CommandOption _database, _environment, _migrations, _noBundle, _config, _embedded, _historySchema, _verbose, _quiet, _noColor, _json, _help;

    /// <summary>Declares the options on the root; the commands inherit them.</summary>
    public GlobalOptions(CommandLineApplication root)
    {
        _database = Add("-d|--database <URL>", "Database to work on: postgres:// URL or keywords", CommandOptionType.SingleValue);
        _embedded = Add("--embedded", "Use the embedded development server", CommandOptionType.NoValue);
        _environment = Add("--env <NAME>", "Environment of the settings file to work in", CommandOptionType.SingleValue);
        _migrations = Add("-m|--migrations <DIR>", "Folder of the project's migrations [migrations]", CommandOptionType.SingleValue);
        _noBundle = Add("--no-bundle", "Leave out the bundled ChatGenius migrations", CommandOptionType.NoValue);
        _historySchema = Add("--history-schema <NAME>", "Schema that keeps the history [chatgenius_db]", CommandOptionType.SingleValue);
        _config = Add("--config <FILE>", "Settings file [chatgenius-db.json, found upwards]", CommandOptionType.SingleValue);
        _json = Add("--json", "Print one JSON document on stdout", CommandOptionType.NoValue);
        _verbose = Add("-v|--verbose", "Say more on stderr", CommandOptionType.NoValue);
        _quiet = Add("-q|--quiet", "Print results and problems only", CommandOptionType.NoValue);
        _noColor = Add("--no-color", "No colour and no live progress", CommandOptionType.NoValue);
        _help = Add("-h|--help", "Show this help", CommandOptionType.NoValue);

        CommandOption Add(string template, string description, CommandOptionType type) =>
            root.Option(template, description, type, _ => { }, inherited: true);
    }

    public string? Database => _database.Value();

    public bool Embedded => _embedded.HasValue();

    public string? Environment => _environment.Value();

    public string? Migrations => _migrations.Value();

    public bool NoBundle => _noBundle.HasValue();

    public string? HistorySchema => _historySchema.Value();

    public string? Config => _config.Value();

    public bool Json => _json.HasValue();

    public bool Verbose => _verbose.HasValue();

    public bool Quiet => _quiet.HasValue();

    public bool NoColor => _noColor.HasValue();

    public bool Help => _help.HasValue();

    /// <summary>Whether the help shows an option for a command: <c>--json</c> stands only where it does something.</summary>
    public bool AppliesTo(CommandOption option, Command? command) => option != _json || command is { Json: true };
}
