--: name: foreign-key-removed
--: severity: warning
--: evidence: catalog
--: title: A foreign key is gone, or no longer enforced
--: effect: Rows that refer to nothing can come in, and ON DELETE actions no longer happen.
--: advice: Keep it until what replaces it is there.
--: documentation: ddl-constraints.html#DDL-CONSTRAINTS-FK

--# bad
ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey;

--# good
ALTER TABLE orders ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE NOT VALID;
ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey;

--# look-alike: the column goes with it
ALTER TABLE orders DROP COLUMN customer_id;

--# look-alike: the table goes with it
DROP TABLE orders;

--# bad, traced, from 18: it is there, and holds nobody to it
ALTER TABLE orders ALTER CONSTRAINT orders_customer_id_fkey NOT ENFORCED;
