using System.Text;

namespace ChatGenius.Tool.Output;

/// <summary>Text as a terminal shows it, where a character takes no cell, one, or two.</summary>
internal static class Cells
{
    private const int TabStop = 4;

    // Where the characters of two cells begin and end, by Unicode's East Asian Width (W and F) of version 15.
    private static readonly int[] Wide =
    [
        0x1100, 0x115F, 0x231A, 0x231B, 0x2329, 0x232A, 0x23E9, 0x23EC, 0x23F0, 0x23F0, 0x23F3, 0x23F3, 0x25FD, 0x25FE, 0x2614, 0x2615,
        0x2648, 0x2653, 0x267F, 0x267F, 0x2693, 0x2693, 0x26A1, 0x26A1, 0x26AA, 0x26AB, 0x26BD, 0x26BE, 0x26C4, 0x26C5, 0x26CE, 0x26CE,
        0x26D4, 0x26D4, 0x26EA, 0x26EA, 0x26F2, 0x26F3, 0x26F5, 0x26F5, 0x26FA, 0x26FA, 0x26FD, 0x26FD, 0x2705, 0x2705, 0x270A, 0x270B,
        0x2728, 0x2728, 0x274C, 0x274C, 0x274E, 0x274E, 0x2753, 0x2755, 0x2757, 0x2757, 0x2795, 0x2797, 0x27B0, 0x27B0, 0x27BF, 0x27BF,
        0x2B1B, 0x2B1C, 0x2B50, 0x2B50, 0x2B55, 0x2B55, 0x2E80, 0x303E, 0x3041, 0x3247, 0x3250, 0x4DBF, 0x4E00, 0xA4CF, 0xA960, 0xA97F,
        0xAC00, 0xD7AF, 0xF900, 0xFAFF, 0xFE10, 0xFE1F, 0xFE30, 0xFE6F, 0xFF01, 0xFF60, 0xFFE0, 0xFFE7, 0x16FE0, 0x1BBFF, 0x1F004, 0x1F004,
        0x1F0CF, 0x1F0D0, 0x1F18E, 0x1F18E, 0x1F191, 0x1F19A, 0x1F200, 0x1F320, 0x1F32D, 0x1F335, 0x1F337, 0x1F37C, 0x1F37E, 0x1F393,
        0x1F3A0, 0x1F3CA, 0x1F3CF, 0x1F3D3, 0x1F3E0, 0x1F3F0, 0x1F3F4, 0x1F3F4, 0x1F3F8, 0x1F43E, 0x1F440, 0x1F440, 0x1F442, 0x1F4FC,
        0x1F4FF, 0x1F53D, 0x1F54B, 0x1F54E, 0x1F550, 0x1F567, 0x1F57A, 0x1F57A, 0x1F595, 0x1F596, 0x1F5A4, 0x1F5A4, 0x1F5FB, 0x1F64F,
        0x1F680, 0x1F6C5, 0x1F6CC, 0x1F6CC, 0x1F6D0, 0x1F6D2, 0x1F6D5, 0x1F6DF, 0x1F6EB, 0x1F6EF, 0x1F6F4, 0x1F6FF, 0x1F7E0, 0x1F7FF,
        0x1F90C, 0x1F93A, 0x1F93C, 0x1F945, 0x1F947, 0x1F9FF, 0x1FA70, 0x1FAFF, 0x20000, 0x3FFFD,
    ];

    /// <summary>How many cells a text takes.</summary>
    public static int Width(string text)
    {
        // Nearly everything is ASCII, for which no table is asked.
        return text.AsSpan().ContainsAnyExceptInRange(' ', '~') ? text.EnumerateRunes().Sum(Width) : text.Length;
    }

    private static int Width(Rune rune)
    {
        if (Rune.GetUnicodeCategory(
            rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format or UnicodeCategory.Control)
        {
            return 0;
        }

        // The place where it would be put in is odd within a pair, and a boundary itself belongs to its pair.
        var at = Array.BinarySearch(Wide, rune.Value);
        return at >= 0 || (~at & 1) == 1 ? 2 : 1;
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
