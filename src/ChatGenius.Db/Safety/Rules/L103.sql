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
