using ChatGenius.Db.Files;
using ChatGenius.Db.Migrations;
using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;

namespace ChatGenius.Db;

public sealed partial record MigrationPlan
{
    /// <summary>The steps that run a repeatable object; they come last.</summary>
    internal IReadOnlyList<MigrationStep> Repeatables => [.. Steps.Where(step => step.IsRepeatable)];

    /// <summary>Older texts of repeatable objects, which are put back before anything is undone as far as that is possible then.</summary>
    internal IReadOnlyList<MigrationStep> Before { get; init; } = [];

    /// <summary>Steps that take a repeatable object away of which no older text is known; for where it keeps something from being
    /// undone.</summary>
    internal IReadOnlyList<MigrationStep> InTheWay { get; init; } = [];

    /// <summary>The repeatable objects that ran since what stays applied was the newest.</summary>
    internal IReadOnlySet<string> Since { get; init; } = new HashSet<string>();

    /// <summary>The texts of repeatable objects that ran before.</summary>
    internal IReadOnlyList<SqlScript> RepeatableTexts { get; init; } = [];

    /// <summary>Repeatable objects whose files are gone: the run that says so forgets them.</summary>
    internal IReadOnlyList<string> Forgotten { get; init; } = [];

    /// <summary>
    /// Repeatable objects whose text is another one than ran last come after all migrations, which they may need: so they run only where
    /// nothing stays pending. Where the database is ahead of the files, theirs may be the older text.
    /// </summary>
    /// <param name="files">All of them.</param>
    /// <param name="rows">What ran.</param>
    /// <param name="again">Those that run although their text did not change.</param>
    private MigrationPlan WithRepeatables(
        IReadOnlyList<Migration> files, IReadOnlyList<RepeatableRow> rows, IReadOnlySet<string>? again = null)
    {
        var statuses = RepeatableStatus.Compare(files, rows);
        var changed = statuses.Where(status => status.State is RepeatableState.Changed or RepeatableState.New
            || (status.File is not null && again?.Contains(status.Name) == true)).ToList();
        if (changed.Count == 0)
        {
            return this;
        }

        var applied = Steps.Where(step => step.Direction == MigrationDirection.Up).Select(step => step.Version).ToHashSet();
        var newest = Statuses.LastOrDefault(status => status.Migration is not null)?.Version ?? 0;
        var waits = Statuses.Any(status => status.State is not (MigrationState.Applied or MigrationState.Missing)
            && !applied.Contains(status.Version)) ? "wait until nothing is pending"
            : Statuses.Any(status => status.State == MigrationState.Missing && status.Version > newest)
            ? "are left as they are, because the database is ahead of these files" : null;
        if (waits is not null)
        {
            return this with
            {
                Remarks = [.. Remarks, $"Repeatable objects {waits}: {string.Join(", ", changed.Select(status => status.Name))}"],
            };
        }

        var command = Steps is [.., var last] ? last.Command : "apply";
        var gone = statuses.Where(status => status.State == RepeatableState.Missing).Select(status => status.Name).ToList();
        return this with
        {
            Steps = [.. Steps, .. changed.Select(status => MigrationStep.Of(status.File!) with { Command = command })],
            Remarks = [.. Remarks, .. gone.Select(name =>
                $"{Repeatable.FolderName}/{name}.sql is gone: what it made stays in the database until a migration drops it")],
            RepeatableTexts = [.. rows.Select(row => row.Parse().Up.Script)],
            Forgotten = gone,
        };
    }

    /// <summary>
    /// What is undone may be what a repeatable object has been edited for since: then it gets back the text that ran while the newest of
    /// the migrations that stay was the newest. Where none ran then, it stays, unless it is in the way.
    /// </summary>
    private MigrationPlan WithOlderTexts(
        IReadOnlyList<Migration> files, HistorySnapshot history, RollbackRequest request, List<Problem> problems)
    {
        var undone = Steps.Select(step => step.Version).ToHashSet();
        var newest = history.Rows.Select(row => row.Version).Where(version => !undone.Contains(version)).DefaultIfEmpty(0).Max();
        var isTrusted = history.LesserWriters.Count == 0 || request.TrustStoredDown;
        var (older, inTheWay, since) = (new List<MigrationStep>(), new List<MigrationStep>(), new HashSet<string>());
        foreach (var texts in history.Repeatables.GroupBy(row => row.Name))
        {
            var current = texts.MaxBy(row => row.Version)!;
            if (current.Version <= newest)
            {
                continue;
            }

            since.Add(texts.Key);
            var then = texts.Where(row => row.Version <= newest).MaxBy(row => row.Version);
            var file = files.FirstOrDefault(file => file.Name == texts.Key);
            if (then is null)
            {
                var now = file?.Up.Checksum == current.Checksum ? file : isTrusted ? current.Parse() : null;
                inTheWay.AddRange(now is not null && TakeAway(now) is { } step ? [step] : []);
            }
            else if (then.Checksum != current.Checksum)
            {
                var isFile = file?.Up.Checksum == then.Checksum;
                var step = MigrationStep.Of(isFile ? file! : then.Parse())
                    with { Direction = MigrationDirection.Down, IsStored = !isFile, Command = "rollback" };
                problems.AddRange(isFile || isTrusted ? [] : [PlanProblem.UntrustedDown(step, history.LesserWriters)]);
                older.Add(step);
            }
        }

        return this with
        {
            Steps = [.. Steps, .. older],
            Before = older,
            InTheWay = inTheWay,
            Since = since,
            RepeatableTexts = [.. history.Repeatables.Select(row => row.Parse().Up.Script)],
        };
    }

    /// <summary>Drops what a text creates: that can be in the way of what is undone, a function with the type of a parameter.</summary>
    private static MigrationStep? TakeAway(Migration text)
    {
        var drops = text.Up.Script.Statements.Reverse().Select(Repeatable.DropOf).OfType<string>().Select(drop => $"{drop};\n").ToList();
        return drops.Count == 0 ? null : MigrationStep.Of(Repeatable.From(SourceText.From($"{text.Name}.sql", string.Concat(drops)), []))
            with { Direction = MigrationDirection.Down, TakesAway = true, IsStored = true, Command = "rollback" };
    }
}
