-- ==== 0006_add_sort_key_to_channels.sql
-- migrate:up

-- Step 1: rows that are there have no value until the next file is applied.
ALTER TABLE channels
    ADD COLUMN sort_key DOUBLE PRECISION;

-- From now on new rows get it. With the column itself it would be a value for each row that is there: a rewrite under an exclusive lock.
ALTER TABLE channels ALTER COLUMN sort_key SET DEFAULT random();

-- migrate:down

ALTER TABLE channels
    DROP COLUMN IF EXISTS sort_key;

-- ==== 0007_backfill_sort_key_in_channels.sql
-- migrate:up batch:channels key:id

-- Each batch commits by itself, so locks are short; after an interruption the next run goes on after the last one.
UPDATE channels
SET sort_key = random()
WHERE id BETWEEN :batch_first AND :batch_last
    AND sort_key IS NULL;

-- migrate:down

-- Nothing to undo: which values were filled in can't be told, and they do no harm.
SELECT 1;
