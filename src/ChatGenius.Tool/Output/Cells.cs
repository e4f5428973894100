using System.Globalization;
using System.Text;
using Spectre.Console.Rendering;

namespace ChatGenius.Tool.Output;

/// <summary>Text as a terminal shows it, where a character takes no cell, one, or two.</summary>
internal static class Cells
{
    private const int TabStop = 4;

    /// <summary>How many cells a text takes.</summary>
    public static int Width(string text)
    {
        // Nearly everything is ASCII, for which no table is asked.
        foreach (var c in text)
        {
            if (c is < ' ' or > '~')
            {
                return Segment.CellCount([new Segment(text)]);
            }
        }

        return text.Length;
    }

    /// <summary>
    /// A text in which nothing moves the cursor, changes colours or turns the direction of writing: it may come from a
    /// file or a server, and a terminal would obey it. Line breaks stay.
    /// </summary>
    public static string Tame(string text)
    {
        if (!text.EnumerateRunes().Any(rune => rune.Value != '\n' && IsUnruly(rune)))
        {
            return text;
        }

        var tame = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value == '\t')
            {
                tame.Append(' ', TabStop);
            }
            else if (rune.Value == '\n' || !IsUnruly(rune))
            {
                tame.Append(rune);
            }
            else if (rune.Value != '\r')
            {
                tame.Append('\uFFFD');
            }
        }

        return tame.ToString();
    }

    /// <summary>A line cut into what a reader sees as characters, tabs as spaces up to their stop and unruly characters replaced.</summary>
    /// <returns>For each the text to print, its width in cells, and how many code points of the line it stands for.</returns>
    public static List<(string Text, int Width, int CodePoints)> Split(string line)
    {
        var cells = new List<(string, int, int)>(line.Length);
        var at = 0;
        for (var elements = StringInfo.GetTextElementEnumerator(line); elements.MoveNext();)
        {
            var element = elements.GetTextElement();
            var codePoints = element.EnumerateRunes().Count();
            var text = element switch
            {
                "\t" => new string(' ', TabStop - at % TabStop),
                _ when element.EnumerateRunes().Any(IsUnruly) => "\uFFFD",
                _ => element,
            };
            var width = Width(text);
            at += width;
            cells.Add((text, width, codePoints));
        }

        return cells;
    }

    /// <summary>The beginning of a text that fits in a number of cells; what is cut off is marked.</summary>
    public static string Cut(string text, int width)
    {
        if (Width(text) <= width)
        {
            return text;
        }

        var kept = new StringBuilder();
        var used = 1;
        foreach (var (cell, cellWidth, _) in Split(text))
        {
            if ((used += cellWidth) > width)
            {
                break;
            }

            kept.Append(cell);
        }

        return width < 1 ? "" : kept.Append('…').ToString();
    }

    /// <summary>Spaces behind a text up to a width.</summary>
    public static string Pad(string text, int width) => text + new string(' ', Math.Max(0, width - Width(text)));

    /// <summary>Control characters, and formatting ones (direction marks and the like) save the joiner that emoji are made with.</summary>
    private static bool IsUnruly(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        || (Rune.GetUnicodeCategory(rune) is UnicodeCategory.Format && rune.Value != 0x200D);
}
