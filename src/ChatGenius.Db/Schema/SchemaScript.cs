using System.Text;

namespace ChatGenius.Db.Schema;

/// <summary>Writes a snapshot as SQL that builds the schema in an empty database.</summary>
public sealed partial class SchemaScript
{
    private readonly SchemaSnapshot _snapshot;
    private readonly Dictionary<string, SchemaObject> _tables;
    private readonly List<string> _statements = [];
    private readonly List<Problem> _problems = [];

    private SchemaScript(SchemaSnapshot snapshot)
    {
        _snapshot = snapshot;
        _tables = snapshot.Objects.Where(o => o.Kind.EndsWith("table", StringComparison.Ordinal)).ToDictionary(o => o.Name);
    }

    /// <summary>The statements, without semicolons, in an order in which each finds what it needs.</summary>
    /// <param name="snapshot">Read with <see cref="SchemaParts.Dependencies"/>.</param>
    /// <exception cref="ProblemException">CG1103, once for each object that can't be rebuilt; none is left out in silence.</exception>
    /// <exception cref="ArgumentException">The snapshot was read without its dependencies, or from a file.</exception>
    public static IReadOnlyList<string> Statements(SchemaSnapshot snapshot)
    {
        var script = new SchemaScript(snapshot);
        script.Write();
        return script._problems.Count == 0 ? script._statements : throw new ProblemException(script._problems);
    }

    /// <summary>The statements as a file that psql runs.</summary>
    /// <inheritdoc cref="Statements" path="/exception"/>
    public static string Text(SchemaSnapshot snapshot)
    {
        var text = new StringBuilder();
        foreach (var statement in Statements(snapshot))
        {
            text.Append(statement).Append(";\n\n");
        }

        return text.ToString().TrimEnd('\n') + "\n";
    }

    private void Write()
    {
        // All names are qualified; what a routine's text names need not be there yet.
        Add("SET search_path = ''");
        Add("SET standard_conforming_strings = on");
        Add("SET check_function_bodies = off");
        var order = SchemaOrder.Of(_snapshot);
        foreach (var o in order.Objects.Where(o => !IsLast(o)))
        {
            Create(o, order.WithoutSoftParts.Contains(o));
        }

        // Indexes come before partitions are attached: PostgreSQL then ties the partition's index to the one of its parent
        // by definition, so that both keep their names.
        Each("index", AddIndex);
        foreach (var o in _snapshot.Objects)
        {
            AddToParent(o);
        }

        foreach (var o in order.WithoutSoftParts)
        {
            AddSoftParts(o);
        }

        foreach (var o in _snapshot.Objects)
        {
            AddForeignKeys(o);
        }

        foreach (var o in order.Objects.Where(o => !IsLast(o)))
        {
            foreach (var fact in o.Facts)
            {
                Finish(o, fact);
            }
        }

        foreach (var o in _snapshot.Objects.Where(IsLast))
        {
            Create(o, withoutSoftParts: false);
            foreach (var fact in o.Facts)
            {
                Finish(o, fact);
            }
        }

        Add("RESET check_function_bodies");
        Add("RESET standard_conforming_strings");
        Add("RESET search_path");
    }

    /// <summary>An event trigger would fire for, and default privileges would be given to, what comes after it.</summary>
    private static bool IsLast(SchemaObject o) => o.Kind is "publication" or "default privileges" or "event trigger";

    private void Add(string statement) => _statements.Add(statement);

    private void Each(string factKind, Action<SchemaObject, SchemaFact> write)
    {
        foreach (var o in _snapshot.Objects)
        {
            foreach (var fact in o.Of(factKind))
            {
                write(o, fact);
            }
        }
    }

    private void CantRebuild(SchemaObject o, string what) => _problems.Add(new Problem(
        "CG1103",
        $"The {o.Kind} {o.Name} can't be written as SQL: {what}",
        Advice: "Use pg_dump --schema-only, or leave its schema out with --exclude-schema."));

    /// <summary>A list in parentheses, one entry a line; empty parentheses for none.</summary>
    private static string Lines(IEnumerable<string> entries)
    {
        var list = string.Join(",\n    ", entries);
        return list.Length == 0 ? "()" : $"(\n    {list}\n)";
    }

    private static string Join(params ReadOnlySpan<string?> words)
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
