-- ==== 0006_backfill_title_in_users.sql
-- migrate:up transaction:false repeatable:true

-- Each batch commits by itself, so locks are short and a second run goes on where the first one stopped.
DO $$
DECLARE
    batch_start users.id%TYPE := (SELECT id FROM users ORDER BY id LIMIT 1);
    batch_end users.id%TYPE;
BEGIN
    -- todo: put what the rows get in the place of NULL below, and take out these lines
    IF batch_start IS NOT NULL THEN
        RAISE EXCEPTION 'This migration does not say yet what the rows of users get: edit it';
    END IF;

    WHILE batch_start IS NOT NULL LOOP
        batch_end := (
            SELECT batch.id
            FROM (SELECT id FROM users WHERE id >= batch_start ORDER BY id LIMIT 5000) AS batch
            ORDER BY batch.id DESC
            LIMIT 1);

        UPDATE users
        SET title = NULL
        WHERE id BETWEEN batch_start AND batch_end
            AND title IS NULL;
        COMMIT;

        batch_start := (SELECT id FROM users WHERE id > batch_end ORDER BY id LIMIT 1);
    END LOOP;
END
$$;

-- migrate:down

-- Nothing to undo: which values were filled in can't be told, and they do no harm.
SELECT 1;
