using System.Data;
using System.Globalization;
using Npgsql;

namespace ChatGenius.Db.Connections;

/// <summary>
/// The one door to a server for statements of our own. Each runs in a transaction that first makes the settings that our work needs,
/// whatever the role, the database or the URL has: names and operators are PostgreSQL's own (a <c>search_path</c> of others could put
/// theirs in between, CVE-2018-1058), no policy hides rows, and the time limits are ours. All of it ends with the transaction, so that
/// behind a pooler nothing is left in a session that the next client gets.
/// </summary>
/// <remarks>What goes wrong is a problem that names the work; its inner exception is the server's error.</remarks>
internal sealed class Session : IAsyncDisposable
{
    /// <summary>The name of the result that says whose the backend is.</summary>
    private const string BackendMark = "chatgenius_db_owns_backend";

    private static readonly string[] BackToSavepoint = ["ROLLBACK TO SAVEPOINT chatgenius_db", "RELEASE SAVEPOINT chatgenius_db"];

    private readonly NpgsqlConnection _connection;
    private readonly string _work;
    private readonly Owner _owner;
    private bool _inTransaction;
    private bool _isSetUp;
    private bool? _ownsBackend;

    private Session(NpgsqlConnection connection, string work, Owner owner) => (_connection, _work, _owner) = (connection, work, owner);

    /// <summary>Whose the connection is.</summary>
    private enum Owner
    {
        /// <summary>This session's, which closes it.</summary>
        Session,

        /// <summary>Somebody else's, with no transaction open.</summary>
        Caller,

        /// <summary>Somebody else's, with a transaction open.</summary>
        Transaction,
    }

    /// <summary>The server's version, such as 150018.</summary>
    /// <exception cref="ProblemException">CG0514: the connection was lost before it was asked.</exception>
    internal int ServerVersion => field != 0 ? field : field = VersionOf(_connection, e => SessionProblem.From(_work, e, IsOpen));

    /// <summary>Whether the connection is there to go on with: it is not while something was left on it that has not ended.</summary>
    internal bool IsOpen => _connection.FullState == ConnectionState.Open;

    /// <summary>How long one of our statements waits for a lock; zero waits without end.</summary>
    internal TimeSpan LockTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long one of our statements may take; zero for as long as it takes.</summary>
    internal TimeSpan StatementTimeout { get; set; }

    /// <summary>For the statements of a migration, which are not ours, and run as they are written.</summary>
    internal NpgsqlConnection Connection => _connection;

    /// <summary>Connects.</summary>
    /// <param name="database">To what.</param>
    /// <param name="work">What it is for, as a problem says it: <c>reading the schema</c>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ProblemException">CG0610 to CG0629: the connection can't be had.</exception>
    public static async Task<Session> OpenAsync(Database database, string work, CancellationToken cancellationToken = default) =>
        new(await database.ConnectAsync(cancellationToken), work, Owner.Session);

    /// <summary>Connects to another database of the server, because none can be created, renamed or dropped from within itself.</summary>
    /// <inheritdoc cref="OpenAsync"/>
    internal static async Task<Session> OpenMaintenanceAsync(Database database, string work,
        CancellationToken cancellationToken = default) =>
        new(await database.ConnectToMaintenanceAsync(cancellationToken), work, Owner.Session);

    /// <summary>The version of a connection's server. Npgsql says it only while the connection is there, and others may end that.</summary>
    internal static int VersionOf(NpgsqlConnection connection, Func<Exception, Problem?> problem)
    {
        try
        {
            return (connection.PostgreSqlVersion.Major * 10000) + connection.PostgreSqlVersion.Minor;
        }
        catch (InvalidOperationException e) when (problem(e) is { } lost)
        {
            throw new ProblemException(lost, e);
        }
    }

    /// <summary>Uses a connection that stays its owner's, and has no transaction open.</summary>
    internal static Session Over(NpgsqlConnection connection, string work) => new(connection, work, Owner.Caller);

    /// <summary>Reads within the transaction that its owner has open: what that has changed is seen, and it goes on as if nothing had been
    /// read.</summary>
    internal static Session Within(NpgsqlConnection connection, string work) => new(connection, work, Owner.Transaction);

    /// <summary>Whether the backend that answers is the one that the connection was told of: behind a pooler it is not, and not ours to set
    /// up.</summary>
    internal async Task<bool> OwnsBackendAsync(CancellationToken cancellationToken) =>
        _ownsBackend ??= await ScalarAsync<int>("SELECT pg_catalog.pg_backend_pid()", cancellationToken) is var pid && IsOpen
            && pid == _connection.ProcessID;

    /// <summary>Runs queries in one round trip, all of which see the same moment.</summary>
    /// <param name="queries">What is asked, in order. Statements without a result, such as SET LOCAL and LOCK, may be among them.</param>
    /// <param name="read">Given the results; it begins within the first one.</param>
    /// <param name="staysPrepared">Whether the session will run the same again, often enough for the server to keep it prepared.</param>
    /// <param name="cancellationToken">Cancels it on the server.</param>
    internal Task<T> ReadAsync<T>(
        IReadOnlyList<SqlQuery> queries, Func<NpgsqlDataReader, Task<T>> read, CancellationToken cancellationToken,
            bool staysPrepared = false) =>
        GuardAsync(
            async () =>
            {
                var prepared = staysPrepared && await OwnsBackendAsync(cancellationToken);
                if (prepared)
                {
                    // To prepare them is no part of the transaction.
                    await SetUpAsync(cancellationToken);
                }

                return (await RunAsync(Begin(writes: false), queries, read, prepared, cancellationToken)).Result;
            },
            cancellationToken);

    /// <summary>The rows of a query.</summary>
    internal Task<List<T>> RowsAsync<T>(SqlQuery query, Func<NpgsqlDataReader, T> row, CancellationToken cancellationToken) =>
        ReadAsync([query], reader => ResultAsync(reader, row, cancellationToken), cancellationToken);

    /// <summary>The first value of the first row; the default where there is no row, or NULL in it.</summary>
    internal async Task<T?> ScalarAsync<T>(SqlQuery query, CancellationToken cancellationToken) =>
        (await RowsAsync(query, reader => reader.IsDBNull(0) ? default : reader.GetFieldValue<T>(0), cancellationToken)).FirstOrDefault();

    /// <summary>Reads the rows of one result, and goes to the next.</summary>
    internal static async Task<List<T>> ResultAsync<T>(NpgsqlDataReader reader, Func<NpgsqlDataReader, T> row,
        CancellationToken cancellationToken)
    {
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(row(reader));
        }

        await reader.NextResultAsync(cancellationToken);
        return rows;
    }

    /// <summary>Runs statements that write, all of them or none, in one round trip.</summary>
    /// <returns>How many rows they wrote.</returns>
    internal Task<long> WriteAsync(IReadOnlyList<SqlQuery> statements, CancellationToken cancellationToken) => GuardAsync(
        async () => (await RunAsync(Begin(writes: true), statements, _ =>
            Task.FromResult(true), staysPrepared: false, cancellationToken)).Rows,
        cancellationToken);

    /// <summary>The same, with queries among them; <paramref name="read"/> begins within the first result.</summary>
    internal Task<T> WriteAsync<T>(
        IReadOnlyList<SqlQuery> statements, Func<NpgsqlDataReader, Task<T>> read, CancellationToken cancellationToken) => GuardAsync(
        async () => (await RunAsync(Begin(writes: true), statements, read, staysPrepared: false, cancellationToken)).Result,
        cancellationToken);

    /// <summary>Does work of several round trips in one transaction; all calls of this session are part of it, and see one moment where it
    /// only reads.</summary>
    internal async Task<T> TransactionAsync<T>(bool writes, Func<Task<T>> work, CancellationToken cancellationToken)
    {
        await GuardAsync(() => SendAsync(Begin(writes), cancellationToken), cancellationToken);
        _inTransaction = true;
        try
        {
            var result = await work();
            await GuardAsync(() => SendAsync(["COMMIT"], cancellationToken), cancellationToken);
            return result;
        }
        catch
        {
            await RollbackAsync();
            throw;
        }
        finally
        {
            _inTransaction = false;
        }
    }

    /// <summary>
    /// Runs a command that can't be part of a transaction: CREATE DATABASE, DROP DATABASE, VACUUM. Its time limits are ours where the
    /// backend is; behind a pooler they are the role's.
    /// </summary>
    internal Task CommandAsync(string command, CancellationToken cancellationToken) => GuardAsync(
        async () =>
        {
            await SetUpAsync(cancellationToken);
            return await SendAsync([command], cancellationToken);
        },
        cancellationToken);

    /// <summary>
    /// Sends a command as the last of this session, and waits for nothing: the server finishes it whether its client is still there or not,
    /// because it looks at the connection only when it answers. One command, because an answer that nobody takes ends the session.
    /// </summary>
    internal void Leave(string command)
    {
        if (!IsOpen)
        {
            return;
        }

        // It is on its way when this returns; the connection closes with the answer, or with the process.
        var batch = Batch([command]);
        batch.ExecuteNonQueryAsync(CancellationToken.None).ContinueWith(
            async left =>
            {
                // What was refused is missing to the next call, which then does it itself.
                _ = left.Exception;
                await batch.DisposeAsync();
                await SilentServer.CloseAsync(_connection);
            },
            TaskScheduler.Default);
    }

    /// <summary>
    /// Makes our settings the session's, for what can't be part of a transaction; behind a pooler the session is not ours.
    /// </summary>
    private async Task SetUpAsync(CancellationToken cancellationToken)
    {
        if (!_isSetUp && await OwnsBackendAsync(cancellationToken))
        {
            string[] idle = ServerVersion >= 140000 ? ["SET idle_session_timeout = 0"] : [];
            await SendAsync(
                ["SET default_transaction_read_only = off", .. idle, .. Settings().Select(setting => "SET " + setting)], cancellationToken);
            _isSetUp = true;
        }
    }

    /// <summary>Copies rows from this database into another, within transactions that both have open.</summary>
    /// <param name="from">A <c>COPY … TO STDOUT</c>.</param>
    /// <param name="target">The other database.</param>
    /// <param name="into">A <c>COPY … FROM STDIN</c> of the same format.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    internal Task CopyAsync(string from, Session target, string into, CancellationToken cancellationToken) => GuardAsync(
        () => target.GuardAsync(
            async () =>
            {
                await using var source = await _connection.BeginRawBinaryCopyAsync(from, cancellationToken);
                await using var destination = await target._connection.BeginRawBinaryCopyAsync(into, cancellationToken);
                await source.CopyToAsync(destination, cancellationToken);
                return true;
            },
            cancellationToken),
        cancellationToken);

    /// <summary>Closes the connection, if it is this session's.</summary>
    public ValueTask DisposeAsync() => _owner == Owner.Session ? SilentServer.CloseAsync(_connection) : ValueTask.CompletedTask;

    /// <summary>SET LOCAL looks at nothing, so a LOCK that comes after it still is before the moment that is read.</summary>
    private string[] Begin(bool writes)
    {
        var begin = _owner == Owner.Transaction ? "SAVEPOINT chatgenius_db"
            : writes ? "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
            : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        return _inTransaction ? [] : [begin, .. Settings().Select(setting => "SET LOCAL " + setting)];
    }

    /// <summary>
    /// To go back to a savepoint takes the settings back too, and nothing was written since. After the first transaction it is known whose
    /// the backend is: if it is ours it does not end while this session idles.
    /// </summary>
    private string[] End()
    {
        string[] end = _owner == Owner.Transaction ? BackToSavepoint : ["COMMIT"];
        return _inTransaction ? [] : AsksWhose ? [.. end, WhoseBackend()] : end;
    }

    private bool AsksWhose => _owner == Owner.Session && _ownsBackend is null && !_inTransaction;

    private string WhoseBackend()
    {
        var isOurs = string.Create(CultureInfo.InvariantCulture,
            $"pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) {_connection.ProcessID}");
        return ServerVersion < 140000
            ? $"SELECT {isOurs} AS {BackendMark}"
            : $"SELECT {isOurs} AS {BackendMark}, CASE WHEN {isOurs} THEN pg_catalog.set_config('idle_session_timeout', '0', false) END";
    }

    private IEnumerable<string> Settings()
    {
        static string Milliseconds(TimeSpan time) => ((long)time.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
        string[] limits = ServerVersion >= 170000 ? ["transaction_timeout = 0"] : [];
        return
        [
            "search_path = pg_catalog, pg_temp",
            "row_security = off",
            "standard_conforming_strings = on",
            "quote_all_identifiers = off",
            $"statement_timeout = {Milliseconds(StatementTimeout)}",
            $"lock_timeout = {Milliseconds(LockTimeout)}",
            "idle_in_transaction_session_timeout = 0",
            // Compiling queries over catalogs takes longer than running them.
            "jit = off",
            .. limits,
        ];
    }

    private async Task<(T Result, long Rows)> RunAsync<T>(
        string[] before, IReadOnlyList<SqlQuery> queries, Func<NpgsqlDataReader, Task<T>> read, bool staysPrepared,
            CancellationToken cancellationToken)
    {
        await using var batch = Batch([.. before.Select(text => (SqlQuery)text), .. queries, .. End().Select(text => (SqlQuery)text)]);
        try
        {
            if (staysPrepared)
            {
                await batch.PrepareAsync(cancellationToken);
            }

            await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
            var result = await read(reader);
            do
            {
                // An error may come after the last result that was wanted.
                if (reader.FieldCount > 0 && reader.GetName(0) == BackendMark && await reader.ReadAsync(cancellationToken))
                {
                    _ownsBackend = reader.GetBoolean(0);
                }
            }
            while (await reader.NextResultAsync(cancellationToken));
            return (result, Math.Max(reader.RecordsAffected, 0));
        }
        catch when (!_inTransaction)
        {
            await RollbackAsync();
            throw;
        }
    }

    private async Task<bool> SendAsync(string[] commands, CancellationToken cancellationToken)
    {
        await using var batch = Batch([.. commands.Select(text => (SqlQuery)text)]);
        await batch.ExecuteNonQueryAsync(cancellationToken);
        return true;
    }

    private NpgsqlBatch Batch(IReadOnlyList<SqlQuery> queries)
    {
        var batch = new NpgsqlBatch(_connection) { Timeout = 0 };
        foreach (var query in queries)
        {
            batch.BatchCommands.Add(query.ToCommand());
        }

        return batch;
    }

    private async Task RollbackAsync()
    {
        try
        {
            if (IsOpen)
            {
                await AwaitAsync(() => SendAsync(_owner == Owner.Transaction ? BackToSavepoint : ["ROLLBACK"], CancellationToken.None),
                    CancellationToken.None);
            }
        }
        catch (Exception e) when (e is NpgsqlException or ProblemException)
        {
            // The error that made us roll back is the one to report; without a connection the server rolls back by itself.
        }
    }

    private async Task<T> GuardAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            return await AwaitAsync(work, cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && SessionProblem.From(_work, e, IsOpen) is { } problem)
        {
            throw new ProblemException(problem, e);
        }
    }

    private Task<T> AwaitAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken) =>
        SilentServer.AwaitAsync(_connection, work, _work, cancellationToken);
}
