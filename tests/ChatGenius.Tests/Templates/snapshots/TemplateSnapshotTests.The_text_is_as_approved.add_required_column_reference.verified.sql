-- ==== 0006_add_required_moderator_to_channels.sql
-- migrate:up

-- Step 1 of 3: null is allowed until every row has its value (steps 2 and 3 follow in files of their own).
-- Let the application write the column before step 3 is applied.
-- cgdb:allow fk-without-index: the index follows in a migration of its own
ALTER TABLE channels
    ADD COLUMN moderator_id UUID
        CONSTRAINT channels_moderator_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    ADD COLUMN label TEXT;

-- migrate:down

ALTER TABLE channels
    DROP COLUMN IF EXISTS label,
    DROP COLUMN IF EXISTS moderator_id;

-- ==== 0007_backfill_moderator_id_in_channels.sql
-- migrate:up batch:channels key:id

-- Each batch commits by itself, so locks are short; after an interruption the next run goes on after the last one.
UPDATE channels
SET moderator_id = (SELECT id FROM users ORDER BY created_at LIMIT 1)
WHERE id BETWEEN :batch_first AND :batch_last
    AND moderator_id IS NULL;

-- migrate:down

-- Nothing to undo: which values were filled in can't be told, and they do no harm.
SELECT 1;

-- ==== 0008_require_moderator_id_in_channels.sql
-- migrate:up transaction:false

-- Each statement commits by itself. VALIDATE reads the rows while others read and write; after it SET NOT NULL reads
-- none, because the check has proved that there is no null.
ALTER TABLE channels DROP CONSTRAINT IF EXISTS channels_moderator_id_not_null_check;
ALTER TABLE channels ADD CONSTRAINT channels_moderator_id_not_null_check CHECK (moderator_id IS NOT NULL) NOT VALID;
ALTER TABLE channels VALIDATE CONSTRAINT channels_moderator_id_not_null_check;
ALTER TABLE channels ALTER COLUMN moderator_id SET NOT NULL;
ALTER TABLE channels DROP CONSTRAINT channels_moderator_id_not_null_check;

-- migrate:down

ALTER TABLE channels
    ALTER COLUMN moderator_id DROP NOT NULL;

-- ==== 0009_index_channels_on_moderator_id.sql
-- migrate:up transaction:false

-- CONCURRENTLY, and so outside a transaction: the build takes longer, but blocks nobody.
CREATE INDEX CONCURRENTLY channels_moderator_id_idx ON channels (moderator_id);

-- migrate:down transaction:false

DROP INDEX CONCURRENTLY IF EXISTS channels_moderator_id_idx;
