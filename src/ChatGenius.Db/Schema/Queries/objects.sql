-- What belongs to the schema, each object once. The other queries give facts about objects by catalog and oid; a fact
-- about something that is not listed here is dropped, so that this is the one place which decides.
-- An object that comes with something else (an extension, PostgreSQL itself, an identity column) says so in part_of: it counts only by what
-- was given to it later, such as a privilege, and is left out again where nothing was.
-- $1: names of schemas to leave out. $2: the schema of the history.
WITH schemas AS (
    SELECT oid, nspname, nspname = 'pg_catalog' AS system
    FROM pg_catalog.pg_namespace
    WHERE (nspname !~ '^pg_' AND nspname <> 'information_schema' OR nspname = 'pg_catalog') AND nspname <> ALL ($1)
),
ours AS (
    SELECT c.oid
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $2 AND c.relkind = 'r' AND (
        SELECT array_agg(a.attname::text) FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        ) @> CASE c.relname
            WHEN 'history' THEN ARRAY['version', 'name', 'checksum', 'applied_at']
            WHEN 'journal' THEN ARRAY['version', 'direction', 'statement', 'backend_start']
            WHEN 'format' THEN ARRAY['version']
            WHEN 'log' THEN ARRAY['at', 'action', 'done_by', 'tool_version']
            WHEN 'batches' THEN ARRAY['direction', 'last_key', 'upper_key', 'control']
            WHEN 'kept' THEN ARRAY['table_name', 'old_values', 'new_values', 'kept_at']
            WHEN 'watched' THEN ARRAY['table_oid', 'column_number', 'counters', 'sampled_at']
            WHEN 'repeatable' THEN ARRAY['checksum', 'applied_by', 'tool_version'] END
),
objects (classid, objid, kind, name, part_of, given) AS (
    SELECT 'pg_namespace'::regclass::oid, oid, 'schema', quote_ident(nspname), CASE WHEN system THEN 'PostgreSQL' END, true
    FROM schemas
    UNION ALL
    SELECT 'pg_extension'::regclass, oid, 'extension', quote_ident(extname), NULL, true
    FROM pg_catalog.pg_extension
    WHERE oid >= 16384
    UNION ALL
    SELECT 'pg_class'::regclass, c.oid,
        CASE c.relkind
            WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'f' THEN 'foreign table'
            WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence'
        END,
        format('%I.%I', s.nspname, c.relname),
        CASE WHEN s.system THEN 'PostgreSQL' WHEN c.relkind = 'S' THEN (
            SELECT format('column %I.%I.%I', tn.nspname, t.relname, a.attname)
            FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class t ON t.oid = d.refobjid JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
                JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
            WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'i') END,
        true
    FROM pg_catalog.pg_class c JOIN schemas s ON s.oid = c.relnamespace
        LEFT JOIN pg_catalog.pg_init_privs i ON i.classoid = 'pg_class'::regclass AND i.objoid = c.oid AND i.objsubid = 0
    WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND c.oid NOT IN (SELECT oid FROM ours)
        AND CASE WHEN NOT s.system OR c.relacl IS DISTINCT FROM i.initprivs THEN true
            ELSE EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attacl IS NOT NULL) END
        -- As a CASE it is asked for the few sequences; as a join all dependencies would be read.
        AND CASE c.relkind WHEN 'S' THEN NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
            WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refobjid IN (SELECT oid FROM ours)) ELSE true END
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid,
        CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
        -- Where procedures of one name differ by what is OUT, their types alone are ambiguous.
        format('%I.%I(%s)', s.nspname, p.proname, CASE
            WHEN p.prokind = 'p' AND bool_or(p.prokind = 'p' AND 'o' = ANY (p.proargmodes)) OVER (PARTITION BY p.pronamespace, p.proname)
            THEN (SELECT string_agg(CASE u.mode WHEN 'o' THEN 'OUT ' WHEN 'b' THEN 'INOUT ' WHEN 'v' THEN 'VARIADIC ' ELSE 'IN ' END
                || format_type(u.type, NULL), ', ' ORDER BY u.i)
                FROM unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargmodes) WITH ORDINALITY u (type, mode, i))
            ELSE oidvectortypes(p.proargtypes) END),
        CASE WHEN s.system THEN 'PostgreSQL' END, p.proacl IS NOT NULL
    FROM pg_catalog.pg_proc p JOIN schemas s ON s.oid = p.pronamespace
    WHERE NOT s.system OR p.proacl IS NOT NULL
    UNION ALL
    SELECT 'pg_type'::regclass, t.oid, CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END, format('%I.%I', s.nspname, t.typname),
        CASE WHEN s.system THEN 'PostgreSQL' END, t.typacl IS NOT NULL
    FROM pg_catalog.pg_type t JOIN schemas s ON s.oid = t.typnamespace LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
    WHERE (NOT s.system OR t.typacl IS NOT NULL)
        AND (t.typtype IN ('e', 'd', 'r') OR t.typtype = 'c' AND c.relkind = 'c' OR t.typtype = 'p' AND NOT t.typisdefined
            -- An array type has an element type and is not an object of its own; a base type may have one, too (box).
            OR t.typtype = 'b' AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.typarray = t.oid))
    UNION ALL
    SELECT 'pg_collation'::regclass, x.oid, 'collation', format('%I.%I', s.nspname, x.collname), NULL, false
    FROM pg_catalog.pg_collation x JOIN schemas s ON s.oid = x.collnamespace AND NOT s.system
    UNION ALL
    SELECT 'pg_ts_config'::regclass, x.oid, 'text search configuration', format('%I.%I', s.nspname, x.cfgname), NULL, false
    FROM pg_catalog.pg_ts_config x JOIN schemas s ON s.oid = x.cfgnamespace AND NOT s.system
    UNION ALL
    SELECT 'pg_ts_dict'::regclass, x.oid, 'text search dictionary', format('%I.%I', s.nspname, x.dictname), NULL, false
    FROM pg_catalog.pg_ts_dict x JOIN schemas s ON s.oid = x.dictnamespace AND NOT s.system
    UNION ALL
    SELECT 'pg_ts_parser'::regclass, x.oid, 'text search parser', format('%I.%I', s.nspname, x.prsname), NULL, false
    FROM pg_catalog.pg_ts_parser x JOIN schemas s ON s.oid = x.prsnamespace AND NOT s.system
    UNION ALL
    SELECT 'pg_ts_template'::regclass, x.oid, 'text search template', format('%I.%I', s.nspname, x.tmplname), NULL, false
    FROM pg_catalog.pg_ts_template x JOIN schemas s ON s.oid = x.tmplnamespace AND NOT s.system
    UNION ALL
    SELECT 'pg_conversion'::regclass, x.oid, 'conversion', format('%I.%I', s.nspname, x.conname), NULL, false
    FROM pg_catalog.pg_conversion x JOIN schemas s ON s.oid = x.connamespace AND NOT s.system
    UNION ALL
    SELECT 'pg_operator'::regclass, o.oid, 'operator',
        format('%I.%s(%s, %s)', s.nspname, o.oprname,
            CASE o.oprleft WHEN 0 THEN 'NONE' ELSE format_type(o.oprleft, NULL) END,
            CASE o.oprright WHEN 0 THEN 'NONE' ELSE format_type(o.oprright, NULL) END),
        NULL, false
    FROM pg_catalog.pg_operator o JOIN schemas s ON s.oid = o.oprnamespace AND NOT s.system
    -- An operator that is only named as another's commutator or negator has no function yet.
    WHERE o.oprcode <> 0
    UNION ALL
    SELECT 'pg_opclass'::regclass, x.oid, 'operator class', format('%I.%I USING %I', s.nspname, x.opcname, a.amname), NULL, false
    FROM pg_catalog.pg_opclass x JOIN schemas s ON s.oid = x.opcnamespace AND NOT s.system JOIN pg_catalog.pg_am a ON a.oid = x.opcmethod
    UNION ALL
    SELECT 'pg_opfamily'::regclass, x.oid, 'operator family', format('%I.%I USING %I', s.nspname, x.opfname, a.amname), NULL, false
    FROM pg_catalog.pg_opfamily x JOIN schemas s ON s.oid = x.opfnamespace AND NOT s.system JOIN pg_catalog.pg_am a ON a.oid = x.opfmethod
    UNION ALL
    SELECT 'pg_statistic_ext'::regclass, x.oid, 'statistics', format('%I.%I', s.nspname, x.stxname), NULL, false
    FROM pg_catalog.pg_statistic_ext x JOIN schemas s ON s.oid = x.stxnamespace AND NOT s.system
    UNION ALL
    SELECT 'pg_cast'::regclass, oid, 'cast', format('(%s AS %s)', format_type(castsource, NULL), format_type(casttarget, NULL)), NULL, false
    FROM pg_catalog.pg_cast
    WHERE oid >= 16384
    UNION ALL
    SELECT 'pg_transform'::regclass, t.oid, 'transform', format('FOR %s LANGUAGE %I', format_type(t.trftype, NULL), l.lanname), NULL, false
    FROM pg_catalog.pg_transform t JOIN pg_catalog.pg_language l ON l.oid = t.trflang
    WHERE t.oid >= 16384
    UNION ALL
    SELECT 'pg_language'::regclass, oid, 'language', quote_ident(lanname), CASE WHEN oid < 16384 THEN 'PostgreSQL' END, lanacl IS NOT NULL
    FROM pg_catalog.pg_language WHERE oid >= 16384 OR lanacl IS NOT NULL
    UNION ALL
    SELECT 'pg_am'::regclass, oid, 'access method', quote_ident(amname), NULL, false FROM pg_catalog.pg_am WHERE oid >= 16384
    UNION ALL
    SELECT 'pg_foreign_data_wrapper'::regclass, oid, 'foreign data wrapper', quote_ident(fdwname), NULL, fdwacl IS NOT NULL FROM pg_catalog.pg_foreign_data_wrapper
    UNION ALL
    SELECT 'pg_foreign_server'::regclass, oid, 'server', quote_ident(srvname), NULL, srvacl IS NOT NULL FROM pg_catalog.pg_foreign_server
    UNION ALL
    SELECT 'pg_user_mapping'::regclass, umid, 'user mapping',
        format('FOR %s SERVER %I', CASE umuser WHEN 0 THEN 'PUBLIC' ELSE quote_ident(usename) END, srvname), NULL, false
    FROM pg_catalog.pg_user_mappings
    UNION ALL
    SELECT 'pg_publication'::regclass, oid, 'publication', quote_ident(pubname), NULL, false FROM pg_catalog.pg_publication
    UNION ALL
    SELECT 'pg_subscription'::regclass, s.oid, 'subscription', quote_ident(s.subname), NULL, false
    FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid AND d.datname = current_database()
    UNION ALL
    SELECT 'pg_event_trigger'::regclass, oid, 'event trigger', quote_ident(evtname), NULL, false FROM pg_catalog.pg_event_trigger
    UNION ALL
    SELECT 'pg_largeobject'::regclass, oid, 'large object', oid::text, 'the data', true FROM pg_catalog.pg_largeobject_metadata
    WHERE lomacl IS NOT NULL OR oid IN (SELECT objoid FROM pg_catalog.pg_description WHERE classoid = 'pg_largeobject'::regclass)
    UNION ALL
    SELECT 'pg_parameter_acl'::regclass, oid, 'parameter', quote_ident(parname), 'the cluster', true FROM pg_catalog.pg_parameter_acl --@ 15..
    UNION ALL --@ 15..
    SELECT 'pg_default_acl'::regclass, d.oid, 'default privileges',
        concat_ws(' ', 'FOR ROLE ' || quote_ident(r.rolname), 'IN SCHEMA ' || quote_ident(s.nspname), 'ON',
            CASE d.defaclobjtype
                WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'ROUTINES' WHEN 'T' THEN 'TYPES'
                WHEN 'n' THEN 'SCHEMAS' WHEN 'L' THEN 'LARGE OBJECTS'
            END),
        NULL, false
    FROM pg_catalog.pg_default_acl d JOIN pg_catalog.pg_roles r ON r.oid = d.defaclrole LEFT JOIN schemas s ON s.oid = d.defaclnamespace
    WHERE d.defaclnamespace = 0 OR s.oid IS NOT NULL
)
SELECT o.classid, o.objid, o.kind, o.name, coalesce('extension ' || quote_ident(e.extname), o.part_of) AS part_of
FROM objects o
    LEFT JOIN pg_catalog.pg_depend m ON m.classid = o.classid AND m.objid = o.objid AND m.deptype = 'e'
    LEFT JOIN pg_catalog.pg_extension e ON e.oid = m.refobjid
WHERE (o.given OR e.oid IS NULL AND o.part_of IS NULL)
    -- 'i': a part of another object, such as the constructor functions of a range type. (A partitioned table is in this way a part of itself: of
    -- its key's columns.)
    AND (o.part_of IS NOT NULL OR NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = o.classid AND d.objid = o.objid AND d.deptype = 'i' AND d.refobjid <> o.objid))
