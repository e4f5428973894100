-- Which object needs which, as pg_depend has it, lifted from the parts of an object (a view's rule, a column's default, a table's row type, an
-- array type) to the object. "part" is the fact that needs it, where that is added after the object was made; "column" what of the needed one.
WITH edges AS (
    SELECT classid, objid, refclassid, refobjid, refobjsubid
    FROM pg_catalog.pg_depend
    WHERE deptype IN ('n', 'a', 'x') AND refobjid >= 16384 AND objid >= 16384
        OR classid IN ('pg_amop'::regclass, 'pg_amproc'::regclass) AND refobjid >= 16384
),
lifted AS (
    SELECT
        CASE WHEN r.oid IS NOT NULL OR ad.oid IS NOT NULL OR k.conrelid <> 0 OR tg.oid IS NOT NULL OR p.oid IS NOT NULL OR i.indexrelid IS NOT NULL
                THEN 'pg_class'::regclass::oid
            WHEN k.contypid <> 0 THEN 'pg_type'::regclass
            WHEN fc.relkind = 'c' THEN 'pg_type'::regclass
            WHEN am.refclassid IS NOT NULL THEN am.refclassid
            ELSE e.classid END AS classid,
        CASE WHEN fc.relkind = 'c' THEN fc.reltype
            ELSE coalesce(r.ev_class, ad.adrelid, nullif(k.conrelid, 0), nullif(k.contypid, 0), tg.tgrelid, p.polrelid, i.indrelid, am.refobjid, e.objid)
            END AS objid,
        CASE WHEN ad.oid IS NOT NULL THEN (SELECT CASE
                WHEN a.attgenerated <> '' THEN NULL ELSE --@ 12..
                'column ' || quote_ident(a.attname)
                END --@ 12..
                FROM pg_catalog.pg_attribute a WHERE a.attrelid = ad.adrelid AND a.attnum = ad.adnum)
            WHEN k.oid IS NOT NULL THEN 'constraint ' || quote_ident(k.conname)
            WHEN tg.oid IS NOT NULL THEN 'trigger ' || quote_ident(tg.tgname)
            WHEN p.oid IS NOT NULL THEN 'policy ' || quote_ident(p.polname)
            WHEN r.rulename <> '_RETURN' THEN 'rule ' || quote_ident(r.rulename)
            WHEN i.indexrelid IS NOT NULL THEN 'index ' || quote_ident(fc.relname) END AS part,
        CASE WHEN rk.conrelid <> 0 OR tt.typrelid <> 0 AND tc.relkind <> 'c' THEN 'pg_class'::regclass::oid
            WHEN rc.relkind = 'c' THEN 'pg_type'::regclass
            ELSE e.refclassid END AS refclassid,
        CASE WHEN tt.typrelid <> 0 AND tc.relkind <> 'c' THEN tt.typrelid
            WHEN rc.relkind = 'c' THEN rc.reltype
            ELSE coalesce(tt.oid, nullif(rk.conrelid, 0), e.refobjid) END AS refobjid,
        CASE WHEN rc.oid IS NOT NULL THEN ra.attname END AS refcolumn
    FROM edges e
        LEFT JOIN pg_catalog.pg_rewrite r ON e.classid = 'pg_rewrite'::regclass AND r.oid = e.objid
        LEFT JOIN pg_catalog.pg_attrdef ad ON e.classid = 'pg_attrdef'::regclass AND ad.oid = e.objid
        LEFT JOIN pg_catalog.pg_constraint k ON e.classid = 'pg_constraint'::regclass AND k.oid = e.objid
        LEFT JOIN pg_catalog.pg_trigger tg ON e.classid = 'pg_trigger'::regclass AND tg.oid = e.objid
        LEFT JOIN pg_catalog.pg_policy p ON e.classid = 'pg_policy'::regclass AND p.oid = e.objid
        LEFT JOIN pg_catalog.pg_class fc ON e.classid = 'pg_class'::regclass AND fc.oid = e.objid
        LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = fc.oid
        -- A member of an operator class or family: what it is a part of.
        LEFT JOIN pg_catalog.pg_depend am ON e.classid IN ('pg_amop'::regclass, 'pg_amproc'::regclass) AND am.classid = e.classid AND am.objid = e.objid
            AND am.refclassid IN ('pg_opclass'::regclass, 'pg_opfamily'::regclass) AND am.deptype IN ('a', 'i')
        LEFT JOIN pg_catalog.pg_class rc ON e.refclassid = 'pg_class'::regclass AND rc.oid = e.refobjid
        LEFT JOIN pg_catalog.pg_attribute ra ON ra.attrelid = rc.oid AND ra.attnum = e.refobjsubid AND e.refobjsubid > 0
        LEFT JOIN pg_catalog.pg_constraint rk ON e.refclassid = 'pg_constraint'::regclass AND rk.oid = e.refobjid
        LEFT JOIN pg_catalog.pg_type rt ON e.refclassid = 'pg_type'::regclass AND rt.oid = e.refobjid
        LEFT JOIN pg_catalog.pg_range mr ON false --@ ..13
        LEFT JOIN pg_catalog.pg_range mr ON mr.rngmultitypid = rt.oid --@ 14..
        -- An array type leads to its element type, a multirange to its range.
        LEFT JOIN pg_catalog.pg_type el ON el.typarray = rt.oid
        LEFT JOIN pg_catalog.pg_type tt ON tt.oid = coalesce(mr.rngtypid, el.oid, rt.oid)
        LEFT JOIN pg_catalog.pg_class tc ON tc.oid = tt.typrelid
    -- Sequences are tied to their columns after both are there.
    WHERE fc.relkind IS NULL OR fc.relkind <> 'S'
)
SELECT DISTINCT classid, objid, part, refclassid, refobjid, refcolumn::text
FROM lifted
WHERE (classid, objid) <> (refclassid, refobjid)
