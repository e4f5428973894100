using System.Globalization;

namespace ChatGenius.Db.Schema;

/// <summary>The statements that change or take away a fact of an object that is there before and after.</summary>
internal static class AlterSql
{
    private static readonly string[] SequenceWords = ["INCREMENT BY", "MINVALUE", "MAXVALUE", "START WITH", "CACHE", "CYCLE"];

    /// <summary>Drops a fact that something else may need: an index, a constraint, a trigger, a rule, a policy, a default, a place among
    /// partitions.</summary>
    internal static SchemaStatement Drop(SchemaObject o, string key, SchemaChangeOptions options)
    {
        var name = key[(key.IndexOf(' ', StringComparison.Ordinal) + 1)..];
        return key.Split(' ')[0] switch
        {
            "constraint" => new($"ALTER {SchemaSql.Kind(o)} {o.Name} DROP CONSTRAINT {name}"),
            "index" when options is { Concurrently: true, IsOffline: false } && o["partition by"] is null =>
                new($"DROP INDEX CONCURRENTLY {SchemaSql.SchemaOf(o.Name)}.{name}") { IsAlone = true },
            "index" => new($"DROP INDEX {SchemaSql.SchemaOf(o.Name)}.{name}"),
            "column" => new($"{SchemaSql.AlterOnly(o)} ALTER COLUMN {name} DROP DEFAULT"),
            "inherits" =>
                new($"ALTER {SchemaSql.Name(o)} {string.Join(", ", Clauses.Split(o["inherits"]!).Select(p => $"NO INHERIT {p}"))}"),
            "partition" => new($"ALTER TABLE {o["partition of"]} DETACH PARTITION {o.Name}"),
            var kind => new($"DROP {kind.ToUpperInvariant()} {name} ON {o.Name}"),
        };
    }

    /// <summary>Drops an object.</summary>
    internal static SchemaStatement Drop(SchemaObject o, bool cascade) => new($"DROP {SchemaSql.Name(o)}{(cascade ? " CASCADE" : "")}")
    {
        Question = o.Kind switch
        {
            "table" or "partitioned table" => $"are the rows of {o.Name} needed no more? (Or was it renamed: --rename {o.Name}=new_name)",
            "extension" or "subscription" or "server" => $"is the {o.Kind} {o.Name} needed no more?",
            _ => null,
        },
        SafeWhere = o.Kind is "table" or "partitioned table" ? $"SELECT NOT EXISTS (SELECT FROM {o.Name})" : null,
    };

    /// <summary>The statements that make one property of an object what it shall be.</summary>
    /// <param name="a">The object before.</param>
    /// <param name="b">The object after.</param>
    /// <param name="key">The key of the fact.</param>
    internal static IEnumerable<SchemaStatement> Change(SchemaObject a, SchemaObject b, string key)
    {
        var fact = b.Facts.FirstOrDefault(f => f.Key == key) ?? a.Facts.First(f => f.Key == key);
        return (fact.Kind is "privileges" ? Privileges(a, b, fact) : Texts(a, b, fact))
            .Select(s => s is { } sql && !sql.StartsWith("? ", StringComparison.Ordinal)
            ? new SchemaStatement(sql)
            : Asked(b, s[2..].Split('\n', 2)));
    }

    /// <summary>A question, and the statement that is right where the answer is yes; there may be none.</summary>
    private static SchemaStatement Asked(SchemaObject o, string[] question) =>
        new(question.Length > 1 ? question[1] : $"SELECT '{o.Kind} {o.Name.Replace("'", "''", StringComparison.Ordinal)}'") {
            Question = question[0] };

    private static IEnumerable<string> Texts(SchemaObject a, SchemaObject b, SchemaFact fact)
    {
        var (before, after) = (a[fact.Key], b[fact.Key]);
        var alter = "ALTER " + SchemaSql.Name(b);
        return fact.Key switch
        {
            "options" => Options(before, after).Select(o => $"{alter} {o}"),
            "foreign options" => [$"{alter} OPTIONS ({ForeignOptions(before, after)})"],
            "tablespace" => [$"{alter} SET TABLESPACE {after ?? "pg_default"}"],
            "access method" => [$"{alter} SET ACCESS METHOD {after ?? "heap"}"],
            "persistence" => [$"{alter} SET {after ?? "LOGGED"}"],
            "row level security" => RowSecurity(before ?? "", after ?? "").Select(w => $"{SchemaSql.AlterOnly(b)} {w} ROW LEVEL SECURITY"),
            "replica identity" when after is null => [$"{SchemaSql.AlterOnly(b)} REPLICA IDENTITY DEFAULT"],
            "cluster on" when after is null => [$"{alter} SET WITHOUT CLUSTER"],
            "owned by" when after is null => [$"{alter} OWNED BY NONE"],
            "target" when after is null => [$"{alter} SET STATISTICS -1"],
            "state" when after is null => [$"{alter} ENABLE"],
            "definition" when b.Kind == "sequence" && Shrinks(before!, after!) => [
                $"? may {b.Name} begin again, for its present value may be outside of what it shall give?\n{alter} "
                    + $"{string.Join(' ', Sequence(after!).Prepend(new Clauses(after!, SequenceWords).Head))} RESTART"],
            "definition" when b.Kind == "sequence" =>
                [$"{alter} {string.Join(' ', Sequence(after!).Prepend(new Clauses(after!, SequenceWords).Head))}"],
            "definition" when b.Kind is "function" or "procedure" => [after!],
            "definition" when b.Kind == "view" => [],
            "inherits" => Clauses.Split(after ?? "").Select(p => $"{alter} INHERIT {p}"),
            "of type" => [after is null ? $"{alter} NOT OF" : $"{alter} OF {after}"],
            "partition by" or "server" => [$"? {b.Kind} {b.Name}: its {fact.Key} can't be changed; it has to be built again"],
            "schema" => [$"{alter} SET SCHEMA {after}"],
            "version" => [b.Kind == "extension" ? $"{alter} UPDATE TO '{after}'" : $"{alter} REFRESH VERSION"],
            "enum" => EnumLabels(b, before!, after!),
            "domain" => Domain(b, before!, after!),
            _ when fact.Kind == "trigger" || fact.Kind == "rule" =>
                [$"ALTER TABLE {b.Name} {new StatefulFact(b.Facts.First(f => f.Key == fact.Key)).Verb} {fact.Kind.ToUpperInvariant()} "
                    + $"{SchemaSql.NameIn(fact)}"],
            _ when fact.Kind == "inherited" =>
                [$"ALTER TABLE ONLY {b.Name} {SchemaSql.State(after ?? "")} TRIGGER {fact.Key["inherited trigger ".Length..]}"],
            _ when fact.Kind == "constraint" => [$"{alter} VALIDATE CONSTRAINT {SchemaSql.NameIn(fact)}"],
            _ when fact.Kind is "comment" or "security" && after is null =>
                SchemaSql.Add(b, fact with { Text = "" }).Select(s => s[..^2] + "NULL"),
            _ when fact.Kind == "mapping" =>
                [$"{alter} {(before is null ? "ADD" : after is null ? "DROP" : "ALTER")} MAPPING FOR "
                    + $"{SchemaSql.NameIn(fact)}{(after is null ? "" : $" WITH {after}")}"],
            _ when fact.Kind == "dependency" && after is null =>
                [fact.Text.Replace(" DEPENDS ON EXTENSION ", " NO DEPENDS ON EXTENSION ", StringComparison.Ordinal)],
            _ => SchemaSql.Add(b, fact),
        };
    }

    private static List<string> Privileges(SchemaObject a, SchemaObject b, SchemaFact fact)
    {
        var (grantee, grantor, column, prefix, target) = SchemaSql.GrantTarget(b, fact);
        if (b.PartOf is { } partOf && !partOf.StartsWith("column ", StringComparison.Ordinal) && b[fact.Key] is null)
        {
            return [$"? {grantee} has on {b.Name} what was given or taken by hand; what it had from {b.PartOf} is not known"];
        }

        var standard = SchemaSql.HasStandard(b, fact) ? Standard(b, fact) : "NONE";
        var (before, after) = (List(a[fact.Key] ?? standard), List(b[fact.Key] ?? standard));
        List<string> statements = [];
        if (before.Contains("ALL") && !after.Contains("ALL"))
        {
            statements.Add($"{prefix}REVOKE ALL {target} FROM {grantee}");
            before = [];
        }

        foreach (var privilege in before.Where(p => !after.Contains(p) && !after.Contains("ALL")))
        {
            var onlyOption = privilege.EndsWith('*') && after.Contains(privilege.TrimEnd('*'));
            statements.Add(
                $"{prefix}REVOKE {(onlyOption ? "GRANT OPTION FOR " : "")}{privilege.TrimEnd('*')}{column} {target} FROM {grantee}");
        }

        var given = string.Join(", ", after.Where(p => !before.Contains(p) && !before.Contains(p + '*')));
        statements.AddRange(given.Length == 0 ? [] : SchemaSql.Grant(b, fact, given, withStandard: false)
            .Where(s => !s.EndsWith("ROLE", StringComparison.Ordinal) && !s.StartsWith("SET ROLE ", StringComparison.Ordinal)));
        return grantor is null || statements.Count == 0 ? statements : [$"SET ROLE {grantor}", .. statements, "RESET ROLE"];
    }

    private static List<string> List(string privileges) => privileges == "NONE" ? [] : [.. privileges.Split(", ")];

    /// <summary>What the grantee has on such an object when it is made.</summary>
    private static string Standard(SchemaObject o, SchemaFact fact) =>
        fact.Key.StartsWith("privileges of the owner", StringComparison.Ordinal) ? "ALL"
        : o.Kind is "function" or "procedure" or "aggregate" || o.Name.EndsWith(" ON ROUTINES", StringComparison.Ordinal) ? "EXECUTE"
        : "USAGE";

    private static IEnumerable<string> Options(string? before, string? after)
    {
        var (old, @new) = (Clauses.Split(before ?? ""), Clauses.Split(after ?? ""));
        var set = string.Join(", ", @new.Except(old));
        var reset = string.Join(", ", old.Select(o => o.Split('=')[0]).Except(@new.Select(o => o.Split('=')[0])));
        return [.. set.Length > 0 ? [$"SET ({set})"] : Array.Empty<string>(), .. reset.Length > 0 ? [$"RESET ({reset})"]
            : Array.Empty<string>()];
    }

    /// <summary>What stands in OPTIONS (…) to make options of a foreign object others.</summary>
    internal static string ForeignOptions(string? before, string? after)
    {
        static string Name(string option) => option[..option.IndexOf(" '", StringComparison.Ordinal)];
        var (old, @new) = (Clauses.Split(before ?? ""), Clauses.Split(after ?? ""));
        return string.Join(", ",
        [
            .. old.Select(Name).Except(@new.Select(Name)).Select(n => "DROP " + n),
            .. @new.Except(old).Select(o => (old.Select(Name).Contains(Name(o)) ? "SET " : "ADD ") + o),
        ]);
    }

    private static IEnumerable<string> RowSecurity(string before, string after) =>
    [
        .. before.Contains("ENABLED", StringComparison.Ordinal) == after.Contains("ENABLED", StringComparison.Ordinal)
        ? Array.Empty<string>()
            : [after.Contains("ENABLED", StringComparison.Ordinal) ? "ENABLE" : "DISABLE"],
        .. before.Contains("FORCED", StringComparison.Ordinal) == after.Contains("FORCED", StringComparison.Ordinal) ? Array.Empty<string>()
            : [after.Contains("FORCED", StringComparison.Ordinal) ? "FORCE" : "NO FORCE"],
    ];

    /// <summary>
    /// The options of a sequence, with those that its definition does not say, as numbers: what NO MINVALUE means in ALTER SEQUENCE depends
    /// on what was there.
    /// </summary>
    internal static IEnumerable<string> Sequence(string definition)
    {
        var clauses = new Clauses(definition, SequenceWords);
        var isFalling = clauses.After("INCREMENT BY")?.StartsWith('-') == true;
        var (lowest, highest) = clauses.Head switch
        {
            "AS smallint" => ((long)short.MinValue, (long)short.MaxValue),
            "AS integer" => (int.MinValue, int.MaxValue),
            _ => (long.MinValue, long.MaxValue),
        };
        var minimum = clauses["MINVALUE"] ?? $"MINVALUE {(isFalling ? lowest : 1)}";
        var maximum = clauses["MAXVALUE"] ?? $"MAXVALUE {(isFalling ? -1 : highest)}";
        return
        [
            clauses["INCREMENT BY"] ?? "INCREMENT BY 1", minimum, maximum,
            clauses["START WITH"] ?? "START WITH " + (isFalling ? maximum : minimum).Split(' ')[1],
            clauses["CACHE"] ?? "CACHE 1", clauses["CYCLE"] ?? "NO CYCLE",
        ];
    }

    /// <summary>Whether a sequence may stand at a value that it must not have any more.</summary>
    private static bool Shrinks(string before, string after)
    {
        static long Number(IEnumerable<string> options, string word) =>
            long.Parse(options.First(o => o.StartsWith(word, StringComparison.Ordinal)).Split(' ')[^1], CultureInfo.InvariantCulture);
        var (old, @new) = (Sequence(before).ToList(), Sequence(after).ToList());
        return Number(@new, "MINVALUE") > Number(old, "MINVALUE") || Number(@new, "MAXVALUE") < Number(old, "MAXVALUE");
    }

    /// <summary>Whether the labels after are those before with more in between.</summary>
    internal static bool CanGrow(string before, string after)
    {
        var (old, @new) = (Clauses.Split(before), Clauses.Split(after));
        return before == "()" || @new.Where(old.Contains).SequenceEqual(old);
    }

    private static IEnumerable<string> EnumLabels(SchemaObject b, string before, string after)
    {
        var (old, @new) = (before == "()" ? [] : Clauses.Split(before), Clauses.Split(after));
        for (var i = 0; i < @new.Count; i++)
        {
            if (!old.Contains(@new[i]))
            {
                yield return $"ALTER TYPE {b.Name} ADD VALUE "
                    + $"{@new[i]}{(i > 0 ? $" AFTER {@new[i - 1]}" : old.Count > 0 ? $" BEFORE {old[0]}" : "")}";
            }
        }
    }

    private static IEnumerable<string> Domain(SchemaObject b, string before, string after)
    {
        var (old, @new) = (DomainClauses(before), DomainClauses(after));
        if (old["DEFAULT"] != @new["DEFAULT"])
        {
            yield return $"ALTER DOMAIN {b.Name} {(@new["DEFAULT"] is { } value ? "SET " + value : "DROP DEFAULT")}";
        }

        if (old["NOT NULL"] != @new["NOT NULL"])
        {
            yield return $"ALTER DOMAIN {b.Name} {(@new["NOT NULL"] is null ? "DROP" : "SET")} NOT NULL";
        }
    }

    /// <summary>A domain's fact; its head and its collation can't be changed.</summary>
    internal static Clauses DomainClauses(string text) => new(text, "COLLATE", "DEFAULT", "CONSTRAINT", "NOT NULL");
}
