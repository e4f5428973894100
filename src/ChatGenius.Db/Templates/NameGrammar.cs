using ChatGenius.Db.Files;

namespace ChatGenius.Db.Templates;

/// <summary>What a migration's name says about its intent.</summary>
/// <param name="Name">The name in snake_case.</param>
/// <param name="Template">The template that fits; <c>blank</c> where the name says nothing that is known.</param>
/// <param name="Values">What the name gives the template: <c>table</c>, <c>new_name</c>, <c>index</c>, …; no quotes, snake_case.</param>
/// <param name="Columns">The columns that the name speaks of, in order.</param>
public sealed record NameReading(string Name, string Template, IReadOnlyDictionary<string, string> Values, IReadOnlyList<string> Columns);

/// <summary>Reads a migration's name: a pure function from a name to a template and its values.</summary>
public static class NameGrammar
{
    /// <summary>The template for a name that says nothing that is known.</summary>
    public const string Blank = "blank";

    /// <summary>
    /// The first rule that fits wins. A part in braces takes one or more words; <c>{table}</c> takes as few as it can when
    /// something follows it, the others take as many as they can, so that in <c>add_reply_to_id_to_messages</c> the last
    /// <c>to</c> divides. <c>{columns}</c> is a list divided by <c>and</c>; <c>{pair}</c> is two tables.
    /// </summary>
    private static readonly Rule[] Rules =
    [
        new("create_join_table_{pair}", "create_join_table"),
        new("add_join_table_{pair}", "create_join_table"),
        new("create_{pair}_join_table", "create_join_table"),
        new("create_{pair}_join", "create_join_table"),
        new("add_{pair}_join_table", "create_join_table"),
        new("join_{pair}", "create_join_table"),

        new("create_enum_table_{table}", "create_enum_table"),
        new("add_enum_table_{table}", "create_enum_table"),
        new("create_lookup_table_{table}", "create_enum_table"),
        new("add_lookup_table_{table}", "create_enum_table"),
        new("create_lookup_{table}", "create_enum_table"),
        new("create_{table}_lookup_table", "create_enum_table"),
        new("create_{table}_lookup", "create_enum_table"),
        new("create_enum_type_{type}", "create_enum_type"),
        new("create_enum_{type}", "create_enum_type"),
        new("add_enum_type_{type}", "create_enum_type"),
        new("add_enum_{type}", "create_enum_type"),
        new("create_{type}_enum", "create_enum_type"),
        new("add_{type}_enum", "create_enum_type"),

        new("create_view_{view}", "create_view"),
        new("add_view_{view}", "create_view"),
        new("create_{view}_view", "create_view"),
        new("add_{view}_view", "create_view"),

        new("create_trigger_{trigger}_on_{table}", "create_trigger"),
        new("add_trigger_{trigger}_to_{table}", "create_trigger"),
        new("add_trigger_{trigger}_on_{table}", "create_trigger"),
        new("add_{trigger}_trigger_to_{table}", "create_trigger"),
        new("add_{trigger}_trigger_on_{table}", "create_trigger"),
        new("create_{trigger}_trigger_on_{table}", "create_trigger"),
        new("add_trigger_to_{table}", "create_trigger"),
        new("create_trigger_on_{table}", "create_trigger"),

        new("create_partitioned_table_{table}", "create_partitioned_table"),
        new("create_partitioned_{table}", "create_partitioned_table"),
        new("add_partitioned_{table}", "create_partitioned_table"),
        new("create_{table}_partitioned_by_{key}", "create_partitioned_table"),
        new("partition_{table}_by_{key}", "create_partitioned_table"),
        new("partition_{table}", "create_partitioned_table"),

        new("enable_rls_on_{table}", "enable_row_level_security"),
        new("enable_rls_for_{table}", "enable_row_level_security"),
        new("add_rls_to_{table}", "enable_row_level_security"),
        new("enable_row_level_security_on_{table}", "enable_row_level_security"),
        new("enable_row_level_security_for_{table}", "enable_row_level_security"),
        new("add_row_level_security_to_{table}", "enable_row_level_security"),
        new("create_policy_{policy}_on_{table}", "enable_row_level_security"),
        new("add_policy_{policy}_to_{table}", "enable_row_level_security"),
        new("add_policy_{policy}_on_{table}", "enable_row_level_security"),
        new("add_{policy}_policy_to_{table}", "enable_row_level_security"),
        new("add_policy_to_{table}", "enable_row_level_security"),

        new("add_foreign_key_from_{table}_to_{references}", "add_foreign_key"),
        new("add_fk_from_{table}_to_{references}", "add_foreign_key"),
        new("add_foreign_key_to_{table}_on_{columns}", "add_foreign_key"),
        new("add_fk_to_{table}_on_{columns}", "add_foreign_key"),
        new("add_foreign_key_on_{columns}_to_{table}", "add_foreign_key"),
        new("add_fk_on_{columns}_to_{table}", "add_foreign_key"),
        new("add_foreign_key_{columns}_to_{table}", "add_foreign_key"),
        new("add_fk_{columns}_to_{table}", "add_foreign_key"),
        new("add_foreign_key_{columns}_on_{table}", "add_foreign_key"),
        new("add_fk_{columns}_on_{table}", "add_foreign_key"),
        new("add_foreign_key_{columns}_in_{table}", "add_foreign_key"),
        new("add_fk_{columns}_in_{table}", "add_foreign_key"),
        new("add_{columns}_foreign_key_to_{table}", "add_foreign_key"),
        new("add_{columns}_fk_to_{table}", "add_foreign_key"),

        new("add_foreign_key_to_{table}", "add_foreign_key"),
        new("add_fk_to_{table}", "add_foreign_key"),

        new("add_unique_constraint_to_{table}_on_{columns}", "add_unique"),
        new("add_unique_index_to_{table}_on_{columns}", "add_unique"),
        new("add_unique_to_{table}_on_{columns}", "add_unique"),
        new("add_unique_constraint_on_{columns}_to_{table}", "add_unique"),
        new("add_unique_index_on_{columns}_to_{table}", "add_unique"),
        new("add_unique_on_{columns}_to_{table}", "add_unique"),
        new("add_unique_constraint_to_{table}", "add_unique"),
        new("add_unique_index_to_{table}", "add_unique"),
        new("add_unique_to_{table}", "add_unique"),
        new("add_unique_constraint_{columns}_to_{table}", "add_unique"),
        new("add_unique_{columns}_to_{table}", "add_unique"),
        new("add_{columns}_unique_to_{table}", "add_unique"),
        new("make_{columns}_unique_in_{table}", "add_unique"),
        new("make_{columns}_unique_on_{table}", "add_unique"),

        new("add_check_constraint_to_{table}_on_{columns}", "add_check"),
        new("add_check_to_{table}_on_{columns}", "add_check"),
        new("add_check_constraint_on_{columns}_to_{table}", "add_check"),
        new("add_check_on_{columns}_to_{table}", "add_check"),
        new("add_check_constraint_{columns}_to_{table}", "add_check"),
        new("add_check_constraint_to_{table}", "add_check"),
        new("add_check_{columns}_to_{table}", "add_check"),
        new("add_check_to_{table}", "add_check"),
        new("add_{columns}_check_to_{table}", "add_check"),

        new("validate_{constraint}_on_{table}", "validate_constraint"),
        new("validate_{constraint}_in_{table}", "validate_constraint"),

        new("add_index_to_{table}_on_{columns}", "add_index"),
        new("add_index_on_{columns}_to_{table}", "add_index"),
        new("add_index_on_{table}_for_{columns}", "add_index"),
        new("add_index_{columns}_to_{table}", "add_index"),
        new("add_{columns}_index_to_{table}", "add_index"),
        new("create_index_on_{table}_for_{columns}", "add_index"),
        new("create_index_on_{columns}_in_{table}", "add_index"),
        new("add_index_to_{table}", "add_index"),
        new("index_{table}_on_{columns}", "add_index"),
        new("index_{columns}_in_{table}", "add_index"),

        new("drop_index_on_{columns}_from_{table}", "drop_index"),
        new("remove_index_on_{columns}_from_{table}", "drop_index"),
        new("drop_index_from_{table}_on_{columns}", "drop_index"),
        new("remove_index_from_{table}_on_{columns}", "drop_index"),
        new("drop_index_{table}_on_{columns}", "drop_index"),
        new("remove_index_{table}_on_{columns}", "drop_index"),
        new("drop_index_{index}", "drop_index"),
        new("remove_index_{index}", "drop_index"),

        new("insert_into_{table}", "insert_rows"),
        new("insert_{rows}_into_{table}", "insert_rows"),
        new("add_rows_to_{table}", "insert_rows"),
        new("add_{rows}_rows_to_{table}", "insert_rows"),
        new("seed_{rows}_in_{table}", "insert_rows"),
        new("seed_{rows}_into_{table}", "insert_rows"),
        new("seed_{table}", "insert_rows"),

        new("backfill_{columns}_in_{table}", "backfill"),
        new("backfill_{columns}_on_{table}", "backfill"),
        new("backfill_{columns}_of_{table}", "backfill"),
        new("fill_{columns}_in_{table}", "backfill"),

        new("rename_column_{old_name}_to_{new_name}_in_{table}", "rename_column"),
        new("rename_column_{old_name}_to_{new_name}_on_{table}", "rename_column"),
        new("rename_{old_name}_to_{new_name}_in_{table}", "rename_column"),
        new("rename_{old_name}_to_{new_name}_on_{table}", "rename_column"),
        new("rename_table_{table}_to_{new_name}", "rename_table"),
        new("rename_{table}_table_to_{new_name}", "rename_table"),
        new("rename_{table}_to_{new_name}", "rename_table"),

        new("change_type_of_{old_name}_in_{table}", "change_column_type"),
        new("change_{old_name}_type_in_{table}", "change_column_type"),
        new("change_{old_name}_type_on_{table}", "change_column_type"),
        new("alter_{old_name}_type_in_{table}", "change_column_type"),
        new("change_{old_name}_to_{type}_in_{table}", "change_column_type"),

        new("make_{columns}_required_in_{table}", "require_column"),
        new("make_{columns}_required_on_{table}", "require_column"),
        new("make_{columns}_not_null_in_{table}", "require_column"),
        new("make_{columns}_not_null_on_{table}", "require_column"),
        new("add_not_null_to_{columns}_in_{table}", "require_column"),
        new("add_not_null_to_{columns}_on_{table}", "require_column"),
        new("require_{columns}_in_{table}", "require_column"),
        new("require_{columns}_on_{table}", "require_column"),

        new("add_required_{columns}_to_{table}", "add_required_column"),
        new("add_columns_{columns}_to_{table}", "add_column"),
        new("add_column_{columns}_to_{table}", "add_column"),
        new("add_{columns}_columns_to_{table}", "add_column"),
        new("add_{columns}_column_to_{table}", "add_column"),
        new("add_{columns}_to_{table}", "add_column"),

        new("remove_columns_{columns}_from_{table}", "drop_column"),
        new("remove_column_{columns}_from_{table}", "drop_column"),
        new("drop_columns_{columns}_from_{table}", "drop_column"),
        new("drop_column_{columns}_from_{table}", "drop_column"),
        new("remove_{columns}_columns_from_{table}", "drop_column"),
        new("remove_{columns}_column_from_{table}", "drop_column"),
        new("drop_{columns}_columns_from_{table}", "drop_column"),
        new("drop_{columns}_column_from_{table}", "drop_column"),
        new("remove_{columns}_from_{table}", "drop_column"),
        new("drop_{columns}_from_{table}", "drop_column"),

        new("drop_table_{table}", "drop_table"),
        new("drop_{table}_table", "drop_table"),
        new("drop_{table}", "drop_table"),
        new("create_table_{table}", "create_table"),
        new("add_table_{table}", "create_table"),
        new("create_{table}_table", "create_table"),
        new("add_{table}_table", "create_table"),
        new("create_{table}", "create_table"),
        new("add_{table}", "create_table"),
    ];

    /// <summary>What <c>create_</c>, <c>add_</c> and <c>drop_</c> are followed by where no table is meant.</summary>
    private static readonly HashSet<string> Kinds =
    [
        "aggregate", "cast", "check", "collation", "column", "columns", "constraint", "constraints", "database", "default", "domain", "enum",
        "extension", "fk", "foreign", "function", "index", "indexes", "materialized", "operator", "partition", "policy", "procedure",
        "publication", "role", "rule", "schema", "sequence", "server", "subscription", "trigger", "type", "unique", "view",
    ];

    /// <summary>The same for columns: fewer, because a column may well be called <c>type</c>, <c>role</c> or <c>domain</c>.</summary>
    private static readonly HashSet<string> KindsOnTables =
        ["check", "constraint", "constraints", "enum", "fk", "foreign", "index", "indexes", "policy", "primary", "trigger", "unique"];

    /// <summary>A table's name doesn't go on like this: <c>add_support_for_threads</c> is no table.</summary>
    private static readonly HashSet<string> Connectives = ["and", "by", "for", "from", "if", "in", "into", "of", "on", "to", "when", "where", "with"];

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
                Kinds.Contains(FirstWord(values["table"])) || KindsOnTables.Contains(LastWord(values["table"])) || IsNoName(values["table"]),
            "create_enum_type" => IsNoName(values["type"]),
            "drop_index" => values.TryGetValue("index", out var index) && Connectives.Contains(FirstWord(index)),
            "rename_table" => Kinds.Contains(FirstWord(values["table"])),
            "change_column_type" => values.TryGetValue("type", out var type) && !TypeNames.IsKnown(type),
            "add_column" or "add_required_column" or "drop_column" => columns.Exists(column => KindsOnTables.Contains(FirstWord(column))) || IsNoName(values["table"]),
            _ => false,
        };
        if (misread)
        {
            return null;
        }

        return new NameReading(name, template, values, columns);
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

    private sealed class Rule
    {
        private readonly string[] _parts;

        public Rule(string pattern, string template)
        {
            // An underscore inside braces ({new_name}) belongs to the capture's name.
            var parts = new List<string>();
            foreach (var piece in pattern.Split('_'))
            {
                if (parts.Count > 0 && parts[^1].StartsWith('{') && !parts[^1].EndsWith('}'))
                {
                    parts[^1] += "_" + piece;
                }
                else
                {
                    parts.Add(piece);
                }
            }

            _parts = [.. parts];
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
