using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Sql;
using Npgsql;
using NpgsqlTypes;
namespace ChatGenius.Db.Migrations;

/// <summary>
/// The only code that reads and writes <c>history</c>, <c>journal</c> and <c>log</c>. Readings are transactions in which names are looked for in
/// <c>pg_catalog</c> only. What is written shares a session with a migration, which may have set any <c>search_path</c>: there every name is
/// qualified, functions, operators and casts too.
/// </summary>
/// <param name="schemaName">The schema, not quoted.</param>
internal sealed class History(string schemaName)
{
    /// <summary>How long the transaction has run, in milliseconds.</summary>
    private const string SinceBegin =
        "(pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) pg_catalog.transaction_timestamp()) "
        + "OPERATOR(pg_catalog.*) 1000)";

    private readonly string _schema = SqlIdentifier.Quote(schemaName);

    /// <summary>The schema, not quoted.</summary>
    internal string Name => schemaName;

    /// <summary>The schema, quoted.</summary>
    internal string Schema => _schema;

    /// <summary>The table of what was applied, schema-qualified and quoted.</summary>
    internal string TableName => $"{_schema}.history";

    /// <summary>What was found when it was last read; before that, everything that this version makes.</summary>
    internal HistoryPlace Place { get; private set; } = HistoryPlace.Complete;

    /// <summary>Reads the server's facts, the history and the interruptions in one round trip.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="columns">How much of each row.</param>
    /// <param name="waitForWriters">
    /// Waits for up to twenty seconds for somebody who is writing the history. A run that lost its lock may have passed the fence and still be
    /// committing: what it commits has to be seen.
    /// </param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <exception cref="ProblemException">
    /// CG0409: the tables have a later format than this version knows; CG0513: they can't be read; CG0514: the connection was lost. That there are no
    /// tables yet is not a problem.
    /// </exception>
    internal async Task<(ServerFacts Facts, HistorySnapshot History)> ReadAsync(
        NpgsqlConnection connection, HistoryColumns columns, bool waitForWriters, CancellationToken cancellationToken)
    {
        var session = Session.Over(connection, "reading the history");
        session.LockTimeout = TimeSpan.FromSeconds(20);
        try
        {
            return await ReadAllAsync(session, columns, waitForWriters, hasFormat: true, cancellationToken);
        }
        catch (ProblemException e) when (e.InnerException is PostgresException { SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName or PostgresErrorCodes.WrongObjectType })
        {
            // Asking first whether there are any tables would cost everybody else a round trip.
            var facts = await session.ReadAsync([HistoryTables.SelectFacts(schemaName)], reader => ReadFactsAsync(reader, cancellationToken), cancellationToken);
            if (!Place.Exists)
            {
                return (facts, HistorySnapshot.Empty);
            }

            // Another run may have made them just now; and a history without its format gets it back with the next run.
            return Place.Has("history") && Place.Has("journal")
                ? await ReadAllAsync(session, columns, waitForWriters, Place.Has("format"), cancellationToken)
                : throw Unreadable(e);
        }
        catch (ProblemException e)
        {
            throw Unreadable(e);
        }
    }

    private async Task<(ServerFacts Facts, HistorySnapshot History)> ReadAllAsync(
        Session session, HistoryColumns columns, bool waitForWriters, bool hasFormat, CancellationToken cancellationToken)
    {
        var more = columns switch
        {
            HistoryColumns.Down => ", down_sql",
            HistoryColumns.Details => ", duration_ms, applied_by, tool_version, origin, retries, backup",
            _ => "",
        };
        return await session.ReadAsync(
            [
                // Compiling queries takes longer than running these.
                "SET LOCAL jit = off",
                // What is looked at stays as it is until it was read.
                $"LOCK TABLE {(hasFormat ? $"{_schema}.format, " : "")}{_schema}.history, {_schema}.journal IN ACCESS SHARE MODE",
                .. waitForWriters ? [$"LOCK TABLE {_schema}.history, {_schema}.journal IN SHARE MODE"] : Array.Empty<SqlQuery>(),
                HistoryTables.SelectFacts(schemaName),
                HistoryTables.Guard,
                .. hasFormat ? [$"SELECT version FROM {_schema}.format"] : Array.Empty<SqlQuery>(),
                $"SELECT version, name, checksum, applied_at{more} FROM {_schema}.history ORDER BY version",
                // The newest row of each section that was begun and not finished.
                $"""
                SELECT DISTINCT ON (version) version, name, direction, statement, count, finished_at IS NULL, checksum, pid, backend_start, started_at
                FROM {_schema}.journal ORDER BY version, statement DESC
                """,
            ],
            async reader =>
            {
                var facts = await ReadFactsAsync(reader, cancellationToken);
                // The guard has passed.
                await reader.NextResultAsync(cancellationToken);
                if (hasFormat)
                {
                    RequireKnownFormat(await Session.ResultAsync(reader, row => row.GetInt32(0), cancellationToken));
                }

                var rows = await Session.ResultAsync(reader, row => ReadRow(row, columns), cancellationToken);
                var interruptions = await Session.ResultAsync(reader, ReadInterruption, cancellationToken);
                return (facts, new HistorySnapshot(true, rows, interruptions));
            },
            cancellationToken);
    }

    private async Task<ServerFacts> ReadFactsAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        await reader.ReadAsync(cancellationToken);
        (var facts, Place) = HistoryTables.ReadFacts(reader);
        RequireOurs();
        await reader.NextResultAsync(cancellationToken);
        return facts;
    }

    /// <summary>Nothing is believed, and nothing is run, of what somebody else has put under the history's name.</summary>
    private void RequireOurs()
    {
        var strange = Place.Strange.Where(line => line.StartsWith("format,", StringComparison.Ordinal) || line.StartsWith("history,", StringComparison.Ordinal)
            || line.StartsWith("journal,", StringComparison.Ordinal)).ToList();
        if (strange.Count == 0)
        {
            return;
        }

        throw strange.TrueForAll(line => line.EndsWith(": " + HistoryTables.Subscribed, StringComparison.Ordinal))
            ? new ProblemException(
                "CG0518", $"The history in schema {_schema} comes from another database, through a subscription\n{string.Join('\n', strange)}",
                advice: "It says what was applied there, not here. Leave these tables out of the publication (FOR ALL TABLES has them too), "
                    + "or give this database a history of its own with --history-schema.")
            : new ProblemException(
                "CG0517", $"What is in schema {_schema} is not as this tool makes it, so nothing of it was read\n{string.Join('\n', strange)}",
                advice: "Somebody has changed it, or made it in advance. Take back what was added; if nothing of it is this tool's, drop it, "
                    + "or name another schema with --history-schema.");
    }

    private void RequireKnownFormat(List<int> found)
    {
        if (found.FirstOrDefault() is > HistoryTables.Format and var format)
        {
            throw new ProblemException(
                "CG0409", $"The history in schema {_schema} has format {format}; this version of the tool knows up to {HistoryTables.Format}",
                advice: "Update the tool: dotnet tool update -g ChatGenius.Tool");
        }
    }

    private ProblemException Unreadable(ProblemException e) => e.InnerException is not PostgresException refused || SessionProblem.EndsSession(refused) ? e : new(
        "CG0513", $"The history in schema {_schema} can't be read: {refused.MessageText} (SQLSTATE {refused.SqlState})",
        advice: DiskFull.Is(refused) ? DiskFull.Advice
            : refused.SqlState == PostgresErrorCodes.UndefinedTable
                ? "A part of it is gone. Bring it back from a backup: without it nobody knows what was applied."
            : "Connect as a role that may read it; --history-schema says where it is.",
        cause: refused);

    /// <summary>The command that records an applied migration (see <see cref="AppliedValues"/>), fenced.</summary>
    /// <param name="fence">The lock's fence expression; see <see cref="MigrationLock.Fence"/>.</param>
    /// <param name="marker">The name of the result's first column, by which it is told from those of the migration's own statements.</param>
    /// <param name="andThen">Expressions that are evaluated with it: none, or a comma and a list.</param>
    internal PreparableCommand RecordApplied(string fence, string marker, string andThen) => new(
        $"""
        WITH done AS (
            INSERT INTO {_schema}.history
                (version, name, checksum, down_checksum, down_sql, duration_ms, tool_version, origin, retries, backup{(Place.KeepsUp ? ", up_sql" : "")})
            VALUES ({fence} OPERATOR(pg_catalog.+) $1, $2, $3, $4, $5, coalesce($6, {SinceBegin}), $7, $8, $9, $10{(Place.KeepsUp ? ", $11" : "")})
            RETURNING version, name, duration_ms, tool_version){Log("SELECT $12, $13, version, name, duration_ms, tool_version FROM done")}
        SELECT duration_ms AS "{marker}"{andThen} FROM done
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
        NpgsqlDbType.Text,
        NpgsqlDbType.Text,
        NpgsqlDbType.Text,
        NpgsqlDbType.Text);

    /// <summary>The values of <see cref="RecordApplied"/>.</summary>
    /// <param name="step">The migration that was applied.</param>
    /// <param name="duration">How long it took, where the server's transaction can't tell: a non-transactional section.</param>
    /// <param name="retries">How often it was tried again.</param>
    /// <param name="options">Command, tool version and backup.</param>
    internal static object?[] AppliedValues(MigrationStep step, TimeSpan? duration, int retries, MigratorOptions options)
    {
        var migration = step.File;
        return
        [
            step.Version,
            step.Name,
            migration.Up.Checksum,
            migration.Down.Checksum,
            migration.Down.Text,
            duration?.TotalMilliseconds,
            options.ToolVersion,
            OriginOf(migration),
            retries,
            options.Backup,
            migration.Up.Text,
            step.Redoes ? "redone" : "applied",
            step.Command,
        ];
    }

    /// <summary>The command that forgets a migration that was rolled back; fenced and marked like <see cref="RecordApplied"/>.</summary>
    internal PreparableCommand RecordRolledBack(string fence, string marker, string andThen) => new(
        // The scalar subquery makes the fence run once, also when the row is not there.
        $"""
        WITH gone AS (
            DELETE FROM {_schema}.history WHERE version OPERATOR(pg_catalog.=) (SELECT {fence} OPERATOR(pg_catalog.+) $1)
        ){Log($"SELECT 'rolled_back', $5, $1, $2, coalesce($3, {SinceBegin}), $4")}
        SELECT coalesce($3, {SinceBegin}) AS "{marker}"{andThen}
        """,
        NpgsqlDbType.Bigint,
        NpgsqlDbType.Text,
        NpgsqlDbType.Double,
        NpgsqlDbType.Text,
        NpgsqlDbType.Text);

    /// <summary>The values of <see cref="RecordRolledBack"/>.</summary>
    internal static object?[] RolledBackValues(MigrationStep step, TimeSpan? duration, MigratorOptions options) =>
        [step.Version, step.Name, duration?.TotalMilliseconds, options.ToolVersion, step.Command];

    /// <summary>The command that records a migration as applied although this tool didn't run it.</summary>
    internal NpgsqlBatchCommand Baseline(Migration migration, string fence, string toolVersion) => new PreparableCommand(
        $"""
        WITH done AS (
            INSERT INTO {_schema}.history (version, name, checksum, down_checksum, down_sql, duration_ms, tool_version, origin{(Place.KeepsUp ? ", up_sql" : "")})
            VALUES ({fence} OPERATOR(pg_catalog.+) $1, $2, $3, $4, $5, 0, $6, 'baseline'{(Place.KeepsUp ? ", $7" : "")})
            RETURNING version, name, tool_version){Log("SELECT 'baselined', 'baseline', version, name, NULL::pg_catalog.float8, tool_version FROM done")}
        SELECT version FROM done
        """,
        NpgsqlDbType.Bigint,
        NpgsqlDbType.Text,
        NpgsqlDbType.Text,
        NpgsqlDbType.Text,
        NpgsqlDbType.Text,
        NpgsqlDbType.Text,
        NpgsqlDbType.Text)
        .With(migration.Version, migration.Name, migration.Up.Checksum, migration.Down.Checksum, migration.Down.Text, toolVersion, migration.Up.Text);

    /// <summary>What <see cref="RecordApplied"/> does, as text for psql, without a fence.</summary>
    /// <param name="step">The migration.</param>
    /// <param name="started">An SQL constant: when it began.</param>
    /// <param name="options">The tool's version.</param>
    internal string AppliedText(MigrationStep step, string started, MigratorOptions options)
    {
        var migration = step.File;
        var duration = $"pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) {started}::pg_catalog.timestamptz)";
        return $"""
            WITH done AS (
                INSERT INTO {_schema}.history (version, name, checksum, down_checksum, down_sql, duration_ms, tool_version, origin, up_sql)
                VALUES ({step.Version}, {SqlLiteral.Quote(step.Name)}, '{migration.Up.Checksum}', '{migration.Down.Checksum}', {SqlLiteral.Quote(migration.Down.Text)},
                    {duration} OPERATOR(pg_catalog.*) 1000, {SqlLiteral.Quote(options.ToolVersion)}, '{OriginOf(migration)}', {SqlLiteral.Quote(migration.Up.Text)})
                RETURNING version, name, duration_ms, tool_version)
            INSERT INTO {_schema}.log (action, command, version, name, duration_ms, tool_version)
            SELECT 'applied', 'script', version, name, duration_ms, tool_version FROM done
            """;
    }

    /// <summary>What <see cref="RecordRolledBack"/> does, as text for psql, without a fence.</summary>
    internal string RolledBackText(MigrationStep step, MigratorOptions options) =>
        $"""
        WITH gone AS (DELETE FROM {_schema}.history WHERE version OPERATOR(pg_catalog.=) {step.Version})
        INSERT INTO {_schema}.log (action, command, version, name, tool_version)
        VALUES ('rolled_back', 'script', {step.Version}, {SqlLiteral.Quote(step.Name)}, {SqlLiteral.Quote(options.ToolVersion)})
        """;

    /// <summary>The command that notes a statement of a non-transactional section as begun or as done, fenced.</summary>
    /// <param name="step">The section.</param>
    /// <param name="statement">Which statement, counted from 1.</param>
    /// <param name="done">Whether it is done.</param>
    /// <param name="fence">See <see cref="MigrationLock.Fence"/>.</param>
    internal NpgsqlBatchCommand Mark(MigrationStep step, int statement, bool done, string fence) => new PreparableCommand(
        $"""
        INSERT INTO {_schema}.journal (version, direction, statement, name, count, checksum, finished_at, backend_start)
        VALUES ({fence} OPERATOR(pg_catalog.+) $1, $2, $3, $4, $5, $6, {(done ? "pg_catalog.clock_timestamp()" : "NULL")},
            (SELECT backend_start FROM pg_catalog.pg_stat_activity WHERE pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()))
        ON CONFLICT (version, statement) DO UPDATE
        SET finished_at = EXCLUDED.finished_at, started_at = CASE WHEN EXCLUDED.finished_at IS NULL THEN EXCLUDED.started_at ELSE journal.started_at END,
            pid = EXCLUDED.pid, backend_start = EXCLUDED.backend_start
        """,
        NpgsqlDbType.Bigint,
        NpgsqlDbType.Text,
        NpgsqlDbType.Integer,
        NpgsqlDbType.Text,
        NpgsqlDbType.Integer,
        NpgsqlDbType.Text)
        .With(
            step.Version,
            step.Direction == MigrationDirection.Up ? "up" : "down",
            statement,
            step.Name,
            step.Section.Script.Statements.Count,
            step.Section.Script.ChecksumOf(statement));

    /// <summary>
    /// The command that forgets that a statement was begun; without its row it never was. The first one's row is all there is of its section.
    /// </summary>
    internal NpgsqlBatchCommand Unmark(long version, int statement) => new PreparableCommand(
        $"""
        DELETE FROM {_schema}.journal
        WHERE version OPERATOR(pg_catalog.=) $1 AND statement OPERATOR(pg_catalog.=) $2 AND finished_at IS NULL
        """,
        NpgsqlDbType.Bigint,
        NpgsqlDbType.Integer).With(version, statement);

    /// <summary>The command that forgets a section's progress, when it is in the history or settled by hand.</summary>
    internal NpgsqlBatchCommand ClearJournal(long version) => new PreparableCommand(
        $"DELETE FROM {_schema}.journal WHERE version OPERATOR(pg_catalog.=) $1", NpgsqlDbType.Bigint).With(version);

    /// <summary>The command by which a person's word takes the place of what couldn't be found out.</summary>
    internal NpgsqlBatchCommand Repair(Interruption interruption, RepairAction action) => action switch
    {
        RepairAction.Again => Unmark(interruption.Version, interruption.Statement),
        RepairAction.Forget => ClearJournal(interruption.Version),
        _ => new PreparableCommand(
            $"""
            UPDATE {_schema}.journal SET finished_at = pg_catalog.clock_timestamp()
            WHERE version OPERATOR(pg_catalog.=) $1 AND statement OPERATOR(pg_catalog.=) $2 AND finished_at IS NULL
            """,
            NpgsqlDbType.Bigint,
            NpgsqlDbType.Integer).With(interruption.Version, interruption.Statement),
    };

    /// <summary>The command that writes a line into the log; <c>null</c> where it can't be written.</summary>
    internal NpgsqlBatchCommand? LogEntry(LogEntry entry) => !Place.Logs ? null : new PreparableCommand(
        $"""
        INSERT INTO {_schema}.log (action, command, version, name, duration_ms, tool_version, error, statement, detail)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """,
        NpgsqlDbType.Text,
        NpgsqlDbType.Text,
        NpgsqlDbType.Bigint,
        NpgsqlDbType.Text,
        NpgsqlDbType.Double,
        NpgsqlDbType.Text,
        NpgsqlDbType.Text,
        NpgsqlDbType.Text,
        NpgsqlDbType.Text)
        .With(
            entry.Action,
            entry.Command,
            entry.Version,
            entry.Name,
            entry.Duration?.TotalMilliseconds,
            entry.ToolVersion,
            entry.Error,
            entry.Statement,
            entry.Detail);

    private string Log(string select) => Place.Logs
        ? $",\nlogged AS (INSERT INTO {_schema}.log (action, command, version, name, duration_ms, tool_version) {select})"
        : "";

    private static string OriginOf(Migration migration) => migration.Origin == MigrationOrigin.Bundle ? "bundle" : "folder";

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

    private static Interruption ReadInterruption(NpgsqlDataReader reader)
    {
        var started = reader.GetBoolean(5);
        return new Interruption(
            reader.GetInt64(0),
            reader.GetString(1),
            reader.GetString(2) == "up" ? MigrationDirection.Up : MigrationDirection.Down,
            reader.GetInt32(3) + (started ? 0 : 1),
            reader.GetInt32(4),
            started,
            reader.GetString(6),
            reader.GetInt32(7),
            reader.GetDateTime(8),
            reader.GetDateTime(9));
    }
}
