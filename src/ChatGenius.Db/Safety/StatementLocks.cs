using System.Collections.Immutable;
using ChatGenius.Db.Files;

namespace ChatGenius.Db.Safety;

/// <summary>A lock that a statement was the first of its transaction to take.</summary>
/// <param name="Table">The table, as a message says it.</param>
/// <param name="Mode">How strong it is.</param>
internal sealed record TableLock(string Table, LockMode Mode);

/// <summary>What a statement asks of those who work with the database meanwhile.</summary>
/// <param name="Index">Its place in the section, from 0.</param>
/// <param name="Locks">Locks it took on tables that were there before, strongest first.</param>
/// <param name="Rewritten">Tables that it rewrote.</param>
/// <param name="Scanned">Tables that it read whole, other than by a query or a change of rows.</param>
/// <param name="Alone">Whether it ran outside a transaction block, where locks can't be read.</param>
internal sealed record StatementLocks(
    int Index, ImmutableArray<TableLock> Locks, ImmutableArray<string> Rewritten, ImmutableArray<string> Scanned, bool Alone)
{
    /// <summary>Reads them from a trace; statements that did not run are left out.</summary>
    internal static IReadOnlyList<StatementLocks> Of(MigrationFacts facts) => [.. facts.Statements.Select(Of)];

    private static StatementLocks Of(StatementFacts s) => new(
        s.Trace.Index,
        [
            .. from table in ReferenceEquals(s.Trace.Locks, s.Trace.LocksBefore) ? [] : s.LockedTables(LockMode.RowExclusive, s.Trace.Locks)
               let mode = s.Trace.Locks.NewOn(table.Oid, s.Trace.LocksBefore)
               where mode >= LockMode.RowExclusive
               orderby mode descending, table.Display
               select new TableLock(table.Display, mode),
        ],
        [.. s.Rewritten.Select(table => Root(s, table.Oid)).Distinct().Order(StringComparer.Ordinal)],
        [
            .. s.Trace.Activity.Where(pair => !s.OnlyRows && pair.Value.SequentialScans > 0 && s.Migration.WasThere(pair.Key)
                && s.Before.Find(pair.Key) is { HoldsRows: true })
                .Select(pair => Root(s, pair.Key)).Distinct().Order(StringComparer.Ordinal),
        ],
        s.Trace.RanAlone);

    private static string Root(StatementFacts s, uint table) => s.Before.Find(s.Before.Root(table))!.Display;
}
