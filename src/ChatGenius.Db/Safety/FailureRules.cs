using System.Collections.Immutable;
using ChatGenius.Db.Files;
using ChatGenius.Db.Migrations;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Safety;

/// <summary>F1xx: what fails, or may.</summary>
internal static class FailureRules
{
    /// <summary>Errors that a rule of their own explains better than "it fails".</summary>
    private static readonly string[] Explained = [PostgresErrorCodes.ActiveSqlTransaction, "55P04", PostgresErrorCodes.ObjectInUse];

    internal static readonly Hazard UniqueMayFail = new("F101")
    {
        Traced = facts =>
            from s in facts.Statements
            from built in s.BuiltIndexes
            where built.Index.Index!.Unique && built.Index.Parent is null && built.Table.IsTable && facts.WasThere(built.Table.Oid)
                && !built.Index.Index.Keys.Contains((short)0)
                && !UniqueAlready(facts, built.Table, built.Index.Index) && !AllNewAndEmpty(facts, s, built.Table, built.Index.Index)
                    && !FilledOneByOne(facts, built.Table, built.Index.Index)
            let columns = Names.Columns(s.ColumnNames(built.Table.Oid, built.Index.Index!.Keys))
            select s.Finding(
                built.Table, built.Index.Display, $"Rows of {built.Table.Display} with the same {columns} would end the migration",
                $"-- before: are there any?\nSELECT {columns}, count(*) FROM {built.Table.Display} GROUP BY {columns} HAVING count(*) > "
                    + "1;") with
            {
                GivenSeverity = s.Trace.RanAlone ? Severity.Info : null,
            },
        InText = (text, _) => Safety.InText.Action(
                text, (start, end) => text.At(start, "ADD") && text.Within(start, end, "UNIQUE")
                    && !text.Within(start, end, "USING", "INDEX")
                    && !Safety.InText.AddsColumn(text, start),
                table => $"Rows of {table} with the same values would end the migration"),
    };

    internal static readonly Hazard NotNullMayFail = new("F102")
    {
        Traced = facts =>
            NewlyRequired(facts).Concat(
            from s in facts.Statements
            from changed in s.EnsuredNotNull
            where facts.WasThere(changed.Table.Oid) && facts.Before.FindColumn(changed.Table.Oid, changed.Column.Number) is not null
                && s.Scanned(changed.Table.Oid) && !FilledAlready(facts, s, changed.Table, changed.Column)
            select s.Finding(
                changed.Table, $"{changed.Table.Name}.{changed.Column.Name}",
                    $"A NULL in {changed.Table.Display}.{changed.Column.Name} would end the migration",
                $"-- before: are there any?\nSELECT count(*) FROM {changed.Table.Display} WHERE "
                    + $"{SqlIdentifier.Quote(changed.Column.Name)} IS NULL;")),
        InText = (text, _) => Safety.InText.Action(
            text, (start, end) => Safety.InText.AltersColumn(text, start, "SET", "NOT", "NULL")
                || (CompatibilityRules.RequiresValue(text, start, end)),
            table => $"A row of {table} without a value would end the migration"),
    };

    internal static readonly Hazard ConstraintMayFail = new("F103")
    {
        Traced = facts =>
            from s in facts.Statements
            from constraint in s.EnsuredConstraints
            where constraint is { Kind: 'c' or 'f' or 'x', Parent: 0, Domain: 0 } && facts.WasThere(constraint.Table)
                && s.Scanned(constraint.Table)
                && constraint.Keys.Any(key => facts.Before.FindColumn(constraint.Table, key) is not null)
                && !HeldAlready(facts, s, constraint)
            let table = s.After.Find(constraint.Table)!
            select s.Finding(
                table, constraint.Name, $"A row of {table.Display} that breaks {SqlIdentifier.Quote(constraint.Name)} would end the "
                    + "migration",
                constraint.Kind == 'x' ? "" : ScanRules.LaterValidated(s, table, constraint)),
        InText = (text, _) => Safety.InText.Action(
            text, (start, end) => text.At(start, "ADD") && !Safety.InText.AddsColumn(text, start)
                && !text.Within(start, end, "NOT", "VALID")
                && !text.Within(start, end, "NOT", "ENFORCED")
                    && (text.Within(start, end, "CHECK") || text.Within(start, end, "FOREIGN", "KEY")),
            table => $"A row of {table} that breaks the new constraint would end the migration"),
    };

    internal static readonly Hazard NotInTransaction = new("F104")
    {
        Traced = facts =>
            from trace in facts.Trace.Statements
            where trace.Error?.SqlState == PostgresErrorCodes.ActiveSqlTransaction
                || (trace.RanAlone && facts.Migration.Up.Transactional)
            select new Finding(trace, "",
                $"It can't run in a transaction{(trace.Error is { } error ? $": {error.MessageText}" : "")}",
                IndexRules.Alone($"{trace.Statement.Text};")),
        InText = (text, context) => context.Section.Transactional && text.RefusesTransaction
            ? new Finding("", "It can't run in a transaction", IndexRules.Alone($"{text.Statement.Text};"))
            : null,
    };

    internal static readonly Hazard NewEnumValueUsed = new("F105")
    {
        Traced = facts => Failing(facts, "55P04", "A new enum value can't be used before it is committed"),
        InText = (text, context) => context.Section.Transactional && !text.Is("ALTER", "TYPE")
            && context.DefinitionsBefore(text).Where(earlier => earlier.Is("ALTER", "TYPE") && earlier.Has("ADD", "VALUE"))
                .SelectMany(earlier => earlier.Tokens.Where(token => token.Kind == SqlTokenKind.StringConstant).Take(1))
                .Any(value => text.Tokens.Any(token => token.Kind == SqlTokenKind.StringConstant && token.Text == value.Text))
            ? new Finding("", "A new enum value can't be used before it is committed") : null,
    };

    internal static readonly Hazard PendingTriggerEvents = new("F106")
    {
        Traced = facts =>
            from trace in facts.Trace.Statements
            where trace.Error is { SqlState: PostgresErrorCodes.ObjectInUse } error
                && error.MessageText.Contains("trigger", StringComparison.Ordinal)
            select new Finding(trace, "", $"It fails: {trace.Error!.MessageText}", "SET CONSTRAINTS ALL IMMEDIATE;\n" + trace.Statement.Text
                + ";"),
    };

    internal static readonly Hazard TransactionControl = new("F107");

    internal static readonly Hazard HidesInvalidIndex = new("F108")
    {
        Traced = facts =>
            from s in facts.Statements
            where s.Trace.Notices.Any(notice => notice.SqlState == PostgresErrorCodes.DuplicateTable)
            from index in s.After.Relations.Values
            where index is { Index.Valid: false, Kind: 'i' } && s.Text.Has("INDEX") && s.Text.Tokens.Any(token => token.Name == index.Name)
            select s.Finding(index.Display, $"{index.Display} is there and invalid: IF NOT EXISTS passes over it",
                IndexRules.Alone($"DROP INDEX CONCURRENTLY {index.Display};\n{IndexRules.Concurrently(index)}")),
    };

    internal static readonly Hazard IdentifierTruncated = new("F109")
    {
        Traced = facts =>
            from s in facts.Statements
            let notice = s.Trace.Notices.FirstOrDefault(notice => notice.SqlState == PostgresErrorCodes.NameTooLong)
            where notice is not null
            select s.Finding("", notice.Message[..1].ToUpperInvariant() + notice.Message[1..]),
        InText = (text, _) => LongName(text) is { } name
            ? new Finding(SqlIdentifier.Truncate(name), $"\"{name}\" will be cut to \"{SqlIdentifier.Truncate(name)}\"") : null,
    };

    internal static readonly Hazard ConcurrentIndexCorruption = new("F110")
    {
        TextAlways = true,
        InText = (text, context) => context.ServerVersion is >= 140000 and < 140004 && text.Statement.Words(4).Contains("CONCURRENTLY")
            && (text.Is("CREATE") || text.Is("REINDEX"))
            ? new Finding("", "A server of this version can leave rows out of the index")
            : null,
    };

    internal static readonly Hazard MigrationFails = new("F111")
    {
        Traced = facts =>
            from trace in facts.Trace.Statements
            where trace.Outcome == TraceOutcome.Failed && !Explained.Contains(trace.Error!.SqlState)
            let onMadeUpRows = facts.Trace.FailedOnMadeUpRows(trace)
            select new Finding(trace, "",
                $"It fails{(onMadeUpRows ? " on made-up rows" : "")}: {trace.Error!.MessageText} ({trace.Error.SqlState})")
            {
                GivenSeverity = onMadeUpRows ? Severity.Warning : null,
                Facts =
                [
                    .. new[] { trace.Error.Position > 1 ? $"at {trace.Statement.At(trace.Error.Position)}" : null, trace.Error.Detail,
                        trace.Error.Hint }
                        .OfType<string>(),
                ],
            },
    };

    internal static readonly Hazard AssertionFails = new("F112")
    {
        Traced = facts =>
            from asked in facts.Trace.Unanswered
            let statement = asked.Assertion.Statement
            let isAnswered = asked.Error.SqlState == MigrationAssertion.SqlState
            select new Finding("", isAnswered ? $"On the throw-away database {asked.Assertion.Mark} {asked.Error.MessageText}"
                : $"{asked.Assertion.Mark} fails: {asked.Error.MessageText} ({asked.Error.SqlState})")
            {
                GivenSeverity = !isAnswered || !RowsDecide(asked.Error) ? null : asked.Assertion.IsAfter ? Severity.Warning : Severity.Info,
                Where = !isAnswered && asked.Error.InternalPosition > 0 && asked.Error.InternalQuery == statement.Text
                    ? statement.At(asked.Error.InternalPosition) : Finding.Whole(statement),
            },
    };

    internal static readonly Hazard PassesOver = new("F113")
    {
        Traced = facts =>
            from s in facts.Statements
            where s.Text.Has("IF", "NOT", "EXISTS") && !s.Text.Is("CREATE", "SCHEMA") && !s.Text.Is("CREATE", "EXTENSION")
            from notice in s.Trace.Notices.Where(notice => MigrationEvent.Notice.IsThere.Contains(notice.SqlState)).Take(1)
            let existing = s.Trace.Existing
            select s.Finding("", "It is passed over: " + existing switch
            {
                null => $"{notice.Message}; whether that is what the statement would make is not known",
                { IsSame: true } => "what is there already is what it would make",
                _ => "what is there already is not what it would make",
            }) with
            {
                GivenSeverity = existing is { IsSame: true } ? Severity.Info : null,
                Facts = existing is null or { IsSame: true } ? []
                    : [.. existing.There.Except(existing.Made).Select(line => $"there: {line}"),
                        .. existing.Made.Except(existing.There).Select(line => $"made: {line}")],
            },
    };

    internal static readonly ImmutableArray<Hazard> All =
    [
        UniqueMayFail, NotNullMayFail, ConstraintMayFail, NotInTransaction, NewEnumValueUsed, PendingTriggerEvents, TransactionControl,
            HidesInvalidIndex, IdentifierTruncated,
        ConcurrentIndexCorruption, MigrationFails, AssertionFails, PassesOver,
    ];

    /// <summary>Whether an answer depends on the rows: those of the throw-away database are not those of production.</summary>
    private static bool RowsDecide(PostgresException answer) => answer.MessageText is "is false" or "is null" or "gives no row";

    /// <summary>A new column that is NOT NULL and gets no value by itself: it fails with the first row, whatever is in it.</summary>
    private static IEnumerable<Finding> NewlyRequired(MigrationFacts facts) =>
        from s in facts.Statements
        from added in s.NewColumns
        where added.Column is { NotNull: true, FillsItself: false } && added.Table is { Kind: 'r' or 'p', Parent: null }
            && facts.WasThere(added.Table.Oid)
            && s.Before.Relations.ContainsKey(added.Table.Oid)
        select s.Finding(
            added.Table, $"{added.Table.Name}.{added.Column.Name}",
            $"With one row in {added.Table.Display} it fails: the new column {added.Column.Name} is NOT NULL and has no value for it",
            $"ALTER TABLE {added.Table.Display} ADD COLUMN {SqlIdentifier.Quote(added.Column.Name)} {added.Column.Type};\n-- fill it, "
                + "then SET NOT NULL");

    private static IEnumerable<Finding> Failing(MigrationFacts facts, string sqlState, string message) =>
        from trace in facts.Trace.Statements
        where trace.Error?.SqlState == sqlState
        select new Finding(trace, "", $"{message}: {trace.Error!.MessageText}");

    /// <summary>Whether some of the columns are unique by themselves, so that together they can't be otherwise.</summary>
    private static bool UniqueAlready(MigrationFacts facts, Relation table, IndexInfo index) =>
        facts.Before.IndexesOf(table.Oid)
            .Any(old => old.Index is { Unique: true, Valid: true, Predicate: null } unique
            && unique.Keys.All(key => key != 0 && index.Keys.Contains(key)));

    /// <summary>Whether a column is new and holds nothing yet: NULLs are all different.</summary>
    private static bool AllNewAndEmpty(MigrationFacts facts, StatementFacts s, Relation table, IndexInfo index) =>
        index.Keys.Any(key => facts.Before.FindColumn(table.Oid, key) is null
            && s.After.FindColumn(table.Oid, key) is { FillsItself: false })
        && facts.Statements.TakeWhile(earlier => earlier != s).All(earlier => earlier.ActivityOn(table.Oid).Written == 0);

    /// <summary>
    /// Whether a column is new and got a value of its own in every row (a volatile default, a sequence): that is what its table was
    /// rewritten for.
    /// </summary>
    private static bool FilledOneByOne(MigrationFacts facts, Relation table, IndexInfo index) => facts.Statements.Any(s =>
        s.NewColumns.Any(added => added.Table.Oid == table.Oid && added.Column.Generated is null
            && index.Keys.Contains(added.Column.Number))
        && s.Rewritten.Any(rewritten => s.After.Root(rewritten.Oid) == s.After.Root(table.Oid)));

    /// <summary>
    /// Whether the same foreign key held for all rows when the transaction began, and nothing has written since. What it does when its
    /// parent goes is no matter of the rows that are there. Of a CHECK the words don't tell: a function that it calls may be another now.
    /// </summary>
    private static bool HeldAlready(MigrationFacts facts, StatementFacts s, Constraint made) =>
        facts.Migration.Up.Transactional && made.Kind == 'f'
        && facts.Before.Constraints.Values.Any(old => old is { Kind: 'f', Validated: true, Enforced: true }
            && old.Table == made.Table && old.Keys.SequenceEqual(made.Keys)
            && old.ReferencedTable == made.ReferencedTable && old.ReferencedKeys.SequenceEqual(made.ReferencedKeys)
            && (IsFull(old) || !IsFull(made)))
        && made.Keys.All(key => KeepsType(facts, s, made.Table, key))
        && made.ReferencedKeys.All(key => KeepsType(facts, s, made.ReferencedTable, key))
        && facts.Statements.TakeWhile(earlier => earlier != s).All(earlier =>
            new[] { made.Table, made.ReferencedTable }.All(table => !earlier.Fills(table) && earlier.ActivityOn(table).Written == 0));

    private static bool IsFull(Constraint key) => key.Definition.Contains(" MATCH FULL", StringComparison.Ordinal);

    private static bool KeepsType(MigrationFacts facts, StatementFacts s, uint table, short column) =>
        facts.Before.FindColumn(table, column)?.TypeOid == s.After.FindColumn(table, column)?.TypeOid;

    /// <summary>Whether an earlier statement of the transaction gave each row without a value a constant, and none after it can have
    /// brought a row without one.</summary>
    private static bool FilledAlready(MigrationFacts facts, StatementFacts s, Relation table, Column column)
    {
        var earlier = facts.Statements.TakeWhile(earlier => earlier != s).ToList();
        var filled = !facts.Migration.Up.Transactional ? -1 : earlier.FindLastIndex(one => one.Text is var text && text.Is("UPDATE")
            && StatementFacts.Target(text) is { } target && StatementFacts.Find(one.After, target)?.Oid == table.Oid
            && GivesConstant(text, column.Name));
        return filled >= 0 && earlier.Skip(filled + 1).All(one => !one.Fills(table.Oid)
            || (one.Text.Is("UPDATE") && one.Text.Tokens.All(token => token.Name != column.Name)));
    }

    private static bool GivesConstant(StatementText text, string column)
    {
        var where = text.Find(0, "WHERE");
        var end = where < 0 ? text.Tokens.Count : where;
        return (where < 0 || (text.Tokens.Count == where + 4 && text.Tokens[where + 1].Name == column && text.At(where + 2, "IS", "NULL")))
            && Enumerable.Range(0, Math.Max(0, end - 2)).Any(i => text.Tokens[i] is { Depth: 0 } name && name.Name == column
                && text.At(i + 1, "=") && text.Tokens[i + 2].Kind is SqlTokenKind.StringConstant or SqlTokenKind.Number
                && (i + 3 is var next && (text.At(next, "::") ? next + 2 : next) is var after && (after == end || text.At(after, ","))));
    }

    private static string? LongName(StatementText text)
    {
        foreach (var token in text.Statement.Tokens())
        {
            if (token.Kind is SqlTokenKind.Word or SqlTokenKind.QuotedIdentifier && token.Length > SqlIdentifier.MaxBytes)
            {
                var name = text.Statement.Source.Substring(token.Start, token.End).Trim('"');
                if (SqlIdentifier.Truncate(name) != name)
                {
                    return name;
                }
            }
        }

        return null;
    }
}
