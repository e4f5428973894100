using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using ChatGenius.Db.Files;
using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;
using Scriban.Runtime;

namespace ChatGenius.Db.Templates;

/// <summary>One run of <c>new</c>: from the request to the texts.</summary>
internal sealed partial class Scaffolder(TemplateCatalog catalog, ScaffoldRequest request)
{
    private readonly List<string> _notices = [];
    private readonly List<ScaffoldedMigration> _migrations = [];

    [GeneratedRegex(@"\{([a-z_]+)\}")]
    private static partial Regex Placeholder { get; }

    [GeneratedRegex(@"^\{([a-z_]+)\}_\{([a-z_]+)\}_([a-z]+)$")]
    private static partial Regex ObjectNamePattern { get; }

    public Scaffold Run()
    {
        var reading = NameGrammar.Read(request.Name);
        var info = catalog.Find(request.Template ?? reading.Template);
        var arguments = ReadArguments(info);
        var columns = info.Arguments is TemplateArguments.Columns or TemplateArguments.OptionalColumns ? arguments : [];
        if (request.Template is null && info.Name == "add_column" && columns.Any(TableShape.IsUnfilled))
        {
            _notices.Add(columns.Any(TableShape.IsRequired)
                ? "A column that may not be null needs a value in the rows that are there, so it comes in steps"
                : "A default that differs from row to row would rewrite the whole table, so the column comes in steps");
            info = catalog.Find("add_required_column");
        }

        var raw = new Dictionary<string, string>(reading.Values, StringComparer.Ordinal);
        var chain = info.FollowUps.Select(followUp => catalog.Find(followUp.Template)).Prepend(info).ToList();
        foreach (var (key, value) in request.Set)
        {
            raw[key] = chain.Exists(template => template.Values.Any(known => known.Name == key))
                ? value
                : throw UnknownValue(info, chain, key);
        }

        columns = ColumnCompletion.Complete(info, reading, raw, columns, _notices);
        if (info.Arguments == TemplateArguments.Columns && columns.Count == 0)
        {
            throw Needs(info, "columns");
        }

        if (info.Name is "add_column" or "add_required_column" && columns.FirstOrDefault(column => column.Identity) is { } identity)
        {
            _notices.Add(
                $"An identity column numbers the rows that are there, so {identity.Name} has the whole table "
                + "rewritten under an exclusive lock");
        }

        Render(info, reading.Name, raw, columns, info.Arguments == TemplateArguments.Words ? request.Arguments : []);
        return new Scaffold(info, reading, _migrations, _notices);
    }

    private IReadOnlyList<ColumnSpec> ReadArguments(TemplateInfo info) => info.Arguments switch
    {
        TemplateArguments.None when request.Arguments.Count > 0 => throw new ProblemException(
            "CG0808", $"The template {info.Name} takes no columns", ArgumentPlace(0),
            $"Leave \"{request.Arguments[0]}\" out, or choose another template; see new --list."),
        TemplateArguments.Words when request.Arguments.Count == 0 => throw Needs(info, "what it is to hold"),
        TemplateArguments.Words or TemplateArguments.None => [],
        _ => ColumnSpec.ParseAll(request.Arguments),
    };

    private SourceLocation ArgumentPlace(int index) =>
        new($"argument {index + 2}", 1, 1, request.Arguments[index], Math.Max(1, request.Arguments[index].Length));

    private static ProblemException Needs(TemplateInfo info, string what) =>
        new(
            "CG0808", $"The template {info.Name} needs {what}",
            advice: info.Example is null ? null : $"As in: chatgenius-db {info.Example}");

    private static ProblemException UnknownValue(TemplateInfo info, List<TemplateInfo> chain, string key)
    {
        var known = chain.SelectMany(template => template.Values).Select(value => value.Name).Distinct().ToList();
        return new ProblemException(
            "CG0809", $"The template {info.Name} takes no value \"{key}\"",
            advice: known.Count == 0 ? "It takes none." : $"It takes {string.Join(", ", known)}.");
    }

    private void Render(
        TemplateInfo info, string name, IReadOnlyDictionary<string, string> given, IReadOnlyList<ColumnSpec> columns,
        IReadOnlyList<string> words)
    {
        var raw = new Dictionary<string, string>(given, StringComparer.Ordinal);
        AddDerived(raw, name, columns);
        if (info.Values.Any(value => value.Default is { } pattern && pattern.Contains("{row_id}", StringComparison.Ordinal)))
        {
            raw["row_id"] = RowId(name);
        }

        var model = new ScriptObject { ["name"] = name, ["words"] = new ScriptArray(words.Select(SqlLiteral.Quote)) };
        foreach (var value in info.Values)
        {
            model[value.Name] = Write(info, value, raw);
        }

        var table = raw.GetValueOrDefault("table", name);
        var shape = new TableShape(table, columns, info.Adds);
        shape.WriteTo(model);
        model["months"] = Months(table);
        model["missing_value"] = !raw.ContainsKey("value") && columns.Any(column => column.Default is null);

        _migrations.Add(new ScaffoldedMigration(name, Tidy(catalog.Render(info, model))));
        foreach (var followUp in info.FollowUps)
        {
            Follow(followUp, raw, shape);
        }
    }

    /// <summary>What the defaults of values may name besides the values themselves.</summary>
    private static void AddDerived(Dictionary<string, string> raw, string name, IReadOnlyList<ColumnSpec> columns)
    {
        var joined = string.Join('_', columns.Select(column => column.Name));
        if (columns.Count > 0)
        {
            raw["columns"] = joined;
        }

        if (columns.Count == 1 && columns[0].Type is { } type)
        {
            raw["type"] = type;
        }

        if (raw.TryGetValue("table", out var table))
        {
            raw["check_name"] = SqlIdentifier.ObjectName(table, columns.Count > 0 ? joined : null, "check");
        }

        if (columns.SelectMany(column => column.Checks).FirstOrDefault() is { } check)
        {
            raw.TryAdd("check", check);
        }

        if (raw.TryGetValue("view", out var view))
        {
            // A view of active users is called active_users, and shows users.
            raw["view_table"] = view[(view.LastIndexOf('_') + 1)..];
        }
    }

    /// <summary>A UUID that the migration's name alone decides (version 8: made in a way of one's own, RFC 9562).</summary>
    private static string RowId(string name)
    {
        OpenSsl.Require();
        var bytes = SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 16);
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x80);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes, bigEndian: true).ToString();
    }

    private void Follow(FollowUp followUp, Dictionary<string, string> raw, TableShape shape)
    {
        var info = catalog.Find(followUp.Template);
        switch (followUp.ForEach)
        {
            case "unfilled":
                FollowFor(followUp, info, raw, [.. shape.Columns.Where(TableShape.IsUnfilled)]);
                break;
            case "required":
                FollowFor(followUp, info, raw, [.. shape.Columns.Where(column => TableShape.IsUnfilled(column) && !column.Nullable)]);
                break;
            case "columns":
                FollowFor(followUp, info, raw, shape.Columns);
                break;
            case null:
                Render(info, NameFrom(followUp.Name, raw), raw, shape.Columns, []);
                break;
            case "indexes" or "uniques" or "checks" or "foreign_keys":
                FollowEach(followUp, info, raw, shape);
                break;
        }
    }

    private void FollowFor(FollowUp followUp, TemplateInfo info, Dictionary<string, string> raw, IReadOnlyList<ColumnSpec> columns)
    {
        if (columns.Count > 0)
        {
            var joined = string.Join('_', columns.Select(column => column.Name));
            raw = new Dictionary<string, string>(raw, StringComparer.Ordinal) { ["columns"] = joined };
            Render(info, NameFrom(followUp.Name, raw), raw, columns, []);
        }
    }

    private void FollowEach(FollowUp followUp, TemplateInfo info, Dictionary<string, string> raw, TableShape shape)
    {
        foreach (var constraint in shape.Of(followUp.ForEach!))
        {
            var own = new Dictionary<string, string>(raw, StringComparer.Ordinal)
            {
                ["columns"] = string.Join('_', constraint.Columns),
                ["constraint"] = constraint.Name,
                ["index"] = constraint.Name,
                ["definition"] = constraint.Definition,
            };
            var columns = constraint.Columns.Select(column => new ColumnSpec(column, null, false, null, shape.Columns[0].Where)).ToList();
            Render(info, NameFrom(followUp.Name, own), own, columns, []);
        }
    }

    private static string NameFrom(string pattern, Dictionary<string, string> raw)
    {
        var filled = Placeholder.Replace(pattern, match => raw.GetValueOrDefault(match.Groups[1].Value, ""));
        var name = string.Join('_', filled.Split('_', StringSplitOptions.RemoveEmptyEntries));
        return MigrationName.Normalize(name.Length > MigrationName.MaxLength ? name[..MigrationName.MaxLength] : name);
    }

    private static object? Write(TemplateInfo info, TemplateValue value, Dictionary<string, string> raw)
    {
        if (!raw.TryGetValue(value.Name, out var text))
        {
            text = value.Default is null ? null : Fill(info, value, raw);
            if (text is null)
            {
                return value.Required
                    ? throw new ProblemException(
                        "CG0809", $"The template {info.Name} needs the value \"{value.Name}\": {value.Description}",
                        advice: $"Add --set {value.Name}=…"
                            + (info.Example is null ? "" : $", or say it in the name, as in: chatgenius-db {info.Example}"))
                    : null;
            }

            raw[value.Name] = text;
        }

        switch (value.Form)
        {
            case ValueForm.Name when Encoding.UTF8.GetByteCount(text) > SqlIdentifier.MaxBytes:
                throw new ProblemException(
                    "CG0809",
                    $"The value of \"{value.Name}\" is longer than the {SqlIdentifier.MaxBytes} bytes that PostgreSQL keeps of a name: "
                    + text,
                    advice: $"{value.Name} is {value.Description}. Say the migration's name shorter, or --set {value.Name}=…");
            case ValueForm.Name when text.Length > 0 && !text.Contains('\0', StringComparison.Ordinal):
                return SqlIdentifier.Quote(text);
            case ValueForm.Sql when text.Trim().Length > 0:
                return text.Trim();
            case ValueForm.Text when !text.Contains('\0', StringComparison.Ordinal):
                return SqlLiteral.Quote(text);
            case ValueForm.Number when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0:
                return number;
            default:
                throw new ProblemException(
                    "CG0809",
                    value.Form == ValueForm.Number
                        ? $"The value of \"{value.Name}\" is a whole number above 0, not \"{text}\""
                        : $"The value of \"{value.Name}\" is empty",
                    advice: $"{value.Name} is {value.Description}.");
        }
    }

    /// <summary>
    /// Puts values into a default; null where one is missing. <c>{table}_{columns}_idx</c> is shortened as PostgreSQL does it; in SQL,
    /// names are quoted where they need it.
    /// </summary>
    private static string? Fill(TemplateInfo info, TemplateValue value, Dictionary<string, string> raw)
    {
        if (Placeholder.Matches(value.Default!).Any(match => !raw.ContainsKey(match.Groups[1].Value)))
        {
            return null;
        }

        if (value.Form == ValueForm.Name && ObjectNamePattern.Match(value.Default!) is { Success: true } name)
        {
            return SqlIdentifier.ObjectName(raw[name.Groups[1].Value], raw[name.Groups[2].Value], name.Groups[3].Value);
        }

        var filled = Placeholder.Replace(value.Default!, match =>
        {
            var key = match.Groups[1].Value;
            var isName = info.Values.Any(other => other.Name == key && other.Form == ValueForm.Name);
            return value.Form == ValueForm.Sql && isName ? SqlIdentifier.Quote(raw[key]) : raw[key];
        });
        return value.Form == ValueForm.Name ? SqlIdentifier.Truncate(filled) : filled;
    }

    /// <summary>This month and the two after it, in UTC: the partitions that a new table starts with.</summary>
    private ScriptArray Months(string table)
    {
        var first = new DateTime(request.Now.UtcDateTime.Year, request.Now.UtcDateTime.Month, 1, 0, 0, 0, DateTimeKind.Utc);
        return new ScriptArray(Enumerable.Range(0, 3).Select(i => new ScriptObject
        {
            ["name"] = SqlIdentifier.Quote(
                SqlIdentifier.ObjectName(table, null, first.AddMonths(i).ToString("yyyy_MM", CultureInfo.InvariantCulture))),
            ["from"] = first.AddMonths(i).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            ["to"] = first.AddMonths(i + 1).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        }));
    }

    /// <summary>Line endings are LF, whatever the template's are, and a file ends with one.</summary>
    private static string Tidy(string text) => text.ReplaceLineEndings("\n").Trim('\n') + "\n";
}
