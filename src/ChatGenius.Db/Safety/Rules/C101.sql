--# bad
ALTER TABLE orders RENAME TO purchases;

--# good, traced
ALTER TABLE orders RENAME TO purchases;
CREATE VIEW orders AS SELECT * FROM purchases;

--# look-alike: an index is renamed
ALTER INDEX orders_status_idx RENAME TO orders_by_status_idx;

--# look-alike: the table is new
CREATE TABLE staging (id bigint PRIMARY KEY);
ALTER TABLE staging RENAME TO refunds;
