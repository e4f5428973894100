using System.Text.RegularExpressions;

namespace ChatGenius.Db.Schema;

/// <summary>What the user says has another name afterwards: a difference alone can't tell that from one that went and one that
/// came.</summary>
internal static class SchemaRename
{
    /// <summary>The statements that rename, and the schema as it is then.</summary>
    /// <param name="snapshot">With its dependencies.</param>
    /// <param name="renames"><c>public.users</c> → <c>people</c> for a table, a view, a sequence, a type; <c>public.users.name</c> →
    /// <c>full_name</c> for a column.</param>
    /// <exception cref="ProblemException">CG1113: there is nothing of the old name.</exception>
    internal static (SchemaSnapshot After, List<SchemaStatement> Statements) Of(SchemaSnapshot snapshot,
        IReadOnlyList<(string Old, string New)> renames)
    {
        var statements = new List<SchemaStatement>();
        foreach (var (old, name) in renames)
        {
            if (snapshot.Objects.FirstOrDefault(o => o.Name == old && !o.Name.Contains('(')) is { } o)
            {
                statements.Add(new($"ALTER {SchemaSql.Name(o)} RENAME TO {name}"));
                var full = $"{SchemaSql.SchemaOf(old)}.{name}";
                snapshot = Map(snapshot, (other, text, _) => Replace(text, old, full), other => Replace(other.Name, old, full),
                    d => d.Needed == o);
            }
            else if (snapshot.Objects.FirstOrDefault(t => old.StartsWith(t.Name + ".", StringComparison.Ordinal)
                && t["column " + old[(t.Name.Length + 1)..]] is not null) is { } table)
            {
                var column = old[(table.Name.Length + 1)..];
                statements.Add(new($"ALTER {SchemaSql.Name(table)} RENAME COLUMN {column} TO {name}"));
                snapshot = Map(
                    snapshot,
                    (other, text, key) => other == table && key != "comment" ? Replace(text, column, name)
                        : Replace(text, old, $"{table.Name}.{name}").Replace($"{table.Name}({column}", $"{table.Name}({name}",
                        StringComparison.Ordinal),
                    other => other.Name,
                    d => d.Needed == table);
            }
            else
            {
                throw new ProblemException(
                    "CG1113", $"--rename {old}={name}: there is nothing of the name {old}",
                    advice: "Write the name as schema dump shows it, a column as schema.table.column.");
            }
        }

        return (snapshot, statements);
    }

    private static SchemaSnapshot Map(
        SchemaSnapshot snapshot, Func<SchemaObject, string, string, string> text, Func<SchemaObject, string> name,
        Func<SchemaDependency, bool> shows)
    {
        // A view shows the old name as an alias: it is made again.
        var showing = snapshot.Dependencies!.Where(d => shows(d) && d.Part is null).Select(d => d.Dependent).ToHashSet();
        var map = snapshot.Objects.ToDictionary(o => o, o => new SchemaObject(o.Kind, name(o), [.. o.Facts.Select(f => f.Kind is "comment"
            ? f with { Key = text(o, f.Key, f.Key) }
            : new SchemaFact(text(o, f.Key, f.Key), text(o, f.Text, f.Key)
            + (f.Key == "definition" && showing.Contains(o) ? "\n-- renamed" : "")))]));
        return new SchemaSnapshot(
            [.. map.Values], [.. snapshot.Dependencies!.Select(d =>
                d with { Dependent = map[d.Dependent], Needed = map[d.Needed], Part = d.Part is { } part ? text(d.Dependent, part, part)
                : null })]);
    }

    /// <summary>The name where it is a whole one.</summary>
    private static string Replace(string text, string old, string name) =>
        Regex.Replace(text, $"(?<![\\w$\".]){Regex.Escape(old)}(?![\\w$\"])", name.Replace("$", "$$", StringComparison.Ordinal));
}
