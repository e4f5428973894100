using System.Text.RegularExpressions;

namespace ChatGenius.Db.Schema;

/// <summary>
/// What needs what in a snapshot that comes from a file: an object needs those whose qualified names are in its texts. That may be more
/// than PostgreSQL knows (all functions of one name), never less, but for the body of a function, which PostgreSQL doesn't look into
/// either.
/// </summary>
internal static partial class NamedDependencies
{
    /// <summary>The snapshot with its dependencies.</summary>
    internal static SchemaSnapshot Given(SchemaSnapshot snapshot) =>
        snapshot.Dependencies is null ? new SchemaSnapshot(snapshot.Objects, [.. Of(snapshot).Distinct()]) : snapshot;

    private static IEnumerable<SchemaDependency> Of(SchemaSnapshot snapshot)
    {
        var byName = snapshot.Objects.Where(o => o.PartOf is null && o.Kind is not "default privileges").ToLookup(o => Plain(o.Name));
        foreach (var o in snapshot.Objects.Where(o => o.PartOf is null))
        {
            var schema = QualifiedName().Match(o.Name) is { Success: true, Index: 0 } ? SchemaSql.SchemaOf(o.Name) : o["schema"];
            IEnumerable<(string? Part, string Text)> texts = o.Facts.SelectMany(f => Texts(o, f))
                .Append((null, o.Name[Plain(o.Name).Length..]));
            foreach (var (part, name) in texts.SelectMany(t => QualifiedName().Matches(t.Text).Select(m => (t.Part, m.Value)))
                .Append((null, schema ?? "")))
            {
                foreach (var needed in byName[name].Where(n => n != o && !(n.Kind == "sequence" && part is null)))
                {
                    yield return new SchemaDependency(o, part, needed, null);
                }
            }
        }
    }

    private static IEnumerable<(string? Part, string Text)> Texts(SchemaObject o, SchemaFact fact)
    {
        switch (fact.Kind)
        {
            case "comment" or "privileges" or "owner" or "security" or "owned" or "dependency" or "mapping":
                return [];
            case "column":
                var column = new ColumnFact(fact);
                return [(null, $"{column.Type} {column.Collation} {column.Generated}"), (fact.Key, column.Default ?? "")];
            case "constraint" or "index" or "trigger" or "rule" or "policy":
                return [(fact.Key, fact.Text)];
            case "definition" when o.Kind is "function" or "procedure":
                var body = fact.Text.IndexOf("\nAS ", StringComparison.Ordinal);
                return [(null, body < 0 ? fact.Text : fact.Text[..body])];
            default:
                return [(null, fact.Text)];
        }
    }

    /// <summary>The name without the arguments of a routine, the operands of an operator or the access method of a class.</summary>
    private static string Plain(string name) => QualifiedName().Match(name) is { Success: true, Index: 0 } match ? match.Value : name;

    [GeneratedRegex("""(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)\.(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)""")]
    private static partial Regex QualifiedName();
}
