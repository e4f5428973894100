--: name: many-tables-locked
--: severity: warning
--: evidence: traced
--: title: One transaction locks several tables that have nothing to do with each other
--: effect: The first lock is held while the transaction waits for the second, and an application that takes the two in the other order deadlocks with it. Where nothing in the transaction takes its time it is only noted.
--: advice: One migration a table.
--: documentation: explicit-locking.html#LOCKING-DEADLOCKS

--# bad
ALTER TABLE orders ADD COLUMN pieces int;
ALTER TABLE customers ADD COLUMN phone text;

--# good
ALTER TABLE orders ADD COLUMN pieces int;
--# next
ALTER TABLE customers ADD COLUMN phone text;

--# look-alike: a new table refers to both
CREATE TABLE gifts (id bigint PRIMARY KEY, order_id bigint REFERENCES orders (id), customer_id bigint REFERENCES customers (id));

--# look-alike: partitions are one table
ALTER TABLE readings ADD COLUMN unit text;

--# look-alike: each statement is a transaction of its own
-- migrate:up transaction:false
ALTER TABLE orders ADD COLUMN IF NOT EXISTS pieces int;
ALTER TABLE customers ADD COLUMN IF NOT EXISTS phone text;

--# bad, traced: one block of code
DO $$ BEGIN ALTER TABLE orders ADD COLUMN pieces int; ALTER TABLE customers ADD COLUMN phone text; END $$;

--# look-alike: a block of code for one table
DO $$ BEGIN ALTER TABLE orders ADD COLUMN pieces int; ALTER TABLE orders ADD COLUMN colour text; END $$;
