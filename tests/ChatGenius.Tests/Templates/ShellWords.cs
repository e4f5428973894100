namespace ChatGenius.Tests.Templates;

/// <summary>Divides a line into words as a POSIX shell does, as far as examples need it: blanks, quotes, backslashes.</summary>
internal static class ShellWords
{
    /// <summary>The call in a line of a help's examples: what stands before two blanks or more.</summary>
    public static string BeforeRemark(string line) => line.Split("  ", 2)[0];

    public static List<string> Split(string line)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var open = '\0';
        var any = false;
        for (var i = 0; i < line.Length; i++)
        {
            var c = line[i];
            if (c == '\\' && i + 1 < line.Length && (open == '\0' || (open == '"' && line[i + 1] is '"' or '\\' or '$' or '`')))
            {
                word.Append(line[++i]);
            }
            else if (open != '\0')
            {
                if (c == open)
                {
                    open = '\0';
                }
                else
                {
                    word.Append(c);
                }
            }
            else if (c is '\'' or '"')
            {
                open = c;
                any = true;
            }
            else if (c == ' ')
            {
                if (any || word.Length > 0)
                {
                    words.Add(word.ToString());
                    word.Clear();
                    any = false;
                }
            }
            else
            {
                word.Append(c);
            }
        }

        if (any || word.Length > 0)
        {
            words.Add(word.ToString());
        }

        return words;
    }
}
