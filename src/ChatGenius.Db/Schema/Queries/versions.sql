-- Versions of extensions and collations: a server's packages decide them, so that they are compared on demand only.
SELECT 'pg_extension'::regclass::oid AS classid, oid AS objid, 20 AS position, 'version' AS key, extversion AS value
FROM pg_catalog.pg_extension
UNION ALL
SELECT 'pg_collation'::regclass, oid, 20, 'version', collversion FROM pg_catalog.pg_collation WHERE oid >= 16384 AND collversion IS NOT NULL
