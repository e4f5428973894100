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
-- migrate:up transaction:false repeatable:true

-- Each batch commits by itself, so locks are short and a second run goes on where the first one stopped.
DO $$
DECLARE
    batch_start channels.id%TYPE := (SELECT id FROM channels ORDER BY id LIMIT 1);
    batch_end channels.id%TYPE;
BEGIN
    WHILE batch_start IS NOT NULL LOOP
        batch_end := (
            SELECT batch.id
            FROM (SELECT id FROM channels WHERE id >= batch_start ORDER BY id LIMIT 5000) AS batch
            ORDER BY batch.id DESC
            LIMIT 1);

        UPDATE channels
        SET sort_key = random()
        WHERE id BETWEEN batch_start AND batch_end
            AND sort_key IS NULL;
        COMMIT;

        batch_start := (SELECT id FROM channels WHERE id > batch_end ORDER BY id LIMIT 1);
    END LOOP;
END
$$;

-- migrate:down

-- Nothing to undo: which values were filled in can't be told, and they do no harm.
SELECT 1;
