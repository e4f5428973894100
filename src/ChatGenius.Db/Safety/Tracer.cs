using System.Collections.Immutable;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Sql;
using Npgsql;
namespace ChatGenius.Db.Safety;

/// <summary>How a trace runs what it runs.</summary>
public sealed record TracerOptions
{
    /// <summary>The <c>lock_timeout</c> that production will have, as PostgreSQL writes it.</summary>
    public string LockTimeout { get; init; } = "5s";

    /// <summary>Production's <c>TimeZone</c>: it decides whether <c>timestamp</c> becomes <c>timestamptz</c> without a rewrite. Null for the server's default.</summary>
    public string? TimeZone { get; init; }
}

/// <summary>
/// Runs migrations on a throw-away database statement by statement and reads back what PostgreSQL did. Two sessions: the <em>subject</em>
/// runs the migration exactly as production would and reads the catalogs and counters, because nobody else sees what is not committed; the
/// <em>observer</em> reads <c>pg_locks</c>, which is shared memory, and so adds no lock of its own.
/// </summary>
/// <remarks>
/// A section is run in its real transaction and never behind a savepoint that is rolled back, which would release locks; and pending
/// trigger events (55006) and the use of a new enum value (55P04) only show there.
/// </remarks>
public sealed partial class Tracer : IAsyncDisposable
{
    /// <summary>The oldest server that can be traced: <c>pg_current_xact_id_if_assigned()</c> came with it.</summary>
    private const int OldestVersion = 130000;

    private static readonly TimeSpan CancelAgain = TimeSpan.FromSeconds(1);

    private readonly NpgsqlConnection _subject;
    private readonly NpgsqlConnection _observer;
    private readonly CatalogReader _reader;
    private readonly string _settings;
    private readonly List<ServerNotice> _notices = [];
    private Catalog _catalog = new();
    private HashSet<string> _ownSettings = [];
    private int _transactions;

    private Tracer(NpgsqlConnection subject, NpgsqlConnection observer, TracerOptions options)
    {
        _subject = subject;
        _observer = observer;
        _reader = new CatalogReader(subject);
        _subject.Notice += (_, e) => _notices.Add(new ServerNotice(e.Notice.SqlState, e.Notice.MessageText));

        // Parallel workers keep their own counters, so what they read would be missing from ours. Compiling our queries costs more than running them.
        // A statement whose tool was killed ends by itself (PostgreSQL 14 and later, where the system can tell it: "Connection Settings").
        _settings =
            $"""
            SELECT set_config('max_parallel_maintenance_workers', '0', false), set_config('max_parallel_workers_per_gather', '0', false),
                   set_config('jit', 'off', false), set_config('client_min_messages', 'notice', false), set_config('lock_timeout', {SqlLiteral.Quote(options.LockTimeout)}, false),
                   CASE WHEN current_setting('server_version_num')::int >= 140000 AND version() ~ '-linux|-darwin|-freebsd' THEN set_config('client_connection_check_interval', '1s', false) END
            """ + (options.TimeZone is null ? "" : $", set_config('TimeZone', {SqlLiteral.Quote(options.TimeZone)}, false)");
    }

    /// <summary>The server's version, such as 150018.</summary>
    public int ServerVersion { get; private set; }

    /// <summary>The catalog as the last section left it.</summary>
    public Catalog Catalog => _catalog;

    /// <summary>Connects twice and reads the catalog.</summary>
    /// <param name="database">A database that nobody needs: migrations will be committed there.</param>
    /// <param name="options">How to run them.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ProblemException">CG06xx: no connection; CG1201: the server is older than 13.</exception>
    public static async Task<Tracer> StartAsync(Database database, TracerOptions options, CancellationToken cancellationToken = default)
    {
        var subject = await database.ConnectAsync(cancellationToken);
        var tracer = new Tracer(subject, await database.ConnectAsync(cancellationToken), options);
        try
        {
            tracer.ServerVersion = subject.PostgreSqlVersion.Major * 10000 + subject.PostgreSqlVersion.Minor;
            if (tracer.ServerVersion < OldestVersion)
            {
                throw new ProblemException(
                    "CG1201", $"check needs a server of version 13 or newer, this one is {subject.PostgreSqlVersion}",
                    advice: "Name a newer one with --shadow.");
            }

            await ReadAsync(tracer._observer, "SET jit = off", _ => { }, cancellationToken);
            await tracer.ResetAsync(cancellationToken);
            tracer._ownSettings = [.. await tracer.ReadSettingsAsync(cancellationToken)];
            await tracer.RefreshAsync(cancellationToken);
            return tracer;
        }
        catch
        {
            await tracer.DisposeAsync();
            throw;
        }
    }

    /// <summary>Whether rows of the database are nobody's, so that one which breaks a rule proves little.</summary>
    internal bool HasMadeUpRows { get; set; }

    /// <summary>Whether a section was run without being traced since the catalog was read.</summary>
    internal bool IsStale { get; private set; }

    /// <summary>Reads the catalog again, after something else than a trace changed the database.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken = default)
    {
        _catalog = (await _reader.ReadAllAsync(cancellationToken)).Catalog;
        IsStale = false;
    }

    /// <summary>Runs a section and commits it, as far as it can be run.</summary>
    /// <param name="section">Its statements, and whether they are one transaction.</param>
    /// <param name="cancellationToken">Cancels the running statement on the server.</param>
    /// <returns>The facts. A statement that fails is a fact too; its transaction is rolled back.</returns>
    /// <exception cref="NpgsqlException">The connection was lost.</exception>
    public async Task<Trace> TraceAsync(CheckedSection section, CancellationToken cancellationToken = default)
    {
        if (IsStale)
        {
            await RefreshAsync(cancellationToken);
        }

        var before = _catalog;
        var run = new SectionRun(this, section.Script.Statements);
        if (section.Transactional)
        {
            await run.TogetherAsync(cancellationToken);
        }
        else
        {
            await run.OneByOneAsync(cancellationToken);
        }

        var settings = await ReadSettingsAsync(cancellationToken);
        await ResetAsync(cancellationToken);
        return new Trace
        {
            Statements = run.Traces,
            Before = before,
            After = _catalog,
            SettingsLeft = [.. settings.Where(setting => !_ownSettings.Contains(setting))],
            ServerVersion = ServerVersion,
            RowsAreMadeUp = HasMadeUpRows,
            Completed = run.Traces.All(trace => trace.Outcome == TraceOutcome.Ran || StatementPolicy.IsHarmless(trace.Reason)),
        };
    }

    /// <summary>Runs a section and commits it without reading anything back.</summary>
    /// <returns>Null, or the error; what was in the failed statement's transaction is rolled back.</returns>
    /// <exception cref="NpgsqlException">The connection was lost.</exception>
    public async Task<PostgresException?> RunAsync(CheckedSection section, CancellationToken cancellationToken = default)
    {
        IsStale = true;
        var statements = new List<SqlStatement>();
        foreach (var statement in section.Script.Statements)
        {
            if (await ReasonNotToRunAsync(statement, cancellationToken) is null)
            {
                await PrepareForAsync(statement);
                statements.Add(statement);
            }
        }

        try
        {
            if (section.Transactional && statements.Count > 0)
            {
                var pipeline = new SqlPipeline<SqlStatement>(_subject);
                pipeline.Add(statements[0], "BEGIN");
                statements.ForEach(statement => pipeline.Add(statement, statement));
                pipeline.Add(statements[^1], "COMMIT");
                await ExecuteAsync(pipeline, cancellationToken);
                return null;
            }

            foreach (var statement in statements)
            {
                await PrepareForAsync(statement);
                await ExecuteAsync(statement, cancellationToken);
            }

            return null;
        }
        catch (PostgresException e)
        {
            await CommandAsync("ROLLBACK", cancellationToken);
            return e;
        }
        finally
        {
            _notices.Clear();
            await ResetAsync(cancellationToken);
        }
    }

    /// <summary>Lets a reader of another kind use the session that only watches.</summary>
    public Task<T> ReadAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> read, CancellationToken cancellationToken = default) =>
        read(_observer, cancellationToken);

    /// <summary>Closes both sessions.</summary>
    public async ValueTask DisposeAsync()
    {
        await _reader.DisposeAsync();
        await _observer.DisposeAsync();
        await _subject.DisposeAsync();
    }

    private async Task ResetAsync(CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(_subject)
        {
            BatchCommands = { new NpgsqlBatchCommand("RESET SESSION AUTHORIZATION"), new NpgsqlBatchCommand("RESET ALL"), new NpgsqlBatchCommand(_settings) },
        };
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>One text a setting, with its value, so that a set of them can be compared.</summary>
    private async Task<List<string>> ReadSettingsAsync(CancellationToken cancellationToken)
    {
        const string Query =
            """
            SELECT name || ' = ' || setting FROM pg_settings WHERE source = 'session'
            UNION ALL SELECT 'role = ' || current_user WHERE current_user <> session_user ORDER BY 1
            """;
        var settings = new List<string>();
        await ReadAsync(_subject, Query, reader => settings.Add(reader.GetString(0)), cancellationToken);
        return settings;
    }

    private async Task<HeldLocks> ReadLocksAsync(CancellationToken cancellationToken)
    {
        var query =
            $"""
            SELECT relation, mode FROM pg_locks
            WHERE pid = {_subject.ProcessID} AND locktype = 'relation' AND granted AND relation >= 16384
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            """;
        var modes = new Dictionary<uint, ImmutableArray<LockMode>>();
        await ReadAsync(
            _observer,
            query,
            reader =>
            {
                var relation = reader.GetFieldValue<uint>(0);
                modes[relation] = modes.GetValueOrDefault(relation, []).Add(LockModes.Parse(reader.GetString(1)));
            },
            cancellationToken);
        return new HeldLocks(modes.ToImmutableDictionary());
    }

    /// <summary>
    /// Counts the rows of tables that a statement updated or deleted rows of. A table that the present role can't read is left out: asking all the
    /// same would abort the migration's transaction.
    /// </summary>
    private async Task<ImmutableDictionary<uint, long>> CountRowsBeforeAsync(
        Catalog catalog, ImmutableDictionary<uint, Activity> activity, CancellationToken cancellationToken)
    {
        var tables = activity.Where(pair => pair.Value.Updated + pair.Value.Deleted > 0 && catalog.Find(pair.Key) is { HoldsRows: true })
            .Select(pair => catalog.Find(pair.Key)!).ToList();
        if (tables.Count == 0)
        {
            return ImmutableDictionary<uint, long>.Empty;
        }

        var readable = new List<Relation>();
        var asked = string.Join(',', tables.Select(table => table.Oid));
        await ReadAsync(
            _subject,
            $"SELECT oid FROM unnest('{{{asked}}}'::oid[]) oid, LATERAL (SELECT relnamespace FROM pg_class c WHERE c.oid = oid.oid) c "
            + "WHERE has_table_privilege(oid, 'SELECT') AND has_schema_privilege(relnamespace, 'USAGE')",
            reader => readable.Add(catalog.Find(reader.GetFieldValue<uint>(0))!),
            cancellationToken);
        var counts = ImmutableDictionary.CreateBuilder<uint, long>();
        foreach (var table in readable)
        {
            await ReadAsync(
                _subject,
                $"SELECT count(*) FROM ONLY {SqlIdentifier.Quote(table.Schema, table.Name)}",
                reader => counts[table.Oid] = reader.GetInt64(0) - activity[table.Oid].Inserted + activity[table.Oid].Deleted,
                cancellationToken);
        }

        return counts.ToImmutable();
    }

    /// <summary>Counts a table's rows, or those that have a value in a column, together with a sum over these values that tells others apart.</summary>
    internal async Task<(long Count, long Sum)> CountAsync(Relation table, Column? column, CancellationToken cancellationToken)
    {
        var name = column is null ? null : SqlIdentifier.Quote(column.Name);
        var what = name is null ? "count(*), 0::int8" : $"count({name}), coalesce(sum(hashtext({name}::text)::int8), 0)::int8";
        var result = (0L, 0L);
        await ReadAsync(
            _observer,
            $"SELECT {what} FROM {SqlIdentifier.Quote(table.Schema, table.Name)}",
            reader => result = (reader.GetInt64(0), reader.GetInt64(1)),
            cancellationToken);
        return result;
    }

    /// <summary>Takes care of statements that end prepared ones, and begins to listen for notices.</summary>
    private async Task PrepareForAsync(SqlStatement statement)
    {
        if (statement.Is("DISCARD") || statement.Is("DEALLOCATE"))
        {
            await _reader.ForgetAsync();
        }

        _notices.Clear();
    }

    private async Task<string?> ReasonNotToRunAsync(SqlStatement statement, CancellationToken cancellationToken)
    {
        var reason = StatementPolicy.ReasonNotToRun(statement);
        if (reason is null && StatementPolicy.CreatedRole(statement) is { } role)
        {
            await ReadAsync(
                _observer, $"SELECT 1 FROM pg_roles WHERE rolname = {SqlLiteral.Quote(role)}", _ => reason = StatementPolicy.TheRoleIsThere, cancellationToken);
        }

        return reason;
    }

    private Task ExecuteAsync(SqlStatement statement, CancellationToken cancellationToken)
    {
        var pipeline = new SqlPipeline<SqlStatement>(_subject);
        pipeline.Add(statement, statement);
        return ExecuteAsync(pipeline, cancellationToken);
    }

    /// <summary>Runs what a migration says. The session that watches cancels it, again and again where a block of code catches that.</summary>
    /// <exception cref="PostgresException">The server refused a command; what stands behind it was not run.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    private async Task ExecuteAsync(SqlPipeline<SqlStatement> pipeline, CancellationToken cancellationToken)
    {
        var run = pipeline.RunAsync("", _ => { }, cancellationToken);
        await run.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        while (!run.IsCompleted)
        {
            await ReadAsync(_observer, $"SELECT pg_cancel_backend({_subject.ProcessID})", _ => { }, CancellationToken.None);
            await Task.WhenAny(run, Task.Delay(CancelAgain, CancellationToken.None));
        }

        try
        {
            await run;
        }
        catch (SqlPipelineException<SqlStatement> e)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw e.Error;
        }
    }

    private Task CommandAsync(string command, CancellationToken cancellationToken) => ReadAsync(_subject, command, _ => { }, cancellationToken);

    private static async Task ReadAsync(NpgsqlConnection connection, string query, Action<NpgsqlDataReader> row, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection) { Timeout = 0, BatchCommands = { new NpgsqlBatchCommand(query) } };
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            row(reader);
        }
    }
}
