--: name: volatile-default-rewrite
--: severity: error
--: evidence: traced
--: title: A new column with a volatile default rewrites the table
--: effect: Every row needs a value of its own, so table and indexes are rewritten under ACCESS EXCLUSIVE. A constant, immutable or stable default such as now() costs nothing (PostgreSQL 11).
--: advice: Add the column without a default, SET DEFAULT for new rows, and fill the old ones in batches.
--: documentation: sql-altertable.html#SQL-ALTERTABLE-NOTES

--# bad, traced
ALTER TABLE orders ADD COLUMN token uuid DEFAULT gen_random_uuid();

--# good
ALTER TABLE orders ADD COLUMN token uuid;
ALTER TABLE orders ALTER COLUMN token SET DEFAULT gen_random_uuid();

--# look-alike: now() is stable, one value does for all rows
ALTER TABLE orders ADD COLUMN seen_at timestamptz NOT NULL DEFAULT now();

--# look-alike: a constant
ALTER TABLE orders ADD COLUMN pieces int NOT NULL DEFAULT 1;

--# look-alike: an SQL function marked VOLATILE by default, inlined to a constant
CREATE FUNCTION default_colour() RETURNS text LANGUAGE sql AS 'SELECT ''green''';
ALTER TABLE orders ADD COLUMN colour text DEFAULT default_colour();

--# look-alike: the table is new
CREATE TABLE refunds (id bigint PRIMARY KEY);
ALTER TABLE refunds ADD COLUMN token uuid DEFAULT gen_random_uuid();
