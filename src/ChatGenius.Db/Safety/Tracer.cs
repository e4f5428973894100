using System.Collections.Immutable;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Replay;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Safety;

/// <summary>How a trace runs what it runs.</summary>
internal sealed record TracerOptions : ReplayOptions
{
    /// <summary>What the database has not got already, because the server lacks something: why.</summary>
    public IReadOnlyList<string> Missing { get; init; } = [];
}

/// <summary>
/// Runs migrations on a throw-away database statement by statement and reads back what PostgreSQL did. Two sessions: the <em>subject</em>
/// runs the migration exactly as production would and reads the catalogs, counters and locks, because nobody else sees what is not
/// committed; the <em>observer</em> reads what is, and cancels.
/// </summary>
/// <remarks>
/// A section is run in its real transaction and never behind a savepoint that is rolled back, which would release locks; and pending
/// trigger events (55006) and the use of a new enum value (55P04) only show there.
/// </remarks>
internal sealed partial class Tracer : IAsyncDisposable
{
    /// <summary>The oldest server that can be traced: <c>pg_current_xact_id_if_assigned()</c> came with it.</summary>
    private const int OldestVersion = 130000;

    private readonly ReplaySession _session;
    private readonly CatalogReader _reader;
    private readonly Session _observer;
    private Catalog _catalog = new();
    private HashSet<string> _ownSettings = [];
    private int _transactions;

    private Tracer(ReplaySession session)
    {
        _session = session;
        _reader = new CatalogReader(session.Subject);
        _observer = Session.Over(session.Observer, "working on the throw-away database");
    }

    /// <summary>The server's version, such as 150018.</summary>
    public int ServerVersion => _session.ServerVersion;

    /// <summary>The catalog as the last section left it.</summary>
    public Catalog Catalog => _catalog;

    /// <summary>Connects twice and reads the catalog.</summary>
    /// <param name="database">A database that nobody needs: migrations will be committed there.</param>
    /// <param name="options">How to run them.</param>
    /// <param name="meanwhile">What the session that only watches reads at the same time; null for nothing.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ProblemException">CG06xx: no connection; CG1201: the server is older than 13.</exception>
    public static async Task<Tracer> StartAsync(
        Database database, TracerOptions options, Func<Session, Task>? meanwhile = null, CancellationToken cancellationToken = default)
    {
        var tracer = new Tracer(await ReplaySession.OpenAsync(database, options, options.Missing, cancellationToken));
        try
        {
            if (tracer.ServerVersion < OldestVersion)
            {
                throw new ProblemException(
                    "CG1201", $"check needs a server of version 13 or newer, this one is {tracer.ServerVersion / 10000}",
                    advice: "Name a newer one with --shadow.");
            }

            await Task.WhenAll(tracer.BeginAsync(cancellationToken), meanwhile?.Invoke(tracer._observer) ?? Task.CompletedTask);
            return tracer;
        }
        catch
        {
            await tracer.DisposeAsync();
            throw;
        }
    }

    /// <summary>Whether a pooler gives each transaction the server's session that is free: then what one has prepared another has not, and
    /// the two sessions may not work at the same time.</summary>
    internal bool IsPooled { get; private set; }

    private async Task BeginAsync(CancellationToken cancellationToken)
    {
        IsPooled = !await Session.Over(_session.Subject, "working on the throw-away database").OwnsBackendAsync(cancellationToken);
        await (IsPooled ? Task.CompletedTask : _reader.PrepareAsync(cancellationToken));
        _ownSettings = [.. await ReadSettingsAsync(cancellationToken)];
        await RefreshAsync(cancellationToken);
    }

    /// <summary>Says that a migration did not come to its end, so that what later ones miss is not their own fault.</summary>
    internal void Misses(string reason) => _session.Misses(reason);

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
    public async Task<Trace> TraceAsync(MigrationSection section, CancellationToken cancellationToken = default)
    {
        if (IsStale)
        {
            await RefreshAsync(cancellationToken);
        }

        var existing = await FindExistingAsync(section, cancellationToken);
        var before = _catalog;
        var run = new SectionRun(this, section);
        if (section.Transactional)
        {
            await run.TogetherAsync(cancellationToken);
        }
        else
        {
            await run.OneByOneAsync(cancellationToken);
        }

        var settings = await ReadSettingsAsync(cancellationToken);
        await _session.ResetAsync(cancellationToken);
        return new Trace
        {
            Statements = existing.IsEmpty ? run.Traces
                : [.. run.Traces.Select(trace => trace with { Existing = existing.GetValueOrDefault(trace.Index) })],
            Before = before,
            After = _catalog,
            Unanswered = [.. run.Unanswered],
            SettingsLeft = [.. settings.Where(setting => !_ownSettings.Contains(setting))],
            ServerVersion = ServerVersion,
            RowsAreMadeUp = HasMadeUpRows,
            Completed = run.Traces.All(trace => trace.Outcome == TraceOutcome.Ran || trace.IsPassedOver),
        };
    }

    /// <summary>Runs a section and commits it without reading anything back.</summary>
    /// <returns>Null, or the error; what was in the failed statement's transaction is rolled back.</returns>
    /// <exception cref="NpgsqlException">The connection was lost.</exception>
    public async Task<PostgresException?> RunAsync(MigrationSection section, CancellationToken cancellationToken = default)
    {
        IsStale = true;
        if (section.Script.Statements.Any(EndsPrepared))
        {
            await _reader.ForgetAsync();
        }

        return await _session.RunAsync(section, cancellationToken);
    }

    /// <summary>Lets another reader or writer of ours use the session that only watches.</summary>
    public Task<T> ReadAsync<T>(Func<Session, CancellationToken, Task<T>> read, CancellationToken cancellationToken = default) =>
        read(_observer, cancellationToken);

    /// <summary>Closes both sessions.</summary>
    public async ValueTask DisposeAsync()
    {
        await _reader.DisposeAsync();
        await _session.DisposeAsync();
    }

    /// <summary>One text a setting, with its value, so that a set of them can be compared.</summary>
    private async Task<List<string>> ReadSettingsAsync(CancellationToken cancellationToken)
    {
        const string Query =
            """
            SELECT pg_catalog.concat(name, ' = ', setting) FROM pg_catalog.pg_settings
            WHERE source OPERATOR(pg_catalog.=) 'session'::pg_catalog.text
            UNION ALL SELECT pg_catalog.concat('role = ', current_user) WHERE current_user OPERATOR(pg_catalog.<>) session_user ORDER BY 1
            """;
        var settings = new List<string>();
        await ReadAsync(_session.Subject, Query, reader => settings.Add(reader.GetString(0)), cancellationToken);
        return settings;
    }

    /// <summary>
    /// Counts the rows of tables that a statement updated or deleted rows of. A table that the present role can't read is left out: asking
    /// all the same would abort the migration's transaction.
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
            _session.Subject,
            $"SELECT oid FROM pg_catalog.pg_class WHERE oid OPERATOR(pg_catalog.=) ANY ('{{{asked}}}'::pg_catalog.oid[]) "
            + "AND pg_catalog.has_table_privilege(oid, 'SELECT') AND pg_catalog.has_schema_privilege(relnamespace, 'USAGE')",
            reader => readable.Add(catalog.Find(reader.GetFieldValue<uint>(0))!),
            cancellationToken);
        var counts = ImmutableDictionary.CreateBuilder<uint, long>();
        foreach (var table in readable)
        {
            await ReadAsync(
                _session.Subject,
                $"SELECT pg_catalog.count(*) FROM ONLY {SqlIdentifier.Quote(table.Schema, table.Name)}",
                reader => counts[table.Oid] = reader.GetInt64(0) - activity[table.Oid].Inserted + activity[table.Oid].Deleted,
                cancellationToken);
        }

        return counts.ToImmutable();
    }

    /// <summary>
    /// Counts a table's rows, or those that have a value in a column, together with a sum over these values that tells others apart.
    /// </summary>
    internal async Task<(long Count, long Sum)> CountAsync(Relation table, Column? column, CancellationToken cancellationToken)
    {
        var name = column is null ? null : SqlIdentifier.Quote(column.Name);
        var what = name is null ? "pg_catalog.count(*), 0::int8"
            : $"pg_catalog.count({name}), coalesce(pg_catalog.sum(pg_catalog.hashtext({name}::text)::int8), 0)::int8";
        var result = (0L, 0L);
        await ReadAsync(
            _session.Observer,
            $"SELECT {what} FROM {SqlIdentifier.Quote(table.Schema, table.Name)}",
            reader => result = (reader.GetInt64(0), reader.GetInt64(1)),
            cancellationToken);
        return result;
    }

    /// <summary>Takes care of statements that end prepared ones, and begins to listen for notices.</summary>
    private async Task PrepareForAsync(SqlStatement statement)
    {
        if (EndsPrepared(statement))
        {
            await _reader.ForgetAsync();
        }

        _session.Notices.Clear();
    }

    private ImmutableArray<ServerNotice> Notices() =>
        [.. _session.Notices.Select(notice => new ServerNotice(notice.SqlState, notice.MessageText))];

    private static bool EndsPrepared(SqlStatement statement) => statement.Is("DISCARD") || statement.Is("DEALLOCATE");

    private Task CommandAsync(string command, CancellationToken cancellationToken) =>
        ReplaySession.CommandAsync(_session.Subject, command, cancellationToken);

    private static Task ReadAsync(NpgsqlConnection connection, string query, Action<NpgsqlDataReader> row,
        CancellationToken cancellationToken) =>
        ReplaySession.ReadAsync(connection, query, row, cancellationToken);
}
