--: name: storage-rewrite
--: severity: error
--: evidence: traced
--: title: Another storage rewrites the table
--: effect: SET LOGGED, SET UNLOGGED, SET TABLESPACE and SET ACCESS METHOD (PostgreSQL 15) copy the whole table under ACCESS EXCLUSIVE.
--: advice: Copy to a new table in batches and swap the two, or do it in a maintenance window.
--: documentation: sql-altertable.html#SQL-ALTERTABLE-DESC-SET-LOGGED-UNLOGGED

--# bad, D109
ALTER TABLE orders SET UNLOGGED;

--# good
CREATE TABLE orders_fast (LIKE orders INCLUDING ALL);

--# look-alike: it is logged already
DO $$ BEGIN EXECUTE 'ALTER TABLE orders SET LOGGED'; END $$;

--# look-alike: the table is new
CREATE UNLOGGED TABLE staging (id bigint PRIMARY KEY);
ALTER TABLE staging SET LOGGED;
