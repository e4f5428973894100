using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Migrations;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Replay;

/// <summary>How migrations are run on a throw-away database.</summary>
internal record ReplayOptions
{
    /// <summary>The <c>lock_timeout</c> that production will have, as PostgreSQL writes it.</summary>
    public string LockTimeout { get; init; } = "5s";

    /// <summary>
    /// Production's <c>TimeZone</c>: it decides whether <c>timestamp</c> becomes <c>timestamptz</c> without a rewrite. Null for the
    /// server's default.
    /// </summary>
    public string? TimeZone { get; init; }

    /// <summary>Whether roles that the server lacks are made: on a server of our own, where nobody can log in with them.</summary>
    public bool MakesRoles { get; init; }
}

/// <summary>
/// Runs migrations on a throw-away database. Two sessions: the <em>subject</em> runs them exactly as production would; the
/// <em>observer</em>
/// cancels, and looks at what the subject's locks don't hide. What fails only because the server lacks something (a role, an extension) is
/// passed over behind a savepoint, and so is what can't work without it.
/// </summary>
internal sealed partial class ReplaySession : IAsyncDisposable
{
    private const string Savepoint = "chatgenius_db_replay";
    private static readonly TimeSpan CancelAgain = TimeSpan.FromSeconds(1);

    private readonly ReplayOptions _options;
    private readonly HashSet<string> _rolesMade = [];
    private readonly Session _roles;

    private ReplaySession(NpgsqlConnection subject, NpgsqlConnection observer, ReplayOptions options, IEnumerable<string> missing)
    {
        (Subject, Observer, _options, Missing) = (subject, observer, options, [.. missing]);
        _roles = Session.Over(observer, "making a role on the throw-away server");
        Subject.Notice += (_, e) => Notices.Add(e.Notice);
    }

    internal NpgsqlConnection Subject { get; }

    internal NpgsqlConnection Observer { get; }

    /// <summary>What the database has not got because the server lacks something, or because a migration failed: why, each once.</summary>
    internal List<string> Missing { get; }

    /// <summary>What the server said since this was last cleared.</summary>
    internal List<PostgresNotice> Notices { get; } = [];

    internal int ServerVersion => field != 0 ? field
        : field = Session.VersionOf(Subject, e => IsLost(Subject, e) ? Replayer.Lost(e).Problems[0] : null);

    internal static async Task<ReplaySession> OpenAsync(
        Database database, ReplayOptions options, IEnumerable<string> missing, CancellationToken cancellationToken)
    {
        var (subject, observer) = await ConnectTwiceAsync(database, cancellationToken);
        var session = new ReplaySession(subject, observer, options, missing);
        try
        {
            // One after the other: behind a pooler two that work at the same time have each other's settings afterwards.
            await CommandsAsync(
                session.Observer, [.. session.Limits(), "SET jit = off", "SET search_path = pg_catalog, pg_temp"], cancellationToken);
            await session.ResetAsync(cancellationToken);
            return session;
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a section and commits it.</summary>
    /// <returns>Null, or the error; what was in the failed statement's transaction is rolled back.</returns>
    /// <exception cref="NpgsqlException">The connection was lost.</exception>
    internal async Task<PostgresException?> RunAsync(MigrationSection section, CancellationToken cancellationToken)
    {
        var statements = new List<SqlStatement>();
        foreach (var statement in section.Script.Statements)
        {
            if (await ReasonNotToRunAsync(statement, cancellationToken) is null)
            {
                statements.Add(statement);
            }
        }

        var error = statements.Count == 0 ? null
            : section.Transactional ? await TogetherAsync(statements, cancellationToken)
            : await OneByOneAsync(section, statements, cancellationToken);
        Notices.Clear();
        await ResetAsync(cancellationToken);
        return error;
    }

    /// <summary>Why a statement must not be run here; null for one that may.</summary>
    internal async Task<string?> ReasonNotToRunAsync(SqlStatement statement, CancellationToken cancellationToken)
    {
        var reason = StatementPolicy.ReasonNotToRun(statement);
        return reason is null && StatementPolicy.CreatedRole(statement) is { } role
            && await _roles.ScalarAsync<bool>(
                new SqlQuery("SELECT pg_catalog.count(*) > 0 FROM pg_catalog.pg_roles WHERE rolname = $1", role), cancellationToken)
            ? StatementPolicy.TheRoleIsThere : reason;
    }

    /// <summary>
    /// Whether a statement is run behind a savepoint: it may lack something, or something is missing already. SET TRANSACTION is refused
    /// there.
    /// </summary>
    internal bool IsGuarded(SqlStatement statement) => statement.TransactionControl == SqlTransactionControl.None
        && (StatementPolicy.MayLack(statement) || (Missing.Count > 0 && !statement.Is("SET") && !statement.Is("SAVEPOINT")));

    /// <summary>A statement in batches with the whole table as its slice; any other as it is.</summary>
    /// <exception cref="ProblemException">CG0521: its key can't be gone by.</exception>
    internal async Task<SqlStatement> SliceAsync(MigrationSection section, SqlStatement statement, CancellationToken cancellationToken)
    {
        if (section.Batch is not { } batch || section.Script.Statements[batch.Statement] != statement)
        {
            return statement;
        }

        uint table = 0;
        await ReadAsync(
            Subject, $"SELECT coalesce(pg_catalog.to_regclass({SqlLiteral.Quote(batch.Table)})::pg_catalog.oid, 0::pg_catalog.oid)",
            reader => table = reader.GetFieldValue<uint>(0), cancellationToken);
        return await BatchKey.WholeAsync(
            Session.Over(Subject, "looking for the key of a section in batches"), table, section, cancellationToken);
    }

    /// <summary>Runs one statement; a guarded one so that <see cref="UndoAsync"/> can take it back alone.</summary>
    /// <exception cref="PostgresException">The server refused it.</exception>
    internal async Task ExecuteAsync(SqlStatement statement, bool guarded, CancellationToken cancellationToken)
    {
        var pipeline = new SqlPipeline<int>(Subject);
        Add(pipeline, 0, statement, guarded);
        try
        {
            await ExecuteAsync(pipeline, cancellationToken);
        }
        catch (SqlPipelineException<int> e)
        {
            throw e.Error;
        }
    }

    /// <summary>Runs statements together, which have no need to be guarded each by itself.</summary>
    /// <param name="statements">The statements.</param>
    /// <param name="guarded">Whether <see cref="UndoAsync"/> is to take back all of them.</param>
    /// <param name="cancellationToken">Cancels them.</param>
    /// <returns>How many rows each has written.</returns>
    /// <exception cref="SqlPipelineException{TOwner}">The server refused one, which owns the error by its place among them.</exception>
    internal async Task<long[]> ExecuteAsync(
        IReadOnlyList<SqlStatement> statements, bool guarded, CancellationToken cancellationToken)
    {
        var rows = new long[statements.Count];
        var pipeline = new SqlPipeline<int>(Subject) { Wrote = (i, count) => rows[i] = count };
        if (guarded)
        {
            pipeline.Add(0, $"SAVEPOINT {Savepoint}");
        }

        for (var i = 0; i < statements.Count; i++)
        {
            pipeline.Add(i, statements[i]);
        }

        if (guarded)
        {
            pipeline.Add(statements.Count - 1, $"RELEASE SAVEPOINT {Savepoint}");
        }

        await ExecuteAsync(pipeline, cancellationToken);
        return rows;
    }

    /// <summary>Takes back what a guarded statement that failed has left.</summary>
    internal async Task UndoAsync(CancellationToken cancellationToken)
    {
        // A session learns of a role that another one made when it takes a lock that it does not hold yet; the second rollback gives it
        // back.
        string[] commands =
            [$"ROLLBACK TO SAVEPOINT {Savepoint}", "SELECT FROM pg_catalog.pg_roles LIMIT 0", $"ROLLBACK TO SAVEPOINT {Savepoint}"];
        foreach (var command in commands)
        {
            await CommandAsync(Subject, command, cancellationToken);
        }
    }

    /// <summary>
    /// Says whether a failure counts. A role that the server lacks is made, where it is ours to make; then the statement is to be run
    /// again.
    /// </summary>
    /// <returns>Why the statement is passed over; "" to run it again; null for a failure of the migration itself.</returns>
    internal async Task<string?> ForgiveAsync(SqlStatement statement, PostgresException error, CancellationToken cancellationToken)
    {
        if (_options.MakesRoles && StatementPolicy.MissingRole(error) is { } role && _rolesMade.Add(role)
            && await TryMakeRoleAsync(role, cancellationToken))
        {
            return "";
        }

        if (StatementPolicy.OfRole(statement, error) is { } harmless)
        {
            return harmless;
        }

        if (StatementPolicy.LacksSomething(statement, error))
        {
            var reason = $"{error.MessageText} on this server";
            Misses(reason.Replace("does not exist on", "is not on", StringComparison.Ordinal));
            return Missing[^1];
        }

        return MayFollowWhatIsMissing(error) ? $"{error.MessageText}, as {Missing[0]}" : null;
    }

    /// <summary>Whether a failure can come of what is missing already.</summary>
    internal bool MayFollowWhatIsMissing(PostgresException error) => Missing.Count > 0 && StatementPolicy.MayFollow(error);

    /// <summary>Says that something is not there which later statements may need.</summary>
    internal void Misses(string reason)
    {
        Missing.Remove(reason);
        Missing.Add(reason);
    }

    /// <summary>Undoes what a section changed in the session.</summary>
    internal async Task ResetAsync(CancellationToken cancellationToken)
    {
        // Parallel workers keep their own counters, so what they read would be missing from ours. Compiling our queries costs more than
        // running them. A statement whose tool was killed ends by itself (PostgreSQL 14 and later, where the system can tell it:
        // "Connection Settings").
        var settings =
            $"""
            SELECT CASE WHEN {(ServerVersion >= 140000 ? "pg_catalog.version() OPERATOR(pg_catalog.~) '-linux|-darwin|-freebsd'" : "false")}
                        THEN pg_catalog.set_config('client_connection_check_interval', '1s', false) END
            """;
        string[] zone = _options.TimeZone is null ? [] : [$"SET TimeZone = {SqlLiteral.Quote(_options.TimeZone)}"];
        string[] commands =
        [
            "RESET SESSION AUTHORIZATION", "RESET ALL", .. Limits(),
            "SET max_parallel_maintenance_workers = 0", "SET max_parallel_workers_per_gather = 0", "SET jit = off",
            "SET client_min_messages = notice", $"SET lock_timeout = {SqlLiteral.Quote(_options.LockTimeout)}", .. zone, settings,
        ];
        await CommandsAsync(Subject, commands, cancellationToken);
    }

    /// <summary>A run sets these whatever the role has, so they end or change nothing here either.</summary>
    private IEnumerable<string> Limits()
    {
        string[] newer = ServerVersion >= 140000 ? ["SET idle_session_timeout = 0"] : [];
        string[] newest = ServerVersion >= 170000 ? ["SET transaction_timeout = 0"] : [];
        return
        [
            "SET statement_timeout = 0", "SET idle_in_transaction_session_timeout = 0", "SET default_transaction_read_only = off",
            "SET default_transaction_isolation = 'read committed'", "SET standard_conforming_strings = on", .. newer, .. newest,
        ];
    }

    private async Task<PostgresException?> TogetherAsync(List<SqlStatement> statements, CancellationToken cancellationToken)
    {
        await CommandAsync(Subject, "BEGIN", cancellationToken);
        for (var next = 0; ;)
        {
            var pipeline = new SqlPipeline<int>(Subject);
            for (var i = next; i < statements.Count; i++)
            {
                Add(pipeline, i, statements[i], IsGuarded(statements[i]));
            }

            pipeline.Add(statements.Count, "COMMIT");
            try
            {
                await ExecuteAsync(pipeline, cancellationToken);
                return null;
            }
            catch (SqlPipelineException<int> e)
            {
                var failed = e.Owner < statements.Count && IsGuarded(statements[e.Owner]) ? statements[e.Owner] : null;
                var reason = failed is null ? null : await ForgiveAsync(failed, e.Error, cancellationToken);
                await (reason is null ? CommandAsync(Subject, "ROLLBACK", cancellationToken) : UndoAsync(cancellationToken));
                if (reason is null)
                {
                    return e.Error;
                }

                next = reason.Length == 0 ? e.Owner : e.Owner + 1;
            }
        }
    }

    private async Task<PostgresException?> OneByOneAsync(
        MigrationSection section, List<SqlStatement> statements, CancellationToken cancellationToken)
    {
        var inBlock = false;
        for (var i = 0; i < statements.Count; i++)
        {
            var guarded = inBlock && IsGuarded(statements[i]);
            try
            {
                await ExecuteAsync(await SliceAsync(section, statements[i], cancellationToken), guarded, cancellationToken);
                inBlock = statements[i].TransactionControl switch
                {
                    SqlTransactionControl.None => inBlock,
                    var control => control == SqlTransactionControl.Begin,
                };
            }
            catch (PostgresException e)
            {
                var reason = inBlock && !guarded ? null : await ForgiveAsync(statements[i], e, cancellationToken);
                if (reason is null)
                {
                    await CommandAsync(Subject, "ROLLBACK", cancellationToken);
                    return e;
                }

                await (guarded ? UndoAsync(cancellationToken) : Task.CompletedTask);
                i -= reason.Length == 0 ? 1 : 0;
            }
        }

        await CommandAsync(Subject, "ROLLBACK", cancellationToken);
        return null;
    }

    private static void Add(SqlPipeline<int> pipeline, int index, SqlStatement statement, bool guarded)
    {
        if (guarded)
        {
            pipeline.Add(index, $"SAVEPOINT {Savepoint}");
        }

        pipeline.Add(index, statement);
        if (guarded)
        {
            pipeline.Add(index, $"RELEASE SAVEPOINT {Savepoint}");
        }
    }

    /// <summary>Makes a role with which nobody can log in.</summary>
    /// <returns>Whether it is there.</returns>
    internal async Task<bool> TryMakeRoleAsync(string role, CancellationToken cancellationToken)
    {
        try
        {
            await _roles.WriteAsync([$"CREATE ROLE {SqlIdentifier.Quote(role)} NOLOGIN"], cancellationToken);
            return true;
        }
        catch (ProblemException e) when (e.InnerException is PostgresException refused)
        {
            // Another run has made it just now; or its name is one that the server keeps for itself.
            return refused.SqlState is PostgresErrorCodes.DuplicateObject or PostgresErrorCodes.UniqueViolation;
        }
    }

    /// <summary>Runs what a migration says. The observer cancels it, again and again where a block of code catches that.</summary>
    /// <exception cref="SqlPipelineException{TOwner}">The server refused a command; what comes after it was not run.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    private async Task ExecuteAsync(SqlPipeline<int> pipeline, CancellationToken cancellationToken)
    {
        // A run that was cancelled is waited for: it ends, or the observer finds that the server is silent.
        Task run = GuardAsync(
            Subject,
            async () =>
            {
                await pipeline.RunAsync("", _ => { }, cancellationToken);
                return true;
            },
            CancellationToken.None);
        await run.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        while (!run.IsCompleted)
        {
            await CommandAsync(Observer, $"SELECT pg_catalog.pg_cancel_backend({Subject.ProcessID})", CancellationToken.None);
            await Task.WhenAny(run, Task.Delay(CancelAgain, CancellationToken.None));
        }

        try
        {
            await run;
        }
        catch (SqlPipelineException<int>)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw;
        }
    }
}
