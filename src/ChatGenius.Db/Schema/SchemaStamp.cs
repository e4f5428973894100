using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ChatGenius.Db.Files;

namespace ChatGenius.Db.Schema;

/// <summary>
/// Which migrations made a schema: the end of the first line of its text, so that two branches that add migrations meet there in git, and
/// who has the files sees without a database whether the text is of today.
/// </summary>
/// <param name="Version">The last one's number; 0 without any migration.</param>
/// <param name="Checksum">Of the up sections of all of them, and of the repeatable objects, 64 hexadecimal digits.</param>
internal sealed record SchemaStamp(long Version, string Checksum)
{
    private const string Mark = ", migrations to ";

    /// <summary>The stamp of what migrations make together.</summary>
    public static SchemaStamp Of(IReadOnlyList<Migration> migrations)
    {
        var text = new StringBuilder();
        foreach (var migration in migrations)
        {
            text.Append(CultureInfo.InvariantCulture, $"{migration.Version} {migration.Up.Checksum} {migration.Up.Transactional}\n");
        }

        return new(migrations.Select(migration => migration.Version).DefaultIfEmpty(0).Max(),
            Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString()))));
    }

    /// <summary>Reads a text's stamp; null where it has none.</summary>
    public static SchemaStamp? Find(string text)
    {
        var line = text.Split('\n', 2)[0].TrimEnd('\r');
        var at = line.IndexOf(Mark, StringComparison.Ordinal);
        return at == SchemaText.Header.Length && line[(at + Mark.Length)..].Split(' ') is [var number, var checksum]
            && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? new(version, checksum) : null;
    }

    /// <summary>The schema's text with this stamp.</summary>
    public string Write(SchemaSnapshot schema) =>
        string.Create(CultureInfo.InvariantCulture, $"{SchemaText.Header}{Mark}{Version:D4} {Checksum}")
            + schema.ToString()[SchemaText.Header.Length..];

    /// <summary>Whether a line is the first of a schema's text, with a stamp or without.</summary>
    internal static bool IsHeader(string line) =>
        line == SchemaText.Header || line.StartsWith(SchemaText.Header + Mark, StringComparison.Ordinal);
}
