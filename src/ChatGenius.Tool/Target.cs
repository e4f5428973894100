using ChatGenius.Db.Replay;
using ChatGenius.Db.Server;

namespace ChatGenius.Tool;

/// <summary>The database that a command works on.</summary>
/// <param name="IsEmbedded">Whether it lives on the embedded development server.</param>
internal sealed record Target(Database Database, bool IsEmbedded)
{
    public DatabaseUrl Url => Database.Url;
}

/// <summary>
/// Finds the database: <c>--embedded</c> or <c>--database</c>, the chosen environment's variable, <c>CHATGENIUS_DATABASE_URL</c>,
/// <c>DATABASE_URL</c>, libpq's <c>PG*</c> variables, and at last the embedded server, which it starts.
/// </summary>
internal sealed class TargetFinder(Shell shell, GlobalOptions options, Settings settings, Report report)
{
    private readonly HashSet<string> _warned = [];

    /// <summary>The database that was named.</summary>
    /// <returns>Null where the embedded server is to be used.</returns>
    /// <exception cref="ProblemException">
    /// CG0601 to CG0604: the name can't be read; CG0909: the environment's variable is not set; CG1007: <c>--database</c> and
    /// <c>--embedded</c>.
    /// </exception>
    public (DatabaseUrl Url, string Origin)? Named()
    {
        if (options.Embedded)
        {
            return options.Database is null
                ? null
                : throw new ProblemException("CG1007", "--database and --embedded exclude each other", advice: "Leave one out.");
        }

        if (settings.DatabaseUrl is { } setting)
        {
            return (Own(Read(setting.Value, setting.Origin)), setting.Origin);
        }

        return DatabaseUrl.FromEnvironment(shell.Variable) is { } url ? (Own(url), "PG* variables") : null;
    }

    private DatabaseUrl Own(DatabaseUrl url) =>
        Warned(settings.PasswordCommand is { } command ? url.WithPasswordSource(new PasswordCommand(command).RunAsync) : url);

    /// <summary>Reads the connection string of another database than the command's own, which no password command is asked for: what it
    /// prints belongs to its environment's server.</summary>
    /// <param name="text">A URL, or keywords.</param>
    /// <param name="origin">Where it comes from.</param>
    /// <exception cref="ProblemException">CG0601 to CG0604.</exception>
    public DatabaseUrl Parse(string text, string origin) => Warned(Read(text, origin));

    private DatabaseUrl Warned(DatabaseUrl url)
    {
        if (url.Warning is { } warning && _warned.Add(warning.Message))
        {
            report.Warn(warning);
        }

        return url;
    }

    /// <summary>What is not understood may hold a password anywhere: from then on no part of it is shown.</summary>
    private DatabaseUrl Read(string text, string origin)
    {
        try
        {
            return DatabaseUrl.Parse(text, origin, shell.Variable);
        }
        catch (ProblemException e)
        {
            report.HideAll(text);
            throw new ProblemException([.. e.Problems.Select(problem => problem with { Where = null })], e);
        }
    }

    /// <summary>Finds the database, and starts the embedded server where that is the one. Connects to nothing.</summary>
    /// <exception cref="ProblemException">
    /// As <see cref="Named"/>; CG0910: nothing is named, and this is no place to start a server unasked; CG07xx: the embedded server can't
    /// be started.
    /// </exception>
    public async Task<Target> FindAsync(CancellationToken cancellationToken)
    {
        if (Named() is { } named)
        {
            report.Detail($"Database {named.Url.Display}, from {named.Origin}");
            return new Target(new Database(named.Url), IsEmbedded: false);
        }

        if (!options.Embedded)
        {
            RefuseWhereServicesRun();
            report.Note("No database is configured: using the embedded development server (--database URL names another)");
        }

        var url = await EmbeddedServer().StartAsync(new NoteProgress(report), cancellationToken);
        report.Detail($"Database {url.Display}, on the embedded server");
        return new Target(new Database(url), IsEmbedded: true);
    }

    /// <summary>The embedded server of this user.</summary>
    public LocalServer EmbeddedServer() => new(ServerOptions());

    /// <summary>Where the tool keeps what is this user's.</summary>
    public string DataFolder => ServerOptions().Folder;

    private LocalServerOptions ServerOptions()
    {
        var server = new LocalServerOptions();
        return server with { Folder = shell.Variable(LocalServerOptions.FolderVariable) ?? server.Folder, Binaries = Binaries };
    }

    /// <summary>
    /// What makes throw-away databases: the private server beside the embedded one, or the server that the user names for it.
    /// </summary>
    /// <param name="shadow">The value of <c>--shadow</c>; null for the private server.</param>
    /// <param name="options">How migrations are run.</param>
    /// <param name="option">The option that names the server.</param>
    public Replayer Replayer(string? shadow, ReplayOptions options, string option = "--shadow") => shadow is null
        ? new Replayer(ReplayServer()) { Options = options, Progress = new NoteProgress(report) }
        : new Replayer(Parse(shadow, option)) { Options = options };

    /// <summary>The private server for throw-away databases.</summary>
    public LocalServer ReplayServer() => new(ServerOptions().ForReplay());

    /// <summary>The folder that the user chose PostgreSQL's programs from; null where they are to be looked for.</summary>
    public string? Binaries => shell.Variable(PostgresBinaries.Variable);

    private void RefuseWhereServicesRun()
    {
        if (SignOfService() is { } sign)
        {
            throw new ProblemException(
                "CG0910", $"No database is configured, and {sign} is set: the embedded development server is not started here unasked",
                advice: "Set CHATGENIUS_DATABASE_URL or DATABASE_URL, give --database URL, or choose the embedded server with --embedded.");
        }
    }

    /// <summary>A variable that says that nobody sits here who would want a database of their own to appear.</summary>
    private string? SignOfService() =>
        shell.Variable("CI") is { } ci && !ci.Equals("false", StringComparison.OrdinalIgnoreCase) ? "CI"
        : shell.Variable("KUBERNETES_SERVICE_HOST") is not null ? "KUBERNETES_SERVICE_HOST"
        : shell.Environment
            .Where(variable => variable.Key.EndsWith("_ENVIRONMENT", StringComparison.OrdinalIgnoreCase)
                && variable.Value.Equals("Production", StringComparison.OrdinalIgnoreCase))
            .Select(variable => $"{variable.Key}={variable.Value}")
            .Order(StringComparer.Ordinal)
            .FirstOrDefault();
}
