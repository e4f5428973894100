using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;
using Npgsql;
using NpgsqlTypes;
namespace ChatGenius.Db.Migrations;

/// <summary>One applied migration, as the history keeps it.</summary>
/// <param name="Version">Its number.</param>
/// <param name="Name">Its description.</param>
/// <param name="Checksum">SHA-256 of the up section's tokens, in hexadecimal; empty for a baseline without a file.</param>
/// <param name="AppliedAt">When it was applied, by the server's clock.</param>
public sealed record HistoryRow(long Version, string Name, string Checksum, DateTime AppliedAt)
{
    /// <summary>What a plan has no use for; read only by <see cref="Migrator.StatusAsync"/>.</summary>
    public HistoryDetails? Details { get; init; }

    /// <summary>The down section as it was when applied; read only for a rollback.</summary>
    public string? DownSql { get; init; }

    /// <summary>The down section as it was when applied, for when the file is gone.</summary>
    internal MigrationSection ParseDown() => MigrationParser.ParseSection(
        SourceText.From($"history/{MigrationPlan.FormatId(Version, Name)}.sql", DownSql ?? ""));
}

/// <summary>What the history tells about a run.</summary>
/// <param name="Duration">How long it took on the server.</param>
/// <param name="AppliedBy">The role that ran it.</param>
/// <param name="ToolVersion">The version of the tool that ran it.</param>
/// <param name="Origin"><c>bundle</c>, <c>folder</c> or <c>baseline</c>.</param>
/// <param name="Retries">How often it was tried again because of locks before it went through.</param>
/// <param name="Backup">The backup that was made before it, if one was.</param>
public sealed record HistoryDetails(TimeSpan Duration, string AppliedBy, string ToolVersion, string Origin, int Retries, string? Backup);

/// <summary>How much of each row is read: a thousand of them with everything take four times as long as what a plan needs.</summary>
internal enum HistoryColumns
{
    /// <summary>What a plan needs.</summary>
    Plan,

    /// <summary>That, and the down section as it was when applied.</summary>
    Down,

    /// <summary>That of a plan, and <see cref="HistoryDetails"/>.</summary>
    Details,
}

/// <summary>What the database says was applied, and what was begun and not finished.</summary>
/// <param name="Exists">Whether the history's tables are there.</param>
/// <param name="Rows">What was applied, by number.</param>
/// <param name="Interruptions">Non-transactional sections that were begun and not finished.</param>
public sealed record HistorySnapshot(bool Exists, IReadOnlyList<HistoryRow> Rows, IReadOnlyList<Interruption> Interruptions)
{
    /// <summary>A database that has never seen this tool.</summary>
    public static HistorySnapshot Empty { get; } = new(false, [], []);
}

/// <summary>What a run must know of the server, read together with the history.</summary>
/// <param name="VersionNumber"><c>server_version_num</c>, such as 150018.</param>
/// <param name="IsInRecovery">A hot standby, which takes no writes.</param>
/// <param name="BackendPid">The backend that answered.</param>
/// <param name="DatabaseName">The database.</param>
public sealed record ServerFacts(int VersionNumber, bool IsInRecovery, int BackendPid, string DatabaseName);

/// <summary>
/// The only code that reads and writes <c>history</c>. Every name is schema-qualified, functions and operators too where a
/// search_path could reach them, because a migration may have set any search_path.
/// </summary>
internal sealed class MigrationHistory(string schemaName)
{
    /// <summary>The layout of the tables that this version writes; a later layout is refused, an earlier one upgraded.</summary>
    internal const int Format = 1;

    private readonly string _schema = SqlIdentifier.Quote(schemaName);

    /// <summary>Reads the server's facts, the history and the interruptions in one round trip.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="columns">How much of each row.</param>
    /// <param name="before">Commands that run first, in the same round trip.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <exception cref="ProblemException">CG0409: the tables have a later format than this version knows.</exception>
    /// <exception cref="PostgresException">The server refused something; that there are no tables yet is not an error.</exception>
    internal async Task<(ServerFacts Facts, HistorySnapshot History)> ReadAsync(
        NpgsqlConnection connection, HistoryColumns columns, IEnumerable<string> before, CancellationToken cancellationToken)
    {
        const string FactsMark = "chatgenius_db_facts";
        var batch = new NpgsqlBatch(connection);
        foreach (var sql in before.Concat(
        [
            $"SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS {FactsMark}, pg_catalog.pg_is_in_recovery(), "
                + "pg_catalog.pg_backend_pid(), pg_catalog.current_database()",
            $"SELECT version FROM {_schema}.format",
            $"SELECT version, name, checksum, applied_at{More(columns)} FROM {_schema}.history ORDER BY version",
            MigrationJournal.SelectInterruptions(_schema),
        ]))
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(sql));
        }

        await using (batch)
        {
            ServerFacts? facts = null;
            var isThere = false;
            try
            {
                await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
                while (reader.GetName(0) != FactsMark)
                {
                    await reader.NextResultAsync(cancellationToken);
                }

                await reader.ReadAsync(cancellationToken);
                facts = new ServerFacts(reader.GetInt32(0), reader.GetBoolean(1), reader.GetInt32(2), reader.GetString(3));
                await reader.NextResultAsync(cancellationToken);
                isThere = true;
                if (await reader.ReadAsync(cancellationToken) && reader.GetInt32(0) is > Format and var format)
                {
                    throw new ProblemException(
                        "CG0409", $"The history in schema {_schema} has format {format}; this version of the tool knows up to {Format}",
                        advice: "Update the tool: dotnet tool update -g ChatGenius.Tool");
                }

                await reader.NextResultAsync(cancellationToken);
                var rows = new List<HistoryRow>();
                while (await reader.ReadAsync(cancellationToken))
                {
                    rows.Add(ReadRow(reader, columns));
                }

                await reader.NextResultAsync(cancellationToken);
                return (facts, new HistorySnapshot(true, rows, await MigrationJournal.ReadAsync(reader, cancellationToken)));
            }
            catch (PostgresException e) when (facts is not null && !isThere && e.SqlState == PostgresErrorCodes.UndefinedTable)
            {
                // Nobody has applied anything here yet. Asking first would cost everybody else a round trip.
                return (facts, HistorySnapshot.Empty);
            }
        }
    }

    /// <summary>Creates the schema and its tables; run under the lock, in a transaction of its own.</summary>
    internal IEnumerable<string> CreateStatements() =>
    [
        $"CREATE SCHEMA IF NOT EXISTS {_schema}",
        $"CREATE TABLE IF NOT EXISTS {_schema}.format (version integer NOT NULL)",
        $"INSERT INTO {_schema}.format SELECT {Format} WHERE NOT EXISTS (SELECT FROM {_schema}.format)",
        $"""
        CREATE TABLE IF NOT EXISTS {_schema}.history (
            version bigint PRIMARY KEY,
            name text NOT NULL,
            checksum text NOT NULL,
            down_checksum text NOT NULL,
            down_sql text NOT NULL,
            applied_at timestamp with time zone NOT NULL DEFAULT pg_catalog.clock_timestamp(),
            duration_ms double precision NOT NULL,
            applied_by text NOT NULL DEFAULT SESSION_USER,
            tool_version text NOT NULL,
            origin text NOT NULL CHECK (origin IN ('bundle', 'folder', 'baseline')),
            retries integer NOT NULL DEFAULT 0,
            backup text
        )
        """,
        MigrationJournal.CreateStatement(_schema),
    ];

    /// <summary>
    /// The command that records an applied migration (see <see cref="InsertValues"/>), fenced: it fails with
    /// <see cref="PostgresErrorCodes.InvalidTextRepresentation"/> when our watch no longer holds the lock.
    /// </summary>
    /// <param name="fence">The watch's fence expression; see <see cref="MigrationWatch.Fence"/>.</param>
    /// <param name="marker">The name of the result's first column, by which it is told from those of the migration's own statements.</param>
    /// <param name="andThen">Expressions that are evaluated with it: none, or a comma and a list.</param>
    internal PreparableCommand Insert(string fence, string marker, string andThen) => new(
        $"""
        INSERT INTO {_schema}.history (version, name, checksum, down_checksum, down_sql, duration_ms, tool_version, origin, retries, backup)
        VALUES ({fence} OPERATOR(pg_catalog.+) $1, $2, $3, $4, $5, coalesce($6, {SinceBegin}), $7, $8, $9, $10) RETURNING duration_ms AS "{marker}"{andThen}
        """,
        NpgsqlDbType.Bigint,
        NpgsqlDbType.Text,
        NpgsqlDbType.Text,
        NpgsqlDbType.Text,
        NpgsqlDbType.Text,
        NpgsqlDbType.Double,
        NpgsqlDbType.Text,
        NpgsqlDbType.Text,
        NpgsqlDbType.Integer,
        NpgsqlDbType.Text);

    /// <summary>The values of <see cref="Insert"/>.</summary>
    /// <param name="step">The migration that was applied.</param>
    /// <param name="duration">How long it took, where the server's transaction can't tell: a non-transactional section.</param>
    /// <param name="retries">How often it was tried again.</param>
    /// <param name="options">Tool version and backup.</param>
    internal static object?[] InsertValues(MigrationStep step, TimeSpan? duration, int retries, MigratorOptions options)
    {
        var migration = step.Migration ?? throw new InvalidOperationException("Only a migration with a file is applied.");
        return
        [
            step.Version,
            step.Name,
            migration.Up.Checksum,
            migration.Down.Checksum,
            migration.Down.Text,
            duration?.TotalMilliseconds,
            options.ToolVersion,
            migration.Origin == MigrationOrigin.Bundle ? "bundle" : "folder",
            retries,
            options.Backup,
        ];
    }

    /// <summary>The table, schema-qualified and quoted.</summary>
    internal string TableName => $"{_schema}.history";

    /// <summary>What <see cref="Insert"/> does, as text for psql, without a fence.</summary>
    /// <param name="step">The migration.</param>
    /// <param name="started">An SQL constant: when it began.</param>
    /// <param name="options">The tool's version.</param>
    internal string InsertText(MigrationStep step, string started, MigratorOptions options)
    {
        var migration = step.Migration ?? throw new InvalidOperationException("Only a migration with a file is applied.");
        var origin = migration.Origin == MigrationOrigin.Bundle ? "bundle" : "folder";
        return $"""
            INSERT INTO {_schema}.history (version, name, checksum, down_checksum, down_sql, duration_ms, tool_version, origin)
            VALUES ({step.Version}, {SqlLiteral.Quote(step.Name)}, '{migration.Up.Checksum}', '{migration.Down.Checksum}', {SqlLiteral.Quote(migration.Down.Text)},
                pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - {started}::timestamptz) * 1000, {SqlLiteral.Quote(options.ToolVersion)}, '{origin}')
            """;
    }

    /// <summary>The command that forgets a migration that was rolled back, given its number; fenced and marked like <see cref="Insert"/>.</summary>
    internal PreparableCommand Delete(string fence, string marker, string andThen) => new(
        // The scalar subquery makes the fence run once, also when the row is not there.
        $"""
        WITH gone AS (DELETE FROM {_schema}.history WHERE version OPERATOR(pg_catalog.=) (SELECT {fence} OPERATOR(pg_catalog.+) $1))
        SELECT {SinceBegin} AS "{marker}"{andThen}
        """,
        NpgsqlDbType.Bigint);

    /// <summary>The command that records a migration as applied although this tool didn't run it.</summary>
    internal NpgsqlBatchCommand Baseline(Migration migration, string fence, string toolVersion) => new PreparableCommand(
        $"""
        INSERT INTO {_schema}.history (version, name, checksum, down_checksum, down_sql, duration_ms, tool_version, origin)
        VALUES ({fence} OPERATOR(pg_catalog.+) $1, $2, $3, $4, $5, 0, $6, 'baseline')
        """,
        NpgsqlDbType.Bigint,
        NpgsqlDbType.Text,
        NpgsqlDbType.Text,
        NpgsqlDbType.Text,
        NpgsqlDbType.Text,
        NpgsqlDbType.Text)
        .With(migration.Version, migration.Name, migration.Up.Checksum, migration.Down.Checksum, migration.Down.Text, toolVersion);

    /// <summary>
    /// Waits for whoever is writing the history, for up to twenty seconds. A server may still be at the COMMIT of a run whose watch is gone, with the fence
    /// behind it: what it commits has to be seen by the run that took over the lock.
    /// </summary>
    internal IEnumerable<string> WaitForWriters() =>
        ["SET LOCAL lock_timeout = '20s'", $"LOCK TABLE {_schema}.history, {_schema}.journal IN SHARE MODE"];

    /// <summary>A write that changes nothing.</summary>
    internal string Touch() => $"UPDATE {_schema}.format SET version = version";

    /// <summary>The journal's commands for this history's schema.</summary>
    internal NpgsqlBatchCommand Mark(MigrationStep step, int statement, bool done, string fence) =>
        MigrationJournal.Mark(_schema, step, statement, done, fence);

    /// <summary>Forgets that a statement was begun.</summary>
    internal NpgsqlBatchCommand Unmark(MigrationStep step, int statement) => MigrationJournal.Unmark(_schema, step.Version, statement);

    /// <summary>Settles an interrupted section.</summary>
    internal NpgsqlBatchCommand Repair(Interruption interruption, RepairAction action) =>
        MigrationJournal.Repair(_schema, interruption, action);

    /// <summary>Forgets a section's progress.</summary>
    internal NpgsqlBatchCommand ClearJournal(long version) => MigrationJournal.Clear(_schema, version);

    /// <summary>How long the transaction has run, in milliseconds.</summary>
    private const string SinceBegin =
        "pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) pg_catalog.transaction_timestamp()) OPERATOR(pg_catalog.*) 1000";

    private static string More(HistoryColumns columns) => columns switch
    {
        HistoryColumns.Down => ", down_sql",
        HistoryColumns.Details => ", duration_ms, applied_by, tool_version, origin, retries, backup",
        _ => "",
    };

    private static HistoryRow ReadRow(NpgsqlDataReader reader, HistoryColumns columns) =>
        new(reader.GetInt64(0), reader.GetString(1), reader.GetString(2), reader.GetDateTime(3))
        {
            DownSql = columns == HistoryColumns.Down ? reader.GetString(4) : null,
            Details = columns == HistoryColumns.Details
                ? new HistoryDetails(
                    TimeSpan.FromMilliseconds(reader.GetDouble(4)),
                    reader.GetString(5),
                    reader.GetString(6),
                    reader.GetString(7),
                    reader.GetInt32(8),
                    reader.IsDBNull(9) ? null : reader.GetString(9))
                : null,
        };
}
