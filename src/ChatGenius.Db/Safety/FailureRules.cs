using System.Collections.Immutable;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Safety;

/// <summary>F1xx: what fails, or may.</summary>
internal static class FailureRules
{
    /// <summary>Errors that a rule of their own explains better than "it fails".</summary>
    private static readonly string[] Explained = [PostgresErrorCodes.ActiveSqlTransaction, "55P04", PostgresErrorCodes.ObjectInUse];

    internal static readonly Hazard UniqueMayFail = new()
    {
        Id = "F101",
        Name = "unique-may-fail",
        Severity = Severity.Warning,
        Title = "Existing rows may not be unique",
        Effect = "The first duplicate ends the migration. A concurrent build that fails leaves an invalid index behind, which apply drops and builds again when it goes on.",
        Advice = "Look for duplicates first.",
        Documentation = "indexes-unique.html",
        Evidence = Evidence.Catalog,
        Traced = facts =>
            from s in facts.Statements
            from built in s.BuiltIndexes
            where built.Index.Index!.Unique && built.Index.Parent is null && built.Table.IsTable && facts.WasThere(built.Table.Oid) && !built.Index.Index.Keys.Contains((short)0)
                && !UniqueAlready(facts, built.Table, built.Index.Index) && !AllNewAndEmpty(facts, s, built.Table, built.Index.Index) && !FilledOneByOne(facts, built.Table, built.Index.Index)
            let columns = Names.Columns(s.ColumnNames(built.Table.Oid, built.Index.Index!.Keys))
            select s.Hit(
                built.Table, built.Index.Display, $"Rows of {built.Table.Display} with the same {columns} would end the migration",
                $"-- before: are there any?\nSELECT {columns}, count(*) FROM {built.Table.Display} GROUP BY {columns} HAVING count(*) > 1;") with
            {
                Severity = s.Trace.RanAlone ? Severity.Info : null,
            },
    };

    internal static readonly Hazard NotNullMayFail = new()
    {
        Id = "F102",
        Name = "not-null-may-fail",
        Severity = Severity.Warning,
        Title = "Existing rows may be NULL",
        Effect = "The first NULL ends the migration (23502).",
        Advice = "Fill the rows first, and prove it with a CHECK (column IS NOT NULL) that is validated by itself.",
        Documentation = "ddl-constraints.html#DDL-CONSTRAINTS-NOT-NULL",
        Evidence = Evidence.Catalog,
        Traced = facts =>
            from s in facts.Statements
            from changed in s.EnsuredNotNull
            where facts.WasThere(changed.Table.Oid) && facts.Before.FindColumn(changed.Table.Oid, changed.Column.Number) is not null && s.Scanned(changed.Table.Oid)
            select s.Hit(
                changed.Table, $"{changed.Table.Name}.{changed.Column.Name}", $"A NULL in {changed.Table.Display}.{changed.Column.Name} would end the migration",
                $"-- before: are there any?\nSELECT count(*) FROM {changed.Table.Display} WHERE {SqlIdentifier.Quote(changed.Column.Name)} IS NULL;"),
    };

    internal static readonly Hazard ConstraintMayFail = new()
    {
        Id = "F103",
        Name = "constraint-may-fail",
        Severity = Severity.Warning,
        Title = "Existing rows may break the new constraint",
        Effect = "The first row that does ends the migration (23514, 23503 or 23P01).",
        Advice = "Add it NOT VALID, put the rows right, then VALIDATE it.",
        Documentation = "sql-altertable.html#SQL-ALTERTABLE-DESC-VALIDATE-CONSTRAINT",
        Evidence = Evidence.Catalog,
        Traced = facts =>
            from s in facts.Statements
            from constraint in s.EnsuredConstraints
            where constraint is { Kind: 'c' or 'f' or 'x', Parent: 0, Domain: 0 } && facts.WasThere(constraint.Table) && s.Scanned(constraint.Table)
                && constraint.Keys.Any(key => facts.Before.FindColumn(constraint.Table, key) is not null)
            let table = s.After.Find(constraint.Table)!
            select s.Hit(
                table, constraint.Name, $"A row of {table.Display} that breaks {SqlIdentifier.Quote(constraint.Name)} would end the migration",
                constraint.Kind == 'x' ? "" : ScanRules.LaterValidated(s, table, constraint)),
    };

    internal static readonly Hazard NotInTransaction = new()
    {
        Id = "F104",
        Name = "not-in-transaction",
        Severity = Severity.Error,
        Title = "The statement can't run in a transaction, and the migration is one",
        Effect = "PostgreSQL refuses it (25001), and nothing of the migration stays.",
        Advice = "Put it in a file of its own with transaction:false.",
        Documentation = "sql-begin.html",
        Traced = facts =>
            from trace in facts.Trace.Statements
            where trace.Error?.SqlState == PostgresErrorCodes.ActiveSqlTransaction
            select new Hit(trace, "", $"It can't run in a transaction: {trace.Error!.MessageText}", IndexRules.Alone($"{trace.Statement.Text};")),
        Recognise = (text, context) => context.Section.Transactional
            && (text.Is("VACUUM") || text.Is("ALTER", "SYSTEM") || ((text.Is("CREATE") || text.Is("DROP")) && (text.At(1, "DATABASE") || text.At(1, "TABLESPACE")))
                || (!text.Is("REFRESH") && (text.At(2, "CONCURRENTLY") || text.At(3, "CONCURRENTLY")) && (text.At(1, "INDEX") || text.At(2, "INDEX") || text.Is("REINDEX")))
                || text.AlterTableActions().Any(a => text.At(a.Start, "DETACH", "PARTITION") && text.Within(a.Start, a.End, "CONCURRENTLY")))
            ? new Words("", "It can't run in a transaction", IndexRules.Alone($"{text.Statement.Text};"))
            : null,
    };

    internal static readonly Hazard NewEnumValueUsed = new()
    {
        Id = "F105",
        Name = "new-enum-value-used",
        Severity = Severity.Error,
        Title = "A new enum value is used in the transaction that adds it",
        Effect = "PostgreSQL refuses it (55P04): the value can be used after the commit only.",
        Advice = "Add the value in one migration, use it in the next.",
        Documentation = "sql-altertype.html",
        Traced = facts => Failing(facts, "55P04", "A new enum value can't be used before it is committed"),
    };

    internal static readonly Hazard PendingTriggerEvents = new()
    {
        Id = "F106",
        Name = "pending-trigger-events",
        Severity = Severity.Error,
        Title = "A table is altered while checks of its changed rows are still due",
        Effect = "Rows were written that a deferred constraint will check at commit; until then ALTER TABLE is refused (55006). It shows only where there are rows.",
        Advice = "SET CONSTRAINTS ALL IMMEDIATE before, or two migrations.",
        Documentation = "sql-set-constraints.html",
        Traced = facts =>
            from trace in facts.Trace.Statements
            where trace.Error is { SqlState: PostgresErrorCodes.ObjectInUse } error && error.MessageText.Contains("trigger", StringComparison.Ordinal)
            select new Hit(trace, "", $"It fails: {trace.Error!.MessageText}", "SET CONSTRAINTS ALL IMMEDIATE;\n" + trace.Statement.Text + ";"),
    };

    internal static readonly Hazard TransactionControl = new()
    {
        Id = "F107",
        Name = "transaction-control",
        Severity = Severity.Error,
        Title = "BEGIN, COMMIT or ROLLBACK in a migration that is a transaction already",
        Effect = "COMMIT ends the migration's transaction in the middle: what follows is no longer undone when it fails.",
        Advice = "Remove it; for transactions of your own, say transaction:false.",
        Documentation = "sql-commit.html",
        Evidence = Evidence.Text,
        RefusedWith = "CG0318",
    };

    internal static readonly Hazard HidesInvalidIndex = new()
    {
        Id = "F108",
        Name = "hides-invalid-index",
        Severity = Severity.Warning,
        Title = "IF NOT EXISTS passes over an invalid index of the name",
        Effect = "An index that a failed build left behind counts as existing: the migration seems done, and no query can use the index.",
        Advice = "Drop the invalid one first.",
        Documentation = "sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY",
        Traced = facts =>
            from s in facts.Statements
            where s.Trace.Notices.Any(notice => notice.SqlState == PostgresErrorCodes.DuplicateTable)
            from index in s.After.Relations.Values
            where index is { Index.Valid: false, Kind: 'i' } && s.Text.Has("INDEX") && s.Text.Tokens.Any(token => token.Name == index.Name)
            select s.Hit(index.Display, $"{index.Display} is there and invalid: IF NOT EXISTS passes over it", IndexRules.Alone($"DROP INDEX CONCURRENTLY {index.Display};\n{IndexRules.Concurrently(index)}")),
    };

    internal static readonly Hazard IdentifierTruncated = new()
    {
        Id = "F109",
        Name = "identifier-truncated",
        Severity = Severity.Warning,
        Title = "A name is longer than PostgreSQL keeps",
        Effect = "Names are cut to 63 bytes with no more than a notice, so two long ones can become the same.",
        Advice = "Shorten it.",
        Documentation = "sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS",
        Traced = facts =>
            from s in facts.Statements
            let notice = s.Trace.Notices.FirstOrDefault(notice => notice.SqlState == PostgresErrorCodes.NameTooLong)
            where notice is not null
            select s.Hit("", notice.Message[..1].ToUpperInvariant() + notice.Message[1..]),
        Recognise = (text, _) => LongName(text) is { } name ? new Words(SqlIdentifier.Truncate(name), $"\"{name}\" will be cut to \"{SqlIdentifier.Truncate(name)}\"") : null,
    };

    internal static readonly Hazard ConcurrentIndexCorruption = new()
    {
        Id = "F110",
        Name = "concurrent-index-corruption",
        Severity = Severity.Error,
        Title = "The target's version builds concurrent indexes that miss rows",
        Effect = "In PostgreSQL 14.0 to 14.3 CREATE INDEX and REINDEX CONCURRENTLY can leave out rows that change meanwhile.",
        Advice = "Upgrade to 14.4 or later, and REINDEX what was built before.",
        Documentation = "release-14-4.html",
        Evidence = Evidence.Text,
        WordsAlways = true,
        Recognise = (text, context) => context.ServerVersion is >= 140000 and < 140004 && text.Statement.Words(4).Contains("CONCURRENTLY") && (text.Is("CREATE") || text.Is("REINDEX"))
            ? new Words("", "A server of this version can leave rows out of the index")
            : null,
    };

    internal static readonly Hazard MigrationFails = new()
    {
        Id = "F111",
        Name = "migration-fails",
        Severity = Severity.Error,
        Title = "The migration fails",
        Effect = "PostgreSQL refused the statement on the throw-away database, with the schema that it will meet in production. Where it only lacks what the server of that database has not got (an extension, a role, a right), that is a warning.",
        Advice = "Correct it. The statements after it were judged by their words only.",
        Documentation = "errcodes-appendix.html",
        Traced = facts =>
            from trace in facts.Trace.Statements
            where trace.Outcome == TraceOutcome.Failed && !Explained.Contains(trace.Error!.SqlState)
            // Class 23 is what rows do wrong (errcodes-appendix.html); that made-up ones do proves nothing of the real ones.
            let lacks = StatementPolicy.LacksSomething(trace.Statement, trace.Error!)
            let how = lacks ? "It can't be tried on this server"
                : facts.Trace.RowsAreMadeUp && trace.Error!.SqlState.StartsWith("23", StringComparison.Ordinal) ? "It fails on made-up rows"
                : null
            select new Hit(trace, "", $"{how ?? "It fails"}: {trace.Error!.MessageText} ({trace.Error.SqlState})")
            {
                Severity = how is null ? null : Severity.Warning,
                Facts = [.. new[] { trace.Error.Position > 1 ? $"at {trace.Statement.At(trace.Error.Position)}" : null, trace.Error.Detail, trace.Error.Hint, lacks ? "--shadow URL names a server that has what it needs" : null }.OfType<string>()],
            },
    };

    internal static readonly ImmutableArray<Hazard> All =
    [
        UniqueMayFail, NotNullMayFail, ConstraintMayFail, NotInTransaction, NewEnumValueUsed, PendingTriggerEvents, TransactionControl, HidesInvalidIndex, IdentifierTruncated,
        ConcurrentIndexCorruption, MigrationFails,
    ];

    private static IEnumerable<Hit> Failing(MigrationFacts facts, string sqlState, string message) =>
        from trace in facts.Trace.Statements
        where trace.Error?.SqlState == sqlState
        select new Hit(trace, "", $"{message}: {trace.Error!.MessageText}");

    /// <summary>Whether some of the columns are unique by themselves, so that together they can't be otherwise.</summary>
    private static bool UniqueAlready(MigrationFacts facts, Relation table, IndexFacts index) =>
        facts.Before.IndexesOf(table.Oid).Any(old => old.Index is { Unique: true, Valid: true, Predicate: null } unique && unique.Keys.All(key => key != 0 && index.Keys.Contains(key)));

    /// <summary>Whether a column is new and holds nothing yet: NULLs are all different.</summary>
    private static bool AllNewAndEmpty(MigrationFacts facts, StatementFacts s, Relation table, IndexFacts index) =>
        index.Keys.Any(key => facts.Before.FindColumn(table.Oid, key) is null && s.After.FindColumn(table.Oid, key) is { FillsItself: false })
        && facts.Statements.TakeWhile(earlier => earlier != s).All(earlier => earlier.ActivityOn(table.Oid).Written == 0);

    /// <summary>Whether a column is new and got a value of its own in every row (a volatile default, a sequence): that is what its table was rewritten for.</summary>
    private static bool FilledOneByOne(MigrationFacts facts, Relation table, IndexFacts index) => facts.Statements.Any(s =>
        s.NewColumns.Any(added => added.Table.Oid == table.Oid && added.Column.Generated is null && index.Keys.Contains(added.Column.Number))
        && s.Rewritten.Any(rewritten => s.After.Root(rewritten.Oid) == s.After.Root(table.Oid)));

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
