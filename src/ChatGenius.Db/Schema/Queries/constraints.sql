-- Constraints of tables and domains. What a table has only because its parent has it is left out, but for the primary
-- keys, unique and exclusion constraints of partitions: these are indexes with names of their own.
SELECT CASE WHEN k.conrelid <> 0 THEN 'pg_class'::regclass::oid ELSE 'pg_type'::regclass::oid END AS classid,
    CASE WHEN k.conrelid <> 0 THEN k.conrelid ELSE k.contypid END AS objid,
    3000 + strpos('puxcf', k.contype::text) AS position,
    'constraint ' || quote_ident(k.conname) AS key,
    concat_ws(' ', pg_get_constraintdef(k.oid), i.options, i.tablespace, i.parent) AS value
FROM pg_catalog.pg_constraint k
    -- The index behind it may have storage parameters, a tablespace and a parent, which pg_get_constraintdef does not give.
    LEFT JOIN LATERAL (
        SELECT (SELECT 'WITH (' || string_agg(o, ', ' ORDER BY o COLLATE "C") || ')' FROM unnest(c.reloptions) o) AS options,
            'TABLESPACE ' || quote_ident(s.spcname) AS tablespace,
            'PARTITION OF ' || CASE WHEN c.relispartition THEN (SELECT format('%I.%I', pn.nspname, p.relname) FROM pg_catalog.pg_inherits h
                JOIN pg_catalog.pg_class p ON p.oid = h.inhparent JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace WHERE h.inhrelid = c.oid) END AS parent
        FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = c.reltablespace
        WHERE c.oid = k.conindid AND k.contype IN ('p', 'u', 'x')) i ON true
WHERE k.oid >= 16384 AND (k.contype IN ('p', 'u', 'x') OR k.contype = 'f' AND k.conparentid = 0 OR k.contype = 'c' AND k.conislocal)
