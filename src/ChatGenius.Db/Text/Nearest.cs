namespace ChatGenius.Db.Text;

/// <summary>Finds the known word that was probably meant.</summary>
internal static class Nearest
{
    /// <summary>The known word at the smallest distance, if it is small for the length of the word; otherwise null.</summary>
    public static string? To(string word, IEnumerable<string> known)
    {
        var (nearest, best) = ((string?)null, Math.Max(1, word.TrimStart('-').Length / 3) + 1);
        foreach (var candidate in known)
        {
            var begins = candidate.Length > word.Length && word.TrimStart('-').Length >= 2
                && candidate.StartsWith(word, StringComparison.OrdinalIgnoreCase);
            var distance = begins ? 1 : Distance(word.ToUpperInvariant(), candidate.ToUpperInvariant());
            if (distance < best)
            {
                (nearest, best) = (candidate, distance);
            }
        }

        return nearest;
    }

    /// <summary>Letters to insert, remove, replace or swap with their neighbour (optimal string alignment).</summary>
    public static int Distance(string a, string b)
    {
        var (beforeLast, last, row) = (new int[b.Length + 1], new int[b.Length + 1], new int[b.Length + 1]);
        for (var j = 0; j <= b.Length; j++)
        {
            last[j] = j;
        }

        for (var i = 1; i <= a.Length; i++)
        {
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                row[j] = Math.Min(Math.Min(last[j], row[j - 1]) + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    row[j] = Math.Min(row[j], beforeLast[j - 2] + 1);
                }
            }

            (beforeLast, last, row) = (last, row, beforeLast);
        }

        return last[b.Length];
    }
}
