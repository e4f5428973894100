using Npgsql;

namespace ChatGenius.Db.Schema;

/// <summary>Gathers the rows of the queries, whose shapes are the same for all kinds, into objects.</summary>
internal sealed class SnapshotBuilder
{
    private readonly Dictionary<(uint Catalog, uint Oid), (string Kind, string Name, List<(int Position, SchemaFact Fact)> Facts)> _objects = [];
    private readonly List<((uint, uint) Dependent, (uint, uint) Needed, bool Soft)> _dependencies = [];

    /// <summary>Rows: classid, objid, kind, name.</summary>
    internal async Task ReadObjectsAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        while (await reader.ReadAsync(cancellationToken))
        {
            _objects.Add(Id(reader, 0), (reader.GetString(2), reader.GetString(3), []));
        }
    }

    /// <summary>Rows: classid, objid, position, key, value, parts.</summary>
    internal async Task ReadFactsAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        while (await reader.ReadAsync(cancellationToken))
        {
            // The value is NULL where a pg_get_…def function finds that the object was dropped meanwhile.
            if (_objects.TryGetValue(Id(reader, 0), out var o) && !reader.IsDBNull(4))
            {
                var fact = new SchemaFact(reader.GetString(3), reader.GetString(4))
                {
                    Parts = reader.IsDBNull(5) ? [] : reader.GetFieldValue<string?[]>(5),
                };
                o.Facts.Add((reader.GetInt32(2), fact));
            }
        }
    }

    /// <summary>Rows: classid, objid, refclassid, refobjid, soft.</summary>
    internal async Task ReadDependenciesAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        while (await reader.ReadAsync(cancellationToken))
        {
            _dependencies.Add((Id(reader, 0), Id(reader, 2), reader.GetBoolean(4)));
        }
    }

    internal SchemaSnapshot Build()
    {
        var byId = _objects.ToDictionary(
            o => o.Key,
            o => new SchemaObject(
                o.Value.Kind,
                o.Value.Name,
                [.. o.Value.Facts.OrderBy(f => f.Position).ThenBy(f => f.Fact.Key, StringComparer.Ordinal).Select(f => f.Fact)]));
        return new SchemaSnapshot(
            [.. byId.Values.OrderBy(o => Array.IndexOf(SchemaText.Kinds, o.Kind)).ThenBy(o => o.Name, StringComparer.Ordinal)],
            [.. _dependencies
                .Where(d => byId.ContainsKey(d.Dependent) && byId.ContainsKey(d.Needed))
                .Select(d => new SchemaDependency(byId[d.Dependent], byId[d.Needed], d.Soft))]);
    }

    private static (uint Catalog, uint Oid) Id(NpgsqlDataReader reader, int column) =>
        (reader.GetFieldValue<uint>(column), reader.GetFieldValue<uint>(column + 1));
}
