-- Properties of tables, partitioned tables, foreign tables, views and materialized views.
SELECT 'pg_class'::regclass::oid AS classid, c.oid AS objid, f.position, f.key, f.value
FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
    LEFT JOIN pg_catalog.pg_class toast ON toast.oid = c.reltoastrelid
    LEFT JOIN pg_catalog.pg_foreign_table ft ON ft.ftrelid = c.oid
    LEFT JOIN pg_catalog.pg_foreign_server fs ON fs.oid = ft.ftserver
    CROSS JOIN LATERAL (VALUES
        (10, 'persistence', CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED' END),
        (11, 'of type', CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END),
        (12, 'server', quote_ident(fs.srvname)),
        (13, 'foreign options', (SELECT string_agg(format('%I %L', o.option_name, o.option_value), ', ' ORDER BY o.option_name)
            FROM pg_catalog.pg_options_to_table(ft.ftoptions) o)),
        (14, 'partition of', CASE WHEN c.relispartition THEN
            (SELECT format('%I.%I', pn.nspname, p.relname) FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_class p ON p.oid = h.inhparent
                JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace WHERE h.inhrelid = c.oid) END),
        (15, 'partition bound', CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) END),
        (16, 'partition by', CASE c.relkind WHEN 'p' THEN pg_get_partkeydef(c.oid) END),
        (17, 'inherits', CASE WHEN NOT c.relispartition AND c.relkind IN ('r', 'f') THEN
            (SELECT string_agg(format('%I.%I', pn.nspname, p.relname), ', ' ORDER BY h.inhseqno) FROM pg_catalog.pg_inherits h
                JOIN pg_catalog.pg_class p ON p.oid = h.inhparent JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace WHERE h.inhrelid = c.oid) END),
        (18, 'access method', CASE WHEN c.relkind IN ('r', 'p', 'm') AND am.amname <> 'heap' THEN quote_ident(am.amname) END),
        (19, 'options', (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM (
            SELECT unnest(c.reloptions) UNION ALL SELECT 'toast.' || unnest(toast.reloptions)) AS options (o))),
        (20, 'tablespace', (SELECT quote_ident(spcname) FROM pg_catalog.pg_tablespace WHERE oid = c.reltablespace)),
        (21, 'row level security', CASE WHEN c.relrowsecurity AND c.relforcerowsecurity THEN 'ENABLED, FORCED'
            WHEN c.relrowsecurity THEN 'ENABLED' WHEN c.relforcerowsecurity THEN 'FORCED' END),
        (22, 'replica identity', CASE WHEN c.relkind IN ('r', 'p', 'm') THEN CASE c.relreplident
            WHEN 'n' THEN 'NOTHING'
            WHEN 'f' THEN 'FULL'
            WHEN 'i' THEN (SELECT 'USING INDEX ' || quote_ident(x.relname) FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
                WHERE i.indrelid = c.oid AND i.indisreplident)
            END END),
        (23, 'cluster on', CASE WHEN c.relkind IN ('r', 'm') THEN
            (SELECT quote_ident(x.relname) FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
                WHERE i.indrelid = c.oid AND i.indisclustered) END),
        -- pg_get_viewdef takes ACCESS SHARE on the view and what it reads; only the views that will be shown are asked.
        (5000, 'definition', CASE WHEN c.relkind IN ('v', 'm')
            AND n.nspname <> ALL ($1) AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
            THEN rtrim(pg_get_viewdef(c.oid), ';') END)
    ) AS f (position, key, value)
WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'f', 'v', 'm') AND n.nspname !~ '^pg_' AND f.value IS NOT NULL
