using System.Collections.Immutable;
using ChatGenius.Db.Files;
using ChatGenius.Db.Sql;
namespace ChatGenius.Db.Safety;

/// <summary>Applies every rule to a migration: to what PostgreSQL did where it was traced, to the words where it could not be.</summary>
public static class SafetyCheck
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
        CheckedMigration migration, Trace? trace, TableSizes sizes, RoundTrip? roundTrip = null, DateOnly? today = null)
    {
        var findings = new List<Finding>();
        if (trace is not null)
        {
            var facts = new MigrationFacts(migration, trace, sizes, sizes.ServerVersion);
            foreach (var hazard in Hazards.All.Where(hazard => hazard.Traced is not null))
            {
                findings.AddRange(hazard.Traced!(facts).Select(hit => FromTrace(hazard, facts, hit)));
            }
        }

        AddWords(findings, migration, trace, sizes.ServerVersion != 0 ? sizes.ServerVersion : trace?.ServerVersion);
        findings.AddRange(Sections(migration, roundTrip));
        return Suppressions.Apply(migration, findings, today ?? DateOnly.FromDateTime(DateTime.UtcNow))
            .OrderBy(finding => finding.Where.Line).ThenByDescending(finding => finding.Severity).ThenBy(finding => finding.Hazard.Id, StringComparer.Ordinal)
            .ToList();
    }

    private static Finding FromTrace(Hazard hazard, MigrationFacts facts, Hit hit)
    {
        var severity = hit.Severity ?? hazard.Severity;
        var message = hit.Message;
        if (hit.Table != 0 && Size(facts, hit.Table) is var (table, size))
        {
            severity = hazard.Id[0] == 'L' && size.IsSmall && severity > Severity.Info ? severity - 1 : severity;
            message = $"{message} ({table}: {size})";
        }

        return new Finding
        {
            Hazard = hazard,
            Severity = severity,
            Evidence = hazard.Evidence,
            Version = facts.Migration.Version,
            Where = hit.Statement is { } statement ? Whole(statement.Statement) : facts.Migration.Up.Where,
            Subject = hit.Subject,
            Message = message,
            Facts = [.. Measured(facts, hit), .. hit.Facts],
            SafeWay = hit.SafeWay.Trim(),
        };
    }

    private static (string Table, TableSize Size)? Size(MigrationFacts facts, uint oid) =>
        facts.Before.Find(facts.Before.Root(oid)) is { } table && facts.Sizes[table.Schema, table.Name] is { } size ? (table.Display, size) : null;

    private static IEnumerable<string> Measured(MigrationFacts facts, Hit hit)
    {
        if (hit.Table == 0 || facts.Statements.FirstOrDefault(s => s.Trace == hit.Statement) is not { } statement)
        {
            yield break;
        }

        var table = (statement.After.Find(hit.Table) ?? facts.Before.Find(hit.Table))!;
        var mode = statement.Trace.Locks.On(hit.Table);
        if (mode > LockMode.RowExclusive)
        {
            yield return $"{mode.ToSql()} on {table.Display}: {mode.Blocks()}";
        }

        var activity = statement.ActivityOn(hit.Table);
        if (activity.TuplesRead > 0 && activity.SequentialScans > 0)
        {
            yield return $"{Names.Count(activity.SequentialScans, "scan")} of {table.Display}, {Names.Count(activity.TuplesRead, "row")} read";
        }

        foreach (var (count, verb) in ((long, string)[])[(activity.Updated, "updated"), (activity.Deleted, "deleted"), (activity.Inserted, "inserted")])
        {
            if (count > 0)
            {
                yield return $"{Names.Count(count, "row")} {verb} in {table.Display}";
            }
        }

        if (statement.Rewritten.Any(rewritten => statement.After.Root(rewritten.Oid) == statement.After.Root(hit.Table)))
        {
            yield return $"{table.Display} written to a new file";
        }
    }

    /// <summary>The words count where a statement was not traced, and for the few rules that only they can tell.</summary>
    private static void AddWords(List<Finding> findings, CheckedMigration migration, Trace? trace, int? serverVersion)
    {
        var created = new HashSet<string>(StringComparer.Ordinal);
        var traced = findings.Select(finding => (finding.Hazard.Id, finding.Where.Line, finding.Where.Column)).ToHashSet();
        for (var i = 0; i < migration.Up.Script.Statements.Count; i++)
        {
            var statement = migration.Up.Script.Statements[i];
            var text = new StatementText(statement);
            var judged = trace?.Statements[i] is { } known && (known.Outcome == TraceOutcome.Ran || IsMistake(known));
            var context = new WordContext(migration.Up, serverVersion);
            var where = Whole(statement);
            foreach (var hazard in Hazards.All.Where(hazard => hazard.Recognise is not null && (hazard.WordsAlways || !judged)))
            {
                if (hazard.Recognise!(text, context) is not { } words || (created.Contains(words.Subject) && hazard.Id[0] is 'L' or 'D' or 'C')
                    || traced.Contains((hazard.Id, where.Line, where.Column)))
                {
                    continue;
                }

                findings.Add(new Finding
                {
                    Hazard = hazard,
                    Severity = hazard.Severity,
                    Evidence = Evidence.Text,
                    Version = migration.Version,
                    Where = where,
                    Subject = words.Subject,
                    Message = words.Message,
                    SafeWay = words.SafeWay.Trim(),
                });
            }

            if (text.CreatedTable is { } name)
            {
                created.Add(name);
            }
        }
    }

    /// <summary>
    /// Whether a statement failed by its own fault, so that its words tell nothing more: it can't do anywhere what they say. What only the
    /// throw-away database lacks (an extension, a role, a right) or what the rows there forbid is another matter.
    /// </summary>
    private static bool IsMistake(StatementTrace trace) =>
        trace.Error?.SqlState is { } state && (state.StartsWith("42", StringComparison.Ordinal) || state.StartsWith("0A", StringComparison.Ordinal))
        && state is not ("42501" or "42704" or "42883");

    private static IEnumerable<Finding> Sections(CheckedMigration migration, RoundTrip? roundTrip) =>
        HygieneRules.OfSections(migration, roundTrip).Select(found => new Finding
        {
            Hazard = found.Hazard,
            Severity = found.Hazard.Severity,
            Evidence = found.Hazard.Evidence,
            Version = migration.Version,
            Where = found.Where,
            Subject = found.Subject,
            Message = found.Message,
            Facts = found.Facts,
            SafeWay = found.SafeWay.Trim(),
        });

    private static Text.SourceLocation Whole(SqlStatement statement) => statement.Source.At(statement.Start, statement.End - statement.Start);
}
