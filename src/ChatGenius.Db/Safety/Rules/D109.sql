--: name: set-unlogged
--: severity: error
--: evidence: catalog
--: title: A table becomes unlogged
--: effect: An unlogged table is empty after a crash, and always empty on replicas.
--: advice: Leave it logged. For a bulk load, synchronous_commit = off is safe.
--: documentation: sql-createtable.html#SQL-CREATETABLE-UNLOGGED

--# bad, L306
ALTER TABLE orders SET UNLOGGED;

--# good
SET LOCAL synchronous_commit = off;
INSERT INTO orders (customer_id, amount) SELECT 1, n FROM generate_series(1, 10) n;

--# look-alike: the table is new
CREATE UNLOGGED TABLE staging (id bigint PRIMARY KEY);

--# look-alike: it is logged already
ALTER TABLE orders SET (autovacuum_enabled = false);
