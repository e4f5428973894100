--: name: column-type-changed
--: severity: info
--: evidence: catalog
--: title: A column's type changes for its readers
--: effect: Code that is running now reads and binds the old type: drivers give another class, JSON another form, and prepared statements fail once.
--: advice: Deploy code that takes both types first.
--: documentation: sql-altertable.html#SQL-ALTERTABLE-DESC-SET-DATA-TYPE

--# bad, traced, L305
ALTER TABLE orders ALTER COLUMN amount TYPE text;

--# bad, traced: nothing is rewritten under UTC, and clients get another type all the same
CREATE TABLE visits (id bigint PRIMARY KEY, at timestamp);
--# next
SET LOCAL timezone = 'UTC';
ALTER TABLE visits ALTER COLUMN at TYPE timestamptz;

--# good
ALTER TABLE orders ADD COLUMN customer_number numeric;

--# look-alike: varchar and text are the same to clients
ALTER TABLE orders ALTER COLUMN status TYPE text;

--# look-alike: more digits are the same type
ALTER TABLE orders ALTER COLUMN amount TYPE numeric(12, 2);

--# look-alike: the column is new
ALTER TABLE orders ADD COLUMN pieces int;
ALTER TABLE orders ALTER COLUMN pieces TYPE bigint;
