using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;

namespace ChatGenius.Db.Migrations;

/// <summary>Finds out whether what is to be dropped was used since its first sample, on the primary and on the standbys that are
/// named.</summary>
/// <param name="session">The run's session.</param>
/// <param name="url">The primary, for the role and the password on its standbys.</param>
/// <param name="options">Which standbys, and which answer lets a drop run.</param>
internal sealed class UnusedGate(MigrationSession session, DatabaseUrl url, MigratorOptions options)
{
    private readonly Session _reading = Session.Over(session.Connection, "looking whether it is used");

    /// <summary>Judges every drop of a plan that says <c>cgdb:unused-since</c>.</summary>
    internal async Task<IReadOnlyList<(UnusedMark Mark, UsageVerdict Verdict)>> JudgeAsync(
        MigrationPlan plan, CancellationToken cancellationToken)
    {
        var verdicts = new List<(UnusedMark, UsageVerdict)>();
        ILookup<UsageTarget, UsageSample>? watched = null;
        foreach (var step in plan.Ups.Where(step => step.Section.Unused.Count > 0))
        {
            watched ??= await session.History.ReadWatchedAsync(_reading, cancellationToken);
            // What an earlier step of the plan makes is not in the catalog: nobody can have used it.
            List<MigrationStep> steps = [.. plan.Steps.Where(one => !one.IsRepeatable).TakeWhile(one => one != step), step];
            var catalog = await LossCatalog.ReadAsync(_reading, LossReader.NamesIn(steps), cancellationToken);
            var (targets, unclear) = LossReader.ReadEach(steps, catalog);
            foreach (var mark in step.Section.Unused)
            {
                var statement = step.Section.Script.Statements[mark.Statement];
                verdicts.AddRange(unclear.Where(one => one.Statement == statement).Select(one => (mark, new UsageVerdict(
                    one.What, UsageAnswer.Unknown,
                    $"what it drops is not known before it runs{(one.Reason is null ? "" : $": {one.Reason}")}"))));
                foreach (var target in targets.Where(one => one.Statement == statement && one is { Relation: not null, Stays: false }))
                {
                    var what = Target(catalog, target);
                    var first = watched[what].Concat(watched[what with { Column = 0, ColumnName = null }])
                        .GroupBy(sample => sample.Node).Select(samples => samples.First()).ToList();
                    verdicts.Add((mark, UsageVerdict.Judge(
                        what, first, await SampleAsync(what, cancellationToken), mark.AtLeast, mark.IsOld, options.Backup is not null)));
                }
            }
        }

        return verdicts;
    }

    /// <summary>Judges them, and says what it found, or refuses the plan.</summary>
    /// <exception cref="ProblemException">CG1606: an answer is harder than may be.</exception>
    internal async Task RequireAsync(MigrationPlan plan, IProgress<MigrationEvent>? events, CancellationToken cancellationToken)
    {
        var verdicts = await JudgeAsync(plan, cancellationToken);
        var refused = verdicts.Where(one => one.Verdict.Answer > options.AcceptsUsage).ToList();
        if (refused.Count > 0)
        {
            throw new ProblemException([.. refused.Select(one => new Problem("CG1606", one.Verdict.Message, one.Mark.Where,
                $"{Advice(one.Mark, one.Verdict)} Nothing was run."))]);
        }

        foreach (var (_, verdict) in verdicts)
        {
            events?.Report(new MigrationEvent.Remark(verdict.Message));
        }
    }

    /// <summary>Reads the counters of all servers, the primary's first; who can't be asked says so.</summary>
    internal async Task<IReadOnlyList<UsageSample>> SampleAsync(UsageTarget target, CancellationToken cancellationToken)
    {
        var samples = new List<UsageSample> { await UsageSample.ReadAsync(_reading, "", target, cancellationToken) };
        foreach (var standby in options.Standbys)
        {
            var there = url.AtServers(standby);
            try
            {
                await using var other = await Session.OpenAsync(new Database(there), "looking whether it is used", cancellationToken);
                samples.Add(await UsageSample.ReadAsync(other, there.ServerNames, target, cancellationToken));
            }
            catch (ProblemException e)
            {
                samples.Add(new UsageSample(there.ServerNames, ("", ""), DateTime.UtcNow, new Dictionary<string, long>())
                {
                    Missing = $"it could not be asked: {e.Problems[0].Message}",
                });
            }
        }

        return samples;
    }

    private static UsageTarget Target(LossCatalog catalog, LossTarget target)
    {
        var relation = target.Relation!;
        var column = target.Column is null ? null
            : catalog.Columns.FirstOrDefault(one => one.Relation == relation.Oid && one.Name == target.Column);
        var schema = catalog.Named.FirstOrDefault(one => one.Class == CatalogObject.Schema && one.Oid == relation.Schema)?.Name ?? "public";
        return new UsageTarget(relation.Oid, column?.Number ?? 0, schema, relation.Name, column?.Name);
    }

    private static string Advice(UnusedMark mark, UsageVerdict verdict) => verdict.Answer switch
    {
        UsageAnswer.Unknown => "Settle it, or add --yes if you know better.",
        UsageAnswer.TooEarly when verdict.Since is { } since =>
            $"Wait until {since + mark.AtLeast:yyyy-MM-dd HH:mm:ss} UTC; outside of protected environments --yes lets it run.",
        UsageAnswer.TooEarly => $"Begin with {new ToolCall("unused", "watch", verdict.Target)}, and apply it "
            + $"{UsageVerdict.Long(mark.AtLeast)} later; outside of protected environments --yes lets it run.",
        _ => $"Find who uses it. Then {new ToolCall("unused", "watch", verdict.Target, "--again")} begins from the start.",
    };
}
