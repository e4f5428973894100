using System.Globalization;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Schema;
using ChatGenius.Db.Sql;
using Npgsql;

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
    private readonly Database _database;
    private readonly SchemaReadOptions _options;

    private Detector(Database database, SchemaReadOptions options)
    {
        _database = database;
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
        var detector = new Detector(database, options);
        await using var throwAway = await replayer.OpenAsync([], migrations, cancellationToken);
        await using var actual = await Session.OpenAsync(database, "looking what the database has", cancellationToken);
        var there = FactsOf(await SchemaReader.ReadAsync(actual, detector._options, cancellationToken));
        var missing = await detector.ReplayAsync(throwAway, replayer.Options, migrations, actual, cancellationToken);
        return detector.Judge(there, missing);
    }

    /// <summary>A migration, what of the schema it has added and taken away, and what of its rows was found.</summary>
    private sealed record Step(Migration Migration, List<Fact> Added, List<Fact> Removed, (int Found, int Named) Rows)
    {
        internal bool ChangesRowsOnly => Added.Count == 0 && Removed.Count == 0;
    }

    /// <summary>Something that holds in a schema: an object is there, or one of its facts is this.</summary>
    private readonly record struct Fact(string Kind, string Name, string Key, string Text)
    {
        internal string Subject => Key.Length == 0 ? $"{Kind} {Name}" : $"{Kind} {Name}: {Key}";
    }

    private static HashSet<Fact> FactsOf(SchemaSnapshot schema) =>
    [
        .. schema.Objects.Where(one => one.PartOf is null && one.Kind != "schema").SelectMany(one => one.Facts
            .Select(fact => new Fact(one.Kind, one.Name, fact.Key, fact.Text)).Prepend(new Fact(one.Kind, one.Name, "", ""))),
    ];

    private async Task<IReadOnlyList<string>> ReplayAsync(
        ThrowAwayDatabase throwAway, ReplayOptions options, IReadOnlyList<Migration> migrations, Session actual,
        CancellationToken cancellationToken)
    {
        try
        {
            await using var replay = await ReplaySession.OpenAsync(
                throwAway.Database, options with { MakesRoles = throwAway.IsOnOwnServer }, throwAway.Missing, cancellationToken);
            await using var reading = await Session.OpenAsync(throwAway.Database, "reading the schema", cancellationToken);
            var before = FactsOf(await SchemaReader.ReadAsync(reading, _options, cancellationToken));
            foreach (var migration in migrations)
            {
                if (await replay.RunAsync(migration.Up, cancellationToken) is { } error)
                {
                    throw Replayer.DoesNotRun(migration, throwAway.Database, error);
                }

                var after = FactsOf(await SchemaReader.ReadAsync(reading, _options, cancellationToken));
                var step = new Step(migration, [.. after.Except(before)], [.. before.Except(after)], default);
                _steps.Add(!step.ChangesRowsOnly ? step
                    : step with { Rows = await RowEvidence.FindAsync(migration, reading, actual, cancellationToken) });
                before = after;
            }

            return replay.Missing;
        }
        catch (NpgsqlException e) when (e is not PostgresException && !cancellationToken.IsCancellationRequested)
        {
            throw Replayer.Lost(e);
        }
    }

    private Detection Judge(HashSet<Fact> there, IReadOnlyList<string> missing)
    {
        var (proposed, distance) = Propose(there);
        var left = new HashSet<Fact>();
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
    private (int Proposed, int Distance) Propose(HashSet<Fact> there)
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
        Step step, List<Fact> added, List<Fact> removed, HashSet<Fact> there, Dictionary<string, string> actual)
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

    private static string Say(Fact fact, Dictionary<string, string> there)
    {
        var actual = there.GetValueOrDefault(fact.Subject);
        return fact.Key.Length == 0 || actual is null ? $"no {fact.Subject}" + (fact.Text.Contains('\n') || fact.Text.Length == 0 ? ""
                : $": {fact.Text}")
            : fact.Text.Contains('\n') || actual.Contains('\n') ? $"{fact.Subject} is another"
            : $"{fact.Subject} is {actual}, not {fact.Text}";
    }
}

/// <summary>Looks for rows that a migration puts into tables, by those keys that its text says.</summary>
internal static class RowEvidence
{
    private const int Most = 10_000;

    /// <returns>How many rows were found, of how many whose keys the text says.</returns>
    internal static async Task<(int Found, int Named)> FindAsync(
        Migration migration, Session replayed, Session actual, CancellationToken cancellationToken)
    {
        var (found, named) = (0, 0);
        var texts = migration.Up.Script.Statements.Select(statement => new StatementText(statement)).ToList();
        var constants = texts.SelectMany(text => text.Tokens)
            .Where(token => token.Kind is SqlTokenKind.StringConstant or SqlTokenKind.Number).Select(token => token.Text).ToHashSet();
        bool IsSaid(string? value) =>
            value is { Length: > 0 } && (constants.Contains(SqlLiteral.Quote(value)) || constants.Contains(value));
        foreach (var table in texts.SelectMany(Tables).Distinct())
        {
            var best = (Found: 0, Named: 0);
            if (await KeysAsync(replayed, table, cancellationToken) is not (var from, var keys)
                || await KeysAsync(actual, table, cancellationToken) is not (var here, var present))
            {
                continue;
            }

            foreach (var key in keys.Where(key => present.Exists(key.SequenceEqual)))
            {
                var columns = string.Join(", ", key.Select(column => SqlIdentifier.Quote(column) + "::pg_catalog.text"));
                var rows = await replayed.RowsAsync(
                    $"SELECT ARRAY[{columns}] FROM ONLY {from} LIMIT {Most}", row => row.GetFieldValue<string?[]>(0), cancellationToken);
                var said = rows.Where(row => Array.TrueForAll(row, IsSaid)).Select(row => string.Join('\u0001', row)).Distinct().ToArray();
                var count = said.Length == 0 ? 0 : (await OthersTables.RowsAsync(
                    actual, here, only: true,
                    new SqlQuery(
                        $"SELECT pg_catalog.count(*) FROM ONLY {here} "
                            + $"WHERE pg_catalog.array_to_string(ARRAY[{columns}], E'\\x01') = ANY ($1::text[])",
                        [said]),
                    row => row.GetInt64(0), cancellationToken))[0];
                best = (count, said.Length).CompareTo((best.Found, best.Named)) > 0 ? ((int)count, said.Length) : best;
            }

            (found, named) = (found + best.Found, named + best.Named);
        }

        return (found, named);
    }

    private static IEnumerable<StatementName> Tables(StatementText text)
    {
        for (var i = 0; i < text.Tokens.Count; i++)
        {
            if (text.At(i, "INSERT", "INTO") && text.NameAt(i + 2) is { } table)
            {
                yield return table with { Next = 0 };
            }
        }
    }

    /// <summary>The table, and the columns of its unique keys, of PostgreSQL's own types only.</summary>
    /// <returns>Null where the name isn't that of one table.</returns>
    private static async Task<(string Table, List<string[]> Keys)?> KeysAsync(
        Session session, StatementName table, CancellationToken cancellationToken)
    {
        var rows = await session.RowsAsync(
            new SqlQuery(
                """
                SELECT format('%I.%I', n.nspname, c.relname),
                    ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) k (attnum)
                        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
                        JOIN pg_catalog.pg_type t ON t.oid = a.atttypid AND t.typnamespace = 'pg_catalog'::regnamespace ORDER BY a.attname),
                    coalesce(i.indnatts, 0)::int4
                FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL
                WHERE c.relname = $1 AND ($2 = '' OR n.nspname = $2) AND c.relkind IN ('r', 'p')
                """,
                table.Name, table.Schema ?? ""),
            row => (Table: row.GetString(0), Key: row.GetFieldValue<string[]>(1), Count: row.GetInt32(2)),
            cancellationToken);
        return rows.Select(row => row.Table).Distinct().ToList() is [var only]
            ? (only, [.. rows.Where(row => row.Count > 0 && row.Key.Length == row.Count).Select(row => row.Key)]) : null;
    }
}
