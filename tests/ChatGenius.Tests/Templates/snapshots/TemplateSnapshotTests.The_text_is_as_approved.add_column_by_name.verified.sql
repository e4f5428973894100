-- ==== 0006_add_pinned_at_and_pinned_by_id_to_messages.sql
-- migrate:up

-- cgdb:allow fk-without-index: the index follows in a migration of its own
ALTER TABLE messages
    ADD COLUMN pinned_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN pinned_by_id UUID
        CONSTRAINT messages_pinned_by_id_fkey REFERENCES users (id) ON DELETE SET NULL;

-- migrate:down

ALTER TABLE messages
    DROP COLUMN IF EXISTS pinned_by_id,
    DROP COLUMN IF EXISTS pinned_at;

-- ==== 0007_index_messages_on_pinned_by_id.sql
-- migrate:up transaction:false

-- CONCURRENTLY, and so outside a transaction: the build takes longer, but blocks nobody.
CREATE INDEX CONCURRENTLY messages_pinned_by_id_idx ON messages (pinned_by_id);

-- migrate:down transaction:false

DROP INDEX CONCURRENTLY IF EXISTS messages_pinned_by_id_idx;
