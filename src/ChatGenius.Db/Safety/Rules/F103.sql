--# bad, L202
ALTER TABLE orders ADD CONSTRAINT orders_amount_check CHECK (amount >= 0);

--# good
ALTER TABLE orders ADD CONSTRAINT orders_amount_check CHECK (amount >= 0) NOT VALID;

--# look-alike: the column is new
ALTER TABLE orders ADD COLUMN pieces int DEFAULT 1 CHECK (pieces > 0);

--# look-alike: the table is new
CREATE TABLE refunds (id bigint PRIMARY KEY, amount int CHECK (amount > 0));
