using ChatGenius.Db.Files;
using ChatGenius.Db.Migrations;

namespace ChatGenius.Db;

/// <summary>Which section of a migration runs.</summary>
public enum MigrationDirection
{
    /// <summary>The <c>-- migrate:up</c> section.</summary>
    Up,

    /// <summary>The <c>-- migrate:down</c> section.</summary>
    Down,
}

/// <summary>Where a migration stands.</summary>
public enum MigrationState
{
    /// <summary>In the history, and its file is unchanged.</summary>
    Applied,

    /// <summary>Not in the history.</summary>
    Pending,

    /// <summary>In the history, but its up section has changed since.</summary>
    Edited,

    /// <summary>In the history, but there is no such file.</summary>
    Missing,

    /// <summary>Not in the history, though a later one is.</summary>
    OutOfOrder,

    /// <summary>A non-transactional section was begun and not finished.</summary>
    Interrupted,
}

/// <summary>One migration as the files and the history together show it.</summary>
public sealed record MigrationStatus
{
    /// <param name="version">Its number.</param>
    /// <param name="name">Its description.</param>
    /// <param name="state">Where it stands.</param>
    /// <param name="migration">Its file, unless it is missing.</param>
    /// <param name="row">Its history row, if it was applied.</param>
    /// <param name="interruption">Where a non-transactional section stopped, if one did.</param>
    internal MigrationStatus(
        long version, string name, MigrationState state, Migration? migration, HistoryRow? row, Interruption? interruption) =>
        (Version, Name, State, Migration, Row, Interruption) = (version, name, state, migration, row, interruption);

    /// <summary>Its number.</summary>
    public long Version { get; }

    /// <summary>Its description, snake_case.</summary>
    public string Name { get; }

    /// <summary>Where it stands.</summary>
    public MigrationState State { get; internal init; }

    /// <summary>Whether what was applied under its number is another migration than its file.</summary>
    internal bool IsAnother => Row is { } row && Migration is { } file && row.Name != file.Name;

    /// <summary>When it was applied, by the server's clock, in UTC; <c>null</c> where it was not.</summary>
    public DateTime? AppliedAt => Row?.AppliedAt;

    internal Migration? Migration { get; init; }

    internal HistoryRow? Row { get; init; }

    internal Interruption? Interruption { get; init; }

    /// <summary>How far the interrupted statement is, where it goes in batches.</summary>
    internal BatchState? Batches { get; init; }
}

/// <summary>Where a repeatable object stands.</summary>
internal enum RepeatableState
{
    /// <summary>Its text is the one that ran last.</summary>
    Current,

    /// <summary>Its text is another one than ran last.</summary>
    Changed,

    /// <summary>It never ran here.</summary>
    New,

    /// <summary>It ran here, and its file is gone.</summary>
    Missing,
}

/// <summary>One repeatable object as the files and the history together show it.</summary>
/// <param name="Name">Its file's name without <c>.sql</c>.</param>
/// <param name="State">Where it stands.</param>
/// <param name="File">Its file, unless it is missing.</param>
/// <param name="Row">What ran last, if it ever did.</param>
internal sealed record RepeatableStatus(string Name, RepeatableState State, Migration? File, RepeatableRow? Row)
{
    /// <summary>Sets the files against the history, by name.</summary>
    internal static IReadOnlyList<RepeatableStatus> Compare(IReadOnlyList<Migration> files, IReadOnlyList<RepeatableRow> rows)
    {
        var last = rows.GroupBy(row => row.Name).ToDictionary(texts => texts.Key, texts => texts.MaxBy(row => row.Version)!);
        var known = files.Select(file => last.Remove(file.Name, out var row)
            ? new RepeatableStatus(
                file.Name, row.Checksum == file.Up.Checksum ? RepeatableState.Current : RepeatableState.Changed, file, row)
            : new RepeatableStatus(file.Name, RepeatableState.New, file, null)).ToList();
        return [.. known.Concat(last.Values.Select(row => new RepeatableStatus(row.Name, RepeatableState.Missing, null, row)))
            .OrderBy(status => status.Name, StringComparer.Ordinal)];
    }
}

/// <summary>Where a non-transactional section stopped.</summary>
/// <param name="Version">The migration's number.</param>
/// <param name="Name">Its description.</param>
/// <param name="Direction">Which section.</param>
/// <param name="Statement">The first statement that isn't known to be done, counted from 1.</param>
/// <param name="Count">How many statements the section has.</param>
/// <param name="Started">Whether that statement had been begun, so that its work may be there.</param>
/// <param name="Checksum">The checksum of the statements up to the last that was begun.</param>
/// <param name="Pid">The backend that ran it.</param>
/// <param name="BackendStart">When that backend started: a pid alone may have been given to another since.</param>
/// <param name="Since">When the statement was begun.</param>
internal sealed record Interruption(
    long Version,
    string Name,
    MigrationDirection Direction,
    int Statement,
    int Count,
    bool Started,
    string Checksum,
    int Pid,
    DateTime BackendStart,
    DateTime Since)
{
    /// <summary>Whether all its statements are done, and what the migration asks after them is left.</summary>
    internal bool IsAtEnd => Statement > Count;

    /// <summary>Where it stopped, as a table says it: <c>statement 2 of 3</c>.</summary>
    internal string Stop => IsAtEnd ? $"after statement {Count} of {Count}" : $"statement {Statement} of {Count}";

    /// <summary>The same in a sentence: <c>at statement 2 of 3</c>.</summary>
    internal string Place => IsAtEnd ? Stop : $"at {Stop}";

    /// <summary>The last statement before <see cref="Statement"/> that has a mark of its own; 0 where none has.</summary>
    internal int Marked { get; init; }

    /// <summary>The checksum of the statements up to <see cref="Marked"/>.</summary>
    internal string MarkedChecksum { get; init; } = "";

    /// <summary>
    /// True if the statements that the interrupted run has begun are unchanged in a section. Later statements may have been edited; and the
    /// one that was begun as well, where the section says that its statements may run again.
    /// </summary>
    internal bool ContinuesIn(MigrationSection section)
    {
        var count = Started ? Statement : Statement - 1;
        return !section.Transactional
            && (Matches(section, count, Checksum) || (Started && section.Repeatable && Matches(section, Marked, MarkedChecksum)));
    }

    private static bool Matches(MigrationSection section, int count, string checksum) =>
        count <= section.Script.Statements.Count && (count == 0 || checksum == section.Script.ChecksumOf(count));
}

/// <summary>How <c>repair</c> settles a section that was interrupted.</summary>
internal enum RepairAction
{
    /// <summary>The statement that was begun is done: go on behind it.</summary>
    Done,

    /// <summary>The statement that was begun is to run again.</summary>
    Again,

    /// <summary>Whatever the section did was undone by hand: forget that it was begun.</summary>
    Forget,
}
