using ChatGenius.Db.Server;
using ChatGenius.Db.Text;

namespace ChatGenius.Tool.Configuration;

/// <summary>Every setting of this run with where it comes from: command line, then environment, then <c>.env</c>, then settings file, then
/// default.</summary>
internal sealed class Settings
{
    private readonly Shell _shell;
    private readonly GlobalOptions _options;
    private readonly IReadOnlyDictionary<string, string> _dotEnv;
    private readonly IReadOnlyDictionary<SettingKey, Setting> _ofEnvironment = new Dictionary<SettingKey, Setting>();
    private readonly Dictionary<SettingKey, Setting> _values = [];

    private Settings(Shell shell, GlobalOptions options)
    {
        (_shell, _options) = (shell, options);
        File = SettingsFile.Find(shell, options.Config ?? shell.Variable("CHATGENIUS_CONFIG"));
        _dotEnv = DotEnv.Find(shell, File?.Folder);
        Environment = options.Environment is { } name ? new Setting(name, "--env") : Variable("CHATGENIUS_ENV");
        if (Environment is not null)
        {
            _ofEnvironment = File is not null && File.Environments.TryGetValue(Environment.Value, out var values) ? values
                : throw NoSuchEnvironment();
        }

        foreach (var key in SettingKey.Everywhere)
        {
            _values[key] = Resolve(key);
        }

        Doubtful = [.. Misspelt()];
    }

    /// <summary>Reads the settings file and <c>.env</c>, where there are any.</summary>
    /// <exception cref="ProblemException">CG0901 to CG0909.</exception>
    public static Settings Load(Shell shell, GlobalOptions options) => new(shell, options);

    /// <summary>Variables that are likely to be misspelt, as warnings.</summary>
    public IReadOnlyList<Problem> Doubtful { get; }

    /// <summary>The settings file; null where there is none.</summary>
    public SettingsFile? File { get; }

    /// <summary>What the file says of <c>check</c>.</summary>
    public CheckSettings Check => File?.Check ?? CheckSettings.None;

    /// <summary>The environment that was chosen, with who chose it; null where none was.</summary>
    public Setting? Environment { get; }

    /// <summary>Whether destructive commands are refused and <c>apply</c> asks first.</summary>
    public bool IsProtected => _ofEnvironment.TryGetValue(SettingKey.Protected, out var value) && value.Value == "true";

    /// <summary>Whether <c>apply</c> is refused without a backup.</summary>
    public bool RequiresBackup => _ofEnvironment.TryGetValue(SettingKey.RequireBackup, out var value) && value.Value == "true";

    /// <summary>The command that prints the password; null where there is none.</summary>
    public string? PasswordCommand =>
        _ofEnvironment.TryGetValue(SettingKey.PasswordCommand, out var value) && value.Value.Length > 0 ? value.Value : null;

    public bool Bundle => Has(SettingKey.Bundle);

    /// <summary>Whether a flag is set.</summary>
    public bool Has(SettingKey flag) => this[flag].Value == "true";

    public string HistorySchema => this[SettingKey.HistorySchema].Value;

    /// <summary>What a run may do and how long it may wait, as far as settings say.</summary>
    public MigratorOptions RunOptions =>
        SettingKey.Everywhere.Aggregate(new MigratorOptions(), (options, key) =>
            key.Set?.Invoke(options, new SettingValue(this[key].Value)) ?? options);

    /// <summary>The folder of the project's migrations, whether it is there or not.</summary>
    public string MigrationsFolder => _shell.Shown(this[SettingKey.Migrations].Value);

    /// <summary>The folder of the project's own templates, whether it is there or not.</summary>
    public string TemplatesFolder => _shell.Shown(this[SettingKey.Templates].Value);

    /// <summary>Whether it is a mistake that the folder is not there: somebody named it, or there is nothing else to run.</summary>
    public bool MigrationsFolderMustExist => !Bundle || this[SettingKey.Migrations].Origin != Setting.Default;

    public Setting this[SettingKey key] => _values[key];

    /// <summary>A variable of the process's environment or else of <c>.env</c>.</summary>
    public Setting? Variable(string name) =>
        _shell.Variable(name) is { } value ? new Setting(value, name)
        : _dotEnv.TryGetValue(name, out var fromFile) && fromFile.Length > 0 ? new Setting(fromFile, $"{name} in {DotEnv.Name}")
        : null;

    /// <summary>
    /// The text that names the database: <c>--database</c>, the chosen environment's variable, <c>CHATGENIUS_DATABASE_URL</c>,
    /// <c>DATABASE_URL</c>; the two last in the process's environment before <c>.env</c>. Null where none of them is given.
    /// </summary>
    /// <exception cref="ProblemException">CG0909: the chosen environment's variable is not set.</exception>
    public Setting? DatabaseUrl
    {
        get
        {
            if (_options.Database is { } text)
            {
                return new Setting(text, "--database");
            }

            if (_ofEnvironment.TryGetValue(SettingKey.DatabaseUrlVariable, out var variable))
            {
                // Falling back to another URL here would run production's plan on somebody's laptop, or the other way round.
                return Variable(variable.Value) ?? throw new ProblemException(
                    "CG0909", $"The environment \"{Environment!.Value}\" takes its database from {variable.Value}, which is not set",
                    advice: $"Set {variable.Value}, or give --database URL. The name comes from {variable.Origin}.");
            }

            string[] names = ["CHATGENIUS_DATABASE_URL", "DATABASE_URL"];
            return names.Select(name => _shell.Variable(name) is { } value ? new Setting(value, name) : null)
                .Concat(names.Select(Variable))
                .FirstOrDefault(setting => setting is not null);
        }
    }

    /// <summary>A variable with our beginning that nobody reads and that is near to one which is read. Others may be the application's
    /// own.</summary>
    private IEnumerable<Problem> Misspelt()
    {
        string[] others =
        [
            "CHATGENIUS_DATABASE_URL", "CHATGENIUS_ENV", "CHATGENIUS_CONFIG", LocalServerOptions.FolderVariable, PostgresBinaries.Variable,
                "CHATGENIUS_DB_EXE",
        ];
        var named = File?.Environments.Values.Select(values => values.GetValueOrDefault(SettingKey.DatabaseUrlVariable)?.Value)
            .OfType<string>() ?? [];
        var known = SettingKey.Everywhere.Select(key => key.Variable).Concat(others).ToList();
        return _shell.Environment.Keys.Concat(_dotEnv.Keys)
            .Where(name => name.StartsWith("CHATGENIUS_", StringComparison.Ordinal)).Except([.. known, .. named])
                .Order(StringComparer.Ordinal)
            .Select(name => (Name: name, Nearest: known.MinBy(other => Nearest.Distance(name, other))!))
            .Where(pair => Nearest.Distance(pair.Name, pair.Nearest) <= 2)
            .Select(pair => new Problem("CG0914", $"The variable {pair.Name} is not read", Advice: $"Did you mean {pair.Nearest}?"));
    }

    private Setting Resolve(SettingKey key)
    {
        var option = key.On(_options.App);
        if ((option is null ? Variable(key.Variable) : new Setting(option, key.OptionName!)) is { } given)
        {
            var value = key.Normalize(given.Value) ?? throw new ProblemException(
                option is null ? "CG0907" : "CG1006", $"{given.Origin} can't be \"{given.Value}\"", advice: $"Give {key.Expected}.");
            return given with { Value = key.Kind == SettingKind.Path ? _shell.Absolute(value) : value };
        }

        if (_ofEnvironment.TryGetValue(key, out var setting) || (File is not null && File.Values.TryGetValue(key, out setting)))
        {
            return setting;
        }

        var fallback = key == SettingKey.Templates ? Path.Combine(this[SettingKey.Migrations].Value, "templates")
            : key is { Kind: SettingKind.Path, Default.Length: > 0 }
                ? Path.GetFullPath(key.Default, File?.Folder ?? _shell.WorkingDirectory)
            : key.Default;
        return new Setting(fallback, Setting.Default);
    }

    private ProblemException NoSuchEnvironment()
    {
        var known = File?.Environments.Keys.ToList() ?? [];
        var advice = File is null
            ? $"Environments are named in {SettingsFile.Name}, and none was found from {_shell.WorkingDirectory} upwards."
            : known.Count == 0 ? $"Add it under \"environments\" in {File.Path}."
            : $"{File.Path} has {string.Join(", ", known)}.";
        return new ProblemException(
            "CG0908", $"There is no environment \"{Environment!.Value}\", which {Environment.Origin} names", advice: advice);
    }
}
