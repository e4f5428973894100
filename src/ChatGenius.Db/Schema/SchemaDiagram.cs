using System.Globalization;
using System.Net;
using System.Text;

namespace ChatGenius.Db.Schema;

/// <summary>The tables with their columns and what refers to what, as a drawing in crow's foot notation.</summary>
internal static class SchemaDiagram
{
    /// <summary>The drawing with a description for those who can't see it; empty where there is no table.</summary>
    /// <param name="snapshot">The schema.</param>
    /// <param name="id">The id of a table's section in the page; null for a drawing by itself.</param>
    internal static string Svg(SchemaSnapshot snapshot, Func<SchemaObject, string>? id)
    {
        var (tables, references) = Read(snapshot);
        if (tables.Count == 0)
        {
            return "";
        }

        var (lines, width, height) = SchemaLayout.Place(tables, references);
        var svg = new StringBuilder();
        svg.Append("<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-labelledby=\"overview\"");
        svg.Append(CultureInfo.InvariantCulture, $" viewBox=\"-8 -8 {width + 16} {height + 16}\" width=\"{width + 16}\">\n");
        svg.Append("<title id=\"overview\">").Append(Describe(references)).Append("</title>\n").Append(id is null ? Style : "");
        foreach (var line in lines)
        {
            Append(svg, line, id);
        }

        foreach (var table in tables)
        {
            Append(svg, table, id);
        }

        return svg.Append("</svg>\n").ToString();
    }

    /// <summary>The same as a Mermaid diagram, which GitHub and GitLab draw in Markdown.</summary>
    internal static string Mermaid(SchemaSnapshot snapshot)
    {
        var (tables, references) = Read(snapshot);
        var text = new StringBuilder("erDiagram\n");
        var names = tables.Index().ToDictionary(pair => pair.Item, pair => $"t{pair.Index}");
        foreach (var table in tables)
        {
            text.Append(CultureInfo.InvariantCulture, $"    {names[table]}[\"{Quoted(table.Table.Name)}\"] {{\n");
            foreach (var column in table.Columns)
            {
                var keys = (column.IsKey, column.Refers) switch
                {
                    (true, true) => " PK, FK", (true, false) => " PK", (false, true) => " FK", _ => "",
                };
                text.Append(CultureInfo.InvariantCulture, $"        {Word(column.Type)} {Word(column.Name)}{keys}\n");
            }

            text.Append("    }\n");
        }

        foreach (var r in references)
        {
            text.Append(CultureInfo.InvariantCulture,
                $"    {names[r.To]} {(r.Optional ? "|o" : "||")}--{(r.Unique ? "o|" : "o{")} {names[r.From]} : \"{Quoted(r.Column)}\"\n");
        }

        return text.ToString();
    }

    private const string Style =
        """
        <style>
        svg { color: #1f2328; background: #fff; } text { font: 12px ui-monospace, monospace; fill: currentColor; }
        .type { fill: #57606a; } .name, .key { font-weight: 600; } rect { fill: #fff; stroke: #8c959f; } .head { fill: #eaeef2; }
        path { fill: none; stroke: #57606a; } circle { fill: #fff; stroke: #57606a; }
        </style>

        """;

    private static (List<DrawnTable> Tables, List<DrawnReference> References) Read(SchemaSnapshot snapshot)
    {
        var tables = snapshot.Objects.Where(o => o.Kind.EndsWith("table", StringComparison.Ordinal) && o.Of("column").Any())
            .Select(o => new DrawnTable(o)).ToList();
        var byName = tables.ToDictionary(t => t.Table.Name);
        return (tables, [.. tables.SelectMany(t => DrawnReference.Of(t, byName)).Distinct()]);
    }

    private static string Describe(List<DrawnReference> references) => "Tables and what they refer to: " + string.Join("; ",
        references.GroupBy(r => r.From)
            .Select(own => E($"{own.Key.Table.Name} refers to {string.Join(", ", own.Select(r => r.To.Table.Name).Distinct())}")));

    private static void Append(StringBuilder svg, DrawnLine line, Func<SchemaObject, string>? id)
    {
        var r = line.Reference;
        svg.Append("<g class=\"line\"");
        if (id is not null)
        {
            svg.Append(CultureInfo.InvariantCulture, $" data-from=\"{id(r.From.Table)}\" data-to=\"{id(r.To.Table)}\"");
        }

        svg.Append("><path d=\"M");
        foreach (var (x, y) in line.Points)
        {
            svg.Append(CultureInfo.InvariantCulture, $" {x} {y}");
        }

        svg.Append("\"/>");
        AppendEnd(svg, line.Points[0], line.Points[1].X, many: false, exactly: !r.Optional);
        AppendEnd(svg, line.Points[^1], line.Points[^2].X, many: !r.Unique, exactly: false);
        svg.Append("</g>\n");
    }

    /// <summary>
    /// The end of a line at a box: two bars for exactly one; a circle, and a bar or a foot, for at most one or any number.
    /// </summary>
    private static void AppendEnd(StringBuilder svg, (double X, double Y) at, double inner, bool many, bool exactly)
    {
        var (x, y, d) = (at.X, at.Y, inner > at.X ? 1 : -1);
        svg.Append(many
            ? string.Create(CultureInfo.InvariantCulture, $"<path d=\"M {x} {y - 5} L {x + (10 * d)} {y} L {x} {y + 5}\"/>")
            : string.Create(
                CultureInfo.InvariantCulture, $"<path d=\"M {x + (5 * d)} {y - 4} v 8{(exactly ? $" m {4 * d} -8 v 8" : "")}\"/>"));
        if (!exactly)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{x + (13 * d)}\" cy=\"{y}\" r=\"3\"/>");
        }
    }

    private static void Append(StringBuilder svg, DrawnTable box, Func<SchemaObject, string>? id)
    {
        var (x, y) = (box.X, box.Y);
        svg.Append("<g class=\"table\"").Append(id is null ? "" : $" data-id=\"{id(box.Table)}\"").Append('>');
        svg.Append(id is null ? "" : $"<a href=\"#{id(box.Table)}\">");
        svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{x}\" y=\"{y}\" width=\"{box.Width}\" height=\"{box.Height}\" rx=\"4\"/>");
        svg.Append(CultureInfo.InvariantCulture,
            $"<rect class=\"head\" x=\"{x}\" y=\"{y}\" width=\"{box.Width}\" height=\"{DrawnTable.HeaderHeight}\" rx=\"4\"/>");
        // From afar the page shows names alone, as large as their boxes allow.
        var name = DrawnTable.ShownName(box.Table.Name);
        var far = Math.Clamp((box.Width - 12) * 10 / (6 * name.Length), 12, 24);
        svg.Append(CultureInfo.InvariantCulture,
            $"<text class=\"name\" x=\"{x + 8}\" y=\"{y + 18}\" data-far=\"{far}px\">{E(name)}</text>");
        svg.Append(id is null ? "" : "</a>");
        foreach (var (row, column) in box.Columns.Index())
        {
            var line = y + DrawnTable.HeaderHeight + (row * DrawnTable.RowHeight) + 14;
            svg.Append(CultureInfo.InvariantCulture,
                $"<text{(column.IsKey ? " class=\"key\"" : "")} x=\"{x + 8}\" y=\"{line}\">{E(DrawnTable.ShownName(column.Name))}</text>");
            svg.Append(CultureInfo.InvariantCulture,
                $"<text class=\"type\" text-anchor=\"end\" x=\"{x + box.Width - 8}\" y=\"{line}\">"
                    + $"{E(DrawnTable.ShownType(column.Type))}</text>");
        }

        if (box.Hidden > 0)
        {
            svg.Append(CultureInfo.InvariantCulture,
                $"<text class=\"type\" x=\"{x + 8}\" y=\"{y + box.Height - 8}\">and {box.Hidden} more</text>");
        }

        svg.Append("</g>\n");
    }

    private static string Quoted(string text) => SchemaPage.Clean(text).Replace("\"", "#quot;", StringComparison.Ordinal);

    /// <summary>A word that Mermaid takes for a type or a name: it knows letters, digits, and few other characters.</summary>
    private static string Word(string text)
    {
        var word = string.Concat(text.Select(c => char.IsAsciiLetterOrDigit(c) || "()[]".Contains(c) ? c : '_')).Trim('_');
        return word.Length == 0 || !char.IsAsciiLetter(word[0]) ? $"_{word}" : word;
    }

    private static string E(string text) => WebUtility.HtmlEncode(SchemaPage.Clean(text));
}
