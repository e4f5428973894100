using ChatGenius.Db.Connections;

namespace ChatGenius.Db.Migrations;

/// <summary>An object that depends on another one, or the other one itself.</summary>
/// <param name="Kind">As <c>pg_identify_object</c> says: <c>view</c>, <c>function</c>, <c>policy</c>, <c>index</c>, …</param>
/// <param name="Schema">Its schema, or that of its table.</param>
/// <param name="Name">Its name.</param>
/// <param name="Table">Its table, where it is a trigger or a policy.</param>
/// <param name="Identity">Its name for the server in any <c>search_path</c>.</param>
/// <param name="Display">As PostgreSQL describes it.</param>
/// <param name="Drop">Takes it away, and nothing else.</param>
/// <param name="Makes">Makes it again; empty for what can't be made again from the catalog.</param>
internal sealed record Dependent(
    string Kind, string Schema, string Name, string? Table, string Identity, string Display, string Drop, string[] Makes)
{
    /// <summary>Whether it has an owner and privileges.</summary>
    public bool HasFacts => Kind is "view" or "function" or "procedure";
}

/// <summary>What hangs on an object besides its definition, as the statement that gives it back.</summary>
/// <param name="Kind"><c>owner</c>, <c>grant</c>, <c>column</c> or <c>other</c>.</param>
/// <param name="Sql">The statement.</param>
/// <param name="Undo">Takes it away, where it is a privilege.</param>
internal readonly record struct ObjectFact(string Kind, string Sql, string? Undo);

/// <summary>Reads within a run's transaction what depends on a view or a function, and what would be lost with it.</summary>
internal static class Dependents
{
    /// <summary>
    /// The object ($1, $2) and all that depends on it, the farthest first. A view depends through its rule, and what depends on its row
    /// type depends on it. What belongs to a view that goes (its triggers, rules and defaults) is no dependent of its own.
    /// </summary>
    private const string Query =
        """
        WITH RECURSIVE d (classid, objid, objsubid, depth) AS (
            SELECT $1, $2, 0, 0
            UNION
            SELECT CASE WHEN r.rulename = '_RETURN' THEN 'pg_class'::regclass::oid ELSE p.classid END,
                CASE WHEN r.rulename = '_RETURN' THEN r.ev_class ELSE p.objid END,
                CASE WHEN r.rulename = '_RETURN' THEN 0 ELSE p.objsubid END, d.depth + 1
            FROM d JOIN pg_catalog.pg_depend p ON p.refclassid = d.classid AND p.refobjid = d.objid
            LEFT JOIN pg_catalog.pg_rewrite r ON p.classid = 'pg_rewrite'::regclass AND r.oid = p.objid
            WHERE d.depth < 64 AND NOT coalesce(r.rulename = '_RETURN' AND r.ev_class = d.objid, false)
                AND (d.depth = 0 OR d.classid IN ('pg_proc'::regclass, 'pg_type'::regclass) OR d.classid = 'pg_class'::regclass
                    AND EXISTS (SELECT FROM pg_catalog.pg_class k WHERE k.oid = d.objid AND k.relkind = 'v'))
        ),
        found AS (SELECT classid, objid, max(objsubid) AS objsubid, max(depth) AS depth FROM d GROUP BY classid, objid),
        owned AS (
            SELECT f.*, coalesce(r.ev_class, t.tgrelid, a.adrelid, y.typrelid, e.typrelid, 0) AS owner
            FROM found f
            LEFT JOIN pg_catalog.pg_rewrite r ON f.classid = 'pg_rewrite'::regclass AND r.oid = f.objid
            LEFT JOIN pg_catalog.pg_trigger t ON f.classid = 'pg_trigger'::regclass AND t.oid = f.objid
            LEFT JOIN pg_catalog.pg_attrdef a ON f.classid = 'pg_attrdef'::regclass AND a.oid = f.objid
            LEFT JOIN pg_catalog.pg_type y ON f.classid = 'pg_type'::regclass AND y.oid = f.objid AND y.typrelid <> 0
            LEFT JOIN pg_catalog.pg_type l ON f.classid = 'pg_type'::regclass AND l.oid = f.objid AND l.typelem <> 0
            LEFT JOIN pg_catalog.pg_type e ON e.oid = l.typelem AND e.typrelid <> 0
        )
        SELECT i.type, coalesce(n.nspname, i.schema, ''), coalesce(c.relname, p.proname, o.polname, t.tgname, i.name, ''),
            coalesce(oc.relname, tc.relname), i.identity, pg_describe_object(f.classid, f.objid, f.objsubid),
            CASE WHEN o.oid IS NOT NULL THEN format('DROP POLICY %I ON %I.%I', o.polname, n.nspname, oc.relname)
                WHEN t.oid IS NOT NULL THEN format('DROP TRIGGER %I ON %I.%I', t.tgname, n.nspname, tc.relname)
                WHEN c.oid IS NOT NULL THEN format('DROP VIEW %I.%I', n.nspname, c.relname)
                WHEN p.oid IS NOT NULL THEN format('DROP ROUTINE %s', i.identity) ELSE '' END,
            CASE WHEN c.relkind = 'v' THEN ARRAY[format('CREATE VIEW %I.%I%s AS %s', n.nspname, c.relname,
                    ' WITH (' || array_to_string(c.reloptions, ', ') || ')', rtrim(pg_get_viewdef(c.oid), ';'))]
                WHEN p.prokind IN ('f', 'p', 'w') THEN ARRAY[pg_get_functiondef(p.oid)]
                WHEN o.oid IS NOT NULL THEN ARRAY[format('CREATE POLICY %I ON %I.%I AS %s FOR %s TO %s%s%s',
                    o.polname, n.nspname, oc.relname,
                    CASE WHEN o.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                    CASE o.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'
                        ELSE 'ALL' END,
                    (SELECT string_agg(CASE role WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(role)) END, ', ')
                        FROM unnest(o.polroles) role),
                    ' USING (' || pg_get_expr(o.polqual, o.polrelid) || ')',
                    ' WITH CHECK (' || pg_get_expr(o.polwithcheck, o.polrelid) || ')')]
                    || ('COMMENT ON POLICY ' || quote_ident(o.polname) || format(' ON %I.%I', n.nspname, oc.relname) || ' IS '
                        || quote_literal(obj_description(o.oid, 'pg_policy')))
                WHEN t.oid IS NOT NULL THEN ARRAY[pg_get_triggerdef(t.oid),
                    format('ALTER TABLE %I.%I %s TRIGGER %I', n.nspname, tc.relname, CASE t.tgenabled WHEN 'D' THEN 'DISABLE'
                        WHEN 'R' THEN 'ENABLE REPLICA' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE' END, t.tgname),
                    'COMMENT ON TRIGGER ' || quote_ident(t.tgname) || format(' ON %I.%I', n.nspname, tc.relname) || ' IS '
                        || quote_literal(obj_description(t.oid, 'pg_trigger'))]
                ELSE ARRAY[]::text[] END
        FROM owned f
        LEFT JOIN pg_catalog.pg_class c ON f.classid = 'pg_class'::regclass AND c.oid = f.objid AND c.relkind = 'v'
        LEFT JOIN pg_catalog.pg_proc p ON f.classid = 'pg_proc'::regclass AND p.oid = f.objid
        LEFT JOIN pg_catalog.pg_policy o ON f.classid = 'pg_policy'::regclass AND o.oid = f.objid
        LEFT JOIN pg_catalog.pg_class oc ON oc.oid = o.polrelid
        LEFT JOIN pg_catalog.pg_trigger t ON f.classid = 'pg_trigger'::regclass AND t.oid = f.objid
        LEFT JOIN pg_catalog.pg_class tc ON tc.oid = t.tgrelid
        LEFT JOIN pg_catalog.pg_namespace n ON n.oid = coalesce(c.relnamespace, p.pronamespace, oc.relnamespace, tc.relnamespace)
        CROSS JOIN LATERAL pg_catalog.pg_identify_object(f.classid, f.objid, f.objsubid) i
        WHERE f.owner = 0 OR f.owner NOT IN (SELECT g.objid FROM found g JOIN pg_catalog.pg_class v ON v.oid = g.objid
            WHERE g.classid = 'pg_class'::regclass AND v.relkind = 'v')
        ORDER BY f.depth DESC, i.identity
        """;

    /// <summary>What hangs on the view or routine $1, the owner first.</summary>
    private const string FactsQuery =
        """
        WITH o AS (
            SELECT 'pg_class'::regclass::oid AS classid, c.oid, 'VIEW' AS kind, '' AS routine,
                format('%I.%I', n.nspname, c.relname) AS name,
                c.relowner AS owner, coalesce(c.relacl, acldefault('r', c.relowner)) AS acl
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE CASE WHEN NOT $2
                THEN c.oid = to_regclass($1) END
            UNION ALL
            SELECT 'pg_proc'::regclass, p.oid, 'ROUTINE', 'ROUTINE ', $1, p.proowner, coalesce(p.proacl, acldefault('f', p.proowner))
            FROM pg_catalog.pg_proc p WHERE CASE WHEN $2 THEN p.oid = to_regprocedure($1) END
        ),
        grants AS (
            SELECT 'grant' AS kind, privilege_type AS what, grantee, is_grantable FROM o, aclexplode(acl)
            UNION ALL
            SELECT 'column', format('%s (%I)', x.privilege_type, a.attname), x.grantee, x.is_grantable
            FROM o JOIN pg_catalog.pg_attribute a ON a.attrelid = o.oid AND NOT a.attisdropped, aclexplode(a.attacl) x WHERE NOT $2
        )
        SELECT kind, sql, undo FROM (
            SELECT 1 AS at, 'owner' AS kind, format('ALTER %s %s OWNER TO %I', kind, name, pg_get_userbyid(owner)) AS sql, NULL AS undo
            FROM o
            UNION ALL
            SELECT 2, g.kind, format('GRANT %s ON %s%s TO %s%s', what, routine, name, role, CASE WHEN is_grantable THEN ' WITH GRANT OPTION'
                    ELSE '' END),
                format('REVOKE %s ON %s%s FROM %s', what, routine, name, role)
            FROM o, grants g, LATERAL (SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END AS role) r
            UNION ALL
            SELECT 3, CASE d.objsubid WHEN 0 THEN 'other' ELSE 'column' END, format('COMMENT ON %s %s%s IS %L',
                CASE d.objsubid WHEN 0 THEN kind ELSE 'COLUMN' END, name, '.' || quote_ident(a.attname), d.description), NULL
            FROM o JOIN pg_catalog.pg_description d ON d.classoid = o.classid AND d.objoid = o.oid
            LEFT JOIN pg_catalog.pg_attribute a ON NOT $2 AND a.attrelid = o.oid AND a.attnum = d.objsubid AND d.objsubid > 0
            UNION ALL
            SELECT 3, CASE d.objsubid WHEN 0 THEN 'other' ELSE 'column' END, format('SECURITY LABEL FOR %I ON %s %s%s IS %L', d.provider,
                CASE d.objsubid WHEN 0 THEN kind ELSE 'COLUMN' END, name, '.' || quote_ident(a.attname), d.label), NULL
            FROM o JOIN pg_catalog.pg_seclabel d ON d.classoid = o.classid AND d.objoid = o.oid
            LEFT JOIN pg_catalog.pg_attribute a ON NOT $2 AND a.attrelid = o.oid AND a.attnum = d.objsubid AND d.objsubid > 0
            UNION ALL
            SELECT 3, 'other', format('ALTER ROUTINE %s DEPENDS ON EXTENSION %I', name, e.extname), NULL
            FROM o JOIN pg_catalog.pg_depend d ON d.classid = o.classid AND d.objid = o.oid AND d.deptype = 'x'
            JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid WHERE $2
            UNION ALL
            SELECT 3, 'column',
                format('ALTER VIEW %s ALTER COLUMN %I SET DEFAULT %s', name, a.attname, pg_get_expr(d.adbin, d.adrelid)), NULL
            FROM o JOIN pg_catalog.pg_attrdef d ON d.adrelid = o.oid
            JOIN pg_catalog.pg_attribute a ON a.attrelid = o.oid AND a.attnum = d.adnum
            WHERE NOT $2
            UNION ALL
            SELECT 4, 'other', x.sql, NULL
            FROM o JOIN pg_catalog.pg_trigger t ON t.tgrelid = o.oid AND NOT t.tgisinternal, LATERAL (VALUES (pg_get_triggerdef(t.oid)),
                (format('COMMENT ON TRIGGER %I ON %s IS ', t.tgname, name) || quote_literal(obj_description(t.oid, 'pg_trigger')))) x (sql)
            WHERE NOT $2 AND x.sql IS NOT NULL
            UNION ALL
            SELECT 4, 'other', x.sql, NULL
            FROM o JOIN pg_catalog.pg_rewrite r ON r.ev_class = o.oid AND r.rulename <> '_RETURN', LATERAL (VALUES (pg_get_ruledef(r.oid)),
                (format('COMMENT ON RULE %I ON %s IS ', r.rulename, name) || quote_literal(obj_description(r.oid, 'pg_rewrite')))) x (sql)
            WHERE NOT $2 AND x.sql IS NOT NULL
        ) facts ORDER BY at, sql DESC
        """;

    /// <summary>The oid of the catalog that has a kind of object; it is the same everywhere.</summary>
    public static uint CatalogOf(string kind) => kind switch
    {
        "view" => 1259,
        "function" or "procedure" => 1255,
        "policy" => 3256,
        "trigger" => 2620,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Not a kind of repeatable object."),
    };

    /// <summary>An object and all that depends on it, the farthest first and the object itself last.</summary>
    /// <param name="session">Within the transaction.</param>
    /// <param name="catalog">See <see cref="CatalogOf"/>.</param>
    /// <param name="oid">The object.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public static async Task<IReadOnlyList<Dependent>> ReadAsync(
        Session session, uint catalog, uint oid, CancellationToken cancellationToken) => await session.RowsAsync(
        new SqlQuery(Query, catalog, oid),
        row => new Dependent(
            row.GetString(0), row.GetString(1), row.GetString(2), row.IsDBNull(3) ? null : row.GetString(3), row.GetString(4),
            row.GetString(5), row.GetString(6), [.. row.GetFieldValue<string?[]>(7).OfType<string>()]),
        cancellationToken);

    /// <summary>What hangs on a view or routine of an identity; empty where the database has no such object.</summary>
    public static Task<List<ObjectFact>> FactsAsync(Session session, Dependent one, CancellationToken cancellationToken) =>
        session.RowsAsync(
            new SqlQuery(FactsQuery, one.Identity, one.Kind != "view"),
            row => new ObjectFact(row.GetString(0), row.GetString(1), row.IsDBNull(2) ? null : row.GetString(2)), cancellationToken);
}
