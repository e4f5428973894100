using System.Text;

namespace ChatGenius.Tool.Output;

/// <summary>Rows under headings, aligned; on a terminal they fit into its width, elsewhere nothing is cut.</summary>
/// <param name="needed">How many columns are shown at any width.</param>
/// <param name="shrinks">The column that gives way first.</param>
/// <param name="headings">One a column.</param>
internal sealed class Table(int needed, int shrinks, params string[] headings)
{
    /// <summary>What the shrinking column keeps as long as there are columns that can be left out.</summary>
    private const int Least = 20;

    private readonly List<string[]> _rows = [];

    public void Add(params string[] cells) => _rows.Add([.. cells.Select(cell => Cells.Tame(cell))]);

    /// <summary>Writes the table; nothing where it has no rows.</summary>
    /// <param name="report">Where it goes.</param>
    /// <param name="paint">Gives a cell its colour, by the index of its column and its text.</param>
    public void Write(Report report, Func<int, string, Func<string, string>?>? paint = null)
    {
        if (_rows.Count == 0 || report.Json)
        {
            return;
        }

        var widths = Fit(report.OutIsTerminal ? report.OutWidth : int.MaxValue);
        foreach (var (row, isHeading) in _rows.Select(row => (row, false)).Prepend((headings, true)))
        {
            var line = new StringBuilder();
            for (var i = 0; i < widths.Length; i++)
            {
                var cell = Cells.Cut(row[i], widths[i]);
                var padded = i + 1 < widths.Length ? Cells.Pad(cell, widths[i]) : cell;
                var color = isHeading ? report.Style.Bold : paint?.Invoke(i, row[i]);
                line.Append(i > 0 ? "  " : "").Append(color is null ? padded : color(cell) + padded[cell.Length..]);
            }

            report.Result(line.ToString().TrimEnd());
        }
    }

    /// <summary>The widths of the columns that are shown: the last ones are left out where a narrow terminal has no room for
    /// them.</summary>
    private int[] Fit(int width)
    {
        var widths = headings.Select((heading, i) => _rows.Select(row => Cells.Width(row[i])).Append(Cells.Width(heading)).Max()).ToList();
        void Shrink(int least) => widths[shrinks] =
            Math.Max(Math.Min(widths[shrinks], least), widths[shrinks] - Math.Max(0, Total() - width));
        int Total() => widths.Sum() + (2 * (widths.Count - 1));

        var full = widths[shrinks];
        Shrink(Least);
        while (widths.Count > needed && Total() > width)
        {
            widths.RemoveAt(widths.Count - 1);
        }

        widths[shrinks] = full;
        Shrink(least: 1);
        return [.. widths];
    }
}
