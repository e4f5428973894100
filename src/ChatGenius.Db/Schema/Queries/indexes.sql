-- Indexes that no constraint stands for.
SELECT 'pg_class'::regclass::oid AS classid, i.indrelid AS objid, 4000 AS position,
    'index ' || quote_ident(c.relname) AS key,
    concat_ws(' ', pg_get_indexdef(i.indexrelid), 'TABLESPACE ' || quote_ident(s.spcname), st.targets,
        'PARTITION OF ' || CASE WHEN c.relispartition THEN (SELECT format('%I.%I', pn.nspname, p.relname) FROM pg_catalog.pg_inherits h
            JOIN pg_catalog.pg_class p ON p.oid = h.inhparent JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace WHERE h.inhrelid = c.oid) END,
        CASE WHEN NOT i.indisvalid THEN 'INVALID' END) AS value
FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = c.reltablespace
    CROSS JOIN LATERAL (
        SELECT 'STATISTICS (' || string_agg(a.attnum || ' ' || a.attstattarget, ', ' ORDER BY a.attnum) || ')' AS targets
        FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0
    ) st
WHERE i.indexrelid >= 16384 AND n.nspname !~ '^pg_'
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x') AND k.conrelid = i.indrelid)
