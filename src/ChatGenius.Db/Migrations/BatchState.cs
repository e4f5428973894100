namespace ChatGenius.Db.Migrations;

/// <summary>How far a statement that goes in batches is.</summary>
/// <param name="Version">The migration's number.</param>
/// <param name="Direction">Which section.</param>
/// <param name="Statement">Which statement, counted from 1.</param>
/// <param name="Key">The table, qualified, and the columns by which it goes.</param>
internal sealed record BatchState(long Version, MigrationDirection Direction, int Statement, IReadOnlyList<string> Key)
{
    /// <summary>The last key that is done, a text a column; <c>null</c> before the first slice of a pass.</summary>
    public IReadOnlyList<string>? LastKey { get; init; }

    /// <summary>The last key of the pass; <c>null</c> where the table was empty.</summary>
    public IReadOnlyList<string>? UpperKey { get; init; }

    /// <summary>How many rows the next slice has.</summary>
    public long Size { get; init; }

    /// <summary>How many rows this pass has gone through.</summary>
    public long Rows { get; init; }

    /// <summary>How many rows the statement has written in all passes.</summary>
    public long Changed { get; init; }

    /// <summary>How many slices there were.</summary>
    public long Slices { get; init; }

    /// <summary>Which pass it is, counted from 1.</summary>
    public int Pass { get; init; } = 1;

    /// <summary>How long the slices took on the server.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>How much write-ahead log the whole server wrote while they ran.</summary>
    public long WalBytes { get; init; }

    /// <summary>When the first slice began.</summary>
    public DateTime StartedAt { get; init; }

    /// <summary>When the last slice ended.</summary>
    public DateTime ChangedAt { get; init; }

    /// <summary>Whether the last slice is done.</summary>
    public bool Finished { get; init; }

    /// <summary>What somebody has asked of the run, such as <c>pause</c>.</summary>
    public string? Control { get; init; }

    /// <summary>How many rows the table has, by its statistics; <c>null</c> where they don't say.</summary>
    public long? Total { get; init; }

    /// <summary>How many rows are left in this pass, as far as is known.</summary>
    public long? Left => Finished ? 0 : Total is { } total && total > Rows ? total - Rows : null;

    /// <summary>Whether another is of the same statement.</summary>
    internal bool IsSame(BatchState other) =>
        (Version, Direction, Statement) == (other.Version, other.Direction, other.Statement);

    /// <summary>In a line: rows, slices, write-ahead log.</summary>
    public override string ToString() =>
        $"{Rows} rows in {Slices} {(Slices == 1 ? "slice" : "slices")}{(Pass > 1 ? $", pass {Pass}" : "")}, {Changed} written, "
            + $"{WalBytes / 1024 / 1024} MB of write-ahead log";
}
