using System.Text;
using System.Text.RegularExpressions;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Schema;

/// <summary>One fact about an object: a column, a constraint, a definition, a comment.</summary>
/// <param name="Key">What it is about, unique in its object: <c>column "order"</c>, <c>constraint users_pkey</c>,
/// <c>definition</c>.</param>
/// <param name="Text">What holds, in PostgreSQL's own words; may have several lines.</param>
internal sealed record SchemaFact(string Key, string Text)
{
    /// <summary>The first word of the key: <c>column</c>, <c>constraint</c>, <c>index</c>, …</summary>
    public string Kind => Key.IndexOf(' ') is var space and >= 0 ? Key[..space] : Key;
}

/// <summary>An object of the schema with all that is known about it.</summary>
/// <param name="Kind">PostgreSQL's word for it: <c>table</c>, <c>view</c>, <c>function</c>, …</param>
/// <param name="Name">Its name, qualified and quoted where needed; for a routine with the types of its arguments.</param>
/// <param name="Facts">In the order they are shown; columns in their own order.</param>
internal sealed record SchemaObject(string Kind, string Name, IReadOnlyList<SchemaFact> Facts)
{
    /// <summary>The key of the fact that says what an object comes with; see <see cref="PartOf"/>.</summary>
    internal const string PartOfKey = "part of";

    /// <summary>
    /// What the object comes with where it is none of the schema's own: an extension, PostgreSQL itself, an identity column. It counts only
    /// by what was given to it later, such as a privilege.
    /// </summary>
    public string? PartOf => this[PartOfKey];

    /// <summary>The text of the fact with this key, or null.</summary>
    public string? this[string key] => Facts.FirstOrDefault(f => f.Key == key)?.Text;

    /// <summary>The facts of one kind, in order.</summary>
    public IEnumerable<SchemaFact> Of(string factKind) => Facts.Where(f => f.Kind == factKind);

    /// <summary>The object as it stands in the text of a snapshot.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        SchemaText.Write(text, this);
        return text.ToString();
    }
}

/// <summary>
/// A schema at one moment. Two are equal if their texts are; the text is stable (the same schema gives the same text, in
/// whatever order it was built), is made to be read and compared line by line, and can be read back.
/// </summary>
internal sealed class SchemaSnapshot : IEquatable<SchemaSnapshot>
{
    private string? _text;

    internal SchemaSnapshot(IReadOnlyList<SchemaObject> objects, IReadOnlyList<SchemaDependency>? dependencies = null)
    {
        Objects = objects;
        Dependencies = dependencies;
    }

    /// <summary>All objects, sorted by kind and name.</summary>
    public IReadOnlyList<SchemaObject> Objects { get; }

    /// <summary>Which object needs which, or null where that was not read.</summary>
    internal IReadOnlyList<SchemaDependency>? Dependencies { get; }

    /// <summary>The object of this kind and name, or null.</summary>
    public SchemaObject? Find(string kind, string name) => Objects.FirstOrDefault(o => o.Kind == kind && o.Name == name);

    /// <summary>The snapshot without what others have made: objects and facts that match a pattern.</summary>
    /// <param name="patterns"><c>*</c> stands for anything: <c>table audit.*</c>, <c>audit.*</c>, <c>privileges of supabase_*</c>.</param>
    public SchemaSnapshot Without(IReadOnlyCollection<string> patterns)
    {
        var matchers = patterns.Select(p => new Regex($"^{Regex.Escape(p).Replace("\\*", ".*", StringComparison.Ordinal)}$",
            RegexOptions.CultureInvariant)).ToList();
        bool IsOut(string text) => matchers.Exists(m => m.IsMatch(text));
        if (matchers.Count == 0)
        {
            return this;
        }

        var kept = Objects.Where(o => !IsOut(o.Name) && !IsOut($"{o.Kind} {o.Name}"))
            .ToDictionary(o => o, o => o with { Facts = [.. o.Facts.Where(f => !IsOut(f.Key))] });
        return new SchemaSnapshot(
            [.. kept.Values.Where(o => o.PartOf is null || o.Facts.Count > 1)],
            Dependencies is null ? null : [.. Dependencies.Where(d => kept.ContainsKey(d.Dependent) && kept.ContainsKey(d.Needed))
                .Select(d => d with { Dependent = kept[d.Dependent], Needed = kept[d.Needed] })]);
    }

    /// <summary>The snapshot with what no migration makes as another has it: owners, tablespaces, versions, and what was given on objects
    /// that PostgreSQL or an extension brings.</summary>
    public SchemaSnapshot WithPlatformOf(SchemaSnapshot other) => SchemaDiff.WithPlatformOf(this, other);

    /// <summary>Reads a text back that <see cref="ToString"/> gave.</summary>
    /// <exception cref="ProblemException">CG1102: the text is not a snapshot; names the line.</exception>
    public static SchemaSnapshot Parse(SourceText source) => new(SchemaText.Parse(source));

    /// <summary>Writes the text.</summary>
    public void WriteTo(TextWriter writer) => writer.Write(ToString());

    /// <summary>The text: lines end with LF, the last one, too.</summary>
    public override string ToString() => _text ??= SchemaText.Write(Objects);

    /// <inheritdoc/>
    public bool Equals(SchemaSnapshot? other) => other is not null && ToString() == other.ToString();

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as SchemaSnapshot);

    /// <inheritdoc/>
    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);
}

/// <summary>One object that needs another.</summary>
/// <param name="Dependent">The one that comes later.</param>
/// <param name="Part">The key of the fact that needs it, where that can be added after the object was made.</param>
/// <param name="Needed">The one that comes first.</param>
/// <param name="Column">The column of it that is needed, not quoted.</param>
internal sealed record SchemaDependency(SchemaObject Dependent, string? Part, SchemaObject Needed, string? Column);
