-- Which object must be there before which, as pg_depend has it, lifted from the parts of an object (a view's rule, a
-- column's default, a table's row type, an array type) to the object. "soft" is what can be added after the object was
-- made: a column's default and a check constraint.
WITH edges AS (
    SELECT classid, objid, refclassid, refobjid
    FROM pg_depend
    WHERE deptype IN ('n', 'a') AND refobjid >= 16384 AND objid >= 16384
),
lifted AS (
    SELECT
        CASE WHEN r.oid IS NOT NULL OR ad.oid IS NOT NULL OR k.conrelid <> 0 THEN 'pg_class'::regclass::oid
            WHEN k.contypid <> 0 THEN 'pg_type'::regclass
            WHEN fc.relkind = 'c' THEN 'pg_type'::regclass
            ELSE e.classid END AS classid,
        CASE WHEN fc.relkind = 'c' THEN fc.reltype
            ELSE coalesce(r.ev_class, ad.adrelid, nullif(k.conrelid, 0), nullif(k.contypid, 0), e.objid) END AS objid,
        CASE WHEN tt.typrelid <> 0 AND tc.relkind <> 'c' THEN 'pg_class'::regclass::oid
            WHEN rc.relkind = 'c' THEN 'pg_type'::regclass
            ELSE e.refclassid END AS refclassid,
        CASE WHEN tt.typrelid <> 0 AND tc.relkind <> 'c' THEN tt.typrelid
            WHEN rc.relkind = 'c' THEN rc.reltype
            ELSE coalesce(tt.oid, e.refobjid) END AS refobjid,
        ad.oid IS NOT NULL
            AND (SELECT a.attgenerated = '' FROM pg_attribute a WHERE a.attrelid = ad.adrelid AND a.attnum = ad.adnum) --@ 12..
            OR coalesce(k.contype = 'c', false) AS soft
    FROM edges e
        LEFT JOIN pg_rewrite r ON e.classid = 'pg_rewrite'::regclass AND r.oid = e.objid AND r.rulename = '_RETURN'
        LEFT JOIN pg_attrdef ad ON e.classid = 'pg_attrdef'::regclass AND ad.oid = e.objid
        LEFT JOIN pg_constraint k ON e.classid = 'pg_constraint'::regclass AND k.oid = e.objid
        LEFT JOIN pg_class fc ON e.classid = 'pg_class'::regclass AND fc.oid = e.objid
        LEFT JOIN pg_class rc ON e.refclassid = 'pg_class'::regclass AND rc.oid = e.refobjid
        LEFT JOIN pg_type rt ON e.refclassid = 'pg_type'::regclass AND rt.oid = e.refobjid
        LEFT JOIN pg_range mr ON false --@ ..13
        LEFT JOIN pg_range mr ON mr.rngmultitypid = rt.oid --@ 14..
        -- An array type leads to its element type, a multirange to its range.
        LEFT JOIN pg_type el ON el.typarray = rt.oid
        LEFT JOIN pg_type tt ON tt.oid = coalesce(mr.rngtypid, el.oid, rt.oid)
        LEFT JOIN pg_class tc ON tc.oid = tt.typrelid
    -- Foreign keys come last of all; sequences are tied to their columns after both are there.
    WHERE (k.contype IS NULL OR k.contype <> 'f') AND (fc.relkind IS NULL OR fc.relkind NOT IN ('S', 'i', 'I'))
)
SELECT classid, objid, refclassid, refobjid, bool_and(soft) AS soft
FROM lifted
WHERE (classid, objid) <> (refclassid, refobjid)
GROUP BY classid, objid, refclassid, refobjid
