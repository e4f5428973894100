--: name: rename-table
--: severity: error
--: evidence: catalog
--: title: A table or view is renamed
--: effect: Code that is running now names the old one and fails from the commit on.
--: advice: Leave a view with the old name, until no code uses it.
--: documentation: sql-altertable.html#SQL-ALTERTABLE-DESC-RENAME

--# bad
ALTER TABLE orders RENAME TO purchases;

--# good, traced
ALTER TABLE orders RENAME TO purchases;
CREATE VIEW orders AS SELECT * FROM purchases;

--# bad, traced, S105: an empty table takes the name
ALTER TABLE orders RENAME TO orders_old;
CREATE TABLE orders (LIKE orders_old INCLUDING DEFAULTS);

--# bad, traced: what takes the name has not all columns
ALTER TABLE customers RENAME TO people;
CREATE VIEW customers AS SELECT id, name FROM people;

--# look-alike, traced: a filled copy takes the name
CREATE TABLE customers_new (LIKE customers INCLUDING ALL);
INSERT INTO customers_new SELECT * FROM customers;
ALTER TABLE customers RENAME TO customers_old;
ALTER TABLE customers_new RENAME TO customers;

--# look-alike, traced: the old table becomes a partition of what takes the name
CREATE TABLE all_orders (LIKE orders INCLUDING DEFAULTS) PARTITION BY LIST (status);
ALTER TABLE orders RENAME TO orders_rest;
ALTER TABLE all_orders RENAME TO orders;
ALTER TABLE orders ATTACH PARTITION orders_rest DEFAULT;

--# look-alike: an index is renamed
ALTER INDEX orders_status_idx RENAME TO orders_by_status_idx;

--# look-alike: the table is new
CREATE TABLE staging (id bigint PRIMARY KEY);
ALTER TABLE staging RENAME TO refunds;
