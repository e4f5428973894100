namespace ChatGenius.Db.Schema;

/// <summary>The line of a reference, from the table that it refers to.</summary>
/// <param name="Reference">The reference.</param>
/// <param name="Points">Its corners; each part is level or upright.</param>
internal sealed record DrawnLine(DrawnReference Reference, IReadOnlyList<(double X, double Y)> Points);

/// <summary>
/// Places tables in columns, and the lines between them so that none goes through a box: a table is to the right of those that it refers
/// to, lines go up and down between two columns only, and where one has to cross a column, a place is kept for it there.
/// </summary>
internal sealed class SchemaLayout
{
    private const int Grid = 6;
    private const int BetweenBoxes = 24;
    private const int LineRoom = 12;
    private const int EndRoom = 34;
    private const int BetweenLines = 9;
    private const int BetweenParts = 48;

    private readonly List<DrawnTable> _tables;
    private readonly ILookup<DrawnTable, DrawnReference> _from;
    private readonly List<List<Item>> _columns = [];
    private readonly Dictionary<DrawnTable, Item> _items = [];
    private readonly List<Bundle> _bundles = [];

    private SchemaLayout(List<DrawnTable> tables, IEnumerable<DrawnReference> references)
    {
        _tables = tables;
        _from = references.ToLookup(r => r.From);
    }

    /// <summary>Gives every table its place.</summary>
    /// <param name="tables">What is drawn.</param>
    /// <param name="references">Between those.</param>
    /// <returns>The lines, and the size of the drawing.</returns>
    internal static (IReadOnlyList<DrawnLine> Lines, int Width, int Height) Place(
        IReadOnlyList<DrawnTable> tables, IReadOnlyList<DrawnReference> references)
    {
        var parts = Connected(tables, references).Select(part =>
        {
            var own = part.ToHashSet();
            var layout = new SchemaLayout(part, references.Where(r => own.Contains(r.From)));
            var lines = layout.PlacePart();
            var low = (int)lines.SelectMany(line => line.Points).Select(p => p.Y).Append(0).Max() + Grid;
            return (Tables: part, Lines: lines, Width: part.Max(t => t.X + t.Width) + (lines.Count > 0 ? EndRoom : 0),
                Height: Math.Max(part.Max(t => t.Y + t.Height), low));
        }).OrderByDescending(part => part.Tables.Count).ThenByDescending(part => part.Height).ToList();
        var most = Math.Max(
            parts.Select(p => p.Width).Append(0).Max(),
            (int)Math.Sqrt(parts.Sum(p => 1.6 * (p.Width + BetweenParts) * (p.Height + BetweenParts))));
        var (x, y, row, width) = (0, 0, 0, 0);
        var all = new List<DrawnLine>();
        foreach (var part in parts)
        {
            if (x > 0 && x + part.Width > most)
            {
                (x, y, row) = (0, y + row + BetweenParts, 0);
            }

            foreach (var table in part.Tables)
            {
                (table.X, table.Y) = (table.X + x, table.Y + y);
            }

            var (dx, dy) = (x, y);
            all.AddRange(part.Lines.Select(line => line with { Points = [.. line.Points.Select(p => (p.X + dx, p.Y + dy))] }));
            (x, row, width) = (x + part.Width + BetweenParts, Math.Max(row, part.Height), Math.Max(width, x + part.Width));
        }

        return (all, width, y + row);
    }

    private static IEnumerable<List<DrawnTable>> Connected(IReadOnlyList<DrawnTable> tables, IReadOnlyList<DrawnReference> references)
    {
        var near = references.SelectMany(r => new[] { (r.From, r.To), (r.To, r.From) }).ToLookup(pair => pair.Item1, pair => pair.Item2);
        var seen = new HashSet<DrawnTable>();
        foreach (var first in tables.Where(seen.Add))
        {
            List<DrawnTable> part = [first];
            for (var i = 0; i < part.Count; i++)
            {
                part.AddRange(near[part[i]].Where(seen.Add));
            }

            yield return part;
        }
    }

    private List<DrawnLine> PlacePart()
    {
        ChooseColumns();
        JoinColumns();
        Order();
        Level();
        return Draw();
    }

    /// <summary>
    /// Each table comes after those that it refers to. Where they go in a circle, the one that needs the fewest comes first. A column that
    /// would get too high goes on in the next one.
    /// </summary>
    private void ChooseColumns()
    {
        var limit = Math.Sqrt(_tables.Sum(t => 0.7 * (t.Height + BetweenBoxes) * (t.Width + 120)));
        var needs = _tables.ToDictionary(t => t, t => _from[t].Select(r => r.To).Where(to => to != t).ToHashSet());
        var needed = needs.SelectMany(pair => pair.Value.Select(to => (to, pair.Key))).ToLookup(pair => pair.to, pair => pair.Key);
        var open = needs.ToDictionary(pair => pair.Key, pair => pair.Value.Count);
        var heights = new List<int>();
        while (open.Count > 0)
        {
            var table = open.MinBy(pair => (pair.Value, -needed[pair.Key].Count(), pair.Key.Table.Name)).Key;
            open.Remove(table);
            var column = needs[table].Select(to => _items.GetValueOrDefault(to)?.Column ?? -1).Append(-1).Max() + 1;
            var taken = needed[table].Select(from => _items.GetValueOrDefault(from)?.Column ?? -1).ToHashSet();
            while (taken.Contains(column) || (column < heights.Count && heights[column] > 0 && heights[column] + table.Height > limit))
            {
                column++;
            }

            while (heights.Count <= column)
            {
                heights.Add(0);
                _columns.Add([]);
            }

            heights[column] += table.Height + BetweenBoxes;
            _columns[column].Add(_items[table] = new Item(table, column, table.Height + BetweenBoxes));
            foreach (var from in needed[table].Where(open.ContainsKey))
            {
                open[from]--;
            }
        }
    }

    /// <summary>References to one place run together, and have one place in each column that they cross.</summary>
    private void JoinColumns()
    {
        foreach (var together in _from.SelectMany(r => r).Where(r => r.From != r.To)
            .GroupBy(r => (r.To, r.Target, r.Optional, ToRight: _items[r.From].Column > _items[r.To].Column)))
        {
            var (to, step) = (_items[together.Key.To], together.Key.ToRight ? 1 : -1);
            var bundle = new Bundle([.. together], step);
            _bundles.Add(bundle);
            var last = together.Max(r => step * _items[r.From].Column) * step;
            var near = to;
            for (var column = to.Column + step; ; column += step)
            {
                foreach (var from in together.Select(r => _items[r.From]).Where(item => item.Column == column).Distinct())
                {
                    Join(near, from);
                }

                if (column == last)
                {
                    break;
                }

                var passage = new Item(null, column, LineRoom);
                _columns[column].Add(passage);
                bundle.Passages.Add(column, passage);
                Join(near, passage);
                near = passage;
            }
        }

        static void Join(Item one, Item other)
        {
            var (left, right) = one.Column < other.Column ? (one, other) : (other, one);
            left.Right.Add(right);
            right.Left.Add(left);
        }
    }

    /// <summary>Each item goes where those that it is joined with are, from the left and from the right in turns.</summary>
    private void Order()
    {
        for (var sweep = 0; sweep < 8; sweep++)
        {
            for (var i = 0; i < _columns.Count; i++)
            {
                var column = sweep % 2 == 0 ? i : _columns.Count - 1 - i;
                var places = _columns[Math.Max(0, column - 1)..Math.Min(_columns.Count, column + 2)]
                    .SelectMany(c => c.Select((item, at) => (item, at: (at + 0.5) / c.Count))).ToDictionary(p => p.item, p => p.at);
                _columns[column] = [.. _columns[column].OrderBy(item =>
                    (sweep % 2 == 0 ? item.Left : item.Right).Select(near => places[near]).DefaultIfEmpty(places[item]).Average())];
            }
        }
    }

    /// <summary>
    /// As near to the height of their neighbours as the order lets them: in each column the least squares under the distances, by pooling
    /// those that push each other.
    /// </summary>
    private void Level()
    {
        _columns.ForEach(column => Put(column, _ => 0));
        for (var sweep = 0; sweep < 10; sweep++)
        {
            for (var i = 0; i < _columns.Count; i++)
            {
                Put(_columns[sweep % 2 == 0 ? i : _columns.Count - 1 - i], item =>
                    item.Left.Concat(item.Right).Select(near => near.Middle).DefaultIfEmpty(item.Middle).Average() - (item.Height / 2.0));
            }
        }

        var top = _columns.SelectMany(c => c).Min(item => item.Y);
        foreach (var column in _columns)
        {
            var free = 0;
            foreach (var item in column)
            {
                item.Y = Math.Max(free, Math.Round((item.Y - top) / Grid) * Grid);
                free = (int)item.Y + item.Height;
            }
        }

        static void Put(List<Item> column, Func<Item, double> wanted)
        {
            var pools = new List<(double Sum, int Count, int First)>();
            var above = 0;
            foreach (var (i, item) in column.Index())
            {
                pools.Add((wanted(item) - above, 1, i));
                above += item.Height;
                while (pools.Count > 1 && pools[^2].Sum / pools[^2].Count > pools[^1].Sum / pools[^1].Count)
                {
                    var (lower, upper) = (pools[^1], pools[^2]);
                    pools.RemoveRange(pools.Count - 2, 2);
                    pools.Add((upper.Sum + lower.Sum, upper.Count + lower.Count, upper.First));
                }
            }

            above = 0;
            foreach (var (p, pool) in pools.Index())
            {
                var end = p + 1 < pools.Count ? pools[p + 1].First : column.Count;
                for (var i = pool.First; i < end; i++)
                {
                    column[i].Y = (pool.Sum / pool.Count) + above;
                    above += column[i].Height;
                }
            }
        }
    }

    private List<DrawnLine> Draw()
    {
        foreach (var item in _columns.SelectMany(c => c).Where(item => item.Table is not null))
        {
            item.Table!.Y = (int)item.Y;
        }

        // Several of one column of a table leave it side by side.
        var starts = _from.SelectMany(r => r).GroupBy(r => (r.From, r.Column))
            .SelectMany(same => same.Select((r, i) => (r, Y: same.Key.From.Y + same.Key.From.MiddleOf(r.Column) + 1.5 + (2.5 * i))))
            .ToDictionary(pair => pair.r, pair => pair.Y);
        var tracks = new Dictionary<(Bundle, int Gap), int>();
        var x = 0;
        var edges = new List<(int Left, int Right)>();
        for (var column = 0; column < _columns.Count; column++)
        {
            var width = _columns[column].Max(item => item.Table?.Width ?? LineRoom);
            foreach (var item in _columns[column].Where(item => item.Table is not null))
            {
                (item.Table!.X, item.Table.Width) = (x, width);
            }

            edges.Add((x, x + width));
            x += width + (2 * EndRoom) + (BetweenLines * ChooseTracks(column, starts, tracks));
        }

        return [.. _bundles.SelectMany(bundle => bundle.References.Select(r => Line(bundle, r, starts[r], tracks, edges))),
            .. _from.SelectMany(r => r).Where(r => r.From == r.To).GroupBy(r => r.From).SelectMany(own => own.Select((r, i) =>
            {
                var (right, far) = (r.From.X + r.From.Width, r.From.X + r.From.Width + 18 + (4 * i));
                var y = r.To.Y + r.To.MiddleOf(r.Target) - (r.Optional ? 4 : 1.5);
                return new DrawnLine(r, [(right, y), (far, y), (far, starts[r]), (right, starts[r])]);
            }))];
    }

    /// <summary>Bundles that pass each other between two columns get lines of their own there.</summary>
    /// <returns>How many lines there are.</returns>
    private int ChooseTracks(int gap, Dictionary<DrawnReference, double> starts, Dictionary<(Bundle Bundle, int Gap), int> tracks)
    {
        var ends = new List<double>();
        foreach (var (bundle, from, to) in _bundles.Where(bundle => bundle.Crosses(gap, _items))
            .Select(bundle => (bundle, Ys: Heights(bundle, gap, starts).ToList())).Select(b => (b.bundle, b.Ys.Min(), b.Ys.Max()))
            .OrderBy(b => b.Item2).ThenBy(b => b.Item3))
        {
            var track = ends.FindIndex(end => end + 4 < from);
            if (track < 0)
            {
                track = ends.Count;
                ends.Add(0);
            }

            ends[track] = to;
            tracks[(bundle, gap)] = track;
        }

        return ends.Count;
    }

    private IEnumerable<double> Heights(Bundle bundle, int gap, Dictionary<DrawnReference, double> starts)
    {
        var far = bundle.Step > 0 ? gap + 1 : gap;
        yield return HeightAt(bundle, far - bundle.Step);
        if (bundle.Passages.ContainsKey(far))
        {
            yield return HeightAt(bundle, far);
        }

        foreach (var reference in bundle.References.Where(r => _items[r.From].Column == far))
        {
            yield return starts[reference];
        }
    }

    /// <summary>Where a bundle leaves its target, or crosses a column.</summary>
    private static double HeightAt(Bundle bundle, int column) => bundle.Passages.TryGetValue(column, out var passage)
        ? passage.Y + 8
        : bundle.To.Y + bundle.To.MiddleOf(bundle.References[0].Target) - (bundle.References[0].Optional ? 4 : 1.5);

    private DrawnLine Line(
        Bundle bundle, DrawnReference reference, double start, Dictionary<(Bundle, int Gap), int> tracks, List<(int Left, int Right)> edges)
    {
        var (column, last) = (_items[bundle.To].Column, _items[reference.From].Column);
        var y = HeightAt(bundle, column);
        List<(double X, double Y)> points = [(bundle.Step > 0 ? edges[column].Right : edges[column].Left, y)];
        for (; column != last; column += bundle.Step)
        {
            var gap = bundle.Step > 0 ? column : column - 1;
            var track = edges[gap].Right + EndRoom + (BetweenLines * tracks[(bundle, gap)]);
            var next = column + bundle.Step == last ? start : HeightAt(bundle, column + bundle.Step);
            points.AddRange([(track, y), (track, next)]);
            y = next;
        }

        points.Add((bundle.Step > 0 ? edges[last].Left : edges[last].Right, y));
        return new DrawnLine(reference, points);
    }

    /// <summary>What a column has a place for: a table, or lines that cross it.</summary>
    private sealed class Item(DrawnTable? table, int column, int height)
    {
        internal DrawnTable? Table => table;

        internal int Column => column;

        internal int Height => height;

        internal double Y { get; set; }

        internal double Middle => Y + (height / 2.0);

        internal List<Item> Left { get; } = [];

        internal List<Item> Right { get; } = [];
    }

    /// <summary>References that go to one place on one side of a table.</summary>
    private sealed class Bundle(List<DrawnReference> references, int step)
    {
        internal List<DrawnReference> References => references;

        internal DrawnTable To => references[0].To;

        /// <summary>1 where those that refer are to the right, otherwise -1.</summary>
        internal int Step => step;

        internal Dictionary<int, Item> Passages { get; } = [];

        /// <summary>Whether it goes through the room between a column and the next one.</summary>
        internal bool Crosses(int gap, Dictionary<DrawnTable, Item> items)
        {
            var (to, far) = (items[To].Column, references.Max(r => step * items[r.From].Column) * step);
            return gap >= Math.Min(to, far) && gap < Math.Max(to, far);
        }
    }
}
