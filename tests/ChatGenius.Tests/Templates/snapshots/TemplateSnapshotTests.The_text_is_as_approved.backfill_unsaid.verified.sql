-- ==== 0006_backfill_title_in_users.sql
-- migrate:up batch:users key:id

-- todo: put what the rows get in the place of NULL below, and take out these lines
DO $$
BEGIN
    IF EXISTS (SELECT FROM users) THEN
        RAISE EXCEPTION 'This migration does not say yet what the rows of users get: edit it';
    END IF;
END
$$;

-- Each batch commits by itself, so locks are short; after an interruption the next run goes on after the last one.
UPDATE users
SET title = NULL
WHERE id BETWEEN :batch_first AND :batch_last
    AND title IS NULL;

-- migrate:down

-- Nothing to undo: which values were filled in can't be told, and they do no harm.
SELECT 1;
