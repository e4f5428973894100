using System.Text;
using ChatGenius.Db.Text;

namespace ChatGenius.Tool.Output;

/// <summary>A problem as a person reads it: the message, the place with its line and a caret, what to do.</summary>
internal static class ProblemText
{
    /// <summary>Problems and warnings have one form; the word and its colour tell them apart.</summary>
    /// <param name="problem">The problem.</param>
    /// <param name="width">How wide the text may get.</param>
    /// <param name="style">The stream's colours.</param>
    /// <param name="warning">Whether it is less than an error.</param>
    /// <param name="word">The word before the code; null for <c>error</c> or <c>warning</c>.</param>
    public static string Of(Problem problem, int width, Style style, bool warning = false, string? word = null)
    {
        var text = new StringBuilder();
        var lines = Cells.Tame(problem.Message).TrimEnd().Split('\n');
        var heading = $"{word ?? (warning ? "warning" : "error")} {problem.Code}:";
        text.Append(warning ? style.Yellow(heading) : style.Red(heading)).Append(' ').Append(style.Bold(lines[0])).Append('\n');
        Indent(text, "  ", lines.Skip(1));
        if (problem.Where is { } where)
        {
            text.Append("  ").Append(style.Blue("-->")).Append(' ').Append(Cells.Tame(where.ToString())).Append('\n');

            // A line that holds a secret is not shown, rather than with a mark that is no longer under its word.
            if (Secrets.Hide(where.LineText) == where.LineText)
            {
                AppendLine(text, where, width, style);
            }
        }

        if (problem.Advice is { Length: > 0 } advice)
        {
            var help = Cells.Tame(advice).TrimEnd().Split('\n');
            text.Append("  ").Append(style.Green("help:")).Append(' ').Append(help[0]).Append('\n');
            Indent(text, "        ", help.Skip(1));
        }

        return text.ToString();
    }

    private static void Indent(StringBuilder text, string indent, IEnumerable<string> lines)
    {
        foreach (var line in lines)
        {
            text.Append(line.Length == 0 ? "" : indent).Append(line).Append('\n');
        }
    }

    private static void AppendLine(StringBuilder text, SourceLocation where, int width, Style style)
    {
        var number = where.Line.ToString(CultureInfo.InvariantCulture).PadLeft(4);
        var (line, before, marked) = Window(where, Math.Max(width - number.Length - " | ".Length, 20));
        text.Append(style.Blue($"{number} |")).Append(' ').Append(line).Append('\n');
        text.Append(style.Blue($"{new string(' ', number.Length)} |")).Append(' ', 1 + before).Append(style.Red(new string('^', marked)))
            .Append('\n');
    }

    /// <summary>The part of a line that shows what the complaint is about, with an ellipsis where the line was cut.</summary>
    /// <returns>The text, how many cells stand before the mark, and how many the mark covers.</returns>
    private static (string Line, int Before, int Marked) Window(SourceLocation where, int width)
    {
        // A line can be as long as a file; more than this many characters on either side are never shown.
        var (near, skipped) = Near(where.LineText, where.Column - 1, reach: 2 * width);
        var cells = Cells.Split(near);
        var first = IndexOfCodePoint(cells, where.Column - 1 - skipped);
        var last = Math.Max(first, IndexOfCodePoint(cells, where.Column - 1 - skipped + where.Width));
        var cutsStart = skipped > 0 || cells.Take(first + 1).Sum(cell => cell.Width) > width - 1;
        var start = cutsStart ? first : 0;
        for (var room = width / 2; cutsStart && start > 0 && (room -= cells[start - 1].Width) > 0;)
        {
            start--;
        }

        cutsStart &= start > 0 || skipped > 0;
        var used = cutsStart ? 1 : 0;
        var end = start;
        while (end < cells.Count && used + cells[end].Width <= width - (end + 1 < cells.Count ? 1 : 0))
        {
            used += cells[end++].Width;
        }

        var line = string.Concat(cells[start..end].Select(cell => cell.Text));
        var before = (cutsStart ? 1 : 0) + cells[start..first].Sum(cell => cell.Width);
        var marked = cells[first..Math.Max(first, Math.Min(last, end))].Sum(cell => cell.Width);
        return ((cutsStart ? "…" : "") + (end < cells.Count ? line + "…" : line.TrimEnd()), before, Math.Max(marked, 1));
    }

    private static (string Text, int Skipped) Near(string line, int codePoint, int reach)
    {
        var (from, to, at, skipped) = (0, line.Length, 0, 0);
        for (var i = 0; i < line.Length; at++)
        {
            if (at == codePoint - reach)
            {
                (from, skipped) = (i, at);
            }
            else if (at == codePoint + reach)
            {
                to = i;
                break;
            }

            i += char.IsSurrogatePair(line, i) ? 2 : 1;
        }

        return (line[from..to], skipped);
    }

    /// <summary>The cell that shows a code point; the end where the line is shorter.</summary>
    private static int IndexOfCodePoint(List<(string Text, int Width, int CodePoints)> cells, int codePoint)
    {
        var at = 0;
        for (var i = 0; i < cells.Count; i++)
        {
            if ((at += cells[i].CodePoints) > codePoint)
            {
                return i;
            }
        }

        return cells.Count;
    }
}
