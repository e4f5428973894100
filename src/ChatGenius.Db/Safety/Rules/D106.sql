--: name: whole-table-delete
--: severity: error
--: evidence: traced
--: title: All rows of a table are deleted
--: effect: The rows are gone when the migration commits, those too that ON DELETE CASCADE takes along.
--: advice: Say which rows have to go, and delete them in batches.
--: documentation: sql-delete.html

--# bad
DELETE FROM orders;

--# bad, traced: a condition that all rows meet
DELETE FROM orders WHERE id > 0;

--# bad, traced: inside a query
WITH gone AS (DELETE FROM orders RETURNING id) SELECT count(*) FROM gone;

--# good
DELETE FROM orders WHERE placed_at < '2000-01-01';

--# look-alike: a few rows
DELETE FROM orders WHERE id <= 10;

--# look-alike: the table is new
CREATE TABLE staging (id bigint PRIMARY KEY);
INSERT INTO staging SELECT n FROM generate_series(1, 500) n;
DELETE FROM staging;
