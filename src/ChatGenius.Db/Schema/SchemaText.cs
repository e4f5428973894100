using System.Text;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Schema;

/// <summary>
/// The text form of a snapshot: an object is a line <c>kind name</c>, a fact an indented line <c>key: text</c>. A text that
/// would not survive on one line follows in lines of its own, each behind a bar, so that neither an editor that strips
/// white space nor a blank line inside a function can change its meaning.
/// </summary>
internal static class SchemaText
{
    /// <summary>The first line, or its beginning.</summary>
    internal const string Header = "# chatgenius-db schema 1";
    private const string Indent = "    ";
    private const string Bar = "        |";

    /// <summary>The kinds of object in the order they are shown.</summary>
    internal static readonly string[] Kinds =
    [
        "schema", "extension", "language", "access method", "collation", "type", "domain", "sequence", "table", "partitioned table",
        "foreign data wrapper", "server", "user mapping", "foreign table", "view", "materialized view", "statistics", "function",
        "procedure", "aggregate",
        "operator", "operator family", "operator class", "cast", "transform", "conversion", "text search parser", "text search template",
        "text search dictionary", "text search configuration", "event trigger", "publication", "subscription", "default privileges",
        "large object",
        "parameter",
    ];

    internal static string Write(IReadOnlyList<SchemaObject> objects)
    {
        var text = new StringBuilder(Header).Append('\n');
        foreach (var o in objects)
        {
            text.Append('\n');
            Write(text, o);
        }

        return text.ToString();
    }

    internal static void Write(StringBuilder text, SchemaObject o)
    {
        text.Append(o.Kind).Append(' ').Append(o.Name).Append('\n');
        foreach (var fact in o.Facts)
        {
            text.Append(Indent).Append(fact.Key).Append(':');
            if (IsOneLine(fact.Text))
            {
                text.Append(' ').Append(fact.Text).Append('\n');
                continue;
            }

            text.Append('\n');
            foreach (var line in fact.Text.Split('\n'))
            {
                text.Append(Bar).Append(line.Length > 0 ? " " : "").Append(line).Append('\n');
            }
        }
    }

    internal static List<SchemaObject> Parse(SourceText source)
    {
        var lines = source.All().Split('\n');
        // A version control system may have turned LF into CR LF throughout; a CR that belongs to a text stands in single lines.
        if (lines[0].EndsWith('\r'))
        {
            lines = [.. lines.Select(l => l.EndsWith('\r') ? l[..^1] : l)];
        }

        if (!SchemaStamp.IsHeader(lines[0]))
        {
            throw Bad(source, 0, $"This is not the text of a schema: its first line is not \"{Header}\"");
        }

        var objects = new List<SchemaObject>();
        var facts = new List<SchemaFact>();
        for (var i = 1; i < lines.Length; i++)
        {
            var line = lines[i];
            if (line.Length == 0)
            {
                continue;
            }

            if (!line.StartsWith(' '))
            {
                facts = [];
                objects.Add(ParseObject(source, i, line, facts));
            }
            else if (objects.Count > 0 && line.StartsWith(Indent, StringComparison.Ordinal) && EndOfKey(line) is var colon and > 0)
            {
                var value = colon + 2 <= line.Length ? line[(colon + 2)..] : ParseBlock(lines, ref i);
                facts.Add(new SchemaFact(line[Indent.Length..colon], value));
            }
            else
            {
                throw Bad(source, i, "This line is neither an object nor a fact about one");
            }
        }

        return objects;
    }

    private static bool IsOneLine(string text) =>
        text.Length > 0 && !text.Contains('\n') && !char.IsWhiteSpace(text[0]) && !char.IsWhiteSpace(text[^1]);

    private static SchemaObject ParseObject(SourceText source, int line, string text, List<SchemaFact> facts)
    {
        var kind = Kinds.Where(k => text.StartsWith(k + " ", StringComparison.Ordinal)).MaxBy(k => k.Length)
            ?? throw Bad(source, line, "This line begins with no kind of object that is known");
        return new SchemaObject(kind, text[(kind.Length + 1)..], facts);
    }

    private static string ParseBlock(string[] lines, ref int i)
    {
        var block = new List<string>();
        while (i + 1 < lines.Length && lines[i + 1].StartsWith(Bar, StringComparison.Ordinal))
        {
            var line = lines[++i];
            block.Add(line.Length > Bar.Length ? line[(Bar.Length + 1)..] : "");
        }

        return string.Join('\n', block);
    }

    /// <summary>The colon that ends the key: the first one outside a quoted identifier.</summary>
    private static int EndOfKey(string line)
    {
        var quoted = false;
        for (var i = 0; i < line.Length; i++)
        {
            quoted ^= line[i] == '"';
            if (line[i] == ':' && !quoted)
            {
                return i;
            }
        }

        return -1;
    }

    private static ProblemException Bad(SourceText source, int line, string message)
    {
        var offset = 0;
        for (var i = 0; i < line; i++)
        {
            offset += source.Utf8.Span[offset..].IndexOf((byte)'\n') + 1;
        }

        return new ProblemException("CG1102", message, source.At(offset), 
            $"Write the file again with {new ToolCall("schema", "dump", "-o", source.Path)}.");
    }
}
