using System.Globalization;

namespace ChatGenius.Db.Files;

/// <summary>The number at the start of a migration's file name.</summary>
internal static class MigrationNumber
{
    /// <summary>The highest number there may be: eighteen digits.</summary>
    public const long Highest = 999_999_999_999_999_999;

    /// <summary>From here on a number is taken for a time, <c>yyyyMMddHHmmss</c>.</summary>
    private const long FirstTimestamp = 1970_01_01_00_00_00;

    /// <summary>
    /// The highest number that is taken, plus one. Where that one is a time, the present time (UTC) if it is later, so that a project that
    /// numbers by time goes on doing so and still never gets a number below one that is there.
    /// </summary>
    /// <param name="taken">The numbers.</param>
    /// <param name="now">The present time.</param>
    /// <param name="byTime">Whether a project that counts begins to number by time.</param>
    /// <exception cref="ProblemException">CG0815: no number is left.</exception>
    public static long Next(IEnumerable<long> taken, DateTimeOffset now, bool byTime = false)
    {
        var highest = taken.DefaultIfEmpty(0).Max();
        if (highest >= Highest)
        {
            throw new ProblemException(
                "CG0815", $"No number is left after {highest}", advice: "Give the file with that number a smaller one.");
        }

        if (byTime || highest >= FirstTimestamp)
        {
            var time = long.Parse(now.UtcDateTime.ToString("yyyyMMddHHmmss", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
            return Math.Max(highest + 1, time);
        }

        return highest + 1;
    }

    /// <summary>The names of the bundle's files: who only needs the next number does not wait for them to be parsed.</summary>
    public static IReadOnlyList<string> OfBundle() =>
        [.. typeof(MigrationNumber).Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith("bundle/", StringComparison.Ordinal)).Select(name => name["bundle/".Length..])];

    /// <summary>Four digits or more.</summary>
    /// <param name="number">From 0.</param>
    /// <param name="digits">How many digits there are at least; leading zeros fill them.</param>
    public static string Format(long number, int digits = 4) =>
        number.ToString(CultureInfo.InvariantCulture).PadLeft(Math.Max(4, digits), '0');

    /// <summary>The number that a file's or folder's name begins with: digits and then an underscore; null where there is none.</summary>
    public static long? Of(string fileName)
    {
        var digits = fileName.IndexOf('_', StringComparison.Ordinal);
        return digits > 0 && long.TryParse(fileName.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number <= Highest
            ? number
            : null;
    }
}
