using ChatGenius.Db.Migrations;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Safety;

/// <summary>What a migration costs with as many rows as there are, from what it cost with few and with many made-up ones.</summary>
internal sealed class StepCost(
    MigrationStep step, Forecaster.Rehearsal few, Forecaster.Rehearsal many, TableSizes sizes, EarlierRuns earlier)
{
    // A commit waits for the disk, which nothing of the throw-away server does; outside a transaction each statement has some.
    private const double CommitMilliseconds = 50;

    private readonly List<string> _unknown = [];

    // Which part of the rows a condition lets statements write, over the whole section: the least and the most that it may be.
    private Expected _written = new(1, 1);

    public StepForecast Forecast()
    {
        var commits = step.Section.Transactional ? 1 : 1 + (3 * step.Section.Script.Statements.Count);
        var (time, estimate, rowsWritten) = (new Expected(0, CommitMilliseconds * commits), 0.0, 0.0);
        var done = (step.Resume?.Statement ?? 1) - 1;
        foreach (var trace in many.Facts.Trace.Statements.Where(trace => trace.Index >= done))
        {
            if (many.Facts.Of(trace) is not { } facts
                || few.Facts.Trace.Statements.ElementAtOrDefault(trace.Index) is not { } fewer)
            {
                Unknown(trace, trace.Outcome == TraceOutcome.Failed ? $"it fails in the rehearsal: {trace.Error!.MessageText}"
                    : trace.IsUnjudged ? $"it was not run in the rehearsal: {trace.Reason}" : null);
                continue;
            }

            var (cost, middle) = Cost(facts, fewer);
            (time, estimate) = (time + cost, estimate + middle);
            rowsWritten += trace.Activity.Values.Sum(activity => activity.Written) * Scale(facts);
        }

        var known = _unknown.Count == 0;
        var disk = Disk();
        return new StepForecast(step)
        {
            Time = known ? time : null,
            Estimate = known ? estimate : 0,
            Disk = known ? disk : null,
            Wal = known ? Wal(disk, rowsWritten) : null,
            Unknown = _unknown,
            Locks = Locks(),
            Basis = Basis(),
        };
    }

    private string Basis() => step.Section.Batch is not null && earlier.Batches.Count > 0 ? "earlier batches on this database"
        : earlier.Ratios.Count > 0 ? $"a rehearsal, and {Names.Count(earlier.Ratios.Count, "earlier run")} on this database"
        : "a rehearsal";

    private void Unknown(StatementTrace trace, string? reason)
    {
        if (reason is not null)
        {
            _unknown.Add($"{trace.Statement.Location.Path}:{trace.Statement.Location.Line}: {reason}");
        }
    }

    private (Expected Milliseconds, double Estimate) Cost(StatementFacts facts, StatementTrace fewer)
    {
        var tables = Forecaster.Worked(facts).ToList();
        var (little, much) = (fewer.Elapsed.TotalMilliseconds, facts.Trace.Elapsed.TotalMilliseconds);
        if (tables.Count == 0)
        {
            return (new Expected(little * 0.1, (Math.Max(little, much) * 5) + 5), Math.Min(little, much));
        }

        if (Rows(facts.Trace, tables) is not { } rows)
        {
            return default;
        }

        var (n, m) = (few.RowsOf(tables), many.RowsOf(tables));
        if (rows > 0 && m == 0)
        {
            Unknown(facts.Trace, $"no rows could be made up for {Display(tables)}");
            return default;
        }

        if (facts.IsInBatches && Batches(tables) is { Count: > 0 } batches)
        {
            var rates = batches.Select(state => state.Duration.TotalMilliseconds / state.Rows).ToList();
            return (new Expected(rates.Min() * rows * 0.5, rates.Max() * rows * 2), rates.Average() * rows);
        }

        var slope = m > n ? Math.Max(0, (much - little) / (m - n)) : 0;
        var estimate = rows <= n ? little : rows >= m ? much + (slope * (rows - m)) : little + (slope * (rows - n));
        var factors = earlier.Factors((double)rows / Math.Max(m, 1));
        var width = Width(tables, rows, m);
        var part = Part(facts, m);
        // Each slice is a transaction of its own.
        var high = facts.IsInBatches ? 2 : 1;
        return (new Expected(estimate * factors.Low * Math.Clamp(width, 0.3, 1) * part.Low,
            (estimate * factors.High * Math.Max(1, width) * part.High * high) + 5), estimate);
    }

    /// <summary>Where a condition chooses the rows that are written, how many it meets there is not known from those that were made
    /// up.</summary>
    private Expected Part(StatementFacts facts, long made)
    {
        var written = facts.Trace.Activity.Where(pair => facts.Migration.WasThere(pair.Key)).Sum(pair => pair.Value.Updated
            + pair.Value.Deleted);
        if (!facts.OnlyRows || facts.Text.Is("SELECT") || facts.Text.Is("COPY") || facts.IsInBatches
            || !facts.Text.Tokens.Any(token => token.Is("WHERE"))
            || (StatementFacts.Target(facts.Text) is { } target && StatementFacts.Find(facts.Before, target) is { } table
                && StatementFacts.IsByKey(facts.Text, facts.Before, table)))
        {
            return new Expected(1, 1);
        }

        if (written == 0)
        {
            Unknown(facts.Trace, "how many rows its condition meets there is not known");
            return default;
        }

        var part = new Expected(0.1, Math.Max(1, made / (double)written));
        _written = new Expected(Math.Min(_written.Low, part.Low), Math.Max(_written.High, part.High));
        return part;
    }

    private long? Rows(StatementTrace trace, IReadOnlyList<TableName> tables)
    {
        if (tables.Where(table => sizes[table.Schema, table.Name] is null).ToList() is { Count: > 0 } missing)
        {
            Unknown(trace, $"how many rows {Display(missing)} has is not known there: ANALYZE counts them");
            return null;
        }

        return tables.Max(table => Size(table).Rows);
    }

    /// <summary>How many times as wide the rows are there.</summary>
    private double Width(IReadOnlyList<TableName> tables, long rows, long made)
    {
        var largest = tables.MaxBy(table => Size(table).Rows)!;
        return rows < 100 || made < 100 ? 1
            : Math.Clamp(Size(largest).Bytes / (double)rows / (Math.Max(many.BytesOf(largest), 1) / (double)made), 0.1, 10);
    }

    private TableSize Size(TableName table) => sizes[table.Schema, table.Name] ?? default;

    private double Scale(StatementFacts facts) => Forecaster.Worked(facts).ToList() is { Count: > 0 } tables
        ? tables.Max(table => Size(table).Rows) / (double)Math.Max(1, many.RowsOf(tables)) : 1;

    private Expected Disk()
    {
        var total = default(Expected);
        var worked = many.Facts.Statements.SelectMany(Forecaster.Worked).Distinct().ToList();
        foreach (var (table, bytes) in many.Written)
        {
            // What a new table gets comes from one that is there, if it grows with it.
            var source = table != default ? [table] : worked;
            var (rows, made) = (source.Select(one => Size(one).Rows).DefaultIfEmpty(0).Max(), many.RowsOf(source));
            var width = source.Count == 0 ? 1 : Width(source, rows, made);
            var grown = bytes > few.Written.GetValueOrDefault(table) * 2 && made > 0 ? bytes * (rows / (double)made) : bytes;
            total += new Expected(
                grown * Math.Min(1, width) * 0.7 * _written.Low, (grown * Math.Max(1, width) * 1.3 * _written.High) + 65_536);
        }

        return total;
    }

    /// <summary>A change of rows writes each page that it meets whole, the first time after a checkpoint.</summary>
    private Expected Wal(Expected disk, double rowsWritten)
    {
        var pages = many.Facts.Statements.SelectMany(facts => facts.Trace.Activity.Where(pair => pair.Value.Updated + pair.Value.Deleted > 0
                && facts.Migration.WasThere(pair.Key))
                .Select(pair => many.Facts.Before.Find(many.Facts.Before.Root(pair.Key))!)).Distinct()
            .Sum(table => sizes[table.Schema, table.Name]?.Bytes ?? 0);
        return new Expected(
            (disk.Low * 0.9) + (rowsWritten * 40 * _written.Low),
            (disk.High * 1.3) + (rowsWritten * 200 * _written.High) + (2 * pages));
    }

    /// <summary>The batches of the same table, or else all.</summary>
    private List<BatchState> Batches(IReadOnlyList<TableName> tables)
    {
        var names = tables.Select(table => SqlIdentifier.Quote(table.Schema, table.Name)).ToList();
        var same = earlier.Batches.Where(state => names.Contains(state.Key[0])).ToList();
        return same.Count > 0 ? same : [.. earlier.Batches];
    }

    private Dictionary<TableName, LockMode> Locks()
    {
        var locks = new Dictionary<TableName, LockMode>();
        foreach (var facts in many.Facts.Statements)
        {
            var held = facts.Trace.RanAlone
                ? Forecaster.Worked(facts).Select(name => (Name: name, Mode: facts.Text.Find(0, "CONCURRENTLY") > 0
                    ? LockMode.ShareUpdateExclusive : LockMode.AccessExclusive))
                : facts.LockedTables(LockMode.AccessShare, facts.Trace.Locks).Select(table => (Name: TableName.Of(table),
                    Mode: facts.Trace.Locks.Relations.Where(relation => facts.Migration.WasThere(relation)
                        && facts.Migration.Before.Root(relation) == table.Oid).Max(facts.Trace.Locks.On)));
            foreach (var (name, mode) in held)
            {
                locks[name] = (LockMode)Math.Max((int)mode, (int)locks.GetValueOrDefault(name));
            }
        }

        return locks;
    }

    private static string Display(IEnumerable<TableName> tables) =>
        Names.List(tables.Select(table => table.Display));
}
