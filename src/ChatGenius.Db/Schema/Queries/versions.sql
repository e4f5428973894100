-- Versions of extensions: a server's package decides them, so that they are compared on demand only.
SELECT 'pg_extension'::regclass::oid AS classid, oid AS objid, 20 AS position, 'version' AS key, extversion AS value, NULL::text[] AS parts
FROM pg_extension
