--# bad, D109
ALTER TABLE orders SET UNLOGGED;

--# good
CREATE TABLE orders_fast (LIKE orders INCLUDING ALL);

--# look-alike: it is logged already
DO $$ BEGIN EXECUTE 'ALTER TABLE orders SET LOGGED'; END $$;

--# look-alike: the table is new
CREATE UNLOGGED TABLE staging (id bigint PRIMARY KEY);
ALTER TABLE staging SET LOGGED;
