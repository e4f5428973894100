using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace ChatGenius.Benchmarks;

/// <summary>
/// One run that changes every row of a table by a single UPDATE and in batches, in turn, with a sequential and a random key, while a client
/// updates random rows. It prints the figures side by side; what they may be is for whoever reads them.
/// </summary>
/// <remarks>
/// <c>dotnet run -c Release --project tests/ChatGenius.Benchmarks -- batches TOOL URL [ROWS [TIMES]]</c>: the tool's program, the URL of a
/// database that may be filled, how many rows, and how often each way is measured.
/// </remarks>
internal static class BatchComparison
{
    /// <summary>Runs it.</summary>
    /// <param name="args">The tool, the URL, the rows, the times.</param>
    public static async Task RunAsync(string[] args)
    {
        var (tool, url) = (args[0], args[1]);
        var rows = args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 100_000;
        var times = args.Length > 3 ? int.Parse(args[3], CultureInfo.InvariantCulture) : 1;
        await using var source = NpgsqlDataSource.Create(Keywords(url));
        Console.WriteLine("key         way      wall s  grew MB          slice ms  client p50 ms  p99 ms  p99.9 ms  max ms  updates  "
            + "tool MB");
        for (var time = 0; time < times; time++)
        {
            foreach (var key in (string[])["sequential", "random"])
            {
                foreach (var way in (string[])["single", "batches"])
                {
                    Console.WriteLine(await MeasureAsync(source, tool, url, rows, key, way));
                }
            }
        }
    }

    private static async Task<string> MeasureAsync(
        NpgsqlDataSource source, string tool, string url, int rows, string key, string way)
    {
        await ExecuteAsync(source, "DROP SCHEMA IF EXISTS chatgenius_db CASCADE", "DROP TABLE IF EXISTS items");
        var (type, value) = key == "random" ? ("uuid", "gen_random_uuid()") : ("bigint", "i");
        await ExecuteAsync(
            source,
            $"CREATE TABLE items (id {type} PRIMARY KEY, body text NOT NULL, n int NOT NULL DEFAULT 0, used int NOT NULL DEFAULT 0)",
            $"INSERT INTO items (id, body) SELECT {value}, repeat('x', 60) FROM generate_series(1, {rows}) i",
            "VACUUM ANALYZE items", "CHECKPOINT");
        var keys = await KeysAsync(source);
        var before = await SizeAsync(source);
        using var stop = new CancellationTokenSource();
        var client = Task.Run(() => UseAsync(source, type, keys, stop.Token));
        var clock = Stopwatch.StartNew();
        var memory = way == "single" ? await SingleAsync(source) : await BatchesAsync(tool, url);
        var wall = clock.Elapsed;
        await stop.CancelAsync();
        var waits = await client;
        waits.Sort();
        var grew = (await SizeAsync(source) - before) / 1024 / 1024;
        var wrong = await ScalarAsync<long>(source, "SELECT count(*) FROM items WHERE n <> 1");
        var slice = way == "single" ? (Milliseconds: wall.TotalMilliseconds, Text: "") : await SliceAsync(source);
        return string.Create(CultureInfo.InvariantCulture,
            $"{key,-11} {way,-8} {wall.TotalSeconds,6:0.0}  {grew,7}  {slice.Milliseconds,16:0}  {At(waits, 0.5),13:0.0}  "
                + $"{At(waits, 0.99),6:0.0}  "
            + $"{At(waits, 0.999),8:0.0}  {At(waits, 1),6:0.0}  {waits.Count,7}  {memory,7}{(wrong > 0 ? $"  {wrong} ROWS ARE WRONG" : "")}"
            + $"{slice.Text}");
    }

    private static async Task<long> SingleAsync(NpgsqlDataSource source)
    {
        await using var command = source.CreateCommand("UPDATE items SET n = n + 1");
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync();
        return 0;
    }

    /// <summary>Runs the tool, and says how much memory it had at most, in MB.</summary>
    private static async Task<long> BatchesAsync(string tool, string url)
    {
        var folder = Directory.CreateTempSubdirectory("batches");
        await File.WriteAllTextAsync(
            Path.Combine(folder.FullName, "0001_count.sql"),
            "-- migrate:up batch:items\nUPDATE items SET n = n + 1 WHERE id BETWEEN :batch_first AND :batch_last;\n-- "
                + "migrate:down\nSELECT 1;\n");
        string[] call =
        [
            .. tool.Split(' '), "apply", "--fresh", "--no-bundle", "--json-lines", "--migrations", folder.FullName, "--database", url,
        ];
        using var process = Process.Start(new ProcessStartInfo(call[0], call[1..])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        var most = 0L;
        while (!process.HasExited)
        {
            process.Refresh();
            most = Math.Max(most, process.PeakWorkingSet64);
            await Task.Delay(50);
        }

        await process.WaitForExitAsync();
        folder.Delete(recursive: true);
        await output;
        return process.ExitCode == 0 ? most / 1024 / 1024 : throw new InvalidOperationException(await error);
    }

    private static async Task<(double Milliseconds, string Text)> SliceAsync(NpgsqlDataSource source)
    {
        await using var command = source.CreateCommand("SELECT duration_ms, slice_count, size FROM chatgenius_db.batches");
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        // The longest one is not kept: the mean, and how many there were.
        return (reader.GetDouble(0) / Math.Max(reader.GetInt64(1), 1),
            $"  ({reader.GetInt64(1)} slices, the slice time is their mean, {reader.GetInt64(2)} rows in the last)");
    }

    /// <summary>A client of the application: a random row, a little later another.</summary>
    private static async Task<List<double>> UseAsync(NpgsqlDataSource source, string type, List<string> keys, CancellationToken stop)
    {
        var waits = new List<double>();
        var random = new Random(1);
        await using var connection = await source.OpenConnectionAsync(CancellationToken.None);
        await using var command = new NpgsqlCommand($"UPDATE items SET used = used + 1 WHERE id = $1::text::{type}", connection);
        command.Parameters.Add(new NpgsqlParameter<string>());
        await command.PrepareAsync(CancellationToken.None);
        while (!stop.IsCancellationRequested)
        {
            ((NpgsqlParameter<string>)command.Parameters[0]).TypedValue = keys[random.Next(keys.Count)];
            var clock = Stopwatch.GetTimestamp();
            await command.ExecuteNonQueryAsync(CancellationToken.None);
            waits.Add(Stopwatch.GetElapsedTime(clock).TotalMilliseconds);
            await Task.Delay(1, CancellationToken.None);
        }

        return waits;
    }

    private static double At(List<double> sorted, double part) =>
        sorted.Count == 0 ? 0 : sorted[Math.Min(sorted.Count - 1, (int)(sorted.Count * part))];

    private static async Task<List<string>> KeysAsync(NpgsqlDataSource source)
    {
        var keys = new List<string>();
        await using var command = source.CreateCommand("SELECT id::text FROM items ORDER BY random() LIMIT 100000");
        command.CommandTimeout = 0;
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            keys.Add(reader.GetString(0));
        }

        return keys;
    }

    private static Task<long> SizeAsync(NpgsqlDataSource source) =>
        ScalarAsync<long>(source, "SELECT pg_total_relation_size('items')");

    private static async Task<T> ScalarAsync<T>(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        command.CommandTimeout = 0;
        return (T)(await command.ExecuteScalarAsync())!;
    }

    private static async Task ExecuteAsync(NpgsqlDataSource source, params string[] statements)
    {
        foreach (var sql in statements)
        {
            await using var command = source.CreateCommand(sql);
            command.CommandTimeout = 0;
            await command.ExecuteNonQueryAsync();
        }
    }

    /// <summary>Npgsql reads no URLs.</summary>
    private static string Keywords(string url)
    {
        var uri = new Uri(url);
        var user = uri.UserInfo.Split(':');
        return $"Host={uri.Host};Port={(uri.Port < 0 ? 5432 : uri.Port)};Database={uri.AbsolutePath[1..]};Username={user[0]}"
            + (user.Length > 1 ? $";Password={Uri.UnescapeDataString(user[1])}" : "");
    }
}
