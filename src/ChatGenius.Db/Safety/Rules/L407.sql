--# bad, traced
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
