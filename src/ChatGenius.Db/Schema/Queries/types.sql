-- Enums, domains, ranges, base types and shells. The attributes of composite types come with the columns.
SELECT 'pg_type'::regclass::oid AS classid, t.oid AS objid, f.position, f.key, f.value
FROM pg_catalog.pg_type t
    LEFT JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid
    LEFT JOIN pg_catalog.pg_collation co ON co.oid = t.typcollation
    LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace
    LEFT JOIN pg_catalog.pg_type base ON base.oid = t.typbasetype
    LEFT JOIN pg_catalog.pg_constraint nn ON nn.contypid = t.oid AND nn.contype = 'n' --@ 17..
    CROSS JOIN LATERAL (VALUES
        (10, 'enum', CASE t.typtype WHEN 'e' THEN coalesce(
            (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid), '()') END),
        (11, 'domain', CASE t.typtype WHEN 'd' THEN concat_ws(' ', format_type(t.typbasetype, t.typtypmod),
            CASE WHEN t.typcollation = base.typcollation THEN NULL
                WHEN cn.nspname = 'pg_catalog' THEN format('COLLATE %I', co.collname)
                ELSE format('COLLATE %I.%I', cn.nspname, co.collname) END,
            'DEFAULT ' || pg_get_expr(t.typdefaultbin, 0),
            CASE WHEN nn.conname <> t.typname || '_not_null' THEN 'CONSTRAINT ' || quote_ident(nn.conname) END, --@ 17..
            CASE WHEN t.typnotnull THEN 'NOT NULL' END) END),
        (12, 'range', CASE t.typtype WHEN 'r' THEN concat_ws(', ',
            'SUBTYPE = ' || format_type(r.rngsubtype, NULL),
            (SELECT format('SUBTYPE_OPCLASS = %I.%I', n.nspname, o.opcname) FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_namespace n ON n.oid = o.opcnamespace
                WHERE o.oid = r.rngsubopc),
            (SELECT format('COLLATION = %I.%I', n.nspname, c.collname) FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
                WHERE c.oid = r.rngcollation),
            'CANONICAL = ' || nullif(r.rngcanonical, 0)::regproc,
            'SUBTYPE_DIFF = ' || nullif(r.rngsubdiff, 0)::regproc
            , 'MULTIRANGE_TYPE_NAME = ' || format_type(r.rngmultitypid, NULL) --@ 14..
            ) END),
        (13, 'base', CASE t.typtype WHEN 'b' THEN concat_ws(', ',
            'INPUT = ' || t.typinput, 'OUTPUT = ' || t.typoutput,
            'RECEIVE = ' || nullif(t.typreceive, 0)::regproc, 'SEND = ' || nullif(t.typsend, 0)::regproc,
            'TYPMOD_IN = ' || nullif(t.typmodin, 0)::regproc, 'TYPMOD_OUT = ' || nullif(t.typmodout, 0)::regproc,
            'ANALYZE = ' || nullif(t.typanalyze, 0)::regproc,
            'SUBSCRIPT = ' || nullif(t.typsubscript, 0)::regproc, --@ 14..
            'INTERNALLENGTH = ' || CASE t.typlen WHEN -1 THEN 'VARIABLE' ELSE t.typlen::text END,
            CASE WHEN t.typbyval THEN 'PASSEDBYVALUE' END,
            'ALIGNMENT = ' || CASE t.typalign WHEN 'c' THEN 'char' WHEN 's' THEN 'int2' WHEN 'i' THEN 'int4' ELSE 'double' END,
            'STORAGE = ' || CASE t.typstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'm' THEN 'main' ELSE 'extended' END,
            CASE WHEN t.typcategory <> 'U' THEN 'CATEGORY = ' || quote_literal(t.typcategory::text) END,
            CASE WHEN t.typispreferred THEN 'PREFERRED = true' END,
            'DEFAULT = ' || quote_literal(t.typdefault),
            'ELEMENT = ' || format_type(nullif(t.typelem, 0), NULL),
            CASE WHEN t.typdelim <> ',' THEN 'DELIMITER = ' || quote_literal(t.typdelim::text) END,
            CASE WHEN t.typcollation <> 0 THEN 'COLLATABLE = true' END) END),
        (14, 'shell', CASE WHEN NOT t.typisdefined THEN 'its definition is still to come' END)
    ) AS f (position, key, value)
WHERE t.oid >= 16384 AND t.typinput <> 'array_in'::regproc AND (t.typtype IN ('e', 'd', 'r', 'b') OR NOT t.typisdefined) AND f.value IS NOT NULL
