using System.Text;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Schema;

/// <summary>The statements that give an object what it is not created with, each for itself; what an object and its parts are called in
/// them.</summary>
internal static class SchemaSql
{
    /// <summary>What of an object its CREATE statement says, so that nothing is to be added.</summary>
    private static readonly HashSet<string> Created =
    [
        SchemaObject.PartOfKey, "persistence", "of type", "server", "foreign options", "partition of", "partition bound", "partition by",
        "inherits", "access method",
        "options", "tablespace", "definition", "enum", "domain", "range", "base", "shell", "schema", "version", "parser", "members",
    ];

    /// <summary>The kind of the object as ALTER, COMMENT and DROP have it.</summary>
    internal static string Kind(SchemaObject o) => o.Kind == "partitioned table" ? "TABLE" : o.Kind.ToUpperInvariant();

    /// <summary>The object as ALTER, COMMENT and DROP name it.</summary>
    internal static string Name(SchemaObject o) =>
        o.Kind == "aggregate" && o.Name.EndsWith("()", StringComparison.Ordinal) ? $"AGGREGATE {o.Name[..^2]}(*)" : $"{Kind(o)} {o.Name}";

    /// <summary>The start of a statement that alters a relation, and no table that inherits from it.</summary>
    internal static string AlterOnly(SchemaObject o) =>
        o.Kind is "table" or "partitioned table" or "foreign table" ? $"ALTER {Kind(o)} ONLY {o.Name}" : $"ALTER {Name(o)}";

    /// <summary>The statements that add a fact which the object is not created with; none where it is.</summary>
    internal static IEnumerable<string> Add(SchemaObject o, SchemaFact fact) => fact.Kind switch
    {
        "trigger" or "rule" => Stateful(o, new StatefulFact(fact)),
        "inherited" => [$"ALTER TABLE ONLY {o.Name} {State(fact.Text)} TRIGGER {fact.Key["inherited trigger ".Length..]}"],
        "policy" => [$"CREATE POLICY {NameIn(fact)} ON {o.Name} {fact.Text}"],
        "comment" => [$"COMMENT ON {Target(o, fact.Key["comment".Length..])} IS {SqlLiteral.Quote(fact.Text)}"],
        "security" => [SecurityLabel(o, fact)],
        "privileges" => Grant(o, fact, fact.Text, withStandard: true),
        "mapping" => [$"ALTER TEXT SEARCH CONFIGURATION {o.Name} ADD MAPPING FOR {NameIn(fact)} WITH {fact.Text}"],
        "dependency" => [fact.Text],
        _ => Property(o, fact),
    };

    private static IEnumerable<string> Property(SchemaObject o, SchemaFact fact) => fact.Key switch
    {
        "owner" => o.Kind == "extension" ? [] : [$"ALTER {Name(o)} OWNER TO {fact.Text}"],
        "owned by" => [$"ALTER SEQUENCE {o.Name} OWNED BY {fact.Text}"],
        "row level security" => fact.Text.Split(", ").Select(w =>
            $"{AlterOnly(o)} {(w == "FORCED" ? "FORCE" : "ENABLE")} ROW LEVEL SECURITY"),
        "replica identity" => [$"{AlterOnly(o)} REPLICA IDENTITY {fact.Text}"],
        "cluster on" => [$"ALTER {Name(o)} CLUSTER ON {fact.Text}"],
        "target" => [$"ALTER STATISTICS {o.Name} SET STATISTICS {fact.Text}"],
        "state" => [$"ALTER EVENT TRIGGER {o.Name} {fact.Text}"],
        _ when Created.Contains(fact.Key) || fact.Kind is "column" or "constraint" or "index" => [],
        _ => throw new InvalidOperationException($"The fact \"{fact.Key}\" of {o.Kind} {o.Name} has no statement."),
    };

    private static IEnumerable<string> Stateful(SchemaObject o, StatefulFact fact) => fact.Verb == "ENABLE"
        ? [fact.Create]
        : [fact.Create, $"ALTER TABLE {o.Name} {fact.Verb} {fact.Fact.Kind.ToUpperInvariant()} {NameIn(fact.Fact)}"];

    /// <summary>How ALTER TABLE says the state of a trigger.</summary>
    internal static string State(string text) => text switch
    {
        "DISABLED" => "DISABLE",
        "ENABLED REPLICA" => "ENABLE REPLICA",
        "ENABLED ALWAYS" => "ENABLE ALWAYS",
        _ => "ENABLE",
    };

    /// <summary>What a comment or label is on: <paramref name="place"/> is empty for the object, or <c> on column id</c>.</summary>
    internal static string Target(SchemaObject o, string place) => place.Split(' ', 4) switch
    {
        [_] => Name(o),
        [_, _, "column", var column] => $"COLUMN {o.Name}.{column}",
        [_, _, "index", var index] => $"INDEX {SchemaOf(o.Name)}.{index}",
        [_, _, var kind, var name] => $"{kind.ToUpperInvariant()} {name} ON {(o.Kind == "domain" ? "DOMAIN " : "")}{o.Name}",
        _ => throw new InvalidOperationException($"What of {o.Name} is meant by{place}?"),
    };

    private static string SecurityLabel(SchemaObject o, SchemaFact fact)
    {
        var rest = fact.Key["security label ".Length..];
        var on = rest.IndexOf(" on column ", StringComparison.Ordinal);
        return $"SECURITY LABEL FOR {(on < 0 ? rest : rest[..on])} ON {Target(o, on < 0 ? "" : rest[on..])} IS "
            + $"{SqlLiteral.Quote(fact.Text)}";
    }

    /// <summary>The statements that give a grantee these privileges.</summary>
    /// <param name="o">The object.</param>
    /// <param name="fact">Its key names the grantee, the grantor where that is not the owner, and the column.</param>
    /// <param name="privileges"><c>INSERT, SELECT*</c></param>
    /// <param name="withStandard">Whether what the grantee may have by default is taken away first.</param>
    internal static IEnumerable<string> Grant(SchemaObject o, SchemaFact fact, string privileges, bool withStandard)
    {
        var (grantee, grantor, column, prefix, target) = GrantTarget(o, fact);
        var list = privileges == "NONE" ? [] : privileges.Split(", ");
        string[] statements =
        [
            .. withStandard && HasStandard(o, fact) ? [$"{prefix}REVOKE ALL {target} FROM {grantee}"] : Array.Empty<string>(),
            .. list.GroupBy(p => p.EndsWith('*')).Select(g =>
                $"{prefix}GRANT {string.Join(", ", g.Select(p => p.TrimEnd('*') + column))} {target} TO "
                    + $"{grantee}{(g.Key ? " WITH GRANT OPTION" : "")}"),
        ];
        return grantor is null || statements.Length == 0 ? statements : [$"SET ROLE {grantor}", .. statements, "RESET ROLE"];
    }

    /// <summary>The grantee, the grantor or null, the column in brackets or nothing, what stands before GRANT, and what follows
    /// it.</summary>
    internal static (string Grantee, string? Grantor, string Column, string Prefix, string Target) GrantTarget(SchemaObject o,
        SchemaFact fact)
    {
        var key = new Clauses(fact.Key, "of", "from", "on column");
        var grantee = key.After("of")!;
        var column = key.After("on column") is { } name ? $" ({name})" : "";
        if (o.Kind != "default privileges")
        {
            return (grantee == "the owner" ? o["owner"] ?? "CURRENT_USER" : grantee, key.After("from"), column, "", "ON " + GrantKind(o));
        }

        var on = o.Name.LastIndexOf(" ON ", StringComparison.Ordinal);
        var role = new Clauses(o.Name, "FOR ROLE", "IN SCHEMA", "ON").After("FOR ROLE")!;
        return (grantee == "the owner" ? role : grantee, null, "", $"ALTER DEFAULT PRIVILEGES {o.Name[..on]} ", o.Name[(on + 1)..]);
    }

    /// <summary>Whether the grantee has privileges on such an object from its creation on, so that they have to be taken away.</summary>
    internal static bool HasStandard(SchemaObject o, SchemaFact fact)
    {
        var key = new Clauses(fact.Key, "of", "from", "on column");
        return key["on column"] is null && key["from"] is null && (key.After("of"), o.Kind) switch
        {
            _ when o.PartOf is { } partOf && !partOf.StartsWith("column ", StringComparison.Ordinal) => true,
            ("the owner", "default privileges") => !o.Name.Contains(" IN SCHEMA ", StringComparison.Ordinal),
            ("PUBLIC", "default privileges") => !o.Name.Contains(" IN SCHEMA ", StringComparison.Ordinal)
                && (o.Name.EndsWith(" ON ROUTINES", StringComparison.Ordinal) || o.Name.EndsWith(" ON TYPES", StringComparison.Ordinal)),
            ("the owner", _) => true,
            ("PUBLIC", "function" or "procedure" or "aggregate" or "type" or "domain" or "language") => true,
            ("PUBLIC", "schema") => o.Name == "public",
            _ => false,
        };
    }

    private static string GrantKind(SchemaObject o) => o.Kind switch
    {
        "function" or "procedure" or "aggregate" => "ROUTINE " + o.Name,
        "server" => "FOREIGN SERVER " + o.Name,
        "schema" or "sequence" or "type" or "domain" or "language" or "foreign data wrapper" => $"{o.Kind.ToUpperInvariant()} {o.Name}",
        _ => "TABLE " + o.Name,
    };

    /// <summary>The quoted name at the end of a fact's key.</summary>
    internal static string NameIn(SchemaFact fact) => fact.Key[(fact.Kind.Length + 1)..];

    /// <summary>What is before the dot of a qualified name, the dot being outside of quotes.</summary>
    internal static string SchemaOf(string name)
    {
        var quoted = false;
        var dot = 0;
        while (quoted || name[dot] != '.')
        {
            quoted ^= name[dot++] == '"';
        }

        return name[..dot];
    }

    /// <summary>The words that there are, with a space between.</summary>
    internal static string Join(params ReadOnlySpan<string?> words)
    {
        var text = new StringBuilder();
        foreach (var word in words)
        {
            if (!string.IsNullOrEmpty(word))
            {
                text.Append(text.Length > 0 ? " " : "").Append(word);
            }
        }

        return text.ToString();
    }
}
