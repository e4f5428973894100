using System.Text;

namespace ChatGenius.Db.Schema;

/// <summary>The lines in which two texts differ, by their longest common subsequence.</summary>
internal static class LineDiff
{
    /// <summary>Each line begins with a line feed, four spaces and its sign; runs of equal lines are cut to their ends.</summary>
    public static string Between(string before, string after)
    {
        var lines = Compare(before.Split('\n'), after.Split('\n'));
        var text = new StringBuilder();
        for (var i = 0; i < lines.Count; i++)
        {
            var isNearChange = (i > 0 && lines[i - 1].Sign != ' ') || (i + 1 < lines.Count && lines[i + 1].Sign != ' ');
            if (lines[i].Sign != ' ' || isNearChange)
            {
                text.Append("\n    ").Append($"{lines[i].Sign} {lines[i].Line}".TrimEnd());
            }
        }

        return text.ToString();
    }

    private static List<(char Sign, string Line)> Compare(string[] old, string[] @new)
    {
        // common[i, j]: how many lines the rests from i and from j have in common, in order.
        var common = new int[old.Length + 1, @new.Length + 1];
        for (var i = old.Length - 1; i >= 0; i--)
        {
            for (var j = @new.Length - 1; j >= 0; j--)
            {
                common[i, j] = old[i] == @new[j] ? common[i + 1, j + 1] + 1 : Math.Max(common[i + 1, j], common[i, j + 1]);
            }
        }

        var lines = new List<(char, string)>();
        for (int i = 0, j = 0; i < old.Length || j < @new.Length;)
        {
            if (i < old.Length && j < @new.Length && old[i] == @new[j])
            {
                lines.Add((' ', old[i++]));
                j++;
            }
            else if (j == @new.Length || (i < old.Length && common[i + 1, j] >= common[i, j + 1]))
            {
                lines.Add(('-', old[i++]));
            }
            else
            {
                lines.Add(('+', @new[j++]));
            }
        }

        return lines;
    }
}
