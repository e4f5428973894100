-- Columns of relations and attributes of composite types, as they would stand in CREATE TABLE.
SELECT CASE c.relkind WHEN 'c' THEN 'pg_type'::regclass::oid ELSE 'pg_class'::regclass::oid END AS classid,
    CASE c.relkind WHEN 'c' THEN c.reltype ELSE c.oid END AS objid,
    1000 + a.attnum AS position,
    'column ' || quote_ident(a.attname) AS key,
    concat_ws(' ', x.type, x.collation, x.options, x.storage, x.compression, x.not_null, x.default_, x.generated, x.identity, x.statistics, x.inherited,
        x.fdw_options) AS value
FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation AND a.attcollation <> t.typcollation
    LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace
    LEFT JOIN pg_catalog.pg_constraint nn ON nn.conrelid = a.attrelid AND nn.contype = 'n' AND nn.conkey = ARRAY[a.attnum] --@ 18..
    CROSS JOIN LATERAL (SELECT
        format_type(a.atttypid, a.atttypmod) AS type,
        CASE WHEN co.oid IS NULL THEN NULL
            WHEN cn.nspname = 'pg_catalog' THEN format('COLLATE %I', co.collname)
            ELSE format('COLLATE %I.%I', cn.nspname, co.collname) END AS collation,
        -- The minor releases of November 2026 note the version of each column here, which is no option of the user's; pg_dump leaves it out as well.
        CASE WHEN a.attoptions IS NOT NULL THEN (SELECT 'SET (' || string_agg(o, ', ' ORDER BY o COLLATE "C") || ')' FROM unnest(a.attoptions) o WHERE o !~ '^pg_attver=') END AS options,
        CASE WHEN a.attfdwoptions IS NOT NULL THEN (
            SELECT 'OPTIONS (' || string_agg(format('%I %L', o.option_name, o.option_value), ', ' ORDER BY o.option_name) || ')'
            FROM pg_catalog.pg_options_to_table(a.attfdwoptions) o) END AS fdw_options,
        CASE WHEN a.attstorage <> t.typstorage AND c.relkind IN ('r', 'p', 'm', 'f') THEN 'STORAGE ' || CASE a.attstorage
            WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END AS storage,
        CASE a.attcompression WHEN 'p' THEN 'COMPRESSION pglz' WHEN 'l' THEN 'COMPRESSION lz4' END AS compression, --@ 14..
        NULL::text AS compression, --@ ..13
        CASE WHEN a.attnotnull THEN concat(
            'CONSTRAINT ' || quote_ident(nullif(nn.conname, c.relname || '_' || a.attname || '_not_null')) || ' ', --@ 18..
            'NOT NULL'
            , CASE WHEN nn.connoinherit THEN ' NO INHERIT' END, CASE WHEN NOT nn.convalidated THEN ' NOT VALID' END --@ 18..
            ) END AS not_null,
        CASE WHEN d.oid IS NOT NULL
            AND a.attgenerated = '' --@ 12..
            THEN 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) END AS default_,
        CASE a.attgenerated WHEN 's' THEN format('GENERATED ALWAYS AS (%s) STORED', pg_get_expr(d.adbin, d.adrelid)) --@ 12..
            WHEN 'v' THEN format('GENERATED ALWAYS AS (%s) VIRTUAL', pg_get_expr(d.adbin, d.adrelid)) END AS generated, --@ 12..
        NULL::text AS generated, --@ ..11
        CASE WHEN a.attidentity IN ('a', 'd') THEN (
            SELECT concat('GENERATED ', CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END, ' AS IDENTITY',
                ' (' || nullif(concat_ws(' ',
                    CASE WHEN (sc.relname, sc.relnamespace) <> (left(c.relname || '_' || a.attname || '_seq', 63), c.relnamespace)
                        THEN format('SEQUENCE NAME %I.%I', sn.nspname, sc.relname) END,
                    CASE WHEN s.seqincrement <> 1 THEN 'INCREMENT BY ' || s.seqincrement END,
                    CASE WHEN s.seqmin <> CASE WHEN s.seqincrement > 0 THEN 1 ELSE lowest END THEN 'MINVALUE ' || s.seqmin END,
                    CASE WHEN s.seqmax <> CASE WHEN s.seqincrement > 0 THEN highest ELSE -1 END THEN 'MAXVALUE ' || s.seqmax END,
                    CASE WHEN s.seqstart <> CASE WHEN s.seqincrement > 0 THEN s.seqmin ELSE s.seqmax END THEN 'START WITH ' || s.seqstart END,
                    CASE WHEN s.seqcache <> 1 THEN 'CACHE ' || s.seqcache END,
                    CASE WHEN s.seqcycle THEN 'CYCLE' END
                ), '') || ')')
            FROM pg_catalog.pg_depend dep JOIN pg_catalog.pg_sequence s ON s.seqrelid = dep.objid
                CROSS JOIN LATERAL (SELECT
                    CASE s.seqtypid WHEN 'int2'::regtype THEN -32768 WHEN 'int4'::regtype THEN -2147483648 ELSE -9223372036854775808 END AS lowest,
                    CASE s.seqtypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647 ELSE 9223372036854775807 END AS highest) bounds
                JOIN pg_catalog.pg_class sc ON sc.oid = s.seqrelid JOIN pg_catalog.pg_namespace sn ON sn.oid = sc.relnamespace
            WHERE dep.classid = 'pg_class'::regclass AND dep.refclassid = 'pg_class'::regclass AND dep.refobjid = a.attrelid
                AND dep.refobjsubid = a.attnum AND dep.deptype = 'i') END AS identity,
        CASE WHEN a.attstattarget >= 0 THEN 'STATISTICS ' || a.attstattarget END AS statistics,
        CASE WHEN NOT a.attislocal AND NOT c.relispartition THEN 'INHERITED' END AS inherited
    ) x
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.oid >= 16384 AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c') AND n.nspname !~ '^pg_'
