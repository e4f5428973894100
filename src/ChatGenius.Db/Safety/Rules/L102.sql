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
