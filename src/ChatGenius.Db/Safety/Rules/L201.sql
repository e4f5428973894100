--# given
ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey;

--# bad, F103
ALTER TABLE orders ADD CONSTRAINT orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (id);

--# good
ALTER TABLE orders ADD CONSTRAINT orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (id) NOT VALID;
--# next
ALTER TABLE orders VALIDATE CONSTRAINT orders_customer_id_fkey;

--# look-alike: a new column without a default has nothing to be checked
ALTER TABLE orders ADD COLUMN referrer_id bigint REFERENCES customers (id);

--# look-alike: the referencing table is new
CREATE TABLE refunds (id bigint PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders (id));
