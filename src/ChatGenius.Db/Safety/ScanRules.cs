using System.Collections.Immutable;
using ChatGenius.Db.Files;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Safety;

/// <summary>L2xx: what reads a whole table to check it, while others want it.</summary>
internal static class ScanRules
{
    internal static readonly Hazard ForeignKeyScan = new("L201")
    {
        Traced = facts =>
            from s in facts.Statements
            from constraint in s.EnsuredConstraints
            where constraint is { Kind: 'f', Parent: 0 } && s.Scanned(constraint.Table)
                && s.Rewritten.All(r => s.After.Root(r.Oid) != constraint.Table)
            let table = s.After.Find(constraint.Table)!
            let referenced = s.After.Find(constraint.ReferencedTable)!
            select s.Finding(
                table, constraint.Name, $"Checking {SqlIdentifier.Quote(constraint.Name)} for all rows stops writes to "
                    + $"{Names.List([table.Display, referenced.Display])}",
                table.Kind == 'p' && facts.TargetVersion < 180000
                    ? "-- before PostgreSQL 18 a partitioned table can't have it NOT VALID: add it NOT VALID to each partition, VALIDATE "
                        + "those, then add it to the parent"
                    : LaterValidated(s, table, constraint)),
        InText = (text, _) => Adds(text, "FOREIGN", "foreign key", "checks all rows while writes to both tables wait"),
    };

    internal static readonly Hazard CheckScan = new("L202")
    {
        Traced = facts =>
            from s in facts.Statements
            from constraint in s.EnsuredConstraints
            where constraint is { Kind: 'c', Parent: 0, Domain: 0 } && s.Scanned(constraint.Table)
                && s.Rewritten.All(r => s.After.Root(r.Oid) != constraint.Table) && s.Attached.All(a => a.Partition.Oid != constraint.Table)
            let table = s.After.Find(constraint.Table)!
            select s.Finding(table, constraint.Name,
                $"Testing {SqlIdentifier.Quote(constraint.Name)} for all rows locks {table.Display} out",
                LaterValidated(s, table, constraint)),
        InText = (text, _) => Adds(text, "CHECK", "CHECK constraint", "reads all rows while the table is locked out"),
    };

    internal static readonly Hazard NotNullScan = new("L203")
    {
        Traced = facts =>
            from s in facts.Statements
            from changed in s.EnsuredNotNull
            where s.Scanned(changed.Table.Oid)
                && s.Rewritten.All(r => s.After.Root(r.Oid) != changed.Table.Oid)
                    && !s.NewConstraints.Any(c => c.Kind == 'p' && c.Table == changed.Table.Oid)
            select s.Finding(
                changed.Table, $"{changed.Table.Name}.{changed.Column.Name}",
                $"SET NOT NULL on {changed.Table.Display}.{changed.Column.Name} reads all rows while the table is locked out",
                    ProvenNotNull(s, changed.Table, [changed.Column.Name])),
        InText = (text, _) => Safety.InText.Action(
            text, (start, _) => Safety.InText.AltersColumn(text, start, "SET", "NOT", "NULL"),
            table => $"SET NOT NULL reads all rows of {table} while it is locked out, unless a valid CHECK proves it"),
    };

    internal static readonly Hazard PrimaryKeyNotNullScan = new("L204")
    {
        Traced = facts =>
            from s in facts.Statements
            from constraint in s.NewConstraints
            where constraint is { Kind: 'p', Parent: 0 } && s.Scanned(constraint.Table)
                && s.BuiltIndexes.All(built => built.Index.Oid != constraint.Index)
            let nullable = s.ChangedColumns.Where(c => c.Table.Oid == constraint.Table && !c.Before.NotNull && c.After.NotNull)
                .Select(c => c.After.Name).ToList()
            where nullable.Count > 0
            let table = s.After.Find(constraint.Table)!
            select s.Finding(
                table, constraint.Name, $"The primary key makes {Names.List(nullable)} NOT NULL and reads all rows while {table.Display} "
                    + "is locked out", ProvenNotNull(s, table, nullable)),
        InText = (text, _) => Safety.InText.Action(
            text, (start, end) => text.At(start, "ADD") && text.Within(start, end, "PRIMARY", "KEY", "USING", "INDEX"),
            table => $"The primary key reads all rows of {table} while it is locked out, unless its columns are NOT NULL already"),
    };

    internal static readonly Hazard ValidateUnderLock = new("L205")
    {
        Traced = facts =>
            from s in facts.Statements
            from constraint in s.ValidatedConstraints
            where constraint.Parent == 0 && facts.WasThere(constraint.Table) && s.Trace.LocksBefore.On(constraint.Table).BlocksWrites()
                && s.Scanned(constraint.Table)
            let table = s.After.Find(constraint.Table)!
            select s.Finding(
                table, constraint.Name, $"{SqlIdentifier.Quote(constraint.Name)} is validated while "
                    + $"{s.Trace.LocksBefore.On(table.Oid).ToSql()} on {table.Display} is still held",
                $"-- in the next migration\nALTER TABLE {table.Display} VALIDATE CONSTRAINT {SqlIdentifier.Quote(constraint.Name)};"),
        InText = (text, context) =>
            text.AlterTableActions().Where(a => text.At(a.Start, "VALIDATE", "CONSTRAINT") && a.Start + 2 < text.Tokens.Count)
            .Where(a => context.Section.Transactional && context.DefinitionsBefore(text)
                .Any(earlier => earlier.Is("ALTER", "TABLE") && earlier.Has("NOT", "VALID")
                    && earlier.Mentions(text.Tokens[a.Start + 2].Name ?? " ")))
            .Select(a => new Finding(a.Table, $"A constraint of {a.Table} is validated while the lock that added it is still held"))
                .FirstOrDefault(),
    };

    internal static readonly Hazard AttachPartitionScan = new("L206")
    {
        Traced = facts =>
            from s in facts.Statements
            from attached in s.Attached
            where s.Scanned(attached.Partition.Oid)
                && s.ActivityOn(attached.Partition.Oid).SequentialScans > s.BuiltIndexes.Count(built =>
                built.Table.Oid == attached.Partition.Oid)
            select s.On(
                attached.Partition, $"Attaching {attached.Partition.Display} reads all its rows while it is locked out",
                attached.Partition.Bound is { Check: { } check, Values: var values }
                    ? $"""
                    ALTER TABLE {attached.Partition.Display}
                        ADD CONSTRAINT {Names.Made(attached.Partition.Name, "bounds")} CHECK ({check}) NOT VALID;
                    -- in the next migration
                    ALTER TABLE {attached.Partition.Display} VALIDATE CONSTRAINT {Names.Made(attached.Partition.Name, "bounds")};
                    -- in the one after it
                    ALTER TABLE {attached.Parent.Display} ATTACH PARTITION {attached.Partition.Display} {values};
                    ALTER TABLE {attached.Partition.Display} DROP CONSTRAINT {Names.Made(attached.Partition.Name, "bounds")};
                    """
                    : ""),
        InText = (text, _) => Safety.InText.Action(
            text, (start, _) => text.At(start, "ATTACH", "PARTITION"),
                table => $"The table that becomes a partition of {table} may be read whole, locked out"),
    };

    internal static readonly Hazard DefaultPartitionScan = new("L207")
    {
        Traced = facts =>
            from s in facts.Statements
            from added in s.Attached.Select(a => (a.Partition, a.Parent)).Concat(
                from relation in s.NewRelations
                where relation is { IsTable: true, Parent: not null }
                select (relation, s.After.Find(relation.Parent!.Value)!))
            where s.Before.Find(added.Item2.Oid)?.DefaultPartition is { } rest && facts.WasThere(rest) && s.ActivityOn(rest).TuplesRead > 0
            let table = s.After.Find(s.Before.Find(added.Item2.Oid)!.DefaultPartition!.Value)!
            select s.On(
                table, $"Adding {added.Item1.Display} reads all rows of the default partition {table.Display} while it is locked out",
                added.Item1.Bound?.Check is { } check
                    ? $"""
                    ALTER TABLE {table.Display} ADD CONSTRAINT {Names.Made(table.Name, "excludes")} CHECK (NOT ({check})) NOT VALID;
                    -- in the next migration
                    ALTER TABLE {table.Display} VALIDATE CONSTRAINT {Names.Made(table.Name, "excludes")};
                    """
                    : ""),
    };

    internal static readonly Hazard DomainChangeScan = new("L208")
    {
        Traced = facts =>
            from s in facts.Statements
            where !ReferenceEquals(s.Before.Types, s.After.Types) || !ReferenceEquals(s.Before.Constraints, s.After.Constraints)
            from domain in s.After.Types.Values
            where domain.Kind == 'd' && facts.Before.Types.ContainsKey(domain.Oid) && Tightened(s, domain)
            from table in s.After.Relations.Values
            where table.IsTable && table.Parent is null && s.Scanned(table.Oid)
                && s.After.ColumnsOf(table.Oid).Any(column => column.TypeOid == domain.Oid)
            let column = s.After.ColumnsOf(table.Oid).First(column => column.TypeOid == domain.Oid)
            select s.Finding(
                table, domain.Display, $"The new rule of the domain {domain.Display} is tested for all rows while writes to "
                    + $"{table.Display} wait",
                SafeWays.AddChecks(table, column.Name, SafeWays.ChecksOf(s.After, domain, column.Name, s.Before))),
        InText = (text, _) => text.Is("ALTER", "DOMAIN") && text.NameAt(2) is { } domain && !text.Has("NOT", "VALID")
            && (text.At(domain.Next, "SET", "NOT", "NULL") || text.At(domain.Next, "ADD") || text.At(domain.Next, "VALIDATE"))
            ? new Finding(domain.Display, $"Every table with a column of {domain.Display} is read whole while writes to it wait") : null,
    };

    internal static readonly Hazard TypeChangeRecheck = new("L209")
    {
        Traced = facts =>
            from s in facts.Statements
            from changed in s.ChangedColumns
            where changed.Table is { IsTable: true, Parent: null } && facts.WasThere(changed.Table.Oid)
                && (changed.Before.Type != changed.After.Type || changed.Before.Collation != changed.After.Collation)
                    && s.Scanned(changed.Table.Oid)
                && s.Rewritten.All(r => s.After.Root(r.Oid) != changed.Table.Oid)
            let rebuilt = s.ReplacedIndexes.Where(r => r.New.Index!.Table == changed.Table.Oid && r.Old.Filenode != r.New.Filenode)
                .Select(r => r.New).ToList()
            select s.Finding(
                changed.Table, $"{changed.Table.Name}.{changed.After.Name}",
                rebuilt.Count > 0
                    ? $"Changing the type of {changed.Table.Display}.{changed.After.Name} rebuilds "
                        + $"{Names.List(rebuilt.Select(i => i.Display))} while the table is locked out"
                    : $"Changing the type of {changed.Table.Display}.{changed.After.Name} tests its constraints for all rows while the "
                        + "table is locked out",
                rebuilt.Count > 0
                    ? $"DROP INDEX CONCURRENTLY {string.Join(", ", rebuilt.Select(i => i.Display))};\n-- change the type in a migration "
                        + $"of its own, then\n{string.Join('\n', rebuilt.Select(IndexRules.Concurrently))}"
                    : string.Join('\n', Rechecked(s, changed.Table, changed.After.Number)
                        .Select(c => $"ALTER TABLE {changed.Table.Display} DROP CONSTRAINT {SqlIdentifier.Quote(c.Name)};\n-- after the "
                        + $"change\n{LaterValidated(s, changed.Table, c, dropped: true)}"))),
    };

    internal static readonly ImmutableArray<Hazard> All =
    [
        ForeignKeyScan, CheckScan, NotNullScan, PrimaryKeyNotNullScan, ValidateUnderLock, AttachPartitionScan, DefaultPartitionScan,
            DomainChangeScan, TypeChangeRecheck,
    ];

    /// <summary>The two steps that let others work.</summary>
    internal static string LaterValidated(StatementFacts s, Relation table, Constraint constraint, bool dropped = false)
    {
        var name = SqlIdentifier.Quote(constraint.Name);
        var room = s.Before.Constraints.ContainsKey(constraint.Oid) ? $"ALTER TABLE {table.Display} DROP CONSTRAINT {name};\n" : "";
        var isTaken = !dropped && room.Length == 0
            && s.Migration.Before.ConstraintsOf(table.Oid).Any(other => other.Name == constraint.Name);
        var added = isTaken ? Names.Made(constraint.Name, "new") : name;
        var columns = s.NewColumns.Where(c => c.Table.Oid == table.Oid && constraint.Keys.Contains(c.Column.Number))
            .Select(c => SafeWays.AddColumn(table, c.Column) + "\n");
        return $"{string.Concat(columns)}{room}ALTER TABLE {table.Display} ADD CONSTRAINT {added} {constraint.Definition} NOT VALID;\n\n"
            + $"-- then, in the next migration\nALTER TABLE {table.Display} VALIDATE CONSTRAINT {added};"
            + (isTaken
                ? $"\n-- then, in the one after it\nALTER TABLE {table.Display} DROP CONSTRAINT {name};\n"
                    + $"ALTER TABLE {table.Display} RENAME CONSTRAINT {added} TO {name};"
                : "");
    }

    /// <summary>The steps to NOT NULL that never read under a strong lock.</summary>
    private static string ProvenNotNull(StatementFacts s, Relation table, IEnumerable<string> columns) =>
        string.Join("\n\n", columns.Select(column => ProvenNotNull(s, table, column)));

    private static string ProvenNotNull(StatementFacts s, Relation table, string column)
    {
        if (s.Before.ConstraintsOf(table.Oid)
            .FirstOrDefault(c => c is { Kind: 'n', Validated: false }
            && s.Before.FindColumn(table.Oid, c.Keys[0])?.Name == column) is { } waiting)
        {
            return $"ALTER TABLE {table.Display} VALIDATE CONSTRAINT {SqlIdentifier.Quote(waiting.Name)};";
        }

        var name = Names.Made(table.Name, column, "not_null");
        var quoted = SqlIdentifier.Quote(column);
        return s.Migration.TargetVersion >= 180000
            ? $"""
            ALTER TABLE {table.Display} ADD CONSTRAINT {name} NOT NULL {quoted} NOT VALID;
            -- in the next migration
            ALTER TABLE {table.Display} VALIDATE CONSTRAINT {name};
            """
            : $"""
            ALTER TABLE {table.Display} ADD CONSTRAINT {name} CHECK ({quoted} IS NOT NULL) NOT VALID;
            -- in the next migration
            ALTER TABLE {table.Display} VALIDATE CONSTRAINT {name};
            -- in the one after it
            ALTER TABLE {table.Display} ALTER COLUMN {quoted} SET NOT NULL;
            ALTER TABLE {table.Display} DROP CONSTRAINT {name};
            """;
    }

    private static IEnumerable<Constraint> Rechecked(StatementFacts s, Relation table, short column) =>
        s.After.ConstraintsOf(table.Oid)
            .Where(c => c.Kind is 'c' or 'f' && c.Keys.Contains(column) && !s.Before.Constraints.ContainsKey(c.Oid));

    private static bool Tightened(StatementFacts s, TypeInfo domain) =>
        (domain.NotNull && s.Before.Types.GetValueOrDefault(domain.Oid) is { NotNull: false })
        || s.NewConstraints.Any(constraint => constraint.Domain == domain.Oid && constraint.Validated)
        || s.ValidatedConstraints.Any(constraint => constraint.Domain == domain.Oid);

    /// <summary>ADD [CONSTRAINT name] FOREIGN KEY or CHECK, without NOT VALID or NOT ENFORCED.</summary>
    private static Finding? Adds(StatementText text, string word, string title, string effect)
    {
        foreach (var (table, start, end) in text.AlterTableActions())
        {
            var at = text.At(start, "ADD", "CONSTRAINT") ? start + 3 : start + 1;
            if (text.At(start, "ADD") && text.At(at, word) && !text.Within(start, end, "NOT", "VALID")
                && !text.Within(start, end, "NOT", "ENFORCED"))
            {
                return new Finding(table, $"Adding the {title} to {table} {effect}");
            }
        }

        return null;
    }
}
