using System.Globalization;
using ChatGenius.Db;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Migrations;
using ChatGenius.Tool.Output;
namespace ChatGenius.Tool.Configuration;

/// <summary>Every setting of this run with where it comes from: command line, then environment, then <c>.env</c>, then settings file, then default.</summary>
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
            _ofEnvironment = File is not null && File.Environments.TryGetValue(Environment.Value, out var values) ? values : throw NoSuchEnvironment();
        }

        foreach (var key in SettingKey.Everywhere)
        {
            _values[key] = Resolve(key);
        }
    }

    /// <summary>Reads the settings file and <c>.env</c>, where there are any.</summary>
    /// <exception cref="ProblemException">CG0901 to CG0909.</exception>
    public static Settings Load(Shell shell, GlobalOptions options) => new(shell, options);

    /// <summary>The settings file; null where there is none.</summary>
    public SettingsFile? File { get; }

    /// <summary>The environment that was chosen, with who chose it; null where none was.</summary>
    public Setting? Environment { get; }

    /// <summary>Whether destructive commands are refused and <c>apply</c> asks first.</summary>
    public bool IsProtected => _ofEnvironment.TryGetValue(SettingKey.Protected, out var value) && value.Value == "true";

    /// <summary>Whether <c>apply</c> is refused without a backup.</summary>
    public bool RequiresBackup => _ofEnvironment.TryGetValue(SettingKey.RequireBackup, out var value) && value.Value == "true";

    public bool Bundle => this[SettingKey.Bundle].Value == "true";

    public string HistorySchema => this[SettingKey.HistorySchema].Value;

    /// <summary>What a run may do and how long it may wait, as far as settings say.</summary>
    public MigratorOptions RunOptions => new()
    {
        HistorySchema = HistorySchema,
        LockTimeout = Span(SettingKey.LockTimeout),
        StatementTimeout = Span(SettingKey.StatementTimeout),
        WaitForLock = Span(SettingKey.WaitForLock),
        LockRetries = Number(SettingKey.Retries),
        MaxBlocked = Number(SettingKey.MaxBlocked),
        MaxBlockedTime = Span(SettingKey.MaxBlockedTime),
    };

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

    private Setting Resolve(SettingKey key)
    {
        var ofOption = key == SettingKey.Migrations ? _options.Migrations
            : key == SettingKey.HistorySchema ? _options.HistorySchema
            : key == SettingKey.Bundle && _options.NoBundle ? "false"
            : null;
        if ((ofOption is null ? Variable(key.Variable) : new Setting(ofOption, key.Option!)) is { } given)
        {
            var value = key.Normalize(given.Value) ?? throw new ProblemException(
                "CG0907", $"{given.Origin} can't be \"{given.Value}\"", advice: $"Give {key.Expected}.");
            return given with { Value = key.Kind == SettingKind.Path ? _shell.Absolute(value) : value };
        }

        if (_ofEnvironment.TryGetValue(key, out var setting) || (File is not null && File.Values.TryGetValue(key, out setting)))
        {
            return setting;
        }

        var fallback = key == SettingKey.Templates ? Path.Combine(this[SettingKey.Migrations].Value, "templates")
            : key.Kind == SettingKind.Path ? Path.GetFullPath(key.Default, File?.Folder ?? _shell.WorkingDirectory)
            : key.Default;
        return new Setting(fallback, Setting.Default);
    }

    private int Number(SettingKey key) => int.Parse(this[key].Value, CultureInfo.InvariantCulture);

    private TimeSpan Span(SettingKey key) =>
        Duration.TryParse(this[key].Value, out var duration) ? duration : throw new InvalidOperationException($"{key.Name} was not normalized.");

    private ProblemException NoSuchEnvironment()
    {
        var known = File?.Environments.Keys.ToList() ?? [];
        var advice = File is null ? $"Environments are named in {SettingsFile.Name}, and none was found from {_shell.WorkingDirectory} upwards."
            : known.Count == 0 ? $"Add it under \"environments\" in {File.Path}."
            : $"{File.Path} has {string.Join(", ", known)}.";
        return new ProblemException(
            "CG0908", $"There is no environment \"{Environment!.Value}\", which {Environment.Origin} names", advice: advice);
    }
}
