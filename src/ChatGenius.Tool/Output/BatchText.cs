namespace ChatGenius.Tool.Output;

/// <summary>How far a statement in batches is, in a line.</summary>
internal static class BatchText
{
    /// <param name="state">How far.</param>
    /// <param name="pause">Why it waits; <c>null</c> where it doesn't.</param>
    public static string Of(BatchState state, string? pause = null)
    {
        var left = Left(state);
        var part = state.Left is { } rows && state.Rows + rows > 0 ? $"{100 * state.Rows / (state.Rows + rows)} %, " : "";
        var rate = state.Duration > TimeSpan.Zero ? $", {Number(state.Rows / state.Duration.TotalSeconds)} rows/s" : "";
        return $"{(state.Finished ? "" : part)}{Number(state.Rows)} rows in {Plural.Of(state.Slices, "slice")}"
            + $"{(state.Pass > 1 ? $", pass {state.Pass}" : "")}{(state.Pass > 1 ? "" : rate)}"
            + $"{(left is { } time ? $", {Duration.Format(time)} to go" : "")}, {DataSize.Format(state.WalBytes)} of write-ahead log"
            + (pause is null ? "" : $"; waits: {pause}");
    }

    /// <summary>How long the rest of the pass will take at the rate so far; <c>null</c> where that can't be said.</summary>
    public static TimeSpan? Left(BatchState state) =>
        state is { Left: > 0 and var rows, Rows: > 0, Pass: 1 } && state.Duration > TimeSpan.Zero
            ? state.Duration * ((double)rows / state.Rows) : null;

    private static string Number(double number) => number.ToString("#,##0", CultureInfo.InvariantCulture);
}

/// <summary>How far a statement in batches is.</summary>
/// <param name="Key">The columns by which it goes.</param>
/// <param name="Rows">How many rows this pass has gone through.</param>
/// <param name="RowsLeft">How many are left of it, by the statistics; absent where they don't say.</param>
/// <param name="Changed">How many rows the statement has written, in all passes.</param>
internal sealed record BatchJson(
    string Table, IReadOnlyList<string> Key, long Rows, long? RowsLeft, long Changed, long Slices, long Size, int Pass, double DurationMs,
    double? LeftMs, long WalBytes, DateTime StartedAt, DateTime ChangedAt, bool Finished, string? Control)
{
    public static BatchJson Of(BatchState state) => new(
        state.Key[0], [.. state.Key.Skip(1)], state.Rows, state.Left, state.Changed, state.Slices, state.Size, state.Pass,
        Math.Round(state.Duration.TotalMilliseconds, 3), BatchText.Left(state)?.TotalMilliseconds, state.WalBytes, state.StartedAt,
        state.ChangedAt, state.Finished, string.IsNullOrEmpty(state.Control) ? null : state.Control);
}
