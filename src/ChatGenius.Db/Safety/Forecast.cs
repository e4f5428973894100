using System.Globalization;
using System.Text.Json;
using ChatGenius.Db.Migrations;

namespace ChatGenius.Db.Safety;

/// <summary>The two ends between which something is expected.</summary>
internal readonly record struct Expected(double Low, double High)
{
    public static Expected operator +(Expected one, Expected other) => new(one.Low + other.Low, one.High + other.High);
}

/// <summary>What one migration is expected to cost where it will run.</summary>
/// <param name="Step">The migration.</param>
internal sealed record StepForecast(MigrationStep Step)
{
    /// <summary>Its time on the server, in milliseconds, without waits for locks; null where it is not known.</summary>
    public Expected? Time { get; init; }

    /// <summary>The bytes of write-ahead log; null where that is not known.</summary>
    public Expected? Wal { get; init; }

    /// <summary>The bytes that its tables and indexes grow by until it commits; null where that is not known.</summary>
    public Expected? Disk { get; init; }

    /// <summary>The milliseconds that are expected by the rehearsal alone; 0 where that is not known.</summary>
    public double Estimate { get; init; }

    /// <summary>Why something of it is not known, a line each.</summary>
    public IReadOnlyList<string> Unknown { get; init; } = [];

    /// <summary>What it rests on, for people.</summary>
    public string Basis { get; init; } = "";

    /// <summary>The strongest lock on each table that is there before, which may be AccessExclusive where it can't be
    /// told.</summary>
    public IReadOnlyDictionary<TableName, LockMode> Locks { get; init; } = new Dictionary<TableName, LockMode>();

    /// <summary>What the log keeps of it, so that later forecasts know how this server differs from the one of the rehearsal.</summary>
    public string ToJson() => string.Create(CultureInfo.InvariantCulture,
        $$"""{"estimate_ms":{{Estimate:0.###}},"low_ms":{{Time?.Low ?? 0:0.###}},"high_ms":{{Time?.High ?? 0:0.###}}}""");
}

/// <summary>What earlier runs on a database say of its speed.</summary>
/// <param name="Ratios">How many times as long as its rehearsal each migration took.</param>
/// <param name="Batches">Statements in batches.</param>
internal sealed record EarlierRuns(IReadOnlyList<double> Ratios, IReadOnlyList<BatchState> Batches)
{
    /// <summary>The action of the log entries that hold forecasts.</summary>
    public const string Action = "forecast";

    /// <summary>Nothing is known.</summary>
    public static readonly EarlierRuns None = new([], []);

    // Under this a statement's own time is lost among that of the round trip.
    private const double LeastMilliseconds = 20;

    /// <summary>Reads them from the log; what a later version may have written otherwise is passed over.</summary>
    public static EarlierRuns Of(IEnumerable<LogEntry> log, IReadOnlyList<BatchState> batches) => new(
        [
            .. from entry in log
               where entry.Action == Action && entry.Duration is not null
               let estimate = Estimate(entry.Detail)
               where estimate >= LeastMilliseconds
               select entry.Duration!.Value.TotalMilliseconds / estimate,
        ],
        [.. batches.Where(state => state is { Rows: >= 1_000, Pass: 1 } && state.Duration > TimeSpan.Zero)]);

    private static double Estimate(string? detail)
    {
        try
        {
            using var json = JsonDocument.Parse(detail ?? "{}");
            return json.RootElement.TryGetProperty("estimate_ms", out var value) && value.TryGetDouble(out var estimate) ? estimate : 0;
        }
        catch (JsonException)
        {
            return 0;
        }
    }

    /// <summary>What the estimate of a rehearsal is multiplied with for the two ends of the range.</summary>
    /// <param name="scale">How many times as many rows there are as were rehearsed with.</param>
    internal Expected Factors(double scale)
    {
        // More rows than fit into the caches, and into the memory of a sort, take more time each.
        var growth = 1 + (0.25 * Math.Log2(Math.Max(scale, 1)));
        if (Ratios.Count == 0)
        {
            return new Expected(0.35, 2.2 * growth);
        }

        var spread = Ratios.Count switch { 1 => 3, 2 => 2.2, _ => 1.7 };
        return new Expected(Ratios.Min() / spread, Ratios.Max() * spread * Math.Sqrt(growth));
    }
}
