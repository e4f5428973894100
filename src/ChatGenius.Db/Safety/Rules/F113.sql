--: name: if-not-exists-passes-over
--: severity: warning
--: evidence: catalog
--: title: IF NOT EXISTS passes over what is there
--: effect: The migration counts as applied, and the database has what was there before, not what the file says. Two migrations then own one object: the down of either drops it.
--: advice: Take the statement out, or give the new object a name of its own. Where what is there is what it would make, say so with an allow.
--: documentation: sql-createtable.html

--# bad, traced: another table of that name
CREATE TABLE IF NOT EXISTS orders (id bigint);

--# bad, traced: another type
ALTER TABLE orders ADD COLUMN IF NOT EXISTS status integer;

--# bad, traced: the same index
CREATE INDEX IF NOT EXISTS orders_status_idx ON orders (status);

--# bad, traced: another index, built concurrently
-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_status_idx ON orders (customer_id);

--# good
CREATE TABLE IF NOT EXISTS refunds (id bigint PRIMARY KEY);

--# look-alike: the name is there in another schema
CREATE SCHEMA apart;
CREATE TABLE IF NOT EXISTS apart.orders (id bigint PRIMARY KEY);

--# look-alike: what is dropped may be missing
DROP TABLE IF EXISTS nothing_of_the_kind;

--# look-alike: room was made for it
DROP INDEX IF EXISTS orders_status_idx;
CREATE INDEX IF NOT EXISTS orders_status_idx ON orders (status);
