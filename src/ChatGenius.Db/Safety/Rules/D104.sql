--: name: truncate
--: severity: error
--: evidence: traced
--: title: A table is emptied
--: effect: All rows are gone when the migration commits; TRUNCATE takes ACCESS EXCLUSIVE, fires no DELETE trigger, and is not seen by older snapshots.
--: advice: Delete the rows that have to go, in batches.
--: documentation: sql-truncate.html

--# bad
TRUNCATE orders;

--# bad, traced: a block of code does it
DO $$ BEGIN EXECUTE 'TRUNCATE orders'; END $$;

--# good
DELETE FROM orders WHERE placed_at < '2000-01-01';

--# look-alike: the table was made in this migration
CREATE TABLE staging (id bigint PRIMARY KEY);
INSERT INTO staging VALUES (1);
TRUNCATE staging;

--# look-alike: a function of the name
SELECT date_trunc('day', placed_at) FROM orders LIMIT 1;
