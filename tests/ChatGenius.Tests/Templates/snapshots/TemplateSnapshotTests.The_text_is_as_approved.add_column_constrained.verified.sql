-- ==== 0006_add_priority_to_messages.sql
-- migrate:up

ALTER TABLE messages
    ADD COLUMN priority INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN external_ref TEXT;

-- NOT VALID holds for new rows at once and reads no old ones; a migration of its own validates them.
ALTER TABLE messages
    ADD CONSTRAINT messages_priority_check CHECK (priority>=0) NOT VALID;

-- migrate:down

ALTER TABLE messages
    DROP COLUMN IF EXISTS external_ref,
    DROP COLUMN IF EXISTS priority;

-- ==== 0007_validate_messages_priority_check.sql
-- migrate:up

-- Reads all rows, while others read and write. A row that doesn't fit makes it fail; mend the row and apply again.
ALTER TABLE messages VALIDATE CONSTRAINT messages_priority_check;

-- migrate:down

ALTER TABLE messages
    DROP CONSTRAINT messages_priority_check,
    ADD CONSTRAINT messages_priority_check CHECK (priority>=0) NOT VALID;

-- ==== 0008_index_messages_on_priority.sql
-- migrate:up transaction:false

-- CONCURRENTLY, and so outside a transaction: the build takes longer, but blocks nobody.
CREATE INDEX CONCURRENTLY messages_priority_idx ON messages (priority);

-- migrate:down transaction:false

DROP INDEX CONCURRENTLY IF EXISTS messages_priority_idx;

-- ==== 0009_add_unique_external_ref_to_messages.sql
-- Rows that are there twice make the build fail. To find them:
--     SELECT external_ref, count(*) FROM messages GROUP BY external_ref HAVING count(*) > 1;

-- migrate:up transaction:false

CREATE UNIQUE INDEX CONCURRENTLY messages_external_ref_key ON messages (external_ref);

ALTER TABLE messages ADD CONSTRAINT messages_external_ref_key UNIQUE USING INDEX messages_external_ref_key;

-- migrate:down

ALTER TABLE messages DROP CONSTRAINT IF EXISTS messages_external_ref_key;
