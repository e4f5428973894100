using System.Globalization;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Files;

/// <summary>What a section says of its batches: <c>-- migrate:up batch:messages key:id target:100ms</c>.</summary>
/// <param name="Table">The table, as SQL, with its schema where the section names one.</param>
/// <param name="Key">The columns by which it goes, not quoted; empty for those of the primary key.</param>
/// <param name="Statement">Which statement of the section names the slice, counted from 0.</param>
internal sealed record BatchOptions(string Table, IReadOnlyList<string> Key, int Statement)
{
    /// <summary>How many rows a slice has; <c>null</c> where it is found as it runs.</summary>
    public int? Size { get; init; }

    /// <summary>How long to wait after each slice.</summary>
    public TimeSpan Pause { get; init; }

    /// <summary>How long a slice may take; the size is steered to it.</summary>
    public TimeSpan Target { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Whether it goes through the table again and again, until one pass has changed no row.</summary>
    public bool UntilNone { get; init; }

    /// <summary>Table and key as a person reads them: <c>messages by id</c>.</summary>
    public string Display =>
        $"{Table} by {(Key.Count == 0 ? "its primary key" : string.Join(", ", Key.Select(SqlIdentifier.Quote)))}";

    /// <summary>The options as they are written, for comparing.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"batch:{Table} key:{string.Join(',', Key.Select(SqlIdentifier.Quote))} size:{Size} pause:{Pause} target:{Target} "
            + $"until:{UntilNone}");
}
