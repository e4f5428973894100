--: name: not-rerunnable
--: severity: info
--: evidence: text
--: title: A statement of several without a transaction can't be run twice
--: effect: When the file fails in the middle, what ran before stays. apply goes on from there; other tools, and people with psql, begin at the top again and stop here.
--: advice: One statement a file, or IF EXISTS and IF NOT EXISTS.
--: documentation: sql-commands.html

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
