using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;
using Npgsql;
using NpgsqlTypes;

namespace ChatGenius.Db.Migrations;

/// <summary>What is written into the history, the journal and the log.</summary>
internal sealed partial class History
{
    /// <summary>How long the transaction has run, in milliseconds.</summary>
    private const string SinceBegin =
        "(pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) pg_catalog.transaction_timestamp()) "
        + "OPERATOR(pg_catalog.*) 1000)";

    /// <summary>The command that records an applied migration (see <see cref="AppliedValues"/>), fenced.</summary>
    /// <param name="fence">The lock's fence expression; see <see cref="MigrationLock.Fence"/>.</param>
    /// <param name="marker">The name of the result's first column, by which it is told from those of the migration's own
    /// statements.</param>
    /// <param name="andThen">Expressions that are evaluated with it: none, or a comma and a list.</param>
    internal PreparableCommand RecordApplied(string fence, string marker, string andThen) => new(
        $"""
        WITH done AS (
            INSERT INTO {_schema}.history
                (version, name, checksum, down_checksum, down_sql, duration_ms, tool_version, origin, retries,
                    backup{(Place.KeepsUp ? ", up_sql" : "")})
            VALUES ({fence} OPERATOR(pg_catalog.+) $1, $2, $3, $4, $5, coalesce($6, {SinceBegin}), $7, $8, $9,
                $10{(Place.KeepsUp ? ", $11" : "")})
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
            migration.StoredDown,
            duration?.TotalMilliseconds,
            options.ToolVersion,
            OriginOf(migration),
            retries,
            options.Backup,
            migration.Up.Shown,
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

    /// <summary>The command that records a section which did not run in one transaction of its own, with its values.</summary>
    internal NpgsqlBatchCommand Record(
        MigrationStep step, TimeSpan duration, int retries, MigratorOptions options, string fence, string marker) =>
        step.Direction == MigrationDirection.Up
            ? RecordApplied(fence, marker, "").With(AppliedValues(step, duration, retries, options))
            : RecordRolledBack(fence, marker, "").With(RolledBackValues(step, duration, options));

    /// <summary>The command that records a migration as applied although this tool didn't run it.</summary>
    internal NpgsqlBatchCommand Baseline(BaselineMark mark, string fence, string toolVersion) => new PreparableCommand(
        $"""
        WITH done AS (
            INSERT INTO {_schema}.history (version, name, checksum, down_checksum, down_sql, duration_ms, tool_version, applied_at,
                applied_by, origin{(Place.KeepsUp ? ", up_sql" : "")})
            VALUES ({fence} OPERATOR(pg_catalog.+) $1, $2, $3, $4, $5, 0, $6, coalesce($8, pg_catalog.clock_timestamp()),
                coalesce($9, SESSION_USER::pg_catalog.text), 'baseline'{(Place.KeepsUp ? ", $7" : "")})
            RETURNING version, name, tool_version)
        {Log("SELECT 'baselined', 'baseline', version, name, NULL::pg_catalog.float8, tool_version, $10::pg_catalog.text FROM done",
            ", detail")}
        SELECT version FROM done
        """,
        NpgsqlDbType.Bigint,
        NpgsqlDbType.Text,
        NpgsqlDbType.Text,
        NpgsqlDbType.Text,
        NpgsqlDbType.Text,
        NpgsqlDbType.Text,
        NpgsqlDbType.Text,
        NpgsqlDbType.TimestampTz,
        NpgsqlDbType.Text,
        NpgsqlDbType.Text)
        .With(mark.File.Version, mark.File.Name, mark.File.Up.Checksum, mark.File.Down.Checksum, mark.File.StoredDown, toolVersion,
            mark.File.Up.Shown, mark.At, mark.By, mark.Detail);

    /// <summary>The command that takes a baseline's mark back; fenced.</summary>
    internal NpgsqlBatchCommand Unmark(HistoryRow row, string fence, string toolVersion) => new PreparableCommand(
        $"""
        WITH gone AS (
            DELETE FROM {_schema}.history WHERE version OPERATOR(pg_catalog.=) (SELECT {fence} OPERATOR(pg_catalog.+) $1)
                AND origin OPERATOR(pg_catalog.=) 'baseline' RETURNING version, name)
        {Log("SELECT 'unmarked', 'baseline', version, name, NULL::pg_catalog.float8, $2 FROM gone")}
        SELECT version FROM gone
        """,
        NpgsqlDbType.Bigint,
        NpgsqlDbType.Text).With(row.Version, toolVersion);

    /// <summary>The command that gives an applied migration another number; fenced.</summary>
    internal NpgsqlBatchCommand Move(MovedRow row, string fence, string toolVersion) => new PreparableCommand(
        $"""
        WITH moved AS (
            UPDATE {_schema}.history SET version = $2
            WHERE version OPERATOR(pg_catalog.=) (SELECT {fence} OPERATOR(pg_catalog.+) $1) AND name OPERATOR(pg_catalog.=) $3
            RETURNING version, name)
        {Log("SELECT 'renumbered', $6::pg_catalog.text, version, name, NULL::pg_catalog.float8, $4, $5::pg_catalog.text FROM moved",
            ", detail")}
        SELECT version FROM moved
        """,
        NpgsqlDbType.Bigint,
        NpgsqlDbType.Bigint,
        NpgsqlDbType.Text,
        NpgsqlDbType.Text,
        NpgsqlDbType.Text,
        NpgsqlDbType.Text)
        .With(row.From, row.To, row.Name, toolVersion, $"from {MigrationNumber.Format(row.From)}", "renumber");

    /// <summary>What <see cref="RecordApplied"/> does, as text for psql, without a fence.</summary>
    /// <param name="step">The migration.</param>
    /// <param name="started">An SQL constant: when it began.</param>
    /// <param name="options">The tool's version.</param>
    internal string AppliedText(MigrationStep step, string started, MigratorOptions options)
    {
        var migration = step.File;
        var duration = $"pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) "
            + $"{started}::pg_catalog.timestamptz)";
        return $"""
            WITH done AS (
                INSERT INTO {_schema}.history (version, name, checksum, down_checksum, down_sql, duration_ms, tool_version, origin, up_sql)
                VALUES ({step.Version}, {SqlLiteral.Quote(step.Name)}, '{migration.Up.Checksum}', '{migration.Down.Checksum}',
                    {SqlLiteral.Quote(migration.StoredDown)},
                    {duration} OPERATOR(pg_catalog.*) 1000, {SqlLiteral.Quote(options.ToolVersion)}, '{OriginOf(migration)}',
                        {(migration.Up.Shown is { } shown ? SqlLiteral.Quote(shown) : "NULL")})
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
    /// <param name="backendStart">When our backend was started.</param>
    internal NpgsqlBatchCommand Mark(MigrationStep step, int statement, bool done, string fence, DateTime backendStart) =>
        new PreparableCommand(
        $"""
        INSERT INTO {_schema}.journal (version, direction, statement, name, count, checksum, finished_at, backend_start)
        VALUES ({fence} OPERATOR(pg_catalog.+) $1, $2, $3, $4, $5, $6, {(done ? "pg_catalog.clock_timestamp()" : "NULL")}, $7)
        ON CONFLICT (version, statement) DO UPDATE
        SET finished_at = EXCLUDED.finished_at, started_at = CASE WHEN EXCLUDED.finished_at IS NULL THEN EXCLUDED.started_at ELSE
            journal.started_at END,
            pid = EXCLUDED.pid, backend_start = EXCLUDED.backend_start
        """,
        NpgsqlDbType.Bigint,
        NpgsqlDbType.Text,
        NpgsqlDbType.Integer,
        NpgsqlDbType.Text,
        NpgsqlDbType.Integer,
        NpgsqlDbType.Text,
        NpgsqlDbType.TimestampTz)
        .With(
            step.Version,
            step.Direction == MigrationDirection.Up ? "up" : "down",
            statement,
            step.Name,
            step.Section.Script.Statements.Count,
            step.Section.Script.ChecksumOf(statement),
            backendStart);

    /// <summary>
    /// The command that forgets that a statement was begun; without its row it never was. The first one's row is all there is of its
    /// section.
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
            entry.Error is null ? null : Secrets.Hide(entry.Error),
            entry.Statement is null ? null : Secrets.Hide(entry.Statement),
            entry.Detail);

    /// <summary>The command that takes a file's text over as what was applied, fenced.</summary>
    internal NpgsqlBatchCommand Accept(Migration migration, string fence) => new PreparableCommand(
        $"""
        UPDATE {_schema}.history SET checksum = $2, down_checksum = $3, down_sql = $4{(Place.KeepsUp ? ", up_sql = $5" : "")}
        WHERE version OPERATOR(pg_catalog.=) (SELECT {fence} OPERATOR(pg_catalog.+) $1)
        """,
        NpgsqlDbType.Bigint,
        NpgsqlDbType.Text,
        NpgsqlDbType.Text,
        NpgsqlDbType.Text,
        NpgsqlDbType.Text)
        .With(migration.Version, migration.Up.Checksum, migration.Down.Checksum, migration.StoredDown, migration.Up.Shown);

    private string Log(string select, string more = "") => Place.Logs
        ? $",\nlogged AS (INSERT INTO {_schema}.log (action, command, version, name, duration_ms, tool_version{more}) {select})"
        : "";

    private static string OriginOf(Migration migration) => migration.Origin == MigrationOrigin.Bundle ? "bundle" : "folder";
}
