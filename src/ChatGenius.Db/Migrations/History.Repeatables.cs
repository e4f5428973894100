using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;
using Npgsql;
using NpgsqlTypes;

namespace ChatGenius.Db.Migrations;

/// <summary>A text of a repeatable object that has run.</summary>
/// <param name="Name">The file's name without <c>.sql</c>.</param>
/// <param name="Version">The newest migration when it ran; 0 where there was none.</param>
/// <param name="Checksum">Of its tokens.</param>
/// <param name="Sql">The text.</param>
/// <param name="AppliedAt">When it ran last, by the server's clock.</param>
/// <param name="AppliedBy">The role that ran it.</param>
/// <param name="ToolVersion">The version of the tool that ran it.</param>
internal sealed record RepeatableRow(
    string Name, long Version, string Checksum, string Sql, DateTime AppliedAt, string AppliedBy, string ToolVersion)
{
    /// <summary>The text as it ran.</summary>
    internal Migration Parse() => Repeatable.From(SourceText.From($"history/{Name}.sql", Sql), []);
}

internal sealed partial class History
{
    /// <summary>Reads the texts of repeatable objects, by name and version.</summary>
    /// <exception cref="ProblemException">CG0513, CG0517: as <see cref="ReadAsync"/>.</exception>
    internal async Task<IReadOnlyList<RepeatableRow>> ReadRepeatablesAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken) =>
        Place.IsEmpty("repeatable") ? []
        : await ReadTableAsync(
            "repeatable",
            Session.Over(connection, "reading the history"),
            [$"SELECT name, version, checksum, sql, applied_at, applied_by, tool_version FROM {From("repeatable")} "
                + "ORDER BY name, version"],
            reader => Session.ResultAsync(
                reader,
                row => new RepeatableRow(
                    row.GetString(0), row.GetInt64(1), row.GetString(2), row.GetString(3), row.GetDateTime(4), row.GetString(5),
                    row.GetString(6)),
                cancellationToken),
            cancellationToken);

    /// <summary>The command that keeps the text of a repeatable object that has run, fenced. It is kept to be run again by a rollback, so
    /// nothing of it is masked.</summary>
    internal NpgsqlBatchCommand RecordRepeatable(MigrationStep step, TimeSpan duration, string fence, string toolVersion) =>
        new PreparableCommand(
            $"""
            WITH later AS ({Later("$1")}), done AS (
                INSERT INTO {_schema}.repeatable (name, version, checksum, sql, tool_version)
                SELECT $1, {fence} OPERATOR(pg_catalog.+) coalesce(pg_catalog.max(version), 0), $2, $3, $4 FROM {_schema}.history
                ON CONFLICT (name, version) DO UPDATE SET checksum = EXCLUDED.checksum, sql = EXCLUDED.sql,
                    applied_at = pg_catalog.clock_timestamp(), applied_by = SESSION_USER, tool_version = EXCLUDED.tool_version
                RETURNING name, tool_version)
            {Log("SELECT 'repeated', $5, NULL::pg_catalog.int8, name, $6::pg_catalog.float8, tool_version FROM done")}
            SELECT name FROM done
            """,
            NpgsqlDbType.Text,
            NpgsqlDbType.Text,
            NpgsqlDbType.Text,
            NpgsqlDbType.Text,
            NpgsqlDbType.Text,
            NpgsqlDbType.Double).With(
                step.Name, step.Section.Checksum, TextOf(step), toolVersion, step.Command, duration.TotalMilliseconds);

    /// <summary>The command that forgets a repeatable object, fenced.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="action">What the log says: <c>dropped</c>, or <c>forgotten</c> because its file is gone.</param>
    /// <param name="command">The command that does it.</param>
    /// <param name="fence">See <see cref="MigrationLock.Fence"/>.</param>
    /// <param name="toolVersion">The version of the tool.</param>
    internal NpgsqlBatchCommand ForgetRepeatable(string name, string action, string command, string fence, string toolVersion) =>
        new PreparableCommand(
            $"""
            WITH gone AS (
                DELETE FROM {_schema}.repeatable
                WHERE name OPERATOR(pg_catalog.=) $1 AND version OPERATOR(pg_catalog.>=) (SELECT {fence} OPERATOR(pg_catalog.+) 0)
            ){Log("SELECT $2, $3, NULL::pg_catalog.int8, $1, NULL::pg_catalog.float8, $4")}
            SELECT $1
            """,
            NpgsqlDbType.Text,
            NpgsqlDbType.Text,
            NpgsqlDbType.Text,
            NpgsqlDbType.Text).With(name, action, command, toolVersion);

    /// <summary>What ran while a migration was the newest that is undone now is not the last text any more.</summary>
    private string Later(string name) =>
        $"DELETE FROM {_schema}.repeatable WHERE name OPERATOR(pg_catalog.=) {name} AND version OPERATOR(pg_catalog.>) "
        + $"(SELECT coalesce(pg_catalog.max(version), 0) FROM {_schema}.history)";

    private static string TextOf(MigrationStep step) => step.Section.Script.Source.Substring(0, step.Section.Script.End);

    /// <summary>An SQL expression: whether a repeatable object's text is another one than ran last.</summary>
    internal string IsChanged(MigrationStep step) => $"""
        NOT EXISTS (SELECT FROM (SELECT checksum FROM {_schema}.repeatable WHERE name = {SqlLiteral.Quote(step.Name)}
            ORDER BY version DESC LIMIT 1) last WHERE checksum = '{step.Section.Checksum}')
        """;

    /// <summary>What <see cref="RecordRepeatable"/> does, as text for psql, without a fence.</summary>
    internal string RepeatableText(MigrationStep step, MigratorOptions options) =>
        $"""
        WITH later AS ({Later(SqlLiteral.Quote(step.Name))}), done AS (
            INSERT INTO {_schema}.repeatable (name, version, checksum, sql, tool_version)
            SELECT {SqlLiteral.Quote(step.Name)}, coalesce(pg_catalog.max(version), 0), '{step.Section.Checksum}',
                {SqlLiteral.Quote(TextOf(step))}, {SqlLiteral.Quote(options.ToolVersion)}
            FROM {_schema}.history
            ON CONFLICT (name, version) DO UPDATE SET checksum = EXCLUDED.checksum, sql = EXCLUDED.sql,
                applied_at = pg_catalog.clock_timestamp(), applied_by = SESSION_USER, tool_version = EXCLUDED.tool_version
            RETURNING name, tool_version)
        INSERT INTO {_schema}.log (action, command, name, tool_version)
        SELECT 'repeated', 'script', name, tool_version FROM done
        """;
}
