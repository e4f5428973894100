using System.Text;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Sql;

/// <summary>A statement that goes through a table in slices, with the bounds of one slice in the place of <c>:batch_first</c> and
/// <c>:batch_last</c>.</summary>
internal sealed class SlicedStatement : SqlStatement
{
    // Where each literal begins and how long it is and its placeholder was, in characters (code points), as the server counts.
    private readonly List<(int Start, int Length, int Placeholder)> _literals = [];
    private readonly string _text;

    /// <summary>Puts two literals in.</summary>
    /// <param name="original">The statement as the file has it.</param>
    /// <param name="first">The first key of the slice, as SQL.</param>
    /// <param name="last">The last one.</param>
    internal SlicedStatement(SqlStatement original, string first, string last)
        : base(original)
    {
        var text = new StringBuilder();
        var length = 0;
        foreach (var (piece, isFirst) in Pieces(original))
        {
            text.Append(piece);
            length += Characters(piece);
            if (isFirst is { } named)
            {
                var literal = named ? first : last;
                text.Append(literal);
                _literals.Add((length, Characters(literal), named ? First.Length : Last.Length));
                length += Characters(literal);
            }
        }

        _text = text.ToString();
    }

    /// <summary>What stands for the first key of a slice.</summary>
    internal const string First = ":batch_first";

    /// <summary>What stands for the last key of a slice.</summary>
    internal const string Last = ":batch_last";

    /// <inheritdoc/>
    public override string Text => _text;

    /// <inheritdoc/>
    public override SourceLocation At(int position)
    {
        var shift = 0;
        foreach (var (start, length, placeholder) in _literals)
        {
            if (position - 1 < start)
            {
                break;
            }

            if (position - 1 < start + length)
            {
                return base.At(start + 1 + shift);
            }

            shift += placeholder - length;
        }

        return base.At(position + shift);
    }

    /// <summary>The names behind a colon that begin with <c>batch_</c>, outside strings and comments, with their places.</summary>
    internal static List<(int Start, int End, string Name)> Placeholders(SqlStatement statement)
    {
        var text = statement.Source.Utf8.Span;
        var found = new List<(int, int, string)>();
        var tokens = statement.Tokens();
        for (SqlToken token = default, next; (next = SqlRecognizer.Next(ref tokens)).Kind != SqlTokenKind.End; token = next)
        {
            if (next.Kind == SqlTokenKind.Word && token.Kind == SqlTokenKind.Symbol && token.End == next.Start
                && text[token.Start] == (byte)':' && text[next.Start..next.End].StartsWith("batch_"u8))
            {
                found.Add((token.Start, next.End, Encoding.UTF8.GetString(text[token.Start..next.End])));
            }
        }

        return found;
    }

    /// <summary>The statement cut at its placeholders: the text before each, and whether it is the first key; after the last one a rest
    /// without.</summary>
    internal static IEnumerable<(string Text, bool? IsFirst)> Pieces(SqlStatement statement)
    {
        var at = statement.Start;
        foreach (var (start, end, name) in Placeholders(statement))
        {
            yield return (statement.Source.Substring(at, start), name == First);
            at = end;
        }

        yield return (statement.Source.Substring(at, statement.End), null);
    }

    private static int Characters(string text) => text.EnumerateRunes().Count();
}
