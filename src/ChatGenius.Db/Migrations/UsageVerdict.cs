using System.Globalization;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Migrations;

/// <summary>Whether something was used, from the mildest answer to the hardest.</summary>
internal enum UsageAnswer
{
    /// <summary>Nobody has used it for as long as was asked.</summary>
    Unused,

    /// <summary>It can't be told.</summary>
    Unknown,

    /// <summary>It is not watched, or not for long enough yet.</summary>
    TooEarly,

    /// <summary>Somebody has used it.</summary>
    Used,
}

/// <summary>What was found of a table or column that is to be dropped.</summary>
/// <param name="Target">What it is, as a message says it.</param>
/// <param name="Answer">The hardest of all servers' answers.</param>
/// <param name="Evidence">What it rests on.</param>
internal sealed record UsageVerdict(string Target, UsageAnswer Answer, string Evidence)
{
    /// <summary>Since when it is watched; null where it is not.</summary>
    internal DateTime? Since { get; init; }

    /// <summary>Whether the first sample was taken just now.</summary>
    internal bool IsFirst { get; init; }

    /// <summary>The whole of it in a sentence.</summary>
    internal string Message => IsFirst ? $"{Target} is watched from now on{(Evidence.Length == 0 ? "" : $"; {Evidence}")}"
        : $"{Target} {Answer switch
    {
        UsageAnswer.Unused => "was not used",
        UsageAnswer.Unknown => "may have been used",
        UsageAnswer.TooEarly => "was not watched for long enough",
        _ => "is used",
    }}: {Evidence}";

    /// <summary>Compares two samples of each server.</summary>
    /// <param name="target">What was looked at.</param>
    /// <param name="first">The first samples.</param>
    /// <param name="now">The second ones; the primary's comes first.</param>
    /// <param name="atLeast">How much later the second one must be.</param>
    /// <param name="isOld">Whether an application is one that must not be connected.</param>
    /// <param name="dumped">Whether this run has made a backup, which reads each table once.</param>
    internal static UsageVerdict Judge(
        UsageTarget target, IReadOnlyList<UsageSample> first, IReadOnlyList<UsageSample> now, TimeSpan atLeast,
        Func<string, bool> isOld, bool dumped = false)
    {
        var answers = new List<(UsageAnswer Answer, string Evidence)>();
        foreach (var sample in now)
        {
            var earlier = first.FirstOrDefault(one => one.Node == sample.Node);
            var (answer, evidence) = JudgeNode(target, earlier, sample, atLeast, dumped);
            answers.Add((answer, $"{evidence} ({Place(sample.Node)})"));
            answers.AddRange(sample.Applications.Where(one => isOld(one.Key)).Select(one =>
                (UsageAnswer.Used, $"{Names.Count(one.Value, "session")} of {one.Key} connected to {Place(sample.Node)}")));
        }

        answers.AddRange(first.Where(one => now.All(sample => sample.Node != one.Node))
            .Select(one => (UsageAnswer.Unknown,
                $"{Place(one.Node)} was watched, and is not among the standbys of the settings any more")));
        if (now[0].Missing is null && now[0].Standbys > now.Count - 1)
        {
            answers.Add((UsageAnswer.Unknown,
                $"{Names.Count(now[0].Standbys, "standby")} connected, and {now.Count - 1} named in the settings: who reads there "
                + "is not seen"));
        }

        if (now.Skip(1).Any(sample => sample.Missing is null && now[0].Life.Server.Split(' ')[0] != sample.Life.Server.Split(' ')[0]))
        {
            answers.Add((UsageAnswer.Unknown, "not all of the servers that are named are standbys of this one"));
        }

        var hardest = answers.Max(one => one.Answer);
        return new UsageVerdict(target.Display, hardest, string.Join("; ", answers.Where(one => one.Answer == hardest)
            .Select(one => one.Evidence).Distinct())) { Since = first.Count == 0 ? null : first.Max(one => one.At) };
    }

    private static (UsageAnswer Answer, string Evidence) JudgeNode(
        UsageTarget target, UsageSample? first, UsageSample now, TimeSpan atLeast, bool dumped)
    {
        if (now.Missing is not null)
        {
            return (UsageAnswer.Unknown, now.Missing);
        }

        if (first is null)
        {
            return (now.Node.Length == 0 ? UsageAnswer.TooEarly : UsageAnswer.Unknown, "there is no first sample");
        }

        var since = string.Create(CultureInfo.InvariantCulture, $"since {first.At:yyyy-MM-dd HH:mm:ss} UTC");
        if (!now.Counters.Keys.Any(key => key[0] == 't'))
        {
            return (UsageAnswer.Unknown, "nothing is counted for it");
        }

        // In another life all that is counted is new; what came before it is lost.
        var sameLife = now.Life.Server == first.Life.Server;
        var before = sameLife ? first.Counters : new Dictionary<string, long>();
        var came = sameLife && now.Counters.Keys.Any(key => key[0] == 't' && !before.ContainsKey(key));
        var isUsed = Grown('t') + Grown('i') + Grown('w') > 0;
        // A partition that came in has counted elsewhere; one that is gone, or an index, has taken its counts along.
        var gap = !sameLife ? $"its statistics began again {since}, by a reset, a crash, or as another server"
            : before.Any(one => one.Key[0] is 't' or 'i' or 'w' && now.Counters.GetValueOrDefault(one.Key, -1) < one.Value)
            ? $"a partition or an index of it is gone {since}"
            : came ? $"a partition came in {since}" : null;
        var (answer, evidence) = isUsed && target.ColumnName is null
            ? (UsageAnswer.Used, $"{Names.Count(Grown('t'), "sequential scan")}, {Names.Count(Grown('i'), "index scan")} and "
                + $"{Names.Count(Grown('w'), "written row")} {since}{(now.LastRead is null ? "" : $", last read at {now.LastRead}")}")
            : isUsed ? JudgeColumn(first, now, since)
            : gap is not null ? (UsageAnswer.Unknown, gap) : (UsageAnswer.Unused, $"no read and no write {since}");
        return answer != UsageAnswer.Used && now.At - first.At < atLeast
            ? (UsageAnswer.TooEarly, $"watched {since}, which is less than {Long(atLeast)}") : (answer, evidence);

        long Grown(char kind) => now.Counters.Where(one => one.Key[0] == kind && (!came || before.ContainsKey(one.Key)))
            .Sum(one => Math.Max(0, one.Value - before.GetValueOrDefault(one.Key) - (dumped && kind == 't' ? 1 : 0)));
    }

    /// <summary>The table is used: the statements have to say whether the column is.</summary>
    private static (UsageAnswer Answer, string Evidence) JudgeColumn(UsageSample first, UsageSample now, string since)
    {
        if (first.Life.Statements.Length == 0 || now.Life.Statements.Length == 0)
        {
            return (UsageAnswer.Unknown, "its table is used, and there are no texts of statements (pg_stat_statements, pg_monitor)");
        }

        if (first.Life.Statements != now.Life.Statements)
        {
            return (UsageAnswer.Unknown, $"the counts of statements began again {since}, or some were pushed out");
        }

        // Those that name it come before those that may read it.
        var grown = now.Counters.Where(one => one.Key[0] is 'q' or '*' && one.Value > first.Counters.GetValueOrDefault(one.Key))
            .OrderByDescending(one => one.Key[0]).Select(one => (one.Key, Count: one.Value - first.Counters.GetValueOrDefault(one.Key)))
            .ToList();
        return grown is not [var (key, count), ..] ? (UsageAnswer.Unused, $"its table is used, and no statement names it {since}")
            : (key[0] == 'q' ? UsageAnswer.Used : UsageAnswer.Unknown,
                $"{Names.Count(count, "call")} {since} of {Short(now.Texts[key])}{(key[0] == 'q' ? "" : ", which may read it")}");
    }

    internal static string Place(string node) => node.Length == 0 ? "the primary" : $"standby {node}";

    internal static string Long(TimeSpan time) => time.TotalDays >= 1 ? Names.Count((long)time.TotalDays, "day")
        : time.TotalHours >= 1 ? Names.Count((long)time.TotalHours, "hour")
        : time.TotalMinutes >= 1 ? Names.Count((long)time.TotalMinutes, "minute") : Names.Count((long)time.TotalSeconds, "second");

    private static string Short(string text) => StepProblem.Shorten(string.Join(' ', text.Split((char[]?)null,
        StringSplitOptions.RemoveEmptyEntries)));
}
