-- ==== 0006_add_pinned_to_messages.sql
-- migrate:up

ALTER TABLE messages
    ADD COLUMN pinned BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN pinned_at TIMESTAMP WITH TIME ZONE;

-- migrate:down

ALTER TABLE messages
    DROP COLUMN IF EXISTS pinned_at,
    DROP COLUMN IF EXISTS pinned;
