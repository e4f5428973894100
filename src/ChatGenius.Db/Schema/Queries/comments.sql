-- Comments and security labels, on the object they belong to.
WITH described AS (
    SELECT d.classoid, d.objoid, d.objsubid, d.description, 'comment' AS word
    FROM pg_catalog.pg_description d
    -- initdb gives the schema public its oid and this comment.
    WHERE d.objoid >= 16384 OR d.classoid = 'pg_namespace'::regclass AND d.objoid = 2200 AND d.description <> 'standard public schema'
    UNION ALL
    SELECT l.classoid, l.objoid, l.objsubid, l.label, 'security label ' || quote_ident(l.provider) FROM pg_catalog.pg_seclabel l
)
SELECT classid, objid, position, key, value
FROM (
    SELECT CASE WHEN c.relkind = 'c' THEN 'pg_type'::regclass::oid WHEN i.indrelid IS NOT NULL THEN 'pg_class'::regclass ELSE d.classoid END,
        CASE WHEN c.relkind = 'c' THEN c.reltype ELSE coalesce(i.indrelid, d.objoid) END,
        CASE WHEN i.indrelid IS NOT NULL THEN 11001 WHEN a.attnum IS NOT NULL THEN 9001 + a.attnum ELSE 9000 END,
        CASE WHEN i.indrelid IS NOT NULL THEN d.word || ' on index ' || quote_ident(c.relname)
            WHEN a.attnum IS NOT NULL THEN d.word || ' on column ' || quote_ident(a.attname)
            ELSE d.word END,
        d.description
    FROM described d
        LEFT JOIN pg_catalog.pg_class c ON d.classoid = 'pg_class'::regclass AND c.oid = d.objoid
        LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
        LEFT JOIN pg_catalog.pg_attribute a ON d.objsubid > 0 AND a.attrelid = d.objoid AND a.attnum = d.objsubid
    WHERE d.classoid NOT IN ('pg_constraint'::regclass, 'pg_trigger'::regclass, 'pg_rewrite'::regclass, 'pg_policy'::regclass)
    UNION ALL
    SELECT CASE WHEN k.conrelid <> 0 THEN 'pg_class'::regclass::oid ELSE 'pg_type'::regclass::oid END,
        CASE WHEN k.conrelid <> 0 THEN k.conrelid ELSE k.contypid END, 11002, 'comment on constraint ' || quote_ident(k.conname), d.description
    FROM described d JOIN pg_catalog.pg_constraint k ON d.classoid = 'pg_constraint'::regclass AND k.oid = d.objoid
    UNION ALL
    SELECT 'pg_class'::regclass, t.tgrelid, 11003, 'comment on trigger ' || quote_ident(t.tgname), d.description
    FROM described d JOIN pg_catalog.pg_trigger t ON d.classoid = 'pg_trigger'::regclass AND t.oid = d.objoid
    UNION ALL
    SELECT 'pg_class'::regclass, r.ev_class, 11004, 'comment on rule ' || quote_ident(r.rulename), d.description
    FROM described d JOIN pg_catalog.pg_rewrite r ON d.classoid = 'pg_rewrite'::regclass AND r.oid = d.objoid
    UNION ALL
    SELECT 'pg_class'::regclass, p.polrelid, 11005, 'comment on policy ' || quote_ident(p.polname), d.description
    FROM described d JOIN pg_catalog.pg_policy p ON d.classoid = 'pg_policy'::regclass AND p.oid = d.objoid
) AS facts (classid, objid, position, key, value)
