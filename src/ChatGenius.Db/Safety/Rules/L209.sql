--: name: type-change-recheck
--: severity: error
--: evidence: traced
--: title: A type or collation change checks rows or rebuilds an index, though the table is not rewritten
--: effect: The rows can stay as they are, but an index on the column is built again, or a CHECK or foreign key is tested again, all under ACCESS EXCLUSIVE.
--: advice: Drop the constraint or index before, change the type, and bring it back NOT VALID or CONCURRENTLY.
--: documentation: sql-altertable.html#SQL-ALTERTABLE-DESC-SET-DATA-TYPE

--# bad, traced
ALTER TABLE orders ALTER COLUMN status TYPE varchar(20) COLLATE "C";

--# bad, traced: a CHECK on the column is tested again
ALTER TABLE orders ADD CONSTRAINT orders_status_check CHECK (status <> '') NOT VALID;
--# next
ALTER TABLE orders VALIDATE CONSTRAINT orders_status_check;
--# next
ALTER TABLE orders ALTER COLUMN status TYPE varchar(40);

--# good
-- migrate:up transaction:false
DROP INDEX CONCURRENTLY IF EXISTS orders_status_idx;
--# next
ALTER TABLE orders ALTER COLUMN status TYPE varchar(20) COLLATE "C";

--# look-alike: longer, and the index is reused
ALTER TABLE orders ALTER COLUMN status TYPE varchar(40);

--# look-alike: no index, no CHECK
ALTER TABLE customers ALTER COLUMN name TYPE varchar;
