namespace ChatGenius.Tool.Output;

/// <summary>Amounts of data as PostgreSQL's <c>pg_size_pretty</c> writes them: powers of 1024.</summary>
internal static class DataSize
{
    private static readonly string[] Units = ["kB", "MB", "GB", "TB", "PB"];

    /// <summary>Three digits at most and a unit: <c>512 bytes</c>, <c>7.53 MB</c>, <c>12.5 GB</c>.</summary>
    public static string Format(long bytes)
    {
        if (bytes < 1000)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes");
        }

        var (value, unit) = (bytes / 1024.0, 0);
        for (; value >= 999.5 && unit < Units.Length - 1; unit++)
        {
            value /= 1024;
        }

        var text = value.ToString(value < 9.995 ? "0.00" : value < 99.95 ? "0.0" : "0", CultureInfo.InvariantCulture);
        return $"{text} {Units[unit]}";
    }
}
