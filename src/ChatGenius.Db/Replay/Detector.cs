using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Schema;

namespace ChatGenius.Db.Replay;

/// <summary>What a database has of a migration.</summary>
internal enum DetectedState
{
    /// <summary>All of it that the migrations leave.</summary>
    There,

    /// <summary>A part of it, or all of it in another form.</summary>
    Partly,

    /// <summary>Nothing of it.</summary>
    NotThere,

    /// <summary>Later migrations have replaced all of it.</summary>
    Replaced,

    /// <summary>It changes rows only, and some that it names are there.</summary>
    RowsThere,

    /// <summary>It changes rows only, and those that it names are not there.</summary>
    RowsNotThere,

    /// <summary>It changes nothing that is looked at.</summary>
    Unknown,
}

/// <summary>A migration, and what a database has of it.</summary>
/// <param name="Migration">The migration.</param>
/// <param name="State">How much.</param>
/// <param name="Differences">What is missing or is another; for rows, how many were found.</param>
internal sealed record DetectedMigration(Migration Migration, DetectedState State, IReadOnlyList<string> Differences);

/// <summary>Which migrations a database has.</summary>
/// <param name="Migrations">All of them, by number.</param>
/// <param name="Proposed">The last one whose state is in the database; <c>null</c> where nothing of them is.</param>
/// <param name="IsExact">Whether all that the migrations up to there leave is there, and nothing that they have taken away.</param>
/// <param name="Missing">What the replay could not do, because its server lacks something.</param>
internal sealed record Detection(
    IReadOnlyList<DetectedMigration> Migrations, Migration? Proposed, bool IsExact, IReadOnlyList<string> Missing);

/// <summary>
/// Finds out how many of its migrations a database has that something else has built: they are replayed one by one, and each is judged by
/// what of it is left after the last one that is proposed.
/// </summary>
internal sealed class Detector
{
    private readonly List<Step> _steps = [];
    private readonly SchemaReadOptions _options;

    private Detector(SchemaReadOptions options)
    {
        // Roles, and what is granted to them, differ between servers.
        _options = options with { Parts = options.Parts & ~(SchemaParts.Privileges | SchemaParts.Owners), StaysPrepared = true };
    }

    /// <summary>Looks. The database itself is only read.</summary>
    /// <param name="database">The database.</param>
    /// <param name="replayer">What makes the throw-away database.</param>
    /// <param name="migrations">All of them, by number.</param>
    /// <param name="options">Which schema is the history's, and what else is left out.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ProblemException">As <see cref="Replayer"/>: CG1209, a migration doesn't run on an empty
    /// database.</exception>
    public static async Task<Detection> DetectAsync(
        Database database, Replayer replayer, IReadOnlyList<Migration> migrations, SchemaReadOptions options,
        CancellationToken cancellationToken)
    {
        var detector = new Detector(options);
        await using var actual = await Session.OpenAsync(database, "looking what the database has", cancellationToken);
        var there = FactsOf(await SchemaReader.ReadAsync(actual, detector._options, cancellationToken));
        await using var replayed = await replayer.OpenStagedAsync(
            [], [new ReplayStage(detector.Key(migrations), (by, empty, token) => detector.ReplayAsync(by, empty, migrations, token))],
            cancellationToken, later: migrations);
        await using (var kept = await Session.OpenAsync(replayed.Database, "reading what migrations do", cancellationToken))
        {
            foreach (var step in await DetectedSteps.ReadAsync(kept, cancellationToken))
            {
                var rows = await RowEvidence.FindAsync(step.Named, actual, cancellationToken);
                detector._steps.Add(new(migrations[step.Number], step.Added, step.Removed, rows));
            }
        }

        return detector.Judge(there, replayed.Missing);
    }

    /// <summary>A migration, what of the schema it has added and taken away, and what of its rows was found.</summary>
    private sealed record Step(Migration Migration, List<SchemaTruth> Added, List<SchemaTruth> Removed, (int Found, int Named) Rows)
    {
        internal bool ChangesRowsOnly => Added.Count == 0 && Removed.Count == 0;
    }

    private static HashSet<SchemaTruth> FactsOf(SchemaSnapshot schema) =>
    [
        .. schema.Objects.Where(one => one.PartOf is null && one.Kind != "schema").SelectMany(one => one.Facts
            .Select(fact => new SchemaTruth(one.Kind, one.Name, fact.Key, fact.Text)).Prepend(new SchemaTruth(one.Kind, one.Name, "", ""))),
    ];

    /// <summary>All that the steps depend on.</summary>
    private string Key(IReadOnlyList<Migration> migrations)
    {
        var text = new StringBuilder($"steps 1|{_options.Parts}|{_options.HistorySchema}|{string.Join(',', _options.ExcludedSchemas)}");
        foreach (var migration in migrations)
        {
            text.Append(CultureInfo.InvariantCulture, $"|{migration.Up.Checksum} {migration.Up.Transactional}");
        }

        return Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    /// <summary>Runs the migrations, and keeps in the database what each of them did.</summary>
    private async Task ReplayAsync(
        Replayer replayer, ThrowAwayDatabase throwAway, IReadOnlyList<Migration> migrations, CancellationToken cancellationToken)
    {
        await using var reading = await Session.OpenAsync(throwAway.Database, "reading the schema", cancellationToken);
        var steps = new List<DetectedStep>();
        await replayer.RunAsync(
            throwAway,
            async replay =>
            {
                var before = FactsOf(await SchemaReader.ReadAsync(reading, _options, cancellationToken));
                for (var i = 0; i < migrations.Count; i++)
                {
                    if (await replay.RunAsync(migrations[i].Up, cancellationToken) is { } error)
                    {
                        throw Replayer.DoesNotRun(migrations[i], throwAway.Database, error);
                    }

                    var after = FactsOf(await SchemaReader.ReadAsync(reading, _options, cancellationToken));
                    var (added, removed) = (after.Except(before).ToList(), before.Except(after).ToList());
                    var named = added.Count + removed.Count > 0 ? []
                        : await RowEvidence.NamedAsync(migrations[i], reading, cancellationToken);
                    steps.Add(new DetectedStep(i, added, removed, named));
                    before = after;
                }
            },
            cancellationToken);
        await DetectedSteps.KeepAsync(reading, steps, cancellationToken);
    }

    private Detection Judge(HashSet<SchemaTruth> there, IReadOnlyList<string> missing)
    {
        var (proposed, distance) = Propose(there);
        var left = new HashSet<SchemaTruth>();
        foreach (var step in _steps.Take(proposed))
        {
            left.ExceptWith(step.Removed);
            left.UnionWith(step.Added);
        }

        var actual = there.GroupBy(fact => fact.Subject).ToDictionary(facts => facts.Key, facts => facts.First().Text);
        var judged = _steps.Select((step, i) => i < proposed
            ? Judge(step, [.. step.Added.Where(left.Contains)], [.. step.Removed.Where(fact => !left.Contains(fact))], there, actual)
            // That something is not there which it takes away says nothing where it never was.
            : Judge(step, step.Added, [], there, actual) is var later && later.State == DetectedState.Replaced
                ? later with { State = DetectedState.NotThere } : later);
        return new Detection([.. judged], proposed == 0 ? null : _steps[proposed - 1].Migration, distance == 0, missing);
    }

    /// <summary>
    /// The number of migrations after which the schema is nearest to what is there: what is missing, and what the migrations make at some
    /// time but not then. Migrations of rows only count as far as rows of theirs are there.
    /// </summary>
    private (int Proposed, int Distance) Propose(HashSet<SchemaTruth> there)
    {
        var ever = _steps.SelectMany(step => step.Added).ToHashSet();
        var distance = ever.Count(there.Contains);
        var distances = new List<int> { distance };
        foreach (var step in _steps)
        {
            distance += step.Added.Sum(fact => there.Contains(fact) ? -1 : 1) + step.Removed.Where(ever.Contains)
                .Sum(fact => there.Contains(fact) ? 1 : -1);
            distances.Add(distance);
        }

        var nearest = distances.Min();
        var proposed = Enumerable.Range(0, distances.Count).Last(i =>
            distances[i] == nearest && (i == 0 || !_steps[i - 1].ChangesRowsOnly));
        for (var i = proposed + 1; i < distances.Count && _steps[i - 1].ChangesRowsOnly; i++)
        {
            proposed = _steps[i - 1].Rows.Found > 0 ? i : proposed;
        }

        return (proposed, nearest);
    }

    /// <param name="step">The migration.</param>
    /// <param name="added">What of what it adds should be there.</param>
    /// <param name="removed">What of what it takes away should not be there.</param>
    /// <param name="there">What is there.</param>
    /// <param name="actual">The same by subject.</param>
    private static DetectedMigration Judge(
        Step step, List<SchemaTruth> added, List<SchemaTruth> removed, HashSet<SchemaTruth> there, Dictionary<string, string> actual)
    {
        if (step.ChangesRowsOnly)
        {
            var (found, named) = step.Rows;
            return new DetectedMigration(
                step.Migration,
                named == 0 ? DetectedState.Unknown : found > 0 ? DetectedState.RowsThere : DetectedState.RowsNotThere,
                named == 0 ? [] : [string.Create(CultureInfo.InvariantCulture, $"{found} of the {named} rows that it names")]);
        }

        var missing = added.Where(fact => !there.Contains(fact)).ToList();
        // What changed is one difference: the new text is missing, and the old one still there.
        var becomes = added.Select(fact => fact.Subject).ToHashSet();
        var alone = removed.Where(fact => !becomes.Contains(fact.Subject)).ToList();
        var remaining = alone.Where(there.Contains).ToList();
        var count = added.Count + alone.Count;
        var gone = missing.Where(fact => fact.Key.Length == 0).Select(fact => (fact.Kind, fact.Name)).ToHashSet();
        List<string> differences =
        [
            .. missing.Where(fact => fact.Key.Length == 0 || !gone.Contains((fact.Kind, fact.Name))).Select(fact => Say(fact, actual)),
            .. remaining.Select(fact => $"{fact.Subject} is still there"),
        ];
        return new DetectedMigration(
            step.Migration,
            count == 0 ? DetectedState.Replaced : differences.Count == 0 ? DetectedState.There
                : missing.Count + remaining.Count == count ? DetectedState.NotThere : DetectedState.Partly,
            differences);
    }

    private static string Say(SchemaTruth fact, Dictionary<string, string> there)
    {
        var actual = there.GetValueOrDefault(fact.Subject);
        return fact.Key.Length == 0 || actual is null ? $"no {fact.Subject}" + (fact.Text.Contains('\n') || fact.Text.Length == 0 ? ""
                : $": {fact.Text}")
            : fact.Text.Contains('\n') || actual.Contains('\n') ? $"{fact.Subject} is another"
            : $"{fact.Subject} is {actual}, not {fact.Text}";
    }
}
