--: name: migration-fails
--: severity: error
--: evidence: traced
--: title: The migration fails
--: effect: PostgreSQL refused the statement on the throw-away database, with the schema that it will meet in production. What fails only because that server lacks something is M108, not this.
--: advice: Correct it. The statements after it were judged by their words only.
--: documentation: errcodes-appendix.html

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

--# look-alike: only the server lacks it
GRANT SELECT ON orders TO a_role_that_is_not_there;
