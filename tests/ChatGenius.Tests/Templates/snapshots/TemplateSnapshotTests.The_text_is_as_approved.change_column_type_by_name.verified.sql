-- ==== 0006_change_status_to_varchar_in_users.sql
-- Where PostgreSQL can keep the rows as they are (varchar to text, a longer varchar), one statement does instead:
--     ALTER TABLE users ALTER COLUMN status TYPE VARCHAR;
--
-- Step 1 of 3: a column of the new type, kept in step by a trigger. Step 2, in the next file, fills the rows that are there.
-- Step 3, in a migration of its own, swaps the two; give status_new its indexes, constraints and default before:
--     DROP TRIGGER users_status_new_sync ON users;
--     DROP FUNCTION users_status_new_sync();
--     ALTER TABLE users DROP COLUMN status;
--     ALTER TABLE users RENAME COLUMN status_new TO status;

-- migrate:up

ALTER TABLE users ADD COLUMN status_new VARCHAR;

CREATE OR REPLACE FUNCTION users_status_new_sync() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.status_new := CAST(NEW.status AS VARCHAR);
    RETURN NEW;
END
$$;

CREATE TRIGGER users_status_new_sync
    BEFORE INSERT OR UPDATE ON users
    FOR EACH ROW EXECUTE FUNCTION users_status_new_sync();

-- migrate:down

DROP TRIGGER IF EXISTS users_status_new_sync ON users;

DROP FUNCTION IF EXISTS users_status_new_sync();

ALTER TABLE users DROP COLUMN IF EXISTS status_new;

-- ==== 0007_backfill_status_new_in_users.sql
-- migrate:up batch:users key:id

-- Each batch commits by itself, so locks are short; after an interruption the next run goes on after the last one.
UPDATE users
SET status_new = CAST(status AS VARCHAR)
WHERE id BETWEEN :batch_first AND :batch_last
    AND (status_new IS DISTINCT FROM CAST(status AS VARCHAR));

-- migrate:down

-- Nothing to undo: which values were filled in can't be told, and they do no harm.
SELECT 1;
