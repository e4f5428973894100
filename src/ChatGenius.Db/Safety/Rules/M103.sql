--# bad
-- migrate:up transaction:false
CREATE TABLE refunds (id bigint PRIMARY KEY);
CREATE TABLE vouchers (id bigint PRIMARY KEY);

--# good
-- migrate:up transaction:false
CREATE TABLE IF NOT EXISTS refunds (id bigint PRIMARY KEY);
CREATE TABLE IF NOT EXISTS vouchers (id bigint PRIMARY KEY);

--# look-alike: one statement
-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY orders_placed_at_idx ON orders (placed_at);

--# look-alike: a transaction undoes all
CREATE TABLE refunds (id bigint PRIMARY KEY);
CREATE TABLE vouchers (id bigint PRIMARY KEY);

--# look-alike: what is in the way is dropped first
-- migrate:up transaction:false
DROP INDEX CONCURRENTLY IF EXISTS orders_placed_at_idx;
CREATE INDEX CONCURRENTLY orders_placed_at_idx ON orders (placed_at);
