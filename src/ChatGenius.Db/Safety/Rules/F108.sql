--: name: hides-invalid-index
--: severity: info
--: evidence: traced
--: title: IF NOT EXISTS passes over an invalid index of the name
--: effect: An index that a failed build left behind counts as existing for psql and other tools: the migration seems done, and no query can use the index. apply drops it and builds it again.
--: advice: Drop the invalid one first.
--: documentation: sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY

--# given
INSERT INTO customers VALUES (1000, 'twin', 'c1@example.org');

--# bad, traced, S102, F111, F101, F113
-- migrate:up transaction:false
CREATE UNIQUE INDEX CONCURRENTLY customers_email_idx ON customers (email);
--# next
-- migrate:up transaction:false
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS customers_email_idx ON customers (email);

--# good
-- migrate:up transaction:false
DROP INDEX CONCURRENTLY IF EXISTS customers_name_idx;
CREATE INDEX CONCURRENTLY customers_name_idx ON customers (name);

--# look-alike: the index is there and valid
-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_status_idx ON orders (status);

--# look-alike: a table, not an index
CREATE TABLE IF NOT EXISTS orders (id bigint);
