using System.Net;
using System.Text;

namespace ChatGenius.Db.Schema;

/// <summary>The schema as one HTML page that needs nothing beside itself: no script, no font, no address.</summary>
public static class SchemaPage
{
    private const string Css =
        """
        :root { color-scheme: light dark; --line: light-dark(#d8dee4, #3a4048); --dim: light-dark(#57606a, #9aa4af); --soft: light-dark(#f6f8fa, #1c2128); --link: light-dark(#0550ae, #79b8ff); }
        body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; padding: 1rem 1.5rem 4rem; max-width: 72rem; background: light-dark(#fff, #111418); color: light-dark(#1f2328, #e6edf3); }
        a { color: var(--link); } a:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
        h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); } h3 { margin: 2rem 0 .25rem; }
        code, pre { font: .875em/1.5 ui-monospace, monospace; } pre { background: var(--soft); padding: .75rem 1rem; overflow-x: auto; }
        .scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
        th, td { text-align: left; vertical-align: top; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line); } th { color: var(--dim); font-weight: 600; }
        .dim { color: var(--dim); } nav ul { columns: 16rem; padding-left: 1.2rem; } li { break-inside: avoid; }
        svg { max-width: 100%; height: auto; } svg text { font: 13px ui-monospace, monospace; fill: currentColor; } svg rect { fill: var(--soft); stroke: var(--line); } svg path { fill: none; stroke: var(--dim); }
        @media print { nav { display: none; } }
        """;

    /// <summary>Writes the page: an overview of the references between tables, then every object.</summary>
    /// <param name="snapshot">Read from a database; from a dump file the parts of columns are not known.</param>
    /// <param name="title">What the page is called, such as the database's name.</param>
    public static string Html(SchemaSnapshot snapshot, string title)
    {
        var page = new StringBuilder();
        page.Append($"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <title>{E(title)}: database schema</title>
            <style>
            {Css}
            </style>
            </head>
            <body>
            <header><h1>{E(title)}</h1></header>
            <main>

            """);
        page.Append(SchemaDiagram.Svg(snapshot, Id));
        page.Append("<nav aria-label=\"Objects\">\n");
        foreach (var kind in snapshot.Objects.GroupBy(o => o.Kind))
        {
            page.Append($"<h2>{E(Plural(kind.Key))}</h2>\n<ul>\n");
            foreach (var o in kind)
            {
                page.Append($"<li><a href=\"#{Id(o)}\"><code>{E(o.Name)}</code></a></li>\n");
            }

            page.Append("</ul>\n");
        }

        page.Append("</nav>\n");
        var tables = snapshot.Objects.Where(o => o.Kind.EndsWith("table", StringComparison.Ordinal)).ToDictionary(o => o.Name);
        var referring = tables.Values
            .SelectMany(t => ConstraintFact.Of(t).Where(c => c.Type == 'f').Select(c => (c.References, Table: t))).Distinct()
            .ToLookup(r => r.References, r => r.Table);
        foreach (var o in snapshot.Objects)
        {
            Write(page, o, tables, referring[o.Name]);
        }

        return page.Append("</main>\n</body>\n</html>\n").ToString();
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
                    page.Append($"| {Cell(column.QuotedName)} | {Cell(column.Type)} | {Cell(Rest(column))} | {o["comment on column " + column.QuotedName]?.Replace("|", "\\|", StringComparison.Ordinal).Replace('\n', ' ')} |\n");
                }
            }

            page.Append(o.Facts.Any(IsShownAsText) ? "\n" : "");
            foreach (var fact in o.Facts.Where(IsShownAsText))
            {
                page.Append(fact.Text.Contains('\n') ? $"- {Plain(fact.Key)}:\n\n{Block(fact.Text)}\n" : $"- {Plain(fact.Key)}: {Code(fact.Text)}\n");
            }
        }

        return page.ToString();
    }

    private static void Write(
        StringBuilder page, SchemaObject o, Dictionary<string, SchemaObject> tables, IEnumerable<SchemaObject> referring)
    {
        page.Append($"<section aria-labelledby=\"{Id(o)}\">\n<h3 id=\"{Id(o)}\"><span class=\"dim\">{E(o.Kind)}</span> <code>{E(o.Name)}</code></h3>\n");
        if (o["comment"] is { } comment)
        {
            page.Append($"<p>{E(comment).Replace("\n", "<br/>", StringComparison.Ordinal)}</p>\n");
        }

        if (o.Of("column").Any())
        {
            page.Append("<div class=\"scroll\" tabindex=\"0\">\n<table>\n<thead><tr><th scope=\"col\">column</th><th scope=\"col\">type</th><th scope=\"col\"></th><th scope=\"col\">comment</th></tr></thead>\n<tbody>\n");
            foreach (var column in ColumnFact.Of(o))
            {
                page.Append($"<tr><td><code>{E(column.QuotedName)}</code></td><td><code>{E(column.Type)}</code></td><td><code>{E(Rest(column))}</code></td><td>{E(o["comment on column " + column.QuotedName] ?? "")}</td></tr>\n");
            }

            page.Append("</tbody>\n</table>\n</div>\n");
        }

        foreach (var group in o.Facts.Where(IsShownAsText).GroupBy(f => f.Text.Contains('\n')))
        {
            page.Append(group.Key
                ? string.Concat(group.Select(f => $"<p class=\"dim\">{E(f.Key)}</p>\n<pre tabindex=\"0\">{E(f.Text)}</pre>\n"))
                : $"<ul>\n{string.Concat(group.Select(f => $"<li>{E(f.Key)}: {Linked(f, tables)}</li>\n"))}</ul>\n");
        }

        var links = string.Join(", ", referring.Select(t => $"<a href=\"#{Id(t)}\"><code>{E(t.Name)}</code></a>"));
        page.Append(links.Length > 0 ? $"<p><span class=\"dim\">referred to by</span> {links}</p>\n" : "").Append("</section>\n");
    }

    private static string Linked(SchemaFact fact, Dictionary<string, SchemaObject> tables)
    {
        var text = $"<code>{E(fact.Text)}</code>";
        return fact.Kind == "constraint" && new ConstraintFact(fact).References is { } name && tables.TryGetValue(name, out var target)
            ? $"{text} → <a href=\"#{Id(target)}\">{E(name)}</a>"
            : text;
    }

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

    private static string Cell(string text) => text.Length == 0 ? "" : Code(text.Replace('\n', ' ')).Replace("|", "\\|", StringComparison.Ordinal);

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
            id.Append(rune.IsAscii && (Rune.IsLetterOrDigit(rune) || rune.Value is '-' or '.' or '_') ? rune.ToString() : $"~{rune.Value:x}~");
        }

        return id.ToString();
    }

    private static string E(string text)
    {
        // What XML 1.0 forbids even as a reference would make the page unreadable for strict readers.
        var clean = string.Concat(text.Where(c => c >= ' ' || c is '\n' or '\t'));
        return WebUtility.HtmlEncode(clean);
    }
}
