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
