namespace ChatGenius.Db.Migrations;

/// <summary>One line of the log: something that was done, or tried.</summary>
/// <param name="Action"><c>applied</c>, <c>rolled_back</c>, <c>redone</c>, <c>failed</c>, <c>repaired</c>, <c>baselined</c>,
/// <c>unmarked</c>, <c>accepted</c>, <c>renumbered</c>, <c>batched</c>; of a repeatable object <c>repeated</c>, <c>dropped</c> or
/// <c>forgotten</c>; of kept values <c>pruned</c>; <c>forecast</c>: what was expected of a migration and what it took, or
/// <c>allowed</c>: what would have been refused, for the reason in the detail.</param>
/// <param name="Command">The command that did it.</param>
/// <param name="Version">The migration's number; <c>null</c> where it is about none.</param>
/// <param name="Name">Its description.</param>
/// <param name="Duration">How long it took on the server, where that is known.</param>
/// <param name="ToolVersion">The version of the tool.</param>
/// <param name="Error">What the server said, where it failed.</param>
/// <param name="Statement">The statement that failed.</param>
/// <param name="Detail">What else there is to say, such as how it was settled.</param>
internal sealed record LogEntry(
    string Action,
    string Command,
    long? Version,
    string? Name,
    TimeSpan? Duration,
    string ToolVersion,
    string? Error = null,
    string? Statement = null,
    string? Detail = null)
{
    /// <summary>When, by the server's clock; known when it is read.</summary>
    public DateTime At { get; init; }

    /// <summary>The role that did it; known when it is read.</summary>
    public string DoneBy { get; init; } = "";
}
