using Npgsql;

namespace ChatGenius.Db.Schema;

/// <summary>Gathers the rows of the queries, whose shapes are the same for all kinds, into objects.</summary>
internal sealed class SnapshotBuilder
{
    private readonly Dictionary<(uint Catalog, uint Oid),
        (string Kind, string Name, List<(int Position, SchemaFact Fact)> Facts)> _objects = [];
    private readonly List<((uint, uint) Object, int Position, SchemaFact Fact)> _facts = [];
    private readonly List<((uint, uint) Dependent, string? Part, (uint, uint) Needed, string? Column)> _dependencies = [];

    /// <summary>Rows: classid, objid, kind, name, part_of.</summary>
    internal async Task ReadObjectsAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        while (await reader.ReadAsync(cancellationToken))
        {
            _objects.Add(
                Id(reader, 0),
                (reader.GetString(2), reader.GetString(3), reader.IsDBNull(4) ? []
                    : [(-1, new SchemaFact(SchemaObject.PartOfKey, reader.GetString(4)))]));
        }
    }

    /// <summary>Rows: classid, objid, position, key, value.</summary>
    internal async Task ReadFactsAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        while (await reader.ReadAsync(cancellationToken))
        {
            // The value is NULL where a pg_get_…def function finds that the object was dropped meanwhile.
            if (!reader.IsDBNull(4))
            {
                _facts.Add((Id(reader, 0), reader.GetInt32(2), new SchemaFact(reader.GetString(3), reader.GetString(4))));
            }
        }
    }

    /// <summary>Rows: classid, objid, part, refclassid, refobjid, refcolumn.</summary>
    internal async Task ReadDependenciesAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        while (await reader.ReadAsync(cancellationToken))
        {
            _dependencies.Add((Id(reader, 0), Text(reader, 2), Id(reader, 3), Text(reader, 5)));
        }
    }

    /// <summary>Takes over what another has read of the same moment.</summary>
    internal void Add(SnapshotBuilder other)
    {
        _facts.AddRange(other._facts);
        _dependencies.AddRange(other._dependencies);
    }

    /// <param name="historySchema">The schema of the history, quoted: it does not count where it holds nothing but the tool's own
    /// tables.</param>
    internal SchemaSnapshot Build(string historySchema)
    {
        foreach (var (id, position, fact) in _facts)
        {
            if (_objects.TryGetValue(id, out var o))
            {
                o.Facts.Add((position, fact));
            }
        }

        var byId = _objects.ToDictionary(
            o => o.Key,
            o => new SchemaObject(
                o.Value.Kind,
                o.Value.Name,
                [.. Counted(o.Value.Facts).OrderBy(f => f.Position).ThenBy(f => f.Fact.Key, StringComparer.Ordinal).Select(f => f.Fact)]));
        var isShared = historySchema == "public" || byId.Values.Any(o => o.Name.StartsWith(historySchema + ".", StringComparison.Ordinal));
        return new SchemaSnapshot(
            [.. byId.Values
                .Where(o => (o.PartOf is null || o.Facts.Count > 1) && (isShared || (o.Kind, o.Name) != ("schema", historySchema)))
                .OrderBy(o => Array.IndexOf(SchemaText.Kinds, o.Kind)).ThenBy(o => o.Name, StringComparer.Ordinal)],
            [.. _dependencies
                .Where(d => byId.ContainsKey(d.Dependent) && byId.ContainsKey(d.Needed))
                .Select(d => new SchemaDependency(byId[d.Dependent], d.Part, byId[d.Needed], d.Column))]);
    }

    /// <summary>Of what comes with something else only what was given to it later counts. An extension makes comments too, a column's
    /// identity none.</summary>
    private static IEnumerable<(int Position, SchemaFact Fact)> Counted(List<(int Position, SchemaFact Fact)> facts) =>
        facts is [{ Fact.Key: SchemaObject.PartOfKey } partOf, ..]
            ? facts.Where(f => f.Position < 0 || f.Fact.Kind == "privileges"
                || (f.Fact.Kind is "comment" or "security" && partOf.Fact.Text is not "PostgreSQL"
                && !partOf.Fact.Text.StartsWith("extension ", StringComparison.Ordinal)))
            : facts;

    private static (uint Catalog, uint Oid) Id(NpgsqlDataReader reader, int column) =>
        (reader.GetFieldValue<uint>(column), reader.GetFieldValue<uint>(column + 1));

    private static string? Text(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);
}
