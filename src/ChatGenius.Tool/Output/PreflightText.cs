using ChatGenius.Db.Safety;

namespace ChatGenius.Tool.Output;

/// <summary>What was seen before a plan runs, for people.</summary>
internal static class PreflightText
{
    /// <summary>All of it, on stdout.</summary>
    public static void Write(Report report, PreflightResult result)
    {
        var migrations = new Table(needed: 2, shrinks: 0, "MIGRATION", "TIME", "LOG", "DISK", "BASIS");
        foreach (var forecast in result.Forecasts)
        {
            migrations.Add(forecast.Step.Id, Time(forecast.Time), Size(forecast.Wal), Size(forecast.Disk), forecast.Basis);
        }

        migrations.Write(report);
        var tables = new Table(needed: 2, shrinks: 0, "TABLE", "ROWS", "SIZE", "INDEXES", "LOCK");
        foreach (var table in result.Facts.Tables)
        {
            var mode = result.Forecasts.Count == 0 ? LockMode.None : result.Forecasts.Max(one => one.Locks.GetValueOrDefault(table.Name));
            tables.Add(table.Name.Display, table.Rows is { } rows ? rows.ToString("#,##0", CultureInfo.InvariantCulture) : "not known",
                DataSize.Format(table.Bytes), DataSize.Format(table.IndexBytes), mode == LockMode.None ? "not known" : mode.ToSql());
        }

        if (result.Forecasts.Count > 0 && result.Facts.Tables.Count > 0)
        {
            report.Result();
        }

        tables.Write(report);
        foreach (var (index, finding) in result.Findings.Index())
        {
            if (index == 0 && result.Forecasts.Count > 0)
            {
                report.Result();
            }

            if (finding.Level != PreflightLevel.Refused)
            {
                report.Result($"{report.Style.Yellow(Label(finding.Level))}: {Cells.Tame(finding.Message)}");
                WriteAdvice(finding, report.Result);
            }
        }
    }

    /// <summary>Before the question of apply, on stderr: what matters, and the sum.</summary>
    public static void WriteShort(Report report, PreflightResult result)
    {
        foreach (var finding in result.Findings.Where(finding => finding.Level is PreflightLevel.Warning or PreflightLevel.Unknown))
        {
            report.Note(finding.Message, label: Label(finding.Level));
            WriteAdvice(finding, line => report.Note(line));
        }

        if (result.IsRehearsed && Preflight.Total(result.Forecasts, one => one.Time) is { } time
            && Preflight.Total(result.Forecasts, one => one.Wal) is { } wal)
        {
            report.Note($"Expected: {Time(time)}, {Size(wal)} of write-ahead log");
        }
        else if (!result.IsRehearsed && result.Plan.Steps.Count > 0)
        {
            report.Note($"What it costs was not rehearsed: {new ToolCall("preflight")} does that, and so does --max-time here");
        }
    }

    private static void WriteAdvice(PreflightFinding finding, Action<string> write)
    {
        if (finding.Advice is { } advice)
        {
            write($"  help: {Cells.Tame(advice)}");
        }
    }

    private static string Label(PreflightLevel level) => level switch
    {
        PreflightLevel.Warning => "warning",
        PreflightLevel.Unknown => "not known",
        _ => "note",
    };

    private static string Time(Expected? time) => time is { } known
        ? $"{Duration.Format(TimeSpan.FromMilliseconds(known.Low))} to {Duration.Format(TimeSpan.FromMilliseconds(known.High))}"
        : "not known";

    private static string Size(Expected? size) => size is { } known
        ? $"{DataSize.Format((long)known.Low)} to {DataSize.Format((long)known.High)}" : "not known";
}

/// <summary>What <c>preflight --json</c> prints.</summary>
internal sealed record PreflightJson(
    string Database, IReadOnlyList<ForecastJson> Migrations, IReadOnlyList<TouchedTableJson> Tables,
    IReadOnlyList<PreflightFindingJson> Findings)
{
    public static PreflightJson Of(string database, PreflightResult result) => new(
        database,
        [.. result.Forecasts.Select(forecast => new ForecastJson(
            forecast.Step.Version, forecast.Step.Name, RangeJson.Of(forecast.Time), RangeJson.Of(forecast.Wal), RangeJson.Of(forecast.Disk),
            forecast.Unknown))],
        [.. result.Facts.Tables.Select(table => new TouchedTableJson(
            table.Name.Schema, table.Name.Name, table.Rows, table.Bytes, table.IndexBytes,
            result.Forecasts.Select(one => one.Locks.GetValueOrDefault(table.Name)).DefaultIfEmpty().Max() is not LockMode.None and var mode
                ? mode.ToSql() : null))],
        [.. result.Findings.Select(finding => new PreflightFindingJson(
            finding.Kind, finding.Level.ToString().ToLowerInvariant(), finding.Message, finding.Advice))]);
}

/// <param name="TimeMs">Milliseconds on the server, without waits for locks; absent, as the others, where it is not known.</param>
/// <param name="Unknown">Why something is not known.</param>
internal sealed record ForecastJson(
    long Version, string Name, RangeJson? TimeMs, RangeJson? WalBytes, RangeJson? DiskBytes, IReadOnlyList<string> Unknown);

internal sealed record RangeJson(double Low, double High)
{
    public static RangeJson? Of(Expected? range) => range is { } known ? new(Math.Round(known.Low), Math.Round(known.High)) : null;
}

/// <param name="Rows">The planner's estimate; absent where nobody has counted.</param>
/// <param name="Lock">The strongest lock that the plan takes, as PostgreSQL writes it; absent where it is not known.</param>
internal sealed record TouchedTableJson(string Schema, string Name, long? Rows, long Bytes, long IndexBytes, string? Lock);

/// <param name="Level"><c>note</c>, <c>unknown</c>, <c>warning</c>.</param>
internal sealed record PreflightFindingJson(string Kind, string Level, string Message, string? Advice);
