-- What belongs to the schema, each object once. The other queries give facts about objects by catalog and oid; a fact
-- about something that is not listed here is dropped, so that this is the one place which decides.
-- $1: names of schemas to leave out.
WITH schemas AS (
    SELECT oid, nspname
    FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND nspname <> ALL ($1)
),
objects (classid, objid, kind, name) AS (
    SELECT 'pg_namespace'::regclass::oid, oid, 'schema', quote_ident(nspname)
    FROM schemas
    UNION ALL
    SELECT 'pg_extension'::regclass, oid, 'extension', quote_ident(extname)
    FROM pg_extension
    WHERE oid >= 16384
    UNION ALL
    SELECT 'pg_class'::regclass, c.oid,
        CASE c.relkind
            WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'f' THEN 'foreign table'
            WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence'
        END,
        format('%I.%I', s.nspname, c.relname)
    FROM pg_class c JOIN schemas s ON s.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid,
        CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
        format('%I.%I(%s)', s.nspname, p.proname, oidvectortypes(p.proargtypes))
    FROM pg_proc p JOIN schemas s ON s.oid = p.pronamespace
    UNION ALL
    SELECT 'pg_type'::regclass, t.oid, CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END, format('%I.%I', s.nspname, t.typname)
    FROM pg_type t JOIN schemas s ON s.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
    WHERE t.typtype IN ('e', 'd', 'r') OR t.typtype = 'c' AND c.relkind = 'c'
        -- An array type has an element type and is not an object of its own; a base type may have one, too (box).
        OR t.typtype = 'b' AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
    UNION ALL
    SELECT 'pg_collation'::regclass, x.oid, 'collation', format('%I.%I', s.nspname, x.collname)
    FROM pg_collation x JOIN schemas s ON s.oid = x.collnamespace
    UNION ALL
    SELECT 'pg_ts_config'::regclass, x.oid, 'text search configuration', format('%I.%I', s.nspname, x.cfgname)
    FROM pg_ts_config x JOIN schemas s ON s.oid = x.cfgnamespace
    UNION ALL
    SELECT 'pg_ts_dict'::regclass, x.oid, 'text search dictionary', format('%I.%I', s.nspname, x.dictname)
    FROM pg_ts_dict x JOIN schemas s ON s.oid = x.dictnamespace
    UNION ALL
    SELECT 'pg_ts_parser'::regclass, x.oid, 'text search parser', format('%I.%I', s.nspname, x.prsname)
    FROM pg_ts_parser x JOIN schemas s ON s.oid = x.prsnamespace
    UNION ALL
    SELECT 'pg_ts_template'::regclass, x.oid, 'text search template', format('%I.%I', s.nspname, x.tmplname)
    FROM pg_ts_template x JOIN schemas s ON s.oid = x.tmplnamespace
    UNION ALL
    SELECT 'pg_conversion'::regclass, x.oid, 'conversion', format('%I.%I', s.nspname, x.conname)
    FROM pg_conversion x JOIN schemas s ON s.oid = x.connamespace
    UNION ALL
    SELECT 'pg_operator'::regclass, o.oid, 'operator',
        format('%I.%s(%s, %s)', s.nspname, o.oprname,
            CASE o.oprleft WHEN 0 THEN 'NONE' ELSE format_type(o.oprleft, NULL) END,
            CASE o.oprright WHEN 0 THEN 'NONE' ELSE format_type(o.oprright, NULL) END)
    FROM pg_operator o JOIN schemas s ON s.oid = o.oprnamespace
    -- An operator that is only named as another's commutator or negator has no function yet.
    WHERE o.oprcode <> 0
    UNION ALL
    SELECT 'pg_opclass'::regclass, x.oid, 'operator class', format('%I.%I USING %I', s.nspname, x.opcname, a.amname)
    FROM pg_opclass x JOIN schemas s ON s.oid = x.opcnamespace JOIN pg_am a ON a.oid = x.opcmethod
    UNION ALL
    SELECT 'pg_opfamily'::regclass, x.oid, 'operator family', format('%I.%I USING %I', s.nspname, x.opfname, a.amname)
    FROM pg_opfamily x JOIN schemas s ON s.oid = x.opfnamespace JOIN pg_am a ON a.oid = x.opfmethod
    UNION ALL
    SELECT 'pg_statistic_ext'::regclass, x.oid, 'statistics', format('%I.%I', s.nspname, x.stxname)
    FROM pg_statistic_ext x JOIN schemas s ON s.oid = x.stxnamespace
    UNION ALL
    SELECT 'pg_cast'::regclass, oid, 'cast', format('(%s AS %s)', format_type(castsource, NULL), format_type(casttarget, NULL))
    FROM pg_cast
    WHERE oid >= 16384
    UNION ALL
    SELECT 'pg_transform'::regclass, t.oid, 'transform', format('FOR %s LANGUAGE %I', format_type(t.trftype, NULL), l.lanname)
    FROM pg_transform t JOIN pg_language l ON l.oid = t.trflang
    WHERE t.oid >= 16384
    UNION ALL
    SELECT 'pg_language'::regclass, oid, 'language', quote_ident(lanname) FROM pg_language WHERE oid >= 16384
    UNION ALL
    SELECT 'pg_am'::regclass, oid, 'access method', quote_ident(amname) FROM pg_am WHERE oid >= 16384
    UNION ALL
    SELECT 'pg_foreign_data_wrapper'::regclass, oid, 'foreign data wrapper', quote_ident(fdwname) FROM pg_foreign_data_wrapper
    UNION ALL
    SELECT 'pg_foreign_server'::regclass, oid, 'server', quote_ident(srvname) FROM pg_foreign_server
    UNION ALL
    SELECT 'pg_publication'::regclass, oid, 'publication', quote_ident(pubname) FROM pg_publication
    UNION ALL
    SELECT 'pg_event_trigger'::regclass, oid, 'event trigger', quote_ident(evtname) FROM pg_event_trigger
    UNION ALL
    SELECT 'pg_default_acl'::regclass, d.oid, 'default privileges',
        concat_ws(' ', 'FOR ROLE ' || quote_ident(r.rolname), 'IN SCHEMA ' || quote_ident(s.nspname), 'ON',
            CASE d.defaclobjtype
                WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'ROUTINES' WHEN 'T' THEN 'TYPES'
                WHEN 'n' THEN 'SCHEMAS' WHEN 'L' THEN 'LARGE OBJECTS'
            END)
    FROM pg_default_acl d JOIN pg_roles r ON r.oid = d.defaclrole LEFT JOIN schemas s ON s.oid = d.defaclnamespace
    WHERE d.defaclnamespace = 0 OR s.oid IS NOT NULL
)
SELECT o.classid, o.objid, o.kind, o.name
FROM objects o
-- 'e': a part of an extension; 'i': a part of another object, such as the sequence of an identity column or the
-- constructor functions of a range type. (A partitioned table is in this way a part of itself: of its key's columns.)
WHERE NOT EXISTS (SELECT FROM pg_depend d
    WHERE d.classid = o.classid AND d.objid = o.objid AND d.deptype IN ('e', 'i') AND d.refobjid <> o.objid)
