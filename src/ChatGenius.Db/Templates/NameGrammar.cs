using System.Text.RegularExpressions;
using ChatGenius.Db.Files;

namespace ChatGenius.Db.Templates;

/// <summary>What a migration's name says about its intent.</summary>
/// <param name="Name">The name in snake_case.</param>
/// <param name="Template">The template that fits; <c>blank</c> where the name says nothing that is known.</param>
/// <param name="Values">What the name gives the template: <c>table</c>, <c>new_name</c>, <c>index</c>, …; no quotes, snake_case.</param>
/// <param name="Columns">The columns that the name speaks of, in order.</param>
internal sealed record NameReading(string Name, string Template, IReadOnlyDictionary<string, string> Values, IReadOnlyList<string> Columns);

/// <summary>Reads a migration's name: a pure function from a name to a template and its values.</summary>
internal static partial class NameGrammar
{
    /// <summary>The template for a name that says nothing that is known.</summary>
    public const string Blank = "blank";

    /// <summary>
    /// The first pattern that fits wins; alternatives in parentheses are patterns of their own, in their order. A part in braces takes one
    /// or more words; <c>{table}</c> takes as few as it can when something follows it, the others take as many as they can, so that in
    /// <c>add_reply_to_id_to_messages</c> the last <c>to</c> divides. <c>{columns}</c> is a list divided by <c>and</c>; <c>{pair}</c> is
    /// two tables.
    /// </summary>
    private static readonly Rule[] Rules =
    [
        .. Of(
            "create_join_table",
            "(create|add)_join_table_{pair}",
            "create_{pair}_join(_table|)",
            "add_{pair}_join_table",
            "join_{pair}"),
        .. Of(
            "create_enum_table",
            "(create|add)_(enum|lookup)_table_{table}",
            "create_lookup_{table}",
            "create_{table}_lookup(_table|)"),
        .. Of("create_enum_type", "(create|add)_(enum_type_{type}|enum_{type}|{type}_enum)"),
        .. Of("create_view", "(create|add)_(view_{view}|{view}_view)"),
        .. Of(
            "create_trigger",
            "create_trigger_{trigger}_on_{table}",
            "add_(trigger_{trigger}|{trigger}_trigger)_(to|on)_{table}",
            "create_{trigger}_trigger_on_{table}",
            "(add_trigger_to|create_trigger_on)_{table}"),
        .. Of(
            "create_partitioned_table",
            "create_partitioned_(table_|){table}",
            "add_partitioned_{table}",
            "(create_{table}_partitioned|partition_{table})_by_{key}",
            "partition_{table}"),
        .. Of(
            "enable_row_level_security",
            "enable_(rls|row_level_security)_(on|for)_{table}",
            "add_(rls|row_level_security)_to_{table}",
            "create_policy_{policy}_on_{table}",
            "add_policy_{policy}_(to|on)_{table}",
            "add_({policy}_|)policy_to_{table}"),
        .. Of(
            "add_foreign_key",
            "add_(foreign_key|fk)_from_{table}_to_{references}",
            "add_(foreign_key|fk)_to_{table}_on_{columns}",
            "add_(foreign_key|fk)_on_{columns}_to_{table}",
            "add_(foreign_key|fk)_{columns}_(to|on|in)_{table}",
            "add_({columns}_|)(foreign_key|fk)_to_{table}"),
        .. Of(
            "add_unique",
            "add_unique_(constraint_|index_|)to_{table}_on_{columns}",
            "add_unique_(constraint_|index_|)on_{columns}_to_{table}",
            "add_unique_(constraint_|index_|)to_{table}",
            "add_unique_(constraint_|){columns}_to_{table}",
            "add_{columns}_unique_to_{table}",
            "make_{columns}_unique_(in|on)_{table}"),
        .. Of(
            "add_check",
            "add_check_(constraint_|)to_{table}_on_{columns}",
            "add_check_(constraint_|)on_{columns}_to_{table}",
            "add_check_constraint_({columns}_|)to_{table}",
            "add_check_({columns}_|)to_{table}",
            "add_{columns}_check_to_{table}"),
        .. Of("validate_constraint", "validate_{constraint}_(on|in)_{table}"),
        .. Of(
            "add_index",
            "add_index_to_{table}_on_{columns}",
            "add_index_on_{columns}_to_{table}",
            "(add|create)_index_on_{table}_for_{columns}",
            "add_(index_{columns}|{columns}_index|index)_to_{table}",
            "index_{table}_on_{columns}",
            "(create_index_on|index)_{columns}_in_{table}"),
        .. Of(
            "drop_index",
            "(drop|remove)_index_on_{columns}_from_{table}",
            "(drop|remove)_index_(from_|){table}_on_{columns}",
            "(drop|remove)_index_{index}"),
        .. Of(
            "insert_rows",
            "insert_(|{rows}_)into_{table}",
            "add_(|{rows}_)rows_to_{table}",
            "seed_{rows}_(in|into)_{table}",
            "seed_{table}"),
        .. Of("backfill", "backfill_{columns}_(in|on|of)_{table}", "fill_{columns}_in_{table}"),
        .. Of("rename_column", "rename_(column_|){old_name}_to_{new_name}_(in|on)_{table}"),
        .. Of("rename_table", "rename_(table_{table}|{table}_table|{table})_to_{new_name}"),
        .. Of(
            "change_column_type",
            "change_type_of_{old_name}_in_{table}",
            "change_{old_name}_type_(in|on)_{table}",
            "alter_{old_name}_type_in_{table}",
            "change_{old_name}_to_{type}_in_{table}"),
        .. Of(
            "require_column",
            "make_{columns}_(required|not_null)_(in|on)_{table}",
            "(add_not_null_to|require)_{columns}_(in|on)_{table}"),
        .. Of("add_required_column", "add_required_{columns}_to_{table}"),
        .. Of("add_column", "add_(columns|column)_{columns}_to_{table}", "add_{columns}_(columns_|column_|)to_{table}"),
        .. Of(
            "drop_column",
            "(remove|drop)_(columns|column)_{columns}_from_{table}",
            "(remove|drop)_{columns}_(columns_|column_|)from_{table}"),
        .. Of("drop_table", "drop_(table_{table}|{table}_table|{table})"),
        .. Of("create_table", "(create|add)_table_{table}", "(create|add)_{table}(_table|)"),
    ];

    /// <summary>What <c>create_</c>, <c>add_</c> and <c>drop_</c> are followed by where no table is meant.</summary>
    private static readonly HashSet<string> Kinds =
    [
        "aggregate", "cast", "check", "collation", "column", "columns", "constraint", "constraints", "database", "default", "domain",
        "enum",
        "extension", "fk", "foreign", "function", "index", "indexes", "materialized", "operator", "partition", "policy", "procedure",
        "publication", "role", "rule", "schema", "sequence", "server", "subscription", "trigger", "type", "unique", "view",
    ];

    /// <summary>The same for columns: fewer, because a column may well be called <c>type</c>, <c>role</c> or <c>domain</c>.</summary>
    private static readonly HashSet<string> KindsOnTables =
        ["check", "constraint", "constraints", "enum", "fk", "foreign", "index", "indexes", "policy", "primary", "trigger", "unique"];

    /// <summary>A table's name doesn't go on like this: <c>add_support_for_threads</c> is no table.</summary>
    private static readonly HashSet<string> Connectives =
        ["and", "by", "for", "from", "if", "in", "into", "of", "on", "to", "when", "where", "with"];

    /// <summary>Reads a name.</summary>
    /// <param name="name">As typed, in any of the forms that <see cref="MigrationName.Normalize"/> takes.</param>
    /// <exception cref="ProblemException">CG0801: the text can't be a name.</exception>
    public static NameReading Read(string name)
    {
        var normalized = MigrationName.Normalize(name);
        var words = normalized.Split('_');
        foreach (var rule in Rules)
        {
            if (rule.Match(words) is { } captures && Interpret(normalized, rule.Template, captures) is { } reading)
            {
                return reading;
            }
        }

        return new NameReading(normalized, Blank, new Dictionary<string, string>(), []);
    }

    private static NameReading? Interpret(string name, string template, Dictionary<string, string> captures)
    {
        var columns = new List<string>();
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in captures)
        {
            switch (key)
            {
                case "columns":
                    columns.AddRange(value.Split("_and_"));
                    break;
                case "pair":
                    if (SplitPair(value) is not var (left, right))
                    {
                        return null;
                    }

                    values["left"] = left;
                    values["right"] = right;
                    values["table"] = $"{left}_{right}";
                    break;
                default:
                    values[key] = value;
                    break;
            }
        }

        var misread = template switch
        {
            "create_table" or "drop_table" =>
                Kinds.Contains(FirstWord(values["table"])) || KindsOnTables.Contains(LastWord(values["table"]))
                    || IsNoName(values["table"]),
            "create_enum_type" => IsNoName(values["type"]),
            "drop_index" => values.TryGetValue("index", out var index) && Connectives.Contains(FirstWord(index)),
            "rename_table" => Kinds.Contains(FirstWord(values["table"])),
            "change_column_type" => values.TryGetValue("type", out var type) && !TypeNames.IsKnown(type),
            "add_column" or "add_required_column" or "drop_column" =>
                columns.Exists(column => KindsOnTables.Contains(FirstWord(column))) || IsNoName(values["table"]),
            _ => false,
        };
        return misread ? null : new NameReading(name, template, values, columns);
    }

    private static IEnumerable<Rule> Of(string template, params string[] patterns) =>
        patterns.SelectMany(Expand).Select(pattern => new Rule(pattern, template));

    private static IEnumerable<string> Expand(string pattern)
    {
        var (open, close) = (pattern.IndexOf('('), pattern.IndexOf(')'));
        return open < 0
            ? [pattern]
            : from one in pattern[(open + 1)..close].Split('|')
              from rest in Expand(pattern[(close + 1)..])
              select pattern[..open] + one + rest;
    }

    private static string FirstWord(string name) => name.Split('_', 2)[0];

    private static string LastWord(string name) => name[(name.LastIndexOf('_') + 1)..];

    private static bool IsNoName(string name) => name.Split('_').Any(Connectives.Contains);

    /// <summary>
    /// <c>channels_and_users</c> says where to divide; of two words each is a table; of more, the first table ends at the first plural.
    /// </summary>
    private static (string Left, string Right)? SplitPair(string pair)
    {
        if (pair.Split("_and_") is { Length: 2 } parts)
        {
            return (parts[0], parts[1]);
        }

        var words = pair.Split('_');
        var cut = words.Length == 2 ? 1 : 1 + Array.FindIndex(words, word => word.EndsWith('s'));
        return cut > 0 && cut < words.Length ? (string.Join('_', words[..cut]), string.Join('_', words[cut..])) : null;
    }

    [GeneratedRegex(@"\{[a-z_]+\}|[a-z]+")]
    private static partial Regex Part { get; }

    private sealed class Rule
    {
        private readonly string[] _parts;

        public Rule(string pattern, string template)
        {
            // An underscore inside braces ({new_name}) belongs to the capture's name.
            _parts = [.. Part.Matches(pattern).Select(part => part.Value)];
            Template = template;
        }

        public string Template { get; }

        public Dictionary<string, string>? Match(string[] words)
        {
            var captures = new Dictionary<string, string>(StringComparer.Ordinal);
            return Match(0, words, 0, captures) ? captures : null;
        }

        private bool Match(int part, string[] words, int word, Dictionary<string, string> captures)
        {
            if (part == _parts.Length)
            {
                return word == words.Length;
            }

            // Every part that is left takes at least one word.
            var most = words.Length - word - (_parts.Length - part - 1);
            if (most < 1)
            {
                return false;
            }

            if (!_parts[part].StartsWith('{'))
            {
                return words[word] == _parts[part] && Match(part + 1, words, word + 1, captures);
            }

            var name = _parts[part][1..^1];
            var shortest = name == "table";
            for (var i = 1; i <= most; i++)
            {
                var count = shortest ? i : most + 1 - i;
                if (Match(part + 1, words, word + count, captures))
                {
                    captures[name] = string.Join('_', words, word, count);
                    return true;
                }
            }

            return false;
        }
    }
}
