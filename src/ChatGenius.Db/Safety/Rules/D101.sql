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
