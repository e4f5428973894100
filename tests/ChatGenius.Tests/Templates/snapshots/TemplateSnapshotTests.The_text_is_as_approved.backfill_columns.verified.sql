-- ==== 0006_backfill_status_and_time_zone_in_users.sql
-- migrate:up batch:users key:id

-- Each batch commits by itself, so locks are short; after an interruption the next run goes on after the last one.
UPDATE users
SET status = COALESCE(status, 'offline'), time_zone = COALESCE(time_zone, 'UTC')
WHERE id BETWEEN :batch_first AND :batch_last
    AND (status IS NULL OR time_zone IS NULL);

-- migrate:down

-- Nothing to undo: which values were filled in can't be told, and they do no harm.
SELECT 1;
