--: name: reindex-blocks
--: severity: error
--: evidence: traced
--: title: An index is rebuilt while its table can hardly be used
--: effect: REINDEX holds SHARE on the table and ACCESS EXCLUSIVE on the index. A plain SELECT waits too, because the planner opens every index of a table.
--: advice: REINDEX … CONCURRENTLY (PostgreSQL 12), in a file of its own with transaction:false.
--: documentation: sql-reindex.html#SQL-REINDEX-CONCURRENTLY

--# bad, L101: the index stays, its file is new
REINDEX TABLE orders;

--# bad, traced
REINDEX INDEX orders_status_idx;

--# good
-- migrate:up transaction:false
REINDEX TABLE CONCURRENTLY orders;

--# look-alike: the table gets a new file, its indexes with it
TRUNCATE orders;

--# look-alike: the table is new
CREATE TABLE refunds (id bigint PRIMARY KEY);
DO $$ BEGIN EXECUTE 'REINDEX TABLE refunds'; END $$;
