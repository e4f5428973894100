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

--# bad, traced, from 18, F103: it is made to hold for all rows
ALTER TABLE orders ADD CONSTRAINT orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (id) NOT ENFORCED;
--# next
ALTER TABLE orders ALTER CONSTRAINT orders_customer_id_fkey ENFORCED;

--# good, from 18: NOT VALID for a partitioned table
CREATE TABLE visits (day date NOT NULL, customer_id bigint NOT NULL, PRIMARY KEY (day, customer_id)) PARTITION BY RANGE (day);
CREATE INDEX visits_customer_id_idx ON visits (customer_id);
--# next
ALTER TABLE visits ADD CONSTRAINT visits_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (id) NOT VALID;
--# next
ALTER TABLE visits VALIDATE CONSTRAINT visits_customer_id_fkey;

--# look-alike, from 18: it is not enforced
ALTER TABLE orders ADD CONSTRAINT orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (id) NOT ENFORCED;
