using System.Globalization;
using System.Net;
using System.Text;

namespace ChatGenius.Db.Schema;

/// <summary>
/// Draws which table refers to which: the referred ones to the left, each table one column to the right of those it needs.
/// </summary>
internal static class SchemaDiagram
{
    private const int RowHeight = 44;
    private const int BoxHeight = 28;
    private const int Gap = 90;
    private const double CharacterWidth = 8;

    /// <summary>The drawing with a description for those who can't see it; empty where no table refers to another.</summary>
    internal static string Svg(SchemaSnapshot snapshot, Func<SchemaObject, string> id)
    {
        var tables = snapshot.Objects.Where(o => ConstraintFact.Of(o).Any(c => c.Type == 'f')).ToList();
        SchemaObject? Find(string? name) =>
            snapshot.Objects.FirstOrDefault(t => t.Name == name && t.Kind.EndsWith("table", StringComparison.Ordinal));
        var references = tables
            .SelectMany(o => ConstraintFact.Of(o).Where(c => c.Type == 'f').Select(c => (From: o, To: Find(c.References))))
            .Where(r => r.To is not null && !ReferenceEquals(r.From, r.To))
            .Select(r => (r.From, To: r.To!)).Distinct().ToList();
        if (references.Count == 0)
        {
            return "";
        }

        var boxes = Place(references);
        var width = boxes.Values.Max(b => b.X + b.Width) + 1;
        var height = boxes.Values.Max(b => b.Y) + BoxHeight + 1;
        var svg = new StringBuilder();
        svg.Append("<figure>\n<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-labelledby=\"overview\"");
        svg.Append(CultureInfo.InvariantCulture, $" viewBox=\"0 0 {width} {height}\" width=\"{width}\">\n");
        svg.Append("<title id=\"overview\">References between tables: ")
            .AppendJoin("; ", references.GroupBy(r => r.From)
                .Select(g => E($"{g.Key.Name} refers to {string.Join(", ", g.Select(r => r.To.Name))}")))
            .Append("</title>\n");
        foreach (var (from, to) in references)
        {
            var (a, b) = (boxes[from], boxes[to]);
            var (x1, y1, x2, y2) = (a.X, a.Y + (BoxHeight / 2), b.X + b.Width, b.Y + (BoxHeight / 2));
            var (bend1, bend2) = (x1 - (Gap / 2), x2 + (Gap / 2));
            svg.Append(CultureInfo.InvariantCulture, $"<path d=\"M {x1} {y1} C {bend1} {y1}, {bend2} {y2}, {x2} {y2}\"/>\n");
        }

        foreach (var (table, box) in boxes)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<a href=\"#{id(table)}\"><rect x=\"{box.X}\" y=\"{box.Y}\" width=\"{box.Width}\"");
            svg.Append(CultureInfo.InvariantCulture, $" height=\"{BoxHeight}\" rx=\"4\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{box.X + 8}\" y=\"{box.Y + 19}\">{E(table.Name)}</text></a>\n");
        }

        return svg.Append("</svg>\n</figure>\n").ToString();
    }

    private static Dictionary<SchemaObject, (int X, int Y, int Width)> Place(List<(SchemaObject From, SchemaObject To)> references)
    {
        var needs = references.ToLookup(r => r.From, r => r.To);
        var levels = new Dictionary<SchemaObject, int>();
        int Level(SchemaObject o)
        {
            if (!levels.TryGetValue(o, out var level))
            {
                // Where references go in a circle, the first one seen counts as the lowest.
                levels[o] = 0;
                levels[o] = level = needs[o].Select(n => Level(n) + 1).DefaultIfEmpty(0).Max();
            }

            return level;
        }

        var boxes = new Dictionary<SchemaObject, (int, int, int)>();
        var x = 0;
        foreach (var column in references.SelectMany(r => new[] { r.From, r.To }).Distinct().GroupBy(Level).OrderBy(g => g.Key))
        {
            var width = column.Max(o => (int)(o.Name.Length * CharacterWidth)) + 16;
            foreach (var (row, o) in column.OrderBy(o => o.Name, StringComparer.Ordinal).Index())
            {
                boxes[o] = (x, row * RowHeight, width);
            }

            x += width + Gap;
        }

        return boxes;
    }

    private static string E(string text) => WebUtility.HtmlEncode(SchemaPage.Clean(text));
}
