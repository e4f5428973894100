using ChatGenius.Db.Server;

namespace ChatGenius.Tool.Commands;

internal sealed class ServerCommand(TargetFinder targets, Consent consent, Report report)
{
    internal static readonly Command Definition = new("server", "Start, stop and look after the embedded server")
    {
        Details =
            """
            A private PostgreSQL for development under your data directory. It is started
            when a command needs it, keeps running between calls, and keeps its data.
            CHATGENIUS_DATA_DIR moves it; CHATGENIUS_POSTGRES_BIN names other programs.
            """,
        Subcommands =
        [
            new("start", "Start the server, creating it where it is not there")
            {
                Json = true,
                Configure = _ => Command.Handle<ServerCommand>((command, cancellationToken) => command.StartAsync(cancellationToken)),
            },
            new("stop", "Stop the server; its data is kept")
            {
                Json = true,
                Configure = _ => Command.Handle<ServerCommand>((command, cancellationToken) => command.StopAsync(cancellationToken)),
            },
            new("status", "Show whether the server runs, and where its files are")
            {
                Json = true,
                Configure = app =>
                {
                    var exitCode = app.Option("--exit-code", "Exit with 1 unless it runs", CommandOptionType.NoValue);
                    return Command.Handle<ServerCommand>((command, _) => Task.FromResult(command.Status(exitCode.HasValue())));
                },
            },
            new("url", "Print the URL of its database, starting it if needed")
            {
                Json = true,
                Configure = _ => Command.Handle<ServerCommand>((command, cancellationToken) => command.UrlAsync(cancellationToken)),
                Examples =
                    """
                    export DATABASE_URL="$(chatgenius-db server url)"
                    """,
            },
            new("psql", "Open psql on its database, starting it if needed")
            {
                PassesOn = true,
                Configure = app => Command.Handle<ServerCommand>((command, cancellationToken) =>
                    command.PsqlAsync(app.RemainingArguments, cancellationToken)),
                Details = "Arguments after -- go to psql.",
                Examples =
                    """
                    chatgenius-db server psql
                    chatgenius-db server psql -- -c 'TABLE users'
                    """,
            },
            new("install", "Fetch PostgreSQL where this machine has none")
            {
                Json = true,
                Configure = _ => Command.Handle<ServerCommand>((command, cancellationToken) => command.InstallAsync(cancellationToken)),
            },
            new("destroy", "Stop the server and delete its data")
            {
                Json = true,
                Configure = app =>
                {
                    var yes = app.Option("-y|--yes", "Don't ask", CommandOptionType.NoValue);
                    return Command.Handle<ServerCommand>((command, cancellationToken) =>
                        command.DestroyAsync(yes.HasValue(), cancellationToken));
                },
            },
        ],
    };

    private readonly LocalServer _server = targets.EmbeddedServer();
    private readonly LocalServer _replayServer = targets.ReplayServer();

    private async Task<ExitCode> StartAsync(CancellationToken cancellationToken)
    {
        var url = await _server.StartAsync(new NoteProgress(report), cancellationToken);
        report.Result(new DoneJson("started") { Database = url.Display }, JsonContext.Readable.DoneJson);
        report.Result($"The server runs: {url.Display}");
        return ExitCode.Done;
    }

    private async Task<ExitCode> StopAsync(CancellationToken cancellationToken)
    {
        await _replayServer.StopAsync(cancellationToken);
        var stopped = await _server.StopAsync(cancellationToken);
        report.Result(new DoneJson(stopped ? "stopped" : "nothing"), JsonContext.Readable.DoneJson);
        report.Result(stopped ? "Stopped the server; its data is kept" : "The server was not running");
        return ExitCode.Done;
    }

    private ExitCode Status(bool exitCode)
    {
        var status = _server.Status();
        var since = status.Since?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
        report.Result(status.State switch
        {
            LocalServerState.Running =>
                $"running    PostgreSQL {status.Major}, process {status.ProcessId}, since {since} UTC",
            LocalServerState.Stopped => $"stopped    PostgreSQL {status.Major}",
            _ => "absent     nothing was created yet",
        });
        if (status.Url is { } url)
        {
            report.Result($"url        {url.Display}");
        }

        report.Result($"data       {status.DataFolder}");
        report.Result($"log        {status.LogFile}");
        report.Result(
            new ServerStatusJson(
                status.State.ToString().ToLowerInvariant(),
                status.Url?.Display,
                status.DataFolder,
                status.LogFile,
                status.Major,
                status.ProcessId,
                status.Since),
            JsonContext.Readable.ServerStatusJson);
        return exitCode && status.State != LocalServerState.Running ? ExitCode.Differs : ExitCode.Done;
    }

    private async Task<ExitCode> UrlAsync(CancellationToken cancellationToken)
    {
        var url = await _server.StartAsync(new NoteProgress(report), cancellationToken);
        report.Result(new DoneJson("started") { Database = url.Display }, JsonContext.Readable.DoneJson);
        report.Result(url.Display);
        return ExitCode.Done;
    }

    private async Task<ExitCode> PsqlAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var url = await _server.StartAsync(new NoteProgress(report), cancellationToken);
        return (ExitCode)await Psql.ExecuteAsync(url, arguments);
    }

    private async Task<ExitCode> InstallAsync(CancellationToken cancellationToken)
    {
        var binaries = await _server.InstallBinariesAsync(new NoteProgress(report), cancellationToken);
        report.Result(new DoneJson("installed") { Name = binaries.Folder }, JsonContext.Readable.DoneJson);
        report.Result($"PostgreSQL {binaries.Version} is in {binaries.Folder}");
        return ExitCode.Done;
    }

    private async Task<ExitCode> DestroyAsync(bool yes, CancellationToken cancellationToken)
    {
        consent.RefuseWhereProtected("server destroy");
        var status = _server.Status();
        if (status.State != LocalServerState.Absent
            && !await consent.AskAsync($"Delete the server in {status.DataFolder} with all its databases?", yes, cancellationToken))
        {
            return ExitCode.Cancelled;
        }

        await _replayServer.DestroyAsync(cancellationToken);
        var deleted = await _server.DestroyAsync(cancellationToken);
        report.Result(new DoneJson(deleted ? "deleted" : "nothing") { Name = status.DataFolder }, JsonContext.Readable.DoneJson);
        report.Result(deleted ? "Deleted the server and its data" : "There was nothing to delete");
        return ExitCode.Done;
    }
}

/// <summary>What <c>server status --json</c> prints.</summary>
/// <param name="State"><c>running</c>, <c>stopped</c> or <c>absent</c>.</param>
internal sealed record ServerStatusJson(string State, string? Url, string DataFolder, string LogFile, int? Major, int? Pid,
    DateTimeOffset? Since);
