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

    /// <summary>The part of a table's rows that counts as many.</summary>
    private const double Many = 0.1;

    internal static readonly Hazard WorkUnderExclusiveLock = new("L401")
    {
        Traced = facts =>
            from s in facts.Statements
            where !s.OnlyRows && s.Trace.Transaction > 0
            from worked in s.Trace.Activity.Keys.Where(table => s.Scanned(table) && s.Before.Find(table) is { HoldsRows: true })
                .Select(s.Before.Root).Distinct()
            let worn = s.Before.Find(worked)!
            // A required column without a value fails with the first row that is read: F102.
            where s.ActivityOn(worked).SequentialScans > 0
                && s.NewColumns.All(added => added.Table.Oid != worked || added.Column is not { NotNull: true, FillsItself: false })
            let held = s.LockedTables(LockMode.AccessExclusive, s.Trace.LocksBefore).Where(table => s.After.Find(table.Oid) is not null)
                .Select(table => table.Display).ToList()
            where held.Count > 0
            select s.On(worn, $"{worn.Display} is read whole while {Names.List(held)} {(held.Count == 1 ? "is" : "are")} still locked out "
                + "by an earlier statement"),
    };

    internal static readonly Hazard NoLockTimeout = new("L402")
    {
        Traced = facts =>
            (from s in facts.Statements
             where s.Trace.LockTimeout is "0" && s.Trace.Transaction > 0 && !ReferenceEquals(s.Trace.Locks, s.Trace.LocksBefore)
             from table in s.LockedTables(LockMode.Share, s.Trace.Locks)
             where s.Trace.Locks.NewOn(table.Oid, s.Trace.LocksBefore) >= LockMode.Share
             select s.On(table, $"{table.Display} is locked without a lock_timeout", "SET LOCAL lock_timeout = '5s';")).Take(1),
    };

    internal static readonly Hazard ExplicitLock = new("L403")
    {
        TextAlways = true,
        InText = (text, _) =>
        {
            var table = text.NameAt(text.SkipGuards(text.At(1, "TABLE") ? 2 : 1));
            var mode = text.Find(0, "IN");
            var weak = mode > 0 && (text.At(mode + 1, "ACCESS", "SHARE") || text.At(mode + 1, "ROW", "SHARE")
                || text.At(mode + 1, "ROW", "EXCLUSIVE") || text.At(mode + 1, "SHARE", "UPDATE"));
            return text.Is("LOCK") && table is not null && !weak
                ? new Finding(table.Value.Display, $"LOCK TABLE keeps others from {table.Value.Display} until the migration commits",
                    $"LOCK TABLE {table.Value.Display} IN SHARE UPDATE EXCLUSIVE MODE;")
                : null;
        },
    };

    internal static readonly Hazard DetachPartitionBlocks = new("L404")
    {
        Traced = facts =>
            from s in facts.Statements
            where !s.Trace.RanAlone
            from detached in s.Detached
            where facts.WasThere(detached.Parent.Oid)
            select s.Finding(
                detached.Parent, detached.Partition.Display,
                    $"Detaching {detached.Partition.Display} locks all of {detached.Parent.Display} out",
                facts.TargetVersion >= 140000
                    ? IndexRules.Alone($"ALTER TABLE {detached.Parent.Display} DETACH PARTITION {detached.Partition.Display} CONCURRENTLY;")
                    : ""),
        InText = (text, _) => text.AlterTableActions()
            .Where(a => text.At(a.Start, "DETACH", "PARTITION") && !text.Within(a.Start, a.End, "CONCURRENTLY")
            && !text.Within(a.Start, a.End, "FINALIZE"))
            .Select(a => new Finding(a.Table, $"Detaching a partition locks all of {a.Table} out")).FirstOrDefault(),
    };

    internal static readonly Hazard CreatePartitionLocksParent = new("L405")
    {
        Traced = facts =>
            from s in facts.Statements
            from partition in s.NewRelations
            where partition is { IsTable: true, Parent: not null } && facts.WasThere(partition.Parent!.Value)
                && s.Trace.Locks.On(partition.Parent.Value) == LockMode.AccessExclusive
            let parent = s.After.Find(partition.Parent!.Value)!
            select s.Finding(
                parent, partition.Display, $"Creating {partition.Display} as a partition locks all of {parent.Display} out",
                partition is { Kind: 'r', Bound: { Check: { } check, Values: var values } }
                    ? $"""
                    CREATE TABLE {partition.Display} (
                        LIKE {parent.Display} INCLUDING ALL EXCLUDING IDENTITY,
                        CONSTRAINT {Names.Made(partition.Name, "bounds")} CHECK ({check})
                    );
                    ALTER TABLE {parent.Display} ATTACH PARTITION {partition.Display} {values};
                    ALTER TABLE {partition.Display} DROP CONSTRAINT {Names.Made(partition.Name, "bounds")};
                    """
                    : ""),
        InText = (text, _) => text.CreatedTable is { } partition && text.Find(0, "PARTITION", "OF") is var of and > 0
            && text.NameAt(of + 2) is { } parent
            ? new Finding(parent.Display, $"Creating {partition} as a partition locks all of {parent.Display} out") : null,
    };

    internal static readonly Hazard ReferencedTableLocked = new("L406")
    {
        Traced = facts =>
            from s in facts.Statements
            where s.Trace.Transaction > 0
            from referenced in s.NewConstraints.Where(c => c is { Kind: 'f', Parent: 0 }
                && (!facts.WasThere(c.Table) || c.Keys.All(key => facts.Before.FindColumn(c.Table, key) is null)))
                .Concat(s.GoneConstraints.Where(c => c is { Kind: 'f', Parent: 0 } && facts.WasThere(c.Table)))
                .Where(c => c.ReferencedTable != c.Table && facts.WasThere(c.ReferencedTable)
                    && s.After.Find(c.ReferencedTable) is not null)
                .Select(c => c.ReferencedTable).Distinct()
            where s.Trace.Locks.NewOn(referenced, s.Trace.LocksBefore) >= LockMode.ShareRowExclusive
                && (s.Trace.LockTimeout is "0" || WorksLater(facts, s))
            let table = s.After.Find(referenced)!
            select s.On(table, $"{table.Display} is locked because a foreign key refers to it, and stays so"),
    };

    internal static readonly Hazard ManyTablesLocked = new("L407")
    {
        Traced = facts =>
            from transaction in facts.Statements.Where(s => s.Trace.Transaction > 0).GroupBy(s => s.Trace.Transaction)
            let last = transaction.Last()
            let partners = transaction.SelectMany(Partners).ToHashSet()
            let tables = last.LockedTables(LockMode.Share, last.Trace.Locks)
                .Where(table => facts.After.Find(table.Oid) is not null && !partners.Contains(table.Oid)).ToList()
            where tables.Count > 1
            let first = transaction.First(s => tables.Exists(table => s.Trace.Locks.On(table.Oid) >= LockMode.Share))
            let second = transaction.FirstOrDefault(s =>
                tables.Exists(table => s.Trace.Locks.On(table.Oid) >= LockMode.Share && first.Trace.Locks.On(table.Oid) < LockMode.Share))
                ?? (first.Text.Is("DO") || first.Text.Is("CALL") || first.Text.Is("SELECT") ? first : null)
            where second is not null
            select second.Finding(Names.List(tables.Select(table => table.Display)),
                $"One transaction locks {Names.List(tables.Select(table => table.Display))}") with
            {
                // Locks that last for moments only; a deadlock there is rare, and the tool tries again.
                GivenSeverity = transaction.Any(s => Works(facts, s)) ? null : Severity.Info,
                Facts = [.. tables.Select(table =>
                    $"{last.Trace.Locks.On(table.Oid).ToSql()} on {table.Display}: {last.Trace.Locks.On(table.Oid).Blocks()}")],
            },
        InText = (text, context) => Altered(text) is { } table
            && LockedOut(text, context).FirstOrDefault(earlier => earlier != table) is { } other
            ? new Finding(table, $"One transaction locks {Names.List([other, table])}") : null,
    };

    internal static readonly Hazard TriggerLocksTable = new("L408")
    {
        Traced = facts =>
            from s in facts.Statements
            where !ReferenceEquals(s.Before.Triggers, s.After.Triggers)
            from trigger in s.After.Triggers.Values
            where !s.Before.Triggers.ContainsKey(trigger.Oid) && facts.WasThere(trigger.Table)
            let table = s.After.Find(trigger.Table)!
            select s.Finding(table, trigger.Name,
                $"Creating the trigger {SqlIdentifier.Quote(trigger.Name)} stops writes to {table.Display} until commit"),
        InText = (text, _) => text.Is("CREATE") && text.Find(1, "TRIGGER") is > 0 and < 5 && !text.Has("EVENT")
            && text.NameAt(text.Find(0, "ON") + 1) is { } table
            ? new Finding(table.Display, $"Creating a trigger stops writes to {table.Display} until commit") : null,
    };

    internal static readonly Hazard WholeTableUpdate = new("L409")
    {
        Traced = facts =>
            from s in facts.Statements
            from table in WholeTables(s, activity => activity.Updated)
            where !UpdatesWithoutWhere(s.Text) || s.ActivityOn(table.Oid).Updated > 0
            where !s.IsInBatches
            select s.On(table, $"All rows of {table.Display} are updated in one statement", SafeWays.InBatches(facts, table, s.Text)),
        TextAlways = true,
        InText = (text, _) => UpdatesWithoutWhere(text) && text.NameAt(text.SkipGuards(1)) is { } table
            ? new Finding(table.Display, $"All rows of {table.Display} are updated in one statement")
            : null,
    };

    internal static readonly Hazard BackfillWithDdl = new("L410")
    {
        Traced = facts =>
            from s in facts.Statements
            where s.Trace.Transaction > 0
            let tables = s.Trace.Activity.Where(pair => pair.Value.Written > 0).Select(pair => s.After.Root(pair.Key)).Distinct()
                .Select(root => s.After.Find(root)).OfType<Relation>().Where(table => IsMany(s, table)).ToList()
            let unknown = tables.Count == 0 ? s.ChangesUnknownRows : null
            where tables.Count > 0 || unknown is not null
            let held = s.LockedTables(LockMode.AccessExclusive, s.Trace.LocksBefore).Where(table => s.After.Find(table.Oid) is not null)
                .Select(table => table.Display).ToList()
            where held.Count > 0
            let locked = $"while {Names.List(held)} {(held.Count == 1 ? "is" : "are")} locked out"
            let count = Names.Count(tables.Sum(table => s.ActivityOn(table.Oid).Written), "row")
            select unknown is null
                ? s.On(tables[0], $"{count} of {Names.List(tables.Select(t => t.Display))} are written {locked}")
                : s.On(unknown, $"Rows of {unknown.Display} are written {locked}; how many is not known")
                    with { GivenSeverity = Severity.Warning },
        InText = (text, context) => (text.Is("UPDATE") || text.Is("DELETE", "FROM"))
            && text.NameAt(text.SkipGuards(text.Is("UPDATE") ? 1 : 2)) is { } table
            && LockedOut(text, context).FirstOrDefault() is { } locked
            ? new Finding(table.Display, $"Rows of {table.Display} are written while {locked} is locked out; how many is not known")
                { GivenSeverity = Severity.Warning }
            : null,
    };

    /// <summary>The table that an ALTER TABLE names.</summary>
    private static string? Altered(StatementText text) => text.AlterTableActions().Select(action => action.Table).FirstOrDefault();

    /// <summary>The tables that earlier statements of the transaction alter, other than those that it makes.</summary>
    private static IEnumerable<string> LockedOut(StatementText text, TextContext context)
    {
        var earlier = context.Section.Transactional ? context.DefinitionsBefore(text) : [];
        return earlier.Select(Altered).OfType<string>().Except(earlier.Select(made => made.CreatedTable).OfType<string>());
    }

    /// <summary>What no other rule explains; <see cref="SafetyCheck"/> finds it when all others have been asked.</summary>
    internal static readonly Hazard TableWorkUnderLock = new("L411");

    internal static readonly Hazard KeptUnderLock = new("L412")
    {
        Traced = facts =>
            from s in facts.Migration.Up is { Keep: true, Batch: null } ? facts.Statements : []
            from table in s.GoneRelations.Where(gone => gone.Kind is 'r' or 'p').Concat(s.Truncated)
                .Concat(s.GoneColumns.Select(gone => gone.Table))
                .Concat(s.ChangedColumns.Where(changed => TypeChange.IsLossy(changed.Before.Type, changed.After.Type))
                    .Select(changed => changed.Table)).Select(table => s.Before.Root(table.Oid)).Distinct()
            where facts.WasThere(table)
            let root = facts.Before.Find(table)!
            select s.On(root, $"Writers of {root.Display} wait until the values of all its rows are kept"),
    };

    internal static readonly ImmutableArray<Hazard> All =
    [
        WorkUnderExclusiveLock, NoLockTimeout, ExplicitLock, DetachPartitionBlocks, CreatePartitionLocksParent, ReferencedTableLocked,
            ManyTablesLocked, TriggerLocksTable,
        WholeTableUpdate, BackfillWithDdl, TableWorkUnderLock, KeptUnderLock,
    ];

    /// <summary>
    /// Tables that a statement read whole or rewrote while others wait for it to be done. A statement that only works on rows reads as it
    /// likes.
    /// </summary>
    internal static IEnumerable<Finding> UnderLock(MigrationFacts facts) =>
        from s in facts.Statements
        where !s.OnlyRows && s.Trace.Transaction > 0
        from root in s.Trace.Activity.Where(pair => pair.Value.SequentialScans > 0 && facts.WasThere(pair.Key)
            && s.Before.Find(pair.Key) is { HoldsRows: true })
            .Select(pair => pair.Key).Concat(s.Rewritten.Select(table => table.Oid)).Select(s.Before.Root).Distinct()
        let table = facts.Before.Find(root)
        where table is not null
        let mode = s.Trace.Locks.Relations.Where(relation => facts.WasThere(relation) && facts.Before.Root(relation) == root)
            .Select(s.Trace.Locks.On).DefaultIfEmpty().Max()
        where mode >= (table.Kind == 'm' ? LockMode.AccessExclusive : LockMode.Share)
        select s.On(table, $"{table.Display} is read whole under {mode.ToSql()}");

    /// <summary>
    /// One finding for each cause: work under an earlier statement's lock is told with the hazard that the work is, where there is one.
    /// Otherwise it is told once in a transaction, and so are changes of rows whose number is not known.
    /// </summary>
    internal static IEnumerable<Finding> OncePerCause(List<Finding> findings)
    {
        var work = findings.Where(finding => finding.Statement is not null && finding.Hazard.Id[..2] is "L1" or "L2" or "L3")
            .GroupBy(finding => finding.Statement!.Index).ToDictionary(of => of.Key, of => of.First());
        bool IsFolded(Finding finding) => finding.Hazard == WorkUnderExclusiveLock && work.ContainsKey(finding.Statement!.Index);
        bool IsToldOnce(Finding finding) => finding.Hazard == WorkUnderExclusiveLock
            || (finding.Hazard == BackfillWithDdl && finding.GivenSeverity is not null);
        var folded = findings.Where(IsFolded).ToLookup(finding => finding.Statement!.Index, finding => finding.Message);
        var once = findings.Where(finding => IsToldOnce(finding) && !IsFolded(finding))
            .GroupBy(finding => (finding.Hazard, finding.Statement!.Transaction)).ToDictionary(of => of.Key, of => of.ToList());
        foreach (var finding in findings.Where(finding => !IsFolded(finding)))
        {
            if (!IsToldOnce(finding))
            {
                var isWork = finding.Statement is { } statement && ReferenceEquals(work.GetValueOrDefault(statement.Index), finding);
                yield return isWork ? finding with { Facts = [.. finding.Facts, .. folded[finding.Statement!.Index]] } : finding;
            }
            else if (once[(finding.Hazard, finding.Statement!.Transaction)] is var all && ReferenceEquals(all[0], finding))
            {
                yield return finding with { Facts =
                    [.. finding.Facts, .. all.Skip(1).Select(other => $"line {other.Where.Line}: {other.Message}")] };
            }
        }
    }

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

    private static bool UpdatesWithoutWhere(StatementText text) => text.Is("UPDATE") && text.Has("SET") && !Limited(text)
        && !text.Has("FROM");

    private static bool Limited(StatementText text)
    {
        var where = text.Find(0, "WHERE");
        return where >= 0 && !(text.At(where + 1, "TRUE") && (where + 2 == text.Tokens.Count || text.At(where + 2, "RETURNING")));
    }

    /// <summary>Of a partitioned table only the partitions that were written to are counted; the others may hold rows too.</summary>
    private static long AllRows(StatementFacts s, uint root, IEnumerable<KeyValuePair<uint, long>> counted)
    {
        var all = s.Before.Relations.Values.Where(r => r.Kind == 'r' && r.Parent is not null && s.Before.Root(r.Oid) == root)
            .Select(r => r.Oid).ToHashSet();
        var rows = counted.ToList();
        return rows.Count >= all.Count ? rows.Sum(pair => pair.Value) : long.MaxValue / 2;
    }

    /// <summary>Whether a statement wrote many of a table's rows: a tenth of it, or more than anyone overlooks.</summary>
    private static bool IsMany(StatementFacts s, Relation table)
    {
        var written = s.ActivityOn(table.Oid).Written;
        var rows = s.Trace.RowsBefore.Where(pair => s.Before.Root(pair.Key) == table.Oid).Sum(pair => pair.Value);
        return written >= Bulk || (s.Migration.WasThere(table.Oid) && rows >= ManyRows && written >= rows * Many);
    }

    private static bool WorksLater(MigrationFacts facts, StatementFacts s) =>
        facts.LastWork(Works).GetValueOrDefault(s.Trace.Transaction, -1) > s.Trace.Index;

    /// <summary>Whether a statement takes its time: it writes many rows, or goes through a table that was there.</summary>
    private static bool Works(MigrationFacts facts, StatementFacts s) =>
        s.Trace.Activity.Values.Any(activity => activity.Written >= Bulk) || s.ChangesUnknownRows is not null
        || (!s.OnlyRows && s.Trace.Activity.Any(pair => pair.Value.SequentialScans > 0 && facts.WasThere(pair.Key)));

    /// <summary>Tables that a statement locks only because a foreign key refers to them, or because they belong to the same tree.</summary>
    private static IEnumerable<uint> Partners(StatementFacts s) =>
        s.MadeConstraints.Concat(s.LostConstraints).Concat(s.ValidatedConstraints).Where(c => c.Kind == 'f').Select(c => c.ReferencedTable)
            .Concat(s.Attached.Select(a => a.Partition.Oid)).Concat(s.Detached.Select(d => d.Partition.Oid));
}
