--: name: check-scan
--: severity: error
--: evidence: traced
--: title: A CHECK constraint is tested for all rows while the table is locked out
--: effect: ADD CONSTRAINT … CHECK reads the whole table under ACCESS EXCLUSIVE, also when it comes with a new column: nothing else can read or write.
--: advice: Add it NOT VALID and VALIDATE it in the next migration: that takes SHARE UPDATE EXCLUSIVE, and reads and writes go on.
--: documentation: sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-TABLE-CONSTRAINT

--# bad, F103
ALTER TABLE orders ADD CONSTRAINT orders_amount_check CHECK (amount >= 0);

--# bad, traced: it comes with a new column
ALTER TABLE orders ADD COLUMN pieces int DEFAULT 1 CHECK (pieces > 0);

--# good
ALTER TABLE orders ADD CONSTRAINT orders_amount_check CHECK (amount >= 0) NOT VALID;
--# next
ALTER TABLE orders VALIDATE CONSTRAINT orders_amount_check;

--# look-alike: the table is new
CREATE TABLE refunds (id bigint PRIMARY KEY, amount numeric(10, 2) CHECK (amount > 0));

--# look-alike: the constraint is renamed
ALTER TABLE orders RENAME CONSTRAINT orders_customer_id_fkey TO orders_customer_fkey;

--# look-alike, from 18: it is not enforced
ALTER TABLE orders ADD CONSTRAINT orders_amount_check CHECK (amount >= 0) NOT ENFORCED;

--# bad, traced, F103: a stricter one under the same name, in one statement
ALTER TABLE orders ADD CONSTRAINT orders_amount_range CHECK (amount >= 0) NOT VALID;
--# next
ALTER TABLE orders DROP CONSTRAINT orders_amount_range, ADD CONSTRAINT orders_amount_range CHECK (amount > 0);

--# look-alike, traced: a type change makes it again, which is another hazard
ALTER TABLE orders ADD CONSTRAINT orders_status_known CHECK (status <> 'lost') NOT VALID;
--# next
ALTER TABLE orders VALIDATE CONSTRAINT orders_status_known;
--# next
ALTER TABLE orders ALTER COLUMN status TYPE varchar(40);
