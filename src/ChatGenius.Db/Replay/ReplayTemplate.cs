using ChatGenius.Db.Server;

namespace ChatGenius.Db.Replay;

/// <summary>A database that is copied.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Missing">What it has not got because its server lacks something: why.</param>
internal sealed record ReplayTemplate(string Name, IReadOnlyList<string> Missing)
{
    /// <summary>Whose it is, and its copies are.</summary>
    internal string Owner { get; init; } = Cluster.Role;

    /// <summary>Its comment; null where it has none.</summary>
    internal string? Comment { get; init; }

    /// <summary>Whether it has settings, grants or limits of its own, which CREATE DATABASE does not copy.</summary>
    internal bool HasProperties { get; init; }

    /// <summary>Copies that nobody uses yet.</summary>
    internal IReadOnlyList<string> Spares { get; init; } = [];

    /// <summary>Whether it is small enough for copies that nobody may ever use.</summary>
    internal bool MayHaveSpares { get; init; }
}
