using ChatGenius.Db.Schema;

namespace ChatGenius.Tests.Schema;

/// <summary>Drawings of schemas that chance has made.</summary>
public class SchemaLayoutTests
{
    [Fact]
    public void No_box_covers_another_and_no_line_goes_through_one()
    {
        foreach (var seed in Enumerable.Range(0, 60))
        {
            var random = new Random(seed);
            Look(random, tables: random.Next(1, 40), $"seed {seed}");
        }

        Look(new Random(1), tables: 500, "the large one");
    }

    private static void Look(Random random, int tables, string about)
    {
        var (boxes, references) = Make(random, tables);

        var (lines, width, height) = SchemaLayout.Place(boxes, references);

        lines.Count.ShouldBe(references.Count, about);
        boxes.ShouldAllBe(b => b.X >= 0 && b.Y >= 0 && b.X + b.Width <= width && b.Y + b.Height <= height, about);
        var pairs = boxes.SelectMany((one, i) => boxes.Skip(i + 1).Select(other => (one, other)));
        pairs.Count(p => p.one.X < p.other.X + p.other.Width && p.other.X < p.one.X + p.one.Width
            && p.one.Y < p.other.Y + p.other.Height && p.other.Y < p.one.Y + p.one.Height).ShouldBe(0, about);
        foreach (var line in lines)
        {
            IsAt(line.Points[0], line.Reference.To).ShouldBeTrue(about);
            IsAt(line.Points[^1], line.Reference.From).ShouldBeTrue(about);
            foreach (var (a, b) in line.Points.Zip(line.Points.Skip(1)))
            {
                (a.X == b.X || a.Y == b.Y).ShouldBeTrue(about);
                boxes.Count(box => Math.Max(a.X, b.X) > box.X && Math.Min(a.X, b.X) < box.X + box.Width
                    && Math.Max(a.Y, b.Y) > box.Y && Math.Min(a.Y, b.Y) < box.Y + box.Height).ShouldBe(0, about);
            }
        }
    }

    private static bool IsAt((double X, double Y) end, DrawnTable box) =>
        (end.X == box.X || end.X == box.X + box.Width) && end.Y > box.Y && end.Y < box.Y + box.Height;

    /// <summary>
    /// Tables with up to 30 columns; references to some that many refer to, in circles, to themselves, and two to the same.
    /// </summary>
    private static (List<DrawnTable> Tables, List<DrawnReference> References) Make(Random random, int count)
    {
        var boxes = Enumerable.Range(0, count).Select(i => new DrawnTable(new SchemaObject("table", $"t{i}",
            [.. Enumerable.Range(0, random.Next(1, 30)).Select(c => new SchemaFact($"column c{c}", "int"))]))).ToList();
        var references = new List<DrawnReference>();
        foreach (var box in boxes)
        {
            for (var left = random.Next(4); left > 0; left--)
            {
                var to = boxes[random.Next(3) == 0 ? random.Next(Math.Min(3, count)) : random.Next(count)];
                references.Add(new DrawnReference(
                    box, to, $"c{random.Next(4)}", $"c{random.Next(2)}", random.Next(2) == 0, random.Next(4) == 0));
            }
        }

        return (boxes, [.. references.Distinct()]);
    }
}
