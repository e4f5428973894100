--: name: lossy-type-change
--: severity: error
--: evidence: catalog
--: title: A type change can cut values off
--: effect: The new type holds less than the old one: values are rounded or cut, or the migration fails on the first that does not fit.
--: advice: Keep the old column until the new one is known to hold everything.
--: documentation: sql-altertable.html#SQL-ALTERTABLE-DESC-SET-DATA-TYPE

--# bad, L305
ALTER TABLE orders ALTER COLUMN customer_id TYPE integer;

--# bad, L305: shorter
ALTER TABLE orders ALTER COLUMN status TYPE varchar(8);

--# bad, L305: smaller scale
ALTER TABLE orders ALTER COLUMN amount TYPE numeric(10, 0);

--# good
ALTER TABLE orders ADD COLUMN customer_number integer;

--# look-alike, traced: longer
ALTER TABLE orders ALTER COLUMN status TYPE varchar(40);

--# look-alike: the unconstrained form holds more
ALTER TABLE orders ALTER COLUMN amount TYPE numeric;
