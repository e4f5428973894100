-- Triggers and rules of relations. A trigger that a partition has from its parent depends on the parent's, and counts where its state is another.
SELECT 'pg_class'::regclass::oid AS classid, t.tgrelid AS objid, 6000 AS position,
    'trigger ' || quote_ident(t.tgname) AS key,
    concat_ws(' ', pg_get_triggerdef(t.oid),
        CASE t.tgenabled WHEN 'D' THEN 'DISABLED' WHEN 'R' THEN 'ENABLED REPLICA' WHEN 'A' THEN 'ENABLED ALWAYS' END) AS value
FROM pg_catalog.pg_trigger t
WHERE NOT t.tgisinternal AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_trigger'::regclass AND d.objid = t.oid AND d.refclassid = 'pg_trigger'::regclass)
UNION ALL
SELECT 'pg_class'::regclass, t.tgrelid, 6002,
    'inherited trigger ' || quote_ident(t.tgname),
    CASE t.tgenabled WHEN 'D' THEN 'DISABLED' WHEN 'R' THEN 'ENABLED REPLICA' WHEN 'A' THEN 'ENABLED ALWAYS' ELSE 'ENABLED' END
FROM pg_catalog.pg_trigger t
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_trigger'::regclass AND d.objid = t.oid AND d.refclassid = 'pg_trigger'::regclass
    JOIN pg_catalog.pg_trigger parent ON parent.oid = d.refobjid
WHERE NOT parent.tgisinternal AND parent.tgenabled <> t.tgenabled
UNION ALL
SELECT 'pg_class'::regclass, r.ev_class, 6001,
    'rule ' || quote_ident(r.rulename),
    concat_ws(' ', rtrim(pg_get_ruledef(r.oid), ';'),
        CASE r.ev_enabled WHEN 'D' THEN 'DISABLED' WHEN 'R' THEN 'ENABLED REPLICA' WHEN 'A' THEN 'ENABLED ALWAYS' END)
FROM pg_catalog.pg_rewrite r
WHERE r.oid >= 16384 AND r.rulename <> '_RETURN'
