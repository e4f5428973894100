--: name: type-change-rewrite
--: severity: error
--: evidence: traced
--: title: A type change rewrites the table
--: effect: The stored form of the values changes, so table and indexes are rewritten under ACCESS EXCLUSIVE. Free are: varchar to a longer one or text, numeric with more precision at the same scale, cidr to inet, timestamp to timestamptz under UTC.
--: advice: Add a new column, write both, fill the old rows in batches, and swap the names.
--: documentation: sql-altertable.html#SQL-ALTERTABLE-NOTES

--# given
CREATE TABLE plans (id int PRIMARY KEY, title varchar(10), price numeric(10, 2), changed timestamp);
INSERT INTO plans SELECT n, 'plan', 1, now() FROM generate_series(1, 50) n;

--# bad, traced
ALTER TABLE plans ALTER COLUMN id TYPE bigint;

--# bad, traced: a block of code does it
DO $$ BEGIN EXECUTE 'ALTER TABLE plans ALTER COLUMN id TYPE bigint'; END $$;

--# good
ALTER TABLE plans ADD COLUMN id_new bigint;

--# look-alike, traced: longer
ALTER TABLE plans ALTER COLUMN title TYPE text;

--# look-alike, traced: more precision at the same scale
ALTER TABLE plans ALTER COLUMN price TYPE numeric(12, 2);

--# look-alike, traced: under UTC both forms are stored alike
SET LOCAL timezone = 'UTC';
ALTER TABLE plans ALTER COLUMN changed TYPE timestamptz;

--# bad, traced: stored alike under UTC only, and the time zone of production is not known
ALTER TABLE plans ALTER COLUMN changed TYPE timestamptz;
