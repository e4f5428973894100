-- Constraints of tables and domains. What a table has only because its parent has it is left out, but for the primary
-- keys, unique and exclusion constraints of partitions: these are indexes with names of their own.
SELECT CASE WHEN k.conrelid <> 0 THEN 'pg_class'::regclass::oid ELSE 'pg_type'::regclass::oid END AS classid,
    CASE WHEN k.conrelid <> 0 THEN k.conrelid ELSE k.contypid END AS objid,
    3000 + strpos('puxcf', k.contype::text) AS position,
    'constraint ' || quote_ident(k.conname) AS key,
    concat_ws(' ', pg_get_constraintdef(k.oid), i.options, i.tablespace) AS value,
    ARRAY[k.conname::text, k.contype::text,
        (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY u.i) FROM unnest(k.conkey) WITH ORDINALITY u (n, i)
            JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n),
        (SELECT format('%I.%I', fn.nspname, fc.relname) FROM pg_class fc JOIN pg_namespace fn ON fn.oid = fc.relnamespace
            WHERE fc.oid = k.confrelid),
        (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY u.i) FROM unnest(k.confkey) WITH ORDINALITY u (n, i)
            JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n),
        pg_get_constraintdef(k.oid), i.options, i.tablespace] AS parts
FROM pg_constraint k
    -- The index behind it may have storage parameters and a tablespace, which pg_get_constraintdef does not tell.
    LEFT JOIN LATERAL (
        SELECT (SELECT 'WITH (' || string_agg(o, ', ' ORDER BY o COLLATE "C") || ')' FROM unnest(c.reloptions) o) AS options,
            'TABLESPACE ' || quote_ident(s.spcname) AS tablespace
        FROM pg_class c LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
        WHERE c.oid = k.conindid AND k.contype IN ('p', 'u', 'x')) i ON true
WHERE k.oid >= 16384 AND (k.contype IN ('p', 'u', 'x') OR k.contype = 'f' AND k.conparentid = 0 OR k.contype = 'c' AND k.conislocal)
