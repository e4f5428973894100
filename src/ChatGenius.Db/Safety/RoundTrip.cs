using System.Collections.Immutable;

namespace ChatGenius.Db.Safety;

/// <summary>What up, down and up again showed on a throw-away database.</summary>
/// <param name="Differences">One line for each difference between the schema before up and after down; empty where down restores it.</param>
/// <param name="SecondUp">The same between the first and the second up.</param>
/// <param name="Lost">What came back empty or smaller, one line each, with the number of rows or values that are gone.</param>
/// <param name="Failure">What the server said when down or the second up failed; null when both ran.</param>
public sealed record RoundTrip(
    ImmutableArray<string> Differences, ImmutableArray<string> SecondUp, ImmutableArray<string> Lost, string? Failure = null)
{
    /// <summary>Whether down takes back all that up did.</summary>
    public bool Restores => Failure is null && Differences.IsEmpty && SecondUp.IsEmpty && Lost.IsEmpty;
}
