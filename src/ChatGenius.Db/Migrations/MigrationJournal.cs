using Npgsql;
using NpgsqlTypes;

namespace ChatGenius.Db.Migrations;

/// <summary>
/// Statement-level progress of non-transactional sections. A row is there from a statement's begin until the whole section
/// is in the history; what is left after a crash says where to go on.
/// </summary>
internal static class MigrationJournal
{
    internal static string CreateStatement(string schema) =>
        $"""
        CREATE TABLE IF NOT EXISTS {schema}.journal (
            version bigint NOT NULL,
            direction text NOT NULL CHECK (direction IN ('up', 'down')),
            statement integer NOT NULL,
            name text NOT NULL,
            count integer NOT NULL,
            checksum text NOT NULL,
            started_at timestamp with time zone NOT NULL DEFAULT pg_catalog.clock_timestamp(),
            finished_at timestamp with time zone,
            pid integer NOT NULL DEFAULT pg_catalog.pg_backend_pid(),
            backend_start timestamp with time zone NOT NULL,
            PRIMARY KEY (version, statement)
        )
        """;

    /// <summary>The newest row of each section that was begun and not finished.</summary>
    internal static string SelectInterruptions(string schema) =>
        $"""
        SELECT DISTINCT ON (version) version, name, direction, statement, count, finished_at IS NULL, checksum, pid, backend_start, started_at
        FROM {schema}.journal ORDER BY version, statement DESC
        """;

    internal static async Task<IReadOnlyList<Interruption>> ReadAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        var interruptions = new List<Interruption>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var started = reader.GetBoolean(5);
            interruptions.Add(new Interruption(
                reader.GetInt64(0),
                reader.GetString(1),
                reader.GetString(2) == "up" ? MigrationDirection.Up : MigrationDirection.Down,
                reader.GetInt32(3) + (started ? 0 : 1),
                reader.GetInt32(4),
                started,
                reader.GetString(6),
                reader.GetInt32(7),
                reader.GetDateTime(8),
                reader.GetDateTime(9)));
        }

        return interruptions;
    }

    /// <summary>The command that notes a statement as begun or as done, fenced.</summary>
    /// <param name="schema">The history's schema, quoted.</param>
    /// <param name="step">The section.</param>
    /// <param name="statement">Which statement, counted from 1.</param>
    /// <param name="done">Whether it is done.</param>
    /// <param name="fence">See <see cref="MigrationWatch.Fence"/>.</param>
    internal static NpgsqlBatchCommand Mark(string schema, MigrationStep step, int statement, bool done, string fence)
    {
        var command = new NpgsqlBatchCommand(
            $"""
            INSERT INTO {schema}.journal (version, direction, statement, name, count, checksum, finished_at, backend_start)
            VALUES ({fence} OPERATOR(pg_catalog.+) $1, $2, $3, $4, $5, $6, {(done ? "pg_catalog.clock_timestamp()" : "NULL")},
                (SELECT backend_start FROM pg_catalog.pg_stat_activity WHERE pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()))
            ON CONFLICT (version, statement) DO UPDATE
            SET finished_at = EXCLUDED.finished_at, started_at = CASE WHEN EXCLUDED.finished_at IS NULL THEN EXCLUDED.started_at ELSE journal.started_at END,
                pid = EXCLUDED.pid, backend_start = EXCLUDED.backend_start
            """);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = step.Version });
        command.Parameters.Add(Text(step.Direction == MigrationDirection.Up ? "up" : "down"));
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = statement });
        command.Parameters.Add(Text(step.Name));
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = step.Section.Script.Statements.Count });
        command.Parameters.Add(Text(step.Section.Script.ChecksumOf(statement)));
        return command;
    }

    /// <summary>The command that forgets that a statement was begun; without its row it never was. The first one's row is all there is of its section.</summary>
    internal static NpgsqlBatchCommand Unmark(string schema, long version, int statement)
    {
        var command = new NpgsqlBatchCommand($"DELETE FROM {schema}.journal WHERE version OPERATOR(pg_catalog.=) $1 AND statement OPERATOR(pg_catalog.=) $2 AND finished_at IS NULL");
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = version });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = statement });
        return command;
    }

    /// <summary>The command that forgets a section's progress, when it is in the history or settled by hand.</summary>
    internal static NpgsqlBatchCommand Clear(string schema, long version)
    {
        var command = new NpgsqlBatchCommand($"DELETE FROM {schema}.journal WHERE version OPERATOR(pg_catalog.=) $1");
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = version });
        return command;
    }

    /// <summary>The command by which a person's word takes the place of what couldn't be found out.</summary>
    internal static NpgsqlBatchCommand Repair(string schema, Interruption interruption, RepairAction action)
    {
        if (action != RepairAction.Done)
        {
            return action == RepairAction.Again ? Unmark(schema, interruption.Version, interruption.Statement) : Clear(schema, interruption.Version);
        }

        var command = new NpgsqlBatchCommand(
            $"UPDATE {schema}.journal SET finished_at = pg_catalog.clock_timestamp() WHERE version = $1 AND statement = $2 AND finished_at IS NULL");
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = interruption.Version });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = interruption.Statement });
        return command;
    }

    private static NpgsqlParameter<string> Text(string value) => new() { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Text };
}
