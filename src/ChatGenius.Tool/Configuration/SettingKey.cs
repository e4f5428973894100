namespace ChatGenius.Tool.Configuration;

internal enum SettingKind
{
    /// <summary>A path, relative to the settings file, or to the working directory where it comes from elsewhere.</summary>
    Path,
    Text,
    Flag,
    Duration,
    Count,

    /// <summary>An amount of data: <c>500MB</c>.</summary>
    Size,
}

/// <summary>
/// A setting: the one place that says its key in the settings file, its option, its variable, its default and what it sets. The options of
/// commands that run migrations, the settings file, its JSON schema, <c>config</c>, the help and <c>docs/settings.md</c> are made from it.
/// </summary>
/// <param name="Name">Its key in the settings file.</param>
/// <param name="Default">Its value where nobody gave one, in the form that <see cref="Normalize"/> returns.</param>
/// <param name="Description">What it does, for the JSON schema and the documentation.</param>
internal sealed record SettingKey(string Name, SettingKind Kind, string Default, string Description)
{
    /// <summary>The option that sets it, as McMaster declares it; null where there is none.</summary>
    public string? Option { get; init; }

    /// <summary>The option's line in the help; <see cref="Description"/> where null.</summary>
    public string? Help { get; init; }

    /// <summary>What a run takes from it; null for a setting that no run reads.</summary>
    public Func<MigratorOptions, SettingValue, MigratorOptions>? Set { get; init; }

    /// <summary>The smallest number.</summary>
    public int Least { get; init; }

    /// <summary>The environment variable that sets it.</summary>
    public string Variable { get; } = "CHATGENIUS_" + Name.ToUpperInvariant();

    /// <summary>The option's name with its dashes, for the origin that <c>config</c> shows.</summary>
    public string? OptionName => Option?.Split('|')[^1].Split(' ', '=')[0];

    public static readonly SettingKey Migrations = new("migrations", SettingKind.Path, "migrations", "Folder of the project's migrations.")
    {
        Option = "-m|--migrations <DIR>",
        Help = "Folder of the project's migrations [migrations]",
    };

    public static readonly SettingKey Templates = new(
        "templates", SettingKind.Path, "",
            "Folder of the project's own templates for new, which come before the built-in ones; migrations/templates by default.");

    public static readonly SettingKey Bundle = new(
        "bundle", SettingKind.Flag, "true", "Whether the bundled ChatGenius migrations belong to the sequence.")
    {
        Option = "--no-bundle",
        Help = "Leave out the bundled ChatGenius migrations",
    };

    public static readonly SettingKey Base = new(
        "base", SettingKind.Text, "",
            "The git revision whose migrations are published, so that renumber never moves them; "
            + "origin/HEAD by default, else origin/main, else main where another branch is checked out.");

    public static readonly SettingKey Format = new(
        "format", SettingKind.Text, "",
            "dbmate for a folder that dbmate has filled: an empty down means that there is no way back, and not that one is missing.");

    public static readonly SettingKey HistorySchema = new(
        "history_schema", SettingKind.Text, "chatgenius_db", "Schema in the database that keeps the history.")
    {
        Option = "--history-schema <NAME>",
        Help = "Schema that keeps the history [chatgenius_db]",
        Set = (options, value) => options with { HistorySchema = value.Text },
    };

    public static readonly SettingKey OutOfOrder = new(
        "out_of_order", SettingKind.Flag, "false", "Pending migrations that are older than the newest applied one are applied too.")
    {
        Option = "--allow-out-of-order",
        Help = "Also those older than the newest applied",
    };

    public static readonly SettingKey AllowMissing = new(
        "allow_missing", SettingKind.Flag, "false", "apply, plan and script continue though an applied migration's file is gone.")
    {
        Option = "--allow-missing",
        Help = "Continue though an applied one's file is gone",
    };

    public static readonly SettingKey SingleTransaction = new(
        "single_transaction", SettingKind.Flag, "false", "apply runs all migrations in one transaction: all of them or none.")
    {
        Option = "--single-transaction",
        Help = "All of them or none",
    };

    public static readonly SettingKey Certified = new(
        "certified", SettingKind.Flag, "false", "apply rolls back a migration that does more than check --certify saw.")
    {
        Option = "--certified",
        Help = "Roll back what does more than check --certify saw",
    };

    public static readonly SettingKey Create = new("create", SettingKind.Flag, "false", "apply creates the database where it is not there.")
    {
        Option = "--create",
        Help = "Create the database where it is not there",
    };

    public static readonly SettingKey NoEstimate = new(
        "no_estimate", SettingKind.Flag, "false", "rollback, redo and reset don't look for what will be lost.")
    {
        Option = "--no-estimate",
        Help = "Don't look for what will be lost",
    };

    public static readonly SettingKey TrustStoredDown = new(
        "trust_stored_down", SettingKind.Flag, "false", "rollback and redo run downs of a history that others may write.")
    {
        Option = "--trust-stored-down",
        Help = "Run downs of a history that others may write",
    };

    public static readonly SettingKey Backups = new("backups", SettingKind.Path, "backups", "Folder for the backups of apply --backup.");

    public static readonly SettingKey SchemaFile = new(
        "schema_file", SettingKind.Path, "",
        "File that apply, rollback, redo and reset write the schema to, for reviews; none by default. Not in a protected environment.");

    public static readonly SettingKey DatabaseUrlVariable = new(
        "database_url_variable", SettingKind.Text, "", "The environment variable that holds the URL of this environment's database.");

    public static readonly SettingKey Protected = new(
        "protected", SettingKind.Flag, "false",
        "Destructive commands are refused here, and apply shows its plan and asks first (or needs --yes without a terminal).");

    public static readonly SettingKey RequireBackup =
        new("require_backup", SettingKind.Flag, "false", "apply is refused here without --backup.");

    public static readonly SettingKey Fresh = new(
        "fresh", SettingKind.Flag, "false", "apply, plan and script go on beside tables that something else has made.")
    {
        Option = "--fresh",
        Help = "Also beside tables that something else has made",
    };

    public static readonly SettingKey PasswordCommand = new(
        "password_command", SettingKind.Text, "",
        "A command line that prints the password, such as a token that lives for minutes; it is run for each connection.");

    /// <summary>How long a run waits, and for whom it gives way: the options of every command that runs migrations.</summary>
    public static readonly IReadOnlyList<SettingKey> OfARun =
    [
        new("lock_timeout", SettingKind.Duration, "5s",
            "How long a statement waits for a lock before its migration rolls back and is tried again; 0 is without limit.")
        {
            Option = "--lock-timeout <TIME>",
            Help = "How long a statement waits for a lock",
            Set = (options, value) => options with { LockTimeout = value.Time },
        },
        new("statement_timeout", SettingKind.Duration, "0", "How long a statement may take; 0 is without limit.")
        {
            Option = "--statement-timeout <TIME>",
            Help = "How long a statement may take; 0: no limit",
            Set = (options, value) => options with { StatementTimeout = value.Time },
        },
        new("retries", SettingKind.Count, "20",
            "How often a migration that met a lock timeout, a deadlock or a serialization failure is tried again.")
        {
            Option = "--retries <N>",
            Help = "How often to try again after a lock timeout",
            Set = (options, value) => options with { LockRetries = value.Count },
        },
        new("max_blocked", SettingKind.Count, "5",
            "A statement is cancelled and tried again when so many sessions wait for it, before the first has waited for max_blocked_time.")
        {
            Option = "--max-blocked <N>",
            Help = "Give way when so many sessions wait for us",
            Least = 1,
            Set = (options, value) => options with { MaxBlocked = value.Count },
        },
        new("max_blocked_time", SettingKind.Duration, "1s", "See max_blocked.")
        {
            Option = "--max-blocked-time <TIME>",
            Help = "... before the first has waited this long",
            Set = (options, value) => options with { MaxBlockedTime = value.Time },
        },
        new("wait_for_lock", SettingKind.Duration, "10m", "How long a run waits for another run to end.")
        {
            Option = "--wait-for-lock <TIME>",
            Help = "How long to wait for another run",
            Set = (options, value) => options with { WaitForLock = value.Time },
        },
    ];

    public static readonly SettingKey MaxLag = new("max_lag", SettingKind.Duration, "10s",
        "Batches pause while a standby is further behind than this; 0 is without limit. Where it is set, preflight refuses too.")
    {
        Option = "--max-lag <TIME>",
        Help = "Batches: pause while a standby is so far behind",
        Set = (options, value) => options with { Batches = options.Batches with { MaxLag = value.Time } },
    };

    public static readonly SettingKey MaxTransactionAge = new("max_transaction_age", SettingKind.Duration, "1h",
        "Batches pause while another session's transaction is older than this; 0 is without limit. Where it is set, preflight refuses too.")
    {
        Option = "--max-transaction-age <TIME>",
        Help = "Batches: pause while one is older than this",
        Set = (options, value) => options with { Batches = options.Batches with { MaxTransactionAge = value.Time } },
    };

    public static readonly SettingKey MaxTime = new("max_time", SettingKind.Duration, "0",
        "apply and preflight refuse a plan that is expected to take longer, or of which that is not known; 0 is without limit.")
    {
        Option = "--max-time <TIME>",
        Help = "Refuse what is expected to take longer",
    };

    public static readonly SettingKey MaxWal = new("max_wal", SettingKind.Size, "0",
        "apply and preflight refuse a plan that is expected to write more write-ahead log; 0 is without limit.")
    {
        Option = "--max-wal <SIZE>",
        Help = "Refuse what is expected to write more log",
    };

    /// <summary>When sections in batches pause: options of apply.</summary>
    public static readonly IReadOnlyList<SettingKey> OfBatches =
    [
        new("load", SettingKind.Count, "100",
            "How much of the time batches work, in percent; at 50 they rest after each slice for as long as it took.")
        {
            Option = "--load <PERCENT>",
            Help = "Batches: how much of the time they work",
            Least = 1,
            Set = (options, value) => options with { Batches = options.Batches with { Load = Math.Min(value.Count, 100) } },
        },
        MaxLag,
        new("max_lag_mb", SettingKind.Count, "256",
            "Batches pause while a standby has more megabytes of write-ahead log to replay; 0 is without limit.")
        {
            Option = "--max-lag-mb <N>",
            Help = "... or has so many megabytes to replay",
            Set = (options, value) => options with
            {
                Batches = options.Batches with { MaxLagBytes = value.Count * BatchLimits.Megabyte },
            },
        },
        new("min_slot_mb", SettingKind.Count, "1000",
            "Batches pause while a replication slot has fewer megabytes left before it is lost, at most half of max_slot_wal_keep_size.")
        {
            Option = "--min-slot-mb <N>",
            Help = "Batches: pause while a slot has less left",
            Set = (options, value) => options with
            {
                Batches = options.Batches with { MinSlotBytes = value.Count * BatchLimits.Megabyte },
            },
        },
        new("max_archive_files", SettingKind.Count, "64",
            "Batches pause while more files of write-ahead log wait for the archive; 0 is without limit.")
        {
            Option = "--max-archive-files <N>",
            Help = "Batches: pause while more wait for the archive",
            Set = (options, value) => options with { Batches = options.Batches with { MaxArchiveFiles = value.Count } },
        },
        new("max_checkpoints", SettingKind.Count, "10",
            "Batches pause while more checkpoints than this were requested within five minutes; 0 is without limit.")
        {
            Option = "--max-checkpoints <N>",
            Help = "Batches: pause after so many in five minutes",
            Set = (options, value) => options with { Batches = options.Batches with { MaxCheckpoints = value.Count } },
        },
        MaxTransactionAge,
    ];

    public static readonly SettingKey CancelTimeout = new(
        "cancel_timeout", SettingKind.Duration, "15s",
        "How long a cancelled run waits for a server that does not answer, before it ends and says what is not known.")
    {
        // The engine wants more than zero: at 0 the run does not wait.
        Set = (options, value) => options with { CancelTimeout = value.Time + TimeSpan.FromMilliseconds(1) },
    };

    public static readonly SettingKey WaitForStandbys = new(
        "wait_for_standbys", SettingKind.Duration, "10m",
        "How long a run waits until standbys have replayed a migration that says cgdb:wait-standbys; 0 is without limit.")
    {
        Set = (options, value) => options with { StandbyTimeout = value.Time },
    };

    public static readonly SettingKey Standbys = new(
        "standbys", SettingKind.Text, "",
        "Standbys whose reads count for cgdb:unused-since, as host:port with commas between them; role and password are the primary's.")
    {
        Set = (options, value) => options with
        {
            Standbys = value.Text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
        },
    };

    /// <summary>What the settings file takes at its top and in every environment.</summary>
    public static readonly IReadOnlyList<SettingKey> Everywhere =
        [Migrations, Templates, Bundle, Base, Format, HistorySchema, .. OfARun, .. OfBatches, MaxTime, MaxWal, CancelTimeout,
            WaitForStandbys, Standbys, Backups, SchemaFile, OutOfOrder, AllowMissing, Fresh, SingleTransaction, Certified, Create,
            NoEstimate, TrustStoredDown];

    /// <summary>What an environment takes besides.</summary>
    public static readonly IReadOnlyList<SettingKey> OfAnEnvironment = [DatabaseUrlVariable, PasswordCommand, Protected, RequireBackup];

    /// <summary>The largest number.</summary>
    public const int Most = 1000;

    /// <summary>What a value has to be, for the advice of a problem.</summary>
    public string Expected => Kind switch
    {
        SettingKind.Flag => "true or false",
        SettingKind.Duration => Duration.Expected,
        SettingKind.Count => string.Create(CultureInfo.InvariantCulture, $"a whole number from {Least} to {Most}"),
        SettingKind.Path => "a path",
        SettingKind.Size => DataSize.Expected,
        _ when Name == "format" => "dbmate",
        _ => "a text that is not empty",
    };

    /// <summary>
    /// The value in its one form, or null where the text is no such value. A setting is kept as text, so that all of them are read,
    /// compared and shown in the same way.
    /// </summary>
    public string? Normalize(string text) => Kind switch
    {
        SettingKind.Flag => text switch { "true" or "1" => "true", "false" or "0" => "false", _ => null },
        SettingKind.Duration => Duration.TryParse(text, out var duration) ? Duration.Write(duration) : null,
        SettingKind.Count => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count >= Least
            && count <= Most
            ? text : null,
        SettingKind.Size => DataSize.TryParse(text, out _) ? text : null,
        _ when Name == "format" => text == "dbmate" ? text : null,
        _ => string.IsNullOrWhiteSpace(text) || text.Contains('\0') ? null : text,
    };

    /// <summary>Declares the option.</summary>
    public void Declare(CommandLineApplication app, bool inherited = false, string? help = null) => app.Option(
        Option!,
        help ?? $"{Help}{(Set is null || inherited ? "" : $" [{Default}]")}",
        Option!.Contains('<', StringComparison.Ordinal) ? CommandOptionType.SingleValue : CommandOptionType.NoValue,
        _ => { },
        inherited);

    /// <summary>Declares the options of a command that runs migrations.</summary>
    public static void DeclareRun(CommandLineApplication app, bool withBatches = false)
    {
        foreach (var key in withBatches ? [.. OfARun, .. OfBatches, MaxTime, MaxWal] : OfARun)
        {
            key.Declare(app);
        }
    }

    /// <summary>The value that the command line has; null where it has none.</summary>
    public string? On(CommandLineApplication app) =>
        OptionName is not { } name || app.GetOptions().FirstOrDefault(option => $"--{option.LongName}" == name) is not { } option
            || !option.HasValue() ? null
        : option.OptionType == CommandOptionType.NoValue ? (Default == "true" ? "false" : "true")
        : option.Value();
}

/// <summary>A normalized value, in the type that its setting has.</summary>
internal readonly record struct SettingValue(string Text)
{
    public int Count => int.Parse(Text, CultureInfo.InvariantCulture);

    public TimeSpan Time => Duration.TryParse(Text, out var time) ? time
        : throw new InvalidOperationException($"\"{Text}\" was not normalized.");

    public long Bytes => DataSize.TryParse(Text, out var bytes) ? bytes
        : throw new InvalidOperationException($"\"{Text}\" was not normalized.");
}

/// <summary>A value and where it comes from.</summary>
/// <param name="Origin">An option, a variable, a place in the settings file, or <c>default</c>.</param>
internal sealed record Setting(string Value, string Origin)
{
    public const string Default = "default";
}
