-- ==== 0006_backfill_display_name_in_users.sql
-- migrate:up batch:users key:id

-- Each batch commits by itself, so locks are short; after an interruption the next run goes on after the last one.
UPDATE users
SET display_name = name
WHERE id BETWEEN :batch_first AND :batch_last
    AND display_name IS NULL;

-- migrate:down

-- Nothing to undo: which values were filled in can't be told, and they do no harm.
SELECT 1;
