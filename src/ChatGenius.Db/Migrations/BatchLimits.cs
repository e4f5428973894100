using System.Globalization;
using ChatGenius.Db.Migrations;

namespace ChatGenius.Db;

/// <summary>When batches pause, so that the rest of the system is not harmed. Zero is without that limit.</summary>
public sealed record BatchLimits
{
    /// <summary>How much of the time they may work, in percent: at 50 they rest as long as they work.</summary>
    public int Load { get; init; } = 100;

    /// <summary>How long a standby may need to replay what was written.</summary>
    public TimeSpan MaxLag { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How many bytes of write-ahead log a standby may have to replay.</summary>
    public long MaxLagBytes { get; init; } = 256 * Megabyte;

    /// <summary>How many bytes may be left to a replication slot before the server takes its log away; at most half of what it
    /// keeps.</summary>
    public long MinSlotBytes { get; init; } = 1000 * Megabyte;

    /// <summary>How many files of write-ahead log may wait for the archive.</summary>
    public int MaxArchiveFiles { get; init; } = 64;

    /// <summary>How old another session's transaction may be: it keeps dead rows from being cleaned up.</summary>
    public TimeSpan MaxTransactionAge { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How many checkpoints may be requested in five minutes, because more was written than the server plans for.</summary>
    public int MaxCheckpoints { get; init; } = 10;

    /// <summary>Bytes of a megabyte.</summary>
    public const long Megabyte = 1024 * 1024;
}

/// <summary>What somebody asks of batches that run, from another terminal: kept with their progress, and read with each slice.</summary>
/// <param name="Paused">Whether they are to wait.</param>
/// <param name="Load">A limit that takes the place of <see cref="BatchLimits.Load"/>.</param>
/// <param name="Size">The most rows that a slice may have.</param>
internal sealed record BatchControl(bool Paused = false, int? Load = null, int? Size = null)
{
    /// <summary>Reads its text; words of a later version are passed over.</summary>
    public static BatchControl Parse(string? text)
    {
        var words = (text ?? "").Split(' ');
        return new BatchControl(words.Contains("pause"), Number("load:"), Number("size:"));

        int? Number(string name) => words.FirstOrDefault(word => word.StartsWith(name, StringComparison.Ordinal)) is { } word
            && int.TryParse(word.AsSpan(name.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number : null;
    }

    /// <summary>The text that is kept.</summary>
    public override string ToString() => string.Join(' ', ((string?[])
    [
        Paused ? "pause" : null,
        Load is { } load ? string.Create(CultureInfo.InvariantCulture, $"load:{load}") : null,
        Size is { } size ? string.Create(CultureInfo.InvariantCulture, $"size:{size}") : null,
    ]).OfType<string>());
}
