using System.Globalization;
using System.Text;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Files;

/// <summary>What people type as a name, brought into snake_case.</summary>
internal static class MigrationName
{
    /// <summary>The longest name, in characters: with number and ending it stays below the 255 bytes that file systems allow.</summary>
    public const int MaxLength = 200;

    /// <summary>
    /// Brings a name into snake_case: <c>AddReactions</c>, <c>add-reactions</c>, <c>add reactions</c> and <c>addReactions</c> are
    /// <c>add_reactions</c>; <c>HTTPServer</c> is <c>http_server</c>.
    /// </summary>
    /// <param name="text">What was typed.</param>
    /// <param name="what">What the text is called in a problem, such as <c>name</c> or <c>argument 2</c>.</param>
    /// <exception cref="ProblemException">CG0801: nothing is left, it is too long, or a character has no place in snake_case.</exception>
    public static string Normalize(string text, string what = "name")
    {
        var name = new StringBuilder(text.Length + 8);
        var column = 0;
        var previous = '_';
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            column += char.IsLowSurrogate(c) ? 0 : 1;
            if (c is '_' or '-' or ' ' or '\t')
            {
                Separate(name);
            }
            else if (char.IsAsciiLetterOrDigit(c))
            {
                // A word starts where a capital follows a small letter or a digit (addReactions), and at the last
                // capital of a row that goes on in small letters (HTTPServer).
                var startsWord = char.IsAsciiLetterUpper(c)
                    && (char.IsAsciiLetterLower(previous) || char.IsAsciiDigit(previous)
                        || (char.IsAsciiLetterUpper(previous) && i + 1 < text.Length && char.IsAsciiLetterLower(text[i + 1])));
                if (startsWord)
                {
                    Separate(name);
                }

                name.Append(char.ToLowerInvariant(c));
            }
            else
            {
                throw new ProblemException(
                    "CG0801", $"The character {Describe(text, i)} can't be part of a name", new SourceLocation(what, 1, column, text),
                    "Use the letters a to z, digits and _, as in add_reactions.");
            }

            previous = c;
        }

        var result = name.ToString().TrimEnd('_');
        return result.Length switch
        {
            0 => throw new ProblemException("CG0801", $"The {what} is empty", advice: "Say what the migration does, as in add_reactions."),
            > MaxLength => throw new ProblemException(
                "CG0801", $"The {what} has {result.Length} characters; at most {MaxLength} are allowed", advice: "Say it shorter."),
            _ => result,
        };
    }

    private static void Separate(StringBuilder name)
    {
        if (name.Length > 0 && name[^1] != '_')
        {
            name.Append('_');
        }
    }

    private static string Describe(string text, int i)
    {
        var rune = Rune.TryGetRuneAt(text, i, out var found) ? found : Rune.ReplacementChar;
        var category = Rune.GetUnicodeCategory(rune);
        return category is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.OtherNotAssigned
            ? $"U+{rune.Value:X4}"
            : $"\"{rune}\"";
    }
}
