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
