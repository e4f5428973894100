using System.Collections.Immutable;
using ChatGenius.Db.Files;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Safety;

/// <summary>A traced migration, in the words in which rules ask about it.</summary>
internal sealed class MigrationFacts
{
    private Dictionary<int, StatementFacts>? _byIndex;
    private Dictionary<int, int>? _lastWork;

    internal MigrationFacts(Migration migration, Trace trace, TableSizes sizes)
    {
        Migration = migration;
        Trace = trace;
        Sizes = sizes;
        TargetVersion = sizes.ServerVersion == 0 ? trace.ServerVersion : sizes.ServerVersion;
        Statements = [.. trace.Statements.Where(statement => statement.Outcome == TraceOutcome.Ran)
            .Select(statement => new StatementFacts(this, statement))];
        Changing = [.. Statements.Where(statement => !ReferenceEquals(statement.Before, statement.After))];
    }

    internal Migration Migration { get; }

    internal Trace Trace { get; }

    internal TableSizes Sizes { get; }

    /// <summary>The version of the server that the migration is meant for, such as 150018.</summary>
    internal int TargetVersion { get; }

    /// <summary>The statements that ran.</summary>
    internal IReadOnlyList<StatementFacts> Statements { get; }

    /// <summary>Those that changed the catalog: few, where a file brings many rows.</summary>
    internal IReadOnlyList<StatementFacts> Changing { get; }

    internal Catalog Before => Trace.Before;

    internal Catalog After => Trace.After;

    /// <summary>Whether others may be using it: it was there before the migration, and is no temporary table.</summary>
    internal bool WasThere(uint relation) => Before.Find(relation) is { Persistence: not 't' };

    /// <summary>The statement whose effect a difference between the catalogs of start and end is: the last for which it holds.</summary>
    internal StatementTrace? Culprit(Func<StatementFacts, bool> did) => Changing.LastOrDefault(did)?.Trace;

    /// <summary>The last statement of each transaction that takes its time.</summary>
    internal IReadOnlyDictionary<int, int> LastWork(Func<MigrationFacts, StatementFacts, bool> works) =>
        _lastWork ??= Statements.Where(statement => works(this, statement)).GroupBy(statement => statement.Trace.Transaction)
            .ToDictionary(all => all.Key, all => all.Max(statement => statement.Trace.Index));

    /// <summary>What is known of a statement that ran; null for any other.</summary>
    internal StatementFacts? Of(StatementTrace? trace) => trace is null ? null
        : (_byIndex ??= Statements.ToDictionary(statement => statement.Trace.Index)).GetValueOrDefault(trace.Index);
}

/// <summary>What one statement changed.</summary>
internal sealed class StatementFacts(MigrationFacts migration, StatementTrace trace)
{
    private static readonly string[] RowStatements = ["SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "COPY", "VALUES", "TABLE"];

    internal StatementTrace Trace => trace;

    internal MigrationFacts Migration => migration;

    /// <summary>Whether it goes through a table in slices; here it ran over all of it.</summary>
    internal bool IsInBatches => migration.Migration.Up is { Batch: { } batch } up
        && up.Script.Statements[batch.Statement] == trace.Statement;

    internal Catalog Before => trace.Before;

    internal Catalog After => trace.After;

    internal StatementText Text => field ??= new StatementText(trace.Statement);

    /// <summary>
    /// Whether its words say that it writes rows into a table, even if there are none to write here: INSERT, UPDATE, COPY, MERGE, or a
    /// block of code that says so.
    /// </summary>
    internal bool Fills(uint table) => After.Find(table) is { } relation && Text.Mentions(relation.Name)
        && (Target()?.Name == relation.Name || Text.Has("AS", "SELECT") || Text.Is("DO") || Text.Is("WITH") || Text.Is("CALL")
            || Text.Is("SELECT"));

    /// <summary>
    /// The table whose rows it changes, or takes from another table, though nobody knows how many: the tables were empty here. Null where a
    /// key or a LIMIT says that they are few.
    /// </summary>
    internal Relation? ChangesUnknownRows => field ??= FindUnknownRows();

    private Relation? FindUnknownRows()
    {
        if (trace.Activity.Values.Any(activity => activity.Written > 0 || activity.TuplesRead > 0) || Target() is not { } target)
        {
            return null;
        }

        var table = Find(After, target);
        var isKnown = table is null || Text.Has("LIMIT")
            || (Text.Is("INSERT") ? !ReadsExisting() : !migration.WasThere(table.Oid) || IsByKey(Text, Before, table));
        return isKnown ? null : table;
    }

    /// <summary>Whether an INSERT takes its rows from a table that was there before.</summary>
    private bool ReadsExisting() => Text.Tokens.Select((token, i) => (token, i)).Any(word => word.token.Text is "FROM" or "JOIN"
        && Text.NameAt(Text.SkipGuards(word.i + 1)) is { } source
        && Find(migration.Before, source) is not null);

    /// <summary>The table that a name means, if it is the only one, or the one in public.</summary>
    internal static Relation? Find(Catalog catalog, StatementName name) => catalog.Named(name.Name)
        .Where(relation => relation.IsTable && (name.Schema ?? relation.Schema) == relation.Schema)
        .OrderByDescending(relation => relation.Schema == "public").FirstOrDefault();

    /// <summary>Whether its WHERE names each column of a unique index as equal to something.</summary>
    internal static bool IsByKey(StatementText text, Catalog catalog, Relation table)
    {
        var where = text.Find(0, "WHERE");
        if (where < 0 || text.Find(where, "OR") >= 0)
        {
            return false;
        }

        var equal = text.Tokens.Select((token, i) => (token, i))
            .Where(word => word.i > where && word.token is { Depth: 0, Name: not null }
                && (text.At(word.i + 1, "=") || (text.At(word.i + 1, "IN") && !text.At(word.i + 3, "SELECT"))))
            .Select(word => word.token.Name!).ToHashSet();
        return catalog.IndexesOf(table.Oid).Any(index => index.Index is { Unique: true, Predicate: null } unique
            && unique.Keys.All(key => key != 0 && catalog.FindColumn(table.Oid, key) is { } column && equal.Contains(column.Name)));
    }

    /// <summary>The table that it names first, if it works on rows.</summary>
    private StatementName? Target() => Target(Text);

    /// <summary>The table that a statement which works on rows names first.</summary>
    internal static StatementName? Target(StatementText text) =>
        text.Is("INSERT", "INTO") || text.Is("DELETE", "FROM") || text.Is("MERGE", "INTO") ? text.NameAt(text.SkipGuards(2))
        : text.Is("UPDATE") || text.Is("COPY") ? text.NameAt(text.SkipGuards(1))
        : null;

    /// <summary>Whether it only works on rows; a block of code may do both.</summary>
    internal bool OnlyRows => Text.Tokens is [var first, ..] && RowStatements.Contains(first.Text);

    internal IReadOnlyList<Relation> NewRelations => field ??= Added(Before.Relations, After.Relations);

    internal IReadOnlyList<Relation> GoneRelations => field ??= Added(After.Relations, Before.Relations);

    /// <summary>
    /// New indexes. One that ALTER TYPE made again under its old name does not count, whether its file was kept or rebuilt.
    /// </summary>
    internal IEnumerable<(Relation Index, Relation Table)> BuiltIndexes =>
        from index in NewRelations
        where index.Index is not null && !ReplacedIndexes.Any(replaced => replaced.New == index)
        let table = After.Find(index.Index!.Table)
        where table is not null
        select (index, table);

    /// <summary>Indexes that ALTER TYPE made again under their old name: kept when their file is the same, otherwise rebuilt.</summary>
    internal IReadOnlyList<(Relation Old, Relation New)> ReplacedIndexes => field ??=
    [
        .. from index in NewRelations
           where index.Index is not null
           let old = Before.Find(index.Schema, index.Name)
           where old is { Index: not null } && old.Index.Table == index.Index!.Table
               && ((old.Filenode is not null && old.Filenode == index.Filenode)
                   || IsMadeAgain(old.Index.Table, old.Index.Columns, old.Name))
           select (old, index),
    ];

    /// <summary>Indexes that are gone, with no other made again in their place, of tables that are still there.</summary>
    internal IEnumerable<(Relation Index, Relation Table)> GoneIndexes =>
        from index in GoneRelations
        where index.Index is not null && !ReplacedIndexes.Any(replaced => replaced.Old == index)
        let table = After.Find(index.Index!.Table)
        where table is not null
        select (index, table);

    /// <summary>Indexes that kept their number and got a new file, while their table kept its own.</summary>
    internal IEnumerable<(Relation Index, Relation Table)> ReindexedIndexes =>
        from index in Kept
        where index.After.Index is not null && index.Before.Filenode != index.After.Filenode
            && index.Before.Tablespace == index.After.Tablespace
        let table = After.Find(index.After.Index!.Table)
        where table is not null && Before.Find(table.Oid)?.Filenode == table.Filenode
        select (index.After, table);

    /// <summary>Relations that are in both catalogs.</summary>
    internal IReadOnlyList<(Relation Before, Relation After)> Kept =>
        field ??= ReferenceEquals(Before.Relations, After.Relations)
            ? []
            : [.. from pair in After.Relations let old = Before.Find(pair.Key) where old is not null
                && !ReferenceEquals(old, pair.Value) select (old, pair.Value)];

    /// <summary>Tables and materialized views that were there before the migration and whose file is another now.</summary>
    internal IReadOnlyList<Relation> Refiled =>
        field ??= [.. Kept.Where(pair => pair.After.HoldsRows && pair.Before.Filenode != pair.After.Filenode
            && migration.WasThere(pair.After.Oid)).Select(pair => pair.After)];

    /// <summary>Of those, the ones that were emptied: a TRUNCATE writes no row to the new file and changes nothing else.</summary>
    internal IEnumerable<Relation> Truncated => Refiled.Where(IsTruncated);

    /// <summary>Of those, the ones whose rows were written again.</summary>
    internal IEnumerable<Relation> Rewritten => Refiled.Where(table => !IsTruncated(table));

    internal IReadOnlyList<(Relation Table, Column Column)> NewColumns =>
        field ??= [.. ColumnChanges.Where(c => c.Before is null).Select(c => (c.Table, c.After!))];

    internal IReadOnlyList<(Relation Table, Column Column)> GoneColumns =>
        field ??= [.. ColumnChanges.Where(c => c.After is null).Select(c => (c.Table, c.Before!))];

    internal IReadOnlyList<(Relation Table, Column Before, Column After)> ChangedColumns =>
        field ??= [.. ColumnChanges.Where(c => c is { Before: not null, After: not null }).Select(c => (c.Table, c.Before!, c.After!))];

    /// <summary>Constraints with a number that was not there.</summary>
    internal IReadOnlyList<Constraint> MadeConstraints => field ??= Added(Before.Constraints, After.Constraints);

    /// <summary>Constraints with a number that is no longer there.</summary>
    internal IReadOnlyList<Constraint> LostConstraints => field ??= Added(After.Constraints, Before.Constraints);

    /// <summary>New constraints. One that ALTER TYPE made again under its old name does not count.</summary>
    internal IReadOnlyList<Constraint> NewConstraints =>
        field ??= [.. MadeConstraints.Where(added => !LostConstraints.Any(old => IsMadeAgain(old, added)))];

    internal IReadOnlyList<Constraint> GoneConstraints =>
        field ??= [.. LostConstraints.Where(gone => !MadeConstraints.Any(now => IsMadeAgain(gone, now)))];

    /// <summary>Constraints that were NOT VALID and are valid now.</summary>
    internal IEnumerable<Constraint> ValidatedConstraints =>
        ReferenceEquals(Before.Constraints, After.Constraints)
            ? []
            : After.Constraints.Values.Where(now => now.Validated && Before.Constraints.TryGetValue(now.Oid, out var old)
                && !old.Validated);

    /// <summary>
    /// Those that another way than VALIDATE CONSTRAINT, which lets others write, made valid: from PostgreSQL 18 SET NOT NULL and
    /// ALTER CONSTRAINT … ENFORCED can do that.
    /// </summary>
    private IEnumerable<Constraint> ConstraintsMadeValid =>
        ValidatedConstraints.Where(now => trace.Locks.NewOn(now.Table, trace.LocksBefore).BlocksWrites());

    /// <summary>Constraints that the statement makes sure of for the rows that are there.</summary>
    internal IEnumerable<Constraint> EnsuredConstraints => NewConstraints.Where(added => added.Validated).Concat(ConstraintsMadeValid);

    /// <summary>Columns of tables, single partitions left out, of which the statement makes sure that they hold no NULL.</summary>
    internal IEnumerable<(Relation Table, Column Column)> EnsuredNotNull =>
        ChangedColumns.Where(c => !c.Before.NotNull && c.After.NotNull).Select(c => (c.Table, Column: c.After))
            .Concat(ConstraintsMadeValid.Where(c => c is { Kind: 'n', Table: > 0 })
                .Select(c => (Table: After.Find(c.Table)!, Column: After.FindColumn(c.Table, c.Keys[0])!)))
            .Where(c => c.Table is { IsTable: true, Parent: null });

    /// <summary>Tables that were there before the migration and became a partition in this statement.</summary>
    internal IEnumerable<(Relation Partition, Relation Parent)> Attached =>
        from pair in Kept
        where pair is { Before.Parent: null, After: { Parent: not null, IsTable: true } } && migration.WasThere(pair.After.Oid)
        select (pair.After, After.Find(pair.After.Parent!.Value)!);

    internal IEnumerable<(Relation Partition, Relation Parent)> Detached =>
        from pair in Kept
        where pair is { Before.Parent: not null, After: { Parent: null, IsTable: true } } && migration.WasThere(pair.After.Oid)
        select (pair.After, Before.Find(pair.Before.Parent!.Value)!);

    private IReadOnlyList<(Relation Table, Column? Before, Column? After)> ColumnChanges => field ??= [.. CompareColumns()];

    /// <summary>Whether a table that others use was scanned; of a partitioned table, any partition.</summary>
    internal bool Scanned(uint table) => migration.WasThere(table) && ActivityOn(table).Scanned;

    /// <summary>What was done to a table and its partitions.</summary>
    internal Activity ActivityOn(uint table)
    {
        var sum = default(Activity);
        foreach (var (relation, activity) in trace.Activity)
        {
            if (relation == table || IsPartitionOf(relation, table))
            {
                sum += activity;
            }
        }

        return sum;
    }

    /// <summary>
    /// Tables that others use on which the transaction holds a lock of at least this strength. A lock on an index counts for its table,
    /// because the planner opens every index, and one on a partition for its parent; one on an index that this migration makes hinders
    /// nobody.
    /// </summary>
    internal IEnumerable<Relation> LockedTables(LockMode atLeast, HeldLocks locks) =>
        locks.Relations.Where(relation => locks.On(relation) >= atLeast && migration.WasThere(relation))
            .Select(migration.Before.Root).Distinct()
            .Where(migration.WasThere).Select(relation => migration.Before.Find(relation)!)
            .Where(relation => relation.Kind is 'r' or 'p' or 'm' or 'f');

    internal Finding Finding(Relation table, string subject, string message, string safeWay = "") =>
        new(trace, subject, message, safeWay) { Table = table.Oid };

    /// <summary>Something that happens to the table as a whole.</summary>
    internal Finding On(Relation table, string message, string safeWay = "") => Finding(table, table.Display, message, safeWay);

    internal Finding Finding(string subject, string message, string safeWay = "") => new(trace, subject, message, safeWay);

    /// <summary>The names of columns by their numbers; expressions are left out.</summary>
    internal IReadOnlyList<string> ColumnNames(uint table, IEnumerable<short> numbers) =>
        [.. numbers.Select(number => After.FindColumn(table, number)?.Name ?? Before.FindColumn(table, number)?.Name).OfType<string>()];

    /// <summary>
    /// Whether ALTER TYPE made a constraint again because it changed one of its columns. A statement that names it drops it and adds
    /// another, which may be stricter, whatever its name.
    /// </summary>
    private bool IsMadeAgain(Constraint old, Constraint now) =>
        old.Table == now.Table && old.Domain == now.Domain && old.Kind == now.Kind && old.Name == now.Name
        && (IsMadeAgain(old.Table, old.Keys, old.Name) || IsMadeAgain(old.ReferencedTable, old.ReferencedKeys, old.Name));

    private bool IsMadeAgain(uint table, IEnumerable<short> columns, string name) =>
        ChangedColumns.Any(changed => After.Root(changed.Table.Oid) == After.Root(table)
            && (changed.Before.Type != changed.After.Type || changed.Before.Collation != changed.After.Collation
                || changed.Before.Default != changed.After.Default)
            && (changed.Table.Oid != table || columns.Contains(changed.After.Number) || columns.Contains((short)0)))
        && !Drops(name);

    /// <summary>Whether it drops a constraint by name; a block of code does where it says the name at all.</summary>
    private bool Drops(string constraint) => Text.Is("ALTER", "TABLE")
        ? Text.AlterTableActions().Any(action => Text.At(action.Start, "DROP", "CONSTRAINT")
            && Text.NameAt(Text.SkipGuards(action.Start + 2))?.Name == constraint)
        : Text.Mentions(constraint);

    private static IReadOnlyList<T> Added<T>(ImmutableDictionary<uint, T> before, ImmutableDictionary<uint, T> after) =>
        ReferenceEquals(before, after) ? []
            : [.. after.Where(pair => !before.ContainsKey(pair.Key)).OrderBy(pair => pair.Key).Select(pair => pair.Value)];

    private bool IsPartitionOf(uint relation, uint table)
    {
        for (var parent = (After.Find(relation) ?? Before.Find(relation))?.Parent; parent is not null; parent =
            (After.Find(parent.Value) ?? Before.Find(parent.Value))?.Parent)
        {
            if (parent == table)
            {
                return true;
            }
        }

        return false;
    }

    private bool IsTruncated(Relation table)
    {
        if (table.Kind != 'r' || ActivityOn(table.Oid).TuplesRead > 0 || trace.RanAlone)
        {
            return false;
        }

        var before = Before.Find(table.Oid)!;
        return before.Tablespace == table.Tablespace && before.Persistence == table.Persistence && before.AccessMethod == table.AccessMethod
            && Before.ColumnsOf(table.Oid).SequenceEqual(After.ColumnsOf(table.Oid))
            && !Text.Is("ALTER") && !Text.Is("CLUSTER");
    }

    private IEnumerable<(Relation Table, Column? Before, Column? After)> CompareColumns()
    {
        if (ReferenceEquals(Before.Columns, After.Columns))
        {
            yield break;
        }

        foreach (var (relation, now) in After.Columns)
        {
            if (!Before.Columns.TryGetValue(relation, out var old) || old == now || After.Find(relation) is not { } table)
            {
                continue;
            }

            foreach (var column in old.Where(column => !now.Any(other => other.Number == column.Number)))
            {
                yield return (table, column, null);
            }

            foreach (var column in now)
            {
                var before = old.FirstOrDefault(other => other.Number == column.Number);
                if (before != column)
                {
                    yield return (table, before, column);
                }
            }
        }
    }
}
