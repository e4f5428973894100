--: name: kept-under-lock
--: severity: warning
--: evidence: traced
--: title: All values of a table are kept while its writers wait
--: effect: With keep:true the table is locked (SHARE ROW EXCLUSIVE) from before its rows are copied until the commit: a pass over the whole table, and a row of the history for each of its rows.
--: advice: Overwrite the values in batches with keep:true first, so that each slice keeps its own; or take a backup instead.
--: documentation: explicit-locking.html#LOCKING-TABLES

--# bad, traced, D102: a column that all rows have
-- migrate:up keep:true
ALTER TABLE orders DROP COLUMN note;

--# good
-- migrate:up batch:orders keep:true
UPDATE orders SET note = NULL WHERE id BETWEEN :batch_first AND :batch_last;

--# look-alike, traced: nothing is kept
COMMENT ON COLUMN orders.note IS 'not read';

--# look-alike: only the rows that it deletes
-- migrate:up keep:true
DELETE FROM orders WHERE id = 1;
