-- ==== 0006_rename_content_to_body_in_messages.sql
-- Step 1 of 3: both columns are there and a trigger keeps them in step, so that old and new code work side by side.
-- Step 2, in the next file, fills the rows that are there. Then deploy code that uses body only.
-- Step 3, when no code uses content any more, in a migration of its own:
--     DROP TRIGGER messages_body_sync ON messages;
--     DROP FUNCTION messages_body_sync();
--     ALTER TABLE messages DROP COLUMN content;
-- Indexes, constraints and the default of content are not carried over: give body its own before step 3.

-- migrate:up

ALTER TABLE messages ADD COLUMN body TEXT;

CREATE OR REPLACE FUNCTION messages_body_sync() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    -- At an insert OLD is null, so the column that was given wins.
    IF NEW.body IS DISTINCT FROM OLD.body THEN
        NEW.content := NEW.body;
    ELSE
        NEW.body := NEW.content;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER messages_body_sync
    BEFORE INSERT OR UPDATE ON messages
    FOR EACH ROW EXECUTE FUNCTION messages_body_sync();

-- migrate:down

DROP TRIGGER IF EXISTS messages_body_sync ON messages;

DROP FUNCTION IF EXISTS messages_body_sync();

ALTER TABLE messages DROP COLUMN IF EXISTS body;

-- ==== 0007_backfill_body_in_messages.sql
-- migrate:up transaction:false repeatable:true

-- Each batch commits by itself, so locks are short and a second run goes on where the first one stopped.
DO $$
DECLARE
    batch_start messages.id%TYPE := (SELECT id FROM messages ORDER BY id LIMIT 1);
    batch_end messages.id%TYPE;
BEGIN
    WHILE batch_start IS NOT NULL LOOP
        batch_end := (
            SELECT batch.id
            FROM (SELECT id FROM messages WHERE id >= batch_start ORDER BY id LIMIT 5000) AS batch
            ORDER BY batch.id DESC
            LIMIT 1);

        UPDATE messages
        SET body = content
        WHERE id BETWEEN batch_start AND batch_end
            AND (body IS DISTINCT FROM content);
        COMMIT;

        batch_start := (SELECT id FROM messages WHERE id > batch_end ORDER BY id LIMIT 1);
    END LOOP;
END
$$;

-- migrate:down

-- Nothing to undo: which values were filled in can't be told, and they do no harm.
SELECT 1;
