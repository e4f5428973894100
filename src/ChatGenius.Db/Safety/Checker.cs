using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Replay;
using ChatGenius.Db.Schema;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Safety;

/// <summary>A migration that has been checked.</summary>
internal sealed record CheckResult
{
    private Dictionary<int, StatementLocks>? _locks;

    /// <summary>The migration.</summary>
    public required Migration Migration { get; init; }

    /// <summary>What its up section did.</summary>
    public required Trace Trace { get; init; }

    /// <summary>What up, down and up again showed; null where there is no way back or up did not come to its end.</summary>
    public RoundTrip? RoundTrip { get; init; }

    /// <summary>In the order of the file, those that are allowed too.</summary>
    public required IReadOnlyList<Finding> Findings { get; init; }

    /// <summary>What each statement that ran asks of others.</summary>
    public required IReadOnlyList<StatementLocks> Locks { get; init; }

    /// <summary>What a statement asks of others; null for one that did not run.</summary>
    public StatementLocks? LocksOf(StatementTrace statement) =>
        (_locks ??= Locks.ToDictionary(locks => locks.Index)).GetValueOrDefault(statement.Index);

    /// <summary>What production can be held to; null where it did not run to its end, or is not one transaction.</summary>
    public TraceRecord? Record { get; init; }

    /// <summary>All that is known of its run.</summary>
    internal MigrationFacts? Facts { get; init; }

    /// <summary>Whether a statement changes rows of tables that were empty here, so that it is not seen how many.</summary>
    public bool LacksRows { get; init; }

    /// <summary>How many statements nothing is known of, and no <c>cgdb:allow</c> settles that.</summary>
    public int Unjudged
    {
        get
        {
            var allowed = Findings.Where(finding => finding.Hazard == HygieneRules.Unjudged && finding.Allowed is not null)
                .Select(finding => finding.Statement!.Reason).ToHashSet();
            return Trace.Statements.Count(statement => statement.IsUnjudged && !allowed.Contains(statement.Reason));
        }
    }

    internal static CheckResult Of(MigrationFacts facts, RoundTrip? roundTrip, CheckPolicy policy) => new()
    {
        Migration = facts.Migration,
        Trace = facts.Trace,
        Facts = facts,
        RoundTrip = roundTrip,
        Findings = [.. SafetyCheck.Examine(facts, roundTrip).Select(finding => policy.Apply(facts, finding))],
        Locks = StatementLocks.Of(facts),
        Record = TraceRecord.Of(facts),
        LacksRows = facts.Statements.Any(statement => statement.ChangesUnknownRows is not null),
    };

    /// <summary>The result with a finding more.</summary>
    internal CheckResult With(Finding finding, CheckPolicy policy) => this with
    {
        Findings =
        [
            .. Findings.Concat(Suppressions.Apply(Migration, [finding], DateOnly.FromDateTime(DateTime.UtcNow))
                .Where(found => found.Hazard == finding.Hazard).Select(found => policy.Apply(Facts!, found)))
                .OrderBy(found => found.Where.Line),
        ],
    };

    /// <summary>The result with what another run of the same migration found beside it.</summary>
    internal CheckResult With(CheckResult other) => this with
    {
        Findings =
        [
            .. Findings.Concat(other.Findings.Where(found => found.Hazard != HygieneRules.Unjudged
                    && !Findings.Any(own => own.Hazard == found.Hazard && own.Where == found.Where
                        && (own.Subject == found.Subject || found.Evidence == Evidence.Text))))
                .OrderBy(finding => finding.Where.Line),
        ],
    };
}

/// <summary>Which rows the tables of the throw-away database get.</summary>
/// <param name="Database">Whose rows are copied; null where rows are made up.</param>
internal sealed record RowSource(DatabaseUrl? Database);

/// <summary>Brings a throw-away database to where each chosen migration starts, and checks it there.</summary>
/// <param name="replayer">What makes the database.</param>
/// <param name="sizes">Production's tables.</param>
internal sealed class Checker(Replayer replayer, TableSizes sizes)
{
    private const int MostParts = 4;
    private const int LeastOfAPart = 25;
    private readonly Lock _gate = new();

    /// <summary>What the project decided.</summary>
    public CheckPolicy Policy { get; init; } = CheckPolicy.None;

    /// <summary>Told what a user should know beside the findings.</summary>
    public IProgress<string>? Notes { get; init; }

    /// <summary>Told each step.</summary>
    public IProgress<string>? Steps { get; init; }

    /// <summary>Checks migrations.</summary>
    /// <param name="migrations">All there are, in order.</param>
    /// <param name="chosen">Those to be checked; the others before them only prepare.</param>
    /// <param name="rows">
    /// Rows that come once the database is where the first chosen one starts; null for no more than the migrations bring.
    /// </param>
    /// <param name="cancellationToken">Cancels the running statement; the database is dropped all the same.</param>
    /// <exception cref="ProblemException">
    /// CG06xx: no connection; CG1201 to CG1206; CG1209: an earlier migration does not run on an empty database; CG1210: the connection was
    /// lost; CG1211: the rows can't be copied.
    /// </exception>
    public async Task<IReadOnlyList<CheckResult>> RunAsync(
        IReadOnlyList<Migration> migrations, IReadOnlyList<Migration> chosen, RowSource? rows,
            CancellationToken cancellationToken = default)
    {
        chosen = [.. chosen.Where(migration => migration.IsRepeatable || migration.Version > Policy.StartAfter)];
        if (chosen.Count == 0)
        {
            return [];
        }

        var results = await CheckAsync(migrations, chosen, rows, cancellationToken);
        var first = results.FindIndex(result => result.Trace.Statements.Any(result.Trace.FailedOnMadeUpRows));
        if (first < 0)
        {
            return results;
        }

        // What rows of nobody's break says little, and hides what comes after it: without them the rest is seen too.
        Notes?.Report($"{results[first].Migration.Id} fails on made-up rows: it is checked without them too");
        var plain = await CheckAsync(migrations, chosen, null, cancellationToken);
        return [.. results.Select((result, i) => i < first ? result : plain[i].With(result))];
    }

    /// <summary>Finds the mechanical safe way of checked migrations, and checks that it is one.</summary>
    /// <param name="migrations">All there are, in order.</param>
    /// <param name="results">What was found.</param>
    /// <param name="cancellationToken">As for <see cref="RunAsync"/>.</param>
    /// <returns>One for each migration whose files say less than before, and nothing new.</returns>
    public async Task<IReadOnlyList<MigrationFix>> FixAsync(
        IReadOnlyList<Migration> migrations, IReadOnlyList<CheckResult> results, CancellationToken cancellationToken = default)
    {
        var fixes = results.Select(result => MigrationFix.Of(result, migrations)).OfType<MigrationFix>().ToList();
        var files = fixes.SelectMany(fix => fix.Files).ToList();
        if (files.Count == 0)
        {
            return [];
        }

        var chain = migrations.Except(fixes.Select(fix => fix.Migration)).Concat(files)
            .OrderBy(migration => migration.IsRepeatable).ThenBy(migration => migration.Version).ToList();
        var again = await CheckAsync(chain, files, null, cancellationToken);
        return [.. fixes.Where(fix => fix.IsBetter(again))];
    }

    /// <summary>
    /// Checks many migrations in parts at the same time, each on a database of its own, where what comes before a part can be replayed: one
    /// that fails hides less of those after it when all are checked in a row.
    /// </summary>
    private async Task<List<CheckResult>> CheckAsync(
        IReadOnlyList<Migration> migrations, IReadOnlyList<Migration> chosen, RowSource? rows, CancellationToken cancellationToken)
    {
        var parts = Math.Min(Math.Clamp(Environment.ProcessorCount, 1, MostParts), chosen.Count / LeastOfAPart);
        if (parts < 2 || rows is not null || !replayer.IsOnOwnServer)
        {
            return await CheckPartAsync(migrations, chosen, rows, cancellationToken);
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = chosen.Chunk((chosen.Count + parts - 1) / parts)
            .Select(part => Task.Run(() => PartAsync(part), CancellationToken.None)).ToList();
        try
        {
            var results = await Task.WhenAll(running);
            if (results.SkipLast(1).All(part => part.TrueForAll(result => result.Trace.Completed)))
            {
                return [.. results.SelectMany(part => part)];
            }
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested
            && running.Exists(part => part.Exception?.InnerException is ProblemException { Problems: [{ Code: "CG1209" }] }))
        {
            // One of an earlier part fails, which is a finding there.
        }

        return await CheckPartAsync(migrations, chosen, null, cancellationToken);

        async Task<List<CheckResult>> PartAsync(Migration[] part)
        {
            try
            {
                return await CheckPartAsync(migrations, part, null, stop.Token);
            }
            catch
            {
                await stop.CancelAsync();
                throw;
            }
        }
    }

    private async Task<List<CheckResult>> CheckPartAsync(
        IReadOnlyList<Migration> migrations, IReadOnlyList<Migration> chosen, RowSource? rows, CancellationToken cancellationToken)
    {
        var wanted = chosen.ToHashSet<Migration>(ReferenceEqualityComparer.Instance);
        var start = migrations.TakeWhile(migration => !wanted.Contains(migration)).ToList();
        Step($"{start.Count} earlier migrations bring the throw-away database on");
        List<Task<CheckResult>> judging;
        await using (var database = await replayer.OpenAsync(start, later: migrations, cancellationToken))
        {
            judging = await TraceAsync(database, migrations.Skip(start.Count), wanted, rows, cancellationToken);
            database.EndsUnwatched = true;
        }

        return [.. await Task.WhenAll(judging)];
    }

    private async Task<List<Task<CheckResult>>> TraceAsync(
        ThrowAwayDatabase database, IEnumerable<Migration> migrations, HashSet<Migration> wanted, RowSource? rows,
        CancellationToken cancellationToken)
    {
        var options = new TracerOptions
        {
            LockTimeout = replayer.Options.LockTimeout,
            TimeZone = replayer.Options.TimeZone,
            MakesRoles = database.IsOnOwnServer,
            Missing = database.Missing,
        };

        // The first schema costs most, because its queries are planned: half of it is another session's, while the catalog is read.
        var (schema, beside) = ((SchemaSnapshot?)null, (Session?)null);
        async Task ReadAsync(Session session)
        {
            beside = await Session.OpenAsync(database.Database, "reading the schema", cancellationToken);
            schema = await RoundTripper.ReadSchemaAsync(session, beside, cancellationToken);
        }

        try
        {
            var isAhead = database.IsOnOwnServer && rows is null && migrations.FirstOrDefault() is { } first
                && RoundTripper.HasWayBack(first);
            await using var tracer = await Tracer.StartAsync(database.Database, options, isAhead ? ReadAsync : null, cancellationToken);
            await (rows is null ? Task.CompletedTask : BringRowsAsync(rows, tracer, cancellationToken));
            return await TraceAsync(
                tracer, new RoundTripper(tracer, schema, beside), database.Database, migrations, wanted, cancellationToken);
        }
        catch (NpgsqlException e) when (e is not PostgresException && !cancellationToken.IsCancellationRequested)
        {
            throw Replayer.Lost(e);
        }
        finally
        {
            await (beside?.DisposeAsync() ?? ValueTask.CompletedTask);
        }
    }

    /// <summary>Runs the migrations; the rules look at each while the server works on the next, or drops the database.</summary>
    private async Task<List<Task<CheckResult>>> TraceAsync(
        Tracer tracer, RoundTripper roundTripper, Database database, IEnumerable<Migration> migrations, HashSet<Migration> wanted,
        CancellationToken cancellationToken)
    {
        var results = new List<Task<CheckResult>>();
        foreach (var migration in migrations.TakeWhile(_ => results.Count < wanted.Count))
        {
            if (!wanted.Contains(migration))
            {
                Step($"{migration.Id} brings the throw-away database on");
                if (await tracer.RunAsync(migration.Up, cancellationToken) is { } error)
                {
                    if (!migration.IsRepeatable)
                    {
                        throw Replayer.DoesNotRun(migration, database, error);
                    }

                    // It may need one that comes later.
                    tracer.Misses($"{migration.Id} fails");
                }

                continue;
            }

            Step($"{migration.Id} is run up, down and up again");
            var (trace, roundTrip) = await roundTripper.RunAheadAsync(migration, cancellationToken);
            if (!trace.Completed)
            {
                tracer.Misses($"{migration.Id} fails");
            }

            results.Add(Task.Run(
                async () => CheckResult.Of(new MigrationFacts(migration, trace, sizes), await roundTrip, Policy), CancellationToken.None));
        }

        return results;
    }

    private void Step(string text)
    {
        lock (_gate)
        {
            Steps?.Report(text);
        }
    }

    private async Task BringRowsAsync(RowSource rows, Tracer tracer, CancellationToken cancellationToken)
    {
        if (rows.Database is { } source)
        {
            await RowCopy.RunAsync(new Database(source), tracer, Steps, cancellationToken);
            return;
        }

        var made = await RowMaker.RunAsync(tracer, sizes, cancellationToken);
        foreach (var table in made.Where(table => table.Reason is not null))
        {
            Notes?.Report($"No rows could be made up for {table.Table.Display}: {table.Reason}");
        }

        Notes?.Report(made.Count == 0
            ? "Before the first of these migrations there is no table that rows could be made up for"
            : $"Made up {Names.Count(made.Sum(table => table.Rows), "row")} in "
                + $"{Names.Count(made.Count(table => table.Rows > 0), "table")}");
    }
}
