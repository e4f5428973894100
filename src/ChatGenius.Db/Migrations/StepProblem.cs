using System.Globalization;
using System.Text.RegularExpressions;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;
using Npgsql;

namespace ChatGenius.Db.Migrations;

/// <summary>Turns what the server says during a run into problems.</summary>
internal static partial class StepProblem
{
    /// <summary>A statement of a migration failed: place, caret, SQLSTATE, detail, hint, context and the statement.</summary>
    /// <param name="failure">The statement and the server's error.</param>
    /// <param name="plan">What it was part of.</param>
    /// <param name="blockers">Whose locks it waited for.</param>
    /// <param name="victims">Who waited behind it, where it was cancelled for their sake once too often.</param>
    /// <param name="afterwards">What failed while the failure was settled.</param>
    internal static Problem Failed(
        SqlPipelineException<MigrationStep> failure,
        MigrationPlan plan,
        IReadOnlyList<LockHolder> blockers,
        string? victims = null,
        Exception? afterwards = null)
    {
        var (error, step, statement) = (failure.Error, failure.Owner, failure.Statement);
        if (step.Section.Assertions.FirstOrDefault(asked => ReferenceEquals(asked.Statement, statement)) is { } assertion
            && !IsLockConflict(error) && victims is null)
        {
            return Unanswered(assertion, error, step, plan, afterwards);
        }

        var lines = new List<string> { victims is null ? $"{step.Id}: {error.MessageText} (SQLSTATE {error.SqlState})"
            : $"{step.Id} gave way for the last time: {victims}" };
        Append(lines, "detail", error.Detail);
        Append(lines, "hint", error.Hint);
        Append(lines, "context", error.Where);
        Append(lines, "query", error.InternalQuery);
        lines.AddRange(blockers.Where(_ => IsLockConflict(error)).Select(blocker => $"blocked by: {blocker}"));
        Append(lines, "statement", failure switch
        {
            { Command: "COMMIT" } => "COMMIT, where deferred constraints are checked",
            { Statement: null } when PreparableCommand.IsExecute(failure.Command)
                || failure.Command.StartsWith("PREPARE ", StringComparison.Ordinal) => "what writes its row into the history",
            _ => Shorten(failure.Command),
        });
        Append(lines, "afterwards", afterwards is null ? null
            : $"{afterwards.Message}; what was committed before it is in the database all the same");

        return new Problem("CG0502", string.Join('\n', lines), Place(error, step, statement),
            Advice(error, step, statement, plan, victims is not null));
    }

    /// <summary>What a migration asks has another answer than true, or none.</summary>
    private static Problem Unanswered(
        MigrationAssertion assertion, PostgresException error, MigrationStep step, MigrationPlan plan, Exception? afterwards)
    {
        var isAnswered = error.SqlState == MigrationAssertion.SqlState;
        var lines = new List<string>
        {
            $"{step.Id}: {assertion.Mark} {(isAnswered ? error.MessageText : $"fails: {error.MessageText} (SQLSTATE {error.SqlState})")}",
        };
        Append(lines, "detail", isAnswered ? null : error.Detail);
        Append(lines, "hint", isAnswered ? null : error.Hint);
        Append(lines, "asked", Shorten(assertion.Statement.Text));
        Append(lines, "afterwards", afterwards?.Message);
        var isInside = !isAnswered && error.InternalPosition > 0 && error.InternalQuery == assertion.Statement.Text;
        var advice = !isAnswered ? "An assertion is one SELECT that reads only."
            : assertion.IsAfter ? "The statements did not bring about what the migration says."
            : "The database is not as the migration needs it.";
        var state = step.Section.Transactional || plan.InOneTransaction ? State(step, plan)
            : assertion.IsAfter ? "All its statements are done and noted, and only this is asked again."
            : "None of its statements has run.";
        return new Problem(isAnswered ? "CG0526" : "CG0527", string.Join('\n', lines),
            assertion.Statement.At(isInside ? error.InternalPosition : 1), $"{advice} {state}");
    }

    /// <summary>Whether trying again later can help: somebody else's lock, a deadlock, a serialization failure.</summary>
    internal static bool IsLockConflict(PostgresException error) => error.SqlState is PostgresErrorCodes.LockNotAvailable
        or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure;

    /// <summary>The connection was lost while a step ran, or before the first one did.</summary>
    internal static Problem ConnectionLost(MigrationStep? step, Exception error) => new(
        "CG0503",
        $"The connection was lost{(step is null ? "" : $" while {step.Id} ran")}: "
        + (error is PostgresException refused ? refused.MessageText : (error.InnerException ?? error).Message),
        step?.Section.Where,
        $"{(DiskFull.Is(error) ? DiskFull.Advice + " " : "")}What had not been committed was rolled back by the server. Run the same "
            + "command again: it goes on where the database is.");

    /// <summary>The server was not heard of for too long, and what it did meanwhile isn't known.</summary>
    internal static Problem NoAnswer(MigrationStep? step) => new(
        "CG0516",
        "The server does not answer any more" + (step is null ? "" : $"; it was at {step.Id}"),
        step?.Section.Where,
        (step is null ? ""
            : "Whether that was done isn't known from here. The server rolls back what was not committed as soon as it finds us gone. ")
        + "Check the network, and run the same command again: it goes on where the database is.");

    /// <summary>The watch's connection was lost, and the lock with it.</summary>
    internal static Problem LockLost(MigrationStep? step) => new(
        "CG0504",
        "The connection that held the lock was lost"
        + (step is null ? "" : $" while {step.Id} ran, so {(step.Section.Transactional ? "it was rolled back" : "it was interrupted")}"),
        step?.Section.Where,
        "Run the same command again: it goes on where the database is.");

    /// <summary>The transaction did more than it may, and did not commit.</summary>
    internal static Problem Guarded(MigrationStep step, PostgresException error) => new(
        "CG0515",
        $"{step.Id} did more than its certificate says, and was rolled back\n{error.MessageText}",
        step.Section.Where,
        "Look at what differs between this database and the one it was checked on, then check it again with 'chatgenius-db check "
            + "--certify'.");

    private static SourceLocation Place(PostgresException error, MigrationStep step, SqlStatement? statement)
    {
        if (statement is null)
        {
            return step.Section.Where;
        }

        if (statement.IsCopyFromStdin && error.Where is { } context && CopyLine().Match(context) is { Success: true } match)
        {
            return PlaceInRows(statement, int.Parse(match.ValueSpan, CultureInfo.InvariantCulture));
        }

        return error.Position > 0 ? statement.At(error.Position) : statement.Location;
    }

    /// <summary>The server counts the lines of COPY's data from 1, and names the one that it could not take in the error's
    /// context.</summary>
    private static SourceLocation PlaceInRows(SqlStatement statement, int line)
    {
        var rows = statement.CopyData.Span;
        statement.Source.Utf8.Span.Overlaps(rows, out var start);
        var offset = 0;
        for (var i = 1; i < line && rows[offset..].IndexOf((byte)'\n') is >= 0 and var length; i++)
        {
            offset += length + 1;
        }

        var end = rows[offset..].IndexOf((byte)'\n');
        return statement.Source.At(start + offset, end < 0 ? rows.Length - offset : end);
    }

    [GeneratedRegex("(?<=, line )[0-9]+")]
    private static partial Regex CopyLine();

    private static string Advice(PostgresException error, MigrationStep step, SqlStatement? statement, MigrationPlan plan, bool gaveWay)
    {
        var isLock = error.SqlState == PostgresErrorCodes.LockNotAvailable;
        var own = error.SqlState switch
        {
            "55006" or "55P04" when plan.InOneTransaction && plan.Steps[0] != step =>
                "PostgreSQL refuses this in the transaction that undid the migration: add --separately, which commits in between.",
            _ when gaveWay =>
                "It holds a lock, or waits for one, for longer than those others may wait. Run it when fewer use the table, or let them "
                    + "wait with --max-blocked and --max-blocked-time.",
            PostgresErrorCodes.ActiveSqlTransaction when step.IsRepeatable && error.Routine == "PreventInTransactionBlock" =>
                "This statement can't run in a transaction: it belongs in a migration that says transaction:false.",
            PostgresErrorCodes.DuplicateTable or PostgresErrorCodes.DuplicateObject or PostgresErrorCodes.DuplicateFunction
                when step.IsRepeatable => "It is there already: write CREATE OR REPLACE, or DROP … IF EXISTS before it.",
            PostgresErrorCodes.ActiveSqlTransaction when step.Section.Transactional && error.Routine == "PreventInTransactionBlock" =>
                $"This statement can't run in a transaction: write '-- migrate:{Word(step)} transaction:false', alone in its own "
                    + $"migration.",
            PostgresErrorCodes.InsufficientPrivilege => "Connect as a role that may do this, or let the owner grant it.",
            PostgresErrorCodes.InvalidSchemaName when error.MessageText.StartsWith("no schema", StringComparison.Ordinal) =>
                "The search_path names no schema that exists: set it in the URL (?search_path=public) or write schema-qualified names.",
            "55P04" =>
                "A new enum value can be used only after its transaction is committed: use it in a later migration, and not with "
                    + "--single-transaction.",
            PostgresErrorCodes.DuplicateTable or PostgresErrorCodes.DuplicateColumn or PostgresErrorCodes.DuplicateObject
                or PostgresErrorCodes.DuplicateFunction when step.Redoes => "It is there already: the down section has not taken it away.",
            PostgresErrorCodes.DuplicateTable or PostgresErrorCodes.DuplicateColumn or PostgresErrorCodes.DuplicateObject
                when !error.MessageText.Contains("more than once", StringComparison.Ordinal) =>
                $"It is there already. If something else built it, {new ToolCall("baseline", "--to", Number(step))} takes it over.",
            PostgresErrorCodes.DiskFull => DiskFull.Advice,
            PostgresErrorCodes.LockNotAvailable =>
                "Others keep the lock: wait longer with --lock-timeout or --retries, or until they are done.",
            PostgresErrorCodes.QueryCanceled when error.MessageText.Contains("statement timeout", StringComparison.Ordinal) =>
                "It took longer than --statement-timeout allows.",
            _ => null,
        };
        var mend = gaveWay || DiskFull.Is(error) || isLock ? "Then" : "Mend it and";
        var call = step.Redoes && !plan.InOneTransaction ? new ToolCall("apply").ToString() : "the same command again";
        return $"{(own is null ? "" : own + " ")}{State(step, plan, statement)} {mend} run {call}.";
    }

    /// <summary>What the database holds after a step has failed.</summary>
    private static string State(MigrationStep step, MigrationPlan plan, SqlStatement? statement = null) => (
        step.Direction, step.Section.Transactional) switch
    {
        (MigrationDirection.Down, _) when step.IsRepeatable =>
            "What was undone is undone; no more repeatable objects got their older text back, and the next apply runs their newer ones.",
        _ when step.IsRepeatable => "None of the repeatable objects was changed; migrations before them are applied.",
        _ when plan.InOneTransaction => "Nothing was changed: what was applied still is, as it was.",
        _ when step.Section.Batch is not null => "The statements and slices before this one are done and noted.",
        (MigrationDirection.Up, true) when step.Redoes => "It was undone before, and is not applied now.",
        (MigrationDirection.Up, true) => "Nothing of this migration is left in the database.",
        (MigrationDirection.Down, true) => "The migration is still applied, as it was.",
        _ => StateOutside(step, statement),
    };

    /// <summary>The same where each statement was committed by itself, but for those between a BEGIN and a COMMIT of the section.</summary>
    private static string StateOutside(MigrationStep step, SqlStatement? statement)
    {
        var before = step.Section.Script.Statements.TakeWhile(known => !ReferenceEquals(known, statement)).ToList();
        var begin = before.FindLastIndex(known => known.TransactionControl != SqlTransactionControl.None);
        var isInside = begin >= 0 && before[begin].TransactionControl == SqlTransactionControl.Begin;
        var undo = step.Direction == MigrationDirection.Down;
        return (isInside ? "Its transaction was rolled back. " : "") + ((isInside ? begin : before.Count) == 0
            ? $"None of its statements is done{(undo ? ": the migration is still applied" : "")}."
            : $"The statements before {(isInside ? "its BEGIN" : "this one")} are done and noted"
                + $"{(undo ? ": the migration is undone in part" : "")}.")
            + (statement is not null && StatementKind.Of(statement).Mode == StatementMode.CreateIndex
                ? " An invalid index may be left of this one; the next run puts a valid one in its place." : "");
    }

    private static string Number(MigrationStep step) => step.Version.ToString(CultureInfo.InvariantCulture);

    private static string Word(MigrationStep step) => step.Direction == MigrationDirection.Up ? "up" : "down";

    private static void Append(List<string> lines, string label, string? text)
    {
        if (!string.IsNullOrWhiteSpace(text))
        {
            lines.Add($"{label}: {text.ReplaceLineEndings("\n  ")}");
        }
    }

    internal static string Shorten(string text)
    {
        var lines = text.ReplaceLineEndings("\n").Split('\n');
        var shown = string.Join('\n', lines.Take(5).Select(line => line.Length > 120 ? line[..117] + "..." : line));
        return lines.Length > 5 ? shown + $"\n... ({lines.Length - 5} more lines)" : shown;
    }
}
