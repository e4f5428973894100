using System.Globalization;
using ChatGenius.Tool.Output;

namespace ChatGenius.Tool.Configuration;

internal enum SettingKind
{
    /// <summary>A path, relative to the settings file, or to the working directory where it comes from elsewhere.</summary>
    Path,
    Text,
    Flag,
    Duration,
    Count,
}

/// <summary>A setting that can be given in the settings file, and for most also in the environment.</summary>
/// <param name="Name">Its key in the settings file.</param>
/// <param name="Default">Its value where nobody gave one, in the form that <see cref="Normalize"/> returns.</param>
/// <param name="Option">The command-line option that sets it, for the origin that <c>config</c> shows.</param>
internal sealed record SettingKey(string Name, SettingKind Kind, string Default, string? Option = null)
{
    /// <summary>The environment variable that sets it.</summary>
    public string Variable { get; } = "CHATGENIUS_" + Name.ToUpperInvariant();

    public static readonly SettingKey Migrations = new("migrations", SettingKind.Path, "migrations", "--migrations");
    public static readonly SettingKey Templates = new("templates", SettingKind.Path, "", null);
    public static readonly SettingKey Bundle = new("bundle", SettingKind.Flag, "true", "--no-bundle");
    public static readonly SettingKey HistorySchema = new("history_schema", SettingKind.Text, "chatgenius_db", "--history-schema");
    public static readonly SettingKey LockTimeout = new("lock_timeout", SettingKind.Duration, "5s");
    public static readonly SettingKey StatementTimeout = new("statement_timeout", SettingKind.Duration, "0");
    public static readonly SettingKey WaitForLock = new("wait_for_lock", SettingKind.Duration, "10m");
    public static readonly SettingKey Retries = new("retries", SettingKind.Count, "20");
    public static readonly SettingKey MaxBlocked = new("max_blocked", SettingKind.Count, "5");
    public static readonly SettingKey MaxBlockedTime = new("max_blocked_time", SettingKind.Duration, "1s");
    public static readonly SettingKey Backups = new("backups", SettingKind.Path, "backups", "--backup");
    public static readonly SettingKey DatabaseUrlVariable = new("database_url_variable", SettingKind.Text, "");
    public static readonly SettingKey Protected = new("protected", SettingKind.Flag, "false");
    public static readonly SettingKey RequireBackup = new("require_backup", SettingKind.Flag, "false");

    /// <summary>What the settings file takes at its top and in every environment.</summary>
    public static readonly IReadOnlyList<SettingKey> Everywhere =
        [Migrations, Templates, Bundle, HistorySchema, LockTimeout, StatementTimeout, WaitForLock, Retries, MaxBlocked, MaxBlockedTime, Backups];

    /// <summary>What an environment takes besides.</summary>
    public static readonly IReadOnlyList<SettingKey> OfAnEnvironment = [DatabaseUrlVariable, Protected, RequireBackup];

    /// <summary>What a value has to be, for the advice of a problem.</summary>
    public string Expected => Kind switch
    {
        SettingKind.Flag => "true or false",
        SettingKind.Duration => Duration.Expected,
        SettingKind.Count => "a whole number from 0 to 1000",
        SettingKind.Path => "a path",
        _ => "a text that is not empty",
    };

    /// <summary>The value in its one form, or null where the text is none. A setting is kept as text, so that all of them are read, compared and shown alike.</summary>
    public string? Normalize(string text) => Kind switch
    {
        SettingKind.Flag => text switch { "true" or "1" => "true", "false" or "0" => "false", _ => null },
        SettingKind.Duration => Duration.TryParse(text, out var duration) ? Duration.Write(duration) : null,
        SettingKind.Count => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count <= 1000 ? text : null,
        _ => string.IsNullOrWhiteSpace(text) || text.Contains('\0') ? null : text,
    };
}

/// <summary>A value and where it comes from.</summary>
/// <param name="Origin">An option, a variable, a place in the settings file, or <c>default</c>.</param>
internal sealed record Setting(string Value, string Origin)
{
    public const string Default = "default";
}
