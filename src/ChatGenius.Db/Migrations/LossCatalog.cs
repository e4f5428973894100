using ChatGenius.Db.Connections;
using Npgsql;

namespace ChatGenius.Db.Migrations;

/// <summary>An object as pg_depend names it.</summary>
/// <param name="Class">The catalog that it is in; their oids are the same on every server.</param>
/// <param name="Oid">Its oid.</param>
/// <param name="Part">The number of a column; 0 for the whole.</param>
internal readonly record struct CatalogObject(uint Class, uint Oid, int Part = 0)
{
    internal const uint Relation = 1259;
    internal const uint Type = 1247;
    internal const uint Function = 1255;
    internal const uint Schema = 2615;
    internal const uint Extension = 3079;
    internal const uint Collation = 3456;
    internal const uint Constraint = 2606;
    internal const uint Default = 2604;
}

/// <summary>One object needs another. The kind is that of pg_depend: <c>n</c> where only CASCADE takes it along.</summary>
internal sealed record CatalogDependency(CatalogObject Dependent, CatalogObject Needed, char Kind);

/// <summary>Something with a name that DROP … CASCADE can begin with.</summary>
internal sealed record CatalogNamed(uint Class, uint Oid, uint Schema, string Name, string Owner);

/// <summary>
/// A relation. Its rows are the planner's estimate, negative where nobody has counted yet. Its code is what of a user's own runs when its
/// rows are written: the events (4 INSERT, 8 DELETE, 16 UPDATE, 32 TRUNCATE, 64 all rows computed again), and what it is.
/// </summary>
internal sealed record CatalogRelation(uint Oid, uint Schema, string Name, char Kind, string Owner, long Rows,
    IReadOnlyList<(int Events, string What)> Code);

/// <summary>A column. The type is written as <c>format_type</c> does.</summary>
internal sealed record CatalogColumn(uint Relation, short Number, string Name, string Type);

/// <summary>A constraint of a table. The actions of a foreign key are those of pg_constraint: <c>c</c>, <c>n</c> and <c>d</c> change
/// rows.</summary>
internal sealed record CatalogConstraint(
    uint Oid, uint Table, string Name, uint Referenced, char OnDelete, char OnUpdate, IReadOnlyList<short> Columns,
        IReadOnlyList<short> ReferencedColumns);

/// <summary>What has to be known of a database to say what statements destroy in it, all of one moment.</summary>
internal sealed record LossCatalog
{
    /// <summary>The search_path that a migration begins with.</summary>
    internal required string SearchPath { get; init; }

    /// <summary>The role that a migration begins with.</summary>
    internal required string User { get; init; }

    /// <summary>The event triggers that are enabled.</summary>
    internal required IReadOnlyList<string> EventTriggers { get; init; }

    /// <summary>Whether there are casts that call functions in SQL or a procedural language: they run where nothing in a statement says
    /// so.</summary>
    internal required bool HasCasts { get; init; }

    internal required IReadOnlyList<CatalogNamed> Named { get; init; }

    internal required IReadOnlyList<CatalogRelation> Relations { get; init; }

    internal required IReadOnlyList<CatalogColumn> Columns { get; init; }

    internal required IReadOnlyList<CatalogConstraint> Constraints { get; init; }

    /// <summary>Child and parent.</summary>
    internal required IReadOnlyList<(uint Child, uint Parent)> Inheritance { get; init; }

    internal required IReadOnlyList<CatalogDependency> Dependencies { get; init; }

    /// <summary>Of the names that were asked for, those of functions that are PostgreSQL's own and change nothing.</summary>
    internal required IReadOnlySet<string> PureFunctions { get; init; }

    /// <summary>Of the names that were asked for, those that run a user's own code without looking like a call: <c>row.function</c>, a
    /// domain, a view, a table whose policies call functions.</summary>
    internal required IReadOnlySet<string> HiddenCode { get; init; }

    /// <summary>Operators that call functions in SQL or a procedural language.</summary>
    internal required IReadOnlySet<string> Operators { get; init; }

    /// <summary>Reads it in one round trip. Nothing in here waits for a lock that a table is under.</summary>
    /// <param name="session">A session that lives by the limits of the run.</param>
    /// <param name="names">The names in the statements.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    internal static Task<LossCatalog> ReadAsync(Session session, string[] names, CancellationToken cancellationToken) => session.ReadAsync(
        [
            SettingsSql, NamedSql, RelationsSql, ColumnsSql, ConstraintsSql, InheritsSql, DependsSql,
            new SqlQuery(PureSql, (object)names), new SqlQuery(HiddenSql, (object)names), UserOperatorsSql,
        ],
        async reader =>
        {
            Task<List<T>> Next<T>(Func<NpgsqlDataReader, T> row) => Session.ResultAsync(reader, row, cancellationToken);
            var settings = (await Next(row => (row.GetString(0), row.GetString(1), row.GetFieldValue<string[]>(2), row.GetBoolean(3))))[0];
            return new LossCatalog
            {
                SearchPath = settings.Item1,
                User = settings.Item2,
                EventTriggers = settings.Item3,
                HasCasts = settings.Item4,
                Named = await Next(row => new CatalogNamed(Oid(row, 0), Oid(row, 1), Oid(row, 2), row.GetString(3), row.GetString(4))),
                Relations = await Next(row => new CatalogRelation(
                    Oid(row, 0), Oid(row, 1), row.GetString(2), row.GetString(3)[0], row.GetString(4), row.GetInt64(5),
                    [.. row.GetFieldValue<int[]>(6).Zip(row.GetFieldValue<string[]>(7))])),
                Columns = await Next(row => new CatalogColumn(Oid(row, 0), row.GetInt16(1), row.GetString(2), row.GetString(3))),
                Constraints = await Next(row => new CatalogConstraint(
                    Oid(row, 0), Oid(row, 1), row.GetString(2), Oid(row, 3), row.GetString(4)[0], row.GetString(5)[0],
                        row.GetFieldValue<short[]>(6), row.GetFieldValue<short[]>(7))),
                Inheritance = await Next(row => (Oid(row, 0), Oid(row, 1))),
                Dependencies = await Next(row => new CatalogDependency(
                    new CatalogObject(Oid(row, 0), Oid(row, 1), row.GetInt32(2)),
                        new CatalogObject(Oid(row, 3), Oid(row, 4), row.GetInt32(5)), row.GetString(6)[0])),
                PureFunctions = (await Next(row => row.GetString(0))).ToHashSet(StringComparer.Ordinal),
                HiddenCode = (await Next(row => row.GetString(0))).ToHashSet(StringComparer.Ordinal),
                Operators = (await Next(row => row.GetString(0))).ToHashSet(StringComparer.Ordinal),
            };
        },
        cancellationToken);

    private static uint Oid(NpgsqlDataReader row, int column) => row.GetFieldValue<uint>(column);

    /// <summary>Functions of these languages come with PostgreSQL or are installed by a superuser, and are not a user's own code.</summary>
    private const string Written =
        "p.pronamespace <> 'pg_catalog'::pg_catalog.regnamespace "
        + "AND p.prolang IN (SELECT oid FROM pg_catalog.pg_language WHERE lanname NOT IN ('internal', 'c'))";

    private const string SettingsSql = $"""
        SELECT (SELECT s.reset_val FROM pg_catalog.pg_settings s WHERE s.name = 'search_path'), CURRENT_USER::pg_catalog.text,
            ARRAY(SELECT e.evtname::pg_catalog.text FROM pg_catalog.pg_event_trigger e WHERE e.evtenabled <> 'D' ORDER BY 1),
            EXISTS (SELECT FROM pg_catalog.pg_cast c JOIN pg_catalog.pg_proc p ON p.oid = c.castfunc WHERE {Written})
            OR EXISTS (SELECT FROM pg_catalog.pg_amproc a JOIN pg_catalog.pg_proc p ON p.oid = a.amproc WHERE {Written})
        """;

    private const string NamedSql = """
        SELECT 2615::pg_catalog.oid, n.oid, 0::pg_catalog.oid, n.nspname::pg_catalog.text,
            pg_catalog.pg_get_userbyid(n.nspowner)::pg_catalog.text
        FROM pg_catalog.pg_namespace n WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
        UNION ALL SELECT 1247, t.oid, t.typnamespace, t.typname, pg_catalog.pg_get_userbyid(t.typowner) FROM pg_catalog.pg_type t
        WHERE t.oid >= 16384 AND t.typtype IN ('b', 'c', 'd', 'e', 'r')
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid AND c.relkind <> 'c')
        UNION ALL SELECT 1255, p.oid, p.pronamespace, p.proname, pg_catalog.pg_get_userbyid(p.proowner) FROM pg_catalog.pg_proc p
            WHERE p.oid >= 16384
        UNION ALL SELECT 3456, c.oid, c.collnamespace, c.collname, pg_catalog.pg_get_userbyid(c.collowner) FROM pg_catalog.pg_collation c
            WHERE c.oid >= 16384
        UNION ALL SELECT 3079, e.oid, 0, e.extname, pg_catalog.pg_get_userbyid(e.extowner) FROM pg_catalog.pg_extension e
        """;

    /// <summary>What calls a user's own functions, and the types that do: domains, ranges, and what is made of them.</summary>
    private const string Calls = $"""
        WITH RECURSIVE calls AS (
            SELECT d.classid, d.objid FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_proc p ON p.oid = d.refobjid
            WHERE d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND {Written}),
        types AS (
            (SELECT calls.objid AS oid FROM calls WHERE calls.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
            UNION SELECT k.contypid FROM calls JOIN pg_catalog.pg_constraint k ON k.oid = calls.objid
            WHERE calls.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND k.contypid <> 0)
            UNION SELECT t.oid FROM types JOIN pg_catalog.pg_type t ON t.typbasetype = types.oid OR t.typelem = types.oid
                OR t.typrelid IN (SELECT a.attrelid FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
                    WHERE a.atttypid = types.oid AND a.attnum > 0 AND c.relkind = 'c'))
        """;

    /// <summary>What runs with a row: triggers, rules, and functions in defaults, constraints, indexes, policies, keys of partitions and
    /// the columns' types.</summary>
    private const string RelationsSql = $"""
        {Calls},
        code AS (
            SELECT t.tgrelid AS relid, (t.tgtype & 60)::pg_catalog.int4 AS events, 'the trigger ' || t.tgname AS what
            FROM pg_catalog.pg_trigger t WHERE NOT t.tgisinternal AND t.tgenabled <> 'D'
            UNION ALL SELECT r.ev_class, CASE r.ev_type WHEN '2' THEN 16 WHEN '3' THEN 4 WHEN '4' THEN 8 ELSE 0 END,
                'the rule ' || r.rulename
            FROM pg_catalog.pg_rewrite r WHERE r.rulename <> '_RETURN' AND r.ev_enabled <> 'D'
            UNION SELECT d.adrelid, 84, 'a default that calls a function'
            FROM pg_catalog.pg_attrdef d JOIN calls ON calls.objid = d.oid AND calls.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
            UNION SELECT k.conrelid, 84, 'a constraint that calls a function'
            FROM pg_catalog.pg_constraint k JOIN calls ON calls.objid = k.oid
                AND calls.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
            WHERE k.conrelid <> 0
            UNION SELECT i.indrelid, 212, 'an index that calls a function'
            FROM pg_catalog.pg_index i JOIN calls ON calls.objid = i.indexrelid
                AND calls.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
            UNION SELECT s.stxrelid, 128, 'statistics that call a function'
            FROM pg_catalog.pg_statistic_ext s JOIN calls ON calls.objid = s.oid
                AND calls.classid = 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass
            UNION SELECT k.partrelid, 84, 'a key of partitions that calls a function'
            FROM pg_catalog.pg_partitioned_table k JOIN calls ON calls.objid = k.partrelid
                AND calls.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
            UNION SELECT r.ev_class, 64, 'a query that calls a function'
            FROM pg_catalog.pg_rewrite r JOIN calls ON calls.objid = r.oid AND calls.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
            UNION SELECT r.ev_class, 64, 'a query of a view' FROM pg_catalog.pg_rewrite r
            JOIN pg_catalog.pg_depend d ON d.objid = r.oid AND d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
            JOIN pg_catalog.pg_class v ON v.oid = d.refobjid AND v.oid <> r.ev_class AND (v.relkind IN ('v', 'f')
                OR v.oid IN (SELECT o.polrelid FROM pg_catalog.pg_policy o JOIN calls ON calls.objid = o.oid
                    AND calls.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass))
            UNION SELECT o.polrelid, 28, 'a policy that calls a function'
            FROM pg_catalog.pg_policy o JOIN calls ON calls.objid = o.oid AND calls.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass
            UNION SELECT a.attrelid, 84, 'a type that calls a function' FROM pg_catalog.pg_attribute a WHERE a.atttypid
                IN (SELECT oid FROM types))
        SELECT c.oid, c.relnamespace, c.relname::pg_catalog.text, c.relkind::pg_catalog.text,
            pg_catalog.pg_get_userbyid(c.relowner)::pg_catalog.text,
            (CASE WHEN c.relkind = 'm' AND NOT c.relispopulated THEN 0 ELSE c.reltuples END)::pg_catalog.int8,
            ARRAY(SELECT code.events FROM code WHERE code.relid = c.oid ORDER BY code.what),
            ARRAY(SELECT code.what::pg_catalog.text FROM code WHERE code.relid = c.oid ORDER BY code.what)
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'm', 'v', 'S', 'f') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
        """;

    private const string ColumnsSql = """
        SELECT a.attrelid, a.attnum, a.attname::pg_catalog.text, pg_catalog.format_type(a.atttypid, a.atttypmod)
        FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
        WHERE c.relkind IN ('r', 'p', 'f', 'm') AND a.attrelid >= 16384 AND a.attnum > 0 AND NOT a.attisdropped
        """;

    private const string ConstraintsSql = """
        SELECT k.oid, k.conrelid, k.conname::pg_catalog.text, k.confrelid, k.confdeltype::pg_catalog.text, k.confupdtype::pg_catalog.text,
            coalesce(k.conkey, '{}'), coalesce(k.confkey, '{}')
        FROM pg_catalog.pg_constraint k WHERE k.conrelid >= 16384
        """;

    private const string InheritsSql = "SELECT i.inhrelid, i.inhparent FROM pg_catalog.pg_inherits i WHERE i.inhrelid >= 16384";

    private const string DependsSql = """
        SELECT d.classid, d.objid, d.objsubid, d.refclassid, d.refobjid, d.refobjsubid, d.deptype::pg_catalog.text
        FROM pg_catalog.pg_depend d WHERE d.deptype <> 'p' AND (d.objid >= 16384
            OR d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass)
        """;

    /// <summary>Some that are volatile are harmless all the same; some that are stable run what they are given: a query, or the checks of
    /// a domain, as the input functions of types do.</summary>
    private const string PureSql = """
        SELECT p.proname::pg_catalog.text FROM pg_catalog.pg_proc p WHERE p.proname = ANY ($1) GROUP BY p.proname
        HAVING pg_catalog.bool_and(p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace AND p.proname NOT LIKE '%\_to\_xml%'
            AND p.proname NOT LIKE '%populate\_record%' AND p.proname NOT LIKE 'pg\_input\_%' AND NOT p.proargtypes::pg_catalog.oid[]
                && ARRAY['pg_catalog.cstring', 'pg_catalog.internal']::pg_catalog.regtype[]::pg_catalog.oid[]
            AND (p.provolatile <> 'v'
            OR p.proname IN ('gen_random_uuid', 'uuidv4', 'uuidv7', 'random', 'clock_timestamp', 'timeofday', 'nextval', 'currval',
                'lastval')))
        """;

    private const string HiddenSql = $"""
        {Calls}
        SELECT p.proname::pg_catalog.text FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_type t ON t.oid = p.proargtypes[0]
        WHERE p.proname = ANY ($1) AND p.pronargs - p.pronargdefaults <= 1 AND {Written} AND t.typtype IN ('c', 'p')
        UNION SELECT t.typname::pg_catalog.text FROM pg_catalog.pg_type t JOIN types ON types.oid = t.oid WHERE t.typname = ANY ($1)
        UNION SELECT c.relname::pg_catalog.text FROM pg_catalog.pg_class c WHERE c.relname = ANY ($1) AND c.relkind IN ('v', 'f')
            AND c.relnamespace <> 'information_schema'::pg_catalog.regnamespace
        UNION SELECT c.relname::pg_catalog.text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_policy o ON o.polrelid = c.oid
            JOIN calls ON calls.objid = o.oid AND calls.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass
        WHERE c.relname = ANY ($1)
        """;

    private const string UserOperatorsSql = $"""
        SELECT DISTINCT o.oprname::pg_catalog.text FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode
            WHERE {Written}
        """;
}
