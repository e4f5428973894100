--: name: constraint-may-fail
--: severity: warning
--: evidence: catalog
--: title: Existing rows may break the new constraint
--: effect: The first row that does ends the migration (23514, 23503 or 23P01).
--: advice: Add it NOT VALID, put the rows right, then VALIDATE it.
--: documentation: sql-altertable.html#SQL-ALTERTABLE-DESC-VALIDATE-CONSTRAINT

--# bad, L202
ALTER TABLE orders ADD CONSTRAINT orders_amount_check CHECK (amount >= 0);

--# good
ALTER TABLE orders ADD CONSTRAINT orders_amount_check CHECK (amount >= 0) NOT VALID;

--# look-alike: the column is new
ALTER TABLE orders ADD COLUMN pieces int DEFAULT 1 CHECK (pieces > 0);

--# look-alike: the table is new
CREATE TABLE refunds (id bigint PRIMARY KEY, amount int CHECK (amount > 0));

--# look-alike, traced: it held until now, and only what happens to the rows of a parent that goes is another
ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey;
ALTER TABLE orders ADD CONSTRAINT orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE;

--# bad, traced, L201, L406, L410: rows are written in between
ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey;
UPDATE orders SET customer_id = customer_id + 1000 WHERE id < 1;
ALTER TABLE orders ADD CONSTRAINT orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (id);
