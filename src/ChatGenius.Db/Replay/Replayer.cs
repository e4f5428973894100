using System.Security.Cryptography;
using System.Text;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Server;
using Npgsql;

namespace ChatGenius.Db.Replay;

/// <summary>
/// Makes throw-away databases that hold what migrations make. On a server of the user's own each is built by running the migrations. On the
/// private server for throw-away databases the result is kept as a template under a key of all that it depends on, and the next one that
/// needs it gets a copy; one that needs more gets a copy of the longest beginning, and runs the rest.
/// </summary>
internal sealed class Replayer : IAsyncDisposable
{
    /// <summary>Part of every key: another way of replaying makes other databases.</summary>
    private const int Version = 2;

    /// <summary>
    /// The server, and which extensions it can make. Their files are looked at in the folder's time alone: to read them all takes longer
    /// than to copy a database, and what installs or upgrades one changes the folder.
    /// </summary>
    private const string IdentityQuery =
        """
        SELECT pg_catalog.concat_ws('|', pg_catalog.version(), d.encoding, d.datcollate, d.datctype, pg_catalog.current_setting('TimeZone'),
            (SELECT (pg_catalog.pg_stat_file(c.setting || '/extension', true)).modification
             FROM pg_catalog.pg_config c WHERE c.name = 'SHAREDIR'))
        FROM pg_catalog.pg_database d WHERE d.datname = 'template0'
        """;

    private readonly DatabaseUrl? _server;
    private readonly LocalServer? _own;
    private Task<(ReplayTemplates Templates, string Identity)>? _ahead;

    /// <summary>Builds databases on a server of the user's own, where nothing is kept.</summary>
    public Replayer(DatabaseUrl server) => _server = server;

    /// <summary>Builds databases on the private server for throw-away databases, which is started on demand.</summary>
    public Replayer(LocalServer own) => _own = own;

    /// <summary>Whether databases are made on the private server, where a copy costs little.</summary>
    internal bool IsOnOwnServer => _own is not null;

    /// <summary>How migrations are run.</summary>
    public ReplayOptions Options { get; set; } = new();

    /// <summary>Told what takes its time: the first start of the private server.</summary>
    public IProgress<string>? Progress { get; init; }

    /// <summary>
    /// Begins to ask the private server, where it runs, while the caller finds out what it needs; what nobody takes is given back by
    /// <see cref="DisposeAsync"/>.
    /// </summary>
    public void LookAhead(CancellationToken cancellationToken)
    {
        if (_own?.Status().State == LocalServerState.Running)
        {
            _ahead = Task.Run(() => LookAsync(cancellationToken), CancellationToken.None);
        }
    }

    /// <summary>Gives back what was begun with <see cref="LookAhead"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _ahead, null) is { } ahead
            && await Task.WhenAny(ahead) is { IsCompletedSuccessfully: true })
        {
            await (await ahead).Templates.Session.DisposeAsync();
        }
    }

    /// <summary>Gives a database that holds what migrations make; disposing it drops it.</summary>
    /// <param name="chain">The migrations, in order, and the repeatable objects after them.</param>
    /// <param name="later">What the caller will run there: on a server of the user's own, the roles that it makes are dropped at the end
    /// too.</param>
    /// <param name="cancellationToken">Ends it; what is half made is dropped.</param>
    /// <exception cref="ProblemException">
    /// CG06xx, CG07xx: no server; CG1202: the role may not create databases; CG1209: a migration does not run on an empty database.
    /// </exception>
    public Task<ThrowAwayDatabase> OpenAsync(
        IReadOnlyList<Migration> chain, IReadOnlyList<Migration>? later = null, CancellationToken cancellationToken = default) =>
        OpenStagedAsync(chain, [], cancellationToken, later);

    /// <summary>Gives a database that holds what migrations make, and what comes after them; disposing it drops it.</summary>
    internal async Task<ThrowAwayDatabase> OpenStagedAsync(
        IReadOnlyList<Migration> chain, IReadOnlyList<ReplayStage> stages, CancellationToken cancellationToken,
        IReadOnlyList<Migration>? later = null) =>
        _own is not null ? await OpenCopyAsync(chain, stages, cancellationToken)
            : await BuiltAsync(
                await ThrowAwayDatabase.CreateAsync(_server!, [.. chain, .. later ?? []], cancellationToken), chain, stages,
                cancellationToken);

    /// <summary>Gives a database of which others are copied.</summary>
    internal async Task<ReplaySource> SourceAsync(
        IReadOnlyList<Migration> chain, IReadOnlyList<ReplayStage> stages, CancellationToken cancellationToken)
    {
        if (_own is not null)
        {
            var (templates, template) = await TemplateAsync(chain, stages, cancellationToken);
            return new ReplaySource(templates, template);
        }

        // Roles that its migrations make stay: its copies use them.
        var database = await ThrowAwayDatabase.CreateAsync(_server!, [], cancellationToken);
        return new ReplaySource(await BuiltAsync(database, chain, stages, cancellationToken));
    }

    /// <summary>Connects to the server's own database; null where the private server was never started.</summary>
    internal async Task<(DatabaseUrl Server, Session Session)?> ConnectAsync(string work, CancellationToken cancellationToken)
    {
        if (_own is null)
        {
            return (_server!, await Session.OpenMaintenanceAsync(new Database(_server!), work, cancellationToken));
        }

        if (_own.Status().State == LocalServerState.Absent)
        {
            return null;
        }

        return await _own.ConnectAsync(work, Progress, cancellationToken);
    }

    private async Task<ThrowAwayDatabase> OpenCopyAsync(
        IReadOnlyList<Migration> chain, IReadOnlyList<ReplayStage> stages, CancellationToken cancellationToken)
    {
        while (true)
        {
            var (templates, template) = await TemplateAsync(chain, stages, cancellationToken);
            try
            {
                if (await templates.TryCopyAsync(template, cancellationToken) is { } copy)
                {
                    return copy;
                }
            }
            catch
            {
                await templates.Session.DisposeAsync();
                throw;
            }

            await templates.Session.DisposeAsync();
        }
    }

    private async Task<(ReplayTemplates Templates, ReplayTemplate Template)> TemplateAsync(
        IReadOnlyList<Migration> chain, IReadOnlyList<ReplayStage> stages, CancellationToken cancellationToken)
    {
        var (templates, identity) = await (Interlocked.Exchange(ref _ahead, null) ?? LookAsync(cancellationToken));
        try
        {
            return (templates, await templates.GetAsync(
                Keys(identity, chain, stages), (database, done) => BuildAsync(database, done, chain, stages, cancellationToken),
                cancellationToken));
        }
        catch
        {
            await templates.Session.DisposeAsync();
            throw;
        }
    }

    private async Task<(ReplayTemplates Templates, string Identity)> LookAsync(CancellationToken cancellationToken)
    {
        var (server, session) = await _own!.ConnectAsync("keeping templates of throw-away databases", Progress, cancellationToken);
        try
        {
            var templates = new ReplayTemplates(session, server);
            return (templates, await templates.LookAsync(IdentityQuery, cancellationToken));
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    private async Task<ThrowAwayDatabase> BuiltAsync(
        ThrowAwayDatabase database, IReadOnlyList<Migration> chain, IReadOnlyList<ReplayStage> stages, CancellationToken cancellationToken)
    {
        try
        {
            await BuildAsync(database, 0, chain, stages, cancellationToken);
            return database;
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    private async Task BuildAsync(ThrowAwayDatabase database, int done, IReadOnlyList<Migration> chain, IReadOnlyList<ReplayStage> stages,
        CancellationToken cancellationToken)
    {
        if (done < chain.Count)
        {
            await RunAsync(database, session => RunAsync(session, database, chain.Skip(done), cancellationToken), cancellationToken);
        }

        foreach (var stage in stages.Skip(done - chain.Count))
        {
            await stage.RunAsync(this, database, cancellationToken);
        }
    }

    /// <summary>Runs migrations in order; and repeatable objects after them, in whatever order they get through.</summary>
    private static async Task RunAsync(
        ReplaySession session, ThrowAwayDatabase database, IEnumerable<Migration> chain, CancellationToken cancellationToken)
    {
        for (var left = chain.ToList(); left.Count > 0;)
        {
            var failed = new List<(Migration Migration, PostgresException Error)>();
            foreach (var migration in left)
            {
                if (await session.RunAsync(migration.Up, cancellationToken) is { } error)
                {
                    failed.Add((migration, error));
                    if (!migration.IsRepeatable)
                    {
                        break;
                    }
                }
            }

            if (failed is [var first, ..] && (failed.Count == left.Count || !first.Migration.IsRepeatable))
            {
                throw DoesNotRun(first.Migration, database.Database, first.Error);
            }

            left = failed.ConvertAll(one => one.Migration);
        }
    }

    /// <summary>Runs the up sections of migrations there, without repeatable objects, until one fails.</summary>
    internal async Task<(Migration Failed, PostgresException Error)?> FailedAsync(
        ThrowAwayDatabase database, IEnumerable<Migration> migrations, CancellationToken cancellationToken)
    {
        (Migration Failed, PostgresException Error)? stop = null;
        await RunAsync(
            database,
            async session =>
            {
                foreach (var migration in migrations.Where(migration => !migration.IsRepeatable).TakeWhile(_ => stop is null))
                {
                    stop = await session.RunAsync(migration.Up, cancellationToken) is { } error ? (migration, error) : null;
                }
            },
            cancellationToken);
        return stop;
    }

    /// <summary>Runs sections there as migrations are run.</summary>
    internal async Task RunAsync(ThrowAwayDatabase database, Func<ReplaySession, Task> run, CancellationToken cancellationToken)
    {
        try
        {
            await using var session = await ReplaySession.OpenAsync(
                database.Database, Options with { MakesRoles = database.IsOnOwnServer }, database.Missing, cancellationToken);
            await run(session);
            database.Missing = session.Missing;
        }
        catch (NpgsqlException e) when (e is not PostgresException && !cancellationToken.IsCancellationRequested)
        {
            throw Lost(e);
        }
    }

    /// <summary>A migration that only prepares fails.</summary>
    internal static ProblemException DoesNotRun(Migration migration, Database database, PostgresException error) =>
        DoesNotRun(migration, database, $"{error.MessageText} ({error.SqlState})");

    /// <inheritdoc cref="DoesNotRun(Migration, Database, PostgresException)"/>
    internal static ProblemException DoesNotRun(Migration migration, Database database, string error) => new(
        "CG1209",
        $"{migration.Source.Path} does not run on the throw-away database {database.Url.Display}: {error}",
        migration.Up.Where,
        "Earlier migrations must run on an empty database. Install the extensions that they need, or name a server that has them with "
            + "--shadow.");

    /// <summary>The connection to a throw-away database is gone.</summary>
    internal static ProblemException Lost(Exception e) => new(
        "CG1210", $"The connection to the throw-away database was lost: {e.Message}",
        advice: "Look into the log of its server; a migration can have ended the session.", cause: e);

    /// <summary>The keys of the first none, one, two … of the migrations, and then of the stages.</summary>
    private List<string> Keys(string identity, IReadOnlyList<Migration> chain, IReadOnlyList<ReplayStage> stages)
    {
        var key = Hash($"{Version}|{identity}|{Options.TimeZone}");
        var keys = new List<string> { key };
        foreach (var migration in chain)
        {
            keys.Add(key = Hash($"{key}|{migration.Up.Checksum}|{migration.Up.Transactional}"));
        }

        foreach (var stage in stages)
        {
            keys.Add(key = Hash($"{key}|{stage.Key}"));
        }

        return keys;

        static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 20));
    }
}
