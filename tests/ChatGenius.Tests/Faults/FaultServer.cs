using System.Diagnostics;

namespace ChatGenius.Tests.Faults;

/// <summary>One server for the whole suite of faults, the thirty migrations, and what a run that nobody disturbs makes of them.</summary>
public sealed class FaultServer : IAsyncLifetime
{
    /// <summary>How many random faults of each kind are tried; <c>CHATGENIUS_FAULT_TRIALS</c>.</summary>
    public static int Trials { get; } = Chance.Number("CHATGENIUS_FAULT_TRIALS") ?? 3;

    /// <summary>How many processes run at once; <c>CHATGENIUS_FAULT_PROCESSES</c>.</summary>
    public static int Processes { get; } = Chance.Number("CHATGENIUS_FAULT_PROCESSES") ?? 6;

    internal Cluster Cluster { get; private set; } = null!;

    internal MixedMigrations Mixed { get; } = new();

    internal IReadOnlyList<Migration> Migrations { get; private set; } = [];

    /// <summary>What is there after an undisturbed run.</summary>
    internal string Expected { get; private set; } = "";

    /// <summary>How long the undisturbed run took: the time in which a fault can meet one.</summary>
    internal TimeSpan Undisturbed { get; private set; }

    public async Task InitializeAsync()
    {
        Cluster = await Cluster.CreateAsync("wal_level = replica\nmax_wal_senders = 4");
        Migrations = Mixed.Load();
        Migrations.Count.ShouldBe(MixedMigrations.Count);
        var name = await Cluster.CreateDatabaseAsync();
        var clock = Stopwatch.StartNew();
        await Migrator(Cluster.Url(name)).ApplyAsync(new PlanRequest());
        Undisturbed = clock.Elapsed;
        Expected = await Cluster.ScalarAsync<string>(MixedMigrations.Fingerprint, name);
        Expected.ShouldContain("history 30");
        await Cluster.DropDatabaseAsync(name);
    }

    public async Task DisposeAsync()
    {
        Mixed.Dispose();
        await Cluster.DisposeAsync();
    }

    internal Migrator Migrator(DatabaseUrl url, MigratorOptions? options = null, IProgress<MigrationEvent>? events = null) =>
        new(new Database(url), Migrations, options, events);

    /// <summary>A new run ends well, and leaves exactly what an undisturbed one would have.</summary>
    internal async Task ShouldRecoverAsync(string database, DatabaseUrl? url = null)
    {
        await Migrator(url ?? Cluster.Url(database)).ApplyAsync(new PlanRequest());
        (await Cluster.ScalarAsync<string>(MixedMigrations.Fingerprint, database)).ShouldBe(Expected);
    }

    /// <summary>Runs with a random fault in each, and after each one a run without; all of them have to end with the same
    /// database.</summary>
    /// <param name="output">Gets the seed, and how the disturbed runs ended.</param>
    /// <param name="disturb">Makes the fault; given the database and the disturbed run's cancellation.</param>
    /// <param name="url">How the disturbed run connects.</param>
    /// <param name="options">The disturbed run's.</param>
    /// <param name="mend">Takes the fault away when the disturbed run has ended.</param>
    internal async Task SurviveAsync(
        ITestOutputHelper output,
        Func<string, CancellationTokenSource, Task> disturb,
        Func<string, DatabaseUrl>? url = null,
        MigratorOptions? options = null,
        Action? mend = null)
    {
        output.WriteLine($"CHATGENIUS_TEST_SEED={Chance.Seed}, {Trials} trials");
        var random = new Random(Chance.Seed);
        for (var trial = 0; trial < Trials; trial++)
        {
            var database = await Cluster.CreateDatabaseAsync();
            var moment = Undisturbed * random.NextDouble();
            using var cancel = new CancellationTokenSource();
            var run = Task.Run(() => Migrator((url ?? (name => Cluster.Url(name)))(database), options)
                .ApplyAsync(new PlanRequest(), null, cancel.Token));
            await Task.Delay(moment);
            await disturb(database, cancel);
            output.WriteLine($"{trial}: at {moment.TotalMilliseconds:0} ms: {await EndAsync(run)}");
            mend?.Invoke();
            await ShouldRecoverAsync(database);
            await Cluster.DropDatabaseAsync(database);
        }
    }

    /// <summary>Starts as many processes as are asked for at once.</summary>
    internal static async Task ApplyAtOnceAsync(ITestOutputHelper output, string folder, DatabaseUrl url)
    {
        var clock = Stopwatch.StartNew();
        var results = await Task.WhenAll(Enumerable.Range(0, Processes).Select(_ => ToolProcess.RunAsync(
            ["apply", "--no-bundle", "--migrations", folder, "--database", url.Display])));

        output.WriteLine(
            $"CHATGENIUS_FAULT_PROCESSES={Processes}: exit codes "
            + $"{string.Join(", ", results.CountBy(result => result.ExitCode).Select(count => $"{count.Key} ({count.Value} times)"))} "
            + $"after {clock.Elapsed.TotalSeconds:0.0} s; "
            + $"{results.Count(result => result.Error.Contains("holds the lock", StringComparison.Ordinal))} waited for another");
        results.ShouldAllBe(result => result.ExitCode == 0);
    }

    /// <summary>A disturbed run may end well, cancelled, or with a problem of a connection; anything else is a bug.</summary>
    internal static async Task<string> EndAsync(Task<RunResult> run)
    {
        try
        {
            // No run takes this long; one that hangs fails.
            return $"done, {(await run.WaitAsync(TimeSpan.FromMinutes(2))).Finished.Count} migrations";
        }
        catch (OperationCanceledException)
        {
            return "cancelled";
        }
        catch (ProblemException e) when (e.Problems[0].Code is "CG0503" or "CG0504" or "CG0514" or "CG0516"
            || e.Problems[0].Code.StartsWith("CG06", StringComparison.Ordinal))
        {
            return $"{e.Problems[0].Code} {e.Problems[0].Message}";
        }
    }
}

/// <summary>The suite of faults runs one test at a time: it stops the server that it shares.</summary>
[CollectionDefinition("Faults")]
public sealed class FaultGroup : ICollectionFixture<FaultServer>;
