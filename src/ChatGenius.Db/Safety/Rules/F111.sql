--# bad, traced
ALTER TABLE orders DROP COLUMN nothing_of_the_kind;

--# bad, traced: a view depends on the column
CREATE VIEW open_orders AS SELECT id, status FROM orders;
--# next
ALTER TABLE orders ALTER COLUMN status TYPE text;

--# good
ALTER TABLE orders DROP COLUMN IF EXISTS nothing_of_the_kind;

--# look-alike: an error that the migration catches
DO $$ BEGIN EXECUTE 'SELECT nothing'; EXCEPTION WHEN OTHERS THEN NULL; END $$;

--# look-alike: what reaches beyond the throw-away database is not tried there
-- migrate:up transaction:false
ALTER SYSTEM SET work_mem = '8MB';
