--: name: drop-index-blocks
--: severity: warning
--: evidence: traced
--: title: An index is dropped under a lock that also stops reads
--: effect: DROP INDEX takes ACCESS EXCLUSIVE on the table until commit. It is quick once it has the lock, but while it waits for one long query, every later query waits behind it.
--: advice: Drop it CONCURRENTLY, in a file of its own with transaction:false.
--: documentation: sql-dropindex.html

--# bad
DROP INDEX orders_status_idx;

--# good
-- migrate:up transaction:false
DROP INDEX CONCURRENTLY orders_status_idx;

--# look-alike: the index was made in this migration
CREATE TABLE refunds (id bigint PRIMARY KEY, order_id bigint NOT NULL);
CREATE INDEX refunds_order_id_idx ON refunds (order_id);
DROP TABLE refunds;

--# look-alike: the table goes too
DROP TABLE orders;

--# look-alike, traced: there is no such index
DO $$ BEGIN DROP INDEX IF EXISTS orders_nothing_idx; END $$;

--# look-alike, traced: the table is locked out already
ALTER TABLE orders ADD COLUMN pieces int;
DROP INDEX orders_status_idx;
