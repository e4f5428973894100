-- Privileges that differ from what the owner and PUBLIC have by default (PostgreSQL: "5.8. Privileges"), one fact a
-- grantee; "*" stands for WITH GRANT OPTION, which the owner has anyway. The owner is called so and not by name: names of owners differ between
-- servers where the schemas are the same.
WITH lists (classid, objid, col, owner, standard, acl) AS (
    SELECT 'pg_class'::regclass::oid, c.oid, NULL::text, c.relowner,
        acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner), c.relacl
    FROM pg_class c WHERE c.relacl IS NOT NULL AND c.oid >= 16384
    UNION ALL
    SELECT 'pg_class'::regclass, c.oid, quote_ident(a.attname), c.relowner, NULL::aclitem[], a.attacl
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE a.attacl IS NOT NULL AND c.oid >= 16384
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid, NULL, p.proowner, acldefault('f', p.proowner), p.proacl
    FROM pg_proc p WHERE p.proacl IS NOT NULL AND p.oid >= 16384
    UNION ALL
    SELECT 'pg_type'::regclass, t.oid, NULL, t.typowner, acldefault('T', t.typowner), t.typacl
    FROM pg_type t WHERE t.typacl IS NOT NULL AND t.oid >= 16384
    UNION ALL
    -- The schema public comes with grants to PUBLIC that initdb has recorded.
    SELECT 'pg_namespace'::regclass, n.oid, NULL, n.nspowner, coalesce(i.initprivs, acldefault('n', n.nspowner)), n.nspacl
    FROM pg_namespace n LEFT JOIN pg_init_privs i ON i.classoid = 'pg_namespace'::regclass AND i.objoid = n.oid AND i.privtype = 'i'
    WHERE n.nspacl IS NOT NULL
    UNION ALL
    SELECT 'pg_foreign_data_wrapper'::regclass, w.oid, NULL, w.fdwowner, acldefault('F', w.fdwowner), w.fdwacl
    FROM pg_foreign_data_wrapper w WHERE w.fdwacl IS NOT NULL
    UNION ALL
    SELECT 'pg_foreign_server'::regclass, s.oid, NULL, s.srvowner, acldefault('S', s.srvowner), s.srvacl
    FROM pg_foreign_server s WHERE s.srvacl IS NOT NULL
    UNION ALL
    SELECT 'pg_language'::regclass, l.oid, NULL, l.lanowner, acldefault('l', l.lanowner), l.lanacl
    FROM pg_language l WHERE l.lanacl IS NOT NULL AND l.oid >= 16384
    UNION ALL
    -- In one schema default privileges are added to the global ones, so nothing is the standard there.
    SELECT 'pg_default_acl'::regclass, d.oid, NULL, d.defaclrole,
        CASE d.defaclnamespace WHEN 0 THEN acldefault(CASE d.defaclobjtype WHEN 'S' THEN 's' ELSE d.defaclobjtype END, d.defaclrole)
            ELSE NULL::aclitem[] END, d.defaclacl
    FROM pg_default_acl d
),
grants AS (
    SELECT l.classid, l.objid, l.col, l.owner, x.grantee, g.standard,
        string_agg(x.privilege_type || CASE WHEN x.is_grantable AND x.grantee <> l.owner THEN '*' ELSE '' END, ', ' ORDER BY x.privilege_type) AS privileges
    FROM lists l
        CROSS JOIN LATERAL (VALUES (true, l.standard), (false, l.acl)) AS g (standard, acl)
        -- The same privilege may have been granted by several roles.
        CROSS JOIN LATERAL (SELECT e.grantee, e.privilege_type, bool_or(e.is_grantable) AS is_grantable
            FROM aclexplode(g.acl) e GROUP BY e.grantee, e.privilege_type) x
    GROUP BY l.classid, l.objid, l.col, l.owner, x.grantee, g.standard
)
SELECT classid, objid, 8000 AS position,
    concat('privileges of ', f.grantee_name, ' on column ' || col) AS key,
    coalesce(actual, 'NONE') AS value,
    ARRAY[f.grantee_name, col, actual, standard] AS parts
FROM (
    SELECT classid, objid, col, grantee, owner,
        min(privileges) FILTER (WHERE NOT standard) AS actual, min(privileges) FILTER (WHERE standard) AS standard
    FROM grants
    GROUP BY classid, objid, col, grantee, owner
) g
    CROSS JOIN LATERAL (SELECT CASE WHEN g.grantee = g.owner THEN 'the owner' WHEN g.grantee = 0 THEN 'PUBLIC'
        ELSE quote_ident(pg_get_userbyid(g.grantee)) END AS grantee_name) f
WHERE actual IS DISTINCT FROM standard
