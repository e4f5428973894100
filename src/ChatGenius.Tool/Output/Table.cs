using System.Text;
using Spectre.Console;

namespace ChatGenius.Tool.Output;

/// <summary>Rows under headings: drawn for a person at a terminal, aligned and never cut for a pipe.</summary>
internal sealed class Table(params string[] headings)
{
    private readonly List<string[]> _rows = [];

    public void Add(params string[] cells) => _rows.Add([.. cells.Select(cell => Cells.Tame(cell))]);

    /// <summary>Writes the table; nothing where it has no rows.</summary>
    /// <param name="paint">Gives a cell its colour, by the index of its column and its text.</param>
    public void Write(Report report, Func<int, string, string>? paint = null)
    {
        if (_rows.Count == 0 || report.Json)
        {
            return;
        }

        if (report.OutIsTerminal && report.Style.Enabled)
        {
            Draw(report, paint);
        }
        else
        {
            report.Out.Write(Plain());
        }
    }

    /// <summary>Columns two spaces apart, with nothing behind the last one.</summary>
    private string Plain()
    {
        var widths = Enumerable.Range(0, headings.Length).Select(WidthOf).ToArray();
        var text = new StringBuilder();
        foreach (var row in _rows.Prepend(headings))
        {
            text.Append(string.Join("  ", row.Select((cell, i) => Cells.Pad(cell, widths[i]))).TrimEnd()).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>In a narrow terminal the last columns are left out rather than all of them broken into pieces: they matter least.</summary>
    private int Fitting(int width)
    {
        var columns = headings.Length;
        while (columns > 2 && Enumerable.Range(0, columns).Sum(WidthOf) + 3 * columns + 1 > width)
        {
            columns--;
        }

        return columns;
    }

    private int WidthOf(int column) => _rows.Select(row => Cells.Width(row[column])).Append(Cells.Width(headings[column])).Max();

    private void Draw(Report report, Func<int, string, string>? paint)
    {
        var table = new Spectre.Console.Table { Border = TableBorder.Rounded, BorderStyle = new Spectre.Console.Style(foreground: Color.Grey) };
        var columns = Fitting(report.OutWidth);
        foreach (var heading in headings.Take(columns))
        {
            table.AddColumn(new TableColumn(new Text(heading)) { NoWrap = true });
        }

        foreach (var row in _rows)
        {
            table.AddRow(row.Take(columns).Select((cell, i) => new Text(cell, Spectre.Console.Style.Parse(paint?.Invoke(i, cell) ?? "default"))));
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            ColorSystem = ColorSystemSupport.Standard,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(report.Out),
        });
        console.Profile.Width = report.OutWidth;
        console.Write(table);
    }
}
