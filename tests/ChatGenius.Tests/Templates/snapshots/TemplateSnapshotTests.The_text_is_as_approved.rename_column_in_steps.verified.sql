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
-- migrate:up batch:messages key:id

-- Each batch commits by itself, so locks are short; after an interruption the next run goes on after the last one.
UPDATE messages
SET body = content
WHERE id BETWEEN :batch_first AND :batch_last
    AND (body IS DISTINCT FROM content);

-- migrate:down

-- Nothing to undo: which values were filled in can't be told, and they do no harm.
SELECT 1;
