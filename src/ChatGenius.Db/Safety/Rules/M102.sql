--: name: down-does-not-restore
--: severity: warning
--: evidence: catalog
--: title: Down does not give back what was there
--: effect: After up and down the schema is another one than before, or rows and values are gone that were there before.
--: advice: Complete the down section; where data can't come back, say irreversible:true.
--: documentation: ddl.html

--# given
ALTER TABLE customers ADD COLUMN phone text;
ALTER TABLE customers ADD COLUMN fax text;

--# bad, traced
-- migrate:up
CREATE TABLE refunds (id bigint PRIMARY KEY);
CREATE TABLE vouchers (id bigint PRIMARY KEY);
-- migrate:down
DROP TABLE refunds;

--# bad, traced, D102: the column comes back empty
-- migrate:up
ALTER TABLE customers DROP COLUMN email;
-- migrate:down
ALTER TABLE customers ADD COLUMN email text NOT NULL DEFAULT '';
ALTER TABLE customers ALTER COLUMN email DROP DEFAULT;

--# bad, traced: down takes rows that up did not bring
-- migrate:up
INSERT INTO orders (customer_id, amount) VALUES (1, 0.5);
-- migrate:down
DELETE FROM orders WHERE customer_id = 1;

--# good
-- migrate:up
CREATE TABLE refunds (id bigint PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders (id));
CREATE INDEX refunds_order_id_idx ON refunds (order_id);
-- migrate:down
DROP TABLE refunds;

--# look-alike: nothing to restore
-- migrate:up
COMMENT ON TABLE orders IS 'what customers bought';
-- migrate:down
COMMENT ON TABLE orders IS NULL;

--# look-alike: it takes back just the rows that it brought
-- migrate:up
INSERT INTO customers VALUES (5000, 'house', 'house@example.org');
-- migrate:down
DELETE FROM customers WHERE id = 5000;

--# look-alike: a column comes back behind the others, and it held nothing
-- migrate:up
ALTER TABLE customers DROP COLUMN phone;
-- migrate:down
ALTER TABLE customers ADD COLUMN phone text;
