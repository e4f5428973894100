--: name: drop-table
--: severity: error
--: evidence: catalog
--: title: A table is dropped with its rows
--: effect: The rows are gone when the migration commits, and code that still uses the table fails.
--: advice: Stop using the table first; rename it or revoke its rights for a release; drop it when nobody has missed it. -- cgdb:unused-since 7d above the drop holds it back while it is used.
--: documentation: sql-droptable.html

--# bad
DROP TABLE orders;

--# good
ALTER TABLE orders ADD COLUMN unused boolean;

--# look-alike: the table was made in this migration
CREATE TABLE staging (id bigint PRIMARY KEY);
DROP TABLE staging;

--# look-alike, traced: there is no such table
DROP TABLE IF EXISTS nothing_of_the_kind;

--# look-alike: a temporary table
CREATE TEMPORARY TABLE scratch (id int);
DROP TABLE scratch;
