-- Who owns what, where ownership is to be compared.
SELECT classid, objid, 5 AS position, 'owner' AS key, quote_ident(pg_get_userbyid(owner)) AS value
FROM (
    SELECT 'pg_namespace'::regclass::oid, oid, nspowner FROM pg_catalog.pg_namespace
    UNION ALL SELECT 'pg_class'::regclass, oid, relowner FROM pg_catalog.pg_class WHERE oid >= 16384
    UNION ALL SELECT 'pg_proc'::regclass, oid, proowner FROM pg_catalog.pg_proc WHERE oid >= 16384
    UNION ALL SELECT 'pg_type'::regclass, oid, typowner FROM pg_catalog.pg_type WHERE oid >= 16384
    UNION ALL SELECT 'pg_extension'::regclass, oid, extowner FROM pg_catalog.pg_extension
    UNION ALL SELECT 'pg_collation'::regclass, oid, collowner FROM pg_catalog.pg_collation WHERE oid >= 16384
    UNION ALL SELECT 'pg_conversion'::regclass, oid, conowner FROM pg_catalog.pg_conversion WHERE oid >= 16384
    UNION ALL SELECT 'pg_operator'::regclass, oid, oprowner FROM pg_catalog.pg_operator WHERE oid >= 16384
    UNION ALL SELECT 'pg_opclass'::regclass, oid, opcowner FROM pg_catalog.pg_opclass WHERE oid >= 16384
    UNION ALL SELECT 'pg_opfamily'::regclass, oid, opfowner FROM pg_catalog.pg_opfamily WHERE oid >= 16384
    UNION ALL SELECT 'pg_statistic_ext'::regclass, oid, stxowner FROM pg_catalog.pg_statistic_ext
    UNION ALL SELECT 'pg_ts_config'::regclass, oid, cfgowner FROM pg_catalog.pg_ts_config WHERE oid >= 16384
    UNION ALL SELECT 'pg_ts_dict'::regclass, oid, dictowner FROM pg_catalog.pg_ts_dict WHERE oid >= 16384
    UNION ALL SELECT 'pg_language'::regclass, oid, lanowner FROM pg_catalog.pg_language
    UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid, fdwowner FROM pg_catalog.pg_foreign_data_wrapper
    UNION ALL SELECT 'pg_foreign_server'::regclass, oid, srvowner FROM pg_catalog.pg_foreign_server
    UNION ALL SELECT 'pg_publication'::regclass, oid, pubowner FROM pg_catalog.pg_publication
    UNION ALL SELECT 'pg_subscription'::regclass, oid, subowner FROM pg_catalog.pg_subscription --@ 12..
    UNION ALL SELECT 'pg_event_trigger'::regclass, oid, evtowner FROM pg_catalog.pg_event_trigger
) AS owned (classid, objid, owner)
