using ChatGenius.Db.Migrations;
using ChatGenius.Tool.Configuration;
using McMaster.Extensions.CommandLineUtils;

namespace ChatGenius.Tool.Commands;

/// <summary>The options of every command that runs migrations: how long it waits, and for whom it gives way.</summary>
internal sealed class RunOptions(CommandLineApplication app)
{
    private readonly CommandOption _lockTimeout = app.Option(
        "--lock-timeout <TIME>", "How long a statement waits for a lock [5s]", CommandOptionType.SingleValue);

    private readonly CommandOption _statementTimeout = app.Option(
        "--statement-timeout <TIME>", "How long a statement may take [0: no limit]", CommandOptionType.SingleValue);

    private readonly CommandOption _retries = app.Option(
        "--retries <N>", "How often to try again after a lock timeout [20]", CommandOptionType.SingleValue);

    private readonly CommandOption _maxBlocked = app.Option(
        "--max-blocked <N>", "Give way when so many sessions wait behind us [5]", CommandOptionType.SingleValue);

    private readonly CommandOption _maxBlockedTime = app.Option(
        "--max-blocked-time <TIME>", "... before the first has waited this long [1s]", CommandOptionType.SingleValue);

    private readonly CommandOption _waitForLock = app.Option(
        "--wait-for-lock <TIME>", "How long to wait for another run [10m]", CommandOptionType.SingleValue);

    /// <summary>The settings' numbers with the command line's in front of them.</summary>
    public MigratorOptions Over(Settings settings)
    {
        var options = settings.RunOptions;
        return options with
        {
            LockTimeout = _lockTimeout.Duration() ?? options.LockTimeout,
            StatementTimeout = _statementTimeout.Duration() ?? options.StatementTimeout,
            LockRetries = (int?)_retries.Number(most: 1000) ?? options.LockRetries,
            MaxBlocked = (int?)_maxBlocked.Number(least: 1, most: 1000) ?? options.MaxBlocked,
            MaxBlockedTime = _maxBlockedTime.Duration() ?? options.MaxBlockedTime,
            WaitForLock = _waitForLock.Duration() ?? options.WaitForLock,
        };
    }
}
