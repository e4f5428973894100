using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Text;
using Scriban.Runtime;

namespace ChatGenius.Db.Schema;

/// <summary>What is known of a table's size, as of its last VACUUM or ANALYZE.</summary>
/// <param name="Rows">How many rows it has; null where that was never counted.</param>
/// <param name="Bytes">With its indexes and large values.</param>
internal sealed record TableExtent(long? Rows, long Bytes)
{
    /// <summary>Reads it for every table that holds rows, by its qualified name. No table is locked for it.</summary>
    internal static async Task<Dictionary<string, TableExtent>> ReadAsync(Session session, CancellationToken cancellationToken)
    {
        var all = await session.RowsAsync(
            new SqlQuery("""
                SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), c.reltuples::pg_catalog.int8,
                    (c.relpages + coalesce(t.relpages, 0) + coalesce((SELECT pg_catalog.sum(i.relpages) FROM pg_catalog.pg_index x
                        JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid WHERE x.indrelid IN (c.oid, t.oid)), 0))::pg_catalog.int8
                        * pg_catalog.current_setting('block_size')::pg_catalog.int8
                FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                LEFT JOIN pg_catalog.pg_class t ON t.oid = c.reltoastrelid
                WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%'
                """),
            // Before PostgreSQL 14 a table that was never counted has 0 pages and 0 rows.
            row => (Name: row.GetString(0), Rows: row.GetInt64(1), Bytes: row.GetInt64(2)),
            cancellationToken);
        return all.ToDictionary(t => t.Name, t => new TableExtent(t is { Rows: >= 0, Bytes: > 0 } ? t.Rows : null, t.Bytes));
    }

    public override string ToString() => Rows is { } rows
        ? string.Create(CultureInfo.InvariantCulture, $"about {rows:N0} {(rows == 1 ? "row" : "rows")}, {Size(Bytes)}")
        : "size not known: it was never analyzed";

    private static string Size(long bytes) => bytes switch
    {
        < 1L << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0} kB"),
        < 1L << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 20):0.#} MB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 30):0.#} GB"),
    };
}

/// <summary>A migration of the timeline.</summary>
/// <param name="Id">Its number and name.</param>
/// <param name="When">When it was applied.</param>
/// <param name="By">The role that applied it.</param>
/// <param name="Took">How long it took; empty where that isn't known.</param>
/// <param name="Names">The names in its statements; null where the file is not there or was edited.</param>
internal sealed record TimelineEntry(string Id, string When, string By, string Took, IReadOnlySet<string>? Names);

/// <summary>The schema as one HTML page that needs nothing beside itself: no font, no address, and no script but its own.</summary>
internal static class SchemaPage
{
    /// <summary>The page's script. Nothing else may run there: its hash is in the page's policy.</summary>
    internal static string Script { get; } = ReadScript();

    /// <summary>Writes the page: an overview of the references between tables, then every object.</summary>
    /// <param name="snapshot">Read from a database; from a dump file the parts of columns are not known.</param>
    /// <param name="title">What the page is called, such as the database's name.</param>
    /// <param name="extents">The tables' sizes by qualified name; empty where they are not known.</param>
    /// <param name="timeline">What was applied, the oldest first.</param>
    public static string Html(
        SchemaSnapshot snapshot, string title, IReadOnlyDictionary<string, TableExtent>? extents = null,
        IReadOnlyList<TimelineEntry>? timeline = null)
    {
        var tables = snapshot.Objects.Where(o => o.Kind.EndsWith("table", StringComparison.Ordinal)).ToDictionary(o => o.Name);
        var referring = tables.Values
            .SelectMany(t => ConstraintFact.Of(t).Where(c => c.Type == 'f').Select(c => (c.References, Table: t))).Distinct()
            .ToLookup(r => r.References, r => r.Table);
        return TextTemplate.RenderPage(typeof(SchemaPage).Assembly, "SchemaPage", new ScriptObject
        {
            ["title"] = Clean(title),
            ["diagram"] = SchemaDiagram.Svg(snapshot, Id),
            ["script"] = Script,
            ["hash"] = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Script))),
            ["timeline"] = new ScriptArray((timeline ?? []).Select(Describe)),
            ["kinds"] = new ScriptArray(snapshot.Objects.GroupBy(o => o.Kind).Select(kind => new ScriptObject
            {
                ["plural"] = Clean(Plural(kind.Key)),
                ["objects"] = new ScriptArray(kind.Select(Link)),
            })),
            ["objects"] = new ScriptArray(snapshot.Objects.Select(o => Describe(
                o, tables, referring[o.Name], extents?.GetValueOrDefault(o.Name), timeline ?? []))),
        });
    }

    /// <summary>The same facts as Markdown, for a repository.</summary>
    /// <param name="snapshot">Read from a database; from a dump file the parts of columns are not known.</param>
    /// <param name="title">What it is called, such as the database's name.</param>
    public static string Markdown(SchemaSnapshot snapshot, string title)
    {
        var page = new StringBuilder($"# {WithoutTags(title)}\n");
        foreach (var o in snapshot.Objects)
        {
            page.Append($"\n## {o.Kind} {Code(o.Name)}\n");
            if (o["comment"] is { } comment)
            {
                page.Append($"\n{WithoutTags(comment)}\n");
            }

            if (o.Of("column").Any())
            {
                page.Append("\n| column | type | | comment |\n|---|---|---|---|\n");
                foreach (var column in ColumnFact.Of(o))
                {
                    var said = WithoutTags(o["comment on column " + column.QuotedName] ?? "")
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

    private static ScriptObject Describe(TimelineEntry entry) => new()
    {
        ["id"] = Clean(entry.Id), ["when"] = Clean(entry.When), ["by"] = Clean(entry.By), ["took"] = Clean(entry.Took),
    };

    private static string ReadScript()
    {
        using var reader = new StreamReader(typeof(SchemaPage).Assembly.GetManifestResourceStream("pages/SchemaPage.js")!);
        return reader.ReadToEnd();
    }

    private static ScriptObject Describe(
        SchemaObject o, Dictionary<string, SchemaObject> tables, IEnumerable<SchemaObject> referring, TableExtent? extent,
        IReadOnlyList<TimelineEntry> timeline)
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
        one["extent"] = extent?.ToString();
        one["migrations"] = new ScriptArray(tables.ContainsKey(o.Name)
            ? timeline.Where(entry => entry.Names?.Contains(Unqualified(o.Name)) == true).Select(Describe) : []);
        one["referring"] = new ScriptArray(referring.Select(Link));
        return one;
    }

    /// <summary>The last part of a qualified name, without its quotes.</summary>
    private static string Unqualified(string name) => name.EndsWith('"')
        ? name[(name.LastIndexOf('"', name.Length - 2) + 1)..^1]
        : name[(name.LastIndexOf('.') + 1)..];

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

    /// <summary>A comment may be Markdown, but HTML of the database's would be the page's.</summary>
    private static string WithoutTags(string text) => text.Replace("<", "&lt;", StringComparison.Ordinal);

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
