using System.Text;
using ChatGenius.Db.Text;
using Scriban.Runtime;

namespace ChatGenius.Db.Schema;

/// <summary>The schema as one HTML page that needs nothing beside itself: no script, no font, no address.</summary>
internal static class SchemaPage
{
    /// <summary>Writes the page: an overview of the references between tables, then every object.</summary>
    /// <param name="snapshot">Read from a database; from a dump file the parts of columns are not known.</param>
    /// <param name="title">What the page is called, such as the database's name.</param>
    public static string Html(SchemaSnapshot snapshot, string title)
    {
        var tables = snapshot.Objects.Where(o => o.Kind.EndsWith("table", StringComparison.Ordinal)).ToDictionary(o => o.Name);
        var referring = tables.Values
            .SelectMany(t => ConstraintFact.Of(t).Where(c => c.Type == 'f').Select(c => (c.References, Table: t))).Distinct()
            .ToLookup(r => r.References, r => r.Table);
        return TextTemplate.RenderPage(typeof(SchemaPage).Assembly, "SchemaPage", new ScriptObject
        {
            ["title"] = Clean(title),
            ["diagram"] = SchemaDiagram.Svg(snapshot, Id),
            ["kinds"] = new ScriptArray(snapshot.Objects.GroupBy(o => o.Kind).Select(kind => new ScriptObject
            {
                ["plural"] = Clean(Plural(kind.Key)),
                ["objects"] = new ScriptArray(kind.Select(Link)),
            })),
            ["objects"] = new ScriptArray(snapshot.Objects.Select(o => Describe(o, tables, referring[o.Name]))),
        });
    }

    /// <summary>The same facts as Markdown, for a repository.</summary>
    /// <inheritdoc cref="Html" path="/param"/>
    public static string Markdown(SchemaSnapshot snapshot, string title)
    {
        var page = new StringBuilder($"# {title}\n");
        foreach (var o in snapshot.Objects)
        {
            page.Append($"\n## {o.Kind} {Code(o.Name)}\n");
            if (o["comment"] is { } comment)
            {
                page.Append($"\n{comment}\n");
            }

            if (o.Of("column").Any())
            {
                page.Append("\n| column | type | | comment |\n|---|---|---|---|\n");
                foreach (var column in ColumnFact.Of(o))
                {
                    var said = o["comment on column " + column.QuotedName]?
                        .Replace("|", "\\|", StringComparison.Ordinal).Replace('\n', ' ');
                    page.Append($"| {Cell(column.QuotedName)} | {Cell(column.Type)} | {Cell(Rest(column))} | {said} |\n");
                }
            }

            page.Append(o.Facts.Any(IsShownAsText) ? "\n" : "");
            foreach (var fact in o.Facts.Where(IsShownAsText))
            {
                page.Append($"- {Plain(fact.Key)}:")
                    .Append(fact.Text.Contains('\n') ? $"\n\n{Block(fact.Text)}\n" : $" {Code(fact.Text)}\n");
            }
        }

        return page.ToString();
    }

    private static ScriptObject Link(SchemaObject o) => new() { ["id"] = Id(o), ["name"] = Clean(o.Name) };

    private static ScriptObject Describe(SchemaObject o, Dictionary<string, SchemaObject> tables, IEnumerable<SchemaObject> referring)
    {
        var one = Link(o);
        one["kind"] = Clean(o.Kind);
        one["comment"] = o["comment"] is { } comment ? Clean(comment) : null;
        one["columns"] = new ScriptArray(ColumnFact.Of(o).Select(column => new ScriptObject
        {
            ["name"] = Clean(column.QuotedName),
            ["type"] = Clean(column.Type),
            ["rest"] = Clean(Rest(column)),
            ["comment"] = Clean(o["comment on column " + column.QuotedName] ?? ""),
        }));
        var groups = o.Facts.Where(IsShownAsText).GroupBy(fact => fact.Text.Contains('\n'));
        one["facts"] = new ScriptArray(groups.Select(group => new ScriptObject
        {
            ["long"] = group.Key,
            ["facts"] = new ScriptArray(group.Select(fact => new ScriptObject
            {
                ["key"] = Clean(fact.Key),
                ["text"] = Clean(fact.Text),
                ["target"] = Target(fact) is { } name && tables.TryGetValue(name, out var target) ? Link(target) : null,
            })),
        }));
        one["referring"] = new ScriptArray(referring.Select(Link));
        return one;
    }

    private static string? Target(SchemaFact fact) => fact.Kind == "constraint" ? new ConstraintFact(fact).References : null;

    private static bool IsShownAsText(SchemaFact fact) =>
        fact.Kind != "column" && fact.Key != "comment" && !fact.Key.StartsWith("comment on column ", StringComparison.Ordinal);

    private static string Rest(ColumnFact c) => c.Fact.Text[c.Type.Length..].TrimStart();

    private static string Plural(string kind) => kind switch
    {
        "operator class" => "operator classes",
        "foreign data wrapper" or "default privileges" or "statistics" => kind,
        _ when kind.EndsWith('y') => kind[..^1] + "ies",
        _ => kind + "s",
    };

    private static string Cell(string text) =>
        text.Length == 0 ? "" : Code(text.Replace('\n', ' ')).Replace("|", "\\|", StringComparison.Ordinal);

    /// <summary>A code span whose fence is no run of backticks inside (CommonMark: "6.1 Code spans").</summary>
    private static string Code(string text)
    {
        var fence = Fence(text, "`");
        return fence.Length == 1 ? $"`{text}`" : $"{fence} {text} {fence}";
    }

    private static string Block(string text)
    {
        var fence = Fence(text, "```");
        return $"{fence}sql\n{text}\n{fence}\n";
    }

    private static string Fence(string text, string fence)
    {
        while (text.Contains(fence, StringComparison.Ordinal))
        {
            fence += "`";
        }

        return fence;
    }

    private static string Plain(string text) => string.Concat(text.Select(c => "\\`*[]<>|".Contains(c) ? $"\\{c}" : $"{c}"));

    /// <summary>An id without a character that would have to be escaped in an address.</summary>
    private static string Id(SchemaObject o)
    {
        var id = new StringBuilder();
        foreach (var rune in $"{o.Kind}-{o.Name}".EnumerateRunes())
        {
            var isPlain = rune.IsAscii && (Rune.IsLetterOrDigit(rune) || rune.Value is '-' or '.' or '_');
            id.Append(isPlain ? rune.ToString() : $"~{rune.Value:x}~");
        }

        return id.ToString();
    }

    /// <summary>What XML 1.0 forbids even as a reference would make the page unreadable for strict readers.</summary>
    internal static string Clean(string text) => string.Concat(text.Where(c => c >= ' ' || c is '\n' or '\t'));
}
