using System.Collections.Immutable;
using ChatGenius.Db.Files;
using ChatGenius.Db.Sql;
namespace ChatGenius.Db.Safety;

/// <summary>L4xx: locks held too long, or on too much.</summary>
internal static class LockRules
{
    /// <summary>From here on rows written in one statement are a bulk change.</summary>
    private const long Bulk = 1000;

    /// <summary>A smaller table is written whole by accident of its few rows.</summary>
    private const long ManyRows = 100;

    /// <summary>The part of a table's rows that counts as all of them.</summary>
    private const double Whole = 0.9;

    internal static readonly Hazard WorkUnderExclusiveLock = new()
    {
        Id = "L401",
        Name = "work-under-exclusive-lock",
        Severity = Severity.Error,
        Title = "Slow work is done while another table stays locked out",
        Effect = "A lock is held until the transaction ends. What an earlier statement took in a moment now lasts as long as this one's scan, build or rewrite.",
        Advice = "Do the slow work first, or in a migration of its own.",
        Documentation = "explicit-locking.html#LOCKING-TABLES",
        Traced = facts =>
            from s in facts.Statements
            where !s.OnlyRows && s.Trace.Transaction > 0
            from worked in s.Trace.Activity.Keys.Where(table => s.Scanned(table) && s.Before.Find(table) is { HoldsRows: true }).Select(s.Before.Root).Distinct()
            let worn = s.Before.Find(worked)!
            where s.ActivityOn(worked).SequentialScans > 0
            let held = s.LockedTables(LockMode.AccessExclusive, s.Trace.LocksBefore).Where(table => s.After.Find(table.Oid) is not null).Select(table => table.Display).ToList()
            where held.Count > 0
            select s.HitOn(worn, $"{worn.Display} is read whole while {Names.List(held)} {(held.Count == 1 ? "is" : "are")} still locked out by an earlier statement"),
    };

    internal static readonly Hazard NoLockTimeout = new()
    {
        Id = "L402",
        Name = "no-lock-timeout",
        Severity = Severity.Warning,
        Title = "A table is locked without a limit to the wait",
        Effect = "With lock_timeout = 0 the statement waits for the longest query on the table, and every query that comes later waits behind it.",
        Advice = "Leave the tool's lock_timeout as it is: it gives up in time and tries again.",
        Documentation = "runtime-config-client.html#GUC-LOCK-TIMEOUT",
        Traced = facts =>
            (from s in facts.Statements
             where s.Trace.LockTimeout is "0" && s.Trace.Transaction > 0
             from table in s.LockedTables(LockMode.Share, s.Trace.Locks)
             where s.Trace.Locks.NewOn(table.Oid, s.Trace.LocksBefore) >= LockMode.Share
             select s.HitOn(table, $"{table.Display} is locked without a lock_timeout", "SET LOCAL lock_timeout = '5s';")).Take(1),
    };

    internal static readonly Hazard ExplicitLock = new()
    {
        Id = "L403",
        Name = "explicit-lock",
        Severity = Severity.Warning,
        Title = "LOCK TABLE keeps others out",
        Effect = "Without a mode LOCK TABLE takes ACCESS EXCLUSIVE, which stops reads too, until the transaction ends.",
        Advice = "Name the weakest mode that does, and keep the transaction short. Row locks (SELECT … FOR UPDATE) often do.",
        Documentation = "sql-lock.html",
        Evidence = Evidence.Text,
        WordsAlways = true,
        Recognise = (text, _) =>
        {
            var table = text.NameAt(text.SkipGuards(text.At(1, "TABLE") ? 2 : 1));
            var mode = text.Find(0, "IN");
            var weak = mode > 0 && (text.At(mode + 1, "ACCESS", "SHARE") || text.At(mode + 1, "ROW", "SHARE") || text.At(mode + 1, "ROW", "EXCLUSIVE") || text.At(mode + 1, "SHARE", "UPDATE"));
            return text.Is("LOCK") && table is not null && !weak
                ? new Words(table.Value.Display, $"LOCK TABLE keeps others from {table.Value.Display} until the migration commits", $"LOCK TABLE {table.Value.Display} IN SHARE UPDATE EXCLUSIVE MODE;")
                : null;
        },
    };

    internal static readonly Hazard DetachPartitionBlocks = new()
    {
        Id = "L404",
        Name = "detach-partition-blocks",
        Severity = Severity.Error,
        Title = "A partition is detached while the whole table is locked out",
        Effect = "DETACH PARTITION takes ACCESS EXCLUSIVE on the parent: no query of any partition runs until it has come and gone.",
        Advice = "DETACH PARTITION … CONCURRENTLY (PostgreSQL 14), in a file of its own with transaction:false.",
        Documentation = "sql-altertable.html#SQL-ALTERTABLE-DETACH-PARTITION",
        Traced = facts =>
            from s in facts.Statements
            where !s.Trace.RanAlone
            from detached in s.Detached
            where facts.WasThere(detached.Parent.Oid)
            select s.Hit(
                detached.Parent, detached.Partition.Display, $"Detaching {detached.Partition.Display} locks all of {detached.Parent.Display} out",
                facts.TargetVersion >= 140000 ? IndexRules.Alone($"ALTER TABLE {detached.Parent.Display} DETACH PARTITION {detached.Partition.Display} CONCURRENTLY;") : ""),
        Recognise = (text, _) => text.AlterTableActions().Where(a => text.At(a.Start, "DETACH", "PARTITION") && !text.Within(a.Start, a.End, "CONCURRENTLY") && !text.Within(a.Start, a.End, "FINALIZE"))
            .Select(a => new Words(a.Table, $"Detaching a partition locks all of {a.Table} out")).FirstOrDefault(),
    };

    internal static readonly Hazard CreatePartitionLocksParent = new()
    {
        Id = "L405",
        Name = "create-partition-locks-parent",
        Severity = Severity.Warning,
        Title = "A partition is created while the whole table is locked out",
        Effect = "CREATE TABLE … PARTITION OF takes ACCESS EXCLUSIVE on the parent. ATTACH PARTITION needs SHARE UPDATE EXCLUSIVE only (PostgreSQL 12).",
        Advice = "Create the table like the parent with a CHECK that says the bounds, then attach it.",
        Documentation = "ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE-MAINTENANCE",
        Traced = facts =>
            from s in facts.Statements
            from partition in s.NewRelations
            where partition is { IsTable: true, Parent: not null } && facts.WasThere(partition.Parent!.Value) && s.Trace.Locks.On(partition.Parent.Value) == LockMode.AccessExclusive
            let parent = s.After.Find(partition.Parent!.Value)!
            select s.Hit(
                parent, partition.Display, $"Creating {partition.Display} as a partition locks all of {parent.Display} out",
                $"""
                CREATE TABLE {partition.Display} (LIKE {parent.Display} INCLUDING ALL, CONSTRAINT {Names.Made(partition.Name, "bounds")} CHECK (…the bounds…));
                ALTER TABLE {parent.Display} ATTACH PARTITION {partition.Display} FOR VALUES …;
                ALTER TABLE {partition.Display} DROP CONSTRAINT {Names.Made(partition.Name, "bounds")};
                """),
    };

    internal static readonly Hazard ReferencedTableLocked = new()
    {
        Id = "L406",
        Name = "referenced-table-locked",
        Severity = Severity.Warning,
        Title = "A foreign key's other table is locked for longer than a moment",
        Effect = "A new foreign key takes SHARE ROW EXCLUSIVE on the table that it refers to, so writes to it wait; dropping one, or its table, takes ACCESS EXCLUSIVE there. Without a lock_timeout, or with other work behind it in the transaction, that is not over in a moment.",
        Advice = "Do it in a small transaction of its own, with a lock_timeout.",
        Documentation = "sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-TABLE-CONSTRAINT",
        Traced = facts =>
            from s in facts.Statements
            where s.Trace.Transaction > 0 && (s.Trace.LockTimeout is "0" || WorksLater(facts, s))
            from referenced in s.NewConstraints.Where(c => c is { Kind: 'f', Parent: 0 } && (!facts.WasThere(c.Table) || c.Keys.All(key => facts.Before.FindColumn(c.Table, key) is null)))
                .Concat(s.GoneConstraints.Where(c => c is { Kind: 'f', Parent: 0 } && facts.WasThere(c.Table)))
                .Where(c => c.ReferencedTable != c.Table && facts.WasThere(c.ReferencedTable) && s.After.Find(c.ReferencedTable) is not null)
                .Select(c => c.ReferencedTable).Distinct()
            where s.Trace.Locks.NewOn(referenced, s.Trace.LocksBefore) >= LockMode.ShareRowExclusive
            let table = s.After.Find(referenced)!
            select s.HitOn(table, $"{table.Display} is locked because a foreign key refers to it, and stays so"),
    };

    internal static readonly Hazard ManyTablesLocked = new()
    {
        Id = "L407",
        Name = "many-tables-locked",
        Severity = Severity.Warning,
        Title = "One transaction locks several tables that have nothing to do with each other",
        Effect = "The first lock is held while the transaction waits for the second, and an application that takes the two in the other order deadlocks with it.",
        Advice = "One migration a table.",
        Documentation = "explicit-locking.html#LOCKING-DEADLOCKS",
        Traced = facts =>
            from transaction in facts.Statements.Where(s => s.Trace.Transaction > 0).GroupBy(s => s.Trace.Transaction)
            let last = transaction.Last()
            let partners = transaction.SelectMany(Partners).ToHashSet()
            let tables = last.LockedTables(LockMode.Share, last.Trace.Locks).Where(table => facts.After.Find(table.Oid) is not null && !partners.Contains(table.Oid)).ToList()
            where tables.Count > 1
            let first = transaction.First(s => tables.Exists(table => s.Trace.Locks.On(table.Oid) >= LockMode.Share))
            let second = transaction.FirstOrDefault(s => tables.Exists(table => s.Trace.Locks.On(table.Oid) >= LockMode.Share && first.Trace.Locks.On(table.Oid) < LockMode.Share))
            where second is not null
            select second.Hit(Names.List(tables.Select(table => table.Display)), $"One transaction locks {Names.List(tables.Select(table => table.Display))}") with
            {
                Facts = [.. tables.Select(table => $"{last.Trace.Locks.On(table.Oid).ToSql()} on {table.Display}: {last.Trace.Locks.On(table.Oid).Blocks()}")],
            },
    };

    internal static readonly Hazard TriggerLocksTable = new()
    {
        Id = "L408",
        Name = "trigger-locks-table",
        Severity = Severity.Info,
        Title = "Creating a trigger stops writes for a moment",
        Effect = "CREATE TRIGGER takes SHARE ROW EXCLUSIVE, DROP TRIGGER takes ACCESS EXCLUSIVE on the table, until commit.",
        Advice = "Keep the transaction short and the lock_timeout set.",
        Documentation = "sql-createtrigger.html",
        Traced = facts =>
            from s in facts.Statements
            from trigger in s.After.Triggers.Values
            where !s.Before.Triggers.ContainsKey(trigger.Oid) && facts.WasThere(trigger.Table)
            let table = s.After.Find(trigger.Table)!
            select s.Hit(table, trigger.Name, $"Creating the trigger {SqlIdentifier.Quote(trigger.Name)} stops writes to {table.Display} until commit"),
    };

    internal static readonly Hazard WholeTableUpdate = new()
    {
        Id = "L409",
        Name = "whole-table-update",
        Severity = Severity.Error,
        Title = "All rows of a table are updated in one statement",
        Effect = "Every row is written again and stays locked until commit; the table doubles in size, replicas fall behind, and VACUUM can't help before the end.",
        Advice = "Update in batches of some thousand rows, each committed, in a file with transaction:false.",
        Documentation = "routine-vacuuming.html#VACUUM-FOR-SPACE-RECOVERY",
        Traced = facts =>
            from s in facts.Statements
            from table in WholeTables(s, activity => activity.Updated)
            where !UpdatesWithoutWhere(s.Text) || s.ActivityOn(table.Oid).Updated > 0
            select s.HitOn(table, $"All rows of {table.Display} are updated in one statement", Batches(facts, table)),
        WordsAlways = true,
        Recognise = (text, _) => UpdatesWithoutWhere(text) && text.NameAt(text.SkipGuards(1)) is { } table
            ? new Words(table.Display, $"All rows of {table.Display} are updated in one statement")
            : null,
    };

    internal static readonly Hazard BackfillWithDdl = new()
    {
        Id = "L410",
        Name = "backfill-with-ddl",
        Severity = Severity.Error,
        Title = "Many rows are written while a table is locked out",
        Effect = "An earlier statement of the transaction holds ACCESS EXCLUSIVE, so nothing can read that table until all these rows are written.",
        Advice = "Change the schema in one migration, the rows in the next.",
        Documentation = "explicit-locking.html#LOCKING-TABLES",
        Traced = facts =>
            from s in facts.Statements
            where s.Trace.Transaction > 0
            let tables = s.Trace.Activity.Where(pair => pair.Value.Written > 0).Select(pair => s.After.Root(pair.Key)).Distinct()
                .Select(root => s.After.Find(root)).OfType<Relation>()
                .Where(table => s.ActivityOn(table.Oid).Written >= Bulk || (facts.WasThere(table.Oid) && WholeTables(s, a => a.Updated + a.Deleted).Contains(table))).ToList()
            where tables.Count > 0
            let held = s.LockedTables(LockMode.AccessExclusive, s.Trace.LocksBefore).Where(table => s.After.Find(table.Oid) is not null).ToList()
            where held.Count > 0
            select s.HitOn(
                tables[0],
                $"{Names.Count(tables.Sum(table => s.ActivityOn(table.Oid).Written), "row")} of {Names.List(tables.Select(t => t.Display))} are written while {Names.List(held.Select(t => t.Display))} is locked out"),
    };

    internal static readonly ImmutableArray<Hazard> All =
    [
        WorkUnderExclusiveLock, NoLockTimeout, ExplicitLock, DetachPartitionBlocks, CreatePartitionLocksParent, ReferencedTableLocked, ManyTablesLocked, TriggerLocksTable,
        WholeTableUpdate, BackfillWithDdl,
    ];

    /// <summary>Tables that others use and of which a statement wrote all rows, partitions counted as their parent.</summary>
    internal static IEnumerable<Relation> WholeTables(StatementFacts s, Func<Activity, long> written)
    {
        var saysAll = SaysAll(s.Text);
        return s.Trace.RowsBefore.GroupBy(pair => s.Before.Root(pair.Key))
            .Where(root => s.Migration.WasThere(root.Key))
            .Select(root => (Table: s.Before.Find(root.Key)!, Rows: AllRows(s, root.Key, root), Written: written(s.ActivityOn(root.Key))))
            .Where(t => t.Written > 0 && t.Written >= Whole * t.Rows && (t.Rows >= ManyRows || saysAll))
            .Select(t => t.Table);
    }

    /// <summary>Whether it is a DELETE or UPDATE that no condition limits.</summary>
    internal static bool SaysAll(StatementText text) => UpdatesWithoutWhere(text) || DeletesWithoutWhere(text);

    internal static bool DeletesWithoutWhere(StatementText text) => text.Is("DELETE", "FROM") && !Limited(text) && !text.Has("USING");

    internal static string Batches(MigrationFacts facts, Relation table)
    {
        var key = facts.After.ConstraintsOf(table.Oid).FirstOrDefault(c => c.Kind == 'p') is { Keys: [var number] } ? facts.After.FindColumn(table.Oid, number)?.Name : null;
        key = SqlIdentifier.Quote(key ?? "ctid");
        return IndexRules.Alone(
            $"""
            DO $$
            BEGIN
                LOOP
                    UPDATE {table.Display} SET … WHERE {key} IN (SELECT {key} FROM {table.Display} WHERE …not yet done… LIMIT 5000);
                    EXIT WHEN NOT FOUND;
                    COMMIT;
                END LOOP;
            END $$;
            """);
    }

    private static bool UpdatesWithoutWhere(StatementText text) => text.Is("UPDATE") && text.Has("SET") && !Limited(text) && !text.Has("FROM");

    private static bool Limited(StatementText text)
    {
        var where = text.Find(0, "WHERE");
        return where >= 0 && !(text.At(where + 1, "TRUE") && (where + 2 == text.Tokens.Count || text.At(where + 2, "RETURNING")));
    }

    /// <summary>Of a partitioned table only the partitions that were written to are counted; the others may hold rows too.</summary>
    private static long AllRows(StatementFacts s, uint root, IEnumerable<KeyValuePair<uint, long>> counted)
    {
        var all = s.Before.Relations.Values.Where(r => r.Kind == 'r' && r.Parent is not null && s.Before.Root(r.Oid) == root).Select(r => r.Oid).ToHashSet();
        var rows = counted.ToList();
        return rows.Count >= all.Count ? rows.Sum(pair => pair.Value) : long.MaxValue / 2;
    }

    private static bool WorksLater(MigrationFacts facts, StatementFacts s) =>
        facts.Statements.Any(later => later.Trace.Transaction == s.Trace.Transaction && later.Trace.Index > s.Trace.Index
            && (later.Trace.Activity.Values.Any(activity => activity.Written >= Bulk)
                || (!later.OnlyRows && later.Trace.Activity.Any(pair => pair.Value.SequentialScans > 0 && facts.WasThere(pair.Key)))));

    /// <summary>Tables that a statement locks only because a foreign key refers to them, or because they belong to the same tree.</summary>
    private static IEnumerable<uint> Partners(StatementFacts s) =>
        s.MadeConstraints.Concat(s.LostConstraints).Concat(s.ValidatedConstraints).Where(c => c.Kind == 'f').Select(c => c.ReferencedTable)
            .Concat(s.Attached.Select(a => a.Partition.Oid)).Concat(s.Detached.Select(d => d.Partition.Oid));
}
