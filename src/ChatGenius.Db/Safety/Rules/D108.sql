--# bad, L305, traced
ALTER TABLE orders ALTER COLUMN customer_id TYPE integer;

--# bad, L305, traced: shorter
ALTER TABLE orders ALTER COLUMN status TYPE varchar(8);

--# bad, L305, traced: smaller scale
ALTER TABLE orders ALTER COLUMN amount TYPE numeric(10, 0);

--# good
ALTER TABLE orders ADD COLUMN customer_number integer;

--# look-alike: longer
ALTER TABLE orders ALTER COLUMN status TYPE varchar(40);

--# look-alike: the unconstrained form holds more
ALTER TABLE orders ALTER COLUMN amount TYPE numeric;
