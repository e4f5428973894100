using System.Collections.Immutable;

namespace ChatGenius.Db.Safety;

/// <summary>What up, down and up again showed on a throw-away database.</summary>
/// <param name="Differences">One line for each difference between the schema before up and after down; empty where down restores
/// it.</param>
/// <param name="SecondUp">The same between the first and the second up.</param>
/// <param name="Lost">What came back empty or smaller, and was not kept by <c>keep:true</c>.</param>
/// <param name="Failure">What the server said when down or the second up failed; null when both ran.</param>
internal sealed record RoundTrip(
    ImmutableArray<string> Differences, ImmutableArray<string> SecondUp, ImmutableArray<Loss> Lost, string? Failure = null)
{
    /// <summary>Whether down takes back all that up did.</summary>
    public bool Restores => Failure is null && Differences.IsEmpty && SecondUp.IsEmpty && Lost.IsEmpty;
}

/// <summary>Rows or values that were there before up and are not after down.</summary>
/// <param name="Subject">The table, or the column as <c>table.column</c>.</param>
/// <param name="Amount">How many, such as <c>200 values</c>.</param>
internal sealed record Loss(string Subject, string Amount)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Amount} of {Subject}";
}
