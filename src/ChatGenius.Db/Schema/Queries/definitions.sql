-- The rarer kinds of object, each as the statement that makes it.
WITH members AS (
    SELECT d.refclassid, d.refobjid, 1 AS kind, o.amopstrategy AS number, concat('OPERATOR ', o.amopstrategy, ' ', o.amopopr::regoperator,
        ' FOR ORDER BY ' || quote_ident(sn.nspname) || '.' || quote_ident(sf.opfname)) AS text
    FROM pg_catalog.pg_amop o JOIN pg_catalog.pg_depend d ON d.classid = 'pg_amop'::regclass AND d.objid = o.oid
        LEFT JOIN pg_catalog.pg_opfamily sf ON sf.oid = o.amopsortfamily LEFT JOIN pg_catalog.pg_namespace sn ON sn.oid = sf.opfnamespace
    WHERE o.oid >= 16384 AND d.refclassid IN ('pg_opclass'::regclass, 'pg_opfamily'::regclass) AND (d.refclassid = 'pg_opclass'::regclass OR d.refobjid = o.amopfamily)
    UNION ALL
    SELECT d.refclassid, d.refobjid, 2, p.amprocnum, format('FUNCTION %s (%s, %s) %s', p.amprocnum, format_type(p.amproclefttype, NULL),
        format_type(p.amprocrighttype, NULL), p.amproc::regprocedure)
    FROM pg_catalog.pg_amproc p JOIN pg_catalog.pg_depend d ON d.classid = 'pg_amproc'::regclass AND d.objid = p.oid
    WHERE p.oid >= 16384 AND d.refclassid IN ('pg_opclass'::regclass, 'pg_opfamily'::regclass) AND (d.refclassid = 'pg_opclass'::regclass OR d.refobjid = p.amprocfamily)
),
facts (classid, objid, position, key, value) AS (
    SELECT 'pg_extension'::regclass::oid, e.oid, 10, 'schema', quote_ident(n.nspname)
    FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
    UNION ALL
    SELECT 'pg_collation'::regclass, c.oid, 10, 'definition', format('CREATE COLLATION %I.%I (%s)', n.nspname, c.collname, concat_ws(', ',
        'provider = ' || CASE c.collprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' WHEN 'd' THEN 'default' ELSE 'libc' END,
        CASE c.collprovider WHEN 'i' THEN 'locale = ' || quote_literal(c.collcollate) END, --@ ..14
        'locale = ' || quote_literal(c.colllocale), --@ 17..
        'locale = ' || quote_literal(c.colliculocale), --@ 15..16
        'rules = ' || quote_literal(c.collicurules), --@ 16..
        CASE WHEN c.collprovider <> 'i' THEN 'lc_collate = ' || quote_literal(c.collcollate) END,
        CASE WHEN c.collprovider <> 'i' THEN 'lc_ctype = ' || quote_literal(c.collctype) END
        , CASE WHEN NOT c.collisdeterministic THEN 'deterministic = false' END --@ 12..
        ))
    FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
    UNION ALL
    SELECT 'pg_ts_config'::regclass, c.oid, 10, 'parser', format('%I.%I', n.nspname, p.prsname)
    FROM pg_catalog.pg_ts_config c JOIN pg_catalog.pg_ts_parser p ON p.oid = c.cfgparser JOIN pg_catalog.pg_namespace n ON n.oid = p.prsnamespace
    UNION ALL
    SELECT 'pg_ts_config'::regclass, c.oid, 11, 'mapping ' || quote_ident(k.alias),
        string_agg(format('%I.%I', n.nspname, d.dictname), ', ' ORDER BY m.mapseqno)
    FROM pg_catalog.pg_ts_config c JOIN pg_catalog.pg_ts_config_map m ON m.mapcfg = c.oid JOIN pg_catalog.pg_ts_dict d ON d.oid = m.mapdict
        JOIN pg_catalog.pg_namespace n ON n.oid = d.dictnamespace JOIN LATERAL ts_token_type(c.cfgparser) k ON k.tokid = m.maptokentype
    WHERE c.oid >= 16384
    GROUP BY c.oid, k.alias
    UNION ALL
    SELECT 'pg_ts_dict'::regclass, d.oid, 10, 'definition', format('CREATE TEXT SEARCH DICTIONARY %I.%I (%s)', n.nspname, d.dictname,
        concat_ws(', ', format('TEMPLATE = %I.%I', tn.nspname, t.tmplname), nullif(d.dictinitoption, '')))
    FROM pg_catalog.pg_ts_dict d JOIN pg_catalog.pg_namespace n ON n.oid = d.dictnamespace
        JOIN pg_catalog.pg_ts_template t ON t.oid = d.dicttemplate JOIN pg_catalog.pg_namespace tn ON tn.oid = t.tmplnamespace
    UNION ALL
    SELECT 'pg_ts_parser'::regclass, p.oid, 10, 'definition', format('CREATE TEXT SEARCH PARSER %I.%I (%s)', n.nspname, p.prsname,
        concat_ws(', ', 'START = ' || p.prsstart, 'GETTOKEN = ' || p.prstoken, 'END = ' || p.prsend, 'LEXTYPES = ' || p.prslextype,
            'HEADLINE = ' || nullif(p.prsheadline, 0)::regproc))
    FROM pg_catalog.pg_ts_parser p JOIN pg_catalog.pg_namespace n ON n.oid = p.prsnamespace
    UNION ALL
    SELECT 'pg_ts_template'::regclass, t.oid, 10, 'definition', format('CREATE TEXT SEARCH TEMPLATE %I.%I (%s)', n.nspname, t.tmplname,
        concat_ws(', ', 'INIT = ' || nullif(t.tmplinit, 0)::regproc, 'LEXIZE = ' || t.tmpllexize))
    FROM pg_catalog.pg_ts_template t JOIN pg_catalog.pg_namespace n ON n.oid = t.tmplnamespace
    UNION ALL
    SELECT 'pg_conversion'::regclass, c.oid, 10, 'definition', format('CREATE %sCONVERSION %I.%I FOR %L TO %L FROM %s',
        CASE WHEN c.condefault THEN 'DEFAULT ' END, n.nspname, c.conname,
        pg_encoding_to_char(c.conforencoding), pg_encoding_to_char(c.contoencoding), c.conproc)
    FROM pg_catalog.pg_conversion c JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace
    UNION ALL
    SELECT 'pg_operator'::regclass, o.oid, 10, 'definition', format('CREATE OPERATOR %I.%s (%s)', n.nspname, o.oprname, concat_ws(', ',
        'FUNCTION = ' || o.oprcode::oid::regproc, --@ 11..
        'LEFTARG = ' || format_type(nullif(o.oprleft, 0), NULL), 'RIGHTARG = ' || format_type(nullif(o.oprright, 0), NULL),
        (SELECT format('COMMUTATOR = OPERATOR(%I.%s)', cn.nspname, c.oprname) FROM pg_catalog.pg_operator c JOIN pg_catalog.pg_namespace cn ON cn.oid = c.oprnamespace
            WHERE c.oid = o.oprcom),
        (SELECT format('NEGATOR = OPERATOR(%I.%s)', cn.nspname, c.oprname) FROM pg_catalog.pg_operator c JOIN pg_catalog.pg_namespace cn ON cn.oid = c.oprnamespace
            WHERE c.oid = o.oprnegate),
        'RESTRICT = ' || nullif(o.oprrest, 0)::regproc, 'JOIN = ' || nullif(o.oprjoin, 0)::regproc,
        CASE WHEN o.oprcanhash THEN 'HASHES' END, CASE WHEN o.oprcanmerge THEN 'MERGES' END))
    FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
    UNION ALL
    SELECT 'pg_statistic_ext'::regclass, s.oid, 10, 'definition', pg_get_statisticsobjdef(s.oid)
    FROM pg_catalog.pg_statistic_ext s
    UNION ALL
    SELECT 'pg_statistic_ext'::regclass, s.oid, 11, 'target', s.stxstattarget::text --@ 13..
    FROM pg_catalog.pg_statistic_ext s WHERE s.stxstattarget >= 0 --@ 13..
    UNION ALL --@ 13..
    SELECT 'pg_cast'::regclass, c.oid, 10, 'definition', concat(
        format('CREATE CAST (%s AS %s) ', format_type(c.castsource, NULL), format_type(c.casttarget, NULL)),
        CASE c.castmethod WHEN 'f' THEN 'WITH FUNCTION ' || c.castfunc::regprocedure WHEN 'i' THEN 'WITH INOUT' ELSE 'WITHOUT FUNCTION' END,
        CASE c.castcontext WHEN 'a' THEN ' AS ASSIGNMENT' WHEN 'i' THEN ' AS IMPLICIT' END)
    FROM pg_catalog.pg_cast c
    UNION ALL
    SELECT 'pg_language'::regclass, l.oid, 10, 'definition', concat('CREATE ', CASE WHEN l.lanpltrusted THEN 'TRUSTED ' END,
        'LANGUAGE ', quote_ident(l.lanname), ' HANDLER ', l.lanplcallfoid::regproc, ' INLINE ' || nullif(l.laninline, 0)::regproc,
        ' VALIDATOR ' || nullif(l.lanvalidator, 0)::regproc)
    FROM pg_catalog.pg_language l
    UNION ALL
    SELECT 'pg_am'::regclass, a.oid, 10, 'definition', format('CREATE ACCESS METHOD %I TYPE %s HANDLER %s', a.amname,
        CASE a.amtype WHEN 'i' THEN 'INDEX' ELSE 'TABLE' END, a.amhandler)
    FROM pg_catalog.pg_am a
    UNION ALL
    SELECT 'pg_transform'::regclass, t.oid, 10, 'definition', format('CREATE TRANSFORM FOR %s LANGUAGE %I (%s)', format_type(t.trftype, NULL), l.lanname,
        concat_ws(', ', 'FROM SQL WITH FUNCTION ' || nullif(t.trffromsql, 0)::regprocedure, 'TO SQL WITH FUNCTION ' || nullif(t.trftosql, 0)::regprocedure))
    FROM pg_catalog.pg_transform t JOIN pg_catalog.pg_language l ON l.oid = t.trflang
    UNION ALL
    SELECT 'pg_foreign_data_wrapper'::regclass, w.oid, 10, 'definition', concat('CREATE FOREIGN DATA WRAPPER ', quote_ident(w.fdwname),
        ' HANDLER ' || nullif(w.fdwhandler, 0)::regproc, ' VALIDATOR ' || nullif(w.fdwvalidator, 0)::regproc,
        (SELECT ' OPTIONS (' || string_agg(format('%I %L', o.option_name, o.option_value), ', ' ORDER BY o.option_name) || ')'
            FROM pg_catalog.pg_options_to_table(w.fdwoptions) o))
    FROM pg_catalog.pg_foreign_data_wrapper w
    UNION ALL
    SELECT 'pg_foreign_server'::regclass, s.oid, 10, 'definition', concat('CREATE SERVER ', quote_ident(s.srvname),
        ' TYPE ' || quote_literal(s.srvtype), ' VERSION ' || quote_literal(s.srvversion),
        ' FOREIGN DATA WRAPPER ', quote_ident(w.fdwname),
        (SELECT ' OPTIONS (' || string_agg(format('%I %L', o.option_name, o.option_value), ', ' ORDER BY o.option_name) || ')'
            FROM pg_catalog.pg_options_to_table(s.srvoptions) o))
    FROM pg_catalog.pg_foreign_server s JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw
    UNION ALL
    SELECT 'pg_publication'::regclass, p.oid, 10, 'definition', concat_ws(' ', 'CREATE PUBLICATION ' || quote_ident(p.pubname),
        CASE WHEN p.puballtables THEN 'FOR ALL TABLES' ELSE 'FOR ' || nullif(concat_ws(', ',
            'TABLE ' || (SELECT string_agg(
                format('ONLY %I.%I', tn.nspname, t.relname)
                || coalesce(' (' || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) --@ 15..
                    FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.oid AND a.attnum = ANY (r.prattrs)) || ')', '') --@ 15..
                || coalesce(' WHERE (' || pg_get_expr(r.prqual, r.prrelid) || ')', '') --@ 15..
                , ', ' ORDER BY tn.nspname, t.relname)
                FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_class t ON t.oid = r.prrelid JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
                WHERE r.prpubid = p.oid),
            'TABLES IN SCHEMA ' || (SELECT string_agg(quote_ident(n.nspname), ', ' ORDER BY n.nspname) --@ 15..
                FROM pg_catalog.pg_publication_namespace s JOIN pg_catalog.pg_namespace n ON n.oid = s.pnnspid WHERE s.pnpubid = p.oid), --@ 15..
            NULL), '') END,
        format('WITH (%s)', concat_ws(', ', format('publish = %L', concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END,
            CASE WHEN p.pubupdate THEN 'update' END, CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END))
            , CASE WHEN p.pubviaroot THEN 'publish_via_partition_root = true' END --@ 13..
            , CASE p.pubgencols WHEN 's' THEN 'publish_generated_columns = stored' END --@ 18..
            )))
    FROM pg_catalog.pg_publication p
    UNION ALL
    SELECT 'pg_event_trigger'::regclass, e.oid, 10, 'definition', concat_ws(' ', 'CREATE EVENT TRIGGER', quote_ident(e.evtname), 'ON', e.evtevent,
        'WHEN TAG IN (' || (SELECT string_agg(quote_literal(t), ', ' ORDER BY t COLLATE "C") FROM unnest(e.evttags) t) || ')',
        'EXECUTE FUNCTION', e.evtfoid::regprocedure)
    FROM pg_catalog.pg_event_trigger e
    UNION ALL
    SELECT 'pg_event_trigger'::regclass, e.oid, 11, 'state',
        CASE e.evtenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END
    FROM pg_catalog.pg_event_trigger e
    WHERE e.evtenabled <> 'O'
    UNION ALL
    SELECT 'pg_opfamily'::regclass, f.oid, 10, 'definition', format('CREATE OPERATOR FAMILY %I.%I USING %I', n.nspname, f.opfname, a.amname)
    FROM pg_catalog.pg_opfamily f JOIN pg_catalog.pg_namespace n ON n.oid = f.opfnamespace JOIN pg_catalog.pg_am a ON a.oid = f.opfmethod
    UNION ALL
    SELECT 'pg_opclass'::regclass, c.oid, 10, 'definition', concat(format('CREATE OPERATOR CLASS %I.%I ', n.nspname, c.opcname),
        CASE WHEN c.opcdefault THEN 'DEFAULT ' END, format('FOR TYPE %s USING %I FAMILY %I.%I AS ', format_type(c.opcintype, NULL), a.amname, fn.nspname, f.opfname),
        coalesce(nullif(concat_ws(', ', 'STORAGE ' || format_type(nullif(c.opckeytype, 0), NULL), m.list), ''), 'STORAGE ' || format_type(c.opcintype, NULL)))
    FROM pg_catalog.pg_opclass c JOIN pg_catalog.pg_namespace n ON n.oid = c.opcnamespace JOIN pg_catalog.pg_am a ON a.oid = c.opcmethod
        JOIN pg_catalog.pg_opfamily f ON f.oid = c.opcfamily JOIN pg_catalog.pg_namespace fn ON fn.oid = f.opfnamespace
        LEFT JOIN (SELECT refobjid, string_agg(text, ', ' ORDER BY kind, number, text COLLATE "C") AS list FROM members
            WHERE refclassid = 'pg_opclass'::regclass GROUP BY refobjid) m ON m.refobjid = c.oid
    UNION ALL
    -- Members that belong to no class.
    SELECT 'pg_opfamily'::regclass, refobjid, 11, 'members', string_agg(text, ', ' ORDER BY kind, number, text COLLATE "C") FROM members
    WHERE refclassid = 'pg_opfamily'::regclass GROUP BY refobjid
    UNION ALL
    -- Its address may hold a password, and only a superuser may read it.
    SELECT 'pg_subscription'::regclass, s.oid, 10, 'definition', format('CREATE SUBSCRIPTION %I CONNECTION '''' PUBLICATION %s WITH (%s)', s.subname,
        (SELECT string_agg(quote_ident(p), ', ' ORDER BY i) FROM unnest(s.subpublications) WITH ORDINALITY u (p, i)),
        concat_ws(', ', 'connect = false', 'slot_name = ' || coalesce(quote_literal(s.subslotname), 'NONE')
            , CASE WHEN s.subbinary THEN 'binary = true' END, CASE WHEN s.subsynccommit <> 'off' THEN 'synchronous_commit = ' || quote_literal(s.subsynccommit) END --@ 14..
            , CASE WHEN s.substream THEN 'streaming = on' END --@ 14..15
            , 'streaming = ' || CASE s.substream WHEN 't' THEN 'on' WHEN 'p' THEN 'parallel' ELSE 'off' END --@ 16..
            , CASE WHEN s.subtwophasestate <> 'd' THEN 'two_phase = on' END, CASE WHEN s.subdisableonerr THEN 'disable_on_error = true' END --@ 15..
            , CASE WHEN s.suborigin <> 'any' THEN 'origin = ' || s.suborigin END, CASE WHEN s.subrunasowner THEN 'run_as_owner = true' END --@ 16..
            , CASE WHEN NOT s.subpasswordrequired THEN 'password_required = false' END --@ 16..
            , CASE WHEN s.subfailover THEN 'failover = true' END --@ 17..
            ))
    FROM pg_catalog.pg_subscription s
    UNION ALL
    -- Its options are for its owner's eyes.
    SELECT 'pg_user_mapping'::regclass, umid, 10, 'definition',
        format('CREATE USER MAPPING FOR %s SERVER %I', CASE umuser WHEN 0 THEN 'PUBLIC' ELSE quote_ident(usename) END, srvname)
    FROM pg_catalog.pg_user_mappings
    UNION ALL
    SELECT CASE WHEN d.classid = 'pg_proc'::regclass THEN d.classid ELSE 'pg_class'::regclass END, coalesce(t.tgrelid, i.indrelid, d.objid), 8500,
        concat('dependency', ' of trigger ' || quote_ident(t.tgname), ' of index ' || CASE WHEN i.indrelid IS NOT NULL THEN quote_ident(c.relname) END,
            ' on ', quote_ident(e.extname)),
        format('ALTER %s DEPENDS ON EXTENSION %I', CASE WHEN t.oid IS NOT NULL THEN format('TRIGGER %I ON %s', t.tgname, t.tgrelid::regclass)
            WHEN i.indrelid IS NOT NULL THEN 'INDEX ' || d.objid::regclass WHEN c.oid IS NOT NULL THEN 'MATERIALIZED VIEW ' || d.objid::regclass
            ELSE 'ROUTINE ' || d.objid::regprocedure END, e.extname)
    FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
        LEFT JOIN pg_catalog.pg_trigger t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
        LEFT JOIN pg_catalog.pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
        LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
    WHERE d.deptype = 'x' AND d.refclassid = 'pg_extension'::regclass
)
SELECT classid, objid, position, key, value FROM facts WHERE objid >= 16384 AND value IS NOT NULL
