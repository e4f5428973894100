--: name: work-under-exclusive-lock
--: severity: error
--: evidence: traced
--: title: Slow work is done while a table stays locked out
--: effect: A lock is held until the transaction ends. What an earlier statement took in a moment now lasts as long as this one's scan, build or rewrite.
--: advice: Do the slow work first, or in a migration of its own.
--: documentation: explicit-locking.html#LOCKING-TABLES

--# bad, traced, S105
ALTER TABLE orders ADD COLUMN pieces int;
CREATE TABLE archive AS SELECT * FROM customers;

--# bad, traced, S105, L410: the locked table itself
ALTER TABLE orders ADD COLUMN pieces int;
CREATE TABLE archive AS SELECT * FROM orders;

--# good
ALTER TABLE orders ADD COLUMN pieces int;
--# next
-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY customers_name_idx ON customers (name);

--# look-alike: the new index is locked out, its table is not
CREATE INDEX orders_placed_at_idx ON orders (placed_at);
CREATE INDEX customers_name_idx ON customers (name);

--# look-alike: nothing is read
ALTER TABLE orders ADD COLUMN pieces int;
ALTER TABLE orders ADD COLUMN colour text DEFAULT 'green';

--# look-alike: a handful of rows by key is no scan
ALTER TABLE orders ADD COLUMN pieces int;
INSERT INTO customers VALUES (1000, 'new', 'new@example.org');

--# look-alike, traced: the hazard that the work is tells of the lock too
ALTER TABLE orders ADD COLUMN pieces int;
CREATE INDEX customers_name_idx ON customers (name);

--# look-alike: a required column reads no further than to the first row, where it fails
CREATE TABLE leftovers (id bigint PRIMARY KEY);
--# next
ALTER TABLE orders ADD COLUMN pieces int;
ALTER TABLE leftovers ADD COLUMN kind text NOT NULL;
