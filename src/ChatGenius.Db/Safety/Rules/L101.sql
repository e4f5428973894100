--: name: index-blocks-writes
--: severity: error
--: evidence: traced
--: title: An index is built while writes to its table wait
--: effect: CREATE INDEX holds SHARE on the table for the whole build: INSERT, UPDATE and DELETE wait until the migration commits, and then for each other.
--: advice: Build it CONCURRENTLY, in a file of its own with transaction:false.
--: documentation: sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY

--# bad
CREATE INDEX orders_placed_at_idx ON orders (placed_at);

--# bad, traced: a block of code builds it
DO $$ BEGIN EXECUTE 'CREATE INDEX orders_placed_at_idx ON orders (placed_at)'; END $$;

--# good
-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY orders_placed_at_idx ON orders (placed_at);

--# look-alike: the table is new
CREATE TABLE refunds (id bigint PRIMARY KEY, order_id bigint NOT NULL);
CREATE INDEX refunds_order_id_idx ON refunds (order_id);

--# look-alike: a longer varchar keeps the index's file, though the server takes SHARE on the way
ALTER TABLE orders ALTER COLUMN status TYPE varchar(40);

--# look-alike: a rewrite builds all indexes again, and is a hazard of another name
ALTER TABLE orders ALTER COLUMN customer_id TYPE integer;

--# look-alike: ON ONLY a partitioned table builds nothing
CREATE INDEX readings_value_idx ON ONLY readings (value);
