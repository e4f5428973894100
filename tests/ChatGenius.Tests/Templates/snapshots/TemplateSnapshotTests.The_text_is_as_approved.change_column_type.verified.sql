-- ==== 0006_change_ai_generated_type_in_messages.sql
-- Where PostgreSQL can keep the rows as they are (varchar to text, a longer varchar), one statement does instead:
--     ALTER TABLE messages ALTER COLUMN ai_generated TYPE TEXT;
--
-- Step 1 of 3: a column of the new type, kept in step by a trigger. Step 2, in the next file, fills the rows that are there.
-- Step 3, in a migration of its own, swaps the two; give ai_generated_new its indexes, constraints and default before:
--     DROP TRIGGER messages_ai_generated_new_sync ON messages;
--     DROP FUNCTION messages_ai_generated_new_sync();
--     ALTER TABLE messages DROP COLUMN ai_generated;
--     ALTER TABLE messages RENAME COLUMN ai_generated_new TO ai_generated;

-- migrate:up

ALTER TABLE messages ADD COLUMN ai_generated_new TEXT;

CREATE OR REPLACE FUNCTION messages_ai_generated_new_sync() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.ai_generated_new := CAST(NEW.ai_generated AS TEXT);
    RETURN NEW;
END
$$;

CREATE TRIGGER messages_ai_generated_new_sync
    BEFORE INSERT OR UPDATE ON messages
    FOR EACH ROW EXECUTE FUNCTION messages_ai_generated_new_sync();

-- migrate:down

DROP TRIGGER IF EXISTS messages_ai_generated_new_sync ON messages;

DROP FUNCTION IF EXISTS messages_ai_generated_new_sync();

ALTER TABLE messages DROP COLUMN IF EXISTS ai_generated_new;

-- ==== 0007_backfill_ai_generated_new_in_messages.sql
-- migrate:up batch:messages key:id

-- Each batch commits by itself, so locks are short; after an interruption the next run goes on after the last one.
UPDATE messages
SET ai_generated_new = CAST(ai_generated AS TEXT)
WHERE id BETWEEN :batch_first AND :batch_last
    AND (ai_generated_new IS DISTINCT FROM CAST(ai_generated AS TEXT));

-- migrate:down

-- Nothing to undo: which values were filled in can't be told, and they do no harm.
SELECT 1;
