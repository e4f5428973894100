--# given
ALTER TABLE orders ALTER CONSTRAINT orders_customer_id_fkey DEFERRABLE INITIALLY DEFERRED;

--# bad, traced
UPDATE orders SET customer_id = 3 WHERE id = 1;
ALTER TABLE orders ADD COLUMN pieces int;

--# good
UPDATE orders SET customer_id = 3 WHERE id = 1;
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE orders ADD COLUMN pieces int;

--# look-alike: the key did not change
UPDATE orders SET note = '' WHERE id = 1;
ALTER TABLE orders ADD COLUMN pieces int;

--# look-alike: two migrations
UPDATE orders SET customer_id = 3 WHERE id = 1;
--# next
ALTER TABLE orders ADD COLUMN pieces int;
