-- Enums, domains, ranges and base types. The attributes of composite types come with the columns.
SELECT 'pg_type'::regclass::oid AS classid, t.oid AS objid, f.position, f.key, f.value, NULL::text[] AS parts
FROM pg_type t
    LEFT JOIN pg_range r ON r.rngtypid = t.oid
    LEFT JOIN pg_collation co ON co.oid = t.typcollation
    LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
    LEFT JOIN pg_type base ON base.oid = t.typbasetype
    CROSS JOIN LATERAL (VALUES
        (10, 'enum', CASE t.typtype WHEN 'e' THEN coalesce(
            (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid), '()') END),
        (11, 'domain', CASE t.typtype WHEN 'd' THEN concat_ws(' ', format_type(t.typbasetype, t.typtypmod),
            CASE WHEN t.typcollation = base.typcollation THEN NULL
                WHEN cn.nspname = 'pg_catalog' THEN format('COLLATE %I', co.collname)
                ELSE format('COLLATE %I.%I', cn.nspname, co.collname) END,
            'DEFAULT ' || pg_get_expr(t.typdefaultbin, 0),
            CASE WHEN t.typnotnull THEN 'NOT NULL' END) END),
        (12, 'range', CASE t.typtype WHEN 'r' THEN concat_ws(', ',
            'SUBTYPE = ' || format_type(r.rngsubtype, NULL),
            (SELECT format('SUBTYPE_OPCLASS = %I.%I', n.nspname, o.opcname) FROM pg_opclass o JOIN pg_namespace n ON n.oid = o.opcnamespace
                WHERE o.oid = r.rngsubopc),
            (SELECT format('COLLATION = %I.%I', n.nspname, c.collname) FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
                WHERE c.oid = r.rngcollation),
            'CANONICAL = ' || nullif(r.rngcanonical, 0)::regproc,
            'SUBTYPE_DIFF = ' || nullif(r.rngsubdiff, 0)::regproc
            , 'MULTIRANGE_TYPE_NAME = ' || format_type(r.rngmultitypid, NULL) --@ 14..
            ) END),
        (13, 'base', CASE t.typtype WHEN 'b' THEN concat_ws(', ',
            'INPUT = ' || t.typinput, 'OUTPUT = ' || t.typoutput, 'INTERNALLENGTH = ' || t.typlen, 'PASSEDBYVALUE = ' || t.typbyval,
            'ALIGNMENT = ' || t.typalign::text, 'STORAGE = ' || t.typstorage::text, 'CATEGORY = ' || t.typcategory::text) END)
    ) AS f (position, key, value)
WHERE t.oid >= 16384 AND t.typtype IN ('e', 'd', 'r', 'b') AND f.value IS NOT NULL
