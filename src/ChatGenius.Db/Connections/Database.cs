using System.Runtime.CompilerServices;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Connections;

/// <summary>Opens connections to one database, and turns every way in which that can fail into a problem that says what to do.</summary>
/// <param name="url">Where the database is.</param>
internal sealed class Database(DatabaseUrl url)
{
    // One attempt a fifth of a second is quick enough for a person and cheap enough for a server that is starting up.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>The limit that a database has whose drop was interrupted.</summary>
    private const int HalfDropped = -2;

    private static readonly ConditionalWeakTable<NpgsqlConnection, Database> Opened = [];

    // Without a pool a data source holds nothing that has to be given back.
    private NpgsqlDataSource? _source;

    private Task<NpgsqlConnection>? _ahead;

    /// <summary>Where the database is.</summary>
    public DatabaseUrl Url => url;

    /// <summary>
    /// Begins to connect, for the next <see cref="ConnectAsync"/> to take it from there; the caller does something else meanwhile, and
    /// calls <see cref="AbandonAhead"/> in the end.
    /// </summary>
    public void ConnectAhead() => _ahead = ConnectAsync(CancellationToken.None);

    /// <summary>Gives up what was begun with <see cref="ConnectAhead"/> and that nobody took.</summary>
    public void AbandonAhead()
    {
        if (_ahead is { } ahead)
        {
            _ahead = null;
            GiveUp(ahead);
        }
    }

    /// <summary>Opens a connection of its own, not pooled; closing it ends the session.</summary>
    /// <exception cref="ProblemException">CG0610 to CG0629: the connection can't be had; see <c>PROBLEMS.md</c>.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<NpgsqlConnection> ConnectAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            OpenSsl.Require();
            url.RequirePeers();
            var connecting = _ahead ?? OpenAsync(cancellationToken);
            _ahead = null;
            var connection = await TakeAsync(connecting, cancellationToken);
            Opened.AddOrUpdate(connection, this);
            return connection;
        }
        catch (NpgsqlException e) when (e.InnerException is ProblemException problem)
        {
            // What should give the password has said why it does not.
            throw new ProblemException(problem.Problems, e);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && ConnectionProblem.From(url, e) is { } problem)
        {
            throw new ProblemException(problem, e);
        }
    }

    /// <summary>How long the server may say nothing before it is asked whether it is there.</summary>
    internal TimeSpan AnswerLimit => url.ConnectTimeout == Timeout.InfiniteTimeSpan ? TimeSpan.FromMinutes(1) : url.ConnectTimeout;

    /// <summary>What has opened a connection.</summary>
    internal static Database Of(NpgsqlConnection connection) => Opened.TryGetValue(connection, out var database) ? database
        : throw new InvalidOperationException("Connections are opened by Database only.");

    /// <summary>Whether the server answers on another connection: an error is an answer too.</summary>
    internal async Task<bool> AnswersAsync()
    {
        async Task AskAsync()
        {
            await using var connection = await OpenAsync(CancellationToken.None);
            await using var command = new NpgsqlCommand("SELECT", connection);
            await command.ExecuteNonQueryAsync();
        }

        try
        {
            await Task.Run(AskAsync).WaitAsync(2 * AnswerLimit);
            return true;
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or IOException)
        {
            // Where there is no password any more, nobody was asked.
            return e is PostgresException || e.InnerException is ProblemException;
        }
    }

    /// <summary>Tries until the database accepts connections; an attempt that is under way when the time is over is given up.</summary>
    /// <param name="timeout">How long; <see cref="Timeout.InfiniteTimeSpan"/> for as long as the token allows.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ProblemException">The problem of the last attempt, when the time is over or waiting would not help.</exception>
    public async Task WaitAsync(TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timeout);
        ProblemException? last = null;
        try
        {
            while (true)
            {
                try
                {
                    await using var connection = await ConnectAsync(limit.Token);
                    return;
                }
                catch (ProblemException e) when (e.MayPass)
                {
                    last = e;
                    await Task.Delay(Pause, limit.Token);
                }
            }
        }
        // An attempt that fails just as the time is over is not looked at by the connecting any more.
        catch (Exception e) when (e is OperationCanceledException or NpgsqlException && !cancellationToken.IsCancellationRequested)
        {
            throw last ?? new ProblemException(ConnectionProblem.NoAnswer(url, timeout), e);
        }
    }

    /// <summary>Whether the database is on its server.</summary>
    /// <exception cref="ProblemException">CG0610 to CG0629: the server can't be asked.</exception>
    public async Task<bool> ExistsAsync(CancellationToken cancellationToken = default)
    {
        await using var session = await Session.OpenMaintenanceAsync(this, "looking for the database", cancellationToken);
        return await ConnectionLimitAsync(session, cancellationToken) is not null;
    }

    /// <summary>Creates the database if it is not there; two calls at the same time create one.</summary>
    /// <param name="template">A database to copy, to which nobody may be connected; PostgreSQL's own <c>template1</c> where null.</param>
    /// <param name="copyFiles">
    /// Copies the template's files instead of writing the copy to the log, which is the faster way where the disk is fast (PostgreSQL 15
    /// and later; "CREATE DATABASE", STRATEGY).
    /// </param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Whether it was created.</returns>
    /// <exception cref="ProblemException">CG0610 to CG0629: the server can't be reached; CG0630: it refuses.</exception>
    public async Task<bool> CreateAsync(string? template = null, bool copyFiles = false, CancellationToken cancellationToken = default)
    {
        await using var session = await Session.OpenMaintenanceAsync(this, "creating the database", cancellationToken);
        if (await ConnectionLimitAsync(session, cancellationToken) is { } limit)
        {
            return limit == HalfDropped ? throw new ProblemException(ConnectionProblem.HalfDropped(url)) : false;
        }

        var sql = $"CREATE DATABASE {SqlIdentifier.Quote(url.DatabaseName)}"
            + (template is null ? "" : $" TEMPLATE {SqlIdentifier.Quote(template)}")
            + (copyFiles && session.ServerVersion >= 150000 ? " STRATEGY file_copy" : "");
        try
        {
            await session.CommandAsync(sql, cancellationToken);
            return true;
        }
        catch (ProblemException e) when (
            e.InnerException is PostgresException { SqlState: PostgresErrorCodes.DuplicateDatabase or PostgresErrorCodes.UniqueViolation })
        {
            return false;
        }
        catch (ProblemException e) when (e.InnerException is PostgresException refused)
        {
            throw Refused("CG0630", "created", refused, refused.SqlState switch
            {
                PostgresErrorCodes.InsufficientPrivilege =>
                    $"ALTER ROLE {SqlIdentifier.Quote(url.UserName)} CREATEDB lets the role create databases.",
                PostgresErrorCodes.ObjectInUse => "Somebody is connected to the template: end that session, or try again.",
                PostgresErrorCodes.DiskFull => DiskFull.Advice,
                _ => refused.Hint ?? e.Problems[0].Advice,
            });
        }
    }

    /// <summary>Drops the database if it is there.</summary>
    /// <param name="force">Ends the sessions that are connected to it (PostgreSQL 13 and later).</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Whether it was there.</returns>
    /// <exception cref="ProblemException">CG0610 to CG0629: the server can't be reached; CG0631: it refuses, because the database is in
    /// use, for example.</exception>
    public async Task<bool> DropAsync(bool force = false, CancellationToken cancellationToken = default)
    {
        await using var session = await Session.OpenMaintenanceAsync(this, "dropping the database", cancellationToken);
        try
        {
            await session.CommandAsync($"DROP DATABASE {SqlIdentifier.Quote(url.DatabaseName)}{(force ? " WITH (FORCE)" : "")}",
                cancellationToken);
            return true;
        }
        catch (ProblemException e) when (e.InnerException is PostgresException { SqlState: PostgresErrorCodes.InvalidCatalogName })
        {
            return false;
        }
        catch (ProblemException e) when (e.InnerException is PostgresException refused)
        {
            throw Refused("CG0631", "dropped", refused, refused.SqlState switch
            {
                PostgresErrorCodes.ObjectInUse => $"{refused.Detail} --force ends its sessions.",
                PostgresErrorCodes.InsufficientPrivilege => "Only its owner or a superuser drops a database.",
                _ => refused.Hint ?? e.Problems[0].Advice,
            });
        }
    }

    /// <summary>
    /// A database can be neither created nor dropped from within itself: as createdb does, <c>postgres</c> is used, and <c>template1</c>
    /// where that is not there (or is the one in question).
    /// </summary>
    internal async Task<NpgsqlConnection> ConnectToMaintenanceAsync(CancellationToken cancellationToken)
    {
        if (url.DatabaseName != "postgres")
        {
            try
            {
                return await new Database(url.WithDatabase("postgres")).ConnectAsync(cancellationToken);
            }
            catch (ProblemException e) when (e.Problems is [{ Kind: ProblemKind.NoDatabase or ProblemKind.ClosedDatabase }])
            {
                // template1 is tried next.
            }
        }

        return await new Database(url.WithDatabase("template1")).ConnectAsync(cancellationToken);
    }

    /// <summary>Npgsql keeps the time to connect for each of its steps; a server that goes on sending notices would keep it for
    /// ever.</summary>
    private async Task<NpgsqlConnection> TakeAsync(Task<NpgsqlConnection> connecting, CancellationToken cancellationToken)
    {
        var limit = url.ConnectTimeout == Timeout.InfiniteTimeSpan ? Timeout.InfiniteTimeSpan : (url.ServerCount + 1) * url.ConnectTimeout;
        try
        {
            return await connecting.WaitAsync(limit, cancellationToken);
        }
        catch (Exception e) when (e is OperationCanceledException or TimeoutException && !connecting.IsCompleted)
        {
            GiveUp(connecting);
            throw;
        }
    }

    /// <summary>
    /// A connection that is had, now or later, is closed. Nobody waits for that, nor is the attempt cancelled: Npgsql leaves a server that
    /// is silent only when the time to connect is over, whatever it is told.
    /// </summary>
    private static void GiveUp(Task<NpgsqlConnection> ahead) => ahead.ContinueWith(
        connecting => connecting.Result.Dispose(),
        CancellationToken.None,
        TaskContinuationOptions.OnlyOnRanToCompletion | TaskContinuationOptions.ExecuteSynchronously,
        TaskScheduler.Default);

    /// <summary>How many sessions the database may have; null where it is not there.</summary>
    private async Task<int?> ConnectionLimitAsync(Session session, CancellationToken cancellationToken)
    {
        var limits = await session.RowsAsync(
            new SqlQuery("SELECT datconnlimit FROM pg_catalog.pg_database WHERE datname = $1", url.DatabaseName),
            row => row.GetInt32(0),
            cancellationToken);
        return limits is [var limit] ? limit : null;
    }

    private ProblemException Refused(string code, string done, PostgresException e, string? advice) =>
        new(new Problem(code, $"The database \"{url.DatabaseName}\" can't be {done}: {e.MessageText}", Advice: advice), e);

    private Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken) =>
        url.Opener is { } open ? open(url.ConnectionString, cancellationToken) : Source().OpenConnectionAsync(cancellationToken).AsTask();

    private NpgsqlDataSource Source()
    {
        if (_source is null)
        {
            var builder = new NpgsqlSlimDataSourceBuilder(url.ConnectionString);
            builder.EnableTransportSecurity().EnableIntegratedSecurity().EnableArrays();

            // The catalog of types is not read: nothing here maps a user's types, and it would cost each start a round trip.
            builder.ConfigureTypeLoading(types => types.EnableTypeLoading(false));

            // Eight times Npgsql's own, so that the rows of a COPY and a batch of migrations take an eighth of the system calls.
            builder.ConnectionStringBuilder.WriteBufferSize = 64 * 1024;
            builder.ConnectionStringBuilder.ReadBufferSize = 64 * 1024;
            if (builder.ConnectionStringBuilder is { Host: ['/', ..] host, SslMode: SslMode.Prefer }
                && !host.Contains(',', StringComparison.Ordinal))
            {
                // No server encrypts on a Unix-domain socket, so libpq does not ask there either.
                builder.ConnectionStringBuilder.SslMode = SslMode.Disable;
            }

            if (url.PassedOverPasswordFile is not null)
            {
                builder.ConnectionStringBuilder.Passfile = "/dev/null";
            }

            if (url.PasswordSource is { } password)
            {
                builder.UsePasswordProvider(_ => throw new NotSupportedException("Connections are opened asynchronously."), (_, token) =>
                    password(token));
            }

            _source = builder.Build();
        }

        return _source;
    }
}
