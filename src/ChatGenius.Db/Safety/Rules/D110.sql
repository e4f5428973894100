--: name: column-drop-collateral
--: severity: error
--: evidence: catalog
--: title: A dropped column takes along an index or constraint on other columns too
--: effect: An index or unique constraint that has the column among others is dropped without a word: queries get slow, and duplicates come in.
--: advice: Make the index that is needed without the column first.
--: documentation: sql-altertable.html#SQL-ALTERTABLE-DESC-DROP-COLUMN

--# given
CREATE INDEX orders_customer_status_idx ON orders (customer_id, placed_at, note);
DROP INDEX orders_customer_id_idx;

--# bad, traced, D102
ALTER TABLE orders DROP COLUMN note;

--# good, D102
-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_customer_placed_idx ON orders (customer_id, placed_at);
--# next
ALTER TABLE orders DROP COLUMN note;

--# look-alike: only the column itself is indexed
ALTER TABLE orders DROP COLUMN status;

--# look-alike: no index has the column
ALTER TABLE orders DROP COLUMN amount;
