namespace ChatGenius.Db.Migrations;

/// <summary>What there is under the history's name, and what our role may do about it.</summary>
/// <param name="HasSchema">Whether the schema is there.</param>
/// <param name="Tables">Which of our tables are there.</param>
/// <param name="FormatHasKey">Whether <c>format</c> has its primary key, which tool 0.1.0 did not make.</param>
/// <param name="KeepsUp">Whether <c>history</c> keeps the up section, which tool 0.1.0 did not.</param>
/// <param name="MayCreate">Whether our role may create what is missing: the schema, or tables in it.</param>
/// <param name="OwnsTables">Whether our role may alter the tables that are there.</param>
/// <param name="MayLog">Whether our role may write the log that is there.</param>
/// <param name="MayReadLog">Whether our role may read it.</param>
/// <param name="Owner">Who owns <c>history</c>; empty where it is not there.</param>
/// <param name="Strange">What is under the name of one of our tables and is not as we make it, a line each.</param>
/// <param name="LesserWriters">Who may write <c>history</c> or <c>repeatable</c> and has fewer rights than our role.</param>
/// <param name="Prints">What each of <paramref name="Tables"/> is, as <see cref="HistoryTables.Print"/> gives it.</param>
/// <param name="Empty">Which of our tables have no page, and so no row.</param>
/// <param name="HoldsSchema">Whether who owns the schema has fewer rights than our role, which may keep it from being renamed.</param>
internal sealed record HistoryPlace(
    bool HasSchema,
    string[] Tables,
    bool FormatHasKey,
    bool KeepsUp,
    bool MayCreate,
    bool OwnsTables,
    bool MayLog,
    bool MayReadLog,
    string Owner,
    string[] Strange,
    string[] LesserWriters,
    string[] Prints,
    string[] Empty,
    bool HoldsSchema)
{
    /// <summary>As this version makes it, with every right.</summary>
    internal static HistoryPlace Complete { get; } = new(true, [.. HistoryTables.Names], true, true, true, true, true, true, "", [], [],
        [.. HistoryTables.Names], [], false);

    /// <summary>Whether there is a history to read.</summary>
    internal bool Exists => Has("history") || Has("journal");

    /// <summary>What is wrong with the table under the log's name; <c>null</c> where nothing is.</summary>
    internal string? StrangeLog => Strange.FirstOrDefault(line => line.StartsWith("log,", StringComparison.Ordinal));

    /// <summary>Whether what is under the name of one of our tables is not as we make it.</summary>
    internal bool IsStrange(string table) => Strange.Any(line => line.StartsWith(table + ",", StringComparison.Ordinal));

    /// <summary>Our tables that are not there, and whose names nobody else has taken.</summary>
    internal IEnumerable<string> Missing => HistoryTables.Names.Where(name => !Has(name) && !IsStrange(name));

    /// <summary>Whether nothing is to be made.</summary>
    internal bool IsComplete => !Missing.Any() && FormatHasKey && KeepsUp;

    /// <summary>Whether what is done can be written into the log.</summary>
    internal bool Logs => Has("log") && MayLog;

    /// <summary>Whether there is surely nothing to read in one of our tables.</summary>
    internal bool IsEmpty(string table) => !IsStrange(table) && (!Has(table) || Empty.Contains(table));

    /// <summary>Whether one of our tables is there.</summary>
    internal bool Has(string table) => Tables.Contains(table);
}
