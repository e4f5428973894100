-- Sequences that are objects of their own; the ones of identity columns stand with their column.
SELECT 'pg_class'::regclass::oid AS classid, c.oid AS objid, f.position, f.key, f.value
FROM pg_catalog.pg_sequence s
    JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
    CROSS JOIN LATERAL (SELECT
        CASE s.seqtypid WHEN 'int2'::regtype THEN -32768 WHEN 'int4'::regtype THEN -2147483648 ELSE -9223372036854775808 END AS lowest,
        CASE s.seqtypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647 ELSE 9223372036854775807 END AS highest) bounds
    CROSS JOIN LATERAL (VALUES
        (10, 'persistence', CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED' END),
        (11, 'definition', concat_ws(' ',
            'AS ' || format_type(s.seqtypid, NULL),
            CASE WHEN s.seqincrement <> 1 THEN 'INCREMENT BY ' || s.seqincrement END,
            CASE WHEN s.seqmin <> CASE WHEN s.seqincrement > 0 THEN 1 ELSE lowest END THEN 'MINVALUE ' || s.seqmin END,
            CASE WHEN s.seqmax <> CASE WHEN s.seqincrement > 0 THEN highest ELSE -1 END THEN 'MAXVALUE ' || s.seqmax END,
            CASE WHEN s.seqstart <> CASE WHEN s.seqincrement > 0 THEN s.seqmin ELSE s.seqmax END THEN 'START WITH ' || s.seqstart END,
            CASE WHEN s.seqcache <> 1 THEN 'CACHE ' || s.seqcache END,
            CASE WHEN s.seqcycle THEN 'CYCLE' END)),
        (12, 'owned by', (
            SELECT format('%I.%I.%I', tn.nspname, t.relname, a.attname)
            FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class t ON t.oid = d.refobjid JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
                JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
            WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
                AND d.refobjsubid > 0 AND d.deptype = 'a'))
    ) AS f (position, key, value)
WHERE c.oid >= 16384 AND f.value IS NOT NULL
