using ChatGenius.Db.Files;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Migrations;

/// <summary>One applied migration, as the history keeps it.</summary>
/// <param name="Version">Its number.</param>
/// <param name="Name">Its description.</param>
/// <param name="Checksum">SHA-256 of the up section's tokens, in hexadecimal; empty for a baseline without a file.</param>
/// <param name="AppliedAt">When it was applied, by the server's clock.</param>
internal sealed record HistoryRow(long Version, string Name, string Checksum, DateTime AppliedAt)
{
    /// <summary>Whether a baseline marked it: something else ran it, from a file that may have been another one.</summary>
    public bool IsBaseline { get; init; }

    /// <summary>What a plan has no use for; read only by <see cref="Migrator.StatusAsync"/>.</summary>
    public HistoryDetails? Details { get; init; }

    /// <summary>The down section as it was when applied; read only for a rollback.</summary>
    public string? DownSql { get; init; }

    /// <summary>The down section as it was when applied, for when the file is gone.</summary>
    internal MigrationSection ParseDown() => MigrationParser.ParseSection(
        SourceText.From($"history/{MigrationPlan.FormatId(Version, Name)}.sql", DownSql ?? ""));
}

/// <summary>What the history says about a run.</summary>
/// <param name="Duration">How long it took on the server.</param>
/// <param name="AppliedBy">The role that ran it.</param>
/// <param name="ToolVersion">The version of the tool that ran it.</param>
/// <param name="Origin"><c>bundle</c>, <c>folder</c> or <c>baseline</c>.</param>
/// <param name="Retries">How often it was tried again because of locks before it went through.</param>
/// <param name="Backup">The backup that was made before it, if one was.</param>
internal sealed record HistoryDetails(TimeSpan Duration, string AppliedBy, string ToolVersion, string Origin, int Retries, string? Backup);

/// <summary>How much of each row is read: a thousand of them with everything take four times as long as what a plan needs.</summary>
internal enum HistoryColumns
{
    /// <summary>What a plan needs.</summary>
    Plan,

    /// <summary>That, and the down section as it was when applied.</summary>
    Down,

    /// <summary>That, and what a <c>redo</c> has undone and not applied again.</summary>
    Redo,

    /// <summary>That of a plan, and <see cref="HistoryDetails"/>.</summary>
    Details,
}

/// <summary>What the database says was applied, and what was begun and not finished.</summary>
/// <param name="Exists">Whether the history's tables are there.</param>
/// <param name="Rows">What was applied, by number.</param>
/// <param name="Interruptions">Non-transactional sections that were begun and not finished.</param>
internal sealed record HistorySnapshot(bool Exists, IReadOnlyList<HistoryRow> Rows, IReadOnlyList<Interruption> Interruptions)
{
    /// <summary>A database that has never seen this tool.</summary>
    public static HistorySnapshot Empty { get; } = new(false, [], []);

    /// <summary>Who may write the history and has fewer rights than our role.</summary>
    public IReadOnlyList<string> LesserWriters { get; init; } = [];

    /// <summary>The texts of repeatable objects that have run, by name and version; read only where there are files of them, or to roll
    /// back.</summary>
    public IReadOnlyList<RepeatableRow> Repeatables { get; init; } = [];

    /// <summary>What else is in the database, where the history never held a row; read only to apply.</summary>
    public FoundDatabase? Found { get; init; }

    /// <summary>What a <c>redo</c> has undone and not applied again; read only for another one.</summary>
    public IReadOnlyList<long> Undone { get; init; } = [];
}

/// <summary>What a run must know of the server, read together with the history.</summary>
/// <param name="VersionNumber"><c>server_version_num</c>, such as 150018.</param>
/// <param name="IsInRecovery">A hot standby, which takes no writes.</param>
/// <param name="BackendPid">The backend that answered.</param>
/// <param name="DatabaseName">The database.</param>
/// <param name="RoleName">The role that the session begins with, which may be another one than the one that logged in.</param>
/// <param name="ChecksConnections">Whether the server can look for us while it works; not every system that it runs on can do that.</param>
/// <param name="HasEventTriggers">Whether code of the database's runs with each DDL statement.</param>
internal sealed record ServerFacts(
    int VersionNumber, bool IsInRecovery, int BackendPid, string DatabaseName, string RoleName, bool ChecksConnections,
        bool HasEventTriggers);
