--: name: foreign-key-scan
--: severity: error
--: evidence: traced
--: title: A foreign key is checked for all rows while both tables wait
--: effect: ADD FOREIGN KEY holds SHARE ROW EXCLUSIVE on both tables while every row is looked up: INSERT, UPDATE and DELETE wait on both.
--: advice: Add it NOT VALID, which takes a moment, and VALIDATE it in the next migration, which lets others write.
--: documentation: sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-TABLE-CONSTRAINT

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

--# bad, traced, F103: another one under the same name, in one statement
ALTER TABLE orders ADD CONSTRAINT orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (id) NOT VALID;
--# next
ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey,
    ADD CONSTRAINT orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE;

--# bad, traced, F103: the same one again, in one statement
ALTER TABLE orders ADD CONSTRAINT orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (id) NOT VALID;
--# next
ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey,
    ADD CONSTRAINT orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (id);

--# bad, traced, S101: its column is new, and the table is read all the same
ALTER TABLE orders ADD COLUMN referrer_id bigint, ADD CONSTRAINT orders_referrer_id_fkey FOREIGN KEY (referrer_id) REFERENCES customers (id);

--# look-alike: it is replaced by one that is NOT VALID
ALTER TABLE orders ADD CONSTRAINT orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (id) NOT VALID;
--# next
ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey,
    ADD CONSTRAINT orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE NOT VALID;
