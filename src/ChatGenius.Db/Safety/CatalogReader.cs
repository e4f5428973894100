using System.Collections.Immutable;
using ChatGenius.Db.Replay;
using Npgsql;

namespace ChatGenius.Db.Safety;

/// <summary>
/// Reads the catalogs in the session that runs a migration, because no other sees what is not committed. After a statement they are read
/// only where the server has counted a row that was written there, and then only
/// rows that this transaction wrote: with thousands of tables that is a thousandth of the work. Whether a row was
/// written by this transaction is asked with <c>age()</c>, since an equality with the transaction's id would miss what was
/// done in a PL/pgSQL block with an EXCEPTION clause, which is a subtransaction with an id of its own.
/// </summary>
/// <remarks>
/// No function here takes a lock that the migration does not have; <c>pg_get_viewdef</c> would. The bounds of a partition are asked for in
/// the transaction that makes it one.
/// </remarks>
internal sealed class CatalogReader(NpgsqlConnection connection) : IAsyncDisposable
{
    private const string UserSchema = "n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'";

    // The view pg_stat_xact_all_tables groups all tables each time; the functions below it answer for the few that have something to say.
    private const string Counters =
        """
        SELECT CASE WHEN c.oid >= 16384 THEN coalesce(i.indrelid, c.oid) ELSE 0 END, c.relkind = 'i', pg_stat_get_xact_numscans(c.oid),
               pg_stat_get_xact_tuples_returned(c.oid), pg_stat_get_xact_tuples_inserted(c.oid),
               pg_stat_get_xact_tuples_updated(c.oid), pg_stat_get_xact_tuples_deleted(c.oid)
        FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid AND c.relkind = 'i'
        WHERE (c.relkind = 'r' OR (c.relkind IN ('m', 'i') AND c.oid >= 16384)) AND c.relnamespace <> 'pg_toast'::regnamespace
          AND (pg_stat_get_xact_tuples_inserted(c.oid) > 0 OR pg_stat_get_xact_tuples_updated(c.oid) > 0
               OR pg_stat_get_xact_tuples_deleted(c.oid) > 0 OR (c.oid >= 16384 AND pg_stat_get_xact_numscans(c.oid) > 0))
        """;

    private const string State =
        "SELECT current_setting('lock_timeout'), current_setting('track_counts')::bool";

    private const string Locks =
        """
        SELECT relation, mode FROM pg_catalog.pg_locks
        WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted AND relation >= 16384
          AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
        """;

    private static readonly Query[] Queries =
    [
        new(["c.xmin", "n.xmin", "i.xmin", "p.xmin"], changed =>
            $"""
            SELECT c.oid, n.nspname::text, c.relname::text, c.relkind::text, c.relpersistence::text, c.reltablespace, c.relam,
                   CASE WHEN c.relispartition THEN (SELECT h.inhparent FROM pg_catalog.pg_inherits h WHERE h.inhrelid = c.oid) END,
                   nullif(p.partdefid, 0), pg_relation_filenode(c.oid), c.relrowsecurity, c.relreplident::text, c.relacl::text,
                   i.indrelid, i.indisvalid, i.indisunique, i.indisprimary, i.indisreplident, i.indnkeyatts,
                   string_to_array(i.indkey::text, ' ')::int2[], pg_get_indexdef(i.indexrelid), pg_get_expr(i.indpred, i.indrelid),
                   c.relforcerowsecurity, pg_get_expr(c.relpartbound, c.oid),
                   CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhrelid = c.oid AND {OurWrite("h.xmin")})
                       AND c.relispartition THEN pg_get_partition_constraintdef(c.oid) END
            FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
            LEFT JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = c.oid
            WHERE c.oid >= 16384 AND {UserSchema} AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'i', 'I') AND ({changed})
              AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                  AND d.deptype = 'e')
            """),
        new(["x.xmin", "y.xmin"], changed =>
            $"""
            SELECT a.attrelid, a.attnum, a.attname::text, format_type(a.atttypid, a.atttypmod), a.atttypid, a.attcollation, a.attnotnull,
                   nullif(a.attidentity::text, ''), nullif(a.attgenerated::text, ''), pg_get_expr(d.adbin, d.adrelid)
            FROM pg_catalog.pg_attribute a
            JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE a.attrelid >= 16384 AND {UserSchema} AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped
              AND a.attrelid IN (SELECT x.attrelid
                                 FROM pg_catalog.pg_attribute x LEFT JOIN pg_catalog.pg_attrdef y ON y.adrelid = x.attrelid
                                     AND y.adnum = x.attnum
                                 WHERE x.attrelid >= 16384 AND x.attnum > 0 AND ({changed}))
            ORDER BY a.attrelid, a.attnum
            """),
        new(["o.xmin"], changed =>
            $"""
            SELECT o.oid, o.conname::text, o.conrelid, o.contypid, o.contype::text, o.convalidated, o.conindid, o.confrelid, o.conparentid,
                   coalesce(o.conkey, '{EmptyArray}'), coalesce(o.confkey, '{EmptyArray}'), pg_get_constraintdef(o.oid)
            FROM pg_catalog.pg_constraint o
            JOIN pg_catalog.pg_namespace n ON n.oid = o.connamespace
            WHERE o.oid >= 16384 AND {UserSchema} AND o.contype IN ('p', 'u', 'f', 'c', 'x', 'n') AND ({changed})
            """),
        new(["t.xmin", "n.xmin"], changed =>
            $"""
            SELECT t.oid, n.nspname::text, t.typname::text, t.typtype::text, t.typnotnull, t.typbasetype,
                   coalesce(format_type(nullif(t.typbasetype, 0), t.typtypmod), '')
            FROM pg_catalog.pg_type t
            JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
            WHERE t.oid >= 16384 AND {UserSchema} AND ({changed})
              AND (t.typtype IN ('d', 'e', 'r') OR EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
              AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid
                  AND d.deptype = 'e')
            """),
        new(["e.xmin"], changed =>
            $"SELECT e.oid, e.enumtypid, e.enumlabel::text FROM pg_catalog.pg_enum e WHERE e.oid >= 16384 AND ({changed})"),
        new(["p.xmin", "n.xmin"], changed =>
            $"""
            SELECT p.oid, n.nspname::text, p.proname::text, pg_get_function_identity_arguments(p.oid), p.prokind::text, p.prosecdef,
                   coalesce(array_to_string(p.proconfig, ' '), '') ~ '(^| )search_path=', p.prorettype = 'trigger'::regtype, p.proacl::text
            FROM pg_catalog.pg_proc p
            JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
            WHERE p.oid >= 16384 AND {UserSchema} AND ({changed})
              AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                  AND d.deptype IN ('e', 'i'))
            """),
        new(["g.xmin"], changed =>
            $"SELECT g.oid, g.tgrelid, g.tgname::text, g.tgenabled::text FROM pg_catalog.pg_trigger g "
                + $"WHERE NOT g.tgisinternal AND g.tgparentid = 0 AND ({changed})"),
        new(["n.xmin"], changed => $"SELECT n.oid, n.nspname::text FROM pg_catalog.pg_namespace n WHERE {UserSchema} AND ({changed})"),
    ];

    /// <summary>What is still there: a row that is gone leaves no other trace.</summary>
    private const string Existing =
        """
        SELECT ARRAY(SELECT oid FROM pg_catalog.pg_class WHERE oid >= 16384), ARRAY(SELECT oid FROM pg_catalog.pg_constraint
            WHERE oid >= 16384),
               ARRAY(SELECT oid FROM pg_catalog.pg_type WHERE oid >= 16384), ARRAY(SELECT oid FROM pg_catalog.pg_enum WHERE oid >= 16384),
               ARRAY(SELECT oid FROM pg_catalog.pg_proc WHERE oid >= 16384), ARRAY(SELECT oid FROM pg_catalog.pg_trigger
                   WHERE NOT tgisinternal),
               ARRAY(SELECT oid FROM pg_catalog.pg_namespace),
               ARRAY(SELECT prrelid FROM pg_catalog.pg_publication_rel), EXISTS (SELECT FROM pg_catalog.pg_publication WHERE puballtables),
               ARRAY(SELECT polrelid FROM pg_catalog.pg_policy)
        """;

    // Names and operators are PostgreSQL's own while we read, whatever search_path the migration has set. It gets that back, unless its
    // transaction fails; outside of one, the batch is one.
    private const string Enter =
        "SELECT pg_catalog.set_config('chatgenius_db.search_path', pg_catalog.current_setting('search_path'), true), "
        + "pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true)";

    private const string Leave =
        "SELECT pg_catalog.set_config('search_path', pg_catalog.current_setting('chatgenius_db.search_path'), true)";

    private const string EmptyArray = "{}";

    private NpgsqlBatch? _all, _changes, _counters;
    private bool _prepares;

    /// <summary>
    /// Prepares the queries before a migration has set a search_path: names and operators are looked up when a query is parsed. What the
    /// server is made to forget afterwards is parsed each time, after <see cref="Enter"/>.
    /// </summary>
    internal async Task PrepareAsync(CancellationToken cancellationToken)
    {
        await ReplaySession.CommandAsync(connection, "BEGIN", cancellationToken);
        await ReplaySession.CommandAsync(connection, "SET LOCAL search_path = pg_catalog, pg_temp", cancellationToken);
        foreach (var batch in (NpgsqlBatch[])[All, Changes, Counts])
        {
            await ReplaySession.GuardAsync(
                connection,
                async () =>
                {
                    await batch.PrepareAsync(cancellationToken);
                    return true;
                },
                cancellationToken);
        }

        await ReplaySession.CommandAsync(connection, "COMMIT", cancellationToken);
        _prepares = true;
    }

    private NpgsqlBatch All => _all ??= Batch([.. Queries.Select(query => query.All), Existing]);

    private NpgsqlBatch Changes => _changes ??= Batch([.. Queries.Select(query => query.Changed), Existing]);

    private NpgsqlBatch Counts => _counters ??= Batch([Counters, State, Locks]);

    /// <summary>Everything; outside a transaction too.</summary>
    internal async Task<Reading> ReadAllAsync(CancellationToken cancellationToken)
    {
        var now = await ReadCountersAsync(new Catalog(), cancellationToken);
        return now with { Catalog = await ReadAsync(All, now.Catalog, cancellationToken) };
    }

    /// <summary>What the current transaction changed since an earlier reading.</summary>
    internal async Task<Reading> ReadChangesAsync(Catalog before, Reading last, CancellationToken cancellationToken)
    {
        var now = await ReadCountersAsync(before, cancellationToken, last);
        if (now.CatalogWrites is not null && now.CatalogWrites == last.CatalogWrites)
        {
            return now;
        }

        return now with { Catalog = await ReadAsync(Changes, before, cancellationToken) };
    }

    /// <summary>Only counters, settings and locks: what a transaction starts with, or where a query of our own has moved them.</summary>
    /// <param name="catalog">What is known of the catalogs.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="last">The reading before it in the same transaction; locks that are still the same are the same object.</param>
    internal Task<Reading> ReadCountersAsync(Catalog catalog, CancellationToken cancellationToken, Reading? last = null) =>
        ReplaySession.ReadAsync(Counts, r => ReadCountersAsync(r, catalog, last, cancellationToken), _prepares, cancellationToken);

    private static async Task<Reading> ReadCountersAsync(
        NpgsqlDataReader reader, Catalog catalog, Reading? last, CancellationToken cancellationToken)
    {
        await NextAsync(reader, cancellationToken);
        var counters = new Dictionary<uint, Activity>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var (scans, read) = (reader.GetInt64(2), reader.GetInt64(3));
            var relation = Oid(reader, 0);
            counters[relation] = counters.GetValueOrDefault(relation) + (reader.GetBoolean(1) ? new Activity(0, 0, scans, 0, 0, 0)
                : new Activity(scans, read, 0, reader.GetInt64(4), reader.GetInt64(5), reader.GetInt64(6)));
        }

        counters.Remove(0, out var catalogs);
        await NextAsync(reader, cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var (lockTimeout, counts) = (reader.GetString(0), reader.GetBoolean(1));
        await NextAsync(reader, cancellationToken);
        var modes = new Dictionary<uint, ImmutableArray<LockMode>>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var relation = Oid(reader, 0);
            modes[relation] = modes.GetValueOrDefault(relation, []).Add(LockModes.Parse(reader.GetString(1)));
        }

        return new Reading(
            catalog, counters.ToImmutableDictionary(), counts ? catalogs.Written : null, lockTimeout,
            modes.Count == 0 ? HeldLocks.None : last?.Locks.Are(modes) == true ? last.Locks : new HeldLocks(modes.ToImmutableDictionary()));
    }

    /// <summary>Forgets that the queries are prepared, before a statement that makes the server forget them.</summary>
    internal async Task ForgetAsync()
    {
        connection.UnprepareAll();
        await DisposeAsync();
        (_all, _changes, _counters, _prepares) = (null, null, null, false);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var batch in new[] { _all, _changes, _counters }.OfType<NpgsqlBatch>())
        {
            await batch.DisposeAsync();
        }
    }

    private NpgsqlBatch Batch(IEnumerable<string> queries)
    {
        var batch = new NpgsqlBatch(connection) { Timeout = 0 };
        foreach (var query in (string[])[Enter, .. queries, Leave])
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(query));
        }

        return batch;
    }

    /// <summary>The plans of these queries cost more than their runs; a session keeps them.</summary>
    private Task<Catalog> ReadAsync(NpgsqlBatch batch, Catalog catalog, CancellationToken cancellationToken) =>
        ReplaySession.ReadAsync(batch, reader => ReadAsync(reader, catalog, cancellationToken), _prepares, cancellationToken);

    private static async Task<Catalog> ReadAsync(NpgsqlDataReader reader, Catalog catalog, CancellationToken cancellationToken)
    {
        foreach (var merge in Mergers)
        {
            await NextAsync(reader, cancellationToken);
            catalog = await merge(reader, catalog, cancellationToken);
        }

        await NextAsync(reader, cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return RemoveDropped(catalog, reader);
    }

    private static Task<bool> NextAsync(NpgsqlDataReader reader, CancellationToken cancellationToken) =>
        reader.NextResultAsync(cancellationToken);

    /// <summary>In the order of <see cref="Queries"/>.</summary>
    private static readonly Func<NpgsqlDataReader, Catalog, CancellationToken, Task<Catalog>>[] Mergers =
    [
        async (r, c, ct) => c with { Relations = await MergeAsync(r, c.Relations, Relation, ct) },
        async (r, c, ct) => c with { Columns = await MergeColumnsAsync(r, c.Columns, ct) },
        async (r, c, ct) => c with { Constraints = await MergeAsync(r, c.Constraints, ReadConstraint, ct) },
        async (r, c, ct) => c with { Types = await MergeAsync(r, c.Types, ReadType, ct) },
        async (r, c, ct) => c with { EnumValues =
            await MergeAsync(r, c.EnumValues, x => new EnumValue(Oid(x, 0), Oid(x, 1), x.GetString(2)), ct) },
        async (r, c, ct) => c with { Functions = await MergeAsync(r, c.Functions, ReadRoutine, ct) },
        async (r, c, ct) => c with { Triggers =
            await MergeAsync(r, c.Triggers, x => new Trigger(Oid(x, 0), Oid(x, 1), x.GetString(2), Letter(x, 3)), ct) },
        async (r, c, ct) => c with { Schemas = await MergeAsync(r, c.Schemas, x => x.GetString(1), ct) },
    ];

    private static async Task<ImmutableDictionary<uint, T>> MergeAsync<T>(
        NpgsqlDataReader reader, ImmutableDictionary<uint, T> before, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        var merged = before.ToBuilder();
        while (await reader.ReadAsync(cancellationToken))
        {
            merged[Oid(reader, 0)] = read(reader);
        }

        return merged.ToImmutable();
    }

    private static async Task<ImmutableDictionary<uint, ImmutableArray<Column>>> MergeColumnsAsync(
        NpgsqlDataReader reader, ImmutableDictionary<uint, ImmutableArray<Column>> before, CancellationToken cancellationToken)
    {
        var read = new Dictionary<uint, ImmutableArray<Column>.Builder>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var relation = Oid(reader, 0);
            if (!read.TryGetValue(relation, out var columns))
            {
                read.Add(relation, columns = ImmutableArray.CreateBuilder<Column>());
            }

            columns.Add(new Column(
                reader.GetInt16(1), reader.GetString(2), reader.GetString(3), Oid(reader, 4), Oid(reader, 5), reader.GetBoolean(6),
                Text(reader, 7)?[0], Text(reader, 8)?[0], Text(reader, 9)));
        }

        return before.SetItems(read.Select(pair => KeyValuePair.Create(pair.Key, pair.Value.ToImmutable())));
    }

    private static Routine ReadRoutine(NpgsqlDataReader r) => new(
        Oid(r, 0), r.GetString(1), r.GetString(2), r.GetString(3), Letter(r, 4), r.GetBoolean(5), r.GetBoolean(6), r.GetBoolean(7),
        Text(r, 8));

    private static TypeInfo ReadType(NpgsqlDataReader r) => new(
        Oid(r, 0), r.GetString(1), r.GetString(2), Letter(r, 3), r.GetBoolean(4), Oid(r, 5), r.GetString(6));

    private static Relation Relation(NpgsqlDataReader r) => new(
        Oid(r, 0), r.GetString(1), r.GetString(2), Letter(r, 3), Letter(r, 4), Oid(r, 5), Oid(r, 6), OidOrNull(r, 7), OidOrNull(r, 8),
            OidOrNull(r, 9),
        r.GetBoolean(10), r.GetBoolean(22), Letter(r, 11), Text(r, 12), r.IsDBNull(13) ? null : Index(r))
    {
        Bound = Text(r, 23) is not { } values ? null
            : new PartitionBound(values, Text(r, 24) is { } check && !check.Contains("satisfies_hash_partition", StringComparison.Ordinal)
                ? check : null),
    };

    private static IndexInfo Index(NpgsqlDataReader r)
    {
        var columns = r.GetFieldValue<short[]>(19).ToImmutableArray();
        return new IndexInfo(
            Oid(r, 13), r.GetBoolean(14), r.GetBoolean(15), r.GetBoolean(16), r.GetBoolean(17), columns[..r.GetInt16(18)], columns,
                r.GetString(20), Text(r, 21));
    }

    private static Constraint ReadConstraint(NpgsqlDataReader r) => new(
        Oid(r, 0), r.GetString(1), Oid(r, 2), Oid(r, 3), Letter(r, 4), r.GetBoolean(5), Oid(r, 6), Oid(r, 7), Oid(r, 8),
        [.. r.GetFieldValue<short[]>(9)], [.. r.GetFieldValue<short[]>(10)], r.GetString(11));

    /// <summary>Takes out what is no longer there.</summary>
    private static Catalog RemoveDropped(Catalog catalog, NpgsqlDataReader existing)
    {
        var relations = Existing<Relation>(catalog.Relations, existing, 0);
        return catalog with
        {
            Relations = relations,
            Columns = catalog.Columns.RemoveRange(catalog.Columns.Keys.Where(oid => !relations.ContainsKey(oid)).ToList()),
            Constraints = Existing<Constraint>(catalog.Constraints, existing, 1),
            Types = Existing<TypeInfo>(catalog.Types, existing, 2),
            EnumValues = Existing<EnumValue>(catalog.EnumValues, existing, 3),
            Functions = Existing<Routine>(catalog.Functions, existing, 4),
            Triggers = Existing<Trigger>(catalog.Triggers, existing, 5),
            Schemas = Existing<string>(catalog.Schemas, existing, 6),
            Published = [.. existing.GetFieldValue<uint[]>(7)],
            PublishesAllTables = existing.GetBoolean(8),
            WithPolicy = [.. existing.GetFieldValue<uint[]>(9)],
        };

        static ImmutableDictionary<uint, T> Existing<T>(ImmutableDictionary<uint, T> items, NpgsqlDataReader reader, int column)
        {
            var there = reader.GetFieldValue<uint[]>(column).ToHashSet();
            return items.RemoveRange(items.Keys.Where(oid => !there.Contains(oid)).ToList());
        }
    }

    private static uint Oid(NpgsqlDataReader reader, int column) => reader.GetFieldValue<uint>(column);

    private static uint? OidOrNull(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : Oid(reader, column);

    private static char Letter(NpgsqlDataReader reader, int column) => reader.GetString(column)[0];

    private static string? Text(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    /// <summary>Whether this transaction wrote a row.</summary>
    private static string OurWrite(string xmin) => $"age({xmin}) <= age(pg_current_xact_id_if_assigned()::xid)";

    /// <summary>One catalog's query in its two forms.</summary>
    private sealed class Query(string[] xmins, Func<string, string> text)
    {
        internal string All { get; } = text("true");

        internal string Changed { get; } = text(string.Join(" OR ", xmins.Select(OurWrite)));
    }
}
