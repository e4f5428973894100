using System.Globalization;
using System.Text;
using ChatGenius.Db.Files;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Migrations;

/// <summary>
/// Writes a plan as a file that psql runs, for whoever must see or run the SQL by hand. It keeps the history as the tool does, skips what
/// is applied already, and can be run again after a failure.
/// </summary>
internal static class MigrationScript
{
    /// <summary>Writes the file.</summary>
    /// <param name="plan">From <see cref="Migrator.PlanAsync"/> or <see cref="Migrator.PlanRollbackAsync"/>.</param>
    /// <param name="options">The history's schema, lock timeout and tool version.</param>
    public static string Write(MigrationPlan plan, MigratorOptions options)
    {
        if (plan.Steps.FirstOrDefault(step => step.Section.Keep || step.Migration?.Up.Keep == true) is { } keeps)
        {
            throw new ProblemException(new Problem(
                "CG0534", $"{keeps.Id} has keep:true, and what is kept is decided on the database while it runs", keeps.Section.Where,
                $"Run it with {(keeps.Direction == MigrationDirection.Up ? new ToolCall("apply") : new ToolCall("rollback"))}."));
        }

        var history = new History(options.HistorySchema);
        var key = MigrationLock.Key(options.HistorySchema).ToString(CultureInfo.InvariantCulture);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture,
            $"-- Written by chatgenius-db {options.ToolVersion}. Run it with: psql -X -f FILE \"$DATABASE_URL\"\n");
        text.Append("-- It can be run again: what is in the history already is passed over.\n\n");
        text.Append("\\set ON_ERROR_STOP on\n\\set AUTOCOMMIT on\n");
        text.Append("SET standard_conforming_strings = on;\nSET client_encoding = 'UTF8';\n");
        text.Append(CultureInfo.InvariantCulture, $"SET lock_timeout = {(long)options.LockTimeout.TotalMilliseconds};\n\n");
        text.Append("-- The same lock that chatgenius-db takes; it is held until psql ends.\n");
        // A psql that ended a moment ago may still hold it, so a few seconds are given.
        text.Append(CultureInfo.InvariantCulture, $$"""
            DO $$
            BEGIN
                FOR attempt IN 1..30 LOOP
                    IF pg_catalog.pg_try_advisory_lock({{key}}) THEN
                        RETURN;
                    END IF;
                    PERFORM pg_catalog.pg_sleep(0.1);
                END LOOP;
                RAISE EXCEPTION 'another run of chatgenius-db holds the lock of this database';
            END $$;


            """);
        WriteTables(text, history);
        if (plan.Steps.Any(step => step.Section.Script.Statements.Any(statement => statement.IsCopyFromStdin)))
        {
            text.Append("CREATE TEMPORARY TABLE chatgenius_db_skipped (line text);\n");
        }

        // Older texts go before what is undone, which they no longer need.
        WriteRepeatables(text, plan, MigrationDirection.Down, history, options);
        foreach (var step in plan.Steps.Where(step => !step.IsRepeatable))
        {
            WriteStep(text, step, history, options);
        }

        WriteRepeatables(text, plan, MigrationDirection.Up, history, options);
        return text.ToString();
    }

    /// <exception cref="ProblemException">CG0535: psql tries nothing again, and no order is known in which all get through.</exception>
    private static void WriteRepeatables(
        StringBuilder text, MigrationPlan plan, MigrationDirection direction, History history, MigratorOptions options)
    {
        var (ordered, passesOverBodies, unknown) = Repeatable.InOrder(
            [.. plan.Repeatables.Where(step => step.Direction == direction)], step => step.Section.Script);
        if (unknown.Count > 0)
        {
            throw new ProblemException(new Problem(
                "CG0535", $"The order of these repeatable objects is not known, because they name each other: "
                    + string.Join(", ", unknown.Select(step => step.Name)), unknown[0].Section.Where,
                $"Run them with {(direction == MigrationDirection.Up ? new ToolCall("apply") : new ToolCall("rollback"))}, which tries "
                    + "again what fails; or put what needs each other into one file."));
        }

        foreach (var step in ordered)
        {
            WriteStep(text, step, history, options, passesOverBodies);
        }
    }

    /// <summary>Who may not create a schema or tables need not, where they are there already.</summary>
    private static void WriteTables(StringBuilder text, History history)
    {
        text.Append(CultureInfo.InvariantCulture, $"SELECT {HistoryTables.IsIncomplete(history.Name)} AS chatgenius_db_incomplete,\n");
        text.Append(CultureInfo.InvariantCulture,
            $"    pg_catalog.to_regnamespace({SqlLiteral.Quote(history.Schema)}) IS NULL AS chatgenius_db_new \\gset\n");
        text.Append(CultureInfo.InvariantCulture,
            $"\\if :chatgenius_db_new\n{HistoryTables.CreateSchema(history.Schema)};\n\\endif\n\\if :chatgenius_db_incomplete\n");
        text.Append("BEGIN;\nSET LOCAL search_path = pg_catalog, pg_temp;\nSET LOCAL client_min_messages = warning;\n");
        foreach (var statement in HistoryTables.CreateStatements(history.Schema, place: null))
        {
            text.Append(statement).Append(";\n");
        }

        text.Append("COMMIT;\n\\endif\n");
    }

    private static void WriteStep(
        StringBuilder text, MigrationStep step, History history, MigratorOptions options, bool passesOverBodies = false)
    {
        var up = step.Direction == MigrationDirection.Up;
        var version = step.Version.ToString(CultureInfo.InvariantCulture);
        text.Append(CultureInfo.InvariantCulture, $"\n-- {step.Id}, {(step.IsRepeatable ? "repeatable" : up ? "up" : "down")}\n");
        var pending = step.IsRepeatable ? history.IsChanged(step)
            : $"{(up ? "NOT " : "")}EXISTS (SELECT FROM {history.TableName} WHERE version = {version})";
        text.Append(CultureInfo.InvariantCulture, $"SELECT {pending} AS chatgenius_db_pending ");
        text.Append("\\gset\n");
        text.Append("\\if :chatgenius_db_pending\n\\echo ").Append(step.Id).Append(up || step.IsRepeatable ? "\n" : " (down)\n");
        text.Append("SELECT pg_catalog.clock_timestamp() AS chatgenius_db_started \\gset\n");
        text.Append(step.Section.Transactional ? "BEGIN;\n" : step.Section.Batch is not null
            ? "-- In slices, each committed by itself: after a failure, look at what was done before running this again.\n"
            : "-- Outside a transaction: after a failure, look at what was done before running this again.\n");
        text.Append(passesOverBodies ? "SET LOCAL check_function_bodies = off;\n" : "");
        var statements = step.Section.Script.Statements;
        var first = step.Section.Transactional ? statements.TakeWhile(statement => statement.Is("SET", "TRANSACTION")).Count() : 0;
        foreach (var (i, statement) in statements.Index())
        {
            WriteAssertions(text, step, isAfter: false, when: i == first);
            if (step.Section.Batch is { } batch && i == batch.Statement)
            {
                WriteBatches(text, batch, statement);
            }
            else if (statement.IsCopyFromStdin)
            {
                WriteCopy(text, statement);
            }
            else
            {
                text.Append(statement.Text).Append(";\n");
            }
        }

        WriteAssertions(text, step, isAfter: false, when: first == statements.Count);
        WriteAssertions(text, step, isAfter: true);
        text.Append("RESET SESSION AUTHORIZATION;\nRESET ROLE;\nRESET ALL;\n");
        text.Append(step.IsRepeatable ? history.RepeatableText(step, options)
            : up ? history.AppliedText(step, ":'chatgenius_db_started'", options)
            : history.RolledBackText(step, options)).Append(";\n");
        text.Append(step.Section.Transactional ? "COMMIT;\n" : "");
        text.Append("SET standard_conforming_strings = on;\n");
        text.Append(CultureInfo.InvariantCulture, $"SET lock_timeout = {(long)options.LockTimeout.TotalMilliseconds};\n");
        text.Append("\\endif\n");
    }

    private static void WriteAssertions(StringBuilder text, MigrationStep step, bool isAfter, bool when = true)
    {
        foreach (var assertion in step.Section.Assertions.Where(assertion => when && assertion.IsAfter == isAfter))
        {
            text.Append("-- ").Append(assertion.Mark).Append(":\n").Append(assertion.Command).Append(";\n");
        }
    }

    /// <summary>
    /// psql has no loop, but it runs what a query gives: one statement a slice, with the keys as literals. All slices are known before the
    /// first one runs, so rows that come in between two of them are left out.
    /// </summary>
    private static void WriteBatches(StringBuilder text, BatchOptions batch, SqlStatement statement)
    {
        const int Rows = 10_000;
        var size = (batch.Size ?? Rows).ToString(CultureInfo.InvariantCulture);
        var key = batch.Key.Count == 0
            ? $"pg_index i, generate_series(0, i.indnkeyatts - 1) n, pg_attribute a WHERE i.indrelid = {Quoted(batch.Table)}::regclass "
                + "AND i.indisprimary AND a.attrelid = i.indrelid AND a.attnum = i.indkey[n]"
            : $"unnest(ARRAY[{string.Join(", ", batch.Key.Select(Quoted))}]::name[]) WITH ORDINALITY k (name, n), pg_attribute a "
                + $"WHERE a.attrelid = {Quoted(batch.Table)}::regclass AND a.attname = k.name";
        text.Append(CultureInfo.InvariantCulture, $"""
            SELECT string_agg(format('%I', a.attname), ', ' ORDER BY n) AS chatgenius_db_key,
                string_agg(format('quote_literal(%I) || %L', a.attname, '::' || format_type(a.atttypid, a.atttypmod)), ' || '', '' || '
                    ORDER BY n)
                    AS chatgenius_db_literal
            FROM {key} \gset

            """);
        var pieces = SlicedStatement.Pieces(statement).Select(piece => Quoted(piece.Text)
            + (piece.IsFirst is { } first ? $" || '(' || {(first ? "first" : "last")} || ')'" : ""));
        text.Append(CultureInfo.InvariantCulture, $"""
            SELECT {string.Join(" || ", pieces)} FROM (
                SELECT n / {size} AS slice, max(CASE WHEN n % {size} = 0 THEN literal END) AS first,
                    max(CASE WHEN n % {size} = {size} - 1 OR n = total - 1 THEN literal END) AS last
                FROM (SELECT :chatgenius_db_literal AS literal, row_number() OVER (ORDER BY :chatgenius_db_key) - 1 AS n,
                    count(*) OVER () AS total FROM {batch.Table}) numbered
                GROUP BY 1) slices ORDER BY slice \gexec

            """);

        static string Quoted(string value) => SqlLiteral.Quote(value);
    }

    /// <summary>
    /// psql reads a branch that it skips as SQL, rows of COPY included. So the rows stand outside of the branches, and which COPY takes
    /// them is a variable: the migration's own, or one that puts each line, whatever is on it, into a table that is thrown away.
    /// </summary>
    private static void WriteCopy(StringBuilder text, SqlStatement statement)
    {
        var own = statement.Text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal)
            .ReplaceLineEndings("\n").Replace("\n", "\\n", StringComparison.Ordinal);
        var rows = Encoding.UTF8.GetString(statement.CopyData.Span);
        text.Append("\\set chatgenius_db_copy '").Append(own).Append("'\n\\else\n");
        text.Append("\\set chatgenius_db_copy 'COPY pg_temp.chatgenius_db_skipped FROM stdin (FORMAT csv, DELIMITER E''\\\\x01'', QUOTE "
            + "E''\\\\x02'')'\n\\endif\n");
        text.Append(":chatgenius_db_copy;\n").Append(rows).Append(rows.Length == 0 || rows.EndsWith('\n') ? "" : "\n").Append("\\.\n");
        text.Append("\\if :chatgenius_db_pending\n");
    }
}
