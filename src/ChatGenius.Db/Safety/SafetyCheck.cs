using System.Collections.Immutable;
using ChatGenius.Db.Files;
using ChatGenius.Db.Migrations;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Safety;

/// <summary>Applies every rule to a migration: to what PostgreSQL did where it was traced, to the words where it could not be.</summary>
internal static class SafetyCheck
{
    /// <summary>Examines one migration.</summary>
    /// <param name="migration">The migration.</param>
    /// <param name="trace">What its up section did; null when it was not run at all.</param>
    /// <param name="sizes">How large the tables are where it will run.</param>
    /// <param name="roundTrip">What up, down and up again showed; null when that was not tried.</param>
    /// <param name="today">What <c>until=</c> is compared with.</param>
    /// <returns>The findings in the order of the file, those that are allowed too; each says so.</returns>
    /// <exception cref="ProblemException">CG1203 to CG1205: a <c>cgdb:allow</c> that can't be read.</exception>
    public static IReadOnlyList<Finding> Examine(
        Migration migration, Trace? trace, TableSizes sizes, RoundTrip? roundTrip = null, DateOnly? today = null) =>
        ApplyRules(migration, trace is null ? null : new MigrationFacts(migration, trace, sizes), sizes, roundTrip, today);

    /// <summary>What is wrong with the <c>cgdb:</c> comments of a migration: CG1203 to CG1206.</summary>
    public static IReadOnlyList<Problem> VerifyComments(Migration migration) => Suppressions.Problems(migration);

    internal static IReadOnlyList<Finding> Examine(MigrationFacts facts, RoundTrip? roundTrip) =>
        ApplyRules(facts.Migration, facts, facts.Sizes, roundTrip, null);

    private static List<Finding> ApplyRules(
        Migration migration, MigrationFacts? facts, TableSizes sizes, RoundTrip? roundTrip, DateOnly? today)
    {
        var findings = new List<Finding>();
        if (facts is not null)
        {
            foreach (var hazard in Hazards.All.Where(hazard => hazard.Traced is not null))
            {
                findings.AddRange(hazard.Traced!(facts).Select(found => Complete(hazard, facts, found)));
            }

            findings.AddRange(LockRules.UnderLock(facts).Where(found => !findings.Exists(other => Explains(other, found)))
                .Select(found => Complete(LockRules.TableWorkUnderLock, facts, found)).ToList());
            findings = [.. LockRules.OncePerCause(findings)];
        }

        findings.AddRange(InText(migration, facts?.Trace, sizes, findings));
        findings.AddRange(roundTrip is null ? [] : HygieneRules.OfRoundTrip(migration, roundTrip));
        findings = [.. findings.Select(finding => Guarded(migration, finding))];
        return Suppressions.Apply(migration, findings, today ?? DateOnly.FromDateTime(DateTime.UtcNow))
            .OrderBy(finding => finding.Where.Line).ThenByDescending(finding => finding.Severity)
            .ThenBy(finding => finding.Hazard.Id, StringComparer.Ordinal)
            .ToList();
    }

    /// <summary>A drop that <c>cgdb:unused-since</c> holds back does not take away what is used.</summary>
    private static Finding Guarded(Migration migration, Finding finding) =>
        finding.Hazard != DataLossRules.DropTable && finding.Hazard != DataLossRules.DropColumn ? finding
        : migration.Up.Unused.FirstOrDefault(mark => Finding.Whole(migration.Up.Script.Statements[mark.Statement]) == finding.Where)
            is not { } mark ? finding
        : finding with
        {
            Severity = Severity.Warning,
            Facts = [.. finding.Facts, $"held back until nobody has used it for {UsageVerdict.Long(mark.AtLeast)}"],
        };

    /// <summary>
    /// Whether a finding says already why a statement works on a whole table: on that one, or on one that a foreign key joins with it.
    /// </summary>
    private static bool Explains(Finding finding, Finding work)
    {
        if (!ReferenceEquals(finding.Statement, work.Statement) || finding.Table == 0
            || !(finding.Hazard.Id[..2] is "L1" or "L2" or "L3" || finding.Hazard.Id is "L401" or "D104" or "D105" or "F102"))
        {
            return false;
        }

        var after = finding.Statement!.After;
        var (one, other) = (after.Root(finding.Table), after.Root(work.Table));
        return one == other || after.Constraints.Values.Any(key => key.Kind == 'f'
            && (after.Root(key.Table), after.Root(key.ReferencedTable)) is var pair && (pair == (one, other) || pair == (other, one)));
    }

    private static Finding Complete(Hazard hazard, MigrationFacts facts, Finding found)
    {
        var where = found.Where ?? (found.Statement is { } statement ? Finding.Whole(statement.Statement) : facts.Migration.Up.Where);
        var finding = found.Of(hazard, hazard.Evidence, facts.Migration.Version, where)
            with { Facts = [.. Measured(facts, found), .. found.Facts] };
        if (found.Table == 0 || Size(facts, found.Table) is not var (table, size))
        {
            return finding;
        }

        var isLess = hazard.Id[0] == 'L' && size.IsSmall && finding.Severity > Severity.Info;
        return finding with { Severity = isLess ? finding.Severity - 1 : finding.Severity,
            Message = $"{finding.Message} ({table}: {size})" };
    }

    private static (string Table, TableSize Size)? Size(MigrationFacts facts, uint oid) =>
        facts.Before.Find(facts.Before.Root(oid)) is { } table && facts.Sizes[table.Schema, table.Name] is { } size ? (table.Display, size)
            : null;

    private static IEnumerable<string> Measured(MigrationFacts facts, Finding found)
    {
        if (found.Table == 0 || facts.Of(found.Statement) is not { } statement)
        {
            yield break;
        }

        var table = (statement.After.Find(found.Table) ?? facts.Before.Find(found.Table))!;
        var mode = statement.Trace.Locks.On(found.Table);
        if (mode > LockMode.RowExclusive)
        {
            yield return $"{mode.ToSql()} on {table.Display}: {mode.Blocks()}";
        }

        var activity = statement.ActivityOn(found.Table);
        if (activity.TuplesRead > 0 && activity.SequentialScans > 0)
        {
            yield return $"{Names.Count(activity.SequentialScans, "scan")} of {table.Display}, {Names.Count(activity.TuplesRead, "row")} "
                + "read";
        }

        foreach (var (count, verb) in ((long, string)[])[(activity.Updated, "updated"), (activity.Deleted, "deleted"),
            (activity.Inserted, "inserted")])
        {
            if (count > 0)
            {
                yield return $"{Names.Count(count, "row")} {verb} in {table.Display}";
            }
        }

        if (statement.Rewritten.Any(rewritten => statement.After.Root(rewritten.Oid) == statement.After.Root(found.Table)))
        {
            yield return $"{table.Display} written to a new file";
        }
    }

    /// <summary>The words count where a statement was not traced, and for the few rules that only they can tell.</summary>
    private static List<Finding> InText(Migration migration, Trace? trace, TableSizes sizes, List<Finding> traced)
    {
        var created = new HashSet<string>(StringComparer.Ordinal);
        var known = traced.Select(finding => (finding.Hazard, finding.Where.Line, finding.Where.Column)).ToHashSet();
        var context = new TextContext(migration.Up, sizes.ServerVersion != 0 ? sizes.ServerVersion : trace?.ServerVersion);
        var findings = new List<Finding>();
        for (var i = 0; i < migration.Up.Script.Statements.Count; i++)
        {
            var statement = migration.Up.Script.Statements[i];
            var text = new StatementText(statement);
            var judged = trace?.Statements[i] is { } ran && (ran.Outcome == TraceOutcome.Ran || IsMistake(ran));
            var where = Finding.Whole(statement);
            foreach (var hazard in Hazards.All.Where(hazard => hazard.InText is not null && (hazard.TextAlways || !judged)))
            {
                if (hazard.InText!(text, context) is { } found && !(created.Contains(found.Subject) && hazard.Id[0] is 'L' or 'D' or 'C')
                    && !known.Contains((hazard, where.Line, where.Column)))
                {
                    findings.Add(found.Of(hazard, Evidence.Text, migration.Version, where));
                }
            }

            if (text.CreatedTable is { } name)
            {
                created.Add(name);
            }
        }

        return findings;
    }

    /// <summary>
    /// Whether a statement failed by its own fault, so that its words tell nothing more: it can't do anywhere what they say. What only the
    /// throw-away database lacks (an extension, a role, a right) or what the rows there forbid is another matter.
    /// </summary>
    private static bool IsMistake(StatementTrace trace) =>
        trace.Error?.SqlState is { } state
            && (state.StartsWith("42", StringComparison.Ordinal) || state.StartsWith("0A", StringComparison.Ordinal))
        && state is not ("42501" or "42704" or "42883");
}
