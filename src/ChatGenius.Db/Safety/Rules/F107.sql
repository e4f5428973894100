--: name: transaction-control
--: severity: error
--: evidence: text
--: refused: CG0318
--: title: BEGIN, COMMIT or ROLLBACK in a migration that is a transaction already
--: effect: COMMIT ends the migration's transaction in the middle: what follows is no longer undone when it fails.
--: advice: Remove it; for transactions of your own, say transaction:false.
--: documentation: sql-commit.html

--# bad
BEGIN;
ALTER TABLE orders ADD COLUMN pieces int;
COMMIT;

--# good
ALTER TABLE orders ADD COLUMN pieces int;

--# look-alike: a file without a transaction has its own
-- migrate:up transaction:false
BEGIN;
ALTER TABLE orders ADD COLUMN IF NOT EXISTS pieces int;
COMMIT;

--# look-alike: BEGIN of a block of code
DO $$ BEGIN PERFORM 1; END $$;

--# look-alike: a savepoint stays inside
SAVEPOINT before_it;
ROLLBACK TO SAVEPOINT before_it;
