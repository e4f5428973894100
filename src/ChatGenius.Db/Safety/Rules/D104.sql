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
