-- Privileges that differ from what there was when the object came: what the owner and PUBLIC have by default (PostgreSQL: "5.8. Privileges"), or
-- what initdb or the extension has noted in pg_init_privs. One fact a grantee and grantor; "*" stands for WITH GRANT OPTION, which the owner has
-- anyway. The owner is called so and not by name: names of owners differ between servers where the schemas are the same.
WITH lists (classid, objid, subid, owner, standard, acl) AS (
    SELECT 'pg_class'::regclass::oid, c.oid, 0, c.relowner, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner), c.relacl
    FROM pg_catalog.pg_class c
    WHERE c.relacl IS NOT NULL AND c.relnamespace IS DISTINCT FROM (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'information_schema')
    UNION ALL
    SELECT 'pg_class'::regclass, c.oid, a.attnum, c.relowner, NULL::aclitem[], a.attacl
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid WHERE a.attacl IS NOT NULL AND NOT a.attisdropped
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid, 0, p.proowner, acldefault('f', p.proowner), p.proacl FROM pg_catalog.pg_proc p WHERE p.proacl IS NOT NULL
    UNION ALL
    SELECT 'pg_type'::regclass, t.oid, 0, t.typowner, acldefault('T', t.typowner), t.typacl FROM pg_catalog.pg_type t WHERE t.typacl IS NOT NULL
    UNION ALL
    SELECT 'pg_namespace'::regclass, n.oid, 0, n.nspowner, acldefault('n', n.nspowner), n.nspacl FROM pg_catalog.pg_namespace n WHERE n.nspacl IS NOT NULL
    UNION ALL
    SELECT 'pg_foreign_data_wrapper'::regclass, w.oid, 0, w.fdwowner, acldefault('F', w.fdwowner), w.fdwacl
    FROM pg_catalog.pg_foreign_data_wrapper w WHERE w.fdwacl IS NOT NULL
    UNION ALL
    SELECT 'pg_foreign_server'::regclass, s.oid, 0, s.srvowner, acldefault('S', s.srvowner), s.srvacl FROM pg_catalog.pg_foreign_server s WHERE s.srvacl IS NOT NULL
    UNION ALL
    SELECT 'pg_language'::regclass, l.oid, 0, l.lanowner, acldefault('l', l.lanowner), l.lanacl FROM pg_catalog.pg_language l WHERE l.lanacl IS NOT NULL
    UNION ALL
    SELECT 'pg_largeobject'::regclass, o.oid, 0, o.lomowner, acldefault('L', o.lomowner), o.lomacl FROM pg_catalog.pg_largeobject_metadata o WHERE o.lomacl IS NOT NULL
    UNION ALL
    SELECT 'pg_parameter_acl'::regclass, p.oid, 0, 10, acldefault('p', 10), p.paracl FROM pg_catalog.pg_parameter_acl p --@ 15..
    UNION ALL --@ 15..
    -- In one schema default privileges are added to the global ones, so nothing is the standard there.
    SELECT 'pg_default_acl'::regclass, d.oid, 0, d.defaclrole,
        CASE d.defaclnamespace WHEN 0 THEN acldefault(CASE d.defaclobjtype WHEN 'S' THEN 's' ELSE d.defaclobjtype END, d.defaclrole)
            ELSE NULL::aclitem[] END, d.defaclacl
    FROM pg_catalog.pg_default_acl d
),
grants AS (
    SELECT l.classid, l.objid, l.subid, l.owner, x.grantee, x.grantor, g.standard,
        string_agg(x.privilege_type || CASE WHEN x.is_grantable AND x.grantee <> l.owner THEN '*' ELSE '' END, ', ' ORDER BY x.privilege_type) AS privileges
    FROM lists l
        LEFT JOIN pg_catalog.pg_init_privs i ON i.classoid = l.classid AND i.objoid = l.objid AND i.objsubid = l.subid
        CROSS JOIN LATERAL (VALUES (true, coalesce(i.initprivs, l.standard)), (false, l.acl)) AS g (standard, acl)
        CROSS JOIN LATERAL (SELECT e.grantee, CASE WHEN e.grantee = l.owner THEN l.owner ELSE e.grantor END AS grantor, e.privilege_type, e.is_grantable
            FROM aclexplode(g.acl) e) x
    -- Nearly all lists are what they came with, and need not be taken apart.
    WHERE l.acl IS DISTINCT FROM coalesce(i.initprivs, l.standard)
    GROUP BY l.classid, l.objid, l.subid, l.owner, x.grantee, x.grantor, g.standard
)
SELECT g.classid, g.objid, CASE WHEN g.grantor = g.owner THEN 8000 ELSE 8001 END AS position,
    concat('privileges of ', CASE WHEN g.grantee = g.owner THEN 'the owner' WHEN g.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END,
        ' from ' || CASE WHEN g.grantor <> g.owner THEN quote_ident(pg_get_userbyid(g.grantor)) END,
        ' on column ' || quote_ident((SELECT a.attname FROM pg_catalog.pg_attribute a
            WHERE g.subid > 0 AND a.attrelid = g.objid AND a.attnum = g.subid))) AS key,
    coalesce(actual, 'NONE') AS value
FROM (
    SELECT classid, objid, subid, grantee, grantor, owner,
        min(privileges) FILTER (WHERE NOT standard) AS actual, min(privileges) FILTER (WHERE standard) AS standard
    FROM grants
    GROUP BY classid, objid, subid, grantee, grantor, owner
) g
WHERE actual IS DISTINCT FROM standard
