--# bad, traced, L101, L407
ALTER TABLE orders ADD COLUMN pieces int;
CREATE INDEX customers_name_idx ON customers (name);

--# good
ALTER TABLE orders ADD COLUMN pieces int;
--# next
-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY customers_name_idx ON customers (name);

--# look-alike: the new index is locked out, its table is not
CREATE INDEX orders_placed_at_idx ON orders (placed_at);
CREATE INDEX customers_name_idx ON customers (name);

--# look-alike: nothing is read
ALTER TABLE orders ADD COLUMN pieces int;
ALTER TABLE orders ADD COLUMN colour text DEFAULT 'green';

--# look-alike: a handful of rows by key is no scan
ALTER TABLE orders ADD COLUMN pieces int;
INSERT INTO customers VALUES (1000, 'new', 'new@example.org');
