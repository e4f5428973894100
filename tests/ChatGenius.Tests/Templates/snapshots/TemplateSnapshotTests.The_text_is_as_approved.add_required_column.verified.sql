-- ==== 0006_add_kind_to_messages.sql
-- migrate:up

-- Step 1 of 3: null is allowed until every row has its value (steps 2 and 3 follow in files of their own).
-- Let the application write the column before step 3 is applied.
ALTER TABLE messages
    ADD COLUMN kind TEXT;

-- migrate:down

ALTER TABLE messages
    DROP COLUMN IF EXISTS kind;

-- ==== 0007_backfill_kind_in_messages.sql
-- migrate:up batch:messages key:id

-- Each batch commits by itself, so locks are short; after an interruption the next run goes on after the last one.
UPDATE messages
SET kind = 'chat'
WHERE id BETWEEN :batch_first AND :batch_last
    AND kind IS NULL;

-- migrate:down

-- Nothing to undo: which values were filled in can't be told, and they do no harm.
SELECT 1;

-- ==== 0008_require_kind_in_messages.sql
-- migrate:up transaction:false

-- Each statement commits by itself. VALIDATE reads the rows while others read and write; after it SET NOT NULL reads
-- none, because the check has proved that there is no null.
ALTER TABLE messages DROP CONSTRAINT IF EXISTS messages_kind_not_null_check;
ALTER TABLE messages ADD CONSTRAINT messages_kind_not_null_check CHECK (kind IS NOT NULL) NOT VALID;
ALTER TABLE messages VALIDATE CONSTRAINT messages_kind_not_null_check;
ALTER TABLE messages ALTER COLUMN kind SET NOT NULL;
ALTER TABLE messages DROP CONSTRAINT messages_kind_not_null_check;

-- migrate:down

ALTER TABLE messages
    ALTER COLUMN kind DROP NOT NULL;
